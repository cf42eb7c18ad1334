// The account's rules: the users who must have a second factor, and the addresses that may log in.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { enrolledVisitor, freshVisitor, startService, Visitor } from './support.mjs'

const client = { client: 'reports', secret: 'reports-demo-secret' }
const clientIp = '203.0.113.7'

function clientLogin(service, ip = clientIp) {
  return new Visitor(service, ip).json('/api/token', client)
}

/** The fields of the review's form that say: save it, in the place of the rules that are saved now. */
const confirmation = async (owner) => ({ confirmed: 'yes', base: (await owner.json('/api/policy')).base })

const plain = (text) =>
  text
    .replace(/<[^>]*>/g, '')
    .replace(/\s+/g, ' ')
    .trim()

/** The settings that the review says to change, by name. */
const settingsOf = ({ text }) =>
  Object.fromEntries(
    [...text.matchAll(/<dt>(.*?)<\/dt> <dd>(.*?)<\/dd>/gs)].map(([, name, change]) => [
      name,
      plain(change.replaceAll('</div>', ' ')),
    ]),
  )

/** The lines of the review about people and API clients, by the heading above them. */
const linesOf = ({ text }) =>
  Object.fromEntries(
    text
      .split('<section class="card-like review">')
      .map((section) => /<h2>(.*?)<\/h2>.*?<ul>(.*?)<\/ul>.*?<\/section>/s.exec(section))
      .filter(Boolean)
      .map(([, title, list]) => [title, list.split('</li>').map(plain).filter(Boolean)]),
  )

test('S9, S12: before everyone is forced, the owner sees the users who need a code, and the rule that admits the API client', async (t) => {
  const service = await startService(t)
  const { visitor: owner } = await freshVisitor(service, 'owner')
  assert.equal((await clientLogin(service)).result, 'token')
  const member = new Visitor(service, '198.51.100.9')
  await member.logIn('member')

  const preview = await owner.json('/api/policy', { require: 'everyone' })
  assert.equal(preview.result, 'policy_preview')
  assert.deepEqual(preview.review.needRecoveryCode.toSorted(), ['colleague@acme.example', 'member@acme.example'])
  assert.deepEqual(
    preview.review.blockedApiClients.map(({ id, rule }) => ({ id, rule })),
    [{ id: 'reports', rule: `${clientIp}/32` }],
  )
  assert.equal(preview.review.refused, false)
  assert.equal((await member.json('/api/me')).status, 200, 'a preview changes nothing')

  await owner.page('/policy')
  const page = await owner.page('/policy', { require: 'everyone', networks: '', allow: '', deny: '' })
  assert.equal(page.path, '/policy/review')
  assert.equal((await owner.page('/policy/review')).text, page.text, 'a reload shows it again, and sends nothing')
  assert.match(page.text, /These people will need a recovery code/)
  const lines = linesOf(page)
  assert.deepEqual(lines['These people will need a recovery code'], [
    'colleague@acme.example gets in → needs a recovery code Everyone is asked for a second factor.',
    'member@acme.example gets in → needs a recovery code Everyone is asked for a second factor.',
  ])
  assert.deepEqual(lines['These API clients will be shut out'], [
    'reports gets in → shut out A second factor is asked for, and a program cannot show one. A rule for 203.0.113.7/32 would admit it.',
  ])
  const saved = await owner.page('/policy', {
    require: 'everyone',
    networks: '',
    allow: '',
    deny: '',
    ...(await confirmation(owner)),
  })
  assert.match(saved.path, /^\/policy\?said=/)
  assert.match(saved.text, /Saved\. It holds at once/)
  assert.match(saved.text, /value="everyone" checked/)
  assert.doesNotMatch(saved.text, /draft that is not saved|This is your draft/, 'the draft has ended')

  assert.equal((await member.json('/api/me')).status, 401, 'the policy holds for open sessions too')
  assert.equal((await member.logIn('member')).reason, 'enrollment_required')
  assert.equal((await owner.json('/api/me')).status, 200)
})

