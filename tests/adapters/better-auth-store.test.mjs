// The store in better-auth's database, by the kit: on SQLite in several processes, and on the memory adapter of tests.
import './use-frameworks.mjs'
import assert from 'node:assert/strict'
import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { betterAuth } from 'better-auth'
import { memoryAdapter } from 'better-auth/adapters/memory'
import { generateKeys } from 'countersign'
import { proveStore } from 'countersign/testing/store'

const { betterAuthStore, secondFactor } = await import('countersign/better-auth')
process.env.BETTER_AUTH_SQLITE = join(mkdtempSync(join(tmpdir(), 'better-auth-')), 'auth.sqlite')
const { default: openSqlite } = await import('./better-auth-sqlite.mjs')
const named = (name) => (title, run, timeout) => test(`${name}: ${title}`, { timeout }, run)
const POLICY = { v: 1, name: 'Acme', origin: 'https://acme.example' }

const authOn = (database) =>
  betterAuth({
    database,
    secret: 'a secret of this test alone, 0123456789',
    baseURL: 'http://localhost',
    telemetry: { enabled: false },
    plugins: [/** @type {any} */ (secondFactor({ policy: POLICY, keys: generateKeys() }))],
  })

proveStore({
  test: named('D1: SQLite'),
  open: openSqlite,
  module: new URL('./better-auth-sqlite.mjs', import.meta.url),
})

const rows = { user: [], session: [], account: [], verification: [], secondFactorRecord: [], secondFactorRevoked: [] }
const inMemory = authOn(memoryAdapter(rows))
proveStore({
  test: named('D1: memory adapter'),
  open: async () => ({ store: await betterAuthStore(inMemory) }),
  module: false,
})

test('D1: an adapter that gives less than it was asked for leaves out no entry and no record', async () => {
  const tables = { secondFactorRecord: [], secondFactorRevoked: [] }
  const { adapter } = await authOn(memoryAdapter({ ...rows, ...tables })).$context
  const findMany = (query) => adapter.findMany({ ...query, limit: Math.min(query.limit, 2) })
  const store = await betterAuthStore({ $context: Promise.resolve({ adapter: { ...adapter, findMany } }) })
  const ids = ['a', 'b', 'c', 'd', 'e']
  await store.revoke({ sessions: ids }, { now: 1, until: 100 })
  assert.deepEqual([...(await store.revoked()).sessions].sort(), ids)
  for (const user of ids) await store.save({ user }, `record of ${user}`, undefined)
  const found = []
  let after
  do {
    const { records, next } = await store.list({ limit: 1_000, after })
    found.push(...records.map(({ id }) => id.user))
    after = next
  } while (after !== undefined)
  assert.deepEqual(found.sort(), ids)
})

test('D1: an adapter that enforces no unique key, or counts wrong, is refused', async () => {
  const { adapter } = await inMemory.$context
  const broken = [
    [{ ...adapter, id: 'other' }, /enforces no unique key/],
    [{ ...adapter, updateMany: async () => undefined }, /does not count the rows/],
    [{ ...adapter, updateMany: async () => 1 }, /updates rows of another version/],
    [{ ...adapter, updateMany: async () => 0 }, /does not count the rows/],
  ]
  for (const [given, message] of broken) {
    const store = await betterAuthStore({ $context: Promise.resolve({ adapter: given }) })
    await assert.rejects(store.save({ user: 'ann' }, 'record', undefined), (/** @type {any} */ error) => {
      assert.equal(error.code, 'store_failed')
      assert.match(error.message, /** @type {RegExp} */ (message))
      assert.match(error.message, /hand in a store of your own/)
      return true
    })
  }
})
