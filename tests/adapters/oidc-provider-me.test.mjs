// The person's own page at the provider: a log-in by itself, the set-up of an app, and the second factor again before a change.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ACR, codeOf, password, provider, title, wait, withApp } from './oidc-provider-house.mjs'

const headers = { 'content-type': 'application/x-www-form-urlencoded' }
const post = (browser, path, fields = {}) =>
  browser.go(path, { method: 'POST', headers, body: new URLSearchParams(fields).toString() })
const hidden = ({ text }, name) => new RegExp(`name="${name}" value="([^"]+)"`).exec(text)[1]
const codesOf = ({ text }) => [...text.matchAll(/<li><code>([^<]+)<\/code>/g)].map(([, code]) => code)

test('A5: without a second factor the password is asked again before a set-up, and max_age gets its time', async (t) => {
  const op = await provider(t)
  const browser = op.browser()
  assert.equal(title(await browser.go('/me')), 'Log in')
  assert.equal(title(await password(browser)), 'Your second factor')
  wait(400)
  assert.equal(title(await browser.go('/me')), 'Your second factor')
  // An unattended session sets nothing up.
  assert.equal(title(await post(browser, '/me/app')), 'Log in')
  assert.equal(title(await password(browser)), 'Your second factor')
  const app = await post(browser, '/me/app')
  assert.equal(title(app), 'Confirm it')
  const [setup, secret] = [hidden(app, 'setup'), /<code>([A-Z2-7 ]+)<\/code>/.exec(app.text)[1]]
  wait(200)
  const codes = await post(browser, '/me/confirm', { setup, code: codeOf(secret) })
  assert.equal(codesOf(codes).length, 10)
  assert.match((await post(browser, '/me/saved', { set: hidden(codes, 'set') })).text, /\(totp\)/)

  // A client that wants it young gets it, without another page.
  const { url, redeem } = await op.request('intranet', { acr_values: ACR, max_age: 60 })
  const claims = (await redeem(await browser.go(url))).claims()
  assert.equal(claims.acr, ACR)
})

test('new backup codes need a young second factor: the code alone, and back to the page', async (t) => {
  const op = await provider(t)
  const { secret, codes: before } = await withApp(op)
  const browser = op.browser()
  await browser.go('/me')
  await password(browser)
  assert.equal(
    title(await browser.post({ action: 'verify', method: 'totp', code: codeOf(secret) })),
    'Your second factor',
  )
  wait(400)
  assert.equal(title(await post(browser, '/me/codes')), 'Second factor')
  assert.equal(
    title(await browser.post({ action: 'verify', method: 'totp', code: codeOf(secret) })),
    'Your second factor',
  )
  const codes = codesOf(await post(browser, '/me/codes'))
  assert.equal(codes.length, 10)
  assert.ok(!codes.includes(before[0]))
})

test('a change of factors leads another browser to the whole log-in', async (t) => {
  const op = await provider(t)
  const { secret } = await withApp(op)
  const [browser, other] = [op.browser(), op.browser()]
  for (const each of [other, browser]) {
    await each.go('/me')
    await password(each)
    await each.post({ action: 'verify', method: 'totp', code: codeOf(secret) })
  }
  assert.equal(title(await other.go('/me')), 'Your second factor')
  assert.equal(title(await post(browser, '/me/codes')), 'Your backup codes')
  assert.equal(title(await browser.go('/me')), 'Your second factor')
  assert.equal(title(await other.go('/me')), 'Log in')
  assert.equal(title(await password(other)), 'Second factor')
})

test('somebody whom the rules refuse, or who cancels, is not sent round', async (t) => {
  const rules = { require: 'everyone', firstFactor: 'password' }
  const op = await provider(t, { policy: rules })
  const browser = op.browser()
  await browser.go('/me')
  assert.equal(title(await password(browser)), 'Set up a second factor')
  const page = await browser.post({ action: 'cancel' })
  assert.deepEqual([page.status, title(page)], [403, 'That did not work'])
  assert.match(page.text, /access_denied/)
})
