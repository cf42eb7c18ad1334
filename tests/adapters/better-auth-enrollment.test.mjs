// T14: nobody sets up a factor on an address that may be somebody else's, where the owner can still prove it.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { admin, emailOTP, magicLink } from 'better-auth/plugins'
import { createSecondFactor } from 'countersign'
import {
  codeOf,
  enroll,
  generateKeys,
  memoryStore,
  PASSWORD,
  secondFactor,
  signedUp,
  startAuth,
} from './better-auth-service.mjs'

const SET_UPS = /** @type {[string, object][]} */ ([
  ['enroll-totp', {}],
  ['confirm-totp', { setup: 'x', code: '000000' }],
  ['enroll-sms', { number: '+61491570156' }],
  ['confirm-sms', { setup: 'x', code: '000000' }],
])
const links = (mails) => magicLink({ sendMagicLink: async (mail) => void mails.push(mail) })

test('T14: a stranger on an unproven address enrolls nothing, so that its owner is not locked out', async (t) => {
  const mails = []
  const service = await startAuth(t, { plugins: [links(mails)] })
  const { browser: stranger, email, id } = await signedUp(service)
  for (const [action, body] of SET_UPS) {
    const refused = await stranger.post(`/second-factor/${action}`, body)
    assert.equal(refused.status, 403, action)
    const { code, result, reason } = refused.body
    assert.deepEqual({ code, result, reason }, REFUSAL, action)
  }
  const owner = service.browser()
  await owner.post('/sign-in/magic-link', { email })
  await owner.get(mails[0].url)
  assert.equal(await owner.user(), id, 'in, without a factor of the stranger')
  assert.equal(await stranger.user(), undefined)
  await enroll(service, owner)
})
const REFUSAL = { code: 'EMAIL_NOT_VERIFIED', result: 'denied', reason: 'email_not_verified' }

const PROOFS = /** @type {[string, (mails: any[]) => object][]} */ ([
  [
    'a verification mail',
    (mails) => ({ options: { emailVerification: { sendVerificationEmail: async (mail) => void mails.push(mail) } } }),
  ],
  [
    'a code by e-mail',
    (mails) => ({ plugins: [emailOTP({ sendVerificationOTP: async (mail) => void mails.push(mail) })] }),
  ],
])
for (const [name, given] of PROOFS)
  test(`T14: an address is to be proven first, where there is ${name}`, async (t) => {
    const mails = []
    const service = await startAuth(t, given(mails))
    const { browser, email } = await signedUp(service)
    assert.equal((await browser.post('/second-factor/enroll-totp')).body.code, 'EMAIL_NOT_VERIFIED')
    if (name === 'a verification mail') {
      await browser.post('/send-verification-email', { email })
      await browser.get(mails.at(-1).url)
    } else {
      await browser.post('/email-otp/send-verification-otp', { email, type: 'email-verification' })
      await browser.post('/email-otp/verify-email', { email, otp: mails.at(-1).otp })
    }
    await enroll(service, browser)
  })

test('T14: a forced set-up in the login asks for a proven address too', async (t) => {
  const mails = []
  const policy = { require: 'everyone', firstFactor: 'password' }
  const service = await startAuth(t, { plugins: [links(mails)], policy })
  const browser = service.browser()
  const answer = await browser.post('/sign-up/email', { email: 'ann@acme.example', password: PASSWORD, name: 'ann' })
  assert.equal(answer.body.result, 'set_up', answer.text)
  assert.equal((await browser.post('/second-factor/enroll-totp')).body.code, 'EMAIL_NOT_VERIFIED')
  service.database.exec('UPDATE user SET emailVerified = 1')
  await enroll(service, browser)
})

