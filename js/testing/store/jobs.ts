// The jobs of those who race: each runs on one instance, in this process or in another one. Their input and their answers are
// plain data, so that a message can carry them.
import { createSecondFactor, type Keys, type Policy } from '../../index.js'
import type { RecordId, Store, Stored } from '../../store.js'
import { load, messageOf, readBack, type Saved, save, saveFirst, saveNext } from './asking.js'
import { StoreDefect } from './defects.js'

/** A record that a writer saved, and the store's answer: true, false, or the message of an error. */
export interface Told {
  record: string
  told: boolean | string
}

/** Saves that race for each of some records, one after another. */
export interface RaceInput {
  targets: { id: RecordId; expected?: number | undefined }[]
  /** Writers at once. */
  burst: number
  /** The name of the racer, in its records. */
  racer: string
}

/** Writes that go on and on: each counts the record up by one. */
export interface CountInput {
  id: RecordId
  attempts: number
  racer: string
}

/** The numbers whose save said true, how many saves threw, and what was read before each. */
export interface Counted {
  won: number[]
  threw: number
  read: Stored[]
}

/** Codes that race for each of some users, one after another. */
export interface LoginInput {
  policy: Policy
  keys: Keys
  /** Unix seconds. */
  time: number
  users: { ticket: string; code: string }[]
  method: 'totp' | 'backup_code'
  burst: number
}

/** The jobs. */
export interface Jobs {
  race(store: Store, input: RaceInput): Promise<Told[][]>
  count(store: Store, input: CountInput): Promise<Counted>
  login(store: Store, input: LoginInput): Promise<string[][]>
  load(store: Store, input: RecordId): Promise<Stored | undefined>
  readBack(store: Store, input: Saved): Promise<Stored | undefined>
  write(store: Store, input: Saved & { expected?: number | undefined }): Promise<Stored>
}

/** The jobs, by name. */
export const JOBS: Jobs = {
  // Losers of one record are early at the next, so that racers who began apart come together.
  race: async (store, { targets, burst, racer }) =>
    inTurn(targets, ({ id, expected }, at) =>
      atOnce(burst, async (n) => {
        const record = `${racer}, record ${at}, writer ${n}`
        const told = await save(store, id, record, expected).catch((error: unknown) => {
          if (error instanceof StoreDefect && error.defect !== 'error') throw error
          return messageOf((error as Error).cause ?? error)
        })
        return { record, told }
      }),
    ),
  async count(store, { id, attempts, racer }) {
    const counted: Counted = { won: [], threw: 0, read: [] }
    for (let attempt = 0; attempt < attempts; attempt += 1) {
      // Racers in step would never read while another one writes.
      for (let turns = Math.random() * 4; turns >= 1; turns -= 1) await new Promise(setImmediate)
      const before = await load(store, id)
      if (before !== undefined) counted.read.push(before)
      const next = Number.parseInt(before?.record ?? '0', 10) + 1
      const record = `${next} by ${racer}, ${attempt}`
      const saved = await save(store, id, record, before?.version).catch(() => {
        counted.threw += 1
        return false
      })
      if (saved) counted.won.push(next)
    }
    return counted
  },
  async login(store, { policy, keys, time, users, method, burst }) {
    const factor = createSecondFactor({ policy, keys, store, clock: () => time, hashing: 'inline' })
    return inTurn(users, ({ ticket, code }) =>
      atOnce(burst, () =>
        factor.verify({ ticket, session: 'before', newSession: 'in', method, code }).then(
          ({ result }) => result,
          (error: unknown) => `error: ${messageOf(error)}`,
        ),
      ),
    )
  },
  load,
  readBack,
  write: (store, { id, record, expected }) =>
    expected === undefined ? saveFirst(store, id, record) : saveNext(store, id, record, expected),
}

async function inTurn<T, R>(list: readonly T[], work: (each: T, at: number) => Promise<R>): Promise<R[]> {
  const done: R[] = []
  for (const [at, each] of list.entries()) done.push(await work(each, at))
  return done
}

const atOnce = <R>(count: number, work: (n: number) => Promise<R>): Promise<R[]> =>
  Promise.all(Array.from({ length: count }, (_, n) => work(n)))
