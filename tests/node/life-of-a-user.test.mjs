// T58, and the rest of a user's life: a changed password, signing out everywhere, a move to another account, and the end.
import assert from 'node:assert/strict'
import test from 'node:test'
import Database from 'better-sqlite3'
import { memoryStore } from 'countersign'
import { createOperator } from 'countersign/operator'
import { sqliteStore } from 'countersign/stores/sqlite'
import { codeOf, host, login, plainStore, refusedWith, rules, ticketOf, withApp, withPhone } from './support.mjs'

const operatorOf = (at, changes = {}) => createOperator({ ...at.options, ...changes })
const STORES = { memoryStore, sqliteStore: () => sqliteStore(new Database(':memory:')) }

/** A test with each store that the package has. */
const eachStore = (name, run) => {
  for (const [store, make] of Object.entries(STORES)) test(`${name} (${store})`, () => run(make()))
}

test('a change of the password ends the login that the old one began, and leaves sessions in', async () => {
  const at = await host()
  const ann = await withApp(at)
  const { pass } = await login(at, ann)
  const ticket = await ticketOf(at, 'ann', 'thief')
  assert.equal(await at.factor.passwordChanged({ user: 'ann' }), undefined)
  const code = codeOf(at, ann.secret)
  const expired = { result: 'denied', reason: 'ticket_expired' }
  assert.deepEqual(await at.factor.verify({ ticket, session: 'thief', method: 'totp', code }), expired)
  assert.equal((await at.factor.check({ user: 'ann', session: 'in', pass, fresh: true })).result, 'in')
  assert.equal(at.events.at(-2).event, 'password_changed')
  assert.equal((await login(at, ann, 'again')).result, 'verified')
})

test('signing out everywhere ends the passes of all sessions at once, by the list of the store', async () => {
  const ended = []
  const at = await host({ endPasses: (one) => ended.push(one) })
  const ann = await withApp(at)
  const { pass } = await login(at, ann)
  await at.factor.signOutEverywhere({ user: 'ann' })
  assert.deepEqual(await at.factor.check({ user: 'ann', session: 'in', pass }), {
    result: 'second_step',
    reason: 'revoked',
  })
  assert.equal(ended.at(-1).user, 'ann')
  assert.equal((await login(at, ann, 'again')).result, 'verified')
})

test('the words of the host take a user, and nothing that a client could add', async () => {
  const at = await host()
  for (const word of ['passwordChanged', 'signOutEverywhere']) {
    await assert.rejects(at.factor[word]({ user: 'ann', session: 's' }), refusedWith('invalid_input', 'session'))
    await assert.rejects(at.factor[word]({}), refusedWith('invalid_input', 'user'))
    await assert.rejects(at.factor[word]({ user: 'ann', ip: 7 }), refusedWith('invalid_input', 'ip'))
    await assert.rejects(at.factor[word]('ann'), {
      message: 'takes one object with the fields `user`, `account`, `ip`',
    })
  }
})

test('the words of the host tell the trail the address of the request', async () => {
  const at = await host()
  const events = { passwordChanged: 'password_changed', signOutEverywhere: 'signed_out_everywhere' }
  for (const [word, event] of Object.entries(events)) {
    await at.factor[word]({ user: 'ann', ip: '203.0.113.7' })
    assert.deepEqual([at.events.at(-1).event, at.events.at(-1).ip], [event, '203.0.113.7'])
    await at.factor[word]({ user: 'ann' })
    assert.deepEqual([at.events.at(-1).event, at.events.at(-1).ip], [event, undefined])
  }
})

