// A2: which session of better-auth is a log-in, and which counts at each request.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { admin, anonymous, bearer, multiSession } from 'better-auth/plugins'
import {
  enroll,
  enrolled,
  PASSWORD,
  requireSecondFactor,
  secondStep,
  signedUp,
  startAuth,
} from './better-auth-service.mjs'

const CACHE = { session: { cookieCache: { enabled: true, maxAge: 300 } } }
const FIELDS = { session: { additionalFields: { theme: { type: 'string', required: false } } } }

/** @param {any} service @param {{ email: string, secret?: string }} user */
async function signIn(service, { email, secret }, browser = service.browser(), more = {}) {
  const answer = await browser.post('/sign-in/email', { email, password: PASSWORD, ...more })
  assert.equal(answer.body?.result, 'challenge', answer.text)
  if (secret) assert.equal((await secondStep(service, browser, secret)).status, 200)
  return browser
}

const tokenIn = ({ jar }) => jar.get('better-auth.session_token')
const marks = ({ database }, id) => database.prepare('SELECT secondFactor FROM session WHERE userId = ?').all(id)

for (const [name, options] of Object.entries(
  /** @type {Record<string, any>} */ ({ plain: {}, 'cookie cache': CACHE }),
)) {
  test(`A2: a refresh, and changes of session and user, keep the second factor: ${name}`, async (t) => {
    const more = { ...options, session: { ...options.session, ...FIELDS.session, updateAge: 0 } }
    const service = await startAuth(t, { options: more })
    const user = await enrolled(service)
    const browser = await signIn(service, user)
    assert.equal(await browser.user(), user.id)
    assert.equal((await browser.post('/update-session', { theme: 'dark' })).status, 200)
    assert.equal(await browser.user(), user.id)
    assert.equal((await browser.post('/update-user', { name: 'Ann' })).status, 200)
    assert.equal(await browser.user(), user.id)
    assert.equal((await browser.get('/list-sessions')).body.length, 2)
    assert.equal(JSON.stringify(await browser.get('/get-session')).includes('secondFactor'), false, 'the mark stays in')
    assert.equal(
      (await browser.post('/update-session', { secondFactor: 'x' })).status,
      400,
      'no client writes the mark',
    )
  })

  test(`A2: a new password with all other sessions ended goes on without a challenge: ${name}`, async (t) => {
    const service = await startAuth(t, { options })
    const user = await enrolled(service)
    const browser = await signIn(service, user)
    const before = tokenIn(browser)
    const passwords = { currentPassword: PASSWORD, newPassword: `${PASSWORD} 2`, revokeOtherSessions: true }
    assert.equal((await browser.post('/change-password', passwords)).status, 200)
    assert.notEqual(tokenIn(browser), before)
    assert.equal(await browser.user(), user.id)
    assert.equal((await browser.get('/second-factor/state')).body.result, 'in')
    user.browser.jar.delete('better-auth.session_data') // better-auth's own cache outlives a session
    assert.equal(await user.browser.user(), undefined)
  })

  test(`A2: a pass that has ended ends the session, by cookie, cache, bearer and auth.api: ${name}`, async (t) => {
    const service = await startAuth(t, { options, plugins: [bearer()], policy: { passSeconds: 600 } })
    const user = await enrolled(service)
    const browser = service.browser()
    await browser.post('/sign-in/email', { email: user.email, password: PASSWORD })
    const { body } = await secondStep(service, browser, user.secret)
    const client = service.browser({ authorization: `Bearer ${body.token}` })
    assert.equal(await client.user(), user.id)
    assert.equal(await browser.user(), user.id)
    assert.equal((await service.auth.api.getSession({ headers: browser.headers() })).user.id, user.id)
    service.clock.offset += 600
    assert.equal(await service.auth.api.getSession({ headers: browser.headers() }), null)
    assert.equal((await browser.get('/list-sessions')).status, 401)
    assert.equal(await client.user(), undefined)
    assert.equal((await browser.get('/second-factor/state')).body?.result, 'second_step')
    const again = await browser.post('/second-factor/again')
    assert.equal(again.body.result, 'challenge', again.text)
    assert.equal((await secondStep(service, browser, user.secret)).status, 200)
    assert.equal(await browser.user(), user.id)
  })
}

