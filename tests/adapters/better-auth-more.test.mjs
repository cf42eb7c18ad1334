// The second factor in better-auth: input of any kind, other storages and clients, and the owners of organizations.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { betterAuth } from 'better-auth'
import { createAuthMiddleware } from 'better-auth/api'
import { bearer, magicLink, organization, twoFactor } from 'better-auth/plugins'
import Database from 'better-sqlite3'
import { createSecondFactor } from 'countersign'
import {
  codeOf,
  enroll,
  enrolled,
  generateKeys,
  memoryStore,
  PASSWORD,
  requireSecondFactor,
  secondFactor,
  secondStep,
  signedUp,
  startAuth,
} from './better-auth-service.mjs'

const POLICY = { v: 1, name: 'Acme', origin: 'https://acme.example' }

test('T37: input of any kind is answered', async (t) => {
  const service = await startAuth(t)
  const { email, secret } = await enrolled(service)
  const browser = service.browser()
  await browser.post('/sign-in/email', { email, password: PASSWORD })
  /** @type {any[]} */
  const values = [undefined, null, 1, true, [], {}, ['123456'], { $ne: '' }, { toString: 1 }]
  for (const value of values)
    for (const body of [
      { method: 'totp', code: value },
      { method: value, code: '123456' },
    ]) {
      const answer = await browser.post('/second-factor/verify', body)
      assert.equal(answer.status, 400, `${JSON.stringify(body)}: ${answer.text}`)
      assert.equal(answer.body.code, 'MALFORMED')
    }
  for (const body of [null, [], 'text', 1, true])
    assert.equal((await browser.post('/second-factor/verify', body ?? [])).status, 400, JSON.stringify(body))
  for (const code of ['', ' ', '12345', 'abcdef', '１２３４５６', '\u0000', '🙂'])
    assert.equal((await browser.post('/second-factor/verify', { method: 'totp', code })).status, 422, code)
  for (const name of ['x', '__proto__', 'constructor', 'VERIFY', 'verify/x'])
    assert.equal((await browser.post(`/second-factor/${name}`)).status, 404, name)
  for (const setup of ['', 'x', 'a.b'])
    assert.equal((await browser.post('/second-factor/confirm-totp', { setup, code: '1' })).status, 401, setup)
  for (const cookie of ['x', '.', '%', 'a.b', 'A'.repeat(5_000)]) {
    const other = service.browser({ 'countersign-session': cookie })
    assert.equal((await other.post('/second-factor/verify', { method: 'totp', code: '123456' })).status, 401, cookie)
  }
  assert.equal((await secondStep(service, browser, secret)).status, 200)
})

test('a hook of the host that gives a context of its own changes nothing', async (t) => {
  const before = createAuthMiddleware(async (ctx) => ({ context: { ...ctx, body: { ...Object(ctx.body) } } }))
  const service = await startAuth(t, { options: { hooks: { before } } })
  const { email, secret, id } = await enrolled(service)
  const browser = service.browser()
  assert.equal((await browser.post('/sign-in/email', { email, password: PASSWORD })).body.twoFactorRedirect, true)
  assert.equal(await browser.user(), undefined)
  assert.equal(service.database.prepare('SELECT count(*) AS rows FROM session').get().rows, 1, 'the one of the set-up')
  const answer = await service.auth.api.signInEmail({ body: { email, password: PASSWORD } })
  assert.equal(answer.twoFactorRedirect, true)
  assert.equal((await secondStep(service, browser, secret)).status, 200)
  assert.equal(await browser.user(), id)
})

test('T3: one code finishes one login, however many are sent at once', async (t) => {
  const service = await startAuth(t)
  const { email, secret, id } = await enrolled(service)
  const browsers = Array.from({ length: 10 }, () => service.browser())
  for (const browser of browsers) await browser.post('/sign-in/email', { email, password: PASSWORD })
  const code = codeOf(service, secret)
  const answers = await Promise.all(
    browsers.map((each) => each.post('/second-factor/verify', { method: 'totp', code })),
  )
  assert.equal(answers.filter(({ status }) => status === 200).length, 1)
  const users = await Promise.all(browsers.map((each) => each.user()))
  assert.equal(users.filter((user) => user === id).length, 1)
})

