// The question of every request: address rules, then the pass, then the record.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createSecondFactor } from 'countersign'
import { codeOf, host, login, refusedWith, removeFirst, rules, ticketOf, withApp } from './support.mjs'

const INSIDE = '192.0.2.1'
const OUTSIDE = '198.51.100.1'

/** A store that counts how often it is asked, in front of another. */
function counted(store) {
  const counts = { loads: 0, saves: 0 }
  return {
    counts,
    load: (id) => ((counts.loads += 1), store.load(id)),
    save: (...args) => ((counts.saves += 1), store.save(...args)),
  }
}

/** Ann has an app and a pass that is 100 seconds old, of session `in`; Bob has nothing. */
async function office() {
  const at = await host()
  const ann = await withApp(at)
  const { pass, expiresAt } = await login(at, ann)
  const authTime = at.clock() - 60
  at.clock.set(authTime + 100)
  const store = counted(at.store)
  const under = (changes = {}) => createSecondFactor({ ...at.options, store, policy: rules(changes) })
  return { at, ann, pass, authTime, expiresAt, store, under }
}

const annIn = { user: 'ann', session: 'in' }
const bobIn = { user: 'bob', session: 'in' }
const allow = { network: { allow: ['192.0.2.0/24'] } }
const deny = { network: { deny: ['198.51.100.0/24'] } }
const secondStep = (reason) => ({ result: 'second_step', reason })
const denied = (reason) => ({ result: 'denied', reason })
const IN = { result: 'in' }

