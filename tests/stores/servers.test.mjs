// The servers themselves: each answers, keeps its data over SIGKILL, and fails over.
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { test } from 'node:test'
import { Cluster, Redis } from 'ioredis'
import mysql from 'mysql2/promise'
import pg from 'pg'
import { createClient } from 'redis'
import { isFree } from '../../scripts/common.mjs'
import { eventually } from '../shared/eventually.mjs'
import { startMariadb } from './servers/mariadb.mjs'
import { startPgbouncer } from './servers/pgbouncer.mjs'
import { startPostgres, startPostgresPair } from './servers/postgres.mjs'
import { startRedis, startRedisCluster } from './servers/redis.mjs'
import { without } from './servers/server.mjs'

const CREATE = 'CREATE TABLE notes (text VARCHAR(20))'
const WRITE = "INSERT INTO notes VALUES ('kept')"
const READ = 'SELECT text FROM notes'
const KEPT = [{ text: 'kept' }]

test('PostgreSQL keeps its rows when it is killed and starts again', { skip: without('postgres') }, async (t) => {
  const postgres = await startPostgres(t)
  await query(postgres.url, CREATE, WRITE)
  await postgres.kill()
  await assert.rejects(query(postgres.url, READ), { code: 'ECONNREFUSED' })
  await postgres.start()
  assert.deepEqual(await query(postgres.url, READ), KEPT)
})

test('PostgreSQL ends its connections and keeps its rows when it is stopped', {
  skip: without('postgres'),
}, async (t) => {
  const postgres = await startPostgres(t)
  const client = new pg.Client(postgres.url)
  client.on('error', () => {})
  await client.connect()
  await client.query(CREATE)
  await client.query(WRITE)
  await postgres.stop()
  await assert.rejects(client.query(READ))
  await postgres.start()
  assert.deepEqual(await query(postgres.url, READ), KEPT)
})

test('a standby of PostgreSQL has each row of the primary, and takes writes when it is promoted', {
  skip: without('postgres'),
}, async (t) => {
  const { primary, standby } = await startPostgresPair(t)
  await query(primary.url, CREATE, WRITE)
  await primary.kill()
  await assert.rejects(query(standby.url, WRITE), /read-only transaction/)
  await standby.promote()
  assert.deepEqual(await query(standby.url, READ), KEPT)
  await query(standby.url, WRITE)
})

test('a primary of PostgreSQL waits for its standby', { skip: without('postgres') }, async (t) => {
  const { primary, standby } = await startPostgresPair(t)
  await query(primary.url, CREATE)
  await standby.kill()
  const written = query(primary.url, WRITE)
  await eventually(async () => {
    const waiting = "SELECT count(*)::int AS count FROM pg_stat_activity WHERE wait_event = 'SyncRep'"
    assert.deepEqual(await query(primary.url, waiting), [{ count: 1 }])
  })
  await standby.start()
  await written
})

test('PgBouncer answers in place of PostgreSQL', { skip: without('postgres', 'pgbouncer') }, async (t) => {
  const postgres = await startPostgres(t)
  const pgbouncer = await startPgbouncer(t, postgres)
  await query(pgbouncer.url, CREATE, WRITE)
  await pgbouncer.kill()
  await pgbouncer.start()
  assert.deepEqual(await query(pgbouncer.url, READ), KEPT)
  assert.deepEqual(await query(postgres.url, READ), KEPT)
})

test('MariaDB keeps its rows when it is killed and starts again', { skip: without('mariadb') }, async (t) => {
  const mariadb = await startMariadb(t)
  const run = async (...statements) => {
    const connection = await mysql.createConnection(mariadb.url)
    try {
      let rows
      for (const statement of statements) [rows] = await connection.query(statement)
      return rows
    } finally {
      connection.destroy()
    }
  }
  await run(CREATE, WRITE)
  await mariadb.kill()
  await assert.rejects(run(READ), { code: 'ECONNREFUSED' })
  await mariadb.start()
  assert.deepEqual(await run(READ), KEPT)
  assert.deepEqual(await run('SELECT @@innodb_snapshot_isolation AS isolation'), [{ isolation: 1 }])
})

test('Redis keeps its keys when it is killed and starts again, with a file of all writes', {
  skip: without('redis'),
}, async (t) => {
  const redis = await startRedis(t, { settings: { appendonly: 'yes', appendfsync: 'always' } })
  const write = await createClient({ url: redis.url })
    .on('error', () => {})
    .connect()
  await write.set('note', 'kept')
  write.destroy()
  await redis.kill()
  await redis.start()
  const read = new Redis(redis.url)
  t.after(() => read.disconnect())
  assert.equal(await read.get('note'), 'kept')
})

test('a Redis Cluster goes on when a master is killed', { skip: without('redis') }, async (t) => {
  const { nodes, masterOf } = await startRedisCluster(t)
  const cluster = new Cluster(nodes.map(({ host, port }) => ({ host, port })))
  t.after(() => cluster.disconnect())
  const old = masterOf('note')
  const direct = new Redis(old.url).on('error', () => {})
  t.after(() => direct.disconnect())
  await direct.set('note', 'kept')
  // Redis replies before its replica has a write. Without `wait` the kill loses it.
  assert.equal(await direct.wait(1, 10_000), 1)
  await old.kill()
  await eventually(async () => {
    assert.notEqual(masterOf('note'), old)
    assert.equal(await cluster.get('note'), 'kept')
  })
  await old.start()
  await eventually(() => assert.notEqual(masterOf('note'), old, 'it comes back as a replica'))
})

test('a server that dies before it is ready fails with what it wrote', { skip: without('redis') }, async (t) => {
  await assert.rejects(startRedis(t, { settings: { appendonly: 'perhaps' } }), /did not start:[^]*perhaps/)
})

test('no server outlives the process of its tests, even one that is killed', { skip: without('redis') }, async () => {
  for (const end of ['', "process.kill(process.pid, 'SIGKILL')"]) {
    const script = `import { startRedis } from './servers/redis.mjs'
      console.log((await startRedis()).port)
      ${end}`
    const { stdout, signal } = spawnSync(process.execPath, ['--input-type=module', '-e', script], {
      cwd: import.meta.dirname,
      encoding: 'utf8',
    })
    assert.equal(signal, end ? 'SIGKILL' : null)
    const port = Number(stdout)
    assert.ok(port > 0, 'it has started')
    await eventually(async () => assert.ok(await isFree(port), 'it has ended'))
  }
})

test('tests on a server that is left out are skipped with a reason', () => {
  const before = process.env.COUNTERSIGN_WITHOUT
  try {
    process.env.COUNTERSIGN_WITHOUT = 'mariadb,pgbouncer'
    assert.equal(without('postgres', 'pgbouncer'), 'without pgbouncer')
    assert.equal(without('postgres'), false)
    process.env.COUNTERSIGN_WITHOUT = ''
    assert.equal(without('mariadb'), false)
  } finally {
    if (before === undefined) delete process.env.COUNTERSIGN_WITHOUT
    else process.env.COUNTERSIGN_WITHOUT = before
  }
})

/** The rows of the last of these statements, on a connection of their own. */
async function query(url, ...statements) {
  const client = new pg.Client(url)
  // A server that is killed ends the connection, which fails the query too.
  client.on('error', () => {})
  await client.connect()
  try {
    let rows
    for (const statement of statements) ({ rows } = await client.query(statement))
    return rows
  } finally {
    await client.end()
  }
}
