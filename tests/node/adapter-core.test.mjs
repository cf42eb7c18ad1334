// The rules of the adapters' core, one by one. tests/adapters has whole logins over HTTP, on each framework.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createSecondFactor, generateKeys, memoryStore, otpauth, totp } from 'countersign'
import {
  acrValuesOf,
  answerOf,
  createAdapter,
  isCrossSite,
  loginOf,
  loginToText,
  originsOf,
  parseBody,
  readBody,
  stepUpChallenge,
} from 'countersign/adapter'
import { expressSession } from 'countersign/express'

const NOW = 1_800_000_000
const NAVIGATION = { 'sec-fetch-mode': 'navigate', 'sec-fetch-site': 'same-origin', accept: 'text/html' }

/**
 * A second factor whose clock moves when told.
 * @param {Record<string, any>} [options]
 */
function service({ store = memoryStore(), ...policy } = {}, more = {}) {
  let now = NOW
  const keys = generateKeys()
  const secondFactor = createSecondFactor({
    policy: { v: 1, name: 'Acme', origin: 'https://acme.example', ...policy },
    keys,
    store,
    clock: () => now,
    ...more,
  })
  return { secondFactor, store, keys, now: () => now, advance: (seconds) => (now += seconds) }
}

/** A browser of an adapter, without a server. */
function browserOf(adapter, { ip = '203.0.113.7' } = {}) {
  const cookies = new Map()
  const request = (method, url, body, headers = {}) => {
    const cookie = [...cookies].map(([name, value]) => `${name}=${value}`).join('; ')
    const all = { 'sec-fetch-site': 'same-origin', ...(cookie ? { cookie } : {}), ...headers }
    return {
      method,
      url,
      header: (name) => all[name],
      body: () => body,
      ip,
      setCookie(text) {
        const [, name, value] = /^([^=]+)=([^;]*)/.exec(text)
        if (text.includes('Max-Age=0')) cookies.delete(name)
        else cookies.set(name, value)
      },
    }
  }
  return {
    cookies,
    request,
    login: (input, body, headers) => adapter.login(request('POST', '/login', body, headers), input),
    act: (name, body, headers) => adapter.act(request('POST', `/second-factor/${name}`, body, headers), name),
    get: (name, headers) => adapter.act(request('GET', `/second-factor/${name}`, undefined, headers), name),
    admit: (rules, { method = 'GET', url = '/', headers = {} } = {}) =>
      adapter.admit(request(method, url, undefined, headers), rules),
  }
}

async function enroll(service, browser) {
  const { body } = await browser.act('enroll-totp', {})
  const { secret } = otpauth.parse(body.uri)
  const code = totp.generate({ secret, time: service.now() })
  const { body: done } = await browser.act('confirm-totp', { setup: body.setup, code })
  assert.equal(done.result, 'enrolled')
  return secret
}

// Answers

test('each reply has its status, and shows no token of the session', () => {
  const rows = [
    [{ result: 'verified', user: 'ann', pass: 'p', session: 's', method: 'totp', expiresAt: 1, enroll: false }, 200],
    [{ result: 'challenge', ticket: 't', methods: [], expiresAt: 1 }, 200],
    [{ result: 'wrong', attemptsLeft: 3 }, 422],
    [{ result: 'already_used' }, 422],
    [{ result: 'expired' }, 422],
    [{ result: 'locked', retryAt: NOW + 60 }, 429],
    [{ result: 'sms_refused', reason: 'cooldown', retryAt: NOW + 30 }, 429],
    [{ result: 'denied', reason: 'address_denied' }, 403],
    [{ result: 'denied', reason: 'number_invalid' }, 422],
    [{ result: 'denied', reason: 'ticket_expired' }, 401],
    [{ result: 'denied', reason: 'fresh_factor_required' }, 401],
    [{ result: 'denied', reason: 'too_often', retryAt: NOW + 5 }, 429],
  ]
  for (const [reply, status] of rows) {
    const answer = answerOf(reply, NOW)
    assert.equal(answer.status, status, JSON.stringify(reply))
    assert.equal(answer.headers['cache-control'], 'no-store')
    for (const name of ['pass', 'ticket', 'session', 'browser']) assert.equal(name in answer.body, false)
    assert.equal('www-authenticate' in answer.headers, status === 401)
  }
  assert.equal(answerOf({ result: 'locked', retryAt: NOW + 60 }, NOW).headers['retry-after'], '60')
  assert.equal(answerOf({ result: 'locked', retryAt: NOW - 5 }, NOW).headers['retry-after'], '1')
})

test('an answer names the user whom it has let in, and nobody else does, on a page as in JSON', async () => {
  const at = service({ methods: ['totp'] })
  const pages = { login: '/login', secondStep: '/code' }
  const browser = browserOf(createAdapter({ secondFactor: at.secondFactor, pages }))
  assert.deepEqual((await browser.login({ user: 'ann' })).entered, { user: 'ann' })
  const secret = await enroll(at, browser)
  for (const headers of [{}, NAVIGATION]) {
    at.advance(30)
    const challenged = await browser.login({ user: 'ann', account: undefined }, {}, headers)
    assert.deepEqual([Object.hasOwn(challenged, 'entered'), challenged.entered], [true, undefined])
    const wrong = await browser.act('verify', { method: 'totp', code: '1' }, headers)
    assert.deepEqual([Object.hasOwn(wrong, 'entered'), wrong.entered], [true, undefined])
    const code = totp.generate({ secret, time: at.now() })
    const verified = await browser.act('verify', { method: 'totp', code }, headers)
    assert.deepEqual([verified.entered, verified.body === undefined], [{ user: 'ann' }, headers === NAVIGATION])
    assert.equal((await browser.act('again', {}, headers)).entered, undefined)
  }
})

