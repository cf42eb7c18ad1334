/**
 * Storage in PostgreSQL, through pg or postgres.
 *
 * @packageDocumentation
 */
import { invalid } from '../error.js'
import type { WholeStore } from '../store.js'
import { POSTGRES, POSTGRES_CATALOG } from './postgres-dialect.js'
import { type Answer, type Connection, type Send, type SqlOptions, sqlStore, tableOf, type Value } from './sql-store.js'
import { createTables } from './sql-tables.js'

export { CountersignError, type ErrorCode, type RuleErrorCode } from '../error.js'
export type { SqlOptions } from './sql-store.js'

/** A `Pool` or a `Client` of pg: the part that the store uses. */
export interface PgPool {
  /** Runs a statement with `$1` for its first value. */
  query(sql: string, values: Value[]): Promise<{ rows: unknown[]; rowCount: number | null }>
}

/** The `sql` of postgres, or that of a transaction: the part that the store uses. */
export interface PostgresSql {
  /** Runs a statement with `$1` for its first value. */
  unsafe(sql: string, values: Value[]): PromiseLike<readonly unknown[] & { count?: number | null }>
}

/**
 * In PostgreSQL 12 or newer, in the tables of {@link postgresSchema}, which {@link createPostgresTables} makes. `pool` is a `Pool` of pg
 * or the `sql` of postgres, with any options, also through PgBouncer in transaction mode. A `Client` of pg, or the `sql` of a
 * transaction, joins the transaction that the host has begun on it: there each error is thrown, because it has ended the transaction.
 *
 * It must be connected to the primary. On a replica each call fails with `store_failed`, also for a user who has no record. So does it
 * where row-level security applies to the role of the connection: a hidden record would look like none.
 *
 * @example
 * ```ts
 * import type { Store } from 'countersign'
 * import { createPostgresTables, type PgPool, postgresStore } from 'countersign/stores/postgres'
 *
 * // `new Pool({ connectionString })` of pg, or `postgres(connectionString)` of postgres
 * export async function storeIn(pool: PgPool): Promise<Store> {
 *   await createPostgresTables(pool)
 *   return postgresStore(pool)
 * }
 * ```
 *
 * @throws {@link CountersignError} `invalid_input` for a value that is no pool.
 */
export function postgresStore(pool: PgPool | PostgresSql, options: SqlOptions = {}): WholeStore {
  const table = tableOf(options)
  return sqlStore(POSTGRES, table, connectionOf(pool))
}

/**
 * Creates the tables that are missing, and checks those that are there. It may run at each start, in several processes at once.
 * Where both tables are there, it only reads, and needs no right to create any.
 *
 * @example
 * ```ts
 * import { createPostgresTables, type PgPool } from 'countersign/stores/postgres'
 *
 * export const migrate = (pool: PgPool) => createPostgresTables(pool, { table: 'second_factor' })
 * ```
 *
 * @throws {@link CountersignError} `store_failed` where the database refuses, or where a table would not keep the contract: a version
 *   of 32 bits, a collation that takes two ids for one, no primary key. The message has the statement that mends it.
 */
export async function createPostgresTables(pool: PgPool | PostgresSql, options: SqlOptions = {}): Promise<void> {
  const table = tableOf(options)
  const { send } = connectionOf(pool)
  await createTables(POSTGRES, POSTGRES_CATALOG, table, send)
}

/**
 * The statements that create the tables, for migrations in files.
 *
 * @example
 * ```ts
 * import { writeFileSync } from 'node:fs'
 * import { postgresSchema } from 'countersign/stores/postgres'
 *
 * writeFileSync('migrations/0001-second-factor.sql', postgresSchema())
 * ```
 *
 * @throws {@link CountersignError} `invalid_input` for another table name than letters, digits and `_`.
 */
export const postgresSchema = (options: SqlOptions = {}): string =>
  POSTGRES.schema(tableOf(options))
    .map((statement) => `${statement};\n`)
    .join('\n')

function connectionOf(pool: PgPool | PostgresSql): Connection {
  const send = sendThrough(pool)
  // After an error, a transaction takes no statement until its end. A pool takes the statement on another connection.
  const joined = () =>
    send('SELECT 1', []).then(
      () => false,
      () => true,
    )
  return { send, joined }
}

/** Neither way prepares a statement by a name, which PgBouncer would not find again on another connection. */
function sendThrough(pool: PgPool | PostgresSql): Send {
  const numbered = numberedTexts()
  if (typeof (pool as Partial<PostgresSql> | null)?.unsafe === 'function') {
    const sql = pool as PostgresSql
    return async (text, values): Promise<Answer> => {
      const rows = await sql.unsafe(numbered(text), values)
      return { rows, count: rows.count }
    }
  }
  if (typeof (pool as Partial<PgPool> | null)?.query !== 'function')
    throw invalid('pool', 'must be a Pool or a Client of pg, or the sql of postgres')
  const pg = pool as PgPool
  return async (text, values): Promise<Answer> => {
    const { rows, rowCount } = await pg.query(numbered(text), values)
    return { rows, count: rowCount }
  }
}

/** Texts with `$1`, `$2`, … for each `?`. There are few, so that each is made once. */
function numberedTexts(): (text: string) => string {
  const known = new Map<string, string>()
  return (text) => {
    let made = known.get(text)
    if (made === undefined) {
      let number = 0
      made = text.replaceAll('?', () => `$${++number}`)
      known.set(text, made)
    }
    return made
  }
}