test('nothing is asked where nothing proves addresses, and `mayEnroll` is a rule of the host', async (t) => {
  const plain = await startAuth(t)
  await enroll(plain, (await signedUp(plain)).browser)
  const asked = []
  const mayEnroll = async (user) => asked.push(user.email) > 1
  const own = await startAuth(t, { plugins: [links([])], own: { mayEnroll } })
  const { browser, email } = await signedUp(own)
  assert.equal((await browser.post('/second-factor/enroll-totp')).body.code, 'EMAIL_NOT_VERIFIED')
  await enroll(own, browser)
  assert.deepEqual(new Set(asked), new Set([email]))
})

test('a set-up of nobody is answered as before', async (t) => {
  const service = await startAuth(t, { plugins: [links([])] })
  const answer = await service.browser().post('/second-factor/enroll-totp')
  assert.deepEqual([answer.status, answer.body.result], [401, 'log_in_first'])
})

test('T14: a half-way set-up of a stranger ends when the owner proves the address', async (t) => {
  const [mails, codes] = [[], []]
  const plugins = [links(mails), emailOTP({ sendVerificationOTP: async (mail) => void codes.push(mail) })]
  const policy = { require: 'everyone', firstFactor: 'password' }
  for (const way of ['link', 'code']) {
    const service = await startAuth(t, { plugins, policy })
    const [stranger, owner] = [service.browser(), service.browser()]
    const email = `${way}@acme.example`
    const begun = await stranger.post('/sign-up/email', { email, password: PASSWORD, name: 'ann' })
    assert.equal(begun.body.result, 'set_up')
    if (way === 'link') {
      await owner.post('/sign-in/magic-link', { email })
      await owner.get(mails.at(-1).url)
    } else {
      await owner.post('/email-otp/send-verification-otp', { email, type: 'sign-in' })
      await owner.post('/sign-in/email-otp', { email, otp: codes.at(-1).otp })
    }
    const refused = await stranger.post('/second-factor/enroll-totp')
    assert.notEqual(refused.body.result, 'totp_started', way)
    assert.notEqual((await stranger.post('/second-factor/again')).body.result, 'set_up', way)
    await enroll(service, owner)
  }
})

test('T14: a reset by mail ends the sessions of an address that was not proven', async (t) => {
  const codes = []
  const service = await startAuth(t, {
    plugins: [emailOTP({ sendVerificationOTP: async (mail) => void codes.push(mail) })],
  })
  const { browser: stranger, email, id } = await signedUp(service)
  assert.equal(await stranger.user(), id)
  const owner = service.browser()
  await owner.post('/email-otp/request-password-reset', { email })
  const password = 'another password of ann'
  const reset = await owner.post('/email-otp/reset-password', { email, otp: codes.at(-1).otp, password })
  assert.equal(reset.status, 200, reset.text)
  assert.equal(await stranger.user(), undefined)
  assert.equal((await stranger.post('/second-factor/enroll-totp')).status, 401)
  await owner.post('/sign-in/email', { email, password })
  assert.equal(await owner.user(), id)
})

test('T14: a reset of a user without a password ends the sessions of an address that was not proven', async (t) => {
  const codes = []
  const plugins = [emailOTP({ sendVerificationOTP: async (mail) => void codes.push(mail) })]
  const service = await startAuth(t, { plugins })
  const { browser: stranger, email, id } = await signedUp(service)
  service.database.exec('DELETE FROM account')
  assert.equal(await stranger.user(), id, 'by another first factor')
  moreSessions(service, 150)
  const owner = service.browser()
  await owner.post('/email-otp/request-password-reset', { email })
  const password = 'another password of ann'
  assert.equal((await owner.post('/email-otp/reset-password', { email, otp: codes.at(-1).otp, password })).status, 200)
  assert.equal(service.database.prepare('SELECT count(*) AS n FROM session').get().n, 0)
  assert.equal(await stranger.user(), undefined)
  await owner.post('/sign-in/email', { email, password })
  assert.equal(await owner.user(), id)
})