test('the review shows only the changes, from what to what, each with its own reason', async (t) => {
  const service = await startService(t)
  const { visitor: owner } = await freshVisitor(service, 'owner')
  await clientLogin(service)
  const { visitor: member } = await enrolledVisitor(service, 'member', '198.51.100.9')
  await new Visitor(service, '198.51.100.10').logIn('colleague')
  const review = async (fields) => {
    const [, base] = /name="base" value="([^"]+)"/.exec((await owner.page('/policy')).text)
    const page = await owner.page('/policy', { base, require: 'optional', name: 'Acme', ...fields })
    assert.equal(page.path, '/policy/review')
    const notes = [...page.text.matchAll(/<p>((?:\d|One|All|Nothing) ?[^<]+)<\/p>/g)].map(([, text]) => text)
    return { page, settings: settingsOf(page), lines: linesOf(page), notes }
  }
  const nothing = await review({})
  assert.deepEqual([nothing.settings, nothing.lines], [{}, {}])
  assert.deepEqual(nothing.notes, [
    'All settings are as they are saved already.',
    'Nothing changes for 3 people and one API client.',
  ])
  assert.match(nothing.page.text, /Nobody is shut out by this/)

  // They are shut out by their addresses. One of them has no second factor either, which is not the reason.
  const allow = '192.0.2.0/24 # office'
  const byAddress = await review({ require: 'everyone', allow, deny: '198.51.100.10' })
  assert.deepEqual(byAddress.settings, {
    'Second factor': 'Nobody: each person decides → Everyone',
    'Allowed networks': 'everywhere → 192.0.2.0/24 (office)',
    Never: 'none → 198.51.100.10',
  })
  assert.deepEqual(byAddress.lines, {
    'These people will be shut out': [
      'colleague@acme.example gets in → shut out 198.51.100.10 is in a network that is never let in.',
      'member@acme.example gets in → shut out 198.51.100.9 is outside the allowed networks.',
    ],
    'These API clients will be shut out': [
      'reports gets in → shut out Its address is outside the allowed networks. A rule for 203.0.113.7/32 would admit it.',
    ],
  })
  assert.deepEqual(byAddress.notes, ['3 other settings stay as they are.', 'Nothing changes for one person.'])

  // The rule that asks for a second factor, for each person.
  const code = (name, reason) => `${name}@acme.example gets in → needs a recovery code ${reason}`
  const needCode = async (fields) =>
    (await review({ require: 'some', ...fields })).lines['These people will need a recovery code']
  assert.deepEqual(await needCode({ roles: 'member' }), [code('colleague', 'This role is asked for a second factor.')])
  assert.deepEqual(await needCode({ networks: '198.51.100.0/24' }), [
    code('colleague', 'Last seen at 198.51.100.10, in a network where a second factor is asked for.'),
  ])
  assert.deepEqual(await needCode({ outside: '192.0.2.0/24' }), [
    code('colleague', 'Last seen at 198.51.100.10, outside the networks where no second factor is asked for.'),
  ])
  service.database((db) => db.exec("UPDATE users SET last_ip = NULL WHERE email LIKE 'colleague%'"))
  assert.deepEqual(await needCode({ networks: '198.51.100.0/24', allow: '192.0.2.0/24 203.0.113.0/24' }), [
    code('colleague', 'A second factor is asked for in some networks.'),
  ])
  assert.deepEqual(await needCode({ require: 'everyone', allow: '192.0.2.0/24 203.0.113.0/24' }), [
    code('colleague', 'Everyone is asked for a second factor.'),
  ])
  await new Visitor(service, '198.51.100.10').logIn('colleague')

  // No owner gets in: that is said of the address, though another factor is missing too.
  const out = await review({ require: 'everyone', allow: '10.0.0.0/8' })
  const sentences = /role="alert">.*?<div>\s*(.*?)<\/div>/s.exec(out.page.text)[1].replace(/<\/?(?:p|code)>/g, '')
  assert.equal(
    sentences.trim().replace(/\n/g, ' '),
    'You would shut yourself out. You are at 192.0.2.10, outside the allowed networks. No owner could log in any more. Let in the network of an owner.',
  )
  const denied = await review({ deny: '192.0.2.0/24' })
  assert.match(denied.page.text, /You are at <code>192\.0\.2\.10<\/code>, in a network that is never let in/)

  // Those who were out before and get in again; entries that come and go.
  await owner.json('/api/policy', { require: 'optional', allow: [allow.slice(0, 12), '10.0.0.0/8'], confirmed: true })
  const back = await review({ allow: '192.0.2.0/24\n198.51.100.0/24\n203.0.113.7' })
  assert.deepEqual(back.settings, { 'Allowed networks': 'Added: 198.51.100.0/24, 203.0.113.7 Removed: 10.0.0.0/8' })
  assert.deepEqual(back.lines, {
    'These people get in again': [
      'colleague@acme.example shut out → gets in',
      'member@acme.example shut out → gets in',
    ],
    'These API clients get in again': ['reports shut out → gets in'],
  })
  assert.equal((await member.json('/api/me')).status, 403, 'nothing is saved')
})

