// Storage: the interface that a store has to fill, and the guards around a store of the host's.
import { CountersignError, guarded, invalid, NotConfirmed } from './error.js'
import { accountId, type Check, idText, read } from './input.js'
import type { EntryTimes, Revoked, RevokedQuestion } from './revoked.js'

/** A record as it is stored. */
export interface Stored {
  /** Opaque text. */
  record: string
  /** The version that a writer must name to replace the record. */
  version: number
}

/** The id of a record. The same user in two accounts has two records. */
export interface RecordId {
  /** The account, where the call gave one: 1 to 256 bytes without control characters. */
  account?: string | undefined
  /** The user: 1 to 256 bytes without control characters. */
  user: string
}

/**
 * Storage, all of it. `save` is a compare-and-set: it writes and returns `true` only if the
 * record's version still is `expected` (`undefined`: there is no record yet). The version then
 * becomes one that it never was before, not even before a deletion ({@link newVersion}). Everything about single use
 * rests on that.
 *
 * A store with columns keeps account and user in two; a store with one key uses {@link recordKey}.
 */
export interface Store {
  /** The record, if there is one. */
  load(id: RecordId): Promise<Stored | undefined>
  /** Whether the record was written. */
  save(id: RecordId, record: string, expected: number | undefined): Promise<boolean>
  /** Deletes the record if its version still is `expected`; whether it did. For the operator's `erased` alone. */
  delete?: ((id: RecordId, expected: number) => Promise<boolean>) | undefined
  /** A page of the records. */
  list?: ((question: ListQuestion) => Promise<ListPage>) | undefined
  /** Writes records of users who have none; for each, in the given order, whether it was written. No user comes twice. */
  insertMany?: ((records: readonly NewRecord[]) => Promise<boolean[]>) | undefined
  /**
   * Puts more on the revocation list, where the store holds one: then it has `revoked` as well. Entries may come in any order
   * and twice; of two about one user the later time counts, the greater epoch as text, and the later `until`.
   */
  revoke?: ((more: Revoked, times: EntryTimes) => Promise<void>) | undefined
  /** The revocation list. With `about`, at least the part about this session and its user. */
  revoked?: ((about?: RevokedQuestion) => Promise<Revoked>) | undefined
}

/** Asks for a page of records. */
export interface ListQuestion {
  /** Only those of this account; without it, all records. */
  account?: string | undefined
  /** The `next` of the page before; without it, the first page. */
  after?: string | undefined
  /** Records on a page, 1 to 1,000. A store may give some less or more. */
  limit: number
}

/**
 * A page of records, in an order of the store's. A record that is written while pages are read may be on none of them or, in
 * some stores, on two.
 */
export interface ListPage {
  /** The records. A page may be empty though another one follows. */
  records: { id: RecordId; record: string; version: number }[]
  /** To ask for the page after this one. Without it there is none. */
  next?: string | undefined
}

/** A record for a user who has none. */
export interface NewRecord {
  /** The user. */
  id: RecordId
  /** Opaque text. */
  record: string
}

/** A store that has all of it: it lists, deletes and inserts, and holds the revocation list. */
export interface WholeStore extends Store {
  delete(id: RecordId, expected: number): Promise<boolean>
  list(question: ListQuestion): Promise<ListPage>
  insertMany(records: readonly NewRecord[]): Promise<boolean[]>
  revoke(more: Revoked, times: EntryTimes): Promise<void>
  revoked(about?: RevokedQuestion): Promise<Revoked>
}

/**
 * One text for an id, for stores with one key: no two ids share one. It has letters, digits, `-`, `_`, `~` and `.`, and at
 * most 1,552 characters. It is never `.` or `..`, so that it may be a segment of a path; where file names ignore case, two
 * ids can get the same file.
 *
 * @example
 * ```ts
 * import { recordKey } from 'countersign'
 *
 * export const keys = [recordKey({ user: 'ann' }), recordKey({ account: 'acme', user: 'ann' })] // 'users.ann', 'accounts.acme.users.ann'
 * ```
 */
export function recordKey(id: RecordId): string {
  const { account, user } = read(id, 'id', { account: accountId, user: idText }) as unknown as RecordId
  return account === undefined ? `users.${part(user)}` : `accounts.${part(account)}.users.${part(user)}`
}

/**
 * Percent-encoding with `~` for `%`, and without a dot. A dot separates the parts; and URLs take `%2E%2E` for `..`, and
 * decode a `%` once more on the way.
 */
const part = (text: string): string => (/^[\w-]+$/.test(text) ? text : escaped(text))

