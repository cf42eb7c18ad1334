// The owners' pages: many users, who is shut out and why, recovery codes and resets, and the audit log with its files.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { authenticatorCode, enrolledVisitor, freshVisitor, lockOut, startService, Visitor } from './support.mjs'

/** Adds users `person-00001@acme.example` and so on. */
function addUsers(service, count) {
  service.database((db) =>
    db
      .prepare(`
      WITH RECURSIVE numbers(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < ?)
      INSERT INTO users (id, account, email, role, secret_hash)
      SELECT printf('user-%05d', n), 'acme', printf('person-%05d@acme.example', n), 'member', (SELECT secret_hash FROM users LIMIT 1)
      FROM numbers`)
      .run(count),
  )
}

const userOf = async (owner, name) => {
  const { users } = await owner.json(`/api/users?q=${name}@`)
  return users.find(({ email }) => email === `${name}@acme.example`)
}

const rowsIn = (page) =>
  [...page.text.matchAll(/<tr role="row"><th role="rowheader"[^>]*><span>([^<]*)/g)].map(([, name]) => name.trim())

test('10,000 users: a page shows 50 of them, and a search finds one at once', async (t) => {
  const service = await startService(t)
  const { visitor: owner } = await freshVisitor(service, 'owner')
  addUsers(service, 10_000)
  const timed = async (path) => {
    const start = performance.now()
    const page = await owner.page(path)
    const took = performance.now() - start
    assert.ok(took < 2_000, `${path} took ${took} ms`)
    return page
  }
  const first = await timed('/users')
  assert.match(first.text, /10,003 people\./)
  assert.match(first.text, /Page 1 of 201/)
  assert.match(first.text, /<a [^>]*rel="next" href="\/users\?page=2"/)
  assert.doesNotMatch(first.text, /rel="prev"/)
  assert.equal(rowsIn(first).length, 51, 'and the API client')
  const last = await timed('/users?page=201')
  assert.deepEqual(rowsIn(last), [
    'person-09998@acme.example',
    'person-09999@acme.example',
    'person-10000@acme.example',
    'reports',
  ])
  assert.doesNotMatch(last.text, /rel="next"/)
  for (const page of ['0', '-1', 'x', '1.5', '9999999999']) {
    assert.match((await owner.page(`/users?page=${page}`)).text, /Page 1 of 201/, page)
  }
  assert.match((await owner.page('/users?page=99999')).text, /Page 201 of 201/)

  const found = await timed('/users?q=person-0777')
  assert.match(found.text, /The e-mail addresses of 10 people hold “person-0777”/)
  assert.match(found.text, /value="person-0777"/)
  assert.deepEqual(rowsIn(found).slice(0, 2), ['person-07770@acme.example', 'person-07771@acme.example'])
  assert.equal(rowsIn(await owner.page('/users?q=PERSON-07770')).length, 2, 'in capital letters too')
  for (const text of ['%', '_', "'", '\\', '<b>']) {
    const none = await owner.page(`/users?q=${encodeURIComponent(text)}`)
    assert.equal(none.status, 200)
    assert.match(none.text, /Nobody’s e-mail address holds/, text)
    assert.doesNotMatch(none.text, /<b>/)
  }

  // Each act of an owner on a page leads back to it.
  const { text } = await owner.page('/users?q=person-0&page=3')
  assert.match(text, /<input type="hidden" name="page" value="3"><input type="hidden" name="q" value="person-0">/)
  service.advance(301)
  const asked = await owner.page('/users/recovery-code', { user: 'user-00101', page: '3', q: 'person-0' })
  const next = new URL(asked.path, service.origin).searchParams.get('next')
  assert.equal(next, '/users?q=person-0&page=3&go=user-00101')
  assert.match(asked.path, /&own=yes$/)

  const review = await owner.json('/api/policy', { require: 'everyone' })
  assert.equal(review.reason, 'fresh_factor_required')
})

