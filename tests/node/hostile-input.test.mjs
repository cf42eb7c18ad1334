// Any value in any place gives a reply or a coded error, and leaves the record unchanged (T13, T33, T37).
import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as engine from 'countersign'
import { CountersignError, createSecondFactor, generateKeys, memoryStore, recordKey } from 'countersign'
import * as sqlite from 'countersign/stores/sqlite'
import { fixedClock, fixedEntropy } from 'countersign/testing'
import fc from 'fast-check'
import { codeOf, host, login, refusedWith, rules, ticketOf, withApp, withPhone } from './support.mjs'

const countersign = { ...engine, ...sqlite }

// `internal` is missing, because it is a defect of ours.
const CODES = new Set([
  'invalid_input',
  'invalid_policy',
  'invalid_keys',
  'invalid_record',
  'unknown_record_version',
  'key_missing',
  'seal_broken',
  'invalid_uri',
  'too_long',
  'store_failed',
  'conflict',
  'sms_not_sent',
  'no_sms',
])
const RESULTS = new Set([
  'allowed',
  'challenge',
  'denied',
  'sms_sent',
  'sms_refused',
  'verified',
  'wrong',
  'malformed',
  'locked',
  'expired',
  'totp_started',
  'enrolled',
  'removed',
  'backup_codes',
  'confirmed',
  'recovery_code',
  'valid',
  'refused',
  'in',
  'second_step',
])

const thrower = () => {
  throw new Error('trap')
}
const trap = new Proxy({}, { get: () => thrower })
const revoked = (target) => {
  const { proxy, revoke } = Proxy.revocable(target, {})
  revoke()
  return proxy
}
const circular = {}
circular.self = circular
let deep = []
for (let i = 0; i < 20_000; i += 1) deep = [deep]

const HOSTILE = [
  ...[
    undefined,
    null,
    true,
    false,
    0,
    -0,
    1,
    -1,
    1.5,
    NaN,
    Infinity,
    -Infinity,
    2 ** 31,
    2 ** 32,
    2 ** 53,
    Number.MAX_SAFE_INTEGER,
    1e308,
    5e-324,
    10n,
    -1n,
  ],
  ...[Symbol('x'), Symbol.iterator, () => {}, thrower, async () => {}, class {}, function* () {}],
  ...[
    '',
    ' ',
    '\0',
    '\n',
    '\ud800',
    'a\udc00b',
    '\ufeff',
    '\u202e',
    '__proto__',
    'constructor',
    'null',
    '[]',
    '{}',
    '0',
    'é'.repeat(200),
    'x'.repeat(257),
    'x'.repeat(70_000),
    '９'.repeat(6),
    '000000',
    '-',
    '%00',
  ],
  ...[
    [],
    [0],
    [[]],
    [null],
    [undefined],
    new Array(5),
    ['000000'],
    [thrower],
    {},
    { length: 3 },
    Object.create(null),
    { code: '000000' },
    { __proto__: { user: 'ann' } },
    { 'a.b': 1, [Symbol('k')]: 1 },
  ],
  ...[
    { toString: thrower, valueOf: thrower, [Symbol.toPrimitive]: thrower },
    { toJSON: thrower },
    { toJSON: () => '"x"' },
    { toJSON: () => undefined },
    {
      get user() {
        return thrower()
      },
    },
    {
      get v() {
        throw undefined
      },
    },
  ],
  ...[
    new Proxy({}, trap),
    new Proxy([], trap),
    new Proxy(() => {}, trap),
    revoked({}),
    revoked([]),
    revoked(() => {}),
    new Proxy(new Uint8Array(32), {}),
  ],
  ...[
    circular,
    deep,
    new Date(NaN),
    new Date(0),
    new Map([['user', 'ann']]),
    new Set(),
    /x/,
    new Error('x'),
    new Uint8Array(32),
    new Uint8Array(31),
    new ArrayBuffer(8),
    new WeakMap(),
    Promise.resolve(1),
    new String('ann'),
    new Number(1),
    Object(1n),
    globalThis,
  ],
]

const show = (value) => {
  try {
    return typeof value === 'string' ? JSON.stringify(value).slice(0, 40) : String(value).slice(0, 40)
  } catch {
    return typeof value
  }
}

