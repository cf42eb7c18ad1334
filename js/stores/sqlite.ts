/**
 * Storage in SQLite, through better-sqlite3, node:sqlite, bun:sqlite, libsql or @libsql/client.
 *
 * @packageDocumentation
 */
import { guarded, invalid } from '../error.js'
import type { WholeStore } from '../store.js'
import { type Answer, type Connection, isQuery, type SqlOptions, sqlStore, tableOf, type Value } from './sql-store.js'
import { SQLITE } from './sqlite-dialect.js'

export { CountersignError, type ErrorCode, type RuleErrorCode } from '../error.js'
export type { SqlOptions, Value } from './sql-store.js'

/** A `Database` of better-sqlite3, bun:sqlite or libsql, or a `DatabaseSync` of node:sqlite: the part that the store uses. */
export interface SqliteDatabase {
  /** Runs statements. */
  exec(sql: string): unknown
  /** Compiles a statement. */
  prepare(sql: string): SqliteStatement
  /** Whether a transaction is open, in better-sqlite3, bun:sqlite and libsql. */
  readonly inTransaction?: boolean
  /** The same in node:sqlite. */
  readonly isTransaction?: boolean
}

/** A compiled statement of a {@link SqliteDatabase}. */
export interface SqliteStatement {
  /** All its rows. */
  all(...values: Value[]): unknown[]
  /** Runs it, and counts the rows that it changed. */
  run(...values: Value[]): { changes: number | bigint }
}

/** A `Client` of @libsql/client, or a `Transaction` of it: the part that the store uses. */
export interface LibsqlClient {
  /** Runs a statement. */
  execute(statement: { sql: string; args: Value[] }): Promise<{ rows: unknown[]; rowsAffected: number }>
  /** Runs statements. */
  executeMultiple?(sql: string): Promise<void>
  /** How the client reaches the database. A transaction has none. */
  readonly protocol?: string
}

/** Milliseconds for which a statement waits while another process writes. A longer time of the host's stays. */
const BUSY_MS = 5_000

/**
 * In SQLite. Creates its tables if they are not there, by default
 * `second_factor (account TEXT, user_id TEXT, record TEXT, version INTEGER, PRIMARY KEY (account, user_id))`,
 * and `second_factor_revoked` for the revocation list. `account` is empty for a user without an account.
 *
 * Where a transaction of the host is open on `database`, the statements are part of it, and a lost race ends the call
 * with `store_failed`.
 *
 * @example
 * ```ts
 * import type { Store } from 'countersign'
 * import { type LibsqlClient, type SqliteDatabase, sqliteStore } from 'countersign/stores/sqlite'
 *
 * // `new Database('app.sqlite')` of better-sqlite3, bun:sqlite or libsql, `new DatabaseSync('app.sqlite')` of node:sqlite,
 * // or `createClient({ url: 'file:app.sqlite' })` of @libsql/client
 * export function storeIn(database: SqliteDatabase | LibsqlClient): Store {
 *   return sqliteStore(database, { table: 'second_factor' })
 * }
 * ```
 *
 * @throws {@link CountersignError} `invalid_input` for a value that is no database, `store_failed` where the tables cannot
 * be made. With @libsql/client they are made by the first call, which fails then.
 */
export function sqliteStore(database: SqliteDatabase | LibsqlClient, options: SqlOptions = {}): WholeStore {
  const table = tableOf(options)
  return guarded('store_failed', 'database', 'the table could not be prepared', () => {
    if (typeof (database as LibsqlClient)?.execute === 'function')
      return sqlStore(SQLITE, table, clientConnection(database as LibsqlClient, table))
    const { exec, prepare } = (database ?? {}) as Partial<SqliteDatabase>
    if (typeof exec !== 'function' || typeof prepare !== 'function')
      throw invalid(
        'database',
        'must be a Database of better-sqlite3, bun:sqlite or libsql, a DatabaseSync of node:sqlite, or a client of @libsql/client',
      )
    return sqlStore(SQLITE, table, connectionOf(database as SqliteDatabase, table))
  })
}

