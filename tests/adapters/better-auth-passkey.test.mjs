// A login by a passkey in better-auth, from an authenticator in software.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { passkey } from '@better-auth/passkey'
import { bearer, magicLink } from 'better-auth/plugins'
import { authenticator } from './authenticator.mjs'
import { enrolled, PASSWORD, requireSecondFactor, secondStep, signedUp, startAuth } from './better-auth-service.mjs'

async function addPasskey({ browser }, key) {
  const { body } = await browser.get('/passkey/generate-register-options')
  return browser.post('/passkey/verify-registration', { response: key.create(body) })
}

async function signIn(service, key) {
  const browser = service.browser()
  const { body } = await browser.get('/passkey/generate-authenticate-options')
  return { browser, answer: await browser.post('/passkey/verify-authentication', { response: key.get(body) }) }
}

/** @param {any} t @param {{ passkeyLogin?: 'one' | 'both' | undefined, verifies: boolean, mine?: any }} given */
const started = async (t, { passkeyLogin, verifies, mine }) => {
  const service = await startAuth(t, { plugins: [passkey()], own: passkeyLogin ? { passkeyLogin } : {}, mine })
  const user = await enrolled(service)
  await user.browser.post('/second-factor/again')
  assert.equal((await secondStep(service, user.browser, user.secret)).status, 200)
  const key = authenticator({ origin: service.origin, verifies })
  const added = await addPasskey(user, key)
  assert.equal(added.status, 200, added.text)
  return { service, user, key }
}

for (const given of [
  { verifies: true },
  { verifies: true, passkeyLogin: /** @type {const} */ ('one') },
  { verifies: false, passkeyLogin: /** @type {const} */ ('both') },
])
  test(`T20: passkey: a passkey is one factor: ${JSON.stringify(given)}`, async (t) => {
    const { service, user, key } = await started(t, { passkeyLogin: undefined, ...given })
    const { browser, answer } = await signIn(service, key)
    assert.equal(answer.body?.result, 'challenge', answer.text)
    assert.equal(await browser.user(), undefined)
    assert.equal((await secondStep(service, browser, user.secret)).status, 200)
    assert.equal(await browser.user(), user.id)
  })

test('T14: no passkey is added on an address that nobody has proven: it would stay when the owner proves it', async (t) => {
  const mayEnroll = async ({ emailVerified }) => emailVerified
  for (const passkeyLogin of /** @type {const} */ (['both', 'one'])) {
    const service = await startAuth(t, { plugins: [passkey()], own: { passkeyLogin, mayEnroll } })
    const user = await signedUp(service)
    const added = await addPasskey(user, authenticator({ origin: service.origin, verifies: true }))
    assert.equal(added.body.code, 'EMAIL_NOT_VERIFIED', passkeyLogin)
    service.database.exec('UPDATE user SET emailVerified = 1')
    const proven = await addPasskey(user, authenticator({ origin: service.origin, verifies: true }))
    assert.equal(proven.status, 200, proven.text)
  }
})

for (const end of ['a sign-out', 'the proof'])
  test(`T14: a session that ${end} has ended, and a cookie cache keeps, adds no passkey`, async (t) => {
    const mails = []
    const link = magicLink({ sendMagicLink: async (mail) => void mails.push(mail) })
    const options = { session: { cookieCache: { enabled: true, maxAge: 300 } } }
    const service = await startAuth(t, { plugins: [link, passkey()], options })
    const { browser, email } = await signedUp(service)
    const { body } = await browser.get('/passkey/generate-register-options')
    const kept = new Map(browser.jar)
    if (end === 'a sign-out') await browser.post('/sign-out')
    else {
      const owner = service.browser()
      await owner.post('/sign-in/magic-link', { email })
      await owner.get(mails.at(-1).url)
    }
    for (const [name, value] of kept) browser.jar.set(name, value)
    const key = authenticator({ origin: service.origin, verifies: true })
    const added = await browser.post('/passkey/verify-registration', { response: key.create(body) })
    assert.equal(added.body.code, 'EMAIL_NOT_VERIFIED', added.text)
  })

