// Single use and the attempt budget under races and crashes, on every store (T3, T4, T5).
import assert from 'node:assert/strict'
import { test } from 'node:test'
import Database from 'better-sqlite3'
import { createSecondFactor, memoryStore } from 'countersign'
import { sqliteStore } from 'countersign/stores/sqlite'
import { codeOf, count, host, login, refusedWith, rules, ticketOf, withApp, withPhone, wrongCode } from './support.mjs'

const stores = { memoryStore, 'sqliteStore on better-sqlite3': () => sqliteStore(new Database(':memory:')) }
try {
  const { DatabaseSync } = await import('node:sqlite')
  stores['sqliteStore on node:sqlite'] = () => sqliteStore(new DatabaseSync(':memory:'))
} catch {
  // This version of Node has no `node:sqlite`.
}

/** A store that answers in a later turn of the event loop, so that steps of several instances interleave. */
const slow = (store) => {
  const turn = () => new Promise((resolve) => setImmediate(resolve))
  return {
    load: async (id) => (await turn(), store.load(id)),
    save: async (...args) => (await turn(), store.save(...args)),
  }
}

/** Several processes of one service. */
const instances = (at, n, changes = {}) =>
  Array.from({ length: n }, () => createSecondFactor({ ...at.options, ...changes }))

