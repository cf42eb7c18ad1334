// Revocation: the host ends passes and tickets before their time. Its function gives the list, or the store holds it.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { test } from 'node:test'
import Database from 'better-sqlite3'
import { createSecondFactor, memoryStore } from 'countersign'
import { storageApi } from 'countersign/storage-api'
import { sqliteStore } from 'countersign/stores/sqlite'
import {
  codeOf,
  host,
  login,
  plainStore,
  refusedWith,
  rules,
  ticketOf,
  withApp,
  withPhone,
  wrongCode,
} from './support.mjs'

const TOKEN = 'test-token-of-the-storage-api-0123456789'
const REVOKED = { result: 'second_step', reason: 'revoked' }
const TICKET_ENDED = { result: 'denied', reason: 'ticket_expired' }

/** The holders of the list. Each gives the options of a second factor, and functions that put more on the list. */
const holders = {
  'a function of the host': () => {
    /** @type {any} */
    const list = { sessions: [], users: {}, epochs: {}, accounts: {} }
    const of = (account) => (account === undefined ? list : (list.accounts[account] ??= { users: {}, epochs: {} }))
    return {
      options: {
        store: plainStore(),
        revoked: () => list,
        endPasses: ({ account, user, epoch }) => (of(account).epochs[user] ??= []).push(epoch),
      },
      endSessions: async (_, { sessions }) => void list.sessions.push(...sessions),
      endUser: async ({ account = undefined, user }, time) => void (of(account).users[user] = time),
    }
  },
  memoryStore: () => ofStore(memoryStore()),
  sqliteStore: () => ofStore(sqliteStore(new Database(':memory:'))),
}

const ofStore = (store) => ({
  options: { store },
  endSessions: (factor, input) => factor.endSessions(input),
  endUser: ({ account = undefined, user }, time) => {
    const users = { [user]: time }
    const times = { now: time, until: time + 50_000 }
    return store.revoke(account === undefined ? { users } : { accounts: { [account]: { users } } }, times)
  },
})

const eachHolder = (name, run) => {
  for (const [holder, make] of Object.entries(holders)) test(`${name} (${holder})`, (t) => run(make(), t))
}

/** Ann is logged in at home and at work. */
async function twoSessions({ options, ...holder }, changes = {}) {
  const at = await host({ ...options, ...changes })
  const ann = await withApp(at)
  const work = { user: 'ann', session: 'work', pass: (await login(at, ann, 'work')).pass }
  const home = { user: 'ann', session: 'home', pass: (await login(at, ann, 'home')).pass }
  return { at, ann, home, work, holder }
}

/** The storage API of a host, over HTTP; `put` writes what is stored once more, as a gate does after a code. */
async function storage(t, options) {
  const server = createServer(storageApi({ token: TOKEN, ...options })).listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => {
    server.closeAllConnections()
    server.close()
  })
  const { port } = /** @type {import('node:net').AddressInfo} */ (server.address())
  const call = async (method, path, /** @type {any} */ { headers = {}, body } = {}) => {
    const answer = await fetch(`http://127.0.0.1:${port}${path}`, {
      method,
      headers: { authorization: `Bearer ${TOKEN}`, ...headers },
      body: body && JSON.stringify(body),
    })
    return { status: answer.status, body: answer.status === 204 ? undefined : await answer.json() }
  }
  const put = async (user, ticket = {}, effects = []) => {
    const { record, version } = await options.store.load({ user })
    const headers = { 'content-type': 'application/json', 'if-match': `"${version}"`, ...ticket }
    const answer = await call('PUT', `/records/${user}`, { headers, body: { record, effects } })
    const isStored = (await options.store.load({ user })).version !== version
    return { ...answer, isStored }
  }
  return { call, put }
}

