// A login with a second factor in better-auth. Every way in meets it: password, links, social logins, and plugins that it does not know.
import { createServer } from 'node:http'
import { betterAuth } from 'better-auth'
import { getMigrations } from 'better-auth/db/migration'
import { fromNodeHeaders, toNodeHandler } from 'better-auth/node'
import { magicLink, organization } from 'better-auth/plugins'
import Database from 'better-sqlite3'
import { requireSecondFactor, secondFactor } from 'countersign/better-auth'

const policy = {
  v: 1,
  name: 'Acme',
  origin: 'https://acme.example', // of your login page
  methods: ['totp', 'sms', 'backup_code', 'recovery_code'],
}

export const auth = betterAuth({
  baseURL: process.env.ORIGIN ?? 'http://localhost:3000',
  database: new Database(process.env.DATABASE ?? 'acme.sqlite'),
  emailAndPassword: { enabled: true, requireEmailVerification: true }, // a factor needs a proven address
  emailVerification: { sendVerificationEmail: async ({ user, url }) => console.log(`mail to ${user.email}: ${url}`) },
  advanced: { ipAddress: { ipAddressHeaders: ['x-real-ip'] } }, // a header that your proxy sets, and clients cannot
  plugins: [
    magicLink({ sendMagicLink: ({ email, url }) => console.log(`mail to ${email}: ${url}`) }),
    organization({ requireEmailVerificationOnInvitation: true }), // its owners may help members who lost their phone
    secondFactor({
      policy: process.env.POLICY ?? policy,
      keys: process.env.COUNTERSIGN_KEYS ?? '', // the JSON that `npx countersign keys` printed once
      sendSms: ({ to, body }) => console.log(`SMS to ${to}: ${JSON.stringify(body)}`), // your gateway's place
      pages: { secondStep: '/second-step' }, // a page of yours
    }),
  ],
})
await (await getMigrations(auth.options)).runMigrations() // or `npx auth migrate`, once

const handler = toNodeHandler(auth)
const server = createServer(async (req, res) => {
  if (req.url?.startsWith('/api/auth/')) return handler(req, res)
  const headers = fromNodeHeaders(req.headers)
  try {
    // Ask again before this action: a second factor older than five minutes does not count.
    const rules = req.url === '/transfer' ? { maxAge: 300 } : {}
    const { user } = await requireSecondFactor(auth, headers, rules)
    res.setHeader('content-type', 'application/json').end(JSON.stringify({ user: user.id }))
  } catch (error) {
    const { statusCode = 500, body = { code: 'FAILED' }, headers: more = {} } = Object(error)
    res.writeHead(statusCode, { 'content-type': 'application/json', ...more }).end(JSON.stringify(body))
  }
})
server.listen(Number(process.env.PORT ?? 3000), '127.0.0.1', () =>
  console.log(`Listening on http://127.0.0.1:${/** @type {import('node:net').AddressInfo} */ (server.address()).port}`),
)
