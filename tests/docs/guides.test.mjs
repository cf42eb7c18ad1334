// Runs the services of the README and the guides unchanged, and uses them over HTTP.
import assert from 'node:assert/strict'
import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { pathToFileURL } from 'node:url'
import { promisify } from 'node:util'
import Database from 'better-sqlite3'
import { createSecondFactor, generateKeys, memoryStore, totp } from 'countersign'
import { storageApi } from 'countersign/storage-api'
import { proveStore, StoreDefect } from 'countersign/testing/store'
import { at, freePorts } from '../../scripts/common.mjs'
import { setClock, withClock } from '../shared/moving-clock.mjs'
import { blocksOf, folderOf, pages, strip } from './blocks.mjs'

let folder
before(() => {
  folder = folderOf(pages.flatMap(blocksOf).filter(({ language }) => language === 'ts'))
  strip(folder)
})
after(() => rmSync(at(folder), { recursive: true, force: true }))

const START = 1_800_000_000

/** Runs a program of the guides, with a clock that moves when it is told. */
async function serve(t, name, env = {}) {
  const [port] = await freePorts(1)
  const child = spawn(process.execPath, [...withClock(START), `${name}.js`], {
    cwd: at(folder),
    env: {
      ...process.env,
      COUNTERSIGN_KEYS: JSON.stringify(generateKeys()),
      DATABASE: ':memory:',
      PORT: String(port),
      ...env,
    },
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  })
  const url = await answering(t, child, port)
  const advance = async (seconds) => {
    service.time += seconds
    await setClock(child, service.time)
  }
  const service = { url, time: START, advance }
  return service
}

/** Waits until a program answers, and ends it after the test. */
async function answering(t, child, port) {
  const ended = once(child, 'exit')
  t.after(async () => {
    child.kill()
    await ended
  })
  const url = `http://localhost:${port}`
  for (;;) {
    if (child.exitCode !== null) throw new Error('the service has ended')
    const answer = await fetch(url).catch(() => undefined)
    if (answer !== undefined) return url
    await sleep(20)
  }
}

/** A browser for these services: it keeps cookies. */
function browser({ url }) {
  const cookies = new Map()
  const request = async (method, path, body) => {
    const answer = await fetch(url + path, {
      method,
      headers: {
        'content-type': 'application/json',
        cookie: Array.from(cookies, ([name, value]) => `${name}=${value}`).join('; '),
      },
      ...(method === 'POST' && { body: typeof body === 'string' ? body : JSON.stringify(body ?? {}) }),
    })
    const setCookies = answer.headers.getSetCookie()
    for (const line of setCookies) {
      const [, name, value] = /^([^=]+)=([^;]*)/.exec(line)
      cookies.set(name, value)
    }
    return { status: answer.status, setCookies, cookies: new Map(cookies), ...(await answer.json()) }
  }
  return { get: (path) => request('GET', path), post: (path, body) => request('POST', path, body) }
}

const ANN = { user: 'ann', password: 'a long password' }
const BOB = { user: 'bob', password: 'another long password' }

/** Sets up an app. Gives the codes that it shows. */
async function setUpApp(service, person) {
  const { result, secret, setup } = await person.post('/security/app')
  assert.equal(result, 'totp_started')
  const app = { code: () => totp.generate({ secret, time: service.time }) }
  const enrolled = await person.post('/security/app/confirm', { setup, code: app.code() })
  assert.equal(enrolled.result, 'enrolled')
  assert.equal(enrolled.backupCodes.length, 10)
  return app
}

test('the README: a login with the adapter for Express, and a payment that asks again', async (t) => {
  const service = await serve(t, 'app')
  const ann = browser(service)
  assert.equal((await ann.get('/')).status, 401)
  assert.equal((await ann.post('/login', { ...ANN, password: 'another' })).result, 'wrong_password')
  assert.equal((await ann.post('/login', ANN)).result, 'allowed')
  const { secret, setup } = await ann.post('/second-factor/enroll-totp')
  const code = () => totp.generate({ secret, time: service.time })
  const enrolled = await ann.post('/second-factor/confirm-totp', { setup, code: code() })
  assert.deepEqual([enrolled.result, enrolled.backupCodes.length], ['enrolled', 10])

  const phone = browser(service)
  assert.equal((await phone.post('/login', ANN)).result, 'challenge')
  assert.equal((await phone.get('/')).status, 401, 'the password alone gives no access')
  await service.advance(30)
  assert.equal((await phone.post('/second-factor/verify', { method: 'totp', code: code() })).result, 'verified')
  assert.equal((await phone.get('/')).user, 'u-1')
  assert.equal((await phone.post('/payments')).result, 'paid')
  await service.advance(301)
  assert.deepEqual([(await phone.get('/')).status, (await phone.post('/payments')).status], [200, 401])
})

