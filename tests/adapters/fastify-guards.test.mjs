// Guards of Fastify: which routes they cover, however a request spells its path, and what an app's own hooks and parsers change.
import assert from 'node:assert/strict'
import { connect } from 'node:http2'
import { test } from 'node:test'
import formbody from '@fastify/formbody'
import websocket from '@fastify/websocket'
import { fastifySecondFactor } from 'countersign/fastify'
import Fastify from 'fastify'
import { WebSocket } from 'ws'
import { cookieOf, memorySecondFactor, sendRaw, setUpApp } from './in-process.mjs'
import { client } from './service.mjs'

/**
 * An app on a port, with POST /login { user }.
 * @param {{ after(end: () => unknown): void }} t
 * @param {(app: any) => unknown} build
 * @param {any} [more]  options of Fastify, a change of the policy, and what comes before the plugin
 */
async function started(t, build, { policy = {}, pages = undefined, before = (_app) => {}, ...options } = {}) {
  const means = memorySecondFactor(policy)
  const app = untyped(Fastify(options))
  t.after(() => app.close())
  const errors = []
  await before(app)
  await app.register(fastifySecondFactor, {
    secondFactor: means.secondFactor,
    pages,
    onError: (error) => errors.push(error),
  })
  app.post('/login', (request, reply) => app.secondFactor.login(request, reply, { user: request.body.user }))
  await build(app)
  const origin = await app.listen({ port: 0, host: '127.0.0.1' })
  return { ...means, app, origin, errors }
}

/**
 * The plugin's types are those of its package, which tests do without.
 * @returns {any}
 */
const untyped = (app) => app

/** A browser in which ann is in. */
async function inside(service) {
  const browser = client(service)
  assert.equal((await browser.post('/login', { user: 'ann' })).body.result, 'allowed')
  return browser
}

test('A4, T27: a guard holds however a request spells its path', async (t) => {
  let runs = 0
  const service = await started(
    t,
    (app) =>
      app.get('/admin', { onRequest: app.secondFactor.guard() }, async (request) => {
        runs += 1
        return { user: request.person.user }
      }),
    {
      routerOptions: {
        ignoreTrailingSlash: true,
        ignoreDuplicateSlashes: true,
        caseSensitive: false,
        useSemicolonDelimiter: true,
      },
      rewriteUrl: ({ url }) => url.replace('/alias', '/admin'),
    },
  )
  const cookie = cookieOf(await inside(service))
  const reaching = ['/admin', '/%61dmin', '//admin', '/ADMIN', '/admin/', '/admin?x=/login', '/admin;x=1', '/alias']
  for (const path of reaching) {
    const before = runs
    assert.equal(await sendRaw(service.origin, { path, headers: { cookie } }), 200, path)
    assert.equal(runs, before + 1, path)
  }
  runs = 0
  for (const path of [...reaching, '/./admin', '/login/../admin', '/%2561dmin', '/admin%2f', '/admin%00', '\\admin'])
    for (const method of ['GET', 'HEAD', 'POST', 'OPTIONS'])
      assert.notEqual(await sendRaw(service.origin, { method, path }), 200, `${method} ${path}`)
  assert.equal(runs, 0)
})

test('A4: a guard of a context covers its routes and its children, and none beside', async (t) => {
  const service = await started(t, (app) => {
    const answer = async () => 'reached'
    app.get('/beside', answer)
    app.register(async (context) => {
      context.get('/before', answer)
      context.register(async (child) => child.get('/child-before', answer))
      context.addHook('onRequest', app.secondFactor.guard())
      context.get('/after', answer)
      context.register(async (child) => child.get('/child-after', answer))
    })
    app.register(async (sibling) => sibling.get('/sibling', answer))
  })
  const browser = await inside(service)
  for (const [path, status] of [
    ...['/before', '/after', '/child-before', '/child-after'].map((path) => /** @type {const} */ ([path, 401])),
    ...['/beside', '/sibling'].map((path) => /** @type {const} */ ([path, 200])),
  ]) {
    assert.equal((await client(service).get(path)).status, status, path)
    assert.equal((await browser.get(path)).status, 200, path)
  }
})

