// The part of the login service that the gate in Envoy uses: it issues passes, sends people on, gives
// access to its store, and lists the sessions that have ended. These tests run without Envoy.

import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { test } from 'node:test'
import { policyOf } from '../../examples/login/accounts.js'
import {
  authenticatorCode,
  elsewhere,
  enrolledVisitor,
  freshVisitor,
  passwords,
  smsCode,
  startService,
  Visitor,
} from './support.mjs'

const requireFromExample = createRequire(new URL('../../examples/login/package.json', import.meta.url))
const { createSecondFactor } = requireFromExample('countersign')

const token = 'storage-token-of-the-end-to-end-tests'
const withStorage = { env: { COUNTERSIGN_STORAGE_TOKEN: token } }
const twelveHours = 12 * 3600

/** Calls the storage API as the filter does. */
async function storage(service, path, options = {}) {
  const {
    method = 'GET',
    headers = {},
    body,
  } = /** @type {{ method?: string, headers?: object, body?: any }} */ (options)
  const answer = await fetch(`${service.origin}/internal/second-factor${path}`, {
    method,
    body: body && JSON.stringify(body),
    headers: { authorization: `Bearer ${token}`, ...(body && { 'content-type': 'application/json' }), ...headers },
  })
  const text = await answer.text()
  return {
    status: answer.status,
    headers: answer.headers,
    body: text && answer.headers.get('content-type') === 'application/json' ? JSON.parse(text) : text,
  }
}

const endedSessions = async (service) => (await storage(service, '/revoked')).body.sessions

/** The session id that passes carry: the hash of the cookie. */
const idOf = (visitor, cookie = 'session') =>
  createHash('sha256').update(visitor.cookies.get(cookie)).digest('base64url')

const passOf = (visitor) => {
  const pass = visitor.cookies.get('second-factor')
  return pass && JSON.parse(Buffer.from(pass.split('.')[1], 'base64url'))
}

const userIdOf = (service, name) =>
  service.database((db) => db.prepare('SELECT id FROM users WHERE email = ?').pluck().get(`${name}@acme.example`))

/** The answer of the second step with its cookies. */
function answerSecondStep(visitor, code) {
  return visitor.request('POST', '/api/login/second-step', {
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ method: 'totp', code }),
  })
}

/** A user with an app, logged in through the second step. */
async function verifiedVisitor(service, name, ip) {
  const enrolled = await freshVisitor(service, name, ip)
  assert.ok(passOf(enrolled.visitor))
  return enrolled
}

test('T19, T21: the second step sets the pass as a cookie, bound to the new session and gone when it ends', async (t) => {
  const service = await startService(t)
  const { code } = await enrolledVisitor(service, 'member')
  const visitor = new Visitor(service)
  await visitor.logIn('member')
  assert.equal(passOf(visitor), undefined, 'the password alone gives no pass')
  const { headers } = await answerSecondStep(visitor, code())
  const [session, pass, ...more] = headers.getSetCookie()
  assert.deepEqual(more, [])
  assert.match(session, /^session=/)
  assert.match(
    pass,
    new RegExp(
      `^second-factor=[\\w-]+\\.[\\w-]+\\.[\\w-]+; Max-Age=${twelveHours}; Path=/; Expires=[^;]+; HttpOnly; SameSite=Lax$`,
    ),
  )
  const claims = passOf(visitor)
  assert.equal(claims.sid, idOf(visitor))
  assert.equal(claims.sub, userIdOf(service, 'member'))
  assert.equal(claims.exp, service.now + twelveHours)
})

test('with https the pass has the host prefix and goes over https only', async (t) => {
  const service = await startService(t)
  const { code } = await enrolledVisitor(service, 'member')
  await service.stop()
  const behindTls = await startService(t, {
    env: { PUBLIC_ORIGIN: 'https://login.acme.example', DATA_DIR: service.dataDir },
  })
  behindTls.advance(service.now - behindTls.now)
  const visitor = new Visitor(behindTls)
  await visitor.logIn('member')
  const { headers } = await answerSecondStep(visitor, code())
  assert.match(
    headers.getSetCookie()[1],
    /^__Host-second-factor=[\w.-]+; Max-Age=43200; Path=\/; Expires=[^;]+; HttpOnly; Secure; SameSite=Lax$/,
  )
  const out = await visitor.request('POST', '/api/logout', {
    headers: { 'content-type': 'application/json' },
    body: '{}',
  })
  const [, gone] = out.headers.getSetCookie()
  assert.match(gone, /^__Host-second-factor=; Path=\/; Expires=Thu, 01 Jan 1970[^;]*; HttpOnly; Secure; SameSite=Lax$/)
})

