// The example of Next, built once and started for each case; with pages beside it that try what the example has not.
import assert from 'node:assert/strict'
import { request } from 'node:http'
import { test } from 'node:test'
import { otpauth, totp } from 'countersign'
import { conforms } from './conformance.mjs'
import { builtApp, startOf } from './next-build.mjs'
import { client, startService } from './service.mjs'

const sources = ['examples/adapters', 'tests/adapters/next-app']
const folder = await builtApp('next', sources, { app: 'next', bundler: 'turbopack' })

conforms('Next 16', startOf(folder), {
  without: {
    "address rules see the connection's address, and no header":
      'Next tells a handler no address: the option `ip` names the header of the platform, and without it address rules let nobody in',
  },
})

const ANN = { name: 'ann@acme.example', password: 'ann@acme.example has a password' }

/** A service with people in each state, and the code that the half-way one needs. */
async function withPeople(t) {
  const service = await startService(t, startOf(folder))
  const person = client(service)
  assert.equal((await person.post('/login', ANN)).body.result, 'allowed')
  const begun = (await person.post('/second-factor/enroll-totp')).body
  const { secret } = otpauth.parse(begun.uri)
  const code = () => {
    service.advance(30)
    return totp.generate({ secret, time: service.now() })
  }
  const done = await person.post('/second-factor/confirm-totp', { setup: begun.setup, code: code() })
  assert.equal(done.body.result, 'enrolled')
  const halfWay = client(service)
  assert.equal((await halfWay.post('/login', ANN)).body.result, 'challenge')
  return { service, person, code, others: { nobody: client(service), halfWay } }
}

/** The id of the first server action in a page. */
const actionIn = ({ text }) => /\$ACTION_ID_([0-9a-f]+)/.exec(text)?.[1] ?? assert.fail(text)

/** Calls a server action without arguments, as the script of Next does. */
const sendAction = (browser, path, id, headers = {}) =>
  browser.send('POST', path, '[]', {
    'next-action': id,
    accept: 'text/x-component',
    'content-type': 'text/plain',
    ...headers,
  })

/** Sends the form of a server action, as a browser without scripts does. */
async function sendForm(browser, path, id, fields = {}) {
  const form = new FormData()
  form.set(`$ACTION_ID_${id}`, '')
  for (const [name, value] of Object.entries(fields)) form.set(name, value)
  const encoded = new Response(form)
  const type = encoded.headers.get('content-type')
  return browser.send('POST', path, new Uint8Array(await encoded.arrayBuffer()), { 'content-type': type })
}

/** Sends a form to a route, as a browser that moves to its answer does: `fetch` cannot say so. */
const submit = ({ origin }, { cookies }, path, fields) =>
  new Promise((resolve, reject) => {
    const headers = {
      'sec-fetch-mode': 'navigate',
      'sec-fetch-site': 'same-origin',
      'content-type': 'application/x-www-form-urlencoded',
      cookie: [...cookies].map(([name, value]) => `${name}=${value}`).join('; '),
    }
    const sent = request(`${origin}${path}`, { method: 'POST', headers }, (answer) => {
      for (const [, name, value] of (answer.headers['set-cookie'] ?? []).map(
        (set) => /^([^=]+)=([^;]*)/.exec(set) ?? [],
      ))
        cookies.set(name, value)
      answer.resume().once('end', () => resolve([answer.statusCode, answer.headers.location]))
    })
    sent.once('error', reject).end(`${new URLSearchParams(fields)}`)
  })

/** The page to which an answer leads, whichever way it tells it. */
const ledTo = ({ headers }) => headers.get('location') ?? headers.get('x-action-redirect')?.split(';')[0] ?? ''

const SHOWN = /The account of|The inside of|"user":"u-1"|sent/

