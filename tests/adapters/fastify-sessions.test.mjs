// Logins in sessions of Fastify: another id at each step, and no login where there is none.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import cookie from '@fastify/cookie'
import secureSession from '@fastify/secure-session'
import session from '@fastify/session'
import { fastifySecondFactor, fastifySession } from 'countersign/fastify'
import Fastify from 'fastify'
import { memorySecondFactor, setUpApp } from './in-process.mjs'
import { client } from './service.mjs'

const SECRET = 'a secret of the tests, for signatures'

/**
 * An app with sessions in a store, whose contents the test sees.
 * @param {{ after(end: () => unknown): void }} t
 * @param {object} [options]  of @fastify/session
 * @param {(app: any) => unknown} [build]
 */
async function started(t, options = {}, build = () => {}) {
  const means = memorySecondFactor()
  const stored = new Map()
  const errors = []
  const app = untyped(Fastify())
  t.after(() => app.close())
  await app.register(cookie)
  await app.register(session, {
    secret: SECRET,
    saveUninitialized: false,
    cookie: { secure: false },
    store: new session.MemoryStore(stored),
    ...options,
  })
  await build(app)
  await app.register(fastifySecondFactor, {
    secondFactor: means.secondFactor,
    session: fastifySession({ keep: ['cart'] }),
    onError: (error) => errors.push(error),
  })
  app.post('/login', (request, reply) => app.secondFactor.login(request, reply, { user: request.body.user }))
  app.post('/cart', async (request) => {
    Object.assign(request.session, { cart: 'a hat', note: 'of a visitor' })
    return 'kept'
  })
  app.get('/session', async ({ session: { cart, note } }) => ({ cart, note }))
  app.get('/', { onRequest: app.secondFactor.guard() }, async (request) => ({ user: request.person.user }))
  return { ...means, app, stored, errors, origin: await app.listen({ port: 0, host: '127.0.0.1' }) }
}

/**
 * The plugin's types are those of its package, which tests do without.
 * @returns {any}
 */
const untyped = (app) => app

const login = async (browser, user = 'ann') => (await browser.post('/login', { user })).body.result
const isIn = async (browser) => (await browser.get('/')).status === 200

test('A3, T19: the session gets another id at both steps, and the ids before are gone', async (t) => {
  const service = await started(t)
  const first = client(service)
  assert.equal(await login(first), 'allowed')
  const nextCode = await setUpApp(first, service)

  const browser = client(service)
  await browser.post('/cart')
  const visitor = browser.copy()
  assert.equal(await login(browser), 'challenge')
  const half = browser.copy()
  assert.equal(await isIn(half), false)
  const code = nextCode()
  assert.equal((await browser.post('/second-factor/verify', { method: 'totp', code })).body.result, 'verified')
  assert.equal(await isIn(browser), true)
  const ids = [visitor, half, browser].map(({ cookies }) => cookies.get('sessionId'))
  assert.equal(new Set(ids).size, 3)
  const [visitors, halfs, now] = ids.map((id) => decodeURIComponent(id).split('.')[0])
  assert.deepEqual(
    [visitors, halfs, now].map((id) => service.stored.has(id)),
    [false, false, true],
  )
  for (const old of [visitor, half]) assert.equal(await isIn(old), false)
  // Only what the host names comes along.
  assert.deepEqual((await browser.get('/session')).body, { cart: 'a hat' })
})

test('A3, T21: user B logs in in the browser of user A: B is half-way, and the cookies of A open nothing', async (t) => {
  const service = await started(t)
  const setUp = client(service)
  assert.equal(await login(setUp, 'bob'), 'allowed')
  await setUpApp(setUp, service)
  const browser = client(service)
  assert.equal(await login(browser, 'ann'), 'allowed')
  const anns = browser.copy()
  assert.equal(await isIn(anns), true)
  assert.equal(await login(browser, 'bob'), 'challenge')
  assert.deepEqual([await isIn(browser), await isIn(anns)], [false, false])
})