test('a factor shown again renews the pass and binds it to the session that follows', async (t) => {
  const service = await startService(t)
  const { visitor, code } = await verifiedVisitor(service, 'member')
  const before = passOf(visitor)
  service.advance(600)
  assert.equal((await visitor.showFactorAgain('totp', code())).result, 'verified')
  const after = passOf(visitor)
  assert.notEqual(after.sid, before.sid)
  assert.equal(after.sid, idOf(visitor))
  assert.equal(after.auth_time, service.now)
})

test('the pass ends with the session: log-out, new login, policy, late code', async (t) => {
  const service = await startService(t)
  const { visitor: member, code } = await verifiedVisitor(service, 'member')
  const again = async () => {
    service.advance(30)
    await member.logIn('member')
    assert.equal((await member.secondStep('totp', code())).result, 'verified')
    assert.ok(passOf(member))
  }

  const stranger = member.copy()
  await stranger.json('/api/login', { email: 'member@acme.example', password: 'wrong' })
  assert.ok(passOf(stranger), 'a failed login ends no session')

  await member.page('/')
  await member.page('/logout', {}, { follow: false })
  assert.equal(member.cookies.size, 0)
  await again()
  await member.json('/api/logout', {})
  assert.equal(member.cookies.size, 0)

  await again()
  await member.logIn('member')
  assert.deepEqual([...member.cookies.keys()], ['session'], 'a login that is challenged')
  await again()
  await member.logIn('colleague')
  assert.deepEqual([...member.cookies.keys()], ['session'], 'a login without a second factor')

  await again()
  await member.logIn('member')
  member.cookies.set('second-factor', 'left.over.somehow')
  service.advance(601)
  assert.equal((await member.secondStep('totp', code())).reason, 'ticket_expired')
  assert.equal(member.cookies.size, 0)

  // The operator removes the proof of the session, so the session no longer counts.
  await again()
  service.database((db) =>
    db.prepare('UPDATE login_sessions SET pass = NULL, proof = ? WHERE pass IS NOT NULL').run('none'),
  )
  assert.equal((await member.json('/api/me')).reason, 'login_required')
  assert.equal(member.cookies.size, 0)
})

test('an ended session is listed for the gate as long as its pass may be in time', async (t) => {
  const service = await startService(t, withStorage)
  const { visitor: member, code } = await verifiedVisitor(service, 'member')
  const fresh = async (visitor = new Visitor(service)) => {
    service.advance(30)
    await visitor.logIn('member')
    assert.equal((await visitor.secondStep('totp', code())).result, 'verified')
    return visitor
  }
  const told = async (id) => (await endedSessions(service)).includes(id)

  const first = idOf(member)
  assert.equal(first, passOf(member).sid)
  assert.equal(await told(first), false, 'a session that goes on is not listed')
  service.advance(30)
  await member.showFactorAgain('totp', code())
  assert.equal(await told(first), true, 'replaced')

  const second = idOf(member)
  await fresh(member)
  assert.equal(await told(second), true, 'a new login from it')

  const third = idOf(member)
  await member.json('/api/logout', {})
  assert.equal(await told(third), true, 'log-out')

  const [here, there] = [await fresh(), await fresh()]
  await here.json('/api/security/sms', { number: '0412 345 678' })
  assert.equal((await here.json('/api/security/sms/confirm', { code: await smsCode(here) })).result, 'enrolled')
  assert.equal(await told(idOf(there)), true, 'another session of someone who set up a factor')
  assert.equal(await told(idOf(here)), false)

  const half = new Visitor(service)
  await half.logIn('member')
  const halfId = idOf(half)
  assert.equal(await told(halfId), false)
  await half.json('/api/logout', {})
  assert.equal(
    await told(halfId),
    true,
    'a session with the password alone: Envoy may have turned its ticket into a pass',
  )

  const without = new Visitor(service)
  await without.logIn('colleague')
  const withoutId = idOf(without)
  await without.json('/api/logout', {})
  assert.equal(await told(withoutId), false, 'a session that had no second factor has no pass')

  await service.restart('SIGKILL')
  assert.equal(await told(third), true, 'the list survives the process')

  // A ticket's time, a pass's time, and a margin for clocks that differ.
  const longest = 600 + twelveHours + 120
  service.advance(longest - 1)
  assert.equal(await told(halfId), true)
  const expired = idOf(here)
  assert.equal(await told(expired), true, 'a session that ends by time is listed too')
  service.advance(1)
  assert.deepEqual([await told(halfId), await told(expired)], [false, true])
  service.advance(longest)
  assert.deepEqual(await endedSessions(service), [])
})

