// The prompt of oidc-provider against the real provider, with openid-client as the client.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { generateKeys, memoryStore } from 'countersign'
import { createOperator } from 'countersign/operator'
import { ACR, API, codeOf, enroll, errorOf, password, provider, title, wait, withApp } from './oidc-provider-house.mjs'

const EVERYONE = { require: 'everyone', firstFactor: 'password' }

test('a log-in sets up the first factor, and the next one asks for it', async (t) => {
  const op = await provider(t, { policy: EVERYONE })
  const browser = op.browser()
  const { url, redeem, config } = await op.request('intranet')
  await browser.go(url)
  assert.match(browser.page.text, /<h1>Log in/)
  await password(browser)
  assert.match(browser.page.text, /<h1>Set up a second factor/)
  const { secret, codes, back } = await enroll(browser)
  assert.equal(codes.length, 10)
  const tokens = await redeem(back)
  const claims = tokens.claims()
  assert.deepEqual(config.serverMetadata().acr_values_supported, [
    ACR,
    'urn:countersign:acr:backup',
    'urn:countersign:acr:recovery',
  ])
  assert.equal(claims.acr, ACR)
  assert.deepEqual(claims.amr, ['pwd', 'otp', 'mfa'])

  const other = op.browser()
  const again = await op.request('intranet')
  await other.go(again.url)
  await password(other)
  assert.match(other.page.text, /<h1>Second factor/)
  const end = await other.post({ action: 'verify', method: 'totp', code: codeOf(secret) })
  assert.equal((await again.redeem(end)).claims().acr, ACR)
})

/** A browser of a user with an app who is in. */
async function loggedIn(op, secret, { user = 'ann', id = 'intranet', parameters = {} } = {}) {
  const browser = op.browser()
  const { url, redeem } = await op.request(id, parameters)
  await browser.go(url)
  await password(browser, user)
  const back = await browser.post({ action: 'verify', method: 'totp', code: codeOf(secret) })
  return { browser, claims: (await redeem(back)).claims() }
}

/** The error of a request that may show no page. */
async function silently(op, browser, id = 'intranet', parameters = {}) {
  const { url } = await op.request(id, { prompt: 'none', ...parameters })
  return errorOf(await browser.go(url))
}

test('A5: after the password alone another client gets the prompt, or an error, and never a code', async (t) => {
  const op = await provider(t, { policy: EVERYONE })
  const { secret } = await withApp(op)
  const browser = op.browser()
  await browser.go((await op.request('payroll')).url)
  await password(browser)
  assert.equal(title(browser.page), 'Second factor')

  // The tab is closed here.
  for (const id of ['intranet', 'payroll']) assert.equal(await silently(op, browser, id), 'login_required')
  const { url, redeem } = await op.request('intranet')
  const page = await browser.go(url)
  assert.equal(title(page), 'Second factor')

  // Later than a ticket lives, the second factor alone continues nothing.
  wait(601)
  assert.equal(await silently(op, browser), 'login_required')
  assert.equal(title(await browser.go((await op.request('intranet')).url)), 'Log in')

  await browser.go(url)
  await password(browser)
  const back = await browser.post({ action: 'verify', method: 'totp', code: codeOf(secret) })
  assert.equal((await redeem(back)).claims().acr, ACR)
  assert.equal(await silently(op, browser), undefined)
})

test('A5: an essential acr that cannot be had ends in unmet_authentication_requirements', async (t) => {
  const op = await provider(t)
  const essential = (more) => ({ claims: JSON.stringify({ id_token: { acr: { essential: true, ...more } } }) })
  const browser = op.browser()
  const other = await op.request('intranet', essential({ value: 'urn:acme:silver' }))
  await browser.go(other.url)
  assert.equal(errorOf(await password(browser)), 'unmet_authentication_requirements')
  assert.equal(
    await silently(op, browser, 'intranet', essential({ values: ['urn:acme:silver'] })),
    'unmet_authentication_requirements',
  )
  // `acr_values` beside it changes nothing about that.
  const both = { ...essential({ values: ['urn:acme:silver'] }), acr_values: ACR }
  assert.equal(await silently(op, browser, 'intranet', both), 'unmet_authentication_requirements')

  // Without a factor the person can set one up, or go back.
  assert.equal(await silently(op, browser, 'intranet', essential({ value: ACR })), 'login_required')
  const { url, redeem } = await op.request('intranet', essential({ value: ACR }))
  assert.equal(title(await browser.go(url)), 'Set up a second factor')
  assert.doesNotMatch(browser.page.text, /value="skip"/)
  assert.equal((await browser.post({ action: 'skip' })).status, 409)
  assert.equal(errorOf(await browser.post({ action: 'cancel' })), 'unmet_authentication_requirements')
  await browser.go(url)
  assert.equal((await redeem((await enroll(browser)).back)).claims().acr, ACR)

  for (const wrong of [{ values: 7 }, { values: [7] }, { value: {} }, { values: [ACR], essential: 'yes' }])
    assert.equal(await silently(op, browser, 'intranet', essential(wrong)), 'invalid_request')
})

