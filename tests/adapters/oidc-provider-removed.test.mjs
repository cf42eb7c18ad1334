// Demands of clients on people without a second factor: those who never had one, and those whose factor was removed after the log-in.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ACR, codeOf, enroll, errorOf, password, provider, title, wait, withApp } from './oidc-provider-house.mjs'

const essential = JSON.stringify({ id_token: { acr: { essential: true, value: ACR } } })

/** Removes the app in a session of its user. `isKept`: the session gets the pass that the removal gives. */
async function removeApp(op, browser, isKept) {
  const session = await op.provider.Session.find(browser.session)
  const { rotation, pass } = session.countersign
  const { methods } = await op.secondFactor.status({ user: 'ann' })
  const caller = { user: 'ann', session: `${session.uid}.${rotation}`, pass }
  const reply = await op.secondFactor.remove({ ...caller, factor: methods[0].id })
  assert.equal(reply.result, 'removed')
  if (!isKept) return
  session.countersign = { ...session.countersign, pass: reply.pass }
  await session.persist()
}

/** The histories of a person who is in, and has no factor now. */
const HISTORIES = [
  { history: 'never had one' },
  { history: 'removed, the pass of it kept', remove: true, isKept: true },
  { history: 'removed, the pass revoked', remove: true, isKept: false },
  { history: 'removed, the pass expired', remove: true, isKept: true, later: 4_000 },
]

/** A person of such a history at a fresh provider, `later` seconds after the log-in. */
async function without(t, { remove = false, isKept = false, later = 200 }) {
  /** @type {any} */
  const rules = { passSeconds: 3_600 }
  const op = await provider(t, { policy: rules })
  const secret = remove ? (await withApp(op)).secret : undefined
  const browser = op.browser()
  const { url, redeem } = await op.request('intranet')
  await browser.go(url)
  const page = await password(browser)
  await redeem(remove ? await browser.post({ action: 'verify', method: 'totp', code: codeOf(secret) }) : page)
  if (remove) await removeApp(op, browser, isKept)
  wait(later)
  return { op, browser, rules }
}

for (const { history, ...given } of HISTORIES) {
  test(`A5: max_age where there is no second factor (${history}): the password, once`, async (t) => {
    const { op, browser } = await without(t, given)
    for (const max_age of [60, 0]) {
      const silent = await op.request('intranet', { max_age, prompt: 'none' })
      assert.equal(errorOf(await browser.go(silent.url)), 'login_required')
      const { url, redeem } = await op.request('intranet', { max_age })
      assert.equal(title(await browser.go(url)), 'Log in')
      const claims = (await redeem(await password(browser))).claims()
      assert.deepEqual([claims.acr, claims.amr], [undefined, ['pwd']])
      wait(100)
    }
    // A log-in that is young enough is not asked again.
    const young = await op.request('intranet', { max_age: 1_000 })
    await young.redeem(await browser.go(young.url))
  })

  test(`A5: max_age beside an acr (${history}): the password, then the set-up`, async (t) => {
    const { op, browser } = await without(t, given)
    for (const wish of [{ acr_values: ACR }, { claims: essential }]) {
      const { url } = await op.request('intranet', { ...wish, max_age: 60 })
      assert.equal(title(await browser.go(url)), 'Log in')
      assert.equal(title(await password(browser)), 'Set up a second factor')
      wait(100)
    }
    const { url, redeem } = await op.request('intranet', { claims: essential, max_age: 60 })
    await browser.go(url)
    await password(browser)
    assert.equal((await redeem((await enroll(browser)).back)).claims().acr, ACR)
  })

  test(`A5: an essential acr (${history}) that nobody may set up is unmet`, async (t) => {
    const { op, browser, rules } = await without(t, { ...given, later: 4_000 })
    rules.plans = ['pro']
    for (const parameters of [{}, { max_age: 60 }]) {
      const { url } = await op.request('intranet', { claims: essential, ...parameters })
      assert.equal(errorOf(await browser.go(url)), 'unmet_authentication_requirements')
    }
    // Here it is known after the log-in alone.
    const { url } = await op.request('intranet', { claims: essential, max_age: 0 })
    assert.equal(title(await browser.go(url)), 'Log in')
    assert.equal(errorOf(await password(browser)), 'unmet_authentication_requirements')
  })
}

for (const isKept of [true, false])
  test(`a factor that is removed while its challenge is open leads on (pass ${isKept ? 'kept' : 'revoked'})`, async (t) => {
    const op = await provider(t)
    const { secret, codes } = await withApp(op)
    const browser = op.browser()
    await browser.go((await op.request('intranet')).url)
    await password(browser)
    await browser.post({ action: 'verify', method: 'backup_code', code: codes[0] })
    const { url, redeem } = await op.request('intranet', { claims: essential })
    assert.equal(title(await browser.go(url)), 'Second factor')
    await removeApp(op, browser, isKept)
    const page = await browser.post({ action: 'verify', method: 'totp', code: codeOf(secret) })
    assert.deepEqual([page.status, title(page)], [403, 'Set up a second factor'])
    assert.equal((await redeem((await enroll(browser)).back)).claims().acr, ACR)
  })

test('a factor that is removed while its age is asked for leaves the password', async (t) => {
  const op = await provider(t)
  const { secret } = await withApp(op)
  const browser = op.browser()
  await browser.go((await op.request('intranet')).url)
  await password(browser)
  await browser.post({ action: 'verify', method: 'totp', code: codeOf(secret) })
  wait(100)
  const { url, redeem } = await op.request('intranet', { max_age: 60 })
  assert.equal(title(await browser.go(url)), 'Second factor')
  await removeApp(op, browser, true)
  assert.equal(title(await browser.post({ action: 'verify', method: 'totp', code: codeOf(secret) })), 'Log in')
  assert.equal((await redeem(await password(browser))).claims().acr, undefined)
})
