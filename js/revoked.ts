// The revocation list: passes and tickets that the host has ended before their time. The host gives it, or the store holds
// it; `check`, the commands, the storage API and, through that, the gate ask the same one. The module decides by it.
//
//   check({ pass }) ──▶ revoked({ account, user, session }) ──▶ the part about them ──▶ the module: does the pass count?
//                                  │
//                                  └── an error, no list, no answer in 5 s ──▶ `revoked_failed`: nobody is let in
import { CountersignError, invalid, withoutPath } from './error.js'
import { inTime } from './host.js'
import { type Check, idText, listOf, optional, read, seconds, shape, text } from './input.js'
import type * as wasm from './wasm.js'
import { call } from './wasm.js'

/** Passes and tickets that no longer count though they have not ended. The gate reads at most 4 MiB of it, some 90,000 sessions. */
export interface Revoked {
  /**
   * Their session ids. An id may be left out once `ticketSeconds`, `passSeconds` and two minutes have
   * passed since the session ended, and 32 minutes at least, for its set-ups: Envoy's clock may be behind, and typing a code takes time.
   */
  sessions?: string[] | undefined
  /**
   * A time in unix seconds by user id: the user's passes, tickets and set-ups from that time or before. The
   * filter's own passes have the time of Envoy's clock. `Date.now()` gives milliseconds, which are refused.
   */
  users?: Record<string, number> | undefined
  /**
   * A factor epoch by user id, as `endPasses` was given it: the user's passes of earlier epochs. `endPasses`
   * may be given two of one user in either order, so keep the greater text, or list all: the greatest counts.
   * A user may be left out once `passSeconds` and two minutes have passed since the latest `at`.
   */
  epochs?: Record<string, string | readonly string[]> | undefined
  /** The same for users of accounts, by account id. */
  accounts?: Record<string, Pick<Revoked, 'users' | 'epochs'>> | undefined
}

/** The session, and the user of it, whose pass or ticket is to be judged. */
export interface RevokedQuestion {
  /** The user's account, where the call names one. */
  account?: string | undefined
  /** The user. */
  user: string
  /** The session. */
  session: string
}

/**
 * Gives the revocation list. With `about` the part about this session and its user is enough; more does no harm. Without
 * it, the whole list: the storage API asks so for the gate.
 */
export type RevokedSource = (about?: RevokedQuestion) => Revoked | Promise<Revoked>

/** The time of an entry on the list, and the time at which it may be forgotten. */
export interface EntryTimes {
  /** Now, in unix seconds. Entries whose `until` is not later may be forgotten. */
  now: number
  /** In unix seconds. */
  until: number
}

/** Puts more on the revocation list. */
export type Revoke = (more: Revoked, times: EntryTimes) => Promise<void>

/** Seconds after which everything that an entry ends has ended by itself, under the longest lifetimes of any policy. */
const LONGEST_SECONDS_ON_LIST = 2_592_000 + 1_800 + 120
/** Bytes of the list that the filter reads. */
const MAX_LIST = 4_194_304
/** Longest wait for the list. */
const PATIENCE_MS = 5_000

/** The list of a host: its function, or else the functions of its store. */
interface ListHost {
  revoked?: RevokedSource | undefined
  store: { revoked?: RevokedSource | undefined; revoke?: Revoke | undefined }
}

/** The list, as the parts of this package ask it. @internal */
export interface RevocationList {
  /** The part about a session and its user, as the module reads it; `undefined` where nothing about them is listed. */
  about(question: RevokedQuestion): Promise<string | undefined>
  /** Whether it ends a ticket that the session was given at that time. */
  endsTicket(question: RevokedQuestion, at: number): Promise<boolean>
  /** All of it. */
  whole(): Promise<Record<string, unknown>>
  /** Puts more on it, where the store holds it. */
  revoke: Revoke | undefined
}

/** The revocation list, where there is one. @internal */
export function revocationList({ revoked, store }: ListHost): RevocationList | undefined {
  const isOfStore = revoked === undefined
  const path = isOfStore ? 'store.revoked' : 'revoked'
  const ask = revoked ?? store.revoked?.bind(store)
  if (ask === undefined) return undefined

  async function answer<T>(about: RevokedQuestion | undefined, take: (list: unknown) => T): Promise<T> {
    try {
      const late = () => failed(path, 'gave no answer in 5 seconds')
      const list = await inTime(() => (about === undefined ? ask!() : ask!(plain(about))), PATIENCE_MS, late)
      return take(list)
    } catch (error) {
      if (!CountersignError.is(error)) throw failed(path, 'the revocation list could not be had', error)
      throw error.code === 'revoked_failed' ? error : failed(error.path, withoutPath(error))
    }
  }

  const list: RevocationList = {
    about: (question) =>
      answer(question, (given) => {
        const part = partAbout(question, given, path)
        const { session, until, epoch } = part
        return session || until !== undefined || epoch !== undefined ? JSON.stringify(part) : undefined
      }),
    async endsTicket(question, at) {
      const part = await list.about(question)
      return part !== undefined && call((module) => module.is_ticket_revoked(at, part))
    },
    whole: () =>
      answer(undefined, (given) => {
        const { sessions = [], users = {}, epochs = {}, accounts = {} } = read(given, path, WHOLE)
        const whole = { v: 1, sessions, users, epochs, accounts }
        if (new TextEncoder().encode(JSON.stringify(whole)).length > MAX_LIST)
          throw invalid(path, 'is too long: at most 4 MiB of JSON')
        return whole
      }),
    revoke: isOfStore ? store.revoke?.bind(store) : undefined,
  }
  return list
}

