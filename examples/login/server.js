// Starts the service. DATA_DIR holds the file with the keys and one SQLite file. The users, sessions, audit log and outbox in it stand
// for what a host has already. Countersign's records and its revocation list are in it too, unless DATABASE_URL names another place.

import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import Database from 'better-sqlite3'
import { createSecondFactor, generateKeys } from 'countersign'
import { noticeText } from 'countersign/notices'
import { storageApi } from 'countersign/storage-api'
import { demoClient, demoLogins, lifetimes, openAccounts, policyOf } from './accounts.js'
import { createApp } from './app.js'
import { createUseCases } from './login.js'
import { messages } from './messages/index.js'
import { createOutbox } from './outbox.js'
import { openRecordStore } from './record-store.js'
import { createSessions } from './sessions.js'

const {
  PORT = '3000',
  PUBLIC_ORIGIN,
  TRUST_PROXY = 'false',
  COUNTERSIGN_STORAGE_TOKEN,
  DATABASE_URL,
  DEMO_CLOCK_FILE,
} = process.env
const dataDir = process.env.DATA_DIR ?? fileURLToPath(new URL('data', import.meta.url))

// For tests, which set the time by writing it into this file.
const clock = DEMO_CLOCK_FILE
  ? () => Number(readFileSync(DEMO_CLOCK_FILE, 'utf8'))
  : () => Math.floor(Date.now() / 1000)

mkdirSync(dataDir, { recursive: true, mode: 0o700 })
const databaseFile = join(dataDir, 'login.sqlite')
const keys = await readKeys(join(dataDir, 'keys.json'), { mayBeNew: !existsSync(databaseFile) })
const db = new Database(databaseFile)
const { store, close: closeStore } = await openRecordStore(DATABASE_URL, db).catch((error) => {
  console.error(error.message)
  process.exit(1)
})

// The server listens first, because the policy names the origin, and with PORT=0 the port is known only then.
const server = createServer()
await new Promise((resolve, reject) =>
  server.once('error', reject).listen(Number(PORT), 'localhost', () => resolve(undefined)),
)
const address = `http://localhost:${server.address().port}`
const origin = new URL(PUBLIC_ORIGIN ?? address).origin

// Seconds to spare: Envoy's clock may be behind this one, and typing a code takes time.
const clockMargin = 120

const accounts = await openAccounts(db, clock)
const listedSeconds = lifetimes.ticketSeconds + lifetimes.passSeconds + clockMargin
let listed = Promise.resolve() // once each write to the list so far has ended
let unlisted = [] // ended sessions whose write failed, for the next one
const sessions = createSessions(db, clock, (more) => {
  // Also without ids: it drops what the list need not hold any more.
  const ids = [...unlisted, ...more]
  unlisted = []
  const now = clock()
  const done = store.revoke({ sessions: ids }, { now, until: now + listedSeconds })
  const settled = done.catch((error) => {
    unlisted.push(...ids)
    console.error(error)
  })
  listed = listed.then(() => settled)
  return done
})
const outbox = createOutbox(db)
/** @returns {any} */
const policyFor = (account) => policyOf(account, origin)

// The storage API, which Envoy's filter calls, uses the same functions as this process.
const shared = {
  store,
  notify: async (notice) => {
    const about = accounts.user(notice.user)
    if (about === undefined) return
    const isForOwners = notice.to === 'owners'
    const owners = accounts.usersOf(about.account).filter(({ id, role }) => role === 'owner' && id !== notice.user)
    for (const { email, language } of isForOwners ? owners : [about]) {
      const mail = noticeText(notice, {
        language,
        service: accounts.account(about.account).name,
        userName: about.email,
        ownerName: notice.by && accounts.user(notice.by)?.email,
        url: `${origin}${isForOwners ? '/users' : '/security'}`,
        texts: messages[language].mails.notices,
      })
      outbox.mail(notice.at, email, mail)
    }
  },
  onEvent: async (event) => outbox.event(event),
}

const secondFactor = createSecondFactor({
  ...shared,
  policy: ({ account }) => policyFor(accounts.account(account)),
  keys,
  sendSms: async ({ to, user, template }) => {
    const { code, host } = template
    // The last line binds the code to this site: a phone offers it nowhere else.
    const body = `${messages[accounts.user(user)?.language ?? 'en'].sms(template)}\n\n@${host} #${code}`
    outbox.sms(clock(), to, body)
  },
  clock,
})

const storage = COUNTERSIGN_STORAGE_TOKEN && storageForEnvoy(COUNTERSIGN_STORAGE_TOKEN)

// The outbox shows every SMS code to every visitor, so it is there on localhost only.
const demo = new URL(origin).hostname === 'localhost'
const useCases = createUseCases({ accounts, sessions, outbox, secondFactor, policyFor, clock, origin, demo })
const app = createApp({
  accounts,
  sessions,
  useCases,
  storage,
  origin,
  trustProxy: trustProxy(TRUST_PROXY),
  clock,
  demo: demo && { logins: demoLogins },
  log: console.error,
})
server.on('request', app)

console.log(`Listening on ${address}${origin === address ? '' : ` (people open ${origin})`}`)
console.log('Logins of this demo:')
for (const { role, email, password } of demoLogins) console.log(`  ${role.padEnd(6)}  ${email}  ${password}`)
console.log(`  client  ${demoClient.id}  ${demoClient.secret}`)

for (const signal of ['SIGTERM', 'SIGINT']) {
  process.once(signal, () => {
    server.close(async () => {
      await listed
      await closeStore().catch(console.error)
      db.close()
      console.log('Stopped.')
    })
    server.closeIdleConnections()
  })
}

/** The storage API. A pass may outlive its session, so sessions that have expired are listed before Envoy asks. */
function storageForEnvoy(token) {
  const api = storageApi({ ...shared, token, onError: console.error })
  return async (request, response) => {
    sessions.endExpired()
    await listed
    return api(request, response)
  }
}

/** Reads the keys, or makes them at the first start. New keys beside an old database would make its records unreadable. */
async function readKeys(file, { mayBeNew }) {
  if (existsSync(file)) return readFileSync(file, 'utf8')
  if (!mayBeNew) throw new Error(`${file} is missing: restore it, the records in the database need it`)
  const keys = JSON.stringify(generateKeys())
  writeFileSync(file, keys, { mode: 0o600, flag: 'wx', flush: true })
  return keys
}

/** The value for Express's `trust proxy`: false, a number of hops, or names and ranges such as `loopback`. */
function trustProxy(text) {
  if (text === 'false') return false
  return /^\d+$/.test(text) ? Number(text) : text
}