test('the challenge is that of RFC 9470, with the acr values of the methods that count', async () => {
  assert.equal(
    stepUpChallenge({ maxAge: 300, methods: ['totp', 'sms'] }),
    'Bearer error="insufficient_user_authentication", error_description="a second factor is required", ' +
      'acr_values="urn:countersign:acr:2fa", max_age="300"',
  )
  assert.doesNotMatch(stepUpChallenge({}), /max_age/)
  // The values are those that passes carry.
  const { secondFactor, now } = service()
  const browser = browserOf(createAdapter({ secondFactor }))
  await browser.login({ user: 'ann' })
  await enroll({ now }, browser)
  const begun = await secondFactor.begin({ user: 'bob', session: 's-1' })
  assert.equal(begun.result, 'allowed')
  const started = await secondFactor.enrollTotp({ user: 'bob', session: 's-1', label: 'bob' })
  const code = totp.generate({ secret: started.secret, time: now() })
  const { pass, session } = await secondFactor.confirmTotp({ user: 'bob', session: 's-1', setup: started.setup, code })
  const { acr } = await secondFactor.checkPass({ user: 'bob', session, pass })
  assert.equal(acr, acrValuesOf({ methods: ['totp'] })[0])
})

// Requests of other sites

test('a changing request is from here by Sec-Fetch-Site, else by Origin, else from no browser', () => {
  const from = (headers, method = 'POST', origins = []) =>
    isCrossSite(
      { method, url: '/', header: (name) => headers[name], body() {}, ip: undefined, setCookie() {} },
      originsOf(origins),
    )
  assert.equal(from({ 'sec-fetch-site': 'same-origin' }), false)
  assert.equal(from({ 'sec-fetch-site': 'none' }), false)
  assert.equal(from({ 'sec-fetch-site': 'same-site' }), true)
  assert.equal(from({ 'sec-fetch-site': 'cross-site', origin: 'https://acme.example', host: 'acme.example' }), true)
  assert.equal(from({ 'sec-fetch-site': 'newer-value' }), true)
  assert.equal(from({ origin: 'https://acme.example', host: 'acme.example' }), false)
  assert.equal(from({ origin: 'https://acme.example', host: 'ACME.example' }), false)
  assert.equal(from({ origin: 'https://acme.example:8443', host: 'acme.example' }), true)
  assert.equal(from({ origin: 'https://evil.example', host: 'acme.example' }), true)
  assert.equal(from({ origin: 'null', host: 'acme.example' }), true)
  assert.equal(from({ origin: 'https://acme.example' }), true)
  assert.equal(from({ origin: 'null' }), true)
  assert.equal(from({ origin: 'no origin' }), true)
  assert.equal(from({}), false)
  assert.equal(from({ 'sec-fetch-site': 'cross-site' }, 'GET'), false)
  assert.equal(
    from({ 'sec-fetch-site': 'cross-site', origin: 'https://app.example' }, 'POST', ['https://app.example']),
    false,
  )
  for (const wrong of [
    'acme.example',
    'https://acme.example/',
    'https://acme.example/path',
    'null',
    '*',
    'https://ACME.example',
  ])
    assert.throws(() => originsOf([wrong]), { code: 'invalid_input' }, wrong)
})

// States

test('a state opens as it was kept, and every other value is nobody', () => {
  const half = {
    state: 'first_factor',
    user: 'ann',
    session: 's-1',
    since: NOW,
    challenge: { ticket: 't', methods: [] },
  }
  assert.deepEqual({ ...loginOf(loginToText(half)), challenge: undefined }, { ...half, challenge: undefined })
  const noUser = { ...half, user: undefined }
  const wrong = [
    undefined,
    null,
    '',
    '{',
    '[]',
    'null',
    1,
    true,
    [],
    {},
    { state: 'in' },
    noUser,
    { ...half, state: 'in', pass: 1 },
  ]
  for (const value of [...wrong, { ...half, state: '__proto__' }, { ...half, state: 'root' }, { ...half, more: 1 }])
    assert.equal(loginOf(value), undefined, JSON.stringify(value))
})

test('T33: a polluted Object.prototype makes nobody a user', async () => {
  const { secondFactor } = service()
  const browser = browserOf(createAdapter({ secondFactor }))
  const polluted = { state: 'in', user: 'ann', session: 's-1', since: NOW, pass: undefined, person: { user: 'ann' } }
  for (const [name, value] of Object.entries(polluted))
    Object.defineProperty(Object.prototype, name, { value, configurable: true, writable: true })
  try {
    assert.equal(loginOf({}), undefined)
    assert.equal((await browser.admit()).answer.status, 401)
  } finally {
    for (const name of Object.keys(polluted)) Reflect.deleteProperty(Object.prototype, name)
  }
})

// Sealed sessions

test('a new password, and a sign-out everywhere, end logins between password and code', async () => {
  for (const end of ['passwordChanged', 'signOutEverywhere'])
    for (const policy of [{}, { require: 'everyone', firstFactor: 'password' }]) {
      const it = service(policy)
      const browser = browserOf(createAdapter({ secondFactor: it.secondFactor }))
      if (policy.require === undefined) {
        await browser.login({ user: 'ann' })
        await enroll(it, browser)
      }
      const { body } = await browser.login({ user: 'ann' })
      assert.ok(['challenge', 'set_up'].includes(body.result))
      assert.equal((await browser.act('again', {})).body.result, body.result)
      await it.secondFactor[end]({ user: 'ann' })
      const again = await browser.act('again', {})
      assert.deepEqual([again.status, again.body.reason], [401, 'ticket_expired'], end)
      assert.equal((await browser.login({ user: 'ann' })).body.result, body.result, 'the new password begins another')
      assert.equal((await browser.act('again', {})).body.result, body.result)
    }
})