eachStore('an account is given to a user, whose app and phone come along', async (store) => {
  const at = await host({ store })
  const ann = await withApp(at)
  await withPhone(at, ann)
  const { pass } = await login(at, ann)
  const before = await at.factor.status({ user: 'ann' })
  const [from, to] = [{ user: 'ann' }, { account: 'acme', user: 'ann' }]
  const moved = await operatorOf(at).moved({ from, to, operator: 'night shift' })
  assert.deepEqual(
    moved.factors,
    before.methods.map(({ id, name }) => ({ id, name })),
  )
  assert.deepEqual(
    at.notices.slice(-2).map(({ kind, to: people, account }) => [kind, people, account]),
    [
      ['moved', 'user', 'acme'],
      ['moved', 'owners', 'acme'],
    ],
  )
  const own = ({ event, account, fromUser, toAccount, toUser }) => ({ event, account, fromUser, toAccount, toUser })
  const nothing = { fromUser: undefined, toAccount: undefined, toUser: undefined }
  assert.deepEqual(at.events.slice(-2).map(own), [
    { ...nothing, event: 'moved_away', account: undefined, toAccount: 'acme', toUser: 'ann' },
    { ...nothing, event: 'moved_here', account: 'acme', fromUser: 'ann' },
  ])
  assert.deepEqual((await at.factor.status(to)).methods, before.methods)
  assert.equal((await at.factor.status(from)).enrolled, false)
  const old = await at.factor.check({ ...from, session: 'in', pass })
  assert.deepEqual(old, { result: 'denied', reason: 'recovery_code_required' }, 'the password opens no old place')

  const { ticket } = await at.factor.begin({ ...to, session: 's' })
  const second = { account: 'acme', ticket, session: 's', newSession: 'next', method: 'totp' }
  assert.equal((await at.factor.verify({ ...second, code: codeOf(at, ann.secret) })).result, 'verified')
})

test('T58: two users become one, and keep the factors of the account that stays', async () => {
  const at = await host()
  const thief = await withApp(at, 'mallory')
  const ann = await withApp(at)
  const moved = { from: { user: 'mallory' }, to: { user: 'ann' }, operator: 'night shift' }
  assert.deepEqual(await operatorOf(at).moved(moved), { result: 'moved', factors: [], found: true })
  at.clock.advance(60)
  const ticket = await ticketOf(at, 'ann')
  const verify = (secret) => at.factor.verify({ ticket, session: 'before', method: 'totp', code: codeOf(at, secret) })
  assert.equal((await verify(thief.secret)).result, 'wrong')
  assert.equal((await verify(ann.secret)).result, 'verified')
})

test('T58: no factor comes to an account that lets newcomers in by a recovery code alone', async () => {
  const policies = { undefined: rules(), strict: rules({ require: 'everyone' }) }
  const at = await host({ policy: ({ account }) => policies[account] })
  await withApp(at)
  const to = { account: 'strict', user: 'ann' }
  const moved = await operatorOf(at).moved({ from: { user: 'ann' }, to, operator: 'night shift' })
  assert.deepEqual(moved, { result: 'moved', factors: [], found: true })
  assert.deepEqual(await at.factor.begin({ ...to, session: 's' }), {
    result: 'denied',
    reason: 'recovery_code_required',
  })
})

test('T57: a user on the way to another account is reset nowhere else, and by nobody', async () => {
  const store = memoryStore()
  const at = await host({ store })
  await withApp(at)
  const olga = await withApp(at, 'olga')
  const { pass } = await login(at, olga)
  const by = { user: 'olga', session: 'in', pass, role: /** @type {const} */ ('owner') }
  const meanwhile = []
  const { save } = store
  let writes = 0
  store.save = async (id, ...given) => {
    const saved = await save(id, ...given)
    if (id.user === 'ann' && ++writes <= 2) {
      const acts = ['issueRecoveryCode', 'reset'].map((act) =>
        operatorOf(at)[act]({ user: 'ann', operator: 'day shift' }),
      )
      const codes = await Promise.all(acts.map((act) => act.catch(({ code }) => code)))
      meanwhile.push([(await at.factor.reset({ user: 'ann', by })).reason, ...codes])
    }
    return saved
  }
  const [from, to] = [{ user: 'ann' }, { account: 'acme', user: 'ann' }]
  const moved = await operatorOf(at).moved({ from, to, operator: 'night shift' })
  assert.equal(moved.factors.length, 1)
  assert.deepEqual(meanwhile, [
    ['move_under_way', 'invalid_input', 'invalid_input'],
    ['move_under_way', 'invalid_input', 'invalid_input'],
  ])
  const { code } = await operatorOf(at).reset({ ...to, operator: 'day shift' })
  assert.match(code, /-/, 'the new place is open to it')
})