for (const storeSessionInDatabase of [false, true])
  test(`sessions in a secondary storage keep their second factor${storeSessionInDatabase ? ', and in the database' : ''}`, async (t) => {
    const values = new Map()
    const secondaryStorage = {
      get: (key) => values.get(key) ?? null,
      set: (key, value) => void values.set(key, value),
      delete: (key) => void values.delete(key),
      getAndDelete: (key) => {
        const value = values.get(key) ?? null
        values.delete(key)
        return value
      },
    }
    const session = {
      storeSessionInDatabase,
      updateAge: 0,
      additionalFields: { theme: { type: 'string', required: false } },
    }
    const service = await startAuth(t, { options: { secondaryStorage, session } })
    const { email, id, secret } = await enrolled(service)
    const browser = service.browser()
    const challenge = await browser.post('/sign-in/email', { email, password: PASSWORD })
    assert.equal(challenge.body.result, 'challenge', challenge.text)
    assert.equal((await secondStep(service, browser, secret)).status, 200)
    assert.equal(await browser.user(), id)
    assert.equal((await browser.post('/update-session', { theme: 'dark' })).status, 200)
    assert.equal(await browser.user(), id, 'the mark outlives an update')
  })

test('a native client keeps the half-way state as a value, and gets a bearer token', async (t) => {
  const service = await startAuth(t, { plugins: [bearer()] })
  const { email, id, secret } = await enrolled(service)
  const app = service.browser({ 'countersign-session': 'new' })
  const begun = await app.post('/sign-in/email', { email, password: PASSWORD })
  assert.equal(
    begun.cookies.some((cookie) => !/max-age=0/i.test(cookie)),
    false,
    'nothing is kept in cookies',
  )
  const half = service.browser({ 'countersign-session': begun.body.session })
  const verified = await secondStep(service, half, secret)
  assert.equal(verified.status, 200, verified.text)
  const token = verified.headers.get('set-auth-token')
  assert.equal(await service.browser({ authorization: `Bearer ${token}` }).user(), id)
})

test('an owner of all organizations of a member issues a recovery code, and nobody else', async (t) => {
  const service = await startAuth(t, { plugins: [organization()] })
  const owner = await enrolled(service, 'ann')
  const member = await enrolled(service, 'bob')
  const stranger = await enrolled(service, 'cai')
  const { auth } = service
  const join = async (organizationId, userId, role) => auth.api.addMember({ body: { organizationId, userId, role } })
  const made = await owner.browser.post('/organization/create', { name: 'Acme', slug: 'acme' })
  const other = await stranger.browser.post('/organization/create', { name: 'Other', slug: 'other' })
  await join(made.body.id, member.id, 'admin')
  const issue = async (browser, user) => browser.post('/second-factor/issue-recovery-code', { user })
  const renew = async ({ browser, secret }) => {
    await browser.post('/second-factor/again')
    assert.equal((await secondStep(service, browser, secret)).status, 200)
  }
  for (const person of [owner, member, stranger]) await renew(person)
  assert.equal((await issue(stranger.browser, member.id)).body.code, 'OWNER_ONLY')
  assert.equal((await issue(member.browser, owner.id)).body.code, 'OWNER_ONLY')
  const issued = await issue(owner.browser, member.id)
  assert.equal(issued.body.result, 'recovery_code', issued.text)
  const browser = service.browser()
  await browser.post('/sign-in/email', { email: member.email, password: PASSWORD })
  const rescued = await browser.post('/second-factor/verify', { method: 'recovery_code', code: issued.body.code })
  assert.equal(rescued.status, 200, rescued.text)
  assert.equal(await browser.user(), member.id)
  await join(other.body.id, member.id, 'member')
  assert.equal((await issue(owner.browser, member.id)).body.code, 'OWNER_ONLY', 'a member of another organization too')
})

