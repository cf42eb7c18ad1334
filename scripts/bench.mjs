// npm run bench: measures on Node the package beside its peers, and the event loop with and without worker threads; in Envoy the
// cost of the gate; logins through each store on its server; and the time from a clean copy to the first results. It prints numbers and has no pass or fail. Compare
// ratios within one run, and let nothing else run meanwhile.
//   npm run bench -- --only envoy,node,stores,stopwatch --rounds 7 --seconds 3 --direct
// --direct: Envoy itself answers; by default requests go on to a service.
// --write: makes docs/figures.md and its pictures anew. It takes all parts, or the stores alone.
import { existsSync, writeFileSync } from 'node:fs'
import { availableParallelism, cpus, release, type } from 'node:os'
import { parseArgs } from 'node:util'
import { aptInstall } from './apt.mjs'
import { BOTH, PACKAGE } from './build.mjs'
import { at, hashOf, main, npm, onPath, Problem, readIf, run } from './common.mjs'
import { envoyBinary } from './envoy.mjs'
import { missingParts, setup, TO_BUILD, TO_START } from './setup.mjs'
import { stopwatch } from './stopwatch.mjs'

const FILTER = at('target/envoy/countersign-envoy.wasm')
const TO_MEASURE_ALL = [...TO_START, 'oathtool', 'zbarimg', 'rsvg-convert']
const PARTS = ['node', 'envoy', 'stores', 'stopwatch']
/** The servers of the stores, by their part of the set-up. */
const SERVERS = { postgres: 'PostgreSQL', mariadb: 'MariaDB', redis: 'Redis' }
const NOOP = at('target/bench/wasm32-wasip1/release/countersign_bench_noop.wasm')

await main(import.meta.url, async () => {
  const { only, write, ...settings } = options()
  const needsAll = only.some((part) => part === 'envoy' || part === 'stopwatch')
  const [parts, builds] = needsAll ? [TO_MEASURE_ALL, BOTH] : [TO_BUILD, [PACKAGE]]
  const more = only.includes('stores') ? ['stores packages', ...Object.keys(SERVERS)] : []
  const numbered = await setup([...parts, ...more], { builds, optional: Object.keys(SERVERS) })
  for (const { work } of builds) await work(numbered)
  await peers()
  const { readFigures, textOf, writeFigures } = await import('../bench/figures.mjs')
  const figures = { made: today(), machine: machineOf(settings), versions: versions(), node: {}, tables: [] }
  const measured = (table) => {
    figures.tables.push(table)
    console.log(textOf({ ...figures, node: {}, tables: [table] }))
  }
  if (only.includes('node')) {
    figures.node = await (await import('../bench/node.mjs')).benchNode(settings)
    console.log(textOf({ ...figures, tables: [] }))
    measured((await import('../bench/sizes.mjs')).sizes())
    measured((await import('../bench/instructions.mjs')).instructions())
    measured(await (await import('../bench/event-loop.mjs')).benchEventLoop(settings))
  }
  if (only.includes('envoy')) measured(await envoy(settings))
  if (only.includes('stores')) {
    const { benchLoad } = await import('../bench/load.mjs')
    const without = Object.keys(missingParts(Object.keys(SERVERS))).map((part) => SERVERS[part])
    const { rounds, seconds } = settings
    figures.load = { made: today(), rounds, seconds, ...(await benchLoad({ rounds, seconds, without })) }
    for (const table of (await import('../bench/load-tables.mjs')).loadTables(figures.load))
      console.log(textOf({ node: {}, tables: [table] }))
  }
  if (only.includes('stopwatch')) measured(await stopwatch())
  if (!write) return
  writeFigures(only.length === PARTS.length ? figures : { load: figures.load })
  await (await import('../bench/pictures.mjs')).writePictures(readFigures())
  console.log('Made anew: docs/figures.md, docs/pictures, bench/figures.json.')
})

async function envoy(settings) {
  const envoy = envoyBinary()
  if (!existsSync(FILTER)) throw new Problem('target/envoy/countersign-envoy.wasm is not built.')
  if (!onPath('wrk'))
    await aptInstall(
      ['wrk'],
      (why) =>
        new Problem(
          `The load comes from wrk, and ${why}. Install the Debian package wrk, or what your system calls it.`,
        ),
    )
  const manifest = ['--manifest-path', 'bench/noop/Cargo.toml', '--target-dir', 'target/bench']
  await run('cargo', ['build', '--quiet', '--release', '--locked', '--target', 'wasm32-wasip1', ...manifest])
  return (await import('../bench/envoy.mjs')).benchEnvoy({ envoy, filter: FILTER, noop: NOOP, ...settings })
}

function today() {
  return new Date().toISOString().slice(0, 10)
}

function machineOf({ rounds, seconds }) {
  const [{ model }] = cpus()
  return {
    processor: model.trim(),
    processors: availableParallelism(),
    node: process.versions.node,
    system: `${type()} ${release()}`,
    rounds,
    seconds,
  }
}

/** The versions of the peers, as they are installed. */
function versions() {
  const { dependencies } = JSON.parse(readIf('bench/package.json'))
  const names = [
    'countersign',
    ...Object.keys(dependencies).filter((name) => !/^(?:countersign|vega)/.test(name)),
    'jose',
  ]
  const versionIn = (folder) => readIf(`${folder}/package.json`)
  const found = (name) => versionIn(`bench/node_modules/${name}`) ?? versionIn(`node_modules/${name}`)
  return Object.fromEntries(names.map((name) => [name, JSON.parse(found(name)).version]))
}

function options() {
  const usage = 'Usage: npm run bench [-- --only envoy,node,stores,stopwatch --rounds 7 --seconds 3 --direct --write]'
  try {
    const { values } = parseArgs({
      options: {
        only: { type: 'string', default: PARTS.join(',') },
        rounds: { type: 'string', default: '7' },
        seconds: { type: 'string', default: '3' },
        direct: { type: 'boolean', default: false },
        write: { type: 'boolean', default: false },
      },
    })
    const only = values.only.split(',')
    const [rounds, seconds] = [Number(values.rounds), Number(values.seconds)]
    if (only.some((name) => !PARTS.includes(name)) || !(rounds >= 1) || !(seconds >= 1)) throw new Problem(usage)
    if (values.write && only.length < PARTS.length && values.only !== 'stores')
      throw new Problem('--write takes all parts, or the stores alone: leave out --only, or give --only stores.')
    return { only, rounds, seconds, direct: values.direct, write: values.write }
  } catch (error) {
    throw error instanceof Problem ? error : new Problem(`${error.message}\n${usage}`)
  }
}

/** Installs the packages to compare with, in bench/node_modules. */
async function peers() {
  const stamp = hashOf(['bench/package.json', 'bench/package-lock.json'])
  if (readIf('bench/node_modules/.countersign-bench') === stamp) return
  await npm(['ci', '--no-audit', '--no-fund', '--install-links=false'], { cwd: at('bench') })
  writeFileSync(at('bench/node_modules/.countersign-bench'), stamp)
}
