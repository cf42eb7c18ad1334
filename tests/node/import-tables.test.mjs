// Readers of a host's own table, and of URIs of authenticator apps.
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { codeAt, codesOf, exported, FORMATS, one, read, reasonsOf } from './import-support.mjs'

const TIME = 1_800_000_000
const TEXT = 'GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ'
const made = JSON.parse(exported('codes.json'))

for (const name of ['otplib-12.csv', 'otplib-13.csv'])
  test(`secrets of ${name} give the codes that the package gives`, async () => {
    const found = await read('csv', exported(name))
    assert.deepEqual(codesOf(found, made.time), made.codes[name])
  })

test("speakeasy's three forms of a secret, and its URI, give the codes that it gives", async () => {
  for (const form of ['base32', 'hex', 'ascii', 'otpauth_url']) {
    const columns = { user: 'id', secret: `two_factor.${form}` }
    const settings = { columns, encoding: form === 'otpauth_url' ? 'otpauth' : form }
    const found = await read('json', exported('speakeasy.jsonl'), settings)
    assert.deepEqual(codesOf(found, made.time), made.codes['speakeasy.jsonl'], form)
  }
  const flat = exported('speakeasy.jsonl').replaceAll('"two_factor":{', '').replaceAll('}}', '}')
  for (const form of ['base32', 'hex', 'ascii', 'otpauth_url']) {
    const rows = flat
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line))
    const lines = rows.map((row) => JSON.stringify({ user: row.id, [form]: row[form] })).join('\n')
    assert.deepEqual(codesOf(await read('json', lines), made.time), made.codes['speakeasy.jsonl'], form)
  }
})

test('I3: base32 with left-over bits is read as apps read it, and impossible lengths have a reason of their own', async () => {
  const secretOf = async (secret) => one('csv', `user,secret\nann,${secret}\n`)
  const { entry } = await secretOf('S46SQCPPTCNPROMHWYBDCTBZXV')
  assert.equal(codeAt(entry, 1_612_380_872), '100172')
  const long = TEXT.repeat(4)
  for (const symbols of [16, 18, 19, 20, 21, 23, 24, 26, 32, 52, 55]) {
    const { entry, reason } = await secretOf(long.slice(0, symbols))
    assert.equal(reason, undefined, `${symbols} symbols`)
    assert.equal(entry.secret.length, Math.floor((symbols * 5) / 8))
    assert.deepEqual(entry.secret, new Uint8Array(Buffer.from('1234567890'.repeat(9))).slice(0, entry.secret.length))
  }
  for (const symbols of [1, 6, 17, 22, 25, 30, 33])
    assert.equal((await secretOf(long.slice(0, symbols))).reason, 'secret_length', `${symbols} symbols`)
  const spelt = 'gezd gnbv-gy3t qojq gezd gnbv gy3t qojq===='
  assert.deepEqual((await secretOf(spelt)).entry.secret, new Uint8Array(Buffer.from('12345678901234567890')))
})

test('I1, I2, I3: the secrets of the vectors give their codes from a table too', async () => {
  const vectors = JSON.parse(readFileSync(new URL('../vectors/imported-secrets.json', import.meta.url), 'utf8'))
  for (const { text, bytes, time, code, digits, period, algorithm } of vectors.cases) {
    const settings = { encoding: text === undefined ? 'ascii' : 'base32', digits, period, algorithm }
    const { entry, reason } = await one('json', JSON.stringify([{ user: 'ann', secret: text ?? bytes }]), settings)
    if (text !== undefined && [1, 6].includes(text.replace(/[^A-Za-z2-7]/g, '').length % 8))
      assert.equal(reason, 'secret_length', text)
    else assert.equal(codeAt(entry, time), code, text ?? bytes)
  }
  for (const { text } of vectors.refused)
    assert.ok((await one('json', JSON.stringify([{ user: 'ann', secret: text }]))).reason, text)
})