test('T9: a password alone cannot fill the list of ended sessions', async (t) => {
  const service = await startService(t, withStorage)
  const { visitor, code } = await verifiedVisitor(service, 'member')
  const before = await endedSessions(service)
  const attacker = new Visitor(service)
  const logIn = () => attacker.json('/api/login', { email: 'member@acme.example', password: passwords.member })
  for (let i = 0; i < 50; i += 1) assert.ok((await logIn()).ticket)
  const answer = await logIn()
  assert.deepEqual([answer.result, answer.ticket, answer.kept], ['challenge', undefined, undefined])
  for (let i = 0; i < 10; i += 1) await logIn()
  assert.equal(
    (await endedSessions(service)).length - before.length,
    50,
    'only sessions whose ticket was handed out are listed',
  )
  assert.equal((await visitor.json('/api/me')).status, 200, 'the session of the user goes on')
  // T9: it locks nobody out. A completed login sets the count back to zero.
  service.advance(30)
  assert.equal((await attacker.secondStep('totp', code())).result, 'verified')
  assert.ok((await logIn()).ticket)
})

test('the storage API is there with a token only, and a person’s session gives no access to it', async (t) => {
  const plain = await startService(t)
  assert.equal((await storage(plain, '/revoked')).status, 404)

  const service = await startService(t, withStorage)
  const { visitor } = await verifiedVisitor(service, 'owner')
  const cookie = [...visitor.cookies].map(([name, value]) => `${name}=${value}`).join('; ')
  for (const path of ['/revoked', `/records/${userIdOf(service, 'owner')}`, '/records', '/']) {
    for (const headers of [
      { authorization: '', cookie },
      { authorization: 'Bearer x', cookie },
      { authorization: `Bearer ${visitor.cookies.get('session')}` },
    ]) {
      const { status, body } = await storage(service, path, { headers })
      assert.deepEqual([status, body], [401, { error: 'unauthorized' }], path)
    }
  }
  assert.equal(
    (await visitor.json('/api/me', undefined, { authorization: `Bearer ${token}` })).status,
    401,
    'the token gives no access elsewhere',
  )
  assert.equal((await storage(service, '/nowhere')).body.error, 'not_found')
  assert.equal((await storage(service, '/records/nobody')).status, 404)
})

test('a token that is too short stops the service', async (t) => {
  await assert.rejects(startService(t, { env: { COUNTERSIGN_STORAGE_TOKEN: 'short' } }), /ended with 1/)
})

