// The runner of `npm test` and `npm run check`: it counts the tests of a step and names those that failed.
import assert from 'node:assert/strict'
import { execFileSync, spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { runStep } from '../../scripts/run-steps.mjs'
import { install, PARTS } from '../../scripts/setup.mjs'
import { sideBySide } from '../../scripts/side-by-side.mjs'
import { BUILDS, STEPS } from '../../scripts/steps.mjs'

/** Runs a command as a step. */
const run = (command, tests) =>
  runStep({ group: 'x', title: 'x', needs: [], command: () => command, tests }, { silent: true, env: { CI: '' } })
/** A step that prints `text` and ends with `code`. */
const printing = (text, code, tests) =>
  run([process.execPath, '-e', `console.log(${JSON.stringify(text)}); process.exitCode = ${code}`], tests)

test('a failing Node test is named with its file, and the others are counted', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'steps-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  const file = join(folder, 'x.test.mjs')
  writeFileSync(
    file,
    "import { test } from 'node:test'\ntest('good', () => {})\ntest('bad', () => { throw new Error('no') })\n",
  )
  // Without this variable, the inner tests write their own output, not the parent's format.
  const command = ['env', '-u', 'NODE_TEST_CONTEXT', process.execPath, '--test', '--test-reporter=spec', file]
  const { failed, names, counts } = await run(command, 'node')
  assert.equal(failed, '1 failed')
  assert.deepEqual(counts, { passed: 1, failed: 1, skipped: 0 })
  assert.equal(names.length, 1)
  assert.match(names[0], /x\.test\.mjs › bad$/)
})

test('a failing Rust test is named; the counts of all test programs are added up', async () => {
  const text = [
    'test policy::one ... ok',
    'test policy::two ... FAILED',
    'test result: FAILED. 1 passed; 1 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.85s',
    'test result: ok. 5 passed; 0 failed; 2 ignored; 0 measured; 0 filtered out; finished in 0.85s',
  ].join('\n')
  const { failed, names, counts } = await printing(text, 101, 'rust')
  assert.deepEqual([failed, names], ['1 failed', ['policy::two']])
  assert.deepEqual(counts, { passed: 6, failed: 1, skipped: 2 })
})

test('a crate that does not compile is named by its files', async () => {
  const { failed, names } = await printing('error[E0308]: mismatched types\n  --> src/otp.rs:12:5\n', 101, 'rust')
  assert.deepEqual([failed, names], ['failed with exit code 101', ['src/otp.rs']])
})

test('linters and compilers name files', async () => {
  const text = [
    'js/input.ts(3,1): error TS2322: Type',
    '\x1b[0mscripts/x.mjs\x1b[0m:1:2 lint/suspicious/noVar  FIXABLE  ━━━━━',
    'scripts/y.mjs format ━━━━━',
    'Diff in src/lib.rs:4:',
  ].join('\n')
  const { names } = await printing(text, 1)
  assert.deepEqual(names.sort(), ['js/input.ts', 'scripts/x.mjs', 'scripts/y.mjs', 'src/lib.rs'])
})

test('a step in which no test ran has failed, and so has a command that is not there', async () => {
  assert.equal((await printing('ℹ pass 0\nℹ fail 0', 0, 'node')).failed, 'no test ran')
  assert.match((await run(['no-such-command'])).failed, /not installed/)
  assert.equal((await printing('fine', 0)).failed, undefined)
})

test('each step needs parts that can be installed or built', () => {
  for (const { title, needs } of [...STEPS, ...Object.values(BUILDS)])
    for (const name of needs) assert.ok(name in PARTS || name in BUILDS, `${title}: ${name}`)
})

test('a program that is too old counts as missing', (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'steps-'))
  const { PATH } = process.env
  t.after(() => {
    process.env.PATH = PATH
    rmSync(folder, { recursive: true, force: true })
  })
  process.env.PATH = `${folder}:${PATH}`
  const look = (version) => {
    writeFileSync(join(folder, 'firefox-esr'), `#!/bin/sh\necho Mozilla Firefox ${version}\n`, { mode: 0o755 })
    return PARTS.firefox.look()
  }
  assert.deepEqual(look('153.8.0esr'), { found: 'firefox-esr' })
  const missing = 'the Debian package firefox-esr, 153.0 or newer; this machine has 140.10'
  assert.deepEqual(look('140.10.2esr'), { missing })
})

