// The decisions of tests/vectors/policy.json through a real Envoy, with the facts that a gate knows. It
// knows no record: where proof is always needed, everyone counts as enrolled; where the policy decides,
// everyone counts as not enrolled. A gate never sees a recovery code.
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { ORIGIN, onEach, passed, policyWith, refused } from './support.mjs'

const table = JSON.parse(readFileSync(new URL('../vectors/policy.json', import.meta.url), 'utf8'))
const ENROLLMENT = { always: 'usable', as_policy: 'none' }

function onlyRow(rows, facts) {
  const hits = rows.filter((row) =>
    Object.entries(facts).every(([key, value]) =>
      Array.isArray(row[key]) ? row[key].includes(value) : row[key] === value,
    ),
  )
  assert.equal(hits.length, 1, JSON.stringify(facts))
  return hits[0]
}

const listeners = {}
for (const [require, requireDocument] of Object.entries(table.require)) {
  for (const [network, networkDocument] of Object.entries(table.network)) {
    for (const proof of Object.keys(ENROLLMENT)) {
      listeners[`${require} ${network} ${proof}`] = {
        hops: 1,
        config: {
          policy: policyWith({ require: requireDocument, network: networkDocument }),
          proof,
          debug: true,
          clientAddress: { trustedHops: 1 },
          apiPaths: { prefixes: ['/api/'] },
          challenge: { page: `${ORIGIN}/login`, returnTo: 'https://app.acme.example' },
        },
      }
    }
  }
}

await onEach({ listeners }, (gate, test) => {
  test('each decision of the gate, and its explanation, is that of the table', async () => {
    let count = 0
    for (const require of Object.keys(table.require)) {
      for (const network of Object.keys(table.network)) {
        for (const [from, ip] of Object.entries(table.from)) {
          const { forced } = onlyRow(table.forced, { require, from })
          const address = onlyRow(table.addresses, { require, network, from })
          for (const [proof, enrollment] of Object.entries(ENROLLMENT)) {
            for (const channel of ['web', 'api']) {
              count += 1
              let expected = { decision: { outcome: 'denied', reason: address.denied }, rules: address.rules }
              if (address.denied === undefined) {
                const { outcome, reason, rules } = onlyRow(table.logins, {
                  channel,
                  forced,
                  enrollment,
                  recoveryCode: false,
                  allowRule: address.allowRule,
                })
                expected = {
                  decision: { outcome, ...(reason && { reason }) },
                  rules: [...address.rules, table.forcedRules[forced], ...rules],
                }
              }
              const answer = await gate.visit({
                listener: `${require} ${network} ${proof}`,
                path: channel === 'api' ? '/api/x' : '/x',
                headers: ip === null ? [] : [['x-forwarded-for', ip]],
              })
              const { outcome, reason } = expected.decision
              const explanation = { explanation: expected }
              if (outcome === 'allowed') assert.deepEqual(passed(answer).identity, {})
              else if (address.denied !== undefined || reason === 'api_client_blocked')
                refused(answer, 403, reason, explanation)
              // Nobody can enroll at the gate, so a user who must have a factor is asked for it.
              else refused(answer, 401, 'no_pass', explanation)
            }
          }
        }
      }
    }
    assert.equal(count, 288)
  })
})