test('T14: where nobody has to prove the address of an invitation, no owner helps a member', async (t) => {
  const mail = magicLink({ sendMagicLink: async () => {} })
  for (const [atInvitation, atLogin, code] of /** @type {const} */ ([
    [undefined, true, 'OWNER_ONLY'],
    [false, true, 'OWNER_ONLY'],
    [true, false, 'OWNER_ONLY'],
    [true, true, undefined],
  ])) {
    const plugins = [mail, organization({ requireEmailVerificationOnInvitation: atInvitation })]
    const service = await startAuth(t, { plugins, own: { mayEnroll: () => true } })
    const owner = await enrolled(service, 'ann')
    const member = await enrolled(service, 'bob')
    service.database.exec('UPDATE user SET emailVerified = 1')
    service.auth.options.emailAndPassword.requireEmailVerification = atLogin // they signed up without a mail
    const { body } = await owner.browser.post('/organization/create', { name: 'Acme', slug: 'acme' })
    await service.auth.api.addMember({ body: { organizationId: body.id, userId: member.id, role: 'member' } })
    await owner.browser.post('/second-factor/again')
    assert.equal((await secondStep(service, owner.browser, owner.secret)).status, 200)
    const issued = await owner.browser.post('/second-factor/issue-recovery-code', { user: member.id })
    assert.equal(issued.body.code === 'OWNER_ONLY' ? issued.body.code : undefined, code, issued.text)
  }
})

test('the log tells at the start that no owner may help a member, and why', async (t) => {
  const mail = magicLink({ sendMagicLink: async () => {} })
  const told = async (isAsked, own = {}) => {
    const warnings = []
    const logger = { log: (level, message) => level === 'warn' && warnings.push(message) }
    const emailAndPassword = { enabled: true, requireEmailVerification: isAsked }
    const plugins = [mail, organization({ requireEmailVerificationOnInvitation: true })]
    const { auth } = await startAuth(t, { plugins, own, options: { logger, emailAndPassword } })
    await auth.$context
    return warnings.filter((text) => text.includes('`requireEmailVerification` of `emailAndPassword`')).length
  }
  assert.equal(await told(false), 1)
  assert.equal(await told(true), 0)
  assert.equal(await told(false, { mayRescue: () => false }), 0)
})

for (const [count, isRefused] of /** @type {const} */ ([
  [1_200, 'for the last one'],
  [10_001, 'because they are too many'],
]))
  test(`an owner of the first of ${count} organizations of a member is refused ${isRefused}`, async (t) => {
    const service = await startAuth(t, { plugins: [organization()] })
    const owner = await enrolled(service, 'ann')
    const member = await enrolled(service, 'bob')
    const add = service.database.prepare(
      "INSERT INTO member (id, organizationId, userId, role, createdAt) VALUES (?, ?, ?, ?, '2026-01-01')",
    )
    service.database.pragma('foreign_keys = OFF')
    service.database.transaction(() => {
      for (let index = 0; index < count; index += 1) {
        const place = String(index).padStart(6, '0')
        add.run(`b-${place}`, place, member.id, 'member')
        if (index < count - 1) add.run(`a-${place}`, place, owner.id, 'owner')
      }
    })()
    await owner.browser.post('/second-factor/again')
    assert.equal((await secondStep(service, owner.browser, owner.secret)).status, 200)
    const issue = () => owner.browser.post('/second-factor/issue-recovery-code', { user: member.id })
    assert.equal((await issue()).body.code, 'OWNER_ONLY')
    const last = String(count - 1).padStart(6, '0')
    add.run(`a-${last}`, last, owner.id, 'owner')
    const { body } = await issue()
    assert.equal(count > 10_000 ? body.code : body.result, count > 10_000 ? 'OWNER_ONLY' : 'recovery_code')
  })