test('a store that cannot list ended passes fails the command, which tells it again', async () => {
  const store = memoryStore()
  const at = await host({ store })
  const ann = await withApp(at)
  const { pass } = await login(at, ann)
  const { revoke } = store
  store.revoke = async () => {
    throw new Error('down')
  }
  const [from, to] = [{ user: 'ann' }, { account: 'acme', user: 'ann' }]
  const move = () => operatorOf(at).moved({ from, to, operator: 'night shift' })
  await assert.rejects(move(), refusedWith('store_failed', 'store.revoke'))
  await assert.rejects(move(), refusedWith('store_failed', 'store.revoke'))
  store.revoke = revoke
  assert.equal((await move()).factors.length, 1)
  const part = await store.revoked({ user: 'ann', session: 'in' })
  assert.ok(part.epochs?.ann, 'the passes of the old place are on the list')
  assert.equal((await at.factor.checkPass({ user: 'ann', session: 'in', pass })).result, 'refused')
})

test('two moves in opposite directions at once lose nothing', async () => {
  for (let round = 0; round < 40; round += 1) {
    const at = await host()
    await withApp(at)
    const [one, other] = [{ user: 'ann' }, { account: 'acme', user: 'ann' }]
    const move = (from, to) =>
      operatorOf(at)
        .moved({ from, to, operator: 'night shift' })
        .catch((error) => error.code)
    const pause = () => new Promise((resolve) => setTimeout(resolve, round % 4))
    await Promise.all([move(one, other), pause().then(() => move(other, one))])
    const left = await Promise.all([one, other].map(async (id) => (await at.factor.status(id)).methods.length))
    assert.ok(left.includes(1), `round ${round}: ${left}`)
  }
})

for (const [write, step] of ['first', 'second', 'third', 'fourth', 'fifth'].entries()) {
  for (const lands of [false, true]) {
    test(`T58: a move whose ${step} write fails${lands ? ' after it landed' : ''} loses nothing, and is done again`, async () => {
      const store = memoryStore()
      const at = await host({ store })
      const ann = await withApp(at)
      const [from, to] = [{ user: 'ann' }, { account: 'acme', user: 'ann' }]
      const [save, { load }] = [store.save, store]
      let writes = 0
      store.save = async (...given) => {
        const fails = writes++ === write
        if (fails && lands) await save(...given)
        if (fails) store.load = async () => Promise.reject(new Error('down'))
        return fails ? Promise.reject(new Error('down')) : save(...given)
      }
      const move = () => operatorOf(at).moved({ from, to, operator: 'night shift' })
      await assert.rejects(move(), { code: 'store_failed' })
      Object.assign(store, { save, load })
      const count = async (id) => (await at.factor.status(id)).methods.length
      const has = [await count(from), await count(to)]
      const moment = write + (lands ? 1 : 0)
      assert.deepEqual(has, [moment < 1 ? 1 : 0, moment < 3 ? 0 : 1], 'it counts at one place at most')
      assert.equal((await move()).factors.length, 1)
      assert.deepEqual([await count(from), await count(to)], [0, 1])
      const { ticket } = await at.factor.begin({ ...to, session: 's' })
      const second = {
        account: 'acme',
        ticket,
        session: 's',
        newSession: 'next',
        method: /** @type {const} */ ('totp'),
      }
      assert.equal((await at.factor.verify({ ...second, code: codeOf(at, ann.secret) })).result, 'verified')
    })
  }
}