test('an essential acr of the host is reached by its own log-in, asked once', async (t) => {
  const op = await provider(t, { configuration: { acrValues: ['urn:acme:card'] } })
  const { secret } = await withApp(op)
  const { browser } = await loggedIn(op, secret)
  const claims = JSON.stringify({ id_token: { acr: { essential: true, value: 'urn:acme:card' } } })
  assert.equal(await silently(op, browser, 'intranet', { claims }), 'login_required')
  const { url, redeem } = await op.request('intranet', { claims })
  assert.equal(title(await browser.go(url)), 'Log in')
  const uid = /[^/]+$/.exec(new URL(browser.page.url).pathname)[0]
  // The host's log-in by a card.
  const interaction = await op.provider.Interaction.find(uid)
  interaction.result = { login: { accountId: 'ann', acr: 'urn:acme:card', amr: ['sc'] } }
  await interaction.persist()
  assert.equal(title(await browser.go(interaction.returnTo)), 'Second factor')
  const tokens = await redeem(await browser.post({ action: 'verify', method: 'totp', code: codeOf(secret) }))
  assert.deepEqual([tokens.claims().acr, tokens.claims().amr], ['urn:acme:card', ['sc', 'otp', 'mfa']])

  // A log-in that does not reach it is not asked for again.
  const other = op.browser()
  await other.go((await op.request('intranet', { claims, prompt: 'login' })).url)
  await password(other, 'bob')
  assert.equal(errorOf(await other.go((await op.request('intranet', { claims, prompt: 'login' })).url)), undefined)
  assert.equal(errorOf(await password(other, 'bob')), 'unmet_authentication_requirements')
})

test('an acr that a client would like is offered, and not failed on', async (t) => {
  const op = await provider(t)
  const browser = op.browser()
  const first = await op.request('payroll')
  await browser.go(first.url)
  await password(browser)
  assert.equal(title(browser.page), 'Set up a second factor')
  const back = await browser.post({ action: 'skip' })
  assert.equal((await first.redeem(back)).claims().acr, undefined)

  // One that nobody here can reach is not asked for.
  const { url, redeem } = await op.request('intranet', { acr_values: 'urn:acme:silver' })
  assert.equal((await redeem(await browser.go(url))).claims().acr, undefined)
})

test('A5: max_age=0 asks once', async (t) => {
  const op = await provider(t)
  const { secret } = await withApp(op)
  const { browser, claims } = await loggedIn(op, secret)
  wait(60)
  assert.equal(await silently(op, browser, 'intranet', { max_age: 0 }), 'login_required')
  const { url, redeem } = await op.request('intranet', { max_age: 0 })
  // It is the same as `prompt=login`: the whole log-in, each part once.
  assert.equal(title(await browser.go(url)), 'Log in')
  assert.equal(title(await password(browser)), 'Second factor')
  const again = (await redeem(await browser.post({ action: 'verify', method: 'totp', code: codeOf(secret) }))).claims()
  assert.ok(again.auth_time >= claims.auth_time + 60)

  // Somebody without a second factor types the password, once.
  const bob = op.browser()
  const first = await op.request('intranet')
  await bob.go(first.url)
  assert.ok((await password(bob, 'bob')) instanceof URL)
  wait(60)
  const request = await op.request('intranet', { max_age: 0 })
  assert.equal(title(await bob.go(request.url)), 'Log in')
  const tokens = await request.redeem(await password(bob, 'bob'))
  assert.equal(tokens.claims().acr, undefined)
})

