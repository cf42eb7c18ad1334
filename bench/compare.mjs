// The means of all jobs: candidates take turns, and the median counts.
import { performance } from 'node:perf_hooks'

export const median = (numbers) => [...numbers].sort((a, b) => a - b)[numbers.length >> 1]

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

export function expect(value, what) {
  if (!value) throw new Error(`${what}: a candidate gives another answer`)
}
