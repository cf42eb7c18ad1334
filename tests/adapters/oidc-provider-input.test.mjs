// Input of any form at the prompt: a reply with its status, and never an error of the server, or somebody's way in.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as oidc from 'oidc-provider'
import { codeOf, password, provider, withApp } from './oidc-provider-house.mjs'

const JSON_TYPE = { 'content-type': 'application/json' }

/** A browser that stands at the prompt. */
async function atPrompt(t, options) {
  const op = await provider(t, options)
  const { secret } = await withApp(op)
  const browser = op.browser()
  const { url, redeem } = await op.request('intranet')
  await browser.go(url)
  await password(browser)
  return { op, browser, secret, redeem, page: browser.page }
}

/** Each with its status. */
const BODIES = [
  ['', 400],
  ['null', 400],
  ['[]', 400],
  ['"verify"', 400],
  ['7', 400],
  ['{', 400],
  ['{}', 400],
  [{ action: null }, 400],
  [{ action: 'constructor' }, 400],
  [{ action: '__proto__' }, 400],
  ['{"__proto__":{"action":"cancel"}}', 400],
  [{ action: ['verify'] }, 400],
  [{ action: 'verify' }, 400],
  [{ action: 'verify', method: 'totp' }, 400],
  [{ action: 'verify', code: '123456' }, 400],
  [{ action: 'verify', method: 'totp', code: 123456 }, 400],
  [{ action: 'verify', method: 'totp', code: ['123456'] }, 400],
  [{ action: 'verify', method: 'totp', code: { length: 6 } }, 400],
  [{ action: 'verify', method: ['totp'], code: '123456' }, 400],
  [{ action: 'verify', method: 'totp', code: '123456', factor: {} }, 400],
  [{ action: 'verify', method: 'totp', code: '' }, 422],
  [{ action: 'verify', method: 'totp', code: 'abc' }, 422],
  [{ action: 'verify', method: 'totp', code: '12345' }, 422],
  [{ action: 'verify', method: 'totp', code: '１２３４５６\0' }, 422],
  [{ action: 'verify', method: 'totp', code: '\ud800' }, 422],
  [{ action: 'verify', method: 'totp', code: '9'.repeat(5_000) }, 422],
  [{ action: 'verify', method: 'totp', code: '000000', factor: 'none' }, 422],
  [{ action: 'verify', method: 'password', code: '123456' }, 422],
  [{ action: 'verify', method: 'trusted_browser', code: 'x' }, 422],
  [{ action: 'verify', method: '', code: '123456' }, 422],
  [{ action: 'verify', method: 'recovery_code', code: 'AAAA' }, 422],
  [{ action: 'confirm', code: '123456' }, 409],
  [{ action: 'enroll_totp' }, 409],
  [{ action: 'enroll_sms', number: '+61412345678' }, 409],
  [{ action: 'saved' }, 409],
  [{ action: 'skip' }, 409],
  [{ action: 'back' }, 409],
]

test('T37: bodies of every wrong form', async (t) => {
  const { browser, secret, redeem, page } = await atPrompt(t)
  for (const [body, status] of BODIES) {
    browser.page = page
    const text = typeof body === 'string' ? body : JSON.stringify(body)
    const reply = await browser.post(undefined, { body: text, headers: JSON_TYPE })
    assert.equal(reply.status, status, text)
  }
  const others = [
    ['action=verify&method=totp&code=%F0%28', { 'content-type': 'application/x-www-form-urlencoded' }, 422],
    ['x', { 'content-type': 'text/plain' }, 415],
    ['{}', { 'content-type': 'application/json; charset=utf-16' }, 400],
    [new Uint8Array([0x7b, 0xff, 0x7d]), JSON_TYPE, 400],
    [`{"action":"${'x'.repeat(20_000)}"}`, JSON_TYPE, 413],
  ]
  for (const [body, headers, status] of others) {
    browser.page = page
    assert.equal((await browser.post(undefined, { body, headers })).status, status, String(body).slice(0, 40))
  }
  browser.page = page
  await redeem(await browser.post({ action: 'verify', method: 'totp', code: codeOf(secret) }))
})

test('requests that belong to no interaction', async (t) => {
  const { op, browser, page } = await atPrompt(t)
  const path = new URL(page.url).pathname
  const body = JSON.stringify({ action: 'verify', method: 'totp', code: '123456' })
  const post = { method: 'POST', body, headers: JSON_TYPE }
  const stranger = op.browser()
  for (const [name, value] of [
    ['none', undefined],
    ['of nobody', 'x'],
    ['prototype', '__proto__'],
  ]) {
    const cookie = value === undefined ? {} : { cookie: `_interaction=${value}` }
    assert.equal((await stranger.ask(path, { headers: cookie })).status, 400, name)
    const reply = await stranger.ask(`${path}/second-factor`, { ...post, headers: { ...JSON_TYPE, ...cookie } })
    assert.equal(reply.status, 400, name)
  }
  for (const method of ['PUT', 'DELETE', 'GET'])
    assert.ok([404, 405].includes((await browser.ask(`${path}/second-factor`, { method })).status), method)

  // An interaction that waits for the password.
  const other = op.browser()
  await other.go((await op.request('intranet')).url)
  assert.equal((await other.post({ action: 'verify', method: 'totp', code: '123456' })).status, 400)
})