test('max_age asks again once the second factor is older, and auth_time tells its time', async (t) => {
  const op = await provider(t)
  const { secret } = await withApp(op)
  const { browser, claims } = await loggedIn(op, secret)
  wait(200)
  const young = await op.request('intranet', { max_age: 300 })
  assert.equal((await young.redeem(await browser.go(young.url))).claims().auth_time, claims.auth_time)
  wait(200)
  const old = await op.request('intranet', { max_age: 300 })
  assert.equal(title(await browser.go(old.url)), 'Second factor')
  const again = await old.redeem(await browser.post({ action: 'verify', method: 'totp', code: codeOf(secret) }))
  assert.ok(again.claims().auth_time >= claims.auth_time + 400)
})

test('prompt=login asks for both factors again, once', async (t) => {
  const op = await provider(t)
  const { secret } = await withApp(op)
  const { browser } = await loggedIn(op, secret)
  const { url, redeem } = await op.request('intranet', { prompt: 'login' })
  assert.equal(title(await browser.go(url)), 'Log in')
  assert.equal(title(await password(browser)), 'Second factor')
  const back = await browser.post({ action: 'verify', method: 'totp', code: codeOf(secret) })
  assert.equal((await redeem(back)).claims().acr, ACR)
})

test('A5: a step-up of one account is refused once another one has logged in', async (t) => {
  const op = await provider(t)
  const { secret } = await withApp(op)
  const { secret: ofBob } = await withApp(op, 'bob')
  const { browser } = await loggedIn(op, secret)
  const stepUp = await op.request('payroll', { max_age: 0 })
  const asked = await browser.go(stepUp.url)

  // In another tab bob logs in. The provider asks to log ann out first.
  const other = await op.request('intranet', { prompt: 'login' })
  await browser.go(other.url)
  const form = await password(browser, 'bob')
  const [, action] = /action="([^"]+)"/.exec(form.text)
  const [, xsrf] = /name="xsrf" value="([^"]+)"/.exec(form.text)
  const headers = { 'content-type': 'application/x-www-form-urlencoded' }
  await browser.go(action, { method: 'POST', body: new URLSearchParams({ xsrf, logout: 'yes' }).toString(), headers })
  assert.equal(title(browser.page), 'Second factor')
  const back = await browser.post({ action: 'verify', method: 'totp', code: codeOf(ofBob) })
  assert.equal((await other.redeem(back)).claims().sub, 'bob')

  // The tab of ann's step-up, with the code of either.
  for (const key of [secret, ofBob]) {
    browser.page = asked
    const page = await browser.post({ action: 'verify', method: 'totp', code: codeOf(key) })
    assert.equal(page.status, 400)
    assert.equal((await browser.go(asked.url)).status, 400)
  }
})

test('A5: a second POST to a finished interaction is refused', async (t) => {
  const op = await provider(t)
  const { secret } = await withApp(op)
  const browser = op.browser()
  await browser.go((await op.request('intranet')).url)
  await password(browser)
  const at = browser.page
  const code = codeOf(secret)
  // The browser has not followed the redirection yet.
  const { pathname } = new URL(at.url)
  const headers = { 'content-type': 'application/x-www-form-urlencoded' }
  const body = new URLSearchParams({ action: 'verify', method: 'totp', code }).toString()
  const first = await browser.ask(`${pathname}/second-factor`, { method: 'POST', body, headers })
  assert.equal(first.status, 303)
  assert.equal((await browser.ask(`${pathname}/second-factor`, { method: 'POST', body, headers })).status, 400)
  assert.equal((await browser.ask(pathname)).status, 400)
  await browser.go(first.headers.get('location'))
  browser.page = at
  for (const fields of [{ action: 'verify', method: 'totp', code }, { action: 'cancel' }, { action: 'skip' }])
    assert.equal((await browser.post(fields)).status, 400)
})

