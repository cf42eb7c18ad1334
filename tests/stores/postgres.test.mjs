// PostgreSQL, through both drivers, on real servers.
import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { CountersignError, createSecondFactor, generateKeys } from 'countersign'
import { createPostgresTables, postgresSchema, postgresStore } from 'countersign/stores/postgres'
import pg from 'pg'
import postgres from 'postgres'
import { eventually } from '../shared/eventually.mjs'
import { codeWithLostAnswer, sameCodeAtOnce, storeContract } from './contract.mjs'
import { cuttingProxy } from './cutting-proxy.mjs'
import { startPgbouncer } from './servers/pgbouncer.mjs'
import { startPostgres, startPostgresPair } from './servers/postgres.mjs'

const server = await startPostgres({ after })
const ANN = { account: 'acme', user: 'ann' }
const BEA = { account: 'acme', user: 'bea' }

/** A database of its own on the server, and its address. */
async function newDatabase() {
  const name = `test_${Math.random().toString(36).slice(2)}`
  const client = new pg.Client(server.url)
  await client.connect()
  await client.query(`CREATE DATABASE ${name}`)
  await client.end()
  return { ...server, database: name, url: server.url.replace(/postgres$/, name) }
}

/** Opens a pool of a driver: pg or postgres. */
const OPEN = {
  pg(t, url, settings = {}) {
    const options = Object.entries(settings).map(([name, value]) => `-c ${name}=${value}`)
    const pool = new pg.Pool({ connectionString: url, options: options.join(' ') })
    pool.on('error', () => {}) // of an idle connection, whose server has ended it
    t.after(() => pool.end())
    return pool
  },
  postgres(t, url, settings = {}) {
    const sql = postgres(url, { connection: settings, onnotice: () => {} })
    t.after(() => sql.end({ timeout: 1 })) // after a cut connection it would wait for ever
    return sql
  },
}
const DRIVERS = /** @type {('pg' | 'postgres')[]} */ (Object.keys(OPEN))

/** A database with the tables. */
async function prepared(t) {
  const database = await newDatabase()
  await createPostgresTables(OPEN.pg(t, database.url))
  return database
}

/** A client for the statements of a test. */
async function connected(t, { url }) {
  const client = new pg.Client(url)
  client.on('error', () => {})
  await client.connect()
  t.after(() => client.end().catch(() => {}))
  return client
}

/** Waits until a statement that begins so waits for a lock; gives the process of the server that runs it. */
const waiting = (client, start) =>
  eventually(async () => {
    const { rows } = await client.query(
      `SELECT pid FROM pg_stat_activity
       WHERE datname = current_database() AND wait_event_type = 'Lock' AND starts_with(query, $1)`,
      [start],
    )
    assert.equal(rows.length, 1)
    return rows[0].pid
  })

const isFault = (pattern) => (error) => {
  assert.ok(error instanceof CountersignError, String(error))
  assert.equal(error.code, 'store_failed')
  assert.match(error.message, pattern)
  return true
}
const isOfServer = (code) => (error) => {
  assert.equal(error.code, code, String(error))
  return true
}

