// Waits for a condition in place of a fixed time, which is too short on a busy machine and too long on any other.
import { setTimeout as sleep } from 'node:timers/promises'

/**
 * Calls `check` until it throws no error, and gives its value. After `seconds` it throws the last error of `check`.
 * @template T
 * @param {() => T | Promise<T>} check
 * @returns {Promise<T>}
 */
export async function eventually(check, { seconds = 20, every = 20 } = {}) {
  for (const end = Date.now() + seconds * 1000; ; await sleep(every)) {
    try {
      return await check()
    } catch (error) {
      if (Date.now() > end) throw error
    }
  }
}
