// T45: a policy that is narrowed locks nobody out unseen. For every narrowing and every kind of user, the review, the status
// and the login say the same.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createSecondFactor } from 'countersign'
import { host, rules, withApp, withPhone } from './support.mjs'

const HERE = '198.51.100.7'

const NARROWINGS = {
  'no change': {},
  'no SMS': { methods: ['totp', 'backup_code', 'recovery_code'] },
  'no app': { methods: ['sms', 'backup_code', 'recovery_code'] },
  'no backup codes': { methods: ['totp', 'sms', 'recovery_code'] },
  'no recovery codes': { methods: ['totp', 'sms', 'backup_code'] },
  'the app alone': { methods: ['totp'] },
  nothing: { methods: [] },
  'other numbers': { sms: { prefixes: ['+1'] } },
  'an exception for the number': { sms: { except: ['+6141'] } },
  'everyone forced': { require: 'everyone' },
  'forced and the app alone': { require: 'everyone', methods: ['totp'] },
  'forced from here': { require: { networks: ['198.51.100.0/24'] } },
  'forced from elsewhere': { require: { networks: ['203.0.113.0/24'] } },
  'forced outside of here': { require: { outside: ['198.51.100.0/24'] } },
  'forced for a role': { require: { roles: ['admin'] } },
  'only from here': { network: { allow: ['198.51.100.0/24'] } },
  'only from elsewhere': { network: { allow: ['203.0.113.0/24'] } },
  'not from here': { network: { deny: ['198.51.100.7'] } },
  'other plans': { plans: ['gold'] },
  'other plans, forced': { plans: ['gold'], require: 'everyone' },
}

test('C5, T45: review, status and login agree for every narrowing and every kind of user', async (t) => {
  const at = await host()
  const app = await withApp(at, 'app')
  const both = await withApp(at, 'both')
  await withPhone(at, both)
  // A phone and no app: set up with an app, which is removed again.
  const { setup } = await at.factor.enrollSms({ user: 'phone', session: 's', number: '+61412345679' })
  const code = at.sms.lastCode()
  assert.equal((await at.factor.confirmSms({ user: 'phone', session: 's', setup, code })).result, 'enrolled')
  assert.ok(app.secret)
  const people = ['app', 'both', 'phone', 'nobody'].flatMap((user) => [
    { user, roles: [] },
    { user, roles: ['admin'] },
  ])
  const seen = new Set()
  for (const [name, changes] of Object.entries(NARROWINGS)) {
    await t.test(name, async () => {
      const policy = rules(changes)
      const narrowed = createSecondFactor({ ...at.options, policy, hashing: 'inline' })
      for (const { user, roles } of people) {
        const what = `${user}, ${roles}`
        const { enrollment, methods } = await narrowed.status({ user })
        const begun = await narrowed.begin({ user, session: 'b', ip: HERE, roles, plan: 'free' })
        const review = await at.factor.reviewPolicy({
          policy,
          author: { user: 'owner' },
          users: [
            { user: 'owner', role: 'owner', enrollment: 'usable' },
            { user, role: 'member', ip: HERE, roles },
          ],
        })
        const isTurnedAway = /^address_/.test(begun.reason ?? '')
        assert.equal(review.blockedUsers.includes(user), isTurnedAway, `${what}: the address`)
        seen.add(begun.reason ?? begun.result)
        if (isTurnedAway) continue
        const needsCode = begun.reason === 'no_usable_method' || begun.reason === 'enrollment_required'
        assert.equal(review.needRecoveryCode.includes(user), needsCode, `${what}: ${JSON.stringify(begun)}`)
        assert.equal(begun.result === 'challenge', enrollment === 'usable', `${what}: ${enrollment}`)
        assert.equal(begun.reason === 'no_usable_method', enrollment === 'unusable', `${what}: ${enrollment}`)
        if (begun.result !== 'challenge') continue
        const usable = methods.filter((factor) => factor.usable).map(({ method }) => method)
        const offered = begun.methods.map(({ method }) => method).filter((method) => method !== 'backup_code')
        assert.deepEqual(offered, usable, what)
      }
    })
  }
  assert.deepEqual([...seen].sort(), [
    'address_denied',
    'address_not_allowed',
    'allowed',
    'challenge',
    'enrollment_required',
    'no_usable_method',
  ])
})
