// Guards of Hono: which handlers they cover, however a request spells its path, and bodies that the app has read before.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { test } from 'node:test'
import { serve } from '@hono/node-server'
import { getConnInfo } from '@hono/node-server/conninfo'
import { honoSecondFactor } from 'countersign/hono'
import { Hono } from 'hono'
import { cookieOf, memorySecondFactor, sendRaw, setUpApp } from './in-process.mjs'
import { client } from './service.mjs'

/**
 * An app on a port, with POST /login { user } and the routes.
 * @param {{ after(end: () => unknown): void }} t
 * @param {(app: Hono, auth: any) => unknown} build
 * @param {any} [more]  options of the adapter, a change of the policy, and the app
 */
async function started(t, build, { policy = {}, app = new Hono(), ...options } = {}) {
  const means = memorySecondFactor(policy)
  const { secondFactor } = means
  const auth = honoSecondFactor({
    secondFactor,
    ip: (c) => getConnInfo(c).remote.address,
    onError: () => {},
    ...options,
  })
  await build(app, auth)
  app.all('/second-factor/*', auth.routes)
  app.post('/login', async (c) => {
    const { user } = c.req.header('content-type')?.includes('json') ? await c.req.json() : await c.req.parseBody()
    return auth.login(c, { user })
  })
  const server = /** @type {import('node:http').Server} */ (serve({ fetch: app.fetch, port: 0, hostname: '127.0.0.1' }))
  await once(server, 'listening')
  t.after(() => new Promise((resolve) => server.close(resolve)))
  const { port } = /** @type {import('node:net').AddressInfo} */ (server.address())
  return { ...means, app, auth, origin: `http://127.0.0.1:${port}` }
}

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
    (app, auth) =>
      app.get('/admin', auth.guard(), (c) => {
        runs += 1
        return c.json({ user: auth.person(c).user })
      }),
    { app: new Hono({ strict: false }) },
  )
  const cookie = cookieOf(await inside(service))
  const reaching = ['/admin', '/%61dmin', '/admin/', '/admin?x=/login', '/./admin', '/login/../admin']
  for (const path of reaching) assert.equal(await sendRaw(service.origin, { path, headers: { cookie } }), 200, path)
  assert.equal(runs, reaching.length)
  runs = 0
  for (const path of [...reaching, '//admin', '/ADMIN', '/%2561dmin', '/admin%2f', '/admin%00', '/admin;x', '\\admin'])
    for (const method of ['GET', 'HEAD', 'POST', 'OPTIONS'])
      assert.notEqual(await sendRaw(service.origin, { method, path }), 200, `${method} ${path}`)
  assert.equal(runs, 0)
})

test('A4: a middleware covers the handlers after it, those of other apps among them', async (t) => {
  const service = await started(t, (app, auth) => {
    app.get('/early', (c) => c.json({ user: auth.person(c).user }))
    app.use('/early', auth.guard())
    app.use('/area/*', auth.guard())
    const area = new Hono().onError((error, c) => c.text(error.message, 500))
    area.get('/user', (c) => c.json({ user: auth.person(c).user }))
    app.route('/area', area)
    app.mount('/area/other', () => new Response('mounted'))
    app.onError((error, c) => c.json({ code: /** @type {any} */ (error).code }, 500))
  })
  const browser = await inside(service)
  assert.deepEqual((await browser.get('/area/user')).body, { user: 'ann' })
  assert.equal((await browser.get('/area/other/x')).text, 'mounted')
  for (const path of ['/area/user', '/area/other/x', '/area/none'])
    assert.equal((await client(service).get(path)).status, 401, path)
  // A handler before its guard has no person, whoever asks.
  for (const each of [browser, client(service)]) {
    const refused = await each.get('/early')
    assert.deepEqual([refused.status, refused.body], [500, { code: 'no_guard' }])
  }
})

test('A4: the strictest of several guards decides', async (t) => {
  const service = await started(t, (app, auth) => {
    app.use('/inside/*', auth.guard())
    app.post('/inside/transfer', auth.guard({ maxAge: 60 }), (c) => c.text('sent'))
    app.get('/inside/page', (c) => c.text(auth.person(c).user))
  })
  const browser = await inside(service)
  await setUpApp(browser, service)
  assert.equal((await browser.post('/inside/transfer')).status, 200)
  service.advance(61)
  assert.equal((await browser.get('/inside/page')).status, 200)
  assert.equal((await browser.post('/inside/transfer')).body.reason, 'too_old')
})

