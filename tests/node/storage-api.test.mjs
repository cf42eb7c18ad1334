// The storage API over real HTTP, under Express 5 as a host mounts it.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, request as httpRequest } from 'node:http'
import { createRequire } from 'node:module'
import { connect } from 'node:net'
import test from 'node:test'
import { setTimeout as wait } from 'node:timers/promises'
import Database from 'better-sqlite3'
import { memoryStore } from 'countersign'
import { storageApi } from 'countersign/storage-api'
import { sqliteStore } from 'countersign/stores/sqlite'
import { eventually } from '../shared/eventually.mjs'
import { codeOf, host, login, refusedWith, ticketOf, withApp } from './support.mjs'

const express = createRequire(new URL('../../examples/login/package.json', import.meta.url))('express')

const TOKEN = 'test-token-of-the-storage-api-0123456789'
const BASE = '/internal/second-factor'
const stores = { memoryStore, sqliteStore: () => sqliteStore(new Database(':memory:')) }

/** A store whose versions are 1, 2, 3. */
function numbered() {
  const records = new Map()
  return {
    load: async ({ user }) => records.get(user),
    async save({ user }, record, expected = 0) {
      if ((records.get(user)?.version ?? 0) !== expected) return false
      records.set(user, { record, version: expected + 1 })
      return true
    },
  }
}

/** A service with the API. `call` sends the token by default. */
async function service(t, /** @type {any} */ { store = numbered(), before = [], token = TOKEN, ...options } = {}) {
  const app = express()
  for (const middleware of before) app.use(middleware)
  app.use(BASE, storageApi({ store, token, ...options }))
  app.use((request, response) => response.status(418).send('the host'))
  app.use((error, request, response, next) => response.status(599).send(`the host's error page: ${error.message}`))
  const server = createServer(app).listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => {
    server.closeAllConnections()
    server.close()
  })
  const { port } = server.address()
  const call = async (method, path, /** @type {any} */ given = undefined) => {
    const { headers = {}, body } = /** @type {any} */ ({ __proto__: null, ...given })
    const outgoing = httpRequest({
      port,
      method,
      path: BASE + path,
      headers: { authorization: `Bearer ${token}`, ...headers },
    })
    outgoing.on('error', () => undefined) // The answer may come before the whole body is sent.
    outgoing.end(body)
    const [response] = await once(outgoing, 'response')
    let text = ''
    for await (const chunk of response.setEncoding('utf8')) text += chunk
    assert.equal(response.headers['cache-control'], 'no-store')
    if (response.statusCode === 204 || method === 'HEAD') assert.equal(text, '')
    else assert.equal(response.headers['content-type'], 'application/json')
    assert.doesNotMatch(text, /test-token|<html|at .*\.c?js/, 'no token, no page, no stack')
    return { status: response.statusCode, headers: response.headers, body: text === '' ? undefined : JSON.parse(text) }
  }
  const put = (user, version, body, headers = {}) =>
    call('PUT', `/records/${user}`, {
      headers: { 'content-type': 'application/json', 'if-match': `"${version}"`, ...headers },
      body: typeof body === 'string' || Buffer.isBuffer(body) ? body : JSON.stringify(body),
    })
  return { call, put, port, store }
}

const errorOf = ({ status, body }) => [status, body?.error]
const settled = () => wait(20)