test('the review tells why a person who was reset needs a code, where no rule asks for a second factor', async (t) => {
  const service = await startService(t)
  const { visitor: owner } = await freshVisitor(service, 'owner')
  await clientLogin(service)
  await enrolledVisitor(service, 'member', '198.51.100.9')
  const { users } = await owner.json('/api/users')
  const { id } = users.find(({ email }) => email.startsWith('member'))
  assert.equal((await owner.json('/api/users/reset', { user: id })).result, 'recovery_code')
  const deny = { require: 'optional', deny: ['198.51.100.0/24'], confirmed: true }
  assert.equal((await owner.json('/api/policy', deny)).result, 'policy_saved')
  await owner.page('/policy')
  const { base } = await owner.json('/api/policy')
  const page = await owner.page('/policy', { base, require: 'optional', name: 'Acme' })
  assert.deepEqual(linesOf(page), {
    'These people will need a recovery code': [
      'member@acme.example shut out → needs a recovery code Was reset, or has no second factor that works: so it is under any rules.',
    ],
  })
})

test('an owner without a second factor is told that this is the reason, whatever the rules about addresses', async (t) => {
  const service = await startService(t)
  const owner = new Visitor(service)
  await owner.page('/login', { email: 'owner@acme.example', password: 'owner-demo-password' })
  await owner.page('/policy')
  const page = await owner.page('/policy', { require: 'everyone', deny: '203.0.113.0/24', name: 'Acme' })
  assert.match(page.text, /You would shut yourself out\. Set up a second factor for yourself first, under Security/)
  assert.match(page.text, /No owner could log in any more\. Let an owner set up a second factor first\./)

  // Another owner is shut out by the address alone.
  const { visitor: other } = await enrolledVisitor(service, 'member', '203.0.113.9')
  service.database((db) => db.prepare("UPDATE users SET role = 'owner' WHERE email LIKE 'member%'").run())
  assert.equal((await other.json('/api/me')).role, 'owner')
  const both = await owner.page('/policy', { require: 'everyone', deny: '203.0.113.0/24', name: 'Acme' })
  assert.match(both.text, /Let in the network of an owner, or let another owner set up a second factor first/)
})

test('S12: a forced policy blocks the API client, its open sessions too, until an allow rule that names it admits it', async (t) => {
  const service = await startService(t)
  const { visitor: owner, code } = await freshVisitor(service, 'owner')
  const { token } = await clientLogin(service)
  const data = () => new Visitor(service, clientIp).json('/api/me', undefined, { authorization: `Bearer ${token}` })
  assert.equal((await data()).client, 'reports')

  await owner.json('/api/policy', { require: 'everyone', confirmed: true })
  assert.equal((await data()).status, 401)
  const blocked = await clientLogin(service)
  assert.equal(blocked.status, 403)
  assert.equal(blocked.reason, 'api_client_blocked')

  service.advance(60)
  await owner.showFactorAgain('totp', code())
  const admitted = await owner.json('/api/policy', {
    require: 'everyone',
    allow: [`${clientIp}/32`, '192.0.2.0/24'],
    confirmed: true,
  })
  assert.equal(admitted.result, 'policy_saved', JSON.stringify(admitted))
  assert.deepEqual(admitted.review.blockedApiClients, [])
  assert.equal((await clientLogin(service)).result, 'token')
  assert.equal((await clientLogin(service, '203.0.113.8')).result, 'denied', 'the rule admits that address only')
})

test('P9: one click admits an API client, and fences nobody in', async (t) => {
  const service = await startService(t)
  const { visitor: owner } = await freshVisitor(service, 'owner')
  await clientLogin(service)
  const member = new Visitor(service, '198.51.100.9')
  await owner.json('/api/policy', { require: { roles: ['member'] }, confirmed: true })
  assert.equal((await clientLogin(service)).reason, 'api_client_blocked')
  const before = await member.logIn('member')

  const users = await owner.page('/users')
  assert.match(users.text, /Admit from 203\.0\.113\.7\/32/)
  const admitted = await owner.page('/users/admit-client', { client: 'reports', rule: '203.0.113.7/32' })
  assert.match(admitted.path, /^\/users\?said=/)
  assert.match(admitted.text, /Admitted\. The rule is for API clients only/)
  assert.match(admitted.text, /Gets in/)
  const { network } = await owner.json('/api/policy')
  assert.deepEqual(network, { allow: [], api: [{ network: '203.0.113.7/32', note: 'reports' }], deny: [] })

  // A second click changes nothing.
  assert.equal((await owner.json('/api/users/admit-client', { client: 'reports' })).result, 'client_admitted')
  assert.equal((await owner.json('/api/policy')).network.api.length, 1)
  assert.equal((await owner.json('/api/users/admit-client', { client: 'other' })).status, 400)

  assert.equal((await clientLogin(service)).result, 'token')
  assert.equal((await clientLogin(service, '203.0.113.8')).reason, 'api_client_blocked', 'that address only')
  assert.deepEqual((await member.logIn('member')).reason, before.reason, 'people come and go as before')
  for (const ip of ['203.0.113.7', '192.0.2.77', '2001:db8::7']) {
    assert.equal((await new Visitor(service, ip).logIn('owner')).result, 'challenge', ip)
  }
  const { events } = await owner.json('/api/audit')
  const [change] = events.filter(({ event }) => event === 'policy_changed')
  assert.deepEqual(change.changes, [{ path: 'network.api', added: [{ network: '203.0.113.7/32', note: 'reports' }] }])
  assert.equal(change.user, 'owner@acme.example')
})

