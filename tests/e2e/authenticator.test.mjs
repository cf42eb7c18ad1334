// An authenticator app and the backup codes, from set-up to login.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  authenticatorCode,
  enrolledVisitor,
  freshVisitor,
  readQrCode,
  smsCode,
  startService,
  Visitor,
} from './support.mjs'

const codesOn = (page) => [...page.matchAll(/<li><code>([^<]+)<\/code>/g)].map(([, code]) => code)

test('S1, S4, S6: with pages only: scan the QR code, confirm, get ten backup codes, log out, log in', async (t) => {
  const service = await startService(t)
  const person = new Visitor(service)
  await person.page('/login')
  const home = await person.page('/login', {
    email: 'member@acme.example',
    password: 'member-demo-password',
    next: '/',
  })
  assert.match(home.text, /Welcome, member@acme\.example/)
  assert.match(home.text, /Set up two-factor authentication/)

  await person.page('/security')
  const setUp = await person.page('/security/totp', {})
  const uri = new URL(readQrCode(setUp.text))
  assert.equal(uri.protocol, 'otpauth:')
  const secret = uri.searchParams.get('secret')
  assert.match(secret, /^[A-Z2-7]{32}$/)
  assert.equal(uri.searchParams.get('issuer'), 'Acme')
  const typed = /and type this: <code>([^<]+)</.exec(setUp.text)[1]
  assert.equal(typed.replaceAll(' ', ''), secret, 'the typed text and the picture hold the same secret')

  const notYet = await new Visitor(service).logIn('member')
  assert.equal(notYet.result, 'allowed', 'a set-up without a confirming code does not count')

  const wrong = await person.page('/security/totp/confirm', { code: authenticatorCode(secret, service.now - 3600) })
  assert.match(wrong.text, /That code is not right/)
  assert.equal(readQrCode(wrong.text), uri.href, 'P3: the picture stays')

  const enrollmentCode = authenticatorCode(secret, service.now)
  const on = await person.page('/security/totp/confirm', { code: enrollmentCode })
  assert.match(on.text, /Two-factor authentication is on/)
  assert.equal(new Set(codesOn(on.text)).size, 10)
  const [, codes] = /action="\/security\/backup-codes\/download"[^]*?name="codes" value="([^"]+)"/.exec(on.text)
  const file = await person.page('/security/backup-codes/download', { codes })
  assert.equal(file.headers.get('content-disposition'), 'attachment; filename=backup-codes.txt')
  assert.match(file.headers.get('content-type'), /^text\/plain/)
  assert.deepEqual(file.text.match(/[0-9A-Z]{4}(?:-[0-9A-Z]{4}){3}/g), codesOn(on.text))
  assert.match(file.text, /Acme[^]*member@acme\.example/)
  assert.match((await person.page('/security')).text, /10 of 10 left/, 'the session that set the app up goes on')

  const out = await person.page('/logout', {})
  assert.equal(out.path, '/login')
  assert.equal(person.cookies.size, 0)

  const step = await person.page('/login', {
    email: 'member@acme.example',
    password: 'member-demo-password',
    next: '/security',
  })
  assert.equal(step.path, '/login/second-step')
  assert.match(step.text, /autocomplete="one-time-code" inputmode="numeric"/)

  const replayed = await person.page('/login/second-step', { method: 'totp', code: enrollmentCode })
  assert.match(replayed.text, /was used already/, 'T1: the code that confirmed the set-up does not log in')

  service.advance(30)
  const security = await person.page('/login/second-step', {
    method: 'totp',
    code: authenticatorCode(secret, service.now),
  })
  assert.equal(security.path, '/security')
  assert.match(security.text, /Authenticator app<\/h2> <span class="state good">On<\/span>/)
})

test('the downloaded file holds codes and no other text', async (t) => {
  const service = await startService(t)
  const { visitor, backupCodes } = await enrolledVisitor(service, 'member')
  await visitor.page('/security')
  for (const codes of [
    '',
    'hello',
    `${backupCodes[0]}\n`,
    `${backupCodes[0]} <script>`,
    backupCodes[0].toLowerCase(),
    Array(14).fill(backupCodes[0]).join(' '),
  ]) {
    assert.equal((await visitor.page('/security/backup-codes/download', { codes })).status, 400, JSON.stringify(codes))
  }
  const foreign = await visitor.request('POST', '/security/backup-codes/download', {
    headers: { origin: 'https://evil.example', 'content-type': 'application/x-www-form-urlencoded' },
    body: new URLSearchParams({ form_token: visitor.formToken, codes: backupCodes[0] }).toString(),
  })
  assert.equal(foreign.status, 403)
})

test('T1: a code that logged in does not log in again, in any spelling', async (t) => {
  const service = await startService(t)
  const { code } = await enrolledVisitor(service, 'member')
  const used = code()
  const first = new Visitor(service)
  await first.logIn('member')
  assert.equal((await first.secondStep('totp', used)).result, 'verified')

  const second = new Visitor(service)
  await second.logIn('member')
  for (const spelling of [used, ` ${used}`, `${used.slice(0, 3)} ${used.slice(3)}`]) {
    assert.equal((await second.secondStep('totp', spelling)).result, 'already_used')
  }
  assert.equal((await second.json('/api/me')).status, 401)
})