test('A2: the address of each request counts', async (t) => {
  const policy = { network: { allow: ['192.0.2.0/24'] } }
  const service = await startAuth(t, { options: CACHE, policy })
  const user = await enrolled(service)
  const browser = await signIn(service, user)
  assert.equal(await browser.user(), user.id)
  const elsewhere = await browser.get('/get-session', { 'x-test-ip': '198.51.100.1' })
  assert.equal(elsewhere.body, null)
})

for (const [name, ipAddress, expected] of /** @type {const} */ ([
  ['no settings', undefined, undefined],
  ['no headers', { ipAddressHeaders: [] }, undefined],
  ['a header of the proxy', { ipAddressHeaders: ['x-of-proxy'] }, undefined],
  ['trusted proxies', { trustedProxies: ['10.0.0.0/8'] }, undefined],
  ['a header that clients may send, by the host', { ipAddressHeaders: ['x-forwarded-for'] }, 'ann'],
]))
  test(`T24: a client does not name its address: ${name}`, async (t) => {
    const policy = { network: { allow: ['192.0.2.0/24'] } }
    const service = await startAuth(t, { policy, options: { advanced: { ipAddress } } })
    // Its own header, before what the proxy of the host appends to it.
    const chain = name === 'trusted proxies' ? '192.0.2.1, 198.51.100.7' : '192.0.2.1'
    const forged = { 'x-forwarded-for': chain, 'x-real-ip': '192.0.2.1', forwarded: 'for=192.0.2.1' }
    const browser = service.browser(forged)
    const fields = { email: 'ann@acme.example', password: PASSWORD, name: 'ann' }
    const answer = await browser.post('/sign-up/email', fields)
    const { body } = await browser.get('/get-session')
    assert.equal(body?.user?.name, expected, answer.text)
    if (expected === undefined) assert.match(answer.body.code, /^ADDRESS_/, answer.text)
  })

test('a rule about one address of IPv6 sees that address, and not its network', async (t) => {
  const service = await startAuth(t, { policy: { network: { allow: ['2001:db8::13/128'] } } })
  for (const [index, [ip, status]] of /** @type {[string, number][]} */ ([
    ['2001:db8::13', 200],
    ['2001:db8::bad', 403],
  ]).entries()) {
    const fields = { email: `ann-${index}@acme.example`, password: PASSWORD, name: 'ann' }
    const answer = await service.browser({ 'x-test-ip': ip }).post('/sign-up/email', fields)
    assert.equal(answer.status, status, `${ip}: ${answer.text}`)
  }
})

test('A2: multi-session: a switch between two people who are in asks nothing', async (t) => {
  const service = await startAuth(t, { options: CACHE, plugins: [multiSession()] })
  const ann = await enrolled(service, 'ann')
  const bob = await enrolled(service, 'bob')
  const browser = await signIn(service, ann)
  const { session } = (await browser.get('/get-session')).body
  await signIn(service, bob, browser)
  assert.equal(await browser.user(), bob.id)
  const listed = (await browser.get('/multi-session/list-device-sessions')).body
  assert.deepEqual(listed.map(({ user }) => user.id).sort(), [ann.id, bob.id].sort())
  assert.equal((await browser.post('/multi-session/set-active', { sessionToken: session.token })).status, 200)
  assert.equal(await browser.user(), ann.id)
})

test('A2: somebody else logs in over a session: half-way, and the old cookies open nothing', async (t) => {
  const service = await startAuth(t, { options: CACHE })
  const ann = await enrolled(service, 'ann')
  const bob = await enrolled(service, 'bob')
  const browser = await signIn(service, ann)
  const old = service.browser()
  for (const [name, value] of browser.jar) old.jar.set(name, value)
  await signIn(service, { email: bob.email }, browser)
  assert.equal(await browser.user(), undefined)
  old.jar.delete('better-auth.session_data')
  assert.equal(await old.user(), undefined)
  assert.equal((await secondStep(service, browser, bob.secret)).status, 200)
  assert.equal(await browser.user(), bob.id)
})