test('T19: the session id changes at both steps, and the ids from before open nothing', async (t) => {
  const op = await provider(t)
  const { secret } = await withApp(op)
  const browser = op.browser()
  // Somebody has put a session of their own into the browser, before anybody logged in.
  const attacker = op.browser()
  await attacker.ask('/session/end')
  assert.ok(attacker.session)
  browser.cookies = new Map(attacker.cookies)
  const { url } = await op.request('intranet')
  await browser.go(url)
  await password(browser)
  assert.notEqual(browser.session, attacker.session)
  assert.equal(await silently(op, attacker), 'login_required')
  const half = browser.twin()
  await browser.post({ action: 'verify', method: 'totp', code: codeOf(secret) })
  assert.notEqual(half.session, browser.session)
  assert.equal(await silently(op, browser), undefined)
  for (const old of [half, attacker]) assert.equal(await silently(op, old), 'login_required')
  assert.equal(title(await half.go((await op.request('intranet')).url)), 'Log in')
})

test('T21: a pass counts in its own session alone', async (t) => {
  const op = await provider(t)
  const { secret } = await withApp(op)
  await withApp(op, 'bob')
  const { browser } = await loggedIn(op, secret)
  const [mine] = [await op.provider.Session.find(browser.session)]
  for (const user of ['ann', 'bob']) {
    const thief = op.browser()
    await thief.go((await op.request('intranet')).url)
    await password(thief, user)
    const session = await op.provider.Session.find(thief.session)
    session.countersign = { ...mine.countersign }
    await session.persist()
    assert.equal(await silently(op, thief), 'login_required', user)
  }
  assert.equal(await silently(op, browser), undefined)
})

test('T18: the password alone opens nothing at the provider', async (t) => {
  const op = await provider(t, { policy: EVERYONE })
  await withApp(op)
  const browser = op.browser()
  await browser.go((await op.request('intranet')).url)
  await password(browser)
  const asked = browser.page
  for (const parameters of [
    {},
    { scope: 'openid email' },
    { acr_values: 'urn:x' },
    { response_type: 'code', scope: 'openid offline_access' },
  ])
    assert.equal(await silently(op, browser, 'intranet', parameters), 'login_required')
  // Going back to the provider without an answer to the prompt asks for it again.
  const resume = [...browser.cookies.values()].find(
    ({ name, path }) => name === '_interaction_resume' && path.startsWith('/auth/'),
  )
  assert.equal(title(await browser.go(resume.path)), 'Second factor')
  // The host's own form of the log-in is not the one of this prompt.
  browser.page = asked
  assert.equal((await password(browser)).status, 400)
})

test('a code is used once: replay, double click', async (t) => {
  const op = await provider(t)
  const { secret } = await withApp(op)
  const code = codeOf(secret)
  const browsers = [op.browser(), op.browser()]
  for (const browser of browsers) {
    await browser.go((await op.request('intranet')).url)
    await password(browser)
  }
  const [one, two] = browsers
  const both = await Promise.all(
    [one, two, one].map((browser) => browser.post({ action: 'verify', method: 'totp', code })),
  )
  assert.equal(both.filter((back) => back instanceof URL && back.searchParams.has('code')).length, 1)
  const [left] = [one, two].filter(({ page }) => title(page) === 'Second factor')
  const page = await left.post({ action: 'verify', method: 'totp', code })
  assert.equal(page.status, 422)
  assert.match(page.text, /used already/)
})

test('wrong codes lock, with the time to wait', async (t) => {
  const op = await provider(t)
  const { secret } = await withApp(op)
  const browser = op.browser()
  await browser.go((await op.request('intranet')).url)
  await password(browser)
  wait(30)
  let page
  for (let attempt = 0; attempt < 12 && page?.status !== 429; attempt++) {
    page = await browser.post({ action: 'verify', method: 'totp', code: '000000' })
    assert.ok([422, 429].includes(page.status))
  }
  assert.equal(page.status, 429)
  assert.ok(Number(page.headers.get('retry-after')) > 0)
  const right = { action: 'verify', method: 'totp', code: codeOf(secret, 0) }
  assert.equal((await browser.post(right)).status, 429)
})

