// Each page says what is done, and leads on: after a backup code, a set-up, a new password, a wrong code from an SMS.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  authenticatorCode,
  enrolledVisitor,
  freshVisitor,
  lastSms,
  passwords,
  smsCode,
  startService,
  Visitor,
} from './support.mjs'

const loginOf = (name, password = passwords[name]) => ({ email: `${name}@acme.example`, password })

const heading = ({ text }) => /<h1>(.*?)<\/h1>/.exec(text)?.[1]

/** The notice of a success. */
const done = ({ text }) =>
  /<div class="notice good" role="status">.*?<div>([^<]*)<\/div>/s.exec(text)?.[1] ?? 'no success is told'

/** The notice of something to know. */
const told = ({ text }) => /<div class="notice info" role="status">.*?<div>(.*?)<\/div>/s.exec(text)?.[1]

/** The sentence of the alert on top of a page. */
const problem = ({ text }) => /<div id="problem"[^>]*role="alert">.*?<div>(.*?)<\/div>/s.exec(text)?.[1]

const secretOn = ({ text }) => /<code>([A-Z2-7 ]{16,})<\/code>/.exec(text)[1].replaceAll(' ', '')

test('a backup code leads to moving the app to another phone, which keeps its name', async (t) => {
  const service = await startService(t)
  const { visitor, backupCodes, code } = await freshVisitor(service, 'member')
  const [app] = (await visitor.page('/security')).text.match(/(?<=go=replace-|name="factor" value=")[\w-]{12}/g)
  await visitor.json('/api/security/rename', { factor: app, name: 'Old phone' })

  const other = new Visitor(service)
  await other.page('/login', loginOf('member'))
  const arrival = await other.page('/login/second-step', { method: 'backup_code', long_code: backupCodes[0] })
  assert.equal(arrival.path, '/login/arrival')
  assert.match(arrival.text, /You logged in with a backup code\. If you no longer have your phone/)
  assert.doesNotMatch(arrival.text, /backup codes are left/, 'there are many')
  const [, link] = /href="(\/security\?go=replace-[^"]+)"/.exec(arrival.text)
  await other.page(link)
  const setUp = await other.page('/security/totp', { replaces: app })
  assert.match(setUp.text, /This takes the place of “Old phone”/)
  const secret = secretOn(setUp)
  const replaced = await other.page('/security/totp/confirm', { code: authenticatorCode(secret, service.now) })
  assert.equal(replaced.path.split('?')[0], '/security')
  assert.match(done(replaced), /The new one is set up and keeps the name\. The old one logs you in no longer/)
  assert.match(replaced.text, /<h3>Old phone<\/h3>/)
  assert.doesNotMatch(replaced.text, /<h3>Authenticator app<\/h3>/)

  // Back to the set-up that is done.
  const back = await other.page('/security/totp')
  assert.match(done(back), /Your app is set up already/)
  assert.doesNotMatch(back.text, /Begin again/)
  service.advance(30)
  const third = new Visitor(service)
  await third.page('/login', loginOf('member'))
  assert.match(problem(await third.page('/login/second-step', { method: 'totp', code: code() })), /not right/)
})

