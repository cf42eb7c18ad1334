// C1 and T41: the account is part of who someone is. Everything that is made in one account is tried in every other, under
// the same user id: in two accounts that have names and in the place without one.
import assert from 'node:assert/strict'
import { normalize } from 'node:path'
import test from 'node:test'
import { memoryStore, recordKey } from 'countersign'
import { createOperator } from 'countersign/operator'
import fc from 'fast-check'
import { codeOf, host, rules } from './support.mjs'

const ACCOUNTS = [undefined, 'strict', 'lenient']
const POLICIES = {
  strict: rules({
    require: 'everyone',
    network: { allow: ['198.51.100.0/24'] },
    methods: ['totp', 'recovery_code'],
    passSeconds: 1_800,
    freshSeconds: 3_600,
  }),
  lenient: rules({ freshSeconds: 3_600 }),
}
const INSIDE = '198.51.100.7'

/** Ann in one account, with everything that can be made there: app, ticket, pass, set-up, recovery code. */
async function everythingIn(at, account) {
  const ann = { account, user: 'ann', ip: INSIDE }
  // Where a second factor is forced, an owner's code is the way in.
  const olga = { account, user: 'olga', ip: INSIDE }
  const owner = await enroll(at, olga)
  const by = { user: 'olga', session: 'in', pass: owner.pass, role: 'owner' }
  const mine = await enroll(at, ann)
  const { ticket } = await at.factor.begin({ ...ann, session: 'half' })
  assert.ok(ticket)
  const { code: recoveryCode } = await at.factor.issueRecoveryCode({ ...ann, by })
  assert.ok(recoveryCode)
  return { account, by, ticket, recoveryCode, ...mine }
}

/** Sets an app up under a policy that forces nobody, and logs in with it. */
async function enroll(at, who) {
  const policy = at.policies[who.account]
  at.policies[who.account] = rules()
  const { secret, setup } = await at.factor.enrollTotp({ ...who, session: 'first', label: 'ann' })
  const key = secret.replaceAll(' ', '')
  const done = await at.factor.confirmTotp({ ...who, session: 'first', setup, code: codeOf(at, key) })
  assert.equal(done.result, 'enrolled')
  at.policies[who.account] = policy
  at.clock.advance(60)
  const { ticket } = await at.factor.begin({ ...who, session: 'before' })
  const given = { account: who.account, ip: who.ip, ticket, session: 'before', newSession: 'in' }
  const { pass } = await at.factor.verify({ ...given, method: 'totp', code: codeOf(at, key) })
  assert.ok(pass)
  at.clock.advance(60)
  return { key, pass, backupCode: done.backupCodes[0] }
}

async function accounts() {
  const policies = { ...POLICIES, undefined: rules({ freshSeconds: 3_600 }) }
  const at = await host({ policy: ({ account }) => policies[account] })
  Object.assign(at, { policies })
  const made = []
  for (const account of ACCOUNTS) made.push(await everythingIn(at, account))
  return { at, made }
}