for (const [name, make] of Object.entries(stores)) {
  test(`a record is read, and replaced by a writer who names its version (${name})`, async (t) => {
    const { call, put, store } = await service(t, { store: make() })
    assert.deepEqual(errorOf(await call('GET', '/records/ann')), [404, 'not_found'])
    assert.deepEqual(
      errorOf(await put('ann', 1, { record: 'made up' })),
      [412, 'precondition_failed'],
      'a write with a version does not create a record',
    )
    await store.save({ user: 'ann' }, 'one', undefined)
    const { version } = await store.load({ user: 'ann' })
    const read = await call('GET', '/records/ann')
    assert.deepEqual([read.status, read.body, read.headers.etag], [200, { record: 'one', version }, `"${version}"`])
    const written = await put('ann', version, { record: 'two', effects: [] })
    assert.deepEqual([written.status, written.body], [204, undefined])
    assert.deepEqual(errorOf(await put('ann', version, { record: 'three' })), [412, 'precondition_failed'])
    const again = await call('GET', '/records/ann?fresh')
    assert.equal(again.body.record, 'two')
    assert.notEqual(again.headers.etag, read.headers.etag)
    assert.equal((await put('ann', again.body.version, { record: 'three' })).status, 204, 'effects may be left out')
  })

  test(`T3: of two or a hundred writers with one version, one wins (${name})`, async (t) => {
    const { put, store } = await service(t, { store: make() })
    await store.save({ user: 'ann' }, 'start', undefined)
    for (const writers of [2, 100]) {
      const { version } = await store.load({ user: 'ann' })
      const answers = await Promise.all(
        Array.from({ length: writers }, (_, index) => put('ann', version, { record: `by ${index}` })),
      )
      const winners = answers.flatMap(({ status }, index) => (status === 204 ? [index] : []))
      assert.equal(winners.length, 1)
      assert.ok(answers.every(({ status }) => status === 204 || status === 412))
      assert.equal((await store.load({ user: 'ann' })).record, `by ${winners[0]}`)
    }
  })

  test(`a hundred writers that try again all succeed, one after the other (${name})`, async (t) => {
    const { call, put, store } = await service(t, { store: make() })
    await store.save({ user: 'ann' }, '0', undefined)
    await Promise.all(
      Array.from({ length: 100 }, async () => {
        for (;;) {
          const { body } = await call('GET', '/records/ann')
          if ((await put('ann', body.version, { record: String(Number(body.record) + 1) })).status === 204) return
        }
      }),
    )
    assert.equal((await store.load({ user: 'ann' })).record, '100')
  })

  test(`a user id is a value, with any characters in it (${name})`, async (t) => {
    const { call, put, store } = await service(t, { store: make() })
    const users = [
      'ann@acme.example',
      'a/b',
      '../ann',
      '..',
      '.',
      'Zoë Ünal',
      '李',
      '👩‍🚀',
      'a b',
      'a+b',
      '%41',
      'a?b#c',
      '"',
      '__proto__',
      'constructor',
      "x'; DROP TABLE second_factor; --",
      'x'.repeat(256),
    ]
    for (const user of users) {
      const path = encodeURIComponent(user).replaceAll('.', '%2E')
      assert.equal((await call('GET', `/records/${path}`)).status, 404, user)
      await store.save({ user }, `of ${user}`, undefined)
      const { record, version } = (await call('GET', `/records/${path}`)).body
      assert.equal(record, `of ${user}`)
      assert.equal((await put(path, version, { record: 'new' })).status, 204)
      assert.equal((await store.load({ user })).record, 'new')
    }
    assert.equal((await call('GET', '/records/ann')).status, 404)
  })
}

test('a malformed user id is refused', async (t) => {
  const { call, put } = await service(t)
  for (const name of [
    '%',
    '%4',
    '%zz',
    '%ff',
    '%c3',
    '%00',
    'a%00',
    '%0a',
    'a%0d%0a',
    '%7f',
    '%c2%80',
    '%ed%a0%80',
    'x'.repeat(257),
    '%C3%A9'.repeat(129),
  ]) {
    assert.deepEqual(errorOf(await call('GET', `/records/${name}`)), [400, 'bad_request'], name)
    assert.deepEqual(errorOf(await put(name, 1, { record: 'x' })), [400, 'bad_request'], name)
  }
})

test('only a caller with the token gets an answer', async (t) => {
  const asked = []
  const store = { load: async ({ user }) => void asked.push(user), save: async ({ user }) => asked.push(user) && true }
  const { call, port } = await service(t, { store, revoked: () => asked.push('revoked') && {} })
  const wrong = [
    '',
    TOKEN,
    'Bearer',
    'Bearer ',
    `Bearer ${TOKEN.slice(0, -1)}`,
    `Bearer ${TOKEN}x`,
    `Bearer x${TOKEN}`,
    `Bearer ${TOKEN.toUpperCase()}`,
    `Bearer ${TOKEN} ${TOKEN}`,
    `Bearer ${TOKEN},Bearer ${TOKEN}`,
    `Bearer ${'x'.repeat(8000)}`,
    `Basic ${TOKEN}`,
    `Bearer ${TOKEN.slice(0, -1)}é`,
    `Bearer ${'x'.repeat(TOKEN.length)}`,
    'Bearer undefined',
    'Bearer null',
  ]
  for (const authorization of wrong) {
    for (const [method, path] of [
      ['GET', '/records/ann'],
      ['PUT', '/records/ann'],
      ['GET', '/revoked'],
      ['GET', '/nowhere'],
      ['DELETE', '/records/%'],
      ['GET', '/'],
    ]) {
      const answer = await call(method, path, { headers: { authorization } })
      assert.deepEqual(errorOf(answer), [401, 'unauthorized'], `${method} ${path} ${authorization}`)
      assert.equal(answer.headers['www-authenticate'], 'Bearer')
    }
  }
  const raw = async (...lines) => {
    const socket = connect(port, '127.0.0.1')
    socket.end([`GET ${BASE}/records/ann HTTP/1.1`, 'host: x', 'connection: close', ...lines, '', ''].join('\r\n'))
    let text = ''
    for await (const chunk of socket.setEncoding('latin1')) text += chunk
    return Number(text.slice(9, 12))
  }
  assert.equal(await raw(), 401)
  for (const other of [`Bearer ${TOKEN}`, 'Bearer other', 'Basic eDp5']) {
    assert.equal(
      await raw(`authorization: Bearer ${TOKEN}`, `authorization: ${other}`),
      401,
      'two headers count as none',
    )
    assert.equal(await raw(`authorization: ${other}`, `authorization: Bearer ${TOKEN}`), 401)
  }
  assert.equal(await raw(`x-authorization: Bearer ${TOKEN}`), 401)
  assert.deepEqual(asked, [], 'nothing was looked up')
  assert.equal(await raw(`AUTHORIZATION: bearer ${TOKEN}`), 404, 'scheme and name without regard to case')
})