/** Copies the session of the only user; better-auth lists a hundred at once. */
function moreSessions({ database }, count) {
  const { id, token, ...session } = database.prepare('SELECT * FROM session LIMIT 1').get()
  const names = ['id', 'token', ...Object.keys(session)]
  const insert = database.prepare(`INSERT INTO session (${names}) VALUES (${names.map(() => '?')})`)
  for (let index = 0; index < count; index += 1)
    insert.run(`${id}-${index}`, `${token}-${index}`, ...Object.values(session))
}

test('T14: a sign-in that ends between the steps of the proof opens nothing either', async (t) => {
  const mails = []
  let [verified, deleted] = [async () => {}, async () => {}]
  const password = {
    hash: async (text) => text,
    verify: async ({ hash, password }) => {
      const isRight = hash === password
      await verified()
      return isRight
    },
  }
  const service = await startAuth(t, {
    plugins: [links(mails)],
    options: {
      emailAndPassword: { enabled: true, password },
      databaseHooks: { session: { delete: { after: () => deleted() } } },
    },
  })
  const { email, id } = await signedUp(service)
  const [owner, stranger] = [service.browser(), service.browser()]
  let signIn
  const isCompared = new Promise((compared) => {
    verified = async () => {
      verified = async () => {}
      await new Promise((goOn) => {
        deleted = async () => {
          deleted = async () => {}
          goOn(undefined)
          await signIn
        }
        compared(undefined)
      })
    }
  })
  signIn = stranger.post('/sign-in/email', { email, password: PASSWORD })
  await isCompared
  await owner.post('/sign-in/magic-link', { email })
  await owner.get(mails.at(-1).url)
  assert.equal((await signIn).status, 200, 'it ended while the address was not proven')
  assert.equal(await stranger.user(), undefined)
  assert.equal(await owner.user(), id)
  await enroll(service, owner)
})

test('T14: a store that fails at the proof leaves the address unproven, so that the next link ends all', async (t) => {
  const mails = []
  const store = memoryStore()
  let isDown = false
  const save = async (...given) => (isDown ? Promise.reject(new Error('down')) : store.save(...given))
  const second = createSecondFactor({
    policy: { v: 1, name: 'Acme', origin: 'https://acme.example', require: 'everyone', firstFactor: 'password' },
    keys: generateKeys(),
    store: { ...store, save },
    hashing: 'inline',
  })
  const mine = ({ plugins }) => [...plugins, secondFactor({ secondFactor: second })]
  const service = await startAuth(t, { plugins: [links(mails)], mine })
  const [stranger, owner] = [service.browser(), service.browser()]
  const email = 'ann@acme.example'
  const begun = await stranger.post('/sign-up/email', { email, password: PASSWORD, name: 'ann' })
  assert.equal(begun.body.result, 'set_up')
  for (const down of [true, false]) {
    await owner.post('/sign-in/magic-link', { email })
    isDown = down
    assert.equal((await owner.get(mails.at(-1).url)).status, down ? 503 : 302)
  }
  assert.equal((await stranger.post('/second-factor/enroll-totp')).status, 401)
  const { setup, secret } = (await owner.post('/second-factor/enroll-totp')).body
  const enrolled = await owner.post('/second-factor/confirm-totp', { setup, code: codeOf(service, secret) })
  assert.equal(enrolled.body.result, 'enrolled', enrolled.text)
})

test('a user whom the host takes for proven at the sign-up is in', async (t) => {
  let database
  const after = async ({ id }) => void database.prepare('UPDATE user SET emailVerified = 1 WHERE id = ?').run(id)
  const service = await startAuth(t, {
    plugins: [links([])],
    options: { databaseHooks: { user: { create: { after } } } },
  })
  database = service.database
  const { browser, id, answer } = await signedUp(service)
  assert.equal(answer.status, 200, answer.text)
  assert.equal(await browser.user(), id)
  await enroll(service, browser)
})

