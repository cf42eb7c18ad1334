/**
 * Storage through Drizzle.
 *
 * @packageDocumentation
 */
import { invalid } from '../error.js'
import type { WholeStore } from '../store.js'
import { readTagOptions, type TagOptions, withoutValues } from './dialects.js'
import { type Answer, isQuery, sqlStore } from './sql-store.js'

export { CountersignError, type ErrorCode, type RuleErrorCode } from '../error.js'
export type { DialectName, Tag, TagOptions } from './dialects.js'
export type { SqlOptions } from './sql-store.js'

/** A database of Drizzle, or a transaction of it: the part that the store uses. */
export interface DrizzleDatabase {
  /** Sends a query to PostgreSQL or MySQL. */
  execute?(query: never): PromiseLike<unknown>
  /** Sends a query to SQLite, for its rows. */
  all?(query: never): unknown
  /** Sends a query to SQLite, for the number of rows that it changed. */
  run?(query: never): unknown
  /** Only a transaction has it. */
  rollback?(): unknown
}

/**
 * Through Drizzle, on PostgreSQL (pg, postgres), MySQL or MariaDB (mysql2), or SQLite (better-sqlite3, bun:sqlite,
 * \@libsql/client). The tables must be there.
 *
 * Over a transaction the statements are part of it, and a lost race ends the call with `store_failed`.
 *
 * @example
 * ```ts
 * import type { Store } from 'countersign'
 * import { type DrizzleDatabase, drizzleStore, type Tag } from 'countersign/stores/drizzle'
 *
 * // `db` is your `drizzle(…)`, and `sql` is what the package exports: `import { sql } from 'drizzle-orm'`
 * export function storeIn(db: DrizzleDatabase, sql: Tag<object>): Store {
 *   return drizzleStore(db, { sql, dialect: 'sqlite', table: 'second_factor' })
 * }
 * ```
 *
 * @throws {@link CountersignError} `invalid_input` for a value that is no database of Drizzle, and for wrong options.
 */
export function drizzleStore(database: DrizzleDatabase, options: TagOptions<object>): WholeStore {
  const { dialect, table, queryOf } = readTagOptions(options)
  const needed = options.dialect === 'sqlite' ? (['all', 'run'] as const) : (['execute'] as const)
  if (needed.some((name) => typeof database?.[name] !== 'function'))
    throw invalid('database', `must be a database of Drizzle for ${dialect.name}`)
  return sqlStore(dialect, table, {
    async send(sql, values) {
      const asks = isQuery(sql)
      const call = options.dialect !== 'sqlite' ? 'execute' : asks ? 'all' : 'run'
      try {
        const given = await database[call]!(queryOf(sql, values) as never)
        // mysql2 gives a pair: rows and columns, or counts and nothing.
        const answer: unknown = options.dialect === 'mysql' && Array.isArray(given) ? given[0] : given
        return asks ? { rows: rowsOf(answer) } : { rows: [], count: countOf(answer) }
      } catch (error) {
        throw withoutValues(error)
      }
    },
    joined: () => typeof database.rollback === 'function',
  })
}

/** The rows in an answer: it is a list of them, or has one. */
const rowsOf = (answer: unknown) => (Array.isArray(answer) ? answer : (answer as Answer | undefined)?.rows) as unknown[]

/** The number of changed rows in an answer, which each driver gives by a name of its own. */
function countOf(answer: unknown): Answer['count'] {
  type Name = 'rowCount' | 'affectedRows' | 'changes' | 'rowsAffected' | 'count'
  // pg; mysql2; better-sqlite3 and bun:sqlite; @libsql/client; and postgres, on its list of rows
  const { rowCount, affectedRows, changes, rowsAffected, count } = (answer ?? {}) as Record<Name, Answer['count']>
  return Array.isArray(answer) ? count : (rowCount ?? affectedRows ?? changes ?? rowsAffected)
}
