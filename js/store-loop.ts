// The store loop: a step counts once its record is stored, and is computed anew when another writer
// was faster.
//
//             ┌────────────────── another writer was faster ◀──────────────────┐
//             ▼                                                                │
//  command ─▶ load ─▶ a write under way? ─no─▶ run ─▶ a hash missing? ─no─▶ compare-and-set
//             ▲              │ yes              ▲           │ yes              │
//             │              ▼                  │           ▼                  │ landed, or
//             │      stand in the writers'      │   stand in the hashers'      │ nothing to store
//             │      line till it ends,         │   line                       ▼
//             │      or 10 s                    │      │   │               reply and effects
//             ├──────────────┘                  └─ hash ◀┘   │
//             │                            nobody before it  │
//             └──────────────────────────────────────────────┘ after those before it
//
// Both lines, and the write under way, are those of the call's user. Another record that a step reads, such as
// that of an issuer, is loaded right before each run, and after the user's own: where the write lands, the user's
// record has not changed since before the other one was read.
//
// Compare-and-set alone makes a code count once, across all processes. The lines are there for speed.
// Of a hundred calls at once for one user, each would otherwise compute its step and ninety-nine would do
// so in vain; and all that wait would load again at the end of each write. Those in line share a load, so
// a reply that writes nothing, such as `locked`, makes those behind it wait for no store.
//
// A run that misses a hash has no outcome. Its jobs are computed elsewhere, and the step is run again
// on the same record and at the same time. Only calls of the same user that need a hash too wait for it:
// of a hundred wrong backup codes at once, the first few are hashed and the others find the user locked.
// So one user has at most one call in the queue of hashes. The longest wait is for a store that hangs: the
// time in which a call waits for its hashes does not count in it. All other calls go on, and their writes
// win the race; the finished hashes are kept over it.
//
// In an edge worker no call may wait for another one: the lines are those of the call itself, and hashes are computed in turns
// (`hash-turns.ts`).
//
// A step that did not land is wiped, and its reply is never seen. After 100 lost races the call ends
// with `conflict`.
import { CountersignError } from './error.js'
import { HASH_BYTES, type Hasher, JOB_BYTES } from './hash-queue.js'
import { hashTurns, type Place } from './hash-turns.js'
import { nextTurn } from './hashing.js'
import { seedOf } from './host.js'
import { CALLS_WAIT } from './platform.js'
import { load, type RecordId, recordKey, type Store, type Stored, saveOwn } from './store.js'
import type * as wasm from './wasm.js'
import { call, STACK } from './wasm.js'

/** Races that a call may lose. */
export const MAX_RACES = 100
/** Longest wait for the store in another call of this process: it may hang. */
const PATIENCE_MS = 10_000

/** Starts one step from a stored record, or from none: fixes its time and its entropy. */
export type Step = (stored: Stored | undefined) => Run

/** Runs the step. `beside` is the other record of {@link Extras}, as it is now. */
export type Run = (finished: Uint8Array, beside: Stored | undefined) => Ran

/** The outcome of a run, or the hash jobs that are not among the finished ones. */
export type Ran = wasm.PendingStep | Uint8Array

/** Holds an outcome to a count of the host's. */
export type Hold = (pending: wasm.PendingStep) => Promise<wasm.PendingStep>

/** Options of a single call. */
export interface Extras {
  hold?: Hold | undefined
  /** The record, where it was asked for before the call got here. The first race runs on it. */
  asked?: Promise<Stored | undefined> | undefined
  /** Called as each write begins. */
  onWrite?: (() => void) | undefined
  /** Another record, which the step reads and does not change. */
  beside?: RecordId | undefined
  /** The step is for the record as it was read: somebody else's write ends it. */
  once?: boolean | undefined
}

/** One race of a call. */
export interface Race {
  stored: Stored | undefined
  now: number
  /** The seed of the call's first race. Codes are made from it, so that a lost race keeps their hashes as well. */
  first: Uint8Array
  seed: Uint8Array
}

/** Makes steps of a clock and a random source. */
export const stepsOf =
  (clock: () => number, entropy: () => Uint8Array) =>
  (run: (race: Race, finished: Uint8Array, beside: Stored | undefined) => Ran): Step => {
    let first: Uint8Array | undefined
    return (stored) => {
      const now = clock()
      const seed = seedOf(entropy)
      first ??= seed
      const race = { stored, now, first, seed }
      return (finished, beside) => call(() => run(race, finished, beside))
    }
  }

