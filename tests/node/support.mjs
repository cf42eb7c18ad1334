// A host for tests: a fixed clock, captured messages, cheap backup codes.
import assert from 'node:assert/strict'
import { CountersignError, createSecondFactor, generateKeys, memoryStore, totp } from 'countersign'
import { capturedSms, fixedClock } from 'countersign/testing'

export const ORIGIN = 'https://login.acme.example'

export const rules = (changes = {}) => ({
  v: 1,
  name: 'Acme',
  origin: ORIGIN,
  methods: ['totp', 'sms', 'backup_code', 'recovery_code'],
  backupCodes: { count: 2 },
  ...changes,
})

/** A store that holds no revocation list. */
export function plainStore() {
  const { load, save } = memoryStore()
  return { load, save }
}

export async function host(given = {}) {
  // Only own properties, so that the tests with a polluted prototype can use it.
  /** @type {any} */
  const options = { __proto__: null, ...given }
  const clock = options.clock ?? fixedClock()
  const sms = capturedSms()
  const notices = []
  const events = []
  const store = options.store ?? memoryStore()
  const keys = options.keys ?? generateKeys()
  const wired = {
    sendSms: sms.send,
    notify: (notice) => notices.push(notice),
    onEvent: (event) => events.push(event),
    ...options,
    clock,
    store,
    keys,
    policy: options.policy ?? rules(),
  }
  return { factor: createSecondFactor(wired), clock, sms, notices, events, store, keys, options: wired }
}

/** A user with an app. The clock ends in a step that is not used yet. */
export async function withApp(at, user = 'ann') {
  const started = await at.factor.enrollTotp({ user, session: 'setup', label: user })
  assert.equal(started.result, 'totp_started')
  const secret = started.secret.replaceAll(' ', '')
  const done = await at.factor.confirmTotp({ user, session: 'setup', setup: started.setup, code: codeOf(at, secret) })
  assert.equal(done.result, 'enrolled')
  at.clock.advance(60)
  return { user, secret, uri: started.uri, backupCodes: done.backupCodes }
}

/** The same with a phone. */
export async function withPhone(at, person, number = '+61412345678') {
  const { pass } = await login(at, person, 'phone')
  const given = { user: person.user, session: 'phone' }
  const { result, setup } = await at.factor.enrollSms({ ...given, pass, number })
  assert.equal(result, 'sms_sent')
  assert.equal((await at.factor.confirmSms({ ...given, setup, code: at.sms.lastCode() })).result, 'enrolled')
  at.clock.advance(1_800)
}

/** Removes the first factor of a method. */
export async function removeFirst(at, input, method) {
  const { user, account } = input
  const { methods } = await at.factor.status({ user, ...(account !== undefined && { account }) })
  return at.factor.remove({ ...input, factor: methods.find((one) => one.method === method)?.id ?? 'no-such-app-' })
}

export const codeOf = (at, secret, settings = {}) => totp.generate({ secret, time: at.clock(), ...settings })

export async function ticketOf(at, user, session = 'before') {
  const reply = await at.factor.begin({ user, session })
  assert.equal(reply.result, 'challenge')
  return reply.ticket
}

/** Logs in by app, and moves the clock to a step that is not used yet. */
export async function login(at, person, session = 'in') {
  const ticket = await ticketOf(at, person.user)
  const code = codeOf(at, person.secret)
  const reply = await at.factor.verify({ ticket, session: 'before', newSession: session, method: 'totp', code })
  assert.equal(reply.result, 'verified')
  at.clock.advance(60)
  return reply
}

/** A code that is wrong at all steps near now. */
export function wrongCode(at, secret) {
  const right = [-60, -30, 0, 30, 60].map((shift) => totp.generate({ secret, time: at.clock() + shift }))
  return ['000001', '000002', '000003', '000004', '000005', '000006'].find((code) => !right.includes(code))
}

export const refusedWith = (code, path) => (error) => {
  assert.ok(error instanceof CountersignError, String(error))
  assert.equal(error.code, code)
  if (path !== undefined) assert.equal(error.path, path)
  return true
}

export const count = (list, result) => list.filter((reply) => reply.result === result).length