test('a deleted user leaves no record', async (t) => {
  const service = await startAuth(t, { options: { user: { deleteUser: { enabled: true } } } })
  const { browser, id } = await enrolled(service)
  const records = () =>
    service.database.prepare('SELECT count(*) AS n FROM secondFactorRecord WHERE userId = ?').get(id).n
  assert.equal(records(), 1)
  assert.equal((await browser.post('/delete-user', { password: PASSWORD })).status, 200)
  assert.equal(records(), 0)
})

test('a new password ends half-made logins', async (t) => {
  const service = await startAuth(t)
  const user = await enrolled(service)
  const browser = service.browser()
  await browser.post('/sign-in/email', { email: user.email, password: PASSWORD })
  const changed = await user.browser.post('/change-password', {
    currentPassword: PASSWORD,
    newPassword: `${PASSWORD} 2`,
  })
  assert.equal(changed.status, 200, changed.text)
  assert.equal((await secondStep(service, browser, user.secret)).status, 401)
})

test('a new password while the store is down is answered with 503', async (t) => {
  const store = memoryStore()
  let isDown = false
  const save = async (...given) => (isDown ? Promise.reject(new Error('down')) : store.save(...given))
  let service
  const second = createSecondFactor({
    policy: POLICY,
    keys: generateKeys(),
    store: { ...store, save },
    clock: () => Math.floor(Date.now() / 1_000) + (service?.clock.offset ?? 0),
    hashing: 'inline',
  })
  service = await startAuth(t, { own: { secondFactor: second } })
  const { browser } = await enrolled(service)
  isDown = true
  const body = { currentPassword: PASSWORD, newPassword: `${PASSWORD} 2` }
  const answer = await browser.post('/change-password', body)
  assert.deepEqual([answer.status, answer.body.code], [503, 'store_failed'], answer.text)
})

test('a forced second factor is set up at the login', async (t) => {
  const service = await startAuth(t, { policy: { require: 'everyone', firstFactor: 'password' } })
  const { browser, answer } = await signedUp(service)
  assert.equal(answer.body.result, 'set_up', answer.text)
  assert.equal(await browser.user(), undefined)
  const { secret, setup } = (await browser.post('/second-factor/enroll-totp')).body
  const confirmed = await browser.post('/second-factor/confirm-totp', { setup, code: codeOf(service, secret) })
  assert.equal(confirmed.body.result, 'enrolled', confirmed.text)
  assert.equal(await browser.user(), confirmed.body.user.id)

  const strict = await startAuth(t, { policy: { require: 'everyone' } })
  const refused = await signedUp(strict)
  assert.equal(refused.answer.status, 403)
  assert.equal(refused.answer.body.code, 'ENROLLMENT_REQUIRED')
  assert.equal(await refused.browser.user(), undefined)
})

test('mistakes in the options are told at the start', async () => {
  assert.throws(() => secondFactor({ policy: { ...POLICY, v: /** @type {any} */ (2) }, keys: generateKeys() }), {
    code: 'invalid_policy',
  })
  const plugin = () => /** @type {any} */ (secondFactor({ policy: POLICY, keys: generateKeys() }))
  const secret = 'a secret of this test alone, 0123456789'
  const started = (options) =>
    betterAuth({ secret, baseURL: 'http://localhost', telemetry: { enabled: false }, ...options }).$context
  await assert.rejects(
    started({ database: new Database(':memory:'), plugins: [twoFactor(), plugin()] }),
    /take one of the two out/,
  )
  await assert.rejects(started({ plugins: [plugin()] }), /hand in a `secondFactor` with a store/)
})

test('any store may be handed in', async (t) => {
  const own = createSecondFactor({ policy: POLICY, keys: generateKeys(), store: memoryStore(), hashing: 'inline' })
  const service = await startAuth(t, { mine: () => [secondFactor({ secondFactor: own })] })
  const { id } = await enrolled(service)
  assert.equal((await own.status({ user: id })).enrolled, true)
  assert.throws(() => service.database.prepare('SELECT * FROM secondFactorRecord').all(), /no such table/)
})

