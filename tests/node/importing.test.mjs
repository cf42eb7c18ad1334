// The import of apps from another system: its rules through the package, many at once, and who reaches it (T54).
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { test } from 'node:test'
import Database from 'better-sqlite3'
import * as entry from 'countersign'
import { CountersignError, createSecondFactor, memoryStore } from 'countersign'
import * as operatorEntry from 'countersign/operator'
import { createOperator } from 'countersign/operator'
import { storageApi } from 'countersign/storage-api'
import { sqliteStore } from 'countersign/stores/sqlite'
import { codeOf, count, host, login, plainStore, refusedWith, rules, ticketOf, withApp, wrongCode } from './support.mjs'

const SECRET = 'JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP'
const OTHER = 'GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ'
const operator = 'night shift'

async function wired(given = {}) {
  const at = await host(given)
  return { at, ...createOperator(at.options) }
}

/** Logs in by the app whose secret it is; the reply. */
async function verify(at, user, code, session = 'in') {
  const ticket = await ticketOf(at, user)
  return at.factor.verify({ ticket, session: 'before', newSession: session, method: 'totp', code })
}

/** A secret of 20 bytes for each number. */
const secretOf = (number) => Uint8Array.from({ length: 20 }, (_, at) => (number >> (8 * (at % 4))) & 255)

async function all(results) {
  const list = []
  for await (const one of results) list.push(one)
  return list
}

const oathtool = (secret, time, totp = '--totp', ...options) =>
  execFileSync('oathtool', [totp, '--base32', secret, '--now', `@${time}`, ...options], { encoding: 'utf8' }).trim()

test('an imported user logs in by codes of oathtool from the old secret, whatever its settings', async () => {
  const { at, importTotp } = await wired()
  /** @type {[any, string[]][]} */
  const settings = [
    [{}, []],
    [{ digits: 8 }, ['--totp', '--digits=8']],
    [{ period: 60 }, ['--totp', '--time-step-size=60s']],
    [{ algorithm: 'HmacSHA256' }, ['--totp=sha256']],
    [{ algorithm: 'sha-512', digits: 8, period: 15 }, ['--totp=sha512', '--digits=8', '--time-step-size=15s']],
  ]
  for (const [index, [given, options]] of settings.entries()) {
    const user = `user ${index}`
    const reply = await importTotp({ user, secret: SECRET.toLowerCase(), operator, ...given })
    assert.equal(reply.result, 'imported')
    assert.equal(reply.weak, false)
    assert.equal((await verify(at, user, oathtool(SECRET, at.clock(), ...options))).result, 'already_used')
    at.clock.advance(given.period ?? 30)
    assert.equal((await verify(at, user, oathtool(SECRET, at.clock(), ...options))).result, 'verified')
  }
})

test('I1, I2, I3: bytes are taken as they are, and base32 as apps read it', async () => {
  const file = new URL('../vectors/imported-secrets.json', import.meta.url)
  const { cases, refused } = JSON.parse(readFileSync(file, 'utf8'))
  const given = ({ text, bytes, digits, period, algorithm }) => {
    const secret = text ?? new TextEncoder().encode(bytes)
    return { user: 'ann', secret, digits, period, algorithm, operator }
  }
  for (const one of cases) {
    const { at, importTotp } = await wired()
    at.clock.advance(one.time - 300 - at.clock())
    const entry = given(one)
    const { weak } = await importTotp(entry)
    assert.equal(weak, one.bits < 160)
    if (one.text === undefined)
      assert.ok(
        entry.secret.every((byte) => byte !== 0),
        'the caller has the bytes still',
      )
    at.clock.advance(300)
    assert.equal((await verify(at, 'ann', one.code)).result, 'verified', JSON.stringify(one))
  }
  const { importTotp } = await wired()
  for (const one of refused)
    await assert.rejects(importTotp(given(one)), { path: 'secret', message: `\`secret\`: ${one.why}` })
})