for (const driver of DRIVERS) {
  const open = OPEN[driver]

  storeContract(`postgresStore on ${driver}`, async (t) => postgresStore(open(t, (await prepared(t)).url)))

  storeContract(`postgresStore on ${driver} through PgBouncer in transaction mode`, async (t) => {
    const bouncer = await startPgbouncer(t, await prepared(t), { settings: { default_pool_size: 3 } })
    return postgresStore(open(t, bouncer.url))
  })

  test(`${driver}: of 100 identical codes at once, through two pools, exactly one is verified`, async (t) => {
    const { url } = await prepared(t)
    const results = await sameCodeAtOnce([postgresStore(open(t, url)), postgresStore(open(t, url))])
    assert.equal(results.filter((result) => result === 'verified').length, 1, results.join())
    assert.deepEqual([...new Set(results)].sort(), ['already_used', 'verified'])
  })

  test(`D2: ${driver}: a serialization failure (40001) is a faster writer`, async (t) => {
    const database = await prepared(t)
    const store = postgresStore(open(t, database.url, { default_transaction_isolation: 'serializable' }))
    const other = await connected(t, database)
    await store.save(ANN, 'first', undefined)
    const { version } = await store.load(ANN)
    await other.query(`BEGIN; UPDATE second_factor SET record = 'other', version = 7 WHERE user_id = 'ann'`)
    const saved = store.save(ANN, 'mine', version)
    await waiting(await connected(t, database), 'UPDATE second_factor')
    await other.query('COMMIT')
    assert.equal(await saved, false)
    assert.deepEqual(await store.load(ANN), { record: 'other', version: 7 })
  })

  test(`D2: ${driver}: a deadlock (40P01) is a faster writer`, async (t) => {
    const database = await prepared(t)
    const store = postgresStore(open(t, database.url, { deadlock_timeout: 1_000 }))
    const other = await connected(t, database)
    const insert = (user) => other.query(`INSERT INTO second_factor VALUES ('acme', '${user}', 'other', 1)`)
    await other.query(`SET deadlock_timeout = '15s'; BEGIN`)
    const deadlocks = () => server.log().split('deadlock detected').length
    const before = deadlocks()
    await insert('bea')
    const inserted = store.insertMany([ANN, BEA, { user: 'cem' }].map((id) => ({ id, record: 'mine' })))
    await waiting(await connected(t, database), 'INSERT INTO second_factor (')
    // The server looks for a deadlock once for each wait, after its time: the statement of the store finds it.
    await insert('ann')
    await other.query('COMMIT')
    assert.deepEqual(await inserted, [false, false, true])
    assert.equal(deadlocks(), before + 1)
  })

  test(`D2: ${driver}: a statement that is cancelled (57014) fails, and is read back`, async (t) => {
    const database = await prepared(t)
    const store = postgresStore(open(t, database.url, { statement_timeout: 100 }))
    const other = await connected(t, database)
    await store.save(ANN, 'first', undefined)
    const before = await store.load(ANN)
    await other.query(`BEGIN; SELECT FROM second_factor FOR UPDATE`)
    await assert.rejects(store.save(ANN, 'mine', before.version), isOfServer('57014'))
    await assert.rejects(store.delete(ANN, before.version), isOfServer('57014'))
    await other.query('ROLLBACK')
    assert.deepEqual(await store.load(ANN), before)
  })

  test(`D2: ${driver}: a connection that is cut in the middle of a save fails, and the next call works`, async (t) => {
    const database = await prepared(t)
    const store = postgresStore(open(t, database.url))
    const other = await connected(t, database)
    await store.save(ANN, 'first', undefined)
    const before = await store.load(ANN)
    await other.query(`BEGIN; SELECT FROM second_factor FOR UPDATE`)
    const saved = assert.rejects(store.save(ANN, 'mine', before.version))
    const watcher = await connected(t, database)
    const pid = await waiting(watcher, 'UPDATE second_factor')
    await watcher.query('SELECT pg_terminate_backend($1)', [pid])
    await saved
    await other.query('ROLLBACK')
    assert.deepEqual(await eventually(() => store.load(ANN)), before)
  })

  test(`D2: ${driver}: a save whose answer is lost has landed, and is not taken for a lost race`, async (t) => {
    const database = await prepared(t)
    const proxy = await cuttingProxy(t, database, isUpdate)
    const store = postgresStore(open(t, database.url.replace(`:${database.port}/`, `:${proxy.port}/`)))
    const results = await codeWithLostAnswer(store, () => proxy.cutAnswers())
    assert.deepEqual(results, ['verified', 'already_used'])
    assert.equal(proxy.cuts(), 1)
  })

  test(`D2: ${driver}: in a transaction of the host an error is thrown at once`, async (t) => {
    const database = await prepared(t)
    const pool = open(t, database.url)
    await postgresStore(pool).save(ANN, 'first', undefined)
    const joined = inTransaction(pool, async (own) => {
      const store = postgresStore(own)
      assert.equal(await store.save(BEA, 'mine', undefined), true)
      assert.equal((await store.load(BEA)).record, 'mine')
      await assert.rejects(store.save(ANN, 'mine', undefined), isOfServer('23505'))
      await assert.rejects(store.insertMany([{ id: ANN, record: 'mine' }]), isOfServer('25P02'))
      throw new Error('rolled back')
    })
    await assert.rejects(joined)
    assert.equal(await postgresStore(pool).load(BEA), undefined, 'the host has rolled it back')
    await inTransaction(pool, (own) => postgresStore(own).save(BEA, 'mine', undefined))
    assert.equal((await postgresStore(pool).load(BEA)).record, 'mine')
  })

  test(`${driver}: tables may be created by several processes at once`, async (t) => {
    for (let round = 0; round < 5; round += 1) {
      const { url } = await newDatabase()
      const pools = Array.from({ length: 8 }, () => open(t, url))
      await Promise.all(pools.map((pool) => pool.unsafe?.('SELECT 1') ?? pool.query('SELECT 1')))
      await Promise.all(pools.map((pool) => createPostgresTables(pool)))
    }
  })

  test(`${driver}: a table that is missing is named`, async (t) => {
    const store = postgresStore(open(t, (await newDatabase()).url), { table: 'factors' })
    for (const call of [() => store.load(ANN), () => store.save(ANN, 'x', undefined), () => store.revoked()])
      await assert.rejects(call, isFault(/no table factors or factors_revoked/))
  })
}

