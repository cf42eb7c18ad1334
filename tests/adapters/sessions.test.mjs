// The recipes of examples/sessions: a login beside each kind of session that a host may have.
import assert from 'node:assert/strict'
import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { otpauth, totp } from 'countersign'
import { expressSession } from 'countersign/express'
import { conforms } from './conformance.mjs'
import { recipes } from './recipes.mjs'
import { client, startService } from './service.mjs'

const ANN = { name: 'ann@acme.example', password: 'ann@acme.example has a password' }

const folder = recipes('plain')
const serviceOf = (t, file, more = {}) => startService(t, { folder, file, ...more })

conforms('Express 5, express-session', { folder, file: 'express-session.js' })

/** The code that an app shows, a step later than any before it. */
function nextCode(service, secret) {
  service.advance(30)
  return totp.generate({ secret, time: service.now() })
}

/** A person who is in, and has set up an app. */
async function enrolled(service, browser = client(service), who = ANN) {
  assert.equal((await browser.post('/login', who)).body.result, 'allowed')
  const begun = (await browser.post('/second-factor/enroll-totp')).body
  const { secret, label } = otpauth.parse(begun.uri)
  const code = nextCode(service, secret)
  const done = (await browser.post('/second-factor/confirm-totp', { setup: begun.setup, code })).body
  assert.equal(done.result, 'enrolled')
  return { browser, secret, label }
}

const PLAIN = JSON.stringify(fileURLToPath(new URL('node_modules/express-session', import.meta.url)))
/** express-session whose store fails while a file says so. */
const FAILING = `
const { existsSync, readFileSync } = require('node:fs')
const session = require(${PLAIN})
const isDown = (what) => existsSync(process.env.DOWN_FILE) && readFileSync(process.env.DOWN_FILE, 'utf8').includes(what)
class Store extends session.MemoryStore {
  get(id, done) { isDown('reads') ? done(new Error('the store at 10.0.0.7 is down')) : super.get(id, done) }
  set(id, kept, done) { isDown('writes') ? done?.(new Error('the store at 10.0.0.7 is down')) : super.set(id, kept, done) }
  destroy(id, done) { isDown('writes') ? done?.(new Error('the store at 10.0.0.7 is down')) : super.destroy(id, done) }
}
module.exports = (options) => session({ ...options, store: new Store() })
`
/** express-session whose \`regenerate\` does nothing. */
const KEEPING = `
module.exports = require(${PLAIN})
module.exports.Session.prototype.regenerate = function (done) { done(); return this }
`

test('A3: express-session: a session that keeps its id lets nobody in', async (t) => {
  const service = await serviceOf(t, 'express-session.js', {
    folder: recipes('keeping', { 'express-session': KEEPING }),
  })
  const browser = client(service)
  const refused = await browser.post('/login', ANN)
  assert.deepEqual([refused.status, refused.body], [500, { result: 'failed', code: 'session_not_renewed' }])
  assert.equal((await browser.get('/')).status, 401)
  assert.match(service.errors.join('\n'), /regenerate/)
})

test('A3: express-session: a store that fails lets nobody in, and keeps no step', async (t) => {
  const failing = recipes('failing', { 'express-session': FAILING })
  const file = join(failing, 'down')
  const service = await serviceOf(t, 'express-session.js', { folder: failing, env: { DOWN_FILE: file } })
  const { browser: owner, secret } = await enrolled(service)
  const halfWay = client(service)
  assert.equal((await halfWay.post('/login', ANN)).body.result, 'challenge')
  const code = nextCode(service, secret)

  // The code is right, and the login is not kept: so nobody is in, and the code is used.
  writeFileSync(file, 'writes')
  const unkept = await halfWay.post('/second-factor/verify', { method: 'totp', code })
  assert.deepEqual([unkept.status, unkept.body], [503, { result: 'failed', code: 'session_failed' }])
  assert.equal(unkept.headers.get('retry-after'), '1')
  const nobody = client(service)
  assert.equal((await nobody.post('/login', ANN)).status, 503)
  assert.equal(nobody.cookies.size, 0)
  for (const browser of [halfWay, nobody]) assert.equal((await browser.get('/')).status, 401)
  assert.doesNotMatch(unkept.text, /10\.0\.0\.7/)

  writeFileSync(file, 'reads, writes')
  for (const browser of [owner, halfWay]) assert.equal((await browser.get('/')).status, 500)

  rmSync(file)
  assert.equal((await owner.get('/')).status, 200)
  for (const browser of [halfWay, nobody]) assert.equal((await browser.get('/')).status, 401)
  const again = client(service)
  assert.equal((await again.post('/login', ANN)).body.result, 'challenge')
  const replayed = await again.post('/second-factor/verify', { method: 'totp', code })
  assert.equal(replayed.body.result, 'already_used')
  assert.equal(service.isRunning(), true)
})

test('express-session: a visitor has no session, and a login keeps the named fields alone', async (t) => {
  const service = await serviceOf(t, 'express-session.js')
  const browser = client(service)
  await browser.get('/')
  await browser.get('/cart')
  assert.equal(browser.cookies.size, 0)
  await browser.post('/cart', { item: 'tea' })
  const before = browser.cookies.get('acme')
  assert.equal((await browser.post('/login', ANN)).body.result, 'allowed')
  assert.notEqual(browser.cookies.get('acme'), before)
  assert.deepEqual((await browser.get('/cart')).body, { cart: ['tea'] })
})

