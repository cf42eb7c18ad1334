// The store loop: a step counts once its record is stored, and is computed anew when another writer
// was faster.
//
//                ┌──────────────────── another writer was faster ◀─────────────────────┐
//                ▼                                                                     │
//  command ──▶ load ──▶ is a write of this user under way? ──no──▶ step ──▶ compare-and-set
//                ▲                       │ yes                      │                  │
//                │                       ▼                          │ nothing to       │ landed
//                │             stand in the user's line             │ store            │
//                │                       │ first in line            ▼                  ▼
//                └── its end, or 10 s ◀──┘                        reply and effects ◀──┘
//
// Compare-and-set alone makes a code count once, across all processes. The line is there for speed. Of
// a hundred calls at once for one user, each would otherwise compute its step, a password hash among
// it, and ninety-nine would do so in vain; and all that wait would load again at the end of each write.
//
// A step that did not land is wiped, and its reply is never seen. After 100 lost races the call ends
// with `conflict`.
import { CountersignError } from './error.js'
import { load, type RecordId, recordKey, type Store, type Stored, save } from './store.js'
import type * as wasm from './wasm.js'
import { call } from './wasm.js'

/** Races that a call may lose. */
const MAX_RACES = 100
/** Longest wait for another call of this process: a store may hang. */
const PATIENCE_MS = 10_000

/** One step from a stored record, or from none. */
export type Step = (stored: Stored | undefined) => wasm.PendingStep | Promise<wasm.PendingStep>

/** The reply and the effects of a step whose record is stored. */
export interface Outcome {
  reply: wasm.Reply
  effects: wasm.Effect[]
}

/** The loop over one store. */
export function storeLoop(store: Store): (id: RecordId, step: Step) => Promise<Outcome> {
  const writes = writesUnderWay()
  const inLine = lines()

  /** `undefined`: there was a write under way, and the caller is not in line. */
  async function race(id: RecordId, step: Step, isInLine: boolean): Promise<Outcome | undefined> {
    const key = recordKey(id)
    for (let races = 0; races < MAX_RACES; ) {
      const stored = await load(store, id)
      const write = writes.of(key)
      if (write !== undefined) {
        if (!isInLine) return undefined
        await write
        continue
      }
      races += 1
      const made = step(stored)
      // A step that waits for nothing is followed by its write at once, so that no second call computes meanwhile.
      const pending = made instanceof Promise ? await made : made
      let landed = false
      try {
        const record = call(() => pending.to_store())
        landed = record === undefined || (await writes.add(key, save(store, id, record, stored?.version)))
        if (landed) return call(() => pending.stored() as Outcome)
      } finally {
        if (!landed) call(() => pending.free())
      }
    }
    throw new CountersignError('conflict', 'store', 'other writers were faster each time; try again')
  }

  return async (id, step) => (await race(id, step, false)) ?? (await inLine(recordKey(id), () => race(id, step, true)))!
}

/** The write under way of each user, at most one each. */
function writesUnderWay() {
  const writes = new Map<string, Promise<void>>()
  return {
    /** Settles when the user's write ends, or after the longest wait. */
    of: (key: string) => writes.get(key),
    /** Notes a write, and gives it back. */
    add<T>(key: string, write: Promise<T>): Promise<T> {
      const end = settledOrLate(write).then(() => {
        if (writes.get(key) === end) writes.delete(key)
      })
      writes.set(key, end)
      return write
    },
  }
}

/** One line for each user; jobs in it run one after the other. */
function lines() {
  const tails = new Map<string, Promise<unknown>>()
  return async <T>(key: string, job: () => Promise<T>): Promise<T> => {
    const before = tails.get(key)
    const turn = before === undefined ? job() : settledOrLate(before).then(job)
    const tail = turn.catch(() => undefined)
    tails.set(key, tail)
    try {
      return await turn
    } finally {
      if (tails.get(key) === tail) tails.delete(key)
    }
  }
}

function settledOrLate(job: Promise<unknown>): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, PATIENCE_MS)
    const settled = () => {
      clearTimeout(timer)
      resolve()
    }
    job.then(settled, settled)
  })
}