test('a backup code of a person with two apps leads to the choice of the one that is lost', async (t) => {
  const service = await startService(t)
  const { visitor, backupCodes, code } = await freshVisitor(service, 'member')
  const started = await visitor.json('/api/security/totp', { name: 'Tablet' })
  const secret = started.secret.replaceAll(' ', '')
  await visitor.json('/api/security/totp/confirm', { code: authenticatorCode(secret, service.now) })

  const other = new Visitor(service)
  await other.page('/login', loginOf('member'))
  const arrival = await other.page('/login/second-step', { method: 'backup_code', long_code: backupCodes[0] })
  const [, link] = /href="(\/security[^"]*)">Move to another phone/.exec(arrival.text)
  const choice = await other.page(link)
  assert.match(told(choice), /Find the app that is on the lost phone, and press “Move to another phone” below its name/)
  assert.match(choice.text, /<ul class="factors" tabindex="-1" autofocus aria-labelledby="totp">\s*<li>/)
  assert.equal(choice.text.match(/<button>Move to another phone/g).length, 2)
  assert.equal(choice.text.match(/ autofocus/g).length, 1)
  assert.equal(told(await other.page('/security')), undefined)

  // The same way, from the question for a code that a backup code does not answer.
  service.advance(600)
  const asked = await visitor.page('/confirm?next=%2Fsecurity%2Fbackup-codes&own=yes')
  assert.match(asked.text, /href="\/security\?go=lost">put a new app in its place/)

  // Without any app, the number is the one to choose.
  service.advance(600)
  await visitor.showFactorAgain('totp', code())
  await visitor.page('/security')
  await visitor.page('/security/sms', { number: '0412 345 678' })
  await visitor.page('/security/sms/confirm', { code: await smsCode(visitor) })
  const { status } = await visitor.json('/api/security')
  for (const { id, method } of status.methods)
    if (method === 'totp') await visitor.json('/api/security/remove', { factor: id })
  assert.match(told(await visitor.page('/security?go=lost')), /Find the number that you no longer have/)
})

