// PostgreSQL: its tables, its statements and its errors.
import { type Dialect, textOf } from './sql-store.js'
import type { Catalog } from './sql-tables.js'

/** Nothing was written: a serialization failure, a deadlock, and a row that is there already. A lock that is not had in time is none of them. */
const FASTER = ['40001', '40P01', '23505']

/** PostgreSQL. */
export const POSTGRES: Dialect = {
  name: 'PostgreSQL',
  // COLLATE "C" compares bytes: no two ids are equal, and of two texts the order is the same on each server.
  schema: (table) => [
    `CREATE TABLE IF NOT EXISTS ${table} (
  account text COLLATE "C" NOT NULL,
  user_id text COLLATE "C" NOT NULL,
  record text NOT NULL,
  version bigint NOT NULL,
  PRIMARY KEY (account, user_id)
)`,
    `CREATE TABLE IF NOT EXISTS ${table}_revoked (
  kind text COLLATE "C" NOT NULL,
  account text COLLATE "C" NOT NULL,
  id text COLLATE "C" NOT NULL,
  value text COLLATE "C" NOT NULL,
  until bigint NOT NULL,
  PRIMARY KEY (kind, account, id)
)`,
    `CREATE INDEX IF NOT EXISTS ${table}_revoked_by_end ON ${table}_revoked (until)`,
  ],
  // A replica that lags, and a policy that hides a row, would let users in without a second factor. SQL_ASCII converts nothing.
  unfit: (table) =>
    `CASE
       WHEN pg_is_in_recovery() THEN 'replica'
       WHEN row_security_active('${table}') OR row_security_active('${table}_revoked') THEN 'policies'
       WHEN pg_client_encoding() NOT IN ('UTF8', 'SQL_ASCII') THEN 'encoding'
     END`,
  // Entries may come in any order.
  keep: (list) =>
    `INSERT INTO ${list} AS listed (kind, account, id, value, until) VALUES (?, ?, ?, ?, ?)
     ON CONFLICT (kind, account, id) DO UPDATE
     SET value = GREATEST(listed.value COLLATE "C", excluded.value), until = GREATEST(listed.until, excluded.until)`,
  failure(error) {
    const code = (error as { code?: unknown } | null)?.code
    if (code === '42P01') return 'missing'
    return FASTER.includes(code as string) ? 'faster' : 'unknown'
  },
}

/** Errors of CREATE … IF NOT EXISTS where another process creates the same: it looks first, and then finds a row of the catalog there. */
const RACES = ['23505', '42P07', '42710', '40P01']

/** Text of 256 characters or more. `citext`, and a collation that is not deterministic, take two ids for one; `character` drops spaces. */
const isIdType = (type: string): boolean =>
  type === 'text' || type === 'character varying' || Number(/^character varying\((\d+)\)$/.exec(type)?.[1] ?? 0) >= 256

/** Its tables as they are. */
export const POSTGRES_CATALOG: Catalog = {
  async find(send, table) {
    const columns = await send(
      `SELECT attname AS name, format_type(atttypid, atttypmod)
         || CASE WHEN collisdeterministic = false THEN ' COLLATE "' || collname || '"' ELSE '' END AS type
       FROM pg_attribute LEFT JOIN pg_collation ON pg_collation.oid = attcollation
       WHERE attrelid = to_regclass(?) AND attnum > 0 AND NOT attisdropped`,
      [table],
    )
    const keys = await send(
      `SELECT string_agg(attname::text, ',' ORDER BY attname::text COLLATE "C") AS key
       FROM pg_index JOIN pg_attribute ON attrelid = indrelid AND attnum = ANY ((indkey::int2[])[0:indnkeyatts - 1])
       WHERE indrelid = to_regclass(?)
         AND indisunique AND indisvalid AND indimmediate AND indpred IS NULL AND indexprs IS NULL
       GROUP BY indexrelid`,
      [table],
    )
    if (columns.rows.length === 0) return undefined
    const types = (columns.rows as Record<'name' | 'type', unknown>[]).map(({ name, type }): [string, string] => [
      textOf(name),
      textOf(type),
    ])
    return {
      types: new Map(types),
      keys: (keys.rows as { key: unknown }[]).map(({ key }) => textOf(key)),
      faults: [],
    }
  },
  types: { id: 'text COLLATE "C"', record: 'text', whole: 'bigint' },
  fits: {
    id: isIdType,
    record: (type) => type === 'text' || type === 'character varying',
    whole: (type) => type === 'bigint',
  },
  alter: (table, column, type) => `ALTER TABLE ${table} ALTER COLUMN ${column} TYPE ${type}`,
  isRace: (error) => RACES.includes((error as { code?: unknown } | null)?.code as string),
}