test('the rules apply in their order', async (t) => {
  const { pass, authTime, expiresAt, store, under } = await office()
  const byPass = { result: 'in', method: 'totp', authTime, expiresAt }
  // [name, policy, question, answer, loads of the record]
  /** @type {[string, object, any, object, number][]} */
  const table = [
    ['a good pass', {}, { ...annIn, pass }, byPass, 0],
    ['a good pass where a factor is forced', { require: 'everyone' }, { ...annIn, pass }, byPass, 0],
    ['a good pass from an allowed address', allow, { ...annIn, pass, ip: INSIDE }, byPass, 0],

    [
      'an address that is not allowed, with a good pass',
      allow,
      { ...annIn, pass, ip: OUTSIDE },
      denied('address_not_allowed'),
      0,
    ],
    ['a denied address, with a good pass', deny, { ...annIn, pass, ip: OUTSIDE }, denied('address_denied'), 0],
    ['no address where a rule needs one', deny, { ...annIn, pass }, denied('address_unknown'), 0],
    [
      'text that is no address, where a rule needs one',
      deny,
      { ...annIn, pass, ip: 'here' },
      denied('address_unknown'),
      0,
    ],
    ['the same without a pass', deny, { ...bobIn, ip: OUTSIDE }, denied('address_denied'), 0],

    ['no pass', {}, annIn, secondStep('no_pass'), 1],
    ['an empty pass', {}, { ...annIn, pass: '' }, secondStep('invalid'), 1],
    ['a text that is no pass', {}, { ...annIn, pass: 'x.y.z' }, secondStep('invalid'), 1],
    ['T21: a pass of another session', {}, { ...annIn, session: 'other', pass }, secondStep('other_session'), 1],
    ['maxAge reached', {}, { ...annIn, pass, maxAge: 100 }, byPass, 0],
    ['maxAge passed', {}, { ...annIn, pass, maxAge: 99 }, secondStep('too_old'), 1],
    ['a listed method', {}, { ...annIn, pass, methods: ['sms', 'totp'] }, byPass, 0],
    ['a method that is not listed', {}, { ...annIn, pass, methods: ['sms'] }, secondStep('method_not_accepted'), 1],
    ['no method listed', {}, { ...annIn, pass, methods: [] }, secondStep('method_not_accepted'), 1],
    ['fresh', { freshSeconds: 100 }, { ...annIn, pass, fresh: true }, byPass, 1],
    ['not fresh', { freshSeconds: 99 }, { ...annIn, pass, fresh: true }, secondStep('too_old'), 1],
    ['not fresh, and not asked to be', { freshSeconds: 99 }, { ...annIn, pass, fresh: false }, byPass, 0],
    ['fresh, and maxAge passed', {}, { ...annIn, pass, fresh: true, maxAge: 99 }, secondStep('too_old'), 1],

    ['a user without a factor', {}, bobIn, IN, 1],
    ['the same with maxAge, methods and fresh', {}, { ...bobIn, maxAge: 0, methods: ['totp'], fresh: true }, IN, 1],
    ['the same with the pass of another', {}, { ...bobIn, pass }, IN, 1],
    [
      'T21: the pass of another where a factor is forced',
      { require: 'everyone' },
      { ...bobIn, pass },
      denied('enrollment_required'),
      1,
    ],
    ['a user without a factor where one is forced', { require: 'everyone' }, bobIn, denied('enrollment_required'), 1],
    [
      'the same from a network where one is forced',
      { require: { networks: ['192.0.2.0/24'] } },
      { ...bobIn, ip: INSIDE },
      denied('enrollment_required'),
      1,
    ],
    ['the same from elsewhere', { require: { networks: ['192.0.2.0/24'] } }, { ...bobIn, ip: OUTSIDE }, IN, 1],

    ['an API client without a factor', {}, { ...bobIn, channel: 'api' }, IN, 1],
    ['an API client of a user with a factor', {}, { ...annIn, channel: 'api' }, denied('api_client_blocked'), 1],
    ['an API client with a good pass', {}, { ...annIn, channel: 'api', pass }, byPass, 0],
    [
      'an API client where a factor is forced',
      { require: 'everyone' },
      { ...bobIn, channel: 'api' },
      denied('api_client_blocked'),
      1,
    ],
    ['the same with a good pass', { require: 'everyone' }, { ...annIn, channel: 'api', pass }, byPass, 0],
    [
      'the same from an allowed network',
      { require: 'everyone', ...allow },
      { ...bobIn, channel: 'api', ip: INSIDE },
      IN,
      1,
    ],
    [
      'the same for a user with a factor',
      { require: 'everyone', ...allow },
      { ...annIn, channel: 'api', ip: INSIDE },
      IN,
      1,
    ],
  ]
  for (const [name, policy, question, answer, loads] of table) {
    await t.test(name, async () => {
      store.counts.loads = 0
      assert.deepEqual(await under(policy).check(question), answer)
      assert.equal(store.counts.loads, loads, 'loads of the record')
    })
  }
  assert.equal(store.counts.saves, 0, 'a question changes nothing')
})

test('a pass counts until the second before it ends', async () => {
  const { at, pass, expiresAt, under } = await office()
  at.clock.set(expiresAt - 1)
  assert.equal((await under().check({ ...annIn, pass })).result, 'in')
  at.clock.set(expiresAt)
  assert.deepEqual(await under().check({ ...annIn, pass }), secondStep('expired'))
})

test('T18: a ticket is no pass for a request', async () => {
  const { at, under } = await office()
  const ticket = await ticketOf(at, 'ann', 'in')
  assert.deepEqual(await under().check({ ...annIn, pass: ticket }), secondStep('invalid'))
})

test('T18: a pass under the keys of another service does not count', async () => {
  const { at, pass } = await office()
  const other = await host({ store: at.store, clock: at.clock })
  assert.deepEqual(await other.factor.check({ ...annIn, pass }), secondStep('invalid'))
})

test('a user whose factors are not offered any more is denied, unless a pass counts', async () => {
  const at = await host({ policy: rules({ methods: ['totp', 'recovery_code'] }) })
  const ann = await withApp(at)
  const { pass } = await login(at, ann)
  const factor = createSecondFactor({ ...at.options, policy: rules({ methods: ['backup_code', 'recovery_code'] }) })
  assert.deepEqual(await factor.check(annIn), denied('no_usable_method'))
  assert.equal((await factor.check({ ...annIn, pass })).result, 'in')
})

