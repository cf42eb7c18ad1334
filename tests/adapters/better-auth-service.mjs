// better-auth on a real HTTP server, with the second factor or without, and browsers that use it.
import './use-frameworks.mjs'
import { createHash } from 'node:crypto'
import { createServer } from 'node:http'
import { betterAuth } from 'better-auth'
import { getMigrations } from 'better-auth/db/migration'
import { toNodeHandler } from 'better-auth/node'
import Database from 'better-sqlite3'
import { generateKeys, memoryStore, totp } from 'countersign'

/** The plugin, loaded after the hook that finds better-auth for it. */
export const { secondFactor, requireSecondFactor, NEW_SESSIONS } = await import('countersign/better-auth')

export const PASSWORD = 'correct horse battery'
export const SECRET = 'a secret of this test alone, 0123456789'

/**
 * A service with a database of its own.
 * @param {{ after(end: () => unknown): void }} t
 * @param {{ options?: any, plugins?: any[], own?: any, policy?: any, mine?: (own: any) => any[] }} [given]
 *   `mine`: the plugins that give the second factor; none for a service without.
 */
export async function startAuth(t, { options = {}, plugins = [], own = {}, policy = {}, mine } = {}) {
  const server = createServer((req, res) => handler(req, res))
  await new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve(undefined)))
  const { port } = /** @type {import('node:net').AddressInfo} */ (server.address())
  const origin = `http://127.0.0.1:${port}`
  const database = new Database(':memory:')
  const clock = { offset: 0 }
  const messages = []
  const events = []
  const mails = []
  const plugin = () =>
    secondFactor({
      policy: {
        v: 1,
        name: 'Acme',
        origin: 'https://acme.example',
        methods: METHODS,
        backupCodes: { count: 1, memoryKib: 7_168, passes: 5 },
        trustedBrowser: { days: 30 },
        ...policy,
      },
      keys: generateKeys(),
      sendSms: (message) => messages.push(message),
      onEvent: (event) => events.push(event),
      clock: () => Math.floor(Date.now() / 1_000) + clock.offset,
      hashing: 'inline',
      ...own,
    })
  const auth = betterAuth({
    database,
    baseURL: origin,
    secret: SECRET,
    telemetry: { enabled: false },
    rateLimit: { enabled: false },
    logger: { level: 'error' },
    emailAndPassword: { enabled: true, password: CHEAP, sendResetPassword: async (mail) => void mails.push(mail) },
    advanced: { ipAddress: { ipAddressHeaders: ['x-test-ip'] } },
    ...options,
    plugins: mine ? mine({ plugin, plugins }) : [...plugins, plugin()],
  })
  const handler = toNodeHandler(auth)
  await (await getMigrations(auth.options)).runMigrations()
  t.after(() => new Promise((resolve) => server.close(resolve)).then(() => database.close()))
  t.after(() => server.closeAllConnections())
  const service = { auth: /** @type {any} */ (auth), origin, database, clock, messages, events, mails }
  return { ...service, browser: (headers) => browserOf(service, headers) }
}

/** A hash that costs nothing: passwords are not what is tested. */
const CHEAP = {
  hash: async (password) => createHash('sha256').update(password).digest('hex'),
  verify: async ({ hash, password }) => hash === createHash('sha256').update(password).digest('hex'),
}
/** @type {('totp' | 'sms' | 'backup_code' | 'recovery_code')[]} */
const METHODS = ['totp', 'sms', 'backup_code', 'recovery_code']

/** A browser, or a client: its cookies, and the headers that it sends. */
export function browserOf({ origin }, headers = {}) {
  /** @type {Map<string, string>} */
  const jar = new Map()
  /** Keeps the cookies of a response. */
  function take(response) {
    const cookies = response.headers.getSetCookie()
    for (const cookie of cookies) {
      const [pair, ...attributes] = cookie.split(';')
      const [name, value] = [pair.slice(0, pair.indexOf('=')), pair.slice(pair.indexOf('=') + 1)]
      if (attributes.some((attribute) => /^\s*max-age=0$/i.test(attribute))) jar.delete(name)
      else jar.set(name, value)
    }
    return cookies
  }
  async function send(method, path, body, more = {}) {
    const response = await fetch(path.startsWith('http') ? path : `${origin}/api/auth${path}`, {
      method,
      redirect: 'manual',
      headers: {
        origin,
        'x-test-ip': '192.0.2.1',
        ...(jar.size > 0 ? { cookie: [...jar].map(([name, value]) => `${name}=${value}`).join('; ') } : {}),
        ...(method === 'POST' ? { 'content-type': 'application/json' } : {}),
        ...headers,
        ...more,
      },
      body: method === 'POST' ? JSON.stringify(body ?? {}) : undefined,
    })
    const cookies = take(response)
    const text = await response.text()
    let json
    try {
      json = JSON.parse(text)
    } catch {}
    return {
      status: response.status,
      headers: response.headers,
      cookies,
      text,
      body: json,
      location: response.headers.get('location'),
    }
  }
  return {
    jar,
    take,
    headers: () =>
      new Headers({ cookie: [...jar].map(([name, value]) => `${name}=${value}`).join('; '), 'x-test-ip': '192.0.2.1' }),
    get: (path, more) => send('GET', path, undefined, more),
    post: (path, body, more) => send('POST', path, body, more),
    /** The user who is in. */
    user: async () => (await send('GET', '/get-session')).body?.user?.id,
  }
}

/** The code of an app now. */
export const codeOf = ({ clock }, secret, steps = 0) =>
  totp.generate({ secret, time: Math.floor(Date.now() / 1_000) + clock.offset + steps * 30 })

/** A user with an e-mail address and a password, who is in. */
export async function signedUp(service, name = 'ann', more = {}) {
  const browser = service.browser()
  const email = `${name}@acme.example`
  const answer = await browser.post('/sign-up/email', { email, password: PASSWORD, name, ...more })
  return { browser, email, id: answer.body?.user?.id, answer }
}

/** The same with an app. */
export async function enrolled(service, name = 'ann', more = {}) {
  const user = await signedUp(service, name, more)
  const secret = await enroll(service, user.browser)
  return { ...user, secret }
}

/** Sets up an app for the person in a browser. */
export async function enroll(service, browser) {
  const started = await browser.post('/second-factor/enroll-totp')
  if (started.body?.result !== 'totp_started') throw new Error(`no set-up: ${started.text}`)
  const { secret, setup } = started.body
  const confirmed = await browser.post('/second-factor/confirm-totp', { setup, code: codeOf(service, secret) })
  if (confirmed.body?.result !== 'enrolled') throw new Error(`not enrolled: ${confirmed.text}`)
  service.clock.offset += 60
  return secret
}

/** The second step of the login in a browser. */
export async function secondStep(service, browser, secret, more = {}) {
  const answer = await browser.post('/second-factor/verify', { method: 'totp', code: codeOf(service, secret), ...more })
  service.clock.offset += 60
  return answer
}

export { generateKeys, memoryStore }
