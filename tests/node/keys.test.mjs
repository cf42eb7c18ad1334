// Rotated and missing keys, and records that are not ours (T40).
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { backupCodes, createSecondFactor, generateKeys, memoryStore } from 'countersign'
import { codeOf, host, login, refusedWith, rules, ticketOf, withApp, withPhone } from './support.mjs'

const ring = (...rings) => ({
  v: 1,
  sealing: rings.flatMap((r) => r.sealing),
  signing: rings.flatMap((r) => r.signing),
})
/** Key rings whose keys have different names, as a rotation needs. */
const named = (name) => {
  const keys = generateKeys()
  keys.sealing[0].kid = `seal-${name}`
  keys.signing[0].kid = `pass-${name}`
  return keys
}
const [old, fresh] = [named('old'), named('new')]
const recordOf = async (at, user = 'ann') => JSON.parse((await at.store.load({ user })).record)

async function enrolled() {
  const at = await host({ keys: old })
  const ann = await withApp(at)
  await withPhone(at, ann)
  const rekeyed = async (keys) => ({ ...at, factor: createSecondFactor({ ...at.options, keys }) })
  return { at, ann, rekeyed }
}

test('new key rings differ, and their secrets have 32 bytes', () => {
  const keys = Array.from({ length: 20 }, generateKeys)
  const secrets = keys.flatMap(({ sealing, signing }) => [sealing[0].secret, signing[0].secret])
  assert.equal(new Set(secrets).size, 40)
  for (const secret of secrets) assert.equal(Buffer.from(secret, 'base64url').length, 32)
  for (const { v, sealing, signing } of keys)
    assert.deepEqual([v, sealing.length, signing.length, signing[0].alg], [1, 1, 1, 'EdDSA'])
})

test('a ring whose first key cannot sign is refused at the start', async () => {
  const {
    keys: [{ x }],
  } = (await host()).factor.jwks()
  const signing = [{ kid: 'theirs', alg: 'EdDSA', public: x }]
  await assert.rejects(host({ keys: { ...generateKeys(), signing } }), refusedWith('invalid_keys', 'signing[0]'))
  await host({ keys: { ...generateKeys(), signing: [...generateKeys().signing, ...signing] } })
})

test('a policy that offers SMS needs a gateway', async () => {
  await assert.rejects(host({ sendSms: undefined }), refusedWith('no_sms', 'sendSms'))
  await host({ sendSms: undefined, policy: rules({ methods: ['totp'] }) })
})

test('T40: the old key still opens values, and the new key writes', async () => {
  const { at, ann, rekeyed } = await enrolled()
  const pass = (await login(at, ann)).pass
  const both = await rekeyed(ring(fresh, old))
  assert.equal((await recordOf(at)).apps[0].secret.kid, 'seal-old')
  const ticket = await ticketOf(at, 'ann')
  const code = codeOf(at, ann.secret)
  assert.equal(
    (await both.factor.verify({ ticket, session: 'before', method: 'totp', code })).result,
    'verified',
    'a ticket of the old key',
  )
  assert.equal((await recordOf(at)).apps[0].secret.kid, 'seal-new', 'sealed anew by the login')
  assert.equal(
    (await both.factor.checkPass({ user: 'ann', session: 'in', pass })).result,
    'valid',
    'a pass of the old key',
  )

  at.clock.advance(60)
  await both.factor.sendSms({ ticket: await ticketOf(both, 'ann'), session: 'before' })
  const sms = await ticketOf(both, 'ann')
  assert.equal(
    (await both.factor.verify({ ticket: sms, session: 'before', method: 'sms', code: at.sms.lastCode() })).result,
    'expired',
    'bound to its own ticket',
  )
  at.clock.advance(60)
  await both.factor.sendSms({ ticket: sms, session: 'before' })
  assert.equal(
    (await both.factor.verify({ ticket: sms, session: 'before', method: 'sms', code: at.sms.lastCode() })).result,
    'verified',
  )
  assert.equal((await recordOf(at)).phones[0].number.kid, 'seal-new')

  const newPass = (await login(both, ann)).pass
  assert.equal(JSON.parse(Buffer.from(newPass.split('.')[0], 'base64url')).kid, 'pass-new')
  const only = await rekeyed(fresh)
  await login(only, ann)
  assert.equal((await only.factor.checkPass({ user: 'ann', session: 'in', pass })).reason, 'invalid', 'its key is gone')
  assert.equal((await at.factor.checkPass({ user: 'ann', session: 'in', pass: newPass })).reason, 'invalid')
  assert.deepEqual(
    both.factor.jwks().keys.map(({ kid }) => kid),
    ['pass-new', 'pass-old'],
  )
})