test('other methods and paths get an error in JSON, and no request goes on to the host', async (t) => {
  const { call } = await service(t, { revoked: () => ({}) })
  for (const method of ['POST', 'DELETE', 'PATCH', 'HEAD', 'OPTIONS']) {
    const record = await call(method, '/records/ann')
    assert.deepEqual([record.status, record.headers.allow], [405, 'GET, PUT'], method)
    if (method !== 'HEAD') assert.equal(record.body.error, 'method_not_allowed')
    const revoked = await call(method, '/revoked')
    assert.deepEqual([revoked.status, revoked.headers.allow], [405, 'GET'], method)
  }
  assert.equal((await call('PUT', '/revoked')).status, 405)
  for (const path of [
    '',
    '/',
    '/records',
    '/records/',
    '/records//ann',
    '/records/ann/',
    '/records/a/b',
    '//records/ann',
    '/Records/ann',
    '/revoked/',
    '/revoked/x',
    '/records%2fann',
    '/x/../records/ann',
    '/records;x/ann',
  ]) {
    for (const method of ['GET', 'PUT']) assert.deepEqual(errorOf(await call(method, path)), [404, 'not_found'], path)
  }
  const without = await service(t)
  assert.deepEqual(errorOf(await without.call('GET', '/revoked')), [404, 'not_found'])
})

test('a write needs the version it replaces', async (t) => {
  const { call, put, store } = await service(t)
  await store.save({ user: 'ann' }, 'one', undefined)
  const headers = { 'content-type': 'application/json' }
  const body = JSON.stringify({ record: 'two' })
  assert.deepEqual(errorOf(await call('PUT', '/records/ann', { headers, body })), [428, 'precondition_required'])
  const malformed = [
    '',
    '*',
    '1',
    '"1',
    "'1'",
    'W/"1"',
    '"1", "1"',
    '"1","2"',
    '"01"',
    '"1.0"',
    '"1e0"',
    '" 1"',
    '"+1"',
    '"-0"',
    '"0x1"',
    '"one"',
    '""',
    '"9007199254740993"',
    '"99999999999999999999"',
    '"1"x',
  ]
  for (const ifMatch of malformed) {
    assert.deepEqual(
      errorOf(await call('PUT', '/records/ann', { headers: { ...headers, 'if-match': ifMatch }, body })),
      [400, 'bad_request'],
      ifMatch,
    )
  }
  assert.deepEqual(
    errorOf(await call('PUT', '/records/ann', { headers: { ...headers, 'if-match': ['"1"', '"1"'] }, body })),
    [400, 'bad_request'],
  )
  for (const version of [0, 2, -1])
    assert.deepEqual(errorOf(await put('ann', version, { record: 'two' })), [412, 'precondition_failed'])
  assert.equal((await store.load({ user: 'ann' })).record, 'one')
})

