// Runs the logins on one database in this process, and hands the figures to the parent. load.mjs has the parent.
// @ts-nocheck: the peers are installed only by `npm run bench`
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import { memoryStore } from 'countersign'
import { createMysqlTables, mysqlStore } from 'countersign/stores/mysql'
import { createPostgresTables, postgresStore } from 'countersign/stores/postgres'
import { redisStore } from 'countersign/stores/redis'
import { sqliteSchema, sqliteStore } from 'countersign/stores/sqlite'
import { startMariadb } from '../tests/stores/servers/mariadb.mjs'
import { startPostgres } from '../tests/stores/servers/postgres.mjs'
import { startRedis } from '../tests/stores/servers/redis.mjs'
import { betterAuthInMemory, betterAuthInSql, emailOf } from './better-auth.mjs'
import { codeAt } from './by-hand.mjs'
import { expect, median } from './compare.mjs'
import { handlers, keyOf, recordsOf } from './load-people.mjs'

/** The drivers stand beside the tests of the stores, which use them. */
const driver = createRequire(new URL('../tests/stores/', import.meta.url))
/** Connections of each pool. */
const CONNECTIONS = 10
/** Logins over which a counter is read. */
const COUNTED = 500

/** @type {(() => unknown)[]} */
const ends = []
const t = { after: (end) => ends.unshift(end) }

/**
 * The candidates on each database, ours first. `fill` adds the records of a size; `newClient` gives a function that logs one of
 * the people in; `most` is the size up to which a candidate is measured. `sent`, `logged` and `kept` count statements, bytes
 * written to the server's log, and bytes of the records with their index.
 */
const databases = {
  async memory({ keys, groups }) {
    const store = memoryStore()
    const [{ to: smallest }] = groups
    return {
      countersign: { fill: filling(store), newClient: handlers(keys, store) },
      'better-auth': { fill() {}, newClient: clientsOf(await betterAuthInMemory(smallest)), most: smallest },
    }
  },

  async SQLite({ keys }) {
    const folder = mkdtempSync(join(tmpdir(), 'countersign-load-'))
    t.after(() => rmSync(folder, { recursive: true, force: true }))
    const open = (name) => {
      const database = new Database(join(folder, name))
      database.pragma('journal_mode = WAL')
      database.pragma('synchronous = FULL')
      return database
    }
    const [own, other] = [open('own.db'), open('other.db')]
    own.exec(sqliteSchema())
    const query = async (text) => {
      const statement = other.prepare(text)
      return statement.reader ? statement.all() : statement.run()
    }
    const store = sqliteStore(own)
    const fill = async (group) => {
      own.exec('BEGIN')
      await filling(store)(group)
      own.exec('COMMIT')
      writeOut(own)
    }
    const theirs = peer(await betterAuthInSql(other, query))
    return {
      countersign: {
        fill,
        newClient: handlers(keys, store),
        kept: () => own.pragma('page_count', { simple: true }) * own.pragma('page_size', { simple: true }),
      },
      'better-auth': {
        ...theirs,
        async fill(group) {
          await theirs.fill(group)
          writeOut(other)
        },
      },
    }
  },

  async PostgreSQL({ keys }) {
    const server = await startPostgres(t, { durable: true, settings: { shared_buffers: '1GB', max_wal_size: '8GB' } })
    const pg = driver('pg')
    const { query } = pg.Client.prototype
    let sent = 0
    pg.Client.prototype.query = function (...all) {
      sent += 1
      return query.apply(this, all)
    }
    const poolOf = (database) => new pg.Pool({ ...server, database, max: CONNECTIONS })
    const first = poolOf('postgres')
    await first.query('CREATE DATABASE other')
    const [own, other] = [poolOf('postgres'), poolOf('other')]
    for (const pool of [first, own, other]) t.after(() => pool.end())
    await createPostgresTables(own)
    const store = postgresStore(own)
    const numberOf = async (sql) => Number(Object.values((await own.query(sql)).rows[0])[0])
    return {
      countersign: {
        fill: filling(store),
        newClient: handlers(keys, store),
        sent: () => sent,
        logged: () => numberOf("SELECT pg_wal_lsn_diff(pg_current_wal_lsn(), '0/0')"),
        kept: () => numberOf("SELECT pg_total_relation_size('second_factor')"),
      },
      'better-auth': {
        ...peer(await betterAuthInSql(other, async (text) => (await other.query(text)).rows)),
        sent: () => sent,
      },
    }
  },

  async MariaDB({ keys }) {
    const { url } = await startMariadb(t, {
      durable: true,
      settings: { 'innodb-buffer-pool-size': '1G', 'innodb-log-file-size': '1G' },
    })
    const pool = driver('mysql2/promise').createPool({ uri: url, connectionLimit: CONNECTIONS })
    t.after(() => pool.end())
    await createMysqlTables(pool)
    const store = mysqlStore(pool)
    const numberOf = async (sql) => Number(Object.values((await pool.query(sql))[0][0]).at(-1))
    return {
      countersign: {
        fill: filling(store),
        newClient: handlers(keys, store),
        sent: () => numberOf("SHOW GLOBAL STATUS LIKE 'Questions'"),
        logged: () => numberOf("SHOW GLOBAL STATUS LIKE 'Innodb_os_log_written'"),
        async kept() {
          await pool.query('ANALYZE TABLE second_factor')
          return numberOf(
            "SELECT data_length + index_length FROM information_schema.tables WHERE table_name = 'second_factor'",
          )
        },
      },
    }
  },

  async Redis({ keys }) {
    const { url } = await startRedis(t, { settings: { appendonly: 'yes', appendfsync: 'always', save: '' } })
    const client = await driver('redis').createClient({ url }).connect()
    t.after(() => client.destroy())
    const store = redisStore(client)
    const numberOf = async (section, name) => Number((await client.info(section)).match(`${name}:(\\d+)`)[1])
    return {
      countersign: {
        fill: filling(store),
        newClient: handlers(keys, store),
        sent: () => numberOf('stats', 'total_reads_processed'),
        logged: () => numberOf('persistence', 'aof_current_size'),
        kept: () => numberOf('memory', 'used_memory_dataset'),
      },
    }
  },
}