test('after a wrong code from an SMS the page keeps the number, the countdown and the outbox', async (t) => {
  const service = await startService(t)
  const visitor = new Visitor(service)
  await visitor.page('/login', loginOf('member'))
  await visitor.page('/security')
  await visitor.page('/security/sms', { number: '0412 345 678' })
  const codes = await visitor.page('/security/sms/confirm', { code: await smsCode(visitor) })
  assert.equal(heading(codes), 'Two-factor authentication is on')
  service.advance(60)

  const other = new Visitor(service)
  await other.page('/login', loginOf('member'))
  assert.match((await other.page('/login/second-step')).text, /We can send a code to •••• 678/)
  await other.page('/login/second-step/sms', {})
  const right = await smsCode(other)
  const wrong = await other.page('/login/second-step', {
    method: 'sms',
    code: right === '000000' ? '111111' : '000000',
  })
  assert.match(problem(wrong), /not right/)
  for (const page of [wrong, await other.page('/login/second-step')]) {
    assert.match(page.text, /We sent a code to •••• 678/)
    assert.match(page.text, /data-wait="[1-9]/)
    assert.match(page.text, /href="\/outbox"/)
    assert.match(page.text, /name="code"/)
  }
  const early = await other.page('/login/second-step/sms', {})
  assert.match(problem(early), /the last one may still be on its way/)
  assert.equal((await other.page('/login/second-step', { method: 'sms', code: right })).path, '/')

  const { text } = await other.page('/security/activity')
  assert.match(text, /SMS refused<\/div><\/td>\s*<td[^>]*><div>the last one was sent just before, from/)
})

test('a new password logs out elsewhere, ends the trust of browsers, and stands in the trail', async (t) => {
  const service = await startService(t)
  const { visitor, code } = await freshVisitor(service, 'member')
  const other = new Visitor(service)
  await other.page('/login', loginOf('member'))
  await other.page('/login/second-step', { method: 'totp', code: code(), trust: 'yes' })
  service.advance(30)
  const next = 'a few words in a row'

  await visitor.page('/security')
  const change = (fields) => visitor.page('/security/password', fields)
  assert.match(problem(await change({ password: 'x', new_password: 'too short' })), /15 to 128 characters/)
  assert.match(problem(await change({ password: passwords.member, new_password: 'x'.repeat(129) })), /15 to 128/)
  assert.match(problem(await change({ password: next, new_password: next })), /your password already/)
  assert.match(problem(await change({ password: 'x', new_password: 'a'.repeat(20) })), /easy to guess/)
  const wrong = await change({ password: 'not it', new_password: next })
  assert.match(problem(wrong), /not your current password/)
  assert.match(wrong.text, /<details class="confirm" open>\s*<summary>Change password/)
  assert.match(wrong.text, /<input id="password" [^>]*"problem" aria-invalid="true"[^>]* autofocus/)
  assert.equal(wrong.text.match(/ autofocus| aria-invalid/g).length, 2, 'no other field')
  assert.match(wrong.text, /Two-factor authentication is on/, 'the notice from before stays')
  assert.equal(heading(await other.page('/')), 'Welcome, member@acme.example')

  const changed = await change({ password: passwords.member, new_password: next })
  assert.match(done(changed), /Your password is changed/)
  assert.doesNotMatch(changed.text, /Trusted browsers/)
  assert.equal((await visitor.page('/')).path, '/', 'this session goes on')
  const [mail] = (await visitor.json('/api/outbox')).messages
  assert.match(`${mail.subject}: ${mail.message}`, /password for Acme was changed: .* from the address 192\.0\.2\.10/s)
  const steps = ['/login', '/security', '/users'].map((path, index) => `${index + 1}\\. [^]*${service.origin}${path}\n`)
  assert.match(mail.message, new RegExp(`If this was not you:\n${steps.join('[^]*')}`))

  const ended = await other.page('/')
  assert.match(ended.path, /^\/login\?/)
  assert.match(problem(ended), /You are logged out/)
  assert.match(problem(await other.page('/login', loginOf('member'))), /password is not right/)
  assert.equal((await other.page('/login', loginOf('member', next))).path, '/login/second-step', 'and no trust')

  const { text } = await visitor.page('/security/activity')
  assert.match(text, /Password changed/)
  assert.match(text, /Wrong password/)

  // Without a code from just before, it is asked for first.
  service.advance(600)
  const asked = await change({ password: next, new_password: passwords.member })
  assert.match(asked.path, /^\/confirm\?next=%2Fsecurity%3Fgo%3Dpassword/)
})

test('a stranger is not told that a login ended', async (t) => {
  const service = await startService(t)
  const page = await new Visitor(service).page('/security')
  assert.match(page.path, /^\/login\?next=/)
  assert.equal(problem(page), undefined)
})

test('the trail of an account tells wrong passwords of its people, and of nobody else', async (t) => {
  const service = await startService(t)
  const { visitor: owner } = await freshVisitor(service, 'owner')
  const guesser = new Visitor(service, '203.0.113.66')
  for (let i = 0; i < 3; i += 1) await guesser.page('/login', loginOf('member', 'wrong'))
  await guesser.page('/login', loginOf('nobody', 'wrong'))
  const { events } = await owner.json('/api/audit?kind=wrong_password')
  assert.deepEqual(
    events.map(({ event, user, ip, times }) => [event, user, ip, times]),
    [['wrong_password', 'member@acme.example', '203.0.113.66', 3]],
  )
  const ocsf = await owner.page('/audit/export?format=ocsf&kind=wrong_password')
  const [line] = ocsf.text
    .trim()
    .split('\n')
    .map((text) => JSON.parse(text))
  assert.deepEqual([line.class_uid, line.activity_id, line.status_id, line.is_mfa], [3002, 1, 2, false])
})

test('this browser is marked in the list of trusted browsers', async (t) => {
  const service = await startService(t)
  const { visitor, code } = await enrolledVisitor(service, 'member')
  const trusting = async () => {
    const browser = new Visitor(service)
    await browser.page('/login', loginOf('member'))
    await browser.page('/login/second-step', { method: 'totp', code: code(), trust: 'yes' })
    service.advance(30)
    return browser
  }
  const [one, other] = [await trusting(), await trusting()]
  // The cookie changes at each login by it.
  await one.page('/logout', {})
  assert.equal((await one.page('/login', loginOf('member'))).path, '/')
  const marks = async (browser) => {
    const { text } = await browser.page('/security')
    const [, list] = /id="browsers".*?<ul class="factors">(.*?)<\/ul>/s.exec(text)
    return list
      .split('</li>')
      .slice(0, -1)
      .map((item) => item.includes('This browser'))
  }
  assert.deepEqual((await marks(one)).toSorted(), [false, true])
  assert.deepEqual(await marks(other), (await marks(one)).toReversed())
  assert.deepEqual(await marks(visitor), [false, false])
})

test('"Log out elsewhere" ends the trust of browsers too', async (t) => {
  const service = await startService(t)
  const { visitor, code } = await enrolledVisitor(service, 'member')
  const other = new Visitor(service)
  await other.page('/login', loginOf('member'))
  await other.page('/login/second-step', { method: 'totp', code: code(), trust: 'yes' })
  await visitor.page('/security')
  const ended = await visitor.page('/security/sessions/end-others', {})
  assert.match(done(ended), /No browser is trusted any longer/)
  assert.equal((await other.page('/login', loginOf('member'))).path, '/login/second-step')
  assert.match((await visitor.page('/security/activity')).text, /Logged out in all other browsers/)
})

test('an owner without a second factor is led to one, and back to the people', async (t) => {
  const service = await startService(t)
  const owner = new Visitor(service)
  await owner.page('/login', loginOf('owner'))
  const users = await owner.page('/users')
  assert.match(users.text, /you need a second factor of your own/)
  assert.doesNotMatch(users.text, /Generate recovery code/)
  const secret = secretOn(await owner.page('/security/totp', {}))
  const codes = await owner.page('/security/totp/confirm', { code: authenticatorCode(secret, service.now) })
  const [, next] = /name="next" value="([^"]+)"/.exec(codes.text)
  assert.equal(next, '/users')
  const [, set] = /name="set" value="([^"]+)"/.exec(codes.text)
  const back = await owner.page('/security/backup-codes/confirm', { set, next })
  assert.equal(back.path.split('?')[0], '/users')
  assert.match(done(back), /you have your backup codes/)
  assert.match(back.text, /Generate recovery code/)
})