for (const [write, step] of ['first', 'second', 'third', 'fourth', 'fifth'].entries()) {
  test(`T58: a move whose ${step} write hangs while the old place is erased brings nothing back`, async () => {
    const store = memoryStore()
    const at = await host({ store })
    await withApp(at)
    const [from, to] = [{ user: 'ann' }, { account: 'acme', user: 'ann' }]
    const erase = () => operatorOf(at).erased({ ...from, operator: 'night shift' })
    const { save } = store
    let writes = 0
    store.save = async (...given) => {
      if (writes++ !== write) return save(...given)
      store.save = save
      await erase()
      return save(...given)
    }
    const has = async (id) => (await at.factor.status(id)).methods.length
    const ended = await operatorOf(at)
      .moved({ from, to, operator: 'night shift' })
      .then(
        ({ factors }) => factors.length,
        (error) => error.code,
      )
    const hadArrived = write > 2
    assert.deepEqual([ended, await has(from), await has(to)], [write > 3 ? 1 : 'conflict', 0, hadArrived ? 1 : 0])
    assert.equal((await store.load(to))?.record.includes('"arrival"') ?? false, false, 'and no move is left open')
    await withApp(at)
    assert.deepEqual([await has(from), await has(to)], [1, hadArrived ? 1 : 0], 'somebody may begin anew')
  })
}

test('T58: a place that was erased in the middle of a move, and given to somebody else, holds up nobody', async () => {
  const store = memoryStore()
  const at = await host({ store })
  await withApp(at)
  const [from, to] = [{ user: 'ann' }, { account: 'acme', user: 'ann' }]
  const { save } = store
  let isThere = false
  store.save = async (id, ...given) => {
    if (isThere && id.account === undefined) throw new Error('down')
    isThere ||= id.account === 'acme' && given[0].includes('"arrival"')
    return save(id, ...given)
  }
  await assert.rejects(operatorOf(at).moved({ from, to, operator: 'night shift' }), { code: 'store_failed' })
  store.save = save
  const elsewhere = { from: to, to: { account: 'other', user: 'ann' }, operator: 'night shift' }
  await assert.rejects(operatorOf(at).moved(elsewhere), refusedWith('invalid_input', 'from'))
  await assert.rejects(operatorOf(at).erased({ ...to, operator: 'night shift' }), refusedWith('invalid_input', 'user'))
  await operatorOf(at).erased({ ...from, operator: 'night shift' })
  await withApp(at)
  assert.equal((await operatorOf(at).moved(elsewhere)).factors.length, 1)
  assert.equal((await at.factor.status(from)).methods.length, 1, 'the app of the new one stays')
})

test('a move names two places, and an operator', async () => {
  const at = await host()
  const from = { user: 'ann' }
  await assert.rejects(operatorOf(at).moved({ from, to: from, operator: 'x' }), refusedWith('invalid_input', 'to'))
  await assert.rejects(operatorOf(at).moved({ from, operator: 'x' }), refusedWith('invalid_input', 'to'))
})

test('T58: an erasure, or a move, that has lost its race does not begin with somebody else', async () => {
  for (const command of ['erased', 'moved']) {
    const store = memoryStore()
    const at = await host({ store })
    await withApp(at)
    const [from, to] = [{ user: 'ann' }, { account: 'acme', user: 'ann' }]
    const erase = () => operatorOf(at).erased({ ...from, operator: 'night shift' })
    const slow = () => (command === 'erased' ? erase() : operatorOf(at).moved({ from, to, operator: 'night shift' }))
    const { save } = store
    store.save = async (...given) => {
      store.save = save
      await erase()
      await withApp(at) // Somebody has the id now.
      return save(...given)
    }
    await assert.rejects(slow(), { code: 'conflict' }, command)
    assert.equal((await at.factor.status(from)).methods.length, 1, command)
    assert.equal((await at.factor.status(to)).methods.length, 0, command)
  }
})

test('T57: a reset while an erasure hangs before it deletes is not undone by it', async () => {
  const store = memoryStore()
  const at = await host({ store })
  await withApp(at)
  const { delete: remove } = store
  store.delete = async (...given) => {
    store.delete = remove
    await operatorOf(at).reset({ user: 'ann', operator: 'night shift' })
    return remove(...given)
  }
  await operatorOf(at).erased({ user: 'ann', operator: 'night shift' })
  assert.equal((await at.factor.begin({ user: 'ann', session: 's' })).result, 'challenge', 'by the recovery code')
  assert.equal((await at.factor.status({ user: 'ann' })).enrollment, 'reset')
})

