// Builds target/envoy/countersign-envoy.wasm, the filter for Envoy, and packages it.
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { gzipSync } from 'node:zlib'
import { at, hashOf, readIf, remapPaths, run, seconds, withTools } from './common.mjs'
import { notices } from './notices.mjs'
import { packageEnvoy } from './package-envoy.mjs'

const FOLDER = 'target/envoy'
const TARGET = 'wasm32-wasip1'

// Optimized for size: a signature is checked once for each pass and then cached, so speed matters less.
const SMALL = ['--config', 'profile.release.package.curve25519-dalek.opt-level="s"']

// The callbacks that the filter implements. The SDK exports all callbacks of proxy-wasm. Without the unused ones
// the module is smaller, and Envoy does not call them.
const CALLS = [
  ...['memory', '_initialize', 'proxy_abi_version_0_2_1', 'proxy_on_memory_allocate'],
  ...['proxy_on_vm_start', 'proxy_on_configure', 'proxy_on_tick', 'proxy_on_context_create', 'proxy_on_delete'],
  ...['proxy_on_request_headers', 'proxy_on_request_body', 'proxy_on_request_trailers'],
  ...['proxy_on_http_call_response', 'proxy_on_response_headers'],
]

async function buildFilter() {
  const built = at('target', TARGET, 'release/countersign.wasm')
  const [graph, shaken, filter] = ['graph.json', 'shaken.wasm', 'countersign-envoy.wasm'].map((name) =>
    at(FOLDER, name),
  )
  mkdirSync(at(FOLDER), { recursive: true })
  const what = ['--release', '--target', TARGET, '--package', 'countersign', '--features', 'envoy']
  await run('cargo', ['build', ...what, ...SMALL, ...remapPaths(TARGET)], { hidden: true })
  const nodes = CALLS.map((name) => ({ name, export: name }))
  writeFileSync(graph, JSON.stringify([{ name: 'Envoy', reaches: CALLS, root: true }, ...nodes]))
  const options = { env: withTools(), hidden: true }
  await run('wasm-metadce', [built, '--graph-file', graph, '-o', shaken], options)
  await run('wasm-opt', ['-Oz', '--gufa', '-Oz', '--strip-debug', '--strip-producers', shaken, '-o', filter], options)
  for (const file of [graph, shaken]) rmSync(file)
}

function inputsOfFilter() {
  const sources = ['Cargo.toml', 'Cargo.lock', '.cargo', 'rust-toolchain.toml', 'src', 'package.json']
  const scripts = ['build-envoy', 'package-envoy', 'notices'].map((name) => `scripts/${name}.mjs`)
  return hashOf([...sources, ...scripts], process.env.RUSTFLAGS)
}

/** Whether the filter is missing or older than its sources. */
export const filterIsStale = () => readIf(FOLDER, '.built') !== inputsOfFilter()

/** Builds it, unless nothing has changed. `numbered` adds the number that the list of steps gave to a title. */
export async function buildEnvoy(numbered = (title) => title) {
  const start = performance.now()
  const inputs = inputsOfFilter()
  if (readIf(FOLDER, '.built') === inputs) return console.log(`${FILTER.title}: up to date (${seconds(start)})`)
  const title = numbered(FILTER.title)
  console.log(`${title} …`)
  await buildFilter()
  packageEnvoy()
  writeFileSync(at(FOLDER, 'THIRD-PARTY.txt'), notices('envoy', TARGET))
  writeFileSync(at(FOLDER, '.built'), inputs)
  const wasm = readFileSync(at(FOLDER, 'countersign-envoy.wasm'))
  const kb = (bytes) => `${Math.round(bytes / 1000)} kB`
  console.log(
    `${title}: done (${seconds(start)}); WebAssembly ${kb(wasm.length)}, gzipped ${kb(gzipSync(wasm, { level: 9 }).length)}`,
  )
}

/** The filter as a step of a list. */
export const FILTER = {
  title: 'Build of the Envoy filter',
  why: 'what Envoy runs',
  takes: 'up to 3 minutes',
  stale: filterIsStale,
  work: buildEnvoy,
}