test('T40: a key that is gone is a typed failure, and never "no second factor"', async () => {
  const { at, ann, rekeyed } = await enrolled()
  const gone = await rekeyed(fresh)
  const before = await at.store.load({ user: 'ann' })
  const missing = refusedWith('key_missing', 'keys.sealing')
  // The challenge shows the end of the phone's number, so it needs the key.
  await assert.rejects(gone.factor.begin({ user: 'ann', session: 's' }), missing)
  const ticket = await ticketOf(at, 'ann')
  assert.deepEqual(
    await gone.factor.verify({ ticket, session: 'before', method: 'totp', code: codeOf(at, ann.secret) }),
    { result: 'denied', reason: 'ticket_invalid' },
  )
  assert.equal((await gone.factor.status({ user: 'bob' })).enrolled, false)
  const passes = await rekeyed(ring(fresh, { sealing: [], signing: old.signing }))
  const { pass } = await login(at, ann)
  const now = await at.store.load({ user: 'ann' })
  for (const attempt of [
    () => passes.factor.begin({ user: 'ann', session: 's' }),
    () => passes.factor.status({ user: 'ann' }),
  ]) {
    await assert.rejects(attempt, missing)
  }
  assert.notDeepEqual(before, now, 'the login in between wrote the record')
  assert.deepEqual(await at.store.load({ user: 'ann' }), now, 'nothing was counted')
  assert.equal((await passes.factor.checkPass({ user: 'ann', session: 'in', pass })).result, 'valid')
})

test('T40: backup codes keep the key with which they were made', async () => {
  const at = await host({ keys: old })
  const ann = await withApp(at)
  const both = { ...at, factor: createSecondFactor({ ...at.options, keys: ring(fresh, old) }) }
  const verify = async (by, code) =>
    by.factor.verify({ ticket: await ticketOf(by, 'ann'), session: 'before', method: 'backup_code', code })
  assert.equal((await verify(both, ann.backupCodes[0])).result, 'verified')
  const gone = { ...at, factor: createSecondFactor({ ...at.options, keys: fresh }) }
  await assert.rejects(verify(gone, ann.backupCodes[1]), refusedWith('key_missing', 'keys.sealing'))
  assert.equal((await verify(both, ann.backupCodes[1])).result, 'verified', 'the codes still work')

  const { codes, stored } = backupCodes.generate({ keys: old, user: 'ann', count: 1 })
  const given = { user: 'ann', stored, code: codes[0], time: at.clock() }
  assert.throws(() => backupCodes.verify({ ...given, keys: fresh }), refusedWith('key_missing', 'keys.sealing'))
  assert.equal(backupCodes.verify({ ...given, keys: ring(fresh, old) }).valid, true)
})

