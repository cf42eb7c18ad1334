// Inputs that failed in the field, each by the id of its row, through the package. tests/core/field_cases.rs has more
// spellings of each.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setImmediate } from 'node:timers/promises'
import { CountersignError, createSecondFactor, generateKeys, memoryStore, otpauth, policy, totp } from 'countersign'
import { capturedSms, fixedClock } from 'countersign/testing'
import { codeOf, host, login, refusedWith, ticketOf, withApp } from './support.mjs'

const START = 1_800_000_000
const ERROR_CODES = /** @type {const} */ ([
  'invalid_input',
  'invalid_policy',
  'invalid_keys',
  'invalid_record',
  'unknown_record_version',
  'key_missing',
  'seal_broken',
  'invalid_uri',
  'too_long',
  'invalid_config',
  'store_failed',
  'conflict',
  'sms_not_sent',
  'no_sms',
  'not_loaded',
  'internal',
])

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
  const typed = `\u200e${code()}\ufeff`
  const enrolled = await secondFactor.confirmTotp({ user: 'ann', session: 's', setup: started.setup, code: typed })
  assert.equal(enrolled.result, 'enrolled')
  if (enrolled.result !== 'enrolled') return
  const [first, second] = enrolled.backupCodes ?? []
  for (const [method, typed] of /** @type {const} */ ([
    ['totp', () => `\u200b${code()}\u200b`],
    ['totp', () => `\u2061${code().slice(0, 3)}\uff0d${code().slice(3)}\ufe0f`],
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
  const decomposed = 'Zürich'.normalize('NFD')
  assert.throws(() => service({ name: decomposed, methods: ['totp', 'sms'] }), /NFC/)
})

test('I3: a secret that is no base32 is refused with the true reason', () => {
  for (const [secret, reason] of /** @type {const} */ ([
    ['S46SQCPPTCNPROMHWYBDCTBZXV', /bits that belong to no byte/],
    ['GEZDGNBVGY3TQOJQGEZ', /a length that base32 cannot have/],
    ['GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJ1', /A–Z and 2–7/],
  ])) {
    assert.throws(() => totp.generate({ secret, time: START }), reason)
    assert.throws(() => otpauth.parse(`otpauth://totp/ann?secret=${secret}`), reason)
  }
})

test('C21: a number has the length of its country, and exceptions beat prefixes', async () => {
  const { secondFactor, sms } = service({
    methods: ['totp', 'sms', 'backup_code'],
    sms: { prefixes: ['+614', '+1'], except: ['+1900'] },
  })
  const reasonOf = async (number) => {
    const reply = await secondFactor.enrollSms({ user: number || 'nobody', session: 's', number })
    return reply.result === 'denied' ? reply.reason : reply.result
  }
  for (const number of ['+6141234567', '+614123456789012', '0412345678', 'ann', ''])
    assert.equal(await reasonOf(number), 'number_invalid', number)
  for (const number of ['+19005550123', '+447400123456'])
    assert.equal(await reasonOf(number), 'number_not_allowed', number)
  assert.equal(sms.messages.length, 0)
  assert.equal(await reasonOf('+61412345678'), 'sms_sent')
  assert.throws(() => service({ sms: { prefixes: ['+999'] } }), refusedWith('invalid_policy', 'sms.prefixes[0]'))
  const unreachable = { sms: { prefixes: ['+614'], except: ['+61'] } }
  assert.throws(() => service(unreachable), refusedWith('invalid_policy', 'sms.prefixes[0]'))
})

test('C19: an address may come with a port, in `ip` and not in rules', async () => {
  const rules = (network) => ({ v: 1, name: 'Acme', origin: 'https://acme.example', network })
  const allow = rules({ allow: ['203.0.113.0/24', '2001:db8::/32'] })
  const outcome = (ip) => policy.decide(allow, { ip, enrollment: 'none' }).decision.outcome
  for (const ip of ['203.0.113.7:51008', '[2001:db8::1]:443', '[2001:db8::1]', '2001:db8::1:443'])
    assert.equal(outcome(ip), 'allowed', ip)
  for (const ip of ['198.51.100.7:51008', '203.0.113.7:', '203.0.113.7:80:80']) assert.equal(outcome(ip), 'denied', ip)
  for (const rule of ['203.0.113.7:51008', '[2001:db8::1]:443']) {
    assert.throws(() => policy.parse(rules({ allow: [rule] })), refusedWith('invalid_policy', 'network.allow[0]'))
  }
  const { secondFactor } = service({ network: { allow: ['203.0.113.7'] } })
  const begun = await secondFactor.begin({ user: 'ann', session: 's', ip: '203.0.113.7:51008' })
  assert.equal(begun.result, 'allowed')
})

/** Values that a client may send in place of a text. */
const LONG = [8_193, 65_400, 65_530, 65_536, 70_000].map((length) => '1'.repeat(length))
const JUNK = [123_456, null, undefined, {}, { $ne: '' }, ['123456'], true, 1.5, -1, 10n, '\ud800', ...LONG]

test('C12: a field of the client is answered with `malformed` and its name, in every command', async () => {
  const at = await host()
  const ann = await withApp(at)
  const { pass } = await login(at, ann)
  const ticket = await ticketOf(at, 'ann')
  const before = await at.store.load({ user: 'ann' })
  const [half, inside] = [
    { ticket, session: 'before', method: 'totp', code: '000000' },
    { user: 'ann', session: 'in', pass },
  ]
  const by = { user: 'olga', session: 'in', pass, role: 'owner' }
  for (const [name, input, fields] of /** @type {[string, any, string[]][]} */ ([
    ['verify', half, ['ticket', 'method', 'factor', 'code']],
    ['sendSms', { ticket, session: 'before' }, ['ticket', 'factor']],
    ['enrollTotp', { ...inside, label: 'ann' }, ['label', 'name', 'replaces', 'pass']],
    ['confirmTotp', { user: 'ann', session: 'in', setup: '-', code: '000000' }, ['setup', 'code']],
    ['enrollSms', { ...inside, number: '+61412345678' }, ['number', 'name', 'replaces', 'pass']],
    ['confirmSms', { user: 'ann', session: 'in', setup: '-', code: '000000' }, ['setup', 'code']],
    ['rename', { ...inside, factor: 'no-such-app-', name: 'Work' }, ['factor', 'name', 'pass']],
    ['remove', { ...inside, factor: 'no-such-app-' }, ['factor', 'pass']],
    ['removeTrustedBrowser', { ...inside, browser: 'no-such-one-' }, ['browser', 'pass']],
    ['renewBackupCodes', inside, ['pass']],
    ['showBackupCodes', inside, ['pass']],
    ['showTotpSetup', { user: 'ann', session: 'in', setup: '-' }, ['setup']],
    ['showNewBackupCodes', { ...inside, newCodes: '-' }, ['newCodes', 'pass']],
    ['confirmBackupCodes', { ...inside, set: '-' }, ['set', 'pass']],
    ['issueRecoveryCode', { user: 'bob', by }, ['pass']],
    ['reset', { user: 'bob', by }, ['pass']],
  ])) {
    for (const field of fields) {
      for (const value of JUNK) {
        const isAbsent = value === undefined || value === null
        if (isAbsent && ['factor', 'name', 'replaces'].includes(field) && name !== 'rename' && name !== 'remove')
          continue
        const given = ['issueRecoveryCode', 'reset'].includes(name)
          ? { ...input, by: { ...by, pass: value } }
          : { ...input, [field]: value }
        const what = `${name} ${field} = ${typeof value === 'bigint' ? value : JSON.stringify(value)?.slice(0, 20)}`
        const reply = await at.factor[name](given)
        // The client's field stands first or last, and costs none of the host's fields its room.
        assert.deepEqual(await at.factor[name]({ [field]: given[field], ...given }), reply, what)
        // A set-up is opened before its code is read, and a pass may be left out. So may most names of apps and phones.
        if (name.startsWith('confirm') && field === 'code') assert.equal(reply.result, 'expired', what)
        else if (field === 'pass' && isAbsent) assert.equal(reply.result, 'denied', what)
        else assert.deepEqual([reply.result, reply.field], ['malformed', field], what)
      }
    }
  }
  for (const [input, field] of /** @type {[any, string][]} */ ([
    [{}, 'ticket'],
    [{ ticket, method: 'totp', code: 123_456 }, 'code'],
    [{ ...half, method: 'carrier pigeon' }, 'method'],
  ])) {
    const reply = await at.factor.verify(input)
    assert.deepEqual([reply.result, reply.result === 'malformed' && reply.field], ['malformed', field])
  }
  const known = await at.factor.verify({ ...half, method: 'totp', code: /** @type {any} */ (123_456) })
  assert.deepEqual(known, { result: 'malformed', field: 'code', expected: '6 digits', kind: 'digits', digits: 6 })
  assert.deepEqual(await at.store.load({ user: 'ann' }), before, 'nothing is counted')

  for (const value of JUNK.slice(3)) {
    const question = { user: 'ann', session: 'in', pass: /** @type {any} */ (value) }
    assert.deepEqual(await at.factor.check(question), { result: 'second_step', reason: 'invalid' })
    assert.deepEqual(await at.factor.checkPass(question), { result: 'refused', reason: 'invalid' })
  }
})

test("C12: a host's field throws with its path and a status", async () => {
  const { factor } = await host()
  const junk = /** @type {any} */ (7)
  for (const [name, input, path] of /** @type {[string, any, string][]} */ ([
    ['verify', { ticket: 't', method: 'totp', code: '1' }, 'session'],
    ['verify', { ticket: 't', method: 'totp', code: '1', session: junk }, 'session'],
    ['verify', { ticket: 't', method: 'totp', code: '1', session: 's', account: junk }, 'account'],
    ['begin', { user: junk, session: 's' }, 'user'],
    ['begin', { user: '', session: 's' }, 'user'],
    ['begin', { user: 'ann', session: 's', ip: junk }, 'ip'],
    ['begin', { user: 'ann', session: 's', plan: junk }, 'plan'],
    ['begin', { user: 'ann', session: 's', code: '1' }, 'code'],
    ['issueRecoveryCode', { user: 'ann', by: { user: 'olga', session: 's', role: 'boss' } }, 'by.role'],
  ])) {
    const refused = { code: 'invalid_input', path, status: 400, expose: true }
    await assert.rejects(factor[name](input), refused, `${name} ${path}`)
  }
})

test('C12: an error says which status to answer with, and a client may read it below 500 only', async () => {
  const broken = { load: async () => Promise.reject(new Error('secret of the database')), save: async () => true }
  const { factor } = await host({ store: broken })
  await assert.rejects(factor.begin({ user: 'ann', session: 's' }), { status: 503, expose: false })
  for (const code of ERROR_CODES) {
    const { status, expose } = new CountersignError(code, '', 'x')
    assert.ok([400, 500, 502, 503].includes(status), code)
    assert.equal(expose, status < 500, code)
  }
})

test('C12: a handler without a catch outlives anything in the body, as on Express 4', async () => {
  const at = await host()
  const ann = await withApp(at)
  const ticket = await ticketOf(at, 'ann')
  const rejected = []
  // Express 4 drops the promise of a handler: a rejection ends the process.
  const handler = (body) => {
    const { method, code } = body ?? {}
    at.factor.verify({ ticket, session: 'before', method, code }).catch((error) => rejected.push(error))
  }
  const bodies = [undefined, null, '', [], {}, { method: 'totp' }, ...JUNK.map((code) => ({ method: 'totp', code }))]
  for (const body of [...bodies, ...JUNK.map((method) => ({ method, code: '000000' }))]) handler(body)
  await setImmediate()
  assert.deepEqual(rejected, [])
  const reply = await at.factor.verify({ ticket, session: 'before', method: 'totp', code: codeOf(at, ann.secret) })
  assert.equal(reply.result, 'verified')
})
