// The set-up of a first factor inside an interaction.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { generateKeys, memoryStore } from 'countersign'
import { createOperator } from 'countersign/operator'
import { ACR, codeOf, enroll, password, provider, title, wait } from './oidc-provider-house.mjs'

const POLICY = {
  require: 'everyone',
  firstFactor: 'password',
  methods: ['totp', 'sms', 'backup_code', 'recovery_code'],
}
async function atSetUp(t, user = 'ann') {
  const op = await provider(t, { policy: POLICY })
  const browser = op.browser()
  const { url, redeem } = await op.request('intranet')
  await browser.go(url)
  assert.equal(title(await password(browser, user)), 'Set up a second factor')
  return { op, browser, redeem, page: browser.page }
}

const keyOf = ({ text }) => /<code>([A-Z2-7 ]+)<\/code>/.exec(text)?.[1]

test('an app: a wrong code, the way back, a page that is loaded again', async (t) => {
  const { browser, redeem, page } = await atSetUp(t)
  await browser.post({ action: 'enroll_totp' })
  const first = keyOf(browser.page)
  const wrong = await browser.post({ action: 'confirm', code: '000000' })
  assert.deepEqual([wrong.status, title(wrong), keyOf(wrong)], [422, 'Confirm it', first])
  assert.equal(keyOf(await browser.go(page.url)), first)
  assert.equal(title(await browser.post({ action: 'back' })), 'Set up a second factor')
  assert.equal((await browser.post({ action: 'confirm', code: '123456' })).status, 409)

  await browser.post({ action: 'enroll_totp' })
  const second = keyOf(browser.page)
  assert.notEqual(second, first)
  assert.equal((await browser.post({ action: 'confirm', code: codeOf(first) })).status, 422)
  const codes = await browser.post({ action: 'confirm', code: codeOf(second) })
  assert.equal(title(codes), 'Your backup codes')
  // Loaded again they are shown again, and nothing but their end goes on.
  const list = (shown) => [...shown.text.matchAll(/<li><code>([^<]+)/g)].map(([, code]) => code)
  assert.deepEqual(list(await browser.go(page.url)), list(codes))
  for (const fields of [{ action: 'enroll_totp' }, { action: 'confirm', code: '123456' }, { action: 'skip' }])
    assert.equal((await browser.post(fields)).status, 409, fields.action)
  assert.equal((await redeem(await browser.post({ action: 'saved' }))).claims().acr, ACR)
})

test('a phone: a number that is none, a wrong code, the right one', async (t) => {
  const { op, browser, redeem } = await atSetUp(t)
  assert.equal((await browser.post({ action: 'enroll_sms', number: 'none' })).status, 422)
  assert.equal((await browser.post({ action: 'enroll_sms', number: '+15551234567' })).status, 403)
  assert.equal(op.messages.length, 0)
  assert.equal(title(await browser.post({ action: 'enroll_sms', number: '+61412345678' })), 'Confirm it')
  assert.doesNotMatch(browser.page.text, /412345/)
  const code = /\b\d{6}\b/.exec(op.messages[0].body)[0]
  const other = code === '000000' ? '000001' : '000000'
  assert.equal((await browser.post({ action: 'confirm', code: other })).status, 422)
  assert.equal(title(await browser.post({ action: 'confirm', code })), 'Your backup codes')
  const claims = (await redeem(await browser.post({ action: 'saved' }))).claims()
  assert.deepEqual([claims.acr, claims.amr], [ACR, ['pwd', 'sms', 'mfa']])
})

test('T18: a set-up by the password cannot be continued later, nor by a second one', async (t) => {
  const { op, browser, redeem, page } = await atSetUp(t)
  const other = op.browser()
  const second = await op.request('intranet')
  await other.go(second.url)
  await password(other)
  await other.post({ action: 'enroll_totp' })
  const key = keyOf(other.page)

  const { back } = await enroll(browser)
  assert.equal((await redeem(back)).claims().acr, ACR)
  // The other browser knows the password alone: its set-up is over, and it is asked for the factor that is there now.
  const late = await other.post({ action: 'confirm', code: codeOf(key) })
  assert.deepEqual([late.status, title(late)], [422, 'Second factor'])
  assert.equal((await other.post({ action: 'enroll_totp' })).status, 409)

  const late2 = await atSetUp(t, 'bob')
  wait(601)
  assert.equal(title(await late2.browser.post({ action: 'enroll_totp' })), 'Log in')
  assert.ok(page)
})

test('codes that nobody has saved: the next log-in asks for the app', async (t) => {
  const { op, browser } = await atSetUp(t)
  await browser.post({ action: 'enroll_totp' })
  const key = keyOf(browser.page)
  await browser.post({ action: 'confirm', code: codeOf(key) })
  // The tab is closed at the backup codes.
  const { url, redeem } = await op.request('payroll')
  assert.equal(title(await browser.go(url)), 'Second factor')
  const back = await browser.post({ action: 'verify', method: 'totp', code: codeOf(key) })
  assert.equal((await redeem(back)).claims().acr, ACR)
})

test('somebody whose app was imported gets new backup codes at the first log-in', async (t) => {
  const [keys, store] = [generateKeys(), memoryStore()]
  const op = await provider(t, { keys, store })
  const operator = createOperator({ policy: { v: 1, name: 'Acme', origin: op.issuer }, keys, store })
  const secret = 'JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP'
  assert.equal((await operator.importTotp({ user: 'ann', secret, operator: 'test' })).result, 'imported')
  wait(60)
  const browser = op.browser()
  const { url, redeem } = await op.request('intranet')
  await browser.go(url)
  await password(browser)
  const codes = await browser.post({ action: 'verify', method: 'totp', code: codeOf(secret) })
  assert.equal(title(codes), 'Your backup codes')
  assert.equal([...codes.text.matchAll(/<li>/g)].length, 10)
  assert.equal((await redeem(await browser.post({ action: 'saved' }))).claims().acr, ACR)
})