const escaped = (text: string): string =>
  encodeURIComponent(text)
    .replace(/[.~!'()*]/g, (sign) => `%${sign.charCodeAt(0).toString(16).toUpperCase()}`)
    .replaceAll('%', '~')

/**
 * A version for a record that is written: a random whole number from 1 to 2^53 - 1. Give each write a new one, the first as well.
 *
 * A number that is counted up can return: after a deletion, after a restore from a backup, and after a failover that lost
 * the last writes. A writer who saw the number before would then take another record for the one that it read. A random
 * number does not return.
 *
 * @example
 * ```ts
 * import { newVersion } from 'countersign'
 *
 * export const sql = 'UPDATE second_factor SET record = ?, version = ? WHERE user_id = ? AND version = ?'
 * export const values = (record: string, user: string, expected: number) => [record, newVersion(), user, expected]
 * ```
 */
export function newVersion(): number {
  const [high, low] = crypto.getRandomValues(new Uint32Array(2)) as unknown as [number, number]
  return (high % 2 ** 21) * 2 ** 32 + low || newVersion()
}

/** An id as Rust reads it. @internal */
export const idJson = ({ account, user }: RecordId): string => JSON.stringify({ __proto__: null, account, user })

/** Checks that a value has the functions of a store. @internal */
export const storage: Check = (value, path) =>
  guarded('invalid_input', path, 'could not be read', () => {
    const store = value as Partial<Store> | null | undefined
    if (typeof store?.load !== 'function' || typeof store?.save !== 'function')
      throw invalid(path, 'must have load and save')
    for (const name of ['delete', 'list', 'insertMany'] as const)
      if (!['function', 'undefined'].includes(typeof store[name]))
        throw invalid(path, `must have ${name} as a function, or none`)
    const list = [store.revoke, store.revoked].map((member) => typeof member)
    if (list[0] !== list[1] || !['function', 'undefined'].includes(list[0]!))
      throw invalid(path, 'must have both revoke and revoked, or neither')
    return value
  })

/** Loads a record, and checks the form of the store's answer. @internal */
export async function load(store: Store, id: RecordId): Promise<Stored | undefined> {
  let stored: Stored | null | undefined
  try {
    stored = await store.load({ ...id })
  } catch (error) {
    throw new CountersignError('store_failed', 'store.load', 'the store could not be read', error)
  }
  if (stored === undefined || stored === null) return undefined
  const form = 'must give { record: string, version: number } or undefined'
  return guarded('store_failed', 'store.load', form, () => {
    const { record, version } = stored
    if (typeof record !== 'string' || !Number.isSafeInteger(version))
      throw new CountersignError('store_failed', 'store.load', form)
    return { record, version }
  })
}

/** A page of records, with the form of the store's answer checked. @internal */
export async function listRecords(store: Store, question: ListQuestion): Promise<ListPage> {
  if (store.list === undefined)
    throw new CountersignError('no_list', 'store', 'cannot list records: give a store that has `list`')
  let page: ListPage
  try {
    page = await store.list({ ...question })
  } catch (error) {
    if (CountersignError.is(error) && error.code === 'invalid_input') throw error
    throw new CountersignError('store_failed', 'store.list', 'the store could not be read', error)
  }
  const form = 'must give { records: { id, record, version }[], next?: string }'
  return guarded('store_failed', 'store.list', form, () => {
    const { records, next } = page
    const isText = (value: unknown) => typeof value === 'string'
    const isGood =
      records.every(({ id, record }) => isText(id.user) && isText(record)) && (next === undefined || isText(next))
    if (!isGood) throw new CountersignError('store_failed', 'store.list', form)
    return { records, next }
  })
}

/**
 * Saves a record; `false` when another writer was faster. A save that throws may have landed: the record
 * is read back, and if it is ours, it did. One that may be lost again counts as not saved, though it is there. @internal
 */
export async function save(store: Store, id: RecordId, record: string, expected: number | undefined): Promise<boolean> {
  let saved: boolean
  try {
    saved = await store.save({ ...id }, record, expected)
  } catch (error) {
    if (!NotConfirmed.is(error) && (await isStored(store, id, record))) return true
    throw new CountersignError(
      'store_failed',
      'store.save',
      'the store failed; it is not known whether the record was written, and nobody was told anything',
      error,
    )
  }
  if (typeof saved !== 'boolean') throw new CountersignError('store_failed', 'store.save', 'must give true or false')
  return saved
}

/**
 * The same for a record of the engine, whose text is unlike any other. A driver whose connection broke may send the statement
 * again, which then loses to its own first write: so the record is read back here too. A read proves nothing where writes wait for
 * replicas, so a record that is found is saved once more. @internal
 */
export const saveOwn: typeof save = async (store, id, record, expected) => {
  for (let saves = 0; saves < MOST_SAVES; saves += 1) {
    if (await save(store, id, record, expected)) return true
    const found = await load(store, id)
    if (found?.record !== record) return false
    expected = found.version
  }
  return false
}

/** Saves of one record at most: a store whose `save` is always `false` would never end. */
const MOST_SAVES = 3

/** Whether a record is there. A pool whose connections broke together gives out the next broken one: each look finds one of them. */
async function isStored(store: Store, id: RecordId, record: string): Promise<boolean> {
  const start = performance.now()
  for (let looks = 0; looks < MOST_LOOKS; looks += 1) {
    const found = await load(store, id).catch(() => 'failed' as const)
    if (found !== 'failed') return found?.record === record
    // A store that fails by its timeout would make the person wait for each look.
    if (performance.now() - start > LOOKING_MS) break
  }
  return false
}

const [MOST_LOOKS, LOOKING_MS] = [3, 1_000]
