// A first factor by the password alone, through the service: `firstFactor: "password"` in the account's rules.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { authenticatorCode, freshVisitor, startService, Visitor } from './support.mjs'

const login = { email: 'member@acme.example', password: 'member-demo-password' }

async function serviceWithFirstFactor(t) {
  const service = await startService(t)
  const { visitor: owner } = await freshVisitor(service, 'owner')
  const change = { require: 'everyone', firstFactor: 'password' }
  const preview = await owner.json('/api/policy', change)
  assert.deepEqual(preview.review.setUpByPassword, ['colleague@acme.example', 'member@acme.example'])
  assert.deepEqual(preview.review.needRecoveryCode, [])
  assert.equal((await owner.json('/api/policy', { ...change, confirmed: true })).result, 'policy_saved')
  return { service, owner }
}

const appCode = (started, service) => authenticatorCode(started.secret.replaceAll(' ', ''), service.now)

test('a person who never had a factor sets one up at login and is in, in another session', async (t) => {
  const { service, owner } = await serviceWithFirstFactor(t)
  const member = new Visitor(service)
  const begun = await member.logIn('member')
  assert.deepEqual(begun.methods, ['totp', 'sms'])
  assert.equal(begun.result, 'set_up')
  assert.equal(begun.ticket, undefined, 'the ticket stays in the session')

  // The session opens the set-up and nothing else.
  assert.equal((await member.json('/api/me')).reason, 'second_factor_required')
  assert.equal((await member.json('/api/security/totp', {})).reason, 'second_factor_required')
  assert.equal((await member.json('/api/login/second-step', { method: 'totp', code: '000000' })).status, 401)
  assert.equal((await member.page('/')).path, '/login/set-up')
  assert.equal((await member.page('/login')).path, '/login')

  const started = await member.json('/api/login/set-up/totp', {})
  assert.equal(started.result, 'totp_started')
  assert.equal((await member.json('/api/login/set-up/totp/confirm', { code: '12345' })).result, 'malformed')
  const [, before] = [...member.cookies][0]
  const enrolled = await member.json('/api/login/set-up/totp/confirm', { code: appCode(started, service) })
  assert.equal(enrolled.backupCodes.length, 10, JSON.stringify(enrolled))
  assert.equal(enrolled.pass, undefined)
  assert.notEqual(member.cookies.get('session'), before, 'the session id is new')
  assert.equal((await member.json('/api/me')).method, 'totp')

  const { events } = await owner.json('/api/audit')
  assert.ok(events.some(({ event, user }) => event === 'first_factor_by_password' && user === 'member@acme.example'))
  const { messages } = await owner.json('/api/outbox')
  const told = messages.filter(({ subject }) => subject?.endsWith('at a login'))
  assert.deepEqual(told.map(({ recipient, subject }) => [recipient, subject]).sort(), [
    ['member@acme.example', 'Acme: Your second factor was set up at a login'],
    ['owner@acme.example', 'Acme: member@acme.example set up a second factor at a login'],
  ])
  const { text } = await owner.page('/outbox')
  assert.match(text, /Your second factor was set up at a login[^<]*Second factor: authenticator app[^<]*Tell an owner/)
  assert.match(text, /[^<]*User: member@acme\.example[^<]*issue a recovery code and give it to member@acme\.example/)
  // The code that confirmed the set-up counts as its use.
  assert.match((await member.page('/security')).text, /Last used<\/dt> <dd>at set-up</)

  const later = new Visitor(service)
  assert.equal((await later.logIn('member')).result, 'challenge')
})