eachHolder('log out elsewhere ends the pass of the other session at once, and not the own one', async (made, t) => {
  const { at, home, work, holder } = await twoSessions(made)
  const api = await storage(t, made.options)
  const ticketOfSession = (session) => ({ 'ticket-session': session, 'ticket-at': String(at.clock()) })
  assert.equal((await at.factor.check(work)).result, 'in')
  assert.equal((await at.factor.checkPass(work)).result, 'valid')
  assert.deepEqual(await api.put('ann', ticketOfSession('work')), { status: 204, body: undefined, isStored: true })

  await holder.endSessions(at.factor, { user: 'ann', sessions: ['work', 'gone'] })

  assert.deepEqual(await at.factor.check(work), REVOKED, 'the answer from before is not served again')
  assert.deepEqual(await at.factor.check({ ...work, fresh: true }), REVOKED)
  assert.deepEqual(await at.factor.checkPass(work), { result: 'refused', reason: 'revoked' })
  assert.deepEqual(await api.put('ann', ticketOfSession('work')), {
    status: 410,
    body: { error: 'revoked' },
    isStored: false,
  })
  assert.deepEqual((await api.call('GET', '/revoked')).body.sessions.sort(), ['gone', 'work'], 'a gate learns of it')

  assert.equal((await at.factor.check(home)).result, 'in')
  assert.equal((await at.factor.checkPass(home)).result, 'valid')
  assert.equal((await api.put('ann', ticketOfSession('home'))).status, 204)
})

eachHolder('a change of factors ends the passes from before it, and the own session goes on', async (made) => {
  const { at, home, work } = await twoSessions(made)
  const renewed = await at.factor.renewBackupCodes(home)
  assert.equal(renewed.result, 'backup_codes')
  assert.deepEqual(await at.factor.check(work), REVOKED)
  assert.deepEqual(await at.factor.checkPass(work), { result: 'refused', reason: 'revoked' })
  assert.deepEqual(await at.factor.check(home), REVOKED, 'the own pass from before')
  assert.equal((await at.factor.check({ ...home, pass: renewed.pass })).result, 'in', 'the pass in the reply')
})

eachHolder('a user whose sessions have all ended has to show a factor again', async (made) => {
  const { at, ann, home, work, holder } = await twoSessions(made)
  await holder.endUser({ user: 'ann' }, at.clock())
  for (const session of [home, work]) assert.deepEqual(await at.factor.check(session), REVOKED)
  at.clock.advance(30)
  const { pass } = await login(at, ann, 'new')
  assert.equal((await at.factor.check({ user: 'ann', session: 'new', pass })).result, 'in')
})

eachHolder('another user, and the same user of another account, are not touched', async (made) => {
  const at = await host(made.options)
  const people = []
  for (const who of [
    { user: 'ann' },
    { user: 'bob' },
    { account: 'acme', user: 'ann' },
    { account: 'b', user: 'ann' },
  ]) {
    const { setup, secret } = await at.factor.enrollTotp({ ...who, session: `${who.account} ${who.user}`, label: 'a' })
    const given = { ...who, session: `${who.account} ${who.user}` }
    const { pass } = await at.factor.confirmTotp({ ...given, setup, code: codeOf(at, secret) })
    people.push({ ...given, pass })
  }
  const verdicts = () => Promise.all(people.map(async (person) => (await at.factor.check(person)).reason ?? 'in'))
  assert.deepEqual(await verdicts(), ['in', 'in', 'in', 'in'])
  await made.endUser({ account: 'acme', user: 'ann' }, at.clock())
  assert.deepEqual(await verdicts(), ['in', 'in', 'revoked', 'in'])
  await made.endUser({ user: 'ann' }, at.clock())
  assert.deepEqual(await verdicts(), ['revoked', 'in', 'revoked', 'in'])
  await made.endSessions(at.factor, { account: 'b', user: 'ann', sessions: ['undefined bob'] })
  assert.deepEqual(
    await verdicts(),
    ['revoked', 'revoked', 'revoked', 'in'],
    'a session id is of nobody but its session',
  )
})

eachHolder('a ticket of an ended session or user verifies no code and sends no message', async (made) => {
  const { at, ann, holder } = await twoSessions(made)
  await withPhone(at, ann)
  const tickets = { s1: await ticketOf(at, 'ann', 's1'), s2: await ticketOf(at, 'ann', 's2') }
  await holder.endSessions(at.factor, { user: 'ann', sessions: ['s1'] })
  const { version } = await made.options.store.load({ user: 'ann' })
  const events = at.events.length
  const verify = (session, code) => at.factor.verify({ ticket: tickets[session], session, method: 'totp', code })
  assert.deepEqual(await verify('s1', codeOf(at, ann.secret)), TICKET_ENDED)
  assert.deepEqual(await verify('s1', wrongCode(at, ann.secret)), TICKET_ENDED, 'a wrong code has the same answer')
  assert.deepEqual(await at.factor.sendSms({ ticket: tickets.s1, session: 's1' }), TICKET_ENDED)
  assert.equal((await made.options.store.load({ user: 'ann' })).version, version, 'no code and no attempt is used up')
  assert.equal(at.events.length, events)

  assert.equal((await at.factor.sendSms({ ticket: tickets.s2, session: 's2' })).result, 'sms_sent')
  await holder.endUser({ user: 'ann' }, at.clock() - 1)
  assert.equal((await verify('s2', wrongCode(at, ann.secret))).result, 'wrong', 'the ticket is from after that time')
  await holder.endUser({ user: 'ann' }, at.clock())
  assert.deepEqual(await verify('s2', codeOf(at, ann.secret)), TICKET_ENDED)
})