test('T3: the filter can use a ticket of the JSON login, and its writes count as those of this service', async (t) => {
  const service = await startService(t, withStorage)
  const { code } = await enrolledVisitor(service, 'member')
  const user = userIdOf(service, 'member')
  // In place of the filter: the same rules and keys in Node, with the storage API as store.
  const account = { name: 'Acme', require: 'optional', firstFactor: 'recovery_code', network: { allow: [], deny: [] } }
  let effects
  const filter = await createSecondFactor({
    policy: policyOf(account, service.origin),
    keys: readFileSync(join(service.dataDir, 'keys.json'), 'utf8'),
    sendSms: () => assert.fail('the filter sends no SMS'),
    clock: () => service.now,
    store: {
      load: async ({ account, user: name }) => {
        const { status, body } = await storage(service, `/accounts/${account}/records/${encodeURIComponent(name)}`)
        return status === 404 ? undefined : body
      },
      save: async ({ account, user: name }, record, version) => {
        effects = [
          {
            log: {
              v: 1,
              account,
              user: name,
              at: service.now,
              ip: '198.51.100.7',
              event: 'code_accepted',
              method: 'totp',
            },
          },
          { notify: { account, to: 'user', user: name, at: service.now, kind: 'locked', ip: '198.51.100.7' } },
        ]
        const { status } = await storage(service, `/accounts/${account}/records/${encodeURIComponent(name)}`, {
          method: 'PUT',
          headers: { 'if-match': `"${version}"` },
          body: { record, effects },
        })
        assert.ok(status === 204 || status === 412)
        return status === 204
      },
    },
  })
  const visitor = new Visitor(service)
  const login = await visitor.logIn('member')
  assert.equal(login.result, 'challenge')
  assert.equal(typeof login.ticket, 'string')
  const given = { account: 'acme', ticket: login.ticket, method: 'totp' }
  const verify = () => filter.verify({ ...given, session: idOf(visitor), code: code() })
  assert.equal(
    (await filter.verify({ ...given, session: idOf(visitor).slice(1), code: code() })).reason,
    'other_session',
  )

  const [atTheEdge, here] = await Promise.all([verify(), visitor.copy().secondStep('totp', code())])
  assert.deepEqual([atTheEdge.result, here.result].sort(), ['already_used', 'verified'], 'one of the two succeeds')
  service.advance(30)
  const verified = await verify()
  assert.equal(verified.result, 'verified')
  assert.equal(verified.user, user)
  const later = new Visitor(service)
  await later.logIn('member')
  assert.equal((await later.secondStep('totp', code())).result, 'already_used', 'a code used at Envoy is used here too')

  const { messages } = await visitor.json('/api/outbox')
  const mail = messages.find(({ subject }) => subject === 'Acme: Too many wrong codes at your login')
  assert.equal(mail?.recipient, 'member@acme.example')
  assert.match(mail?.message, /^IP address: 198\.51\.100\.7$/m)
  const events = service.database((db) => db.prepare('SELECT event FROM events WHERE user = ?').pluck().all(user))
  assert.ok(events.some((event) => event.includes('198.51.100.7')))
})

test('pages never show a ticket or a pass', async (t) => {
  const service = await startService(t)
  const { code } = await enrolledVisitor(service, 'member')
  const visitor = new Visitor(service)
  const email = 'member@acme.example'
  /** @type {{ text: string, location?: string }[]} */
  const shown = [
    await visitor.page('/login?next=/intranet'),
    await visitor.page('/login', { email, password: passwords.member }, { follow: false }),
    await visitor.page('/login/second-step'),
    await visitor.page('/login?next=/intranet'),
    { text: JSON.stringify(await visitor.json('/api/login/second-step')) },
    await visitor.page('/login/second-step', { method: 'totp', code: code() }, { follow: false }),
    await visitor.page('/'),
    await visitor.page('/login?next=/intranet'),
    await visitor.page('/security/fresh-factor', { next: '/intranet' }),
    { text: JSON.stringify(await visitor.json('/api/me')) },
  ]
  for (const { text, location } of shown) assert.doesNotMatch(text + location, /eyJ/)
})

const toIntranet = '/login?next=%2Fintranet%2Fwiki%3Fpage%3D2'
const intranet = '/intranet/wiki?page=2'

test('a login leads to the page of another service that asked for it, also after mistakes', async (t) => {
  const service = await startService(t)
  const { code } = await enrolledVisitor(service, 'member')
  const visitor = new Visitor(service)
  const nextIn = (page) => /name="next" value="([^"]*)"/.exec(page.text)?.[1]
  assert.equal(nextIn(await visitor.page(toIntranet)), intranet)
  const wrong = await visitor.page('/login', { email: 'member@acme.example', password: 'wrong', next: intranet })
  assert.equal(nextIn(wrong), intranet)
  const right = await visitor.page(
    '/login',
    { email: 'member@acme.example', password: passwords.member, next: intranet },
    { follow: false },
  )
  assert.equal(right.location, '/login/second-step')
  await visitor.page('/login/second-step')
  service.advance(601)
  const late = await visitor.page('/login/second-step', { method: 'totp', code: code() })
  assert.equal(nextIn(late), intranet)
  await visitor.page('/login', { email: 'member@acme.example', password: passwords.member, next: intranet })
  const { status, location } = await visitor.page(
    '/login/second-step',
    { method: 'totp', code: code() },
    { follow: false },
  )
  assert.deepEqual([status, location], [303, intranet])
})

