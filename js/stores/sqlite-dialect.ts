// SQLite: its tables, its statements and its errors.
import type { Dialect } from './sql-store.js'

/** The row is there already, or was written since a transaction has read it: names and numbers (sqlite.org/rescode.html). */
const FASTER = [
  ['SQLITE_CONSTRAINT_PRIMARYKEY', 1555],
  ['SQLITE_CONSTRAINT_UNIQUE', 2067],
  ['SQLITE_BUSY_SNAPSHOT', 517],
] as const

/** SQLite. */
export const SQLITE: Dialect = {
  name: 'SQLite',
  schema: (table) => [
    `CREATE TABLE IF NOT EXISTS ${table} (
      account TEXT NOT NULL, user_id TEXT NOT NULL, record TEXT NOT NULL, version INTEGER NOT NULL,
      PRIMARY KEY (account, user_id)
    ) STRICT`,
    `CREATE TABLE IF NOT EXISTS ${table}_revoked (
      kind TEXT NOT NULL, account TEXT NOT NULL, id TEXT NOT NULL, value TEXT NOT NULL, until INTEGER NOT NULL,
      PRIMARY KEY (kind, account, id)
    ) STRICT, WITHOUT ROWID`,
    `CREATE INDEX IF NOT EXISTS ${table}_revoked_by_end ON ${table}_revoked (until)`,
  ],
  unfit: () => 'NULL',
  // Entries may come in any order. Texts are compared byte by byte, so that the later epoch is the greater one.
  keep: (list) =>
    `INSERT INTO ${list} VALUES (?, ?, ?, ?, ?) ON CONFLICT (kind, account, id)
     DO UPDATE SET value = max(value, excluded.value), until = max(until, excluded.until)`,
  failure(error) {
    // By name in better-sqlite3, bun:sqlite and libsql, by number in node:sqlite; `code` of @libsql/client is less precise.
    const { code, extendedCode, errcode } = (error ?? {}) as Record<'code' | 'extendedCode' | 'errcode', unknown>
    return FASTER.some(([name, number]) => code === name || extendedCode === name || errcode === number)
      ? 'faster'
      : 'unknown'
  },
}
