// Two requests at once, in an order that is forced: the second runs whole while the first waits for the engine. So the use cases
// run in this process, with the real engine; only the moment of its answer is chosen here.

import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import Database from 'better-sqlite3'
import { createSecondFactor, generateKeys } from 'countersign'
import { sqliteStore } from 'countersign/stores/sqlite'
import { demoClient, openAccounts, policyOf } from '../../examples/login/accounts.js'
import { createUseCases } from '../../examples/login/login.js'
import { messages } from '../../examples/login/messages/index.js'
import { createOutbox } from '../../examples/login/outbox.js'
import { createSessions } from '../../examples/login/sessions.js'
import { authenticatorCode, passwords } from './support.mjs'

const next = 'a few words in a row'
const loginOf = (name, password = passwords[name]) => ({ email: `${name}@acme.example`, password })
const changeTo = (password) => ({ password: passwords.member, new_password: password })

/** @returns {any[]} a browser of the person, and one of a thief. */
const twoBrowsers = () => [{}, { ip: '203.0.113.66' }]

/** The service without HTTP. `act` is one request of a visitor, who keeps what a browser would keep. */
async function startUseCases() {
  let now = 1_800_000_000
  const clock = () => now
  const db = new Database(':memory:')
  const accounts = await openAccounts(db, clock)
  const store = sqliteStore(db)
  const sessions = createSessions(db, clock, (ids) => store.revoke({ sessions: ids }, { now, until: now + 100_000 }))
  const outbox = createOutbox(db)
  const origin = 'http://localhost:3000'
  const events = []
  /** @returns {any} */
  const policyFor = (account) => policyOf(account, origin)
  const secondFactor = createSecondFactor({
    store,
    policy: ({ account }) => policyFor(accounts.account(account)),
    keys: generateKeys(),
    clock,
    notify: async () => {},
    onEvent: async (event) => void events.push(event),
    sendSms: async () => {},
  })
  const useCasesWith = (stubs) =>
    createUseCases({
      accounts,
      sessions,
      outbox,
      secondFactor: { ...secondFactor, ...stubs },
      policyFor,
      clock,
      origin,
      demo: true,
    })

  function contextOf({ cookie, ip = '192.0.2.10', trust }, input) {
    const session = cookie && sessions.find(cookie, 'web')
    const principal = session && accounts.principal(session.principal)
    const account = principal && accounts.account(principal.account)
    const words = messages.en
    const trustedBrowserOf = () => trust
    return { input, ip, browser: 'Firefox', language: 'en', words, session, principal, account, trustedBrowserOf }
  }

  /** @param {object} [stubs] functions of the engine that take the place of its own. */
  async function act(visitor, name, input, stubs) {
    /** @type {any} */
    const context = contextOf(visitor, input)
    const reply = await useCasesWith(stubs)[name](context)
    if (context.cookie !== undefined) visitor.cookie = context.cookie
    if (context.trustedBrowser) visitor.trust = context.trustedBrowser.token
    return reply
  }

  return {
    accounts,
    events,
    act,
    /** For `act`: `step` runs whole before the engine begins with `name`. */
    before: (name, step) => ({
      [name]: async (input) => {
        await step()
        return secondFactor[name](input)
      },
    }),
    /** For `act`: `step` runs whole before the engine's answer to `name` arrives. */
    after: (name, step) => ({
      [name]: async (input) => {
        const reply = await secondFactor[name](input)
        await step()
        return reply
      },
    }),
    async isIn(visitor) {
      const { session, principal, account, ip } = contextOf(visitor, {})
      if (session === undefined) return false
      return (await useCasesWith().entryOf(session, principal, account, ip)).state === 'in'
    },
    /** Logs the member in, and sets up an app; gives the codes of the app. */
    async enroll(visitor) {
      await act(visitor, 'logInWithPassword', loginOf('member'))
      const secret = (await act(visitor, 'startTotp', {})).secret.replaceAll(' ', '')
      const code = () => authenticatorCode(secret, now)
      assert.equal((await act(visitor, 'confirmTotp', { code: code() })).result, 'enrolled')
      now += 30
      return code
    },
    /** Logs the member in with a code, in a browser that is trusted from then on. */
    async trust(visitor, code) {
      await act(visitor, 'logInWithPassword', loginOf('member'))
      assert.equal((await act(visitor, 'secondStep', { method: 'totp', code, trust: 'yes' })).result, 'verified')
      now += 30
    },
  }
}