test('T14: a sign-up that is under way while the owner proves the address opens nothing', async (t) => {
  const mails = []
  let meanwhile = async () => {}
  const service = await startAuth(t, {
    plugins: [links(mails)],
    policy: { require: 'everyone', firstFactor: 'password' },
    options: { emailVerification: { sendOnSignUp: true, sendVerificationEmail: () => meanwhile() } },
  })
  const [owner, stranger] = [service.browser(), service.browser()]
  const email = 'ann@acme.example'
  meanwhile = async () => {
    await owner.post('/sign-in/magic-link', { email })
    await owner.get(mails.at(-1).url)
  }
  const answer = await stranger.post('/sign-up/email', { email, password: PASSWORD, name: 'ann' })
  assert.deepEqual([answer.status, answer.body.code], [401, 'LOG_IN_FIRST'], answer.text)
  assert.equal((await stranger.post('/second-factor/enroll-totp')).status, 401)
  await enroll(service, owner)
})

test('users whom a host imports have no new password', async (t) => {
  const service = await startAuth(t)
  const { internalAdapter } = await service.auth.$context
  const { id } = await internalAdapter.createUser({ name: 'ann', email: 'ann@acme.example', emailVerified: true })
  await internalAdapter.createAccount({ userId: id, accountId: id, providerId: 'credential', password: 'a hash' })
  assert.deepEqual(service.events, [])
})

test('T14: a sign-in that is under way while the owner proves the address opens nothing', async (t) => {
  const mails = []
  let meanwhile = async () => {}
  const password = {
    hash: async (text) => text,
    verify: async ({ hash, password }) => {
      await meanwhile()
      return hash === password
    },
  }
  const service = await startAuth(t, {
    plugins: [links(mails)],
    options: { emailAndPassword: { enabled: true, password } },
  })
  const { email, id } = await signedUp(service)
  const [owner, stranger] = [service.browser(), service.browser()]
  meanwhile = async () => {
    await owner.post('/sign-in/magic-link', { email })
    await owner.get(mails.at(-1).url)
  }
  const answer = await stranger.post('/sign-in/email', { email, password: PASSWORD })
  assert.deepEqual([answer.status, answer.body.code], [401, 'LOG_IN_FIRST'], answer.text)
  assert.equal(await stranger.user(), undefined)
  assert.equal(await owner.user(), id)
  await enroll(service, owner)
})

test('a sign-out everywhere, or the end of a user, on an unproven address is no new password', async (t) => {
  const service = await startAuth(t, {
    plugins: [links([])],
    options: { user: { deleteUser: { enabled: true } } },
  })
  const { browser, email } = await signedUp(service)
  assert.equal((await browser.post('/revoke-sessions')).status, 200)
  await browser.post('/sign-in/email', { email, password: PASSWORD })
  assert.equal((await browser.post('/delete-user', { password: PASSWORD })).status, 200)
  assert.deepEqual(new Set(service.events.map(({ event }) => event)), new Set(['login_allowed']))
  assert.equal(service.database.prepare('SELECT count(*) AS n FROM secondFactorRecord').get().n, 0)
})

test('an admin on an unproven address who sets a password of their own stays in', async (t) => {
  const service = await startAuth(t, { plugins: [links([]), admin()] })
  const { browser, email, id } = await signedUp(service)
  service.database.exec("UPDATE user SET role = 'admin'")
  const elsewhere = service.browser()
  await elsewhere.post('/sign-in/email', { email, password: PASSWORD })
  moreSessions(service, 150)
  const changed = await browser.post('/admin/set-user-password', { userId: id, newPassword: 'another password' })
  assert.equal(changed.status, 200, changed.text)
  assert.equal(await browser.user(), id)
  assert.equal(await elsewhere.user(), undefined, 'another session may be a stranger’s')
  assert.equal(service.database.prepare('SELECT count(*) AS n FROM session').get().n, 1)
})