test('a front end on an origin that better-auth trusts does the second step, and no other does', async (t) => {
  const app = 'http://localhost:5173'
  const service = await startAuth(t, { options: { trustedOrigins: [app] } })
  for (const site of ['cross-site', 'same-site']) {
    const front = { origin: app, 'sec-fetch-site': site }
    const { secret, email } = await enrolled(service, `ann-${site}`)
    const browser = service.browser(front)
    const challenged = await browser.post('/sign-in/email', { email, password: PASSWORD })
    assert.equal(challenged.body.twoFactorRedirect, true, challenged.text)
    service.clock.offset += 30
    const code = codeOf(service, secret)
    const evil = await browser.post(
      '/second-factor/verify',
      { method: 'totp', code },
      { origin: 'https://evil.example' },
    )
    assert.equal(evil.status, 403, evil.text)
    const unnamed = await browser.post('/second-factor/verify', { method: 'totp', code }, { origin: 'null' })
    assert.equal(unnamed.status, 403, unnamed.text)
    const verified = await browser.post('/second-factor/verify', { method: 'totp', code })
    assert.equal(verified.body.result, 'verified', verified.text)
  }
})

test('a log-out of better-auth ends a login that waits for its second step', async (t) => {
  const service = await startAuth(t)
  const { email, secret } = await enrolled(service)
  const browser = service.browser()
  await browser.post('/sign-in/email', { email, password: PASSWORD })
  assert.equal((await browser.get('/second-factor/state')).body.result, 'first_factor')
  const kept = new Map(browser.jar)
  await browser.post('/sign-out')
  assert.equal((await browser.get('/second-factor/state')).body.result, 'nobody')
  for (const [name, value] of kept) browser.jar.set(name, value) // as a request has them that is under way
  const late = await browser.post('/second-factor/verify', { method: 'totp', code: codeOf(service, secret) })
  assert.equal(late.status, 401, late.text)
})

test('a way back that is too long for a cookie is lost, and the login goes on', async (t) => {
  const links = []
  const service = await startAuth(t, {
    plugins: [magicLink({ sendMagicLink: async ({ url }) => void links.push(url) })],
  })
  const { email, secret } = await enrolledAndProven(service)
  for (const [length, hasWayBack] of /** @type {[number, boolean][]} */ ([
    [100, true],
    [3_000, false],
  ])) {
    const browser = service.browser()
    await browser.post('/sign-in/magic-link', { email, callbackURL: `/shop?q=${'x'.repeat(length)}` })
    const { cookies } = await browser.get(links.at(-1))
    assert.ok(cookies.every((cookie) => cookie.length <= 4_096))
    service.clock.offset += 60
    const code = codeOf(service, secret)
    const { body } = await browser.post('/second-factor/verify', { method: 'totp', code })
    assert.equal(body.result, 'verified')
    assert.equal(body.url?.includes('/shop') ?? false, hasWayBack)
  }
})

test('a person who is in proves a code again without asking for a challenge', async (t) => {
  const service = await startAuth(t)
  const { browser, secret } = await enrolled(service)
  service.clock.offset += 600
  const ask = () => requireSecondFactor(service.auth, browser.headers(), { maxAge: 300 })
  await assert.rejects(ask, (/** @type {any} */ error) => error.body.code === 'SECOND_STEP')
  assert.equal((await secondStep(service, browser, secret)).body.result, 'verified')
  assert.equal((await ask()).user.email, 'ann@acme.example')
})

/** A user with an app, whose address is proven: a magic link would take unproven access away. */
async function enrolledAndProven(service) {
  const user = await signedUp(service)
  service.database.exec('UPDATE user SET emailVerified = 1')
  return { ...user, secret: await enroll(service, user.browser) }
}