test('A4: Next: a server action asks by itself, wherever and however it is sent', { timeout: 120_000 }, async (t) => {
  const { service, person, others, code } = await withPeople(t)
  const page = await person.get('/account')
  assert.match(page.text, /The account of.*u-1/)
  const id = actionIn(page)
  for (const send of [sendAction, sendForm]) {
    const answer = await send(person, '/account', id)
    assert.equal(ledTo(answer), '/account?sent_by=u-1', `${answer.status} ${answer.text.slice(0, 300)}`)
    for (const [who, browser] of Object.entries(others)) {
      for (const path of ['/account', '/account?_rsc=1', '/sign-in', '/second-step', '/inner']) {
        const refused = await send(browser, path, id)
        const wanted = who === 'nobody' ? '/sign-in?reason=log_in_first' : '/second-step?reason=no_pass'
        // Next itself refuses an action that the page has not.
        const isRefused = ledTo(refused).startsWith(wanted) || (!path.startsWith('/account') && refused.status >= 400)
        assert.equal(isRefused, true, `${who} ${path}: ${refused.status} ${ledTo(refused)}`)
        assert.doesNotMatch(refused.text, SHOWN)
      }
    }
  }
  const forged = await sendAction(person, '/account', id, { 'sec-fetch-site': 'cross-site' })
  assert.doesNotMatch(ledTo(forged), /sent_by/)
  service.advance(301)
  const headers = { referer: `${service.origin}/account?tab=1` }
  const tooOld = ledTo(await sendAction(person, '/account', id, headers))
  assert.equal(tooOld, '/second-step?reason=too_old&max_age=300&next=%2Faccount%3Ftab%3D1')
  await person.post('/second-factor/again')
  await person.post('/second-factor/verify', { method: 'totp', code: code() })
  assert.equal(ledTo(await sendAction(person, '/account', id)), '/account?sent_by=u-1')
})

test('A4: Next: no header and no query of Next lets anybody in', { timeout: 120_000 }, async (t) => {
  const { person, others } = await withPeople(t)
  const middlewares = ['middleware', 'proxy', 'src/middleware', 'src/proxy', 'pages/_middleware']
  const tree = encodeURIComponent(JSON.stringify(['', { children: ['account', { children: ['__PAGE__', {}] }] }]))
  const tricks = [
    {},
    ...middlewares.map((name) => ({ 'x-middleware-subrequest': Array(5).fill(name).join(':') })),
    { 'x-middleware-subrequest-id': '1', 'x-middleware-next': '1', 'x-middleware-rewrite': '/account' },
    { 'x-middleware-prefetch': '1', purpose: 'prefetch' },
    { 'x-nextjs-data': '1' },
    { 'x-matched-path': '/account', 'x-invoke-path': '/account', 'x-invoke-status': '200' },
    { rsc: '1' },
    { rsc: '1', 'next-router-prefetch': '1' },
    { rsc: '1', 'next-router-prefetch': '1', 'next-router-segment-prefetch': '/_tree' },
    { rsc: '1', 'next-router-state-tree': tree, 'next-url': '/account' },
    { 'next-action': 'x' },
    { 'x-forwarded-host': 'acme.example', 'x-forwarded-for': '127.0.0.1' },
  ]
  for (const path of ['/', '/account', '/inner', '/account?_rsc=1', '/inner?_rsc=1', '/api/transfer']) {
    assert.match((await person.get(path)).text, SHOWN)
    for (const [who, browser] of Object.entries(others))
      for (const headers of tricks)
        for (const method of ['GET', 'HEAD', ...('next-action' in headers ? ['POST'] : [])]) {
          const { status, text } = await browser.send(method, path, undefined, headers)
          assert.doesNotMatch(text, SHOWN, `${who} ${method} ${path} ${JSON.stringify(headers)}: ${status}`)
        }
  }
})

test('A4: Next: another spelling of a path opens nothing', { timeout: 120_000 }, async (t) => {
  const { others } = await withPeople(t)
  const spellings = [
    ...['/%61ccount', '//account', '/account/', '/./account', '/x/../account', '/ACCOUNT', '/account%2f', '/account;x'],
    ...[
      '/account.rsc',
      '/account.txt',
      '/account.segments/_tree.segment.rsc',
      '/_next/data/x/account.json',
      '/%69nner',
    ],
    ...['/account?__nextDefaultLocale=en', '/inner?nxtPaction=x', '/%5Caccount', '/index', '/_next/../account'],
  ]
  for (const browser of Object.values(others))
    for (const path of spellings) {
      const { status, text } = await browser.get(path)
      assert.doesNotMatch(text, SHOWN, `${path}: ${status}`)
    }
})