function ours(error, what) {
  assert.ok(error instanceof CountersignError, `${what}: threw ${show(error)} ${error?.stack?.split('\n')[1] ?? ''}`)
  assert.ok(CODES.has(error.code), `${what}: code ${error.code}`)
  assert.equal(typeof error.path, 'string')
  assert.ok(error.message.length > 0 && error.message.length < 1_000, what)
}

/** Every way to put `value` in the place of something in `input`: the whole, each field, each item. */
function* places(input, path = '') {
  yield [path || '(all)', (value) => value]
  if (typeof input !== 'object' || input === null) return
  for (const key of Object.keys(input)) {
    for (const [inner, put] of places(input[key], `${path}.${key}`)) {
      yield [
        inner,
        (value) => {
          const copy = Array.isArray(input) ? [...input] : { ...input }
          copy[key] = put(value)
          return copy
        },
      ]
    }
  }
}

const secret = 'GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ'
const keys = generateKeys()
const sheet = { name: 'Acme', user: 'ann', codes: ['A', 'B'] }
const people = {
  author: 'ann',
  authorIp: '192.0.2.1',
  users: [{ user: 'ann', role: 'owner', enrollment: 'usable', ip: '192.0.2.1' }],
  apiClients: [{ id: 'x', ip: '192.0.2.2' }],
}
const smallRules = rules({
  network: { allow: ['192.0.2.0/24'], deny: [] },
  require: { networks: ['192.0.2.0/24'] },
  plans: ['pro'],
})

const TOOLS = {
  'totp.generate': [{ secret, algorithm: 'SHA1', digits: 6, periodSeconds: 30, time: 0 }],
  'totp.verify': [
    { secret, algorithm: 'SHA1', digits: 6, periodSeconds: 30, time: 0, code: '755224', window: 1, after: 0 },
  ],
  'otpauth.format': [{ issuer: 'Acme', label: 'ann', secret, algorithm: 'SHA1', digits: 6, periodSeconds: 30 }],
  'otpauth.parse': [`otpauth://totp/Acme:ann?secret=${secret}`],
  'qr.svg': ['text'],
  'backupCodes.toText': [sheet],
  'backupCodes.toHtml': [sheet],
  'backupCodes.generate': [{ keys, user: 'ann', count: 1 }],
  'backupCodes.verify': [
    {
      keys,
      user: 'ann',
      stored: countersign.backupCodes.generate({ keys, user: 'ann', count: 1 }).stored,
      code: 'x',
      time: 0,
    },
  ],
  'policy.parse': [smallRules],
  'policy.decide': [
    smallRules,
    { ip: '192.0.2.1', roles: ['admin'], channel: 'web', enrollment: 'none', recoveryCode: false, time: 1_800_000_000 },
  ],
  'policy.review': [smallRules, people],
  sqliteSchema: [{ table: 'x' }],
  sqliteStore: [{ exec: () => {}, prepare: () => ({ all: () => [], run: () => ({ changes: 1 }) }) }, { table: 'x' }],
}

const functionOf = (name) => name.split('.').reduce((owner, key) => owner[key], countersign)

test('every exported function is in one of the lists here', () => {
  const names = Object.entries(countersign).flatMap(([name, value]) =>
    typeof value === 'object' ? Object.keys(value).map((key) => `${name}.${key}`) : [name],
  )
  const elsewhere = [
    'CountersignError',
    'SmsNeverLeft',
    'createSecondFactor',
    'memoryStore',
    'newVersion',
    'generateKeys',
    'totp.secret',
    'recordKey',
  ]
  assert.deepEqual(names.sort(), [...Object.keys(TOOLS), ...elsewhere].sort())
  // These functions take no arguments, so they ignore any.
  for (const value of HOSTILE)
    for (const name of ['memoryStore', 'newVersion', 'generateKeys', 'totp.secret']) assert.ok(functionOf(name)(value))
})

for (const [name, args] of Object.entries(/** @type {Record<string, any[]>} */ (TOOLS))) {
  test(`T37: ${name}, any value in any place`, () => {
    const run = (given, what) => {
      try {
        functionOf(name)(...given)
      } catch (error) {
        ours(error, what)
      }
    }
    functionOf(name)(...args)
    run([], 'no argument')
    for (const [path, put] of places(args)) {
      if (path === '(all)') continue
      for (const value of HOSTILE) run(put(value), `${name} ${path} = ${show(value)}`)
    }
    for (const [index] of args.entries()) {
      if (typeof args[index] === 'object') run(args.with(index, { ...args[index], unknown: 1 }), 'an unknown field')
    }
  })
}