/** Puts the epoch of ended passes on the list. Without a policy, whose lifetimes tell how long it stays, it stays longest. @internal */
export const revokeEpoch = (
  revoke: Revoke,
  { account, user, epoch, at }: wasm.EndedPasses,
  secondsOnList = LONGEST_SECONDS_ON_LIST,
): Promise<void> => {
  const epochs = named(user, epoch)
  const more: Revoked = account === undefined ? { epochs } : { accounts: named(account, { epochs }) }
  return revoke(more, { now: at, until: at + secondsOnList })
}

/**
 * Puts all that a user was given until that time on the list: also sessions without a second factor, which have no pass that an epoch
 * would end. The second of the call is left out, so that a login right after it counts. @internal
 */
export const revokeUser = (
  revoke: Revoke,
  { account, user }: { account?: string | undefined; user: string },
  now: number,
  secondsOnList: number,
): Promise<void> => {
  const users = named(user, now - 1)
  const more: Revoked = account === undefined ? { users } : { accounts: named(account, { users }) }
  return revoke(more, { now, until: now + secondsOnList })
}

/** A question without an account that is not there. */
const plain = ({ account, user, session }: RevokedQuestion): RevokedQuestion =>
  account === undefined ? { user, session } : { account, user, session }

const failed = (path: string, message: string, cause?: unknown) =>
  new CountersignError('revoked_failed', path, message, cause)

/** An object with one property. It has no prototype, so that any id is a name. */
function named<T>(name: string, value: T): Record<string, T> {
  const one: Record<string, T> = Object.create(null)
  one[name] = value
  return one
}

/** The part of a list about a session and its user. The rest of a list may be long, and is not looked at. */
function partAbout({ account, user, session }: RevokedQuestion, list: unknown, path: string) {
  const usersOf: Check = (value, at) => read(value, at, USERS_OF_ANY)
  const { sessions, accounts, ...outside } = read(list, path, {
    sessions: optional(anyList),
    ...USERS_OF_ANY,
    accounts: optional(anyObject),
  })
  const own = account === undefined ? outside : entryOf(accounts, account, `${path}.accounts`, usersOf)
  const at = account === undefined ? path : `${path}.accounts.${account}`
  const { users, epochs } = (own ?? {}) as Record<string, unknown>
  return {
    __proto__: null,
    session: sessions !== undefined && (sessions as unknown[]).includes(session),
    until: entryOf(users, user, `${at}.users`, seconds),
    epoch: entryOf(epochs, user, `${at}.epochs`, latestEpoch),
  }
}

/** The entry of a name, checked. */
function entryOf(entries: unknown, name: string, path: string, check: Check): unknown {
  if (entries === undefined || !Object.hasOwn(entries as object, name)) return undefined
  return check((entries as Record<string, unknown>)[name], `${path}.${name}`)
}

const anyList: Check = (value, path) => {
  if (!Array.isArray(value)) throw invalid(path, 'must be a list')
  return value
}

const anyObject: Check = (value, path) => {
  // A Map has no keys of this kind, and would be an empty list.
  if (value instanceof Map) throw invalid(path, 'must be an object and no Map: give Object.fromEntries of it')
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw invalid(path, 'must be an object')
  return value
}

const USERS_OF_ANY = { users: optional(anyObject), epochs: optional(anyObject) }

/** An object of any names, each value checked. */
const byName =
  (check: Check): Check =>
  (value, path) => {
    const names = Object.keys(anyObject(value, path) as object)
    const fields = Object.create(null)
    for (const name of names) {
      idText(name, path)
      fields[name] = check
    }
    return read(value, path, fields, [])
  }

/** An epoch in the form of the module: another one would make the filter refuse the whole list. @internal */
export const epochText: Check = (value, path) => {
  if (!/^(?!0{12})\d{12}\.[\w-]{12}$/.test(text(value, path) as string))
    throw invalid(path, 'must be an epoch as endPasses was given it')
  return value
}

/** The latest of several epochs, which is the greatest text; nothing for an empty list. */
const latestEpoch: Check = (value, path) =>
  Array.isArray(value) ? (listOf(epochText)(value, path) as string[]).sort().at(-1) : epochText(value, path)

/** The users of one account. */
const usersOfOne = { users: optional(byName(seconds)), epochs: optional(byName(latestEpoch)) }

const WHOLE = { sessions: optional(listOf(text)), ...usersOfOne, accounts: optional(byName(shape(usersOfOne))) }
