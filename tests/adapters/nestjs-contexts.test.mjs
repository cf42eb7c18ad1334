// The guard of NestJS in each kind of context: it runs, or the context is closed.
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { createServer } from 'node:net'
import { before, test } from 'node:test'
import { promisify } from 'node:util'
import { at } from '../../scripts/common.mjs'
import { nestFolder } from './nest.mjs'
import { client, POLICY } from './service.mjs'

const { WebSocket } = createRequire(import.meta.url)('ws')

/** @type {any} */
let nest
before(async () => {
  nest = await import(`${nestFolder('nest-contexts')}/contexts.js`)
})

/**
 * An app that listens.
 * @param {{ after(end: () => unknown): void }} t
 */
async function start(t, parts = {}, connect = async (_app) => {}) {
  const made = await nest.make(POLICY, parts)
  t.after(() => made.app.close())
  await connect(made.app)
  await made.app.listen(0, '127.0.0.1')
  const origin = (await made.app.getUrl()).replace('[::1]', '127.0.0.1')
  return { ...made, origin }
}

const login = (browser, user, path = '') => browser.post(`${path}/login`, { user })
const verify = (browser, at, path = '') =>
  browser.post(`${path}/second-factor/verify`, { method: 'totp', code: at.code() })

/** Browsers of nobody, of Ann half-way, of Ann and of Bob. */
async function browsers(at) {
  const [nobody, half, ann, bob] = [client(at), client(at), client(at), client(at)]
  for (const browser of [half, ann]) assert.equal((await login(browser, 'ann')).body.result, 'challenge')
  assert.equal((await verify(ann, at)).body.result, 'verified')
  assert.equal((await login(bob, 'bob')).body.result, 'allowed')
  at.ran.length = 0
  return { nobody, half, ann, bob }
}

async function freePort() {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = /** @type {import('node:net').AddressInfo} */ (server.address())
  await new Promise((done) => server.close(done))
  return port
}

for (const platform of ['express', 'fastify']) {
  test(`A4, T18: HTTP on ${platform}: the guard of a handler or class runs, request-scoped or not`, async (t) => {
    const at = await start(t, { platform, controllers: [nest.Http, nest.ByClass] })
    const { nobody, half, ann, bob } = await browsers(at)
    for (const browser of [nobody, half]) {
      for (const path of [
        '/guarded',
        '/both',
        '/class/of-class',
        '/class/own',
        '//guarded',
        '/%67uarded',
        '/GUARDED',
        '/guarded/',
      ]) {
        const answer = await browser.get(path)
        assert.ok([401, 404].includes(answer.status), `${path}: ${answer.text}`)
        if (answer.status === 401) assert.match(answer.headers.get('www-authenticate'), /^Bearer error=/)
      }
    }
    assert.deepEqual(at.ran, [])
    assert.equal((await half.get('/guarded')).body.result, 'second_step')
    assert.equal((await nobody.get('/guarded')).headers.get('cache-control'), 'no-store')
    for (const [user, browser] of Object.entries({ ann, bob })) {
      assert.equal((await browser.get('/guarded')).status, 200)
      assert.equal((await browser.get('/class/of-class')).status, 200)
      assert.deepEqual(at.ran.splice(0), [`guarded for ${user}`, `of-class for ${user}`])
    }
    assert.equal((await ann.get('/class/own')).status, 401, 'the rules of the handler')
    at.clock.advance(301)
    assert.equal((await ann.get('/class/of-class')).body.reason, 'too_old')
    assert.equal((await ann.get('/guarded')).status, 200)
    assert.equal((await nobody.get('/class/open')).status, 200)
    assert.equal((await nobody.get('/plain')).status, 200, 'no guard is global')
    assert.equal((await ann.get('/nobody')).status, 500, 'a handler without a guard has no person')
    assert.deepEqual(at.ran, ['guarded for ann', 'open', 'plain'])
  })
}