test('T21: the pass of one user does not count for another who has a factor', async () => {
  const { at, pass, under } = await office()
  await withApp(at, 'eve')
  at.clock.set(at.clock() - 60)
  assert.deepEqual(await under().check({ user: 'eve', session: 'in', pass }), secondStep('other_user'))
})

test('a pass is not fresh once its factor was replaced or removed', async () => {
  const { at, ann, pass, under } = await office()
  const fresh = () => under().check({ ...annIn, pass, fresh: true })
  assert.equal((await fresh()).result, 'in')

  const replaces = (await at.factor.status({ user: 'ann' })).methods[0].id
  const started = await at.factor.enrollTotp({ ...annIn, pass, label: 'ann', replaces })
  const code = codeOf(at, started.secret)
  assert.equal((await at.factor.confirmTotp({ ...annIn, setup: started.setup, code })).result, 'enrolled')
  assert.deepEqual(await fresh(), secondStep('too_old'), 'replaced')
  assert.equal(
    (await under().check({ ...annIn, pass })).result,
    'in',
    'the pass counts where no fresh one is asked for',
  )

  assert.deepEqual(await removeFirst(at, { ...annIn, pass }, 'totp'), denied('fresh_factor_required'))
  at.clock.advance(30)
  const again = await login(at, { ...ann, secret: started.secret })
  assert.equal((await removeFirst(at, { ...annIn, pass: again.pass }, 'totp')).result, 'removed')
  assert.deepEqual(await fresh(), IN, 'no factor is left, and none is needed')
})

test('the session that sets up its first factor has no pass yet', async () => {
  const at = await host()
  assert.deepEqual(await at.factor.check({ user: 'ann', session: 'setup' }), IN)
  await withApp(at)
  assert.deepEqual(await at.factor.check({ user: 'ann', session: 'setup' }), secondStep('no_pass'))
})

test('a user who lacks the required factor gets the second step while a recovery code is alive', async () => {
  const { at, pass, under } = await office()
  const by = { ...annIn, pass, role: 'owner' }
  assert.equal((await at.factor.issueRecoveryCode({ user: 'bob', by })).result, 'recovery_code')
  assert.deepEqual(await under({ require: 'everyone' }).check(bobIn), secondStep('no_pass'))
})

test('a question of another form is refused with the path of the field', async () => {
  const { at, store, under } = await office()
  const factor = under()
  /** @type {[any, string][]} */
  const wrong = [
    [{ unknown: 1 }, 'unknown'],
    [{ label: 'ann' }, 'label'],
    [{ maxage: 1 }, 'maxage'],
    [{ maxAge: -1 }, 'maxAge'],
    [{ maxAge: NaN }, 'maxAge'],
    [{ maxAge: '1' }, 'maxAge'],
    [{ fresh: 'yes' }, 'fresh'],
    [{ channel: 'tv' }, 'channel'],
    [{ methods: 'totp' }, 'methods'],
    [{ methods: ['totp', 'email'] }, 'methods[1]'],
    [{ ip: 1 }, 'ip'],
    [{ user: 1 }, 'user'],
    [{ user: '' }, 'user'],
    [{ session: '' }, 'session'],
  ]
  for (const [changes, path] of wrong) {
    await assert.rejects(factor.check({ ...annIn, ...changes }), refusedWith('invalid_input', path))
  }
  assert.equal(store.counts.loads, 0, 'the question is refused before the record is read')
  const nothing = { pass: undefined, ip: null, maxAge: undefined, methods: null, fresh: undefined, channel: undefined }
  assert.deepEqual(
    await factor.check({ ...annIn, ...nothing }),
    secondStep('no_pass'),
    'an absent value counts as no pass',
  )
  assert.deepEqual(
    at.events.filter(({ event }) => event === 'refused'),
    [],
    'a question is not logged',
  )
})
