// C9, C10, C11 and T49 through the package: set-ups and SMS codes belong to one session, a used code is told from a
// wrong one, a message that never left gives its slot back. tests/core/set_ups.rs and tests/core/sms.rs have the rules.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createSecondFactor, memoryStore, SmsNeverLeft } from 'countersign'
import {
  codeOf,
  count,
  host,
  refusedWith,
  removeFirst,
  rules,
  ticketOf,
  withApp,
  withPhone,
  wrongCode,
} from './support.mjs'

const NUMBER = '+61412345678'

test('T49, C9: set-ups of other sessions do not disturb that of the user', async () => {
  const at = await host()
  const begin = (session) => at.factor.enrollTotp({ user: 'ann', session, label: 'ann' })
  const mine = await begin('mine')
  assert.equal(await at.store.load({ user: 'ann' }), undefined, 'a set-up of an app writes nothing')
  for (let i = 0; i < 10; i += 1) {
    const { secret } = await begin('thief')
    const stolen = { user: 'ann', session: 'thief', setup: mine.setup }
    assert.deepEqual(await at.factor.confirmTotp({ ...stolen, code: codeOf(at, secret) }), { result: 'expired' })
    const phone = await at.factor.enrollSms({ user: 'ann', session: 'thief', number: NUMBER })
    if (phone.result === 'sms_sent')
      await at.factor.confirmSms({ user: 'ann', session: 'thief', setup: phone.setup, code: '000000' })
    at.clock.advance(60)
  }
  const done = { user: 'ann', session: 'mine', setup: mine.setup, code: codeOf(at, mine.secret) }
  assert.equal((await at.factor.confirmTotp(done)).result, 'enrolled')
})

test('T49, C9: messages of other logins do not end the code of the user', async () => {
  const at = await host()
  const ann = await withApp(at)
  await withPhone(at, ann)
  const mine = { ticket: await ticketOf(at, 'ann', 'mine'), session: 'mine' }
  await at.factor.sendSms(mine)
  const code = at.sms.lastCode()
  for (let i = 0; i < 3; i += 1) {
    at.clock.advance(60)
    await at.factor.sendSms({ ticket: await ticketOf(at, 'ann', 'thief'), session: 'thief' })
  }
  assert.equal(at.sms.messages.length, 5, 'all were sent')
  assert.equal((await at.factor.verify({ ...mine, method: 'sms', code })).result, 'verified')
})

test('C9: a set-up that is foreign, altered or too long is answered, never thrown', async () => {
  const at = await host()
  const { setup, secret } = await at.factor.enrollTotp({ user: 'ann', session: 's', label: 'ann' })
  assert.ok(setup.length <= 1_024)
  const code = codeOf(at, secret)
  const middle = setup.length >> 1
  const altered = setup.slice(0, middle) + (setup[middle] === 'A' ? 'B' : 'A') + setup.slice(middle + 1)
  for (const given of ['', '-', '.', altered, `${setup}A`, 'A'.repeat(8_000), '\u{1f600}']) {
    const reply = await at.factor.confirmTotp({ user: 'ann', session: 's', setup: given, code })
    assert.deepEqual(reply, { result: 'expired' })
  }
  const foreign = await at.factor.confirmTotp({ user: 'bob', session: 's', setup, code })
  assert.deepEqual(foreign, { result: 'expired' })
  for (const given of [undefined, 7, {}, null, 'A'.repeat(60_000)]) {
    const reply = await at.factor.confirmTotp(/** @type {any} */ ({ user: 'ann', session: 's', setup: given, code }))
    assert.deepEqual([reply.result, reply.field], ['malformed', 'setup'])
  }
})

test('C10: a repeated right code is told apart and not charged', async () => {
  const at = await host()
  const ann = await withApp(at)
  await withPhone(at, ann)
  const attempt = async (method, code) => {
    const input = { ticket: await ticketOf(at, 'ann'), session: 'before', method, code }
    return (again) => at.factor.verify({ ...input, ...again })
  }
  const byApp = await attempt('totp', codeOf(at, ann.secret))
  assert.equal((await byApp()).result, 'verified')
  const next = at.clock() - (at.clock() % 30) + 30
  assert.deepEqual(await byApp(), { result: 'already_used', retryAt: next })
  assert.equal(at.events.at(-1).event, 'code_repeated')
  const ticket = await ticketOf(at, 'ann')
  await at.factor.sendSms({ ticket, session: 'before' })
  const bySms = () => at.factor.verify({ ticket, session: 'before', method: 'sms', code: at.sms.lastCode() })
  const replies = await Promise.all(Array.from({ length: 50 }, bySms))
  assert.deepEqual([count(replies, 'verified'), count(replies, 'already_used')], [1, 49])
  assert.equal((await at.factor.status({ user: 'ann' })).attempts.failures, 0)

  const byBackup = await attempt('backup_code', ann.backupCodes[0])
  assert.equal((await byBackup()).result, 'verified')
  assert.equal((await byBackup()).attemptsLeft, 4, 'a hashed code is charged')
})

