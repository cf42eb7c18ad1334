// npm run mutants: makes small wrong changes of the rules, one at a time (mutants), and looks whether a test fails. A mutant
// that is missed shows a rule without a test. Run it by hand, not in CI; all of them take some hours.
//   npm run mutants -- --shard 0/8               one part of eight
//   npm run mutants -- --in-diff main            the lines that differ from a commit
//   npm run mutants -- --file src/lockout.rs     one file
//   npm run mutants -- --list                    names them, and runs nothing
// .cargo/mutants.toml says which files, and which mutants are left out, with the reasons. The tests run in stages, the fast
// ones first, and a stage runs only the mutants that the stages before it missed.
import { copyFileSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { parseArgs } from 'node:util'
import { ask, at, main, Problem, readIf, run, seconds, withTools } from './common.mjs'
import { modelEnv } from './steps.mjs'

const VERSION = '27.1.0'
/** The copy of the sources in which mutants are made. It is kept, with what was built, so that only the mutant is compiled. */
const TREE = 'target/mutants/tree'
const OUTPUT = 'target/mutants'

/** Tests of the source text: a mutant must be caught by what it does. */
const OF_TEXTS = ['layers::', 'docs::']
/** The tests of `core` that take long, because they hash a lot or have many cases. */
const SLOW = [
  'scenarios::',
  'hashing::',
  'limits::whatever_a_set_up_accepts_logs_in',
  'limits::the_largest_record_is_read',
  'gate::t28_no_headers_pass_the_gate_or_make_it_panic',
]
const skip = (names) => names.flatMap((name) => ['--skip', name])

/**
 * `seconds`: the time after which a mutant hangs.
 * @type {{ title: string, target: string[], tests: string[], seconds: number }[]}
 */
const STAGES = [
  // Not the time of a hash, which takes as long as all the rest.
  { title: 'unit tests and model', target: ['--lib'], tests: skip(['t31_an_attempt']), seconds: 30 },
  { title: 'vectors', target: ['--test', 'vectors'], tests: [], seconds: 30 },
  { title: 'core tests', target: ['--test', 'core'], tests: skip([...OF_TEXTS, ...SLOW]), seconds: 300 },
  { title: 'slow core tests', target: ['--test', 'core'], tests: SLOW, seconds: 300 },
]

await main(import.meta.url, async () => {
  const { values } = parseArgs({
    options: {
      shard: { type: 'string' },
      'in-diff': { type: 'string' },
      file: { type: 'string', multiple: true, default: [] },
      list: { type: 'boolean', default: false },
    },
  })
  await install()
  copyTree()
  const chosen = [
    ...(values.shard === undefined ? [] : ['--shard', values.shard]),
    ...(values['in-diff'] === undefined ? [] : ['--in-diff', writeDiff(values['in-diff'])]),
    ...(values.file.length === 0 ? [] : onlyIn(values.file)),
  ]
  if (values.list) return void (await mutants(['--list', ...chosen]))

  const start = performance.now()
  console.log('First the tests as they are; a test that fails now would catch every mutant.')
  for (const { target, tests } of STAGES) await cargo(['test', '--quiet', ...target, '--', ...tests])

  /** @type {Map<string, string>} name of a mutant → its outcome in the last stage that ran it */
  const outcomes = new Map()
  const missed = () => [...outcomes].filter(([, outcome]) => outcome === 'missed').map(([name]) => name)
  let select = chosen
  for (const { title, target, tests, seconds } of STAGES) {
    console.log(`\n${title}`)
    await mutants([
      ...['--in-place', '--baseline', 'skip', '--output', at(OUTPUT)],
      ...['--timeout', `${seconds}`, '--build-timeout', '600'],
      ...target.map((arg) => `--cargo-arg=${arg}`),
      ...select,
      ...['--', '--', ...tests],
    ])
    for (const outcome of ['caught', 'missed', 'timeout', 'unviable']) {
      for (const name of linesOf(`${OUTPUT}/mutants.out/${outcome}.txt`)) {
        // cargo-mutants runs mutants that leave out a field whatever `--re` says: what was caught before stays so.
        if ((outcomes.get(name) ?? 'missed') === 'missed') outcomes.set(name, outcome)
      }
    }
    if (missed().length === 0) break
    const files = new Set(missed().map((name) => name.split(':')[0]))
    select = [...onlyIn([...files]), ...missed().flatMap((name) => ['--re', exactly(name)])]
  }
  report(outcomes, seconds(start))
})

/** Counts by folder, and the names of what was missed. */
function report(outcomes, time) {
  const table = {}
  for (const [name, outcome] of outcomes) {
    const folder = name
      .split(':')[0]
      .replace(/\/[^/]+$/, '')
      .replace(/^src$/, name.split(':')[0])
    table[folder] ??= { mutants: 0, caught: 0, missed: 0, timeout: 0, unviable: 0 }
    table[folder].mutants += 1
    table[folder][outcome] += 1
  }
  console.log(`\n${outcomes.size} mutants (${time})`)
  console.table(table)
  const missed = [...outcomes].filter(([, outcome]) => outcome === 'missed').map(([name]) => name)
  if (missed.length === 0) return
  throw new Problem(`No test fails under these; add one, or name them in .cargo/mutants.toml with the reason:
  ${missed.join('\n  ')}`)
}

async function install() {
  if (ask(at('target/tools/bin/cargo-mutants'), ['mutants', '--version'])?.split(' ')[1] === VERSION) return
  console.log(`cargo-mutants ${VERSION} is missing; it is built once, which takes about 5 minutes.`)
  const folders = ['--root', at('target/tools'), '--target-dir', at('target/tools/build')]
  const args = ['install', 'cargo-mutants', '--version', VERSION, '--locked', '--debug', '--force', ...folders]
  await run('cargo', args, { env: { CARGO_PROFILE_DEV_DEBUG: '0' } })
  rmSync(at('target/tools/build'), { recursive: true, force: true })
}

/** Brings the copy up to date. A file that is the same keeps its time, so that cargo builds nothing for it. */
function copyTree() {
  const files = ask('git', ['ls-files', '--cached', '--others', '--exclude-standard'])
    ?.split('\n')
    .filter((file) => existsSync(at(file)))
  if (files === undefined)
    throw new Problem('The mutants are made in a copy of the files that git knows, and git failed.')
  const before = linesOf(`${OUTPUT}/files.txt`)
  for (const file of before.filter((file) => !files.includes(file))) rmSync(at(TREE, file), { force: true })
  for (const file of files) {
    const copy = at(TREE, file)
    if (existsSync(copy) && readFileSync(at(file)).equals(readFileSync(copy))) continue
    mkdirSync(dirname(copy), { recursive: true })
    copyFileSync(at(file), copy)
  }
  writeFileSync(at(OUTPUT, 'files.txt'), files.join('\n'))
}

function writeDiff(commit) {
  const diff = ask('git', ['diff', '--no-ext-diff', commit, '--', 'src'])
  if (diff === undefined) throw new Problem(`\`git diff ${commit}\` failed: name a commit or a branch.`)
  writeFileSync(at(OUTPUT, 'in.diff'), `${diff}\n`)
  return at(OUTPUT, 'in.diff')
}

/** The settings of .cargo/mutants.toml for these files alone. */
function onlyIn(files) {
  const settings = readFileSync(at('.cargo/mutants.toml'), 'utf8')
  const own = settings.replace(/^examine_globs = .*$/m, `examine_globs = ${JSON.stringify(files)}`)
  writeFileSync(at(OUTPUT, 'mutants.toml'), own)
  return ['--config', at(OUTPUT, 'mutants.toml')]
}

/** A pattern for one name. */
function exactly(name) {
  return `^${name.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')}$`
}

function linesOf(file) {
  return (readIf(file) ?? '').split('\n').filter((line) => line !== '')
}

/** Without debug information, with a few steps of the model, and with a violation told as it was found: most of the time goes into building. */
function cargo(args) {
  const env = {
    ...withTools(),
    ...modelEnv('3000'),
    COUNTERSIGN_MODEL_SHRINK: '0',
    CARGO_PROFILE_DEV_DEBUG: '0',
    CARGO_TARGET_DIR: at(OUTPUT, 'target'),
  }
  return run('nice', ['-n', '10', 'cargo', ...args], { cwd: at(TREE), env, minutes: 24 * 60 })
}

/** It fails where a mutant was missed, or timed out: `report` tells. */
async function mutants(args) {
  try {
    await cargo(['mutants', ...args])
  } catch (error) {
    if (!(error instanceof Problem) || !/exit code [23]\.$/.test(error.message)) throw error
  }
}
