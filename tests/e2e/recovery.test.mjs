// The recovery code that an owner issues for another user.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { authenticatorCode, enrolledVisitor, freshVisitor, lockOut, startService, Visitor } from './support.mjs'

async function userId(owner, name) {
  const { users } = await owner.json('/api/users')
  return users.find(({ email }) => email === `${name}@acme.example`).id
}

async function issue(owner, name) {
  return owner.json('/api/users/recovery-code', { user: await userId(owner, name) })
}

test('S5, S8: a recovery code logs in once, and the page then urges to set up a factor', async (t) => {
  const service = await startService(t)
  await enrolledVisitor(service, 'member')
  const { visitor: owner } = await freshVisitor(service, 'owner')

  await owner.page('/users')
  const made = await owner.page('/users/recovery-code', { user: await userId(owner, 'member') })
  assert.equal(made.path, '/users/recovery-code')
  const code = /<code>([^<]+)<\/code>/.exec(made.text)[1]
  assert.match(made.text, /For member@acme\.example, once/)

  const member = new Visitor(service)
  await member.logIn('member')
  assert.equal((await member.secondStep('recovery_code', code)).result, 'verified')
  assert.equal((await member.json('/api/me')).method, 'recovery_code')

  const again = new Visitor(service)
  await again.logIn('member')
  assert.notEqual((await again.secondStep('recovery_code', code)).result, 'verified')
})

test('S5: a recovery code ends after an hour', async (t) => {
  const service = await startService(t)
  await enrolledVisitor(service, 'member')
  const { visitor: owner } = await freshVisitor(service, 'owner')
  const { code, expiresAt } = await issue(owner, 'member')
  assert.equal(expiresAt, service.now + 3600)
  service.advance(3601)
  const member = new Visitor(service)
  await member.logIn('member')
  const late = await member.secondStep('recovery_code', code)
  assert.notEqual(late.result, 'verified')
  assert.equal((await member.json('/api/me')).status, 401)
})

test('T39: one recovery code per user, bound to that user, issued by another owner with a fresh factor', async (t) => {
  const service = await startService(t)
  const { visitor: member } = await freshVisitor(service, 'member')
  const { visitor: owner, code: ownerCode } = await enrolledVisitor(service, 'owner')
  service.advance(301)

  assert.equal((await issue(owner, 'member')).reason, 'fresh_factor_required')
  await owner.showFactorAgain('totp', ownerCode())
  assert.equal((await issue(owner, 'owner')).reason, 'not_for_oneself')
  const ids = { colleague: await userId(owner, 'colleague') }
  assert.equal((await member.json('/api/users/recovery-code', { user: ids.colleague })).reason, 'owner_only')
  service.database((db) =>
    db.exec(`
    INSERT INTO accounts SELECT 'other', 'Other', plan, require, first_factor, network FROM accounts;
    INSERT INTO users SELECT 'stranger', 'other', 'stranger@other.example', role, secret_hash, NULL, 'en' FROM users LIMIT 1`),
  )
  for (const user of ['nobody', 'stranger', 'client:reports', '', null]) {
    assert.equal((await owner.json('/api/users/recovery-code', { user })).status, 400, 'for people of the account only')
  }

  const first = await issue(owner, 'member')
  const second = await issue(owner, 'member')
  assert.equal(second.result, 'recovery_code')
  const logIn = async (name, code) => {
    const visitor = new Visitor(service)
    await visitor.logIn(name)
    return (await visitor.secondStep('recovery_code', code)).result
  }
  assert.notEqual(await logIn('owner', second.code), 'verified', 'for that person only')
  assert.notEqual(await logIn('member', first.code), 'verified', 'the newer code ended it')
  assert.equal(await logIn('member', second.code), 'verified')

  const { messages } = await owner.json('/api/outbox')
  const told = (recipient, subject) => messages.find((each) => each.recipient === recipient && each.subject === subject)
  const issued = told('member@acme.example', 'Acme: A recovery code was issued for you')
  assert.match(issued?.message, /^Issued by: owner@acme\.example$/m, 'the person is told, and by whom')
  assert.ok(told('member@acme.example', 'Acme: Your recovery code was used'))
  assert.ok(!messages.some(({ kind, message }) => kind === 'sms' && message.includes(second.code)), 'never by SMS')
})

test('S9, S8: a new user under a forced policy is refused, logs in by a code, and is refused again without a set-up', async (t) => {
  const service = await startService(t)
  const { visitor: owner } = await freshVisitor(service, 'owner')
  const saved = await owner.json('/api/policy', { require: 'everyone', confirmed: true })
  assert.equal(saved.result, 'policy_saved', JSON.stringify(saved))

  const member = new Visitor(service)
  assert.equal((await member.logIn('member')).reason, 'enrollment_required')
  const page = await member.page('/login', { email: 'member@acme.example', password: 'member-demo-password' })
  assert.match(page.text, /Ask an owner of the account for a recovery code/)

  const first = await issue(owner, 'member')
  const login = { email: 'member@acme.example', password: 'member-demo-password' }
  assert.equal((await member.page('/login', login)).path, '/login/second-step')
  const home = await member.page('/login/second-step', { method: 'recovery_code', code: first.code })
  assert.match(home.text, /You logged in with a recovery code\. Set up two-factor authentication now/)

  assert.equal(
    (await new Visitor(service).logIn('member')).reason,
    'enrollment_required',
    'without a set-up the next login needs another code',
  )
  const second = await issue(owner, 'member')
  await member.logIn('member')
  assert.equal((await member.secondStep('recovery_code', second.code)).enroll, true)
})

test('S8: after the login by recovery code a set-up works, and logs in from then on', async (t) => {
  const service = await startService(t)
  const { visitor: owner } = await freshVisitor(service, 'owner')
  await owner.json('/api/policy', { require: 'everyone', confirmed: true })
  const { code } = await issue(owner, 'member')
  const member = new Visitor(service)
  await member.logIn('member')
  await member.secondStep('recovery_code', code)
  const { secret } = await member.json('/api/security/totp', {})
  const base32 = secret.replaceAll(' ', '')
  const on = await member.json('/api/security/totp/confirm', { code: authenticatorCode(base32, service.now) })
  assert.equal(on.backupCodes?.length, 10)
  service.advance(30)
  const later = new Visitor(service)
  await later.logIn('member')
  assert.equal((await later.secondStep('totp', authenticatorCode(base32, service.now))).result, 'verified')
})

test('T9: a recovery code works while wrong codes have locked the account', async (t) => {
  const service = await startService(t)
  const { code } = await enrolledVisitor(service, 'member')
  const { visitor: owner } = await freshVisitor(service, 'owner')
  await lockOut(service, 'member', code)
  const { code: recoveryCode } = await issue(owner, 'member')
  const member = new Visitor(service)
  await member.logIn('member')
  assert.equal((await member.secondStep('recovery_code', recoveryCode)).result, 'verified')
})