/** Runs a job in a transaction on a connection of a pool. */
async function inTransaction(pool, job) {
  if (typeof pool.begin === 'function') return pool.begin(job)
  const client = await pool.connect()
  try {
    await client.query('BEGIN')
    const result = await job(client)
    await client.query('COMMIT')
    return result
  } catch (error) {
    await client.query('ROLLBACK')
    throw error
  } finally {
    client.release()
  }
}

const hostOn = (store) =>
  createSecondFactor({ policy: { v: 1, name: 'Acme', origin: 'https://acme.example' }, keys: generateKeys(), store })

/** An Execute of 9 bytes and a Sync of 4 end the statement; before them a driver may ask for the types of its values. */
const isUpdate = (_data, sent) => sent.includes('UPDATE ') && sent.endsWith('E\0\0\0\x09\0\0\0\0\0S\0\0\0\x04')

test('D2: entries of the revocation list that race are all kept, at each isolation', async (t) => {
  for (const isolation of ['repeatable\\ read', 'serializable']) {
    const { url } = await prepared(t)
    const store = postgresStore(OPEN.pg(t, url, { default_transaction_isolation: isolation }))
    const numbers = Array.from({ length: 40 }, (_, n) => n)
    const put = (n) => store.revoke({ users: { ann: n }, sessions: [`s${n}`] }, { now: 5, until: 100 + n })
    await Promise.all(numbers.map(put))
    const { sessions, users } = await store.revoked()
    assert.equal(sessions.length, numbers.length)
    assert.equal(users.ann, 39)
  }
})

test('a Client of pg without a transaction works like a pool', async (t) => {
  const store = postgresStore(await connected(t, await prepared(t)))
  assert.equal(await store.save(ANN, 'first', undefined), true)
  assert.equal(await store.save(ANN, 'second', undefined), false)
  assert.equal((await store.load(ANN)).record, 'first')
})

test('D5 T53: a replica is refused, also where it has no record', async (t) => {
  const { primary, standby } = await startPostgresPair(t)
  for (const driver of DRIVERS) {
    const pool = OPEN[driver](t, primary.url)
    await createPostgresTables(pool)
    await postgresStore(pool).save(ANN, 'first', undefined)
    const store = postgresStore(OPEN[driver](t, standby.url))
    await eventually(() => assert.rejects(store.load(ANN), isFault(/replica/)))
    await assert.rejects(store.load({ user: 'nobody' }), isFault(/replica/))
    await assert.rejects(hostOn(store).begin({ user: 'nobody', session: 's' }), isFault(/could not be read/))
    await assert.rejects(store.save(ANN, 'mine', undefined))
  }
})