test('A2: an admin with a second factor impersonates, as long as the pass counts, and comes back', async (t) => {
  const service = await startAuth(t, { options: CACHE, plugins: [admin()], policy: { passSeconds: 600 } })
  const user = await enrolled(service, 'ann')
  const root = await enrolled(service, 'root')
  service.database.prepare("UPDATE user SET role = 'admin' WHERE id = ?").run(root.id)
  const browser = await signIn(service, root)
  const asUser = await browser.post('/admin/impersonate-user', { userId: user.id })
  assert.equal(asUser.status, 200, asUser.text)
  assert.equal(await browser.user(), user.id)
  assert.equal((await browser.post('/second-factor/enroll-totp')).body.code, 'IMPERSONATED')
  const stopped = await browser.post('/admin/stop-impersonating')
  assert.equal(stopped.status, 200, stopped.text)
  assert.equal(await browser.user(), root.id)
  await browser.post('/admin/impersonate-user', { userId: user.id })
  service.clock.offset += 600
  assert.equal(await browser.user(), undefined)
})

test('A2: an admin without a second factor impersonates nobody who has one', async (t) => {
  const service = await startAuth(t, { plugins: [admin()] })
  const user = await enrolled(service, 'ann')
  const bob = await signedUp(service, 'bob')
  const { browser, id } = await signedUp(service, 'root')
  service.database.prepare("UPDATE user SET role = 'admin' WHERE id = ?").run(id)
  const refused = await browser.post('/admin/impersonate-user', { userId: user.id })
  assert.equal(refused.status, 403)
  assert.equal(refused.body.code, 'OWN_SECOND_FACTOR')
  assert.equal(marks(service, user.id).length, 1, 'no session of the user is left')
  assert.equal(await browser.user(), id, 'the admin stays in')
  assert.equal((await browser.post('/admin/impersonate-user', { userId: bob.id })).status, 200)
  assert.equal(await browser.user(), bob.id)
})

test('A2: a guest is taken over at the second step, and not before', async (t) => {
  const links = []
  const service = await startAuth(t, {
    plugins: [
      anonymous({
        onLinkAccount: async ({ anonymousUser, newUser }) => void links.push([anonymousUser.user.id, newUser.user.id]),
      }),
    ],
  })
  const user = await enrolled(service)
  const browser = service.browser()
  const guest = (await browser.post('/sign-in/anonymous')).body.user.id
  await signIn(service, { email: user.email }, browser)
  assert.deepEqual(links, [])
  assert.equal(await browser.user(), guest, 'the guest goes on as a guest')
  assert.equal((await secondStep(service, browser, user.secret)).status, 200)
  assert.deepEqual(links, [[guest, user.id]])
  assert.equal(await browser.user(), user.id)
})

test('T19: the session changes at the second step, and again at a step-up', async (t) => {
  const service = await startAuth(t, { options: FIELDS })
  const user = await enrolled(service)
  const browser = await signIn(service, user)
  await browser.post('/update-session', { theme: 'dark' })
  const before = tokenIn(browser)
  assert.equal((await browser.post('/second-factor/again')).body.result, 'challenge')
  assert.equal(tokenIn(browser), before)
  assert.equal((await secondStep(service, browser, user.secret)).status, 200)
  assert.notEqual(tokenIn(browser), before)
  const old = service.browser()
  old.jar.set('better-auth.session_token', before)
  assert.equal(await old.user(), undefined)
  assert.equal(
    (await browser.get('/get-session')).body.session.theme,
    'dark',
    'what the host keeps in the session goes on',
  )
})