test('a body without a record and its effects is refused, and no record or effect follows', async (t) => {
  const told = []
  const { put, store } = await service(t, {
    notify: (notice) => told.push(notice),
    onEvent: (event) => told.push(event),
  })
  await store.save({ user: 'ann' }, 'one', undefined)
  const log = { v: 1, user: 'ann', at: 1, event: 'code_accepted' }
  const notify = { user: 'ann', at: 1, kind: 'locked' }
  const effects = [
    {},
    'x',
    1,
    [1],
    [null],
    ['log'],
    [[]],
    [{}],
    [{ log, notify }],
    [{ sms: { to: '+61412345678' } }],
    [{ log, sms: {} }],
    [{ log: null }],
    [{ log: [] }],
    [{ log: 'x' }],
    [{ log, more: 1 }],
    [{ log: { ...log, user: 'bob' } }],
    [{ notify: { ...notify, user: 'bob' } }],
    [{ notify: { ...notify, user: undefined } }],
    [{ log: { ...log, at: '1' } }],
    [{ log: { ...log, at: -1 } }],
    [{ log: { ...log, at: 1.5 } }],
    [{ log: { ...log, event: '' } }],
    [{ log: { ...log, v: 2 } }],
    [{ log: { ...log, v: '1' } }],
    [{ log: { ...log, v: undefined } }],
    [{ log: { ...log, event: undefined } }],
    [{ notify: { ...notify, kind: 1 } }],
    [{ notify: log }],
    [{ log: notify }],
    [{ log: { ...log, method: null } }],
    [{ log: { ...log, method: {} } }],
    [{ log: { ...log, method: ['totp'] } }],
    [{ log: { ...log, 'a b': 'x' } }],
    [{ log: { ...log, failures: 1e300 } }],
    [{ log: { ...log, factor: 'x' } }],
    [{ log: { ...log, factor: { id: 'x' } } }],
    [{ log: { ...log, factor: { id: 'x', name: 1 } } }],
    [{ log: { ...log, factor: { id: 'x', name: 'y', more: 'z' } } }],
    [{ log: { ...log, ip: '\ud800' } }],
    [{ log: JSON.parse('{"v":1,"user":"ann","at":1,"event":"x","__proto__":{"a":1}}') }],
    [{ log }, { log }, {}],
  ]
  const bodies = [
    '',
    '{',
    'null',
    '[]',
    '"x"',
    '1',
    'true',
    '{}',
    '{"record":1}',
    '{"record":null}',
    '{"record":""}',
    '{"record":{}}',
    '{"record":["x"]}',
    '{"record":"\\ud800"}',
    '{"recod":"x"}',
    '{"record":"x","version":1}',
    '{"record":"x","__proto__":{"effects":[]}}',
    '{"__proto__":{"record":"x"}}',
    '{"record":"x"}x',
    '{"record":"x",}',
    "{'record':'x'}",
    '\ufeff{"record":"x"}',
    Buffer.from('{"record":"\xff"}', 'latin1'),
    Buffer.from('{"record":"x"}', 'utf16le'),
    Buffer.alloc(100),
    `${'['.repeat(60_000)}${']'.repeat(60_000)}`,
    JSON.stringify({ record: 'x'.repeat(65_537) }),
    ...effects.map((given) => JSON.stringify({ record: 'two', effects: given })),
  ]
  for (const body of bodies) {
    const answer = await put('ann', 1, body)
    assert.deepEqual(errorOf(answer), [400, 'bad_request'], String(body).slice(0, 200))
    assert.equal(typeof answer.body.message, 'string')
  }
  assert.match(
    (await put('ann', 1, { record: 'two', effects: [{ log }, { log: { ...log, at: 'x' } }] })).body.message,
    /^`effects\[1\]\.log\.at`: /,
  )
  await settled()
  assert.deepEqual(told, [])
  assert.deepEqual(await store.load({ user: 'ann' }), { record: 'one', version: 1 })

  const withApp = { ...log, method: 'totp', factor: { id: 'AbCdEfGh_-12', name: 'Work phone' } }
  assert.equal((await put('ann', 1, { record: 'two', effects: [{ log: withApp }] })).status, 204)
  await settled()
  assert.deepEqual(JSON.parse(JSON.stringify(told)), [withApp])
})

test('only plain JSON is accepted, without content encoding', async (t) => {
  const { call, put, store } = await service(t)
  await store.save({ user: 'ann' }, 'one', undefined)
  const types = [
    '',
    'text/plain',
    'application/x-www-form-urlencoded',
    'multipart/form-data; boundary=x',
    'application/jsonx',
    'application/json+x',
    'text/json',
    'application/json, text/plain',
    'x application/json',
  ]
  for (const type of types)
    assert.deepEqual(
      errorOf(await put('ann', 1, '{"record":"two"}', { 'content-type': type })),
      [415, 'unsupported_media_type'],
      type,
    )
  assert.deepEqual(
    errorOf(await call('PUT', '/records/ann', { headers: { 'if-match': '"1"' }, body: '{"record":"two"}' })),
    [415, 'unsupported_media_type'],
  )
  assert.deepEqual(errorOf(await put('ann', 1, '{"record":"two"}', { 'content-encoding': 'gzip' })), [
    415,
    'unsupported_media_type',
  ])
  assert.deepEqual(
    errorOf(await put('ann', 1, '{"record":"two"}', { 'content-type': ['application/json', 'text/plain'] })),
    [415, 'unsupported_media_type'],
  )
  assert.equal(
    (await put('ann', 1, '{"record":"two"}', { 'content-type': 'Application/JSON; charset=utf-8' })).status,
    204,
  )
})

test('a body has at most 128 KiB, with or without a content-length', async (t) => {
  const { call, put, store } = await service(t)
  await store.save({ user: 'ann' }, 'one', undefined)
  const record = '"'.repeat(60_000) // Two bytes each in JSON.
  const pad = (size) => JSON.stringify({ record }).padEnd(size)
  for (const size of [131_073, 10_000_000]) {
    assert.deepEqual(errorOf(await put('ann', 1, pad(size))), [413, 'content_too_large'])
    assert.deepEqual(errorOf(await put('ann', 1, pad(size), { 'transfer-encoding': 'chunked' })), [
      413,
      'content_too_large',
    ])
  }
  assert.equal((await store.load({ user: 'ann' })).record, 'one')
  assert.equal((await put('ann', 1, pad(131_072))).status, 204)
  assert.equal((await put('ann', 2, pad(131_072), { 'transfer-encoding': 'chunked' })).status, 204)
  assert.equal((await call('GET', '/records/ann')).body.record, record)
})