test('cookie-session: it is no place for a login, and holds nothing of one', async (t) => {
  const place = expressSession()({ session: { isNew: true, isChanged: false, isPopulated: false } })
  assert.throws(() => place.read(), { code: 'no_session' })

  const service = await serviceOf(t, 'cookie-session.js')
  const { browser, secret } = await enrolled(service)
  await browser.post('/cart', { item: 'tea' })
  const readable = Buffer.from(browser.cookies.get('acme'), 'base64').toString()
  assert.deepEqual(JSON.parse(readable), { cart: ['tea'] })
  assert.deepEqual((await browser.get('/')).body, { user: 'u-1', cart: ['tea'] })
  const copy = browser.copy()
  assert.equal((await browser.post('/login', ANN)).body.result, 'challenge')
  for (const each of [browser, copy]) assert.equal((await each.get('/')).status, 401)
  const answer = await browser.post('/second-factor/verify', { method: 'totp', code: nextCode(service, secret) })
  assert.equal(answer.body.result, 'verified')
  assert.equal((await browser.get('/')).status, 200)
})

test('A3: iron-session: old copies open nothing, also of a login without a second factor', async (t) => {
  const service = await serviceOf(t, 'iron-session.js')
  const browser = client(service)
  assert.equal((await browser.post('/login', ANN)).body.result, 'allowed')
  const copies = [browser.copy()]
  assert.equal((await copies[0].get('/')).status, 200)
  assert.equal((await browser.post('/login', ANN)).body.result, 'allowed')
  copies.push(browser.copy())
  assert.equal((await browser.post('/second-factor/log-out')).body.result, 'logged_out')
  for (const copy of copies) assert.equal((await copy.get('/')).status, 401)
  service.advance(3_500)
  for (const copy of copies) assert.equal((await copy.get('/')).status, 401)
})

test('JWT: a token is issued to people who are in, and opens until it ends', async (t) => {
  const service = await serviceOf(t, 'jwt.js')
  const anybody = client(service)
  const get = (token) => anybody.get('/', { authorization: `Bearer ${token}` })
  const transfer = (token) => anybody.post('/transfer', {}, { authorization: `Bearer ${token}` })
  const { browser: app, secret } = await enrolled(service)
  assert.equal(app.cookies.size, 0)
  const { token } = (await app.post('/token')).body
  assert.equal((await get(token)).body.user, 'u-1')

  // Ask again before this action: the challenge of RFC 9470, then a code, then a token of the scope.
  const challenged = await transfer(token)
  assert.equal(challenged.status, 401)
  assert.match(challenged.headers.get('www-authenticate'), /insufficient_user_authentication.*max_age="300"$/)
  service.advance(301)
  assert.equal((await app.post('/token/transfer')).status, 401)
  await app.post('/second-factor/again')
  const code = nextCode(service, secret)
  assert.equal((await app.post('/second-factor/verify', { method: 'totp', code })).body.result, 'verified')
  const strong = (await app.post('/token/transfer')).body.token
  assert.equal((await transfer(strong)).body.result, 'sent')
  assert.equal((await get(strong)).status, 401)

  // Nothing but a token opens, and a token is no session.
  const halfWay = client(service)
  const login = await halfWay.post('/login', ANN)
  assert.equal(login.body.result, 'challenge')
  assert.equal((await halfWay.post('/token')).status, 401)
  const [head, body] = strong.split('.')
  const unsigned = `${Buffer.from('{"alg":"none","typ":"at+jwt"}').toString('base64url')}.${body}.`
  for (const other of ['', 'x', login.body.session, app.session, unsigned, `${head}.${body}.AAAA`])
    assert.equal((await get(other)).status, 401)
  for (const headers of [{ 'countersign-session': strong }, { authorization: `Bearer ${strong}` }])
    assert.equal((await anybody.post('/token', {}, headers)).status, 401)

  // After the log-out no new token is issued. The last one opens until it ends.
  const last = (await app.post('/token')).body.token
  assert.equal((await app.post('/second-factor/log-out')).body.result, 'logged_out')
  assert.equal((await app.post('/token')).status, 401)
  assert.equal((await get(last)).status, 200)
  service.advance(301)
  assert.equal((await get(last)).status, 401)
})

test('a second factor stays with its user when the e-mail address changes', async (t) => {
  const service = await serviceOf(t, 'user-id.js')
  const { browser, secret, label } = await enrolled(service)
  assert.equal(label, ANN.name)
  const moved = { ...ANN, name: 'ann@new.example' }
  assert.equal((await browser.post('/address', { name: moved.name })).body.result, 'changed')
  assert.equal((await client(service).post('/login', ANN)).status, 401)
  const other = client(service)
  assert.equal((await other.post('/login', moved)).body.result, 'challenge')
  const code = nextCode(service, secret)
  assert.equal((await other.post('/second-factor/verify', { method: 'totp', code })).body.result, 'verified')
  assert.equal((await other.get('/')).body.user, 'u-1')

  // Somebody else gets the old address: no code is asked of them, and they are nobody else.
  await client(service).post('/sign-up', ANN)
  const stranger = client(service)
  assert.equal((await stranger.post('/login', ANN)).body.result, 'allowed')
  assert.notEqual((await stranger.get('/')).body.user, 'u-1')

  service.advance(301)
  assert.equal((await other.post('/address', { name: 'x@new.example' })).status, 401)
})