test('T58: an erasure that hangs before it deletes leaves a record that another one still needs', async () => {
  const store = memoryStore()
  const at = await host({ store })
  await withApp(at)
  const [from, to] = [{ user: 'ann' }, { account: 'acme', user: 'ann' }]
  const erase = () => operatorOf(at).erased({ ...from, operator: 'night shift' })
  const { delete: remove, save } = store
  const onlyAt = (place) => {
    store.save = async (id, ...given) =>
      id.account === place.account ? save(id, ...given) : Promise.reject(new Error('down'))
  }
  store.delete = async (...given) => {
    store.delete = remove
    await erase()
    await withApp(at)
    onlyAt(from)
    await assert.rejects(operatorOf(at).moved({ from, to, operator: 'night shift' }), { code: 'store_failed' })
    // The second erasure cannot write the new place.
    await assert.rejects(erase(), { code: 'store_failed' })
    store.save = save
    return remove(...given)
  }
  await erase()
  assert.ok((await store.load(from))?.record.includes('"withdrawal"'), 'what must be taken back is still known')
  assert.deepEqual(await erase(), { found: true })
  assert.equal(await store.load(from), undefined)
  assert.equal((await at.factor.begin({ ...to, session: 's' })).reason, 'recovery_code_required')
})

test('an erasure on the way leaves the trusted browsers of the user at the new place', async () => {
  const trusting = rules({ trustedBrowser: { days: 30 } })
  const at = await host({ policy: ({ account }) => (account === undefined ? rules({}) : trusting) })
  await withApp(at)
  const [from, to] = [{ user: 'ann' }, { account: 'acme', user: 'ann' }]
  const started = await at.factor.enrollTotp({ ...to, session: 'x', label: 'ann' })
  const secret = started.secret.replaceAll(' ', '')
  await at.factor.confirmTotp({ ...to, session: 'x', setup: started.setup, code: codeOf(at, secret) })
  at.clock.advance(60)
  const begun = await at.factor.begin({ ...to, session: 's' })
  const trust = { method: /** @type {const} */ ('totp'), trustBrowser: { name: 'Firefox' } }
  const second = { account: 'acme', ticket: begun.ticket, session: 's', newSession: 'in', ...trust }
  assert.equal((await at.factor.verify({ ...second, code: codeOf(at, secret) })).result, 'verified')
  const { store } = at.options
  const { save } = store
  let writes = 0
  store.save = async (...given) => ((writes += 1) > 1 ? Promise.reject(new Error('down')) : save(...given))
  await assert.rejects(operatorOf(at).moved({ from, to, operator: 'night shift' }), { code: 'store_failed' })
  store.save = save
  await operatorOf(at).erased({ ...from, operator: 'night shift' })
  assert.equal((await at.factor.status(to)).trustedBrowsers.length, 1)
})

test('an erasure that was slow deletes nobody who has begun anew', async () => {
  const store = memoryStore()
  const at = await host({ store })
  await withApp(at)
  const erase = () => operatorOf(at).erased({ user: 'ann', operator: 'night shift' })
  const { save } = store
  store.save = async (...given) => {
    store.save = save
    const saved = await save(...given)
    await erase()
    await withApp(at)
    return saved
  }
  await erase()
  assert.equal((await at.factor.status({ user: 'ann' })).methods.length, 1)
})

eachStore('of an erased user no record is left, and no pass counts', async (store) => {
  const at = await host({ store, policy: rules({ require: 'everyone', firstFactor: 'password' }) })
  const begun = await at.factor.begin({ user: 'ann', session: 's' })
  const started = await at.factor.enrollTotp({ user: 'ann', session: 's', ticket: begun.ticket, label: 'ann' })
  const confirm = { user: 'ann', session: 's', newSession: 'in', setup: started.setup }
  const { pass } = await at.factor.confirmTotp({ ...confirm, code: codeOf(at, started.secret) })
  assert.equal((await at.factor.check({ user: 'ann', session: 'in', pass })).result, 'in')

  const input = { user: 'ann', operator: 'night shift' }
  assert.deepEqual(await operatorOf(at).erased(input), { found: true })
  assert.equal(await store.load({ user: 'ann' }), undefined)
  assert.equal(at.events.at(-1).event, 'erased')
  assert.equal((await at.factor.check({ user: 'ann', session: 'in', pass })).reason, 'revoked')
  assert.deepEqual(await operatorOf(at).erased(input), { found: false })
  assert.equal(await store.load({ user: 'ann' }), undefined, 'again, it makes none')
})