test('T54: the log names the operator, the user is told at the first login, and neither has the secret', async () => {
  const { at, importTotp } = await wired()
  const { factor } = await importTotp({ user: 'ann', secret: SECRET, operator, name: 'Old phone' })
  assert.deepEqual(at.events, [
    {
      v: 1,
      user: 'ann',
      at: at.clock(),
      event: 'totp_imported',
      factor: { id: factor.id, name: 'Old phone' },
      operator,
    },
  ])
  assert.deepEqual(at.notices, [])
  at.clock.advance(60)
  const reply = await verify(at, 'ann', codeOf(at, SECRET))
  assert.deepEqual(
    at.notices.map(({ kind, to, name }) => [kind, to, name]),
    [['app_imported', 'user', 'Old phone']],
  )
  assert.equal(reply.backupCodes.length, 2)
  assert.ok(!JSON.stringify([at.events, at.notices, await at.store.load({ user: 'ann' })]).includes(SECRET))
  const shown = await at.factor.showNewBackupCodes({
    user: 'ann',
    session: 'in',
    pass: reply.pass,
    newCodes: reply.newCodes,
  })
  assert.deepEqual(
    shown.codes.map(({ code }) => code),
    reply.backupCodes,
  )
  const confirmed = { user: 'ann', session: 'in', pass: reply.pass, set: reply.set }
  assert.equal((await at.factor.confirmBackupCodes(confirmed)).result, 'confirmed')
  at.clock.advance(60)
  const again = await verify(at, 'ann', codeOf(at, SECRET))
  assert.equal(again.backupCodes, undefined)
  assert.equal(at.notices.length, 1)
  assert.equal((await at.factor.status({ user: 'ann' })).backupCodes.confirmed, true)
})

test('T54: no method, argument or route that a client reaches imports a secret', async () => {
  const { at } = await wired()
  const smuggled = {
    secret: SECRET,
    importTotp: { secret: SECRET },
    import_totp: { secret: SECRET },
    operator,
    replace: true,
  }
  const methods = Object.keys(at.factor)
  assert.ok(methods.length > 20 && !methods.some((name) => /import|export/i.test(name)), methods.join())
  for (const name of methods)
    for (const [field, value] of Object.entries(smuggled))
      for (const input of [{ user: 'eve', session: 's', [field]: value }, { [field]: value }]) {
        const reply = await Promise.resolve()
          .then(() => at.factor[name](input))
          .catch((error) => assert.ok(CountersignError.is(error), `${name}: ${error}`))
        assert.ok(!['imported', 'unchanged'].includes(reply?.result), `${name} with ${field}`)
      }
  for (const user of ['eve', 's']) assert.equal(await at.store.load({ user }), undefined)
  assert.deepEqual(
    at.events.filter(({ event }) => /import|export/.test(event)),
    [],
  )

  // The other entries, and the parts on their own.
  const names = Object.entries({ ...entry, ...operatorEntry }).flatMap(([name, value]) => [
    name,
    ...(typeof value === 'object' ? Object.keys(value).map((part) => `${name}.${part}`) : []),
  ])
  assert.deepEqual(
    names.filter((name) => /import|export/i.test(name)),
    [],
  )

  // The storage API, whose token a gate has, knows records and no command.
  const answer = await asked(storageApi({ store: at.store, token: 'x'.repeat(32) }), 'POST', '/import', smuggled)
  assert.equal(answer.status, 404)
  const put = await asked(storageApi({ store: at.store, token: 'x'.repeat(32) }), 'PUT', '/records/eve', smuggled)
  assert.ok(put.status >= 400 && put.status < 500, String(put.status))
  assert.equal(await at.store.load({ user: 'eve' }), undefined)
})

/** A request to the storage API. */
async function asked(handle, method, url, body) {
  const rawHeaders = [
    'authorization',
    `Bearer ${'x'.repeat(32)}`,
    'content-type',
    'application/json',
    'if-match',
    '"1"',
  ]
  const answer = { status: 0, text: '' }
  const request = {
    method,
    url,
    rawHeaders,
    readableDidRead: false,
    readableEnded: false,
    on: (event, listener) => {
      if (event === 'data') queueMicrotask(() => listener(Buffer.from(JSON.stringify(body))))
      if (event === 'end') setImmediate(() => listener())
    },
  }
  const response = {
    statusCode: 0,
    headersSent: false,
    setHeader: () => {},
    end: (text = '') => Object.assign(answer, { status: response.statusCode, text }),
  }
  await handle(request, response)
  return answer
}