test('P9: an API client that the deny list keeps out is not admitted, and the page says where', async (t) => {
  const service = await startService(t)
  const { visitor: owner } = await freshVisitor(service, 'owner')
  await clientLogin(service)
  await owner.json('/api/policy', { require: 'optional', deny: ['203.0.113.0/24'], confirmed: true })
  assert.match((await owner.page('/users')).text, /comes from a network that is <a href="\/policy#deny">never let in/)
  const refused = await owner.json('/api/users/admit-client', { client: 'reports' })
  assert.deepEqual([refused.result, refused.reason], ['denied', 'address_denied'])
  assert.deepEqual((await owner.json('/api/policy')).network.api, [])
})

test('P9: the review offers the rule for API clients, and it shuts nobody out', async (t) => {
  const service = await startService(t)
  const { visitor: owner } = await freshVisitor(service, 'owner')
  await clientLogin(service)
  await owner.page('/policy')
  const page = await owner.page('/policy', { require: 'some', roles: 'member' })
  assert.match(page.text, /Admit reports and look again/)
  const [, api] = /name="api" value="(203[^"]*)"/.exec(page.text)
  assert.equal(api, '203.0.113.7/32 # reports')
  const again = await owner.page('/policy', { require: 'some', roles: 'member', api })
  assert.doesNotMatch(again.text, /shut yourself out|will be shut out/)
})

test('a pasted list is read line by line: notes, ranges, several networks, ends', async (t) => {
  const service = await startService(t)
  const { visitor: owner } = await freshVisitor(service, 'owner')
  await owner.page('/policy')
  const allow = [
    '# our offices',
    '',
    '192.0.2.0/24 # home',
    '198.51.100.4 - 198.51.100.9   # guests',
    '203.0.113.1, 203.0.113.2;203.0.113.3',
    '2001:db8::1–2001:db8::2 until 2027-12-31',
    '10.0.0.0/8 until 2027-12-31T12:00:00Z # lab # 2',
  ].join('\r\n')
  const saved = await owner.page('/policy', { require: 'optional', allow, ...(await confirmation(owner)) })
  assert.match(saved.path, /^\/policy\?said=/)
  assert.deepEqual((await owner.json('/api/policy')).network.allow, [
    { network: '192.0.2.0/24', note: 'home' },
    { network: '198.51.100.4/30', note: 'guests' },
    { network: '198.51.100.8/31', note: 'guests' },
    '203.0.113.1',
    '203.0.113.2',
    '203.0.113.3',
    { network: '2001:db8::1/128', until: 1_830_297_600 },
    { network: '2001:db8::2/128', until: 1_830_297_600 },
    { network: '10.0.0.0/8', note: 'lab # 2', until: 1_830_254_400 },
  ])
  // The rows of the page give the same list back.
  const page = await owner.page('/policy')
  const rows = [...page.text.matchAll(/name="(allow\.\w+)"[^>]* value="([^"]*)"/g)].map(([, name, value]) => [
    name,
    value,
  ])
  assert.equal(rows.length, 27)
  const body = new URLSearchParams([
    ['form_token', owner.formToken],
    ['require', 'optional'],
    ['confirmed', 'yes'],
    ...rows,
  ])
  await owner.request('POST', '/policy', {
    headers: { origin: service.origin, 'content-type': 'application/x-www-form-urlencoded' },
    body: body.toString(),
  })
  assert.equal((await owner.json('/api/policy')).network.allow.length, 9)
  assert.deepEqual((await owner.json('/api/policy')).network.allow.at(-1), {
    network: '10.0.0.0/8',
    note: 'lab # 2',
    until: 1_830_254_400,
  })
})

test('a draft takes rows, drops one, and saves nothing', async (t) => {
  const service = await startService(t)
  const { visitor: owner } = await freshVisitor(service, 'owner')
  await owner.page('/policy')
  const fields = {
    require: 'optional',
    'deny.network': '203.0.113.0/24',
    'deny.note': 'guests',
    deny: '203.0.113.9 # bar',
  }
  const added = await owner.page('/policy/draft', { ...fields, add: 'deny' })
  assert.equal(added.path, '/policy?draft=yes&added=deny.1')
  assert.match(added.text, /Nothing is saved yet/)
  assert.match(added.text, /name="deny\.network" value="203\.0\.113\.9"/)
  assert.match(added.text, /name="deny\.note" value="bar"/)
  const dropped = await owner.page('/policy/draft', { ...fields, drop: 'deny.0' })
  assert.doesNotMatch(dropped.text, /value="203\.0\.113\.0\/24"/)
  assert.match(dropped.text, /value="203\.0\.113\.9"/)
  assert.deepEqual((await owner.json('/api/policy')).network.deny, [])

  const saved = await owner.page('/policy')
  assert.match(saved.text, /You have a draft that is not saved\. <a href="\/policy\?draft=yes">Go on with it<\/a>/)
  assert.doesNotMatch(saved.text, /value="203\.0\.113\.9"/, 'the plain address shows the policy that holds')
  assert.match((await owner.page('/policy?draft=yes')).text, /value="203\.0\.113\.9"/)
  const discarded = await owner.page('/policy/draft', { discard: 'yes' })
  assert.equal(discarded.path, '/policy')
  assert.doesNotMatch(discarded.text, /draft that is not saved/)
  assert.equal((await owner.page('/policy/review')).path, '/policy', 'without a draft there is nothing to review')
})

