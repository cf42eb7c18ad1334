// The drivers of SQLite. Each opens a file; with `exact`, it gives whole numbers as BigInt.
import { existsSync } from 'node:fs'

const DRIVERS = {
  'better-sqlite3': async (file, { exact = false } = {}) => {
    const { default: Database } = await import('better-sqlite3')
    return new Database(file).defaultSafeIntegers(exact)
  },
  libsql: async (file, { exact = false } = {}) => {
    const { default: Database } = await import('libsql')
    return new Database(file).defaultSafeIntegers(exact)
  },
  '@libsql/client': async (file, { exact = false } = {}) => {
    const { createClient } = await import('@libsql/client')
    return createClient({ url: `file:${file}`, intMode: exact ? 'bigint' : 'number' })
  },
  'node:sqlite': async (file, { exact = false } = {}) => {
    const { DatabaseSync } = await import('node:sqlite')
    return new DatabaseSync(file, { readBigInts: exact })
  },
  'bun:sqlite': async (file, { exact = false } = {}) => {
    const { Database } = await import('bun:sqlite')
    return new Database(file, { create: true, readwrite: true, safeIntegers: exact })
  },
}

/**
 * Opens a database in WAL mode, which stays in the file.
 * @param {string} driver
 * @param {string} file
 * @param {{ exact?: boolean }} [options]
 */
export async function openSqlite(driver, file, options) {
  const existed = existsSync(file)
  const database = await DRIVERS[driver](file, options)
  if (!existed) await query(database, 'PRAGMA journal_mode = WAL')
  return database
}

/** Runs a statement, and gives its rows. */
export async function query(database, sql) {
  if (database.execute) return (await database.execute({ sql, args: [] })).rows
  if (/^(SELECT|PRAGMA)/.test(sql)) return database.prepare(sql).all()
  database.exec(sql)
  return []
}

/** Begins a transaction, and gives what takes its statements. */
export async function begin(database, mode = 'deferred') {
  if (database.transaction && database.execute) return database.transaction(mode === 'immediate' ? 'write' : 'deferred')
  database.exec(`BEGIN ${mode}`)
  return database
}

/** Ends a transaction without its writes. */
export const rollback = async (transaction) =>
  transaction.rollback ? transaction.rollback() : transaction.exec('ROLLBACK')
