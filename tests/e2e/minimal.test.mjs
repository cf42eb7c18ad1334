// examples/minimal, the first file that a newcomer opens: the real file, used over HTTP as a browser does.

import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { test } from 'node:test'
import { otpauth } from 'countersign'
import { at, freePorts } from '../../scripts/common.mjs'
import { setClock, withClock } from '../shared/moving-clock.mjs'
import { authenticatorCode, readQrCode, Visitor } from './support.mjs'

const file = at('examples/minimal/server.js')
const source = readFileSync(file, 'utf8')

/** The service with its one user; it ends with the test `t`. */
async function start(t, env = {}) {
  const [port] = await freePorts(1)
  let now = 1_800_000_000
  const child = spawn(process.execPath, [...withClock(now), file], {
    env: { ...process.env, PORT: String(port), ...env },
    stdio: ['ignore', 'pipe', 'inherit', 'ipc'],
  })
  t.after(async () => {
    child.kill()
    await once(child, 'exit')
  })
  const [line] = await once(createInterface({ input: child.stdout }), 'line')
  const [, address, name, password] = /^Listening on (\S+): log in as (\w+), with the password (.+)$/.exec(line)
  return {
    address,
    origin: `http://localhost:${port}`,
    login: { name, password },
    get now() {
      return now
    },
    advance: (seconds) => setClock(child, (now += seconds)),
  }
}

/** A browser with one cookie, which sends forms. */
class Person extends Visitor {
  get = (path) => this.request('GET', path)

  /** @param {Record<string, string>} fields @param {Record<string, string>} headers */
  send(path, fields = {}, headers = { 'sec-fetch-site': 'same-origin' }) {
    return this.request('POST', path, { body: new URLSearchParams(fields), headers })
  }

  /** The same browser with the cookie of this moment. */
  now() {
    return Object.assign(new Person(this.service), { cookies: new Map(this.cookies) })
  }

  get cookie() {
    const [[name, value] = []] = this.cookies
    return name && `${name}=${value}`
  }

  async reaches(path) {
    const { status, location } = await this.get(path)
    return status === 200 ? path : location
  }
}

/** Logs in, and sets up an app. The code that confirmed it is used up afterwards. */
async function withApp(t) {
  const service = await start(t)
  const person = new Person(service)
  await person.send('/login', service.login)
  const page = await person.send('/set-up')
  const { secret } = otpauth.parse(readQrCode(page.text))
  const code = () => authenticatorCode(secret, service.now)
  const codes = (await person.send('/set-up/confirm', { code: code() })).text.match(
    /\b[0-9A-Z]{4}(?:-[0-9A-Z]{4}){3}\b/g,
  )
  return { service, person, code, codes }
}

test('the file is short enough to be read at once', () => assert.ok(source.split('\n').length <= 120))

test('it prints its address, and without a second factor the password is enough', async (t) => {
  const service = await start(t)
  assert.equal(service.address, service.origin)
  const person = new Person(service)
  assert.equal((await person.send('/login', service.login)).location, '/code')
  assert.equal(await person.reaches('/code'), '/')
  assert.match((await person.get('/')).text, /<h1>Hello ann<\/h1>/)
})

test('a wrong password, an unknown name and no fields open nothing', async (t) => {
  const service = await start(t)
  const { name, password } = service.login
  for (const fields of [{ name, password: 'another' }, { name: 'bob', password }, { name }, { password }, {}]) {
    const person = new Person(service)
    assert.equal((await person.send('/login', fields)).status, 403)
    assert.equal(person.cookie, undefined)
    assert.equal(await person.reaches('/'), '/login')
  }
})

test('the set-up shows a QR code and its key, refuses a wrong code, and shows ten backup codes once', async (t) => {
  const service = await start(t)
  const person = new Person(service)
  await person.send('/login', service.login)
  const page = (await person.send('/set-up')).text
  const { secret, label, issuer } = otpauth.parse(readQrCode(page))
  assert.deepEqual([label, issuer], ['ann', 'Acme'])
  assert.match(page, new RegExp(`<code>${secret.match(/.{4}/g).join(' ')}</code>`))
  const code = authenticatorCode(secret, service.now)
  const wrong = await person.send('/set-up/confirm', { code: code === '000000' ? '000001' : '000000' })
  assert.equal(wrong.status, 403)
  assert.match(wrong.text, /Refused: wrong/)
  const done = await person.send('/set-up/confirm', { code })
  assert.equal(done.text.match(/\b[0-9A-Z]{4}(?:-[0-9A-Z]{4}){3}\b/g).length, 10)
  assert.equal((await person.send('/set-up/confirm', { code })).status, 403, 'nobody is shown them again')
  assert.equal(await person.reaches('/'), '/', 'this session has shown the app')
})

