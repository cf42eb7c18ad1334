// The place where password hashes are computed: worker threads, or this thread where there are none.

import { invalid } from './error.js'
import { type Hasher, type HashWorker, hashQueue } from './hash-queue.js'
import { noWorkers, startWorker } from './hash-worker.js'
import type { Check } from './input.js'
import { CALLS_WAIT, HASHING, soon, threads } from './platform.js'
import { call } from './wasm.js'

/** Where hashes are computed; see `SecondFactorOptions`. */
export type Hashing = 'workers' | 'inline'

/** Checks a value of `hashing`. @internal */
export const hashing: Check = (value, path) => {
  if (value !== 'workers' && value !== 'inline') throw invalid(path, "must be 'workers' or 'inline'")
  return value
}

let pool: Hasher | undefined
let here: Hasher | undefined

/**
 * The one queue of this process, before its workers or in this thread; in an edge worker one for each call. Throws `no_workers` at
 * the start of a service.
 */
export function hasherOf(place: Hashing = HASHING): Hasher {
  if (place === 'inline') {
    if (!CALLS_WAIT) return (jobs) => hashQueue(1, thisThread)(jobs)
    here ??= hashQueue(1, thisThread)
    return here
  }
  const found = threads()
  if (found === undefined) throw noWorkers()
  // One processor is left for the event loop.
  pool ??= hashQueue(Math.max(1, found.processors - 1), startWorker)
  return pool
}

/** This thread as a worker: each hash has a turn of the event loop of its own. */
const thisThread = (): HashWorker => ({
  alive: true,
  compute: async (job) => {
    await nextTurn()
    const bytes = new DataView(new ArrayBuffer(64))
    job.forEach((byte, index) => void bytes.setUint8(index, byte))
    const word = (index: number) => bytes.getBigUint64(8 * index, true)
    return call((module) => {
      const made = module.argon2id(word(0), word(1), word(2), word(3), word(4), word(5), word(6), word(7))!
      const hash = new DataView(new ArrayBuffer(32))
      for (let index = 0; index < 4; index += 1) hash.setBigUint64(8 * index, made.word(index), true)
      made.free()
      return new Uint8Array(hash.buffer)
    })
  },
})

/** The next turn of the event loop, so that others have theirs. */
export const nextTurn = (): Promise<void> => new Promise((resolve) => void soon(resolve))