for (const [name, make] of Object.entries(stores)) {
  test(`T3: 1,000 identical attempts at once, one success (${name})`, async () => {
    const at = await host({ store: slow(make()) })
    const ann = await withApp(at)
    const factors = await instances(at, 5)
    const input = { ticket: await ticketOf(at, 'ann'), session: 'before', method: 'totp', code: codeOf(at, ann.secret) }
    const replies = await Promise.all(Array.from({ length: 1_000 }, (_, i) => factors[i % 5].verify(input)))
    assert.equal(count(replies, 'verified'), 1)
    assert.equal(count(replies, 'already_used'), 999)
    assert.equal((await at.factor.status({ user: 'ann' })).attempts.failures, 0, 'C10: none of them was charged')
  })

  test(`T3: a backup code 30 times at once, one success (${name})`, async () => {
    const at = await host({ store: slow(make()) })
    const ann = await withApp(at)
    const factors = await instances(at, 3)
    const input = {
      ticket: await ticketOf(at, 'ann'),
      session: 'before',
      method: 'backup_code',
      code: ann.backupCodes[0],
    }
    const replies = await Promise.all(Array.from({ length: 30 }, (_, i) => factors[i % 3].verify(input)))
    assert.equal(count(replies, 'verified'), 1)
    assert.equal((await at.factor.status({ user: 'ann' })).backupCodes.left, 1)
    // The next code still works after the wait.
    at.clock.advance(86_400)
    const next = { ...input, ticket: await ticketOf(at, 'ann'), code: ann.backupCodes[1] }
    assert.equal((await at.factor.verify(next)).result, 'verified')
  })

  test(`T4: 100 wrong codes at once, five are compared (${name})`, async () => {
    const at = await host({ store: slow(make()) })
    const ann = await withApp(at)
    const factors = await instances(at, 4)
    const input = {
      ticket: await ticketOf(at, 'ann'),
      session: 'before',
      method: 'totp',
      code: wrongCode(at, ann.secret),
    }
    const replies = await Promise.all(Array.from({ length: 100 }, (_, i) => factors[i % 4].verify(input)))
    assert.equal(count(replies, 'wrong'), 5, 'four without a wait, the fifth starts one')
    assert.equal(count(replies, 'locked'), 95)
    assert.equal((await at.factor.status({ user: 'ann' })).attempts.failures, 5)
    const right = { ...input, code: codeOf(at, ann.secret) }
    assert.equal((await at.factor.verify(right)).result, 'locked', 'the right code must wait too')
    assert.equal(at.notices.filter(({ kind }) => kind === 'locked').length, 1)
  })

  test(`a call from before a deletion does not overwrite the new record (${name})`, async () => {
    const store = make()
    assert.equal(await store.save({ user: 'ann' }, 'old', undefined), true)
    const { version } = await store.load({ user: 'ann' })
    const anew = make()
    assert.equal(await anew.save({ user: 'ann' }, 'new', undefined), true)
    assert.equal(await anew.save({ user: 'ann' }, 'old, changed', version), false)
    assert.equal((await anew.load({ user: 'ann' })).record, 'new')
  })

  test(`an enrollment confirmed 20 times at once makes one set of backup codes (${name})`, async () => {
    const at = await host({ store: slow(make()) })
    const { secret, setup } = await at.factor.enrollTotp({ user: 'ann', session: 'setup', label: 'ann' })
    const factors = await instances(at, 4)
    const input = { user: 'ann', session: 'setup', setup, code: codeOf(at, secret) }
    const replies = await Promise.all(Array.from({ length: 20 }, (_, i) => factors[i % 4].confirmTotp(input)))
    assert.equal(count(replies, 'enrolled'), 1)
    assert.equal(count(replies, 'already_used'), 19)
  })

  test(`T5: the store fails between verify and write (${name})`, async () => {
    const inner = make()
    let failing = false
    const store = {
      load: (id) => inner.load(id),
      save: (...args) => {
        if (failing) throw new Error('disk full')
        return inner.save(...args)
      },
    }
    const at = await host({ store })
    const ann = await withApp(at)
    const input = { ticket: await ticketOf(at, 'ann'), session: 'before', method: 'totp', code: codeOf(at, ann.secret) }
    const before = await inner.load({ user: 'ann' })
    const events = at.events.length
    failing = true
    await assert.rejects(at.factor.verify(input), refusedWith('store_failed', 'store.save'))
    assert.deepEqual(await inner.load({ user: 'ann' }), before)
    assert.equal(at.events.length, events, 'no event is sent for a step that was not stored')
    failing = false
    assert.equal((await at.factor.verify(input)).result, 'verified')
    assert.equal((await at.factor.verify(input)).result, 'already_used')
  })

  test(`T5: a save that landed and then threw is read back, and its code counts once (${name})`, async () => {
    const inner = make()
    let failing = false
    const store = {
      load: (id) => inner.load(id),
      save: async (...args) => {
        const landed = await inner.save(...args)
        if (failing) throw new Error('connection reset')
        return landed
      },
    }
    const at = await host({ store })
    const ann = await withApp(at)
    const input = { ticket: await ticketOf(at, 'ann'), session: 'before', method: 'totp', code: codeOf(at, ann.secret) }
    failing = true
    assert.equal((await at.factor.verify(input)).result, 'verified')
    assert.equal(at.events.filter(({ event }) => event === 'code_accepted').length, 1)
    failing = false
    assert.notEqual((await at.factor.verify(input)).result, 'verified')
  })

  test(`T5: a save that threw is not taken for another's that landed (${name})`, async () => {
    const inner = make()
    const at = await host({ store: inner })
    const ann = await withApp(at)
    const input = () => ({ session: 'before', method: 'backup_code', code: ann.backupCodes[0] })
    const mine = { ...input(), ticket: await ticketOf(at, 'ann') }
    const theirs = { ...input(), ticket: await ticketOf(at, 'ann') }
    let other
    const store = {
      load: (id) => inner.load(id),
      save: async () => {
        // The same code, in the same second, in another process.
        other = await at.factor.verify(theirs)
        throw new Error('connection reset')
      },
    }
    const here = await host({ store, keys: at.keys, clock: at.clock })
    await assert.rejects(here.factor.verify(mine), refusedWith('store_failed', 'store.save'))
    assert.equal(other.result, 'verified')
  })

  test(`T5: no SMS leaves for a state that was not saved (${name})`, async () => {
    const inner = make()
    const at = await host({
      store: { load: (id) => inner.load(id), save: () => Promise.reject(new Error('disk full')) },
    })
    await assert.rejects(
      at.factor.enrollSms({ user: 'ann', session: 'setup', number: '+61412345678' }),
      refusedWith('store_failed', 'store.save'),
    )
    assert.equal(at.sms.messages.length, 0)
    assert.equal(await inner.load({ user: 'ann' }), undefined)
  })

  test(`compare-and-set keeps its contract (${name})`, async () => {
    const store = make()
    assert.equal(await store.load({ user: 'ann' }), undefined)
    assert.equal(await store.save({ user: 'ann' }, 'one', undefined), true)
    assert.equal(await store.save({ user: 'ann' }, 'other', undefined), false)
    const first = await store.load({ user: 'ann' })
    assert.equal(first.record, 'one')
    assert.equal(await store.save({ user: 'ann' }, 'two', first.version), true)
    assert.equal(await store.save({ user: 'ann' }, 'three', first.version), false)
    const second = await store.load({ user: 'ann' })
    assert.equal(second.record, 'two')
    assert.notEqual(second.version, first.version)
    assert.equal(await store.save({ user: 'bob' }, 'x', first.version), false, 'no record yet, so no version')
    assert.equal(await store.load({ user: 'bob' }), undefined)
    // A user id is a value, never SQL and never a property name.
    for (const user of ["x'; DROP TABLE second_factor; --", '__proto__', 'constructor']) {
      assert.equal(await store.load({ user }), undefined, user)
      assert.equal(await store.save({ user }, user, undefined), true)
      assert.equal((await store.load({ user })).record, user)
    }
    assert.equal((await store.load({ user: 'ann' })).record, 'two')
  })
}