test('getting started: set up an app, get in again in the same session, and change a factor', async (t) => {
  const service = await serve(t, 'main')
  const ann = browser(service)
  assert.equal((await ann.get('/')).status, 401)
  assert.equal((await ann.post('/login', { ...ANN, password: 'another' })).result, 'wrong_password')
  assert.equal((await ann.post('/login', ANN)).result, 'allowed')
  assert.equal((await ann.get('/')).user, 'u-1')
  assert.equal((await ann.post('/payments')).result, 'paid', 'a user without a factor is not asked for one')
  assert.equal((await ann.post('/login/again')).result, 'allowed')

  const app = await setUpApp(service, ann)
  assert.equal((await ann.get('/')).user, 'u-1', 'the set-up brought a pass')
  const challenge = await ann.post('/login/again')
  assert.equal(challenge.result, 'challenge')
  const [{ factors, ...usable }] = challenge.methods
  assert.deepEqual(usable, { method: 'totp', kind: 'digits', digits: 6 })
  assert.deepEqual(
    factors.map(({ name }) => name),
    ['Authenticator app'],
  )
  assert.equal(challenge.ticket, undefined, 'the ticket stays on the server')
  const used = await ann.post('/login/code', { method: 'totp', code: app.code() })
  assert.equal(used.result, 'already_used', 'the code of the set-up is used')
  await service.advance(30)
  const done = await ann.post('/login/code', { method: 'totp', code: app.code() })
  assert.deepEqual([done.result, done.enroll, done.pass], ['verified', false, undefined])
  assert.equal((await ann.get('/')).user, 'u-1')
  assert.equal((await ann.post('/payments')).result, 'paid')

  await service.advance(301)
  assert.equal((await ann.get('/')).user, 'u-1')
  const payment = await ann.post('/payments')
  assert.deepEqual([payment.result, payment.reason], ['second_step', 'too_old'])
  const [{ id: factor, name }] = (await ann.get('/security')).methods
  assert.equal(name, 'Authenticator app')
  for (const path of ['/security/app', '/security/remove']) {
    const refused = await ann.post(path, { factor })
    assert.deepEqual([refused.status, refused.reason], [403, 'fresh_factor_required'], path)
  }
  assert.equal((await ann.post('/login/again')).result, 'challenge')
  const again = await ann.post('/login/code', { method: 'totp', code: '000000' })
  assert.deepEqual([again.result, again.attemptsLeft], ['wrong', 4], 'a used code costs no attempt')
  assert.equal((await ann.post('/login/code', { method: 'totp', code: app.code() })).result, 'verified')
  assert.equal((await ann.post('/payments')).result, 'paid')
  assert.equal((await ann.post('/security/remove', { factor })).result, 'removed')
})

