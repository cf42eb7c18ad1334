import { CountersignError, guarded, invalid } from './error.js'
import { type Check, optional, read, text } from './input.js'

/** A record as stored: opaque text and the version that a writer must name to replace it. */
export interface Stored {
  record: string
  version: number
}

/**
 * Storage, all of it. `save` is a compare-and-set: it writes and returns `true` only if the
 * user's version still is `expected` (`undefined`: there is no record yet); the version then
 * becomes one that it never was before, not even before a deletion. Everything about single use
 * rests on that.
 */
export interface Store {
  load(user: string): Promise<Stored | undefined>
  save(user: string, record: string, expected: number | undefined): Promise<boolean>
}

/** Another each time: a record that was deleted and made anew must not look like the one of before to a write under way. */
const firstVersion = () => crypto.getRandomValues(new Uint32Array(1))[0]! * 65_536 + 1

/** In memory: for tests, and gone with the process. */
export function memoryStore(): Store {
  const records = new Map<string, Stored>()
  return {
    async load(user) {
      const stored = records.get(user)
      return stored && { ...stored }
    },
    async save(user, record, expected) {
      if (records.get(user)?.version !== expected) return false
      records.set(user, { record, version: expected === undefined ? firstVersion() : expected + 1 })
      return true
    },
  }
}

/** What `better-sqlite3`'s Database and `node:sqlite`'s DatabaseSync have in common. */
export interface SqliteDatabase {
  exec(sql: string): unknown
  prepare(sql: string): { get(...values: any[]): unknown; run(...values: any[]): { changes: number | bigint } }
}

/**
 * In SQLite, through `better-sqlite3` or `node:sqlite`. Creates its table, by default
 * `second_factor (user TEXT PRIMARY KEY, record TEXT, version INTEGER)`, if it is not there.
 */
export function sqliteStore(database: SqliteDatabase, options: { table?: string } = {}): Store {
  const table = (read(options, '', { table: optional(text) })['table'] as string | undefined) ?? 'second_factor'
  if (!/^[A-Za-z_][A-Za-z0-9_]{0,62}$/.test(table)) throw invalid('table', 'must be a name of letters, digits and _')
  return guarded('store_failed', 'database', 'the table could not be prepared', () => {
    if (typeof database?.exec !== 'function' || typeof database?.prepare !== 'function') {
      throw invalid('database', 'must be a Database of better-sqlite3 or a DatabaseSync of node:sqlite')
    }
    database.exec(
      `CREATE TABLE IF NOT EXISTS ${table} (user TEXT PRIMARY KEY, record TEXT NOT NULL, version INTEGER NOT NULL) STRICT`,
    )
    const select = database.prepare(`SELECT record, version FROM ${table} WHERE user = ?`)
    const insert = database.prepare(
      `INSERT INTO ${table} (user, record, version) VALUES (?, ?, ?) ON CONFLICT (user) DO NOTHING`,
    )
    const update = database.prepare(
      `UPDATE ${table} SET record = ?, version = version + 1 WHERE user = ? AND version = ?`,
    )
    return {
      async load(user) {
        const row = select.get(user) as Stored | undefined
        return row && { record: row.record, version: Number(row.version) }
      },
      async save(user, record, expected) {
        const { changes } =
          expected === undefined ? insert.run(user, record, firstVersion()) : update.run(record, user, expected)
        return Number(changes) === 1
      },
    }
  })
}

/** A store, as far as one can see. @internal */
export const storage: Check = (value, path) =>
  guarded('invalid_input', path, 'could not be read', () => {
    const store = value as Partial<Store> | null | undefined
    if (typeof store?.load !== 'function' || typeof store?.save !== 'function')
      throw invalid(path, 'must have load and save')
    return value
  })

/** Loads, and checks what the host's store gave. @internal */
export async function load(store: Store, user: string): Promise<Stored | undefined> {
  let stored: Stored | null | undefined
  try {
    stored = await store.load(user)
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

/** Saves; whether it landed. @internal */
export async function save(store: Store, user: string, record: string, expected: number | undefined): Promise<boolean> {
  let saved: boolean
  try {
    saved = await store.save(user, record, expected)
  } catch (error) {
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
