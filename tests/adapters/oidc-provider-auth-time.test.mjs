// `auth_time` is the time of the password or of the second factor, and meets the `max_age` of the request to which it is the answer.
import assert from 'node:assert/strict'
import { createServer } from 'node:http'
import { test } from 'node:test'
import { ACR, codeOf, enroll, errorOf, password, provider, title, wait, withApp } from './oidc-provider-house.mjs'

const now = () => Math.floor(Date.now() / 1_000)

/** A person who is in by the password alone. */
async function inByPassword(t, options) {
  const op = await provider(t, options)
  const browser = op.browser()
  const { url, redeem } = await op.request('intranet')
  await browser.go(url)
  const claims = (await redeem(await password(browser))).claims()
  return { op, browser, claims }
}

/** Posts a code, and gives the address to which the provider leads. */
async function codeAlone(browser, secret) {
  const body = new URLSearchParams({ action: 'verify', method: 'totp', code: codeOf(secret) }).toString()
  const headers = { 'content-type': 'application/x-www-form-urlencoded' }
  const { pathname } = new URL(browser.page.url)
  const { headers: sent } = await browser.ask(`${pathname}/second-factor`, { method: 'POST', body, headers })
  return sent.get('location')
}

test('A5: a wait at the backup codes makes auth_time no younger', async (t) => {
  const { op, browser } = await inByPassword(t)
  const { url, redeem } = await op.request('intranet', { acr_values: ACR })
  await browser.go(url)
  await browser.post({ action: 'enroll_totp' })
  const secret = /<code>([A-Z2-7 ]+)<\/code>/.exec(browser.page.text)[1]
  await browser.post({ action: 'confirm', code: codeOf(secret) })
  const typed = now()
  wait(200)
  const claims = (await redeem(await browser.post({ action: 'saved' }))).claims()
  assert.equal(claims.acr, ACR)
  assert.ok(claims.auth_time <= typed && claims.auth_time >= typed - 60, `${typed - claims.auth_time} s`)
})

test('A5: a wait at the backup codes longer than max_age asks for the app', async (t) => {
  const { op, browser } = await inByPassword(t)
  const { url, redeem } = await op.request('intranet', { acr_values: ACR, max_age: 100 })
  await browser.go(url)
  assert.equal((await redeem((await enroll(browser)).back)).claims().acr, ACR)

  const bob = op.browser()
  const slow = await op.request('intranet', { acr_values: ACR, max_age: 100 })
  await bob.go(slow.url)
  await password(bob, 'bob')
  await bob.post({ action: 'enroll_totp' })
  const ofBob = /<code>([A-Z2-7 ]+)<\/code>/.exec(bob.page.text)[1]
  await bob.post({ action: 'confirm', code: codeOf(ofBob) })
  wait(200)
  assert.equal(title(await bob.post({ action: 'saved' })), 'Second factor')
  const end = await bob.post({ action: 'verify', method: 'totp', code: codeOf(ofBob) })
  const { auth_time: at } = (await slow.redeem(end)).claims()
  assert.ok(now() - Number(at) <= 100)
})

test('A5: a way back that takes longer than max_age asks again, and max_age=0 asks once', async (t) => {
  const op = await provider(t)
  const { secret } = await withApp(op)
  const browser = op.browser()
  const first = await op.request('intranet')
  await browser.go(first.url)
  await password(browser)
  await first.redeem(await browser.post({ action: 'verify', method: 'totp', code: codeOf(secret) }))
  wait(60)
  const { url, redeem } = await op.request('intranet', { max_age: 5 })
  assert.equal(title(await browser.go(url)), 'Second factor')
  const slow = await codeAlone(browser, secret)
  wait(20)
  assert.equal(title(await browser.go(slow)), 'Second factor')
  const back = await browser.post({ action: 'verify', method: 'totp', code: codeOf(secret) })
  assert.ok(now() - Number((await redeem(back)).claims().auth_time) <= 5)

  const once = await op.request('intranet', { max_age: 0 })
  await browser.go(once.url)
  await password(browser)
  const typed = now() + 30
  const late = await codeAlone(browser, secret)
  wait(20)
  const end = await browser.go(late)
  assert.ok(end instanceof URL && end.searchParams.has('code'))
  const { countersign } = await op.provider.Session.find(browser.session)
  assert.ok(countersign.at <= typed + 10, 'the time of the code, and not that of the way back')
})