/** The reply and the effects of a step whose record is stored. */
export interface Outcome {
  reply: wasm.Reply
  effects: wasm.Effect[]
}

/** Other writers were faster each time. */
export const conflict = () =>
  new CountersignError('conflict', 'store', 'other writers were faster each time; try again')

/** Carries a call out. */
type Loop = (id: RecordId, step: Step, extras?: Extras) => Promise<Outcome>

/** The loop over one store. Where calls may not wait for one another, each has lines of its own, and hashes in its turn. */
export function storeLoop(store: Store, hash: Hasher): Loop {
  if (CALLS_WAIT) return withLines(store, hash, lines(store, afterEach))
  const turns = hashTurns(store)
  return (id, step, extras) => withLines(store, hash, turns)(id, step, extras)
}

function withLines(store: Store, hash: Hasher, hashers: Pick<ReturnType<typeof lines>, 'join' | 'forgetLoad'>): Loop {
  const writes = writesUnderWay()
  const writers = lines(store, afterAll)

  const write = (id: RecordId, record: string, expected: number | undefined) => {
    const key = recordKey(id)
    const forgetLoads = () => {
      writers.forgetLoad(key)
      hashers.forgetLoad(key)
    }
    forgetLoads()
    return writes.add(key, saveOwn(store, id, record, expected), forgetLoads)
  }

  async function carryOut({ id, step, extras, finished, places }: Call): Promise<Outcome> {
    const key = recordKey(id)
    const { hold, beside, onWrite, once = false } = extras
    let { asked } = extras
    const loadBeside = () => (beside === undefined ? undefined : load(store, beside))
    for (let races = 0; races < MAX_RACES; ) {
      const place = places.writers ?? places.hashers
      const loaded = asked ?? (place === undefined ? load(store, id) : place.load())
      asked = undefined
      const stored = await loaded
      const other = beside === undefined ? undefined : await loadBeside()
      const underWay = writes.of(key)
      if (underWay !== undefined) {
        if (places.writers === undefined && places.hashers === undefined) {
          places.writers = writers.join(id)
          await places.writers.turn
        } else {
          await underWay
        }
        continue
      }
      races += 1
      const run = step(stored)
      let pending = run(finished.bytes(), other)
      if (pending instanceof Uint8Array) {
        places.writers?.leave()
        places.writers = undefined
        if (places.hashers === undefined) {
          places.hashers = hashers.join(id)
          if (!places.hashers.isFirst) {
            await places.hashers.turn
            continue // The record may be another by now, and the user locked.
          }
        }
        finished.add(pending, await places.hashers.whileHashing(hash(pending)))
        const otherNow = await loadBeside()
        if (writes.of(key) !== undefined) continue // Lost already.
        pending = run(finished.bytes(), otherNow)
        if (pending instanceof Uint8Array) continue
      }
      // A step that is held to nothing is followed by its write at once, so that no second call computes meanwhile.
      const outcome = hold === undefined ? pending : await hold(pending)
      let landed = false
      try {
        const record = call(() => outcome.to_store(), STACK.values)
        if (record === undefined) landed = true
        else {
          const written = write(id, record, stored?.version)
          onWrite?.()
          landed = await written
        }
        if (landed) return call(() => outcome.stored() as Outcome, STACK.values)
      } finally {
        if (!landed) call(() => outcome.free(), STACK.values)
      }
      if (once) throw conflict()
    }
    throw conflict()
  }

  return async (id, step, extras = {}) => {
    const finished = finishedHashes()
    const places: Places = {}
    try {
      return await carryOut({ id, step, extras, finished, places })
    } finally {
      finished.wipe()
      places.writers?.leave()
      places.hashers?.leave()
    }
  }
}

/** One call. */
interface Call {
  id: RecordId
  step: Step
  extras: Extras
  finished: FinishedHashes
  places: Places
}

/** The places of a call in the lines of its user. */
interface Places {
  writers?: Place | undefined
  hashers?: Place | undefined
}

