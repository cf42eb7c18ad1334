// Sessions: the access that they give, the change of their id, and the refusal of requests from other sites.

import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { test } from 'node:test'
import { routes } from '../../examples/login/routes.js'
import { elsewhere, enrolledVisitor, passwords, startService, Visitor } from './support.mjs'

const protectedRoutes = routes.filter(({ access }) => ['caller', 'person', 'owner'].includes(access))
const withApi = protectedRoutes.filter(({ api }) => api !== null)
const withPage = protectedRoutes.filter(({ path }) => path !== null)

function callPage(visitor, { method, path }) {
  return visitor.copy().page(path, method === 'POST' ? {} : undefined, { follow: false })
}

function callApi(visitor, { method, api }, headers) {
  return visitor.copy().json(api, method === 'POST' ? {} : undefined, headers)
}

test('T18: a session with only the password gives no access to a protected page or API route', async (t) => {
  const service = await startService(t)
  await enrolledVisitor(service, 'owner')
  const half = new Visitor(service)
  await half.logIn('owner')
  await half.page('/login/second-step')
  assert.ok(protectedRoutes.length >= 14)
  for (const route of withPage) {
    const page = await callPage(half, route)
    assert.equal(page.status, 303, route.path)
    assert.equal(page.location, '/login/second-step', route.path)
  }
  for (const route of withApi) {
    const answer = await callApi(half, route)
    assert.equal(answer.status, 401, route.api)
    assert.equal(answer.reason, 'second_factor_required', route.api)
  }
})

test('T18: no session, an invented one, a bearer token in a cookie, and a session cookie as a bearer token give no access', async (t) => {
  const service = await startService(t)
  const member = new Visitor(service)
  await member.logIn('member')
  const { token } = await new Visitor(service).json('/api/token', { client: 'reports', secret: 'reports-demo-secret' })
  const invented = new Visitor(service)
  invented.cookies.set('session', 'x'.repeat(43))
  const misplaced = new Visitor(service)
  misplaced.cookies.set('session', token)
  for (const route of protectedRoutes) {
    for (const visitor of [new Visitor(service), invented, misplaced]) {
      if (route.path) {
        const page = await callPage(visitor, route)
        assert.equal(page.status, 303, route.path)
        assert.match(page.location, /^\/login(?:\?(?:next|said)=|$)/)
      }
      if (route.api) assert.equal((await callApi(visitor, route)).reason, 'login_required', route.api)
    }
    if (!route.api) continue
    const bearer = { authorization: `Bearer ${member.cookies.get('session')}` }
    assert.equal((await callApi(new Visitor(service), route, bearer)).reason, 'login_required', route.api)
  }
})

test('a member has no access to pages of an owner, an API client none to pages of a person', async (t) => {
  const service = await startService(t)
  const member = new Visitor(service)
  await member.logIn('member')
  await member.page('/')
  const { token } = await new Visitor(service).json('/api/token', { client: 'reports', secret: 'reports-demo-secret' })
  for (const route of protectedRoutes) {
    if (route.access === 'owner') {
      if (route.path) assert.equal((await callPage(member, route)).status, 403, route.path)
      if (route.api) assert.equal((await callApi(member, route)).reason, 'owner_only', route.api)
    }
    if (route.access !== 'caller' && route.api) {
      const answer = await callApi(new Visitor(service), route, { authorization: `Bearer ${token}` })
      assert.equal(answer.status, 403, route.api)
    }
  }
})