test('D5 T53: row-level security, which may hide records and ended passes, is refused', async (t) => {
  const { url } = await prepared(t)
  const owner = await connected(t, { url })
  const role = `role_${Math.random().toString(36).slice(2)}`
  await owner.query(`CREATE ROLE ${role} LOGIN; GRANT ALL ON second_factor, second_factor_revoked TO ${role}`)
  const own = new URL(url)
  own.username = role
  for (const driver of DRIVERS) {
    const store = postgresStore(OPEN[driver](t, String(own)))
    await store.save(ANN, 'first', undefined)
    for (const table of ['second_factor', 'second_factor_revoked']) {
      await owner.query(`ALTER TABLE ${table} ENABLE ROW LEVEL SECURITY`)
      await assert.rejects(store.load(ANN), isFault(/row-level security/))
      await assert.rejects(store.list({ limit: 10 }), isFault(/row-level security/))
      await assert.rejects(store.revoked(), isFault(/row-level security/))
      await assert.rejects(store.revoked({ user: 'ann', session: 's' }), isFault(/row-level security/))
      await assert.rejects(hostOn(store).begin({ ...ANN, session: 's' }), isFault(/could not be read/))
      assert.equal((await postgresStore(owner).load(ANN)).record, 'first', 'it hides nothing from the owner')
      await owner.query(`ALTER TABLE ${table} DISABLE ROW LEVEL SECURITY`)
    }
    assert.equal((await store.load(ANN)).record, 'first')
    await owner.query('DELETE FROM second_factor')
  }
  await owner.query(`DROP OWNED BY ${role}; DROP ROLE ${role}`)
})

test('D3: a connection in another encoding, where an id names another user, is refused', async (t) => {
  const database = await prepared(t)
  const client = await connected(t, database)
  const store = postgresStore(client)
  await store.save({ user: 'änn' }, 'first', undefined)
  await client.query("SET client_encoding = 'LATIN1'")
  await assert.rejects(store.load({ user: 'änn' }), isFault(/client_encoding/))
  await client.query("SET client_encoding = 'SQL_ASCII'")
  assert.equal((await store.load({ user: 'änn' })).record, 'first', 'nothing is converted')
})

test('the options of a driver do not change what the store reads', async (t) => {
  const { url } = await prepared(t)
  const types = new pg.TypeOverrides()
  types.setTypeParser(20, BigInt)
  const pools = [
    new pg.Pool({ connectionString: url, types }),
    postgres(url, { transform: postgres.camel, types: { bigint: postgres.BigInt } }),
    postgres(url, { prepare: false, max: 1, fetch_types: false }),
  ]
  for (const pool of pools) {
    t.after(() => pool.end())
    const store = postgresStore(pool)
    const id = { user: `user ${pools.indexOf(pool)}` }
    assert.equal(await store.save(id, 'first', undefined), true)
    const { version } = await store.load(id)
    assert.equal(await store.save(id, 'second', version), true)
    const { records } = await store.list({ limit: 100 })
    assert.ok(records.some((one) => one.id.user === id.user && one.record === 'second'))
    await store.revoke({ users: { ann: 5 } }, { now: 1, until: 2 })
    assert.equal((await store.revoked()).users.ann, 5)
  }
})

test('D1: an answer in another form is store_failed', async () => {
  for (const answer of [{}, { rows: [] }, { rows: [], rowCount: null }, { rows: [], rowCount: 2 }, { rowCount: 1 }])
    await assert.rejects(postgresStore({ query: async () => answer }).save(ANN, 'x', undefined), isFault(/./))
  for (const rows of [undefined, [], [['x', 1, null]], [{ record: 7, version: 1 }], [{}]])
    await assert.rejects(postgresStore({ query: async () => ({ rows, rowCount: 1 }) }).load(ANN), isFault(/./))
})

test('a value that is no pool, and a name that is no name, are refused', () => {
  for (const pool of [undefined, null, 'postgres://localhost', {}, { unsafe: true }])
    assert.throws(() => postgresStore(pool), { code: 'invalid_input', path: 'pool' })
  for (const table of ['a; DROP TABLE b', 'a.b', '"a"', '1a', 'x'.repeat(49), 7])
    assert.throws(() => postgresSchema({ table }), { code: 'invalid_input', path: 'table' })
})

storeContract('postgresStore on a table in partitions', async (t) => {
  const pool = OPEN.pg(t, (await newDatabase()).url)
  const [table] = postgresSchema().split(';')
  await pool.query(`${table} PARTITION BY HASH (account, user_id)`)
  for (const remainder of [0, 1, 2])
    await pool.query(
      `CREATE TABLE part_${remainder} PARTITION OF second_factor FOR VALUES WITH (MODULUS 3, REMAINDER ${remainder})`,
    )
  await createPostgresTables(pool)
  return postgresStore(pool)
})

test('the statements create the tables as a file too', async (t) => {
  const client = await connected(t, await newDatabase())
  await client.query(postgresSchema({ table: 'factors' }))
  await client.query(postgresSchema({ table: 'factors' }))
  await createPostgresTables(client, { table: 'factors' })
  assert.equal(await postgresStore(client, { table: 'factors' }).save(ANN, 'x', undefined), true)
})