test('a policy that another owner has saved meanwhile is not undone unseen', async (t) => {
  const service = await startService(t)
  const { visitor: owner } = await freshVisitor(service, 'owner')
  await owner.page('/policy')
  const { base } = await owner.json('/api/policy')
  const mine = { require: 'optional', name: 'Acme', deny: '203.0.113.0/24', base }
  assert.doesNotMatch((await owner.page('/policy', mine)).text, /another policy/)
  const theirs = { require: 'everyone', confirmed: true }
  assert.equal((await owner.json('/api/policy', { ...theirs, base: 'older' })).result, 'policy_outdated')
  assert.equal((await owner.json('/api/policy', { ...theirs, base })).result, 'policy_saved')

  const late = await owner.page('/policy', { ...mine, confirmed: 'yes' })
  assert.equal(late.path, '/policy/review')
  assert.match(late.text, /You saved another policy in another window, on <time datetime="2027-01-15T08:01:00/)
  assert.equal((await owner.json('/api/policy')).require, 'everyone')
  const now = /name="base" value="([^"]+)"/.exec(late.text)[1]
  const saved = await owner.page('/policy', { ...mine, base: now, confirmed: 'yes' })
  assert.match(saved.text, /Saved\. It holds at once/)
  assert.equal((await owner.json('/api/policy')).require, 'optional')
})

test('an owner is told which other owner saved the policy meanwhile, and when', async (t) => {
  const service = await startService(t)
  const { visitor: owner } = await freshVisitor(service, 'owner')
  const { visitor: other } = await freshVisitor(service, 'member', '192.0.2.11')
  service.database((db) => db.prepare("UPDATE users SET role = 'owner' WHERE email LIKE 'member%'").run())
  await owner.page('/policy')
  const { base } = await owner.json('/api/policy')
  const mine = { require: 'optional', name: 'Acme', deny: '203.0.113.0/24', base }
  await owner.page('/policy', mine)
  assert.equal((await other.json('/api/policy', { require: 'everyone', confirmed: true })).result, 'policy_saved')
  const savedAt = service.now
  service.advance(90)
  const late = await owner.page('/policy', { ...mine, confirmed: 'yes' })
  const time = `<time datetime="${new Date(savedAt * 1000).toISOString()}"`
  assert.ok(late.text.includes(`member@acme.example saved another policy after you began, on ${time}`))
  assert.equal(settingsOf(late)['Second factor'], 'Everyone → Nobody: each person decides', 'from what the other saved')
  const program = await owner.json('/api/policy', { require: 'optional', base, confirmed: true })
  assert.deepEqual([program.result, program.saved], ['policy_outdated', { by: 'member@acme.example', at: savedAt }])

  // Rules that an operator wrote into the database are in no trail.
  service.database((db) => db.exec("DELETE FROM events; UPDATE accounts SET name = 'Beta'"))
  assert.match(
    (await owner.page('/policy/review')).text,
    /Another policy was saved after you began\. If you save yours/,
  )
})

test('a draft is kept while the owner confirms, and the review comes next', async (t) => {
  const service = await startService(t)
  const { visitor: owner, code } = await enrolledVisitor(service, 'owner')
  service.advance(301)
  await owner.page('/policy')
  const asked = await owner.page('/policy', { require: 'everyone', name: 'Bravo' })
  assert.equal(asked.path, `/confirm?next=${encodeURIComponent('/policy/review')}`)
  await owner.page('/security/fresh-factor', { next: '/policy/review' })
  const review = await owner.page('/login/second-step', { method: 'totp', code: code() })
  assert.equal(review.path, '/policy/review')
  assert.equal(settingsOf(review)['Name in apps'], 'Acme → Bravo')

  service.advance(301)
  const late = await owner.page('/policy', { require: 'everyone', name: 'Bravo', ...(await confirmation(owner)) })
  assert.match(late.path, /^\/confirm\?/, 'it is asked for again before it is saved')
  assert.equal((await owner.json('/api/policy')).name, 'Acme')
  await owner.page('/security/fresh-factor', { next: '/policy/review' })
  assert.equal((await owner.page('/login/second-step', { method: 'totp', code: code() })).path, '/policy/review')
  const saved = await owner.page('/policy', { require: 'everyone', name: 'Bravo', ...(await confirmation(owner)) })
  assert.match(saved.text, /Saved\. It holds at once/)
})

