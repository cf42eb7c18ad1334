// Accounts, the people in them, their API clients, passwords, and each account's policy.

import { createHash, randomBytes, randomUUID } from 'node:crypto'
import { hash, verify } from '@node-rs/argon2'
import ipaddr from 'ipaddr.js'

/** Demo only: a real service has no known passwords. */
export const demoLogins = [
  { role: 'owner', email: 'owner@acme.example', password: 'owner-demo-password' },
  { role: 'member', email: 'member@acme.example', password: 'member-demo-password' },
  { role: 'member', email: 'colleague@acme.example', password: 'colleague-demo-password' },
]
export const demoClient = { id: 'reports', secret: 'reports-demo-secret' }

/** Life of tickets and passes, in seconds. */
export const lifetimes = { ticketSeconds: 600, passSeconds: 12 * 3600 }

/** Days for which a person may trust a browser. */
export const trustDays = 30

const passwordChanges = { count: 10, seconds: 86_400 }
const passwordTries = { count: 10, seconds: 900 }
/**
 * Logins with the right password and no second factor after it. Each hands out a ticket, so Envoy needs
 * the end of its session in the list of revoked sessions. The limit keeps a stolen password from filling that list.
 */
const halfLogins = { count: 50, seconds: 900 }

export async function openAccounts(db, clock) {
  db.exec(`
    CREATE TABLE IF NOT EXISTS accounts (
      id TEXT PRIMARY KEY, name TEXT NOT NULL, plan TEXT NOT NULL, require TEXT NOT NULL,
      first_factor TEXT NOT NULL, network TEXT NOT NULL
    ) STRICT;
    CREATE TABLE IF NOT EXISTS users (
      id TEXT PRIMARY KEY, account TEXT NOT NULL REFERENCES accounts, email TEXT NOT NULL UNIQUE,
      role TEXT NOT NULL, secret_hash TEXT NOT NULL, last_ip TEXT, language TEXT NOT NULL DEFAULT 'en'
    ) STRICT;
    CREATE INDEX IF NOT EXISTS users_by_email ON users (account, email);
    CREATE TABLE IF NOT EXISTS api_clients (
      id TEXT PRIMARY KEY, account TEXT NOT NULL REFERENCES accounts, secret_hash TEXT NOT NULL, last_ip TEXT
    ) STRICT;
    CREATE TABLE IF NOT EXISTS password_tries (
      who TEXT PRIMARY KEY, count INTEGER NOT NULL, ends_at INTEGER NOT NULL
    ) STRICT`)

  // A database of an earlier version.
  if (!db.pragma('table_info(users)').some(({ name }) => name === 'language'))
    db.exec("ALTER TABLE users ADD COLUMN language TEXT NOT NULL DEFAULT 'en'")

  if (db.prepare('SELECT 1 FROM accounts').get() === undefined) await seed(db)

  // Stands for the hash of an unknown user: the answer then takes as long as for a known one.
  const nobodysHash = await hash(randomBytes(32).toString('hex'))

  const account = db.prepare('SELECT * FROM accounts WHERE id = ?')
  const user = db.prepare('SELECT * FROM users WHERE id = ?')
  const userByEmail = db.prepare('SELECT * FROM users WHERE email = ?')
  const usersOf = db.prepare('SELECT * FROM users WHERE account = ? ORDER BY email')
  const pageOfUsers = db.prepare(
    "SELECT * FROM users WHERE account = ? AND email LIKE ? ESCAPE '\\' ORDER BY email LIMIT ? OFFSET ?",
  )
  const countUsers = db.prepare("SELECT count(*) FROM users WHERE account = ? AND email LIKE ? ESCAPE '\\'").pluck()
  const countOwners = db.prepare("SELECT count(*) FROM users WHERE account = ? AND role = 'owner'").pluck()
  const principalsNamed = db
    .prepare(`SELECT id FROM users WHERE account = @account AND email LIKE @name ESCAPE '\\'
      UNION ALL SELECT 'client:' || id FROM api_clients WHERE account = @account AND id LIKE @name ESCAPE '\\'`)
    .pluck()
  const client = db.prepare('SELECT * FROM api_clients WHERE id = ?')
  const clientsOf = db.prepare('SELECT * FROM api_clients WHERE account = ? ORDER BY id')
  const setRules = db.prepare('UPDATE accounts SET require = ?, first_factor = ?, network = ?, name = ? WHERE id = ?')
  const setUserFacts = db.prepare('UPDATE users SET last_ip = ?, language = ? WHERE id = ?')
  const setPassword = db.prepare('UPDATE users SET secret_hash = ? WHERE id = ? AND secret_hash = ?')
  const setClientIp = db.prepare('UPDATE api_clients SET last_ip = ? WHERE id = ?')
  const forgetOldTries = db.prepare('DELETE FROM password_tries WHERE ends_at <= ?')
  const chargeTry = db.prepare(`INSERT INTO password_tries VALUES (?, 1, ?)
    ON CONFLICT (who) DO UPDATE SET count = count + 1 RETURNING count, ends_at`)
  const forgetTries = db.prepare('DELETE FROM password_tries WHERE who = ?')

  /** Counts a try. Gives the reply `throttled` if there were too many. */
  function charge(who, { count, seconds }) {
    const now = clock()
    forgetOldTries.run(now)
    const tries = chargeTry.get(who, now + seconds)
    return tries.count > count ? { result: 'throttled', retryAt: tries.ends_at } : undefined
  }

  /** Counts the try before it compares, so that parallel guesses are all counted. */
  async function checkSecret(principal, name, secret, ip) {
    const who = createHash('sha256')
      .update(JSON.stringify([name, placeOf(ip)]))
      .digest('base64url')
    const throttled = charge(who, passwordTries)
    if (throttled) return throttled
    const right = await verify(principal?.secret_hash ?? nobodysHash, secret.normalize('NFC'))
    if (principal === undefined || !right) return { result: 'wrong_password' }
    forgetTries.run(who)
    return { result: 'first_factor', principal }
  }

  const clientPrincipal = (row) => row && { ...row, id: `client:${row.id}`, clientId: row.id, role: 'member' }

  return {
    account: (id) => readRules(account.get(id)),
    user: (id) => user.get(id),
    usersOf: (accountId) => usersOf.all(accountId),
    /** The users whose e-mail address holds this text, a page of them: there may be very many. */
    pageOfUsers: (accountId, text, { limit, offset }) => pageOfUsers.all(accountId, holding(text), limit, offset),
    countOwners: (accountId) => countOwners.get(accountId),
    countUsers: (accountId, text) => countUsers.get(accountId, holding(text)),
    clientsOf: (accountId) => clientsOf.all(accountId).map(clientPrincipal),

    /** The ids of the users and API clients whose name holds this text. */
    principalsNamed: (accountId, text) => principalsNamed.all({ account: accountId, name: holding(text) }),

    /** The principal of a session: a user or an API client. */
    principal: (id) => user.get(id) ?? clientPrincipal(id.startsWith('client:') ? client.get(id.slice(7)) : undefined),

    userNamed: (email) => userByEmail.get(email),
    checkPassword: (email, password, ip) => checkSecret(userByEmail.get(email), email, password, ip),
    checkClient: (id, secret, ip) => checkSecret(clientPrincipal(client.get(id)), `client:${id}`, secret, ip),

    /** Keyboards differ in how they write an é; NIST SP 800-63B-4 §3.1.1.2 asks to make them one. */
    hashOf: (password) => hash(password.normalize('NFC')),
    /** Takes the place of the password that `principal` was read with. False where that one was changed meanwhile. */
    setPassword: (principal, hash) => setPassword.run(hash, principal.id, principal.secret_hash).changes === 1,
    /** Whether the password is still the one that `principal` was read with. */
    isCurrent: ({ id, clientId, secret_hash: hash }) =>
      (clientId === undefined ? user.get(id) : client.get(clientId))?.secret_hash === hash,

    /** Counts a change of the password. Gives the reply `throttled` after too many: each sends a mail and adds a row to the trail. */
    chargePasswordChange: (principal) => charge(`password:${principal.id}`, passwordChanges),

    /** Counts a half login. Call it once for each login that is challenged. */
    hasManyHalfLogins: (principal) => charge(`half:${principal.id}`, halfLogins) !== undefined,
    forgetHalfLogins: (principal) => forgetTries.run(`half:${principal.id}`),

    /** Notes where a principal was seen last, and the language of messages to a person. */
    remember(principal, { ip, language }) {
      if (principal.clientId === undefined) setUserFacts.run(ip, language, principal.id)
      else setClientIp.run(ip, principal.clientId)
    },

    saveRules(accountId, { require, firstFactor, network, name }) {
      setRules.run(JSON.stringify(require), firstFactor, JSON.stringify(network), name, accountId)
    },
  }
}