/** A user with all factors and codes, so that every command could damage a part of the record. */
async function household() {
  const at = await host({
    policy: rules({ backupCodes: { count: 1, keepForShowing: true }, plans: ['pro'] }),
    sendSms: () => {},
  })
  at.factor = createSecondFactor({
    ...at.options,
    policy: rules({ backupCodes: { count: 1, keepForShowing: true } }),
    sendSms: at.sms.send,
  })
  const ann = await withApp(at)
  await withPhone(at, ann)
  const { pass } = await login(at, ann)
  const ticket = await ticketOf(at, 'ann')
  await at.factor.sendSms({ ticket, session: 'before' })
  at.clock.advance(60)
  await at.factor.enrollTotp({ user: 'ann', session: 'in', pass, label: 'ann' })
  const records = new Map([['users.ann', await at.store.load({ user: 'ann' })]])
  const state = new Map(records)
  let list = memoryStore()
  const store = {
    revoke: (more, times) => list.revoke(more, times),
    revoked: (about) => list.revoked(about),
    load: async (id) => state.get(recordKey(id)),
    save: async (id, record, expected) => {
      if (state.get(recordKey(id))?.version !== expected) return false
      state.set(recordKey(id), { record, version: (expected ?? 0) + 1 })
      return true
    },
  }
  const factor = createSecondFactor({
    ...at.options,
    policy: rules({ backupCodes: { count: 1, keepForShowing: true } }),
    sendSms: at.sms.send,
    store,
  })
  const common = { ip: '192.0.2.1', roles: ['admin'] }
  const inside = { user: 'ann', session: 'in', ...common }
  const inputs = {
    begin: { ...inside, account: 'acme', channel: 'web', plan: 'pro' },
    sendSms: { ticket, session: 'before', ...common },
    verify: {
      ticket,
      session: 'before',
      newSession: 'in',
      method: 'totp',
      code: '1',
      trustBrowser: { name: 'x' },
      ...common,
    },
    enrollTotp: { ...inside, pass, plan: 'pro', label: 'ann' },
    confirmTotp: { ...inside, setup: '-', code: '1' },
    enrollSms: { ...inside, pass, plan: 'pro', number: '+61412345678' },
    confirmSms: { ...inside, setup: '-', code: '1' },
    rename: { ...inside, pass, factor: 'no-such-app-', name: 'Work' },
    remove: { ...inside, pass, factor: 'no-such-app-' },
    removeTrustedBrowser: { ...inside, pass, browser: 'no-such-one-' },
    renewBackupCodes: { ...inside, pass },
    showBackupCodes: { ...inside, pass },
    showTotpSetup: { ...inside, setup: '-' },
    showNewBackupCodes: { ...inside, pass, newCodes: '-' },
    confirmBackupCodes: { ...inside, pass, set: '-' },
    issueRecoveryCode: { user: 'bob', by: { user: 'ann', session: 'in', pass, role: 'owner' }, ...common },
    reset: { user: 'bob', by: { user: 'ann', session: 'in', pass, role: 'owner' }, ...common },
    status: { user: 'ann', account: 'acme' },
    check: { ...inside, pass, channel: 'web', maxAge: 600, methods: ['totp'], fresh: true },
    checkPass: { user: 'ann', session: 'in', account: 'acme', pass, maxAge: 600, methods: ['totp'] },
    endSessions: { user: 'ann', account: 'acme', sessions: ['s-1', 's-2'] },
    passwordChanged: { user: 'ann', account: 'acme' },
    signOutEverywhere: { user: 'ann', account: 'acme' },
    reviewPolicy: {
      policy: rules(),
      author: { user: 'ann', ip: '192.0.2.1' },
      users: [
        { user: 'ann', role: 'owner', roles: ['admin'], ip: '192.0.2.1' },
        { user: 'bob', role: 'member', enrollment: 'none' },
      ],
      apiClients: [{ id: 'x', roles: [], ip: '192.0.2.1' }],
    },
    policyChanged: { by: 'ann', ip: '192.0.2.1', before: rules(), after: rules({ require: 'everyone' }) },
    jwks: undefined,
  }
  const reset = () => {
    state.clear()
    for (const [user, stored] of records) state.set(user, stored)
    list = memoryStore()
  }
  return { at, ann, factor, inputs, state, records, reset, ticket, pass }
}