test('a login with the old password that is under way as the password changes starts no session', async () => {
  const { act, before } = await startUseCases()
  const [person, thief] = twoBrowsers()
  await act(person, 'logInWithPassword', loginOf('member'))
  const change = async () =>
    assert.equal((await act(person, 'changePassword', changeTo(next))).result, 'password_changed')
  const late = await act(thief, 'logInWithPassword', loginOf('member'), before('begin', change))
  assert.deepEqual(late, { result: 'wrong_password' })
  assert.equal(thief.cookie, undefined)
})

test('a login by a trusted browser that is under way as the password changes starts no session', async () => {
  const { act, after, enroll, trust } = await startUseCases()
  const [person, thief] = twoBrowsers()
  await trust(thief, (await enroll(person))())
  delete thief.cookie
  const change = async () =>
    assert.equal((await act(person, 'changePassword', changeTo(next))).result, 'password_changed')
  const late = await act(thief, 'logInWithPassword', loginOf('member'), after('verify', change))
  assert.deepEqual(late, { result: 'wrong_password' })
  assert.equal(thief.cookie, undefined)
})

test('a second step after the old password that is under way as the password changes gives no access', async () => {
  const { act, after, enroll, isIn } = await startUseCases()
  const [person, thief] = twoBrowsers()
  const code = await enroll(person)
  await act(thief, 'logInWithPassword', loginOf('member'))
  const change = async () =>
    assert.equal((await act(person, 'changePassword', changeTo(next))).result, 'password_changed')
  const late = await act(thief, 'secondStep', { method: 'totp', code: code() }, after('verify', change))
  assert.equal(late.result, 'denied')
  assert.equal(await isIn(thief), false)
  assert.equal(await isIn(person), true)
})

test('of two changes of a password at once one holds, and the other is refused', async () => {
  const { act, before, enroll } = await startUseCases()
  const person = {}
  await enroll(person)
  const otherTab = { ...person }
  const change = async () =>
    assert.equal((await act(otherTab, 'changePassword', changeTo(next))).result, 'password_changed')
  const late = await act(
    person,
    'changePassword',
    changeTo('some other words in a row'),
    before('passwordChanged', change),
  )
  assert.deepEqual(late, { result: 'denied', reason: 'not_your_password' })
  const resultOf = async (password) => (await act({}, 'logInWithPassword', loginOf('member', password))).result
  assert.equal(await resultOf(next), 'challenge')
  assert.equal(await resultOf('some other words in a row'), 'wrong_password')
})

test('a session that is logged out from elsewhere changes no password', async () => {
  const { act, before, isIn } = await startUseCases()
  const [person, thief] = twoBrowsers()
  for (const visitor of [person, thief]) await act(visitor, 'logInWithPassword', loginOf('member'))
  const logOutElsewhere = async () => assert.equal((await act(person, 'logOutElsewhere', {})).sessions, 1)
  const late = await act(thief, 'changePassword', changeTo(next), before('passwordChanged', logOutElsewhere))
  assert.deepEqual(late, { result: 'denied', reason: 'not_your_password' })
  assert.equal(await isIn(person), true, 'nor does it end the session of the person')
  assert.equal((await act({}, 'logInWithPassword', loginOf('member'))).result, 'allowed')
})

test('a store that fails changes no password', async () => {
  const { act } = await startUseCases()
  const person = {}
  await act(person, 'logInWithPassword', loginOf('member'))
  const passwordChanged = async () => {
    throw new Error('the store fails')
  }
  await assert.rejects(act(person, 'changePassword', changeTo(next), { passwordChanged }), /the store fails/)
  assert.equal((await act({}, 'logInWithPassword', loginOf('member'))).result, 'allowed')
})

test('a login by a trusted browser during "Log out elsewhere" does not stay in', async () => {
  const { act, before, enroll, isIn, trust } = await startUseCases()
  const [person, thief] = twoBrowsers()
  await trust(thief, (await enroll(person))())
  const again = async () => assert.equal((await act(thief, 'logInWithPassword', loginOf('member'))).result, 'verified')
  const reply = await act(person, 'logOutElsewhere', {}, before('removeTrustedBrowser', again))
  assert.equal(reply.browsers, 1)
  assert.equal(await isIn(thief), false)
  assert.equal(await isIn(person), true)
  assert.equal((await act(thief, 'logInWithPassword', loginOf('member'))).result, 'challenge')
})