test('a sign-out everywhere ends sessions without a second factor as well', async () => {
  const it = service()
  const adapter = createAdapter({ secondFactor: it.secondFactor })
  const [bob, cem] = [browserOf(adapter), browserOf(adapter)]
  await bob.login({ user: 'bob' })
  await cem.login({ user: 'cem' })
  it.advance(60)
  await it.secondFactor.signOutEverywhere({ user: 'bob' })
  assert.equal((await bob.admit()).answer?.body.result, 'log_in_first')
  assert.equal((await bob.act('enroll-totp', {})).status, 401)
  assert.equal((await bob.act('again', {})).status, 401)
  assert.equal((await cem.admit()).person.user, 'cem')
  await bob.login({ user: 'bob' })
  assert.equal((await bob.admit()).person.user, 'bob', 'a login right after it counts')
})

test('a session of the host ends in its place once the list has ended it', async () => {
  for (const hasFactor of [false, true]) {
    const it = service()
    let kept
    const place = {
      read: () => kept,
      begin: (login) => void (kept = login),
      write: (login) => void (kept = login),
      end: () => void (kept = undefined),
    }
    const adapter = createAdapter({ secondFactor: it.secondFactor })
    const browser = browserOf({
      login: (request, input) => adapter.login({ ...request, place }, input),
      act: (request, name) => adapter.act({ ...request, place }, name),
      admit: (request, rules) => adapter.admit({ ...request, place }, rules),
    })
    await browser.login({ user: 'ann' })
    if (hasFactor) await enroll(it, browser)
    await it.secondFactor.endSessions({ user: 'ann', sessions: [(await browser.admit()).person.session] })
    assert.equal((await browser.admit()).answer.body.result, 'log_in_first')
    assert.equal(kept, undefined, 'the list may forget it now')
  }
})

test('a half-way login is given no challenge once the password is ten minutes old', async () => {
  const it = service()
  const browser = browserOf(createAdapter({ secondFactor: it.secondFactor }))
  await browser.login({ user: 'ann' })
  await enroll(it, browser)
  await browser.login({ user: 'ann' })
  it.advance(300)
  assert.equal((await browser.act('again', {})).body.result, 'challenge')
  it.advance(299)
  assert.equal((await browser.act('again', {})).body.result, 'challenge')
  it.advance(1)
  assert.equal((await browser.act('again', {})).body.result, 'log_in_first')
})

test('a sealed session ends an hour after the login, however often it is changed', async () => {
  const it = service()
  const browser = browserOf(createAdapter({ secondFactor: it.secondFactor }))
  await browser.login({ user: 'ann' })
  it.advance(3_599)
  assert.equal((await browser.admit()).person.user, 'ann')
  it.advance(1)
  assert.equal((await browser.admit()).answer.status, 401)
})

test('a sealed session ends before the entry that would end it is forgotten', async () => {
  const it = service({ passSeconds: 600 })
  const browser = browserOf(createAdapter({ secondFactor: it.secondFactor }))
  await browser.login({ user: 'ann' })
  const copy = new Map(browser.cookies)
  await browser.act('log-out', {})
  // An entry stays for 32 minutes, for the set-ups of the session.
  for (const seconds of [1_800, 121]) {
    it.advance(seconds)
    const thief = browserOf(createAdapter({ secondFactor: it.secondFactor }))
    for (const [name, value] of copy) thief.cookies.set(name, value)
    assert.equal((await thief.admit()).answer?.status, 401)
  }
})

test('a sealed session with a pass lives longer, as the list ends it', async () => {
  const it = service()
  const browser = browserOf(createAdapter({ secondFactor: it.secondFactor }))
  await browser.login({ user: 'ann' })
  await enroll(it, browser)
  const thief = new Map(browser.cookies)
  it.advance(7_200)
  assert.equal((await browser.admit()).person.user, 'ann')
  await it.secondFactor.signOutEverywhere({ user: 'ann' })
  it.advance(1)
  assert.equal((await browser.admit()).answer.body.result, 'log_in_first')
  const copy = browserOf(createAdapter({ secondFactor: it.secondFactor }))
  for (const [name, value] of thief) copy.cookies.set(name, value)
  // A second factor does not bring a session back that was ended: no new challenge without the password.
  assert.equal((await copy.act('again', {})).status, 401)
  assert.equal((await copy.get('state')).body.result, 'nobody')
})

test('without a list, a sealed session with a pass ends within the hour', async () => {
  const whole = memoryStore()
  const store = { load: whole.load, save: whole.save }
  const it = service({ store })
  const browser = browserOf(createAdapter({ secondFactor: it.secondFactor }))
  await browser.login({ user: 'ann' })
  await enroll(it, browser)
  it.advance(3_600)
  assert.equal((await browser.admit()).answer.status, 401)
})

test('a log-out that the list does not hear of is 503, and can be done again', async () => {
  const whole = memoryStore()
  let isDown = true
  const store = {
    ...whole,
    revoke: async (...more) => (isDown ? Promise.reject(new Error('down')) : whole.revoke(...more)),
  }
  const it = service({ store })
  const errors = []
  const browser = browserOf(createAdapter({ secondFactor: it.secondFactor, onError: (error) => errors.push(error) }))
  await browser.login({ user: 'ann' })
  const answer = await browser.act('log-out', {})
  assert.deepEqual([answer.status, answer.headers['retry-after']], [503, '1'])
  assert.equal(errors[0].code, 'store_failed')
  isDown = false
  assert.equal((await browser.act('log-out', {})).body.result, 'logged_out')
  assert.equal((await browser.admit()).answer.status, 401)
})