/** The synchronous methods. */
const SYNCHRONOUS = new Set(['jwks'])
/** The methods that change a record and give no reply. */
const WITHOUT_REPLY = new Set(['passwordChanged', 'signOutEverywhere'])

async function spoil({ factor, state, records, reset }, name, input, what) {
  let reply
  let isRefused = false
  try {
    const promise = factor[name](input)
    assert.equal(promise instanceof Promise, !SYNCHRONOUS.has(name), what)
    reply = await promise
  } catch (error) {
    if (error instanceof assert.AssertionError) throw error
    ours(error, what)
    isRefused = true
  }
  const untouched =
    isRefused ||
    (reply === undefined && !WITHOUT_REPLY.has(name)) ||
    ['malformed', 'denied', 'expired', 'challenge', 'allowed'].includes(reply?.result)
  if (untouched) assert.deepEqual(state, records, `${what}: the record is unchanged`)
  if (reply?.result !== undefined) assert.ok(RESULTS.has(reply.result), `${what}: ${reply.result}`)
  reset()
  return reply
}

test('T37: every method of SecondFactor, any value in any place', async (t) => {
  const home = await household()
  assert.deepEqual(Object.keys(home.inputs).sort(), Object.keys(home.factor).sort())
  for (const [name, input] of Object.entries(home.inputs)) {
    await t.test(name, async () => {
      for (const [path, put] of places(input)) {
        for (const value of HOSTILE) {
          const what = `${name} ${path} = ${show(value)}`
          const reply = await spoil(home, name, put(value), what)
          if (path === '.code') assert.ok(!['verified', 'enrolled'].includes(reply?.result), what)
          if (path === '.ticket') assert.ok(['malformed', 'denied'].includes(reply?.result), what)
          if (/\.(ticket|method|code|number|pass|label|set)$/.test(path))
            assert.ok(reply !== undefined, `${what} threw`)
        }
      }
      if (input) {
        await assert.rejects(home.factor[name]({ ...input, unknown: 1 }), { code: 'invalid_input', path: 'unknown' })
        for (const key of Object.keys(input)) {
          const { [key]: _, ...rest } = input
          await spoil(home, name, rest, `${name} without ${key}`)
        }
      }
    })
  }
})

test('T37: every method of SecondFactor, random values', async () => {
  const home = await household()
  const names = Object.keys(home.inputs)
  const allPlaces = names.flatMap((name) => [...places(home.inputs[name])].map(([path, put]) => [name, path, put]))
  const value = fc.anything({
    withBigInt: true,
    withDate: true,
    withMap: true,
    withSet: true,
    withNullPrototype: true,
    withObjectString: true,
    withSparseArray: true,
    withTypedArray: true,
  })
  await fc.assert(
    fc.asyncProperty(
      fc.nat(allPlaces.length - 1),
      fc.oneof(value, fc.string({ unit: 'binary' })),
      async (index, value) => {
        const [name, path, put] = allPlaces[index]
        await spoil(home, name, put(value), `${name} ${path}`)
      },
    ),
    { numRuns: 1_500 },
  )
})

test('T37: tools, random values', () => {
  const allPlaces = Object.entries(TOOLS).flatMap(([name, args]) =>
    [...places(args)].slice(1).map(([path, put]) => [name, path, put]),
  )
  const value = fc.anything({
    withBigInt: true,
    withDate: true,
    withMap: true,
    withSet: true,
    withNullPrototype: true,
    withObjectString: true,
    withSparseArray: true,
    withTypedArray: true,
  })
  fc.assert(
    fc.property(fc.nat(allPlaces.length - 1), fc.oneof(value, fc.string({ unit: 'binary' })), (index, value) => {
      const [name, path, put] = allPlaces[index]
      try {
        functionOf(name)(...put(value))
      } catch (error) {
        ours(error, `${name} ${path}`)
      }
    }),
    { numRuns: 1_500 },
  )
})