test('T18: the half-way state opens nothing but the second step', async (t) => {
  const service = await startAuth(t, { plugins: [bearer(), multiSession()] })
  const user = await enrolled(service)
  const browser = await signIn(service, { email: user.email })
  const sealed = browser.jar.get('better-auth.second_factor')
  assert.ok(sealed)
  for (const name of ['session_token', 'session_data', `session_token_multi-${sealed}`]) {
    const other = service.browser({ authorization: `Bearer ${sealed}`, 'countersign-session': sealed })
    other.jar.set(`better-auth.${name}`, sealed)
    assert.equal(await other.user(), undefined, name)
  }
  for (const path of ['status', 'enroll-totp', 'renew-backup-codes', 'remove', 'sign-out-everywhere']) {
    const answer =
      path === 'status' ? await browser.get(`/second-factor/${path}`) : await browser.post(`/second-factor/${path}`)
    assert.equal(answer.status, 401, `${path}: ${answer.text}`)
  }
})

test('T21: the second step of one person does not finish the login of another', async (t) => {
  const service = await startAuth(t)
  const ann = await enrolled(service, 'ann')
  const bob = await enrolled(service, 'bob')
  const browser = await signIn(service, { email: ann.email })
  const wrong = await secondStep(service, browser, bob.secret)
  assert.equal(wrong.status, 422)
  assert.equal(await browser.user(), undefined)
})

test('remember me: the wish is kept over the second step', async (t) => {
  const service = await startAuth(t)
  const user = await enrolled(service)
  const browser = service.browser()
  await browser.post('/sign-in/email', { email: user.email, password: PASSWORD, rememberMe: false })
  const verified = await secondStep(service, browser, user.secret)
  const cookie = verified.cookies.find((text) => text.startsWith('better-auth.session_token='))
  assert.equal(/max-age/i.test(cookie), false, cookie)
  const other = await secondStep(service, await signIn(service, { email: user.email }), user.secret)
  assert.match(
    other.cookies.find((text) => text.startsWith('better-auth.session_token=')),
    /max-age=604800/i,
  )
})

test('ask again before an action: requireSecondFactor', async (t) => {
  const service = await startAuth(t, { options: CACHE })
  const user = await enrolled(service)
  const browser = await signIn(service, user)
  const ask = (rules) => requireSecondFactor(service.auth, browser.headers(), rules)
  service.clock.offset += 100
  assert.equal((await ask({ maxAge: 300 })).user.id, user.id)
  service.clock.offset += 300
  await assert.rejects(ask({ maxAge: 300 }), (/** @type {any} */ error) => {
    assert.equal(error.statusCode, 401)
    assert.equal(error.body.code, 'SECOND_STEP')
    assert.match(error.headers['www-authenticate'], /insufficient_user_authentication.*max_age="300"/)
    return true
  })
  await browser.post('/second-factor/again')
  assert.equal((await secondStep(service, browser, user.secret)).status, 200)
  assert.equal((await ask({ maxAge: 300 })).method, 'totp')
  const nobody = service.browser()
  await assert.rejects(
    requireSecondFactor(service.auth, nobody.headers()),
    (/** @type {any} */ error) => error.statusCode === 401,
  )
})

test('one person ends the other sessions of the same person, also those whose pass has ended', async (t) => {
  const service = await startAuth(t, { policy: { passSeconds: 600 } })
  const user = await enrolled(service)
  await signIn(service, user)
  service.clock.offset += 600
  const browser = await signIn(service, user)
  const sessions = (await browser.get('/list-sessions')).body
  for (const { token } of sessions.slice(0, -1))
    assert.equal((await browser.post('/revoke-session', { token })).status, 200)
  assert.equal((await browser.get('/list-sessions')).body.length, 1)
  assert.equal((await browser.post('/second-factor/sign-out-everywhere')).status, 200)
  assert.equal(await browser.user(), undefined)
  assert.equal(marks(service, user.id).length, 0)
})

test('a user who enrolls in one browser is challenged in the others', async (t) => {
  const service = await startAuth(t, { options: CACHE })
  const { email, id } = await signedUp(service)
  const other = service.browser()
  await other.post('/sign-in/email', { email, password: PASSWORD })
  assert.equal(await other.user(), id)
  const browser = service.browser()
  await browser.post('/sign-in/email', { email, password: PASSWORD })
  await enroll(service, browser)
  assert.equal(await other.user(), undefined)
})
