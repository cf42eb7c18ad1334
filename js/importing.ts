// The import of authenticator apps that another system has set up: one, or a million.
//
// Many come in batches. Each batch is computed for users without a record, and put into the store by one `insertMany`; where one of
// them has a record, the import is a step on it like any other command. A batch of which most have one, as at a second run, is not
// tried as new at all. An entry that fails is told, and the others go on.
import { carryOut, carryOutAndWait } from './effects.js'
import { CountersignError, guarded, invalid } from './error.js'
import { nextTurn } from './hashing.js'
import { accountId, type Check, flag, idText, optional, read, text, whole } from './input.js'
import type { OperatorOptions } from './options.js'
import type { Policies } from './policy-cache.js'
import { idJson, load, type RecordId, recordKey, type Store, saveOwn } from './store.js'
import type { Outcome, Step, stepsOf } from './store-loop.js'
import type * as wasm from './wasm.js'
import { call, STACK } from './wasm.js'

/** An authenticator app of a user, as another system knows it. */
export interface ImportEntry {
  /** The user's account, where the host has accounts. */
  account?: string | undefined
  /** The user. */
  user: string
  /**
   * The secret: 10 to 128 bytes, or its base32 as text, in any case, with white space, hyphens and padding or without. Bits of the
   * text that fill no byte count for nothing, as in authenticator apps. A secret of fewer than 160 bits counts, and is marked: `weak`.
   */
  secret: string | Uint8Array
  /** Number of digits of a code, 6 to 8; by default 6. */
  digits?: number | undefined
  /** Length of a step in seconds, 15 to 300; by default 30. */
  period?: number | undefined
  /** `SHA1`, `SHA256` or `SHA512`, in any of their spellings; by default `SHA1`. */
  algorithm?: string | undefined
  /**
   * The last step whose code the other system took: unix seconds divided by the period. The step of now counts as used in any
   * case, and all before it.
   */
  lastStep?: number | undefined
  /** The name by which the user tells this app from others. One that is no name counts as none: then it is `Authenticator app`. */
  name?: string | undefined
  /** Puts the app in the place of the user's apps, where there are some. Phones and backup codes stay. */
  replace?: boolean | undefined
}

/** Input of `importTotp`. */
export interface ImportInput extends ImportEntry {
  /** The name of the person who gives the command, for audit: 1 to 256 bytes without control characters. */
  operator: string
}

/** Input of `importMany`, beside the entries. */
export interface ImportManyInput {
  /** The name of the person who gives the command, for audit: 1 to 256 bytes without control characters. */
  operator: string
  /** Stores nothing and tells nobody: the results are those that the import would give, were each user there once. */
  dryRun?: boolean | undefined
}

/** Reply of `importTotp`. */
export type ImportReply = Extract<wasm.Reply, { result: 'imported' | 'unchanged' | 'refused' }>

/** The result of an entry of `importMany`. */
export type ImportResult = {
  /** The place of the entry, from 0 on. */
  index: number
  /** The account of the entry, where it has one. */
  account?: string | undefined
  /** The user of the entry, where it names one. */
  user?: string | undefined
} & (
  | ImportReply
  | {
      /** Nothing was changed; or, where the code is `store_failed`, it is not known. */
      result: 'failed'
      /** The reason. */
      error: CountersignError
    }
)