test('T54: opening secrets is in no entry of the package', async () => {
  const require = createRequire(import.meta.url)
  const { exports } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8'))
  const entries = Object.entries(exports).filter(([path]) => !/json|wasm|browser/.test(path))
  for (const [path, { require: entry }] of entries) {
    // An adapter loads its framework, which is not here.
    if (entry.default.startsWith('./pkg/adapters/')) {
      const text = readFileSync(new URL(entry.default.replace('./', '../../'), import.meta.url), 'utf8')
      assert.doesNotMatch(text, /exportedUsers|operator_export/, path)
      continue
    }
    const names = Object.keys(require(`countersign${path.slice(1)}`))
    assert.deepEqual(
      names.filter((name) => /export/i.test(name)),
      [],
      path,
    )
  }
  assert.throws(() => require('countersign/pkg/countersign.cjs'), { code: 'ERR_PACKAGE_PATH_NOT_EXPORTED' })
  assert.throws(() => require('countersign/exporting'), { code: 'ERR_PACKAGE_PATH_NOT_EXPORTED' })
})

test('T54: an export tells the log first, of itself and of each user, and needs keys and store', async () => {
  const { exporting } = createRequire(import.meta.url)('../../pkg/countersign.cjs')
  const { at, importTotp } = await wired()
  await importTotp({ user: 'ann', secret: SECRET, operator, digits: 8 })
  await withApp(at, 'bob')
  await at.store.save({ user: 'broken' }, 'no record', undefined)
  await at.store.save({ account: 'acme', user: 'ann' }, 'no record', undefined)
  at.events.length = 0
  const seen = []
  for await (const one of exporting.exportedUsers(at.options, { operator })) {
    if (one.apps) assert.equal(at.events.at(-1).user, one.user, 'told before it is shown')
    seen.push(one)
  }
  const [ann] = seen.find(({ user, account }) => user === 'ann' && account === undefined).apps
  assert.deepEqual([ann.secret, ann.digits, ann.period, ann.algorithm], [SECRET, 8, 30, 'SHA1'])
  assert.deepEqual(at.events.map(({ event, user, operator }) => [event, user, operator]).sort(), [
    ['export_started', operator, operator],
    ['secrets_exported', 'ann', operator],
    ['secrets_exported', 'bob', operator],
  ])
  assert.equal(seen.find(({ user }) => user === 'broken').error.code, 'invalid_record')
  const ofAcme = await all(exporting.exportedUsers(at.options, { operator, account: 'acme' }))
  assert.deepEqual(
    ofAcme.map(({ user, error }) => [user, error.code]),
    [['ann', 'invalid_record']],
  )

  const refusing = (changes) => all(exporting.exportedUsers({ ...at.options, ...changes }, { operator }))
  await assert.rejects(refusing({ onEvent: undefined }), refusedWith('invalid_input', 'onEvent'))
  await assert.rejects(refusing({ onEvent: () => Promise.reject(new Error('the log is down')) }), /the log is down/)
  await assert.rejects(refusing({ store: plainStore() }), { code: 'no_list' })
  const others = await refusing({ keys: entry.generateKeys() })
  assert.deepEqual(
    others.find(({ user, account }) => user === 'bob' && account === undefined).error.code,
    'key_missing',
  )
})

test('a user who has a factor, had one, was reset or moved is refused with the reason, and nothing changes', async () => {
  const { at, importTotp, reset, moved } = await wired()
  const given = { user: 'ann', secret: SECRET, operator }
  const ann = await withApp(at)
  const before = await at.store.load({ user: 'ann' })
  assert.deepEqual(await importTotp(given), { result: 'refused', reason: 'has_factor' })
  assert.deepEqual(await at.store.load({ user: 'ann' }), before)
  const { pass } = await login(at, ann)
  assert.equal((await importTotp({ ...given, replace: true })).result, 'imported')
  at.clock.advance(60)
  assert.equal((await verify(at, 'ann', codeOf(at, ann.secret))).result, 'wrong', 'the app of before')
  assert.equal((await verify(at, 'ann', codeOf(at, SECRET))).backupCodes, undefined, 'there are some')
  const stale = await at.factor.renewBackupCodes({ user: 'ann', session: 'in', pass })
  assert.equal(stale.reason, 'fresh_factor_required', 'a pass from before the import')
  await reset({ user: 'ann', operator })
  assert.deepEqual(await importTotp({ ...given, replace: true }), { result: 'refused', reason: 'reset' })
  await importTotp({ ...given, user: 'bob' })
  await moved({ from: { user: 'bob' }, to: { account: 'acme', user: 'bob' }, operator })
  assert.deepEqual(await importTotp({ ...given, user: 'bob' }), { result: 'refused', reason: 'moved' })
  assert.equal((await importTotp({ ...given, user: 'bob', account: 'acme' })).result, 'unchanged')
})