for (const parts of [{ everyHandler: true }, { globalGuard: true }]) {
  test(`A4, T20: HTTP with ${Object.keys(parts)}: every handler is guarded but those that are public`, async (t) => {
    const at = await start(t, parts)
    const { nobody, half, ann } = await browsers(at)
    for (const browser of [nobody, half])
      for (const path of ['/plain', '/guarded', '/both']) assert.equal((await browser.get(path)).status, 401, path)
    assert.deepEqual(at.ran, [])
    assert.equal((await nobody.get('/second-factor/state')).body.result, 'nobody', 'the routes are reached')
    assert.equal((await ann.get('/plain')).status, 200)
    assert.deepEqual(at.ran, ['plain'])
  })
}

test('two modules in one app are refused at the start', async () => {
  await assert.rejects(nest.make(POLICY, { twice: true }), {
    code: 'invalid_input',
    message: /import SecondFactorModule once/,
  })
})

test('A4: a class that extends an open one is closed', async (t) => {
  const at = await start(t, { everyHandler: true, controllers: [nest.Http, nest.OpenClass, nest.BelowOpenClass] })
  const { nobody, ann } = await browsers(at)
  assert.equal((await nobody.get('/open-class/inherited')).status, 200)
  for (const path of ['/below-open-class/inherited', '/below-open-class/more']) {
    assert.equal((await nobody.get(path)).status, 401, path)
    assert.equal((await ann.get(path)).status, 200, path)
  }
})

/** Sends events over a WebSocket, and gives the answers. */
async function over(t, at, browser, headers = {}) {
  const cookie = [...browser.cookies].map(([name, value]) => `${name}=${value}`).join('; ')
  const socket = new WebSocket(at.origin.replace('http', 'ws'), { headers: { cookie, ...headers } })
  t.after(() => socket.close())
  await once(socket, 'open')
  return async (event) => {
    socket.send(JSON.stringify({ event, data: {} }))
    // NestJS 11 tells a client of `ws` nothing of a refusal.
    const unanswered = () => ['{ "event": "exception" }']
    const [data] = await once(socket, 'message', { signal: AbortSignal.timeout(5_000) }).catch(unanswered)
    return JSON.parse(String(data))
  }
}

test('A4: WebSocket: a message is let through by the request that opened it', async (t) => {
  const at = await start(t, { controllers: [nest.Http], providers: [nest.Gateway] })
  const { nobody, half, ann } = await browsers(at)
  for (const browser of [nobody, half]) {
    const send = await over(t, at, browser)
    assert.equal((await send('guarded')).event, 'exception')
    assert.equal((await send('plain')).event, 'plain')
  }
  assert.deepEqual(at.ran.splice(0), ['plain', 'plain'])
  const send = await over(t, at, ann)
  assert.deepEqual(await send('guarded'), { event: 'guarded', data: { ran: 'guarded' } })
  assert.deepEqual(at.ran.splice(0), ['guarded for ann'])
  for (const headers of [
    { origin: 'https://evil.example' },
    { 'sec-fetch-site': 'cross-site' },
    { 'sec-fetch-site': 'same-site' },
  ]) {
    const foreign = await over(t, at, ann, headers)
    assert.equal((await foreign('guarded')).event, 'exception', 'a page of another site has opened it')
  }
  assert.equal((await ann.post('/log-out')).body.result, 'logged_out')
  assert.equal((await send('guarded')).event, 'exception', 'a log-out reaches sockets that are open')
  assert.deepEqual(at.ran, [])
})

test('A4: WebSocket: a gateway that does not tell the request is closed', async (t) => {
  nest.Gateway.remembers = false
  t.after(() => {
    nest.Gateway.remembers = true
  })
  const at = await start(t, { controllers: [nest.Http], providers: [nest.GuardedGateway], everyHandler: true })
  const { ann } = await browsers(at)
  assert.equal((await (await over(t, at, ann))('plain')).event, 'exception')
  nest.Gateway.remembers = true
  assert.equal((await (await over(t, at, client(at)))('plain')).event, 'exception')
  assert.deepEqual(at.ran, [])
  assert.equal((await (await over(t, at, ann))('plain')).event, 'plain')
})