test('tables that are there need no right to create any', async (t) => {
  const database = await prepared(t)
  const owner = await connected(t, database)
  const role = `app_${database.database}`
  await owner.query(`CREATE ROLE ${role} LOGIN; REVOKE CREATE ON SCHEMA public FROM public`)
  await owner.query(`GRANT SELECT, INSERT, UPDATE, DELETE ON second_factor, second_factor_revoked TO ${role}`)
  const app = await connected(t, { url: database.url.replace('postgres@', `${role}@`) })
  await createPostgresTables(app)
  assert.equal(await postgresStore(app).save(ANN, 'x', undefined), true)
  await assert.rejects(createPostgresTables(app, { table: 'other' }), isFault(/could not be created/))
})

test('D3: a table that would not keep the contract is refused, with the statement that mends it', async (t) => {
  const client = await connected(t, await newDatabase())
  await client.query(`CREATE EXTENSION citext`).catch((error) => assert.equal(error.code, '0A000'))
  await client.query(`CREATE COLLATION loose (provider = icu, locale = 'und-u-ks-level1', deterministic = false)`)
  const hasCitext = (await client.query(`SELECT FROM pg_type WHERE typname = 'citext'`)).rows.length > 0
  const faults = [
    ['user_id', 'text COLLATE loose', /column user_id of second_factor is text COLLATE "loose"/],
    ['account', 'text COLLATE loose', /column account/],
    ['user_id', 'varchar(255)', /column user_id/],
    ['user_id', 'char(256)', /column user_id/],
    ...(hasCitext ? [['user_id', 'citext', /column user_id of second_factor is citext/]] : []),
    ['version', 'integer USING version::integer', /column version of second_factor is integer, and must be bigint/],
    ['record', 'varchar(8000)', /column record/],
    ['record', 'jsonb USING record::jsonb', /column record of second_factor is jsonb/],
  ]
  for (const [column, type, message] of faults) {
    await client.query('DROP TABLE IF EXISTS second_factor, second_factor_revoked')
    await createPostgresTables(client)
    await client.query(`ALTER TABLE second_factor ALTER COLUMN ${column} TYPE ${type}`)
    const error = await createPostgresTables(client).catch((error) => error)
    isFault(message)(error)
    await client.query(mending(error))
    await createPostgresTables(client)
  }
  await client.query('ALTER TABLE second_factor_revoked ALTER COLUMN until TYPE integer')
  await assert.rejects(createPostgresTables(client), isFault(/column until of second_factor_revoked is integer/))
  await client.query('DROP TABLE second_factor_revoked; ALTER TABLE second_factor DROP COLUMN version')
  await assert.rejects(createPostgresTables(client), isFault(/second_factor has no column version/))
})

test('D1: a table without a unique key of account and user is refused', async (t) => {
  const client = await connected(t, await prepared(t))
  await client.query('ALTER TABLE second_factor DROP CONSTRAINT second_factor_pkey')
  for (const key of [
    'CREATE INDEX one ON second_factor (account, user_id)',
    'CREATE UNIQUE INDEX one ON second_factor (account, user_id, version)',
    'CREATE UNIQUE INDEX one ON second_factor (user_id)',
    `CREATE UNIQUE INDEX one ON second_factor (account, user_id) WHERE account <> ''`,
    'CREATE UNIQUE INDEX one ON second_factor (account, lower(user_id))',
    'ALTER TABLE second_factor ADD CONSTRAINT one UNIQUE (account, user_id) DEFERRABLE',
  ]) {
    await client.query(key)
    await assert.rejects(createPostgresTables(client), isFault(/ADD PRIMARY KEY \(account, user_id\)/), key)
    await client.query(key.startsWith('ALTER') ? 'ALTER TABLE second_factor DROP CONSTRAINT one' : 'DROP INDEX one')
  }
  await client.query('CREATE UNIQUE INDEX one ON second_factor (user_id, account) INCLUDE (version)')
  await createPostgresTables(client)
  await client.query('DROP INDEX one')
  await client.query(mending(await createPostgresTables(client).catch((error) => error)))
  await createPostgresTables(client)
})

/** The statement that a message names. */
const mending = ({ message }) => /: run (ALTER TABLE .*)$/.exec(message)[1]