test('a weak secret is told by the import, by status and by each login, until the app is set up anew', async () => {
  const { at, importTotp } = await wired()
  const secret = SECRET.slice(0, 16)
  const { factor } = await importTotp({ user: 'ann', secret, operator })
  assert.equal((await at.factor.status({ user: 'ann' })).methods[0].weak, true)
  at.clock.advance(60)
  const { weak, pass } = await verify(at, 'ann', codeOf(at, secret))
  assert.deepEqual(weak, factor)
  const started = await at.factor.enrollTotp({ user: 'ann', session: 'in', pass, label: 'ann', replaces: weak.id })
  const code = codeOf(at, started.secret.replaceAll(' ', ''))
  assert.equal(
    (await at.factor.confirmTotp({ user: 'ann', session: 'in', setup: started.setup, code })).result,
    'enrolled',
  )
  assert.equal((await at.factor.status({ user: 'ann' })).methods[0].weak, undefined)
})

test('what is wrong with an entry is named by its path, and nothing is stored', async () => {
  const { at, importTotp } = await wired()
  /** @type {[any, string, RegExp][]} */
  const cases = [
    [{ secret: undefined }, 'secret', /must be base32 as text, or a Uint8Array/],
    [{ secret: 7 }, 'secret', /must be base32 as text, or a Uint8Array/],
    [{ secret: '' }, 'secret', /must be 10 to 128 bytes/],
    [{ secret: 'GEZDGNBV' }, 'secret', /must be 10 to 128 bytes/],
    [{ secret: 'M'.repeat(300) }, 'secret', /must be 10 to 128 bytes/],
    [{ secret: new Uint8Array(9) }, 'secret', /must be 10 to 128 bytes/],
    [{ secret: new Uint8Array(1_000) }, 'secret', /must be 10 to 128 bytes/],
    [{ secret: 'GEZDGNBV0123456789' }, 'secret', /must be base32: A–Z and 2–7/],
    [{ secret: '\ud800'.repeat(20) }, 'secret', /well-formed/],
    [{ digits: 5 }, 'digits', /must be 6, 7 or 8/],
    [{ digits: 262 }, 'digits', /must be 6, 7 or 8/],
    [{ period: 0 }, 'period', /must be 15 to 300/],
    [{ period: 30.5 }, 'period', /whole/],
    [{ period: 2 ** 40 }, 'period', /must be 15 to 300/],
    [{ algorithm: 'MD5' }, 'algorithm', /must be SHA1, SHA256 or SHA512/],
    [{ lastStep: 1_900_000_000 }, 'lastStep', /is later than now/],
    [{ lastStep: -1 }, 'lastStep', /whole/],
    [{ replace: 'yes' }, 'replace', /true or false/],
    [{ user: '' }, 'user', /1 to 256 bytes/],
    [{ account: null }, 'account', /must not be null/],
    [{ operator: undefined }, 'operator', /string/],
    [{ counter: 7 }, 'counter', /is not known here/],
  ]
  for (const [changes, path, message] of cases) {
    const failing = importTotp({ user: 'ann', secret: SECRET, operator, ...changes })
    await assert.rejects(
      failing,
      (/** @type {Error} */ error) => refusedWith('invalid_input', path)(error) && message.test(error.message),
    )
    await assert.rejects(failing, (/** @type {Error} */ error) => !error.message.includes('GEZDGNBV'))
  }
  assert.equal(await at.store.load({ user: 'ann' }), undefined)
  for (const [entries, input, path] of [
    [undefined, { operator }, 'entries'],
    ['abc', { operator }, 'entries'],
    [{}, { operator }, 'entries'],
    [[], {}, 'operator'],
    [[], { operator, replace: true }, 'replace'],
  ])
    assert.throws(() => createOperator(at.options).importMany(entries, input), refusedWith('invalid_input', path))
})

const STORES = {
  memoryStore,
  sqliteStore: () => sqliteStore(new Database(':memory:')),
  'a store without insertMany': plainStore,
}