test('T37: every option of createSecondFactor, any value, and functions that give or throw any value', async (t) => {
  const good = () => ({
    policy: rules(),
    keys,
    store: memoryStore(),
    sendSms: () => {},
    notify: () => {},
    onEvent: () => {},
    onEffectError: () => {},
    clock: fixedClock(),
    entropy: fixedEntropy(),
  })
  const steps = async (factor) => {
    await factor.begin({ user: 'ann', session: 's' })
    await factor.enrollTotp({ user: 'ann', session: 's', label: 'ann' })
    await factor.enrollSms({ user: 'ann', session: 's', number: '+61412345678' })
    await factor.status({ user: 'ann' })
    factor.jwks()
  }
  const run = async (options, what) => {
    try {
      await steps(createSecondFactor(options))
    } catch (error) {
      ours(error, what)
    }
  }
  await steps(createSecondFactor(good()))
  await t.test('the options themselves', async () => {
    for (const value of HOSTILE) await run(value, `options = ${show(value)}`)
    for (const key of Object.keys(good())) {
      for (const value of HOSTILE) await run({ ...good(), [key]: value }, `${key} = ${show(value)}`)
    }
    assert.throws(() => createSecondFactor({ ...good(), unknown: 1 }), { code: 'invalid_input', path: 'unknown' })
  })
  await t.test('functions that give or throw any value', async () => {
    for (const key of ['policy', 'sendSms', 'notify', 'onEvent', 'onEffectError', 'clock', 'entropy']) {
      for (const value of HOSTILE) {
        await run({ ...good(), [key]: () => value }, `${key}() gives ${show(value)}`)
        const throws = () => {
          throw value
        }
        await run({ ...good(), [key]: throws }, `${key}() throws ${show(value)}`)
      }
    }
  })
  await t.test('a store that gives or throws any value', async () => {
    for (const key of ['load', 'save']) {
      for (const value of HOSTILE) {
        await run({ ...good(), store: { ...memoryStore(), [key]: value } }, `store.${key} = ${show(value)}`)
        await run({ ...good(), store: { ...memoryStore(), [key]: () => value } }, `store.${key} gives ${show(value)}`)
        const throws = () => {
          throw value
        }
        await run({ ...good(), store: { ...memoryStore(), [key]: throws } }, `store.${key} throws ${show(value)}`)
      }
    }
    for (const stored of [
      {
        get record() {
          return thrower()
        },
        version: 1,
      },
      {
        record: '{}',
        get version() {
          return thrower()
        },
      },
    ]) {
      await run(
        { ...good(), store: { load: async () => stored, save: async () => true } },
        'a stored field that throws',
      )
    }
    for (const field of ['record', 'version']) {
      for (const value of HOSTILE) {
        await run(
          {
            ...good(),
            store: { load: async () => ({ record: '{}', version: 1, [field]: value }), save: async () => true },
          },
          `a stored ${field} = ${show(value)}`,
        )
      }
    }
  })
})

test('a text that is not well-formed Unicode is no user', async () => {
  // Two such ids would be the same user in the rules, and different users in the store.
  const { factor } = await host()
  for (const user of ['\ud800', 'ann\udfff', '\udc00\ud800']) {
    await assert.rejects(factor.begin({ user, session: 's' }), { code: 'invalid_input', path: 'user' })
    await assert.rejects(factor.status({ user }), { code: 'invalid_input', path: 'user' })
  }
})

test('T13: an emptied slot matches nothing', async () => {
  const { at, inputs, factor, state, reset, ann } = await household()
  const record = JSON.parse(state.get('users.ann').record)
  const emptied = {
    'no app': (r) => void delete r.totp,
    'no SMS code': (r) => void delete r.smsSent,
    'an empty SMS code': (r) => void (r.smsSent.at(-1).loginCode.mac = ''),
    'no backup codes': (r) => void delete r.backup,
    'no slots': (r) => void (r.backup.set.slots = []),
    'an empty slot': (r) => r.backup.set.slots.map((slot) => Object.assign(slot, { salt: '', hash: '' })),
  }
  const empty = ['', ' ', '-', '0', '000000', '0000-0000-0000-0000', 'null', 'undefined', '[]']
  for (const [name, change] of Object.entries(emptied)) {
    for (const method of ['totp', 'sms', 'backup_code', 'recovery_code']) {
      for (const code of empty) {
        const changed = structuredClone(record)
        change(changed)
        state.set('users.ann', { record: JSON.stringify(changed), version: 1 })
        let result
        try {
          result = (await factor.verify({ ...inputs.verify, method, code })).result
        } catch (error) {
          ours(error, name)
        }
        assert.ok(result !== 'verified', `${name}, ${method}, ${JSON.stringify(code)}`)
        for (const command of ['confirmTotp', 'confirmSms'])
          assert.notEqual((await factor[command]({ ...inputs[command], code })).result, 'enrolled')
      }
    }
  }
  reset()
  const right = { ...inputs.verify, ticket: await ticketOf(at, 'ann'), code: codeOf(at, ann.secret) }
  assert.equal((await factor.verify(right)).result, 'verified', 'the record itself is good')
})

