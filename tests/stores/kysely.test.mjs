// The store through Kysely, on real databases.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { kyselyStore } from 'countersign/stores/kysely'
import {
  CamelCasePlugin,
  Kysely,
  MysqlDialect,
  ParseJSONResultsPlugin,
  PostgresDialect,
  SqliteDialect,
  sql,
} from 'kysely'
import mysql from 'mysql2'
import pg from 'pg'
import { storeContract } from './contract.mjs'
import { createSqliteTables, mysqlUrl, newFile, postgresUrl } from './databases.mjs'
import { openSqlite } from './sqlite/drivers.mjs'
import { losesBySerialization, oneSignsIn, throwsInTransaction } from './wrap-checks.mjs'

const OPEN = {
  async postgres(t, options = {}) {
    const pool = new pg.Pool({ connectionString: await postgresUrl(), ...options })
    return new PostgresDialect({ pool })
  },
  async mysql() {
    return new MysqlDialect({ pool: mysql.createPool(await mysqlUrl()) })
  },
  async sqlite(t) {
    return new SqliteDialect({ database: await createSqliteTables(await openSqlite('better-sqlite3', newFile(t))) })
  },
}

/** Opens a database in Kysely. */
async function open(t, dialect, options) {
  const db = new Kysely({
    dialect: await OPEN[dialect](t, options),
    plugins: [new CamelCasePlugin(), new ParseJSONResultsPlugin()],
  })
  t.after(() => db.destroy())
  return db
}

for (const dialect of Object.keys(OPEN)) {
  const storeOf = (db) => kyselyStore(db, /** @type {any} */ ({ sql, dialect }))
  storeContract(`kyselyStore on ${dialect}`, async (t) => storeOf(await open(t, dialect)))

  test(`one code signs in once through two stores on ${dialect}`, async (t) => {
    const db = await open(t, dialect)
    await oneSignsIn([storeOf(db), storeOf(db)])
  })

  test(`a record in JSON is text on ${dialect}`, async (t) => {
    const store = storeOf(await open(t, dialect))
    assert.equal(await store.save({ user: 'ann' }, '{"v":1}', undefined), true)
    assert.equal((await store.load({ user: 'ann' })).record, '{"v":1}')
  })

  test(`D2: in a transaction on ${dialect} a lost race is an error at once`, async (t) => {
    const db = await open(t, dialect)
    await throwsInTransaction(storeOf(db), (job) => db.transaction().execute((tx) => job(storeOf(tx))))
  })
}

test('D2: 40001 of PostgreSQL says that another writer was faster', async (t) => {
  const options = { options: '-c default_transaction_isolation=repeatable\\ read' }
  const db = await open(t, 'postgres', options)
  await losesBySerialization(
    kyselyStore(db, { sql, dialect: 'postgres' }),
    (text) => sql.raw(text).execute(db),
    (job) => db.connection().execute((one) => job((text) => sql.raw(text).execute(one))),
  )
})

test('D3: MySQL is refused in a mode in which an id can end its quotes', async (t) => {
  const db = await open(t, 'mysql')
  await db.connection().execute(async (one) => {
    const store = kyselyStore(one, { sql, dialect: 'mysql' })
    assert.equal(await store.load({ user: 'ann' }), undefined)
    await sql.raw("SET SESSION sql_mode = 'NO_BACKSLASH_ESCAPES'").execute(one)
    await assert.rejects(store.load({ user: 'ann' }), { code: 'store_failed', message: /NO_BACKSLASH_ESCAPES/ })
  })
})

test('D1: an answer without a count is an error', async () => {
  const db = { isTransaction: false, withoutPlugins: () => db }
  for (const answer of [
    {},
    { count: 1 },
    { numAffectedRows: true },
    { numAffectedRows: '1' },
    { numAffectedRows: 2n },
  ]) {
    /** @type {any} */
    const fake = () => ({ execute: async () => ({ rows: [], ...answer }) })
    const store = kyselyStore(db, { sql: fake, dialect: 'sqlite' })
    await assert.rejects(
      store.save({ user: 'ann' }, 'x', undefined),
      { code: 'store_failed' },
      Object.keys(answer).join(),
    )
    await assert.rejects(store.save({ user: 'ann' }, 'x', 1), { code: 'store_failed' })
  }
})

test('other values than a Kysely, its `sql` and a known dialect are refused', () => {
  const db = { isTransaction: false, withoutPlugins: () => db }
  const refused = (/** @type {any} */ database, /** @type {any} */ options) =>
    assert.throws(() => kyselyStore(database, options), { code: 'invalid_input' }, JSON.stringify(options))
  for (const database of [undefined, null, {}, 7]) refused(database, { sql, dialect: 'sqlite' })
  for (const options of [
    undefined,
    null,
    { dialect: 'sqlite' },
    { sql },
    { sql, dialect: 'oracle' },
    { sql, dialect: '__proto__' },
    { sql, dialect: 'sqlite', table: 'a b' },
    { sql, dialect: 'sqlite', tables: 'a' },
  ])
    refused(db, options)
})
