// The cases of all adapters, on oidc-provider. Those that look at statuses of the adapters' routes are here in the provider's own form.
import assert from 'node:assert/strict'
import { fileURLToPath } from 'node:url'
import Database from 'better-sqlite3'
import { act, client, enrolled, expect, halfWay, isIn, login, nextCode, stringsIn, threeClicks } from './cases.mjs'
import { conforms } from './conformance.mjs'
import { opClient } from './oidc-provider-client.mjs'

const at = (path) => fileURLToPath(new URL(path, import.meta.url))
const env = { NODE_OPTIONS: `--import ${at('frameworks.mjs')} --import ${at('clock.mjs')}`, NODE_ENV: 'production' }
const JSON_TYPE = { 'content-type': 'application/json' }
const FORM = { 'content-type': 'application/x-www-form-urlencoded' }

/** An `acr` on which the client insists. */
const essential = (acr) => ({ claims: JSON.stringify({ id_token: { acr: { essential: true, ...acr } } }) })

/** The step of an interaction as one request, without the redirections after it. */
const send = (browser, body, headers = /** @type {any} */ (JSON_TYPE), method = 'POST') =>
  browser.browser.ask(`${new URL(browser.browser.page.url).pathname}/second-factor`, { method, body, headers })

/** A request for what needs a second factor at most 300 seconds old, at the company's API. */
async function pay(service, browser) {
  const answer = await fetch(`${service.origin}/api/payments`, {
    headers: { authorization: `Bearer ${browser.token}` },
  })
  await answer.body?.cancel()
  return answer
}