test('T2, T13, T30, T37: a text that is no code is malformed or refused, and logs nobody in', async (t) => {
  const service = await startService(t)
  const { code } = await enrolledVisitor(service, 'member')
  const visitor = new Visitor(service)
  await visitor.logIn('member')
  const fullWidth = [...code()].map((digit) => String.fromCodePoint(0xff10 + Number(digit))).join('')
  for (const value of [
    '',
    null,
    [],
    {},
    0,
    Number(code()),
    [code()],
    true,
    '12345',
    '1234567',
    fullWidth,
    'x'.repeat(10_000),
  ]) {
    const answer = await visitor.secondStep('totp', value)
    assert.equal(answer.status, 400, JSON.stringify(value))
    assert.ok(answer.result === 'malformed' || answer.result === 'error', JSON.stringify(answer))
  }
  for (const method of ['', null, 'TOTP', 'password', '__proto__', ['totp']]) {
    assert.notEqual((await visitor.secondStep(method, code())).result, 'verified', JSON.stringify(method))
  }
  assert.equal((await visitor.secondStep('totp', code())).result, 'verified', 'none of this was counted')
})

test('S7: a backup code logs in once, and the pages offer it', async (t) => {
  const service = await startService(t)
  const { backupCodes } = await enrolledVisitor(service, 'member')
  const person = new Visitor(service)
  const login = { email: 'member@acme.example', password: 'member-demo-password' }
  const step = await person.page('/login', login)
  assert.match(step.text, /<a href="\/login\/second-step\?method=backup_code">Use backup code</)
  const backup = await person.page('/login/second-step?method=backup_code')
  assert.match(backup.text, /Use recovery code</)
  const told = await person.page('/login/second-step', { method: 'backup_code', code: backupCodes[3].toLowerCase() })
  assert.equal(told.path, '/login/arrival')
  assert.match(told.text, /href="\/">Later: go on/)
  assert.match((await person.page('/security')).text, /9 of 10 left/)

  const again = new Visitor(service)
  await again.logIn('member')
  assert.equal((await again.secondStep('backup_code', backupCodes[3])).result, 'wrong')
  assert.equal((await again.secondStep('backup_code', backupCodes[4])).backupCodesLeft, 8)
})

test('S4: codes are shown again and renewed only with a fresh factor; a new set ends the old one', async (t) => {
  const service = await startService(t)
  const { visitor, code, backupCodes } = await enrolledVisitor(service, 'member')
  service.advance(301)
  const ask = [
    await visitor.json('/api/security/backup-codes'),
    await visitor.json('/api/security/backup-codes/renew', {}),
  ]
  for (const refused of ask) {
    assert.equal(refused.status, 403)
    assert.equal(refused.reason, 'fresh_factor_required')
  }

  await visitor.page('/security')
  const asked = await visitor.page('/security/backup-codes')
  assert.match(asked.text, /Confirm it is you/)
  const step = await visitor.page('/security/fresh-factor', { next: '/security/backup-codes', own: 'yes' })
  assert.equal(step.path, '/login/second-step')
  assert.doesNotMatch(step.text, /Use backup code/, 'P1: what does not help is not offered')
  const shown = await visitor.page('/login/second-step', { method: 'totp', code: code() })
  assert.equal(shown.path, '/security/backup-codes', 'the step leads on to the codes')
  assert.deepEqual(codesOn(shown.text), backupCodes)
  const renewed = await visitor.page('/security/backup-codes/renew', {})
  const newCodes = codesOn(renewed.text)
  assert.equal(newCodes.length, 10)
  assert.ok(newCodes.every((each) => !backupCodes.includes(each)))

  const other = new Visitor(service)
  await other.logIn('member')
  assert.equal((await other.secondStep('backup_code', backupCodes[0])).result, 'wrong')
  assert.equal((await other.secondStep('backup_code', newCodes[0])).result, 'verified')
})