test('C11: a message that never left gives its slot back, three times an hour', async () => {
  const told = []
  const at = await host()
  const ann = await withApp(at)
  await withPhone(at, ann)
  const sent = []
  let failure = () => new SmsNeverLeft('the gateway refused it')
  const factor = createSecondFactor({
    ...at.options,
    sendSms: (message) => {
      sent.push(message)
      if (failure) throw failure()
    },
    onEffectError: (error) => told.push(error),
  })
  const login = { ticket: await ticketOf(at, 'ann'), session: 'before' }
  for (let i = 0; i < 4; i += 1) {
    await assert.rejects(factor.sendSms(login), refusedWith('sms_not_sent', 'sendSms'))
    const { code } = sent.at(-1).template
    assert.equal((await factor.verify({ ...login, method: 'sms', code })).result, 'expired', 'nobody has this code')
  }
  assert.equal(sent.length, 4)
  assert.equal((await factor.sendSms(login)).reason, 'cooldown', 'the fourth kept its slot')
  assert.equal(at.events.filter(({ event }) => event === 'sms_never_left').length, 4)

  at.clock.advance(3_600)
  login.ticket = await ticketOf(at, 'ann')
  await assert.rejects(factor.sendSms(login), refusedWith('sms_not_sent'))
  failure = undefined
  assert.equal((await factor.sendSms(login)).result, 'sms_sent', 'at once')
  assert.equal((await factor.verify({ ...login, method: 'sms', code: sent.at(-1).template.code })).result, 'verified')
  assert.deepEqual(told, [])
  assert.ok(
    !Object.keys(factor).some((name) => /left|return|back(?!upCodes)/i.test(name)),
    'no method gives a slot back',
  )
})

test('C11: a store that fails while a slot is given back is reported, and the caller gets sms_not_sent', async () => {
  const inner = memoryStore()
  const told = []
  let failing = false
  const store = {
    load: inner.load,
    save: async (...args) => (failing ? Promise.reject(new Error('disk full')) : inner.save(...args)),
  }
  const at = await host({
    store,
    sendSms: () => {
      failing = true
      throw new SmsNeverLeft()
    },
    onEffectError: (error) => told.push(error.code),
  })
  const enroll = at.factor.enrollSms({ user: 'ann', session: 's', number: NUMBER })
  await assert.rejects(enroll, refusedWith('sms_not_sent', 'sendSms'))
  assert.deepEqual(told, ['store_failed'])
})

test('the budget of backup codes holds through the package', async () => {
  const at = await host({ policy: rules({ backupCodes: { count: 1 } }) })
  const first = { user: 'ann', session: 'in' }
  const { setup, secret } = await at.factor.enrollTotp({ ...first, label: 'ann' })
  let { pass } = await at.factor.confirmTotp({ ...first, setup, code: codeOf(at, secret) })
  for (let i = 0; i < 4; i += 1) {
    const reply = await at.factor.renewBackupCodes({ ...first, pass })
    assert.equal(reply.result, 'backup_codes')
    pass = reply.pass
  }
  const refused = { result: 'denied', reason: 'too_often', retryAt: at.clock() + 3_600 }
  assert.deepEqual(await at.factor.renewBackupCodes({ ...first, pass }), refused)
  assert.equal((await removeFirst(at, { ...first, pass }, 'totp')).result, 'removed')
  assert.deepEqual(await at.factor.enrollTotp({ ...first, label: 'ann' }), refused, 'a first factor makes a set, too')
})

test('1,000 wrong codes of one user hold up neither another user nor, once locked, this one', async () => {
  const inner = memoryStore()
  let held
  const held_up = []
  const store = {
    load: inner.load,
    save: async (id, ...rest) => {
      if (held && id.user === 'ann') {
        held_up.push(id)
        await held
      }
      return inner.save(id, ...rest)
    },
  }
  const at = await host({ store })
  const [ann, bob] = [await withApp(at, 'ann'), await withApp(at, 'bob')]
  const of = async (person) => ({
    ticket: await ticketOf(at, person.user),
    session: 'before',
    method: /** @type {const} */ ('totp'),
  })
  const [mine, others] = [await of(ann), await of(bob)]
  const wrong = { ...mine, code: wrongCode(at, ann.secret) }
  let release
  held = new Promise((resolve) => {
    release = resolve
  })
  let done = 0
  const guesses = Array.from({ length: 1_000 }, () => at.factor.verify(wrong).finally(() => (done += 1)))
  assert.equal((await at.factor.verify({ ...others, code: codeOf(at, bob.secret) })).result, 'verified')
  assert.deepEqual([done, held_up.length], [0, 1], 'bob is in before any of them is answered')
  release()
  const replies = await Promise.all(guesses)
  assert.deepEqual([count(replies, 'wrong'), count(replies, 'locked')], [5, 995])

  // Locked: nothing is written, so nobody waits for a write.
  held_up.length = 0
  held = new Promise(() => {})
  const locked = await Promise.all(Array.from({ length: 1_000 }, () => at.factor.verify(wrong)))
  assert.deepEqual([count(locked, 'locked'), held_up.length], [1_000, 0])
})