for (const [name, open] of Object.entries(STORES)) {
  test(`many are imported, each with its result, and a second run changes nothing (${name})`, async () => {
    const store = open()
    let twice = 0
    const inserts =
      store.insertMany &&
      (async (records) => {
        twice += records.length - new Set(records.map(({ id }) => JSON.stringify(id))).size
        return store.insertMany(records)
      })
    const { at, importMany } = await wired({ store: { ...store, insertMany: inserts } })
    const known = await withApp(at, 'user 7')
    at.events.length = 0
    /** @type {any[]} */
    const entries = Array.from({ length: 250 }, (_, n) => ({ user: `user ${n}`, secret: secretOf(n) }))
    entries[11] = { user: 'user 11', secret: 'too short' }
    entries[12] = { user: 'user 10', secret: secretOf(10) }
    entries[13] = { user: 'user 10', secret: OTHER }
    entries[14] = null
    entries[15] = { account: 'acme', user: 'user 15', secret: OTHER, replace: true }
    const first = await all(importMany(entries, { operator }))
    assert.equal(twice, 0, 'an insertion has no user twice')
    assert.deepEqual(
      first.map(({ index }) => index),
      entries.map((_, index) => index),
    )
    const told = ({ result, reason, error, account, user }) => [result, reason ?? error?.path, account, user]
    assert.deepEqual(told(first[7]), ['refused', 'has_factor', undefined, 'user 7'])
    assert.deepEqual(told(first[11]), ['failed', 'secret', undefined, 'user 11'])
    assert.deepEqual(told(first[12]), ['unchanged', undefined, undefined, 'user 10'])
    assert.deepEqual(told(first[13]), ['refused', 'has_factor', undefined, 'user 10'])
    assert.deepEqual(told(first[14]), ['failed', '', undefined, undefined])
    assert.deepEqual(told(first[15]), ['imported', undefined, 'acme', 'user 15'])
    assert.equal(count(first, 'imported'), 250 - 5)
    assert.equal(at.events.filter(({ event }) => event === 'totp_imported').length, 245)

    at.clock.advance(60)
    const base32 = entry.totp.generate({ secret: known.secret, time: at.clock() })
    assert.equal((await verify(at, 'user 7', base32)).result, 'verified')
    const records = () =>
      Promise.all(entries.filter(Boolean).map(({ account, user }) => at.store.load({ account, user })))
    const before = await records()
    at.events.length = 0
    const second = await all(
      importMany(
        (async function* () {
          yield* entries
        })(),
        { operator },
      ),
    )
    assert.equal(count(second, 'unchanged'), 246)
    assert.deepEqual(await records(), before)
    assert.deepEqual(at.events, [])
  })

  test(`a dry run tells the results, and stores and tells nothing (${name})`, async () => {
    const { at, importMany } = await wired({ store: open() })
    await withApp(at, 'ann')
    at.events.length = 0
    const entries = [
      { user: 'ann', secret: SECRET },
      { user: 'bob', secret: SECRET },
      { user: 'cem', secret: 'x' },
    ]
    const results = await all(importMany(entries, { operator, dryRun: true }))
    assert.deepEqual(
      results.map(({ result }) => result),
      ['refused', 'imported', 'failed'],
    )
    assert.equal(await at.store.load({ user: 'bob' }), undefined)
    assert.deepEqual(at.events, [])
  })
}

test('a store that fails, or has written all the same, leaves no entry half imported and none without its event', async () => {
  const kept = memoryStore()
  const how = {
    throws: () => Promise.reject(new Error('down')),
    'throws after it has written': async (records) => {
      await kept.insertMany(records)
      throw new Error('the answer was lost')
    },
    'answers that it has written none, though it has': async (records) => {
      await kept.insertMany(records)
      return records.map(() => false)
    },
    'answers nothing': async () => undefined,
    'answers something else': async (records) => records.map(() => 'yes'),
    'writes half': async (records) => {
      await kept.insertMany(records.slice(0, 5))
      throw new Error('the answer was lost')
    },
  }
  for (const [round, [name, insertMany]] of Object.entries(how).entries()) {
    const { at, importMany } = await wired({ store: { ...kept, insertMany } })
    const entries = Array.from({ length: 10 }, (_, n) => ({ user: `${round} ${n}`, secret: secretOf(n) }))
    const results = await all(importMany(entries, { operator }))
    assert.equal(count(results, 'imported'), 10, name)
    assert.equal(at.events.length, 10, name)
    for (const { user } of entries) assert.equal((await at.factor.status({ user })).enrolled, true, name)
  }
  const down = { ...kept, insertMany: how.throws, save: how.throws }
  const { at, importMany } = await wired({ store: down })
  const results = await all(
    importMany(
      [
        { user: 'x', secret: SECRET },
        { user: 'y', secret: SECRET },
      ],
      { operator },
    ),
  )
  assert.deepEqual(
    results.map(({ result, error }) => [result, error.code]),
    [
      ['failed', 'store_failed'],
      ['failed', 'store_failed'],
    ],
  )
  assert.deepEqual([at.events, await kept.load({ user: 'x' })], [[], undefined])
})

