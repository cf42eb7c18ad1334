// npm run check: format, lints for this machine's target, Rust tests and types, without WebAssembly: the types come
// from the last build. It installs and builds nothing. Every step runs, even after a failure, and prints one line; the
// end lists the failures.
import { packageIsStale } from './build.mjs'
import { has, main, seconds } from './common.mjs'
import { listFailures, runStep } from './run-steps.mjs'
import { missingParts, PARTS } from './setup.mjs'
import { STEPS } from './steps.mjs'

const COLORS = process.stdout.isTTY ? { CARGO_TERM_COLOR: 'always', FORCE_COLOR: '1' } : {}
/** @returns {import('./run-steps.mjs').Result} */
const notRun = (why) => ({
  failed: `not run, because ${why}`,
  names: [],
  counts: { passed: 0, failed: 0, skipped: 0 },
  output: '',
})
const usesCargo = ({ command }) => command()[0] === 'cargo'

await main(import.meta.url, async () => {
  const start = performance.now()
  const steps = STEPS.filter(({ check }) => check)
  const needs = [...new Set(steps.flatMap((step) => step.needs))].filter((name) => name in PARTS)
  const missing = missingParts(needs)
  const failures = []
  // Cargo holds a lock and often uses one core only, so the other steps run beside it.
  const lanes = [steps.filter(usesCargo), steps.filter((step) => !usesCargo(step))]
  await Promise.all(
    lanes.map(async (lane) => {
      for (const step of lane) await check(step)
    }),
  )

  async function check(step) {
    const start = performance.now()
    const note =
      step.from && packageIsStale() ? ' – against the types of an older build; npm run build renews them' : ''
    const { failed, names, counts, output } = obstacle(step) ?? (await runStep(step, { silent: true, env: COLORS }))
    const tests = counts?.passed ? `, ${counts.passed} passed` : ''
    console.log(`${failed ? '✖' : '✔'} ${step.title} (${seconds(start)}${tests})${failed ? `: ${failed}` : note}`)
    if (!failed) return
    if (output) console.log(output.trimEnd())
    failures.push({ group: step.group, title: step.title, failed: failed + note, names })
  }

  /** The reason why a step cannot run; undefined if it can. */
  function obstacle({ needs, from = [] }) {
    const lacking = needs.filter((name) => name in missing).map((name) => PARTS[name].title)
    if (lacking.length > 0) return notRun(`it needs ${lacking.join(', ')}; run: npm run setup -- --test`)
    const absent = from.filter((file) => !has(file))
    if (absent.length > 0) return notRun(`${absent.join(', ')} comes from a build, once; run: npm run build`)
    return undefined
  }

  listFailures(failures)
  if (failures.length > 0) process.exitCode = 1
  console.log(`\n${steps.length - failures.length} of ${steps.length} steps passed (${seconds(start)})`)
})
