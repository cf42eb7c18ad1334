// C4, C7, C8, C23 and T44, T46, T47, T48 through the package: passes from before a change, daily rescues, a clock that is set
// back. tests/core/freshness.rs, src/lockout.rs and the model have the rules.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createOperator } from 'countersign/operator'
import {
  codeOf,
  host,
  login,
  plainStore,
  removeFirst,
  rules,
  ticketOf,
  withApp,
  withPhone,
  wrongCode,
} from './support.mjs'

const OWNER = 'olga'

/** The operator's commands on the same store. */
const operatorOf = (at) => createOperator({ ...at.options })

/** A login by a recovery code of the operator, in a session. */
async function rescue(at, user, session) {
  const { code } = await operatorOf(at).issueRecoveryCode({ user, operator: 'night shift' })
  const ticket = await ticketOf(at, user)
  const reply = await at.factor.verify({
    ticket,
    session: 'before',
    newSession: session,
    method: 'recovery_code',
    code,
  })
  assert.equal(reply.result, 'verified')
  return reply
}

test('C4, T44: a pass from before a rescue or a change of factors changes nothing', async () => {
  const at = await host({ store: plainStore() })
  const ann = await withApp(at)
  const olga = await withApp(at, OWNER)
  const thief = { user: 'ann', session: 'thief', pass: (await login(at, ann, 'thief')).pass }
  const byOlga = { user: OWNER, session: 'olga', pass: (await login(at, olga, 'olga')).pass, role: 'owner' }
  const changes = async () => [
    await at.factor.enrollTotp({ ...thief, label: 'ann' }),
    await at.factor.enrollSms({ ...thief, number: '+61412345678' }),
    await removeFirst(at, { ...thief }, 'totp'),
    await at.factor.renewBackupCodes(thief),
    await at.factor.showBackupCodes(thief),
    await at.factor.issueRecoveryCode({ user: 'bob', by: { ...thief, role: 'owner' } }),
  ]
  assert.equal((await at.factor.issueRecoveryCode({ user: 'bob', by: byOlga })).result, 'recovery_code')

  const rescued = await rescue(at, 'ann', 'mine')
  for (const reply of await changes()) assert.equal(reply.reason, 'fresh_factor_required')
  const mine = { user: 'ann', session: 'mine', pass: rescued.pass }
  const started = await at.factor.enrollTotp({ ...mine, label: 'ann' })
  const confirm = { user: 'ann', session: 'mine', setup: started.setup, code: codeOf(at, started.secret) }
  const replaced = await at.factor.confirmTotp(confirm)
  assert.equal(replaced.result, 'enrolled')
  for (const reply of await changes()) assert.equal(reply.reason, 'fresh_factor_required')

  assert.equal(
    (await at.factor.renewBackupCodes(mine)).reason,
    'fresh_factor_required',
    'the pass of the rescue is old too',
  )
  assert.equal((await at.factor.renewBackupCodes({ ...mine, pass: replaced.pass })).result, 'backup_codes')
})

test('C4: check with `fresh` knows that a pass is from before a change, or that its factor is gone', async () => {
  const at = await host({ store: plainStore() })
  const ann = await withApp(at)
  await withPhone(at, ann)
  const old = { user: 'ann', session: 'old', pass: (await login(at, ann, 'old')).pass }
  assert.equal((await at.factor.check({ ...old, fresh: true })).result, 'in')
  const now = { user: 'ann', session: 'now', pass: (await login(at, ann, 'now')).pass }
  const removed = await removeFirst(at, { ...now }, 'totp')
  assert.equal(removed.result, 'removed')
  for (const pass of [old, { ...now, pass: removed.pass }]) {
    assert.deepEqual(await at.factor.check({ ...pass, fresh: true }), { result: 'second_step', reason: 'too_old' })
    assert.equal((await at.factor.check(pass)).result, 'in', 'for a request that asks for no fresh factor')
  }
})