eachHolder('an ended session changes no factor, shows no code and ends no set-up', async (made) => {
  const { at, ann, home, work, holder } = await twoSessions(made, {
    policy: rules({ backupCodes: { count: 2, keepForShowing: true } }),
  })
  const app = await at.factor.enrollTotp({ ...work, label: 'ann' })
  assert.equal(app.result, 'totp_started')
  await holder.endSessions(at.factor, { user: 'ann', sessions: ['work'] })

  const refused = { result: 'denied', reason: 'fresh_factor_required' }
  const { factor } = at
  assert.deepEqual(await factor.showBackupCodes(work), refused)
  assert.deepEqual(await factor.renewBackupCodes(work), refused)
  assert.deepEqual(await factor.confirmBackupCodes({ ...work, set: 'x' }), refused)
  assert.deepEqual(await factor.remove({ ...work, factor: 'no-such-app-' }), refused)
  assert.deepEqual(await factor.enrollTotp({ ...work, label: 'ann' }), refused)
  assert.deepEqual(await factor.enrollSms({ ...work, number: '+61412345678' }), refused)
  assert.deepEqual(await factor.issueRecoveryCode({ user: 'bob', by: { ...work, role: 'owner' } }), refused)
  const { setup, secret } = app
  const code = codeOf(at, secret)
  assert.deepEqual(await factor.confirmTotp({ user: 'ann', session: 'work', setup, code }), { result: 'expired' })

  assert.equal((await factor.showBackupCodes(home)).result, 'backup_codes')
  assert.equal(
    (await factor.issueRecoveryCode({ user: 'bob', by: { ...home, role: 'owner' } })).result,
    'recovery_code',
  )
  assert.ok(await login(at, ann, 'again'))
})

eachHolder('the time of a user ends the set-ups from before it', async (made) => {
  const { at, ann, work, holder } = await twoSessions(made)
  const { setup, secret } = await at.factor.enrollTotp({ ...work, label: 'ann' })
  const held = { user: 'ann', session: 'work', setup }
  await holder.endUser({ user: 'ann' }, at.clock() - 1)
  assert.equal((await at.factor.showTotpSetup(held)).result, 'totp_started')
  await holder.endUser({ user: 'ann' }, at.clock())
  assert.deepEqual(await at.factor.showTotpSetup(held), { result: 'expired' })
  assert.deepEqual(await at.factor.confirmTotp({ ...held, code: codeOf(at, secret) }), { result: 'expired' })

  at.clock.advance(30)
  const { pass } = await login(at, ann, 'later')
  const later = await at.factor.enrollTotp({ user: 'ann', session: 'later', pass, label: 'ann' })
  assert.equal(
    (await at.factor.showTotpSetup({ user: 'ann', session: 'later', setup: later.setup })).result,
    'totp_started',
  )
})

eachHolder('a ticket for the set-up of a first factor ends with its session or user', async (made) => {
  const at = await host({ ...made.options, policy: rules({ require: 'everyone', firstFactor: 'password' }) })
  const begin = async (session) => {
    const reply = await at.factor.begin({ user: 'ann', session })
    assert.equal(reply.result, 'set_up')
    return { user: 'ann', session, ticket: reply.ticket, label: 'ann' }
  }
  const [first, second] = [await begin('s1'), await begin('s2')]
  await made.endSessions(at.factor, { user: 'ann', sessions: ['s1'] })
  assert.equal((await at.factor.enrollTotp(first)).result, 'denied')
  assert.equal((await at.factor.enrollTotp(second)).result, 'totp_started')
  await made.endUser({ user: 'ann' }, at.clock())
  assert.equal((await at.factor.enrollTotp(second)).result, 'denied')
})