test('a mistake in the form is told at its field, which has the focus', async (t) => {
  const service = await startService(t)
  const { visitor: owner } = await freshVisitor(service, 'owner')
  await owner.page('/policy')
  const send = (fields) => owner.page('/policy', { require: 'optional', ...fields })
  const bits = await send({ 'deny.network': '203.0.113.7/24', 'deny.note': 'guests' })
  assert.match(bits.path, /^\/policy\?draft=yes&said=/)
  assert.match(
    bits.text,
    /In the networks to keep out, <code>203\.0\.113\.7\/24<\/code>: [^<]*<code>203\.0\.113\.0\/24<\/code>/,
  )
  assert.match(bits.text, /value="203\.0\.113\.7\/24"[^>]* aria-invalid="true" aria-describedby="problem" autofocus/)
  assert.match(bits.text, /value="guests"/)
  assert.match(bits.text, /<title>Error: /)
  const none = await send({ allow: 'everywhere' })
  assert.match(none.text, /In the allowed networks, <code>everywhere<\/code>: this is no network/)
  const note = await send({ 'api.network': '10.0.0.0/8', 'api.note': 'x'.repeat(201) })
  assert.match(note.text, /In the networks of API clients, <code>10\.0\.0\.0\/8<\/code>: the note is too long/)
  const until = await send({ allow: '10.0.0.0/8 until soon' })
  assert.match(until.text, /<code>10\.0\.0\.0\/8<\/code>: the last day is none/)
  for (const name of ['', 'a:b', '日本', 'x'.repeat(41)]) {
    const wrong = await send({ name })
    assert.match(wrong.text, /Name of this account: write 1 to 40/, name)
    assert.match(wrong.text, /<input id="name"[^>]* aria-invalid="true" autofocus/, name)
  }
  const nobody = await send({ require: 'nobody' })
  assert.match(nobody.text, /Who must have a second factor: choose one of the answers/)
  assert.deepEqual((await owner.json('/api/policy')).network, { allow: [], api: [], deny: [] })
})

test('a rule with an end is shown with its last day, and as ended after it', async (t) => {
  const service = await startService(t)
  const { visitor: owner } = await freshVisitor(service, 'owner')
  const until = Math.ceil((service.now + 3_600) / 86_400) * 86_400
  const deny = [{ network: '203.0.113.0/24', note: 'for a day', until }]
  await owner.json('/api/policy', { require: 'optional', deny, confirmed: true })
  const day = new Date((until - 1) * 1000).toISOString().slice(0, 10)
  const shown = await owner.page('/policy')
  assert.match(shown.text, new RegExp(`type="date" value="${day}"`))
  assert.doesNotMatch(shown.text, /Ended/)
  assert.equal((await new Visitor(service, '203.0.113.5').logIn('member')).reason, 'address_denied')
  service.advance(until - service.now)
  assert.equal((await new Visitor(service, '203.0.113.5').logIn('member')).result, 'allowed')
})

test('a forgotten family of addresses is named before the change', async (t) => {
  const service = await startService(t)
  const { visitor: owner } = await freshVisitor(service, 'owner')
  await owner.page('/policy')
  const page = await owner.page('/policy', { require: 'optional', allow: '0.0.0.0/0' })
  assert.match(page.text, /Nobody gets in over IPv6: the allowed networks hold no such address/)
  const both = await owner.page('/policy', { require: 'optional', allow: '0.0.0.0/0 ::/0' })
  assert.doesNotMatch(both.text, /over IPv6/)
})

test('S10: a second factor is forced for a role, and outside of the office', async (t) => {
  const service = await startService(t)
  const { visitor: owner } = await freshVisitor(service, 'owner')
  await owner.page('/policy')
  const fields = { require: 'some', outside: '192.0.2.0/24 # office', ...(await confirmation(owner)) }
  assert.match((await owner.page('/policy', fields)).text, /Saved\. It holds at once/)
  assert.deepEqual((await owner.json('/api/policy')).require, {
    outside: [{ network: '192.0.2.0/24', note: 'office' }],
  })
  assert.equal((await new Visitor(service, '192.0.2.20').logIn('member')).result, 'allowed')
  assert.equal((await new Visitor(service, '198.51.100.9').logIn('member')).reason, 'enrollment_required')
  await owner.json('/api/policy', { require: { roles: ['member'] }, confirmed: true })
  assert.equal((await new Visitor(service, '192.0.2.20').logIn('member')).reason, 'enrollment_required')
  const nothing = await owner.page('/policy', { require: 'some' })
  assert.match(nothing.text, /Who must have a second factor: choose a role or a network/)
})