test('A5: after a set-up on a page of the provider max_age gets the time of that', async (t) => {
  const { op, browser, claims: before } = await inByPassword(t)
  // A page of the provider's host, with the set-up in one step.
  const own = createServer(async (req, res) => {
    const person = await op.steps.signedIn(req, res)
    if (person?.reply.result !== 'in') return res.writeHead(401).end()
    const started = await op.secondFactor.enrollTotp({ ...person.caller, label: 'ann' })
    const { setup, secret } = /** @type {any} */ (started)
    const reply = await op.secondFactor.confirmTotp({ ...person.caller, setup, code: codeOf(secret) })
    res.end(String(await op.steps.keepPass(req, res, /** @type {any} */ (reply).pass)))
  })
  await new Promise((resolve) => own.listen(0, 'localhost', () => resolve(undefined)))
  t.after(() => {
    own.closeAllConnections()
    own.close()
  })
  const page = `http://localhost:${/** @type {import('node:net').AddressInfo} */ (own.address()).port}/`
  wait(200)
  assert.equal((await browser.ask(page)).text, 'true')
  const { url, redeem } = await op.request('intranet', { max_age: 20 })
  // As after an API's answer: nothing is asked, and the token is young enough for the API.
  const claims = (await redeem(await browser.go(url))).claims()
  assert.equal(claims.acr, ACR)
  assert.ok(claims.auth_time >= before.auth_time + 200)
  assert.ok(now() - Number(claims.auth_time) <= 20)
})

test('A5: a consent that takes longer than max_age leads to the password again', async (t) => {
  const op = await provider(t, { configuration: { loadExistingGrant: undefined } })
  const browser = op.browser()
  const { url, redeem } = await op.request('intranet', { max_age: 60 })
  await browser.go(url)
  await password(browser)
  wait(100)
  const uid = /[^/]+$/.exec(new URL(browser.page.url).pathname)[0]
  const interaction = await op.provider.Interaction.find(uid)
  assert.equal(interaction.prompt.name, 'consent')
  const grant = new op.provider.Grant({ accountId: 'ann', clientId: 'intranet' })
  grant.addOIDCScope('openid')
  grant.addResourceScope('https://api.acme.example', 'payments')
  interaction.result = { ...interaction.lastSubmission, consent: { grantId: await grant.save() } }
  await interaction.persist()
  assert.equal(title(await browser.go(interaction.returnTo)), 'Log in')
  const { auth_time: at } = (await redeem(await password(browser))).claims()
  assert.ok(now() - Number(at) <= 60)
})

test('A5: a log-in of the host that tells an older time than max_age is asked once, and unmet', async (t) => {
  const op = await provider(t)
  const browser = op.browser()
  const { url } = await op.request('intranet', { max_age: 60 })
  const page = await browser.go(url)
  assert.equal(title(page), 'Log in')
  const uid = /[^/]+$/.exec(new URL(page.url).pathname)[0]
  const interaction = await op.provider.Interaction.find(uid)
  interaction.result = { login: { accountId: 'ann', ts: now() - 3_600 } }
  await interaction.persist()
  assert.equal(errorOf(await browser.go(interaction.returnTo)), 'unmet_authentication_requirements')
})

test('A5: a spent recovery code is no dead end: a set-up that waits longer than max_age is not left out', async (t) => {
  const policy = { require: 'everyone', firstFactor: 'password', methods: ['totp', 'backup_code', 'recovery_code'] }
  for (const seconds of [10, 290, 400]) {
    const op = await provider(t, { policy })
    const { secret } = await withApp(op, 'ann')
    const { secondFactor } = op
    const { ticket } = await secondFactor.begin({ user: 'ann', session: 's' })
    const owner = await secondFactor.verify({ ticket, session: 's', method: 'totp', code: codeOf(secret) })
    const by = { user: 'ann', session: owner.session, pass: owner.pass, role: 'owner' }
    const { code } = await secondFactor.issueRecoveryCode({ user: 'bob', by })
    const browser = op.browser()
    const { url } = await op.request('intranet', { max_age: 300 })
    await browser.go(url)
    await password(browser, 'bob')
    assert.equal(
      title(await browser.post({ action: 'verify', method: 'recovery_code', code })),
      'Set up a second factor',
    )
    wait(seconds)
    const after = await browser.post({ action: 'skip' })
    if (seconds === 10) {
      assert.ok(after.searchParams?.get('code'))
      continue
    }
    assert.equal(title(after), 'Set up a second factor')
    assert.doesNotMatch(after.text, /value="skip"/)
    const { back } = await enrollHere(browser)
    assert.ok(back.searchParams?.get('code'), 'in by the app')
  }
})

/** Sets up an app at the page of an interaction, and goes on. */
async function enrollHere(browser) {
  await browser.post({ action: 'enroll_totp' })
  const secret = /<code>([A-Z2-7 ]+)<\/code>/.exec(browser.page.text)[1]
  await browser.post({ action: 'confirm', code: codeOf(secret) })
  return { secret, back: await browser.post({ action: 'saved' }) }
}
