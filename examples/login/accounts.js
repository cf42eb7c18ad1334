// Accounts, the people in them, their API clients, passwords, and each account's policy.

import { createHash, randomBytes, randomUUID } from 'node:crypto'
import { hash, verify } from '@node-rs/argon2'

/** Demo only: a real service has no known passwords. */
export const demoLogins = [
  { role: 'owner', email: 'owner@acme.example', password: 'owner-demo-password' },
  { role: 'member', email: 'member@acme.example', password: 'member-demo-password' },
  { role: 'member', email: 'colleague@acme.example', password: 'colleague-demo-password' },
]
export const demoClient = { id: 'reports', secret: 'reports-demo-secret' }

/** How long tickets and passes live, in seconds. */
export const lifetimes = { ticketSeconds: 600, passSeconds: 12 * 3600 }

const passwordTries = { count: 10, seconds: 900 }
/**
 * Logins with the right password and no second factor after it. Each hands out a ticket, and Envoy
 * must hear of the end of its session; a person who knows a password must not make that list too long.
 */
const halfLogins = { count: 50, seconds: 900 }

export async function openAccounts(db, clock) {
  db.exec(`
    CREATE TABLE IF NOT EXISTS accounts (
      id TEXT PRIMARY KEY, name TEXT NOT NULL, plan TEXT NOT NULL, require TEXT NOT NULL, network TEXT NOT NULL
    ) STRICT;
    CREATE TABLE IF NOT EXISTS users (
      id TEXT PRIMARY KEY, account TEXT NOT NULL REFERENCES accounts, email TEXT NOT NULL UNIQUE,
      role TEXT NOT NULL, secret_hash TEXT NOT NULL, last_ip TEXT
    ) STRICT;
    CREATE TABLE IF NOT EXISTS api_clients (
      id TEXT PRIMARY KEY, account TEXT NOT NULL REFERENCES accounts, secret_hash TEXT NOT NULL, last_ip TEXT
    ) STRICT;
    CREATE TABLE IF NOT EXISTS password_tries (
      who TEXT PRIMARY KEY, count INTEGER NOT NULL, ends_at INTEGER NOT NULL
    ) STRICT`)

  if (db.prepare('SELECT 1 FROM accounts').get() === undefined) await seed(db)

  // Checked when nobody has that name, so that the answer takes as long.
  const nobodysHash = await hash(randomBytes(32).toString('hex'))

  const account = db.prepare('SELECT * FROM accounts WHERE id = ?')
  const user = db.prepare('SELECT * FROM users WHERE id = ?')
  const userByEmail = db.prepare('SELECT * FROM users WHERE email = ?')
  const usersOf = db.prepare('SELECT * FROM users WHERE account = ? ORDER BY email')
  const client = db.prepare('SELECT * FROM api_clients WHERE id = ?')
  const clientsOf = db.prepare('SELECT * FROM api_clients WHERE account = ? ORDER BY id')
  const setRules = db.prepare('UPDATE accounts SET require = ?, network = ?, name = ? WHERE id = ?')
  const setUserIp = db.prepare('UPDATE users SET last_ip = ? WHERE id = ?')
  const setClientIp = db.prepare('UPDATE api_clients SET last_ip = ? WHERE id = ?')
  const forgetOldTries = db.prepare('DELETE FROM password_tries WHERE ends_at <= ?')
  const chargeTry = db.prepare(`INSERT INTO password_tries VALUES (?, 1, ?)
    ON CONFLICT (who) DO UPDATE SET count = count + 1 RETURNING count, ends_at`)
  const forgetTries = db.prepare('DELETE FROM password_tries WHERE who = ?')

  /** One try more; if those are too many, the answer that says so. */
  function charge(who, { count, seconds }) {
    const now = clock()
    forgetOldTries.run(now)
    const tries = chargeTry.get(who, now + seconds)
    return tries.count > count ? { result: 'throttled', retryAt: tries.ends_at } : undefined
  }

  /** Charges the try before comparing, so that parallel guesses are all counted. */
  async function checkSecret(principal, name, secret, ip) {
    const who = createHash('sha256')
      .update(JSON.stringify([name, ip]))
      .digest('base64url')
    const throttled = charge(who, passwordTries)
    if (throttled) return throttled
    const right = await verify(principal?.secret_hash ?? nobodysHash, secret)
    if (principal === undefined || !right) return { result: 'wrong_password' }
    forgetTries.run(who)
    return { result: 'first_factor', principal }
  }

  const clientPrincipal = (row) => row && { ...row, id: `client:${row.id}`, clientId: row.id, role: 'member' }

  return {
    account: (id) => readRules(account.get(id)),
    user: (id) => user.get(id),
    usersOf: (accountId) => usersOf.all(accountId),
    clientsOf: (accountId) => clientsOf.all(accountId).map(clientPrincipal),

    /** The principal of a session: a user or an API client. */
    principal: (id) => user.get(id) ?? clientPrincipal(id.startsWith('client:') ? client.get(id.slice(7)) : undefined),

    checkPassword: (email, password, ip) => checkSecret(userByEmail.get(email), email, password, ip),
    checkClient: (id, secret, ip) => checkSecret(clientPrincipal(client.get(id)), `client:${id}`, secret, ip),

    /** To be asked at each login that is challenged. */
    hasManyHalfLogins: (principal) => charge(`half:${principal.id}`, halfLogins) !== undefined,
    forgetHalfLogins: (principal) => forgetTries.run(`half:${principal.id}`),

    rememberIp(principal, ip) {
      if (principal.clientId === undefined) setUserIp.run(ip, principal.id)
      else setClientIp.run(ip, principal.clientId)
    },

    saveRules(accountId, { require, network, name }) {
      setRules.run(JSON.stringify(require), JSON.stringify(network), name, accountId)
    },
  }
}

/** The second factor's policy: one part is fixed by the operator, the other is set by an owner. */
export function policyOf({ name, require, network }, origin) {
  return {
    v: 1,
    name,
    origin,
    methods: ['totp', 'sms', 'backup_code', 'recovery_code'],
    require,
    network,
    plans: ['pro'],
    // "Show codes" is part of this product. Leave it out and codes are stored as hashes only.
    backupCodes: { keepForShowing: true },
    ...lifetimes,
  }
}

function readRules(row) {
  return row && { ...row, require: JSON.parse(row.require), network: JSON.parse(row.network) }
}

async function seed(db) {
  const users = await Promise.all(demoLogins.map(async (user) => ({ ...user, hash: await hash(user.password) })))
  const clientHash = await hash(demoClient.secret)
  db.transaction(() => {
    db.prepare('INSERT INTO accounts VALUES (?, ?, ?, ?, ?)').run(
      'acme',
      'Acme',
      'pro',
      JSON.stringify('optional'),
      JSON.stringify({ allow: [], deny: [] }),
    )
    for (const { email, role, hash } of users) {
      db.prepare('INSERT INTO users VALUES (?, ?, ?, ?, ?, NULL)').run(randomUUID(), 'acme', email, role, hash)
    }
    db.prepare('INSERT INTO api_clients VALUES (?, ?, ?, NULL)').run(demoClient.id, 'acme', clientHash)
  })()
}