test('each method: message, backup code, recovery code', async (t) => {
  const policy = { methods: ['totp', 'sms', 'backup_code', 'recovery_code'] }
  const op = await provider(t, { policy })
  const { codes } = await withApp(op)

  const browser = op.browser()
  const request = await op.request('intranet')
  await browser.go(request.url)
  await password(browser)
  const back = await browser.post({ action: 'verify', method: 'backup_code', code: codes[0] })
  const claims = (await request.redeem(back)).claims()
  assert.deepEqual([claims.acr, claims.amr], ['urn:countersign:acr:backup', ['pwd']])
  // A backup code is weaker than what payroll asks for.
  assert.equal(title(await browser.go((await op.request('payroll')).url)), 'Second factor')
  assert.doesNotMatch(browser.page.text, /Backup code/)
  assert.equal((await browser.post({ action: 'verify', method: 'backup_code', code: codes[1] })).status, 422)

  // Bob's only factor is a phone.
  const started = await op.secondFactor.enrollSms({ user: 'bob', session: 's', number: '+61412345678' })
  const digits = () => /\b\d{6}\b/.exec(op.messages.at(-1).body)[0]
  await op.secondFactor.confirmSms({ user: 'bob', session: 's', setup: started.setup, code: digits() })
  wait(120)
  const bob = op.browser()
  const ofBob = await op.request('payroll')
  await bob.go(ofBob.url)
  await password(bob, 'bob')
  assert.equal((await bob.post({ action: 'send_sms' })).status, 200)
  assert.equal((await bob.post({ action: 'send_sms' })).status, 429)
  const end = await bob.post({ action: 'verify', method: 'sms', code: digits() })
  assert.deepEqual((await ofBob.redeem(end)).claims().amr, ['pwd', 'sms', 'mfa'])
})

test('a recovery code lets in and leads to the set-up', async (t) => {
  const keys = generateKeys()
  const store = memoryStore()
  const policy = { require: 'everyone' }
  const op = await provider(t, { policy, keys, store })
  const browser = op.browser()
  const request = await op.request('intranet')
  await browser.go(request.url)
  const page = await password(browser)
  assert.equal(page.status, 403)
  assert.equal(title(page), 'You cannot go on')
  assert.equal(errorOf(await browser.post({ action: 'cancel' })), 'access_denied')
  assert.equal(await silently(op, browser), 'access_denied')

  const operator = createOperator({ policy: { v: 1, name: 'Acme', origin: op.issuer, ...policy }, keys, store })
  const { code } = await operator.issueRecoveryCode({ user: 'ann', operator: 'test' })
  await browser.go(request.url)
  assert.equal(title(browser.page), 'Second factor')
  assert.equal(title(await browser.post({ action: 'verify', method: 'recovery_code', code })), 'Set up a second factor')
  const { secret, back } = await enroll(browser)
  assert.equal((await request.redeem(back)).claims().acr, ACR)

  // Without the set-up the code opens this one log-in.
  const { code: second } = await operator.issueRecoveryCode({ user: 'bob', operator: 'test' })
  const bob = op.browser()
  const ofBob = await op.request('intranet')
  await bob.go(ofBob.url)
  await password(bob, 'bob')
  await bob.post({ action: 'verify', method: 'recovery_code', code: second })
  const end = await bob.post({ action: 'skip' })
  assert.equal((await ofBob.redeem(end)).claims().acr, 'urn:countersign:acr:recovery')
  assert.ok(secret)
})

test('rules about networks and roles decide who needs it', async (t) => {
  const policy = { require: { networks: ['127.0.0.0/8', '::1/128'] }, firstFactor: 'password' }
  const op = await provider(t, { policy })
  const browser = op.browser()
  await browser.go((await op.request('intranet')).url)
  assert.equal(title(await password(browser)), 'Set up a second factor')
  const outside = await provider(t, { policy: { network: { deny: ['127.0.0.0/8', '::1/128'] } } })
  const other = outside.browser()
  const denied = await outside.request('intranet')
  await other.go(denied.url)
  await password(other)
  assert.match(other.page.text, /address_denied/)
})

test('log-out ends the pass', async (t) => {
  const op = await provider(t)
  const { secret } = await withApp(op)
  const { browser } = await loggedIn(op, secret)
  const before = browser.twin()
  const form = await browser.go('/session/end')
  const [, xsrf] = /name="xsrf" value="([^"]+)"/.exec(form.text)
  const headers = { 'content-type': 'application/x-www-form-urlencoded' }
  await browser.go('/session/end/confirm', {
    method: 'POST',
    body: new URLSearchParams({ xsrf, logout: 'yes' }).toString(),
    headers,
  })
  for (const left of [browser, before]) assert.equal(await silently(op, left), 'login_required')
  const { url } = await op.request('intranet')
  await before.go(url)
  assert.equal(title(await password(before)), 'Second factor')
})