/** The replies of one story with all commands, as text. It is the same in each run. */
async function story() {
  const at = await host({
    keys,
    entropy: fixedEntropy('story'),
    policy: rules({ network: { deny: ['198.51.100.0/24'] }, backupCodes: { count: 1, keepForShowing: true } }),
  })
  const told = []
  const ask = async (name, input) => {
    const call = async () => at.factor[name](input)
    const reply = await call().catch((error) => ({
      code: error.code,
      path: error.path,
      message: error.message,
      name: error.name,
    }))
    told.push([name, JSON.parse(JSON.stringify(reply))])
    return reply
  }
  const ip = '192.0.2.1'
  const started = await ask('enrollTotp', { user: 'ann', session: 'a', label: 'ann', ip })
  const confirm = { user: 'ann', session: 'a', setup: started.setup, ip }
  await ask('confirmTotp', confirm)
  await ask('confirmTotp', { ...confirm, code: '000000' })
  await ask('confirmTotp', { ...confirm, code: codeOf(at, started.secret) })
  at.clock.advance(60)
  await ask('begin', { user: 'ann', session: 's' })
  await ask('begin', { user: 'ann', session: 's', ip: '198.51.100.1' })
  await ask('begin', {})
  const { ticket } = await ask('begin', { user: 'ann', session: 's', ip })
  await ask('verify', { ticket, session: 's', ip })
  await ask('verify', { ticket, session: 's', method: 'totp', ip })
  await ask('verify', { ticket, session: 's', method: 'totp', code: '000000', ip })
  const { pass, session } = await ask('verify', {
    ticket,
    session: 's',
    method: 'totp',
    code: codeOf(at, started.secret),
    ip,
  })
  await ask('checkPass', { user: 'ann', session, pass })
  await ask('checkPass', { user: 'ann', session: 's' })
  await ask('checkPass', { user: 'bob', session, pass })
  await ask('check', { user: 'ann', session, ip })
  await ask('check', { user: 'ann', session, pass, ip })
  await ask('check', { user: 'ann', session: 's', pass, ip, fresh: true })
  await ask('check', { user: 'bob', session, ip: '198.51.100.1' })
  await ask('remove', { user: 'ann', session, factor: 'no-such-app-', ip })
  await ask('enrollSms', { user: 'ann', session, pass, number: '+61412345678', ip })
  await ask('showBackupCodes', { user: 'ann', session, pass, ip })
  await ask('showTotpSetup', { user: 'ann', session, setup: '-', ip })
  await ask('showNewBackupCodes', { user: 'ann', session, pass, newCodes: '-', ip })
  await ask('confirmBackupCodes', { user: 'ann', session, pass, set: '-', ip })
  await ask('issueRecoveryCode', { user: 'bob', by: { user: 'ann', session, role: 'owner' }, ip })
  await ask('issueRecoveryCode', { user: 'bob', by: { user: 'ann', session, pass, role: 'owner' }, ip })
  await ask('issueRecoveryCode', { user: 'bob', by: { user: 'ann', session, pass, role: 'member' }, ip })
  await ask('reset', { user: 'bob', by: { user: 'ann', session, role: 'owner' }, ip })
  await ask('reset', { user: 'bob', by: { user: 'ann', session, pass, role: 'owner' }, ip })
  await ask('status', { user: 'ann' })
  await ask('reviewPolicy', {
    policy: rules({ require: 'everyone' }),
    author: { user: 'bob' },
    users: [{ user: 'bob', role: 'owner' }],
  })
  await ask('jwks')
  const tool = (name, ...args) => {
    try {
      told.push([name, functionOf(name)(...args)])
    } catch (error) {
      told.push([name, error.code, error.path])
    }
  }
  tool('totp.verify', { secret, code: '755224', time: 0 })
  tool('totp.verify', { secret, time: 0 })
  tool('totp.generate', { secret, time: 59 })
  tool('otpauth.format', { issuer: 'Acme', label: 'ann', secret })
  tool('otpauth.parse', `otpauth://totp/Acme:ann?secret=${secret}`)
  tool('policy.decide', rules({ network: { allow: ['192.0.2.0/24'] } }), { enrollment: 'none' })
  tool('policy.decide', rules({ require: 'everyone' }), { enrollment: 'none' })
  tool('policy.review', rules({ require: 'everyone' }), {
    author: 'ann',
    users: [{ user: 'ann', role: 'owner', enrollment: 'none' }],
    apiClients: [],
  })
  return JSON.stringify(
    [told, (await at.store.load({ user: 'ann' })).record, at.sms.messages, at.notices, at.events],
    null,
    1,
  )
}

