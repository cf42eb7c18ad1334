/**
 * Storage through Kysely.
 *
 * @packageDocumentation
 */
import { invalid } from '../error.js'
import type { WholeStore } from '../store.js'
import { readTagOptions, type TagOptions, withoutValues } from './dialects.js'
import { sqlStore } from './sql-store.js'

export { CountersignError, type ErrorCode, type RuleErrorCode } from '../error.js'
export type { DialectName, Tag, TagOptions } from './dialects.js'
export type { SqlOptions } from './sql-store.js'

/** A `Kysely`, or a `Transaction` of it: the part that the store uses. */
export interface KyselyDatabase {
  /** Whether it is a transaction. */
  readonly isTransaction: boolean
  /** The same without plugins, which could change the rows. */
  withoutPlugins(): unknown
}

/** A query of Kysely's `sql`. */
export interface KyselyQuery {
  /** Sends it. */
  execute(database: never): Promise<{ rows: unknown[]; numAffectedRows?: bigint | undefined }>
}

/**
 * Through Kysely, on PostgreSQL, MySQL, MariaDB or SQLite. The tables must be there.
 *
 * Over a transaction the statements are part of it, and a lost race ends the call with `store_failed`.
 *
 * @example
 * ```ts
 * import type { Store } from 'countersign'
 * import { type KyselyDatabase, type KyselyQuery, kyselyStore, type Tag } from 'countersign/stores/kysely'
 *
 * // `db` is your `new Kysely(…)`, and `sql` is what the package exports: `import { sql } from 'kysely'`
 * export function storeIn(db: KyselyDatabase, sql: Tag<KyselyQuery>): Store {
 *   return kyselyStore(db, { sql, dialect: 'sqlite', table: 'second_factor' })
 * }
 * ```
 *
 * @throws {@link CountersignError} `invalid_input` for a value that is no `Kysely`, and for wrong options.
 */
export function kyselyStore(database: KyselyDatabase, options: TagOptions<KyselyQuery>): WholeStore {
  const { dialect, table, queryOf } = readTagOptions(options)
  if (typeof database?.withoutPlugins !== 'function')
    throw invalid('database', 'must be a Kysely or a Transaction of it')
  const plain = database.withoutPlugins() as never
  return sqlStore(dialect, table, {
    async send(sql, values) {
      try {
        const { rows, numAffectedRows } = await queryOf(sql, values).execute(plain)
        return { rows, count: numAffectedRows }
      } catch (error) {
        throw withoutValues(error)
      }
    },
    joined: () => database.isTransaction,
  })
}