test('a lost race is tried again with fresh entropy', async () => {
  const inner = memoryStore()
  let losses = 3
  const seeds = []
  const at = await host({
    store: { load: inner.load, save: async (...args) => (losses-- > 0 ? false : inner.save(...args)) },
    entropy: () => {
      const seed = crypto.getRandomValues(new Uint8Array(32))
      seeds.push(Buffer.from(seed).toString('hex'))
      return seed
    },
  })
  const given = { user: 'ann', session: 'setup' }
  const { setup } = await at.factor.enrollSms({ ...given, number: '+61412345678' })
  assert.equal(seeds.length, 4)
  assert.equal(new Set(seeds).size, 4)
  const done = await at.factor.confirmSms({ ...given, setup, code: at.sms.lastCode() })
  assert.equal(done.result, 'enrolled', 'the code in the message is that of the step that was stored')
  assert.equal(at.sms.messages.length, 1)
})

test('a race lost every time ends in conflict', async () => {
  let tries = 0
  const at = await host({ store: { load: async () => undefined, save: async () => (tries++, false) } })
  await assert.rejects(
    at.factor.enrollSms({ user: 'ann', session: 'setup', number: '+61412345678' }),
    refusedWith('conflict', 'store'),
  )
  assert.equal(tries, 100)
})

test('an answer of the store that is no record is an error', async () => {
  for (const given of [
    0,
    '',
    'x',
    true,
    [],
    {},
    { record: 'x' },
    { record: 1, version: 1 },
    { record: '{}', version: '1' },
    { record: '{}', version: NaN },
  ]) {
    const at = await host({ store: { load: async () => given, save: async () => true } })
    await assert.rejects(
      at.factor.begin({ user: 'ann', session: 's' }),
      refusedWith('store_failed', 'store.load'),
      JSON.stringify(given),
    )
  }
  for (const given of [undefined, null, 0, 1, 'true', {}]) {
    const at = await host({ store: { load: async () => undefined, save: async () => given } })
    await assert.rejects(
      at.factor.enrollSms({ user: 'ann', session: 's', number: '+61412345678' }),
      refusedWith('store_failed', 'store.save'),
      String(given),
    )
  }
})

test('a save whose answer was lost is looked for three times within a second, and else once', async (t) => {
  for (const { milliseconds, failing, ...wanted } of [
    { milliseconds: 0, failing: 2, result: 'sms_sent', looks: 3 },
    { milliseconds: 0, failing: 3, result: 'store_failed', looks: 3 },
    { milliseconds: 1_500, failing: 1, result: 'store_failed', looks: 1 },
    { milliseconds: 1_500, failing: 0, result: 'sms_sent', looks: 1 },
  ]) {
    const store = memoryStore()
    let [now, left, looks] = [0, Number.POSITIVE_INFINITY, 0]
    const clock = t.mock.method(performance, 'now', () => now)
    const load = async (id) => {
      if (left === Number.POSITIVE_INFINITY) return store.load(id)
      now += milliseconds
      looks += 1
      if (left-- > 0) throw new Error('the connection broke')
      return store.load(id)
    }
    const save = async (...given) => {
      await store.save(...given)
      left = failing
      throw new Error('the connection broke')
    }
    const at = await host({ store: { load, save } })
    const reply = await at.factor
      .enrollSms({ user: 'ann', session: 'setup', number: '+61412345678' })
      .catch(({ code }) => ({ result: code }))
    clock.mock.restore()
    assert.deepEqual({ result: reply.result, looks }, wanted, `${milliseconds} ms, ${failing} looks fail`)
  }
})