test('the page of users says who is shut out, and why', async (t) => {
  const service = await startService(t)
  const { visitor: owner, code: ownerCode } = await freshVisitor(service, 'owner')
  const { code } = await enrolledVisitor(service, 'member', '192.0.2.11')
  const loginOf = async (name) => (await userOf(owner, name)).login
  assert.deepEqual(await loginOf('colleague'), { state: 'in' })
  assert.deepEqual(await loginOf('member'), { state: 'in' })

  const save = async (policy) => {
    await owner.showFactorAgain('totp', ownerCode())
    const saved = await owner.json('/api/policy', { ...policy, confirmed: true, force: true })
    assert.equal(saved.result, 'policy_saved', JSON.stringify(saved))
    service.advance(30)
  }
  await save({ require: { networks: ['198.51.100.0/24'] } })
  assert.deepEqual(await loginOf('colleague'), { state: 'out', reason: 'enrollment_required_somewhere' })
  await save({ require: 'everyone', firstFactor: 'password' })
  assert.deepEqual(await loginOf('colleague'), { state: 'set_up' })
  await save({ require: 'everyone', firstFactor: 'recovery_code' })
  assert.deepEqual(await loginOf('colleague'), { state: 'out', reason: 'enrollment_required' })
  assert.deepEqual(await loginOf('member'), { state: 'in' })
  const page = await owner.page('/users')
  assert.match(
    page.text,
    /<span class="state bad">Shut out<\/span>\s*<span class="minor">Has no second factor, and the policy asks for one\./,
  )

  const colleague = await userOf(owner, 'colleague')
  const { expiresAt } = await owner.json('/api/users/recovery-code', { user: colleague.id })
  assert.deepEqual(await loginOf('colleague'), { state: 'code', reason: 'enrollment_required', codeUntil: expiresAt })
  assert.match((await owner.page('/users')).text, /Gets in with the recovery code, until <time/)

  const answer = await lockOut(service, 'member', code)
  assert.deepEqual(await loginOf('member'), { state: 'out', reason: 'locked', until: answer.retryAt })
  service.advance(answer.retryAt - service.now)
  assert.deepEqual(await loginOf('member'), { state: 'in' })

  await save({ require: 'everyone', deny: ['203.0.113.0/24'] })
  assert.deepEqual(await loginOf('member'), { state: 'out', reason: 'address', ip: '203.0.113.66' })
  assert.match(
    (await owner.page('/users')).text,
    /The last login with the password came from <code>203\.0\.113\.66<\/code>, from where nobody may log in/,
  )
})

test('a reset takes everything back: only the recovery code lets the person in, who then sets up anew', async (t) => {
  const service = await startService(t)
  const { visitor: owner, code: ownerCode } = await enrolledVisitor(service, 'owner')
  const { visitor: member, code } = await enrolledVisitor(service, 'member')
  const { id } = await userOf(owner, 'member')
  service.advance(301)

  const users = await owner.page('/users?q=member')
  assert.match(users.text, /<details class="confirm danger">\s*<summary>Reset…/)
  assert.match(users.text, /All apps, phones and backup codes of member@acme\.example are removed/)
  const asked = await owner.page('/users/reset', { user: id, q: 'member', page: '1' })
  const next = `/users?q=member&go=reset-${id}`
  assert.equal(asked.path, `/confirm?next=${encodeURIComponent(next)}&own=yes`)
  await owner.page('/security/fresh-factor', { next, own: 'yes' })
  const back = await owner.page('/login/second-step', { method: 'totp', code: ownerCode() })
  assert.equal(back.path.split('&said=')[0], next)
  assert.match(back.text, /<details class="confirm danger" open>/)
  assert.match(
    back.text,
    /<button class="danger" autofocus>Reset this person<span class="unseen">: member@acme\.example/,
  )

  assert.equal((await member.json('/api/me')).status, 200)
  const done = await owner.page('/users/reset', { user: id, q: 'member', page: '1' })
  assert.equal(done.path, '/users/recovery-code')
  assert.match(done.text, /member@acme\.example was reset: all second factors are gone/)
  const [, recoveryCode] = /<code>([^<]+)<\/code>/.exec(done.text)
  assert.equal((await member.json('/api/me')).status, 401, 'the open session has ended')
  const { login, status } = await userOf(owner, 'member')
  assert.deepEqual([login.state, login.reason], ['code', 'reset'])
  assert.equal(status.enrolled, false)

  const thief = new Visitor(service, '203.0.113.66')
  const challenge = await thief.logIn('member')
  assert.deepEqual(
    challenge.methods.map(({ method }) => method),
    ['recovery_code'],
    'although no second factor is forced',
  )
  assert.notEqual((await thief.secondStep('totp', code())).result, 'verified')

  await member.logIn('member')
  assert.equal((await member.secondStep('recovery_code', recoveryCode)).result, 'verified')
  const started = await member.json('/api/security/totp', {})
  const secret = started.secret.replaceAll(' ', '')
  const on = await member.json('/api/security/totp/confirm', { code: authenticatorCode(secret, service.now) })
  assert.equal(on.result, 'enrolled')
  assert.deepEqual((await userOf(owner, 'member')).login, { state: 'in' })

  const self = await userOf(owner, 'owner')
  assert.equal((await owner.json('/api/users/reset', { user: self.id })).reason, 'not_for_oneself')
  assert.equal((await owner.json('/api/users/reset', { user: 'nobody' })).status, 400)
  assert.equal((await member.json('/api/users/reset', { user: self.id })).reason, 'owner_only')
})