test('getting started: a set-up is shown again, an app has a name, and a code may be of one app', async (t) => {
  const service = await serve(t, 'main')
  const ann = browser(service)
  await ann.post('/login', ANN)
  assert.equal((await ann.get('/security/app')).result, 'expired')
  assert.equal((await ann.post('/security/app/confirm', { code: '000000' })).result, 'expired')
  const { secret, setup } = await ann.post('/security/app', { name: 'Old phone' })
  assert.equal(setup, undefined, 'the set-up stays in the session')
  const again = await ann.get('/security/app')
  assert.deepEqual([again.result, again.secret], ['totp_started', secret])
  const code = () => totp.generate({ secret, time: service.time })
  assert.equal((await ann.post('/security/app/confirm', { code: code() })).result, 'enrolled')
  assert.equal((await ann.get('/security/app')).result, 'expired')

  const [{ id: factor }] = (await ann.get('/security')).methods
  const { factor: renamed, ...reply } = await ann.post('/security/rename', { factor, name: 'Phone' })
  assert.deepEqual([reply.result, reply.method, renamed], ['renamed', 'totp', { id: factor, name: 'Phone' }])
  assert.equal((await ann.post('/security/rename', { factor, name: '' })).field, 'name')
  assert.equal((await ann.post('/security/browsers/remove', { browser: factor })).reason, 'not_enrolled')
  assert.equal((await ann.post('/security/browsers/remove')).field, 'browser')

  assert.equal((await ann.get('/payroll')).result, 'payroll')
  await service.advance(3_601)
  const old = await ann.get('/payroll')
  assert.deepEqual([old.result, old.reason], ['second_step', 'too_old'])
  await ann.post('/login/again')
  const step = { method: 'totp', code: code() }
  assert.notEqual((await ann.post('/login/code', { ...step, factor: 'A1b2C3d4E5f6' })).result, 'verified')
  assert.equal((await ann.post('/login/code', { ...step, factor })).result, 'verified')
  assert.equal((await ann.get('/payroll')).result, 'payroll')
})

test('getting started: log-outs and a reset end the sessions of the host as well', async (t) => {
  const service = await serve(t, 'main')
  const [ann, bob, phone] = [browser(service), browser(service), browser(service)]
  await ann.post('/login', ANN)
  await setUpApp(service, ann)
  for (const one of [bob, phone]) await one.post('/login', BOB)
  assert.equal((await bob.post('/security/log-out-others')).result, 'logged_out')
  assert.deepEqual([(await bob.get('/')).user, (await phone.get('/')).status], ['u-2', 401])
  assert.equal((await bob.post('/users/u-1/reset')).reason, 'owner_only')
  assert.deepEqual([(await ann.post('/users/u-9/reset')).status, (await ann.get('/')).user], [404, 'u-1'])
  const reset = await ann.post('/users/u-2/reset')
  assert.deepEqual([reset.result, typeof reset.code], ['recovery_code', 'string'])
  assert.equal((await bob.get('/')).status, 401)
  assert.equal((await bob.post('/login', BOB)).result, 'challenge')
  await service.advance(3_601)
  assert.equal((await bob.post('/login', BOB)).reason, 'recovery_code_required')
  assert.equal((await ann.post('/security/log-out-everywhere')).result, 'logged_out')
  assert.equal((await ann.get('/')).status, 401)
})

test('the login by hand: a second step on another device, over https', async (t) => {
  const service = await serve(t, 'main', { ORIGIN: 'https://acme.example' })
  const ann = browser(service)
  await ann.post('/login', ANN)
  const app = await setUpApp(service, ann)
  await service.advance(30)

  const phone = browser(service)
  const login = await phone.post('/login', ANN)
  assert.equal(login.result, 'challenge')
  assert.equal((await phone.get('/')).status, 401, 'the password alone gives no access')
  assert.equal(
    (await browser(service).post('/login/code', { method: 'totp', code: app.code() })).result,
    'log_in_first',
  )
  const done = await phone.post('/login/code', { method: 'totp', code: app.code() })
  assert.equal(done.result, 'verified')
  assert.match(done.setCookies[0], /^__Host-session=.*; Secure(?:;|$)/)
  assert.notEqual(done.cookies.get('__Host-session'), login.cookies.get('__Host-session'))
  assert.equal((await phone.get('/')).user, 'u-1')
})

test('the login by hand: a cookie that browsers take on http://localhost', async (t) => {
  const ann = browser(await serve(t, 'main'))
  const [cookie] = (await ann.post('/login', ANN)).setCookies
  assert.match(cookie, /^session=/)
  assert.doesNotMatch(cookie, /Secure/)
})

