// The means of all jobs: candidates take turns, the median counts, and the ratio to the first one is printed.
import { performance } from 'node:perf_hooks'

const median = (numbers) => numbers.sort((a, b) => a - b)[numbers.length >> 1]

export const fastest = (numbers) => Math.min(...numbers)

/** Microseconds per call of each candidate, over rounds in which all take turns. */
export async function compare(candidates, { rounds = 9, milliseconds = 60, of = median } = {}) {
  const samples = Object.fromEntries(Object.keys(candidates).map((name) => [name, []]))
  for (let round = -1; round < rounds; round += 1) {
    for (const [name, call] of Object.entries(candidates)) {
      let calls = 0
      const start = performance.now()
      do {
        await call()
        calls += 1
      } while (performance.now() - start < milliseconds)
      if (round >= 0) samples[name].push(((performance.now() - start) * 1000) / calls) // round -1 warms up
    }
  }
  return Object.fromEntries(Object.entries(samples).map(([name, values]) => [name, of(values)]))
}

export function print(job, results, note = '') {
  const [ours] = Object.values(results)
  console.log(`\n${job}`)
  for (const [name, micros] of Object.entries(results)) {
    const shown = micros >= 1000 ? `${(micros / 1000).toFixed(1)} ms` : `${micros.toFixed(micros < 10 ? 2 : 0)} µs`
    console.log(
      `  ${name.padEnd(44)} ${shown.padStart(9)}   ${micros === ours ? '' : `${(micros / ours).toFixed(2)} × ours`}`,
    )
  }
  if (note !== '') console.log(`  ${note}`)
}

export function expect(value, what) {
  if (!value) throw new Error(`${what}: a candidate gives another answer`)
}