test('the page of a recovery code says what this person does with it, and which code it replaces', async (t) => {
  const service = await startService(t)
  const { visitor: owner } = await freshVisitor(service, 'owner')
  await enrolledVisitor(service, 'member', '192.0.2.11')
  await owner.page('/users')
  const idOf = async (name) => (await owner.json(`/api/users?q=${name}@`)).users[0].id
  const page = async (path, name) => owner.page(path, { user: await idOf(name) })

  const first = await page('/users/recovery-code', 'colleague')
  assert.match(first.text, /Type the recovery code where it is asked for/)
  assert.doesNotMatch(first.text, /replaces it/)
  assert.match((await page('/users/recovery-code', 'colleague')).text, /This newer one replaces it/)

  const issued = await page('/users/recovery-code', 'member')
  assert.match(issued.text, /Choose “Use backup code”, then “Use recovery code”/)
  const code = /<code>([0-9A-Z-]{19})<\/code>/.exec(issued.text)[1]
  const person = new Visitor(service, '192.0.2.11')
  await person.page('/login', loginOf('member'))
  assert.equal(
    (await person.page('/login/second-step', { method: 'recovery_code', long_code: code })).path,
    '/login/arrival',
  )
  const after = await page('/users/reset', 'member')
  assert.doesNotMatch(after.text, /replaces it/, 'the earlier one was used')
  assert.match(after.text, /Type the recovery code where it is asked for/)
})

test('a form that comes after a logout in another tab is told of, and a first visit is not', async (t) => {
  const service = await startService(t)
  const { visitor } = await freshVisitor(service, 'member')
  await visitor.page('/security')
  const otherTab = visitor.copy()
  assert.equal(problem(await otherTab.page('/logout', {})), undefined)
  visitor.cookies = new Map(otherTab.cookies)
  const late = await visitor.page('/security/rename', { name: 'Tablet' })
  assert.match(late.path, /^\/login\?next=%2Fsecurity/)
  assert.match(problem(late), /You are logged out/)
  assert.equal(problem(await visitor.page('/security')), undefined)
})