test('a reset person without a code that is alive is shut out', async (t) => {
  const service = await startService(t)
  const { visitor: owner } = await freshVisitor(service, 'owner')
  const { id } = await userOf(owner, 'member')
  assert.equal((await owner.json('/api/users/reset', { user: id })).result, 'recovery_code')
  service.advance(3_601)
  assert.deepEqual((await userOf(owner, 'member')).login, { state: 'out', reason: 'reset' })
  assert.equal((await new Visitor(service).logIn('member')).reason, 'recovery_code_required')
})

test('the page of a recovery code may be loaded again for ten minutes, and a newer code replaces the one before', async (t) => {
  const service = await startService(t)
  const { visitor: owner } = await freshVisitor(service, 'owner')
  const { id } = await userOf(owner, 'member')
  assert.equal((await owner.page('/users/recovery-code')).path, '/users', 'no code was made')
  await owner.page('/users')
  const codeIn = ({ text }) => /<code>([A-Z0-9-]{19})<\/code>/.exec(text)?.[1]
  const made = await owner.page('/users/recovery-code', { user: id })
  const code = codeIn(made)
  assert.ok(code)
  assert.doesNotMatch(made.text, /newer one replaces/)
  assert.equal(codeIn(await owner.page('/users/recovery-code')), code, 'a reload makes no new one')
  const stored = service.database((db) => db.prepare('SELECT pending FROM login_sessions').pluck().all())
  assert.ok(stored.length > 0 && stored.every((blob) => !blob.includes(code)), 'it is sealed')
  assert.equal(codeIn(await new Visitor(service).page('/users/recovery-code')), undefined)

  assert.match((await owner.page('/users')).text, /One is good until .*; a new one replaces it/)
  const twice = await owner.page('/users/recovery-code', { user: id })
  assert.notEqual(codeIn(twice), code)
  assert.match(twice.text, /This newer one replaces it: the earlier one no longer works/)

  service.advance(601)
  const over = await owner.page('/users/recovery-code')
  assert.equal(codeIn(over), undefined)
  assert.match(over.text, /The recovery code for member@acme\.example was shown once, and is shown no more/)
})

test('codes that are made too often are refused on the page of users', async (t) => {
  const service = await startService(t)
  const { visitor: owner } = await freshVisitor(service, 'owner')
  const { id } = await userOf(owner, 'member')
  await owner.page('/users')
  let answer
  for (let i = 0; i < 6; i += 1) answer = await owner.page('/users/recovery-code', { user: id, q: 'member' })
  assert.match(answer.path, /^\/users\?q=member&said=/)
  assert.match(answer.text, /This was asked for too often\. Try again at <time/)
})

