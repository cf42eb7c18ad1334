// Limits are checked where a value enters: what a set-up accepts logs in, no id reaches the store unchecked, and the
// host counts set-up messages over all users.
// tests/core/limits.rs tries the values of policies.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createSecondFactor, memoryStore } from 'countersign'
import fc from 'fast-check'
import { codeOf, host, login, ORIGIN, refusedWith, rules, ticketOf, withApp, withPhone } from './support.mjs'

test('ids at their limit are set up and log in', async () => {
  for (const character of ['"', '\\', 'a', 'é', '😀', '\u{10ffff}']) {
    const id = (shift) => character.repeat(256 / Buffer.byteLength(character) - shift)
    const at = await host({ policy: rules({ audience: '"'.repeat(256) }) })
    const person = await withApp(at, id(0))
    const begun = await at.factor.begin({ user: id(0), session: id(0) })
    assert.equal(begun.result, 'challenge')
    if (begun.result !== 'challenge') return
    const code = codeOf(at, person.secret)
    const step = {
      ticket: begun.ticket,
      session: id(0),
      newSession: id(1),
      method: /** @type {const} */ ('totp'),
      code,
    }
    const reply = await at.factor.verify(step)
    assert.equal(reply.result, 'verified', `${ORIGIN}, ${character}`)
    if (reply.result !== 'verified') return
    const question = { user: id(0), session: id(1), pass: reply.pass, fresh: true }
    assert.equal((await at.factor.check(question)).result, 'in')
  }
})

test('no id reaches the store unchecked, and the rule is that of the module', async () => {
  const asked = []
  const kept = memoryStore()
  const store = { ...kept, load: (id) => (asked.push(id.user), kept.load(id)) }
  const { factor } = await host({ store })
  const isTaken = async (input) => {
    try {
      await factor.begin(input)
      return true
    } catch (error) {
      return refusedWith('invalid_input')(error) && false
    }
  }
  const unit = fc.oneof(fc.constantFrom('a', 'é', '😀', '\u0000', '\u0085', '\u007f', '\ud800', '\n'), fc.string())
  const value = fc.array(unit, { maxLength: 300 }).map((parts) => parts.join(''))
  await fc.assert(
    fc.asyncProperty(
      fc.oneof(value, fc.constantFrom('', 'a'.repeat(256), 'a'.repeat(257), 'é'.repeat(129))),
      async (id) => {
        asked.length = 0
        const taken = await isTaken({ user: id, session: 's' })
        // A session id has the same rule, and Rust checks it.
        assert.equal(taken, await isTaken({ user: 'ann', session: id }))
        assert.equal(asked.includes(id), taken)
      },
    ),
    { numRuns: 300 },
  )
  for (const call of [
    () => factor.status({ user: 'a\n' }),
    () => factor.check({ user: 'a\n', session: 's' }),
    () => factor.enrollTotp({ user: '', session: 's', label: 'x' }),
    () => factor.issueRecoveryCode({ user: 'a\n', by: { user: 'olga', session: 's', role: 'owner' } }),
    () => factor.reviewPolicy({ policy: rules(), author: { user: 'ann' }, users: [{ user: 'a\n', role: 'owner' }] }),
  ]) {
    asked.length = 0
    await assert.rejects(call, { code: 'invalid_input' })
    assert.deepEqual(asked, [], String(call))
  }
})

/** A counter as a host would keep it, in memory. */
function counter() {
  const counts = new Map()
  const asked = []
  const limits = async ({ key, seconds, max }) => {
    asked.push({ key, seconds, max })
    counts.set(key, (counts.get(key) ?? 0) + 1)
    return counts.get(key) <= max
  }
  return { limits, asked }
}

const number = '+61412345678'
const withSms = rules({ sms: { perDay: 3 } })

