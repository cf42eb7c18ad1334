import { guarded, invalid } from '../error.js'
import { optional, read, text } from '../input.js'
import { firstVersion, type ListingStore, type Stored } from '../store.js'
import { type ListRow, listOfRows, rowsOf } from './list-rows.js'

/** The part of `better-sqlite3`'s Database and of `node:sqlite`'s DatabaseSync that the store uses. */
export interface SqliteDatabase {
  /** Runs a statement. */
  exec(sql: string): unknown
  /** Compiles a statement, to run it with values, or to get its first row or all rows. */
  prepare(sql: string): {
    get(...values: (string | number)[]): unknown
    all(...values: (string | number)[]): unknown[]
    run(...values: (string | number)[]): { changes: number | bigint }
  }
}

/**
 * In SQLite, through `better-sqlite3` or `node:sqlite`. Creates its tables if they are not there, by default
 * `second_factor (account TEXT, user TEXT, record TEXT, version INTEGER, PRIMARY KEY (account, user))`,
 * and `second_factor_revoked` for the revocation list. `account` is empty for a user without an account.
 *
 * @example
 * ```ts
 * import { sqliteStore, type SqliteDatabase, type Store } from 'countersign'
 *
 * // `new Database('app.sqlite')` of better-sqlite3, or `new DatabaseSync('app.sqlite')` of node:sqlite
 * export function storeIn(database: SqliteDatabase): Store {
 *   return sqliteStore(database, { table: 'second_factor' })
 * }
 * ```
 */
export function sqliteStore(database: SqliteDatabase, options: { table?: string | undefined } = {}): ListingStore {
  const table = (read(options, '', { table: optional(text) }).table as string | undefined) ?? 'second_factor'
  if (!/^[A-Za-z_][A-Za-z0-9_]{0,62}$/.test(table)) throw invalid('table', 'must be a name of letters, digits and _')
  return guarded('store_failed', 'database', 'the table could not be prepared', () => {
    if (typeof database?.exec !== 'function' || typeof database?.prepare !== 'function') {
      throw invalid('database', 'must be a Database of better-sqlite3 or a DatabaseSync of node:sqlite')
    }
    database.exec(
      `CREATE TABLE IF NOT EXISTS ${table} (
        account TEXT NOT NULL, user TEXT NOT NULL, record TEXT NOT NULL, version INTEGER NOT NULL,
        PRIMARY KEY (account, user)
      ) STRICT;
      CREATE TABLE IF NOT EXISTS ${table}_revoked (
        kind TEXT NOT NULL, account TEXT NOT NULL, id TEXT NOT NULL, value ANY NOT NULL, until INTEGER NOT NULL,
        PRIMARY KEY (kind, account, id)
      ) STRICT, WITHOUT ROWID;
      CREATE INDEX IF NOT EXISTS ${table}_revoked_by_end ON ${table}_revoked (until)`,
    )
    const select = database.prepare(`SELECT record, version FROM ${table} WHERE account = ? AND user = ?`)
    const insert = database.prepare(
      `INSERT INTO ${table} (account, user, record, version) VALUES (?, ?, ?, ?) ON CONFLICT (account, user) DO NOTHING`,
    )
    const update = database.prepare(
      `UPDATE ${table} SET record = ?, version = version + 1 WHERE account = ? AND user = ? AND version = ?`,
    )
    const remove = database.prepare(`DELETE FROM ${table} WHERE account = ? AND user = ? AND version = ?`)
    const forget = database.prepare(`DELETE FROM ${table}_revoked WHERE until <= ?`)
    // Entries may come in any order. Texts are compared byte by byte, so that the later epoch is the greater one.
    const keep = database.prepare(
      `INSERT INTO ${table}_revoked VALUES (?, ?, ?, ?, ?) ON CONFLICT (kind, account, id)
       DO UPDATE SET value = max(value, excluded.value), until = max(until, excluded.until)`,
    )
    const entries = `SELECT kind, account, id, value FROM ${table}_revoked`
    const all = database.prepare(entries)
    const about = database.prepare(
      `${entries} WHERE (kind = 'session' AND account = '' AND id = ?)
       OR (kind IN ('user', 'epoch') AND account = ? AND id = ?)`,
    )
    return {
      async load({ account = '', user }) {
        const row = select.get(account, user) as Stored | undefined
        return row && { record: row.record, version: Number(row.version) }
      },
      async save({ account = '', user }, record, expected) {
        const { changes } =
          expected === undefined
            ? insert.run(account, user, record, firstVersion())
            : update.run(record, account, user, expected)
        return Number(changes) === 1
      },
      async delete({ account = '', user }, expected) {
        return Number(remove.run(account, user, expected).changes) === 1
      },
      async revoke(more, { now, until }) {
        forget.run(now)
        for (const { kind, account, id, value } of rowsOf(more)) keep.run(kind, account, id, value, until)
      },
      async revoked(question) {
        const rows =
          question === undefined ? all.all() : about.all(question.session, question.account ?? '', question.user)
        // The driver may give whole numbers as BigInt.
        const plain = (row: ListRow) => (typeof row.value === 'string' ? row : { ...row, value: Number(row.value) })
        return listOfRows((rows as ListRow[]).map(plain))
      },
    }
  })
}
