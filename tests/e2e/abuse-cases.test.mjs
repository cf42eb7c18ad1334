// Abuse cases: a stranger, a thief with a password, a member and an owner try what no form of the pages asks for.

import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { runInNewContext } from 'node:vm'
import { rulesOf, rulesOfLines } from '../../examples/login/network-lists.js'
import { freshVisitor, passwords, startService, Visitor } from './support.mjs'

// One service for all tests of this file. Each logs in anew, and puts back what it changes; the clock stands still.
const service = await startService({ after })
const { visitor: owner } = await freshVisitor(service, 'owner')

const next = 'a few words in a row'
const form = { 'content-type': 'application/x-www-form-urlencoded' }

const client = { client: 'reports', secret: 'reports-demo-secret' }
const clientFrom = (ip) => new Visitor(service, ip).json('/api/token', client)

/** The text of the notice on top of a page: of a problem or of a success. */
const notice = ({ text }) => /role="(?:alert|status)">.*?<div>(.*?)<\/div>/s.exec(text)?.[1]

/** Presses "Save" on the page of a review. */
function save(visitor, { text }, more = {}) {
  const [form] = /<form method="post" action="\/policy">(?:(?!<\/form>).)*name="confirmed".*?<\/form>/s.exec(text)
  const hidden = [...form.matchAll(/<input type="hidden" name="([^"]+)" value="([^"]*)">/gs)]
  return visitor.page('/policy', { ...Object.fromEntries(hidden.map(([, name, value]) => [name, value])), ...more })
}

const guess = async (name, ip) => {
  const fields = { email: `${name}@acme.example`, password: 'not it' }
  return (await new Visitor(service, ip).json('/api/login', fields)).result
}

async function loggedIn(name, ip) {
  const visitor = new Visitor(service, ip)
  assert.equal((await visitor.logIn(name)).result, 'allowed')
  return visitor
}

test('a form of another site does not set the language of the browser', async () => {
  const { status, headers } = await new Visitor(service).request('POST', '/language', {
    headers: { ...form, origin: 'https://evil.example', 'sec-fetch-site': 'cross-site' },
    body: 'language=de&next=/',
  })
  assert.equal(status, 403)
  assert.deepEqual(headers.getSetCookie(), [])
})