const NAMES = [
  ...[
    'code',
    'pass',
    'user',
    'session',
    'newSession',
    'ticket',
    'method',
    'methods',
    'maxAge',
    'fresh',
    'label',
    'number',
    'plan',
    'channel',
    'account',
    'ip',
    'by',
    'role',
    'policy',
    'author',
    'authorIp',
    'users',
    'apiClients',
    'id',
  ],
  ...[
    'keys',
    'store',
    'sendSms',
    'notify',
    'onEvent',
    'onEffectError',
    'clock',
    'entropy',
    'table',
    'load',
    'save',
    'record',
    'version',
  ],
  ...[
    'allow',
    'deny',
    'network',
    'networks',
    'require',
    'totp',
    'sms',
    'log',
    'backupCodes',
    'recoveryCode',
    'plans',
    'v',
    'origin',
    'audience',
    'passSeconds',
    'ticketSeconds',
    'freshSeconds',
    'window',
    'digits',
    'algorithm',
    'periodSeconds',
    'after',
    'time',
    'secret',
    'issuer',
  ],
  ...[
    'enrollment',
    'stored',
    'count',
    'codes',
    'result',
    'reason',
    'reply',
    'effects',
    'valid',
    'admin',
    'sealing',
    'signing',
    'kid',
    'alg',
    'message',
    'toJSON',
    'cause',
  ],
]

test('T33: a polluted Object.prototype changes no verdict', async (t) => {
  const clean = await story()
  assert.equal(await story(), clean, 'the story is the same each time')
  const values = { text: '000000', true: true, zero: 0, list: ['0.0.0.0/0'], object: { allow: ['0.0.0.0/0', '::/0'] } }
  for (const [kind, value] of Object.entries(values)) {
    await t.test(kind, async () => {
      let polluted
      try {
        for (const name of NAMES)
          Object.defineProperty(Object.prototype, name, { value, configurable: true, writable: true, enumerable: true })
        polluted = await story().catch((error) => error)
      } finally {
        for (const name of NAMES) delete Object.prototype[name]
      }
      if (polluted instanceof Error) throw polluted
      assert.equal(polluted, clean)
    })
  }
})

test('T37: an input is copied once, as plain data of bounded size', async () => {
  const { factor } = await host()
  const input = { user: 'ann', session: 's' }
  let reads = 0
  const once = {
    ...input,
    get channel() {
      return (reads += 1) === 1 ? 'web' : 'api'
    },
  }
  assert.equal((await factor.begin(once)).result, 'allowed')
  assert.equal(reads, 1, 'a value cannot change between check and use')
  const hidden = Object.defineProperty({ ...input }, 'channel', { value: 'tv', enumerable: false })
  await assert.rejects(factor.begin(hidden), refusedWith('invalid_input', 'channel'), 'a hidden field counts as well')
  const refused = [
    [{ ...input, [Symbol('channel')]: 'web' }, 'Symbol(channel)'],
    [{ ...input, '\ud800': 1 }, '\ud800'],
    [{ ...input, ['x'.repeat(65)]: 1 }, 'x'.repeat(64)],
    [{ ...input, plan: { a: { b: { c: {} } } } }, 'plan.a.b.c'],
    [{ ...input, plan: new Array(1_001).fill('') }, 'plan'],
    [{ ...input, plan: Array.from({ length: 40 }, () => new Array(30).fill('')) }, 'plan[3][3]'],
    [{ ...input, unknown: new Array(20).fill('x'.repeat(65_536)) }, 'unknown[0]'],
    [{ ...input, plan: new Array(3) }, 'plan[0]'],
    [{ ...input, plan: -1 }, 'plan'],
    [{ ...input, plan: 10n }, 'plan'],
    [[input], ''],
    [Object.create(input), 'user'],
  ]
  for (const [given, path] of refused) await assert.rejects(factor.begin(given), { code: 'invalid_input', path })
})