test('a mistake in the networks is told as they are added, and a last day in a note counts', async (t) => {
  const service = await startService(t)
  const { visitor: owner } = await freshVisitor(service, 'owner')
  await owner.page('/policy')
  const base = { require: 'optional', firstFactor: 'recovery_code', name: 'Acme' }
  const wrong = await owner.page('/policy/draft', { ...base, allow: '203.0.113.0/24\n300.1.1.1', add: 'allow' })
  assert.match(problem(wrong), /In the allowed networks, <code>300\.1\.1\.1<\/code>: this is no network/)
  assert.match(wrong.text, /value="300\.1\.1\.1"[^>]*aria-invalid="true"[^>]*autofocus/)
  const rules = { ...base, require: 'some', outside: '300.1.1.1', add: 'outside' }
  const outside = problem(await owner.page('/policy/draft', rules))
  assert.match(outside, /^In “People who come from outside these networks”, <code>300\.1\.1\.1<\/code>: this is/)

  const added = await owner.page('/policy/draft', {
    ...base,
    'allow.network': '203.0.113.0/24',
    'allow.note': 'Office',
    'allow.until': '',
    allow: '198.51.100.0/24 # Branch until 2027-12-31',
    add: 'allow',
  })
  assert.equal(problem(added), undefined)
  assert.match(added.text, /value="198\.51\.100\.0\/24"[^>]*autofocus/)
  assert.doesNotMatch(added.text, /value="203\.0\.113\.0\/24"[^>]*autofocus/)
  assert.match(added.text, /name="allow\.note" value="Branch"/)
  assert.match(added.text, /name="allow\.until" type="date" value="2027-12-31"/)
})

test('an app is set up under rules about addresses, and a set-up that is open goes on with its key', async (t) => {
  const service = await startService(t)
  const { visitor: owner } = await freshVisitor(service, 'owner')
  const { base } = await owner.json('/api/policy')
  const rules = { require: 'optional', network: {}, allow: ['192.0.2.0/24'], deny: ['203.0.113.0/24'] }
  const saved = await owner.json('/api/policy', { ...rules, base, confirmed: true })
  assert.equal(saved.result, 'policy_saved', JSON.stringify(saved))
  const member = new Visitor(service)
  await member.page('/login', loginOf('member'))
  await member.page('/security')
  const first = secretOn(await member.page('/security/totp', {}))
  assert.equal(secretOn(await member.page('/security/totp')), first)
  await member.page('/security')
  assert.equal(secretOn(await member.page('/security/totp', {})), first, 'it may be in the app already')
  const code = authenticatorCode(first, service.now)
  assert.equal(heading(await member.page('/security/totp/confirm', { code })), 'Two-factor authentication is on')
})

test('a code is asked for before a form is filled, so that nothing typed is lost', async (t) => {
  const service = await startService(t)
  const { visitor, code } = await enrolledVisitor(service, 'member')
  service.advance(600)
  const stale = await visitor.page('/security')
  assert.doesNotMatch(stale.text, /name="new_password"|action="\/security\/rename"/)
  const [, next] = /name="next" value="(\/security\?go=password)"/.exec(stale.text)
  await visitor.page('/security/fresh-factor', { next })
  const fresh = await visitor.page('/login/second-step', { method: 'totp', code: code() })
  assert.match(fresh.text, /<details class="confirm" open>\s*<summary>Change password[^]*name="new_password"/)
  assert.match(fresh.text, /action="\/security\/rename"/)
})

