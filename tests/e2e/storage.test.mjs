// Storage: a crash loses no data, no code counts twice, and no secret can be read.

import assert from 'node:assert/strict'
import { readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import {
  authenticatorCode,
  enrolledVisitor,
  freshVisitor,
  newKeys,
  smsCode,
  startService,
  Visitor,
} from './support.mjs'

test('T5: SIGKILL at any point of a set-up or a login loses no data', async (t) => {
  const service = await startService(t)
  const visitor = new Visitor(service)
  await visitor.logIn('member')
  const started = await visitor.json('/api/security/totp', {})
  const secret = started.secret.replaceAll(' ', '')
  await service.restart('SIGKILL')

  const enrolled = await visitor.json('/api/security/totp/confirm', { code: authenticatorCode(secret, service.now) })
  assert.equal(enrolled.result, 'enrolled')
  await service.restart('SIGKILL')

  const person = new Visitor(service)
  assert.equal((await person.logIn('member')).result, 'challenge')
  await service.restart('SIGKILL')
  assert.equal(
    (await person.secondStep('totp', authenticatorCode(secret, service.now))).result,
    'already_used',
    'the used step is remembered',
  )
  const [backupCode] = enrolled.backupCodes
  assert.equal((await person.secondStep('backup_code', backupCode)).result, 'verified')
  await service.restart('SIGKILL')
  assert.equal((await person.json('/api/me')).status, 200, 'the pass survives the process')

  await person.logIn('member')
  assert.equal((await person.secondStep('backup_code', backupCode)).result, 'wrong', 'the used code is remembered')
  await service.restart('SIGTERM')
  service.advance(30)
  assert.equal((await person.secondStep('totp', authenticatorCode(secret, service.now))).result, 'verified')
})

test('T5: SIGKILL between an SMS or a recovery code and its use loses neither', async (t) => {
  const service = await startService(t)
  const { visitor: member } = await freshVisitor(service, 'member')
  const { visitor: owner } = await freshVisitor(service, 'owner')
  await member.json('/api/security/sms', { number: '0412 345 678' })
  await service.restart('SIGKILL')
  assert.equal((await member.json('/api/security/sms/confirm', { code: await smsCode(member) })).result, 'enrolled')
  service.advance(60)
  await member.logIn('member')
  await member.json('/api/login/second-step/sms', {})
  await service.restart('SIGKILL')
  assert.equal((await member.secondStep('sms', await smsCode(member))).result, 'verified')

  const { users } = await owner.json('/api/users')
  const { code } = await owner.json('/api/users/recovery-code', {
    user: users.find(({ email }) => email.startsWith('member')).id,
  })
  await service.restart('SIGKILL')
  await member.logIn('member')
  assert.equal((await member.secondStep('recovery_code', code)).result, 'verified')
})

test('T5: wrong codes stay counted after SIGKILL', async (t) => {
  const service = await startService(t)
  const { code } = await enrolledVisitor(service, 'member')
  const visitor = new Visitor(service)
  await visitor.logIn('member')
  const guess = code() === '000000' ? '000001' : '000000'
  const before = await visitor.secondStep('totp', guess)
  await service.restart('SIGKILL')
  assert.equal((await visitor.secondStep('totp', guess)).attemptsLeft, before.attemptsLeft - 1)
})

test('SIGTERM ends the service cleanly', async (t) => {
  const service = await startService(t)
  await new Visitor(service).logIn('member')
  assert.equal(await service.stop('SIGTERM'), 0)
})

test('T40: a record or a key that is lost or wrong never counts as no second factor', async (t) => {
  const service = await startService(t)
  const { code } = await enrolledVisitor(service, 'member')
  const keys = join(service.dataDir, 'keys.json')
  const rightKeys = readFileSync(keys)

  await service.stop()
  rmSync(keys)
  await assert.rejects(service.start(), /ended with 1/, 'the service does not start without the keys')

  writeFileSync(keys, JSON.stringify(await newKeys()))
  await service.start()
  const withOtherKeys = new Visitor(service)
  await withOtherKeys.logIn('member')
  assert.equal((await withOtherKeys.secondStep('totp', code())).status, 500)
  assert.equal((await withOtherKeys.json('/api/me')).status, 401)

  writeFileSync(keys, rightKeys)
  await service.restart()
  for (const record of ['', '{}', 'null', 'garbage']) {
    service.database((db) => db.prepare('UPDATE second_factor SET record = ?').run(record))
    const visitor = new Visitor(service)
    const answer = await visitor.logIn('member')
    assert.equal(answer.status, 500, JSON.stringify(record))
    assert.deepEqual(Object.keys(answer).toSorted(), ['code', 'result', 'status'], 'the answer holds only a code')
    assert.equal((await visitor.json('/api/me')).status, 401)
  }
})

test('T3: of 30 identical backup codes at once, from 30 logins, exactly one logs in', async (t) => {
  const service = await startService(t)
  const { backupCodes } = await enrolledVisitor(service, 'member')
  const visitors = []
  for (let i = 0; i < 30; i += 1) {
    const visitor = new Visitor(service)
    await visitor.logIn('member')
    visitors.push(visitor)
  }
  const answers = await Promise.all(visitors.map((visitor) => visitor.secondStep('backup_code', backupCodes[0])))
  assert.equal(
    answers.filter(({ result }) => result === 'verified').length,
    1,
    JSON.stringify(answers.map(({ result }) => result)),
  )
  const inside = await Promise.all(visitors.map(async (visitor) => (await visitor.json('/api/me')).status))
  assert.equal(inside.filter((status) => status === 200).length, 1)
})

test('T3: of 30 identical codes at once, from one session, exactly one logs in', async (t) => {
  const service = await startService(t)
  const { backupCodes, code } = await enrolledVisitor(service, 'member')
  for (const [method, show] of [
    ['backup_code', () => backupCodes[0]],
    ['totp', code],
  ]) {
    const visitor = new Visitor(service)
    await visitor.logIn('member')
    const value = typeof show === 'function' && show()
    const copies = Array.from({ length: 30 }, () => visitor.copy())
    const answers = await Promise.all(copies.map((copy) => copy.secondStep(method, value)))
    assert.equal(
      answers.filter(({ result }) => result === 'verified').length,
      1,
      JSON.stringify(answers.map(({ result }) => result)),
    )
    service.advance(3601)
  }
})

test('T4: of 100 wrong codes at once, no more are tried than before a wait', async (t) => {
  const service = await startService(t)
  const { code } = await enrolledVisitor(service, 'member')
  const visitor = new Visitor(service)
  await visitor.logIn('member')
  const guess = code() === '000000' ? '000001' : '000000'
  const first = await visitor.secondStep('totp', guess)
  const answers = await Promise.all(Array.from({ length: 100 }, () => visitor.copy().secondStep('totp', guess)))
  const tried = answers.filter(({ result }) => result === 'wrong').length
  assert.ok(tried <= first.attemptsLeft, `${tried} were tried, ${first.attemptsLeft} were left`)
})

test('T11, T12, T32: no code, secret or number can be read in the database, in any encoding', async (t) => {
  const service = await startService(t)
  const { visitor, secret, backupCodes } = await freshVisitor(service, 'member')
  const { visitor: owner } = await freshVisitor(service, 'owner')
  await visitor.json('/api/security/sms', { number: '0412 345 678' })
  const smsSetUp = await smsCode(visitor)
  assert.equal((await visitor.json('/api/security/sms/confirm', { code: smsSetUp })).result, 'enrolled')
  service.advance(60)
  const pending = new Visitor(service)
  await pending.logIn('member')
  await pending.json('/api/login/second-step/sms', {})
  const smsLogin = await smsCode(pending)
  const { users } = await owner.json('/api/users')
  const recovery = await owner.json('/api/users/recovery-code', {
    user: users.find(({ email }) => email.startsWith('member')).id,
  })
  assert.equal(recovery.result, 'recovery_code', JSON.stringify(recovery))

  const records = service.database((db) => db.prepare('SELECT * FROM second_factor').all())
  assert.equal(records.length, 2)
  for (const value of records.flatMap(Object.values).filter((each) => typeof each === 'string')) {
    assert.notEqual(
      (await pending.secondStep('backup_code', value)).result,
      'verified',
      'T12: a stored value is no code',
    )
  }

  // The outbox stands for people's phones, so it is emptied. A thief would get the rest of the file.
  await service.stop()
  service.database((db) => {
    db.exec('PRAGMA secure_delete = ON; DELETE FROM outbox; VACUUM')
  })
  const file = readFileSync(service.databaseFile)
  assert.ok(file.includes('member@acme.example'), 'the search sees the raw file')
  const secrets = {
    'authenticator secret': [secret, base32Bytes(secret)],
    'phone number': ['+61412345678', '61412345678', '0412345678', '412345678', '412 345 678'],
    'SMS code': [smsSetUp, smsLogin],
    'recovery code': [recovery.code, recovery.code.replaceAll(/[^0-9A-Za-z]/g, '')],
    'backup code': backupCodes.flatMap((code) => [code, code.replaceAll(/[^0-9A-Za-z]/g, '')]),
  }
  for (const [name, values] of Object.entries(secrets)) {
    for (const value of values) {
      for (const [encoding, bytes] of encodings(value)) {
        assert.ok(!holds(file, bytes), `a ${name} is in the database (${encoding})`)
      }
    }
  }
})

test('T32: the audit log and the pages hold no secret', async (t) => {
  const service = await startService(t)
  const { visitor: owner, secret, backupCodes } = await freshVisitor(service, 'owner')
  const { events } = await owner.json('/api/audit')
  assert.ok(events.length > 0)
  const text = JSON.stringify(events) + (await owner.page('/security')).text + (await owner.page('/audit')).text
  for (const value of [secret, ...backupCodes]) assert.ok(!text.includes(value))
  assert.doesNotMatch(text, /eyJ/, 'no ticket and no pass')
})

test('the audit log shows an owner the user, the action and the address, of this account only', async (t) => {
  const service = await startService(t)
  await enrolledVisitor(service, 'member', '198.51.100.9')
  const owner = new Visitor(service)
  await owner.logIn('owner')
  service.database((db) =>
    db
      .prepare('INSERT INTO events (user, event) VALUES (?, ?)')
      .run('stranger', JSON.stringify({ event: 'login_allowed', user: 'stranger', at: service.now })),
  )
  const { events } = await owner.json('/api/audit')
  const added = events.find(({ event }) => event === 'factor_added')
  const { factor, ...facts } = added
  assert.deepEqual([Object.keys(factor), factor.name], [['id', 'name'], 'Authenticator app'])
  assert.deepEqual(facts, {
    v: 1,
    account: 'acme',
    event: 'factor_added',
    user: 'member@acme.example',
    method: 'totp',
    ip: '198.51.100.9',
    at: service.now - 30,
  })
  assert.deepEqual([...new Set(events.map(({ user }) => user))].toSorted(), [
    'member@acme.example',
    'owner@acme.example',
  ])
})

test('attempts during a lock do not push other events off the audit log', async (t) => {
  const service = await startService(t)
  await enrolledVisitor(service, 'member')
  const attacker = new Visitor(service)
  await attacker.logIn('member')
  for (let i = 0; i < 30; i += 1) await attacker.secondStep('totp', '000000')
  const owner = new Visitor(service)
  await owner.logIn('owner')
  const { events } = await owner.json('/api/audit')
  const locked = events.filter(({ event }) => event === 'attempt_while_locked')
  assert.equal(locked.length, 1)
  assert.ok(locked[0].times >= 20, JSON.stringify(locked))
  assert.ok(events.some(({ event }) => event === 'factor_added'))
  assert.match((await owner.page('/audit')).text, /Authenticator app, “Authenticator app”/)
  assert.match((await owner.page('/audit')).text, new RegExp(`${locked[0].times} times`))
})

test('only the service can read the keys', async (t) => {
  const service = await startService(t)
  assert.equal(statSync(join(service.dataDir, 'keys.json')).mode & 0o777, 0o600)
})

/** Finds bytes in the file. Digits count only without neighbouring digits, because a time may contain any six. */
function holds(file, bytes) {
  const isDigit = (byte) => byte >= 0x30 && byte <= 0x39
  for (let at = file.indexOf(bytes); at !== -1; at = file.indexOf(bytes, at + 1)) {
    if (!bytes.every(isDigit)) return true
    if (!isDigit(file[at - 1]) && !isDigit(file[at + bytes.length])) return true
  }
  return false
}

function encodings(value) {
  const bytes = Buffer.from(value)
  const found = [
    ['plain', bytes],
    ['hex', Buffer.from(bytes.toString('hex'))],
  ]
  if (typeof value === 'string') found.push(['lower case', Buffer.from(value.toLowerCase())])
  // Base64 of a value differs by its position modulo three, and its first and last symbols depend on the neighbours.
  for (const before of [0, 1, 2]) {
    const text = Buffer.concat([Buffer.alloc(before), bytes]).toString('base64')
    const middle = text
      .slice(before === 0 ? 0 : before + 1)
      .replace(/=+$/, '')
      .slice(0, -1)
    for (const variant of new Set([middle, middle.replaceAll('+', '-').replaceAll('/', '_')])) {
      found.push([`base64 after ${before}`, Buffer.from(variant)])
    }
  }
  return found
}

function base32Bytes(text) {
  const bits = [...text]
    .map((symbol) => 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'.indexOf(symbol).toString(2).padStart(5, '0'))
    .join('')
  return Buffer.from(bits.match(/.{8}/g).map((byte) => parseInt(byte, 2)))
}
