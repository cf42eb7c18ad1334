// A login at better-auth with its own plug-in for a second factor. Its password hash is replaced by a comparison, so that the
// first factor costs nothing.
// @ts-nocheck: the peers are installed only by `npm run bench`
import { betterAuth } from 'better-auth'
import { memoryAdapter } from 'better-auth/adapters/memory'
import { getMigrations } from 'better-auth/db/migration'
import { twoFactor } from 'better-auth/plugins'

const origin = 'https://acme.example'
const password = 'correct horse battery staple'
/** The user whose rows stand for those of others. */
const FIRST = 'ann@acme.example'

const newTables = () => ({ user: [], session: [], account: [], verification: [], twoFactor: [], rateLimit: [] })

/** A user with an app, in memory. `begin` shows the password, and gives the cookie of the second step; `verify` shows a code. */
export async function betterAuthUser() {
  const { secret, begin, verify } = await betterAuthOn(memoryAdapter(newTables()))
  return { secret, begin: () => begin(FIRST), verify }
}

/** A thousand users with an app, in memory. */
export async function betterAuthInMemory(count) {
  const tables = newTables()
  const service = await betterAuthOn(memoryAdapter(tables))
  const [user, account, factor] = [tables.user[0], tables.account[0], tables.twoFactor[0]]
  for (let number = 0; number < count; number += 1) {
    const id = `user-${number}`
    tables.user.push({ ...user, id, email: emailOf(number) })
    tables.account.push({ ...account, id, accountId: id, userId: id })
    tables.twoFactor.push({ ...factor, id, userId: id })
  }
  return service
}

/**
 * Users with an app in a database of SQL; `query(text)` sends a statement, and gives its rows. The rows of one user are copied,
 * because nothing in them is bound to their owner: all have one secret.
 */
export async function betterAuthInSql(database, query) {
  const service = await betterAuthOn(database, async (auth) => (await getMigrations(auth.options)).runMigrations())
  return {
    ...service,
    async fill({ from, to }) {
      const changed = {
        user: { id: "'user-' || n", email: "'user-' || n || '@acme.example'" },
        account: { id: "'user-' || n", accountId: "'user-' || n", userId: "'user-' || n" },
        twoFactor: { id: "'user-' || n", userId: "'user-' || n" },
      }
      for (const [table, others] of Object.entries(changed)) {
        const owner = table === 'user' ? 'id' : '"userId"'
        const first = `${owner} = (SELECT id FROM "user" WHERE email = '${FIRST}')`
        const columns = Object.keys((await query(`SELECT * FROM "${table}" WHERE ${first}`))[0])
        const names = columns.map((name) => `"${name}"`).join(', ')
        const values = columns.map((name) => others[name] ?? `"${name}"`).join(', ')
        await query(`
          INSERT INTO "${table}" (${names})
          WITH RECURSIVE numbers(n) AS (SELECT ${from} UNION ALL SELECT n + 1 FROM numbers WHERE n < ${to - 1})
          SELECT ${values} FROM numbers, (SELECT * FROM "${table}" WHERE ${first}) AS one`)
      }
    },
  }
}

export const emailOf = (number) => `user-${number}@acme.example`

async function betterAuthOn(database, prepare = async (_auth) => {}) {
  const auth = betterAuth({
    baseURL: origin,
    secret: 'a secret of the benchmark, 32 long or more',
    database,
    emailAndPassword: {
      enabled: true,
      password: { hash: async (password) => password, verify: async ({ hash, password }) => hash === password },
    },
    rateLimit: { enabled: false },
    telemetry: { enabled: false },
    plugins: [twoFactor({ issuer: 'Acme', skipVerificationOnEnable: true })],
  })
  await prepare(auth)
  const signedUp = await auth.api.signUpEmail({ body: { email: FIRST, password, name: 'Ann' }, asResponse: true })
  const headers = { cookie: cookiesOf(signedUp) }
  const { totpURI } = await auth.api.enableTwoFactor({ body: { password }, headers })
  return {
    secret: new URL(totpURI).searchParams.get('secret'),
    async begin(email) {
      const response = await auth.api.signInEmail({ body: { email, password }, asResponse: true })
      const { twoFactorRedirect } = await response.json()
      return { challenge: twoFactorRedirect === true, cookie: cookiesOf(response) }
    },
    async verify(cookie, code) {
      const response = await auth.api.verifyTOTP({ body: { code }, headers: { cookie }, asResponse: true })
      return response.ok
    },
  }
}

const cookiesOf = (response) =>
  response.headers
    .getSetCookie()
    .map((line) => line.split(';')[0])
    .join('; ')