test('the admission of an API client keeps a rule that is saved meanwhile', async () => {
  const { accounts, act, before } = await startUseCases()
  const owner = {}
  await act(owner, 'logInWithPassword', loginOf('owner'))
  const require = { networks: ['198.51.100.0/24'] }
  const rules = { require, firstFactor: 'password', network: { allow: [], api: [], deny: [] }, name: 'Acme' }
  accounts.saveRules('acme', rules)
  const { id: client, secret } = demoClient
  const refused = await act({ ip: '198.51.100.5' }, 'logInAsClient', { client, secret })
  assert.equal(refused.reason, 'api_client_blocked')

  const save = async () => {
    const change = { require, firstFactor: 'password', deny: ['203.0.113.0/24'], confirmed: true }
    assert.equal((await act(owner, 'changePolicy', change)).result, 'policy_saved')
  }
  const reply = await act(owner, 'admitClient', { client, rule: '198.51.100.5/32' }, before('check', save))
  assert.equal(reply.result, 'client_admitted')
  assert.deepEqual(accounts.account('acme').network, {
    allow: [],
    api: [{ network: '198.51.100.5/32', note: client }],
    deny: ['203.0.113.0/24'],
  })
})

test('the trail tells each change from the rules that it replaces', async () => {
  const { act, before, events } = await startUseCases()
  const owner = {}
  await act(owner, 'logInWithPassword', loginOf('owner'))
  const rules = { require: 'optional', firstFactor: 'recovery_code', confirmed: true }
  const deny = async () =>
    assert.equal((await act(owner, 'changePolicy', { ...rules, deny: ['203.0.113.0/24'] })).result, 'policy_saved')
  assert.equal((await act(owner, 'changePolicy', rules, before('reviewPolicy', deny))).result, 'policy_saved')
  const changes = events.filter(({ event }) => event === 'policy_changed')
  assert.equal(changes.length, 2)
  assert.deepEqual(changes[1].changes, [{ path: 'network.deny', removed: ['203.0.113.0/24'] }])
})

test('a change of the rules that names the rules it was made from is refused once others are saved', async () => {
  const { accounts, act, before } = await startUseCases()
  const owner = {}
  await act(owner, 'logInWithPassword', loginOf('owner'))
  const { base } = await act(owner, 'policy', {})
  const rules = { require: 'optional', firstFactor: 'recovery_code', base, confirmed: 'yes' }
  const deny = async () =>
    assert.equal((await act(owner, 'submitPolicy', { ...rules, deny: '203.0.113.0/24' })).result, 'policy_saved')
  const late = await act(owner, 'submitPolicy', { ...rules, deny: '' }, before('reviewPolicy', deny))
  assert.equal(late.result, 'policy_outdated')
  assert.deepEqual(accounts.account('acme').network.deny, ['203.0.113.0/24'])
})

test('a set-up of somebody whose password changes meanwhile adds no factor', async () => {
  const { act, before, isIn } = await startUseCases()
  const [person, thief] = twoBrowsers()
  for (const visitor of [person, thief]) await act(visitor, 'logInWithPassword', loginOf('member'))
  const secret = (await act(thief, 'startTotp', {})).secret.replaceAll(' ', '')
  const change = async () =>
    assert.equal((await act(person, 'changePassword', changeTo(next))).result, 'password_changed')
  const confirmation = { code: authenticatorCode(secret, 1_800_000_000) }
  const late = await act(thief, 'confirmTotp', confirmation, before('confirmTotp', change))
  assert.equal(late.result, 'expired')
  assert.equal(await isIn(person), true)
})

test('an app that is set up in another tab as the password changes keeps the person in', async () => {
  const { act, before, isIn } = await startUseCases()
  const person = {}
  await act(person, 'logInWithPassword', loginOf('member'))
  const secret = (await act(person, 'startTotp', {})).secret.replaceAll(' ', '')
  const otherTab = { ...person }
  const confirmation = { code: authenticatorCode(secret, 1_800_000_000) }
  const confirm = async () => assert.equal((await act(otherTab, 'confirmTotp', confirmation)).result, 'enrolled')
  const late = await act(person, 'changePassword', changeTo(next), before('passwordChanged', confirm))
  assert.equal(late.result, 'denied')
  assert.equal(await isIn(otherTab), true, 'both tabs have the newer cookie')
})