test('a session that ends while its code is verified gets no pass', async () => {
  const list = { sessions: [] }
  const store = plainStore()
  const { at, ann } = await twoSessions({ options: { store, revoked: () => list } })
  const ticket = await ticketOf(at, 'ann', 's')
  const save = store.save
  store.save = async (...given) => {
    list.sessions = ['s']
    return save(...given)
  }
  const code = codeOf(at, ann.secret)
  assert.deepEqual(await at.factor.verify({ ticket, session: 's', method: 'totp', code }), TICKET_ENDED)
})

test('a login step waits for the store at most twice: once to read, once to write', async () => {
  const store = memoryStore()
  let waits = 0
  let answered
  // Questions that are asked before an earlier one is answered cost one wait.
  const waiting =
    (member) =>
    async (...given) => {
      if (answered === undefined) {
        waits += 1
        answered = new Promise((resolve) =>
          setImmediate(() => {
            answered = undefined
            resolve(undefined)
          }),
        )
      }
      await answered
      return member(...given)
    }
  const members = Object.entries(store).map(([name, member]) => [name, waiting(member)])
  const at = await host({ store: Object.fromEntries(members) })
  const ann = await withApp(at)
  // The set-up tells the list of passes that it ended, and its reply waits for none of that.
  while (answered !== undefined) await answered

  waits = 0
  const ticket = await ticketOf(at, 'ann', 's')
  assert.equal(waits, 1)
  const verify = (code) => at.factor.verify({ ticket, session: 's', method: 'totp', code })
  const cases = [
    [wrongCode(at, ann.secret), 'wrong', 2],
    [codeOf(at, ann.secret), 'verified', 2],
    [codeOf(at, ann.secret), 'already_used', 1],
  ]
  for (const [code, result, expected] of cases) {
    waits = 0
    assert.equal((await verify(code)).result, result)
    assert.equal(waits, expected, result)
  }
})

test('a session that ends while its set-up is confirmed gets no pass under a new id', async () => {
  const list = { sessions: [] }
  const store = plainStore()
  const { at, ann } = await twoSessions({ options: { store, revoked: () => list } })
  at.clock.advance(30)
  const { pass } = await login(at, ann)
  const { setup, secret } = await at.factor.enrollTotp({ user: 'ann', session: 'in', pass, label: 'ann' })
  const save = store.save
  store.save = async (...given) => {
    list.sessions = ['in']
    return save(...given)
  }
  const confirm = { user: 'ann', session: 'in', setup, code: codeOf(at, secret) }
  assert.deepEqual(await at.factor.confirmTotp({ ...confirm, newSession: 'next' }), { result: 'expired' })
  assert.equal((await at.factor.status({ user: 'ann' })).methods.length, 2, 'the factor counts')
})

