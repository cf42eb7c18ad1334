// Installs what is missing, and nothing else: a second run only looks.
//   node scripts/setup.mjs          what building and starting need
//   node scripts/setup.mjs --test   and what the tests need
import { existsSync, rmSync, writeFileSync } from 'node:fs'
import { aptInstall } from './apt.mjs'
import { ask, at, has, hashOf, inCi, main, npm, onPath, Problem, readIf, run, seconds } from './common.mjs'
import { ENVOY, installEnvoy, OLDEST_ENVOY } from './envoy.mjs'

const NODE = 20
const WASM_PACK = '0.15.1'
const TARGETS = ['wasm32-unknown-unknown', 'wasm32-wasip1']
// command → Debian package
const TEST_COMMANDS = {
  ...{ oathtool: 'oathtool', zbarimg: 'zbar-tools', 'rsvg-convert': 'librsvg2-bin' },
  ...{ chromium: 'chromium', pdftotext: 'poppler-utils', skopeo: 'skopeo' },
}

// Each step returns what it found or did, and calls live() before a child writes to the screen.

function node() {
  if (Number(process.versions.node.split('.')[0]) < NODE) {
    throw new Problem(`Node.js ${process.versions.node} is too old: Countersign needs ${NODE} or newer.`)
  }
  return process.versions.node
}

function rust() {
  const install =
    'Install it with rustup: see https://rustup.rs, or run\n  curl --proto "=https" --tlsv1.2 -sSf https://sh.rustup.rs | sh\nthen open a new shell.'
  const found = ask('rustc', ['--version'])?.split(' ')[1]
  if (!found || !ask('cargo', ['--version'])) throw new Problem(`Rust (rustc and cargo) was not found. ${install}`)
  const wanted = readIf('Cargo.toml')?.match(/^rust-version\s*=\s*"([\d.]+)"/m)?.[1] ?? '0'
  const [a, b] = [found, wanted].map((version) => version.split('.').map((part) => parseInt(part, 10)))
  if (a[0] < b[0] || (a[0] === b[0] && a[1] < (b[1] ?? 0))) {
    throw new Problem(`Rust ${found} is too old: Countersign needs ${wanted} or newer. Run: rustup update stable`)
  }
  return found
}

async function targets(live) {
  // The sysroot is looked at, not rustup's list: a Rust that came from elsewhere has no rustup.
  const sysroot = ask('rustc', ['--print', 'sysroot'])
  const missing = () => TARGETS.filter((target) => !existsSync(`${sysroot}/lib/rustlib/${target}/lib`))
  const wanted = missing()
  if (wanted.length === 0) return 'there'
  const fallback = `The standard library of Rust for ${wanted.join(' and ')} is missing and could not be added.
  With rustup and the network:  rustup target add ${wanted.join(' ')}
  With a Rust from Debian:      apt-get install libstd-rust-dev-wasm32
  Otherwise put the libraries built for exactly this compiler (${ask('rustc', ['--version'])}) into
  ${sysroot}/lib/rustlib/<target>/lib and run this again.`
  live()
  try {
    await run('rustup', ['target', 'add', ...wanted])
  } catch {
    throw new Problem(fallback)
  }
  if (missing().length > 0) throw new Problem(fallback)
  return `added ${wanted.join(', ')}`
}

async function packages(live) {
  const done = []
  for (const folder of ['.', 'examples/login']) {
    if (!has(folder, 'package.json')) continue
    // Native packages are built for one ABI of Node: for another, everything is installed anew.
    const abi = `${process.platform}-${process.arch}-${process.versions.modules} `
    const stamp = () => abi + hashOf([`${folder}/package.json`, `${folder}/package-lock.json`])
    const mark = `${folder}/node_modules/.countersign-setup`
    const before = readIf(mark)
    if (before === stamp()) continue
    const clean = has(folder, 'package-lock.json') && (inCi || !before?.startsWith(abi))
    live()
    const options = ['--no-audit', '--no-fund', '--install-links=false']
    try {
      await npm([clean ? 'ci' : 'install', ...options], { cwd: at(folder) })
    } catch (error) {
      throw new Problem(`The npm packages of ${folder === '.' ? 'the project' : folder} could not be installed: ${error.message}
If package.json was changed by hand, run npm install there first; better-sqlite3 needs a C++ compiler and Python where no ready build can be had.`)
    }
    writeFileSync(at(mark), stamp())
    done.push(folder === '.' ? 'project' : folder)
  }
  return done.length ? `installed (${done.join(', ')})` : 'up to date'
}

