// When sessions of better-auth end: by the operator, by a change of factors, by a sign-out everywhere, and with the admin behind them.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { passkey } from '@better-auth/passkey'
import { admin, bearer } from 'better-auth/plugins'
import { createOperator } from 'countersign/operator'
import { authenticator } from './authenticator.mjs'
import {
  codeOf,
  enroll,
  enrolled,
  generateKeys,
  PASSWORD,
  secondStep,
  signedUp,
  startAuth,
} from './better-auth-service.mjs'

const { betterAuthStore } = await import('countersign/better-auth')
const CACHE = { session: { cookieCache: { enabled: true, maxAge: 300 } } }

/**
 * A service, and the operator of its records.
 * @param {any} t @param {{ own?: any, options?: any, plugins?: any[] }} [given]
 */
async function startWithOperator(t, { own = {}, ...given } = {}) {
  const keys = generateKeys()
  const service = await startAuth(t, { ...given, own: { keys, ...own } })
  const operator = createOperator({
    policy: { v: 1, name: 'Acme', origin: 'https://acme.example' },
    keys,
    store: await betterAuthStore(service.auth),
    clock: () => Math.floor(Date.now() / 1_000) + service.clock.offset,
    hashing: 'inline',
  })
  return { service, operator }
}

/** @param {any} service @param {{ email: string, secret?: string }} user */
async function signIn(service, { email, secret }, browser = service.browser()) {
  const answer = await browser.post('/sign-in/email', { email, password: PASSWORD })
  if (secret === undefined) return browser
  assert.equal(answer.body?.result, 'challenge', answer.text)
  assert.equal((await secondStep(service, browser, secret)).status, 200)
  return browser
}

const rowsOf = ({ database }, id) => database.prepare('SELECT token FROM session WHERE userId = ?').all(id).length

for (const [name, options] of Object.entries(/** @type {Record<string, any>} */ ({ plain: {}, 'cookie cache': CACHE })))
  test(`T44: a reset by the operator ends the sessions of the user: ${name}`, async (t) => {
    const { service, operator } = await startWithOperator(t, { options, plugins: [bearer()] })
    const user = await enrolled(service)
    const browser = await signIn(service, user)
    const { session } = (await browser.get('/get-session')).body
    const client = service.browser({ authorization: `Bearer ${session.token}` })
    assert.equal(await browser.user(), user.id)
    assert.equal(await client.user(), user.id)
    await operator.reset({ user: user.id, operator: 'ticket 4711' })
    assert.equal(await client.user(), undefined)
    assert.equal(await browser.user(), undefined)
    const again = await browser.post('/second-factor/again')
    assert.equal(again.body?.result, 'log_in_first', 'a code does not bring an ended session back')
    service.clock.offset += 200_000
    assert.equal(await client.user(), undefined, 'the list has forgotten it, and the session is gone')
  })

for (const [name, end] of Object.entries({
  'a sign-out everywhere': async (_service, browser) => browser.post('/second-factor/sign-out-everywhere'),
  'a removed factor': async (service, browser) => {
    await enroll(service, browser)
    const { body } = await browser.get('/second-factor/status')
    return browser.post('/second-factor/remove', { factor: body.status.methods[0].id })
  },
}))
  test(`T44: ${name} ends a session that lives in a copied cookie cache`, async (t) => {
    const service = await startAuth(t, { options: CACHE })
    const user = await enrolled(service)
    const other = await signIn(service, user)
    assert.equal(await other.user(), user.id)
    const browser = await signIn(service, user)
    const ended = await end(service, browser)
    assert.equal(ended.status, 200, ended.text)
    assert.equal(await other.user(), undefined)
  })

async function withPasskey(t) {
  const started = await startWithOperator(t, { plugins: [passkey()], own: { passkeyLogin: 'both' } })
  const { service } = started
  const user = await enrolled(service)
  await user.browser.post('/second-factor/again')
  assert.equal((await secondStep(service, user.browser, user.secret)).status, 200)
  const key = authenticator({ origin: service.origin, verifies: true })
  const made = await user.browser.get('/passkey/generate-register-options')
  const added = await user.browser.post('/passkey/verify-registration', { response: key.create(made.body) })
  assert.equal(added.status, 200, added.text)
  const browser = service.browser()
  const asked = await browser.get('/passkey/generate-authenticate-options')
  await browser.post('/passkey/verify-authentication', { response: key.get(asked.body) })
  assert.equal(await browser.user(), user.id)
  return { ...started, user, browser }
}