/**
 * The statements that create the tables, for migrations in files.
 *
 * @example
 * ```ts
 * import { writeFileSync } from 'node:fs'
 * import { sqliteSchema } from 'countersign/stores/sqlite'
 *
 * writeFileSync('migrations/0001-second-factor.sql', sqliteSchema())
 * ```
 *
 * @throws {@link CountersignError} `invalid_input` for another table name than letters, digits and `_`.
 */
export const sqliteSchema = (options: SqlOptions = {}): string =>
  SQLITE.schema(tableOf(options))
    .map((statement) => `${statement};\n`)
    .join('\n')

function connectionOf(database: SqliteDatabase, table: string): Connection {
  if (waitOf(database.prepare('PRAGMA busy_timeout').all()) < BUSY_MS) database.exec(`PRAGMA busy_timeout = ${BUSY_MS}`)
  for (const statement of SQLITE.schema(table)) database.exec(statement)
  const prepared = new Map<string, SqliteStatement>()
  const statementOf = (sql: string) => {
    const known = prepared.get(sql)
    if (known !== undefined) return known
    const statement = database.prepare(sql)
    prepared.set(sql, statement)
    return statement
  }
  const joined = () => (database.inTransaction ?? database.isTransaction) === true
  const write = isLibsql(database) ? lockedFirst(database, joined) : (job: () => Answer) => job()
  return {
    async send(sql, values) {
      const statement = statementOf(sql)
      if (isQuery(sql)) return { rows: statement.all(...values) }
      return write(() => ({ rows: [], count: statement.run(...values).changes }))
    },
    joined,
  }
}

/** Only libsql can be a replica of another database, and has a function to fetch the changes. */
const isLibsql = (database: SqliteDatabase) => 'sync' in database

/**
 * Runs a write under a lock of its own. A compiled statement of libsql that finds the file locked stays open, and all reads after
 * it show the database as it was then. What `exec` runs is closed.
 */
const lockedFirst = (database: SqliteDatabase, joined: () => boolean) => (job: () => Answer) => {
  if (joined()) return job()
  database.exec('BEGIN IMMEDIATE')
  try {
    const answer = job()
    database.exec('COMMIT')
    return answer
  } finally {
    if (joined()) database.exec('ROLLBACK')
  }
}

function clientConnection(client: LibsqlClient, table: string): Connection {
  const execute = (sql: string, args: Value[] = []) => client.execute({ sql, args })
  const isFile = client.protocol === 'file'
  let wait = BUSY_MS
  const prepare = async () => {
    const schema = SQLITE.schema(table)
    if (isFile) {
      wait = Math.max(wait, waitOf((await execute('PRAGMA busy_timeout')).rows))
      // Another process may be creating them.
      await client.executeMultiple!([`PRAGMA busy_timeout = ${wait}`, ...schema].join(';\n'))
    } else for (const statement of schema) await execute(statement)
  }
  let ready: Promise<void> | undefined
  return {
    async send(sql, values) {
      ready ??= prepare()
      await ready.catch((error) => {
        ready = undefined
        throw error
      })
      // The client has several connections to a file, each with a time of its own. A write waits for the lock in a statement of
      // its own, because of what `lockedFirst` says.
      if (isFile)
        await client.executeMultiple!(
          `PRAGMA busy_timeout = ${wait}${isQuery(sql) ? '' : '; BEGIN IMMEDIATE; ROLLBACK'}`,
        )
      const { rows, rowsAffected } = await execute(sql, values)
      return isQuery(sql) ? { rows } : { rows, count: rowsAffected }
    },
    joined: () => client.protocol === undefined,
  }
}

/** The milliseconds in the answer to `PRAGMA busy_timeout`. */
const waitOf = (rows: unknown[]) => Number((rows[0] as { timeout?: unknown } | undefined)?.timeout ?? 0)
