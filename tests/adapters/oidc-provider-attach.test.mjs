// A provider needs both `configure` and `attach`: where one is missing, it does not start, or answers nobody.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createSecondFactor, generateKeys, memoryStore } from 'countersign'
import { Browser, provider as house, listening, password, requestOf, title } from './oidc-provider-house.mjs'

const oidc = await import('oidc-provider')
const { oidcProviderSecondFactor } = await import('countersign/oidc-provider')

const issuer = 'http://localhost:3999'
const secondFactor = createSecondFactor({
  policy: { v: 1, name: 'Acme', origin: issuer },
  keys: generateKeys(),
  store: memoryStore(),
})
const clients = [
  { client_id: 'intranet', client_secret: 'secret of intranet', redirect_uris: ['http://localhost:4000/intranet'] },
]
const features = { devInteractions: { enabled: false } }
const made = (options = {}) => oidcProviderSecondFactor({ secondFactor, oidc, ...options })

test('a provider without the prompt is not attached', () => {
  const refused = (steps, provider) =>
    assert.throws(() => steps.attach(provider), { code: 'invalid_input', path: 'provider', message: /configure/ })
  refused(made(), new oidc.Provider(issuer, { clients, features }))

  const unused = made()
  unused.configure({ clients, features })
  refused(unused, new oidc.Provider(issuer, { clients, features }))

  const replaced = made()
  const policy = oidc.interactionPolicy.base()
  const interactions = { policy }
  refused(replaced, new oidc.Provider(issuer, { ...replaced.configure({ clients, features }), interactions }))

  const steps = made()
  const provider = new oidc.Provider(issuer, steps.configure({ clients, features }))
  assert.equal(steps.attach(provider), provider)
  refused(steps, new oidc.Provider(issuer, { clients, features }))
})

test('a provider that is not attached answers server_error, and tells its log why', async (t) => {
  const told = []
  const steps = made({ onError: (error) => told.push(error) })
  const { server, origin: at } = await listening(t)
  const provider = new oidc.Provider(at, steps.configure({ clients, features }))
  server.on('request', provider.callback())

  // The first request of somebody who has not logged in.
  const { url } = await requestOf(at, 'intranet', { scope: 'openid' })
  const page = await new Browser(at).go(url)
  assert.equal(page.status, 500)
  assert.match(page.text, /server_error/)
  assert.doesNotMatch(page.text, /attach/)
  assert.deepEqual(
    told.map(({ code, path }) => [code, path]),
    [['invalid_input', 'provider']],
  )
  assert.match(told[0].message, /attach\(provider\)/)
})

test('a setUp that the rules do not have is told to the log', async (t) => {
  const told = []
  t.mock.method(console, 'error', (error) => told.push(error))
  const op = await house(t, { setUp: ['sms'], policy: { methods: ['totp', 'backup_code'] } })
  const browser = op.browser()
  await browser.go((await op.request('payroll')).url)
  assert.equal(title(await password(browser)), 'Set up a second factor')
  assert.equal((await browser.post({ action: 'enroll_sms', number: '+61412345678' })).status, 403)
  assert.deepEqual(
    told.map(({ code, path }) => [code, path]),
    [['invalid_input', 'setUp']],
  )
})