test('a change of the password that is refused while it is under way is not in the trail', async () => {
  const { accounts, act, events } = await startUseCases()
  const [person, thief] = twoBrowsers()
  for (const visitor of [person, thief]) await act(visitor, 'logInWithPassword', loginOf('member'))
  const hashOf = accounts.hashOf
  accounts.hashOf = async (password) => {
    accounts.hashOf = hashOf
    assert.equal((await act(person, 'logOutElsewhere', {})).sessions, 1)
    return hashOf(password)
  }
  assert.equal((await act(thief, 'changePassword', changeTo(next))).result, 'denied')
  assert.deepEqual(
    events.filter(({ event }) => event === 'password_changed'),
    [],
  )
})

test('two presses of "Log out elsewhere" at once keep the person in', async () => {
  const { act, after, isIn } = await startUseCases()
  const person = {}
  await act(person, 'logInWithPassword', loginOf('member'))
  const first = { ...person }
  const press = async () => assert.equal((await act(first, 'logOutElsewhere', {})).result, 'logged_out_elsewhere')
  const late = await act(person, 'logOutElsewhere', {}, after('status', press))
  assert.deepEqual(late, { result: 'denied', reason: 'login_required' })
  assert.equal(await isIn(first), true, 'both tabs have the newer cookie')
})

test('a review reads a long policy as often for many owners as for one', async () => {
  const { accounts, act } = await startUseCases()
  const owner = {}
  await act(owner, 'logInWithPassword', loginOf('owner'))
  let reads = 0
  const rule = {
    network: '192.0.2.0/24',
    get note() {
      reads += 1
      return 'office'
    },
  }
  const change = { require: 'optional', firstFactor: 'recovery_code', deny: [rule] }
  const readsOfReview = async () => {
    reads = 0
    const { review } = await act(owner, 'changePolicy', change)
    assert.ok(review.locksOutOwners)
    return reads
  }
  const forOne = await readsOfReview()
  const usersOf = accounts.usersOf
  const more = Array.from({ length: 50 }, (_, i) => ({ id: `u${i}`, email: `u${i}@acme.example`, role: 'owner' }))
  accounts.usersOf = (id) => [...usersOf(id), ...more.map((user) => ({ ...user, account: id, last_ip: '192.0.2.11' }))]
  assert.equal(await readsOfReview(), forOne)
})

test('no other instance writes between the first read and the write of a transaction', (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'login-'))
  t.after(() => rmSync(folder, { recursive: true }))
  const file = join(folder, 'login.sqlite')
  const other = new Database(file, { timeout: 0 })
  const answers = new Set()
  const db = new Database(file, {
    verbose() {
      if (!db?.inTransaction) return
      try {
        other.exec('BEGIN IMMEDIATE; ROLLBACK')
        answers.add('it may write')
      } catch (error) {
        answers.add(error.code)
      }
    },
  })
  const sessions = createSessions(
    db,
    () => 1_800_000_000,
    async () => {},
  )
  const outbox = createOutbox(db)
  const uses = {
    start: (fresh) => sessions.start(fresh, state),
    keep: (_fresh, session) => sessions.keep(session, { challenge: 'c' }),
    replace: (_fresh, session) => sessions.replace(session, sessions.fresh(), { proof: 'allowed' }),
    end: (_fresh, session) => sessions.end(session),
    event: () => outbox.ownEvent('wrong_password', { account: 'acme', id: 'ann' }, { at: 1, ip: '192.0.2.1' }),
  }
  const state = { principal: 'ann', channel: 'web', proof: 'password', ip: '192.0.2.1', browser: '' }
  for (const [name, use] of Object.entries(uses)) {
    const [fresh, found] = [sessions.fresh(), sessions.fresh()]
    sessions.start(found, state)
    const session = sessions.find(found.secret, 'web')
    answers.clear()
    use(fresh, session)
    assert.deepEqual([...answers], ['SQLITE_BUSY'], name)
  }
  db.close()
  other.close()
})