test('a secret that cannot be has a reason', async () => {
  const reasonOf = async (secret, settings = {}) => (await one('csv', `user,secret\nann,${secret}\n`, settings)).reason
  assert.equal(await reasonOf(''), 'no_secret')
  assert.equal(await reasonOf('===='), 'no_secret')
  assert.equal(await reasonOf('GEZDGNBVGY3TQOJ1'), 'bad_secret')
  assert.equal(await reasonOf('GEZDGNBVGY3TQOJÄ'), 'bad_secret')
  assert.equal(await reasonOf('GEZDGNBVGY3TQ'), 'short_secret')
  assert.equal(await reasonOf('A'.repeat(208)), 'long_secret')
  assert.equal(await reasonOf('31323334353637383930', { encoding: 'hex' }), undefined)
  assert.equal(await reasonOf('3132333435363738393', { encoding: 'hex' }), 'secret_length')
  assert.equal(await reasonOf('3132333435363738393g', { encoding: 'hex' }), 'bad_secret')
  assert.equal(await reasonOf('1234567890', { encoding: 'ascii' }), undefined)
  assert.equal(await reasonOf('123456789ü', { encoding: 'ascii' }), 'bad_secret')
})

test('an encoding is never guessed: the same text is three keys', async () => {
  const keys = []
  for (const encoding of ['base32', 'hex', 'ascii']) {
    const { entry } = await one('csv', 'user,secret\nann,2345672345672345672345672345672345\n'.replace('\n\n', '\n'), {
      encoding,
    })
    keys.push(Buffer.from(entry.secret).toString('hex'))
  }
  assert.equal(new Set(keys).size, 3)
})

test('the settings of a row go before those of the table', async () => {
  const text = `user,secret,digits,period,algorithm,account,name,lastStep\nann,${TEXT},8,60,sha-256,acme,Ann’s phone,7\nbob,${TEXT},,,,,,\n`
  const [ann, bob] = await read('csv', text, { digits: 7, period: 45, algorithm: 'HmacSHA512' })
  const { secret, ...entry } = ann.entry
  const asRead = {
    user: 'ann',
    digits: 8,
    period: 60,
    algorithm: 'SHA256',
    account: 'acme',
    name: 'Ann’s phone',
    lastStep: 7,
  }
  assert.deepEqual(entry, asRead)
  const { secret: _, ...other } = bob.entry
  assert.deepEqual(other, { user: 'bob', digits: 7, period: 45, algorithm: 'SHA512' })
})

test('T1: a last step that is none is reported, and not dropped', async () => {
  const step = async (lastStep) => {
    const [found] = await read('json', JSON.stringify([{ user: 'ann', secret: TEXT, lastStep }]))
    return found.reason ?? found.entry.lastStep
  }
  for (const [given, expected] of [
    [7, 7],
    ['60000000', 60_000_000],
    [0, 0],
    [null, undefined],
    ['', undefined],
  ])
    assert.equal(await step(given), expected, JSON.stringify(given))
  for (const given of ['6e7', 'x', -1, 1.5, true, [], {}, '2026-11-28', 2 ** 53])
    assert.equal(await step(given), 'last_step', JSON.stringify(given))
})

test('a bad row of CSV is reported, and the rest goes on', async () => {
  const text = [
    'id;"secret key";note',
    `ann;${TEXT};"a ""quoted"" note; on\ntwo lines"`,
    `bob;${TEXT}`,
    `carol;${TEXT};5" screen`,
    `;${TEXT};`,
    '',
    `dan;${TEXT};"never closed`,
    `e\u0001;${TEXT};`,
    `eve;${TEXT};`,
  ].join('\r\n')
  const found = await read('csv', text, { columns: { user: 'id', secret: 'secret key' } })
  assert.deepEqual(
    found.map(({ row, entry, reason }) => [row, entry?.user ?? reason]),
    [
      ['line 2', 'ann'],
      ['line 4', 'unreadable'],
      ['line 5', 'unreadable'],
      ['line 6', 'no_user'],
      ['line 8', 'unreadable'],
      ['line 9', 'bad_user'],
      ['line 10', 'eve'],
    ],
  )
})