/** The hashes of one call: jobs, each followed by its hash. */
function finishedHashes() {
  let all = new Uint8Array()
  return {
    bytes: () => all,
    add(jobs: Uint8Array, hashes: Uint8Array): void {
      const each = JOB_BYTES + HASH_BYTES
      const more = new Uint8Array(all.length + (hashes.length / HASH_BYTES) * each)
      more.set(all)
      for (let at = all.length, index = 0; at < more.length; at += each, index += 1) {
        more.set(jobs.subarray(index * JOB_BYTES, (index + 1) * JOB_BYTES), at)
        more.set(hashes.subarray(index * HASH_BYTES, (index + 1) * HASH_BYTES), at + JOB_BYTES)
      }
      for (const used of [all, jobs, hashes]) used.fill(0)
      all = more
    },
    wipe: () => void all.fill(0),
  }
}

type FinishedHashes = ReturnType<typeof finishedHashes>

/** The write under way of each user, at most one each. */
function writesUnderWay() {
  const writes = new Map<string, Promise<void>>()
  return {
    /** Settles when the user's write ends, or after the longest wait. */
    of: (key: string) => writes.get(key),
    /** Notes a write, and gives it back. */
    add<T>(key: string, write: Promise<T>, ended: () => void): Promise<T> {
      const end = settledInTime(write).then(() => {
        if (writes.get(key) === end) writes.delete(key)
        ended()
      })
      writes.set(key, end)
      return write
    },
  }
}

interface Line {
  /** The place that was taken last. */
  last: Taken
  /** Places taken so far. */
  taken: number
  /** A load, and how many places were taken when it began. */
  shared?: { taken: number; stored: Promise<Stored | undefined> } | undefined
}

/** A place that is taken: it has its turn, and then it leaves. */
interface Taken {
  turn: Promise<void>
  left: Promise<void>
  /** The hashes that it waits for. */
  hashes?: Promise<unknown> | undefined
}

/** The turn of the next place, in a line where a call waits for all before it together no longer than the longest wait. */
const afterAll = async ({ turn, left }: Taken) => void (await settledInTime(turn.then(() => left)))

/**
 * The turn of the next place, in a line where each call may take the longest wait. Those behind a slow store would
 * otherwise all have their turn at once, and a turn in the line of hashers costs a hash. Hashes end for certain, so
 * that they may take any time, and the wait for the store begins anew after them.
 */
async function afterEach(before: Taken): Promise<void> {
  await before.turn
  while (!(await settledInTime(before.left)) && before.hashes !== undefined) await before.hashes.catch(() => undefined)
}

/** One line for each user. */
function lines(store: Store, after: (before: Taken) => Promise<void>) {
  const all = new Map<string, Line>()

  function join(id: RecordId): Place {
    const key = recordKey(id)
    const before = all.get(key)
    let leave = () => {}
    const left = new Promise<void>((resolve) => (leave = resolve))
    const last: Taken = { turn: before === undefined ? Promise.resolve() : after(before.last), left }
    const line: Line = before ?? { last, taken: 0 }
    line.last = last
    all.set(key, line)
    const number = ++line.taken
    return {
      isFirst: before === undefined,
      turn: last.turn,
      async load() {
        if (line.shared !== undefined && line.shared.taken >= number) {
          const { stored } = line.shared
          await nextTurn() // The step comes next. Those of a long line must not run in one go.
          return stored
        }
        const stored = load(store, id)
        const shared = { taken: line.taken, stored }
        line.shared = shared
        stored.catch(() => {
          if (line.shared === shared) line.shared = undefined
        })
        return stored
      },
      async whileHashing(hashes) {
        last.hashes = hashes
        try {
          return await hashes
        } finally {
          last.hashes = undefined
        }
      },
      leave() {
        leave()
        if (line.last === last) all.delete(key)
      },
    }
  }

  return {
    join,
    /** The next load is a new one, because a write has begun or ended. */
    forgetLoad(key: string): void {
      const line = all.get(key)
      if (line !== undefined) line.shared = undefined
    },
  }
}

/** Whether a job settles within the longest wait. */
function settledInTime(job: Promise<unknown>): Promise<boolean> {
  return new Promise((resolve) => {
    const timer = setTimeout(() => resolve(false), PATIENCE_MS)
    const settled = () => {
      clearTimeout(timer)
      resolve(true)
    }
    job.then(settled, settled)
  })
}
