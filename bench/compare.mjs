// The means of all jobs: candidates take turns, and the median counts; logins follow one another on a clock of their own.
import { performance } from 'node:perf_hooks'

/** The time at which the clock of a user begins, in unix seconds. */
export const START = 1_800_000_000
/** Seconds from login to login of one user: two steps, because a code that is also that of the next step uses both up. */
export const ADVANCE = 60

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
