// Cases P1 to P17 of pages that failed in the field, as far as no browser is needed. Each stands for a kind.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  authenticatorCode,
  countSms,
  enrolledVisitor,
  freshVisitor,
  lastSms,
  smsCode,
  startService,
  Visitor,
} from './support.mjs'

const member = { email: 'member@acme.example', password: 'member-demo-password' }

/** A visitor at the second step, by pages. */
async function atSecondStep(service) {
  const visitor = new Visitor(service)
  await visitor.page('/login')
  await visitor.page('/login', member)
  return visitor
}

test('P5: where few tries are left, and while a person waits, the page says that older wrong codes count', async (t) => {
  const service = await startService(t)
  await enrolledVisitor(service, 'member')
  const visitor = await atSecondStep(service)
  const texts = []
  for (let i = 0; i < 5; i += 1)
    texts.push((await visitor.page('/login/second-step', { method: 'totp', code: '000000' })).text)
  const counts = /Wrong codes of the last days count as well/
  assert.doesNotMatch(texts[0], counts)
  assert.match(texts[3], counts)
  const { text } = await visitor.page('/login/second-step', { method: 'totp', code: '000000' })
  assert.match(text, /Too many wrong codes; those of the last days count as well\. Wait, and try again at/)
})

test('P7: an SMS that is refused says the true reason', async (t) => {
  const service = await startService(t)
  const { visitor } = await freshVisitor(service, 'member')
  await visitor.page('/security')
  await visitor.page('/security/sms', { number: '0412 345 678' })
  await visitor.page('/security/sms/confirm', { code: await smsCode(visitor) })
  const login = await atSecondStep(service)
  for (let i = 0; i < 6; i += 1) await login.page('/login/second-step', { method: 'totp', code: '000000' })
  const refused = await login.page('/login/second-step/sms', {})
  assert.match(refused.text, /No SMS was sent: too many wrong codes were typed\. Wait until/)
  service.advance(3_700)
  const other = await atSecondStep(service)
  await other.page('/login/second-step/sms', {})
  const early = await other.page('/login/second-step/sms', {})
  assert.match(
    early.text,
    /No SMS was sent: there must be half a minute between two, and the last one may still be on its way/,
  )
})

test('P8: a phone whose clock is slow is told by how many minutes, at a login and at a set-up, and is charged', async (t) => {
  const service = await startService(t)
  const { secret, code } = await enrolledVisitor(service, 'member')
  service.advance(3_600)
  const visitor = await atSecondStep(service)
  const slow = () => authenticatorCode(secret, service.now - 180)
  const told = await visitor.page('/login/second-step', { method: 'totp', code: slow() })
  assert.match(told.text, /That code was right 3 minutes ago\. If your phone shows it now, its clock is slow/)
  assert.match(told.text, /4 more tries/, 'it is charged as any wrong code')
  const later = authenticatorCode(secret, service.now + 180)
  const wrong = await visitor.page('/login/second-step', { method: 'totp', code: later })
  assert.match(wrong.text, /Is the clock of your phone right\?/)
  assert.doesNotMatch(wrong.text, /minutes? ago/, 'a later code is not told')
  assert.equal((await visitor.page('/login/second-step', { method: 'totp', code: code() })).path, '/')

  const other = new Visitor(service)
  await other.page('/login')
  await other.page('/login', { email: 'colleague@acme.example', password: 'colleague-demo-password' })
  await other.page('/security')
  const { text } = await other.page('/security/totp', {})
  const [, typed] = /and type this: <code>([^<]+)</.exec(text)
  const early = authenticatorCode(typed.replaceAll(' ', ''), service.now - 120)
  assert.match((await other.page('/security/totp/confirm', { code: early })).text, /That code was right 2 minutes ago/)
})