test('T20: every way to log in asks for the second factor', async (t) => {
  const service = await startService(t)
  const { visitor: owner } = await enrolledVisitor(service, 'owner')
  await owner.json('/api/logout', {})
  const waysIn = routes.filter(
    ({ method, access, act }) => method === 'POST' && access === 'open' && act !== 'setLanguage',
  )
  assert.deepEqual(
    waysIn.flatMap(({ path, api }) => [path, api]),
    ['/login', '/api/login', null, '/api/token'],
    'a new login route needs a line below',
  )

  const email = 'owner@acme.example'
  const byPage = new Visitor(service)
  await byPage.page('/login', { email, password: passwords.owner })
  const byApi = new Visitor(service)
  await byApi.logIn('owner')
  const byToken = new Visitor(service)
  await byToken.json('/api/token', { client: email, secret: passwords.owner })
  for (const visitor of [byPage, byApi, byToken]) assert.equal((await visitor.json('/api/me')).status, 401)

  const folder = new URL('../../examples/login/', import.meta.url)
  const sources = readdirSync(folder).filter((name) => name.endsWith('.js'))
  const starts = sources.flatMap(
    (name) => readFileSync(new URL(name, folder), 'utf8').match(/sessions\.start\(/g) ?? [],
  )
  assert.equal(starts.length, 1, 'one place starts sessions')
})

test('T19: the session id changes at both steps, and the old ids end', async (t) => {
  const service = await startService(t)
  const { code } = await enrolledVisitor(service, 'member')
  const visitor = new Visitor(service)
  visitor.cookies.set('session', 'planted')
  await visitor.logIn('member')
  const half = visitor.copy()
  assert.notEqual(half.cookies.get('session'), 'planted')

  await visitor.secondStep('totp', code())
  assert.notEqual(visitor.cookies.get('session'), half.cookies.get('session'))
  assert.equal((await visitor.json('/api/me')).status, 200)
  assert.equal((await half.json('/api/login/second-step')).status, 401)

  const before = visitor.copy()
  service.advance(30)
  assert.equal((await visitor.showFactorAgain('totp', code())).result, 'verified')
  assert.notEqual(visitor.cookies.get('session'), before.cookies.get('session'))
  assert.equal((await before.json('/api/me')).status, 401)

  const again = visitor.copy()
  await visitor.logIn('member')
  assert.equal((await again.json('/api/me')).status, 401, 'a new login ends the session that it was made from')
})

test('T19: scripts cannot read the cookie; with https it has the host prefix', async (t) => {
  const service = await startService(t)
  const { headers } = await new Visitor(service).request('POST', '/api/login', {
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ email: 'member@acme.example', password: passwords.member }),
  })
  assert.match(headers.getSetCookie()[0], /^session=[\w-]{43}; Path=\/; HttpOnly; SameSite=Lax$/)

  const behindTls = await startService(t, { env: { PUBLIC_ORIGIN: 'https://login.acme.example' } })
  const answer = await new Visitor(behindTls).request('POST', '/api/login', {
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ email: 'member@acme.example', password: passwords.member }),
  })
  assert.match(answer.headers.getSetCookie()[0], /^__Host-session=[\w-]{43}; Path=\/; HttpOnly; Secure; SameSite=Lax$/)
  assert.equal(
    (await new Visitor(behindTls).request('GET', '/outbox')).status,
    404,
    'the demo outbox is there on localhost only',
  )
})

test('T21: the code of another person does not complete a login', async (t) => {
  const service = await startService(t)
  const owner = await enrolledVisitor(service, 'owner')
  const member = await enrolledVisitor(service, 'member')
  const visitor = new Visitor(service)
  await visitor.logIn('owner')
  assert.equal((await visitor.secondStep('totp', member.code())).result, 'wrong')
  assert.equal((await visitor.secondStep('backup_code', member.backupCodes[0])).result, 'wrong')
  assert.equal((await visitor.secondStep('totp', owner.code())).result, 'verified')

  // A pass moved to another session in the database does not count there.
  const thief = new Visitor(service)
  await thief.logIn('colleague')
  service.database((db) =>
    db.exec(`
    UPDATE login_sessions SET proof = 'verified', pass = (SELECT pass FROM login_sessions WHERE pass IS NOT NULL LIMIT 1) WHERE pass IS NULL`),
  )
  assert.equal((await thief.json('/api/me')).status, 401)
})

test('the second step can be taken for ten minutes', async (t) => {
  const service = await startService(t)
  const { code } = await enrolledVisitor(service, 'member')
  const visitor = new Visitor(service)
  await visitor.logIn('member')
  await visitor.page('/login/second-step')
  service.advance(601)
  const late = await visitor.page('/login/second-step', { method: 'totp', code: code() })
  assert.equal(late.path.split('?')[0], '/login')
  assert.match(late.text, /That took too long\. Log in again\./)
  assert.equal(visitor.cookies.has('session'), false)
})

test('T35: a login leads only to a page of this site', async (t) => {
  const service = await startService(t)
  const visitor = new Visitor(service)
  for (const next of elsewhere) {
    const form = await new Visitor(service).page(`/login?next=${encodeURIComponent(next)}`)
    assert.match(form.text, /name="next" value="\/"/, JSON.stringify(next))
    const { location } = await visitor.page(
      '/login',
      { email: 'member@acme.example', password: passwords.member, next },
      { follow: false },
    )
    assert.equal(location, '/', JSON.stringify(next))
  }
  const twice = await new Visitor(service).page('/login?next=/security&next=//evil.example')
  assert.match(twice.text, /name="next" value="\/"/)
  const { location } = await visitor.page(
    '/login',
    { email: 'member@acme.example', password: passwords.member, next: '/users?page=2' },
    { follow: false },
  )
  assert.equal(location, '/users?page=2')
})