for (const name of ['memoryStore', 'sqliteStore']) {
  test(`epochs that are late, reordered or told twice end no pass of a later one (${name})`, async () => {
    const told = []
    const first = await twoSessions({ options: { store: plainStore(), endPasses: (ended) => told.push(ended) } })
    const passes = [first.home]
    for (let change = 0; change < 3; change += 1) {
      const { pass } = await first.at.factor.renewBackupCodes(passes.at(-1))
      passes.push({ ...first.home, pass })
    }
    const orders = [[0, 1, 2], [2, 1, 0], [1, 2, 0, 2], [0]].map((order) => order.map((index) => told.at(index - 3)))
    for (const order of orders) {
      const { store } = holders[name]().options
      for (const { user, epoch, at } of order)
        await store.revoke({ epochs: { [user]: epoch } }, { now: at, until: at + 50_000 })
      const factor = createSecondFactor({ ...first.at.options, store: { ...first.at.store, ...listOf(store) } })
      const latest =
        told.indexOf(order.reduce((one, other) => (one.epoch > other.epoch ? one : other))) - told.length + 3
      const verdicts = await Promise.all(passes.map(async (pass) => (await factor.check(pass)).result))
      assert.deepEqual(
        verdicts,
        passes.map((_, index) => (index > latest ? 'in' : 'second_step')),
      )
    }
  })

  test(`an entry stays for as long as a pass or ticket may live, and no longer (${name})`, async () => {
    const { at, home } = await twoSessions(holders[name](), {
      policy: rules({ passSeconds: 3_600, ticketSeconds: 60 }),
    })
    const { store } = at
    const sessions = async () => (await store.revoked()).sessions.sort()
    await at.factor.endSessions({ user: 'ann', sessions: ['old'] })
    await at.factor.renewBackupCodes(home)
    const { epochs } = await store.revoked()
    assert.deepEqual(Object.keys(epochs), ['ann'])
    at.clock.advance(3_600 + 60 + 119)
    await at.factor.endSessions({ user: 'ann', sessions: ['newer'] })
    assert.deepEqual(await sessions(), ['newer', 'old'])
    assert.deepEqual((await store.revoked()).epochs, epochs)
    at.clock.advance(1)
    await at.factor.endSessions({ user: 'ann', sessions: ['newest'] })
    assert.deepEqual(await sessions(), ['newer', 'newest'])
    assert.deepEqual(Object.keys((await store.revoked()).epochs), [])
  })

  test(`a list that is asked about a session has nothing of others (${name})`, async () => {
    const { store } = holders[name]().options
    const users = Object.assign(JSON.parse('{"__proto__":7}'), { ann: 8, bob: 9 })
    const epochs = { ann: ['001800000000.AbCdEfGh_-12', '001800000001.AbCdEfGh_-12'] }
    const more = { sessions: ['s', 't'], users, epochs, accounts: { acme: { users: { ann: 5 } } } }
    await store.revoke(more, { now: 1, until: 100 })
    await store.revoke({ users: { ann: 3 } }, { now: 1, until: 50 })
    const part = async (about) => JSON.parse(JSON.stringify(await store.revoked(about)))
    assert.deepEqual(await part({ user: 'ann', session: 's' }), {
      sessions: ['s'],
      users: { ann: 8 },
      epochs: { ann: '001800000001.AbCdEfGh_-12' },
      accounts: {},
    })
    const acme = { sessions: [], users: {}, epochs: {}, accounts: { acme: { users: { ann: 5 }, epochs: {} } } }
    assert.deepEqual(await part({ account: 'acme', user: 'ann', session: 'x' }), acme)
    assert.equal(JSON.stringify((await store.revoked({ user: '__proto__', session: 'x' })).users), '{"__proto__":7}')
    const { sessions, users: all, accounts } = await part()
    assert.deepEqual(
      [sessions.sort(), Object.keys(all).sort()],
      [
        ['s', 't'],
        ['__proto__', 'ann', 'bob'],
      ],
    )
    assert.deepEqual(accounts.acme.users, { ann: 5 })
    // Of two entries about one user the later end counts, in whatever order they came.
    await store.revoke({}, { now: 99, until: 99 })
    assert.deepEqual((await part({ user: 'ann', session: 's' })).users, { ann: 8 })
    await store.revoke({}, { now: 100, until: 100 })
    assert.deepEqual(await part(), { sessions: [], users: {}, epochs: {}, accounts: {} })
  })
}

/** The part of a store that holds the list. */
const listOf = ({ revoke, revoked }) => ({ revoke, revoked })

const { cases } = JSON.parse(readFileSync(new URL('../vectors/revoked.json', import.meta.url), 'utf8'))
for (const { why, account, list, ends } of cases) {
  test(`a list with ${why} ends ${ends.join(' and ') || 'nothing'}`, async (t) => {
    let given = {}
    const store = plainStore()
    const at = await host({ store, revoked: () => given })
    const who = { ...(account ? { account } : {}), user: 'ann' }
    const { setup, secret } = await at.factor.enrollTotp({ ...who, session: 's', label: 'ann' })
    const { pass } = await at.factor.confirmTotp({ ...who, session: 's', setup, code: codeOf(at, secret) })
    const { ticket } = await at.factor.begin({ ...who, session: 's' })
    const { epoch } = JSON.parse(Buffer.from(pass.split('.')[1], 'base64url').toString())
    const [number, name] = epoch.split('.')
    const numbered = (by) => `${String(Number(number) + by).padStart(12, '0')}.AAAAAAAAAAAA`
    const epochs = { $own: `${number}.${name}`, $earlier: numbered(-1), $later: numbered(1), $twin: numbered(0) }
    given = JSON.parse(JSON.stringify(list), (_, value) => {
      if (typeof value === 'number') return value + at.clock()
      return epochs[value] ?? value
    })
    const { reason } = await at.factor.check({ ...who, session: 's', pass })
    const sent = await at.factor.sendSms({ ...(account ? { account } : {}), ticket, session: 's' })
    const ended = { pass: reason === 'revoked', ticket: sent.reason === 'ticket_expired' }
    assert.deepEqual(
      Object.keys(ended).filter((token) => ended[token]),
      ends,
    )

    // The storage API decides by the session and the time of the ticket.
    if (account === undefined) {
      const { put } = await storage(t, { store, revoked: () => given })
      const answer = await put('ann', { 'ticket-session': 's', 'ticket-at': String(at.clock()) })
      assert.equal(answer.status, ends.includes('ticket') ? 410 : 204)
    }
  })
}

