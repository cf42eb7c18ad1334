// Rules about roles in every call, one policy for all accounts of a user, and the event of a change.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { policy } from 'countersign'
import { codeOf, host, login, refusedWith, rules, withApp } from './support.mjs'

const denied = (reason) => ({ result: 'denied', reason })

test('roles are a fact of each call that asks the policy', async () => {
  const at = await host({ policy: rules({ require: { roles: ['admin'] } }) })
  const bob = { user: 'bob', session: 's' }
  const of = (roles) => (roles === undefined ? {} : { roles })
  for (const [roles, isForced] of [
    [undefined, true],
    [['admin'], true],
    [['sales', 'admin'], true],
    [['sales'], false],
    [[], false],
  ]) {
    const what = JSON.stringify(roles)
    const begun = await at.factor.begin({ ...bob, ...of(roles) })
    assert.equal(begun.reason ?? begun.result, isForced ? 'enrollment_required' : 'allowed', what)
    const checked = await at.factor.check({ ...bob, ...of(roles) })
    assert.equal(checked.reason ?? checked.result, isForced ? 'enrollment_required' : 'in', what)
    const started = await at.factor.enrollTotp({ ...bob, ...of(roles), label: 'bob' })
    assert.equal(started.reason ?? started.result, isForced ? 'fresh_factor_required' : 'totp_started', what)
  }
  // The role is asked for at both ends of a set-up.
  const { secret, setup } = await at.factor.enrollTotp({ ...bob, roles: [], label: 'bob' })
  const code = codeOf(at, secret.replaceAll(' ', ''))
  assert.deepEqual(await at.factor.confirmTotp({ ...bob, setup, code }), denied('fresh_factor_required'))
  const again = await at.factor.enrollTotp({ ...bob, roles: [], label: 'bob' })
  const right = codeOf(at, again.secret.replaceAll(' ', ''))
  assert.equal((await at.factor.confirmTotp({ ...bob, roles: [], setup: again.setup, code: right })).result, 'enrolled')
})

test('an API client is admitted by its own list, and nobody else is concerned', async () => {
  const network = { allow: ['198.51.100.0/24'], api: ['192.0.2.10'] }
  const at = await host({ policy: rules({ require: 'everyone', network }) })
  const bot = { user: 'bot', session: 's', channel: 'api' }
  for (const ask of [at.factor.begin, at.factor.check]) {
    assert.match((await ask({ ...bot, ip: '192.0.2.10' })).result, /^(?:allowed|in)$/)
    assert.deepEqual(await ask({ ...bot, ip: '192.0.2.11' }), denied('address_not_allowed'))
    assert.deepEqual(await ask({ ...bot, channel: 'web', ip: '192.0.2.10' }), denied('address_not_allowed'))
    assert.deepEqual(await ask({ ...bot, channel: 'web', ip: '198.51.100.1' }), denied('enrollment_required'))
  }
})

test('a rule ends at its second by the clock of the service', async () => {
  const until = 1_900_000_000
  const at = await host({ policy: rules({ network: { deny: [{ network: '192.0.2.0/24', until }] } }) })
  const ask = () => at.factor.begin({ user: 'ann', session: 's', ip: '192.0.2.1' })
  at.clock.set(until - 1)
  assert.deepEqual(await ask(), denied('address_denied'))
  at.clock.set(until)
  assert.equal((await ask()).result, 'allowed')
})

test('policy.decide takes the time of this machine where none is given', () => {
  const soon = Math.floor(Date.now() / 1000) + 1_000
  const decide = (until) =>
    policy.decide(rules({ network: { deny: [{ network: '192.0.2.0/24', until }] } }), {
      ip: '192.0.2.1',
      enrollment: 'none',
    })
  assert.equal(decide(soon).decision.outcome, 'denied')
  assert.equal(decide(1_700_000_000).decision.outcome, 'allowed')
})