/** The address, or of IPv6 the network of 64 bits, all of whose addresses one stranger may have. */
function placeOf(ip) {
  // All addresses that cannot be read, such as one with a port, share one budget.
  if (!ipaddr.isValid(ip)) return ''
  const address = ipaddr.process(ip)
  if (!(address instanceof ipaddr.IPv6)) return address.toString()
  // A translator (RFC 6052) puts the whole of IPv4 into one such network.
  return (address.range() === 'rfc6052' ? address.parts : address.parts.slice(0, 4)).join(':')
}

/** The pattern of texts that hold this one. `LIKE` reads `%` and `_` as any text, and a pattern ends at NUL. */
const holding = (text) => `%${text.replaceAll('\0', '').replace(/[%_\\]/g, '\\$&')}%`

/** The policy of an account. Its owner sets `name`, `require`, `firstFactor` and `network`; the operator fixed the rest here. */
export function policyOf({ name, require, firstFactor, network }, origin) {
  return {
    v: 1,
    name,
    origin,
    methods: ['totp', 'sms', 'backup_code', 'recovery_code'],
    require,
    firstFactor,
    network,
    plans: ['pro'],
    // Without this key, backup codes are stored as hashes only, and the page cannot show them again.
    backupCodes: { keepForShowing: true },
    trustedBrowser: { days: trustDays },
    ...lifetimes,
  }
}

function readRules(row) {
  if (row === undefined) return undefined
  const { first_factor: firstFactor, require, network, ...account } = row
  return { ...account, firstFactor, require: JSON.parse(require), network: JSON.parse(network) }
}

async function seed(db) {
  const users = await Promise.all(demoLogins.map(async (user) => ({ ...user, hash: await hash(user.password) })))
  const clientHash = await hash(demoClient.secret)
  db.transaction(() => {
    db.prepare('INSERT INTO accounts VALUES (?, ?, ?, ?, ?, ?)').run(
      'acme',
      'Acme',
      'pro',
      JSON.stringify('optional'),
      'recovery_code',
      JSON.stringify({ allow: [], api: [], deny: [] }),
    )
    for (const { email, role, hash } of users) {
      db.prepare('INSERT INTO users (id, account, email, role, secret_hash) VALUES (?, ?, ?, ?, ?)').run(
        randomUUID(),
        'acme',
        email,
        role,
        hash,
      )
    }
    db.prepare('INSERT INTO api_clients VALUES (?, ?, ?, NULL)').run(demoClient.id, 'acme', clientHash)
  })()
}

/** The roles that the account's rules may name. */
export const rolesOf = ({ role }) => [role]