test('every command refuses a record that is not ours', async (t) => {
  const { at, ann } = await enrolled()
  const good = (await at.store.load({ user: 'ann' })).record
  const bob = await withApp(at, 'bob')
  const changed = (change) => {
    const record = JSON.parse(good)
    change(record)
    return JSON.stringify(record)
  }
  const cases = {
    'a newer version': [changed((r) => void (r.v = 3)), 'unknown_record_version', 'record.v'],
    'a newer version with fields of its own': ['{"v":7,"something":"else"}', 'unknown_record_version', 'record.v'],
    'version 0': [changed((r) => void (r.v = 0)), 'unknown_record_version', 'record.v'],
    'no version': [changed((r) => void delete r.v), 'invalid_record'],
    'version as text': [changed((r) => void (r.v = '2')), 'invalid_record', 'record.v'],
    'another user': [(await at.store.load({ user: 'bob' })).record, 'invalid_record', 'record.id'],
    'another account': [changed((r) => void (r.id.account = 'acme')), 'invalid_record', 'record.id'],
    'a field more': [changed((r) => void (r.admin = true)), 'invalid_record'],
    'a field twice': [good.replace('{', '{"v":2,'), 'invalid_record'],
    'no attempts': [changed((r) => void delete r.attempts), 'invalid_record'],
    'negative failures': [changed((r) => void (r.attempts.failures = -1)), 'invalid_record'],
    'a weaker hash': [changed((r) => void (r.backup.set.cost.m = 8)), 'invalid_record'],
    'cut short': [good.slice(0, -1), 'invalid_record'],
    'text after it': [`${good}x`, 'invalid_record'],
    empty: ['', 'invalid_record'],
    null: ['null', 'invalid_record'],
    'a list': ['[]', 'invalid_record'],
    'empty object': ['{}', 'invalid_record'],
    'too long': [good + ' '.repeat(70_000), 'invalid_record'],
  }
  for (const [name, [record, code, path]] of Object.entries(cases)) {
    await t.test(name, async () => {
      const writes = []
      const factor = createSecondFactor({
        ...at.options,
        store: { load: async () => ({ record, version: 1 }), save: async (...args) => (writes.push(args), true) },
      })
      const refused = refusedWith(code, path)
      await assert.rejects(factor.begin({ user: 'ann', session: 's' }), refused)
      await assert.rejects(factor.status({ user: 'ann' }), refused)
      await assert.rejects(factor.enrollTotp({ user: 'ann', session: 's', label: 'ann' }), refused)
      await assert.rejects(
        factor.verify({
          ticket: await ticketOf(at, 'ann'),
          session: 'before',
          method: 'totp',
          code: codeOf(at, ann.secret),
        }),
        refused,
      )
      assert.deepEqual(writes, [])
    })
  }
  assert.ok(bob)
})

test('a sealed value moved to another user or field, or changed, does not open', async () => {
  const { at, ann } = await enrolled()
  await withApp(at, 'bob')
  const bob = JSON.parse((await at.store.load({ user: 'bob' })).record)
  const good = JSON.parse((await at.store.load({ user: 'ann' })).record)
  const flipped = (text) => (text.startsWith('A') ? 'B' : 'A') + text.slice(1)
  const changes = {
    'the secret of another user': (r) => void (r.apps[0].secret = bob.apps[0].secret),
    'the number in the place of the secret': (r) => void (r.apps[0].secret = r.phones[0].number),
    'a bit of the box': (r) => void (r.apps[0].secret.data = flipped(r.apps[0].secret.data)),
    'a bit of the nonce': (r) => void (r.apps[0].secret.nonce = flipped(r.apps[0].secret.nonce)),
    'a short nonce': (r) => void (r.apps[0].secret.nonce = ''),
    'no box': (r) => void (r.apps[0].secret.data = ''),
  }
  for (const [name, change] of Object.entries(changes)) {
    const record = structuredClone(good)
    change(record)
    const store = { load: async () => ({ record: JSON.stringify(record), version: 1 }), save: async () => true }
    const factor = createSecondFactor({ ...at.options, store })
    const attempt = factor.verify({
      ticket: await ticketOf(at, 'ann'),
      session: 'before',
      method: 'totp',
      code: codeOf(at, ann.secret),
    })
    await assert.rejects(attempt, refusedWith('seal_broken'), name)
  }
})

test('a user without a record counts as a user without a factor', async () => {
  const at = await host({ store: memoryStore() })
  assert.deepEqual((await at.factor.status({ user: 'ann' })).methods, [])
  assert.deepEqual(await at.factor.begin({ user: 'ann', session: 's' }), { result: 'allowed', enroll: true })
  assert.equal(await at.store.load({ user: 'ann' }), undefined, 'a question writes nothing')
})
