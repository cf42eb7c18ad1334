// SMS, from the typed number to the code that logs in.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { countSms, enrolledVisitor, freshVisitor, lastSms, smsCode, startService, Visitor } from './support.mjs'

async function enrolledBySms(service, name) {
  const visitor = new Visitor(service)
  await visitor.logIn(name)
  await visitor.json('/api/security/sms', { number: '0412 345 678' })
  const enrolled = await visitor.json('/api/security/sms/confirm', { code: await smsCode(visitor) })
  assert.equal(enrolled.result, 'enrolled', JSON.stringify(enrolled))
  service.advance(60)
  return { visitor, backupCodes: enrolled.backupCodes }
}

test('S3, S4: an Australian number in local form and its code turn SMS on', async (t) => {
  const service = await startService(t)
  const person = new Visitor(service)
  await person.page('/login', { email: 'member@acme.example', password: 'member-demo-password' })
  await person.page('/security')
  const sent = await person.page('/security/sms', { number: '0412 345 678' })
  assert.match(sent.text, /We sent a code to \+61 412 345 678/, 'P11: a mask would hide a wrong digit')
  const { recipient, message } = await lastSms(person)
  assert.equal(recipient, '+61412345678')
  assert.match(message, /\n@localhost #\d{6}$/, 'the code is bound to this site')

  const on = await person.page('/security/sms/confirm', { code: await smsCode(person) })
  assert.equal([...on.text.matchAll(/<li><code>/g)].length, 10)
  assert.match((await person.page('/security')).text, /On<\/span>[^]*<p>[^<]*678</)
})

test('S3, T30: other numbers are refused before anything is sent', async (t) => {
  const service = await startService(t)
  const visitor = new Visitor(service)
  await visitor.logIn('member')
  for (const number of ['+1 202 555 0123', '+44 7911 123456', '02 9374 4000', '+64 21 123 4567']) {
    const answer = await visitor.json('/api/security/sms', { number })
    assert.equal(answer.reason, 'number_not_allowed', number)
  }
  for (const number of [
    'hello',
    '1',
    '+',
    '٠٤١٢٣٤٥٦٧٨',
    '０４１２ ３４５ ６７８',
    '0412 345 67⁸',
    '0412 345 678'.repeat(20),
  ]) {
    assert.equal((await visitor.json('/api/security/sms', { number })).status, 400, number)
  }
  assert.equal(await countSms(visitor), 0)
})

test('S6: log in by SMS, and switch between the app and SMS', async (t) => {
  const service = await startService(t)
  const { visitor, code } = await freshVisitor(service, 'member')
  await visitor.json('/api/security/sms', { number: '+61412345678' })
  const second = await visitor.json('/api/security/sms/confirm', { code: await smsCode(visitor) })
  assert.equal(second.result, 'enrolled')
  assert.equal(second.backupCodes, undefined, 'the ten codes came with the first factor')
  service.advance(60)

  const person = new Visitor(service)
  const login = { email: 'member@acme.example', password: 'member-demo-password' }
  const step = await person.page('/login', login)
  assert.match(step.text, /authenticator app/)
  const bySms = await person.page('/login/second-step?method=sms')
  assert.match(bySms.text, /Use the authenticator app/)
  const before = await countSms(person)
  const sent = await person.page('/login/second-step/sms', {})
  assert.match(sent.text, /We sent a code to [^<]*678/)
  assert.equal(await countSms(person), before + 1)
  assert.equal((await person.page('/login/second-step', { method: 'sms', code: await smsCode(person) })).path, '/')

  const other = new Visitor(service)
  const challenge = await other.logIn('member')
  assert.deepEqual(
    challenge.methods.map(({ method }) => method).filter((method) => !method.endsWith('_code')),
    ['totp', 'sms'],
  )
  service.advance(60)
  await other.json('/api/login/second-step/sms', {})
  assert.equal((await other.secondStep('totp', code())).result, 'verified', 'back to the app after an SMS')
})

test('T16: a resend waits for the cool-down and ends the old code; a code works once, and only within its time', async (t) => {
  const service = await startService(t)
  await enrolledBySms(service, 'member')
  const visitor = new Visitor(service)
  await visitor.logIn('member')
  await visitor.json('/api/login/second-step/sms', {})
  const old = await smsCode(visitor)
  const early = await visitor.json('/api/login/second-step/sms', {})
  assert.equal(early.result, 'sms_refused')
  assert.equal(early.reason, 'cooldown')
  service.advance(31)
  assert.equal((await visitor.json('/api/login/second-step/sms', {})).result, 'sms_sent')
  const current = await smsCode(visitor)
  if (old !== current) assert.equal((await visitor.secondStep('sms', old)).result, 'wrong')
  assert.equal((await visitor.secondStep('sms', current)).result, 'verified')

  const again = new Visitor(service)
  await again.logIn('member')
  assert.notEqual((await again.secondStep('sms', current)).result, 'verified')
  service.advance(60)
  await again.json('/api/login/second-step/sms', {})
  const late = await smsCode(again)
  service.advance(301)
  assert.equal((await again.secondStep('sms', late)).result, 'expired')
})

test('T17: no SMS is sent before the password, and no more than the budget allows', async (t) => {
  const service = await startService(t)
  await enrolledBySms(service, 'member')
  const nobody = new Visitor(service)
  assert.equal((await nobody.json('/api/login/second-step/sms', {})).status, 401)
  const visitor = new Visitor(service)
  const before = await countSms(visitor)
  const answers = []
  for (let i = 0; i < 12; i += 1) {
    service.advance(60)
    await visitor.logIn('member')
    answers.push((await visitor.json('/api/login/second-step/sms', {})).result)
  }
  const sent = (await countSms(visitor)) - before
  assert.equal(answers.filter((result) => result === 'sms_sent').length, sent)
  assert.ok(sent < 12, 'a new login does not renew the budget')
  assert.ok(answers.includes('sms_refused'))
})

test('T15: another number is a new set-up: it needs a fresh factor, is notified, and the old number gets no more SMS', async (t) => {
  const service = await startService(t)
  const { visitor } = await enrolledBySms(service, 'member')
  service.advance(301)
  assert.equal((await visitor.json('/api/security/sms', { number: '0498 765 432' })).reason, 'fresh_factor_required')
  await visitor.json('/api/security/fresh-factor', {})
  await visitor.json('/api/login/second-step/sms', {})
  assert.equal((await visitor.secondStep('sms', await smsCode(visitor))).result, 'verified')
  service.advance(60)
  const [{ id: replaces }] = (await visitor.json('/api/security')).status.methods
  assert.equal((await visitor.json('/api/security/sms', { number: '0498 765 432', replaces })).result, 'sms_sent')
  assert.equal((await visitor.json('/api/security/sms/confirm', { code: await smsCode(visitor) })).result, 'enrolled')
  service.advance(60)
  await visitor.logIn('member')
  await visitor.json('/api/login/second-step/sms', {})
  assert.equal((await lastSms(visitor)).recipient, '+61498765432')
  const { messages } = await visitor.json('/api/outbox')
  const subjects = messages.map(({ subject }) => subject)
  assert.ok(subjects.includes('Acme: A second factor of your login was replaced'), subjects.join(', '))
})

test('S14: a user with an authenticator only is not offered or sent an SMS', async (t) => {
  const service = await startService(t)
  await enrolledVisitor(service, 'member')
  const visitor = new Visitor(service)
  const { methods } = await visitor.logIn('member')
  assert.ok(!methods.some(({ method }) => method === 'sms'))
  const answer = await visitor.json('/api/login/second-step/sms', {})
  assert.notEqual(answer.result, 'sms_sent')
  assert.equal(await countSms(visitor), 0)
})