test('A4: WebSocket: where the guard is on every handler, one of messages that says nothing itself fails at the start', async () => {
  const parts = { controllers: [nest.Http], providers: [nest.Gateway], everyHandler: true }
  await assert.rejects(nest.make(POLICY, parts), { code: 'no_guard', path: 'Gateway.plain' })
})

for (const inheritAppConfig of [false, true]) {
  test(`A4: microservice in a hybrid app, inheritAppConfig ${inheritAppConfig}: a guarded handler is closed`, async (t) => {
    const port = await freePort()
    const parts = { controllers: [nest.Http, nest.Messages], everyHandler: true }
    const at = await start(t, parts, async (app) => {
      app.connectMicroservice(nest.tcp(port), { inheritAppConfig })
      await app.startAllMicroservices()
    })
    assert.deepEqual(await nest.message(port, 'open'), { ran: 'open' })
    assert.equal((await nest.message(port, 'guarded')).error.message, 'Forbidden resource')
    assert.deepEqual(at.ran, ['open'])
  })
}

test('A4: microservice: where the guard is on every handler, one that says nothing itself fails at the start', async (t) => {
  const parts = { controllers: [nest.Http, nest.UnmarkedMessages], everyHandler: true }
  await assert.rejects(nest.make(POLICY, parts), { code: 'no_guard', path: 'UnmarkedMessages.unmarked' })
  const port = await freePort()
  const controllers = [nest.Http, nest.UnmarkedMessages]
  await start(t, { controllers }, async (app) => {
    app.connectMicroservice(nest.tcp(port))
    await app.startAllMicroservices()
  })
  assert.deepEqual(await nest.message(port, 'unmarked'), { ran: 'unmarked' }, 'the test can fail')
})

test('A4: a microservice alone is closed but for its public handlers', async (t) => {
  const port = await freePort()
  const { app, ran } = await nest.makeMicroservice(POLICY, port, [nest.Messages])
  t.after(() => app.close())
  await app.listen()
  assert.equal((await nest.message(port, 'guarded')).error.message, 'Forbidden resource')
  assert.deepEqual(await nest.message(port, 'open'), { ran: 'open' })
  assert.deepEqual(ran, ['open'])
})

for (const everyHandler of [false, true]) {
  test(`A4: GraphQL, everyHandler ${everyHandler}: queries, mutations and fields are guarded`, async (t) => {
    const at = await start(t, { platform: 'fastify', graphql: true, providers: [nest.Graph], everyHandler })
    const { nobody, half, ann } = await browsers(at)
    const ask = async (browser, query, headers) => (await browser.post('/graphql', { query }, headers)).body
    for (const browser of [nobody, half]) {
      for (const query of [
        '{ guarded { ran } }',
        'mutation { change { ran } }',
        '{ a: guarded { ran } b: guarded { ran } }',
      ])
        assert.ok((await ask(browser, query)).errors.length > 0, query)
      assert.deepEqual(at.ran, [])
      const { data, errors } = await ask(browser, '{ plain { ran } }')
      if (everyHandler) assert.ok(errors.length > 0)
      else assert.equal(data.plain.ran, 'plain')
      assert.ok((await ask(browser, '{ plain { secret } }')).errors.length > 0, 'a field has a guard of its own')
      assert.equal(at.ran.splice(0).includes('secret'), false)
    }
    assert.deepEqual((await ask(ann, '{ guarded { ran secret } }')).data.guarded, { ran: 'guarded', secret: 'secret' })
    assert.equal((await ask(ann, 'mutation { change { ran } }')).data.change.ran, 'change')
    assert.deepEqual(at.ran.splice(0), ['guarded for ann', 'secret', 'change'])
    at.clock.advance(301)
    assert.ok((await ask(ann, 'mutation { change { ran } }')).errors.length > 0, 'too old')
    assert.ok((await ask(ann, '{ guarded { ran } }', { 'sec-fetch-site': 'cross-site' })).errors.length > 0)
    assert.deepEqual(at.ran, [])
  })
}