test('P4: a saved policy is in the audit log: who, when, from where, and from what to what', async (t) => {
  const service = await startService(t)
  const { visitor: owner } = await freshVisitor(service, 'owner')
  await owner.json('/api/policy', { require: 'everyone', name: 'Bravo', confirmed: true, force: true })
  const { text } = await owner.page('/audit')
  assert.match(text, /Policy changed/)
  assert.match(
    text,
    /Name of this account: Acme → Bravo; Who must have a second factor: “Nobody: each person decides” → “Everyone”, from /,
  )
  assert.match(text, /<th role="rowheader" scope="row"><span><time[^]*?owner@acme\.example[^]*?Policy changed/)
  const some = { require: { roles: ['member'] }, firstFactor: 'password', network: { deny: ['10.0.0.0/8'] } }
  await owner.json('/api/policy', { ...some, ...some.network, confirmed: true, force: true })
  const [last] = /Who must have a second factor: “Everyone”[^<]*/.exec((await owner.page('/audit')).text)
  assert.match(last, /“Everyone” → “Some people”; People with one of these roles: \+ “Members”;/)
  assert.match(last, /How people without a second factor get one: “Only with a recovery code” → “By themselves when/)
  assert.match(last, /Never these networks: \+ 10\.0\.0\.0\/8/)
})

test('T38: a policy that locks its author out is refused unless forced', async (t) => {
  const service = await startService(t)
  const { visitor: owner } = await freshVisitor(service, 'owner')
  const lockOut = { require: 'optional', allow: ['10.0.0.0/8'] }
  const refused = await owner.json('/api/policy', { ...lockOut, confirmed: true })
  assert.equal(refused.status, 409)
  assert.equal(refused.result, 'policy_refused')
  assert.equal(refused.review.locksOutAuthor, true)
  assert.deepEqual((await owner.json('/api/policy')).network, { allow: [], api: [], deny: [] })

  await owner.page('/policy')
  const page = await owner.page('/policy', { require: 'optional', networks: '', allow: '10.0.0.0/8', deny: '' })
  assert.match(page.text, /You would shut yourself out/)
  assert.match(page.text, /type="checkbox" name="force"/)
  const unforced = await owner.page('/policy', {
    require: 'optional',
    allow: '10.0.0.0/8',
    ...(await confirmation(owner)),
  })
  assert.match(unforced.path, /^\/policy\/review\?said=/)
  assert.match(unforced.text, /Nothing was saved\. Change the policy, or tick the box/)
  assert.deepEqual((await owner.json('/api/policy')).network, { allow: [], api: [], deny: [] })

  assert.equal((await owner.json('/api/policy', { ...lockOut, confirmed: true, force: true })).result, 'policy_saved')
  const out = await owner.json('/api/me')
  assert.equal(out.status, 403)
  assert.match(out.reason, /^address_/)
})

test('T38: an owner without a second factor cannot force it on everyone', async (t) => {
  const service = await startService(t)
  const owner = new Visitor(service)
  await owner.logIn('owner')
  const refused = await owner.json('/api/policy', { require: 'everyone', confirmed: true })
  assert.equal(refused.result, 'policy_refused')
  assert.equal(refused.review.locksOutAuthor, true)
  assert.equal(refused.review.locksOutOwners, true)
  assert.equal((await new Visitor(service).logIn('member')).result, 'allowed')
})

test('S10: a second factor is forced only from certain networks', async (t) => {
  const service = await startService(t)
  const { visitor: owner } = await freshVisitor(service, 'owner')
  const saved = await owner.json('/api/policy', { require: { networks: ['198.51.100.0/24'] }, confirmed: true })
  assert.equal(saved.result, 'policy_saved', JSON.stringify(saved))
  assert.equal((await new Visitor(service, '192.0.2.20').logIn('member')).result, 'allowed')
  for (const ip of ['198.51.100.9', '::ffff:198.51.100.9']) {
    assert.equal((await new Visitor(service, ip).logIn('member')).reason, 'enrollment_required', ip)
  }
  assert.equal((await new Visitor(service, '198.51.100.9').logIn('owner')).result, 'challenge')

  const moved = new Visitor(service, '192.0.2.20')
  await moved.logIn('member')
  moved.ip = '198.51.100.9'
  assert.equal((await moved.json('/api/me')).status, 401, 'a session from another address does not count there')
})

