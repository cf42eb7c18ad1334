// Makes the exports here that come from real packages, and the codes that these packages compute from them. The files are kept,
// so that the tests install none of it. To make them anew, in an empty folder:
//   npm install otplib12@npm:otplib@12 otplib13@npm:otplib@13 speakeasy@2 better-auth@1.7 better-sqlite3
//   node …/tests/imports/make.mjs
// @ts-nocheck: the packages are installed only for that
import { randomBytes } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'

const from = createRequire(join(process.cwd(), 'any.js'))
const load = (name) => import(pathToFileURL(from.resolve(name)).href)
const write = (name, text) => writeFileSync(new URL(name, import.meta.url), text)
const csv = (rows) => [['user', 'secret'], ...rows].map((row) => `${row.join(',')}\n`).join('')
const lines = (rows) => rows.map((row) => `${JSON.stringify(row)}\n`).join('')

/** The time of all codes, in unix seconds. */
const TIME = 1_800_000_000
/** Codes by file and user. */
const codes = {}

const { authenticator } = (await load('otplib12')).default
authenticator.options = { epoch: TIME * 1000 }
const twelve = Array.from({ length: 20 }, (_, n) => [
  `u${n}`,
  authenticator.generateSecret([10, 15, 16, 20, 32][n % 5]),
])
write('otplib-12.csv', csv(twelve))
codes['otplib-12.csv'] = Object.fromEntries(twelve.map(([user, secret]) => [user, authenticator.generate(secret)]))

const thirteen = await load('otplib13')
const newer = Array.from({ length: 20 }, (_, n) => [`u${n}`, thirteen.generateSecret({ length: [16, 20, 32][n % 3] })])
write('otplib-13.csv', csv(newer))
codes['otplib-13.csv'] = {}
for (const [user, secret] of newer) codes['otplib-13.csv'][user] = await thirteen.generate({ secret, epoch: TIME })

const speakeasy = (await load('speakeasy')).default
const objects = Array.from({ length: 12 }, (_, n) =>
  speakeasy.generateSecret({ length: [10, 20, 32][n % 3], name: `u${n}`, issuer: 'Acme', symbols: n % 2 === 0 }),
)
write('speakeasy.jsonl', lines(objects.map((two_factor, n) => ({ id: `u${n}`, two_factor }))))
codes['speakeasy.jsonl'] = Object.fromEntries(
  objects.map(({ base32 }, n) => [`u${n}`, speakeasy.totp({ secret: base32, encoding: 'base32', time: TIME })]),
)

const { betterAuth } = await load('better-auth')
const { getMigrations } = await load('better-auth/db/migration')
const { twoFactor } = await load('better-auth/plugins')
const Database = (await load('better-sqlite3')).default
const database = new Database(':memory:')
const rows = []
const uris = new Map()
const keyring = [
  { version: 2, value: 'the newer secret of 32 characters or more' },
  { version: 1, value: 'the older secret of 32 characters or more' },
]
const bare = 'the first secret of all, of 32 characters'
const emails = Array.from({ length: 8 }, (_, n) => `u${n}@acme.example`)
for (const [n, email] of emails.entries()) {
  const auth = betterAuth({
    baseURL: 'https://acme.example',
    database,
    secret: bare,
    // Users of before the key ring have bare hex; those of after its change have the newer version.
    ...(n < 3 ? {} : { secrets: n < 5 ? keyring.slice(1) : keyring }),
    emailAndPassword: { enabled: true },
    rateLimit: { enabled: false },
    telemetry: { enabled: false },
    plugins: [twoFactor({ issuer: 'Acme', skipVerificationOnEnable: n !== 7 })],
  })
  if (n === 0) await (await getMigrations(auth.options)).runMigrations()
  const password = randomBytes(12).toString('hex')
  const signed = await auth.api.signUpEmail({ body: { email, password, name: email }, returnHeaders: true })
  const cookie = signed.headers
    .getSetCookie()
    .map((one) => one.split(';')[0])
    .join('; ')
  const { totpURI } = await auth.api.enableTwoFactor({ body: { password }, headers: new Headers({ cookie }) })
  const { id } = database.prepare('SELECT id FROM user WHERE email = ?').get(email)
  uris.set(id, totpURI)
}
rows.push(...database.prepare('SELECT * FROM twoFactor').all())
write('better-auth.json', `${JSON.stringify(rows, null, 1)}\n`)
write(
  'better-auth.env.json',
  `${JSON.stringify({ BETTER_AUTH_SECRET: bare, BETTER_AUTH_SECRETS: keyring.map(({ version, value }) => `${version}:${value}`).join(',') }, null, 1)}\n`,
)
codes['better-auth.json'] = Object.fromEntries(
  rows
    .filter(({ verified }) => verified === 1)
    .map(({ userId }) => {
      const secret = new URL(uris.get(userId)).searchParams.get('secret')
      return [userId, authenticator.generate(secret)]
    }),
)
write('codes.json', `${JSON.stringify({ time: TIME, codes }, null, 1)}\n`)