test('of two imports of one user at once one counts, and the other finds it there', async () => {
  for (const [mine, result] of [
    [SECRET, 'unchanged'],
    [OTHER, 'refused'],
  ]) {
    const { at, importTotp, importMany } = await wired()
    const given = (secret) => ({ user: 'ann', secret, operator })
    const two = await Promise.all([importTotp(given(SECRET)), importTotp(given(mine))])
    assert.deepEqual(two.map((reply) => reply.result).sort(), ['imported', result].sort())
    const many = [SECRET, mine].map((secret) => all(importMany([{ user: 'bob', secret }], { operator })))
    const results = (await Promise.all(many)).flat().map((one) => one.result)
    assert.deepEqual(results.sort(), ['imported', result].sort())
    assert.equal((await at.factor.status({ user: 'bob' })).methods.length, 1)
    assert.equal(at.events.filter(({ event }) => event === 'totp_imported').length, 2)
  }
})

test('an import beside a login and a set-up: each order ends in one app, and in one set of backup codes', async () => {
  const { at, importTotp } = await wired()
  await importTotp({ user: 'ann', secret: SECRET, operator })
  at.clock.advance(60)
  const ticket = await ticketOf(at, 'ann')
  const code = codeOf(at, SECRET)
  const step = { ticket, session: 'before', method: 'totp', code }
  const [one, two, again] = await Promise.all([
    at.factor.verify({ ...step, newSession: 'a' }),
    at.factor.verify({ ...step, newSession: 'b' }),
    importTotp({ user: 'ann', secret: SECRET, operator }),
  ])
  assert.deepEqual([one.result, two.result].sort(), ['already_used', 'verified'])
  assert.equal(again.result, 'unchanged')
  const verified = [one, two].find(({ result }) => result === 'verified')
  assert.equal(verified.backupCodes.length, 2)
  assert.equal(at.notices.length, 1)

  const started = await at.factor.enrollTotp({ user: 'bob', session: 's', label: 'bob' })
  const secret = started.secret.replaceAll(' ', '')
  const [confirmed, imported] = await Promise.all([
    at.factor.confirmTotp({ user: 'bob', session: 's', setup: started.setup, code: codeOf(at, secret) }),
    importTotp({ user: 'bob', secret: OTHER, operator }),
  ])
  assert.ok(
    (confirmed.result === 'enrolled' && imported.reason === 'has_factor') ||
      (confirmed.result === 'expired' && imported.result === 'imported'),
    JSON.stringify([confirmed.result, imported]),
  )
  assert.equal((await at.factor.status({ user: 'bob' })).methods.length, 1)
})

test('a wrong code at the first login brings no backup codes, and the next right one does', async () => {
  const { at, importTotp } = await wired()
  await importTotp({ user: 'ann', secret: SECRET, operator })
  at.clock.advance(60)
  assert.equal((await verify(at, 'ann', wrongCode(at, SECRET))).result, 'wrong')
  assert.equal((await at.factor.status({ user: 'ann' })).backupCodes, undefined)
  assert.equal((await verify(at, 'ann', codeOf(at, SECRET))).backupCodes.length, 2)
})