test('a bad line of JSON is reported, and the rest goes on', async () => {
  const good = (user) => JSON.stringify({ user, secret: TEXT })
  const found = await read('json', [good('ann'), '{', '7', '', good('bob'), `[${good('carol')}]`].join('\n'))
  assert.deepEqual(
    found.map(({ row, entry, reason }) => [row, entry?.user ?? reason]),
    [
      ['line 1', 'ann'],
      ['line 2', 'unreadable'],
      ['line 3', 'unreadable'],
      ['line 5', 'bob'],
      ['line 6, item 1', 'carol'],
    ],
  )
  const first = await read('json', ['{', good('bob')].join('\n'))
  assert.deepEqual(
    first.map(({ entry, reason }) => entry?.user ?? reason),
    ['unreadable', 'bob'],
  )
  const broken = await read('json', `${JSON.stringify([{ user: 'ann', secret: TEXT }], null, 2)}]`)
  assert.deepEqual(reasonsOf(broken), [['file', 'unreadable']], 'a broken document is one report')
  const numbers = await read(
    'json',
    JSON.stringify([
      { user: 7, secret: TEXT, digits: 6.5 },
      { user: 8, secret: TEXT },
    ]),
  )
  const large = await read('json', `[{"user":9007199254740993,"secret":"${TEXT}"},{"user":1.5,"secret":"${TEXT}"}]`)
  assert.deepEqual(
    large.map(({ reason }) => reason),
    ['bad_user', 'bad_user'],
    'a number that is not exact is another user',
  )
  assert.deepEqual(
    numbers.map(({ entry, reason }) => entry?.user ?? reason),
    ['digits', '8'],
  )
})

test('the names of a header may have white space around them', async () => {
  const { entry } = await one('csv', `user ,"secret"\nann,${TEXT}\n`)
  assert.equal(entry.user, 'ann')
  assert.equal((await one('csv', `user, secret\nann,${TEXT}\n`)).entry.user, 'ann')
  for (const header of ['user,user', 'user,"secret']) {
    const [found] = await read('csv', `${header}\nann,${TEXT}\n`)
    assert.equal(found.reason, 'unreadable', header)
  }
})

test('a header without the columns is one report', async () => {
  const rows = `${TEXT},ann\n`.repeat(100)
  assert.deepEqual(reasonsOf(await read('csv', `secret,id\n${rows}`)), [['line 1', 'unreadable']])
  assert.deepEqual(reasonsOf(await read('csv', `key,user\n${rows}`)), [['line 1', 'unreadable']])
  const named = { columns: { user: 'id', secret: 'key' } }
  assert.equal((await read('csv', `key,id\n${rows}`, named)).filter(({ entry }) => entry).length, 100)
  assert.equal((await read('csv', `base32,user\n${rows}`)).filter(({ entry }) => entry).length, 100)
})

test('a text may come in pieces of any size', async () => {
  const text = exported('otplib-12.csv').replaceAll('\n', '\r\n')
  for (const size of [1, 2, 3, 7, 100]) {
    const pieces = Array.from({ length: Math.ceil(text.length / size) }, (_, n) => text.slice(n * size, (n + 1) * size))
    const found = [...(await FORMATS.csv())(['\ufeff', ...pieces], { columns: {} })]
    assert.deepEqual(codesOf(found, made.time), made.codes['otplib-12.csv'])
  }
})

test('lines of otpauth:// are read as apps read them', async () => {
  const text = [
    `otpauth://totp/Acme:ann?secret=${TEXT}&issuer=Acme`,
    'otpauth://totp/bob?secret=S46SQCPPTCNPROMHWYBDCTBZXV&lock=false',
    `OTPAUTH://TOTP/Big%20Corp:carol?SECRET=${TEXT.toLowerCase()}&algorithm=HmacSHA256&digits=8&period=60&issuer=Big+Corp`,
    `otpauth://hotp/Acme:ann?secret=${TEXT}&counter=1`,
    `otpauth://totp/Acme:ann?secret=${TEXT}&secret=${TEXT}`,
    'otpauth://totp/Acme:ann?issuer=Acme',
    `otpauth://totp/Acme:ann?secret=${TEXT}&algorithm=MD5`,
    `otpauth://totp/Acme:ann?secret=${TEXT}&digits=9`,
    `otpauth://totp/Acme:ann?secret=${TEXT}&period=0`,
    `otpauth://totp/?secret=${TEXT}`,
    'otpauth://totp/Acme:ann?secret=GEZDGNBVGY3TQOJQG',
    'hello',
  ].join('\n')
  const found = await read('otpauth', text)
  assert.deepEqual(
    found.map(({ entry, reason }) => entry?.user ?? reason),
    [
      ...['ann', 'bob', 'carol', 'not_totp', 'unreadable', 'no_secret', 'algorithm', 'digits', 'period', 'no_user'],
      ...['secret_length', 'unreadable'],
    ],
  )
  assert.equal(codeAt(found[1].entry, 1_612_380_872), '100172')
  const { secret, ...carol } = found[2].entry
  assert.deepEqual(carol, { user: 'carol', digits: 8, period: 60, algorithm: 'SHA256' })
  const ofAcme = await read('otpauth', text.split('\n').slice(0, 3).join('\n'), { issuer: 'Acme' })
  assert.deepEqual(
    ofAcme.map(({ reason }) => reason),
    [undefined, 'other_issuer', 'other_issuer'],
  )
})

