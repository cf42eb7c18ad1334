// Runs the services of the README and the guides unchanged, and uses them over HTTP.
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { rmSync } from 'node:fs'
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

/** Runs files of the guides as one service. */
async function serve(t, ...files) {
  const [port] = await freePorts(1)
  const program = files.map((file) => `import './${file}.js'`).join('\n')
  const child = spawn(process.execPath, ['--input-type=module', '--eval', program], {
    cwd: at(folder),
    env: {
      ...process.env,
      COUNTERSIGN_KEYS: JSON.stringify(generateKeys()),
      DATABASE: ':memory:',
      PORT: String(port),
    },
    stdio: ['ignore', 'inherit', 'inherit'],
  })
  const ended = new Promise((resolve) => child.once('exit', resolve))
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
function browser(url) {
  const cookies = new Map()
  const request = async (method, path, body) => {
    const answer = await fetch(url + path, {
      method,
      headers: {
        'content-type': 'application/json',
        cookie: Array.from(cookies, ([name, value]) => `${name}=${value}`).join('; '),
      },
      ...(method === 'POST' && { body: JSON.stringify(body ?? {}) }),
    })
    for (const line of answer.headers.getSetCookie()) {
      const [, name, value] = /^([^=]+)=([^;]*)/.exec(line)
      cookies.set(name, value)
    }
    return { status: answer.status, cookies: new Map(cookies), ...(await answer.json()) }
  }
  return { get: (path) => request('GET', path), post: (path, body) => request('POST', path, body) }
}

/** Waits for the beginning of a step of 30 seconds, so that a code does not expire before its use. */
async function now() {
  const inStep = Date.now() % 30_000
  if (inStep > 20_000) await sleep(30_000 - inStep)
  return Math.floor(Date.now() / 1000)
}

const PASSWORD = { user: 'ann', password: 'a long password' }

/** Sets up an app with the code of the step before this one, which leaves this step's code for a login. */
async function setUpApp(person, time) {
  const { result, secret } = await person.post('/security/app')
  assert.equal(result, 'totp_started')
  const code = totp.generate({ secret: secret.replaceAll(' ', ''), time: time - 30 })
  const enrolled = await person.post('/security/app/confirm', { code })
  assert.equal(enrolled.result, 'enrolled')
  assert.equal(enrolled.backupCodes.length, 10)
  return (shift) => totp.generate({ secret: secret.replaceAll(' ', ''), time: time + shift })
}

test('the login of the README, with the routes of the guide', async (t) => {
  const url = await serve(t, 'security', 'payments')
  const time = await now()
  const ann = browser(url)
  assert.equal((await ann.get('/')).status, 401)
  assert.equal((await ann.post('/login', { ...PASSWORD, password: 'another' })).result, 'wrong_password')
  assert.equal((await ann.post('/login', PASSWORD)).result, 'allowed')
  assert.equal((await ann.get('/')).user, 'ann')
  assert.equal((await ann.post('/payments')).result, 'paid', 'a user without a factor is not asked for one')
  const codeAt = await setUpApp(ann, time)
  assert.deepEqual(
    [(await ann.get('/')).result, (await ann.get('/')).reason],
    ['second_step', 'no_pass'],
    'the session that set up the first factor has no pass yet',
  )

  const login = await ann.post('/login', PASSWORD)
  assert.equal(login.result, 'challenge')
  assert.deepEqual(login.methods[0], { method: 'totp', kind: 'digits', digits: 6 })
  assert.equal(login.ticket, undefined, 'the ticket stays on the server')
  assert.equal((await ann.get('/')).status, 401, 'the password alone gives no access')
  const wrong = await ann.post('/login/code', { method: 'totp', code: codeAt(-3_000) })
  assert.equal(wrong.result, 'wrong')
  assert.equal((await browser(url).post('/login/code', { method: 'totp', code: codeAt(0) })).result, 'log_in_first')
  const done = await ann.post('/login/code', { method: 'totp', code: codeAt(0) })
  assert.deepEqual([done.result, done.enroll, done.pass], ['verified', false, undefined])
  assert.notEqual(done.cookies.get('__Host-session'), login.cookies.get('__Host-session'))
  assert.equal((await ann.get('/')).user, 'ann')
  assert.equal((await ann.post('/payments')).result, 'paid')
  assert.equal((await ann.post('/security/app/remove')).result, 'removed')
})

test('the service of the adapters guide', async (t) => {
  const url = await serve(t, 'service')
  const time = await now()
  const ann = browser(url)
  assert.equal((await ann.post('/security/app')).status, 401)
  assert.equal((await ann.post('/login', PASSWORD)).result, 'allowed')
  const codeAt = await setUpApp(ann, time)
  assert.equal((await ann.post('/login', PASSWORD)).result, 'challenge')
  assert.equal((await ann.post('/login/code', { method: 'carrier pigeon', code: '1' })).status, 400)
  assert.equal((await ann.post('/login/sms')).reason, 'not_enrolled')
  const done = await ann.post('/login/code', { method: 'totp', code: codeAt(0) })
  assert.deepEqual([done.result, done.enroll], ['verified', false])
  assert.equal((await ann.get('/security')).enrolled, true)
  assert.equal((await ann.post('/security/phone', { number: '+61412345678' })).result, 'sms_sent')
  assert.equal((await ann.post('/security/backup-codes')).codes.length, 10)
  assert.equal((await ann.post('/users/bob/recovery-code')).result, 'recovery_code')
  assert.equal((await ann.post('/users/ann/recovery-code')).reason, 'not_for_oneself')
  assert.equal((await ann.post('/login/again')).result, 'challenge')
  assert.equal((await ann.post('/login/code', { method: 'totp', code: codeAt(30) })).result, 'verified')
  assert.equal((await ann.post('/security/remove', { method: 'totp' })).result, 'removed')
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
    load: async (user) => records.get(user),
    save: async (user, record, expected) => {
      if (expected !== undefined && !records.has(user)) return false
      records.set(user, { record, version: (expected ?? 0) + 1 })
      return true
    },
  }
  await assert.rejects(proveStore(careless), /one of twenty first writers wins/)
})