test('a slow body is refused after five seconds, and one that breaks off is dropped', {
  timeout: 20_000,
}, async (t) => {
  const { call, port, store } = await service(t)
  await store.save({ user: 'ann' }, 'one', undefined)
  const head = [
    'PUT',
    '/records/ann',
    [
      'host: x',
      `authorization: Bearer ${TOKEN}`,
      'if-match: "1"',
      'content-type: application/json',
      'content-length: 16',
    ],
  ]
  const open = (body) => {
    const socket = connect(port, '127.0.0.1')
    socket.write([`${head[0]} ${BASE}${head[1]} HTTP/1.1`, ...head[2], '', body].join('\r\n'))
    return socket
  }
  for (let i = 0; i < 20; i += 1) setTimeout(() => open('{"record"').destroy(), 20 * i)
  const start = performance.now()
  const socket = open('{"rec')
  // Sending a byte now and then does not extend the time.
  const drip = setInterval(() => socket.write('o'), 1_500)
  let text = ''
  for await (const chunk of socket.setEncoding('utf8')) text += chunk
  clearInterval(drip)
  const took = performance.now() - start
  assert.match(text, /^HTTP\/1\.1 408 [\s\S]*\r\nconnection: close\r\n[\s\S]*\{"error":"request_timeout"\}/i)
  assert.ok(took > 4_500 && took < 20_000, String(took))
  assert.deepEqual((await call('GET', '/records/ann')).body, { record: 'one', version: 1 })
  const slow = open('{"record"')
  await wait(1_000)
  slow.write(':"two"}')
  const [answer] = await once(slow, 'data')
  assert.match(String(answer), /^HTTP\/1\.1 204 /)
  slow.destroy()
})

test('the API accepts a body that a parser of the host has read', async (t) => {
  for (const parser of [express.json(), express.text({ type: '*/*' }), express.raw({ type: '*/*' })]) {
    const { put, store } = await service(t, { before: [parser] })
    await store.save({ user: 'ann' }, 'one', undefined)
    assert.equal((await put('ann', 1, { record: 'two', effects: [] })).status, 204)
    assert.deepEqual(errorOf(await put('ann', 2, '[]')), [400, 'bad_request'])
    assert.deepEqual(errorOf(await put('ann', 2, '')), [400, 'bad_request'])
  }
  // Another parser that ignored the body. Express 4 then leaves an empty object.
  const { put, store } = await service(t, {
    before: [express.urlencoded(), (request, response, next) => next((request.body = {}) && undefined)],
  })
  await store.save({ user: 'ann' }, 'one', undefined)
  assert.equal((await put('ann', 1, { record: 'two' })).status, 204)
  // A parser that read the body and kept it.
  const eaten = await service(t, { before: [(request, response, next) => request.resume().on('end', () => next())] })
  await eaten.store.save({ user: 'ann' }, 'one', undefined)
  assert.deepEqual(errorOf(await eaten.put('ann', 1, { record: 'two' })), [400, 'bad_request'])
})

test('a failing store is an error whose cause only the host learns', async (t) => {
  const secret = 'password of the database'
  const hostile = new Proxy(
    {},
    { get: () => assert.fail('ran'), has: () => assert.fail('ran'), getPrototypeOf: () => assert.fail('ran') },
  )
  const failures = [
    () => {
      throw new Error(secret)
    },
    () => Promise.reject(new Error(secret)),
    () => {
      throw secret
    },
    () => {
      throw undefined
    },
    () => {
      throw hostile
    },
    () => 'x',
    () => 1,
    () => ({}),
    () => ({ record: 1, version: 1 }),
    () => ({ record: 'x', version: '1' }),
    () => ({
      get record() {
        throw new Error(secret)
      },
    }),
  ]
  for (const fail of failures) {
    const errors = []
    const { call, put } = await service(t, {
      store: { load: fail, save: fail },
      onError: (error) => errors.push(error),
    })
    for (const answer of [await call('GET', '/records/ann'), await put('ann', 1, { record: 'x' })]) {
      assert.deepEqual([answer.status, answer.body], [500, { error: 'store_failed' }])
    }
    refusedWith('store_failed', 'store.load')(errors[0])
    refusedWith('store_failed', 'store.save')(errors[1])
  }
  for (const onError of [
    () => {
      throw new Error('deaf')
    },
    () => Promise.reject(new Error('deaf')),
  ]) {
    const { call } = await service(t, { store: { load: failures[0], save: failures[0] }, onError })
    assert.equal((await call('GET', '/records/ann')).status, 500)
  }
  const warned = once(process, 'warning')
  const { call } = await service(t, { store: { load: failures[0], save: failures[0] } })
  assert.equal((await call('GET', '/records/ann')).status, 500)
  const [{ message }] = await warned
  assert.match(message, /^countersign: .*onError/)
  assert.doesNotMatch(message, /password/)
})

