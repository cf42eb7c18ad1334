// node scripts/stress.mjs: runs the tests several times with all cores busy, to find those that pass only on an idle
// machine. Run it by hand, not in CI; it takes about an hour, six at most.
//   node scripts/stress.mjs --only browser --runs 3
import { availableParallelism } from 'node:os'
import { parseArgs } from 'node:util'
import { Worker } from 'node:worker_threads'
import { main, Problem, seconds } from './common.mjs'
import { listFailures, runStep } from './run-steps.mjs'
import { PARTS, setup } from './setup.mjs'
import { BUILDS, STEPS } from './steps.mjs'

/** Group → number of runs. Browser tests depend most on timing, so they run most often. */
const RUNS = { rust: 3, node: 3, stores: 3, e2e: 3, envoy: 3, browser: 10, firefox: 3 }
const MOST_HOURS = 6

await main(import.meta.url, async () => {
  const runs = options()
  const steps = STEPS.filter(({ group, tests }) => tests && group in runs)
  const needs = new Set(steps.flatMap((step) => step.needs))
  const builds = Object.keys(BUILDS).filter((name) => needs.has(name))
  for (const name of builds) for (const part of BUILDS[name].needs) needs.add(part)
  const parts = Object.keys(PARTS).filter((name) => needs.has(name))
  const numbered = await setup(parts, { builds: builds.map((name) => BUILDS[name]) })
  for (const name of builds) await BUILDS[name].work(numbered)

  const start = performance.now()
  const results = []
  const stop = keepCoresBusy(MOST_HOURS * 3_600_000)
  try {
    for (const step of steps) {
      for (let turn = 1; turn <= runs[step.group]; turn += 1) {
        const start = performance.now()
        const { failed, names, counts, output } = await runStep(step, { silent: true, minutes: 180 })
        const title = `${step.title}, run ${turn} of ${runs[step.group]}`
        console.log(`${failed ? '✖' : '✔'} ${title} (${seconds(start)}): ${failed ?? `${counts.passed} passed`}`)
        if (failed) console.log(output.trimEnd())
        results.push({ group: step.group, title, failed, names })
      }
    }
  } finally {
    stop()
  }

  const failures = results.filter(({ failed }) => failed)
  listFailures(failures)
  if (failures.length > 0) process.exitCode = 1
  console.log(`\n${results.length - failures.length} of ${results.length} runs passed (${seconds(start)})`)
})

/** One busy thread for each core, until the returned function is called, or `most` milliseconds later. */
function keepCoresBusy(most) {
  const busy = `
    const { workerData: { stopped, end } } = require('node:worker_threads')
    while (Atomics.load(stopped, 0) === 0 && Date.now() < end) for (let i = 0; i < 1e6; i += 1) Math.sqrt(i)`
  const stopped = new Int32Array(new SharedArrayBuffer(4))
  const workerData = { stopped, end: Date.now() + most }
  for (let core = 0; core < availableParallelism(); core += 1) new Worker(busy, { eval: true, workerData }).unref()
  return () => Atomics.store(stopped, 0, 1)
}

function options() {
  const groups = Object.keys(RUNS)
  const usage = `Usage: node scripts/stress.mjs [--only ${groups.join(',')}] [--runs 3]`
  const { values } = parseArgs({ options: { only: { type: 'string' }, runs: { type: 'string' } }, strict: false })
  const only = typeof values.only === 'string' ? values.only.split(',') : groups
  const runs = values.runs === undefined ? undefined : Number(values.runs)
  if (only.some((group) => !(group in RUNS)) || (runs !== undefined && !(runs >= 1))) throw new Problem(usage)
  return Object.fromEntries(only.map((group) => [group, runs ?? RUNS[group]]))
}