/** Answers of a host's function that are no list, and the path and message of the error. */
const garbage = [
  [undefined, 'revoked', /must be an object/],
  ['s', 'revoked', /must be an object/],
  [true, 'revoked', /must be an object/],
  [[], 'revoked', /must be an object/],
  [{ session: [] }, 'revoked.session', /is not known here, expected one of `sessions`/],
  [{ sessions: 'home' }, 'revoked.sessions', /must be a list/],
  [{ sessions: { 0: 'home' } }, 'revoked.sessions', /must be a list/],
  [{ users: ['ann'] }, 'revoked.users', /must be an object/],
  [{ users: new Map([['ann', 1]]) }, 'revoked.users', /no Map/],
  [{ users: { ann: '1' } }, 'revoked.users.ann', /must be a whole number/],
  [{ users: { ann: -1 } }, 'revoked.users.ann', /must be a whole number/],
  [{ users: { ann: 1_800_000_000_000 } }, 'revoked.users.ann', /`Date\.now\(\)` gives milliseconds/],
  [{ epochs: { ann: 'e' } }, 'revoked.epochs.ann', /must be an epoch/],
  [{ epochs: { ann: ['001800000000.AbCdEfGh_-12', 7] } }, 'revoked.epochs.ann[1]', /must be a string/],
  [{ accounts: [] }, 'revoked.accounts', /must be an object/],
]

test('a revocation list that throws, hangs or gives something else lets nobody in, and says so', async (t) => {
  let answer = /** @type {() => any} */ (() => ({}))
  const store = plainStore()
  const { at, ann, home } = await twoSessions({ options: { store, revoked: () => answer() } })
  const ticket = await ticketOf(at, 'ann', 's')
  const code = codeOf(at, ann.secret)
  const rejected = []
  const noted = (error) => rejected.push(error)
  process.on('unhandledRejection', noted)
  t.after(() => process.off('unhandledRejection', noted))
  const { factor } = at
  const calls = [
    () => factor.check(home),
    () => factor.checkPass(home),
    () => factor.verify({ ticket, session: 's', method: 'totp', code }),
    () => factor.showBackupCodes(home),
    () => factor.issueRecoveryCode({ user: 'bob', by: { ...home, role: 'owner' } }),
  ]
  const failing = async (given, path, message, cause = undefined) => {
    answer = given
    for (const call of calls) {
      await assert.rejects(call(), (/** @type {any} */ error) => {
        refusedWith('revoked_failed', path)(error)
        assert.match(error.message, message)
        assert.deepEqual([error.status, error.expose], [503, false])
        assert.equal(error.cause, cause)
        return true
      })
    }
  }
  for (const [list, path, message] of garbage) await failing(() => list, path, message)
  const down = new Error('down')
  await failing(() => Promise.reject(down), 'revoked', /could not be had/, down)
  await failing(
    () => {
      throw down
    },
    'revoked',
    /could not be had/,
    down,
  )

  t.mock.timers.enable({ apis: ['setTimeout'] })
  let lateFailure = (_) => {}
  answer = () => new Promise((_, reject) => (lateFailure = reject))
  const hanging = factor.check(home)
  const outcome = assert.rejects(hanging, refusedWith('revoked_failed', 'revoked'))
  await new Promise((resolve) => setImmediate(resolve))
  t.mock.timers.tick(5_000)
  await outcome
  lateFailure(down)
  t.mock.timers.reset()

  await new Promise((resolve) => setImmediate(resolve))
  assert.deepEqual(rejected, [])
  answer = () => ({})
  assert.equal((await factor.check(home)).result, 'in', 'it goes on once the list is there again')
  assert.equal((await calls[2]()).result, 'verified', 'the code was not used up')
})

