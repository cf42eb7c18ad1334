// Effects: whatever hangs keeps back none of the others, and the reply waits for the message alone. A promise that never
// resolves stands for the gateway, the mail server or the log that hangs.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createSecondFactor, SmsNeverLeft } from 'countersign'
import { createOperator } from 'countersign/operator'
import { codeOf, host, login, refusedWith, removeFirst, rules, ticketOf, withApp, withPhone } from './support.mjs'

const never = () => new Promise(() => undefined)

/**
 * A service whose functions note their calls, and of which some hang. `seen(name)` resolves at the next call of one.
 */
async function service(hanging, changes = {}) {
  const told = []
  const waiting = new Map()
  const noted = (name) => (given) => {
    told.push([name, given.event ?? given.kind ?? name])
    waiting.get(name)?.(given)
    return hanging.includes(name) ? never() : undefined
  }
  const seen = (name) => new Promise((resolve) => waiting.set(name, resolve))
  const functions = {
    sendSms: noted('sendSms'),
    endPasses: noted('endPasses'),
    notify: noted('notify'),
    onEvent: noted('onEvent'),
  }
  const at = await host({ policy: rules({ backupCodes: { count: 1 } }) })
  const ann = await withApp(at)
  await withPhone(at, ann)
  const factor = createSecondFactor({ ...at.options, ...functions, ...changes })
  return { at: { ...at, factor }, ann, told, seen, functions }
}

/** Whether a promise is still pending once everything that could settle it now has. */
async function isPending(promise) {
  let settled = false
  promise.then(
    () => (settled = true),
    () => (settled = true),
  )
  await new Promise((resolve) => setImmediate(resolve))
  return !settled
}

for (const name of ['endPasses', 'notify', 'onEvent']) {
  test(`a change gives its reply, and everyone else is told, while ${name} hangs`, async () => {
    const { at, ann, told } = await service([name])
    const { pass } = await login(at, ann)
    told.length = 0
    assert.equal((await removeFirst(at, { user: 'ann', session: 'in', pass }, 'sms')).result, 'removed')
    assert.deepEqual(told, [
      ['endPasses', 'endPasses'],
      ['onEvent', 'factor_removed'],
      ['notify', 'factor_removed'],
    ])
  })
}

test('a gateway that hangs keeps back no event, and holds up no other call', async () => {
  const { at, ann, told, seen } = await service(['sendSms'])
  const ticket = await ticketOf(at, 'ann')
  told.length = 0
  const leaves = seen('sendSms')
  const reply = at.factor.sendSms({ ticket, session: 'before' })
  await leaves
  assert.deepEqual(told, [
    ['onEvent', 'sms_sent'],
    ['sendSms', 'sendSms'],
  ])
  assert.ok(await isPending(reply), 'the reply waits for the gateway')
  const other = await at.factor.verify({
    ticket,
    session: 'before',
    newSession: 'in',
    method: 'totp',
    code: codeOf(at, ann.secret),
  })
  assert.equal(other.result, 'verified')
  assert.ok(await isPending(reply))
})

/** The operator of the same service. */
const operatorOf = ({ options: { policy, keys, store, clock } }, functions = {}) =>
  createOperator({ policy, keys, store, clock, ...functions })

test('the events of a step that sends a message and tells of an ended recovery code are kept before the message', async () => {
  const { at, ann, told, seen } = await service(['sendSms', 'onEvent', 'notify'])
  const { pass } = await login(at, ann)
  await operatorOf(at, { clock: () => at.clock() - 3_500 }).issueRecoveryCode({ user: 'ann', operator: 'Jo' })
  at.clock.advance(120) // the code has ended, and the pass is fresh
  told.length = 0
  const leaves = seen('sendSms')
  const reply = at.factor.enrollSms({ user: 'ann', session: 'in', pass, number: '+61498765432' })
  await leaves
  const names = told.map(([, name]) => name)
  assert.deepEqual(names, ['recovery_code_ended', 'sms_sent', 'enrollment_started', 'sendSms'])
  assert.ok(await isPending(reply))
})

test('the reply waits for the gateway, and says whether it took the message', async () => {
  const gateway = []
  const sendSms = () => new Promise((resolve, reject) => gateway.push({ resolve, reject }))
  const { at, seen, told } = await service(['onEvent'], { sendSms })
  /** The reply, or the error, once the gateway has given its answer. */
  const replyAfter = async (answer) => {
    at.clock.advance(120)
    const ticket = await ticketOf(at, 'ann')
    const kept = seen('onEvent')
    const reply = at.factor.sendSms({ ticket, session: 'before' })
    await kept // the gateway is called in the same turn
    assert.ok(await isPending(reply))
    answer(gateway.pop())
    return reply.catch((error) => error)
  }
  assert.equal((await replyAfter(({ resolve }) => resolve())).result, 'sms_sent')
  const refused = refusedWith('sms_not_sent', 'sendSms')
  assert.ok(refused(await replyAfter(({ reject }) => reject(new Error('down')))))
  assert.equal(told.at(-1)[1], 'sms_sent')
  assert.ok(refused(await replyAfter(({ reject }) => reject(new SmsNeverLeft('refused')))))
  assert.equal(told.at(-1)[1], 'sms_never_left')
})

test('the operator gets the code while the log and the mail hang', async () => {
  const { at, told, functions } = await service(['onEvent', 'notify'])
  told.length = 0
  const operator = operatorOf(at, { onEvent: functions.onEvent, notify: functions.notify })
  assert.equal((await operator.issueRecoveryCode({ user: 'ann', operator: 'Jo' })).result, 'recovery_code')
  assert.deepEqual(
    told.map(([name]) => name),
    ['onEvent', 'notify', 'notify'],
  )
})

test('a policy change is told while the log hangs', async () => {
  const { at } = await service(['onEvent'])
  const event = await at.factor.policyChanged({ by: 'ann', before: rules(), after: rules({ require: 'everyone' }) })
  assert.equal(event.event, 'policy_changed')
})