/** A protobuf field: a number, or bytes. */
const proto = (name, value) => {
  const varint = (number) => {
    const bytes = []
    for (let rest = BigInt.asUintN(64, BigInt(number)); ; rest >>= 7n) {
      bytes.push(Number(rest & 127n) | (rest > 127n ? 128 : 0))
      if (rest <= 127n) return Buffer.from(bytes)
    }
  }
  if (typeof value === 'number') return Buffer.concat([varint(name << 3), varint(value)])
  const bytes = Buffer.from(value)
  return Buffer.concat([varint((name << 3) | 2), varint(bytes.length), bytes])
}
const app = ({
  name = 'Acme:ann',
  issuer = 'Acme',
  secret = '12345678901234567890',
  algorithm = 1,
  digits = 1,
  type = 2,
}) =>
  Buffer.concat([
    proto(1, secret),
    proto(2, name),
    proto(3, issuer),
    proto(4, algorithm),
    proto(5, digits),
    proto(6, type),
    proto(8, 'id'),
  ])
const part = (apps, [size, index, id] = [1, 0, -1_234_567]) => {
  const data = Buffer.concat([
    ...apps.map((one) => proto(1, app(one))),
    proto(2, 1),
    proto(3, size),
    proto(4, index),
    proto(5, id),
  ])
  return `otpauth-migration://offline?data=${encodeURIComponent(data.toString('base64'))}`
}

test('exports of other programs have no id, and each is an export of its own', async () => {
  const text = ['ann', 'bob', 'cem', 'bob'].map((name) => part([{ name }], [1, 0, 0])).join('\n')
  const found = await read('google-authenticator', text)
  assert.deepEqual(
    found.map(({ entry }) => entry?.user),
    ['ann', 'bob', 'cem'],
  )
})

test('a field without quotes has no white space around it', async () => {
  const found = await read('csv', `user, secret\nann , ${TEXT}\n bob,${TEXT} \n" c ",${TEXT}\n`)
  assert.deepEqual(
    found.map(({ entry, reason }) => entry?.user ?? reason),
    ['ann', 'bob', ' c '],
  )
})

test('the parts of an export of Google Authenticator, and the one that is missing', async () => {
  const text = [
    part([{}, { name: 'bob', digits: 2, algorithm: 2 }], [3, 0, -7]),
    part([{ name: 'c', type: 1 }, { name: 'd', algorithm: 4 }, { name: 'e', digits: 9 }, { name: '' }], [3, 2, -7]),
    part([{ name: 'f' }], [1, 0, 8]),
    part([{ name: 'f' }], [1, 0, 8]),
  ].join('\n')
  const found = await read('google-authenticator', text)
  assert.deepEqual(
    found.map(({ row, entry, reason }) => [row, entry?.user ?? reason]),
    [
      ['line 1, app 1', 'ann'],
      ['line 1, app 2', 'bob'],
      ['line 2, app 1', 'not_totp'],
      ['line 2, app 2', 'algorithm'],
      ['line 2, app 3', 'digits'],
      ['line 2, app 4', 'no_user'],
      ['line 3, app 1', 'f'],
      ['file', 'part_missing'],
    ],
  )
  assert.equal(found.at(-1).message, 'part 2 of 3 is missing: scan all codes of the export')
  assert.equal(codesOf(found, TIME).ann, '768147')
  assert.deepEqual([found[1].entry.digits, found[1].entry.algorithm], [8, 'SHA256'])
  for (const line of [
    'otpauth-migration://offline?data=',
    'otpauth-migration://offline',
    'otpauth-migration://offline?data=CgU',
    'hello',
  ])
    assert.ok(['unreadable', undefined].includes((await read('google-authenticator', line))[0]?.reason), line)
})