test('a passkey with user verification is both factors, where the option says so', async (t) => {
  const { service, user, key } = await started(t, { passkeyLogin: 'both', verifies: true })
  const { browser, answer } = await signIn(service, key)
  assert.equal(answer.status, 200, answer.text)
  assert.equal(answer.body.twoFactorRedirect, undefined)
  assert.equal(await browser.user(), user.id)
  const ask = (rules) => requireSecondFactor(service.auth, browser.headers(), rules)
  assert.equal((await ask({ maxAge: 300 })).user.id, user.id)
  await assert.rejects(ask({ fresh: true }), (/** @type {any} */ error) => error.statusCode === 401)
  service.clock.offset += 301
  await assert.rejects(ask({ maxAge: 300 }), (/** @type {any} */ error) => error.body.code === 'SECOND_STEP')
  assert.equal(
    (await browser.post('/second-factor/remove', { factor: 'x' })).status,
    401,
    'a change of factors asks for a code',
  )
})

test('a forged flag of user verification logs nobody in', async (t) => {
  const { service, user, key } = await started(t, { passkeyLogin: 'both', verifies: false })
  const browser = service.browser()
  const { body } = await browser.get('/passkey/generate-authenticate-options')
  const response = key.get(body)
  const data = Buffer.from(response.response.authenticatorData, 'base64url')
  data[32] |= 0x04
  response.response.authenticatorData = data.toString('base64url')
  const answer = await browser.post('/passkey/verify-authentication', { response })
  assert.equal(answer.status >= 400, true, answer.text)
  assert.notEqual(await browser.user(), user.id)
})

for (const [order, mine] of Object.entries({
  before: ({ plugin, plugins }) => [bearer(), ...plugins, plugin()],
  after: ({ plugin, plugins }) => [plugin(), ...plugins, bearer()],
}))
  test(`T20: with bearer ${order} ours, a passkey without user verification gives no token`, async (t) => {
    const { service, user, key } = await started(t, { passkeyLogin: 'both', verifies: false, mine })
    const { browser, answer } = await signIn(service, key)
    assert.equal(answer.body?.result, 'challenge', answer.text)
    assert.equal(answer.headers.get('set-auth-token'), null)
    const sessions = service.database.prepare('SELECT token FROM session WHERE userId = ?').all(user.id)
    assert.equal(sessions.length, 1, 'the one of the set-up')
    assert.equal(answer.text.includes('token'), false, answer.text)
    const { body } = await secondStep(service, browser, user.secret)
    assert.equal(await service.browser({ authorization: `Bearer ${body.token}` }).user(), user.id)
    const verifying = await started(t, { passkeyLogin: 'both', verifies: true, mine })
    const token = (await signIn(verifying.service, verifying.key)).answer.headers.get('set-auth-token')
    const client = verifying.service.browser({ authorization: `Bearer ${token}` })
    assert.equal(await client.user(), verifying.user.id)
    const changed = await client.post('/second-factor/enroll-totp')
    assert.equal(changed.status, 401, 'a change of factors asks for a code')
  })

test('T14: where a passkey is both factors, adding one asks for a fresh code', async (t) => {
  const service = await startAuth(t, { plugins: [passkey()], own: { passkeyLogin: 'both' } })
  const user = await enrolled(service)
  service.clock.offset += 3_600
  const key = authenticator({ origin: service.origin, verifies: true })
  assert.equal((await addPasskey(user, key)).status, 401)
  await user.browser.post('/second-factor/again')
  assert.equal((await secondStep(service, user.browser, user.secret)).status, 200)
  assert.equal((await addPasskey(user, key)).status, 200)
  const again = await service.browser().post('/sign-in/email', { email: user.email, password: PASSWORD })
  assert.equal(again.body.result, 'challenge', 'a password still needs a code')
})