test('A4: a context of a kind that nobody knows is closed', async (t) => {
  const at = await start(t, { providers: [nest.Bot] })
  const { ann } = await browsers(at)
  const cookie = [...ann.cookies].map(([name, value]) => `${name}=${value}`).join('; ')
  const req = { method: 'GET', url: '/', headers: { cookie } }
  const refused = { message: 'Forbidden resource' }
  for (const token of [nest.Bot, nest.Http]) {
    for (const type of ['telegraf', 'rpc', 'ws', 'constructor', '__proto__'])
      await assert.rejects(nest.callIn(at.app, token, type, req, {}, { req }), refused, type)
    for (const args of [[], [null], [req, {}, null], [req, {}, {}], [req, {}, { req: 'text' }], [req, {}, { req: {} }]])
      await assert.rejects(nest.callIn(at.app, token, 'graphql', ...args), refused)
  }
  assert.deepEqual(at.ran, [])
  // NestJS finds no instance of the guard for a controller here, and would run its handler.
  await assert.rejects(nest.callIn(at.app, nest.Http, 'graphql', {}, {}, { req }), refused)
  assert.deepEqual(
    await nest.callIn(at.app, nest.Bot, 'graphql', {}, {}, { req }),
    { ran: 'guarded' },
    'the test can fail',
  )
})

test('A4: options that belong to one request fail at the start; those of other providers do not', async (t) => {
  const made = await nest.make(POLICY, { inject: [nest.OfOneRequest] })
  await assert.rejects(made.app.init(), /scoped/)
  const at = await start(t, { inject: ['a provider'], everyHandler: true })
  const { nobody, ann } = await browsers(at)
  assert.deepEqual([(await nobody.get('/plain')).status, (await ann.get('/plain')).status], [401, 200])
})

test('A3: a session of express-session gets another id at both steps', async (t) => {
  const at = await start(t, { sessions: true })
  const { half, ann } = await browsers(at)
  const old = half.copy()
  assert.equal((await verify(half, at)).body.result, 'verified')
  assert.deepEqual([(await old.get('/guarded')).status, (await half.get('/guarded')).status], [401, 200])
  assert.equal((await login(ann, 'bob')).body.result, 'allowed')
  assert.equal((await ann.get('/guarded')).status, 200)
  assert.deepEqual(at.ran, ['guarded for ann', 'guarded for bob'])
})

test('the types are those of NestJS', { timeout: 120_000 }, async () => {
  const folder = nestFolder('nest-types')
  const compilerOptions = {
    ...{ target: 'es2024', module: 'nodenext', strict: true, noEmit: true, skipLibCheck: true, types: ['node'] },
    ...{ experimentalDecorators: true, allowJs: true, noImplicitAny: false, typeRoots: [at('node_modules/@types')] },
  }
  writeFileSync(`${folder}/tsconfig.json`, JSON.stringify({ compilerOptions, include: ['nestjs.ts', 'contexts.ts'] }))
  await promisify(execFile)(process.execPath, [
    at('node_modules/typescript/bin/tsc'),
    '-p',
    folder,
    '--pretty',
    'false',
  ]).catch(({ stdout }) => assert.fail(stdout))
})

test('the routes stand behind the prefix of the app, and before no version', async (t) => {
  const at = await start(t, { prefix: 'api', path: 'auth/2fa' })
  assert.equal((await client(at).get('/api/auth/2fa/state')).body.result, 'nobody')
})