test('a failing gateway is an error, and the code of a login still works', async () => {
  const at = await host()
  const ann = await withApp(at)
  await withPhone(at, ann)
  const sent = []
  const sendSms = (message) => {
    sent.push(message)
    throw new Error('gateway')
  }
  const [factor] = instances(at, 1, { sendSms })
  const login = { ticket: await ticketOf(at, 'ann'), session: 'before' }
  await assert.rejects(factor.sendSms(login), refusedWith('sms_not_sent', 'sendSms'))
  assert.equal((await factor.sendSms(login)).reason, 'cooldown', 'the message may be on its way')
  assert.equal((await factor.verify({ ...login, method: 'sms', code: sent[0].template.code })).result, 'verified')
})

test('a failing notify, onEvent or onEffectError never costs the reply', async () => {
  const told = []
  const fail = () => {
    throw new Error('down')
  }
  const at = await host({
    notify: fail,
    onEvent: () => Promise.reject(new Error('down')),
    onEffectError: (error) => told.push(error.message),
  })
  const ann = await withApp(at)
  await new Promise((resolve) => setImmediate(resolve))
  assert.ok(told.length >= 3 && told.every((message) => message === 'down'))
  const deaf = createSecondFactor({ ...at.options, onEffectError: fail })
  const reply = await deaf.verify({
    ticket: await ticketOf(at, 'ann'),
    session: 'before',
    method: 'totp',
    code: codeOf(at, ann.secret),
  })
  assert.equal(reply.result, 'verified')
})

test('each account has its own policy in one store', async () => {
  const of = { strict: rules({ require: 'everyone' }), lax: JSON.stringify(rules()) }
  const at = await host({ policy: async ({ account }) => of[account] })
  assert.equal((await at.factor.begin({ user: 'ann', session: 's', account: 'strict' })).reason, 'enrollment_required')
  assert.equal((await at.factor.begin({ user: 'ann', session: 's', account: 'lax' })).result, 'allowed')
  await assert.rejects(
    at.factor.begin({ user: 'ann', session: 's', account: 'other' }),
    refusedWith('invalid_policy', 'policy'),
  )
  await assert.rejects(at.factor.begin({ user: 'ann', session: 's' }), refusedWith('invalid_policy', 'policy'))
})

test('T9: malformed codes, which cost no attempt, delay no other call', async () => {
  const at = await host({ store: slow(memoryStore()) })
  const ann = await withApp(at)
  const thief = { ticket: await ticketOf(at, 'ann'), session: 'before', method: 'totp', code: 'zzzzzz' }
  // Each call of the store takes a turn of the loop.
  let turns = 0
  let over = false
  const tick = () => (over ? undefined : ((turns += 1), setImmediate(tick)))
  const flood = Array.from({ length: 1_000 }, () => at.factor.verify(thief))
  tick()
  await login(at, ann)
  over = true
  assert.ok(turns < 50, `${turns} turns`)
  assert.equal(count(await Promise.all(flood), 'malformed'), 1_000)
})

test('a store that hangs in one call delays other calls only for a time', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] })
  const inner = memoryStore()
  let hanging
  const store = {
    load: (id) => (hanging === 'load' ? new Promise(() => undefined) : inner.load(id)),
    save: (...args) => (hanging === 'save' ? new Promise(() => undefined) : inner.save(...args)),
  }
  const at = await host({ store })
  const ann = await withApp(at)
  const attempt = async () => ({
    ticket: await ticketOf(at, 'ann'),
    session: 'before',
    method: 'totp',
    code: codeOf(at, ann.secret),
  })
  const turn = () => new Promise((resolve) => setImmediate(resolve))
  const input = await attempt()
  hanging = 'load'
  at.factor.verify(input)
  await turn()
  hanging = undefined
  assert.equal((await at.factor.verify({ ...input, code: 'x' })).result, 'malformed')
  hanging = 'save'
  at.factor.verify(input)
  await turn()
  hanging = undefined
  const next = at.factor.verify(input)
  let done = false
  next.then(() => (done = true))
  await turn()
  assert.equal(done, false, 'the write may still land')
  t.mock.timers.tick(10_000)
  assert.equal((await next).result, 'verified')
})

test('each of many calls at once needs few loads', async () => {
  let loads = 0
  const inner = slow(memoryStore())
  const at = await host({ store: { load: (id) => ((loads += 1), inner.load(id)), save: inner.save } })
  const replies = await Promise.all(
    Array.from({ length: 200 }, (_, i) => at.factor.enrollTotp({ user: 'ann', session: `s${i}`, label: 'ann' })),
  )
  assert.equal(count(replies, 'totp_started'), 200)
  assert.ok(loads <= 200 * 4, `${loads} loads`)
})
