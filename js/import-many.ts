// Many imports: a million users in minutes.
//
// They come in batches. Each batch is computed for users without a record, and put into the store by one `insertMany`; where one of
// them has a record, the import is a step on it like any other command. A batch of which most have one, as at a second run, is not
// tried as new at all. An entry that fails is told, and the others go on.
import { carryOutAndWait } from './effects.js'
import { CountersignError } from './error.js'
import { nextTurn } from './hashing.js'
import {
  ENTRY,
  type ImportEntry,
  type ImportManyInput,
  type ImportReply,
  type ImportResult,
  type Job,
  jobOf,
} from './import-entry.js'
import { read } from './input.js'
import type { OperatorOptions } from './options.js'
import type { Policies } from './policy-cache.js'
import { load, type RecordId, recordKey, type Store, saveOwn } from './store.js'
import type { Outcome, Step, stepsOf } from './store-loop.js'
import type * as wasm from './wasm.js'
import { call, STACK } from './wasm.js'

/** The means of an import. @internal */
export interface Means {
  host: OperatorOptions
  store: Store
  policies: Policies
  stepOf: ReturnType<typeof stepsOf>
  /** Carries out a step, and lists the passes that it ends. */
  stored: (id: RecordId, step: Step) => Promise<Outcome>
}

/** Entries of a batch: the rows of one INSERT in our stores. */
const BATCH = 100
/** Steps under way at once in a batch that is no insertion. */
const AT_ONCE = 8

/** The reply to a job, or the reason why there is none. */
type Ended = ImportReply | CountersignError

/** An outcome that waits for its record to be stored. */
interface Waiting {
  job: Job
  pending: wasm.PendingStep
  record: string
}

/** Imports many. @internal */
export function manyImports({ host, store, policies, stepOf, stored }: Means) {
  const ran = async (job: Job) => {
    const step = job.step(await policies.of(job.id))
    return (record: { record: string; version: number } | undefined) =>
      step(record)(new Uint8Array(), undefined) as wasm.PendingStep
  }

  /** The record is stored: the effects are carried out. */
  async function landed({ pending }: Waiting): Promise<ImportReply> {
    const { reply, effects } = call(() => pending.stored() as Outcome, STACK.values)
    await carryOutAndWait(effects, host)
    return reply as ImportReply
  }

  /** By a step on the record of the user. `isNew` gets whether there was none. */
  async function byStep(job: Job, isNew?: (isNew: boolean) => void): Promise<Ended> {
    const step = job.step(await policies.of(job.id))
    const { reply, effects } = await stored(job.id, (found) => {
      isNew?.(found === undefined)
      return step(found)
    })
    await carryOutAndWait(effects, host)
    return reply as ImportReply
  }

  /** The reply that an import would give. Nothing is stored, and the effects are dropped. */
  async function tried(job: Job): Promise<Ended> {
    const run = await ran(job)
    const pending = run(await load(store, job.id))
    return call(() => pending.stored() as Outcome, STACK.values).reply as ImportReply
  }

  /** All by one insertion, and by steps those who have a record. Gives the number of those who had none. */
  async function inserted(jobs: Map<number, Job>, end: (index: number, ended: Ended) => void): Promise<number> {
    const all = new Map<number, Waiting>()
    let number = 0
    try {
      for (const [index, job] of jobs)
        await settled(async () => {
          const run = await ran(job)
          const pending = run(undefined)
          all.set(index, { job, pending, record: call(() => pending.to_store(), STACK.values)! })
        }).catch((error) => end(index, error))
      const waiting = [...all]
      const answers = await answersOf(
        store,
        waiting.map(([, { job, record }]) => ({ id: { ...job.id }, record })),
      )
      for (const [at, [index, one]] of waiting.entries())
        await settled(async () => {
          const { job, record } = one
          // An insertion that failed, or lost to a row that is there, may have lost to its own first try.
          if (answers[at] === true || (await saveOwn(store, job.id, record, undefined))) {
            all.delete(index)
            number += 1
            end(index, await landed(one))
          } else end(index, await byStep(job))
        }).catch((error) => end(index, error))
    } finally {
      for (const { pending } of all.values()) call(() => pending.free(), STACK.values)
    }
    return number
  }

  async function* many(entries: Iterable<unknown> | AsyncIterable<unknown>, { operator, dryRun }: ImportManyInput) {
    let areNew = store.insertMany !== undefined
    let first = 0
    for await (const batch of batchesOf(entries)) {
      const ended = new Map<number, Ended>()
      const end = (index: number, how: Ended) => void ended.set(index, how)
      const jobs = new Map<number, Job>()
      const again: [number, Job][] = []
      const users = new Set<string>()
      for (const [index, entry] of batch.entries()) {
        try {
          const job = jobOf(read(entry, '', ENTRY) as unknown as ImportEntry, operator, stepOf)
          const key = recordKey(job.id)
          if (users.has(key)) again.push([index, job])
          else jobs.set(index, job)
          users.add(key)
        } catch (error) {
          end(index, error as CountersignError)
        }
      }
      let number = 0
      const count = (isNew: boolean) => {
        if (isNew) number += 1
      }
      if (dryRun === true) await byTurns([...jobs], (job) => tried(job), end)
      else if (areNew) number = await inserted(jobs, end)
      else await byTurns([...jobs], (job) => byStep(job, once(count)), end)
      for (const [index, job] of again)
        await byTurns([[index, job]], dryRun === true ? tried : (one) => byStep(one), end)
      if (store.insertMany !== undefined && jobs.size > 0) areNew = number * 2 >= jobs.size
      for (const [, { secret }] of [...jobs, ...again]) secret.fill(0)
      for (const [index, entry] of batch.entries()) yield resultOf(first + index, entry, ended.get(index)!)
      first += batch.length
      await nextTurn() // A store in this thread would leave nobody else a turn.
    }
  }

  return many
}