test('C1, T41: nothing made in one account counts in another', async (t) => {
  const { at, made } = await accounts()
  const { factor } = at
  const verdicts = {
    ticket: async (mine, there) => {
      const given = { account: there, ip: INSIDE, session: 'half', method: 'totp', code: codeOf(at, mine.key) }
      return (await factor.verify({ ...given, ticket: mine.ticket })).reason
    },
    'pass, checked': async (mine, there) =>
      (await factor.check({ account: there, user: 'ann', ip: INSIDE, session: 'in', pass: mine.pass })).reason,
    'pass, on its own': async (mine, there) =>
      (await factor.checkPass({ account: there, user: 'ann', session: 'in', pass: mine.pass })).reason,
    'pass, for a change': async (mine, there) =>
      (
        await factor.enrollTotp({
          account: there,
          user: 'ann',
          ip: INSIDE,
          session: 'in',
          pass: mine.pass,
          label: 'ann',
        })
      ).reason,
    "owner's pass": async (mine, there) =>
      (await factor.issueRecoveryCode({ account: there, user: 'ann', ip: INSIDE, by: mine.by })).reason,
  }
  const expected = {
    ticket: 'ticket_invalid',
    'pass, checked': 'other_account',
    'pass, on its own': 'other_account',
    'pass, for a change': 'fresh_factor_required',
    "owner's pass": 'fresh_factor_required',
  }
  for (const [what, reasonOf] of Object.entries(verdicts)) {
    await t.test(what, async () => {
      for (const mine of made) {
        for (const there of ACCOUNTS.filter((account) => account !== mine.account))
          assert.equal(await reasonOf(mine, there), expected[what], `${mine.account} in ${there}`)
      }
    })
  }
  for (const [method, code] of [
    ['totp', (mine) => codeOf(at, mine.key)],
    ['backup_code', (mine) => mine.backupCode],
    ['recovery_code', (mine) => mine.recoveryCode],
  ]) {
    await t.test(`a code by ${method}`, async () => {
      for (const mine of made) {
        for (const other of made.filter(({ account }) => account !== mine.account)) {
          const given = { account: other.account, ip: INSIDE }
          const { ticket } = await factor.begin({ ...given, user: 'ann', session: 'half' })
          assert.ok(ticket)
          const reply = await factor.verify({
            ...given,
            ticket,
            session: 'half',
            method,
            code: /** @type {any} */ (code)(mine),
          })
          // A policy that does not offer the method says so first.
          assert.match(reply.result === 'denied' ? reply.reason : reply.result, /^(wrong|method_not_offered)$/)
        }
      }
    })
  }
  await t.test('each works where it was made', async () => {
    for (const mine of made) {
      for (const [what, reasonOf] of Object.entries(verdicts)) {
        if (what !== 'ticket') assert.equal(await reasonOf(mine, mine.account), undefined, `${what} in ${mine.account}`)
      }
      at.clock.advance(60) // the wait after five wrong codes
      const given = { account: mine.account, ip: INSIDE }
      const { ticket } = await factor.begin({ ...given, user: 'ann', session: 'own' })
      const code = codeOf(at, mine.key)
      assert.equal((await factor.verify({ ...given, ticket, session: 'own', method: 'totp', code })).result, 'verified')
    }
  })
})

test('T41: a set-up begun in one account cannot be confirmed in another', async () => {
  const at = await host({ policy: rules() })
  for (const there of ['other', undefined]) {
    const begun = await at.factor.enrollTotp({ account: 'acme', user: 'ann', session: 's', label: 'ann' })
    const code = codeOf(at, begun.secret.replaceAll(' ', ''))
    const { setup } = begun
    const reply = await at.factor.confirmTotp({ account: there, user: 'ann', session: 's', setup, code })
    assert.equal(reply.result, 'expired')
    assert.equal((await at.factor.status({ account: there, user: 'ann' })).enrolled, false)
  }
})

test('T41: a record moved to another account does not open there', async () => {
  const store = memoryStore()
  const at = await host({ store })
  await enrollIn(at, 'lenient')
  const { record } = await store.load({ account: 'lenient', user: 'ann' })
  const moved = { ...JSON.parse(record), id: { account: 'strict', user: 'ann' } }
  for (const text of [record, JSON.stringify(moved)]) {
    await store.save(
      { account: 'strict', user: 'ann' },
      text,
      (await store.load({ account: 'strict', user: 'ann' }))?.version,
    )
    const { ticket } = await at.factor.begin({ account: 'strict', user: 'ann', session: 's' }).catch((error) => error)
    if (ticket === undefined) continue
    const given = { account: 'strict', ticket, session: 's', method: 'totp', code: '000000' }
    await assert.rejects(at.factor.verify(given), { code: 'seal_broken' })
  }
})

async function enrollIn(at, account) {
  const begun = await at.factor.enrollTotp({ account, user: 'ann', session: 's', label: 'ann' })
  const code = codeOf(at, begun.secret.replaceAll(' ', ''))
  const { setup } = begun
  assert.equal((await at.factor.confirmTotp({ account, user: 'ann', session: 's', setup, code })).result, 'enrolled')
}

test('notices and events name the account', async () => {
  const at = await host()
  await enrollIn(at, 'acme')
  assert.ok(at.events.length > 0 && at.notices.length > 0)
  for (const told of [...at.events, ...at.notices]) assert.equal(told.account, 'acme')
})

