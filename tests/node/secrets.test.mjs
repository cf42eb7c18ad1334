// Secrets are not in the store, in events and notices, in errors, or in linear memory after a call
// (T11, T12, T32, T34).
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { inspect } from 'node:util'
import { backupCodes, createSecondFactor, generateKeys, memoryStore, otpauth, policy, qr, totp } from 'countersign'
import { fixedEntropy, wasmMemory } from 'countersign/testing'
import { codeOf, host, rules, ticketOf } from './support.mjs'

const ALPHABET32 = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'

/** The encoded symbols at each bit offset, which depends on the bytes before. */
function shifted(data, bits, encode) {
  const period = bits === 6 ? 3 : 5
  return Array.from({ length: period }, (_, shift) => {
    const text = encode(Buffer.concat([Buffer.alloc(shift), data]))
    return text.slice(Math.ceil((shift * 8) / bits), Math.floor(((shift + data.length) * 8) / bits))
  })
}

function base32(data) {
  const bits = [...data].map((byte) => byte.toString(2).padStart(8, '0')).join('')
  return bits
    .match(/.{5}/g)
    .map((five) => ALPHABET32[parseInt(five, 2)])
    .join('')
}

/** All encodings of `data`. */
function forms(data) {
  const bytes = Buffer.from(data)
  const hex = bytes.toString('hex')
  const base64 = shifted(bytes, 6, (buffer) => buffer.toString('base64'))
  return [
    ...new Set([
      bytes.toString('latin1'),
      hex,
      hex.toUpperCase(),
      ...base64,
      ...base64.map((text) => text.replaceAll('+', '-').replaceAll('/', '_')),
      ...shifted(bytes, 5, base32),
    ]),
  ]
}

const fromBase32 = (text) => {
  const bits = [...text].map((symbol) => ALPHABET32.indexOf(symbol).toString(2).padStart(5, '0')).join('')
  return Buffer.from(bits.match(/.{8}/g).map((byte) => parseInt(byte, 2)))
}

/** The spellings of a text. */
const spellings = {
  secret: (secret) => [fromBase32(secret), secret, secret.match(/.{4}/g).join(' ')],
  long: (code) => [code, code.replaceAll('-', '')],
  number: (number) => [number, number.slice(1), number.slice(3)],
  plain: (text) => [text],
}

function assertAbsent(haystack, secrets, where) {
  const text = Buffer.isBuffer(haystack) ? haystack : Buffer.from(haystack)
  for (const [kind, values] of Object.entries(secrets)) {
    for (const value of values) {
      for (const spelling of spellings[kind](value)) {
        for (const form of forms(spelling)) {
          assert.ok(!text.includes(Buffer.from(form, 'latin1')), `${where}: a ${kind}, as ${form}`)
        }
      }
    }
  }
}

test('the search finds a secret in each of its forms', () => {
  for (const text of ['12345678', 'GEZD GNBV']) {
    for (const encoding of /** @type {const} */ (['utf8', 'hex', 'base64', 'base64url'])) {
      for (const before of ['', 'x', 'xy']) {
        const hidden = Buffer.from(`${before}${text}tail`).toString(encoding)
        assert.throws(() => assertAbsent(hidden, { plain: [text] }, 'here'), /here: a plain/, `${encoding} ${before}`)
      }
    }
  }
  assert.equal(base32(fromBase32('GEZDGNBVGY3TQOJQ')), 'GEZDGNBVGY3TQOJQ')
  assertAbsent('nothing', { plain: ['12345678'] }, 'here')
})

const EIGHT = { totp: { digits: 8 }, sms: { digits: 8 } }