test('another number for an SMS stays typed, and the page says when it can be sent to', async (t) => {
  const service = await startService(t)
  const visitor = new Visitor(service)
  await visitor.page('/login', loginOf('member'))
  await visitor.page('/security')
  await visitor.page('/security/sms', { number: '0412 345 679' })
  const another = await visitor.page('/security/sms?another')
  assert.match(told(another), /You can send a code to another number from <time .*: there must be half a minute/)
  assert.match(another.text, /data-wait="30">Send code/)
  const early = await visitor.page('/security/sms', { number: '0412 345 678' })
  assert.match(problem(early), /half a minute between two/)
  assert.doesNotMatch(early.text, /aria-invalid/, 'the number is no mistake')
  const short = await visitor.page('/security/sms', { number: '0412 345' })
  assert.match(problem(short), /A digit is missing/)
  assert.match(short.text, /name="number"[^>]*aria-invalid="true"/)
  assert.match(short.text, /data-wait="30">Send code/, 'the wait goes on')
  assert.match(early.text, /name="number"[^>]*value="0412 345 678"/)
  assert.match(early.text, /data-wait="[1-9]/)
  service.advance(30)
  const late = await visitor.page('/security/sms?another')
  assert.equal(told(late), undefined)
  assert.match(late.text, /<button>Send code/)
  assert.match((await visitor.page('/security/sms', { number: '0412 345 678' })).text, /\+61 412 345 678/)
})

test('an owner whom the saved policy asks for more is told both at the login', async (t) => {
  const service = await startService(t)
  const owner = new Visitor(service)
  await owner.page('/login', loginOf('owner'))
  await owner.page('/policy')
  const fields = { require: 'everyone', firstFactor: 'password', name: 'Acme' }
  const review = await owner.page('/policy', fields)
  assert.match(review.text, /This includes you/)
  const [, base] = /name="base" value="([^"]+)"/.exec(review.text)
  const login = await owner.page('/policy', { ...fields, base, confirmed: 'yes', force: 'yes' })
  assert.match(login.path, /^\/login\?next=%2Fpolicy&said=/)
  assert.match(problem(login), /The policy is saved\. It asks you for a second factor as well/)
  await owner.page('/login', { ...loginOf('owner'), next: '/policy' })
  const secret = secretOn(await owner.page('/login/set-up/totp', {}))
  const codes = await owner.page('/login/set-up/totp/confirm', { code: authenticatorCode(secret, service.now) })
  const [, set, next] = /name="set" value="(.*?)"><input type="hidden" name="next" value="(.*?)"/.exec(codes.text)
  assert.equal(next, '/policy')
  assert.match(done(await owner.page('/security/backup-codes/confirm', { set, next })), /you have your backup codes/)
})

test('each password has a button that shows it, which is there with a script only; no code has one', async (t) => {
  const service = await startService(t)
  const { visitor } = await freshVisitor(service, 'member')
  const fields = async (path) =>
    [
      ...(await visitor.page(path)).text.matchAll(
        /<input id="([^"]+)"[^>]*type="password"[^>]*autocomplete="([^"]+)"[^>]*>(.*)/g,
      ),
    ].map(([, id, autocomplete, rest]) => [
      id,
      autocomplete,
      /class="second scripted" aria-controls="([^"]+)"/.exec(rest)?.[1],
    ])
  assert.deepEqual(await fields('/security?go=password'), [
    ['password', 'current-password', 'password'],
    ['new_password', 'new-password', 'new_password'],
  ])
  await visitor.page('/logout', {})
  assert.deepEqual(await fields('/login'), [['password', 'current-password', 'password']])
  await visitor.page('/login', loginOf('member'))
  for (const method of ['totp', 'backup_code'])
    assert.doesNotMatch((await visitor.page(`/login/second-step?method=${method}`)).text, /data-show/, method)
})

test('a page of another service behind the same host gets no field of this one', async (t) => {
  const service = await startService(t)
  const { visitor } = await enrolledVisitor(service, 'member')
  const codes = await visitor.page('/security/backup-codes/new')
  const [, set] = /name="set" value="(.*?)"/.exec(codes.text)
  const next = '/intranet/wiki?go=1'
  const saved = await visitor.page('/security/backup-codes/confirm', { set, next }, { follow: false })
  assert.equal(saved.location, next)
  const asked = await visitor.page(`/confirm?next=${encodeURIComponent(next)}`)
  assert.match(asked.text, /<a href="\/">Cancel/)
})

test('an outdated form of the policy keeps its draft', async (t) => {
  const service = await startService(t)
  const { visitor: owner, code } = await freshVisitor(service, 'owner')
  await owner.page('/policy')
  const { formToken } = owner
  await owner.showFactorAgain('totp', code())
  const fields = { form_token: formToken, require: 'everyone', firstFactor: 'password', name: 'Acme New', allow: '' }
  const page = await owner.page('/policy', fields)
  assert.equal(page.path.split('?')[0], '/policy')
  assert.match(problem(page), /out of date/)
  assert.match(page.text, /name="name" value="Acme New"/)
})