test('ids of 128 bytes and five apps fit into a cookie', async () => {
  const it = service({ methods: ['totp', 'backup_code', 'recovery_code'] })
  const [account, user] = ['a', 'u'].map((letter) => letter.repeat(128))
  const browser = browserOf(createAdapter({ secondFactor: it.secondFactor }))
  await browser.login({ account, user })
  await enroll(it, browser)
  for (let app = 2; app <= 5; app++) {
    it.advance(30)
    const { body } = await browser.act('enroll-totp', { name: `${'ü'.repeat(31)}${app}` })
    assert.equal(body.result, 'totp_started', JSON.stringify(body))
    const code = totp.generate({ secret: otpauth.parse(body.uri).secret, time: it.now() })
    assert.equal((await browser.act('confirm-totp', { setup: body.setup, code })).body.result, 'enrolled')
  }
  const { status, body } = await browser.act('again', {})
  assert.equal(status, 200, JSON.stringify(body))
  const [length] = [...browser.cookies].map(([name, value]) => name.length + value.length)
  assert.ok(length <= 4_096, String(length))
  assert.equal((await browser.get('state')).body.methods[0].factors.length, 5)
})

test('ids that are too long for a cookie are told as the cause', async () => {
  const it = service()
  const errors = []
  const browser = browserOf(createAdapter({ secondFactor: it.secondFactor, onError: (error) => errors.push(error) }))
  await browser.login({ account: 'a'.repeat(256), user: 'u'.repeat(256) })
  await enroll(it, browser)
  assert.equal((await browser.act('again', {})).status, 500)
  assert.equal(errors[0].code, 'no_session')
})

test('a cookie that comes twice is none', async () => {
  const { secondFactor } = service()
  const browser = browserOf(createAdapter({ secondFactor }))
  await browser.login({ user: 'ann' })
  const [[name, value]] = browser.cookies
  const twice = { cookie: `${name}=${value}; ${name}=x` }
  assert.equal((await browser.admit({}, { headers: twice })).answer.status, 401)
})

test('T41: a login of one account is none in another', async () => {
  const it = service()
  const adapter = createAdapter({ secondFactor: it.secondFactor })
  const browser = browserOf(adapter)
  await browser.login({ account: 'a', user: 'ann' })
  await enroll(it, browser)
  const { person } = await browser.admit()
  assert.deepEqual([person.account, person.user], ['a', 'ann'])
  await browser.login({ account: 'b', user: 'ann' })
  assert.equal((await browser.admit()).person.account, 'b')
  assert.equal((await browser.get('status')).body.status.enrolled, false)
})

// Several adapters in one app

test('a login of one adapter is nobody at another, and each has cookies of its own', async () => {
  const { secondFactor } = service()
  const [customers, staff] = [undefined, 'staff'].map((name) => createAdapter({ secondFactor, name }))
  const customer = browserOf(customers)
  await customer.login({ user: 'u-1' })
  const [[cookie, value]] = customer.cookies
  assert.equal(cookie, '__Host-countersign')
  const employee = browserOf(staff)
  await employee.login({ user: 'u-1' })
  const [[staffCookie]] = employee.cookies
  assert.equal(staffCookie, '__Host-countersign.staff')
  employee.cookies.set(staffCookie, value)
  assert.equal((await employee.admit()).answer?.status, 401, 'a value of another adapter')

  let kept
  const place = {
    read: () => kept,
    begin: (login) => void (kept = login),
    write: (login) => void (kept = login),
    end: () => {},
  }
  const request = {
    method: 'POST',
    url: '/',
    header: () => undefined,
    body: () => ({}),
    ip: undefined,
    setCookie: () => {},
    place,
  }
  await customers.login(request, { user: 'u-1' })
  assert.equal((await customers.admit(request)).person?.user, 'u-1')
  assert.equal((await staff.admit(request)).answer?.status, 401, 'a session of the host that both use')
  for (const name of ['', 'a.b', 'a b', 'x'.repeat(33)])
    assert.throws(() => createAdapter({ secondFactor, name }), { code: 'invalid_input', path: 'name' })
})

test('a login by value ends the session of the value that the client had', async () => {
  const { secondFactor } = service()
  const adapter = createAdapter({ secondFactor })
  const request = (value) => ({
    ...{ method: 'POST', url: '/', body: () => ({}), ip: undefined, setCookie: () => {} },
    header: (name) => (name === 'countersign-session' ? value : undefined),
  })
  const { session } = (await adapter.login(request(undefined), { user: 'ann', carry: 'value' })).body
  assert.equal((await adapter.admit(request(session))).person?.user, 'ann')
  await adapter.login(request(session), { user: 'ann', carry: 'value' })
  assert.equal((await adapter.admit(request(session))).answer?.status, 401)
})

// Facts of the host

test('the facts of the host reach the rules, and a wrong one is an error of the host', async () => {
  const asked = []
  const facts = (user) => {
    asked.push(user)
    return { roles: ['staff'], label: 'ann@acme.example' }
  }
  const it = service({ require: { roles: ['staff'] } })
  const errors = []
  const make = (given) =>
    browserOf(createAdapter({ secondFactor: it.secondFactor, facts: given, onError: (e) => errors.push(e) }))
  assert.equal((await make(facts).login({ user: 'ann' })).body.reason, 'enrollment_required')
  assert.deepEqual(asked[0], { user: 'ann' })
  assert.equal((await make(() => ({ roles: ['guest'] })).login({ user: 'ann' })).body.result, 'allowed')
  assert.deepEqual(errors, [])
  for (const wrong of [
    { roles: 'staff' },
    { plan: 1 },
    { role: ['staff'] },
    'staff',
    { roles: [''] },
    { roles: Array(1_000).fill('x') },
  ]) {
    const { status, body } = await make(() => wrong).login({ user: 'ann' })
    assert.deepEqual([status, body], [500, { result: 'failed', code: 'invalid_facts' }])
    const { code, cause } = errors.pop()
    assert.deepEqual([code, cause.code], ['invalid_facts', 'invalid_input'])
  }
  await assert.rejects(
    () => make(() => Promise.reject(new Error('database down'))).login({ user: 'ann' }),
    /database down/,
  )
})

