// The steps of `npm test`, `npm run check` and `scripts/stress.mjs`: one table for all three, in the order in which a
// failure is cheapest to find. A new step is one entry. Commands run in the project's folder.
import { readdirSync, readFileSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { PACKAGE as PKG } from './build.mjs'
import { FILTER } from './build-envoy.mjs'
import { at, has, Problem } from './common.mjs'
import { SERVERS, TO_BUILD } from './setup.mjs'

const node = process.execPath
const bin = (name) => at('node_modules/.bin', name)
const tsc = at('node_modules/typescript/bin/tsc')

// The compiler options of a strict project without other packages.
const STRICT = ['--ignoreConfig', '--noEmit', '--strict', '--exactOptionalPropertyTypes', '--target', 'es2022']
const CONSUMER = [...STRICT, '--module', 'nodenext', '--types', '']

// Drivers have types of Node's in theirs, and some do not compile by themselves.
const BESIDE_DRIVERS = ['--module', 'nodenext', '--types', 'node', '--skipLibCheck']

const RUST = ['node', 'rust', 'crates']
const PACKAGE = ['node', 'packages', 'pkg']
const SERVICE = [...PACKAGE, 'login packages', 'oathtool', 'zbarimg', 'rsvg-convert']

/**
 * The files of tests/browser that run in Firefox as well: the scripts, the focus, the element and the module. `guides`, `navigation`,
 * `paper` and `sessions` run there by hand. The others need what only Chromium can be told, such as to run no script.
 */
const IN_FIREFOX = ['build', 'enhancements', 'keyboard', 'qr'].map((name) => `${name}.test.mjs`)

/** The files of tests/envoy that ask most of Envoy itself. The others run in its oldest version by hand. */
const IN_OLDEST_ENVOY = ['faults', 'gate', 'protocols', 'startup', 'verify'].map((name) => `${name}.test.mjs`)

/** At least two files of tests side by side: Node leaves one core free, so that on two cores it would run one file at a time. */
const TWO_AT_ONCE = `--test-concurrency=${Math.max(2, availableParallelism() - 1)}`

/** The folders of target/ in which two steps would be in each other's way. */
const WITH_ENGINES = ['adapters', 'runtimes']

/** The model of the rules beside the engine, `tests/core/model`. */
export const MODEL = ['cargo', 'test', '--lib', 'model::', '--', '--nocapture']
/** @param {string} steps @param {string} [seed] */
export const modelEnv = (steps, seed) => ({
  COUNTERSIGN_MODEL_STEPS: steps,
  ...(seed === undefined ? {} : { COUNTERSIGN_MODEL_SEED: seed }),
})

/**
 * @typedef {object} Step
 * @property {string} group    the name for `--only`
 * @property {string} title
 * @property {string[]} needs  parts of setup.mjs, and products of BUILDS
 * @property {() => string[]} command
 * @property {boolean} [check]  in the inner loop, `npm run check`
 * @property {string[]} [from]  for check: the products whose last build, however old, will do
 * @property {boolean} [long]  not in `npm test`, but in `npm run test:long`
 * @property {string[]} [holds]  for long steps, which run side by side: what no other step may use meanwhile
 * @property {'rust' | 'node'} [tests]  the test runner whose output is read for counts and names
 * @property {Record<string, string>} [env]
 */

/** @type {Step[]} */
export const STEPS = [
  {
    group: 'lint',
    title: 'Rust format',
    check: true,
    needs: ['node', 'rust'],
    command: () => ['cargo', 'fmt', '--all', '--check'],
  },
  {
    group: 'lint',
    title: 'JavaScript format and lints',
    check: true,
    needs: ['node', 'packages'],
    command: () => [bin('biome'), 'ci', '--error-on-warnings', '--diagnostic-level=warn'],
  },
  {
    group: 'lint',
    title: 'Form of the scenarios',
    check: true,
    needs: ['node'],
    command: () => [node, at('scripts/format-scenarios.mjs'), '--check'],
  },
  {
    group: 'lint',
    title: 'Types of scripts and tests',
    check: true,
    needs: ['node', 'packages', 'login packages', 'stores packages'],
    command: () => [node, tsc, '-p', at('tsconfig.checkjs.json')],
  },
  {
    group: 'lint',
    title: 'Rust lints',
    check: true,
    needs: RUST,
    command: () => ['cargo', 'clippy', '--all-features', '--all-targets', '--', '-D', 'warnings'],
  },
  {
    group: 'lint',
    title: 'Rust lints, WebAssembly',
    needs: [...RUST, 'targets'],
    command: () => clippyFor('wasm32-unknown-unknown', 'npm'),
  },
  {
    group: 'lint',
    title: 'Rust lints, browser',
    needs: [...RUST, 'targets'],
    command: () => clippyFor('wasm32-unknown-unknown', 'browser'),
  },
  {
    group: 'lint',
    title: 'Rust lints, Envoy',
    needs: [...RUST, 'targets'],
    command: () => clippyFor('wasm32-wasip1', 'envoy'),
  },
  {
    group: 'rust',
    title: 'Rust tests',
    check: true,
    needs: RUST,
    tests: 'rust',
    command: () => ['cargo', 'test', '--no-fail-fast'],
  },
  {
    group: 'rust',
    title: 'Model of the rules, 100,000 steps',
    needs: RUST,
    tests: 'rust',
    env: modelEnv('100000'),
    command: () => MODEL,
  },
  {
    group: 'model',
    title: 'Model of the rules, 1,000,000 steps',
    long: true,
    holds: ['cargo'],
    needs: RUST,
    tests: 'rust',
    env: modelEnv('1000000'),
    command: () => MODEL,
  },
  {
    group: 'runtimes',
    title: 'Runtimes and bundlers',
    long: true,
    holds: ['runtimes'],
    needs: [...PACKAGE, 'stores packages', 'chromium', 'firefox'],
    tests: 'node',
    command: () => [node, at('scripts/runtimes.mjs')],
  },
  {
    group: 'instructions',
    title: 'Instructions of the core',
    long: true,
    holds: ['cargo'],
    needs: [...RUST, 'valgrind'],
    tests: 'node',
    command: () => testsIn('tests/instructions'),
  },
  {
    group: 'memory',
    title: 'Memory over a million calls',
    long: true,
    needs: PACKAGE,
    tests: 'node',
    command: () => testsIn('tests/long', { options: ['--expose-gc'] }),
  },
  {
    group: 'lint',
    title: 'Rust documentation',
    needs: RUST,
    env: { RUSTDOCFLAGS: '-D warnings' },
    command: () => ['cargo', 'doc', '--no-deps'],
  },
  {
    group: 'package',
    title: 'TypeScript',
    check: true,
    needs: PACKAGE,
    from: ['target/npm/countersign.d.ts', 'target/browser/countersign.d.ts'],
    command: () => [node, tsc, '-p', at('tsconfig.json'), '--noEmit'],
  },
  {
    group: 'package',
    title: 'Types of the examples',
    check: true,
    needs: [...PACKAGE, 'login packages', 'minimal packages', 'sms packages', 'client-address packages'],
    from: ['pkg/types/index.d.ts'],
    command: () => [node, tsc, '-p', at('examples/tsconfig.json')],
  },
  {
    group: 'package',
    title: 'The package’s types, for Node',
    needs: PACKAGE,
    command: () => [node, tsc, ...CONSUMER, '--lib', 'es2022', ...declarations((name) => !forBrowsers(name))],
  },
  {
    group: 'package',
    title: 'The package’s types, for browsers and frameworks of `Request`',
    needs: PACKAGE,
    command: () => [node, tsc, ...CONSUMER, '--lib', 'es2022,dom', ...declarations(forBrowsers)],
  },
  {
    group: 'package',
    title: 'The stores’ types, beside those of the drivers',
    needs: [...PACKAGE, 'stores packages'],
    command: () => [node, tsc, ...STRICT, ...BESIDE_DRIVERS, at('tests/stores/types.ts')],
  },
  {
    group: 'package',
    title: 'The adapters’ types, beside those of the frameworks',
    needs: [...PACKAGE, 'adapters packages'],
    // As in a user's project, where the package is beside the framework whose types it extends.
    command: () => [
      ...[node, tsc, ...STRICT, ...BESIDE_DRIVERS, '--preserveSymlinks'],
      ...readdirSync(at('tests/adapters/types')).map((name) => at('tests/adapters/types', name)),
    ],
  },
  {
    group: 'package',
    title: 'The package as npm ships it',
    needs: PACKAGE,
    command: () => [node, at('scripts/lint-package.mjs')],
  },
  {
    group: 'node',
    title: 'Node tests',
    needs: [...PACKAGE, 'login packages', 'oathtool', 'age'],
    tests: 'node',
    command: () => testsIn('tests/node', { options: [TWO_AT_ONCE] }),
  },
  {
    group: 'stores',
    title: 'Tests of the stores, on real servers',
    needs: [...PACKAGE, 'login packages', 'oathtool', 'stores packages', ...SERVERS],
    tests: 'node',
    command: () => testsIn('tests/stores', { options: [TWO_AT_ONCE] }),
  },
  {
    group: 'adapters',
    title: 'Types of the adapters’ tests',
    needs: ['node', 'packages', 'login packages', 'stores packages', 'adapters packages'],
    command: () => [node, tsc, '-p', at('tests/adapters/tsconfig.json')],
  },
  {
    group: 'adapters',
    title: 'Tests of the adapters, on their real frameworks',
    needs: [...PACKAGE, 'adapters packages'],
    tests: 'node',
    command: () => [node, at('scripts/adapters.mjs')],
  },
  ...['22', '24'].map((version) => ({
    group: 'adapters-long',
    title: `Tests of the adapters, on Node.js ${version}`,
    long: true,
    holds: WITH_ENGINES,
    needs: [...PACKAGE, 'adapters packages'],
    tests: /** @type {const} */ ('node'),
    command: () => [node, at('scripts/adapters.mjs'), '--node', version],
  })),
  {
    group: 'adapters-long',
    title: 'Tests of the adapters, on other runtimes and variants',
    long: true,
    holds: WITH_ENGINES,
    needs: [...PACKAGE, 'adapters packages'],
    tests: 'node',
    command: () => [node, at('scripts/adapters.mjs'), '--long'],
  },
  {
    group: 'stores-long',
    title: 'Stores on real servers: faults, failover and the kit',
    long: true,
    needs: [...PACKAGE, 'stores packages', 'adapters packages', ...SERVERS],
    tests: 'node',
    command: () => testsIn('tests/stores/long'),
  },
  {
    group: 'docs',
    title: 'Tests of the documents',
    needs: [...PACKAGE, 'login packages', 'docs packages'],
    tests: 'node',
    command: () => testsIn('tests/docs', { options: [TWO_AT_ONCE] }),
  },
  {
    group: 'docs',
    title: 'API reference',
    needs: [...PACKAGE, 'docs packages'],
    command: () => [node, at('docs/build.mjs')],
  },
  {
    group: 'e2e',
    title: 'End-to-end tests',
    needs: [...SERVICE, 'minimal packages', 'sms packages', 'client-address packages', 'nginx'],
    tests: 'node',
    command: () => testsIn('tests/e2e', { options: [TWO_AT_ONCE] }),
  },
  {
    group: 'browser',
    title: 'Browser tests',
    needs: [...SERVICE, 'chromium', 'pdftotext'],
    tests: 'node',
    command: () => testsIn('tests/browser', { options: [TWO_AT_ONCE] }),
  },
  {
    group: 'firefox',
    title: 'Browser tests in Firefox',
    long: true,
    needs: [...SERVICE, 'firefox', 'pdftotext'],
    tests: 'node',
    env: { COUNTERSIGN_BROWSER: 'firefox' },
    command: () => testsIn('tests/browser', { names: IN_FIREFOX }),
  },
  {
    group: 'envoy',
    title: 'Envoy tests',
    needs: [...SERVICE, 'stores packages', 'postgres', 'filter', 'envoy', 'skopeo'],
    tests: 'node',
    command: () => testsIn('tests/envoy', { options: [TWO_AT_ONCE] }),
  },
  {
    group: 'envoy-long',
    title: 'Envoy tests in the oldest version',
    long: true,
    needs: [...PACKAGE, 'login packages', 'filter', 'oldest envoy'],
    tests: 'node',
    env: { COUNTERSIGN_ENVOY: 'oldest' },
    command: () => testsIn('tests/envoy', { names: IN_OLDEST_ENVOY }),
  },
]

/** The products that steps need, each with the parts that it needs. It is built before the first step that needs it. */
export const BUILDS = {
  pkg: { ...PKG, needs: TO_BUILD },
  filter: { ...FILTER, needs: TO_BUILD },
}

export const GROUPS = [...new Set(STEPS.map(({ group }) => group))]
export const LONG_GROUPS = [...new Set(STEPS.filter(({ long }) => long).map(({ group }) => group))]

/** In the profile of the build for that target, which then finds the macros compiled. */
function clippyFor(target, feature) {
  return ['cargo', 'clippy', '--release', '--target', target, '--features', feature, '--', '-D', 'warnings']
}

function testsIn(folder, { names = filesIn(folder), options = [] } = {}) {
  // Node 20 takes no patterns after --test, so the files are listed.
  const files = names.filter((name) => name.endsWith('.test.mjs'))
  if (files.length === 0) throw new Problem(`${folder} has no test (*.test.mjs).`)
  // A test that hangs is ended. The longest file takes two minutes on an idle machine, ten on a busy one.
  return [
    node,
    ...options,
    '--test',
    '--test-reporter=spec',
    '--test-timeout=1800000',
    ...files.map((name) => `${folder}/${name}`),
  ]
}

/** Those of pages, and of frameworks whose requests are the platform's `Request`. */
const forBrowsers = (name) => name.startsWith('browser.') || /^adapters\/(better-auth|next)/.test(name)

/** The declaration files of the exports in package.json. */
function declarations(wanted) {
  const { exports } = JSON.parse(readFileSync(at('package.json'), 'utf8'))
  const found = JSON.stringify(exports).match(/pkg\/types\/[^"]+/g) ?? []
  return [...new Set(found)].filter((path) => wanted(path.slice('pkg/types/'.length))).map((path) => at(path))
}

const filesIn = (folder) => (has(folder) ? readdirSync(at(folder)).sort() : [])