eachStore('a move and an erasure say whether there was a record', async (store) => {
  const at = await host({ store })
  await withApp(at)
  const [from, to] = [{ user: 'ann' }, { account: 'acme', user: 'ann' }]
  const move = async (place) => (await operatorOf(at).moved({ from: place, to, operator: 'night shift' })).found
  const erase = async (place) => (await operatorOf(at).erased({ ...place, operator: 'night shift' })).found
  const elsewhere = [{ user: 'anne' }, { account: 'other', user: 'ann' }]
  for (const place of elsewhere) assert.deepEqual([await move(place), await erase(place)], [false, false])
  for (const place of elsewhere) assert.equal(await store.load(place), undefined, 'and none was made')
  assert.equal(await move(from), true)
  assert.equal(await move(from), true, 'a move that is done again finds the record that it left')
  assert.equal(await erase(from), true, 'and so does its erasure')
  assert.deepEqual([await move(from), await erase(from)], [false, false])
  assert.equal((await at.factor.status(to)).enrolled, true)
})

test('an erasure that failed before it deleted the record finds it again', async () => {
  const store = memoryStore()
  const at = await host({ store })
  await withApp(at)
  const { delete: remove } = store
  store.delete = async () => Promise.reject(new Error('down'))
  const erase = () => operatorOf(at).erased({ user: 'ann', operator: 'night shift' })
  await assert.rejects(erase(), refusedWith('store_failed', 'store.delete'))
  store.delete = remove
  assert.deepEqual(await erase(), { found: true })
})

test('a record that another writer changes is deleted all the same, and a store without `delete` is told', async () => {
  const store = memoryStore()
  const at = await host({ store })
  await withApp(at)
  const { delete: remove } = store
  let races = 0
  store.delete = async (id, expected) => {
    if ((races += 1) === 1) await at.factor.enrollTotp({ user: 'ann', session: 's', label: 'ann' })
    if (races === 1) await at.factor.passwordChanged({ user: 'ann' })
    return remove(id, expected)
  }
  await operatorOf(at).erased({ user: 'ann', operator: 'night shift' })
  assert.equal(races, 2)
  assert.equal(await store.load({ user: 'ann' }), undefined)

  const plain = await host({ store: plainStore() })
  await withApp(plain)
  const erased = operatorOf(plain).erased({ user: 'ann', operator: 'night shift' })
  await assert.rejects(erased, refusedWith('no_delete', 'store'))
  assert.equal((await plain.factor.status({ user: 'ann' })).enrolled, true, 'and nothing was changed')
})

test('somebody who begins anew right before a record is deleted keeps the new one', async () => {
  const store = memoryStore()
  const at = await host({ store })
  await withApp(at)
  const { load, save } = store
  const { record } = await load({ user: 'ann' })
  let isEmptied = false
  store.save = async (...given) => {
    isEmptied = await save(...given)
    return isEmptied
  }
  store.load = async (id) => {
    const stored = await load(id)
    if (isEmptied) await save(id, record, stored.version)
    isEmptied = false
    return stored
  }
  assert.deepEqual(await operatorOf(at).erased({ user: 'ann', operator: 'night shift' }), { found: true })
  assert.equal((await load({ user: 'ann' }))?.record, record)
})

test('no method of a second factor moves or erases a user', async () => {
  const at = await host()
  assert.deepEqual(
    Object.keys(at.factor).filter((name) => /move|erase|delete/i.test(name)),
    ['remove', 'removeTrustedBrowser'],
  )
})