/** The cells of a CSV file (RFC 4180). */
function readCsv(text) {
  const rows = [[]]
  for (const [, quoted, plain, end] of text.matchAll(/(?:"((?:[^"]|"")*)"|([^",\r\n]*))(,|\r\n|$)/g)) {
    rows.at(-1).push(quoted === undefined ? plain : quoted.replaceAll('""', '"'))
    if (end === '\r\n') rows.push([])
  }
  const [columns, ...lines] = rows.filter((cells) => cells.length > 1)
  return lines.map((cells) => {
    assert.equal(cells.length, columns.length)
    return Object.fromEntries(columns.map((name, index) => [name, cells[index]]))
  })
}

const jsonLines = (text) =>
  text
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line))

const formula = '=HYPERLINK("http://evil.example","x")'

test('the audit log is searched by person, kind, days and address, and exported so', async (t) => {
  const service = await startService(t)
  const { visitor: owner } = await freshVisitor(service, 'owner')
  const { visitor: member } = await enrolledVisitor(service, 'member', '198.51.100.9')
  const { status } = await userOf(owner, 'member')
  const renamed = await member.json('/api/security/rename', { factor: status.methods[0].id, name: formula })
  assert.equal(renamed.result, 'renamed', JSON.stringify(renamed))
  const guesser = new Visitor(service, '203.0.113.66')
  await guesser.logIn('member')
  await guesser.secondStep('backup_code', 'ABCD-EFGH-JKMN-PQRS')
  await owner.json('/api/policy', { require: { roles: ['owner'] }, confirmed: true })
  await new Visitor(service, '203.0.113.7').json('/api/token', { client: 'reports', secret: 'reports-demo-secret' })

  const search = async (fields) => (await owner.json(`/api/audit?${new URLSearchParams(fields)}`)).events
  const all = await search({})
  assert.ok(all.length > 8)
  const ofMember = await search({ person: 'MEMBER@' })
  assert.ok(ofMember.length > 2 && ofMember.every(({ user }) => user === 'member@acme.example'))
  const ofClient = await search({ person: 'reports' })
  assert.ok(ofClient.length > 0 && ofClient.every(({ user }) => user === 'reports'))
  const renames = await search({ kind: 'factor_renamed' })
  assert.deepEqual(
    renames.map(({ factor }) => factor.name),
    [formula],
  )
  const fromThere = await search({ address: '203.0.113.66' })
  assert.deepEqual(new Set(fromThere.map(({ event }) => event)), new Set(['login_challenged', 'code_refused']))
  const today = new Date(service.now * 1000).toISOString().slice(0, 10)
  const tomorrow = new Date((service.now + 86_400) * 1000).toISOString().slice(0, 10)
  assert.equal((await search({ from: today, to: today })).length, all.length)
  assert.equal((await search({ from: tomorrow })).length, 0)
  assert.equal((await search({ person: '%', address: '_' })).length, 0)
  const { id } = await userOf(owner, 'colleague')
  await owner.json('/api/users/recovery-code', { user: id })
  const byOwner = await search({ person: 'owner@', kind: 'recovery_code_issued' })
  assert.deepEqual(
    byOwner.map(({ user, by }) => [user, by]),
    [['colleague@acme.example', 'owner@acme.example']],
  )

  const page = await owner.page('/audit?kind=factor_renamed&person=member')
  assert.deepEqual(rowsIn(page).length, 1)
  assert.match(page.text, /<option value="factor_renamed" selected>/)
  assert.match(page.text, /=HYPERLINK\(&quot;/)
  assert.match(page.text, /href="\/audit\/export\?format=csv&amp;person=member&amp;kind=factor_renamed"/)
  const wrong = await owner.page('/audit?from=2027-02-30')
  assert.match(wrong.text, /This is no day/)
  assert.match(wrong.text, /name="from" aria-describedby="problem" aria-invalid="true"/)
  assert.match((await owner.page(`/audit?from=${tomorrow}&to=${today}`)).text, /The last day is before the first one/)
  assert.match((await owner.page('/audit?person=zzz')).text, /Nothing was found/)

  const get = (fields) => owner.page(`/audit/export?${new URLSearchParams(fields)}`)
  const csv = await get({ format: 'csv', person: 'member' })
  assert.match(csv.headers.get('content-disposition'), /attachment; filename="?audit\.csv/)
  const cells = readCsv(csv.text)
  assert.equal(cells.length, (await search({ person: 'member' })).length)
  for (const row of cells)
    for (const cell of Object.values(row)) assert.doesNotMatch(cell, /^[=+\-@\t\r]/, JSON.stringify(row))
  const rename = cells.find(({ event }) => event === 'factor_renamed')
  assert.equal(rename.factor, `'${formula}`)
  assert.equal(rename.user, 'member@acme.example')
  assert.equal(rename.what, 'App or phone renamed')
  assert.match(rename.details, /HYPERLINK/)
  assert.equal(new Date(rename.time).getTime() / 1000, renames[0].at)

  const lines = jsonLines((await get({ format: 'jsonl', kind: 'factor_renamed' })).text)
  assert.equal(lines.length, 1)
  assert.equal(lines[0].v, 1)
  assert.notEqual(lines[0].user, 'member@acme.example', 'as the engine gave it')

  const ocsf = jsonLines((await get({ format: 'ocsf' })).text)
  assert.equal(ocsf.length, (await search({})).length)
  for (const event of ocsf) {
    assert.equal(event.category_uid, 3)
    assert.ok([3001, 3002, 3004].includes(event.class_uid))
    assert.equal(event.type_uid, event.class_uid * 100 + event.activity_id)
    assert.ok(event.severity_id >= 1 && [1, 2, 99].includes(event.status_id))
    assert.equal(event.metadata.version, '1.8.0')
    assert.ok(event.metadata.product.name)
    assert.ok(event.time >= 1_800_000_000_000, 'in milliseconds')
    assert.ok(event.message)
    if (event.class_uid === 3004) assert.equal(event.entity.type_id, 5)
    else assert.ok(event.user.uid)
    if (event.class_uid === 3002) assert.ok(event.service.name)
  }
  const of = (kind) => ocsf.filter(({ metadata }) => metadata.event_code === kind)
  const [accepted] = of('code_accepted')
  assert.deepEqual([accepted.class_uid, accepted.activity_id, accepted.status_id, accepted.is_mfa], [3002, 1, 1, true])
  assert.deepEqual(accepted.auth_factors, [{ factor_type_id: 7, factor_type: 'OTP', is_totp: true }])
  assert.equal(accepted.user.email_addr, 'owner@acme.example')
  const [wrongCode] = of('code_refused')
  assert.deepEqual([wrongCode.activity_id, wrongCode.status_id, wrongCode.src_endpoint.ip], [1, 2, '203.0.113.66'])
  assert.equal(of('factor_added')[0].activity_id, 10)
  assert.equal(of('recovery_code_issued')[0].actor.user.email_addr, 'owner@acme.example')
  assert.equal(of('policy_changed')[0].class_uid, 3004)

  assert.equal((await get({ format: 'xml' })).status, 400)
  assert.equal((await get({ format: 'csv', from: 'soon' })).status, 400)
  assert.equal((await member.page('/audit/export?format=csv')).status, 403)
})

test('the days of a search are those of the zone in which the page shows its times', async (t) => {
  const service = await startService(t)
  const { visitor: owner } = await freshVisitor(service, 'owner')
  const { id } = await userOf(owner, 'member')
  // Clocks in Sydney go forward on 4 October 2026, a day of 23 hours; in Beirut on 28 March 2027, from midnight to one o'clock.
  const times = ['2026-10-03T13:59:59Z', '2026-10-03T14:00:00Z', '2026-10-04T12:59:59Z', '2026-10-04T13:00:00Z']
  const more = ['2027-03-27T21:59:59Z', '2027-03-27T22:00:00Z', '2027-03-28T20:59:59Z', '2027-03-28T21:00:00Z']
  service.database((db) => {
    db.exec('DELETE FROM events')
    const add = db.prepare('INSERT INTO events (user, event) VALUES (?, ?)')
    for (const time of [...times, ...more]) {
      const event = { v: 1, account: 'acme', user: id, at: Date.parse(time) / 1000, ip: '192.0.2.1', event: 'reset' }
      add.run(id, JSON.stringify(event))
    }
  })
  const search = async (fields) => {
    const page = await owner.page(`/audit?${new URLSearchParams(fields)}`)
    const rows = [...page.text.matchAll(/<time datetime="([^"]+)\.000Z" title="([^"]+)">([^<]+)/g)]
    return {
      ...page,
      found: rows.map(([, iso]) => `${iso}Z`).toReversed(),
      shown: rows.map(([, , title, text]) => [title, text]),
    }
  }
  const inSydney = await search({ from: '2026-10-04', to: '2026-10-04', zone: 'Australia/Sydney' })
  assert.deepEqual(inSydney.found, times.slice(1, 3))
  assert.deepEqual(inSydney.shown[1], ['3 Oct 2026, 14:00 UTC', '4 Oct 2026, 00:00 AEST'])
  assert.match(inSydney.text, /Days and times are those of Australia\/Sydney\./)
  assert.match(inSydney.text, /name="zone" value="Australia\/Sydney"/, 'the next search has the same zone')
  assert.match(inSydney.text, /format=csv&amp;from=2026-10-04&amp;to=2026-10-04&amp;zone=Australia%2FSydney/)
  const csv = readCsv(
    (
      await owner.page(
        `/audit/export?${new URLSearchParams({ format: 'csv', ...{ from: '2026-10-04', to: '2026-10-04', zone: 'Australia/Sydney' } })}`,
      )
    ).text,
  )
  assert.deepEqual(csv.map(({ time }) => time.replace('.000', '')).toSorted(), times.slice(1, 3), 'in UTC')
  assert.match(inSydney.text, /Times in the file are UTC/)
  assert.deepEqual(
    (await search({ from: '2027-03-28', to: '2027-03-28', zone: 'Asia/Beirut' })).found,
    more.slice(1, 3),
  )

  // Without a script, and with a zone that is none.
  for (const zone of [undefined, '', 'UTC', 'Mars/Olympus', '"><script>', 'x'.repeat(300)]) {
    const fields = { from: '2026-10-04', to: '2026-10-04', ...(zone !== undefined && { zone }) }
    const page = await search(fields)
    assert.deepEqual(page.found, times.slice(2), zone)
    assert.deepEqual(page.shown[0], ['4 Oct 2026, 13:00 UTC', '4 Oct 2026, 13:00 UTC'])
    assert.match(page.text, /Days and times are those of UTC, where it is 2027-01-15 now/)
  }
  const { events } = await owner.json('/api/audit?from=2026-10-04&to=2026-10-04')
  assert.equal(events.length, 2, 'a program means UTC')

  // A search without days may be shown in any zone.
  const all = await owner.page('/audit?zone=Australia%2FSydney&person=member')
  assert.match(all.text, /data-days="Days and times are those of \{zone\}\."/)
  assert.match(all.text, /<time datetime="2027-03-28T21:00:00\.000Z" data-local="moment">28 Mar 2027, 21:00 UTC/)
})

test('the audit log is searched by an address or a network, and a text that is neither is told and kept', async (t) => {
  const service = await startService(t)
  const { visitor: owner } = await freshVisitor(service, 'owner')
  for (const ip of ['203.0.113.7', '203.0.114.7', '2001:db8::7', '2001:db9::7', '::ffff:198.51.100.3'])
    await new Visitor(service, ip).logIn('member')
  const found = async (address) => {
    const { events } = await owner.json(
      `/api/audit?${new URLSearchParams({ kind: 'login_allowed', person: 'member', address })}`,
    )
    return events.map(({ ip }) => ip).toSorted()
  }
  assert.equal((await found('')).length, 5)
  assert.deepEqual(await found('203.0.113.0/24'), ['203.0.113.7'])
  assert.deepEqual(await found(' 203.0.113.9/23 '), ['203.0.113.7'], 'as the network in which it is')
  assert.deepEqual(await found('203.0.112.0/22'), ['203.0.113.7', '203.0.114.7'])
  assert.deepEqual(await found('203.0.114.7'), ['203.0.114.7'])
  assert.deepEqual(await found('203.0.114.70'), [])
  assert.deepEqual(await found('::ffff:203.0.114.7'), ['203.0.114.7'])
  assert.deepEqual(await found('2001:DB8::/32'), ['2001:db8::7'])
  assert.deepEqual(await found('2001:db8:0::7'), ['2001:db8::7'])
  assert.equal((await found('198.51.100.0/24')).length, 1)
  assert.equal((await found('0.0.0.0/0')).length, 3, 'all of IPv4')
  assert.equal((await found('::/0')).length, 5)

  for (const text of [
    'banana',
    '203.0.113',
    '203.0.113.0/33',
    '203.0.113.0/',
    '1/8',
    '0313.0.113.7',
    '2001:db8::/129',
    '/',
    '%',
    '_',
    '<b>',
  ]) {
    const page = await owner.page(`/audit?${new URLSearchParams({ address: text })}`)
    const shown = text.replace('<', '&lt;').replace('>', '&gt;')
    assert.match(
      page.text,
      /role="alert">.*This is no IP address and no network\. Write one such as 203\.0\.113\.7/s,
      text,
    )
    assert.ok(
      page.text.includes(
        `<input id="address" name="address" aria-describedby="problem" aria-invalid="true" type="search" value="${shown}"`,
      ),
      text,
    )
    assert.match(page.text, /id="address"[^>]* autofocus/)
    assert.doesNotMatch(page.text, /<tbody|Nothing was found|format=csv/)
    assert.equal(
      (await owner.page(`/audit/export?${new URLSearchParams({ format: 'csv', address: text })}`)).status,
      400,
    )
  }
})

test('the audit log is shown by hundreds, the newest first; equal events are counted as one', async (t) => {
  const service = await startService(t)
  const { visitor: owner } = await freshVisitor(service, 'owner')
  const { id } = await userOf(owner, 'member')
  service.database((db) => {
    db.exec('DELETE FROM events')
    const add = db.prepare('INSERT INTO events (user, event) VALUES (?, ?)')
    const event = (at, account) =>
      JSON.stringify({ v: 1, account, user: id, at, ip: '192.0.2.1', event: 'login_allowed' })
    db.transaction(() => {
      for (let n = 0; n < 250; n += 1) add.run(id, event(service.now - 2_000 + n, 'acme'))
      add.run(id, event(service.now, 'another'))
    })()
  })
  const timesIn = ({ text }) => [...text.matchAll(/datetime="([^"]+)"/g)].map(([, time]) => Date.parse(time) / 1000)
  const next = ({ text }) => /rel="next" href="([^"]+)"/.exec(text)?.[1].replaceAll('&amp;', '&')
  const shown = []
  let page = await owner.page('/audit?person=member')
  assert.doesNotMatch(page.text, /Newest events/)
  for (let pages = 1; ; pages += 1) {
    shown.push(...timesIn(page))
    if (next(page) === undefined) {
      assert.equal(pages, 3)
      break
    }
    page = await owner.page(next(page))
    assert.match(page.text, /<a class="button second" href="\/audit\?person=member">Newest events/)
  }
  assert.deepEqual(
    shown,
    Array.from({ length: 250 }, (_, n) => service.now - 2_000 + 249 - n),
    'each once, and none of another account',
  )

  for (let n = 0; n < 3; n += 1)
    await new Visitor(service, '198.51.100.77').json('/api/login', {
      email: 'member@acme.example',
      password: 'member-demo-password',
    })
  const { text } = await owner.page('/audit?address=198.51.100.77')
  assert.match(text, /3 times/)
  const [merged] = jsonLines((await owner.page('/audit/export?format=ocsf&address=198.51.100.77')).text)
  assert.equal(merged.count, 3)
  assert.ok(merged.start_time <= merged.end_time)
})