for (const name of ['main', 'service']) {
  test(`${name}.ts answers wrong input, and its process goes on`, async (t) => {
    const service = await serve(t, name)
    const ann = browser(service)
    await ann.post('/login', ANN)
    await setUpApp(service, ann)
    await ann.post('/login', ANN)
    for (const [body, field] of [
      [{ method: 'totp' }, 'code'],
      [{ method: 'totp', code: 123_456 }, 'code'],
      [{ method: 'carrier pigeon', code: '1' }, 'method'],
    ]) {
      const reply = await ann.post('/login/code', body)
      assert.deepEqual([reply.status, reply.result, reply.field], [403, 'malformed', field], JSON.stringify(body))
    }
    assert.equal((await ann.post('/login/code', '{')).status, 400)
  })
}

test('the service of the adapters guide', async (t) => {
  const service = await serve(t, 'service')
  const ann = browser(service)
  assert.equal((await ann.post('/security/app')).status, 401)
  assert.equal((await ann.post('/login', ANN)).result, 'allowed')
  assert.equal((await ann.post('/login/sms')).status, 401, 'no ticket')
  const app = await setUpApp(service, ann)
  assert.equal((await ann.post('/login/again')).result, 'challenge')
  const sms = await ann.post('/login/sms')
  assert.deepEqual([sms.status, sms.reason], [403, 'not_enrolled'])
  await service.advance(30)
  const done = await ann.post('/login/code', { method: 'totp', code: app.code() })
  assert.deepEqual([done.result, done.enroll], ['verified', false])
  assert.equal((await ann.get('/security')).enrolled, true)
  assert.equal((await ann.post('/security/phone', { number: '+61412345678' })).result, 'sms_sent')
  const soon = await ann.post('/security/phone', { number: '+61412345678' })
  assert.deepEqual([soon.status, soon.reason], [429, 'cooldown'])
  assert.equal((await ann.post('/security/backup-codes')).codes.length, 10)
  assert.equal((await ann.post('/users/u-1/recovery-code')).reason, 'not_for_oneself')

  await service.advance(301)
  const factor = (await ann.get('/security')).methods[0].id
  const old = await ann.post('/security/remove', { factor })
  assert.deepEqual([old.status, old.reason], [403, 'fresh_factor_required'])
  assert.equal((await ann.post('/login/again')).result, 'challenge')
  assert.equal((await ann.post('/login/code', { method: 'totp', code: app.code() })).result, 'verified')
  assert.equal((await ann.post('/security/remove', { factor })).result, 'removed')
})

test('getting started: new backup codes are confirmed by their set', async (t) => {
  const service = await serve(t, 'main')
  const ann = browser(service)
  await ann.post('/login', ANN)
  const { secret } = await ann.post('/security/app')
  const code = totp.generate({ secret, time: service.time })
  assert.equal((await ann.get('/security/backup-codes/new')).result, 'expired')
  const { set, backupCodes } = await ann.post('/security/app/confirm', { code })
  assert.equal(typeof set, 'string')
  const shown = await ann.get('/security/backup-codes/new')
  assert.deepEqual([shown.codes.map((one) => one.code), shown.set], [backupCodes, set], 'the page is loaded again')
  const method = async () => (await ann.post('/login/again')).methods.find(({ method }) => method === 'backup_code')
  assert.equal((await method()).confirmed, false)
  assert.equal((await ann.post('/security/backup-codes/saved', { set: 'another' })).result, 'expired')
  assert.equal((await ann.post('/security/backup-codes/saved', {})).field, 'set')
  assert.equal((await ann.post('/security/backup-codes/saved', { set })).result, 'confirmed')
  assert.equal((await ann.get('/security/backup-codes/new')).result, 'expired')
  assert.equal((await method()).confirmed, true)
})

/** The login by hand with `firstFactor: 'password'`, and with the routes of the policy guide in the place that it names. */
function writeLoginWithSetUp() {
  const login = readFileSync(at(folder, 'login.js'), 'utf8')
  const policy = 'policy: { v: 1, name: "Acme", origin }'
  const guard = 'app.use(async (req, res, next) => {'
  for (const part of [policy, guard]) assert.equal(login.split(part).length, 2, part)
  const changed = login
    .replace(policy, "policy: { v: 1, name: 'Acme', origin, require: 'everyone', firstFactor: 'password' }")
    .replace(guard, `app.use(setUpAtLogin(secondFactor))\n${guard}`)
  writeFileSync(at(folder, 'login-with-set-up.js'), `import { setUpAtLogin } from './set-up.js'\n${changed}`)
}

