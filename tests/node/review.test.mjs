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
  setUpByPassword: [],
  blockedUsers: [],
  blockedApiClients: [],
  forgottenFamilies: [],
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
    'T38, T45: those who never had a factor set one up by password, where their plan may',
    { require: 'everyone', firstFactor: 'password', plans: ['pro'] },
    {
      users: [
        user('ann', 'owner', 'usable', OFFICE),
        { ...user('bob', 'member', 'never'), plan: 'pro' },
        { ...user('cy', 'member', 'never'), plan: 'free' },
        user('dan', 'member', 'never'),
      ],
    },
    { setUpByPassword: ['bob'], needRecoveryCode: ['cy', 'dan'] },
  ],
  [
    'T38, T45: an owner whose plan may set up nothing is not let in by password',
    { require: 'everyone', firstFactor: 'password', plans: ['pro'] },
    { users: [{ ...user('ann', 'owner', 'never', OFFICE), plan: 'free' }] },
    { needRecoveryCode: ['ann'], locksOutAuthor: true, locksOutOwners: true, noRescue: true, refused: true },
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

test('S12: API clients that no rule admits are blocked, and the rule that helps is named', () => {
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
  const next = rules({ require: 'everyone', network: { api: [rule] } })
  assert.deepEqual(
    policy.review(next, people({ apiClients: [apiClients[0]], users: [user('ann', 'owner', 'usable', OFFICE)] })),
    nothing,
  )
  // No rule helps an address on the deny list.
  const denied = of({ require: 'everyone', network: { deny: ['203.0.113.0/24'] } }).blockedApiClients[0]
  assert.deepEqual([denied.reason, denied.rule ?? null], ['address_denied', null])
})

test('P9: the rule that the review names admits the API client, and changes nothing for anybody else', () => {
  const apiClients = [{ id: 'reports', ip: '203.0.113.9' }]
  const whom = people({
    apiClients,
    users: [user('ann', 'owner', 'usable', OFFICE), user('bob', 'member', 'usable', AWAY)],
  })
  const blocked = policy.review(rules({ require: 'everyone' }), whom)
  const { rule } = blocked.blockedApiClients[0]
  assert.equal(rule, '203.0.113.9/32')
  const review = policy.review(rules({ require: 'everyone', network: { api: [rule] } }), whom)
  assert.deepEqual(review, nothing)
  const fenced = { allow: ['198.51.100.0/24', '192.0.2.0/24'] }
  const outside = policy.review(rules({ network: fenced }), whom).blockedApiClients[0]
  assert.deepEqual([outside.reason, outside.rule], ['address_not_allowed', '203.0.113.9/32'])
  assert.deepEqual(policy.review(rules({ network: { ...fenced, api: [rule] } }), whom), nothing)
})

test('a forgotten family of addresses is named, and no other list', () => {
  const four = ['0.0.0.0/0']
  const six = ['::/0']
  const dated = (network) => [{ network, until: 1_800_000_000 }]
  const halves = ['0.0.0.0/1', '128.0.0.0/1']
  /** @type {[object, [string, string][]][]} */
  const table = [
    [{ network: { allow: four } }, [['network.allow', 'ipv6']]],
    [{ network: { allow: six } }, [['network.allow', 'ipv4']]],
    [{ network: { allow: halves } }, [['network.allow', 'ipv6']]],
    [{ network: { allow: [...four, ...six] } }, []],
    [{ network: { allow: [...four, '2001:db8::/32'] } }, []],
    [{ network: { allow: ['203.0.113.0/24'] } }, []],
    [{ network: { allow: [...dated('0.0.0.0/0'), '203.0.113.0/24'] } }, []],
    [{ network: { deny: four } }, [['network.deny', 'ipv6']]],
    [{ network: { api: four } }, [['network.api', 'ipv6']]],
    [{ require: { networks: four } }, [['require.networks', 'ipv6']]],
    [{ require: { outside: six } }, [['require.outside', 'ipv4']]],
    [
      { network: { allow: four, api: six } },
      [
        ['network.allow', 'ipv6'],
        ['network.api', 'ipv4'],
      ],
    ],
  ]
  for (const [changes, expected] of table) {
    const { forgottenFamilies } = policy.review(rules(changes), people({ time: 1_800_000_000 }))
    assert.deepEqual(
      forgottenFamilies.map(({ list, family }) => [list, family]),
      expected,
      JSON.stringify(changes),
    )
  }
})

test('users whom a role forces need a recovery code, and those whose roles are not known', () => {
  const users = [
    { ...user('ann', 'owner', 'usable'), roles: ['admin'] },
    { ...user('bob', 'member', 'none'), roles: ['admin', 'sales'] },
    { ...user('cy', 'member', 'none'), roles: ['sales'] },
    { ...user('dee', 'member', 'none'), roles: [] },
    user('eve', 'member', 'none'),
  ]
  const apiClients = [{ id: 'known', roles: ['sales'] }, { id: 'admin', roles: ['admin'] }, { id: 'unknown' }]
  const review = policy.review(rules({ require: { roles: ['admin'] } }), people({ users, apiClients }))
  assert.deepEqual(review.needRecoveryCode, ['bob', 'eve'])
  assert.deepEqual(
    review.blockedApiClients.map(({ id }) => id),
    ['admin', 'unknown'],
  )
})

test('a review is one of its time: a rule that has ended admits nobody', () => {
  const next = rules({ network: { allow: [{ network: '198.51.100.0/24', until: 1_800_000_000 }] } })
  assert.equal(policy.review(next, people({ time: 1_799_999_999 })).locksOutAuthor, false)
  assert.equal(policy.review(next, people({ time: 1_800_000_000 })).locksOutAuthor, true)
})

test('S10: forced outside of the office', () => {
  const users = [
    user('ann', 'owner', 'usable', OFFICE),
    user('bob', 'member', 'none', OFFICE),
    user('cy', 'member', 'none', AWAY),
    user('dee', 'member', 'none'),
  ]
  const review = policy.review(rules({ require: { outside: ['198.51.100.0/24'] } }), people({ users }))
  assert.deepEqual(review.needRecoveryCode, ['cy', 'dee'])
})

/** Users, of whom each tenth is an owner with a factor. */
const crowd = (count, enrollment = 'usable') =>
  Array.from({ length: count }, (_, n) => ({
    user: `u${n}`,
    role: n % 10 === 0 ? 'owner' : 'member',
    enrollment,
    ip: OFFICE,
  }))

/** The texts with the word `once` that are handed to the module from now on: each is a policy to compile. */
function countCompiled(t) {
  const encoded = []
  const { encodeInto } = TextEncoder.prototype
  /** @this {TextEncoder} */
  function counting(text, view) {
    if (text.includes('once')) encoded.push(text)
    return encodeInto.call(this, text, view)
  }
  t.mock.method(TextEncoder.prototype, 'encodeInto', counting)
  return encoded
}

test('T45 C5: an owner who would come in by a backup code alone issues no recovery code', () => {
  const users = [user('ann', 'owner', 'usable', OFFICE), user('bob', 'member', 'unusable', OFFICE)]
  const of = (methods) => policy.review(rules({ methods }), people({ users, apiClients: [] }))
  assert.deepEqual(of(['totp', 'backup_code', 'recovery_code']), { ...nothing, needRecoveryCode: ['bob'] })
  assert.deepEqual(of(['backup_code', 'recovery_code']), {
    ...nothing,
    needRecoveryCode: ['bob'],
    noRescue: true,
    refused: true,
  })
})

test('C22: a review compiles the policy once', async (t) => {
  const at = await host()
  const encoded = countCompiled(t)
  // Text that is not ASCII goes into the module by way of the encoder.
  const allow = [{ network: '198.51.100.0/24', note: 'é: once' }]
  const users = [
    ...crowd(500),
    ...crowd(500).map(({ enrollment, ...rest }) => ({ ...rest, user: `${rest.user}-stored` })),
  ]
  const review = await at.factor.reviewPolicy({
    policy: rules({ network: { allow } }),
    author: { user: 'u0', ip: OFFICE },
    users,
  })
  assert.deepEqual(review, nothing)
  assert.equal(encoded.length, 1)
})

test('C22: a review gives the event loop a turn after each 20 milliseconds of work', async (t) => {
  const at = await host()
  let time = 0
  let turns = 0
  t.mock.method(performance, 'now', () => time)
  const { setTimeout: real } = globalThis
  t.mock.method(globalThis, 'setTimeout', (job, ...more) => ((turns += 1), real(job, ...more)))
  /** Turns of the loop in a review of 640 users, in ten batches, where reading a user takes so many milliseconds. */
  const turnsWhere = async (milliseconds) => {
    turns = 0
    const slow = { enumerable: true, get: () => ((time += milliseconds), OFFICE) }
    const users = crowd(640).map((one) => Object.defineProperty(one, 'ip', slow))
    await at.factor.reviewPolicy({ policy: rules(), author: { user: 'u0', ip: OFFICE }, users })
    return turns
  }
  assert.equal(await turnsWhere(0), 0)
  assert.equal(await turnsWhere(10 / 64), 5, 'after each second batch')
  assert.equal(await turnsWhere(20 / 64), 10, 'after each batch')
})

test('C22: a review gives the event loop a turn within the compilation of a policy', async (t) => {
  const at = await host()
  let time = 0
  let turns = 0
  // Each part of the work takes longer than 20 milliseconds.
  t.mock.method(performance, 'now', () => (time += 21))
  const { setTimeout: real } = globalThis
  t.mock.method(globalThis, 'setTimeout', (job, ...more) => ((turns += 1), real(job, ...more)))
  const turnsWith = async (policies) => {
    turns = 0
    const ofEach = ({ user }) => policies[Number(user.slice(1)) % policies.length]
    await at.factor.reviewPolicy({ policy: ofEach, author: { user: 'u0', ip: OFFICE }, users: crowd(4) })
    return turns
  }
  const once = await turnsWith([rules()])
  const twice = await turnsWith([rules(), rules({ require: 'everyone' })])
  // Two users take turns under each, so there are three more batches than one.
  assert.equal(twice - once, 3 + 3, 'before it is read, before it is checked, and before it ends')
})

test('reviewPolicy takes the enrollment that is handed in, and loads the other records', async () => {
  const at = await host()
  await withApp(at)
  const loads = []
  const store = { ...at.store, load: (id) => (loads.push(id.user), at.store.load(id)), save: at.store.save }
  const { createSecondFactor } = await import('countersign')
  const factor = createSecondFactor({ ...at.options, store })
  const review = await factor.reviewPolicy({
    policy: rules({ require: 'everyone' }),
    author: { user: 'ann' },
    users: [
      { user: 'ann', role: 'owner' },
      { user: 'bob', role: 'member', enrollment: 'none' },
      { user: 'cy', role: 'member' },
    ],
  })
  assert.deepEqual(review, { ...nothing, needRecoveryCode: ['bob', 'cy'] })
  assert.deepEqual(loads, ['ann', 'cy'])
})

test('an error of a review has the path in the whole list', async () => {
  const at = await host()
  const ask = (changes) =>
    at.factor.reviewPolicy({ policy: rules(), author: { user: 'u0' }, users: crowd(200), ...changes })
  const with150 = (change) => crowd(200).map((one, index) => (index === 150 ? { ...one, ...change } : one))
  await assert.rejects(ask({ users: with150({ role: 'king' }) }), refusedWith('invalid_input', 'users[150].role'))
  await assert.rejects(ask({ users: with150({ role: 7 }) }), refusedWith('invalid_input', 'users[150].role'))
  await assert.rejects(ask({ users: with150({ roles: [''] }) }), refusedWith('invalid_input', 'users[150].roles'))
  await assert.rejects(ask({ users: with150({ other: 1 }) }), refusedWith('invalid_input', 'users[150].other'))
  const apiClients = Array.from({ length: 100 }, (_, n) => ({ id: `c${n}`, ...(n === 99 && { roles: [''] }) }))
  await assert.rejects(ask({ apiClients }), refusedWith('invalid_input', 'apiClients[99].roles'))
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

// One second factor for many accounts

/** A policy of one of the accounts. */
const account = (name, changes = {}) => rules({ name, ...changes })

test('a list is reviewed as the combination of its policies', () => {
  const users = [user('ann', 'owner', 'usable', OFFICE), user('bob', 'member', 'none', AWAY)]
  const whom = people({ users, apiClients: [{ id: 'build', ip: AWAY }] })
  const lenient = account('Lenient')
  const forced = account('Forced', { require: 'everyone' })
  const fenced = account('Fenced', { network: { allow: ['198.51.100.0/24', '0.0.0.0/0'] } })
  // Owners issue no recovery codes there, so nobody could rescue Bob.
  const rescue = { needRecoveryCode: ['bob'], noRescue: true, refused: true }
  const client = { blockedApiClients: [{ id: 'build', reason: 'api_client_blocked', rule: `${AWAY}/32` }] }
  assert.deepEqual(policy.review(lenient, whom), nothing)
  assert.deepEqual(policy.review([lenient], whom), nothing)
  assert.deepEqual(policy.review([lenient, lenient], whom), nothing)
  assert.deepEqual(policy.review(forced, whom), { ...nothing, ...client, needRecoveryCode: ['bob'] })
  assert.deepEqual(policy.review([forced], whom), { ...nothing, ...client, ...rescue })
  assert.deepEqual(policy.review([lenient, forced], whom), { ...nothing, ...client, ...rescue })
  assert.deepEqual(policy.review([lenient, fenced], whom), {
    ...nothing,
    forgottenFamilies: [{ list: '[1].network.allow', family: 'ipv6' }],
  })
  const office = account('Office', { network: officeOnly })
  const outside = { reason: 'address_not_allowed', rule: `${AWAY}/32` }
  assert.deepEqual(policy.review([forced, office], whom), {
    ...nothing,
    ...rescue,
    blockedUsers: ['bob'],
    blockedApiClients: [{ id: 'build', ...outside }],
  })
})

test('a list is refused where it makes no policy', () => {
  const other = rules({ origin: 'https://other.example' })
  assert.throws(() => policy.review([rules(), other], people()), refusedWith('invalid_policy', '[1].origin'))
  assert.throws(() => policy.review([rules(), { v: 1 }], people()), refusedWith('invalid_policy', '[1].name'))
  assert.throws(() => policy.review([], people()), refusedWith('invalid_policy', ''))
})

/** A host whose users have one second factor for several accounts. */
async function manyAccounts() {
  const accounts = { red: account('Red'), blue: account('Blue') }
  const members = { ann: ['red', 'blue'], bob: ['red'], cy: ['blue'], dee: ['blue', 'red'] }
  const asked = []
  /** The policies of a user, with a draft of one account in the place of its policy. */
  const withDraft =
    (draft = {}) =>
    ({ user }) => {
      asked.push(user)
      return (members[user] ?? ['red']).map((name) => draft[name] ?? accounts[name])
    }
  const at = await host({ policy: withDraft() })
  return { at, withDraft, asked }
}

test('each user is reviewed under the combination of their own accounts', async () => {
  const { at, withDraft } = await manyAccounts()
  await withApp(at, 'ann')
  const users = [
    { user: 'ann', role: 'owner' },
    { user: 'bob', role: 'member' },
    { user: 'cy', role: 'member' },
    { user: 'dee', role: 'member' },
  ]
  const ask = (draft, changes = {}) =>
    at.factor.reviewPolicy({ policy: withDraft(draft), author: { user: 'ann' }, users, ...changes })
  assert.deepEqual(await ask({}), nothing)
  // Only those who are in the account are concerned, in the order in which they were given.
  assert.deepEqual(await ask({ red: account('Red', { require: 'everyone' }) }), {
    ...nothing,
    needRecoveryCode: ['bob', 'dee'],
    noRescue: true,
    refused: true,
  })
  assert.deepEqual((await ask({ blue: account('Blue', { require: 'everyone' }) })).needRecoveryCode, ['cy', 'dee'])
  // Ann's app is offered by one of her accounts only, so she can use it no more.
  const phones = await ask({ blue: account('Blue', { methods: ['recovery_code'] }) })
  assert.deepEqual(
    [phones.needRecoveryCode, phones.locksOutAuthor, phones.locksOutOwners, phones.noRescue],
    [['ann'], true, true, true],
  )
  const apiClients = [
    { id: 'cy', ip: AWAY },
    { id: 'bob', ip: AWAY },
  ]
  const forced = await ask({ blue: account('Blue', { require: 'everyone' }) }, { apiClients })
  assert.deepEqual(
    forced.blockedApiClients.map(({ id }) => id),
    ['cy'],
    'the policy is asked for an API client by its id',
  )
})

test('a list stands for users who all have the same accounts', async () => {
  const { at } = await manyAccounts()
  await withApp(at, 'ann')
  const users = [
    { user: 'ann', role: 'owner' },
    { user: 'bob', role: 'member' },
  ]
  const list = [account('Red'), account('Blue', { require: 'everyone' })]
  const review = await at.factor.reviewPolicy({ policy: list, author: { user: 'ann' }, users })
  assert.deepEqual(review, { ...nothing, needRecoveryCode: ['bob'], noRescue: true, refused: true })
})

test('one policy alone is refused where a user has several', async () => {
  const { at, asked } = await manyAccounts()
  const ask = (author, next = /** @type {any} */ (rules({ require: 'everyone' }))) =>
    at.factor.reviewPolicy({ policy: next, author: { user: author }, users: crowd(3) })
  await assert.rejects(ask('ann'), refusedWith('invalid_policy', 'policy'))
  await assert.rejects(ask('bob', JSON.stringify(rules())), refusedWith('invalid_policy', 'policy'))
  assert.deepEqual(asked, ['ann', 'bob'])
  // A host whose function gives one policy of the user's account has each reviewed alone.
  const single = await host({ policy: () => rules() })
  await single.factor.reviewPolicy({ policy: rules(), author: { user: 'u0' }, users: crowd(3) })
})

test('an owner of the same accounts rescues nobody, and one of a single account does', async () => {
  const at = await host({ policy: ({ user }) => (user === 'bob' ? rules() : [rules(), rules()]) })
  const users = [user('ann', 'owner', 'usable'), user('bob', 'member', 'none')]
  const ask = (next) => at.factor.reviewPolicy({ policy: next, author: { user: 'ann' }, users })
  const forced = rules({ require: 'everyone' })
  const alone = await ask(({ user }) => (user === 'bob' ? forced : [forced, forced]))
  assert.deepEqual(alone, { ...nothing, needRecoveryCode: ['bob'] }, 'Bob is under one policy, whose owners issue')
  const both = await ask(() => [forced, forced])
  assert.deepEqual(both, { ...nothing, needRecoveryCode: ['bob'], noRescue: true, refused: true })
})

test('a review has the form that the service gives: lists, or one policy', async () => {
  const { at, withDraft } = await manyAccounts()
  const users = [
    { user: 'ann', role: 'owner', enrollment: 'usable' },
    { user: 'bob', role: 'member', enrollment: 'none' },
  ]
  const ask = (where, next) => where.factor.reviewPolicy({ policy: next, author: { user: 'ann' }, users })
  /** Whether an error at `policy` says this and no other has been met. */
  const says = (message) => (error) => {
    refusedWith('invalid_policy', 'policy')(error)
    assert.equal(error.message, `\`policy\`: ${message}`)
    return true
  }
  const needsAll = 'give all policies of the user here too, as a list or by a function'
  const needsOne = 'give one policy here too, that of the account'
  await assert.rejects(
    ask(at, () => rules()),
    says(`the function gave one policy for \`author\`, where the service gives a list: ${needsAll}`),
  )
  await assert.rejects(
    ask(at, (asked) => (asked.user === 'bob' ? rules() : withDraft()(asked))),
    says(`the function gave one policy for \`users[1]\`, where the service gives a list: ${needsAll}`),
  )
  await assert.rejects(ask(at, rules()), says(`is one policy, where the service gives a list: ${needsAll}`))
  for (const single of [await host(), await host({ policy: () => rules() })]) {
    await assert.rejects(ask(single, [rules()]), says(`is a list, where the service gives one policy: ${needsOne}`))
    await assert.rejects(
      ask(single, () => [rules()]),
      says(`the function gave a list for \`author\`, where the service gives one policy: ${needsOne}`),
    )
    await assert.rejects(
      ask(single, ({ user }) => (user === 'bob' ? [rules()] : rules())),
      says(`the function gave a list for \`users[1]\`, where the service gives one policy: ${needsOne}`),
    )
    await ask(single, rules())
    await ask(single, () => rules())
  }
})

test('the service is asked again in a review only about users whose policies have another form than the author has', async () => {
  const asked = []
  const of = ({ user }) => (user === 'bob' ? rules() : [rules(), rules()])
  const at = await host({ policy: (question) => (asked.push(question.user), of(question)) })
  const users = ['ann', 'bob', 'cy', 'dee'].map((name) => user(name, 'owner', 'usable'))
  assert.deepEqual(await at.factor.reviewPolicy({ policy: of, author: { user: 'ann' }, users }), nothing)
  assert.deepEqual(asked, ['ann', 'bob'])
})

test('a function that throws, or gives no policy, fails the review', async () => {
  const at = await host()
  const ask = (policy) => at.factor.reviewPolicy({ policy, author: { user: 'u0' }, users: crowd(130) })
  const thrower = () => {
    throw new Error('down')
  }
  await assert.rejects(ask(thrower), refusedWith('invalid_policy', 'policy'))
  await assert.rejects(
    ask(async () => undefined),
    refusedWith('invalid_policy', 'policy'),
  )
  // The error of a later policy has the policy's path, and no place in the list of users.
  const late = ({ user }) => (user === 'u129' ? rules({ methods: ['totp', 'totp', 'pigeon'] }) : rules())
  await assert.rejects(ask(late), refusedWith('invalid_policy', 'methods[2]'))
  await assert.rejects(
    at.factor.reviewPolicy({
      policy: () => rules(),
      author: { user: 'u0' },
      users: [...crowd(129), { user: 'x', role: 'king' }],
    }),
    refusedWith('invalid_input', 'users[129].role'),
  )
})

test('the error about an answer of a policy function says what it gave and for whom', async () => {
  const at = await host()
  const cause = new Error('down: password=hunter2')
  const thrower = () => {
    throw cause
  }
  const revoked = Proxy.revocable([], {})
  revoked.revoke()
  /** @type {[any, RegExp, string?][]} */
  const table = [
    [thrower, /^the function threw for `WHO`; `cause` has its error$/],
    [() => Promise.reject(cause), /^the function threw for `WHO`; `cause` has its error$/],
    [() => undefined, /^the function gave undefined for `WHO`: must be an object or JSON text$/],
    [() => null, /^the function gave null for `WHO`: must be an object or JSON text$/],
    [() => 7, /^the function gave a number for `WHO`: must be an object or JSON text$/],
    [() => '', /^the function gave empty text for `WHO`: /],
    [() => '{"hunter2', /^the function gave text for `WHO`: /],
    [() => [], /^the function gave an empty list for `WHO`: give the policy of at least one account$/],
    [() => Array(1_001).fill(rules()), /^the function gave a list for `WHO`: is too long: at most 1,000 accounts$/],
    [() => ({ toJSON: thrower }), /^the function gave an object for `WHO`: cannot be written as JSON$/],
    [() => rules({ methods: ['pigeon'] }), /^expected one of .*; the function gave this for `WHO`$/, 'methods[0]'],
  ]
  const users = crowd(131)
  const apiClients = [{ id: 'c0' }, { id: 'c1' }]
  for (const [bad, pattern, path = 'policy'] of table) {
    for (const [culprit, who] of [
      ['zoe', 'author'],
      ['u129', 'users[129]'],
      ['c1', 'apiClients[1]'],
    ]) {
      const next = ({ user }) => (user === culprit ? bad() : rules())
      const author = { user: who === 'author' ? culprit : 'u0' }
      await assert.rejects(
        at.factor.reviewPolicy({ policy: next, author, users, apiClients }),
        (/** @type {any} */ error) => {
          refusedWith('invalid_policy', path)(error)
          const message = error.message.replace(`\`${path}\`: `, '').replaceAll(`\`${who}\``, '`WHO`')
          assert.match(message, pattern)
          assert.doesNotMatch(error.message, /hunter2|u129|zoe/)
          if (pattern.source.includes('threw')) assert.equal(error.cause, cause)
          return true
        },
      )
    }
  }
  const down = await host({ policy: thrower })
  await assert.rejects(down.factor.reviewPolicy({ policy: () => rules(), author: { user: 'u0' }, users }), {
    message: "`policy`: the service's function threw for `author`; `cause` has its error",
    cause,
  })
  await assert.rejects(
    at.factor.reviewPolicy({ policy: () => revoked.proxy, author: { user: 'u0' }, users }),
    refusedWith('invalid_policy', 'policy'),
  )
})

test('C22: a review of lists gives the event loop a turn within a batch', async (t) => {
  let time = 0
  let turns = 0
  /** Milliseconds that each call of a function and each reading of its answer take. */
  let asking = 0
  let reading = 0
  const first = { enumerable: true, get: () => ((time += reading), rules()) }
  const list = ({ user }) => {
    if (user !== 'u0') time += asking
    return user === 'u0' ? [rules(), rules()] : Object.defineProperty([undefined, rules()], 0, first)
  }
  const at = await host({ policy: () => [rules()] })
  t.mock.method(performance, 'now', () => time)
  const { setTimeout: real } = globalThis
  t.mock.method(globalThis, 'setTimeout', (job, ...more) => ((turns += 1), real(job, ...more)))
  const turnsWhere = async (milliseconds) => {
    ;[asking, reading] = milliseconds
    turns = 0
    const users = crowd(64).map((one, index) => ({ ...one, user: `u${index + 1}` }))
    await at.factor.reviewPolicy({ policy: list, author: { user: 'u0', ip: OFFICE }, users })
    return turns
  }
  assert.equal(await turnsWhere([0, 0]), 0)
  assert.equal(await turnsWhere([5, 0]), 16, 'after each fourth call of the function')
  assert.equal(await turnsWhere([0, 5]), 16, 'after each fourth answer')
  assert.equal(await turnsWhere([20, 20]), 128, 'after each call and each answer')
})

test('C22: fewer people are added at once where each is under many policies', async (t) => {
  const at = await host({ policy: () => [rules()] })
  const added = []
  const { stringify } = JSON
  t.mock.method(JSON, 'stringify', (value, ...more) => {
    if (Array.isArray(value?.users)) added.push(value.users.length)
    return stringify(value, ...more)
  })
  const addedUnder = async (accounts) => {
    added.length = 0
    const policy = Array(accounts).fill(rules())
    await at.factor.reviewPolicy({ policy, author: { user: 'u0', ip: OFFICE }, users: crowd(64) })
    return [...added]
  }
  assert.deepEqual(await addedUnder(1), [64])
  assert.deepEqual(await addedUnder(16), Array(16).fill(4))
  assert.deepEqual(await addedUnder(100), Array(64).fill(1))
})

test('a function that fails while a review pauses fails the review and nothing else', async (t) => {
  const at = await host()
  let time = 0
  t.mock.method(performance, 'now', () => (time += 20))
  const next = async ({ user }) => {
    if (user === 'u1') throw new Error('down')
    return rules()
  }
  // An unhandled rejection would fail this test.
  await assert.rejects(
    at.factor.reviewPolicy({ policy: next, author: { user: 'u0' }, users: crowd(10) }),
    refusedWith('invalid_policy', 'policy'),
  )
})

test('C22: a review compiles each combination once, whatever the order of users', async (t) => {
  const at = await host()
  const encoded = countCompiled(t)
  const noted = (name) => rules({ network: { allow: [{ network: '198.51.100.0/24', note: `é: once ${name}` }] } })
  const three = ['a', 'b', 'c'].map(noted)
  const review = await at.factor.reviewPolicy({
    policy: ({ user }) => three[Number(user.slice(1)) % 3],
    author: { user: 'u0', ip: OFFICE },
    users: crowd(300),
  })
  assert.deepEqual(review, nothing)
  assert.equal(encoded.length, 3)
})