test('P11: a number with a digit too few or too many is refused before anything is sent, and the page says which', async (t) => {
  const service = await startService(t)
  const visitor = new Visitor(service)
  await visitor.page('/login')
  await visitor.page('/login', member)
  await visitor.page('/security')
  for (const [number, sentence] of /** @type {[string, RegExp][]} */ ([
    ['0412 345 67', /A digit is missing[^<]*No SMS was sent/],
    ['+61 412 345 67', /A digit is missing[^<]*No SMS was sent/],
    ['0412 345 6789', /There is a digit too many[^<]*No SMS was sent/],
    ['hello', /Please type an Australian mobile number/],
    ['+44 7911 123456', /Australian mobile numbers only/],
  ])) {
    const { text } = await visitor.page('/security/sms', { number })
    assert.match(text, sentence, number)
    assert.ok(text.includes(`value="${number}"`), 'the field keeps what was typed')
  }
  assert.equal(await countSms(visitor), 0)
})

test('P14: a backup code in the field of the app is asked for in its own field, and no try is lost', async (t) => {
  const service = await startService(t)
  const { backupCodes } = await enrolledVisitor(service, 'member')
  const visitor = await atSecondStep(service)
  for (const code of [backupCodes[0], backupCodes[0].toLowerCase().replaceAll('-', ' ')]) {
    const told = await visitor.page('/login/second-step', { method: 'totp', code })
    assert.match(told.text, /That is a backup code\. Type it here, and go on/)
    assert.match(told.text, /name="long_code"/)
  }
  assert.equal(
    (await visitor.page('/login/second-step', { method: 'backup_code', long_code: backupCodes[0] })).path,
    '/login/arrival',
  )
})

test('P10: a recovery code, and one of the last backup codes, are told before the login goes on', async (t) => {
  const service = await startService(t)
  const { visitor, backupCodes } = await enrolledVisitor(service, 'member')
  for (const code of backupCodes.slice(0, 6)) {
    const login = await atSecondStep(service)
    const { text } = await login.page('/login/second-step', { method: 'backup_code', long_code: code })
    assert.doesNotMatch(text, /codes are left/, code)
  }
  const seventh = new Visitor(service)
  await seventh.page('/login')
  await seventh.page('/login', { ...member, next: '/security' })
  const told = await seventh.page('/login/second-step', { method: 'backup_code', long_code: backupCodes[6] })
  assert.equal(told.path, '/login/arrival')
  assert.match(told.text, /3 backup codes are left\. Make a new set soon[\s\S]*href="\/security">Later: go on/)
  assert.match((await seventh.page('/')).text, /3 backup codes are left/, 'the first page says so as well')
  const [mail] = (await visitor.json('/api/outbox')).messages
  assert.match(`${mail.subject} ${mail.message}`, /3/, 'and so does the notice')
})

test('a trusted browser logs in by the password, until it is trusted no longer', async (t) => {
  const service = await startService(t)
  const { code } = await enrolledVisitor(service, 'member')
  const visitor = await atSecondStep(service)
  await visitor.page('/login/second-step', { method: 'totp', code: code(), trust: 'yes' })
  const trusted = [...visitor.cookies.keys()].filter((name) => name.startsWith('trusted-browser-'))
  assert.equal(trusted.length, 1)
  await visitor.page('/logout', {})
  await visitor.page('/login', { email: 'colleague@acme.example', password: 'colleague-demo-password' })
  assert.ok(visitor.cookies.has(trusted[0]), 'somebody else on this browser does not end the trust')
  await visitor.page('/logout', {})
  service.advance(60)
  const home = await visitor.page('/login', member)
  assert.equal(home.path, '/', 'no code is asked for')
  const stranger = await atSecondStep(service)
  assert.equal((await stranger.page('/')).path, '/login/second-step')

  const security = await visitor.page('/security')
  assert.match(security.text, /Trusted browsers/)
  // Its pass changes nothing without a code.
  const [, id] = /name="browser" value="([^"]+)"/.exec(security.text)
  const codes = await visitor.page('/security/backup-codes')
  assert.match(codes.text, /Confirm it is you/)
  await visitor.page('/security/browsers/remove', { browser: id })
  await visitor.page('/logout', {})
  assert.equal((await visitor.page('/login', member)).path, '/login/second-step')
})