test('two tabs: one second factor is enough for both', async (t) => {
  const op = await provider(t)
  const { secret } = await withApp(op)
  const browser = op.browser()
  const [one, two] = [await op.request('intranet'), await op.request('payroll')]
  await browser.go(one.url)
  await password(browser)
  const first = browser.page
  const second = await browser.go(two.url)
  assert.equal(title(second), 'Second factor')
  browser.page = first
  await one.redeem(await browser.post({ action: 'verify', method: 'totp', code: codeOf(secret) }))
  const back = await browser.go(second.url)
  assert.equal((await two.redeem(back)).claims().acr, ACR)
})

test('the consent comes after the second factor, and does not count as a log-in', async (t) => {
  const op = await provider(t, { policy: EVERYONE, configuration: { loadExistingGrant: undefined } })
  const { secret } = await withApp(op)
  const browser = op.browser()
  const { url, redeem } = await op.request('intranet')
  await browser.go(url)
  const { url: prompt } = await password(browser)
  assert.equal(await silently(op, browser), 'login_required')
  assert.equal(title(await browser.go(prompt)), 'Second factor')
  await browser.post({ action: 'verify', method: 'totp', code: codeOf(secret) })
  const uid = /[^/]+$/.exec(new URL(browser.page.url).pathname)[0]
  const interaction = await op.provider.Interaction.find(uid)
  assert.equal(interaction.prompt.name, 'consent')
  const consent = browser.page
  for (const action of ['cancel', 'skip', 'enroll_totp'])
    assert.equal((await browser.post({ action })).status, 400, action)
  browser.page = consent
  const { pass } = (await op.provider.Session.find(browser.session)).countersign
  assert.ok(!JSON.stringify(interaction.lastSubmission).includes(pass), 'the pass is in the session alone')
  assert.equal(await silently(op, browser), 'consent_required')

  wait(100)
  const grant = new op.provider.Grant({ accountId: 'ann', clientId: 'intranet' })
  grant.addOIDCScope('openid')
  grant.addResourceScope(API, 'payments')
  interaction.result = { ...interaction.lastSubmission, consent: { grantId: await grant.save() } }
  await interaction.persist()
  const at = Math.floor(Date.now() / 1_000)
  const claims = (await redeem(await browser.go(interaction.returnTo))).claims()
  assert.equal(claims.acr, ACR)
  assert.ok(claims.auth_time <= at - 100)
})

test('a page of the provider itself asks for the second factor too', async (t) => {
  const op = await provider(t, { policy: EVERYONE })
  const { secret } = await withApp(op)
  const browser = op.browser()
  assert.equal((await browser.ask('/me')).status, 303)
  await browser.go((await op.request('intranet')).url)
  await password(browser)
  assert.equal((await browser.ask('/me')).status, 303)
  await browser.post({ action: 'verify', method: 'totp', code: codeOf(secret) })
  const page = await browser.ask('/me')
  assert.deepEqual([page.status, title(page)], [200, 'Your second factor'])
})

test('T18: a prompt that was left open for ten minutes does not continue the log-in', async (t) => {
  const op = await provider(t, { policy: EVERYONE })
  const { secret } = await withApp(op)
  const browser = op.browser()
  const { url, redeem } = await op.request('intranet')
  await browser.go(url)
  const open = await password(browser)
  wait(580)
  assert.equal((await browser.post({ action: 'verify', method: 'totp', code: '000000' })).status, 422)
  wait(30)
  browser.page = open
  assert.equal(title(await browser.post({ action: 'verify', method: 'totp', code: codeOf(secret) })), 'Log in')
  await password(browser)
  const back = await browser.post({ action: 'verify', method: 'totp', code: codeOf(secret) })
  assert.equal((await redeem(back)).claims().acr, ACR)
})

test('rules that change while the prompt is open', async (t) => {
  const rules = { require: 'everyone', firstFactor: 'password' }
  const op = await provider(t, { policy: rules })
  const browser = op.browser()
  const { url, redeem } = await op.request('intranet')
  await browser.go(url)
  const open = await password(browser)
  assert.equal(title(open), 'Set up a second factor')
  rules.require = 'optional'
  assert.equal((await redeem(await browser.go(open.url))).claims().acr, undefined)
  rules.require = 'everyone'
  assert.equal(await silently(op, browser), 'login_required')
})
