// The runner of `npm test` and `npm run check`: it counts the tests of a step and names those that failed.
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { runStep } from '../../scripts/run-steps.mjs'
import { PARTS } from '../../scripts/setup.mjs'
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