/** @type {Record<string, (start: any) => Promise<void>>} */
const own = {
  async 'a half-way session is refused everywhere'(start) {
    const service = await start()
    const { secret } = await enrolled(service)
    const { browser } = await halfWay(service)
    const demands = [
      {},
      { scope: 'openid email' },
      { scope: 'openid offline_access' },
      { acr_values: 'urn:x' },
      { max_age: 9_000 },
    ]
    for (const id of ['intranet', 'payroll'])
      for (const demand of demands)
        assert.equal((await browser.silently(demand, id)).body.error, 'login_required', JSON.stringify(demand))
    // The person's own page shows nothing, and leads to the log-in.
    assert.equal((await browser.browser.ask(`${service.origin}/me`)).status, 303)
    assert.equal((await browser.get('/second-factor/status')).status, 401)
    for (const name of ['rename', 'remove', 'renew-backup-codes', 'show-backup-codes', 'issue-recovery-code', 'reset'])
      assert.equal((await act(browser, name, { factor: 'x', name: 'x', user: 'u-2' })).status, 401, name)
    for (const action of ['enroll_totp', 'confirm', 'saved', 'skip', 'back'])
      assert.equal((await send(browser, JSON.stringify({ action, code: '1' }))).status, 409, action)
    // Everything that the browser was given, as a token and as the cookie of a session.
    const page = JSON.parse((await browser.browser.ask(browser.browser.page.url)).text)
    for (const text of [...browser.cookies.values(), ...stringsIn(page)]) {
      const headers = { authorization: `Bearer ${encodeURIComponent(text)}` }
      for (const path of ['/me', '/api/payments', '/second-factor/status'])
        assert.equal(
          (await fetch(`${service.origin}${path}`, { headers, redirect: 'manual' })).status,
          path === '/me' ? 303 : 401,
        )
      const thief = client(service)
      thief.browser.headers = { cookie: `_session=${encodeURIComponent(text)}` }
      assert.equal((await thief.silently()).body.error, 'login_required')
    }
    expect(await browser.get('/second-factor/state'), 200, 'first_factor')
    expect(await act(browser, 'verify', { method: 'totp', code: nextCode(service, secret) }), 200, 'verified')
  },

  async 'a double click logs in once, and costs no attempt'(start) {
    // The others come while the first is checked, or after it has ended the interaction.
    for (const { status, body } of await threeClicks(await start()))
      assert.ok(['already_used', 'no_interaction'].includes(body.result) && [400, 422].includes(status), body.result)
  },

  async 'malformed input is answered, and never throws'(start) {
    const service = await start()
    const { secret } = await enrolled(service)
    const { browser } = await halfWay(service)
    /** @type {unknown[]} */
    const values = [null, 1, 0, true, false, [], ['123456'], {}, { $ne: '' }, { toString: 1 }]
    const bodies = [
      ...values.map((code) => ({ action: 'verify', method: 'totp', code })),
      ...values.map((method) => ({ action: 'verify', method, code: '123456' })),
      ...values.map((action) => ({ action, method: 'totp', code: '123456' })),
      ...[1, [], {}, true].map((factor) => ({ action: 'verify', method: 'totp', code: '123456', factor })),
      ...[{}, { action: 'verify' }, { action: 'x' }, { action: 'constructor' }, { action: '__proto__' }],
    ].map((body) => JSON.stringify(body))
    const texts = ['null', '[]', '"text"', '1', 'true', '{', '{"action":', 'action=verify', '\u0000', '{"a":1}{', '']
    const polluted = '{"__proto__":{"action":"cancel"},"constructor":{"prototype":{"code":"1"}}}'
    for (const text of [...bodies, ...texts, polluted, new Uint8Array([0x7b, 0xff, 0xfe])])
      assert.equal((await send(browser, text)).status, 400, String(text))
    assert.equal((await send(browser, JSON.stringify({ action: 'x'.repeat(200_000) }))).status, 413)
    assert.equal((await send(browser, '<code/>', { 'content-type': 'application/xml' })).status, 415)
    for (const method of ['GET', 'PUT', 'DELETE'])
      assert.ok([404, 405].includes((await send(browser, undefined, {}, method)).status), method)
    // Parameters of an authorization request, which go back to the client.
    const wrong = [
      ...[{ values: 7 }, { values: [7] }, { value: {} }, { value: 'x', essential: 'yes' }].map(essential),
      ...['abc', '-1', '1.5'].map((max_age) => ({ max_age })),
      ...['{', '[]', 'null', '7'].map((claims) => ({ claims })),
    ]
    const inside = client(service)
    expect(await login(inside), 200, 'challenge')
    for (const parameters of wrong)
      assert.equal((await inside.silently(parameters)).body.error, 'invalid_request', JSON.stringify(parameters))
    // Cookies of sessions and interactions.
    for (const value of ['x', '.', '%', 'a.b', '__proto__', 'A'.repeat(5_000), '"', 'k1.AAAA']) {
      const stranger = client(service)
      stranger.browser.headers = { cookie: `_session=${value}; _interaction=${value}` }
      assert.equal((await stranger.silently()).body.error, 'login_required', value)
      stranger.browser.page = browser.browser.page
      assert.equal((await send(stranger, JSON.stringify({ action: 'cancel' }))).status, 400, value)
    }
    expect(await act(browser, 'verify', { method: 'totp', code: nextCode(service, secret) }), 200, 'verified')
    assert.equal(service.isRunning(), true)
  },

  async 'two tabs of one browser go on'(start) {
    const service = await start()
    const { secret } = await enrolled(service)
    const { browser } = await halfWay(service)
    // The other tab is sent by another client, and stands at the same challenge.
    const [first, tab] = [browser.browser.page, client(service, { browser: browser.browser })]
    expect(await tab.answerOf(await tab.authorize({}, 'payroll')), 200, 'challenge')
    const second = browser.browser.page
    browser.browser.page = first
    expect(await act(browser, 'verify', { method: 'totp', code: nextCode(service, secret) }), 200, 'verified')
    // Its page still has the form, and needs no second code; the first tab's form is over.
    browser.browser.page = second
    expect(await act(tab, 'verify', { method: 'totp', code: nextCode(service, secret) }), 200, 'verified')
    browser.browser.page = first
    const late = await act(browser, 'verify', { method: 'totp', code: nextCode(service, secret) })
    expect(late, 400, 'no_interaction')
    assert.equal(await isIn(browser), true)
  },

  async 'asks again once the second factor is too old'(start) {
    const service = await start()
    const { secret } = await enrolled(service)
    const { browser } = await halfWay(service)
    expect(await act(browser, 'verify', { method: 'totp', code: nextCode(service, secret) }), 200, 'verified')
    assert.equal((await pay(service, browser)).status, 200)
    assert.equal((await browser.post('/transfer')).status, 200)
    service.advance(301)
    assert.equal(await isIn(browser), true)
    assert.equal((await browser.post('/transfer')).body.error, 'login_required')
    const refused = await pay(service, browser)
    assert.equal(refused.status, 401)
    assert.match(refused.headers.get('www-authenticate'), /acr_values="urn:countersign:acr:2fa[^"]*", max_age="300"$/)
    expect(await act(browser, 'again'), 200, 'challenge')
    assert.equal(await isIn(browser), true)
    assert.equal((await browser.post('/transfer')).status, 401)
    assert.equal((await pay(service, browser)).status, 401)
    expect(await act(browser, 'verify', { method: 'totp', code: nextCode(service, secret) }), 200, 'verified')
    assert.equal((await browser.post('/transfer')).status, 200)
    assert.equal((await pay(service, browser)).status, 200)
  },

  async 'another site can send nothing in the name of a user'(start) {
    const service = await start()
    const { secret } = await enrolled(service)
    const { browser } = await halfWay(service)
    const code = nextCode(service, secret)
    const foreign = [
      { 'sec-fetch-site': 'cross-site' },
      { 'sec-fetch-site': 'same-site' },
      { 'sec-fetch-site': 'cross-site', origin: 'https://evil.example' },
      { origin: 'https://evil.example' },
      { origin: 'null' },
    ]
    const bodies = [
      { action: 'verify', method: 'totp', code },
      { action: 'send_sms' },
      { action: 'skip' },
      { action: 'cancel' },
    ]
    for (const headers of foreign)
      for (const body of bodies) {
        assert.equal((await send(browser, JSON.stringify(body), { ...JSON_TYPE, ...headers })).status, 403)
        assert.equal((await send(browser, new URLSearchParams(body).toString(), { ...FORM, ...headers })).status, 403)
      }
    expect(await browser.get('/second-factor/state'), 200, 'first_factor')
    expect(await act(browser, 'verify', { method: 'totp', code }), 200, 'verified')
  },

  async 'a store that cannot be had is 503, and lets nobody in'(start) {
    const service = await start()
    const { browser } = await enrolled(service)
    const half = (await halfWay(service)).browser
    const database = new Database(service.database)
    const tables = database.prepare("SELECT name FROM sqlite_master WHERE type = 'table'").all()
    for (const { name } of /** @type {any[]} */ (tables)) database.exec(`DROP TABLE "${name}"`)
    database.close()
    const step = JSON.stringify({ action: 'verify', method: 'totp', code: '123456' })
    for (const answer of [await send(half, step), await browser.get('/second-factor/status')]) {
      assert.equal(answer.status, 503, answer.text)
      assert.equal(answer.headers.get('retry-after'), '1')
      assert.doesNotMatch(answer.text, /sqlite|table|countersign_/i)
    }
    // A client gets the word of OpenID Connect for it, and no code.
    for (const answer of [await login(client(service)), await half.silently()]) {
      assert.equal(answer.body.error, 'temporarily_unavailable')
      assert.doesNotMatch(answer.text, /sqlite|table|countersign_/i)
    }
    assert.equal(service.isRunning(), true)
  },
}

const without = {
  'logs in by a trusted browser, whose secret changes':
    "a trusted browser is not offered: the provider's own session is what keeps a browser logged in",
  'a native client keeps the session as a value':
    "a native client opens the system's browser (RFC 8252), and the session is that browser's",
}

conforms('oidc-provider 9', { folder: at('.'), file: 'oidc-provider-app.mjs', env }, { without, client: opClient, own })