const accounts = {
  lax: rules({ passSeconds: 43_200, backupCodes: { count: 2 } }),
  strict: rules({ require: 'everyone', passSeconds: 600, methods: ['totp', 'recovery_code'] }),
  office: rules({ network: { allow: ['198.51.100.0/24'] } }),
}

/** A host whose users have one second factor for these accounts each. */
async function shared(accountsOf) {
  const asked = []
  const at = await host({
    policy: (question) => {
      asked.push(question)
      return accountsOf[question.user].map((name) => accounts[name])
    },
  })
  return { ...at, asked }
}

test('a user with one factor for many accounts gets in only where all let in', async () => {
  const at = await shared({
    ann: ['lax'],
    bob: ['lax', 'strict'],
    cy: ['lax', 'office'],
    dee: ['lax', 'strict', 'office'],
  })
  const begin = async (user, ip) => {
    const reply = await at.factor.begin({ user, session: 's', ip })
    return reply.reason ?? reply.result
  }
  assert.equal(await begin('ann'), 'allowed')
  assert.equal(await begin('bob'), 'enrollment_required')
  assert.equal(await begin('cy'), 'address_unknown')
  assert.equal(await begin('cy', '192.0.2.1'), 'address_not_allowed')
  assert.equal(await begin('cy', '198.51.100.1'), 'allowed')
  assert.equal(await begin('dee', '198.51.100.1'), 'enrollment_required')
  assert.equal(await begin('dee', '192.0.2.1'), 'address_not_allowed')
  assert.deepEqual(at.asked[0], { account: undefined, user: 'ann' })
})

test('the shortest lifetime and the methods of all hold, for a ticket too, which names the user', async () => {
  const accountsOf = { ann: ['lax'] }
  const at = await shared(accountsOf)
  const ann = await withApp(at)
  const before = await login(at, ann)
  assert.equal(before.expiresAt - at.clock(), 43_200 - 60)
  accountsOf.ann = ['lax', 'strict']
  const { ticket, methods } = await at.factor.begin({ user: 'ann', session: 'before' })
  assert.deepEqual(
    methods.map(({ method }) => method),
    ['totp'],
    'backup codes are not offered by both',
  )
  const backup = { ticket, session: 'before', method: 'backup_code', code: ann.backupCodes[0] }
  assert.deepEqual(await at.factor.verify(backup), denied('method_not_offered'))
  const done = await at.factor.verify({ ticket, session: 'before', method: 'totp', code: codeOf(at, ann.secret) })
  assert.equal(done.expiresAt - at.clock(), 600)
})

test('owners issue no recovery codes for a user of many accounts', async () => {
  const at = await shared({ ann: ['lax'], bob: ['lax', 'strict'] })
  const { pass } = await login(at, await withApp(at))
  const by = { user: 'ann', session: 'in', pass, role: 'owner' }
  assert.deepEqual(await at.factor.issueRecoveryCode({ user: 'bob', by }), denied('operator_only'))
  const alone = await host({ policy: async () => accounts.lax, store: at.store, keys: at.keys, clock: at.clock })
  assert.equal((await alone.factor.issueRecoveryCode({ user: 'bob', by })).result, 'recovery_code')
})

test('policies of many accounts are refused where they cannot be one', async () => {
  const ask = async (answer) => {
    const at = await host({ policy: () => answer })
    return at.factor.begin({ user: 'ann', session: 's' })
  }
  await assert.rejects(ask([]), refusedWith('invalid_policy', 'policy'))
  await assert.rejects(
    ask([rules(), rules({ origin: 'https://other.example' })]),
    refusedWith('invalid_policy', '[1].origin'),
  )
  await assert.rejects(ask([rules(), rules({ audience: 'x' })]), refusedWith('invalid_policy', '[1].audience'))
  await assert.rejects(
    ask([rules(), rules({ network: { deny: ['x'] } })]),
    refusedWith('invalid_policy', '[1].network.deny[0]'),
  )
  await assert.rejects(ask([rules(), 7]), refusedWith('invalid_policy', '[1]'))
  await assert.rejects(ask([rules(), [rules()]]), refusedWith('invalid_policy'))
  assert.equal(
    (await ask([JSON.stringify(rules()), rules({ audience: 'https://login.acme.example' })])).result,
    'allowed',
  )
  const list = /** @type {any} */ ([rules()])
  await assert.rejects(host({ policy: list }), refusedWith('invalid_policy', 'policy'))
})