test('T35: the second step and the step that asks for a factor again lead only to a page of this site', async (t) => {
  const service = await startService(t)
  const { visitor, code } = await enrolledVisitor(service, 'member')
  for (const next of ['//evil.example', '/\\evil.example', '/%2f/evil.example']) {
    await visitor.json('/api/security/fresh-factor', { next })
    assert.equal((await visitor.secondStep('totp', code())).next, '/')
    service.advance(30)
    const { next: answered } = await visitor.json('/api/login', {
      email: 'member@acme.example',
      password: passwords.member,
      next,
    })
    assert.equal(answered, '/')
    assert.equal((await visitor.secondStep('totp', code())).next, '/')
    service.advance(30)
  }
})

test('a form from another site, without its token, or with that of another session does nothing', async (t) => {
  const service = await startService(t)
  const visitor = new Visitor(service)
  await visitor.logIn('member')
  await visitor.page('/security')
  const other = new Visitor(service)
  await other.logIn('member')
  await other.page('/security')
  const send = (headers, formToken, type = 'application/x-www-form-urlencoded') =>
    visitor.copy().request('POST', '/logout', {
      headers: { 'content-type': type, ...headers },
      body: new URLSearchParams({ form_token: formToken }).toString(),
    })
  const home = { origin: service.origin }
  assert.equal((await send({}, visitor.formToken)).status, 403, 'a client that is no browser cannot send a form')
  assert.equal((await send({ origin: 'https://evil.example' }, visitor.formToken)).status, 403)
  assert.equal((await send({ origin: 'null' }, visitor.formToken)).status, 403)
  for (const site of ['cross-site', 'same-site', 'none']) {
    assert.equal((await send({ ...home, 'sec-fetch-site': site }, visitor.formToken)).status, 403, site)
  }
  for (const token of ['', other.formToken]) {
    const { status, location } = await send(home, token)
    assert.equal(status, 303)
    assert.match((await visitor.page(location)).text, /This page was out of date, so nothing was done/)
  }
  assert.equal((await send(home, visitor.formToken, 'text/plain')).status, 415)
  const login = await new Visitor(service).request('POST', '/login', {
    headers: { 'content-type': 'application/x-www-form-urlencoded', origin: 'https://evil.example' },
    body: new URLSearchParams({ email: 'member@acme.example', password: passwords.member }).toString(),
  })
  assert.equal(login.status, 403, 'a login from another site is refused too')

  const json = (headers) => visitor.copy().request('POST', '/api/logout', { headers, body: '{}' })
  assert.equal((await json({ 'content-type': 'text/plain' })).status, 415)
  assert.equal((await json({ 'content-type': 'application/x-www-form-urlencoded' })).status, 415)
  assert.equal((await json({ 'content-type': 'application/json', origin: 'https://evil.example' })).status, 403)
  assert.equal((await json({ 'content-type': 'application/json', 'sec-fetch-site': 'cross-site' })).status, 403)

  assert.equal((await visitor.json('/api/me')).status, 200, 'the session is still there')
  assert.equal((await send({ 'sec-fetch-site': 'same-origin' }, visitor.formToken)).status, 303)
})

test('T26: two session cookies count as no session', async (t) => {
  const service = await startService(t)
  const visitor = new Visitor(service)
  await visitor.logIn('member')
  const session = visitor.cookies.get('session')
  const answer = await new Visitor(service).json('/api/me', undefined, {
    cookie: `session=${session}; session=planted`,
  })
  assert.equal(answer.status, 401)
})

test('T27: other spellings of a path give no access', async (t) => {
  const service = await startService(t)
  const visitor = new Visitor(service)
  for (const path of [
    '//users',
    '/users/',
    '/USERS',
    '/%75sers',
    '/users;x',
    '/users%2f',
    '/./users',
    '/login/../users',
    '/api//users',
    '/API/users',
  ]) {
    const { status, text } = await visitor.request('GET', path)
    assert.ok(status === 404 || status === 303 || status === 401, `${path}: ${status}`)
    assert.doesNotMatch(text, /owner@acme\.example/)
  }
})