/** Plays all commands for a user, and gives every secret. Codes have eight digits, so that none occurs by chance. */
async function life(changes = {}) {
  const replies = []
  const at = await host({ policy: rules({ ...EIGHT, backupCodes: { count: 2, keepForShowing: true }, ...changes }) })
  const secrets = { secret: [], long: [], number: ['+61412345678', '+61498765432'], plain: [] }
  const records = []
  const run = async (name, input) => {
    const reply = await at.factor[name](input)
    replies.push(reply)
    if (reply.pass) secrets.plain.push(reply.pass)
    if (reply.setup) secrets.plain.push(reply.setup)
    if (reply.newCodes) secrets.plain.push(reply.newCodes)
    for (const user of ['ann', 'bob']) records.push((await at.store.load({ user }))?.record ?? '')
    return reply
  }
  const typed = (code) => (secrets.plain.push(code), code)
  const app = (secret) => typed(codeOf(at, secret, { digits: 8 }))
  const enroll = async (user, proof = {}) => {
    const { secret, setup } = await run('enrollTotp', { user, session: 'in', label: user, ...proof })
    secrets.secret.push(secret.replaceAll(' ', ''))
    const done = await run('confirmTotp', { user, session: 'in', setup, code: app(secret) })
    secrets.long.push(...(done.backupCodes ?? []))
    at.clock.advance(60)
    return { secret, pass: done.pass, factor: done.factor }
  }
  const enter = async (user, method, code) => {
    const { ticket } = await run('begin', { user, session: 'before' })
    secrets.plain.push(ticket)
    const reply = await run('verify', {
      ticket,
      session: 'before',
      newSession: 'in',
      method,
      code: typeof code === 'function' ? await code(ticket) : code,
    })
    at.clock.advance(60)
    return reply
  }
  const { secret: ann } = await enroll('ann')
  const { secret: bob } = await enroll('bob')
  let { pass } = await enter('ann', 'totp', () => app(ann))
  for (const number of secrets.number) {
    const { setup } = await run('enrollSms', { user: 'ann', session: 'in', pass, number })
    await run('confirmSms', { user: 'ann', session: 'in', setup, code: typed(at.sms.lastCode()) })
    at.clock.advance(3_600)
    pass = (await enter('ann', 'totp', () => app(ann))).pass
  }
  await enter('ann', 'totp', typed('00000001'))
  await enter(
    'ann',
    'sms',
    async (ticket) => (await run('sendSms', { ticket, session: 'before' }), typed(at.sms.lastCode())),
  )
  await enter('ann', 'backup_code', secrets.long[0])
  ;({ pass } = await enter('ann', 'totp', () => app(ann)))
  await run('showBackupCodes', { user: 'ann', session: 'in', pass })
  const renewed = await run('renewBackupCodes', { user: 'ann', session: 'in', pass })
  secrets.long.push(...renewed.codes.map(({ code }) => code))
  await run('confirmBackupCodes', { user: 'ann', session: 'in', pass: renewed.pass, set: renewed.set })
  const issued = await run('issueRecoveryCode', {
    user: 'bob',
    by: { user: 'ann', session: 'in', pass: renewed.pass, role: 'owner' },
  })
  secrets.long.push(issued.code)
  const back = await enter('bob', 'recovery_code', issued.code)
  assert.equal(back.result, 'verified')
  const again = await enroll('bob', { pass: back.pass })
  await run('remove', { user: 'bob', session: 'in', pass: again.pass, factor: again.factor.id })
  await run('status', { user: 'ann' })
  const results = new Set(replies.map(({ result }) => result))
  for (const result of ['verified', 'wrong', 'enrolled', 'sms_sent', 'removed', 'backup_codes', 'recovery_code'])
    assert.ok(results.has(result), `${result} happened`)
  assert.ok(bob && secrets.secret.length === 3 && secrets.long.length === 7 && secrets.plain.length > 15)
  return { at, secrets, records, ann: { user: 'ann', secret: ann.replaceAll(' ', '') } }
}

test('T11: no stored record holds a code, a secret or a number', async () => {
  const { secrets, records } = await life()
  assert.ok(
    records.some((record) => record.includes('"copy"')) && records.some((record) => record.includes('"loginCode"')),
  )
  for (const record of new Set(records)) assertAbsent(record, secrets, 'the record')
})