test('the error about an answer of the policy function says what it gave', async () => {
  const cause = new Error('down')
  /** @type {[any, string, any?][]} */
  const table = [
    [() => Promise.reject(cause), '`policy`: the function threw; `cause` has its error', cause],
    [() => undefined, '`policy`: the function gave undefined: must be an object or JSON text'],
    [() => true, '`policy`: the function gave a boolean: must be an object or JSON text'],
    [() => [], '`policy`: the function gave an empty list: give the policy of at least one account'],
    [() => '{', '`policy`: the function gave text: not valid JSON at line 1, column 1'],
    [() => rules({ v: 2 }), '`v`: the version of the policy must be 1; the function gave this'],
    [() => [rules(), rules({ v: 2 })], '`[1].v`: the version of the policy must be 1; the function gave this'],
  ]
  for (const [answer, message, cause] of table) {
    const at = await host({ policy: answer })
    await assert.rejects(at.factor.begin({ user: 'ann', session: 's' }), (/** @type {any} */ error) => {
      const path = /^`(.*)`:/.exec(message)?.[1]
      refusedWith('invalid_policy', path)(error)
      assert.deepEqual([error.message, error.cause], [message, cause])
      return true
    })
  }
  const misspelt = await host({ policy: () => rules({ nam: 1 }) })
  // The fields are those of a policy, and not those of `begin`.
  const ofPolicy = /^`nam`: unknown field, expected one of `v`, `name`, .*; the function gave this$/
  await assert.rejects(misspelt.factor.begin({ user: 'ann', session: 's' }), {
    code: 'invalid_policy',
    message: ofPolicy,
  })
})

test('an unknown word in `require` is refused with all forms that are known', () => {
  const message =
    '`require`: expected one of `optional`, `everyone`, or an object with `networks`, `outside` or `roles`'
  for (const require of ['admins', 7, null, ['everyone']]) {
    assert.throws(() => policy.parse(rules({ require })), { code: 'invalid_policy', path: 'require', message })
  }
})

test('P4: a change of policy is an event: who, when, from where, and from what to what', async () => {
  const at = await host()
  const before = rules({ network: { allow: ['203.0.113.0/24'] } })
  const after = rules({ require: 'everyone', passSeconds: 600, network: { allow: ['203.0.113.0/24', '192.0.2.1'] } })
  const event = await at.factor.policyChanged({ by: 'ann', ip: '::ffff:192.0.2.1', before, after })
  assert.deepEqual(event, {
    v: 1,
    user: 'ann',
    at: at.clock(),
    ip: '192.0.2.1',
    event: 'policy_changed',
    before: event.before,
    after: event.after,
    changes: [
      { path: 'require', from: 'optional', to: 'everyone' },
      { path: 'network.allow', added: ['192.0.2.1'] },
      { path: 'passSeconds', from: 43_200, to: 600 },
    ],
  })
  assert.match(event.before, /^[\w-]{43}$/)
  assert.notEqual(event.before, event.after)
  assert.deepEqual(at.events, [event])
  const inAccount = await at.factor.policyChanged({ account: 'acme', by: 'ann', before, after })
  assert.deepEqual([inAccount.account, inAccount.user], ['acme', 'ann'])
  const same = await at.factor.policyChanged({ by: 'ann', before: JSON.stringify(after, null, 2), after })
  assert.deepEqual([same.changes, same.before], [[], event.after])
  const wrong = { by: 'ann', before, after: { ...after, passSeconds: 1 } }
  await assert.rejects(at.factor.policyChanged(wrong), refusedWith('invalid_policy', 'after.passSeconds'))
  await assert.rejects(at.factor.policyChanged({ by: '', before, after }), refusedWith('invalid_input', 'by'))
})