test('accounts of one user are apart, and each has the policy of its own', async () => {
  const policy = ({ account }) => rules(account === 'plain' ? { methods: ['totp'] } : {})
  const { at, importMany } = await wired({ policy })
  const entries = ['plain', 'rich'].map((account) => ({ account, user: 'ann', secret: SECRET }))
  assert.equal(count(await all(importMany(entries, { operator })), 'imported'), 2)
  at.clock.advance(60)
  for (const [account, codes] of /** @type {[string, number | undefined][]} */ ([
    ['plain', undefined],
    ['rich', 2],
  ])) {
    const { ticket } = await at.factor.begin({ account, user: 'ann', session: 'before' })
    const reply = await at.factor.verify({
      account,
      ticket,
      session: 'before',
      method: 'totp',
      code: codeOf(at, SECRET),
    })
    assert.equal(reply.backupCodes?.length, codes, account)
  }
  const failing = () => {
    throw new Error('no such account')
  }
  const without = createOperator({ ...at.options, policy: failing })
  const [one] = await all(without.importMany([{ user: 'bob', secret: SECRET }], { operator }))
  assert.equal(one.error.code, 'invalid_policy')
})

test('many leave the event loop free, also with a store in this thread', async () => {
  const { importMany } = await wired({ store: sqliteStore(new Database(':memory:')), onEvent: undefined })
  let turns = 0
  const tick = () => {
    turns += 1
    ticking = setImmediate(tick)
  }
  let ticking = setImmediate(tick)
  const entries = Array.from({ length: 1_000 }, (_, n) => ({ user: `user ${n}`, secret: secretOf(n) }))
  const results = await all(importMany(entries, { operator }))
  clearImmediate(ticking)
  assert.equal(count(results, 'imported'), 1_000)
  assert.ok(turns >= 10, `${turns} turns in 10 batches`)
})

test('many wait for the log, and end where nobody asks on', async () => {
  const written = []
  let open = 0
  let most = 0
  const onEvent = async (event) => {
    open += 1
    most = Math.max(most, open)
    await new Promise((resolve) => setImmediate(resolve))
    open -= 1
    written.push(event)
  }
  const { importMany } = await wired({ store: memoryStore(), onEvent })
  let asked = 0
  function* entries() {
    for (asked = 0; asked < 100_000; asked += 1) yield { user: `user ${asked}`, secret: secretOf(asked) }
  }
  let results = 0
  for await (const { result } of importMany(entries(), { operator })) {
    assert.equal(result, 'imported')
    results += 1
    if (results === 2_000) break
  }
  assert.equal(written.length, 2_000)
  assert.ok(most <= 100, `${most} events at once`)
  assert.ok(asked <= 2_100, `${asked} entries were read`)
})

test('entries that throw end the import, and what was imported stays', async () => {
  const { at, importMany } = await wired()
  async function* entries() {
    for (let n = 0; n < 150; n += 1) yield { user: `user ${n}`, secret: secretOf(n) }
    throw new Error('the file ends in the middle')
  }
  let results = 0
  await assert.rejects(async () => {
    for await (const one of importMany(entries(), { operator })) results += Number(one.result === 'imported')
  }, /the file ends in the middle/)
  assert.equal(results, 100)
  assert.equal((await at.factor.status({ user: 'user 99' })).enrolled, true)
  assert.equal(await at.store.load({ user: 'user 100' }), undefined)
})

test('T33, T54: a polluted prototype imports nothing, and changes no setting', async () => {
  const { at, importTotp, importMany } = await wired()
  const polluted = { replace: true, digits: 8, secret: OTHER, lastStep: 7, operator: 'eve', account: 'acme' }
  for (const [name, value] of Object.entries(polluted))
    Object.defineProperty(Object.prototype, name, { value, configurable: true })
  try {
    await withApp(at, 'ann')
    assert.equal((await importTotp({ user: 'ann', secret: SECRET, operator })).reason, 'has_factor')
    const [bob] = await all(importMany([{ user: 'bob', secret: SECRET }], { operator }))
    assert.equal(bob.result, 'imported')
    await assert.rejects(importTotp({ user: 'cem', operator }), refusedWith('invalid_input', 'secret'))
    at.clock.advance(60)
    assert.equal((await verify(at, 'bob', codeOf(at, SECRET, { digits: 6 }))).result, 'verified')
  } finally {
    for (const name of Object.keys(polluted)) delete Object.prototype[name]
  }
})

test('a service of the same options that imports nothing has no such commands', () => {
  const factor = createSecondFactor({
    policy: rules({ methods: ['totp'] }),
    keys: entry.generateKeys(),
    store: memoryStore(),
  })
  assert.deepEqual(
    Object.keys(factor).filter((name) => /import/i.test(name)),
    [],
  )
})