test('T19: a page of another site posts nothing', async (t) => {
  const { browser, secret, page } = await atPrompt(t)
  const fields = { action: 'verify', method: 'totp', code: codeOf(secret) }
  const form = { 'content-type': 'application/x-www-form-urlencoded' }
  const body = new URLSearchParams(fields).toString()
  for (const headers of [{ 'sec-fetch-site': 'cross-site' }, { 'sec-fetch-site': 'same-site' }]) {
    browser.page = page
    assert.equal((await browser.post(undefined, { body, headers: { ...form, ...headers } })).status, 403)
  }
  const path = `${new URL(page.url).pathname}/second-factor`
  const old = { ...form, origin: 'https://evil.example' }
  assert.equal((await browser.ask(path, { method: 'POST', body, headers: old })).status, 403)
  browser.page = page
  assert.ok((await browser.post(fields)) instanceof URL)
})

test('T33: a polluted prototype changes nothing', async (t) => {
  const { op, browser, page } = await atPrompt(t)
  const names = [
    'countersign',
    'pass',
    'second_factor',
    'passed',
    'declined',
    'action',
    'rotation',
    'acr',
    'essential',
    'denied',
  ]
  try {
    for (const name of names)
      Object.defineProperty(Object.prototype, name, { value: 'polluted', configurable: true, writable: true })
    browser.page = page
    const reply = await browser.post(undefined, { body: '{}', headers: JSON_TYPE })
    assert.ok(reply.status >= 400, String(reply.status))
    const { url } = await op.request('intranet', { prompt: 'none' })
    const back = await browser.go(url)
    assert.ok(!(back instanceof URL && back.searchParams.has('code')))
  } finally {
    for (const name of names) delete Object.prototype[name]
  }
})

test('a store that is down: nobody is let in, and the client is told to come again', async (t) => {
  const { memoryStore } = await import('countersign')
  const store = memoryStore()
  let isDown = false
  const flaky = { ...store }
  for (const name of ['load', 'save'])
    flaky[name] = async (...given) => {
      if (isDown) throw new Error('down')
      return store[name](...given)
    }
  t.mock.method(console, 'error', () => {})
  const { op, browser, secret } = await atPrompt(t, { store: flaky })
  isDown = true
  const reply = await browser.post({ action: 'verify', method: 'totp', code: codeOf(secret) })
  assert.equal(reply.status, 503)
  assert.ok(reply.headers.has('retry-after'))
  const back = await browser.go((await op.request('intranet')).url)
  assert.equal(back.searchParams.get('error'), 'temporarily_unavailable')
})

test('options are checked, and a provider is attached before its first request', async (t) => {
  const { oidcProviderSecondFactor } = await import('countersign/oidc-provider')
  const { secondFactor, provider: served, issuer } = await provider(t)
  const wrong = (options, path) =>
    assert.throws(() => oidcProviderSecondFactor(options), { code: 'invalid_input', path })
  wrong({ oidc }, 'secondFactor')
  wrong({ secondFactor }, 'oidc')
  wrong({ secondFactor, oidc: {} }, 'oidc')
  wrong({ secondFactor, oidc, userof: () => {} }, 'userof')
  wrong({ secondFactor, oidc, facts: {} }, 'facts')
  const asText = /** @type {any} */ ({ secondFactor, oidc: 'oidc-provider' })
  assert.throws(() => oidcProviderSecondFactor(asText), { message: /must be an object/ })
  wrong({ secondFactor, oidc, setUp: ['backup_code'] }, 'setUp')
  wrong({ secondFactor, oidc, origins: ['acme.example'] }, 'origins[0]')
  const steps = oidcProviderSecondFactor({ secondFactor, oidc })
  await assert.rejects(async () => steps.show(/** @type {any} */ ({ headers: {} }), {}), {
    code: 'invalid_input',
    path: 'provider',
  })

  const policy = oidc.interactionPolicy.base()
  policy.remove('login')
  assert.throws(() => steps.configure({ interactions: { policy } }), { path: 'interactions.policy' })

  const late = new oidc.Provider(issuer, steps.configure({}))
  await late.Session.find('nobody')
  new late.Session({})
  assert.throws(() => steps.attach(late), { code: 'invalid_input', path: 'provider' })
  assert.ok(served)
})