test('policy: a first factor is set up at login, in the session that goes on under a new id', async (t) => {
  writeLoginWithSetUp()
  const service = await serve(t, 'login-with-set-up')
  const ann = browser(service)
  assert.equal((await ann.post('/login/set-up/app')).status, 401)
  const login = await ann.post('/login', ANN)
  assert.deepEqual([login.status, login.result, login.methods, login.ticket], [200, 'set_up', ['totp'], undefined])
  assert.equal((await ann.get('/')).result, 'second_step', 'the session opens nothing else')
  assert.equal((await ann.post('/login/code', { method: 'totp', code: '123456' })).result, 'denied')

  const { secret, setup } = await ann.post('/login/set-up/app')
  const code = totp.generate({ secret, time: service.time })
  assert.equal((await ann.post('/login/set-up/app/confirm', { setup, code: '000000' })).result, 'wrong')
  assert.equal((await ann.post('/login/set-up/app/confirm', { code })).field, 'setup')
  assert.equal((await ann.get('/')).result, 'second_step')
  const enrolled = await ann.post('/login/set-up/app/confirm', { setup, code })
  assert.deepEqual([enrolled.result, enrolled.backupCodes.length, typeof enrolled.set], ['enrolled', 10, 'string'])
  assert.notEqual(enrolled.cookies.get('session'), login.cookies.get('session'))
  assert.equal((await ann.get('/')).user, 'u-1')

  const thief = browser(service)
  assert.equal((await thief.post('/login', ANN)).result, 'challenge')
  assert.equal((await thief.post('/login/set-up/app')).result, 'denied', 'the ticket of a challenge sets up nothing')
})

test('policy: /login/again gives the ticket of a set-up as well', async (t) => {
  writeLoginWithSetUp()
  const ann = browser(await serve(t, 'login-with-set-up'))
  await ann.post('/login', ANN)
  const again = await ann.post('/login/again')
  assert.deepEqual([again.result, again.ticket], ['set_up', undefined])
  assert.equal((await ann.post('/login/set-up/app')).result, 'totp_started')
})

test('policy: a trusted browser logs in without a code, under an address rule as well', async (t) => {
  const login = readFileSync(at(folder, 'login.js'), 'utf8')
  const policy = 'policy: { v: 1, name: "Acme", origin }'
  const route = 'app.post("/login", '
  for (const part of [policy, route]) assert.equal(login.split(part).length, 2, part)
  const rules = "trustedBrowser: { days: 30 }, network: { deny: ['203.0.113.13'] }"
  const changed = login
    .replace(policy, `policy: { v: 1, name: 'Acme', origin, ${rules} }, notify`)
    .replace(route, `app.use(trustingLogin(secondFactor))\n${route}`)
  const imports = "import { notify } from './mail.js'\nimport { trustingLogin } from './trusting-login.js'\n"
  writeFileSync(at(folder, 'login-by-browser.js'), imports + changed)
  const security = readFileSync(at(folder, 'security.js'), 'utf8').replace('./login.js', './login-by-browser.js')
  writeFileSync(at(folder, 'security-by-browser.js'), security)
  const service = await serve(t, 'security-by-browser')
  const ann = browser(service)
  await ann.post('/login', ANN)
  const app = await setUpApp(service, ann)
  const code = async (trust = {}) => {
    await service.advance(30)
    return ann.post('/login/code', { method: 'totp', code: app.code(), ...trust })
  }
  assert.equal((await ann.post('/login', ANN)).result, 'challenge')
  assert.equal((await code()).cookies.has('trusted-browser'), false, 'the box is not ticked')
  assert.equal((await ann.post('/login', ANN)).result, 'challenge')
  const trusted = await code({ trust: true, name: 'Firefox on Linux' })
  assert.match(trusted.setCookies[1], /^trusted-browser=.*; Expires=.*; HttpOnly; SameSite=Lax$/)

  await service.advance(86_400)
  const login1 = await ann.post('/login', ANN)
  assert.equal(login1.result, 'verified')
  assert.notEqual(login1.cookies.get('trusted-browser'), trusted.cookies.get('trusted-browser'))
  assert.equal((await ann.get('/')).user, 'u-1')
  const [{ name, id }] = (await ann.get('/security')).trustedBrowsers
  assert.equal(name, 'Firefox on Linux')
  assert.equal((await browser(service).post('/login', ANN)).result, 'challenge', 'another browser')
  assert.equal((await ann.post('/security/rename', { factor: id, name: 'x' })).reason, 'fresh_factor_required')
  assert.equal((await ann.post('/security/browsers/remove', { browser: id })).result, 'trusted_browser_removed')
  assert.equal((await ann.post('/login', ANN)).result, 'challenge')
})

