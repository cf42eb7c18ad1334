// The parts of a host that the examples beside this file share: its users, their passwords, and the one second factor of the process.
import { randomBytes, scryptSync, timingSafeEqual } from 'node:crypto'
import { createSecondFactor } from 'countersign'
import { sqliteStore } from 'countersign/stores/sqlite'

/** The SQLite of the runtime: Bun's, that of Deno and of Node.js from 22.13 on, or a package. */
async function openDatabase(file) {
  if ('Bun' in globalThis) return new (await import('bun:sqlite')).Database(file)
  const module = await import('node:sqlite').catch(() => undefined)
  if (module) return new module.DatabaseSync(file)
  const { default: Database } = await import('better-sqlite3')
  return new Database(file)
}

const policy = {
  v: 1,
  name: 'Acme',
  origin: 'https://acme.example', // of your login page
  methods: ['totp', 'sms', 'backup_code', 'recovery_code'],
  trustedBrowser: { days: 30 },
}

export const secondFactor = createSecondFactor({
  policy: process.env.POLICY ?? policy,
  keys: process.env.COUNTERSIGN_KEYS ?? '', // the JSON that `npx countersign keys` printed once
  store: sqliteStore(await openDatabase(process.env.DATABASE ?? 'acme.sqlite')),
  sendSms: async ({ to, body }) => console.log(`SMS to ${to}: ${JSON.stringify(body)}`), // your gateway's place
})

const users = new Map()

/** Another user, by a name that nobody has now. */
export function addUser(id, name, password, isOwner = false) {
  const salt = randomBytes(16)
  users.set(id, { name, isOwner, salt, hash: scryptSync(password, salt, 32) })
}

addUser('u-1', 'ann@acme.example', 'ann@acme.example has a password', true)
addUser('u-2', 'bob@acme.example', 'bob@acme.example has a password')

/** Gives a user another name. */
export function rename(id, name) {
  users.get(id).name = name
}

/** The id of the user whose name and password are in this body. The id never changes; the name may. */
export function checkPassword(body) {
  const { name, password } = body ?? {} // a client may send any JSON, `null` too
  for (const [id, user] of users) {
    if (user.name !== name || typeof password !== 'string') continue
    if (timingSafeEqual(scryptSync(password, user.salt, 32), user.hash)) return id
  }
  return undefined
}

/** A user by the id. */
export const findUser = (id) => (users.has(id) ? { id, name: users.get(id).name } : undefined)

/** Shown in the user's app. */
export const facts = ({ user }) => ({ label: users.get(user)?.name })

/** Owners may rescue other users of this host. */
export const mayRescue = (owner, user) => users.get(owner.user)?.isOwner === true && users.has(user)