test('A4: a WebSocket opens for people alone, and for no page of another site', async (t) => {
  const service = await started(t, (app, auth) => app.get('/live', auth.guard(), (c) => c.text('opened')), {
    ip: () => '192.0.2.1',
  })
  const cookie = cookieOf(await inside(service))
  const opened = async (headers) => {
    const upgrade = { host: 'acme.example', upgrade: 'websocket', connection: 'Upgrade' }
    return (await service.app.request('/live', { headers: { ...upgrade, ...headers } })).status
  }
  assert.equal(await opened({}), 401)
  assert.equal(await opened({ cookie }), 200)
  assert.equal(await opened({ cookie, origin: 'https://acme.example' }), 200)
  assert.equal(await opened({ cookie, origin: 'https://evil.example' }), 403)
  assert.equal(await opened({ cookie, 'sec-fetch-site': 'same-site', origin: 'https://acme.example' }), 403)
})

test('T37: a body is read once, by the app or by the routes, and the answer is the same', async (t) => {
  const readers = {
    none: async () => {},
    json: (c) => c.req.json().catch(() => {}),
    text: (c) => c.req.text(),
    form: (c) => c.req.parseBody().catch(() => {}),
  }
  const service = await started(t, (app) =>
    app.use('/second-factor/*', async (c, next) => {
      await readers[c.req.header('x-reader') ?? 'none'](c)
      await next()
    }),
  )
  const browser = await inside(service)
  const path = '/second-factor/confirm-totp'
  const send = async (body, type, reader) =>
    (await browser.send('POST', path, body, { 'content-type': type, 'x-reader': reader })).status
  for (const reader of ['none', 'json', 'text'])
    assert.equal(await send('{"setup":"x","code":"123456"}', 'application/json', reader), 422, reader)
  for (const reader of ['none', 'text', 'form'])
    assert.equal(await send('setup=x&code=123456', 'application/x-www-form-urlencoded', reader), 422, reader)
  for (const reader of ['none', 'text', 'json']) {
    assert.equal(await send('{', 'application/json', reader), 400, reader)
    assert.equal(await send('', 'application/json', reader), 400, reader)
  }
  assert.equal(await send('x', 'multipart/form-data', 'text'), 400)
  assert.equal(await send('<a/>', 'application/xml', 'none'), 415)
  // The server closes after the test, which shows that the rest of the body is not waited for.
  assert.equal(await send(JSON.stringify({ code: '1'.repeat(2_000_000) }), 'application/json', 'none'), 413)
})

test('a person without scripts is sent on after a form that the app has read', async (t) => {
  const pages = { login: '/login', secondStep: '/code' }
  const { app } = await started(t, (app, auth) => app.get('/', auth.guard(), (c) => c.text('in')), {
    pages,
    ip: () => '192.0.2.1',
  })
  const headers = { 'sec-fetch-mode': 'navigate', 'content-type': 'application/x-www-form-urlencoded' }
  const away = await app.request('/?tab=2', { headers })
  assert.deepEqual([away.status, away.headers.get('location')], [303, '/login?reason=log_in_first&next=%2F%3Ftab%3D2'])
  const done = await app.request('/login', { method: 'POST', headers, body: 'user=ann&next=/%3Ftab%3D2' })
  assert.deepEqual([done.status, done.headers.get('location'), await done.text()], [303, '/?tab=2', ''])
  const cookie = done.headers
    .getSetCookie()
    .map((each) => each.split(';')[0])
    .join()
  assert.equal(await (await app.request('/', { headers: { ...headers, cookie } })).text(), 'in')
})

test('T24: address rules see what `ip` tells, and an adapter without it is refused', async (t) => {
  const policy = { network: { deny: ['203.0.113.0/24'] } }
  const behind = await started(t, () => {}, { policy, ip: (c) => c.req.header('x-real-ip') })
  const login = (address) => client(behind).post('/login', { user: 'ann' }, { 'x-real-ip': address })
  assert.equal((await login('203.0.113.7')).status, 403)
  assert.equal((await login('192.0.2.1')).status, 200)
  const { secondFactor } = memorySecondFactor()
  assert.throws(() => honoSecondFactor({ secondFactor }), { code: 'invalid_input', path: 'ip' })
  assert.throws(() => honoSecondFactor({ secondFactor, ip: () => '', maxage: 1 }), { path: 'maxage' })
})

test("an error of the host's own goes to the app's handler", async (t) => {
  const service = await started(t, (app) => app.onError((error, c) => c.text(`handled: ${error.message}`, 500)), {
    facts: () => {
      throw new Error('no database')
    },
  })
  const answer = await client(service).post('/login', { user: 'ann' })
  assert.deepEqual([answer.status, answer.text], [500, 'handled: no database'])
})