test('C7, T47: a rescue a day leaves a year of guessing under 1 %', async () => {
  const at = await host()
  const ann = await withApp(at)
  const days = 60
  const guesses = []
  for (let day = 0; day < days; day += 1) {
    await rescue(at, 'ann', `rescued ${day}`)
    let today = 0
    for (const end = at.clock() + 86_400; at.clock() < end; ) {
      const code = wrongCode(at, ann.secret)
      const reply = await at.factor.verify({
        ticket: await ticketOf(at, 'ann'),
        session: 'before',
        method: 'totp',
        code,
      })
      if (reply.result === 'wrong') today += 1
      const wait = (reply.retryAt ?? at.clock() + 1) - at.clock()
      at.clock.advance(Math.min(wait, end - at.clock()))
    }
    guesses.push(today)
  }
  // The bucket is full after the first days; each day after that is like the last.
  const year = guesses.reduce((sum, today) => sum + today, 0) + (365 - days) * Math.max(...guesses.slice(-7))
  assert.ok(guesses.at(-1) > 0, 'somebody guesses')
  assert.ok((year * 3) / 1_000_000 < 0.01, `${year} guesses a year: ${guesses}`)
})

test('C8, T48: recovery code, SMS code and set-ups are dead when the clock is set back', async () => {
  const at = await host()
  const ann = await withApp(at)
  await withPhone(at, ann)
  const { code } = await operatorOf(at).issueRecoveryCode({ user: 'ann', operator: 'night shift' })
  const { pass } = await login(at, ann)
  const session = { user: 'ann', session: 'in' }
  const caller = { ...session, pass }
  const app = await at.factor.enrollTotp({ ...caller, label: 'ann' })
  const phone = await at.factor.enrollSms({ ...caller, number: '+61412345679' })
  const numberCode = at.sms.lastCode()
  at.clock.advance(300)
  const texted = { ticket: await ticketOf(at, 'ann'), session: 'before' }
  assert.equal((await at.factor.sendSms(texted)).result, 'sms_sent')
  const smsCode = at.sms.lastCode()

  at.clock.advance(-36_000)
  const verify = async (method, code) =>
    at.factor.verify({ ticket: await ticketOf(at, 'ann'), session: 'before', method, code })
  assert.deepEqual(await verify('recovery_code', code), { result: 'expired' })
  assert.equal((await at.factor.verify({ ...texted, method: 'sms', code: smsCode })).reason, 'ticket_invalid')
  const confirmations = [
    await at.factor.confirmTotp({ ...session, setup: app.setup, code: codeOf(at, app.secret) }),
    await at.factor.confirmSms({ ...session, setup: phone.setup, code: numberCode }),
  ]
  for (const reply of confirmations) assert.deepEqual(reply, { result: 'expired' })
  at.clock.advance(36_000)
  assert.equal((await verify('recovery_code', code)).result, 'verified', 'in its hour it counts again')
})

test('C23: a right code and a good ticket in another session are told so', async () => {
  const at = await host()
  const ann = await withApp(at)
  const ticket = await ticketOf(at, 'ann')
  const input = { ticket, method: 'totp', code: codeOf(at, ann.secret) }
  const denied = (reason) => ({ result: 'denied', reason })
  assert.deepEqual(await at.factor.verify({ ...input, session: 'elsewhere' }), denied('other_session'))
  assert.deepEqual(
    await at.factor.verify({ ...input, session: 'before', ticket: `${ticket}x` }),
    denied('ticket_invalid'),
  )
  assert.equal((await at.factor.verify({ ...input, session: 'before', newSession: 'in' })).result, 'verified')
})

test('T46: the first owner under force, and later stopped as the only owner, comes back by the operator', async () => {
  const at = await host({ policy: rules({ require: 'everyone' }) })
  assert.equal((await at.factor.begin({ user: OWNER, session: 's' })).reason, 'enrollment_required')
  const rescued = await rescue(at, OWNER, 'in')
  const caller = { user: OWNER, session: 'in', pass: rescued.pass }
  const { setup, secret } = await at.factor.enrollTotp({ ...caller, label: 'olga' })
  const done = await at.factor.confirmTotp({ user: OWNER, session: 'in', setup, code: codeOf(at, secret) })
  assert.equal(done.result, 'enrolled')

  const olga = { user: OWNER, secret: secret.replaceAll(' ', '') }
  const status = () => at.factor.status({ user: OWNER })
  for (let tries = 0; !(await status()).attempts.stopped; tries += 1) {
    assert.ok(tries < 100)
    at.clock.advance(20_000)
    const code = wrongCode(at, olga.secret)
    await at.factor.verify({ ticket: await ticketOf(at, OWNER), session: 'before', method: 'totp', code })
  }
  await rescue(at, OWNER, 'again')
  at.clock.advance(20_000)
  assert.equal((await login(at, olga, 'by app')).method, 'totp')
})
