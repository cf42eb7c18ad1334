/**
 * Storage in SQLite, through better-sqlite3, node:sqlite, bun:sqlite or libsql.
 *
 * @packageDocumentation
 */
import { guarded, invalid } from '../error.js'
import type { WholeStore } from '../store.js'
import { type Answer, type Connection, type SqlOptions, sqlStore, tableOf, type Value } from './sql-store.js'
import { SQLITE } from './sqlite-dialect.js'

export type { SqlOptions } from './sql-store.js'

/** A `Database` of better-sqlite3, bun:sqlite or libsql, or a `DatabaseSync` of node:sqlite: the part that the store uses. */
export interface SqliteDatabase {
  /** Runs statements. */
  exec(sql: string): unknown
  /** Compiles a statement, to run it with values, or to get all its rows. */
  prepare(sql: string): {
    all(...values: Value[]): unknown[]
    run(...values: Value[]): { changes: number | bigint }
  }
  /** Whether a transaction is open, in better-sqlite3 and bun:sqlite. */
  readonly inTransaction?: boolean
  /** The same in node:sqlite. */
  readonly isTransaction?: boolean
}

/** Milliseconds for which a statement waits while another process writes. */
const BUSY_MS = 5_000

/**
 * In SQLite. Creates its tables if they are not there, by default
 * `second_factor (account TEXT, user_id TEXT, record TEXT, version INTEGER, PRIMARY KEY (account, user_id))`,
 * and `second_factor_revoked` for the revocation list. `account` is empty for a user without an account.
 *
 * @example
 * ```ts
 * import type { Store } from 'countersign'
 * import { type SqliteDatabase, sqliteStore } from 'countersign/stores/sqlite'
 *
 * // `new Database('app.sqlite')` of better-sqlite3, or `new DatabaseSync('app.sqlite')` of node:sqlite
 * export function storeIn(database: SqliteDatabase): Store {
 *   return sqliteStore(database, { table: 'second_factor' })
 * }
 * ```
 *
 * @throws {@link CountersignError} `invalid_input` for a value that is no database, `store_failed` where the tables cannot be made.
 */
export function sqliteStore(database: SqliteDatabase, options: SqlOptions = {}): WholeStore {
  const table = tableOf(options)
  return guarded('store_failed', 'database', 'the table could not be prepared', () => {
    if (typeof database?.exec !== 'function' || typeof database?.prepare !== 'function')
      throw invalid(
        'database',
        'must be a Database of better-sqlite3, bun:sqlite or libsql, or a DatabaseSync of node:sqlite',
      )
    database.exec(`PRAGMA busy_timeout = ${BUSY_MS}`)
    for (const statement of SQLITE.schema(table)) database.exec(statement)
    return sqlStore(SQLITE, table, connectionOf(database))
  })
}

function connectionOf(database: SqliteDatabase): Connection {
  const prepared = new Map<string, ReturnType<SqliteDatabase['prepare']>>()
  const statementOf = (sql: string) => {
    const known = prepared.get(sql)
    if (known !== undefined) return known
    const statement = database.prepare(sql)
    prepared.set(sql, statement)
    return statement
  }
  return {
    async send(sql, values): Promise<Answer> {
      const statement = statementOf(sql)
      if (sql.startsWith('SELECT')) return { rows: statement.all(...values) }
      return { rows: [], count: statement.run(...values).changes }
    },
    joined: () => (database.inTransaction ?? database.isTransaction) === true,
  }
}