/** The entries, a hundred at a time. */
async function* batchesOf(entries: Iterable<unknown> | AsyncIterable<unknown>): AsyncGenerator<unknown[]> {
  let batch: unknown[] = []
  for await (const entry of entries) {
    batch.push(entry)
    if (batch.length < BATCH) continue
    yield batch
    batch = []
  }
  if (batch.length > 0) yield batch
}

/** The answers of `insertMany`; none where it failed or has another form: then each record is asked for. */
async function answersOf(store: Store, records: { id: RecordId; record: string }[]): Promise<unknown[]> {
  try {
    const answers: unknown = records.length === 0 ? [] : await store.insertMany!(records)
    return Array.isArray(answers) && answers.length === records.length ? answers : []
  } catch {
    return []
  }
}

/** Some jobs at a time. */
async function byTurns(
  jobs: [number, Job][],
  run: (job: Job) => Promise<Ended>,
  end: (index: number, ended: Ended) => void,
): Promise<void> {
  const rest = jobs.values()
  const worker = async () => {
    for (const [index, job] of rest)
      await settled(async () => end(index, await run(job))).catch((error) => end(index, error))
  }
  await Promise.all(Array.from({ length: Math.min(AT_ONCE, jobs.length) }, worker))
}

/** Runs a part of an import. Its error is ours. */
async function settled(run: () => Promise<void>): Promise<void> {
  try {
    await run()
  } catch (error) {
    throw CountersignError.is(error) ? error : new CountersignError('internal', '', 'the import failed', error)
  }
}

/** Calls with the first value alone: a step that is tried again has found its user already. */
function once<T>(tell: (value: T) => void): (value: T) => void {
  let isTold = false
  return (value) => {
    if (!isTold) tell(value)
    isTold = true
  }
}

function resultOf(index: number, entry: unknown, ended: Ended): ImportResult {
  const reply = CountersignError.is(ended) ? { result: 'failed' as const, error: ended } : ended
  return { index, ...namesOf(entry), ...reply }
}

/** The account and user of an entry, as far as it has them. */
function namesOf(entry: unknown): { account?: string; user?: string } {
  const names: { account?: string; user?: string } = {}
  try {
    const { account, user } = entry as { account?: unknown; user?: unknown }
    if (typeof account === 'string') names.account = account
    if (typeof user === 'string') names.user = user
  } catch {
    // An entry that cannot be read has no names.
  }
  return names
}
