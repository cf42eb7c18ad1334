// The files of the guide, as somebody pastes them: the provider with a log-in page, and the page of the person's factors.
import assert from 'node:assert/strict'
import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { pathToFileURL } from 'node:url'
import { createSecondFactor, generateKeys, memoryStore } from 'countersign'
import { transformSync } from 'esbuild'
import { at } from '../../scripts/common.mjs'
import { blocksOf } from '../docs/blocks.mjs'
import { Browser, codeOf, listening, wait } from './oidc-provider-house.mjs'

/** The modules of the guide, beside the frameworks of this folder. */
async function guide(t) {
  const folder = at(`tests/adapters/.examples/oidc-provider-guide-${process.pid}`)
  mkdirSync(folder, { recursive: true })
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  const names = ['oidc-steps', 'login-page', 'my-factors']
  for (const { name, code } of blocksOf('docs/oidc-provider.md'))
    if (names.includes(name.replace('.ts', '')))
      writeFileSync(join(folder, name.replace('.ts', '.mjs')), transformSync(code, { loader: 'ts' }).code)
  const modules = await Promise.all(names.map((name) => import(pathToFileURL(join(folder, `${name}.mjs`)).href)))
  return Object.assign({}, ...modules)
}

test('the files of the guide: a log-in, an app, backup codes, and the code again before new ones', async (t) => {
  const { providerOf, appOf, loginPage, myFactors, accountClient } = await guide(t)
  const { server, origin: issuer } = await listening(t)
  const secondFactor = createSecondFactor({
    policy: { v: 1, name: 'Acme', origin: issuer },
    keys: generateKeys(),
    store: memoryStore(),
  })
  const loadExistingGrant = async ({ oidc: { client, session, provider } }) => {
    const grant = new provider.Grant({ clientId: client.clientId, accountId: session.accountId })
    grant.addOIDCScope('openid')
    await grant.save()
    return grant
  }
  const parts = providerOf(secondFactor, issuer, { clients: [accountClient(issuer)], loadExistingGrant })
  const pages = loginPage(parts.provider, ({ user, password }) => (password === 'right' ? user : undefined))
  pages.use(myFactors(parts.steps, secondFactor, issuer))
  server.on('request', appOf(parts, pages))

  const browser = new Browser(issuer)
  const json = ({ text }) => JSON.parse(text)
  const headers = { 'content-type': 'application/x-www-form-urlencoded', 'sec-fetch-site': 'same-origin' }
  const post = (path, fields = {}) =>
    browser.go(path, { method: 'POST', headers, body: new URLSearchParams(fields).toString() })

  assert.match((await browser.go('/me')).text, /name="password"/)
  const page = browser.page
  assert.equal((await browser.post({ user: 'ann', password: 'wrong' }, { at: 'login' })).status, 401)
  browser.page = page
  assert.deepEqual(json(await browser.post({ user: 'ann', password: 'right' }, { at: 'login' })).methods, [])
  assert.equal((await browser.ask('/interaction/none')).status, 400, 'by the error handler')

  const { setup, secret } = json(await post('/me/app'))
  const { backupCodes, set } = json(await post('/me/confirm', { setup, code: codeOf(secret) }))
  assert.equal(backupCodes.length, 10)
  assert.equal(json(await post('/me/saved', { set })).result, 'confirmed')
  wait(400)
  assert.equal(json(await post('/me/codes')).step, 'challenge')
  await browser.post({ action: 'verify', method: 'totp', code: codeOf(secret) })
  assert.equal(json(await post('/me/codes')).codes.length, 10)
})
