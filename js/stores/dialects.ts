// The dialects, and what Kysely and Drizzle have in common: both take a statement by their own tag `sql`.
import { invalid } from '../error.js'
import { MYSQL } from './mysql-dialect.js'
import { POSTGRES } from './postgres-dialect.js'
import { type Dialect, type SqlOptions, tableOf, type Value } from './sql-store.js'
import { SQLITE } from './sqlite-dialect.js'

/** Kysely and Drizzle have mysql2 write the values into the text of a statement, where a backslash keeps a quote from ending it. */
const MYSQL_IN_TEXT: Dialect = {
  ...MYSQL,
  unfit: (table) => `CASE WHEN @@sql_mode LIKE '%NO_BACKSLASH_ESCAPES%' THEN 'escapes' ELSE ${MYSQL.unfit(table)} END`,
}

/** The database behind Kysely or Drizzle. */
export type DialectName = 'postgres' | 'mysql' | 'sqlite'

const DIALECTS: Record<DialectName, Dialect> = { postgres: POSTGRES, mysql: MYSQL_IN_TEXT, sqlite: SQLITE }

/** The tag `sql` of a package: it takes the texts of a statement, and the values between them. */
export type Tag<Query> = (texts: TemplateStringsArray, ...values: unknown[]) => Query

/** The options of a store over a package with a tag. */
export interface TagOptions<Query> extends SqlOptions {
  /** The `sql` that the package exports. */
  sql: Tag<Query>
  /** The database. */
  dialect: DialectName
}

/** The dialect, the name of the table, and a function that makes a query of a statement. */
export function readTagOptions<Query>(options: TagOptions<Query>) {
  const { sql, dialect, ...rest } = options ?? {}
  if (typeof sql !== 'function') throw invalid('sql', 'must be the `sql` that the package exports')
  if (!Object.hasOwn(DIALECTS, dialect)) throw invalid('dialect', `must be one of ${Object.keys(DIALECTS).join(', ')}`)
  const queryOf = (statement: string, values: Value[]): Query => {
    const texts = statement.split('?')
    return sql(Object.assign(texts, { raw: texts }), ...values)
  }
  return { dialect: DIALECTS[dialect], table: tableOf(rest), queryOf }
}

/**
 * The error of the driver, without the values of the statement, which are a record and ids. Drizzle puts an error without a code
 * around it, which may have them in its message; mysql2 has them in `sql`.
 */
export function withoutValues(error: unknown): unknown {
  const { code, cause, sql } = (error ?? {}) as Record<'code' | 'cause' | 'sql', unknown>
  if (code === undefined && cause !== undefined) return withoutValues(cause)
  if (sql !== undefined) delete (error as { sql?: unknown }).sql
  return error
}
