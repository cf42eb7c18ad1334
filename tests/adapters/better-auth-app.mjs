// A host on better-auth with the paths of the cases that every adapter passes. better-auth has its own users in memory; the records are in
// DATABASE, in a store of the host's.
import { createHash } from 'node:crypto'
import { createServer } from 'node:http'
import { betterAuth } from 'better-auth'
import { getMigrations } from 'better-auth/db/migration'
import { getRequest, setResponse } from 'better-call/node'
import { createSecondFactor } from 'countersign'
import { isCrossSite } from 'countersign/adapter'
import { requireSecondFactor, secondFactor } from 'countersign/better-auth'
import { sqliteStore } from 'countersign/stores/sqlite'

// The native module is compiled for one version of Node.js; from 22.13 on it has its own.
const builtIn = await import('node:sqlite').catch(() => undefined)
const { default: Database } = builtIn ? { default: builtIn.DatabaseSync } : await import('better-sqlite3')
/** @returns {any} */
const open = (file) => new Database(file)

/** A hash that costs nothing: passwords are not what is tested. */
const CHEAP = {
  hash: async (password) => createHash('sha256').update(password).digest('hex'),
  verify: async ({ hash, password }) => hash === createHash('sha256').update(password).digest('hex'),
}
const OWNERS = new Set(['u-1'])
const own = createSecondFactor({
  policy: process.env.POLICY,
  keys: process.env.COUNTERSIGN_KEYS,
  store: sqliteStore(open(process.env.DATABASE)),
  sendSms: ({ to, body }) => console.log(`SMS to ${to}: ${JSON.stringify(body)}`),
})
const server = createServer((req, res) => answer(req, res).catch((error) => fail(res, error)))
await new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve(undefined)))
const origin = `http://127.0.0.1:${/** @type {import('node:net').AddressInfo} */ (server.address()).port}`

const auth = betterAuth({
  baseURL: origin,
  basePath: '/',
  secret: 'a secret of this test alone, 0123456789',
  database: open(':memory:'),
  emailAndPassword: { enabled: true, password: CHEAP },
  rateLimit: { enabled: false },
  telemetry: { enabled: false },
  logger: { disabled: true },
  advanced: { ipAddress: { ipAddressHeaders: ['x-of-connection'] } },
  plugins: [secondFactor({ secondFactor: own, mayRescue: ({ user }) => OWNERS.has(user) })],
})
await (await getMigrations(auth.options)).runMigrations()
const { internalAdapter, password } = await auth.$context
for (const [id, name] of [
  ['u-1', 'ann'],
  ['u-2', 'bob'],
]) {
  const email = `${name}@acme.example`
  await internalAdapter.createUser(
    /** @type {any} */ ({ id, name, email, emailVerified: true }),
    /** @type {any} */ ({}),
  )
  const hash = await password.hash(`${email} has a password`)
  await internalAdapter.createAccount({ userId: id, accountId: id, providerId: 'credential', password: hash })
}
console.log(`Listening on ${origin}`)

/** The request as better-auth gets it: with the address of the connection, and the `Origin` that browsers send with every POST. */
function requestOf(req) {
  const request = getRequest({ base: origin, request: req })
  const headers = new Headers(request.headers)
  headers.set('x-of-connection', req.socket.remoteAddress)
  if (!headers.get('origin') && headers.get('sec-fetch-site') === 'same-origin') headers.set('origin', origin)
  return new Request(request, { headers })
}

async function answer(req, res) {
  const request = requestOf(req)
  if (req.url === '/login') return login(request, res)
  if (req.url !== '/' && req.url !== '/transfer') return setResponse(res, await auth.handler(request))
  if (req.url === '/transfer' && isForged(request)) return send(res, 403, { result: 'cross_site' })
  const { user } = await requireSecondFactor(
    /** @type {any} */ (auth),
    request.headers,
    req.url === '/' ? {} : { maxAge: 300 },
  )
  return send(res, 200, { user: user.id })
}

/** @param {Request} request */
const isForged = ({ method, url, headers }) =>
  isCrossSite(
    {
      method,
      url,
      header: (name) => headers.get(name) ?? undefined,
      body: () => undefined,
      ip: undefined,
      setCookie() {},
    },
    new Set(),
  )

/** The page's own path for the login, which calls better-auth's. */
async function login(request, res) {
  const { name, password } = await request.json()
  const response = await auth.handler(
    new Request(`${origin}/sign-in/email`, {
      method: 'POST',
      headers: request.headers,
      body: JSON.stringify({ email: name, password }),
    }),
  )
  const body = await response.json()
  const isTrusted = response.headers.getSetCookie().some((cookie) => /^__Host-countersign-browser=[^;]/.test(cookie))
  if (body.code === 'INVALID_EMAIL_OR_PASSWORD') body.result = 'wrong_password'
  body.result ??= isTrusted ? 'verified' : 'allowed'
  return setResponse(res, Response.json(body, { status: response.status, headers: withoutLength(response.headers) }))
}

function withoutLength(headers) {
  const kept = new Headers(headers)
  kept.delete('content-length')
  return kept
}

const send = (res, status, body, headers = {}) =>
  void res.writeHead(status, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(body))

function fail(res, error) {
  const { statusCode = 500, body = {}, headers = {} } = Object(error)
  if (statusCode === 500) console.error(error)
  send(res, statusCode, body, headers)
}
