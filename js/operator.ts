/**
 * The operator's commands: for whoever runs the host, and for no user of it. No other entry of the
 * package, no adapter and no storage API reaches them, so that a request's body cannot either.
 *
 * @packageDocumentation
 */
import { carryOut } from './effects.js'
import { CountersignError, type ErrorCode, invalid } from './error.js'
import { hasherOf, hashing } from './hashing.js'
import { systemClock, timeOf } from './host.js'
import { type Importing, importing } from './importing.js'
import {
  accountId,
  anything,
  type Check,
  callable,
  documentText,
  idText,
  optional,
  read,
  shape,
  text,
  whole,
} from './input.js'
import type { OperatorOptions } from './options.js'
import { policyCache } from './policy-cache.js'
import { revocationList, revokeEpoch } from './revoked.js'
import { idJson, listRecords, load, type RecordId, storage } from './store.js'
import {
  conflict,
  type Extras,
  MAX_RACES,
  type Outcome,
  type Race,
  type Ran,
  type Step,
  stepsOf,
  storeLoop,
} from './store-loop.js'
import type * as wasm from './wasm.js'
import { call, randomSeed } from './wasm.js'

export { CountersignError, type ErrorCode, type RuleErrorCode } from './error.js'
export type { ImportEntry, ImportInput, ImportManyInput, ImportReply, ImportResult } from './import-entry.js'
export type { Importing } from './importing.js'
export type { OperatorOptions } from './options.js'
export { type ChangedSinceInput, changedSince } from './restored.js'
export type { ImportRefusal, NamedFactor, Status } from './wasm.js'

/** A command of the operator about one user. */
export interface OperatorInput {
  /** The user's account, where the host has accounts. */
  account?: string | undefined
  /** The user. */
  user: string
  /** The name of the person who gives the command, for audit: 1 to 256 bytes without control characters. */
  operator: string
}

/** Input of `moved`. */
export interface MovedInput {
  /** The account and user whose second factor it was. */
  from: RecordId
  /** The account and user whose second factor it becomes. */
  to: RecordId
  /** The name of the person who gives the command, for audit: 1 to 256 bytes without control characters. */
  operator: string
}