test('S11, T22, T23: deny and allow rules, in every spelling of an address, also within a session', async (t) => {
  const service = await startService(t)
  const { visitor: owner, code } = await freshVisitor(service, 'owner')
  const moved = new Visitor(service)
  await moved.logIn('member')

  const denying = await owner.json('/api/policy', { require: 'optional', deny: ['203.0.113.0/24'], confirmed: true })
  assert.equal(denying.result, 'policy_saved', JSON.stringify(denying))
  for (const ip of ['203.0.113.5', '::ffff:203.0.113.5', '::ffff:cb00:7105', '0:0:0:0:0:ffff:cb00:7105']) {
    assert.equal((await new Visitor(service, ip).logIn('member')).reason, 'address_denied', ip)
  }
  assert.equal((await new Visitor(service, '203.0.114.5').logIn('member')).result, 'allowed')
  moved.ip = '203.0.113.5'
  const refused = await moved.json('/api/me')
  assert.equal(refused.status, 403)
  moved.ip = '192.0.2.10'
  assert.equal((await moved.json('/api/me')).status, 200, 'a wrong address does not end the session')

  service.advance(60)
  await owner.showFactorAgain('totp', code())
  const allowing = await owner.json('/api/policy', { require: 'optional', allow: ['192.0.2.0/24'], confirmed: true })
  assert.equal(allowing.result, 'policy_saved', JSON.stringify(allowing))
  assert.equal((await new Visitor(service, '203.0.114.5').logIn('member')).reason, 'address_not_allowed')
  // C19: some proxies write the port as well.
  assert.notEqual((await new Visitor(service, '192.0.2.10:51008').logIn('member')).result, 'denied')
  for (const ip of [
    'garbage',
    '0300.0.2.10',
    '192.0.2.010',
    '0xc000020a',
    '3221225994',
    '192.0.2.10:',
    '198.51.100.10:80',
    'fe80::1%eth0',
  ]) {
    const answer = await new Visitor(service, ip).logIn('member')
    assert.equal(answer.result, 'denied', ip)
  }
})

test('T24: without TRUST_PROXY a client cannot choose its address by a header', async (t) => {
  const service = await startService(t, { env: { TRUST_PROXY: 'false' } })
  const { visitor: owner } = await freshVisitor(service, 'owner')
  const saved = await owner.json('/api/policy', { require: 'optional', deny: ['203.0.113.0/24'], confirmed: true })
  assert.equal(saved.result, 'policy_saved', JSON.stringify(saved))
  assert.equal((await new Visitor(service, '203.0.113.5').logIn('member')).result, 'allowed')
})

test('a rule that is no network is refused with its position, and nothing is saved', async (t) => {
  const service = await startService(t)
  const { visitor: owner } = await freshVisitor(service, 'owner')
  for (const bad of ['203.0.113.7/24', '010.0.0.0/8', 'everywhere', '<script>', 7]) {
    const answer = await owner.json('/api/policy', { require: 'optional', deny: [bad], confirmed: true, force: true })
    assert.equal(answer.status, 400, String(bad))
    assert.equal(answer.result, 'error')
    assert.match(answer.code, /^\w+$/)
    assert.match(answer.path, /network\.deny/)
  }
  for (const require of ['nobody', null, ['everyone'], undefined, {}, { everyone: true }, 'networks']) {
    assert.equal((await owner.json('/api/policy', { require, confirmed: true })).status, 400)
  }
  assert.deepEqual((await owner.json('/api/policy')).network, { allow: [], api: [], deny: [] })
  await owner.page('/policy')
  const page = await owner.page('/policy', { require: 'optional', deny: '<script>' })
  assert.match(page.text, /&lt;script&gt;/)
  assert.doesNotMatch(page.text, /<script>/)
})

test('changing the policy needs a fresh factor and an owner', async (t) => {
  const service = await startService(t)
  const { visitor: owner } = await enrolledVisitor(service, 'owner')
  service.advance(301)
  assert.equal(
    (await owner.json('/api/policy', { require: 'everyone', confirmed: true })).reason,
    'fresh_factor_required',
  )
  const member = new Visitor(service)
  await member.logIn('member')
  assert.equal((await member.json('/api/policy', { require: 'optional', confirmed: true })).reason, 'owner_only')
})

test('S13: a plan without 2FA cannot set it up; after a plan lapses, users with 2FA are still asked', async (t) => {
  const service = await startService(t)
  const { code } = await enrolledVisitor(service, 'owner')
  service.database((db) => db.prepare('UPDATE accounts SET plan = ?').run('free'))

  const member = new Visitor(service)
  await member.logIn('member')
  assert.equal((await member.json('/api/security/totp', {})).reason, 'plan')
  assert.equal((await member.json('/api/security/sms', { number: '0412 345 678' })).reason, 'plan')

  const owner = new Visitor(service)
  assert.equal((await owner.logIn('owner')).result, 'challenge')
  assert.equal((await owner.json('/api/me')).status, 401)
  assert.equal((await owner.secondStep('totp', code())).result, 'verified')
})
