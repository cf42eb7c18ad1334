// Opens the place of Countersign's records and of its revocation list. DATABASE_URL names it: PostgreSQL, MySQL or MariaDB, Redis, or
// a file of SQLite. Without it they are in the service's own file.
//
// Only the driver of that database is loaded, and none is a dependency of this example: nobody installs one for nothing.

import Database from 'better-sqlite3'
import { createMysqlTables, mysqlStore } from 'countersign/stores/mysql'
import { createPostgresTables, postgresStore } from 'countersign/stores/postgres'
import { redisStore } from 'countersign/stores/redis'
import { sqliteStore } from 'countersign/stores/sqlite'

/** Milliseconds to wait for a connection. */
const CONNECT_MS = 5_000

const SHAPES =
  'postgres://user:password@host:5432/database, mysql://user:password@host:3306/database, redis://user:password@host:6379/0 or the path of a file'

/**
 * The store, and the function that closes its connections. Throws an error whose message may be shown: it says what is wrong with
 * DATABASE_URL, and holds no password.
 */
export async function openRecordStore(given, ownDatabase) {
  const address = given?.trim()
  if (!address) return { store: sqliteStore(ownDatabase), close: async () => {} }
  if (!address.includes('://')) {
    if (!isPath(address)) throw new Error(`DATABASE_URL must be ${SHAPES}; a path with :, = or @ begins with / or ./`)
    return saying('the file of DATABASE_URL cannot be opened', () => openFile(address))
  }
  const url = read(address)
  const open = SERVERS[url.protocol]
  if (open === undefined) throw new Error(`DATABASE_URL must be ${SHAPES}`)
  return saying(`DATABASE_URL: the server at ${url.host} cannot be used`, () => open(address))
}

const SERVERS = {
  'postgres:': openPostgres,
  'postgresql:': openPostgres,
  'mysql:': openMysql,
  'redis:': openRedis,
  'rediss:': openRedis,
}

async function openPostgres(connectionString) {
  const { default: pg } = await driver('pg')
  const pool = new pg.Pool({ connectionString, connectionTimeoutMillis: CONNECT_MS })
  pool.on('error', logLost) // of an idle connection; the next query opens another one
  return opened(postgresStore(pool), {
    prepare: () => createPostgresTables(pool),
    close: () => pool.end(),
  })
}

async function openMysql(uri) {
  const { default: mysql } = await driver('mysql2/promise')
  const pool = mysql.createPool({ uri, connectTimeout: CONNECT_MS })
  return opened(mysqlStore(pool), {
    prepare: () => createMysqlTables(pool),
    close: () => pool.end(),
  })
}

async function openRedis(url) {
  const { createClient } = await driver('redis')
  let started = false
  const client = createClient({
    url,
    disableOfflineQueue: true, // a request is answered at once while the connection is lost
    socket: {
      connectTimeout: CONNECT_MS,
      reconnectStrategy: (tries) => started && Math.min(100 * 2 ** tries, 2_000),
    },
  })
  client.on('error', (error) => started && logLost(error))
  await client.connect()
  const store = redisStore(client)
  // The first use asks the server whether it may drop records.
  return opened(store, {
    prepare: async () => {
      await store.load({ user: 'nobody' })
      started = true
    },
    close: async () => (client.isReady ? client.close() : client.destroy()),
  })
}

function openFile(path) {
  const database = new Database(path)
  return { store: sqliteStore(database), close: async () => void database.close() }
}

/** The store, after `prepare`. If that fails, nothing stays open. */
async function opened(store, { prepare, close }) {
  try {
    await prepare()
  } catch (error) {
    await close().catch(() => {})
    throw error
  }
  return { store, close }
}

/**
 * Whether a text without `://` is a path. `host=… password=…` and `file:…` would be names of new files, in which each instance has records
 * of its own, and `:memory:` loses them with the process: then people log in without their second factor.
 */
const isPath = (address) => /^(?:[/\\]|\.{1,2}[/\\]|[a-z]:[/\\]|[^:=@]+$)/i.test(address)

/** Loads a driver, which the operator has installed. */
async function driver(name) {
  try {
    return await import(name)
  } catch (error) {
    if (error.code !== 'ERR_MODULE_NOT_FOUND') throw error
    throw new Error(`its driver is not installed: npm install --install-links=false ${name.split('/')[0]}`)
  }
}

/** Reads the URL. Its own error would show the password. */
function read(address) {
  const url = URL.canParse(address) ? new URL(address) : undefined
  // An @ behind the host comes from a password with a `/`, `?` or `#`, and then the host is a part of the password.
  if (url === undefined || `${url.pathname}${url.search}${url.hash}`.includes('@'))
    throw new Error(
      `DATABASE_URL must be ${SHAPES}; a character such as / or # in a password is written in percent-encoding`,
    )
  return url
}

/** Puts a sentence before what an error says. Drivers say there which server and user they mean, not the password. */
async function saying(what, work) {
  try {
    return await work()
  } catch (error) {
    throw new Error(`${what}: ${reasonOf(error)}`)
  }
}

/** The store's message, and that of the driver behind it. An error of several addresses has a code only. */
function reasonOf({ message, code, cause }) {
  const own = message || code
  return cause ? `${own}: ${reasonOf(cause)}` : own
}

const logLost = (error) => console.error(`the connection to the database was lost: ${reasonOf(error)}`)
