// The users whom a change of policy would lock out, before it is made (T38, S12).
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { policy } from 'countersign'
import { host, refusedWith, rules, withApp } from './support.mjs'

const OFFICE = '198.51.100.7'
const AWAY = '192.0.2.44'
const user = (user, role, enrollment, ip) => ({ user, role, enrollment, ...(ip && { ip }) })
const people = (changes = {}) => ({
  author: 'ann',
  authorIp: OFFICE,
  users: [
    user('ann', 'owner', 'usable', OFFICE),
    user('bob', 'member', 'none', OFFICE),
    user('cy', 'member', 'unusable', AWAY),
  ],
  apiClients: [],
  ...changes,
})
const nothing = {
  needRecoveryCode: [],
  blockedUsers: [],
  blockedApiClients: [],
  locksOutAuthor: false,
  locksOutOwners: false,
  noRescue: false,
  refused: false,
}
const officeOnly = { allow: ['198.51.100.0/24'] }

/** @type {[string, any, any, any][]} */
const cases = [
  ['nothing is forced', {}, {}, { needRecoveryCode: ['cy'] }],
  [
    'everyone is forced, and users without a factor need a recovery code',
    { require: 'everyone' },
    {},
    { needRecoveryCode: ['bob', 'cy'] },
  ],
  [
    'an author without a factor locks themselves out',
    { require: 'everyone' },
    { author: 'bob' },
    { needRecoveryCode: ['bob', 'cy'], locksOutAuthor: true, refused: true },
  ],
  [
    'no owner has a factor',
    { require: 'everyone' },
    { author: 'bob', users: [user('ann', 'owner', 'none'), user('bob', 'owner', 'none')] },
    { needRecoveryCode: ['ann', 'bob'], locksOutAuthor: true, locksOutOwners: true, noRescue: true, refused: true },
  ],
  [
    'one owner with a factor is enough for the owners, not for the author',
    { require: 'everyone' },
    { author: 'bob', users: [user('ann', 'owner', 'usable'), user('bob', 'owner', 'none')] },
    { needRecoveryCode: ['bob'], locksOutAuthor: true, refused: true },
  ],
  [
    'an author outside the allow list',
    { network: officeOnly },
    { authorIp: AWAY, users: [...people().users, user('dee', 'owner', 'usable', OFFICE)] },
    { needRecoveryCode: ['cy'], blockedUsers: ['cy'], locksOutAuthor: true, refused: true },
  ],
  ['an author inside it', { network: officeOnly }, {}, { needRecoveryCode: ['cy'], blockedUsers: ['cy'] }],
  [
    'an author on the deny list',
    { network: { deny: ['198.51.100.7'] } },
    { users: [user('ann', 'owner', 'usable'), user('dee', 'owner', 'usable', AWAY)] },
    { locksOutAuthor: true, refused: true },
  ],
  [
    'an author from an unknown address, where addresses matter',
    { network: officeOnly },
    { authorIp: undefined, users: [user('ann', 'owner', 'usable', OFFICE)] },
    { locksOutAuthor: true, refused: true },
  ],
  [
    'users who need a recovery code get none where the policy offers none',
    { require: 'everyone', methods: ['totp'] },
    {},
    { needRecoveryCode: ['bob', 'cy'], noRescue: true, refused: true },
  ],
  [
    'an author who is none of the users',
    {},
    { author: 'zoe', users: [user('ann', 'owner', 'usable')] },
    { locksOutAuthor: true, refused: true },
  ],
]

for (const [name, changes, whom, expected] of cases) {
  test(`T38: ${name}`, () => {
    assert.deepEqual(policy.review(rules(changes), people(whom)), { ...nothing, ...expected })
  })
}

test('S12: API clients without an allow rule are blocked, and the rule that helps is named', () => {
  const apiClients = [
    { id: 'build', ip: '203.0.113.9' },
    { id: 'six', ip: '2001:db8::7' },
    { id: 'nowhere' },
    { id: 'garbled', ip: '010.0.0.1' },
  ]
  const of = (changes) =>
    policy.review(rules(changes), people({ apiClients, users: [user('ann', 'owner', 'usable', OFFICE)] }))
  assert.deepEqual(of({}), nothing, 'without a forced factor no client is blocked')
  const blocked = of({ require: 'everyone' })
  assert.deepEqual(
    blocked.blockedApiClients.map(({ id, reason, rule }) => [id, reason, rule ?? null]),
    [
      ['build', 'api_client_blocked', '203.0.113.9/32'],
      ['six', 'api_client_blocked', '2001:db8::7/128'],
      ['nowhere', 'api_client_blocked', null],
      ['garbled', 'api_client_blocked', null],
    ],
  )
  assert.equal(blocked.refused, false, 'it is a warning, not a refusal')
  // The proposed rule does help.
  const rule = blocked.blockedApiClients[0].rule
  const next = rules({ require: 'everyone', network: { allow: [rule, '198.51.100.0/24'] } })
  assert.deepEqual(
    policy.review(next, people({ apiClients: [apiClients[0]], users: [user('ann', 'owner', 'usable', OFFICE)] })),
    nothing,
  )
  // No allow rule helps an address on the deny list.
  const denied = of({ require: 'everyone', network: { deny: ['203.0.113.0/24'] } }).blockedApiClients[0]
  assert.deepEqual([denied.reason, denied.rule ?? null], ['address_denied', null])
})

test('S10: forced from some networks', () => {
  const next = rules({ require: { networks: ['198.51.100.0/24'] } })
  const review = policy.review(
    next,
    people({
      apiClients: [
        { id: 'inside', ip: OFFICE },
        { id: 'outside', ip: AWAY },
      ],
    }),
  )
  assert.deepEqual(
    review.blockedApiClients.map(({ id }) => id),
    ['inside'],
  )
  assert.ok(
    review.needRecoveryCode.includes('bob') &&
      review.needRecoveryCode.includes('cy') &&
      !review.needRecoveryCode.includes('ann'),
  )
  assert.equal(review.refused, false)
})

test('reviewPolicy looks up the enrollment of each user, and changes nothing', async () => {
  const at = await host()
  await withApp(at)
  const writes = []
  at.store.save = async (...args) => (writes.push(args), true)
  const users = [
    { user: 'ann', role: 'owner' },
    { user: 'bob', role: 'member' },
  ]
  const ask = (changes, author = 'ann') =>
    at.factor.reviewPolicy({ policy: rules(changes), author: { user: author }, users })
  assert.deepEqual(await ask({ require: 'everyone' }), { ...nothing, needRecoveryCode: ['bob'] })
  assert.deepEqual(await ask({ require: 'everyone' }, 'bob'), {
    ...nothing,
    needRecoveryCode: ['bob'],
    locksOutAuthor: true,
    refused: true,
  })
  const withoutApp = await ask({ methods: ['recovery_code'] })
  assert.deepEqual(
    withoutApp,
    {
      ...nothing,
      needRecoveryCode: ['ann'],
      locksOutAuthor: true,
      locksOutOwners: true,
      noRescue: true,
      refused: true,
    },
    'the factor is not offered any more',
  )
  assert.deepEqual(writes, [])
  await assert.rejects(
    at.factor.reviewPolicy({ policy: { v: 1 }, author: { user: 'ann' }, users }),
    refusedWith('invalid_policy'),
  )
})