test('wrong options are told at the start', () => {
  const { secondFactor } = service()
  const wrong = [
    [undefined, ''],
    [{}, 'secondFactor'],
    [{ secondFactor: { ...secondFactor } }, 'secondFactor'],
    [{ secondFactor, origins: ['acme.example'] }, 'origins[0]'],
    [{ secondFactor, pages: { login: '/login' } }, 'pages.secondStep'],
    [{ secondFactor, facts: {} }, 'facts'],
    [{ secondFactor, sekret: 1 }, 'sekret'],
  ]
  for (const [options, path] of wrong)
    assert.throws(() => createAdapter(options), { code: 'invalid_input', path }, JSON.stringify(path))
})

// Pages

const PAGES = { login: '/login', secondStep: '/code?theme=dark', home: '/home' }

test('a person without scripts is sent to the page that goes on', async () => {
  const it = service()
  const browser = browserOf(createAdapter({ secondFactor: it.secondFactor, pages: PAGES }))
  const nav = { headers: NAVIGATION }
  const to = async (promise) => {
    const { status, headers, body } = await promise
    assert.deepEqual([status, body], [303, undefined])
    return headers.location
  }
  assert.equal(
    await to(browser.admit({}, { ...nav, url: '/reports?year=2026' }).then(({ answer }) => answer)),
    '/login?reason=log_in_first&next=%2Freports%3Fyear%3D2026',
  )
  assert.equal(await to(browser.login({ user: 'ann' }, { next: '/reports' }, NAVIGATION)), '/reports')
  assert.equal(await to(browser.login({ user: 'ann' }, { next: '//evil.example' }, NAVIGATION)), '/home')
  const secret = await enroll(it, browser)
  assert.equal(await to(browser.login({ user: 'ann' }, {}, NAVIGATION)), '/code?theme=dark')
  it.advance(30)
  const wrong = { method: 'totp', code: '000000', next: '/reports' }
  assert.equal(await to(browser.act('verify', wrong, NAVIGATION)), '/code?theme=dark&reason=wrong&next=%2Freports')
  const lacking = { method: 'totp', next: '/reports' }
  assert.equal(
    await to(browser.act('verify', lacking, NAVIGATION)),
    '/code?theme=dark&reason=malformed&next=%2Freports',
  )
  const right = { method: 'totp', code: totp.generate({ secret, time: it.now() }), next: '/reports' }
  assert.equal(await to(browser.act('verify', right, NAVIGATION)), '/reports')
  it.advance(400)
  const refused = browser.admit({ maxAge: 300 }, { ...nav, url: '/pay' }).then(({ answer }) => answer)
  assert.equal(await to(refused), '/code?theme=dark&reason=too_old&max_age=300&next=%2Fpay')
  assert.equal(await to(browser.act('log-out', {}, NAVIGATION)), '/login')
  // Keys and codes are shown once, so they are answered.
  await browser.login({ user: 'bob' }, {}, NAVIGATION)
  const begun = await browser.act('enroll-totp', {}, NAVIGATION)
  assert.equal(begun.body.result, 'totp_started')
  const bobs = totp.generate({ secret: otpauth.parse(begun.body.uri).secret, time: it.now() })
  const done = await browser.act('confirm-totp', { setup: begun.body.setup, code: bobs }, NAVIGATION)
  assert.equal(done.body.backupCodes.length, 10)
  assert.equal((await browser.get('status', NAVIGATION)).body.result, 'status')
  await browser.act('log-out', {})
  // A script is answered, and not sent on.
  assert.equal(
    (await browser.admit({}, { headers: { accept: 'text/html, */*', 'x-requested-with': 'x' } })).answer.status,
    401,
  )
})

test('a person who is in and is asked again answers by the same form as at the login', async () => {
  const it = service()
  const browser = browserOf(createAdapter({ secondFactor: it.secondFactor, pages: PAGES }))
  await browser.login({ user: 'ann' })
  assert.equal((await browser.act('verify', { method: 'totp', code: '123456' })).status, 409, 'no factor to answer by')
  const secret = await enroll(it, browser)
  it.advance(600)
  const shop = { 'sec-fetch-mode': 'navigate', host: 'acme.example', referer: 'https://acme.example/shop?item=1' }
  const led = async (method, headers) => {
    const { answer } = await browser.admit({ maxAge: 300 }, { method, url: '/payments', headers })
    return answer.headers.location
  }
  assert.equal(await led('GET', shop), '/code?theme=dark&reason=too_old&max_age=300&next=%2Fpayments')
  assert.equal(await led('POST', shop), '/code?theme=dark&reason=too_old&max_age=300&next=%2Fshop%3Fitem%3D1')
  assert.equal(
    await led('POST', { ...shop, host: 'ACME.example' }),
    '/code?theme=dark&reason=too_old&max_age=300&next=%2Fshop%3Fitem%3D1',
  )
  for (const referer of [undefined, 'x', 'https://evil.example/shop'])
    assert.equal(await led('POST', { ...shop, referer }), '/code?theme=dark&reason=too_old&max_age=300')
  const fields = { method: 'totp', next: '/shop?item=1' }
  const wrong = await browser.act('verify', { ...fields, code: '000000' }, NAVIGATION)
  assert.equal(wrong.headers.location, '/code?theme=dark&reason=wrong&next=%2Fshop%3Fitem%3D1')
  const code = totp.generate({ secret, time: it.now() })
  const right = await browser.act('verify', { ...fields, code }, NAVIGATION)
  assert.equal(right.headers.location, '/shop?item=1')
  assert.equal((await browser.admit({ maxAge: 300 })).person?.user, 'ann')
})

