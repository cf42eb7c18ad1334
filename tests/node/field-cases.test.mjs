// Inputs that failed in the field, each by the id of its row, through the package. tests/core/field_cases.rs has more
// spellings of each.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createSecondFactor, generateKeys, memoryStore, otpauth, policy, totp } from 'countersign'
import { capturedSms, fixedClock } from 'countersign/testing'
import { refusedWith } from './support.mjs'

const START = 1_800_000_000

function service(rules = {}) {
  const clock = fixedClock(START)
  const sms = capturedSms()
  const secondFactor = createSecondFactor({
    policy: { v: 1, name: 'Acme', origin: 'https://acme.example', ...rules },
    keys: generateKeys(),
    store: memoryStore(),
    sendSms: sms.send,
    clock,
  })
  return { secondFactor, clock, sms }
}

test('C13: a time in milliseconds is an error that says seconds', () => {
  const secret = totp.secret()
  const question = { secret, code: '123456', time: Date.now() }
  assert.throws(() => totp.verify(question), refusedWith('invalid_input', 'time'))
  assert.throws(() => totp.verify(question), /seconds/)
  assert.throws(() => totp.generate({ secret, time: Date.now() }), /seconds/)
})

test('C14: a secret of 80 bits is verified', () => {
  const secret = 'JBSWY3DPEHPK3PXP'
  const code = totp.generate({ secret, time: START })
  assert.deepEqual(totp.verify({ secret, code, time: START }), { valid: true, step: START / 30 })
  assert.throws(() => totp.generate({ secret: 'JBSWY3DP', time: START }), refusedWith('invalid_input', 'secret'))
  assert.equal(totp.secret().length, 32)
})

test('C15: a label that no app could show is made to fit', async () => {
  const { secondFactor } = service()
  const long = `${'a'.repeat(190)}@acme.example`
  for (const label of ['urn:acme:ann', long, '', '\u202eann']) {
    const reply = await secondFactor.enrollTotp({ user: 'ann', session: 's', label })
    assert.equal(reply.result, 'totp_started', label)
    if (reply.result !== 'totp_started') continue
    const shown = otpauth.parse(reply.uri, { strict: true }).label
    assert.ok(shown.length > 0 && shown.length <= 128, shown)
  }
  const name = '\u{1f600}'.repeat(40)
  assert.throws(() => service({ name }), refusedWith('invalid_policy', 'name'))
})

test('C17: a code may come with invisible characters, other dashes and a full stop', async () => {
  const { secondFactor, clock } = service()
  const started = await secondFactor.enrollTotp({ user: 'ann', session: 's', label: 'ann' })
  assert.equal(started.result, 'totp_started')
  if (started.result !== 'totp_started') return
  const code = () => totp.generate({ secret: started.secret, time: clock() })
  const enrolled = await secondFactor.confirmTotp({ user: 'ann', session: 's', code: `\u200e${code()}\ufeff` })
  assert.equal(enrolled.result, 'enrolled')
  if (enrolled.result !== 'enrolled') return
  const [first, second] = enrolled.backupCodes ?? []
  for (const [method, typed] of /** @type {const} */ ([
    ['totp', () => `\u200b${code()}\u200b`],
    ['backup_code', () => first.replaceAll('-', '–')],
    ['backup_code', () => `${second}.`],
  ])) {
    clock.advance(30)
    const begun = await secondFactor.begin({ user: 'ann', session: 's' })
    assert.equal(begun.result, 'challenge')
    if (begun.result !== 'challenge') return
    const reply = await secondFactor.verify({ ticket: begun.ticket, session: 's', method, code: typed() })
    assert.equal(reply.result, 'verified', typed())
  }
})

test('C18: a name in the alphabet of an SMS is accepted', async () => {
  const { secondFactor, sms } = service({ name: 'Zürich Vorsorge', methods: ['totp', 'sms', 'backup_code'] })
  const reply = await secondFactor.enrollSms({ user: 'ann', session: 's', number: '+61412345678' })
  assert.equal(reply.result, 'sms_sent')
  assert.match(sms.messages[0].body, /is your Zürich Vorsorge code/)
})

test('C19: an address may come with a port, in `ip` and not in rules', async () => {
  const rules = (network) => ({ v: 1, name: 'Acme', origin: 'https://acme.example', network })
  const allow = rules({ allow: ['203.0.113.0/24', '2001:db8::/32'] })
  const outcome = (ip) => policy.decide(allow, { ip, enrollment: 'none' }).decision.outcome
  for (const ip of ['203.0.113.7:51008', '[2001:db8::1]:443', '2001:db8::1:443'])
    assert.equal(outcome(ip), 'allowed', ip)
  for (const ip of ['198.51.100.7:51008', '203.0.113.7:', '203.0.113.7:80:80']) assert.equal(outcome(ip), 'denied', ip)
  for (const rule of ['203.0.113.7:51008', '[2001:db8::1]:443']) {
    assert.throws(() => policy.parse(rules({ allow: [rule] })), refusedWith('invalid_policy', 'network.allow[0]'))
  }
  const { secondFactor } = service({ network: { allow: ['203.0.113.7'] } })
  const begun = await secondFactor.begin({ user: 'ann', session: 's', ip: '203.0.113.7:51008' })
  assert.equal(begun.result, 'allowed')
})
