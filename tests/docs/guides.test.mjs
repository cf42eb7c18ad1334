// Runs the services of the README and the guides unchanged, and uses them over HTTP.
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { pathToFileURL } from 'node:url'
import Database from 'better-sqlite3'
import { generateKeys, memoryStore, sqliteStore, totp } from 'countersign'
import { at, freePorts } from '../../scripts/common.mjs'
import { blocksOf, folderOf, pages, strip } from './blocks.mjs'

let folder
before(() => {
  folder = folderOf(pages.flatMap(blocksOf).filter(({ language }) => language === 'ts'))
  strip(folder)
})
after(() => rmSync(at(folder), { recursive: true, force: true }))

const START = 1_800_000_000

/** Replaces the clock of a process by one that moves when it is told. */
const CLOCK = `
let now = ${START * 1_000}
Date.now = () => now
process.on('message', (time) => {
  now = time
  process.send('set')
})`

/** Runs a program of the guides, with a clock that moves when it is told. */
async function serve(t, name, env = {}) {
  const [port] = await freePorts(1)
  const clock = `data:text/javascript,${encodeURIComponent(CLOCK)}`
  const child = spawn(process.execPath, ['--import', clock, `${name}.js`], {
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
    child.send(service.time * 1_000)
    await once(child, 'message')
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
  assert.deepEqual(challenge.methods[0], { method: 'totp', kind: 'digits', digits: 6 })
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
  for (const path of ['/security/app', '/security/app/remove']) {
    const refused = await ann.post(path)
    assert.deepEqual([refused.status, refused.reason], [403, 'fresh_factor_required'], path)
  }
  assert.equal((await ann.post('/login/again')).result, 'challenge')
  const again = await ann.post('/login/code', { method: 'totp', code: '000000' })
  assert.deepEqual([again.result, again.attemptsLeft], ['wrong', 4], 'a used code costs no attempt')
  assert.equal((await ann.post('/login/code', { method: 'totp', code: app.code() })).result, 'verified')
  assert.equal((await ann.post('/payments')).result, 'paid')
  assert.equal((await ann.post('/security/app/remove')).result, 'removed')
})

test('the login of the README: a second step on another device, over https', async (t) => {
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

test('the login of the README: a cookie that browsers take on http://localhost', async (t) => {
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
  const old = await ann.post('/security/remove', { method: 'totp' })
  assert.deepEqual([old.status, old.reason], [403, 'fresh_factor_required'])
  assert.equal((await ann.post('/login/again')).result, 'challenge')
  assert.equal((await ann.post('/login/code', { method: 'totp', code: app.code() })).result, 'verified')
  assert.equal((await ann.post('/security/remove', { method: 'totp' })).result, 'removed')
})

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

test('the store of the storage guide keeps the contract', async () => {
  const { postgresStore } = await guide('postgres')
  const { proveStore } = await guide('prove-store')
  const db = new Database(':memory:')
  const [{ code: schema }] = blocksOf('docs/storage.md').filter(({ language }) => language === 'sql')
  db.exec(schema)
  // SQLite accepts the same statements, with `$1` as the name of a parameter.
  const query = async (sql, values) => {
    const named = Object.fromEntries(values.map((value, index) => [index + 1, value]))
    if (sql.startsWith('SELECT')) return { rows: db.prepare(sql).all(named), rowCount: null }
    return { rows: [], rowCount: db.prepare(sql).run(named).changes }
  }
  await proveStore(postgresStore({ query }))
  await proveStore(memoryStore())
  await proveStore(sqliteStore(new Database(':memory:')))
})

test('the proof of a store fails for a store that saves without comparing', async () => {
  const { proveStore } = await guide('prove-store')
  const records = new Map()
  const careless = {
    load: async ({ user }) => records.get(user),
    save: async ({ user }, record, expected) => {
      if (expected !== undefined && !records.has(user)) return false
      records.set(user, { record, version: (expected ?? 0) + 1 })
      return true
    },
  }
  await assert.rejects(proveStore(careless), /one of twenty first writers wins/)
})
