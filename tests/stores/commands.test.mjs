// The operator's commands on each database.
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { generateKeys } from 'countersign'
import { mysqlUrl, newFile, postgresUrl } from './databases.mjs'
import { startRedis } from './servers/redis.mjs'
import { without } from './servers/server.mjs'

/** For each database: its address, and the lines of a host's file that open the store and never close it. */
const STORES = {
  PostgreSQL: {
    needs: 'postgres',
    address: () => postgresUrl(),
    lines: (url) => `
      import pg from '${import.meta.resolve('pg')}'
      import { postgresStore } from '${import.meta.resolve('countersign/stores/postgres')}'
      const store = postgresStore(new pg.Pool({ connectionString: '${url}' }))`,
  },
  MariaDB: {
    needs: 'mariadb',
    address: () => mysqlUrl(),
    lines: (url) => `
      import mysql from '${import.meta.resolve('mysql2/promise')}'
      import { mysqlStore } from '${import.meta.resolve('countersign/stores/mysql')}'
      const store = mysqlStore(mysql.createPool('${url}'))`,
  },
  Redis: {
    needs: 'redis',
    address: async (t) => (await startRedis(t)).url,
    lines: (url) => `
      import { createClient } from '${import.meta.resolve('redis')}'
      import { redisStore } from '${import.meta.resolve('countersign/stores/redis')}'
      const store = redisStore(await createClient({ url: '${url}' }).connect())`,
  },
  SQLite: {
    address: newFile,
    lines: (file) => `
      import Database from '${import.meta.resolve('better-sqlite3')}'
      import { sqliteStore } from '${import.meta.resolve('countersign/stores/sqlite')}'
      const store = sqliteStore(new Database('${file}'))`,
  },
}

/** better-auth's own tables, in its own database: `query` sends a statement. */
const BETTER_AUTH = {
  PostgreSQL: async (url) => {
    const { default: pg } = await import('pg')
    const pool = new pg.Pool({ connectionString: url })
    return { query: (sql, values) => pool.query(sql, values), value: (n) => `$${n}`, quote: '"', end: () => pool.end() }
  },
  MariaDB: async (url) => {
    const { createPool } = await import('mysql2/promise')
    const pool = createPool(url)
    return { query: (sql, values) => pool.query(sql, values), value: () => '?', quote: '`', end: () => pool.end() }
  },
}

const cli = fileURLToPath(new URL('../../pkg/cli.cjs', import.meta.url))

for (const [name, { needs, address, lines }] of Object.entries(STORES)) {
  test(`countersign recovery, list and delete on ${name}`, {
    skip: needs && without(/** @type {'redis'} */ (needs)),
  }, async (t) => {
    const config = `${newFile(t)}.mjs`
    const policy = { v: 1, name: 'Acme', origin: 'https://acme.example', methods: ['totp', 'recovery_code'] }
    writeFileSync(
      config,
      `${lines(await address(t))}
      export default { policy: ${JSON.stringify(policy)}, keys: ${JSON.stringify(generateKeys())}, store }`,
    )
    // It ends by itself, though the pool or client stays open; otherwise it is killed, which is an error.
    const run = (...command) =>
      promisify(execFile)(process.execPath, [cli, ...command, '--config', config], { timeout: 30_000 })
    const ann = ['--account', 'acme', '--user', 'ann', '--operator', 'Jo']
    const bob = ['--user', 'bob', '--operator', 'Jo']
    const list = async () => (await run('list')).stdout.split('\n').filter(Boolean).sort()

    assert.deepEqual(await list(), [])
    for (const who of [ann, bob]) {
      const { stdout, stderr } = await run('recovery', 'issue', ...who)
      assert.match(stdout, /^\S+ {3}\(for user "(ann|bob)".*; counts once, until .*\)\n$/)
      assert.match(stderr, /^warning: there was no record of user "(ann|bob)"/)
    }
    assert.equal((await run('recovery', 'issue', ...ann)).stderr, '', 'the record is found')
    assert.deepEqual(
      (await list()).map((line) => line.split('\t').slice(0, 2)),
      [
        ['', 'bob'],
        ['acme', 'ann'],
      ],
    )
    assert.equal((await run('recovery', 'withdraw', ...ann)).stdout, 'withdrawn\n')
    assert.equal((await run('delete', ...ann)).stdout, 'deleted: user "ann" in account "acme"\n')
    assert.match((await run('delete', ...ann)).stdout, /^there is no record of user "ann"/)
    assert.equal((await list()).length, 1)
  })
}

for (const [name, open] of Object.entries(BETTER_AUTH)) {
  const { needs, address, lines } = STORES[name]
  test(`I1: countersign import reads better-auth's table on ${name}`, { skip: without(needs) }, async (t) => {
    const url = await address(t)
    const { query, value, quote, end } = await open(url)
    t.after(end)
    const exported = (file) => JSON.parse(readFileSync(new URL(`../imports/${file}`, import.meta.url), 'utf8'))
    const rows = exported('better-auth.json')
    const quoted = (text) => text.replaceAll('"', quote)
    await query(quoted('CREATE TABLE "user" (id VARCHAR(64) PRIMARY KEY, "twoFactorEnabled" BOOLEAN)'))
    await query(
      quoted(
        'CREATE TABLE "twoFactor" (id VARCHAR(64) PRIMARY KEY, secret TEXT, "userId" VARCHAR(64), verified BOOLEAN)',
      ),
    )
    // Two pages of rows, and one row.
    const all = Array.from({ length: 2_001 }, (_, n) => ({ ...rows[n % 8], id: `${n}`, userId: `user ${n}` }))
    for (const { id, secret, userId, verified } of all) {
      await query(quoted(`INSERT INTO "user" VALUES (${value(1)}, ${value(2)})`), [userId, true])
      const values = [1, 2, 3, 4].map(value).join(', ')
      await query(quoted(`INSERT INTO "twoFactor" VALUES (${values})`), [id, secret, userId, verified === 1])
    }
    const config = `${newFile(t)}.mjs`
    const policy = { v: 1, name: 'Acme', origin: 'https://acme.example' }
    writeFileSync(
      config,
      `${lines(await address(t))}
      export default { policy: ${JSON.stringify(policy)}, keys: ${JSON.stringify(generateKeys())}, store }`,
    )
    const env = { ...process.env, ...exported('better-auth.env.json'), AUTH: url }
    const cwd = fileURLToPath(new URL('.', import.meta.url))
    const args = ['import', '--from', 'better-auth', '--config', config, '--write', '--operator', 'Jo', 'env:AUTH']
    const told = await promisify(execFile)(process.execPath, [cli, ...args], { env, cwd, timeout: 60_000 }).catch(
      (error) => error,
    )
    assert.equal(told.code, 3, told.stderr)
    const refused = all.filter(({ verified }) => verified !== 1).length
    assert.match(told.stderr, new RegExp(`2,001 read\n${(2_001 - refused).toLocaleString('en')} imported`))
    assert.equal(told.stdout.split('\n').filter((line) => line.includes('\tnot_verified\t')).length, refused)
  })
}