test('T32: no event and no notice holds a secret', async () => {
  const { at, secrets } = await life()
  const kinds = new Set([...at.events.map(({ event }) => event), ...at.notices.map(({ kind }) => kind)])
  for (const kind of [
    'code_accepted',
    'code_refused',
    'factor_added',
    'factor_removed',
    'recovery_code_issued',
    'sms_sent',
    'recovery_code_used',
    'backup_codes_renewed',
    'backup_codes_confirmed',
  ]) {
    assert.ok(kinds.has(kind), `${kind} was sent`)
  }
  assertAbsent(JSON.stringify([at.events, at.notices]), secrets, 'an event or notice')
  const { plain, ...rest } = secrets
  assertAbsent(JSON.stringify(await at.factor.status({ user: 'ann' })), { ...rest, plain }, 'the status')
})

test('T12: no stored text is accepted as a code', async () => {
  const { at } = await life()
  const record = JSON.parse((await at.store.load({ user: 'ann' })).record)
  const stored = []
  JSON.stringify(record, (_, value) => (typeof value === 'object' || stored.push(String(value)), value))
  assert.ok(stored.includes(record.backup.set.slots[0].hash) && stored.includes(record.apps[0].secret.data))
  for (const method of ['totp', 'sms', 'backup_code', 'recovery_code']) {
    for (const code of [...stored, JSON.stringify(record), stored.join('')]) {
      const ticket = await ticketOf(at, 'ann')
      const before = (await at.store.load({ user: 'ann' })).record
      const { result } = await at.factor.verify({ ticket, session: 'before', method, code })
      assert.ok(['malformed', 'expired', 'wrong', 'locked'].includes(result), `${method}: ${result}`)
      if (result === 'malformed') assert.equal((await at.store.load({ user: 'ann' })).record, before)
      at.clock.advance(7_200)
    }
  }
})