test('a number gets a day’s set-up messages from all users together, and a login is never counted', async () => {
  const { limits, asked } = counter()
  const at = await host({ policy: withSms, limits })
  const ann = await withApp(at)
  const { pass } = await login(at, ann)
  const inside = { user: 'ann', session: 'in' }
  const { result, setup } = await at.factor.enrollSms({ ...inside, pass, number })
  assert.equal(result, 'sms_sent')
  assert.equal((await at.factor.confirmSms({ ...inside, setup, code: at.sms.lastCode() })).result, 'enrolled')
  for (const user of ['bob', 'eve'])
    assert.equal((await at.factor.enrollSms({ user, session: 's', number })).result, 'sms_sent', user)
  const sent = at.sms.messages.length
  assert.deepEqual(await at.factor.enrollSms({ user: 'mallory', session: 's', number }), {
    result: 'sms_refused',
    reason: 'number_budget',
    retryAt: at.clock() + 86_400,
  })
  assert.equal(await at.store.load({ user: 'mallory' }), undefined, 'nothing is stored')
  assert.deepEqual([at.events.at(-1).event, at.events.at(-1).reason], ['sms_refused', 'number_budget'])
  assert.equal(
    (await at.factor.enrollSms({ user: 'mallory', session: 's', number: '+61412345679' })).result,
    'sms_sent',
  )
  assert.equal(at.sms.messages.length, sent + 1)

  at.clock.advance(60)
  const before = asked.length
  const ticket = await ticketOf(at, 'ann')
  assert.equal((await at.factor.sendSms({ ticket, session: 'before' })).result, 'sms_sent')
  await at.factor.enrollSms({ user: 'bob', session: 's', number: 'no number' })
  assert.equal(asked.length, before, 'neither logins nor what is refused anyway is counted')
  for (const { key, seconds, max } of asked) {
    assert.match(key, /^[\w-]{43}$/)
    assert.deepEqual([seconds, max], [86_400, 3])
  }
})

test('a counter that fails stops set-up messages and no login', async () => {
  for (const limits of [
    () => {
      throw new Error('down')
    },
    async () => Promise.reject(new Error('down')),
    async () => /** @type {any} */ (undefined),
    async () => /** @type {any} */ (1),
  ]) {
    const errors = []
    const at = await host({ policy: withSms, onEffectError: (error) => errors.push(error) })
    const ann = await withApp(at)
    await withPhone(at, ann)
    const factor = createSecondFactor({ ...at.options, limits })
    const refused = await factor.enrollSms({ user: 'bob', session: 's', number })
    assert.deepEqual(refused, { result: 'sms_refused', reason: 'count_failed', retryAt: at.clock() + 60 })
    assert.equal(errors.length, 1)
    const ticket = await ticketOf(at, 'ann')
    assert.equal((await factor.sendSms({ ticket, session: 'before' })).result, 'sms_sent')
    const code = at.sms.lastCode()
    assert.equal((await factor.verify({ ticket, session: 'before', method: 'sms', code })).result, 'verified')
  }
})

test('a call that loses races counts once', async () => {
  const { limits, asked } = counter()
  const kept = memoryStore()
  let losses = 3
  const store = { ...kept, save: async (...given) => (losses-- > 0 ? false : kept.save(...given)) }
  const { factor } = await host({ policy: withSms, limits, store })
  assert.equal((await factor.enrollSms({ user: 'ann', session: 's', number })).result, 'sms_sent')
  assert.equal(asked.length, 1)
})

test('a counter that gives no answer is waited for five seconds', async (t) => {
  const errors = []
  let asked
  const limits = () => new Promise(() => asked())
  const { factor } = await host({ policy: withSms, limits, onEffectError: (error) => errors.push(error) })
  const isAsked = new Promise((resolve) => {
    asked = () => resolve(undefined)
  })
  t.mock.timers.enable({ apis: ['setTimeout'] })
  const reply = factor.enrollSms({ user: 'ann', session: 's', number })
  await isAsked
  t.mock.timers.tick(5_000)
  const { result, ...refusal } = await reply
  assert.deepEqual([result, refusal.reason], ['sms_refused', 'count_failed'])
  assert.equal(errors[0].path, 'limits')
})
