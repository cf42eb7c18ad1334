// The field for a code is drawn from the reply, for any length that a policy may ask for.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { loginPages } from '../../examples/login/pages/login.js'
import { securityPages } from '../../examples/login/pages/security.js'

const context = (more) => ({
  now: 1_800_000_000,
  input: {},
  principal: { email: 'ann@acme.example', role: 'member' },
  account: { name: 'Acme' },
  session: { secret: 's', csrf: 't', challenge: { methods: [] } },
  ...more,
})

for (const [digits, word] of /** @type {const} */ ([
  [6, 'six'],
  [7, 'seven'],
  [8, 'eight'],
])) {
  test(`the second step asks for ${word} digits where the challenge says so`, () => {
    const methods = [{ method: 'totp', kind: 'digits', digits }]
    const session = { challenge: { methods } }
    const { body: page } = loginPages.secondStepForm({ result: 'challenge', methods }, context({ session }))
    assert.match(String(page), new RegExp(`data-digits="${digits}"`))
    assert.match(String(page), new RegExp(`type the ${word} digits`))
  })

  test(`a set-up asks for ${word} digits, also after a wrong code`, () => {
    const wrong = { result: 'wrong' }
    const input = { code: '1', digits: String(digits) }
    const { body: page } = securityPages.confirmTotp(wrong, context({ input }))
    assert.match(String(page), new RegExp(`data-digits="${digits}"`))
    assert.match(String(page), new RegExp(`name="digits" value="${digits}"`))
  })
}