test('S4: backup codes are unconfirmed until the person presses "I have saved them", and a page of older codes confirms none', async (t) => {
  const service = await startService(t)
  const warning = /You have not said that you saved these codes/
  const setOn = (page) => /name="set" value="([^"]+)"/.exec(page.text)?.[1]
  const person = new Visitor(service)
  await person.logIn('member')
  await person.page('/security')
  const { secret } = await person.json('/api/security/totp', {})
  const code = () => authenticatorCode(secret.replaceAll(' ', ''), service.now)
  const on = await person.page('/security/totp/confirm', { code: code() })
  const first = setOn(on)
  assert.match((await person.page('/security')).text, warning, 'a reload of the page is no confirmation')

  // The login says so too, where the backup codes are the way that is chosen.
  service.advance(30)
  const other = new Visitor(service)
  await other.logIn('member')
  assert.match((await other.page('/login/second-step?method=backup_code')).text, warning)
  assert.doesNotMatch((await other.page('/login/second-step')).text, warning)

  const renewed = await person.page('/security/backup-codes/renew', {})
  const second = setOn(renewed)
  assert.notEqual(second, first)
  const late = await person.page('/security/backup-codes/confirm', { set: first })
  assert.match(late.text, /These backup codes no longer work/)
  assert.match((await person.page('/security')).text, warning)

  service.advance(3_600)
  assert.equal((await other.json('/api/security/backup-codes/confirm', { set: second })).status, 401, 'not logged in')
  assert.equal((await person.json('/api/security/backup-codes/confirm', {})).field, 'set')
  const astray = await person.page(
    '/security/backup-codes/confirm',
    { set: second, next: 'https://evil.example' },
    { follow: false },
  )
  assert.match(astray.location, /^\/\?said=/)
  const saved = await person.page('/security/backup-codes/confirm', { set: second })
  assert.match(saved.path, /^\/security\?said=/)
  assert.match(saved.text, /10 of 10 left/)
  assert.doesNotMatch(saved.text, warning)

  // Codes that are shown once more need no button.
  assert.equal((await person.showFactorAgain('totp', code())).result, 'verified')
  await person.page('/security')
  const shown = await person.page('/security/backup-codes')
  assert.deepEqual(codesOn(shown.text), codesOn(renewed.text))
  assert.doesNotMatch(shown.text, /I have saved them/)
  const again = new Visitor(service)
  await again.logIn('member')
  assert.doesNotMatch((await again.page('/login/second-step?method=backup_code')).text, warning)
})

test('T14: turning a factor off and setting another up need a fresh factor; five minutes later it is stale', async (t) => {
  const service = await startService(t)
  const { visitor, code } = await freshVisitor(service, 'member')
  service.advance(301)
  const [{ id: factor }] = (await visitor.json('/api/security')).status.methods
  const attempts = [
    ['/api/security/remove', { factor }],
    ['/api/security/totp', {}],
    ['/api/security/totp', { replaces: factor }],
    ['/api/security/sms', { number: '0412 345 678' }],
  ]
  for (const [path, body] of attempts) {
    assert.equal((await visitor.json(path, body)).reason, 'fresh_factor_required', String(path))
  }
  const other = new Visitor(service)
  await other.logIn('member')
  assert.equal(
    (await other.json('/api/security/remove', { factor })).status,
    401,
    'a session with the password alone is refused',
  )

  assert.equal((await visitor.showFactorAgain('totp', code())).result, 'verified')
  assert.equal((await visitor.json('/api/security/rename', { factor, name: 'Old phone' })).factor.name, 'Old phone')
  assert.equal((await visitor.json('/api/security/rename', { factor, name: '' })).field, 'name')
  const removed = await visitor.json('/api/security/remove', { factor })
  assert.equal(removed.result, 'removed')
  assert.deepEqual(removed.methodsLeft, [])
  assert.equal((await new Visitor(service).logIn('member')).result, 'allowed')
})

test('a set-up ends the other sessions of the same person', async (t) => {
  const service = await startService(t)
  const elsewhere = new Visitor(service)
  await elsewhere.logIn('member')
  assert.equal((await elsewhere.json('/api/me')).status, 200)
  const { visitor, code } = await enrolledVisitor(service, 'member')
  assert.equal((await elsewhere.json('/api/me')).status, 401, 'a session without a second factor')

  await elsewhere.logIn('member')
  await elsewhere.secondStep('totp', code())
  assert.equal((await elsewhere.json('/api/me')).status, 200)
  service.advance(30)
  await visitor.showFactorAgain('totp', code())
  await visitor.json('/api/security/sms', { number: '0412 345 678' })
  await visitor.json('/api/security/sms/confirm', { code: await smsCode(visitor) })
  assert.equal((await elsewhere.json('/api/me')).status, 401, 'a session with a second factor')
  assert.equal((await visitor.json('/api/me')).status, 200)
})

test('T6: wrong codes start a wait, which a new login, another method or another address does not end', async (t) => {
  const service = await startService(t)
  const { code, backupCodes } = await enrolledVisitor(service, 'member')
  const guesser = new Visitor(service, '203.0.113.66')
  await guesser.logIn('member')
  const stale = '000000' === code() ? '000001' : '000000'
  let answer
  for (let i = 0; i < 20 && answer?.result !== 'locked'; i += 1) answer = await guesser.secondStep('totp', stale)
  assert.equal(answer.result, 'locked')
  assert.equal(answer.status, 429)
  assert.ok(answer.retryAt > service.now)

  const elsewhere = new Visitor(service, '192.0.2.77')
  await elsewhere.logIn('member')
  assert.equal((await elsewhere.secondStep('totp', code())).result, 'locked')
  assert.equal((await elsewhere.secondStep('backup_code', backupCodes[0])).result, 'locked')
  service.advance(answer.retryAt - service.now + 1)
  const later = new Visitor(service)
  await later.logIn('member')
  assert.equal((await later.secondStep('totp', code())).result, 'verified')
})