test('T44: a reset by the operator ends a session by a passkey, also once the user has a new app', async (t) => {
  const { service, operator, user, browser } = await withPasskey(t)
  const { code } = await operator.reset({ user: user.id, operator: 'ticket 4711' })
  const taken = service.browser()
  for (const [name, value] of browser.jar) taken.jar.set(name, value)
  const owner = await signIn(service, { email: user.email })
  const verified = await owner.post('/second-factor/verify', { method: 'recovery_code', code })
  assert.equal(verified.status, 200, verified.text)
  await enroll(service, owner)
  assert.equal(await owner.user(), user.id)
  assert.equal(await taken.user(), undefined)
})

test('T44: a session by a passkey ends when a factor goes, and stays when one comes', async (t) => {
  const { service, user, browser } = await withPasskey(t)
  const owner = await signIn(service, user)
  await enroll(service, owner)
  assert.equal(await browser.user(), user.id)
  const { body } = await owner.get('/second-factor/status')
  const removed = await owner.post('/second-factor/remove', { factor: body.status.methods[0].id })
  assert.equal(removed.status, 200, removed.text)
  assert.equal(await browser.user(), undefined)
})

/** @param {any} t @param {{ hasFactor: boolean, options?: any }} given */
async function impersonating(t, { hasFactor, options = CACHE }) {
  const service = await startAuth(t, { options, plugins: [admin()] })
  const user = hasFactor ? await enrolled(service, 'ann') : await signedUp(service, 'ann')
  const root = hasFactor ? await enrolled(service, 'root') : await signedUp(service, 'root')
  service.database.prepare("UPDATE user SET role = 'admin' WHERE id = ?").run(root.id)
  const browser = await signIn(service, root)
  const { session } = (await browser.get('/get-session')).body
  assert.equal((await browser.post('/admin/impersonate-user', { userId: user.id })).status, 200)
  assert.equal(await browser.user(), user.id)
  return { service, user, root, browser, session }
}

for (const hasFactor of [true, false]) {
  test(`an impersonated session ends with that of the admin: second factor ${hasFactor}`, async (t) => {
    const { service, user, root, browser, session } = await impersonating(t, { hasFactor })
    const elsewhere = await signIn(service, root)
    const before = rowsOf(service, user.id)
    assert.equal((await elsewhere.post('/revoke-session', { token: session.token })).status, 200)
    assert.equal(await browser.user(), undefined)
    assert.equal(rowsOf(service, user.id), before - 1, 'its row is gone')
  })

  test(`an impersonated session ends when the admin is banned: second factor ${hasFactor}`, async (t) => {
    const { service, root, browser } = await impersonating(t, { hasFactor })
    const boss = await enrolled(service, 'boss')
    service.database.prepare("UPDATE user SET role = 'admin' WHERE id = ?").run(boss.id)
    const banned = await boss.browser.post('/admin/ban-user', { userId: root.id })
    assert.equal(banned.status, 200, banned.text)
    assert.equal(await browser.user(), undefined)
  })
}

test('an impersonated session ends with that of the admin in a secondary storage', async (t) => {
  const values = new Map()
  const secondaryStorage = {
    get: (key) => values.get(key) ?? null,
    set: (key, value) => void values.set(key, value),
    delete: (key) => void values.delete(key),
  }
  const { service, root, browser, session } = await impersonating(t, { hasFactor: true, options: { secondaryStorage } })
  const elsewhere = await signIn(service, root)
  assert.equal((await elsewhere.post('/revoke-session', { token: session.token })).status, 200)
  assert.equal(await browser.user(), undefined)
})

test('an impersonated session ends when the admin removes a factor elsewhere', async (t) => {
  const { service, root, browser } = await impersonating(t, { hasFactor: true })
  const elsewhere = await signIn(service, root)
  const { body } = await elsewhere.get('/second-factor/status')
  assert.equal((await elsewhere.post('/second-factor/remove', { factor: body.status.methods[0].id })).status, 200)
  assert.equal(await browser.user(), undefined)
})

test('a code of the app works in the session that changed a factor', async (t) => {
  const service = await startAuth(t, { options: CACHE })
  const user = await enrolled(service)
  const browser = await signIn(service, user)
  await enroll(service, browser)
  assert.equal(await browser.user(), user.id)
  await browser.post('/second-factor/again')
  const verified = await browser.post('/second-factor/verify', { method: 'totp', code: codeOf(service, user.secret) })
  assert.equal(verified.status, 200, verified.text)
  assert.equal(await browser.user(), user.id)
})