test('adapters: a call that forgets the account is an error, and lets nobody in', async () => {
  const { secondFactorOf } = await guide('many-accounts')
  const rules = { acme: { require: 'everyone' } }
  const factor = secondFactorOf(JSON.stringify(generateKeys()), memoryStore(), async (account) => rules[account])
  const denied = { result: 'denied', reason: 'enrollment_required' }
  assert.deepEqual(await factor.begin({ account: 'acme', user: 'ann', session: 's' }), denied)
  for (const lost of [{}, { account: undefined }])
    await assert.rejects(factor.begin({ ...lost, user: 'ann', session: 's' }), { code: 'invalid_policy' })
  await assert.rejects(factor.begin({ account: null, user: 'ann', session: 's' }), { code: 'invalid_input' })
})

test('operations: the file of the guide serves the command of the operator', async () => {
  const cli = at('pkg/cli.cjs')
  const [{ code }] = blocksOf('docs/operations.md').filter(({ code }) =>
    code.startsWith('npx countersign recovery issue'),
  )
  const [, config] = /--config (\S+)/.exec(code)
  const args = ['recovery', 'issue', '--config', config, '--account', 'acme', '--user', '4711', '--operator', 'Jo']
  const env = { ...process.env, COUNTERSIGN_KEYS: JSON.stringify(generateKeys()), DATABASE: ':memory:' }
  const { stdout, stderr } = await promisify(execFile)(process.execPath, [cli, ...args], { cwd: at(folder), env })
  assert.match(stdout, /^([0-9A-Z]{4}-){3}[0-9A-Z]{4} /)
  assert.match(stderr, /mail to owners 4711 recovery_code_issued/)
})

test('gate: the revocations keep the latest of each user, by account, in any order', async (t) => {
  const { revocations } = await guide('revocations')
  for (const order of [(list) => list, (list) => list.toReversed()]) {
    const { endPasses, endUser, endSession, revoked } = revocations()
    const latest = {}
    for (const account of [undefined, 'acme']) {
      const changes = await changesOf({ account, user: 'ann' })
      assert.ok(changes.length > 1)
      latest[account ?? ''] = changes.at(-1).epoch
      for (const change of order(changes)) endPasses(change)
      for (const at of order([1_800_000_000, 1_800_000_100])) endUser({ account, user: 'bob' }, at)
    }
    endUser({ account: 'other', user: '__proto__' }, 1_800_000_000)
    endSession('s-1')

    const token = 'a-token-of-thirty-two-characters-or-more'
    const server = createServer(storageApi({ store: memoryStore(), token, revoked }))
    await once(server.listen(0), 'listening')
    t.after(() => server.close())
    const { port } = /** @type {import('node:net').AddressInfo} */ (server.address())
    const answer = await fetch(`http://localhost:${port}/revoked`, { headers: { authorization: `Bearer ${token}` } })
    assert.deepEqual(await answer.json(), {
      v: 1,
      sessions: ['s-1'],
      users: { bob: 1_800_000_100 },
      epochs: { ann: latest[''] },
      accounts: {
        acme: { users: { bob: 1_800_000_100 }, epochs: { ann: latest.acme } },
        other: { users: JSON.parse('{ "__proto__": 1800000000 }'), epochs: {} },
      },
    })
  }
})