test('A4: a guard of the whole app closes every other route, and the second step can still be taken', async (t) => {
  const service = await started(t, async (app) => {
    await app.register(async (early) => early.get('/early', async (request) => request.person.user))
    app.addHook('onRequest', async (request, reply) =>
      request.headers['x-guard'] === 'off' ? undefined : app.secondFactor.guard()(request, reply),
    )
    app.get('/', async (request) => ({ user: request.person.user }))
  })
  const login = (browser) => browser.post('/login', { user: 'ann' }, { 'x-guard': 'off' })
  const browser = client(service)
  assert.equal((await browser.post('/login', { user: 'ann' })).status, 401)
  assert.equal((await login(browser)).body.result, 'allowed')
  const nextCode = await setUpApp(browser, service)
  const other = client(service)
  assert.equal((await login(other)).body.result, 'challenge')
  for (const path of ['/', '/early', '/second-factor', '/unknown', '/second-factor/status'])
    assert.equal((await other.get(path)).status, 401, path)
  const done = await other.post('/second-factor/verify', { method: 'totp', code: nextCode() })
  assert.equal(done.body.result, 'verified', done.text)
  for (const path of ['/', '/early']) assert.equal((await other.get(path)).status, 200, path)
})

test('A4: a handler without a guard has no person, whoever asks', async (t) => {
  const service = await started(t, (app) => {
    app.get('/guarded', { onRequest: app.secondFactor.guard() }, async (request) => ({ user: request.person.user }))
    app.get('/', async (request) => ({ user: request.person.user }))
  })
  const browser = await inside(service)
  assert.equal((await browser.get('/guarded')).body.user, 'ann')
  for (const each of [browser, client(service)]) {
    const refused = await each.get('/')
    assert.deepEqual([refused.status, refused.body.code], [500, 'no_guard'])
  }
})

test('A4: the strictest of several guards decides', async (t) => {
  const service = await started(t, (app) =>
    app.register(async (context) => {
      context.addHook('onRequest', app.secondFactor.guard())
      context.post('/transfer', { onRequest: app.secondFactor.guard({ maxAge: 60 }) }, async () => 'sent')
      context.get('/', async () => 'in')
    }),
  )
  const browser = await inside(service)
  await setUpApp(browser, service)
  assert.equal((await browser.post('/transfer')).status, 200)
  service.advance(61)
  assert.equal((await browser.get('/')).status, 200)
  assert.equal((await browser.post('/transfer')).body.reason, 'too_old')
})

/** The first word on a socket, or the status by which it was refused. */
const heard = (origin, headers) =>
  new Promise((resolve) => {
    const socket = new WebSocket(`${origin.replace('http', 'ws')}/live`, { headers })
    socket.once('unexpected-response', (_request, { statusCode }) => resolve(statusCode))
    socket.once('error', (error) => resolve(error.message))
    socket.once('message', (message) => {
      resolve(String(message))
      socket.close()
    })
  })

test('A4: a WebSocket opens for people alone, and for no page of another site', async (t) => {
  const service = await started(t, async (app) => {
    await app.register(websocket)
    app.register(async (context) => {
      context.addHook('onRequest', app.secondFactor.guard())
      context.get('/live', { websocket: true }, (socket, request) => socket.send(request.person.user))
    })
  })
  const cookie = cookieOf(await inside(service))
  assert.equal(await heard(service.origin, {}), 401)
  assert.equal(await heard(service.origin, { cookie }), 'ann')
  assert.equal(await heard(service.origin, { cookie, origin: service.origin }), 'ann')
  for (const headers of [{ origin: 'https://evil.example' }, { 'sec-fetch-site': 'same-site' }])
    assert.equal(await heard(service.origin, { cookie, ...headers }), 403)
})

test('T37: a body gets the answer of the core, whatever parsers the app has', async (t) => {
  const before = async (app) => {
    await app.register(formbody)
    app.addContentTypeParser('application/xml', { parseAs: 'string' }, (_request, _body, done) =>
      done(null, { xml: 1 }),
    )
    app.setErrorHandler((error, _request, reply) => reply.code(599).send({ message: error.message }))
  }
  const service = await started(t, () => {}, { before })
  const browser = await inside(service)
  const path = '/second-factor/confirm-totp'
  const send = (body, type) => browser.send('POST', path, body, { 'content-type': type })
  const form = await send('setup=x&setup=y&code=123456', 'application/x-www-form-urlencoded')
  assert.deepEqual([form.status, form.body.result], [422, 'expired'])
  assert.equal((await send('<a/>', 'application/xml')).status, 415)
  assert.equal((await send('{', 'application/json')).status, 400)
  assert.equal((await send('{"__proto__":{"setup":"x"}}', 'application/json')).status, 400)
  assert.equal((await send(JSON.stringify({ code: '1'.repeat(2_000_000) }), 'application/json')).status, 413)
  // Of its own routes the app answers.
  assert.equal((await browser.send('POST', '/login', '{', { 'content-type': 'application/json' })).status, 599)
})

