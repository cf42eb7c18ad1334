// The store through Drizzle, on real databases and with each driver.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { drizzleStore } from 'countersign/stores/drizzle'
import { sql } from 'drizzle-orm'
import * as betterSqlite3 from 'drizzle-orm/better-sqlite3'
import * as libsql from 'drizzle-orm/libsql'
import * as mysql2 from 'drizzle-orm/mysql2'
import * as nodePostgres from 'drizzle-orm/node-postgres'
import * as postgresJs from 'drizzle-orm/postgres-js'
import mysql from 'mysql2/promise'
import pg from 'pg'
import postgres from 'postgres'
import { storeContract } from './contract.mjs'
import { createSqliteTables, mysqlUrl, newFile, postgresUrl } from './databases.mjs'
import { openSqlite } from './sqlite/drivers.mjs'
import { losesBySerialization, oneSignsIn, throwsInTransaction } from './wrap-checks.mjs'

/** Each driver with its dialect. */
const DRIVERS = {
  pg: {
    dialect: 'postgres',
    async open(t, options = {}) {
      const pool = new pg.Pool({ connectionString: await postgresUrl(), ...options })
      t.after(() => pool.end())
      return nodePostgres.drizzle(pool)
    },
  },
  postgres: {
    dialect: 'postgres',
    async open(t) {
      const client = postgres(await postgresUrl())
      t.after(() => client.end())
      return postgresJs.drizzle(client)
    },
  },
  mysql2: {
    dialect: 'mysql',
    async open(t) {
      const pool = mysql.createPool(await mysqlUrl())
      t.after(() => pool.end())
      return mysql2.drizzle(pool)
    },
  },
  'better-sqlite3': {
    dialect: 'sqlite',
    open: async (t) => betterSqlite3.drizzle(await createSqliteTables(await openSqlite('better-sqlite3', newFile(t)))),
  },
  '@libsql/client': {
    dialect: 'sqlite',
    open: async (t) => libsql.drizzle(await createSqliteTables(await openSqlite('@libsql/client', newFile(t)))),
  },
}

for (const [driver, { dialect, open }] of Object.entries(DRIVERS)) {
  const storeOf = (db) => drizzleStore(db, /** @type {any} */ ({ sql, dialect }))
  storeContract(`drizzleStore on ${driver}`, async (t) => storeOf(await open(t)))

  test(`one code signs in once through two stores on ${driver}`, async (t) => {
    const db = await open(t)
    await oneSignsIn([storeOf(db), storeOf(db)])
  })

  // A transaction on better-sqlite3 ends before an answer of the store: it takes no function that waits.
  if (driver !== 'better-sqlite3')
    test(`D2: in a transaction on ${driver} a lost race is an error at once`, async (t) => {
      const db = await open(t)
      await throwsInTransaction(storeOf(db), async (job) => db.transaction((tx) => job(storeOf(tx))))
    })
}

test('D2: 40001 of PostgreSQL says that another writer was faster', async (t) => {
  const options = { options: '-c default_transaction_isolation=repeatable\\ read' }
  const db = await DRIVERS.pg.open(t, options)
  await losesBySerialization(
    drizzleStore(db, { sql, dialect: 'postgres' }),
    (text) => db.execute(sql.raw(text)),
    async (job) => {
      const client = await db.$client.connect()
      await job((text) => client.query(text)).finally(() => client.release())
    },
  )
})

test('D1: an answer without a count that a driver gives is an error', async () => {
  /** @type {unknown[]} */
  const answers = [
    ...[undefined, null, true, 1, 'INSERT 0 1', {}, [], [1], [[], []], { rows: [1] }, { meta: { changes: 1 } }],
    ...[{ count: 1 }, [{ count: 1 }], { rowCount: null }, { rowCount: '1' }, { changes: true }, { rowCount: 2 }],
  ]
  for (const dialect of ['postgres', 'mysql', 'sqlite'])
    for (const answer of answers) {
      const db = { execute: async () => answer, run: () => answer, all: () => [] }
      const store = drizzleStore(db, /** @type {any} */ ({ sql, dialect }))
      const message = `${dialect}: ${JSON.stringify(answer)}`
      await assert.rejects(store.save({ user: 'ann' }, 'x', undefined), { code: 'store_failed' }, message)
      await assert.rejects(store.save({ user: 'ann' }, 'x', 1), { code: 'store_failed' }, message)
      await assert.rejects(store.delete({ user: 'ann' }, 1), { code: 'store_failed' }, message)
    }
})

test('D5: an answer without rows is an error, and no empty list', async () => {
  for (const dialect of ['postgres', 'mysql', 'sqlite'])
    for (const answer of [undefined, null, true, 1, {}, { result: [] }, { rows: {} }, { rows: null }]) {
      const db = { execute: async () => answer, all: () => answer, run: () => answer }
      const store = drizzleStore(db, /** @type {any} */ ({ sql, dialect }))
      for (const ask of [store.load({ user: 'ann' }), store.list({ limit: 1 }), store.revoked()])
        await assert.rejects(ask, { code: 'store_failed' }, `${dialect}: ${JSON.stringify(answer)}`)
    }
})

test('other values than a database of Drizzle, its `sql` and a known dialect are refused', () => {
  const refused = (/** @type {any} */ database, /** @type {any} */ options) =>
    assert.throws(() => drizzleStore(database, options), { code: 'invalid_input' }, JSON.stringify(options))
  for (const dialect of ['postgres', 'mysql', 'sqlite'])
    for (const database of [undefined, null, {}, 7, { run() {} }, { all() {} }]) refused(database, { sql, dialect })
  refused({ execute() {} }, { sql, dialect: 'sqlite' })
  refused({ run() {}, all() {} }, { sql, dialect: 'mysql' })
  refused({ execute() {} }, { dialect: 'postgres' })
  refused({ execute() {} }, { sql, dialect: 'toString' })
  refused({ execute() {} }, { sql, dialect: 'postgres', table: 'a;b' })
})
