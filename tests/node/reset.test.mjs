// T57: a reset ends the sessions of a user at once, in Node and at the gate, and lets in nothing but a recovery code.
import assert from 'node:assert/strict'
import test from 'node:test'
import { createSecondFactor, memoryStore } from 'countersign'
import { createOperator } from 'countersign/operator'
import { codeOf, host, login, plainStore, refusedWith, rules, ticketOf, withApp } from './support.mjs'

const REVOKED = { result: 'second_step', reason: 'revoked' }
const NEEDS_CODE = { result: 'denied', reason: 'recovery_code_required' }

/** Ann and Olga, an owner, are logged in. */
async function withOwner(options = {}) {
  const at = await host(options)
  const ann = await withApp(at)
  const olga = await withApp(at, 'olga')
  const annIn = { user: 'ann', session: 'work', pass: (await login(at, ann, 'work')).pass }
  const by = { user: 'olga', session: 'owner', pass: (await login(at, olga, 'owner')).pass, role: 'owner' }
  return { at, ann, annIn, by }
}

test('T57: a pass from before is refused at once where the store holds a revocation list', async () => {
  const store = memoryStore()
  const { at, annIn, by } = await withOwner({ store })
  const { factor } = at
  assert.equal((await factor.check(annIn)).result, 'in')
  const { code } = await factor.reset({ user: 'ann', by, ip: '203.0.113.7' })
  assert.deepEqual(await factor.check(annIn), REVOKED)
  assert.equal((await factor.checkPass(annIn)).reason, 'revoked')
  // The gate fetches the same list.
  const { epochs = {} } = (await store.revoked?.()) ?? {}
  assert.ok(epochs.ann)
  assert.deepEqual(await factor.check({ user: 'ann', session: 'work' }), { result: 'second_step', reason: 'no_pass' })

  const ticket = await ticketOf(at, 'ann')
  const verified = await factor.verify({ ticket, session: 'before', newSession: 'in', method: 'recovery_code', code })
  assert.equal(verified.result, 'verified')
  assert.equal((await factor.check({ user: 'ann', session: 'in', pass: verified.pass })).result, 'in')
  assert.equal((await factor.checkPass(annIn)).reason, 'revoked', 'the old pass stays back')
})

test('T57: without a list `endPasses` is told, and a check that reads the record refuses', async () => {
  const ended = []
  const { at, annIn, by } = await withOwner({ store: plainStore(), endPasses: (passes) => void ended.push(passes) })
  const before = ended.length
  await at.factor.reset({ user: 'ann', by })
  assert.deepEqual(
    ended.slice(before).map(({ user }) => user),
    ['ann'],
  )
  assert.deepEqual(await at.factor.check({ ...annIn, fresh: true }), REVOKED)
})

test('T57: an expired code leaves the need of one; status, check and begin say so, and the operator helps', async () => {
  const { at, by } = await withOwner()
  const { factor } = at
  const { expiresAt } = await factor.reset({ user: 'ann', by })
  const { enrolled, enrollment, recoveryCode } = await factor.status({ user: 'ann' })
  const issuedBy = { owner: 'olga' }
  assert.deepEqual([enrolled, enrollment, recoveryCode], [false, 'reset', { issuedBy, expiresAt }])
  at.clock.advance(3_600)
  assert.deepEqual(await factor.begin({ user: 'ann', session: 's' }), NEEDS_CODE)
  assert.deepEqual(await factor.begin({ user: 'ann', session: 's', channel: 'api' }), NEEDS_CODE)
  assert.deepEqual(await factor.check({ user: 'ann', session: 's' }), NEEDS_CODE)
  assert.equal((await factor.enrollTotp({ user: 'ann', session: 's', label: 'ann' })).reason, 'fresh_factor_required')

  const options = { policy: rules(), keys: at.keys, store: at.store, clock: at.clock }
  const { code } = await createOperator(options).issueRecoveryCode({ user: 'ann', operator: 'night shift' })
  const ticket = await ticketOf(at, 'ann')
  const done = await factor.verify({ ticket, session: 'before', method: 'recovery_code', code })
  assert.equal(done.result, 'verified')
  assert.equal((await factor.status({ user: 'ann' })).enrollment, 'none')
})

test('T57: the operator resets whom no owner can', async () => {
  const { at, annIn, ann } = await withOwner()
  const many = { ...at.options, policy: () => [rules({ methods: ['totp'] })] }
  const factor = createSecondFactor(many)
  assert.equal((await factor.check(annIn)).result, 'in')
  const { code } = await createOperator(many).reset({ user: 'ann', operator: 'ticket 4711' })
  assert.deepEqual(
    at.events.slice(-3).map(({ event, operator }) => [event, operator]),
    [
      ['reset_by_operator', 'ticket 4711'],
      ['factor_removed', undefined],
      ['recovery_code_issued_by_operator', 'ticket 4711'],
    ],
  )
  assert.deepEqual(
    at.notices.slice(-2).map(({ kind, to, by }) => [kind, to, by]),
    [
      ['reset', 'user', undefined],
      ['reset', 'owners', undefined],
    ],
  )
  assert.deepEqual(await factor.check(annIn), REVOKED)
  at.clock.advance(30)
  const second = async (method, typed) => {
    const ticket = await ticketOf({ ...at, factor }, 'ann')
    return factor.verify({ ticket, session: 'before', newSession: 'in', method, code: typed })
  }
  assert.notEqual((await second('totp', codeOf(at, ann.secret))).result, 'verified')
  assert.equal((await second('recovery_code', code)).result, 'verified')
  await assert.rejects(createOperator(many).reset({ user: 'ann' }), refusedWith('invalid_input', 'operator'))
})

test('T57: a review names a user who was reset among those who need a recovery code', async () => {
  const { at, by } = await withOwner()
  await at.factor.reset({ user: 'ann', by })
  const review = await at.factor.reviewPolicy({
    policy: rules(),
    author: { user: 'olga' },
    users: [
      { user: 'olga', role: 'owner' },
      { user: 'ann', role: 'member' },
    ],
  })
  assert.deepEqual([review.needRecoveryCode, review.refused], [['ann'], false])
})

test('T57: nobody resets themselves, without a fresh factor of their own, or where users have many accounts', async () => {
  const { at, annIn, by } = await withOwner()
  const { factor } = at
  const denied = async (given, reason) => assert.deepEqual(await factor.reset(given), { result: 'denied', reason })
  await denied({ user: 'olga', by }, 'not_for_oneself')
  await denied({ user: 'ann', by: { ...by, role: 'member' } }, 'owner_only')
  await denied({ user: 'ann', by: { ...by, session: 'other' } }, 'fresh_factor_required')
  await denied({ user: 'ann', by: { ...by, user: 'carl' } }, 'fresh_factor_required')
  at.clock.advance(301)
  await denied({ user: 'ann', by }, 'fresh_factor_required')
  assert.equal((await factor.check(annIn)).result, 'in')
  const many = createSecondFactor({ ...at.options, policy: () => [rules()] })
  assert.deepEqual(await many.reset({ user: 'ann', by }), { result: 'denied', reason: 'operator_only' })
  await assert.rejects(
    factor.reset({ user: 'ann', by: { ...by, role: 'boss' } }),
    refusedWith('invalid_input', 'by.role'),
  )
})