test('T24: address rules see `request.ip`, behind the proxies that the app trusts', async (t) => {
  const policy = { network: { deny: ['203.0.113.0/24'] } }
  const logsIn = async (trustProxy, forwarded) => {
    const service = await started(t, () => {}, { policy, trustProxy })
    const answer = await client(service).post('/login', { user: 'ann' }, { 'x-forwarded-for': forwarded })
    return answer.status === 200
  }
  assert.equal(await logsIn('127.0.0.1', '203.0.113.7'), false)
  assert.equal(await logsIn('127.0.0.1', '203.0.113.7, 192.0.2.1'), true)
  assert.equal(await logsIn(false, '203.0.113.7'), true)
  // A count of proxies trusts nobody in Fastify 5, because it says nothing of the client of the last one.
  assert.equal(await logsIn(1, '203.0.113.7'), true)
})

test('a person without scripts is sent to a page, and on after a form', async (t) => {
  const { app } = await started(t, (app) => app.get('/', { onRequest: app.secondFactor.guard() }, async () => 'in'), {
    before: (app) => app.register(formbody),
    pages: { login: '/login', secondStep: '/code' },
  })
  const headers = { 'sec-fetch-mode': 'navigate', 'content-type': 'application/x-www-form-urlencoded' }
  const away = await app.inject({ url: '/?tab=2', headers })
  assert.deepEqual([away.statusCode, away.headers.location], [303, '/login?reason=log_in_first&next=%2F%3Ftab%3D2'])
  const payload = 'user=ann&next=/%3Ftab%3D2'
  const done = await app.inject({ method: 'POST', url: '/login', headers, payload })
  assert.deepEqual([done.statusCode, done.headers.location, done.body], [303, '/?tab=2', ''])
  const { name, value } = done.cookies[0]
  assert.equal((await app.inject({ url: '/', headers, cookies: { [name]: value } })).body, 'in')
})

test('an older browser is known by its origin, over HTTP/2 and behind a proxy', async (t) => {
  const overHttp2 = await started(t, () => {}, { http2: true })
  const session = connect(overHttp2.origin)
  const login = (origin) =>
    new Promise((resolve) => {
      const headers = { ':method': 'POST', ':path': '/login', 'content-type': 'application/json', origin }
      session
        .request(headers)
        .once('response', ({ ':status': status }) => resolve(status))
        .end('{"user":"ann"}')
    })
  const answers = [await login(overHttp2.origin), await login('https://evil.example')]
  session.destroy() // before the app, which waits for it
  assert.deepEqual(answers, [200, 403])
  const behind = await started(t, () => {}, { trustProxy: '127.0.0.1' })
  const post = (origin) =>
    behind.app.inject({
      method: 'POST',
      url: '/login',
      payload: { user: 'ann' },
      headers: { 'x-forwarded-host': 'acme.example', origin },
    })
  assert.equal((await post('https://acme.example')).statusCode, 200)
  assert.equal((await post('https://evil.example')).statusCode, 403)
})

test('two contexts have a second factor each', async (t) => {
  const app = untyped(Fastify())
  t.after(() => app.close())
  for (const [name, prefix] of [
    ['staff', '/staff'],
    ['shop', '/shop'],
  ])
    app.register(
      async (context) => {
        await context.register(fastifySecondFactor, { secondFactor: memorySecondFactor({ name }).secondFactor })
        context.post('/login', (request, reply) =>
          context.secondFactor.login(request, reply, { user: request.body.user }),
        )
        context.get('/', { onRequest: context.secondFactor.guard() }, async (request) => request.person.user)
      },
      { prefix },
    )
  const service = { origin: await app.listen({ port: 0, host: '127.0.0.1' }) }
  const browser = client(service)
  assert.equal((await browser.post('/staff/login', { user: 'ann' })).status, 200)
  assert.equal((await browser.get('/staff/second-factor/state')).body.result, 'in')
  assert.equal((await browser.get('/staff/')).status, 200)
  assert.equal((await browser.get('/shop/')).status, 401)
})

test('an app learns of a wrong option when it starts', async () => {
  const register = (options) => Fastify().register(fastifySecondFactor, options).ready()
  await assert.rejects(async () => register({}), { code: 'invalid_input', path: 'secondFactor' })
  const { secondFactor } = memorySecondFactor()
  await assert.rejects(async () => register({ secondFactor, maxage: 300 }), { code: 'invalid_input', path: 'maxage' })
})