test('A4: Next: the middleware sends away, and pages do so without it', { timeout: 120_000 }, async (t) => {
  const { service, person, others } = await withPeople(t)
  const led = async (browser, path, headers = {}) => {
    const answer = await browser.get(path, headers)
    return [answer.status, ledTo(answer).replace(service.origin, '')]
  }
  assert.deepEqual(await led(others.nobody, '/account?tab=1'), [
    307,
    '/sign-in?reason=log_in_first&next=%2Faccount%3Ftab%3D1',
  ])
  assert.deepEqual(await led(others.halfWay, '/account'), [307, '/second-step?reason=no_pass&next=%2Faccount'])
  assert.deepEqual(await led(others.nobody, '/inner'), [307, '/sign-in?reason=log_in_first&next=%2Finner%3Ftab%3D2'])
  assert.equal((await person.get('/inner')).status, 200)
  service.advance(301)
  assert.equal((await person.get('/account')).status, 200)
  assert.deepEqual(await led(person, '/inner'), [
    307,
    '/second-step?reason=too_old&max_age=300&next=%2Finner%3Ftab%3D2',
  ])
  assert.deepEqual(await led(person, '/api/transfer'), [401, ''])
})

test('Next: a login without scripts, by a server action and forms', { timeout: 120_000 }, async (t) => {
  const { service, code } = await withPeople(t)
  const browser = client(service)
  const signIn = actionIn(await browser.get('/sign-in'))
  const wrong = await sendForm(browser, '/sign-in', signIn, { ...ANN, password: 'wrong' })
  assert.equal(ledTo(wrong), '/sign-in?reason=wrong_password')
  for (const [next, query] of [
    ['/account?tab=1', '?next=%2Faccount%3Ftab%3D1'],
    ['//evil.example', ''],
  ]) {
    const challenged = await sendForm(browser, '/sign-in', signIn, { ...ANN, next })
    assert.equal(ledTo(challenged), `/second-step${query}`)
    const verified = await submit(service, browser, '/second-factor/verify', { method: 'totp', code: code(), next })
    assert.deepEqual(verified, [303, query === '' ? '/account' : next])
    assert.match((await browser.get('/account')).text, /The account of/)
  }
  for (const cookie of browser.cookies.keys()) assert.match(cookie, /^__Host-/)
})

test('T24: Next: an address comes from the named header alone', { timeout: 120_000 }, async (t) => {
  const denying = { policy: { network: { deny: ['203.0.113.0/24'] } } }
  const unnamed = await startService(t, { ...startOf(folder), ...denying })
  const named = await startService(t, { ...startOf(folder), ...denying, env: { ADDRESS_HEADER: 'x-real-ip' } })
  for (const [service, headers, reason] of /** @type {[any, any, any][]} */ ([
    [unnamed, {}, 'address_unknown'],
    [unnamed, { 'x-forwarded-for': '198.51.100.1', 'x-real-ip': '198.51.100.1' }, 'address_unknown'],
    [named, {}, 'address_unknown'],
    [named, { 'x-forwarded-for': '198.51.100.1' }, 'address_unknown'],
    [named, { 'x-real-ip': '203.0.113.7' }, 'address_denied'],
    [named, { 'x-real-ip': '198.51.100.1' }, undefined],
  ])) {
    const { status, body } = await client(service).post('/login', ANN, headers)
    assert.deepEqual([status, body.reason], reason === undefined ? [200, undefined] : [403, reason])
  }
})

test('Next: a service in the edge runtime', { timeout: 120_000 }, async (t) => {
  const service = await startService(t, startOf(folder))
  const browser = client(service)
  assert.equal((await browser.get('/edge/home')).status, 401)
  assert.equal((await browser.post('/edge/login')).body.result, 'allowed')
  assert.equal((await browser.get('/edge/home')).body.user, 'u-1')
  const begun = (await browser.post('/edge/enroll-totp')).body
  const { secret } = otpauth.parse(begun.uri)
  const first = totp.generate({ secret, time: Math.floor(Date.now() / 1_000) })
  assert.equal((await browser.post('/edge/confirm-totp', { setup: begun.setup, code: first })).body.result, 'enrolled')
  const other = client(service)
  assert.equal((await other.post('/edge/login')).body.result, 'challenge')
  assert.equal((await other.get('/edge/home')).status, 401)
  assert.equal((await other.post('/edge/verify', { method: 'totp', code: first })).body.result, 'already_used')
  assert.equal((await browser.post('/edge/log-out', {}, { 'sec-fetch-site': 'cross-site' })).status, 403)
  assert.equal((await browser.post('/edge/log-out')).body.result, 'logged_out')
  assert.equal((await browser.get('/edge/home')).status, 401)
})