test('an unknown field is refused with the names that are known, where they are fixed', async () => {
  const unknown = (names) => `is not known here, expected one of ${names.map((name) => `\`${name}\``).join(', ')}`
  const totpFields = ['secret', 'algorithm', 'digits', 'periodSeconds', 'time']
  const secret = 'GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ'
  const misspelt = /** @type {any} */ ({ secret, now: 1 })
  assert.throws(() => countersign.totp.generate(misspelt), { path: 'now', message: `\`now\`: ${unknown(totpFields)}` })
  const options = /** @type {any} */ ({ policy: rules(), keys: generateKeys(), store: memoryStore(), onEvents() {} })
  assert.throws(
    () => createSecondFactor(options),
    (/** @type {Error} */ { message }) => {
      for (const name of ['policy', 'keys', 'store', 'onEvent', 'notify'])
        assert.ok(message.includes(`\`${name}\``), name)
      return message.startsWith('`onEvents`: is not known here, expected one of `')
    },
  )
  const at = await host()
  const place = ['user', 'account', 'ip', 'roles']
  for (const [name, input, rest] of /** @type {[string, any, string[]][]} */ ([
    ['begin', {}, [...place, 'session', 'channel', 'plan', 'ticket']],
    ['sendSms', { ticket: 'x' }, ['account', 'ip', 'roles', 'ticket', 'session', 'factor']],
    ['check', {}, [...place, 'session', 'pass', 'channel', 'maxAge', 'methods', 'fresh', 'plan']],
    ['checkPass', { pass: 'x' }, ['user', 'account', 'session', 'pass', 'maxAge', 'methods']],
    ['issueRecoveryCode', { by: { user: 'bob', session: 's', role: 'owner' } }, [...place, 'by']],
    ['reset', { by: { user: 'bob', session: 's', role: 'owner' } }, [...place, 'by']],
  ])) {
    const list = rest.map((field) => `\`${field}\``).join(', ')
    const user = name === 'sendSms' ? {} : { user: 'ann' }
    const session = ['issueRecoveryCode', 'reset'].includes(name) ? {} : { session: 's' }
    await assert.rejects(
      at.factor[name]({ ...user, ...session, ...input, acount: 'acme' }),
      (/** @type {Error} */ error) => {
        assert.match(error.message, /^`acount`: (unknown field|is not known here), expected one of /)
        return refusedWith('invalid_input', 'acount')(error) && error.message.endsWith(`expected one of ${list}`)
      },
    )
  }
  const wrongChannel = /** @type {any} */ ({ user: 'ann', session: 's', channel: 'phone' })
  await assert.rejects(at.factor.begin(wrongChannel), (/** @type {Error} */ { message }) => !message.includes('roles'))
  const users = /** @type {any} */ ([{ user: 'ann', role: 'owner', IP: '192.0.2.1' }])
  await assert.rejects(at.factor.reviewPolicy({ policy: rules(), author: { user: 'ann' }, users }), {
    path: 'users[0].IP',
    message: `\`users[0].IP\`: ${unknown(['user', 'role', 'enrollment', 'plan', 'roles', 'ip'])}`,
  })
})

test('T33: keys named __proto__ are unknown keys', async () => {
  const { factor } = await host()
  const input = JSON.parse('{"user":"ann","session":"s","__proto__":{"channel":"api"}}')
  await assert.rejects(factor.begin(input), { code: 'invalid_input', path: '__proto__' })
  const document = `${JSON.stringify(rules()).slice(0, -1)},"__proto__":{"require":"optional"}}`
  assert.throws(() => countersign.policy.parse(document), { code: 'invalid_policy', path: '__proto__' })
  assert.throws(() => countersign.policy.parse(JSON.parse(document)), { code: 'invalid_policy', path: '__proto__' })
})