test('T32: no error quotes its input', async () => {
  const secret = 'GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ'
  const quoted = 'ICEiIyQlJicoKSorLC0uLzAxMjM0NTY3ODk6Ozw9Pj8'
  const code = '48151623'
  const keys = generateKeys()
  const at = await host({ policy: rules({ methods: ['totp', 'backup_code'] }) })
  const ring = (change) => {
    const changed = structuredClone(keys)
    change(changed)
    return changed
  }
  const begin = { user: 'ann', session: 's' }
  const calls = [
    () => at.factor.begin({ ...begin, channel: code }),
    () => at.factor.begin({ ...begin, ip: { secret: code } }),
    () => at.factor.verify({ ticket: code, session: `${code}\n`, method: 'totp', code }),
    () => at.factor.enrollTotp({ ...begin, user: `${code}\n`, label: 'x' }),
    () => at.factor.issueRecoveryCode({ user: 'bob', by: { ...begin, role: code } }),
    () => at.factor.checkPass({ ...begin, pass: code, methods: [code] }),
    () => at.factor.reviewPolicy({ policy: rules({ methods: [code] }), author: { user: 'ann' }, users: [] }),
    () => at.factor.reviewPolicy({ policy: rules(), author: { user: 'ann' }, users: [{ user: 'ann', role: code }] }),
    () => createSecondFactor({ ...at.options, keys: ring((r) => void (r.signing[0].alg = quoted)) }),
    () => createSecondFactor({ ...at.options, keys: ring((r) => void (r.signing[0].kid = `${quoted}${quoted}`)) }),
    () => createSecondFactor({ ...at.options, keys: ring((r) => void (r.sealing[0].secret = `${quoted}=`)) }),
    () => createSecondFactor({ ...at.options, keys: ring((r) => void (r.v = quoted)) }),
    () => createSecondFactor({ ...at.options, keys: ring((r) => void (r.sealing = quoted)) }),
    () => createSecondFactor({ ...at.options, keys: ring((r) => void (r.sealing = [quoted])) }),
    () => createSecondFactor({ ...at.options, keys: `${JSON.stringify(keys)}${quoted}` }),
    () => createSecondFactor({ ...at.options, keys: quoted }),
    () => createSecondFactor({ ...at.options, keys: JSON.stringify(quoted) }),
    () => totp.generate({ secret: `${secret}!`, time: 0 }),
    () => totp.generate({ secret: secret.slice(0, 20), time: 0 }),
    () => totp.generate({ secret, time: 0, algorithm: secret }),
    () => totp.generate({ secret, time: code }),
    () => totp.verify({ secret, time: 0, code: Number(code) }),
    () => totp.verify({ secret, time: 0, code, window: 300 }),
    () => otpauth.parse(`otpauth://totp/ann?secret=${secret}&secret=${secret}`),
    () => otpauth.parse(`otpauth://totp/ann?secret=${secret}!`),
    () => otpauth.parse(`otpauth://totp/ann?${secret}=%zz`),
    () => otpauth.parse(`otpauth://totp/ann?${secret}=1`),
    () => otpauth.parse(`otpauth://totp/ann?secret=${secret}&algorithm=${secret}`),
    () => otpauth.format({ issuer: 'Acme', label: 'ann', secret: `${secret.slice(1)}1` }),
    () => qr.svg(secret.repeat(120)),
    () => backupCodes.verify({ keys, user: 'ann', stored: quoted, code, time: 0 }),
    () =>
      backupCodes.verify({
        keys,
        user: 'ann',
        stored: JSON.stringify({ kid: quoted, cost: quoted, slots: quoted }),
        code,
        time: 0,
      }),
    () => policy.decide(rules(), { enrollment: code }),
    () => policy.parse(rules({ require: code })),
    () => policy.parse(rules({ network: { allow: [code] } })),
  ]
  for (const call of calls) {
    let error
    try {
      await call()
    } catch (thrown) {
      error = thrown
    }
    assert.ok(error, `${call} is refused`)
    const text = [
      inspect(error, { depth: 20, showHidden: true }),
      JSON.stringify(error),
      error.path,
      error.message,
    ].join('\n')
    // The stack names only files and lines.
    for (const value of [secret, secret.slice(0, 20), quoted, code])
      assert.ok(!text.includes(value), `${call}: ${text}`)
  }
  const junk = /** @type {any} */ ({ code })
  const replies = [
    await at.factor.verify({ ticket: junk, session: 's', method: junk, code: junk }),
    await at.factor.verify({ ticket: code, session: 's', method: /** @type {any} */ (code), code }),
    await at.factor.remove({ ...begin, factor: code }),
    await at.factor.enrollTotp({ ...begin, label: junk }),
  ]
  for (const reply of replies) {
    assert.equal(reply.result, 'malformed')
    assert.ok(!JSON.stringify(reply).includes(code))
  }
})

const memory = () => Buffer.from(wasmMemory())

test('T34: after a call, linear memory holds no secret of it', async () => {
  const keys = generateKeys()
  const sealing = Buffer.from(keys.sealing[0].secret, 'base64url')
  const core = createSecondFactor({ policy: rules({ methods: ['totp'] }), keys, store: memoryStore() })
  assert.ok(memory().includes(sealing), 'the search finds the secret of a ring in use')
  assert.ok(core)

  const { secrets } = await life()
  const { plain, ...rest } = secrets
  assertAbsent(memory(), { ...rest, plain }, 'linear memory')
})

test('T34: no secret stays in memory after the tools, which keep no keys', async () => {
  const keys = generateKeys()
  const secret = totp.secret()
  const code = totp.generate({ secret, digits: 8, time: 1_800_000_000 })
  totp.verify({ secret, digits: 8, code, time: 1_800_000_000 })
  const uri = otpauth.format({ issuer: 'Acme', label: 'ann', secret })
  otpauth.parse(uri)
  qr.svg(uri)
  const { codes, stored } = backupCodes.generate({ keys, user: 'ann', count: 2 })
  backupCodes.verify({ keys, user: 'ann', stored, code: codes[0], time: 0 })
  backupCodes.toText({ name: 'Acme', user: 'ann', codes })
  backupCodes.toHtml({ name: 'Acme', user: 'ann', codes })
  const raw = [keys.sealing[0].secret, keys.signing[0].secret]
  assertAbsent(
    memory(),
    { secret: [secret], long: codes, plain: [code, uri, ...raw, ...raw.map((text) => Buffer.from(text, 'base64url'))] },
    'linear memory',
  )
})