test('no two ids share a key, and a wrong id is refused before the store is asked', async () => {
  const parts = ['a', 'b', '/', 'a/b', 'users', 'accounts', '%2F', '~2F', 'ä', "'", '*', '.', '..', ':', 'a.users.b']
  const ids = [undefined, ...parts].flatMap((account) => parts.map((user) => ({ account, user })))
  assert.equal(new Set(ids.map(recordKey)).size, ids.length)
  const asked = []
  const at = await host({ store: { load: async (id) => void asked.push(id), save: async () => true } })
  for (const [id, path] of /** @type {[any, string][]} */ ([
    [{ user: '' }, 'user'],
    [{ user: 'a'.repeat(257) }, 'user'],
    [{ user: 'ann\n' }, 'user'],
    [{ user: 'ann', account: '' }, 'account'],
    [{ user: 'ann', account: 'ä'.repeat(129) }, 'account'],
  ])) {
    assert.throws(() => recordKey(id), { code: 'invalid_input', path: `id.${path}` })
    await assert.rejects(at.factor.begin({ ...id, session: 's' }), { code: 'invalid_input', path })
    await assert.rejects(at.factor.status(id), { code: 'invalid_input', path })
  }
  assert.deepEqual(asked, [])
})

test('an account that is null is refused in every call, and the store is not asked', async () => {
  const asked = []
  const store = { load: async (id) => void asked.push(id), save: async () => true }
  const at = await host({ store })
  const account = /** @type {any} */ (null)
  const refused = { code: 'invalid_input', path: 'account', message: /null/ }
  const { factor } = at
  const names = Object.keys(factor).filter((name) => name !== 'jwks')
  assert.ok(names.length > 14)
  const given = {
    status: { user: 'ann' },
    endSessions: { user: 'ann', sessions: ['s'] },
    passwordChanged: { user: 'ann' },
    signOutEverywhere: { user: 'ann' },
    policyChanged: { by: 'ann', before: rules(), after: rules() },
    reviewPolicy: { policy: rules(), author: { user: 'ann' }, users: [] },
  }
  for (const name of names) {
    const input = { ...(given[name] ?? { user: 'ann', session: 's', ticket: 't', code: '1' }), account }
    await assert.rejects(factor[name](input), refused, name)
  }
  const operator = createOperator(at.options)
  const input = { account, user: 'ann', operator: 'Jo' }
  await assert.rejects(operator.issueRecoveryCode(input), refused)
  await assert.rejects(operator.withdrawRecoveryCode(input), refused)
  assert.throws(() => recordKey({ account, user: 'ann' }), { ...refused, path: 'id.account' })
  assert.deepEqual(asked, [])
  assert.equal(recordKey({ account: undefined, user: 'ann' }), 'users.ann')
})

test('a key is one segment of a path, never a dot segment, and names one id', () => {
  const isId = (text) => {
    const bytes = Buffer.byteLength(text)
    return text.isWellFormed() && bytes >= 1 && bytes <= 256 && !/\p{Cc}/u.test(text)
  }
  const sign = fc.constantFrom(...`./\\%~2EeaA '*:ä😀\u2028\u202e`)
  const whole = [
    '.',
    '..',
    '~2E',
    '%2e%2E',
    'a.users.b',
    'users',
    'CON',
    'a'.repeat(256),
    '.'.repeat(256),
    '😀'.repeat(64),
  ]
  const signs = fc.array(fc.oneof(sign, fc.string({ maxLength: 2 })), { minLength: 1, maxLength: 30 })
  const part = fc
    .oneof(
      fc.constantFrom(...whole),
      signs.map((all) => all.join('')),
    )
    .filter(isId)
  const id = fc.record({ account: fc.option(part, { nil: undefined }), user: part }, { noNullPrototype: true })
  const read = (text) => decodeURIComponent(text.replaceAll('~', '%'))
  fc.assert(
    fc.property(id, (given) => {
      const key = recordKey(given)
      assert.match(key, /^[A-Za-z0-9_~.-]{1,1552}$/)
      // In a path it stays as it is: nothing is left out, decoded or taken for another segment.
      assert.equal(new URL(`https://store.example/records/${key}`).pathname, `/records/${key}`)
      assert.equal(normalize(`records/${key}`), `records/${key}`)
      // The id can be read from it, so that no two ids share a key.
      const [, account, user] = /^(?:accounts\.([^.]+)\.)?users\.([^.]+)$/.exec(key) ?? []
      assert.deepEqual({ account: account === undefined ? undefined : read(account), user: read(user) }, given)
    }),
    { numRuns: 2_000 },
  )
})
