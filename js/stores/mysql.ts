/**
 * Storage in MySQL or MariaDB, through mysql2.
 *
 * @packageDocumentation
 */
import { invalid } from '../error.js'
import type { WholeStore } from '../store.js'
import { MYSQL, MYSQL_CATALOG } from './mysql-dialect.js'
import {
  type Answer,
  type Connection,
  type SqlOptions,
  sqlStore,
  tableOf,
  unexpected,
  type Value,
} from './sql-store.js'
import { createTables } from './sql-tables.js'

export { CountersignError, type ErrorCode, type RuleErrorCode } from '../error.js'
export type { SqlOptions } from './sql-store.js'

/** A pool or a connection of `mysql2/promise`: the part that the store uses. */
export interface MysqlPool {
  /** Runs a prepared statement. */
  execute(statement: MysqlStatement, values: Value[]): Promise<[unknown, ...unknown[]]>
}

/** A statement, with the options that fix the form of its answer: those of the pool may give another one. */
export interface MysqlStatement {
  /** Its text. */
  sql: string
  /** Rows are objects. */
  rowsAsArray: false
  /** By the names of the columns alone. */
  nestTables: false
  /** Values as the driver gives them. */
  typeCast: (field: unknown, next: () => unknown) => unknown
  /** Numbers of 64 bits are exact, */
  supportBigNumbers: true
  /** as texts. */
  bigNumberStrings: true
}

const FORM = {
  rowsAsArray: false,
  nestTables: false,
  typeCast: (_field: unknown, next: () => unknown) => next(), // only a function takes the place of one of the pool
  supportBigNumbers: true,
  bigNumberStrings: true,
} as const

/**
 * In MySQL 8 or MariaDB 10.6, or newer, in the tables of {@link mysqlSchema}, which {@link createMysqlTables} makes. `pool` is a pool
 * of `mysql2/promise`, with any options but another `charset`. A connection joins the transaction that the host has begun on it: there
 * each error is thrown, because some have ended the transaction.
 *
 * It must be connected to the primary. On a server with `read_only` each call fails with `store_failed`, also for a user who has no
 * record.
 *
 * @example
 * ```ts
 * import type { Store } from 'countersign'
 * import { createMysqlTables, type MysqlPool, mysqlStore } from 'countersign/stores/mysql'
 *
 * // `createPool(uri)` of mysql2/promise
 * export async function storeIn(pool: MysqlPool): Promise<Store> {
 *   await createMysqlTables(pool)
 *   return mysqlStore(pool)
 * }
 * ```
 *
 * @throws {@link CountersignError} `invalid_input` for a value that is no pool, or a pool without promises.
 */
export function mysqlStore(pool: MysqlPool, options: SqlOptions = {}): WholeStore {
  const table = tableOf(options)
  return sqlStore(MYSQL, table, connectionOf(pool))
}

/**
 * Creates the tables that are missing, and checks those that are there. It may run at each start, in several processes at once.
 * Where both tables are there, it only reads, and needs no right to create any.
 *
 * @example
 * ```ts
 * import { createMysqlTables, type MysqlPool } from 'countersign/stores/mysql'
 *
 * export const migrate = (pool: MysqlPool) => createMysqlTables(pool, { table: 'second_factor' })
 * ```
 *
 * @throws {@link CountersignError} `store_failed` where the database refuses, or where a table would not keep the contract: a version
 *   of 32 bits, a collation that takes two ids for one, no primary key. The message has the statement that mends it.
 */
export async function createMysqlTables(pool: MysqlPool, options: SqlOptions = {}): Promise<void> {
  const table = tableOf(options)
  await createTables(MYSQL, MYSQL_CATALOG, table, connectionOf(pool).send)
}

/**
 * The statements that create the tables, for migrations in files.
 *
 * @example
 * ```ts
 * import { writeFileSync } from 'node:fs'
 * import { mysqlSchema } from 'countersign/stores/mysql'
 *
 * writeFileSync('migrations/0001-second-factor.sql', mysqlSchema())
 * ```
 *
 * @throws {@link CountersignError} `invalid_input` for another table name than letters, digits and `_`.
 */
export const mysqlSchema = (options: SqlOptions = {}): string =>
  MYSQL.schema(tableOf(options))
    .map((statement) => `${statement};\n`)
    .join('\n')

function connectionOf(pool: MysqlPool): Connection {
  const { execute, promise, getConnection } = (pool ?? {}) as Partial<
    Record<'execute' | 'promise' | 'getConnection', unknown>
  >
  if (typeof promise === 'function')
    throw invalid('pool', 'must be one of `mysql2/promise`, or the `promise()` of the given one')
  if (typeof execute !== 'function') throw invalid('pool', 'must be a pool or a connection of `mysql2/promise`')
  return {
    // Prepared on the server. The other way, `query`, writes values into the text, where an id may end its quotes: under the
    // mode NO_BACKSLASH_ESCAPES, or in another character set than the driver takes for granted.
    async send(sql, values): Promise<Answer> {
      // Newer versions of MySQL refuse a number for LIMIT, because the driver sends it as a DOUBLE.
      const answer = await pool.execute({ sql, ...FORM }, values.map(String))
      const [result] = Array.isArray(answer) ? (answer as unknown[]) : []
      if (Array.isArray(result)) return { rows: result }
      const count = (result as { affectedRows?: unknown } | undefined)?.affectedRows
      if (typeof count !== 'number') throw unexpected('the driver gave neither rows nor a count of affected rows')
      return { rows: [], count }
    },
    joined: () => typeof getConnection !== 'function',
  }
}
