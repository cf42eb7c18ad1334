// The reader of better-auth's table, on rows that better-auth has made (I1).
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { codeAt, codesOf, exported, one, read, secretsOf } from './import-support.mjs'
import { xchacha } from './xchacha.mjs'

const TIME = 1_800_000_000
const TEXT = 'GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ'
const made = JSON.parse(exported('codes.json'))

const secrets = { versions: new Map([[1, 'one']]), bare: 'none' }

test('I1: better-auth signs with the text, under each of its keys', async () => {
  const settings = { secrets: secretsOf(JSON.parse(exported('better-auth.env.json'))) }
  const found = await read('better-auth', exported('better-auth.json'), settings)
  assert.deepEqual(codesOf(found, made.time), made.codes['better-auth.json'])
  assert.deepEqual(found.map(({ reason }) => reason).filter(Boolean), ['not_verified'])
  const rows = JSON.parse(exported('better-auth.json'))
  assert.ok(
    rows.some(({ secret }) => secret.startsWith('$ba$1$')) && rows.some(({ secret }) => secret.startsWith('$ba$2$')),
  )
  assert.ok(rows.some(({ secret }) => /^[0-9a-f]+$/.test(secret)))
  const names = Object.keys(rows[0])
  const csv = [names, ...rows.map((row) => names.map((name) => row[name] ?? ''))].map((row) => row.join(',')).join('\n')
  assert.deepEqual(
    await read('better-auth', csv, settings).then((all) => codesOf(all, made.time)),
    made.codes['better-auth.json'],
  )
})

test('I1: a key of better-auth that is missing or wrong is reported by row', async () => {
  const rows = JSON.parse(exported('better-auth.json')).filter(({ verified }) => verified === 1)
  const env = JSON.parse(exported('better-auth.env.json'))
  const read1 = (change) => read('better-auth', JSON.stringify(rows), { secrets: secretsOf({ ...env, ...change }) })
  const kinds = async (change) =>
    (await read1(change)).map(({ row, reason }, n) => [row, rows[n].secret.slice(0, 6), reason])
  for (const [row, form, reason] of await kinds({ BETTER_AUTH_SECRETS: env.BETTER_AUTH_SECRETS.split(',')[0] }))
    assert.equal(reason, form === '$ba$1$' ? 'key_missing' : undefined, row)
  for (const [row, form, reason] of await kinds({ BETTER_AUTH_SECRET: undefined }))
    assert.equal(reason, form.startsWith('$') ? undefined : 'key_missing', row)
  for (const [row, form, reason] of await kinds({ BETTER_AUTH_SECRET: 'another' }))
    assert.equal(reason, form.startsWith('$') ? undefined : 'not_decrypted', row)
  assert.throws(() => secretsOf({ BETTER_AUTH_SECRETS: 'one' }), /BETTER_AUTH_SECRETS/)
})

test('I1: the field cases of better-auth', async () => {
  const row = (text, more = {}) => ({ id: 'r', userId: 'ann', secret: xchacha('none', text), ...more })
  const find = async (given) => one('better-auth', JSON.stringify([given]), { secrets })
  const text = 'abcdefghijklmnopqrstuvwxyzABCDEF'
  assert.equal(codeAt((await find(row(text))).entry, TIME), '200218')
  for (const verified of [true, 1, null, undefined, '', 't'])
    assert.equal((await find(row(text, { verified }))).reason, undefined, String(verified))
  for (const verified of [false, 0, 'false', 'f', '0', 'FALSE'])
    assert.equal((await find(row(text, { verified }))).reason, 'not_verified', String(verified))
  for (const twoFactorEnabled of [false, 0, null, ''])
    assert.equal((await find(row(text, { twoFactorEnabled }))).reason, 'not_verified', String(twoFactorEnabled))
  assert.equal((await find(row(text, { twoFactorEnabled: true }))).reason, undefined)
  assert.equal(codeAt((await find(row(`base32:${TEXT}`))).entry, TIME), '768147', 'an imported secret is base32')
  assert.equal((await find(row('short'))).reason, 'short_secret')
  assert.equal((await find(row(text, { secret: `$ba$7$${xchacha('x', text)}` }))).reason, 'key_missing')
  assert.equal((await find(row(text, { secret: `$ba$1$${xchacha('one', text)}` }))).reason, undefined)
  assert.equal((await find(row(text, { secret: 'abc' }))).reason, 'secret_length')
  assert.equal((await find(row(text, { secret: 'abcd' }))).reason, 'not_decrypted')
  assert.equal((await find(row(text, { secret: null }))).reason, 'no_secret')
  assert.equal((await find({ id: 'r', user_id: 'ann', secret: xchacha('none', text) })).entry.user, 'ann')
  const eight = await one('better-auth', JSON.stringify([row(text)]), { secrets, digits: 8, period: 60 })
  assert.deepEqual([eight.entry.digits, eight.entry.period], [8, 60])
})