test('passwords: the answer does not tell whether a user exists, and one address has ten tries', async (t) => {
  const service = await startService(t)
  const visitor = new Visitor(service, '203.0.113.66')
  const attempt = (email, password) => visitor.json('/api/login', { email, password })
  assert.deepEqual(await attempt('member@acme.example', 'wrong'), await attempt('nobody@acme.example', 'wrong'))
  for (let i = 0; i < 9; i += 1) assert.equal((await attempt('member@acme.example', 'wrong')).status, 401)
  const parallel = await Promise.all(Array.from({ length: 10 }, () => visitor.copy().logIn('member')))
  assert.ok(parallel.every(({ result }) => result === 'throttled'))
  assert.equal(
    (await new Visitor(service).logIn('member')).result,
    'allowed',
    'from another address the user still logs in',
  )
  service.advance(901)
  assert.equal((await visitor.logIn('member')).result, 'allowed')
})

test('T37: malformed requests get a 4xx without details', async (t) => {
  const service = await startService(t)
  const visitor = new Visitor(service)
  for (const body of [
    '{',
    'null',
    '[]',
    '"x"',
    '{"email":{"x":1},"password":[]}',
    '{"email":"a","password":7}',
    '{"__proto__":{"email":"x"}}',
  ]) {
    const { status, text } = await visitor.request('POST', '/api/login', {
      headers: { 'content-type': 'application/json' },
      body,
    })
    assert.equal(status, 400, body)
    assert.equal(JSON.parse(text).result, 'error')
  }
  const long = await visitor.request('POST', '/api/login', {
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ email: 'x'.repeat(200_000) }),
  })
  assert.equal(long.status, 413)
  const empty = await visitor.page('/login', { email: '', password: '' })
  assert.match(empty.text, /Please type your e-mail address and your password/)
})

test('every page forbids foreign scripts, frames, sniffing and caching', async (t) => {
  const service = await startService(t)
  for (const path of ['/login', '/outbox', '/assets/nothing.js', '/nowhere', '/api/me']) {
    const { headers, text } = await new Visitor(service).request('GET', path)
    assert.equal(
      headers.get('content-security-policy'),
      "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; connect-src 'self'; style-src 'self'; img-src 'self' data:; " +
        "form-action 'self'; frame-ancestors 'none'; base-uri 'none'",
    )
    assert.equal(headers.get('x-content-type-options'), 'nosniff')
    assert.equal(headers.get('cache-control'), 'no-store')
    assert.equal(headers.get('referrer-policy'), 'same-origin')
    assert.equal(headers.get('x-powered-by'), null)
    assert.doesNotMatch(text, /style=|\son[a-z]+=|<style|javascript:/)
    for (const [tag, rest] of text.matchAll(/<script([^>]*)>/g))
      assert.match(rest, /^ type="module" src="\/assets\/[^"]+\.js" blocking="render"$/, tag)
    for (const [script] of text.matchAll(/<script[^>]*>[^]*?<\/script>/g))
      assert.match(script, /><\/script>$/, 'no script in the page itself')
  }
})

test('assets may be cached for good: their address changes with their content, and no other address is served', async (t) => {
  const service = await startService(t)
  const visitor = new Visitor(service)
  const { text } = await visitor.page('/login')
  const base = /href="(\/assets\/[^/"]+\/)style\.css"/.exec(text)[1]
  const types = {
    'style.css': 'text/css',
    'icon.svg': 'image/svg+xml',
    'page.js': 'text/javascript',
    'countersign/browser.mjs': 'text/javascript',
    'countersign/countersign.wasm': 'application/wasm',
  }
  for (const [name, type] of Object.entries(types)) {
    const { status, headers } = await visitor.request('GET', base + name)
    assert.equal(status, 200, name)
    assert.match(headers.get('content-type'), new RegExp(`^${type.replace('+', '\\+')}`), name)
    assert.equal(headers.get('cache-control'), 'public, max-age=31536000, immutable', name)
    assert.equal(headers.get('x-content-type-options'), 'nosniff', name)
  }
  for (const path of [
    `${base}../server.js`,
    `${base}%2e%2e/server.js`,
    `${base}package.json`,
    '/assets/style.css',
    base,
    '/assets/other/style.css',
  ]) {
    const { status, headers } = await visitor.request('GET', path)
    assert.equal(status, 404, path)
    assert.equal(headers.get('cache-control'), 'no-store', path)
  }
})