/** The operator's commands. */
export interface Operator extends Importing {
  /**
   * Issues a recovery code: for an owner whom no other owner can help, or for the first owner where
   * everyone needs a second factor. Hand it over only after you have made sure of who asks.
   *
   * @example
   * ```ts
   * import { createOperator, type OperatorOptions } from 'countersign/operator'
   *
   * export async function rescue(options: OperatorOptions, user: string): Promise<string> {
   *   const { code } = await createOperator(options).issueRecoveryCode({ user, operator: 'ticket 4711' })
   *   return code
   * }
   * ```
   */
  issueRecoveryCode(input: OperatorInput): Promise<Extract<wasm.Reply, { result: 'recovery_code' }>>
  /**
   * Resets a user whose phone or login somebody else may have, where no owner can: the only owner of an account, or a host
   * without accounts. As `secondFactor.reset`, without a limit: apps, phones and backup codes are gone, passes, tickets and set-ups have
   * ended, and only the recovery code in the reply lets in, until one is used. User and owners are told. Make sure of who asks, and
   * look the id up first: any id is taken. `erased` undoes the reset of one that had no record; to withdraw the code does not.
   *
   * @example
   * ```ts
   * import { createOperator, type OperatorOptions } from 'countersign/operator'
   *
   * export async function takeBack(options: OperatorOptions, user: string): Promise<string> {
   *   const { code } = await createOperator(options).reset({ user, operator: 'ticket 4711' })
   *   return code
   * }
   * ```
   */
  reset(input: OperatorInput): Promise<Extract<wasm.Reply, { result: 'recovery_code' }>>
  /**
   * Withdraws the recovery code that is alive; `expired` where there is none.
   *
   * @example
   * ```ts
   * import { createOperator, type OperatorOptions } from 'countersign/operator'
   *
   * export async function withdraw(options: OperatorOptions, user: string): Promise<boolean> {
   *   const { result } = await createOperator(options).withdrawRecoveryCode({ user, operator: 'ticket 4711' })
   *   return result === 'withdrawn'
   * }
   * ```
   */
  withdrawRecoveryCode(input: OperatorInput): Promise<Extract<wasm.Reply, { result: 'withdrawn' | 'expired' }>>
  /**
   * Takes a user's apps and phones along where the user gets an account, another account or another id, or where two users become
   * one. Call it before you change your own data, so that nobody logs in as `to` without the second factor; from its first write on
   * nobody logs in as `from`. Where it fails, call it again: it goes on where it stopped, and takes nothing along twice. Until it
   * is complete, neither of the two can be moved elsewhere, the new one cannot be erased, and at the old one nobody is reset and no
   * recovery code is issued (`invalid_input`).
   *
   * `found` tells whether there was a record at `from`. Where it is false, the user never had a second factor, or `from` names
   * somebody else: a misspelt id, or an account that is missing. Make sure before you change your own data. A move that is done again
   * finds its record, unless `from` was erased meanwhile.
   *
   * The reply names what came along, or what the user has there where the move was done before. Nothing comes where the user has a
   * second factor as `to` already, a recovery code that is not used, or was reset there, and where the policy there forces a second
   * factor and does not say `firstFactor: 'password'`: a recovery code lets the user in then. In each case nothing is left at `from`. Backup codes
   * stay behind; the user hears of it and makes new ones.
   *
   * @example
   * ```ts
   * import { createOperator, type OperatorOptions } from 'countersign/operator'
   *
   * export async function giveAccount(options: OperatorOptions, user: string, account: string): Promise<number> {
   *   const moved = { from: { user }, to: { account, user }, operator: 'ticket 4711' }
   *   const { factors, found } = await createOperator(options).moved(moved)
   *   if (!found) console.warn(`${user} has no record: is the id right?`)
   *   return factors.length
   * }
   * ```
   */
  moved(input: MovedInput): Promise<MovedReply>
  /**
   * Deletes the record of a user who has left, and ends the user's passes. It needs a store that has `delete` (`no_delete`).
   * `docs/operations.md` lists what else you hold of the user, and delete yourself.
   *
   * `found` tells whether there was a record. Where it is false, nothing was deleted: the user never had a second factor, was erased
   * before, or the id or account is another one.
   *
   * @example
   * ```ts
   * import { createOperator, type OperatorOptions } from 'countersign/operator'
   *
   * export async function forget(options: OperatorOptions, user: string): Promise<void> {
   *   const { found } = await createOperator(options).erased({ user, operator: 'ticket 4711' })
   *   if (!found) console.warn(`${user} has no record: is the id right?`)
   * }
   * ```
   */
  erased(input: OperatorInput): Promise<ErasedReply>
  /**
   * A page of the users who have a record, each with its `status`: nothing in it is secret. The store must have `list`; the order is
   * the store's. A record that cannot be read is on the page too, with the code of the error in place of the status.
   *
   * @example
   * ```ts
   * import { createOperator, type OperatorOptions } from 'countersign/operator'
   *
   * export async function countOfPhones(options: OperatorOptions): Promise<number> {
   *   const { list } = createOperator(options)
   *   let [phones, after]: [number, string | undefined] = [0, undefined]
   *   do {
   *     const page = await list({ after })
   *     phones += page.users.filter(({ status }) => status?.methods.some(({ method }) => method === 'sms')).length
   *     after = page.next
   *   } while (after !== undefined)
   *   return phones
   * }
   * ```
   *
   * @throws {@link CountersignError} `no_list` where the store has none, or `store_failed`.
   */
  list(input?: ListInput): Promise<UsersPage>
}

/** Input of `list`. */
export interface ListInput {
  /** Only users of this account. */
  account?: string | undefined
  /** The `next` of the page before. */
  after?: string | undefined
  /** Users on a page, 1 to 1,000; 100 by default. The store may give some less or more. */
  limit?: number | undefined
}

/** A page of users. */
export interface UsersPage {
  /** The users; a page may be empty though another one follows. */
  users: ListedUser[]
  /** To ask for the page after this one. Without it there is none. */
  next?: string | undefined
}

/** A user who has a record. */
export interface ListedUser {
  /** The user's account, where there is one. */
  account?: string | undefined
  /** The user. */
  user: string
  /** The second factor at a glance. */
  status?: wasm.Status | undefined
  /** The reason why there is no status, such as `key_missing`. */
  error?: ErrorCode | undefined
}

/** The reply to `moved`. */
export interface MovedReply {
  result: 'moved'
  /** The apps and phones that came along, or those of the new place where the move was done before. */
  factors: wasm.NamedFactor[]
  /** Whether there was a record at `from` when the command began. */
  found: boolean
}

/** The reply to `erased`. */
export interface ErasedReply {
  /** Whether there was a record of the user when the command began. */
  found: boolean
}

/** The steps of a move, in order, and the one that takes it back where the old place was erased in the middle. */
const [DEPART, ARRIVE, LEAVE, SETTLE, WITHDRAW] = [0, 1, 2, 3, 4]

type Moved = Extract<wasm.Reply, { result: 'moved' }>

/**
 * Makes the operator's commands. Keep them out of reach of every request.
 *
 * @example
 * ```ts
 * import type { Store } from 'countersign'
 * import { createOperator, type Operator } from 'countersign/operator'
 *
 * export const operatorOf = (store: Store, keys: string): Operator =>
 *   createOperator({ policy: { v: 1, name: 'Acme', origin: 'https://acme.example' }, keys, store, onEvent: console.log })
 * ```
 *
 * @throws {@link CountersignError} `invalid_input`, `invalid_policy`, `invalid_keys` or `no_workers`, with the path.
 */