test('a person sees the open sessions and logs out elsewhere', async (t) => {
  const service = await startService(t)
  const { visitor, code } = await enrolledVisitor(service, 'member')
  const other = await atSecondStep(service)
  await other.page('/login/second-step', { method: 'totp', code: code() })
  const page = await visitor.page('/security')
  assert.match(page.text, /Log out elsewhere/)
  assert.equal([...page.text.matchAll(/>This browser</g)].length, 1)
  const ended = await visitor.page('/security/sessions/end-others', {})
  assert.match(ended.text, /All other browsers are logged out/)
  assert.match(ended.text, /You are logged in nowhere else/)
  assert.match((await other.page('/')).path, /^\/login/)
})

test('own activity shows the events of oneself, in plain words, and of nobody else', async (t) => {
  const service = await startService(t)
  const { visitor } = await enrolledVisitor(service, 'member')
  await enrolledVisitor(service, 'owner')
  const { text } = await visitor.page('/security/activity')
  assert.match(text, /Second factor added/)
  assert.equal([...text.matchAll(/Second factor added/g)].length, 1)
  assert.doesNotMatch(text, /[a-z]+_[a-z]+</, 'no name of a program')
})

test('German pages, SMS and mails, by Accept-Language and by choice', async (t) => {
  const service = await startService(t)
  const visitor = new Visitor(service)
  const german = { headers: { 'accept-language': 'de-AT,de;q=0.9,en;q=0.5' } }
  assert.match((await visitor.request('GET', '/login', german)).text, /<html lang="de"/)
  const elsewhere = { headers: { 'accept-language': 'fr' } }
  assert.match(
    (await visitor.request('GET', '/login', elsewhere)).text,
    /<html lang="en"/,
    'a language that is not here',
  )
  const chosen = await visitor.page('/language', { language: 'de', next: '/login' })
  assert.match(chosen.text, /<h1>Anmelden<\/h1>/)
  await visitor.page('/login', member)
  await visitor.page('/security')
  const sent = await visitor.page('/security/sms', { number: '0412 345 678' })
  assert.match(sent.text, /Wir haben einen Code an \+61 412 345 678 gesendet/)
  const { message } = await lastSms(visitor)
  assert.match(message, /^\d{6} [^]*\n\n@localhost #\d{6}$/)
  assert.doesNotMatch(message, /valid/)
  await visitor.page('/security/sms/confirm', { code: await smsCode(visitor) })
  const { messages } = await visitor.json('/api/outbox')
  assert.match(messages.find(({ kind }) => kind === 'mail').subject, /hinzugefügt|eingerichtet/)
  const back = await visitor.page('/language', { language: 'en', next: '//evil.example' }, { follow: false })
  assert.equal(back.location, '/')
})

test('what the login page tells someone without a session is read as if a stranger had written it', async (t) => {
  const service = await startService(t)
  for (const value of [
    '',
    'x',
    '%7B',
    Buffer.from('{"told":{"result":"<script>"}}').toString('base64url'),
    Buffer.from('null').toString('base64url'),
  ]) {
    const visitor = new Visitor(service)
    visitor.cookies.set('said', value)
    const page = await visitor.page('/login?said=login')
    assert.equal(page.status, 200, value)
    assert.doesNotMatch(page.text, /role="alert"/)
  }
  const visitor = new Visitor(service)
  const typed = { told: { result: 'wrong_password' }, typed: { email: '"><script>alert(1)</script>' } }
  visitor.cookies.set('said', Buffer.from(JSON.stringify(typed)).toString('base64url'))
  assert.doesNotMatch((await visitor.page('/login?said=login')).text, /<script>alert/)
})
