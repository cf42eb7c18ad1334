// The clock and the random source of the host, guarded: an error of theirs becomes ours. And a limit of time for its answers.
import { guarded, invalid } from './error.js'
import { whole } from './input.js'

/** The server's clock, in unix seconds. */
export const systemClock = () => Math.floor(Date.now() / 1000)

/** The time of a clock. */
export function timeOf(clock: () => number): number {
  return whole(guarded('invalid_input', 'clock', 'threw', clock), 'clock') as number
}

/** A seed from a random source, copied. */
export function seedOf(entropy: () => Uint8Array): Uint8Array {
  return guarded('invalid_input', 'entropy', 'must give a Uint8Array of 32 random bytes', () => {
    const seed = entropy()
    if (!(seed instanceof Uint8Array) || seed.length !== 32)
      throw invalid('entropy', 'must give a Uint8Array of 32 random bytes')
    return new Uint8Array(seed)
  })
}

/** The answer of a function of the host's, or the error `late` where it gives none in time. */
export async function inTime<T>(ask: () => T | Promise<T>, milliseconds: number, late: () => Error): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined
  const tooLate = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(late()), milliseconds)
  })
  try {
    return await Promise.race([ask(), tooLate])
  } finally {
    clearTimeout(timer)
  }
}