export function createOperator(options: OperatorOptions): Operator {
  const given = read(options, '', {
    policy: anything,
    keys: anything,
    store: storage,
    sendSms: optional(callable),
    endPasses: optional(callable),
    revoked: optional(callable),
    limits: optional(callable),
    notify: optional(callable),
    onEvent: optional(callable),
    onEffectError: optional(callable),
    clock: optional(callable),
    entropy: optional(callable),
    hashing: optional(hashing),
  }) as unknown as OperatorOptions
  const clock = () => timeOf(given.clock ?? systemClock)
  const entropy = given.entropy ?? randomSeed
  const policies = policyCache(given.policy, documentText(given.keys, 'invalid_keys', 'keys'), true)
  const loop = storeLoop(given.store, hasherOf(given.hashing))
  const stepOf = stepsOf(clock, entropy)
  const revocations = revocationList(given)

  /** Runs a command in one race of its call. */
  type RunIn = (core: wasm.Core, id: string, operator: string, race: Race, finished: Uint8Array) => Ran

  const commandOf =
    <Result extends wasm.Reply['result']>(run: RunIn) =>
    async (input: OperatorInput) => {
      const { id, operator } = userOf(input)
      const core = await policies.of(id)
      const step = stepOf((race, finished) => run(core, idJson(id), operator, race, finished))
      return (await outcomeOf(id, step)) as Extract<wasm.Reply, { result: Result }>
    }

  async function stored(id: RecordId, step: Step, extras?: Extras): Promise<Outcome> {
    const outcome = await loop(id, step, extras)
    // The list of the store first: a command that is done again after it failed tells it once more.
    for (const effect of outcome.effects) if ('end_passes' in effect) await listEnded(effect.end_passes)
    return outcome
  }

  async function outcomeOf(id: RecordId, step: Step, extras?: Extras): Promise<wasm.Reply> {
    const { reply, effects } = await stored(id, step, extras)
    await carryOut(effects, given)
    return reply
  }

  async function listEnded(ended: wasm.EndedPasses): Promise<void> {
    if (revocations?.revoke === undefined) return
    try {
      await revokeEpoch(revocations.revoke, ended)
    } catch (error) {
      throw new CountersignError(
        'store_failed',
        'store.revoke',
        'the store could not list ended passes; try again',
        error,
      )
    }
  }

  /**
   * The steps of a move, in order: each reads the other place right before. One that somebody else has ended meanwhile does not
   * begin anew, and the first one begins with the record that it has read.
   */
  async function move({ from, to, operator }: MovedInput): Promise<Moved> {
    // The account of the old place may be gone, and its policy with it.
    const core = await policies.of(to)
    await settle(to, operator)
    await settle(from, operator)
    const departed = await outcomeOf(from, stepOn(core, DEPART, from, to, operator), { beside: to, once: true })
    if (departed.result === 'moved') return departed // There is nothing to move any more.
    const arrive = () => outcomeOf(to, stepOn(core, ARRIVE, to, from, operator), { beside: from })
    let arrived = await arrive()
    // The first run has made the record.
    if (arrived.result === 'move_changed') arrived = await arrive()
    if (arrived.result !== 'moved') throw conflict()
    const left = await outcomeOf(from, stepOn(core, LEAVE, from, to, operator), { beside: to })
    if (left.result !== 'ended') throw conflict()
    await settle(to, operator)
    return arrived
  }

  /** Ends the move that brought the user to a place, unless they are on the way still. */
  async function settle(to: RecordId, operator: string): Promise<void> {
    const beside = await otherPlace(to, (id, record) => policies.any().operator_comes_from(id, record))
    if (beside !== undefined) await outcomeOf(to, stepOn(await coreAt(to), SETTLE, to, beside, operator), { beside })
  }

  /** The rules of a place, or any, where its account is gone: they decide nothing in these steps. */
  async function coreAt(id: RecordId): Promise<wasm.Core> {
    try {
      return await policies.of(id)
    } catch {
      return policies.any()
    }
  }

  /** The other place of a move, by the record of one. */
  async function otherPlace(id: RecordId, of: (id: string, record: string | undefined) => string | undefined) {
    const stored = await load(given.store, id)
    const place = call(() => of(idJson(id), stored?.record))
    return place === undefined ? undefined : (JSON.parse(place) as RecordId)
  }

  const stepOn = (core: wasm.Core, step: number, own: RecordId, beside: RecordId, operator: string) =>
    stepOf(({ stored, now, seed }, _, other) =>
      core.operator_move(step, idJson(own), stored?.record, idJson(beside), other?.record, operator, now, seed),
    )

  /** Whether a place has a record: that of a user who was moved away counts, so that a command that is done again finds it. */
  const hasRecord = async (id: RecordId) => (await load(given.store, id)) !== undefined

  /**
   * Empties the record that it has read, and no later one. A move from there that is under way ends, and is taken back where it
   * arrives: gives the record by which it was.
   */
  async function empty(from: RecordId, operator: string): Promise<string | undefined> {
    const core = policies.any()
    const to = await otherPlace(from, (id, record) => core.operator_goes_to(id, record))
    const other = to && idJson(to)
    const step = stepOf(({ stored, now, seed }, _, beside) =>
      core.operator_erase(idJson(from), stored?.record, other, beside?.record, operator, now, seed),
    )
    const { result } = await outcomeOf(from, step, { beside: to, once: true })
    if (result !== 'ended') throw conflict()
    if (to === undefined) return undefined
    const there = await coreAt(to)
    let seen: string | undefined
    const withdraw = stepOf(({ stored, now, seed }, _, beside) => {
      seen = beside?.record
      return there.operator_move(WITHDRAW, idJson(to), stored?.record, idJson(from), seen, operator, now, seed)
    })
    const withdrawn = await outcomeOf(to, withdraw, { beside: from })
    if (withdrawn.result !== 'ended') throw conflict()
    await settle(to, operator)
    return seen
  }

  /** Deletes the record that was emptied, and no other: somebody who has begun anew there since stays. */
  async function deleteRecord(id: RecordId, withdrawn: string | undefined): Promise<void> {
    for (let races = 0; races < MAX_RACES; races += 1) {
      const stored = await load(given.store, id)
      if (stored === undefined) return
      if (!call(() => policies.any().operator_may_delete(idJson(id), stored.record, withdrawn))) return
      try {
        if (await given.store.delete!({ ...id }, stored.version)) return
      } catch (error) {
        throw new CountersignError('store_failed', 'store.delete', 'the record could not be deleted; try again', error)
      }
    }
    throw conflict()
  }

  async function glanceAt(id: RecordId, record: string): Promise<Pick<ListedUser, 'status' | 'error'>> {
    try {
      const core = await policies.of(id)
      return { status: call(() => core.status(idJson(id), record, clock()) as wasm.Status) }
    } catch (error) {
      return { error: CountersignError.is(error) ? error.code : 'internal' }
    }
  }

  return Object.freeze({
    ...importing({ host: given, store: given.store, policies, stepOf, stored }),
    issueRecoveryCode: commandOf<'recovery_code'>((core, id, operator, { stored, now, first, seed }, finished) =>
      core.operator_issue_recovery_code(false, id, stored?.record, operator, now, first, seed, finished),
    ),
    reset: commandOf<'recovery_code'>((core, id, operator, { stored, now, first, seed }, finished) =>
      core.operator_issue_recovery_code(true, id, stored?.record, operator, now, first, seed, finished),
    ),
    withdrawRecoveryCode: commandOf<'withdrawn' | 'expired'>((core, id, operator, { stored, now, seed }) =>
      core.operator_withdraw_recovery_code(id, stored?.record, operator, now, seed),
    ),
    moved: async (input: MovedInput) => {
      const moved = read(input, '', { from: recordId, to: recordId, operator: idText }) as unknown as MovedInput
      const found = await hasRecord(moved.from)
      return { ...(await move(moved)), found }
    },
    erased: async (input: OperatorInput) => {
      const { id, operator } = userOf(input)
      if (given.store.delete === undefined)
        throw new CountersignError('no_delete', 'store', 'cannot delete records: give a store that has `delete`')
      const found = await hasRecord(id)
      await settle(id, operator)
      await deleteRecord(id, await empty(id, operator))
      return { found }
    },
    list: async (input: ListInput = {}) => {
      const { limit = 100, ...question } = read(input, '', LIST) as unknown as ListInput
      const { records, next } = await listRecords(given.store, { ...question, limit })
      const users: ListedUser[] = []
      for (const { id, record } of records) users.push({ ...id, ...(await glanceAt(id, record)) })
      return next === undefined ? { users } : { users, next }
    },
  } satisfies Operator)
}

const pageLimit: Check = (value, path) => {
  const limit = whole(value, path) as number
  if (limit < 1 || limit > 1_000) throw invalid(path, 'must be 1 to 1,000')
  return limit
}

const LIST = { account: accountId, after: optional(text), limit: optional(pageLimit) }

const recordId = shape({ account: accountId, user: idText })

/** The user of a command, and the operator's name. */
function userOf(input: OperatorInput): { id: RecordId; operator: string } {
  const fields = { account: accountId, user: idText, operator: idText }
  const { account, user, operator } = read(input, '', fields) as unknown as OperatorInput
  return { id: { account, user }, operator }
}