for (const [what, options, build] of /** @type {[string, object, any][]} */ ([
  ['gives the same id again', { idGenerator: () => 'the-only-id' }, undefined],
  [
    'does nothing',
    {},
    (app) =>
      app.addHook('onRequest', async ({ session }) =>
        Object.defineProperty(session, 'regenerate', { value: async () => {} }),
      ),
  ],
]))
  test(`A3, T19: a session whose \`regenerate\` ${what} lets nobody in`, async (t) => {
    const service = await started(t, options, build)
    const browser = client(service)
    const refused = await browser.post('/login', { user: 'ann' })
    assert.deepEqual([refused.status, refused.body], [500, { result: 'failed', code: 'session_not_renewed' }])
    assert.equal(service.errors.at(-1).code, 'session_not_renewed')
    assert.equal(await isIn(browser), false)
  })

test('A3: a request that ends after the log-out puts the session back, which opens nothing', async (t) => {
  let goOn
  const held = new Promise((resolve) => (goOn = resolve))
  let isHeld
  const arrived = new Promise((resolve) => (isHeld = resolve))
  const service = await started(t, { rolling: true }, (app) =>
    app.get('/slow', async () => {
      isHeld()
      await held
      return 'late'
    }),
  )
  const browser = client(service)
  assert.equal(await login(browser), 'allowed')
  const copy = browser.copy()
  const slow = copy.get('/slow')
  await arrived
  assert.equal((await browser.post('/second-factor/log-out')).body.result, 'logged_out')
  goOn()
  assert.equal((await slow).text, 'late')
  assert.equal(service.stored.size, 1)
  assert.equal(await isIn(copy), false)
})

for (const [when, isRefused] of /** @type {[string, (kept: any) => boolean][]} */ ([
  ['at each write', () => true],
  ['once it is to keep the login', ({ countersign }) => countersign !== undefined],
]))
  test(`a store of sessions that fails ${when} is 503, and lets nobody in`, async (t) => {
    const service = await started(t, { rolling: false })
    const browser = client(service)
    const set = service.stored.set.bind(service.stored)
    service.stored.set = (id, kept) => {
      if (isRefused(kept)) throw new Error('ECONNREFUSED 10.0.0.7')
      return set(id, kept)
    }
    const refused = await browser.post('/login', { user: 'ann' })
    assert.deepEqual([refused.status, refused.body], [503, { result: 'failed', code: 'session_failed' }])
    assert.equal(await isIn(browser), false)
  })

test('a session that is a cookie itself is refused, and the error says what to do', async (t) => {
  const means = memorySecondFactor()
  const errors = []
  const app = untyped(Fastify())
  t.after(() => app.close())
  await app.register(secureSession, { key: Buffer.alloc(32, 7), cookie: { path: '/' } })
  await app.register(fastifySecondFactor, {
    secondFactor: means.secondFactor,
    session: fastifySession(),
    onError: (error) => errors.push(error),
  })
  app.post('/login', (request, reply) => app.secondFactor.login(request, reply, { user: 'ann' }))
  const refused = await client({ origin: await app.listen({ port: 0, host: '127.0.0.1' }) }).post('/login')
  assert.deepEqual([refused.status, refused.body.code], [500, 'no_session'])
  assert.match(errors[0].message, /no id that can change: leave `session` out/)
})

test('an app without sessions is told so', async (t) => {
  const errors = []
  const app = untyped(Fastify())
  t.after(() => app.close())
  await app.register(fastifySecondFactor, {
    secondFactor: memorySecondFactor().secondFactor,
    session: fastifySession(),
    onError: (error) => errors.push(error),
  })
  app.get('/', { onRequest: app.secondFactor.guard() }, async () => 'in')
  const answer = await app.inject('/')
  assert.deepEqual([answer.statusCode, answer.json().code], [500, 'no_session'])
  assert.match(errors[0].message, /register @fastify\/session before this/)
})