/** A browser with the cookies that another has now: a request that is under way beside the next one. */
function copyOf(browser, adapter) {
  const copy = browserOf(adapter)
  for (const [name, value] of browser.cookies) copy.cookies.set(name, value)
  return copy
}

test('a double click on the second step, by cookie, logs nobody out', async () => {
  for (const hasAsked of [false, true]) {
    const it = service()
    const adapter = createAdapter({ secondFactor: it.secondFactor })
    const browser = browserOf(adapter)
    await browser.login({ user: 'ann' })
    const secret = await enroll(it, browser)
    it.advance(600)
    if (hasAsked) await browser.act('again', {})
    const late = copyOf(browser, adapter)
    const click = { method: 'totp', code: totp.generate({ secret, time: it.now() }) }
    assert.equal((await browser.act('verify', click)).body.result, 'verified')
    const before = new Map(late.cookies)
    const second = await late.act('verify', click)
    assert.notEqual(second.body.result, 'verified')
    assert.deepEqual(late.cookies, before, 'the late answer sets and ends no cookie')
    assert.equal((await browser.admit({ maxAge: 300 })).person?.user, 'ann')
  }
})

test('a challenge that was begun at once is not kept, but for the message that was sent', async () => {
  const sent = []
  const it = service(
    { methods: ['totp', 'sms'], sms: { prefixes: ['+61'] } },
    { sendSms: async ({ body }) => void sent.push(body) },
  )
  const adapter = createAdapter({ secondFactor: it.secondFactor })
  const browser = browserOf(adapter)
  await browser.login({ user: 'ann' })
  await browser.act('enroll-sms', { number: '+61412345678' }).then(({ body }) => {
    const [code] = /\d{6}/.exec(sent.pop())
    return browser.act('confirm-sms', { setup: body.setup, code })
  })
  it.advance(600)
  const cookies = new Map(browser.cookies)
  assert.equal((await browser.act('verify', { method: 'sms', code: '000000' })).status, 422)
  assert.deepEqual(browser.cookies, cookies, 'a code that is none')
  const late = copyOf(browser, adapter)
  assert.equal((await browser.act('send-sms', {})).body.result, 'sms_sent')
  assert.notDeepEqual(browser.cookies, cookies)
  assert.equal((await late.act('send-sms', {})).body.result, 'sms_refused')
  assert.deepEqual(late.cookies, cookies, 'a second click')
  const [code] = /\d{6}/.exec(sent.pop())
  assert.equal((await browser.act('verify', { method: 'sms', code })).body.result, 'verified')
})

test('a message that was on its way at the log-out brings nobody back', async () => {
  let during = async () => {}
  const sent = []
  const sendSms = async ({ body }) => {
    sent.push(body)
    await during()
  }
  const it = service({ methods: ['totp', 'sms'], sms: { prefixes: ['+61'] } }, { sendSms })
  const adapter = createAdapter({ secondFactor: it.secondFactor })
  const browser = browserOf(adapter)
  await browser.login({ user: 'ann' })
  const { body } = await browser.act('enroll-sms', { number: '+61412345678' })
  await browser.act('confirm-sms', { setup: body.setup, code: /\d{6}/.exec(sent.pop())?.[0] })
  it.advance(600)
  const late = copyOf(browser, adapter)
  const before = new Map(late.cookies)
  during = async () => void (await browser.act('log-out', {}))
  assert.equal((await late.act('send-sms', {})).status, 401)
  assert.deepEqual(late.cookies, before, 'no cookie comes back')
})

/** An adapter whose logins are in a sealed cookie, or in sessions of a host, of which each request has a copy. */
function adapterOf(secondFactor, isHosts, options = {}) {
  const adapter = createAdapter({ secondFactor, ...options })
  const sessions = new Map()
  let [id, made] = ['', 0]
  const placeOf = () => {
    let [own, login] = [id, sessions.get(id)]
    const write = (given) => void sessions.set(own, (login = given))
    const end = () => void sessions.delete(own)
    const begin = (given) => {
      end()
      own = id = `s${++made}`
      write(given)
    }
    return { read: () => login, begin, write, end }
  }
  const placed = (request) => (isHosts ? { ...request, place: placeOf() } : request)
  return {
    login: (request, input) => adapter.login(placed(request), input),
    act: (request, name) => adapter.act(placed(request), name),
    admit: (request, rules) => adapter.admit(placed(request), rules),
  }
}

/** A store whose next save waits for a job. */
function storeThatWaits(whole = memoryStore()) {
  let meanwhile
  const save = async (...given) => {
    const job = meanwhile
    meanwhile = undefined
    await job?.()
    return whole.save(...given)
  }
  return { store: { ...whole, save }, during: (job) => (meanwhile = job) }
}

