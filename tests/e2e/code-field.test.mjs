// The field for a code is drawn from the reply, for any length that a policy may ask for.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { messages } from '../../examples/login/messages/index.js'
import { loginPages } from '../../examples/login/pages/login.js'
import { setUpPages } from '../../examples/login/pages/set-up.js'

const context = (more = {}) => ({
  now: 1_800_000_000,
  input: {},
  typed: {},
  told: undefined,
  language: 'en',
  words: messages.en,
  address: '/',
  path: '/',
  principal: { email: 'ann@acme.example', role: 'member' },
  account: { name: 'Acme' },
  session: { proof: 'password', formToken: 't', pending: { challenge: {} } },
  ...more,
})
const wrong = { result: 'wrong', method: 'totp' }
const started = {
  result: 'totp_started',
  qrSvg: '<svg/>',
  uri: 'otpauth://totp/x',
  secret: 'AAAA',
  expiresAt: 1_800_001_800,
}

for (const [digits, word] of /** @type {const} */ ([
  [6, 'six'],
  [7, 'seven'],
  [8, 'eight'],
])) {
  test(`the second step asks for ${word} digits where the challenge says so`, () => {
    const methods = [{ method: 'totp', kind: 'digits', digits }]
    const { body: page } = loginPages.secondStepForm({ result: 'challenge', methods, trustDays: 30 }, context())
    assert.match(String(page), new RegExp(`data-digits="${digits}"`))
    assert.match(String(page), new RegExp(`type the ${word} digits`))
    assert.match(String(page), /aria-describedby="code-after"/, 'P15: the field says that it sends itself')
  })

  test(`a set-up asks for ${word} digits, also after a wrong code`, () => {
    for (const told of [undefined, wrong]) {
      const { body: page } = setUpPages.totpSetUp({ ...started, digits }, context({ told }))
      assert.match(String(page), new RegExp(`data-digits="${digits}"`))
    }
  })
}