test('gate: the revocations of the guide end passes in Node, and a question keeps nothing', async () => {
  const { revocations } = await guide('revocations')
  const { endPasses, endUser, endSession, revoked } = revocations()
  const who = { account: 'acme', user: 'ann', session: 's' }
  const secondFactor = createSecondFactor({ ...service(), endPasses, revoked })
  const { setup, secret } = await secondFactor.enrollTotp({ ...who, label: 'ann' })
  const code = totp.generate({ secret, time: Math.floor(Date.now() / 1000) })
  const { pass: first } = await secondFactor.confirmTotp({ ...who, setup, code })
  const { pass } = await secondFactor.renewBackupCodes({ ...who, pass: first })
  const verdict = async (token) => (await secondFactor.check({ ...who, pass: token })).reason ?? 'in'
  assert.deepEqual([await verdict(first), await verdict(pass)], ['revoked', 'in'])
  endUser({ user: 'ann' })
  endSession('other')
  assert.equal(await verdict(pass), 'in')
  endSession('s')
  assert.equal(await verdict(pass), 'revoked')
  const before = JSON.stringify(revoked())
  revoked({ user: 'nobody', session: 's' })
  assert.equal(JSON.stringify(revoked()), before)
})

/** The options of a second factor for one test. A store of two functions holds no list. */
function service() {
  const { load, save } = memoryStore()
  const policy = { v: 1, name: 'Acme', origin: 'https://acme.example' }
  return { policy, keys: generateKeys(), store: { load, save } }
}

/** The facts for `endPasses` while a user sets up an app and renews the backup codes. */
async function changesOf(who) {
  const changes = []
  const secondFactor = createSecondFactor({
    policy: { v: 1, name: 'Acme', origin: 'https://acme.example' },
    keys: generateKeys(),
    store: memoryStore(),
    endPasses: (ended) => changes.push(ended),
  })
  const given = { ...who, session: 's' }
  const started = await secondFactor.enrollTotp({ ...given, label: 'ann' })
  assert.equal(started.result, 'totp_started')
  const code = totp.generate({ secret: started.secret, time: Math.floor(Date.now() / 1000) })
  const enrolled = await secondFactor.confirmTotp({ ...given, setup: started.setup, code })
  assert.equal(enrolled.result, 'enrolled')
  assert.equal((await secondFactor.renewBackupCodes({ ...given, pass: enrolled.pass })).result, 'backup_codes')
  return changes
}

test('C20: the guides hand in the id of the user and never what was typed', async (t) => {
  const service = await serve(t, 'main')
  const ann = browser(service)
  await ann.post('/login', ANN)
  await setUpApp(service, ann)
  assert.equal((await browser(service).post('/login', { ...ANN, user: 'Ann' })).result, 'challenge')
})

test('the service of the adapters guide: an owner helps a user who lost the phone', async (t) => {
  const service = await serve(t, 'service')
  const [ann, bob] = [browser(service), browser(service)]
  await ann.post('/login', ANN)
  await bob.post('/login', BOB)
  const app = await setUpApp(service, ann)
  await setUpApp(service, bob)
  await service.advance(30)
  await ann.post('/login', ANN)
  await ann.post('/login/code', { method: 'totp', code: app.code() })
  const { result, code } = await ann.post('/users/u-2/recovery-code')
  assert.equal(result, 'recovery_code')

  const { methods } = await bob.post('/login', BOB)
  assert.ok(methods.some(({ method }) => method === 'recovery_code'))
  const done = await bob.post('/login/code', { method: 'recovery_code', code })
  assert.deepEqual([done.result, done.enroll], ['verified', true])
  assert.equal((await bob.post('/users/u-1/recovery-code')).reason, 'owner_only')
})

