// `npm start` with the files of examples/envoy: the login service, an upstream without a line about second
// factors, and Envoy in front of both.
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { request as httpRequest } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { freePorts } from '../../scripts/common.mjs'
import { authenticatorCode, Visitor } from '../e2e/support.mjs'

const root = fileURLToPath(new URL('../../', import.meta.url))
const dataDir = mkdtempSync(join(tmpdir(), 'example-'))
const [login, envoy, admin, intranet] = await freePorts(4)
const gate = { origin: `http://localhost:${envoy}` }
const now = () => Math.floor(Date.now() / 1000)

// A process group of its own, so that no process outlives the tests.
const child = spawn(process.execPath, ['scripts/start.mjs'], {
  cwd: root,
  detached: true,
  env: {
    ...process.env,
    DATA_DIR: dataDir,
    PORT: login,
    ENVOY_PORT: envoy,
    ENVOY_ADMIN_PORT: admin,
    INTRANET_PORT: intranet,
  },
  stdio: ['ignore', 'pipe', 'pipe'],
})
let output = ''
for (const name of ['stdout', 'stderr']) child[name].setEncoding('utf8').on('data', (text) => (output += text))
const ended = new Promise((resolve) => child.on('exit', (...how) => resolve(how)))
after(async () => {
  if (child.exitCode === null && child.signalCode === null) process.kill(-child.pid, 'SIGKILL')
  await ended
  rmSync(dataDir, { recursive: true, force: true })
})

/** Sends by node:http, because `fetch` marks its requests as no navigation. */
class GateVisitor extends Visitor {
  async request(method, path, /** @type {any} */ { headers = {}, body } = {}) {
    const cookie = [...this.cookies].map(([name, value]) => `${name}=${value}`).join('; ')
    const answer = await new Promise((resolve, reject) => {
      httpRequest(gate.origin + path, { method, headers: { ...(cookie && { cookie }), ...headers } }, resolve)
        .on('error', reject)
        .end(body)
    })
    const text = Buffer.concat(await answer.toArray()).toString()
    for (const line of answer.headers['set-cookie'] ?? []) {
      const [, name, value] = /^([^=]+)=([^;]*)/.exec(line)
      if (value === '') this.cookies.delete(name)
      else this.cookies.set(name, value)
    }
    return { status: answer.statusCode, headers: answer.headers, location: answer.headers.location, text }
  }

  browse(path, headers = {}) {
    return this.request('GET', path, { headers: { accept: 'text/html', 'sec-fetch-mode': 'navigate', ...headers } })
  }
}

const visitor = new GateVisitor(gate)
let secret

test('npm start prints both addresses', async () => {
  for (const end = Date.now() + 120_000; !output.includes('Ctrl-C'); await sleep(50)) {
    assert.ok(Date.now() < end && child.exitCode === null, output)
  }
  assert.match(output, new RegExp(`http://localhost:${envoy}\\b`))
  assert.match(output, new RegExp(`http://localhost:${login}\\b`))
})

test('curl without a pass gets the answer of RFC 9470', async () => {
  const answer = await visitor.request('GET', '/payroll/')
  assert.equal(answer.status, 401)
  assert.equal(
    answer.headers['www-authenticate'],
    'Bearer error="insufficient_user_authentication", ' +
      'error_description="confirm the second factor", acr_values="urn:countersign:acr:2fa", max_age=300',
  )
  assert.equal(answer.headers['cache-control'], 'no-store')
  assert.equal(JSON.parse(answer.text).reason, 'no_pass')
})

test('a browser is sent to the login page, and the password alone opens nothing', async () => {
  const { location } = await visitor.browse('/payroll/?year=2026')
  assert.equal(location, '/login?next=%2Fpayroll%2F%3Fyear%3D2026&reason=no_pass&max_age=300')
  assert.equal((await visitor.browse(location)).status, 200)
  assert.equal((await visitor.logIn('member')).status, 200)
  assert.equal((await visitor.browse('/')).status, 303)
})

test('after the second factor the upstream opens, and learns who is there', async () => {
  const started = await visitor.json('/api/security/totp', {})
  secret = started.secret.replaceAll(' ', '')
  assert.equal(
    (await visitor.json('/api/security/totp/confirm', { code: authenticatorCode(secret, now()) })).result,
    'enrolled',
  )
  assert.equal((await visitor.browse('/')).status, 200, 'the set-up showed a code, and brought a pass')
  assert.equal((await visitor.showFactorAgain('totp', authenticatorCode(secret, now() + 30))).result, 'verified')
  const claims = JSON.parse(Buffer.from(visitor.cookies.get('second-factor').split('.')[1], 'base64url'))
  const home = await visitor.browse('/', { 'x-second-factor-sub': 'mallory' })
  assert.equal(home.status, 200)
  assert.ok(home.text.includes(claims.sub) && !home.text.includes('mallory'), home.text)
  assert.equal((await visitor.browse('/payroll/')).status, 200)
})

test('a stolen pass without its session opens nothing', async () => {
  const thief = new GateVisitor(gate)
  thief.cookies.set('second-factor', visitor.cookies.get('second-factor'))
  assert.equal((await thief.browse('/')).status, 303)
  await thief.logIn('colleague')
  thief.cookies.set('second-factor', visitor.cookies.get('second-factor'))
  assert.equal(JSON.parse((await thief.request('GET', '/')).text).reason, 'other_session')
})

test('the upstream has no line about two-factor authentication, and the storage API cannot be reached', async () => {
  const source = readFileSync(join(root, 'examples/envoy/intranet.js'), 'utf8')
  assert.doesNotMatch(source, /countersign|totp|otp|2fa|verify/i)
  assert.equal((await visitor.request('GET', '/internal/second-factor/revoked')).status, 404)
})

test('the statistics count the requests of these tests', async () => {
  const stats = await (await fetch(`http://localhost:${admin}/stats?filter=countersign`)).text()
  const count = (name) => Number(new RegExp(`countersign_${name}: (\\d+)`).exec(stats)?.[1])
  assert.ok(count('allowed') > 0 && count('challenged') > 0, stats)
})

test('after the log-out the same cookies open nothing', async () => {
  const before = new GateVisitor(gate)
  before.cookies = new Map(visitor.cookies)
  assert.equal((await before.browse('/')).status, 200)
  assert.equal((await visitor.json('/api/logout', {})).result, 'logged_out')
  for (const end = Date.now() + 20_000; ; await sleep(200)) {
    const answer = await before.request('GET', '/')
    if (answer.status === 401) return assert.equal(JSON.parse(answer.text).reason, 'pass_revoked')
    assert.ok(Date.now() < end, 'the pass still opens after 20 seconds')
  }
})

test('npm start, when it is stopped, stops all that it started', async () => {
  child.kill('SIGTERM')
  assert.deepEqual(await ended, [0, null], output)
  assert.match(output, /\nStopped\.\n$/, 'the last line, and no warning after it')
  assert.doesNotMatch(output, /warning: caught/)
  for (const port of [login, envoy, admin, intranet]) await assert.rejects(fetch(`http://localhost:${port}/`))
})