test('steps side by side start in their order, and wait for one that holds the same', async () => {
  const tasks = [
    { name: 'a', holds: ['cargo'] },
    { name: 'b', holds: ['cargo', 'folder'] },
    { name: 'c', holds: ['folder'] },
    { name: 'd' },
  ]
  /** @type {Record<string, () => void>} */
  const end = {}
  const happened = []
  const all = sideBySide(tasks, 2, ({ name }) => {
    happened.push(`${name} begins`)
    return new Promise((resolve) => {
      end[name] = () => {
        happened.push(`${name} ends`)
        resolve()
      }
    })
  })
  for (const name of ['a', 'c', 'b', 'd']) {
    end[name]()
    await new Promise(setImmediate)
  }
  await all
  assert.deepEqual(happened.join(', '), 'a begins, c begins, a ends, d begins, c ends, b begins, b ends, d ends')
})

test('only database servers can be left out, and none in CI', () => {
  /** @param {Record<string, string>} env */
  const refusal = (env) => {
    const { status, stderr } = spawnSync(process.execPath, ['scripts/test.mjs', '--only', 'stores'], {
      cwd: fileURLToPath(new URL('../..', import.meta.url)),
      env: { ...process.env, CI: '', ...env },
      encoding: 'utf8',
    })
    assert.equal(status, 1)
    return stderr
  }
  assert.match(refusal({ COUNTERSIGN_WITHOUT: 'mariadb,chromium' }), /can name postgres, mariadb, redis, pgbouncer,/)
  assert.match(refusal({ COUNTERSIGN_WITHOUT: 'mariadb', CI: 'true' }), /In CI every test must run/)
})

// How set-up and builds show their work

/** The lines of a script that runs a command with its output hidden. */
function hiding(command, env = {}, lineSeconds = 0.3) {
  const common = new URL('../../scripts/common.mjs', import.meta.url)
  const script = `import { run } from ${JSON.stringify(common.href)}
await run(process.execPath, ['-e', ${JSON.stringify(command)}], { hidden: true, lineSeconds: ${lineSeconds} }).catch((error) => console.log(error.message))`
  return execFileSync(process.execPath, ['--input-type=module', '-e', script], {
    env: { ...process.env, CI: '', ...env },
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
  })
}

test('a hidden command shows that it still runs, and its last line', () => {
  const text = hiding(`console.log('first'); console.log('last'); setTimeout(() => {}, 800)`)
  // The first lines may come before the command has said anything.
  const line = ' {4}node -e: still running after \\d+ s'
  assert.match(text, new RegExp(`^(?:${line}(?:: (?:first|last))?\n)*${line}: last\n$`))
  assert.equal(hiding(`console.log('all of it')`, {}, 600), '')
})

test('the output of a hidden command is shown whole after a failure, and at its end in CI', () => {
  const failing = `console.log('first'); console.log('last'); process.exitCode = 3`
  assert.match(hiding(failing, {}, 600), /^first\nlast\n.* failed with exit code 3\.\n$/s)
  assert.equal(hiding(`console.log('all of it')`, { CI: 'true' }, 600), 'all of it\n')
})

test('the list names each step once, with its number, reason and time, and builds only where they are due', async () => {
  const build = (title, due) => ({ title, why: `why ${title}`, takes: 'a minute', stale: () => due })
  const printed = []
  const { log } = console
  console.log = (line = '') => printed.push(line)
  const { failures, numbered } = await install([], [build('One', true), build('Two', false), build('Three', true)])
  console.log = log
  assert.deepEqual(failures, {})
  assert.deepEqual(printed.slice(1), ['  1 of 2  One: why One (a minute)', '  2 of 2  Three: why Three (a minute)', ''])
  assert.deepEqual(['One', 'Two', 'Three'].map(numbered), ['1 of 2  One', 'Two', '2 of 2  Three'])
})