test('a user after the password goes on with the second step, and then to the page that asked', async (t) => {
  const service = await startService(t)
  const { code } = await enrolledVisitor(service, 'member')
  const visitor = new Visitor(service)
  await visitor.logIn('member')
  const { status, location } = await visitor.page(toIntranet, undefined, { follow: false })
  assert.deepEqual([status, location], [303, '/login/second-step'])
  await visitor.page('/login/second-step')
  const { location: then } = await visitor.page(
    '/login/second-step',
    { method: 'totp', code: code() },
    { follow: false },
  )
  assert.equal(then, intranet)

  const late = new Visitor(service)
  await late.logIn('member')
  service.advance(600)
  const form = await late.page(toIntranet, undefined, { follow: false })
  assert.match(form.text, /name="password"/)
  assert.match(form.text, /name="next" value="\/intranet\/wiki\?page=2"/)
  assert.equal(late.cookies.size, 0, 'a login that took too long begins anew')
})

test('a logged-in user shows the factor again, gets a new pass and goes on', async (t) => {
  const service = await startService(t)
  const { visitor, code } = await verifiedVisitor(service, 'member')
  for (const prepare of [
    () => service.advance(3600),
    () => visitor.cookies.delete('second-factor'),
    () => visitor.cookies.set('second-factor', 'not.a.pass'),
  ]) {
    prepare()
    service.advance(30)
    const page = await visitor.page(toIntranet, undefined, { follow: false })
    assert.equal(page.status, 200)
    assert.match(page.text, /<h1>Confirm it is you<\/h1>/)
    assert.doesNotMatch(page.text, /name="password"/)
    const step = await visitor.page('/security/fresh-factor', { next: intranet })
    assert.equal(step.path, '/login/second-step')
    const { location } = await visitor.page('/login/second-step', { method: 'totp', code: code() }, { follow: false })
    assert.equal(location, intranet)
    assert.equal(passOf(visitor).auth_time, service.now)
    assert.equal(passOf(visitor).sid, idOf(visitor))
  }
})

test('a user without a factor is told to set one up, and then gets to the page', async (t) => {
  const service = await startService(t)
  const visitor = new Visitor(service)
  await visitor.page(toIntranet)
  const { location } = await visitor.page(
    '/login',
    { email: 'member@acme.example', password: passwords.member, next: intranet },
    { follow: false },
  )
  assert.equal(location, intranet, 'the gate would refuse this request')
  const told = await visitor.page(toIntranet, undefined, { follow: false })
  assert.equal(told.status, 200)
  assert.match(told.text, /<h1>A second factor is needed<\/h1>[\s\S]*href="\/security"/)
  await visitor.page('/security')
  const started = await visitor.page('/security/totp', {})
  const [, secret] = /and type this: <code>([^<]+)</.exec(started.text)
  const codeNow = () => authenticatorCode(secret.replaceAll(' ', ''), service.now)
  const on = await visitor.page('/security/totp/confirm', { code: codeNow() })
  // The one button under the codes leads on.
  const [, set, onTo] = /name="set" value="(.*?)"><input type="hidden" name="next" value="(.*?)"/.exec(on.text)
  const saved = await visitor.page('/security/backup-codes/confirm', { set, next: onTo })
  assert.equal(saved.path.split('&said=')[0], toIntranet)
  assert.match(saved.text, /action="\/security\/fresh-factor"[\s\S]*name="next" value="\/intranet\/wiki\?page=2"/)
  service.advance(30)
  const step = await visitor.page('/security/fresh-factor', { next: intranet })
  assert.equal(step.path, '/login/second-step')
  const { location: then } = await visitor.page(
    '/login/second-step',
    { method: 'totp', code: codeNow() },
    { follow: false },
  )
  assert.equal(then, intranet)
  assert.equal(passOf(visitor).sid, idOf(visitor))

  // Without such a page the set-up ends with a link to the Security page.
  const other = new Visitor(service)
  await other.page(
    '/login',
    { email: 'colleague@acme.example', password: passwords.colleague, next: '/users' },
    { follow: false },
  )
  await other.page('/security')
  const [, otherSecret] = /and type this: <code>([^<]+)</.exec((await other.page('/security/totp', {})).text)
  const plain = await other.page('/security/totp/confirm', {
    code: authenticatorCode(otherSecret.replaceAll(' ', ''), service.now),
  })
  assert.match(plain.text, /I have saved them/)
  assert.doesNotMatch(plain.text, /fresh-factor/)
})