test('effects are carried out in order once the record is stored, and never otherwise', async (t) => {
  const told = []
  const inner = numbered()
  let failing = false
  const store = {
    load: inner.load,
    save: async (...given) => {
      await wait(50)
      if (failing) throw new Error('disk full')
      const landed = await inner.save(...given)
      told.push(`saved ${landed}`)
      return landed
    },
  }
  const { put } = await service(t, {
    store,
    notify: (notice) => told.push(notice),
    onEvent: (event) => told.push(event),
    onError: () => undefined,
  })
  await inner.save({ user: 'ann' }, 'one', undefined)
  const event = {
    v: 1,
    user: 'ann',
    at: 1_800_000_000,
    ip: '192.0.2.1',
    event: 'code_refused',
    method: 'totp',
    failures: 5,
    later: true,
  }
  const notice = { user: 'ann', kind: 'locked', method: 'totp', at: 1_800_000_000 }
  const effects = [{ log: event }, { notify: notice }, { log: { ...event, event: 'code_accepted' } }]
  assert.equal((await put('ann', 1, { record: 'two', effects })).status, 204)
  assert.deepEqual(told, ['saved true', event, notice, { ...event, event: 'code_accepted' }])
  for (const each of told.slice(1)) assert.equal(Object.getPrototypeOf(each), Object.prototype)

  told.length = 0
  assert.equal((await put('ann', 1, { record: 'three', effects })).status, 412)
  failing = true
  assert.equal((await put('ann', 2, { record: 'three', effects })).status, 500)
  await settled()
  assert.deepEqual(told, ['saved false'])

  failing = false
  const races = await Promise.all(
    Array.from({ length: 20 }, () => put('ann', 2, { record: 'three', effects: [{ log: event }] })),
  )
  await settled()
  assert.equal(races.filter(({ status }) => status === 204).length, 1)
  assert.equal(told.filter((each) => typeof each === 'object').length, 1)
})

test('a failing or hanging notify or onEvent is reported and changes no answer', async (t) => {
  const errors = []
  const { put, store } = await service(t, {
    notify: () => new Promise(() => undefined),
    onEvent: () => {
      throw new Error('down')
    },
    onError: (error) => errors.push(error.message),
  })
  await store.save({ user: 'ann' }, 'one', undefined)
  const effects = [
    { notify: { user: 'ann', kind: 'locked', at: 1 } },
    { log: { v: 1, user: 'ann', event: 'code_accepted', at: 1 } },
  ]
  assert.equal((await put('ann', 1, { record: 'two', effects })).status, 204)
  await eventually(() => assert.deepEqual(errors, ['down']))
  const deaf = await service(t)
  await deaf.store.save({ user: 'ann' }, 'one', undefined)
  assert.equal(
    (await deaf.put('ann', 1, { record: 'two', effects })).status,
    204,
    'without functions for effects the write still succeeds',
  )
})