/** The commands of an import. */
export interface Importing {
  /**
   * Imports an authenticator app that another system has set up, so that its user goes on with it: `imported`. Whoever can choose a
   * secret can log in as its user: never call it with data of a request. User and log hear of it: the log at once, the user at the
   * first login, which brings new backup codes too, where the policy has them (`backupCodes`, `set` and `newCodes` of `verified`).
   *
   * It is `unchanged` where the user has this very app. It is `refused` where the user has another factor (`has_factor`), had one
   * here and removed it (`had_factor`), or has a recovery code that is alive (`recovery_code`), unless `replace` is given; and in
   * any case after a reset (`reset`), and where the user was moved or erased (`moved`, `erased`).
   *
   * @example
   * ```ts
   * import { createOperator, type OperatorOptions } from 'countersign/operator'
   *
   * export async function bring(options: OperatorOptions, user: string, secret: string): Promise<boolean> {
   *   const { importTotp } = createOperator(options)
   *   const reply = await importTotp({ user, secret, operator: 'move of 28 November' })
   *   if (reply.result === 'refused') console.warn(`${user}: ${reply.reason}`)
   *   return reply.result !== 'refused'
   * }
   * ```
   *
   * @throws {@link CountersignError} `invalid_input` with the path, such as `secret` where it has another length.
   */
  importTotp(input: ImportInput): Promise<ImportReply>
  /**
   * Imports many: gives the result of each entry, in order. Nothing is imported but what is asked for: go through all results. An
   * entry is imported as a whole or not at all, and one that is wrong or refused keeps none of the others. Where it was cut off, run it
   * again: those who are there are `unchanged`. A store that has `insertMany` gets a hundred users at once.
   *
   * It waits for `onEvent`, so that events do not pile up. Where `entries` throws, so does the next result.
   *
   * @example
   * ```ts
   * import { createOperator, type ImportEntry, type OperatorOptions } from 'countersign/operator'
   *
   * export async function bringAll(options: OperatorOptions, entries: AsyncIterable<ImportEntry>): Promise<number> {
   *   let open = 0
   *   for await (const one of createOperator(options).importMany(entries, { operator: 'move of 28 November' })) {
   *     if (one.result === 'imported' || one.result === 'unchanged') continue
   *     open += 1
   *     console.warn(`entry ${one.index}, ${one.user}: ${one.result === 'refused' ? one.reason : one.error.message}`)
   *   }
   *   return open
   * }
   * ```
   *
   * @throws {@link CountersignError} `invalid_input` where `entries` is no list, or a field of the input is wrong.
   */
  importMany(
    entries: Iterable<ImportEntry> | AsyncIterable<ImportEntry>,
    input: ImportManyInput,
  ): AsyncGenerator<ImportResult, void, undefined>
}

/** The means of an import. */
interface Means {
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

/** An entry that was read. */
interface Job {
  id: RecordId
  /** Wiped at the end. */
  secret: Uint8Array
  step: (core: wasm.Core) => Step
}

/** The reply to a job, or the reason why there is none. */
type Ended = ImportReply | CountersignError

/** An outcome that waits for its record to be stored. */
interface Waiting {
  job: Job
  pending: wasm.PendingStep
  record: string
}

export function importing({ host, store, policies, stepOf, stored }: Means): Importing {
  const jobOf = (given: ImportEntry, operator: string): Job => {
    // It has no prototype, so that nothing is taken from one.
    const { account, user, secret, digits, period, algorithm, lastStep, name, replace = false } = given
    const id = { account, user }
    const isText = typeof secret === 'string'
    const bytes = isText ? new TextEncoder().encode(secret) : secret
    const step = (core: wasm.Core) =>
      stepOf(({ stored, now, seed }) =>
        core.operator_import(
          idJson(id),
          stored?.record,
          bytes,
          isText,
          digits,
          period,
          algorithm,
          lastStep,
          name,
          replace,
          operator,
          now,
          seed,
        ),
      )
    return { id, secret: bytes, step }
  }

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
          const job = jobOf(read(entry, '', ENTRY) as unknown as ImportEntry, operator)
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

  return {
    importTotp: async (input) => {
      const given = read(input, '', { ...ENTRY, operator: idText }) as unknown as ImportInput
      const job = jobOf(given, given.operator)
      try {
        const { reply, effects } = await stored(job.id, job.step(await policies.of(job.id)))
        await carryOut(effects, host)
        return reply as ImportReply
      } finally {
        job.secret.fill(0)
      }
    },
    importMany: (entries, input) => {
      const given = read(input, '', { operator: idText, dryRun: optional(flag) }) as unknown as ImportManyInput
      return many(iterable(entries), given)
    },
  }
}

const secretOf: Check = (value, path) => {
  if (typeof value === 'string') return text(value, path)
  if (!(value instanceof Uint8Array)) throw invalid(path, 'must be base32 as text, or a Uint8Array')
  // Copied, because the caller may fill the same bytes anew.
  return Uint8Array.from(value.subarray(0, MAX_SECRET + 1))
}

/** Bytes of the longest secret. */
const MAX_SECRET = 128

const ENTRY = {
  account: accountId,
  user: idText,
  secret: secretOf,
  digits: optional(whole),
  period: optional(whole),
  algorithm: optional(text),
  lastStep: optional(whole),
  name: optional(text),
  replace: optional(flag),
}

function iterable(entries: unknown): Iterable<unknown> | AsyncIterable<unknown> {
  return guarded('invalid_input', 'entries', 'could not be read', () => {
    const given = entries as (Partial<Iterable<unknown>> & Partial<AsyncIterable<unknown>>) | null | undefined
    const isList = typeof given === 'object' && given !== null
    if (
      !isList ||
      [given[Symbol.asyncIterator], given[Symbol.iterator]].every((method) => typeof method !== 'function')
    )
      throw invalid('entries', 'must be a list, or an iterable of entries')
    return given as Iterable<unknown>
  })
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
