// The example of better-auth, as its own process.
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { codeOf, PASSWORD } from './better-auth-service.mjs'
import { client, examplesWith, startService } from './service.mjs'

const at = (path) => fileURLToPath(new URL(path, import.meta.url))
const LOADED = `--import ${at('clock.mjs')} --import ${at('use-frameworks.mjs')}`

test('better-auth: the example has at most 60 lines', () => {
  assert.ok(readFileSync(at('../../examples/adapters/better-auth.js'), 'utf8').split('\n').length <= 61)
})

test('better-auth: the example asks for a second factor, and again before a transfer', async (t) => {
  const env = { NODE_OPTIONS: LOADED, BETTER_AUTH_SECRET: 'a secret of this test alone, 0123456789', NODE_ENV: 'test' }
  const service = await startService(t, { folder: examplesWith(), file: 'better-auth.js', env })
  const act = (browser, path, body) => browser.post(`/api/auth${path}`, body, { origin: service.origin })
  const code = (secret) => {
    service.advance(30)
    return codeOf({ clock: { offset: service.now() - Math.floor(Date.now() / 1_000) } }, secret)
  }
  const person = { email: 'ann@acme.example', password: PASSWORD }
  const first = client(service)
  assert.equal((await act(first, '/sign-up/email', { ...person, name: 'ann' })).status, 200)
  assert.equal((await act(first, '/sign-in/email', person)).body.code, 'EMAIL_NOT_VERIFIED')
  const { pathname, search } = new URL(await service.mailedLink())
  assert.equal((await first.get(pathname + search)).status, 302)
  assert.equal((await act(first, '/sign-in/email', person)).status, 200)
  const { secret, setup } = (await act(first, '/second-factor/enroll-totp')).body
  assert.equal((await act(first, '/second-factor/confirm-totp', { setup, code: code(secret) })).body.result, 'enrolled')
  assert.equal((await first.get('/transfer')).status, 200)

  const browser = client(service)
  assert.equal((await act(browser, '/sign-in/email', person)).body.result, 'challenge')
  assert.equal((await browser.get('/')).status, 401)
  assert.equal((await act(browser, '/second-factor/verify', { method: 'totp', code: code(secret) })).status, 200)
  assert.equal((await browser.get('/transfer')).status, 200)
  service.advance(301)
  const asked = await browser.get('/transfer')
  assert.equal(asked.status, 401)
  assert.match(asked.headers.get('www-authenticate'), /max_age="300"/)
  assert.equal((await act(browser, '/second-factor/again')).body.result, 'challenge')
  assert.equal((await act(browser, '/second-factor/verify', { method: 'totp', code: code(secret) })).status, 200)
  assert.equal((await browser.get('/transfer')).status, 200)
})