for (const isHosts of [false, true]) {
  const where = isHosts ? 'in a session of the host' : 'by a cookie'
  for (const state of ['first_factor', 'in', 'in, with a challenge'])
    test(`a log-out while a code is compared brings nobody back: ${where}, ${state}`, async () => {
      const { store, during } = storeThatWaits()
      const it = service({ store })
      const adapter = adapterOf(it.secondFactor, isHosts)
      const browser = browserOf(adapter)
      await browser.login({ user: 'ann' })
      const secret = await enroll(it, browser)
      it.advance(600)
      if (state === 'first_factor') await browser.login({ user: 'ann' })
      if (state === 'in, with a challenge') await browser.act('again', {})
      const late = copyOf(browser, adapter)
      const before = new Map(late.cookies)
      let loggedOut
      during(async () => void (loggedOut = await browser.act('log-out', {})))
      const { status } = await late.act('verify', {
        method: 'totp',
        code: totp.generate({ secret, time: it.now() }),
      })
      assert.equal(loggedOut.status, 200)
      assert.equal(status, 401)
      assert.deepEqual(late.cookies, before)
      assert.equal((await late.admit()).answer?.status, 401)
    })

  test(`a factor that is removed in one tab while another one compares a code logs nobody out: ${where}`, async () => {
    const { store, during } = storeThatWaits()
    const it = service({ store })
    const browser = browserOf(adapterOf(it.secondFactor, isHosts))
    await browser.login({ user: 'ann' })
    await enroll(it, browser)
    it.advance(60)
    const secret = await enroll(it, browser)
    it.advance(60)
    const [{ id }] = (await browser.get('status')).body.status.methods
    during(async () => assert.equal((await browser.act('remove', { factor: id })).status, 200))
    await browser.act('verify', { method: 'totp', code: totp.generate({ secret, time: it.now() }) })
    assert.equal((await browser.admit()).person?.user, 'ann')
  })

  test(`a message that is sent while another tab brings a code leads nobody back, without a list too: ${where}`, async () => {
    for (const holdsList of [true, false]) {
      const { revoke, revoked, ...rest } = memoryStore()
      const sent = []
      let during = async () => {}
      const sendSms = async ({ body }) => {
        sent.push(body)
        await during()
      }
      const store = holdsList ? { ...rest, revoke, revoked } : rest
      const it = service({ store, methods: ['totp', 'sms'], sms: { prefixes: ['+61'] } }, { sendSms })
      const browser = browserOf(adapterOf(it.secondFactor, isHosts))
      await browser.login({ user: 'ann' })
      const secret = await enroll(it, browser)
      const { body } = await browser.act('enroll-sms', { number: '+61412345678' })
      await browser.act('confirm-sms', { setup: body.setup, code: /\d{6}/.exec(sent.pop())?.[0] })
      it.advance(600)
      assert.equal((await browser.act('again', {})).body.result, 'challenge')
      during = async () => {
        during = async () => {}
        const code = totp.generate({ secret, time: it.now() })
        assert.equal((await browser.act('verify', { method: 'totp', code })).body.result, 'verified')
      }
      await browser.act('send-sms', {})
      assert.equal((await browser.admit({ maxAge: 60 })).person?.user, 'ann', `list ${holdsList}`)
    }
  })
}

test('a list that fails once a code is stored costs nobody the login', async () => {
  const whole = memoryStore()
  const told = []
  let [isLast, isDown] = [false, false]
  const save = async (...given) => {
    const isSaved = await whole.save(...given)
    isDown = isLast
    return isSaved
  }
  const revoked = async (about) => (isDown ? Promise.reject(new Error('down')) : whole.revoked(about))
  const it = service({ store: { ...whole, save, revoked } })
  const browser = browserOf(adapterOf(it.secondFactor, true, { onError: (error) => told.push(error.code) }))
  await browser.login({ user: 'ann' })
  const secret = await enroll(it, browser)
  await browser.login({ user: 'ann' })
  it.advance(60)
  isLast = true
  const { body } = await browser.act('verify', { method: 'totp', code: totp.generate({ secret, time: it.now() }) })
  assert.equal(body.result, 'verified', JSON.stringify(body))
  assert.deepEqual(told, ['revoked_failed'])
})

test('without scripts, answers that show something, and changes of factors that fail, lead to no page', async () => {
  const it = service()
  const browser = browserOf(createAdapter({ secondFactor: it.secondFactor, pages: PAGES }))
  await browser.login({ user: 'ann' }, {}, NAVIGATION)
  const { body } = await browser.act('enroll-totp', {}, NAVIGATION)
  const wrong = await browser.act('confirm-totp', { setup: body.setup, code: '000000' }, NAVIGATION)
  assert.deepEqual([wrong.status, wrong.body?.result], [422, 'wrong'])
  const refused = await browser.act('remove', { factor: 'no such' }, NAVIGATION)
  assert.equal(refused.headers.location, undefined, JSON.stringify(refused))
  const forced = service({ require: 'everyone', firstFactor: 'password' })
  const half = browserOf(createAdapter({ secondFactor: forced.secondFactor, pages: PAGES }))
  assert.equal((await half.login({ user: 'ann' }, {}, NAVIGATION)).status, 303)
  assert.deepEqual((await half.get('state', NAVIGATION)).body?.result, 'set_up')
  assert.equal((await half.get('status', NAVIGATION)).headers.location?.startsWith(PAGES.secondStep), true)
})

test('a challenge that has ended within a login is begun anew', async () => {
  for (const end of [(it) => it.advance(1_200), (it) => it.secondFactor.passwordChanged({ user: 'ann' })]) {
    const it = service()
    const browser = browserOf(createAdapter({ secondFactor: it.secondFactor }))
    await browser.login({ user: 'ann' })
    const secret = await enroll(it, browser)
    it.advance(60)
    assert.equal((await browser.act('again', {})).body.result, 'challenge')
    await end(it)
    const code = totp.generate({ secret, time: it.now() })
    assert.equal((await browser.act('verify', { method: 'totp', code })).body.result, 'verified')
  }
})

test('a sign-out everywhere beside a challenge that is begun at once ends the session', async () => {
  const it = service()
  let inFacts = async () => {}
  const facts = async () => {
    await inFacts()
    return {}
  }
  const browser = browserOf(createAdapter({ secondFactor: it.secondFactor, facts }))
  await browser.login({ user: 'ann' })
  const secret = await enroll(it, browser)
  it.advance(600)
  let calls = 0
  inFacts = async () => {
    calls += 1
    if (calls === 2) await it.secondFactor.signOutEverywhere({ user: 'ann' }) // after the check, before the challenge
  }
  const code = totp.generate({ secret, time: it.now() })
  assert.equal((await browser.act('verify', { method: 'totp', code })).body.result, 'log_in_first')
  assert.equal(calls >= 2, true)
})

