// npm run bench: measures the cost of the gate in Envoy, and on Node the package beside its peers and the event loop
// with and without worker threads. It prints numbers and has no pass or fail. Compare ratios within one run, and let
// nothing else run meanwhile.
//   npm run bench -- --only envoy,node --rounds 7 --seconds 3 --direct
// --direct: Envoy itself answers; by default requests go on to a service.
import { existsSync, writeFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { aptInstall } from './apt.mjs'
import { BOTH, PACKAGE } from './build.mjs'
import { at, hashOf, main, npm, onPath, Problem, readIf, run } from './common.mjs'
import { envoyBinary } from './envoy.mjs'
import { setup, TO_BUILD, TO_START } from './setup.mjs'

const FILTER = at('target/envoy/countersign-envoy.wasm')
const NOOP = at('target/bench/wasm32-wasip1/release/countersign_bench_noop.wasm')

await main(import.meta.url, async () => {
  const { only, ...settings } = options()
  const [parts, builds] = only.includes('envoy') ? [TO_START, BOTH] : [TO_BUILD, [PACKAGE]]
  const numbered = await setup(parts, { builds })
  for (const { work } of builds) await work(numbered)
  await peers()
  if (only.includes('node')) await (await import('../bench/node.mjs')).benchNode(settings)
  if (only.includes('envoy')) {
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
    await run('cargo', [
      'build',
      '--quiet',
      '--release',
      '--locked',
      '--manifest-path',
      'bench/noop/Cargo.toml',
      '--target',
      'wasm32-wasip1',
      '--target-dir',
      'target/bench',
    ])
    await (await import('../bench/envoy.mjs')).benchEnvoy({ envoy, filter: FILTER, noop: NOOP, ...settings })
  }
})

function options() {
  const usage = 'Usage: npm run bench [-- --only envoy,node --rounds 7 --seconds 3 --direct]'
  try {
    const { values } = parseArgs({
      options: {
        only: { type: 'string', default: 'envoy,node' },
        rounds: { type: 'string', default: '7' },
        seconds: { type: 'string', default: '3' },
        direct: { type: 'boolean', default: false },
      },
    })
    const only = values.only.split(',')
    const [rounds, seconds] = [Number(values.rounds), Number(values.seconds)]
    if (only.some((name) => !['envoy', 'node'].includes(name)) || !(rounds >= 1) || !(seconds >= 1))
      throw new Problem(usage)
    return { only, rounds, seconds, direct: values.direct }
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
