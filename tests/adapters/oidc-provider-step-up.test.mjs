// Tokens, and the step-up of a resource server from its challenge to its answer (RFC 9470).
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { stepUp } from 'countersign/oidc-provider'
import * as client from 'openid-client'
import {
  ACR,
  API,
  codeOf,
  companyApi,
  enroll,
  password,
  provider,
  resources,
  wait,
  withApp,
} from './oidc-provider-house.mjs'

const EVERYONE = { require: 'everyone', firstFactor: 'password' }

/** The company's API beside the provider. */
async function apiOf(t, op) {
  const server = companyApi({ issuer: op.issuer })
  await new Promise((resolve) => server.listen(0, 'localhost', () => resolve(undefined)))
  t.after(() => {
    server.closeAllConnections()
    server.close()
  })
  const ask = async (path, token) => {
    const headers = token === undefined ? {} : { authorization: `Bearer ${token}` }
    const response = await fetch(`http://localhost:${server.address().port}${path}`, { headers })
    return { status: response.status, challenge: response.headers.get('www-authenticate'), body: await response.json() }
  }
  return ask
}

/** The parameters in a challenge, as a client reads them. */
const parametersOf = (challenge) =>
  Object.fromEntries([...challenge.matchAll(/(\w+)="([^"]*)"/g)].map(([, name, value]) => [name, value]))

async function logIn(op, browser, { secret = '', user = 'ann', parameters = {}, id = 'intranet' }) {
  const request = await op.request(id, parameters)
  let back = await browser.go(request.url)
  if (!(back instanceof URL) && back.text.includes('<h1>Log in')) back = await password(browser, user)
  if (!(back instanceof URL)) back = await browser.post({ action: 'verify', method: 'totp', code: codeOf(secret) })
  return { tokens: await request.redeem(back), config: request.config }
}

test('A5: a challenge of the API leads to a second factor, and then to the payment', async (t) => {
  const op = await provider(t)
  const ask = await apiOf(t, op)
  const browser = op.browser()
  const request = await op.request('intranet')
  await browser.go(request.url)
  const { access_token: weak } = await request.redeem(await password(browser))
  assert.equal((await ask('/payments')).status, 401)
  assert.equal((await ask('/balance', weak)).status, 200)

  // Without a factor yet: the step-up sets one up.
  const refusal = await ask('/payments', weak)
  assert.equal(refusal.status, 401)
  const told = parametersOf(refusal.challenge)
  assert.deepEqual([told.error, told.acr_values, told.max_age], ['insufficient_user_authentication', ACR, '300'])
  const { acr_values, max_age } = told
  const stronger = await op.request('intranet', { acr_values, max_age })
  await browser.go(stronger.url)
  const { secret, back } = await enroll(browser)
  const { access_token: strong } = await stronger.redeem(back)
  assert.deepEqual(await ask('/payments', strong).then(({ status, body }) => [status, body]), [200, { user: 'ann' }])

  // Later the same token is too old, and a code alone makes a new one.
  wait(301)
  const old = await ask('/payments', strong)
  assert.equal(old.status, 401)
  const again = await op.request('intranet', { acr_values, max_age })
  await browser.go(again.url)
  assert.match(browser.page.text, /<h1>Second factor/)
  const end = await browser.post({ action: 'verify', method: 'totp', code: codeOf(secret) })
  const { access_token: young } = await again.redeem(end)
  assert.equal((await ask('/payments', young)).status, 200)
})

test('a step-up of somebody who never had a factor asks for the password first where max_age is over', async (t) => {
  const op = await provider(t)
  const browser = op.browser()
  await browser.go((await op.request('intranet')).url)
  await password(browser)
  wait(400)
  const { url, redeem } = await op.request('intranet', { acr_values: ACR, max_age: 300 })
  assert.match((await browser.go(url)).text, /<h1>Log in/)
  assert.match((await password(browser)).text, /<h1>Set up a second factor/)
  assert.equal((await redeem((await enroll(browser)).back)).claims().acr, ACR)
})

const payloadOf = (token) => JSON.parse(Buffer.from(token.split('.')[1], 'base64url').toString())

test('a JWT access token tells the strength', async (t) => {
  const op = await provider(t)
  const { secret } = await withApp(op)
  const { tokens } = await logIn(op, op.browser(), { secret })
  const claims = payloadOf(tokens.access_token)
  assert.deepEqual([claims.acr, claims.amr, claims.aud], [ACR, ['pwd', 'otp', 'mfa'], API])
  assert.equal(claims.auth_time, tokens.claims().auth_time)
})

test('an opaque access token tells the strength at introspection', async (t) => {
  const { features } = resources
  const getResourceServerInfo = () => ({ scope: 'payments', audience: API, accessTokenFormat: 'opaque' })
  const resourceIndicators = { ...features.resourceIndicators, getResourceServerInfo }
  const op = await provider(t, { configuration: { features: { ...features, resourceIndicators } } })
  const { secret } = await withApp(op)
  const { tokens, config } = await logIn(op, op.browser(), { secret })
  const { active, acr, amr, auth_time } = await client.tokenIntrospection(config, tokens.access_token)
  assert.deepEqual([active, acr, amr, auth_time], [true, ACR, ['pwd', 'otp', 'mfa'], tokens.claims().auth_time])
  assert.equal(stepUp({ acr, auth_time }, { acrValues: [ACR], maxAge: 300 }, auth_time), undefined)
})

test('a refresh token ends with the pass of its session', async (t) => {
  const op = await provider(t, {
    policy: { passSeconds: 3_600 },
    configuration: { issueRefreshToken: async () => true },
  })
  const { secret } = await withApp(op)
  const browser = op.browser()
  const { tokens, config } = await logIn(op, browser, { secret })
  const refreshed = await client.refreshTokenGrant(config, tokens.refresh_token)
  const claims = payloadOf(refreshed.access_token)
  assert.deepEqual([claims.acr, claims.auth_time], [ACR, tokens.claims().auth_time])
  wait(3_700)
  await assert.rejects(client.refreshTokenGrant(config, refreshed.refresh_token), { error: 'invalid_grant' })
  // A new second factor in the same session, without the password, and refreshes go on.
  assert.match((await browser.go((await op.request('intranet')).url)).text, /<h1>Second factor/)
  await logIn(op, browser, { secret })
  const again = await client.refreshTokenGrant(config, refreshed.refresh_token)
  assert.ok(again.access_token)
})

test('a refresh token ends where a new log-in has ended the pass, and stopped half-way', async (t) => {
  const op = await provider(t, { configuration: { issueRefreshToken: async () => true } })
  const { secret } = await withApp(op)
  const browser = op.browser()
  const { tokens, config } = await logIn(op, browser, { secret })
  await browser.go((await op.request('intranet', { prompt: 'login' })).url)
  await password(browser)
  await assert.rejects(client.refreshTokenGrant(config, tokens.refresh_token), { error: 'invalid_grant' })

  // One of a log-in that had no second factor goes on.
  const bob = op.browser()
  const ofBob = await logIn(op, bob, { user: 'bob' })
  assert.ok((await client.refreshTokenGrant(ofBob.config, ofBob.tokens.refresh_token)).access_token)
})

test('the device flow meets the same prompt', async (t) => {
  const op = await provider(t, { policy: EVERYONE })
  const { secret } = await withApp(op)
  const config = await op.config('tv')
  const flow = await client.initiateDeviceAuthorization(config, { scope: 'openid payments', acr_values: ACR })
  const browser = op.browser()
  await browser.go(flow.verification_uri)
  const form = { 'content-type': 'application/x-www-form-urlencoded' }
  const xsrf = () => /name="xsrf" value="([^"]+)"/.exec(browser.page.text)[1]
  const submit = (fields) =>
    browser.go('/device', {
      method: 'POST',
      headers: form,
      body: new URLSearchParams({ xsrf: xsrf(), ...fields }).toString(),
    })
  await submit({ user_code: flow.user_code })
  await submit({ user_code: flow.user_code, confirm: 'yes' })
  assert.match(browser.page.text, /<h1>Log in/)
  assert.match((await password(browser)).text, /<h1>Second factor/)
  await browser.post({ action: 'verify', method: 'totp', code: codeOf(secret) })
  const tokens = await client.pollDeviceAuthorizationGrant(config, { ...flow, interval: 1 })
  const claims = payloadOf(tokens.access_token)
  assert.deepEqual([tokens.claims().acr, claims.acr], [ACR, ACR])
})