test('"Discard" on an outdated page shows the saved policy', async (t) => {
  const service = await startService(t)
  const { visitor: owner, code } = await freshVisitor(service, 'owner')
  await owner.json('/api/policy', { require: 'optional', deny: ['198.51.100.0/24'], confirmed: true })
  const { base } = await owner.json('/api/policy')
  await owner.page('/policy')
  const rules = { require: 'optional', firstFactor: 'recovery_code', name: 'Acme New', deny: '192.0.2.128/25' }
  await owner.page('/policy', { base, ...rules, 'deny.network': '198.51.100.0/24', 'deny.note': '', 'deny.until': '' })
  assert.match((await owner.page('/policy')).text, /name="discard"/)
  const { formToken } = owner
  await owner.showFactorAgain('totp', code())
  const page = await owner.page('/policy/draft', { form_token: formToken, discard: 'yes' })
  assert.match(page.text, /name="deny\.network" value="198\.51\.100\.0\/24"/)
})

test('a page of another service with `go` in its address gets no field of this one after the code', async (t) => {
  const service = await startService(t)
  const { code } = await enrolledVisitor(service, 'member')
  const visitor = new Visitor(service)
  await visitor.page('/login', { ...loginOf('member'), next: '/reports?go=1&sig=abc' })
  const { location } = await visitor.page('/login/second-step', { method: 'totp', code: code() }, { follow: false })
  assert.equal(location, '/reports?go=1&sig=abc')
})

test('backup codes that nobody said are saved are told on the first page', async (t) => {
  const service = await startService(t)
  const { visitor } = await enrolledVisitor(service, 'member')
  assert.match((await visitor.page('/')).text, /You have not said that you saved your backup codes/)
})

test('a new app has a name in the language of the person', async (t) => {
  const service = await startService(t)
  const visitor = new Visitor(service)
  await visitor.page('/language', { language: 'de', next: '/login' })
  await visitor.page('/login', loginOf('member'))
  for (const name of ['Authenticator-App', 'Authenticator-App 2']) {
    const secret = secretOn(await visitor.page('/security/totp', {}))
    await visitor.page('/security/totp/confirm', { code: authenticatorCode(secret, service.now) })
    assert.match((await visitor.page('/security')).text, new RegExp(`<h3>${name}</h3>`))
  }
  assert.match((await visitor.page('/security/activity')).text, /„Authenticator-App 2“/)
  assert.equal(await lastSms(visitor), undefined)
})

test('a wait stands on the page of each way to log in, and a backup code is told to work once', async (t) => {
  const service = await startService(t)
  const { code, backupCodes } = await enrolledVisitor(service, 'member')
  const visitor = new Visitor(service)
  await visitor.page('/login', loginOf('member'))
  await visitor.page('/login/second-step', { method: 'backup_code', code: backupCodes[0] })
  const again = new Visitor(service)
  await again.page('/login', loginOf('member'))
  const used = await again.page('/login/second-step', { method: 'backup_code', code: backupCodes[0] })
  assert.match(problem(used), /not right.*Each code works once/)
  const wrong = code() === '000000' ? '000001' : '000000'
  let page = used
  for (let tries = 0; tries < 10 && !/Too many wrong codes/.test(problem(page)); tries += 1)
    page = await again.page('/login/second-step', { method: 'totp', code: wrong })
  const [, other] = /href="(\/login\/second-step\?method=backup_code[^"]*)"/.exec(page.text)
  assert.match(problem(await again.page(other.replaceAll('&amp;', '&'))), /Too many wrong codes/)
})

test('a mail names the button by which the other sessions end', async (t) => {
  const service = await startService(t)
  const { visitor } = await enrolledVisitor(service, 'member')
  const { messages } = await visitor.json('/api/outbox')
  const { message } = messages.find(({ subject }) => /second factor was added/.test(subject))
  assert.match(message, /If your security settings still show “Log out elsewhere”, press it/)
})