test('T34: the module for browsers keeps no secret of a set-up', async () => {
  const { instantiate } = WebAssembly
  /** @type {any} */
  const hooked = WebAssembly
  let exported
  hooked.instantiate = async (...given) => {
    const made = await Reflect.apply(instantiate, WebAssembly, given)
    exported = made.exports
    return made
  }
  const { load, previewEnrollment } = await import('countersign/browser')
  const module = fileURLToPath(import.meta.resolve('countersign/countersign.wasm'))
  await load({ wasm: new Uint8Array(readFileSync(module)) })
  hooked.instantiate = instantiate

  const all = () => Buffer.from(exported.memory.buffer)
  assert.ok(all().includes('is too long for a QR code'), 'the search finds a text of the module')
  const secret = totp.secret()
  const uri = otpauth.format({ issuer: 'Acme', label: 'ann', secret })
  const { svg } = await previewEnrollment({ uri })
  const path = svg.slice(svg.indexOf('stroke='), -20)
  const secrets = { secret: [secret], plain: [uri, path.slice(-200), secret.slice(0, 8), secret.slice(-8)] }
  assertAbsent(all(), secrets, 'memory after a drawing')
  for (const wrong of ['&digits=9', '&secret=A', `&x=${'y'.repeat(2_000)}`, `&issuer=${'%ff'}`])
    await assert.rejects(previewEnrollment({ uri: `${uri}${wrong}` }), { code: 'invalid_uri' })
  await assert.rejects(previewEnrollment({ uri: uri.replace(secret, `${secret}1`) }), { code: 'invalid_uri' })
  assertAbsent(all(), secrets, 'memory after calls that fail')
})

test('T34: no secret stays in memory after calls that fail', async () => {
  const keys = generateKeys()
  const secret = totp.secret()
  const fails = (call) => assert.throws(call, { name: 'CountersignError' })
  fails(() => totp.generate({ secret: `${secret}!`, time: 0 }))
  fails(() => totp.verify({ secret, code: '48151623', digits: 9, time: 0 }))
  fails(() => otpauth.parse(`otpauth://totp/ann?secret=${secret}&digits=9`))
  fails(() => backupCodes.generate({ keys: { ...keys, v: 2 }, user: 'ann' }))
  fails(() => backupCodes.generate({ keys, user: '' }))
  fails(() => backupCodes.verify({ keys, user: 'ann', stored: '{}', code: '7Q3K-W9ZX-2MVB-H8TD', time: 0 }))
  const raw = [keys.sealing[0].secret, keys.signing[0].secret]
  assertAbsent(
    memory(),
    {
      secret: [secret],
      long: ['7Q3K-W9ZX-2MVB-H8TD'],
      plain: ['48151623', ...raw, ...raw.map((text) => Buffer.from(text, 'base64url'))],
    },
    'linear memory',
  )
})

test('T34: no secret stays in memory after a failing store or lost races', async () => {
  // The same seed gives the same code, which the call with a working store sends. Eight digits do not occur by chance.
  const number = '+61412345678'
  const start = async (store) => {
    const at = await host({ policy: rules(EIGHT), entropy: fixedEntropy('one secret'), ...(store && { store }) })
    const { setup } = await at.factor.enrollSms({ user: 'ann', session: 's', number })
    return [at.sms.lastCode(), setup]
  }
  const secrets = { plain: await start(), number: [number] }
  assertAbsent(memory(), secrets, 'after a store that works')
  await assert.rejects(start({ load: async () => undefined, save: () => Promise.reject(new Error('disk full')) }), {
    code: 'store_failed',
  })
  assertAbsent(memory(), secrets, 'after a store that throws')
  await assert.rejects(start({ load: async () => undefined, save: async () => 'yes' }), { code: 'store_failed' })
  assertAbsent(memory(), secrets, 'after a store that answers nonsense')
  await assert.rejects(start({ load: async () => undefined, save: async () => false }), { code: 'conflict' })
  assertAbsent(memory(), secrets, 'after lost races')
})