/** Empties the log of SQLite into its file, because the first logins would pay for the records otherwise. */
const writeOut = (database) => database.pragma('wal_checkpoint(TRUNCATE)')

const filling = (store) => async (group) => {
  let some = []
  const write = async () => {
    expect((await store.insertMany(some)).every(Boolean), 'records')
    some = []
  }
  for (const each of recordsOf(group)) if (some.push(each) === 1_000) await write()
  await write()
}

function peer(service) {
  return { fill: service.fill, newClient: clientsOf(service) }
}

function clientsOf({ secret, begin, verify }) {
  const key = keyOf(secret)
  return () =>
    async ({ number }) => {
      const { challenge, cookie } = await begin(emailOf(number))
      const start = performance.now()
      const code = codeAt(key, Math.floor(Date.now() / 30_000))
      expect(challenge && (await verify(cookie, code)), 'login at better-auth')
      return performance.now() - start
    }
}

/** So many users log in, one login after the other each, until the time is over. */
async function logins(clients, people, turns, milliseconds) {
  const whole = []
  const second = []
  const start = performance.now()
  const one = async (login, index) => {
    while (performance.now() - start < milliseconds) {
      // No two clients have a person in common.
      const own = Math.floor((people.length - 1 - index) / clients.length) + 1
      const person = people[index + (turns[index]++ % own) * clients.length]
      const begun = performance.now()
      second.push(await login(person))
      whole.push(performance.now() - begun)
    }
  }
  await Promise.all(clients.map(one))
  const perSecond = (whole.length * 1000) / (performance.now() - start)
  return { perSecond, p50: quantile(whole, 0.5), p99: quantile(whole, 0.99), second: quantile(second, 0.5) }
}

function quantile(numbers, share) {
  numbers.sort((a, b) => a - b)
  return numbers[Math.min(numbers.length - 1, Math.floor(numbers.length * share))]
}

async function measured({ people, users, rounds, seconds, sizes }) {
  const name = process.argv[2]
  const candidates = Object.entries(await databases[name](people))
  const figures = []
  const filled = {}
  for (const [at, group] of people.groups.entries()) {
    const records = sizes[at]
    const now = candidates.filter(([, { most = Number.POSITIVE_INFINITY }]) => records <= most)
    for (const [candidate, { fill }] of now) {
      const start = performance.now()
      await fill(group)
      const took = (performance.now() - start) / 1000
      filled[candidate] = (group.to - group.from) / took
      console.log(`${name}, ${candidate}: ${records} records, the last ones in ${took.toFixed(1)} s`)
    }
    execFileSync('sync') // The disk has all records before the first login.
    for (const count of users) {
      const runs = now.map(([candidate, { newClient }]) => ({
        candidate,
        clients: Array.from({ length: count }, newClient),
        turns: Array(count).fill(0),
        samples: [],
      }))
      // Round -1 warms up.
      for (let round = -1; round < rounds; round += 1)
        for (const { clients, turns, samples } of runs) {
          const sample = await logins(clients, group.people, turns, round < 0 ? 500 : seconds * 1000)
          if (round >= 0) samples.push(sample)
        }
      for (const { candidate, samples } of runs) figures.push({ candidate, records, users: count, ...middle(samples) })
    }
  }
  const costs = {}
  for (const [candidate, { newClient, sent, logged, kept }] of candidates)
    costs[candidate] = {
      statements: sent && (await perLogin(sent, newClient(), people)),
      logged: logged && (await perLogin(logged, newClient(), people)),
      kept: kept && Math.round((await kept()) / sizes.at(-1)),
      filled: candidate === 'countersign' && name !== 'memory' ? Math.round(filled[candidate]) : undefined,
    }
  return { figures, costs }
}

/** The growth of a counter with each login. */
async function perLogin(counter, login, { groups: [{ people }] }) {
  const [idle, before] = [await counter(), await counter()]
  for (const person of people.slice(0, COUNTED)) await login(person)
  return Math.round(((await counter()) - before - (before - idle)) / COUNTED)
}

const middle = (samples) =>
  Object.fromEntries(
    Object.keys(samples[0]).map((name) => [name, Number(median(samples.map((sample) => sample[name])).toPrecision(4))]),
  )

try {
  const settings = JSON.parse(readFileSync(process.argv[3], 'utf8'))
  process.send(await measured(settings))
} finally {
  for (const end of ends) await end()
}
process.disconnect()