test('a phone as the first factor, by pages alone', async (t) => {
  const { service } = await serviceWithFirstFactor(t)
  const member = new Visitor(service)
  await member.page('/login')
  const choice = await member.page('/login', { ...login, next: '/security' })
  assert.equal(choice.path, '/login/set-up')
  assert.match(choice.text, /action="\/login\/set-up\/totp"/)
  const wrong = await member.page('/login/set-up/sms', { number: '12' })
  assert.match(wrong.text, /Australian mobile number/)
  assert.match(wrong.text, /href="\/login\/set-up"/)
  const sent = await member.page('/login/set-up/sms', { number: '0412 345 678' })
  assert.match(sent.text, /action="\/login\/set-up\/sms\/confirm"/)
  const { messages } = await member.json('/api/outbox')
  const [code] = /\b\d{6}\b/.exec(messages.find(({ kind }) => kind === 'sms').message)
  const done = await member.page('/login/set-up/sms/confirm', { code })
  assert.match(done.text, /You are logged in/)
  const [file] = /name="codes" value="([^"]*)"/.exec(done.text).slice(1)
  const kept = await member.page('/security/backup-codes/download', { codes: file })
  assert.match(kept.text, /[0-9A-Z]{4}-/, 'the form token on the page is that of the new session')
  const [, set, next] = /name="set" value="(.*?)"><input type="hidden" name="next" value="(.*?)"/.exec(done.text)
  assert.equal(next, '/security')
  const saved = await member.page('/security/backup-codes/confirm', { set, next: '/' })
  assert.match(saved.path, /^\/\?said=/, 'the button leads on to the page that was asked for')
  assert.equal((await member.page('/login/set-up')).path, '/security', 'nothing is left to set up')
})

test('a set-up at login begins while its ticket is good, goes on for half an hour, and ends where the rules change', async (t) => {
  const { service } = await serviceWithFirstFactor(t)
  const late = new Visitor(service)
  await late.page('/login')
  await late.page('/login', login)
  service.advance(600)
  const page = await late.page('/login/set-up/totp', {})
  assert.match(page.text, /That took too long\. Log in again/)
  assert.equal(late.cookies.has('session'), false, 'the session is over')

  const slow = new Visitor(service)
  await slow.page('/login')
  const time = (seconds) => new Date((service.now + seconds) * 1000).toISOString().slice(11, 19)
  const choice = await slow.page('/login', login)
  assert.match(choice.text, new RegExp(`Begin by <time[^>]*>${time(600)} UTC</time>, or log in again\\.`))
  service.advance(599)
  const begun = await slow.page('/login/set-up/totp', {})
  assert.match(begun.text, new RegExp(`open until <time[^>]*>${time(1800)} UTC</time>`))
  service.advance(1799)
  const wrong = await slow.page('/login/set-up/totp/confirm', { code: '000000' })
  assert.match(wrong.text, /That code is not right/, 'the ticket is over, the set-up is not')
  service.advance(1)
  const over = await slow.page('/login/set-up/totp/confirm', { code: '000000' })
  assert.match(over.text, /The set-up timed out\. Begin again, and scan the new code/, 'P6')

  const member = new Visitor(service)
  await member.logIn('member')
  const started = await member.json('/api/login/set-up/totp', {})
  // The owner's own way would need a code again, ten minutes after the last one.
  service.database((db) => db.prepare("UPDATE accounts SET first_factor = 'recovery_code'").run())
  const refused = await member.json('/api/login/set-up/totp/confirm', { code: appCode(started, service) })
  assert.equal(refused.reason, 'ticket_invalid')
  assert.equal((await member.json('/api/me')).reason, 'login_required')
  assert.equal((await member.logIn('member')).reason, 'enrollment_required')
})

test('two people with the password: one set-up wins, and the other session is over', async (t) => {
  const { service } = await serviceWithFirstFactor(t)
  const [first, second] = [new Visitor(service), new Visitor(service)]
  await first.logIn('member')
  await second.logIn('member')
  const started = await first.json('/api/login/set-up/totp', {})
  await second.json('/api/login/set-up/totp', {})
  assert.equal(
    (await first.json('/api/login/set-up/totp/confirm', { code: appCode(started, service) })).result,
    'enrolled',
  )
  assert.equal((await second.json('/api/login/set-up/totp', {})).reason, 'login_required')
})