test('a user logged in by a recovery code has a pass, and is told to set up a factor when it is too old', async (t) => {
  const service = await startService(t)
  const { visitor: owner } = await verifiedVisitor(service, 'owner')
  await owner.json('/api/policy', { require: 'everyone', confirmed: true })
  const { code } = await owner.json('/api/users/recovery-code', { user: userIdOf(service, 'member') })
  const member = new Visitor(service)
  await member.logIn('member')
  assert.equal((await member.secondStep('recovery_code', code)).result, 'verified')
  assert.equal(passOf(member).sid, idOf(member))
  assert.match((await member.page(toIntranet, undefined, { follow: false })).text, /A second factor is needed/)
})

test('T35: the login page leads only to pages of this site', async (t) => {
  const service = await startService(t)
  const { visitor, code } = await verifiedVisitor(service, 'member')
  const half = new Visitor(service)
  const without = new Visitor(service)
  await without.logIn('colleague')
  const nextOf = () => service.database((db) => db.prepare('SELECT DISTINCT next FROM login_sessions').pluck().all())
  for (const next of elsewhere) {
    const path = `/login?next=${encodeURIComponent(next)}`
    await half.logIn('member')
    assert.equal((await half.page(path, undefined, { follow: false })).location, '/login/second-step')
    assert.match((await visitor.page(path)).text, /name="next" value="\/"/, JSON.stringify(next))
    assert.match((await without.page(path)).text, /A second factor is needed/)
    assert.deepEqual(nextOf(), ['/'], JSON.stringify(next))
  }
  await half.page('/login?next=/a&next=//evil.example')
  assert.deepEqual(nextOf(), ['/'])
  assert.equal((await half.secondStep('totp', code())).next, '/')
})

test('redirects between gate and login never form a loop', async (t) => {
  const service = await startService(t)
  const { visitor: verified, code } = await verifiedVisitor(service, 'member')
  const { visitor: owner, code: ownersCode } = await enrolledVisitor(service, 'owner')
  const half = new Visitor(service)
  await half.logIn('member')
  const without = new Visitor(service)
  await without.logIn('colleague')
  const invented = new Visitor(service)
  invented.cookies.set('session', 'x'.repeat(43)).set('second-factor', 'a.b.c')
  await owner.showFactorAgain('totp', ownersCode())
  await owner.json('/api/policy', { require: 'optional', deny: ['203.0.113.0/24'], confirmed: true })
  const shutOut = verified.copy()
  shutOut.ip = '203.0.113.9'
  const out = new Visitor(service)
  await out.logIn('colleague')
  service.database((db) => db.prepare("UPDATE login_sessions SET proof = 'none' WHERE id = ?").run(idOf(out)))

  // Stands for a gate that refuses every request. No chain of redirects may reach it a second time.
  const everybody = { nobody: new Visitor(service), invented, half, without, owner, verified, shutOut, out }
  const seen = {}
  for (const [name, visitor] of Object.entries(everybody)) {
    let path = toIntranet
    let answer
    for (let hops = 0; hops < 5; hops += 1) {
      answer = await visitor.page(path, undefined, { follow: false })
      if (!answer.location) break
      path = answer.location
      assert.match(path, /^\/login/, `${name} is sent to ${path}`)
    }
    assert.equal(answer.status, 200, name)
    seen[name] = /<h1>([^<]+)/.exec(answer.text)[1]
  }
  assert.deepEqual(seen, {
    nobody: 'Log in',
    invented: 'Log in',
    half: 'Second step',
    without: 'A second factor is needed',
    owner: 'Confirm it is you',
    verified: 'Confirm it is you',
    shutOut: 'Log in',
    out: 'Log in',
  })
  assert.equal(out.cookies.size, 0)
  assert.equal((await verified.json('/api/me')).status, 200, 'the wrong address ended nothing')
  // Without `next` the login page shows its form, for another login. Someone who is in is led on.
  assert.equal((await verified.page('/login')).path, '/')
  assert.match((await half.page('/login')).text, /name="password"/)
  service.advance(30)
  assert.equal((await half.secondStep('totp', code())).result, 'verified')
})