test('getting started: the commands compile the files and start the service', async (t) => {
  const [{ code }] = blocksOf('docs/getting-started.md').filter(({ code }) => code.includes('main.js'))
  // Outside of this repository, so that modules are found as in a user's project.
  const own = mkdtempSync(join(tmpdir(), 'countersign-start-'))
  t.after(() => rmSync(own, { recursive: true, force: true }))
  for (const { mark, name, code } of pages.flatMap(blocksOf)) {
    if (mark.startsWith('file: ')) writeFileSync(join(own, name), code)
  }
  mkdirSync(join(own, 'node_modules'))
  symlinkSync(at(''), join(own, 'node_modules/countersign'))
  for (const name of ['express', '@types']) symlinkSync(at('docs/node_modules', name), join(own, 'node_modules', name))
  symlinkSync(at('node_modules/better-sqlite3'), join(own, 'node_modules/better-sqlite3'))
  writeFileSync(join(own, 'package.json'), '{ "type": "module" }')
  writeFileSync(join(own, 'keys.json'), JSON.stringify(generateKeys()))
  const compiler = `'${process.execPath}' '${at('node_modules/typescript/bin/tsc')}'`
  const [port] = await freePorts(1)
  const child = spawn(
    'sh',
    ['-e', '-c', code.replace('npx tsc', compiler).replace('node main.js', 'exec node main.js')],
    {
      cwd: own,
      env: { ...process.env, DATABASE: ':memory:', PORT: String(port) },
      stdio: ['ignore', 'inherit', 'inherit'],
    },
  )
  const ann = browser({ url: await answering(t, child, port) })
  assert.equal((await ann.post('/login', ANN)).result, 'allowed')
})

const guide = (name) => import(pathToFileURL(at(folder, `${name}.js`)).href)

/** Runs the kit as a guide has it, and gives the checks that failed. */
async function failedBy(options) {
  const checks = []
  proveStore({ test: (name, run) => checks.push({ name, run }), ...options })
  const failed = []
  for (const { name, run } of checks) await run().catch((error) => failed.push({ name, defect: error.defect }))
  return { failed, checks: checks.length }
}

test('the store of the guide keeps the contract', async () => {
  const { myStore } = await guide('my-store')
  const db = new Database(':memory:')
  const [{ code: schema }] = blocksOf('docs/own-store.md').filter(({ code }) => code.startsWith('CREATE'))
  db.exec(schema)
  // SQLite accepts the same statements, with `$1` as the name of a parameter.
  const query = async (sql, values) => {
    const named = Object.fromEntries(values.map((value, index) => [index + 1, value]))
    if (sql.startsWith('SELECT')) return { rows: db.prepare(sql).all(named), rowCount: null }
    try {
      return { rows: [], rowCount: db.prepare(sql).run(named).changes }
    } catch (error) {
      throw error.code === 'SQLITE_CONSTRAINT_PRIMARYKEY' ? Object.assign(error, { code: '23505' }) : error
    }
  }
  const { failed } = await failedBy({ open: () => ({ store: myStore({ query }) }), module: false })
  assert.deepEqual(failed, [])
})

test('the tests of a store run as the guide has them, also in several processes', async (t) => {
  const own = mkdtempSync(join(tmpdir(), 'countersign-store-'))
  t.after(() => rmSync(own, { recursive: true, force: true }))
  const env = { ...process.env, TEST_DATABASE: join(own, 'test.sqlite'), NODE_TEST_CONTEXT: '' }
  const program = [at(folder, 'store-test.js')]
  const { stdout } = await promisify(execFile)(process.execPath, ['--test-reporter=tap', ...program], { env })
  assert.match(stdout, /^# pass 27$/m)
  assert.match(stdout, /^# fail 0$/m)
})

test('the guide has each defect of the kit, no other, and a message as the kit gives it', () => {
  const section = readFileSync(at('docs/own-store.md'), 'utf8').split('| defects by name |')[1].split('\n\n', 1)[0]
  const cells = section.split('\n').map((row) => row.split(' | ').at(-1))
  const told = cells.flatMap((cell) => [...cell.matchAll(/`([^`]+)`/g)].map(([, name]) => name))
  const source = readFileSync(at('js/testing/store/defects.ts'), 'utf8').split('const DEFECTS = {')[1]
  const known = [...source.matchAll(/^ {2}'?([a-z\d ]+)'?: \{/gm)].map(([, name]) => name)
  assert.ok(known.length > 20)
  assert.deepEqual([...new Set(told)].sort(), known.sort())
  const { code } = blocksOf('docs/own-store.md').find(({ code }) => code.includes('Why it matters'))
  const [name, seen] = /^([\w ]+): (.*)\.\n/.exec(code).slice(1)
  const whole = new StoreDefect(/** @type {any} */ (name), seen).message
  assert.equal(code.trim().replaceAll('\n', ' '), whole.replaceAll('\n', ' '))
})