test('a cookie that tells the login page anything odd shows no source text and no failure', async () => {
  const odd = [
    { result: 'throttled' },
    { result: ['throttled'] },
    ...[9e15, -9e15, -1, 'x', null, {}].map((retryAt) => ({ result: 'throttled', retryAt })),
    ...['__proto__', 'constructor', 'toString', ['denied'], {}].map((result) => ({ result })),
    ...['__proto__', 'constructor', 'toString', ['x'], {}].map((reason) => ({ result: 'denied', reason })),
    ...['__proto__', 'constructor', 'code'].map((about) => ({ result: 'malformed', about })),
    { result: 'sms_refused', reason: 'constructor', retryAt: 1 },
    { result: 'locked', retryAt: 8.7e12 },
    {},
    1,
    null,
  ].map((told) => JSON.stringify({ told, typed: { email: '"><b>x' } }))
  for (const said of [...odd, 'null', '[]', 'x']) {
    const visitor = new Visitor(service)
    visitor.cookies.set('said', Buffer.from(said).toString('base64url'))
    const page = await visitor.page('/login?said=login')
    assert.equal(page.status, 200, said)
    assert.doesNotMatch(page.text, /=&gt;|native code|\[object|undefined|NaN|<b>x/, said)
  }
})

test('wrong passwords from many addresses are four rows of the trail: the first three, and the last', async () => {
  for (let i = 1; i <= 8; i += 1) assert.equal(await guess('colleague', `203.0.113.${i}`), 'wrong_password')
  const { events } = await owner.json('/api/audit?kind=wrong_password&person=colleague')
  const rows = events.map(({ times = 1, ip }) => [times, ip])
  assert.deepEqual(rows, [
    [5, '203.0.113.8'],
    [1, '203.0.113.3'],
    [1, '203.0.113.2'],
    [1, '203.0.113.1'],
  ])
})

test('a stranger takes no row of the trail from an address that guessed before', async (t) => {
  const ownService = await startService(t)
  const { visitor: ownOwner } = await freshVisitor(ownService, 'owner')
  const places = [1, 2, 3, 4, 1, 5, 2, 6, 3, 7, 1]
  for (const place of places) {
    const fields = { email: 'colleague@acme.example', password: 'not it' }
    await new Visitor(ownService, `203.0.113.${place}`).json('/api/login', fields)
  }
  const { events } = await ownOwner.json('/api/audit?kind=wrong_password&person=colleague')
  const rows = events.map(({ times = 1, ip }) => [times, ip])
  assert.deepEqual(rows, [
    [3, '203.0.113.1'],
    [4, '203.0.113.7'],
    [2, '203.0.113.3'],
    [2, '203.0.113.2'],
  ])
  const { text } = await ownOwner.page('/audit?kind=wrong_password')
  assert.match(text, /4 times, the last from 203\.0\.113\.7</)
  assert.match(text, /3 times, from 203\.0\.113\.1</)
})

test('guesses between logins of the person are four rows of the trail too', async (t) => {
  const ownService = await startService(t)
  const { visitor: ownOwner } = await freshVisitor(ownService, 'owner')
  for (let i = 1; i <= 12; i += 1) {
    const fields = { email: 'colleague@acme.example', password: 'not it' }
    await new Visitor(ownService, `203.0.113.${i}`).json('/api/login', fields)
    assert.equal((await new Visitor(ownService).logIn('colleague')).result, 'allowed')
  }
  const { events } = await ownOwner.json('/api/audit?kind=wrong_password&person=colleague')
  assert.equal(events.length, 4)
})

test('a cookie tells the login page no success', async () => {
  for (const result of [
    'removed',
    'renamed',
    'logged_out_elsewhere',
    'policy_saved',
    'factor_shown',
    'password_changed',
  ]) {
    const visitor = new Visitor(service)
    visitor.cookies.set('said', Buffer.from(JSON.stringify({ told: { result } })).toString('base64url'))
    assert.equal(notice(await visitor.page('/login?said=login')), undefined, result)
  }
})

test('addresses that cannot be read have ten tries together', async () => {
  const odd = ['203.0.113.1:5000', 'x', '[2001:db8::1]:443', 'unknown']
  for (let i = 0; i < 10; i += 1) assert.equal(await guess('odd', `${odd[i % odd.length]}${i}`), 'wrong_password')
  assert.equal(await guess('odd', '203.0.113.1:50001'), 'throttled')
})

test('one IPv4 client behind a translator does not use up the tries of the others', async () => {
  for (let i = 0; i < 11; i += 1) await guess('translated', '64:ff9b::cb00:7142')
  assert.equal(await guess('translated', '64:ff9b::cb00:7142'), 'throttled')
  assert.equal(await guess('translated', '64:ff9b::c000:20a'), 'wrong_password')
})

test('all addresses of one IPv6 network have ten tries together', async () => {
  for (let i = 1; i <= 10; i += 1) assert.equal(await guess('stranger', `2001:db8:1:2::${i}`), 'wrong_password')
  assert.equal(await guess('stranger', '2001:db8:1:2:ffff::1'), 'throttled')
  assert.equal(await guess('stranger', '2001:db8:1:3::1'), 'wrong_password', 'the next network has its own')
})

test('a wrong password that cannot be written to the trail does not end the service', async () => {
  const failing = "CREATE TRIGGER failing BEFORE INSERT ON events BEGIN SELECT RAISE(ABORT, 'the store fails'); END"
  service.database((db) => db.exec(failing))
  for (const name of ['member', 'nobody']) assert.equal(await guess(name, '203.0.113.66'), 'error')
  service.database((db) => db.exec('DROP TRIGGER failing'))
  assert.equal((await new Visitor(service).page('/login')).status, 200)
})

test('guesses on the page of the password stand in the trail', async () => {
  const thief = await loggedIn('member', '203.0.113.67')
  for (let i = 0; i < 3; i += 1) {
    const reply = await thief.json('/api/security/password', { password: 'not it', new_password: next })
    assert.equal(reply.reason, 'not_your_password')
  }
  const { events } = await thief.json('/api/security/activity')
  const [{ event, ip, times }] = events
  assert.deepEqual([event, ip, times], ['wrong_password', '203.0.113.67', 3])
})

test('a password that is easy to guess, or the same again, is refused', async () => {
  const member = await loggedIn('member')
  const refusalOf = async (password, new_password) =>
    (await member.json('/api/security/password', { password, new_password })).reason
  assert.equal(await refusalOf(passwords.member, passwords.member), 'password_same')
  assert.equal(
    await refusalOf('ein café in Zürich'.normalize('NFC'), 'ein café in Zürich'.normalize('NFD')),
    'password_same',
  )
  for (const easy of ['a'.repeat(15), ' '.repeat(15), 'abcdabcdabcdabcd', 'Member@ACME.example!'])
    assert.equal(await refusalOf(passwords.member, easy), 'password_easy', easy)
})

test('an é typed as one sign or as two is the same password', async () => {
  const composed = 'ein café in Zürich'.normalize('NFC')
  const decomposed = composed.normalize('NFD')
  const member = await loggedIn('member')
  const change = (password, new_password) => member.json('/api/security/password', { password, new_password })
  assert.equal((await change(passwords.member, decomposed)).result, 'password_changed')
  for (const password of [composed, decomposed]) {
    const reply = await new Visitor(service).json('/api/login', { email: 'member@acme.example', password })
    assert.equal(reply.result, 'allowed')
  }
  assert.equal((await change(composed, passwords.member)).result, 'password_changed')
})

test('a new password ends a copied cookie of someone without a factor', async () => {
  const member = await loggedIn('member')
  const copy = member.copy()
  const change = (password, new_password) => member.json('/api/security/password', { password, new_password })
  assert.equal((await change(passwords.member, next)).result, 'password_changed')
  assert.equal((await copy.json('/api/me')).status, 401)
  assert.equal((await change(next, passwords.member)).result, 'password_changed', 'the session of the person goes on')
})

test('many ends of other sessions do not push the login out of the trail', async () => {
  const thief = await loggedIn('colleague', '203.0.113.68')
  for (let i = 0; i < 60; i += 1) await thief.json('/api/security/sessions/end-others', {})
  const { events } = await thief.json('/api/security/activity')
  const ends = events.filter(({ event }) => event === 'sessions_ended')
  assert.deepEqual(
    ends.map(({ times }) => times),
    [60],
  )
  assert.ok(events.some(({ event, ip }) => event === 'login_allowed' && ip === '203.0.113.68'))
})

test('many changes of the password are refused, and do not push the login out of the trail', async (t) => {
  const ownService = await startService(t)
  const thief = new Visitor(ownService, '203.0.113.68')
  assert.equal((await thief.logIn('colleague')).result, 'allowed')
  const change = (password, new_password) => thief.json('/api/security/password', { password, new_password })
  let password = passwords.colleague
  for (let i = 0; i < 10; i += 1) {
    assert.equal((await change(password, `${next} ${i}`)).result, 'password_changed')
    password = `${next} ${i}`
  }
  assert.equal((await change(password, next)).result, 'throttled')
  const { events } = await thief.json('/api/security/activity')
  assert.ok(events.some(({ event, ip }) => event === 'login_allowed' && ip === '203.0.113.68'))
})

test('the fifteen characters of a password are counted as they are kept', async () => {
  const member = await loggedIn('member')
  const six = '한국말암호들'.normalize('NFD')
  assert.equal([...six].length, 17)
  const reply = await member.json('/api/security/password', { password: passwords.member, new_password: six })
  assert.equal(reply.reason, 'password_length')
})

test('a note that ends with a day gives its rule no end by the way through the pages', async (t) => {
  const ownService = await startService(t)
  const { visitor } = await freshVisitor(ownService, 'owner')
  const deny = [{ network: '203.0.113.0/24', note: 'abuse, seen until 2026-12-31' }]
  assert.equal(
    (await visitor.json('/api/policy', { require: 'optional', deny, confirmed: true })).result,
    'policy_saved',
  )
  const { text } = await visitor.page('/policy')
  const typedIn = (field) => new RegExp(`name="${field}"[^>]*? value="([^"]*)"`).exec(text)?.[1] ?? ''
  const fields = { require: 'optional', firstFactor: 'recovery_code', name: 'Acme New', base: typedIn('base') }
  for (const field of ['network', 'note', 'until']) fields[`deny.${field}`] = typedIn(`deny\\.${field}`)
  const review = await visitor.page('/policy', fields)
  assert.equal(review.path, '/policy/review')
  assert.equal((await save(visitor, review)).status, 200)
  assert.deepEqual((await visitor.json('/api/policy')).network.deny, deny)
})

test('the longest lists that a review shows can be saved', async (t) => {
  const ownService = await startService(t)
  const { visitor } = await freshVisitor(ownService, 'owner')
  const { base } = await visitor.json('/api/policy')
  await visitor.page('/policy')
  const ranges = (list) =>
    Array.from({ length: 8 }, (_, i) => {
      const network = `2001:db8:${list}${i}aa:bbbb`
      return `${network}:1111:1111:1111:1111 - ${network}:eeee:eeee:eeee:eeee`
    }).join('\n')
  const fields = { base, require: 'some', firstFactor: 'recovery_code', name: 'Acme', outside: '' }
  const review = await visitor.page('/policy', { ...fields, deny: ranges(1), networks: ranges(2), api: ranges(3) })
  assert.equal(review.path, '/policy/review')
  assert.equal((await save(visitor, review, { force: 'yes' })).status, 200)
  assert.equal((await visitor.json('/api/policy')).network.deny.length, 768)
})

test('the service reads no body that a stranger sends to a page behind the login', async () => {
  const stranger = new Visitor(service)
  const headers = { origin: service.origin, ...form }
  const page = await stranger.request('POST', '/policy', { headers, body: `name=${'a'.repeat(2_000_000)}` })
  assert.deepEqual([page.status, page.location], [303, '/login?next=%2Fpolicy&said=login'])
  const json = await stranger.json('/api/policy', { name: 'a'.repeat(2_000_000) })
  assert.deepEqual([json.status, json.reason], [401, 'login_required'])
  assert.equal((await stranger.json('/api/login', { email: 'a'.repeat(200_000) })).status, 413)
})

test('a role with an odd name shows no source text, in the review and in the trail', async (t) => {
  const ownService = await startService(t)
  const { visitor: ownOwner } = await freshVisitor(ownService, 'owner')
  const roles = ['__proto__', 'constructor', 'toString']
  await ownOwner.page('/policy')
  const { base } = await ownOwner.json('/api/policy')
  for (const role of roles) {
    const page = await ownOwner.page('/policy', { base, require: 'some', roles: role, name: 'Acme' })
    assert.equal(page.path, '/policy/review')
    assert.match(page.text, new RegExp(`people with the role ${role}<`))
  }
  const change = { require: { roles }, confirmed: true }
  assert.equal((await ownOwner.json('/api/policy', change)).result, 'policy_saved')
  for (const path of ['/policy', '/audit?kind=policy_changed'])
    assert.doesNotMatch((await ownOwner.page(path)).text, /native code|\[object|undefined/, path)
})

test('a link tells nothing that did not happen', async () => {
  for (const path of ['/security?go=x', '/security?go=password', '/users?go=x'])
    assert.equal(notice(await owner.page(path)), undefined, path)
})

test('each id stands once on the page of the settings, so that each field has its own label', async () => {
  const { text } = await owner.page('/security?go=password')
  const ids = [...text.matchAll(/\sid="([^"]+)"/g)].map(([, id]) => id)
  assert.deepEqual(ids, [...new Set(ids)])
  assert.match(text, /<label for="password">[^]*<input id="password"[^>]* type="password"/)
})

test('a NUL in a search does not find everything', async () => {
  assert.equal((await owner.json('/api/users?q=%00zzz')).count, 0)
  for (const search of ['person=x%00nobody', 'address=%00zz'])
    assert.deepEqual((await owner.json(`/api/audit?${search}`)).events, [], search)
})

test('no cell of the audit file begins like a formula, whichever sign a spreadsheet takes for the end of a cell', async () => {
  const [factor] = (await owner.page('/security')).text.match(/(?<=name="factor" value=")[\w-]{12}/)
  for (const name of ['a;=1+2', '";"=1+2', 'a;; =1+2', '=1+2', 'a;-1', 'a; @x', 'a;＝1'])
    assert.equal((await owner.json('/api/security/rename', { factor, name })).result, 'renamed', name)
  const { text } = await owner.page('/audit/export?format=csv&kind=factor_renamed')
  assert.match(text, /1\+2/)
  for (const cell of text.split(/[,;\t\r\n]/)) assert.doesNotMatch(cell, /^["\s]*[=+\-@＝＋－＠]/)
})

test('ranges of IPv6 become at most 2,250 networks', () => {
  const ranges = Array(900).fill('::1-f::fffe')
  const isNetwork = (rule) => rule.includes('/')
  const lists = [
    { allow: ranges.join('\n') },
    { 'allow.network': ranges },
    { allow: ranges.join('\n'), 'allow.network': ranges },
  ]
  for (const input of lists) {
    const rules = rulesOf(input, 'allow')
    const networks = rules.filter(isNetwork)
    assert.ok(networks.length >= 2000 && networks.length <= 2250, String(networks.length))
    assert.ok(
      rules.some((rule) => !isNetwork(rule)),
      'the others stay as they are, and the policy refuses them',
    )
  }
})

test('a line of many spaces is read in one go', () => {
  // Of work that grows with the square, this line would take days, so the limit holds on any machine.
  const line = `1${' '.repeat(4_000_000)}1`
  const read = () => [line, `# ${line}`, `1 until ${line}`].map((each) => rulesOfLines(each).length)
  assert.deepEqual(runInNewContext('read()', { read }, { timeout: 60_000 }), [2, 0, 4])
})

test('half a login, or a member, does not reach the lists of the policy by an outdated form', async () => {
  const body = 'form_token=x&require=optional&name=Evil&allow=::1-f::fffe'
  const send = (visitor) => visitor.request('POST', '/policy', { headers: { ...form, origin: service.origin }, body })
  const half = new Visitor(service)
  assert.equal((await half.logIn('owner')).result, 'challenge')
  const { status, location } = await send(half)
  assert.deepEqual([status, location], [303, '/login/second-step'])
  assert.equal((await send(await loggedIn('colleague'))).status, 403)
})

test('JSON that is no list of networks is refused, and not passed over', async () => {
  /** @type {any[]} */
  const odd = [{ network: '192.0.2.0/24' }, [{ toString: 1, typedIn: 1 }], { toString: 1 }, {}, 7]
  const lists = ['allow', 'api', 'deny', 'networks', 'allow.network', 'allow.note', 'allow.until']
  for (const list of lists)
    for (const value of odd) {
      const { status } = await owner.json('/api/policy', { require: 'some', outside: ['192.0.2.0/24'], [list]: value })
      assert.equal(status, 400, `${list}: ${JSON.stringify(value)}`)
    }
  for (const field of ['add', 'drop', 'roles', 'base', 'name'])
    for (const value of odd) {
      const draft = { require: 'optional', allow: 'no network', add: 'allow', [field]: value }
      const { status } = await owner.json('/api/policy/draft', draft)
      assert.ok(status === 200 || status === 400, `${field}: ${JSON.stringify(value)}`)
    }
})

test('an API client is admitted only from the address that the owner saw', async () => {
  const forced = { require: 'everyone', confirmed: true, force: true }
  assert.equal((await owner.json('/api/policy', forced)).result, 'policy_saved')
  assert.equal((await clientFrom('198.51.100.5')).reason, 'api_client_blocked')
  const [, rule] = /name="rule" value="([^"]+)"/.exec((await owner.page('/users')).text)
  assert.equal(rule, '198.51.100.5/32')

  // A thief of the secret comes between the page and the click.
  await clientFrom('203.0.113.66')
  assert.equal((await owner.json('/api/users/admit-client', { client: 'reports' })).status, 400)
  const reply = await owner.json('/api/users/admit-client', { client: 'reports', rule })
  assert.deepEqual([reply.status, reply.reason], [403, 'address_changed'])
  const page = await owner.page('/users/admit-client', { client: 'reports', rule })
  assert.match(page.text, /Admit from 203\.0\.113\.66\/32/)
  assert.equal((await clientFrom('203.0.113.66')).reason, 'api_client_blocked')
  assert.deepEqual((await owner.json('/api/policy')).network.api, [])
  assert.equal((await owner.json('/api/policy', { require: 'optional', confirmed: true })).result, 'policy_saved')
})
