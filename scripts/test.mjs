// npm test: everything, in the order in which a failure is cheapest to find.
//   npm test -- --only rust,node    for developers: lint, rust, node, e2e, browser, envoy
import { readdirSync } from 'node:fs'
import { build } from './build.mjs'
import { at, has, inCi, main, Problem, run, seconds } from './common.mjs'
import { setup } from './setup.mjs'

const tsc = at('node_modules/typescript/bin/tsc')
const node = process.execPath

// Node 20 takes no patterns after --test, so the files are listed here.
function testFiles(folder) {
  const files = has(folder)
    ? readdirSync(at(folder))
        .filter((name) => name.endsWith('.test.mjs'))
        .sort()
    : []
  if (files.length === 0) throw new Problem(`${folder} has no test (*.test.mjs).`)
  return files.map((name) => at(folder, name))
}
const nodeTests = (folder) => () => [node, '--test', '--test-reporter=spec', ...testFiles(folder)]

// [group, heading, command, parser of the counts when it runs tests, environment]
const STEPS = [
  ['lint', 'Rust format', () => ['cargo', 'fmt', '--all', '--check']],
  ['lint', 'Rust lints', () => ['cargo', 'clippy', '--all-features', '--all-targets', '--', '-D', 'warnings']],
  [
    'lint',
    'Rust lints, WebAssembly',
    () => ['cargo', 'clippy', '--target', 'wasm32-unknown-unknown', '--features', 'npm', '--', '-D', 'warnings'],
  ],
  [
    'lint',
    'Rust lints, Envoy',
    () => ['cargo', 'clippy', '--target', 'wasm32-wasip1', '--features', 'envoy', '--', '-D', 'warnings'],
  ],
  ['rust', 'Rust tests', () => ['cargo', 'test'], countRust],
  ['lint', 'Rust documentation', () => ['cargo', 'doc', '--no-deps'], undefined, { RUSTDOCFLAGS: '-D warnings' }],
  ['lint', 'TypeScript', () => [node, tsc, '-p', at('tsconfig.json'), '--noEmit']],
  // As a user's strict project sees them, from import and from require, with nothing else installed.
  [
    'lint',
    'TypeScript, the package’s types',
    () => [
      node,
      tsc,
      '--ignoreConfig',
      '--noEmit',
      '--strict',
      '--exactOptionalPropertyTypes',
      '--target',
      'es2022',
      '--lib',
      'es2022',
      '--module',
      'nodenext',
      '--types',
      '',
      ...['index.d.ts', 'index.d.cts', 'express.d.ts', 'express.d.cts', 'testing.d.ts', 'testing.d.cts'].map((name) =>
        at('pkg/types', name),
      ),
    ],
  ],
  [
    'lint',
    'TypeScript, the types for browsers',
    () => [
      node,
      tsc,
      '--ignoreConfig',
      '--noEmit',
      '--strict',
      '--exactOptionalPropertyTypes',
      '--target',
      'es2022',
      '--lib',
      'es2022,dom',
      '--module',
      'nodenext',
      '--types',
      '',
      at('pkg/types/browser.d.ts'),
    ],
  ],
  ['node', 'Node tests', nodeTests('tests/node'), countNode],
  ['e2e', 'End-to-end tests', nodeTests('tests/e2e'), countNode],
  ['browser', 'Browser tests', nodeTests('tests/browser'), countNode],
  ['envoy', 'Envoy tests', nodeTests('tests/envoy'), countNode],
]

const sum = (text, pattern) => [...text.matchAll(pattern)].reduce((total, [, count]) => total + Number(count), 0)

function countRust(text) {
  const of = (word) => sum(text, new RegExp(`^test result: .*?(\\d+) ${word}`, 'gm'))
  return { passed: of('passed'), failed: of('failed'), skipped: of('ignored') }
}

function countNode(text) {
  const of = (word) => sum(text, new RegExp(`^(?:ℹ|#) ${word} (\\d+)`, 'gm'))
  // A file in which no test was declared passes under its own name in Node 20.
  const empty = [...text.matchAll(/^✔ \S+\.test\.mjs \(/gm)].length
  return { passed: of('pass') - empty, failed: of('fail') + of('cancelled'), skipped: of('skipped') + of('todo') }
}

function wantedGroups() {
  const groups = [...new Set(STEPS.map(([group]) => group))]
  const [option, value, ...rest] = process.argv.slice(2)
  if (option === undefined) return groups
  const wanted = value?.split(',') ?? []
  if (option !== '--only' || rest.length || wanted.length === 0 || wanted.some((group) => !groups.includes(group))) {
    throw new Problem(`Usage: npm test [-- --only ${groups.join(',')}]`)
  }
  return wanted
}

await main(import.meta.url, async () => {
  const wanted = wantedGroups()
  await setup({ test: true })
  await build()
  const total = { passed: 0, failed: 0, skipped: 0 }
  const steps = STEPS.filter(([group]) => wanted.includes(group))
  const env = process.stdout.isTTY ? { CARGO_TERM_COLOR: 'always', FORCE_COLOR: '1' } : {}
  try {
    for (const [index, [, heading, command, count, extra]] of steps.entries()) {
      console.log(`\n=== ${index + 1}/${steps.length} ${heading}`)
      const start = performance.now()
      const add = (output) => {
        const counts = count(output.replace(/\x1b\[[\d;]*m/g, ''))
        for (const key in total) total[key] += counts[key]
        return counts
      }
      const [program, ...args] = command()
      try {
        const output = await run(program, args, { env: { ...env, ...extra }, keep: count !== undefined })
        const counts = count && add(output)
        if (counts?.passed === 0) throw new Problem(`${heading}: no test ran.`)
        if (counts?.failed > 0) throw new Problem(`${heading}: ${counts.failed} failed.`)
        if (counts?.skipped > 0 && inCi)
          throw new Problem(`${heading}: ${counts.skipped} skipped or to do; in CI every test must run.`)
      } catch (error) {
        if (count && error.output) add(error.output)
        throw error
      }
      console.log(`=== ${heading}: passed (${seconds(start)})`)
    }
  } catch (error) {
    if (!(error instanceof Problem)) throw error
    console.error(`\n${error.message}`)
    process.exitCode = 1
  }
  const { passed, failed, skipped } = total
  if (passed + failed > 0) console.log(`\n${passed} passed, ${failed} failed${skipped ? `, ${skipped} skipped` : ''}`)
})