test('a factor that is forced within a session is set up on its page', async () => {
  let require
  const it = service({ require: undefined })
  const secondFactor = createSecondFactor({
    policy: () => ({
      v: 1,
      name: 'Acme',
      origin: 'https://acme.example',
      firstFactor: 'password',
      ...(require ? { require } : {}),
    }),
    keys: it.keys,
    store: it.store,
    clock: it.now,
  })
  const pages = { login: '/login', secondStep: '/code', setUp: '/setup' }
  const browser = browserOf(createAdapter({ secondFactor, pages }))
  await browser.login({ user: 'ann' })
  require = 'everyone'
  const led = async () => (await browser.admit({}, { url: '/', headers: NAVIGATION })).answer?.headers.location
  assert.equal(await led(), '/code?reason=no_pass&next=%2F')
  const verified = await browser.act('verify', { method: 'totp', code: '123456' }, NAVIGATION)
  assert.equal(verified.headers.location, '/setup')
  assert.equal(await led(), '/setup?reason=no_pass&next=%2F')
  assert.deepEqual((await browser.admit()).answer?.body, {
    result: 'second_step',
    reason: 'no_pass',
    maxAge: undefined,
    state: 'set_up',
  })
})

test('a trusted browser keeps its secret through a double click', async () => {
  const it = service({ trustedBrowser: { days: 30 } })
  const adapter = createAdapter({ secondFactor: it.secondFactor })
  const browser = browserOf(adapter)
  await browser.login({ user: 'ann' })
  const secret = await enroll(it, browser)
  await browser.act('log-out', {})
  await browser.login({ user: 'ann' })
  it.advance(30)
  const code = totp.generate({ secret, time: it.now() })
  assert.equal((await browser.act('verify', { method: 'totp', code, trustBrowser: true })).body.result, 'verified')
  await browser.act('log-out', {})
  const late = copyOf(browser, adapter)
  assert.equal((await browser.login({ user: 'ann' })).body.result, 'verified')
  const before = late.cookies.get('__Host-countersign-browser')
  assert.equal((await late.login({ user: 'ann' })).body.result, 'challenge')
  assert.equal(late.cookies.get('__Host-countersign-browser'), before)
})

test('T19: a session that keeps either of its ids lets nobody in', async () => {
  const { secondFactor } = service()
  const adapter = createAdapter({ secondFactor })
  const login = (regenerate) => {
    const req = { sessionID: 'planted' }
    const session = { id: 'planted', save: (done) => done(), destroy: (done) => done() }
    session.regenerate = (done) => {
      regenerate(req)
      done()
    }
    req.session = session
    const request = browserOf(adapter).request('POST', '/login', {})
    return adapter.login({ ...request, place: expressSession()(req) }, { user: 'ann' })
  }
  const kept = [() => {}, (req) => (req.sessionID = 'new'), (req) => (req.session.id = 'new')]
  for (const regenerate of kept) assert.equal((await login(regenerate)).body.code, 'session_not_renewed')
  const answer = await login((req) => {
    req.sessionID = 'new'
    req.session = { ...req.session, id: 'new' }
  })
  assert.equal(answer.body.result, 'allowed')
})

test('T35: no redirection leads to another site', async () => {
  const { secondFactor } = service()
  const browser = browserOf(createAdapter({ secondFactor, pages: PAGES }))
  const elsewhere = [
    '//evil.example',
    '///evil.example',
    '/\\evil.example',
    '\\\\evil.example',
    '/%2f/evil.example',
    '/%2F%2Fevil.example',
  ]
  elsewhere.push(
    '/%5cevil.example',
    '/\tevil.example',
    ' //evil.example',
    '/ /evil.example',
    '/%09/evil.example',
    '/%0d%0aLocation: x',
  )
  elsewhere.push(
    'https://evil.example',
    'javascript:alert(1)',
    'evil.example',
    '',
    '/\u0000',
    '/..//evil.example',
    '/.//evil.example',
    '/%',
    '@evil.example',
  )
  elsewhere.push('/./%2fevil.example', '/%2e%2e/%2fevil.example', '/a/../%5cevil.example')
  for (const next of [...elsewhere, 1, null, {}, ['/x']]) {
    const { headers } = await browser.login({ user: 'ann' }, { next }, NAVIGATION)
    assert.equal(headers.location, '/home', JSON.stringify(next))
  }
  assert.equal(
    (await browser.login({ user: 'ann' }, { next: '/a/b?c=d&e=%C3%BC' }, NAVIGATION)).headers.location,
    '/a/b?c=d&e=%C3%BC',
  )
})

// Bodies

test('a body is parsed by its type, and cut at its limit', async () => {
  const chunks = async function* (...parts) {
    for (const part of parts) yield typeof part === 'string' ? new TextEncoder().encode(part) : part
  }
  assert.deepEqual(await readBody(chunks('{"a":', '"ü"}'), 'application/json; charset=utf-8'), { a: 'ü' })
  assert.deepEqual(
    { ...(await readBody(chunks('a=1&a=2&b=%20x'), 'application/x-www-form-urlencoded')) },
    { a: '1', b: ' x' },
  )
  assert.equal(await readBody(chunks(), 'application/json'), undefined)
  assert.equal(await readBody(undefined, undefined), undefined)
  const status = (error) => error.answer.status
  const refused = async (body, type) => readBody(chunks(body), type).then(() => 'read', status)
  assert.equal(await refused('{', 'application/json'), 400)
  assert.equal(await refused(new Uint8Array([0x22, 0xff, 0x22]), 'application/json'), 400)
  assert.equal(await refused('<a/>', 'application/xml'), 415)
  assert.equal(await refused('{}', undefined), 415)
  assert.equal(await refused(`"${'x'.repeat(20_000)}"`, 'application/json'), 413)
  assert.throws(() => parseBody('x', 'text/plain'))
})