test('the answer holds the revoked passes that the host gives', async (t) => {
  /** @type {any} */
  let given = {
    sessions: ['s1', 's2'],
    users: Object.assign(JSON.parse('{"__proto__":7}'), { ann: 1_800_000_000 }),
    accounts: { acme: { users: { ann: 9 } }, b: { epochs: { ann: '001800000000.AbCdEfGh_-12' } } },
  }
  const errors = []
  const { call } = await service(t, {
    revoked: () => (typeof given === 'function' ? given() : given),
    onError: (error) => errors.push(error),
  })
  const answer = await call('GET', '/revoked')
  assert.equal(answer.status, 200)
  assert.equal(
    JSON.stringify(answer.body),
    '{"v":1,"sessions":["s1","s2"],"users":{"__proto__":7,"ann":1800000000},"epochs":{},"accounts":{"acme":{"users":{"ann":9}},"b":{"epochs":{"ann":"001800000000.AbCdEfGh_-12"}}}}',
  )
  for (given of [{}, { sessions: [] }, { users: {} }, { sessions: undefined, users: null }, Promise.resolve({})]) {
    assert.deepEqual((await call('GET', '/revoked')).body, { v: 1, sessions: [], users: {}, epochs: {}, accounts: {} })
  }
  const wrong = [
    undefined,
    null,
    [],
    's1',
    1,
    { sessions: 's1' },
    { sessions: [1] },
    { sessions: { 0: 's1' } },
    { session: [] },
    { users: ['ann'] },
    { users: { ann: '1' } },
    { users: { ann: -1 } },
    { users: { ann: NaN } },
    { users: { ann: 253_402_300_800 } },
    { users: { ann: 1_800_000_000_000 } },
    { accounts: { acme: { users: { ann: 253_402_300_800 } } } },
    { epochs: { ann: '000000000000.AAAAAAAAAAAA' } },
    { epochs: { ann: 'e' } },
    { epochs: { ann: '' } },
    { epochs: { ann: '001800000000.AbCdEfGh_-12\n' } },
    { epochs: { ann: ['001800000000.AbCdEfGh_-12', 'e'] } },
    { accounts: { acme: { epochs: { ann: 1 } } } },
    { sessions: ['\ud800'] },
    { users: new Map([['ann', 1]]) },
    { accounts: { acme: { epochs: new Map() } } },
    { users: { '\ud800': 1 } },
    { users: { '': 1 } },
    { epochs: { ['x'.repeat(300)]: '001800000000.AbCdEfGh_-12' } },
    { accounts: { '\udc00': {} } },
    () => Promise.reject(new Error('down')),
    () => {
      throw new Error('down')
    },
  ]
  for (given of wrong) assert.deepEqual(errorOf(await call('GET', '/revoked')), [500, 'revoked_failed'])
  assert.equal(errors.length, wrong.length)
  const id = 'x'.repeat(43)
  const room = 4 * 1024 * 1024 - JSON.stringify({ v: 1, sessions: [], users: {}, epochs: {}, accounts: {} }).length + 1
  given = { sessions: Array(Math.floor(room / 46)).fill(id) }
  assert.equal((await call('GET', '/revoked')).body.sessions.length, given.sessions.length)
  given.sessions.push(id)
  assert.deepEqual(errorOf(await call('GET', '/revoked')), [500, 'revoked_failed'])
  assert.match(errors.at(-1).message, /^`revoked`: is too long/)
})

test('a time in milliseconds among the revoked users is reported with its path, and the last second is handed on', async (t) => {
  /** @type {any} */
  let users
  const errors = []
  const { call } = await service(t, { revoked: () => ({ users }), onError: (error) => errors.push(error) })
  users = { ann: 253_402_300_799 }
  assert.deepEqual((await call('GET', '/revoked')).body.users, users)
  users = { ann: 1_800_000_000_000 }
  assert.deepEqual(errorOf(await call('GET', '/revoked')), [500, 'revoked_failed'])
  assert.equal(errors.length, 1)
  refusedWith('revoked_failed', 'revoked.users.ann')(errors[0])
  assert.match(errors[0].message, /`Date\.now\(\)` gives milliseconds/)
})

test('no error about an unknown name in a list of revoked passes names its users', async (t) => {
  const errors = []
  const users = { ann: 1, [Symbol('s')]: 1 }
  const { call } = await service(t, { revoked: () => ({ users }), onError: (error) => errors.push(error.message) })
  assert.deepEqual(errorOf(await call('GET', '/revoked')), [500, 'revoked_failed'])
  assert.deepEqual(errors, ['`revoked.users.Symbol(s)`: is not known here'])
})

test('the epoch of ended passes has the form that a list of revoked passes must have', async (t) => {
  const ended = []
  const { put, store } = await service(t, { endPasses: (given) => ended.push(given.epoch) })
  await store.save({ user: 'ann' }, 'one', undefined)
  const ask = (epoch) =>
    put('ann', 1, { record: 'two', effects: [{ end_passes: { user: 'ann', epoch, at: 1_800_000_000 } }] })
  for (const epoch of [
    'zzz',
    '000000000000.AAAAAAAAAAAA',
    '001800000000.AAAAAAAAAAA',
    '001800000000.AAAAAAAAAAA+',
    '1800000000.AAAAAAAAAAAA',
    '001800000000.AAAAAAAAAAAA\n',
    7,
    undefined,
  ]) {
    const answer = await ask(epoch)
    assert.deepEqual(errorOf(answer), [400, 'bad_request'], `${epoch}`)
    assert.match(answer.body.message, /^`effects\[0\]\.end_passes\.epoch`: /)
  }
  assert.equal((await store.load({ user: 'ann' })).record, 'one')
  assert.equal((await ask('000000000001.AbCdEfGh_-12')).status, 204)
  await settled()
  assert.deepEqual(ended, ['000000000001.AbCdEfGh_-12'])
})

test('of several epochs of a user the latest is handed on, in whatever order they come', async (t) => {
  const [first, second, third] = ['001800000000.AbCdEfGh_-12', '001800000001.AAAAAAAAAAAA', '002000000000.AAAAAAAAAAAA']
  /** @type {any} */
  let given
  const { call } = await service(t, { revoked: () => given })
  for (const [epochs, expected] of [
    [first, first],
    [[first], first],
    [[first, second], second],
    [[second, first], second],
    [[second, third, first], third],
    [[], undefined],
  ]) {
    given = { epochs: { ann: epochs }, accounts: { acme: { epochs: { ann: epochs } } } }
    const { body } = await call('GET', '/revoked')
    assert.deepEqual([body.epochs.ann, body.accounts.acme.epochs.ann], [expected, expected], `${epochs}`)
  }
  assert.ok(Array.isArray(given.epochs.ann), 'the list of the host stays as it is')
})