async function crates(live) {
  const before = hashOf(['Cargo.lock'])
  // A lock file that does not fit is an error in CI and an update on a developer's machine.
  const args = ['fetch', ...(inCi ? ['--locked'] : [])]
  if (ask('cargo', [...args, '--offline', '--quiet']) === undefined) {
    live()
    await run('cargo', args)
    return 'fetched'
  }
  return hashOf(['Cargo.lock']) === before ? 'up to date' : 'Cargo.lock updated'
}

async function tools(live) {
  const bindgen = readIf('Cargo.lock')?.match(/name = "wasm-bindgen"\nversion = "([^"]+)"/)?.[1]
  if (!bindgen)
    throw new Problem('Cargo.lock names no wasm-bindgen, so the version of its command-line tool is unknown.')
  const wanted = [
    // The tool and the crate must be of the same version, to the last digit.
    { crate: 'wasm-bindgen-cli', binary: 'wasm-bindgen', version: bindgen },
    { crate: 'wasm-pack', binary: 'wasm-pack', version: WASM_PACK },
  ].filter(({ binary, version }) => ask(at('target/tools/bin', binary), ['--version'])?.split(' ')[1] !== version)
  for (const { crate, version } of wanted) {
    live()
    console.log(`Building ${crate} ${version} from source; this takes a few minutes, once.`)
    const args = [
      'install',
      crate,
      '--version',
      version,
      '--debug',
      '--force',
      '--root',
      'target/tools',
      '--target-dir',
      'target/tools/build',
    ]
    const env = { CARGO_PROFILE_DEV_DEBUG: '0' }
    try {
      await run('cargo', [...args, '--locked'], { env })
    } catch {
      console.log(
        'That did not work with the lock file of the tool itself; trying again with the newest compatible crates.',
      )
      await run('cargo', args, { env })
    }
  }
  rmSync(at('target/tools/build'), { recursive: true, force: true })
  const names = `wasm-bindgen ${bindgen}, wasm-pack ${WASM_PACK}`
  return wanted.length ? `built ${names}` : names
}

async function testCommands(live) {
  const missing = () => Object.keys(TEST_COMMANDS).filter((command) => !onPath(command))
  const wanted = missing()
  if (wanted.length === 0) return Object.keys(TEST_COMMANDS).join(', ')
  const names = wanted.map((command) => TEST_COMMANDS[command])
  const problem = (why) =>
    new Problem(
      `The tests need ${wanted.join(', ')}, and ${why}. Install the Debian packages ${names.join(' ')}, or what your system calls them, and try again.`,
    )
  live()
  await aptInstall(names, problem)
  if (missing().length > 0) throw problem(`${missing().join(', ')} is still missing after the installation`)
  return `installed ${names.join(', ')}`
}

/** For starting, Envoy is a guest: the login service runs without it. For testing it is not. */
const envoy = (test) => async (live) => {
  try {
    return await installEnvoy(test ? [ENVOY, OLDEST_ENVOY] : [ENVOY], live)
  } catch (error) {
    if (test || !(error instanceof Problem)) throw error
    return `not available: ${error.message}`
  }
}

export async function setup({ test = false } = {}) {
  const steps = [
    ['Node.js', node],
    ['Rust', rust],
    ['WebAssembly targets', targets],
    ['npm packages', packages],
    ['Rust crates', crates],
    ['WebAssembly tools', tools],
    ['Envoy', envoy(test)],
    ...(test ? [['test commands', testCommands]] : []),
  ]
  for (const [index, [name, step]] of steps.entries()) {
    const title = `[${index + 1}/${steps.length}] ${name}`
    const start = performance.now()
    let shown = false
    process.stdout.write(`${title} … `)
    const result = await step(() => {
      if (!shown) process.stdout.write('\n')
      shown = true
    })
    console.log(`${shown ? `${title}: ` : ''}${result} (${seconds(start)})`)
  }
}

await main(import.meta.url, () => setup({ test: process.argv.includes('--test') }))