test('what a list has about others is not looked at, and a long list is no error', async () => {
  const list = {
    sessions: Array.from({ length: 200_000 }, (_, index) => `s${index}`),
    users: { bob: 'no time' },
    epochs: { bob: 1 },
    accounts: { acme: 1 },
  }
  const { at, home } = await twoSessions({ options: { store: plainStore(), revoked: () => list } })
  assert.equal((await at.factor.check(home)).result, 'in')
  list.sessions.push('home')
  assert.deepEqual(await at.factor.check(home), REVOKED)
})

test('the list is asked once, about the session, beside the policy, and only for a token', async () => {
  const asked = []
  const revoked = (/** @type {any} */ about) => (asked.push(about), {})
  const { at, home } = await twoSessions({ options: { store: plainStore(), revoked } })
  const countOf = async (call) => {
    asked.length = 0
    await call()
    return asked.length
  }
  const { factor } = at
  assert.equal(await countOf(() => factor.check(home)), 1)
  assert.deepEqual(asked, [{ user: 'ann', session: 'home' }])
  assert.equal(await countOf(() => factor.check({ ...home, fresh: true })), 1)
  assert.equal(await countOf(() => factor.checkPass(home)), 1)
  assert.equal(await countOf(() => factor.showBackupCodes(home)), 1)
  assert.equal(await countOf(() => factor.check({ user: 'ann', session: 'home' })), 0, 'no pass, no question')
  assert.equal(await countOf(() => factor.check({ ...home, pass: '' })), 0)
  assert.equal(await countOf(() => factor.begin({ user: 'ann', session: 'x' })), 0)
  assert.equal(await countOf(() => factor.status({ user: 'ann' })), 0)
  await countOf(() => factor.check({ ...home, account: 'acme' }))
  assert.deepEqual(asked, [{ account: 'acme', user: 'ann', session: 'home' }])

  // A policy that comes only after the list was asked.
  const waiting = createSecondFactor({
    ...at.options,
    policy: async () => {
      while (asked.length === 0) await new Promise((resolve) => setImmediate(resolve))
      return rules()
    },
  })
  assert.equal(await countOf(() => waiting.check(home)), 1)
})

test('without a list a good pass asks no storage, and a pass counts until it ends', async () => {
  const store = plainStore()
  const { at, home, work } = await twoSessions({ options: { store } })
  assert.equal((await at.factor.renewBackupCodes(home)).result, 'backup_codes')
  store.load = async () => assert.fail('the store is asked')
  for (const session of [home, work]) assert.equal((await at.factor.check(session)).result, 'in')
  await assert.rejects(at.factor.endSessions({ user: 'ann', sessions: ['work'] }), (/** @type {any} */ error) => {
    refusedWith('no_revoke', 'store')(error)
    assert.match(error.message, /give a store that has `revoke`/)
    return true
  })
})

test("the host's function goes before the list of the store, which then is neither asked nor told", async () => {
  const store = memoryStore()
  const ended = []
  const untouched = async () => assert.fail('the list of the store is used')
  const { at, home } = await twoSessions({
    options: {
      store: { ...store, revoke: untouched, revoked: untouched },
      revoked: () => ({}),
      endPasses: (change) => ended.push(change),
    },
  })
  ended.length = 0
  assert.equal((await at.factor.renewBackupCodes(home)).result, 'backup_codes')
  assert.equal(ended.length, 1)
  assert.equal((await at.factor.check(home)).result, 'in')
  await assert.rejects(at.factor.endSessions({ user: 'ann', sessions: ['s'] }), /the list that `revoked` gives/)
})

for (const [how, revoke] of Object.entries({
  rejects: () => Promise.reject(new Error('full')),
  throws: () => {
    throw new Error('full')
  },
})) {
  test(`a store whose list ${how} is reported, and the host is told of the change all the same`, async () => {
    const [ended, errors] = [[], []]
    const options = {
      store: { ...memoryStore(), revoke },
      endPasses: (change) => ended.push(change),
      onEffectError: (error) => errors.push(error.message),
    }
    const { at, home } = await twoSessions({ options })
    ended.length = 0
    errors.length = 0
    assert.equal((await at.factor.renewBackupCodes(home)).result, 'backup_codes')
    await new Promise((resolve) => setImmediate(resolve))
    assert.deepEqual([ended.length, errors], [1, ['full']])
    await assert.rejects(
      at.factor.endSessions({ user: 'ann', sessions: ['s'] }),
      refusedWith('store_failed', 'store.revoke'),
    )
  })
}