test('options are read strictly', () => {
  /** @type {any} */
  const good = { store: memoryStore(), token: TOKEN }
  assert.equal(typeof storageApi(good), 'function')
  assert.equal(typeof storageApi({ ...good, token: '!'.repeat(32), notify: undefined, revoked: null }), 'function')
  /** @type {any[]} */
  const wrong = [
    [undefined, ''],
    [null, ''],
    ['x', ''],
    [[], ''],
    [{}, 'store'],
    [{ ...good, store: {} }, 'store'],
    [{ ...good, store: { load() {} } }, 'store'],
    [{ ...good, stor: 1 }, 'stor'],
    [{ ...good, sendSms() {} }, 'sendSms'],
    [{ ...good, notify: 'x' }, 'notify'],
    [{ ...good, onEvent: {} }, 'onEvent'],
    [{ ...good, revoked: [] }, 'revoked'],
    [{ ...good, onError: 1 }, 'onError'],
    ...[
      undefined,
      null,
      1,
      '',
      'x'.repeat(31),
      `${'x'.repeat(40)} `,
      `${'x'.repeat(40)}\n`,
      'é'.repeat(40),
      ['x'.repeat(40)],
      Buffer.alloc(40),
    ].map((token) => [{ ...good, token }, 'token']),
  ]
  for (const [options, path] of wrong)
    assert.throws(() => storageApi(options), refusedWith('invalid_input', path), JSON.stringify(options))
  assert.throws(
    () => storageApi({ ...good, token: 'short-secret' }),
    (/** @type {Error} */ error) => !error.message.includes('short-secret'),
  )
  assert.throws(
    () =>
      storageApi(
        new Proxy(
          {},
          {
            ownKeys: () => {
              throw new Error('trap')
            },
          },
        ),
      ),
    refusedWith('invalid_input', ''),
  )
})

test('T33: a polluted Object.prototype gives no access and learns nothing', async (t) => {
  const told = []
  const { call, put, store } = await service(t)
  await store.save({ user: 'ann' }, 'one', undefined)
  const polluted = {
    authorization: `Bearer ${TOKEN}`,
    'if-match': '"1"',
    revoked: () => ({}),
    onEvent: (event) => told.push(event),
    notify: (notice) => told.push(notice),
    effects: [],
    record: 'polluted',
    refused: {},
    given: '{}',
    status: 204,
    body: { polluted: true },
    headers: { polluted: 'true' },
  }
  for (const [name, value] of Object.entries(polluted))
    Object.defineProperty(Object.prototype, name, { value, configurable: true, writable: true })
  try {
    assert.equal((await call('GET', '/records/ann', { headers: { authorization: '' } })).status, 401)
    assert.equal((await call('GET', '/revoked')).status, 404)
    assert.equal((await put('ann', 1, '{}')).status, 400)
    const effects = [{ log: { v: 1, user: 'ann', event: 'code_accepted', at: 1 } }]
    const written = await put('ann', 1, { record: 'two', effects })
    assert.deepEqual(
      [written.status, written.body, Object.hasOwn(written.headers, 'polluted')],
      [204, undefined, false],
    )
    assert.equal((await store.load({ user: 'ann' })).record, 'two')
    await settled()
  } finally {
    for (const name of Object.keys(polluted)) delete Object.prototype[name]
  }
  assert.deepEqual(told, [])
})

test('a second factor works over the API as its store', async (t) => {
  // In place of the filter, a second factor uses the API of the first as its store.
  const at = await host()
  const api = await service(t, { store: at.store, notify: at.options.notify, onEvent: at.options.onEvent })
  const far = {
    load: async ({ user }) => {
      const { status, body } = await api.call('GET', `/records/${encodeURIComponent(user)}`)
      return status === 404 ? undefined : body
    },
    save: async ({ user }, record, version) =>
      (await api.put(encodeURIComponent(user), version, { record })).status === 204,
  }
  const ann = await withApp(at)
  const edge = await host({ store: far, keys: at.keys, clock: at.clock })
  const ticket = await ticketOf(at, 'ann')
  const input = { ticket, session: 'before', method: 'totp', code: codeOf(at, ann.secret) }
  const replies = await Promise.all(
    [edge, at, edge, at].flatMap(({ factor }) => Array.from({ length: 25 }, () => factor.verify(input))),
  )
  assert.equal(replies.filter(({ result }) => result === 'verified').length, 1)
  at.clock.advance(1_800)
  assert.equal((await login(at, ann)).result, 'verified')
})