test('the next login asks for a code, and the page behind it opens after the code alone', async (t) => {
  const { service, person, code, codes } = await withApp(t)
  await person.send('/logout')
  assert.equal(await person.reaches('/'), '/login')

  assert.equal((await person.send('/login', service.login)).location, '/code')
  for (const path of ['/set-up', '/set-up/confirm']) assert.equal((await person.send(path)).location, '/code')
  assert.equal(await person.reaches('/'), '/code')
  assert.equal(await person.reaches('/code'), '/code')

  const used = await person.send('/code', { method: 'totp', code: code() })
  assert.match(used.text, /Refused: already_used/, 'the set-up has used it')
  await service.advance(30)
  const wrong = code() === '000000' ? '000001' : '000000'
  assert.match((await person.send('/code', { method: 'totp', code: wrong })).text, /Refused: wrong/)
  assert.match((await person.send('/code', {})).text, /Refused: malformed/)
  assert.equal(await person.reaches('/'), '/code')

  assert.equal((await person.send('/code', { method: 'totp', code: code() })).location, '/')
  assert.equal(await person.reaches('/'), '/')

  await person.send('/logout')
  await person.send('/login', service.login)
  await person.get('/code')
  assert.equal((await person.send('/code', { method: 'backup_code', code: codes[0] })).location, '/')
  await person.send('/logout')
  await person.send('/login', service.login)
  await person.get('/code')
  assert.equal((await person.send('/code', { method: 'backup_code', code: codes[0] })).status, 403, 'it works once')
})

test('the session has a new id after the password and after the code, and older ones open nothing', async (t) => {
  const { service, person, code } = await withApp(t)
  await service.advance(30)
  const seen = [person.now()]
  await person.send('/login', service.login)
  await person.get('/code')
  seen.push(person.now())
  assert.equal((await person.send('/code', { method: 'totp', code: code() })).location, '/')
  assert.equal(new Set([...seen, person].map(({ cookie }) => cookie)).size, 3)
  for (const old of seen) assert.equal(await old.reaches('/'), '/login')
  assert.equal(await person.reaches('/'), '/')
})

test('no form of another site is taken', async (t) => {
  const { service, person } = await withApp(t)
  const { host } = new URL(service.origin)
  const paths = Array.from(source.matchAll(/^app\.post\('([^']+)'/gm), ([, path]) => path)
  assert.deepEqual(paths, ['/login', '/code', '/logout', '/set-up', '/set-up/confirm'])
  /** @type {Record<string, string>[]} */
  const strangers = [
    { 'sec-fetch-site': 'cross-site', origin: service.origin },
    { 'sec-fetch-site': 'same-site' },
    { 'sec-fetch-site': 'none' },
    { origin: 'https://evil.example' },
    { origin: `http://${host}.evil.example` },
    { origin: 'null' },
    {},
  ]
  for (const path of paths)
    for (const headers of strangers) {
      const answer = await person.send(path, service.login, headers)
      assert.deepEqual([answer.status, answer.headers.getSetCookie()], [403, []], `${path} ${JSON.stringify(headers)}`)
    }
  assert.equal(await person.reaches('/'), '/', 'still logged in')
  assert.equal((await person.send('/logout', {}, { origin: service.origin })).location, '/login', 'an older browser')
})

test('the cookie is for this server alone, and with https for nothing else', async (t) => {
  for (const [origin, expected] of [
    [undefined, /^session=[\w-]{43}; Path=\/; HttpOnly; SameSite=Lax$/],
    ['https://acme.example', /^__Host-session=[\w-]{43}; Path=\/; HttpOnly; Secure; SameSite=Lax$/],
  ]) {
    const service = await start(t, origin && { ORIGIN: origin })
    const [line] = (await new Person(service).send('/login', service.login)).headers.getSetCookie()
    assert.match(line, /** @type {RegExp} */ (expected))
  }
})

test('no page is kept by a browser, runs a script or stands in a frame, and an error says nothing of the inside', async (t) => {
  const service = await start(t)
  const { headers } = await new Person(service).get('/login')
  assert.equal(headers.get('cache-control'), 'no-store')
  assert.match(headers.get('content-security-policy'), /default-src 'none';.*frame-ancestors 'none'/)
  const failed = await new Person(service).send('/login', { name: 'x'.repeat(200_000) })
  assert.equal(failed.status, 413)
  assert.doesNotMatch(failed.text, /node_modules|\.js/)
})