test('a store has both functions of the list or neither', async () => {
  const { revoke, revoked } = memoryStore()
  for (const half of [{ revoke }, { revoked }, { revoke, revoked: 1 }, { revoke: {}, revoked: {} }]) {
    await assert.rejects(host({ store: { ...plainStore(), ...half } }), refusedWith('invalid_input', 'store'))
    /** @type {any} */
    const options = { store: { ...plainStore(), ...half }, token: TOKEN }
    assert.throws(() => storageApi(options), refusedWith('invalid_input', 'store'))
  }
})

test('the input of endSessions is read strictly', async () => {
  const at = await host()
  /** @type {[any, string][]} */
  const wrong = [
    [{ sessions: ['s'] }, 'user'],
    [{ user: 'ann' }, 'sessions'],
    [{ user: 'ann', sessions: 's' }, 'sessions'],
    [{ user: 'ann', sessions: ['s', ''] }, 'sessions[1]'],
    [{ user: 'ann', sessions: ['x'.repeat(257)] }, 'sessions[0]'],
    [{ user: 'ann', sessions: [], session: 's' }, 'session'],
    [{ user: 'ann', account: null, sessions: [] }, 'account'],
  ]
  for (const [input, path] of wrong)
    await assert.rejects(at.factor.endSessions(input), refusedWith('invalid_input', path))
  assert.equal(await at.factor.endSessions({ user: 'ann', sessions: [] }), undefined)
})

test('the storage API puts the passes that a code at the gate has ended on the list of the store', async (t) => {
  const { at, home } = await twoSessions(holders.memoryStore())
  const { put, call } = await storage(t, { store: at.store })
  const later = `${String(at.clock() + 10).padStart(12, '0')}.AbCdEfGh_-12`
  const effects = [{ end_passes: { user: 'ann', epoch: later, at: at.clock() } }]
  assert.equal((await put('ann', {}, effects)).status, 204)
  assert.deepEqual(await at.factor.check(home), REVOKED)
  assert.equal((await call('GET', '/revoked')).body.epochs.ann, later)
})

test('the storage API writes nothing where the list fails or the ticket is described wrongly', async (t) => {
  const store = plainStore()
  await twoSessions({ options: { store } })
  const errors = []
  const revoked = () => Promise.reject(new Error('down'))
  const { put, call } = await storage(t, { store, revoked, onError: (error) => errors.push(error.code) })
  const ticket = { 'ticket-session': 's', 'ticket-at': '1800000000' }
  assert.deepEqual(await put('ann', ticket), { status: 500, body: { error: 'revoked_failed' }, isStored: false })
  assert.deepEqual((await call('GET', '/revoked')).body, { error: 'revoked_failed' })
  assert.deepEqual(errors, ['revoked_failed', 'revoked_failed'])
  for (const wrong of [
    { 'ticket-session': 's' },
    { 'ticket-at': '1800000000' },
    { ...ticket, 'ticket-at': '-1' },
    { ...ticket, 'ticket-at': '1e9' },
    { ...ticket, 'ticket-at': '999999999999' },
    { ...ticket, 'ticket-session': '%' },
    { ...ticket, 'ticket-session': '' },
  ]) {
    const answer = await put('ann', wrong)
    assert.deepEqual([answer.status, answer.isStored], [400, false], JSON.stringify(wrong))
  }
  assert.equal((await put('ann')).status, 204, 'a write without a ticket is none of a code')
})

test('the id of a session may have any characters in the header of the storage API', async (t) => {
  const session = 'ä 李/%"👩‍🚀'
  const store = plainStore()
  await twoSessions({ options: { store } })
  const { put } = await storage(t, { store, revoked: () => ({ sessions: [session] }) })
  const ticket = { 'ticket-session': encodeURIComponent(session), 'ticket-at': '1800000000' }
  assert.equal((await put('ann', ticket)).status, 410)
})