test('a program without a person needs no second factor, and cannot do what needs one', async (t) => {
  const robot = {
    client_id: 'robot',
    client_secret: 'secret of robot',
    grant_types: ['client_credentials'],
    redirect_uris: [],
    response_types: [],
  }
  const features = { ...resources.features, clientCredentials: { enabled: true } }
  const op = await provider(t, { policy: EVERYONE, configuration: { clients: [robot], features } })
  const ask = await apiOf(t, op)
  const { access_token: token } = await client.clientCredentialsGrant(await op.config('robot'), { scope: 'payments' })
  assert.equal((await ask('/balance', token)).status, 200)
  assert.equal((await ask('/payments', token)).status, 401)
})

test('stepUp: claims of every form, and rules that are none', () => {
  const rules = { acrValues: [ACR], maxAge: 300 }
  const now = 1_800_000_000
  assert.equal(stepUp({ acr: ACR, auth_time: now - 300 }, rules, now), undefined)
  assert.equal(stepUp({}, {}, now), undefined)
  for (const claims of [
    {},
    { acr: ACR },
    { auth_time: now },
    { acr: ACR, auth_time: now - 301 },
    { acr: ACR, auth_time: String(now) },
    { acr: ACR, auth_time: Number.NaN },
    { acr: [ACR], auth_time: now },
    { acr: `${ACR} `, auth_time: now },
    { acr: 'urn:countersign:acr:backup', auth_time: now },
    Object.create({ acr: ACR, auth_time: now }),
  ])
    assert.equal(stepUp(claims, rules, now)?.status, 401, JSON.stringify(claims))
  const { headers } = stepUp({}, rules, now)
  assert.equal(
    headers['www-authenticate'],
    `Bearer error="insufficient_user_authentication", error_description="a stronger log-in is required", acr_values="${ACR}", max_age="300"`,
  )
  for (const wrong of [{ acrValues: [] }, { acrValues: ['a b'] }, { acrValues: ['"'] }])
    assert.throws(() => stepUp({}, wrong), { code: 'invalid_input', path: 'acrValues' })
  for (const maxAge of [0, -1, 1.5, Number.NaN, '300'])
    assert.throws(() => stepUp({}, { maxAge: /** @type {any} */ (maxAge) }), { code: 'invalid_input', path: 'maxAge' })
})

test('signing out everywhere ends the pass and the refresh token, and asks for the password again', async (t) => {
  const op = await provider(t, { configuration: { issueRefreshToken: async () => true } })
  const { secret } = await withApp(op)
  const browser = op.browser()
  const { tokens, config } = await logIn(op, browser, { secret })
  wait(1)
  await op.secondFactor.signOutEverywhere({ user: 'ann' })
  await assert.rejects(client.refreshTokenGrant(config, tokens.refresh_token), { error: 'invalid_grant' })
  const { url } = await op.request('intranet')
  assert.match((await browser.go(url)).text, /<h1>Log in/)
})
