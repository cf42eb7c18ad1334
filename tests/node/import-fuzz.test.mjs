// No text makes a reader throw, and no report holds a piece of a secret.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { exported, FORMATS, REASONS } from './import-support.mjs'

const KEY = Buffer.from('12345678901234567890123456789012', 'hex')
const settings = { columns: {}, secrets: { versions: new Map([[1, 'x']]), bare: 'y' }, key: KEY, passphrase: 'qwerty' }
const readers = Object.fromEntries(
  await Promise.all(Object.entries(FORMATS).map(async ([name, load]) => [name, await load()])),
)

/** Texts of each format, and those of this project's own export. */
const SEEDS = {
  csv: [exported('otplib-12.csv')],
  json: [exported('speakeasy.jsonl')],
  otpauth: ['otpauth://totp/Acme:ann?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&issuer=Acme&digits=8\n'.repeat(3)],
  'google-authenticator': [
    'otpauth-migration://offline?data=CikKFDEyMzQ1Njc4OTAxMjM0NTY3ODkwEghBY21lOmFubhoEQWNtZSABKAEwAhABGAEgACi%2FhD0%3D\n',
  ],
  'better-auth': [exported('better-auth.json')],
  keycloak: [exported('keycloak-realm.json')],
  kratos: [exported('kratos.json')],
  authelia: [exported('authelia.yml'), exported('authelia.csv')],
  pskc: ['rfc6030-figure-6.xml', 'rfc6030-figure-7.xml'].map((name) => exported(name).replaceAll(':hotp"', ':totp"')),
  freeotp: [exported('freeotp.json')],
  countersign: [
    '{"format":"countersign-export","v":1}\n{"account":"a","user":"ann","name":"App","uri":"otpauth://totp/a:b?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ","lastStep":7}\n',
  ],
}

function check(name, text) {
  for (const found of readers[name]([text], settings)) {
    assert.equal(typeof found.row, 'string')
    if ('entry' in found) {
      const { user, secret, digits, period, algorithm } = found.entry
      assert.ok(user !== '' && Buffer.byteLength(user) <= 256 && secret.length >= 10 && secret.length <= 128)
      assert.ok(digits >= 6 && digits <= 8 && period >= 15 && period <= 300 && /^SHA(1|256|512)$/.test(algorithm))
    } else {
      assert.ok(Object.hasOwn(REASONS, found.reason), found.reason)
      assert.equal(typeof found.message, 'string')
    }
  }
}

test('every format has a seed', () => assert.deepEqual(Object.keys(SEEDS), Object.keys(FORMATS)))

for (const name of Object.keys(FORMATS)) {
  test(`no text makes the reader of ${name} throw`, () => {
    const anyText = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.json(),
      fc.base64String(),
      fc.uint8Array({ maxLength: 400 }).map((bytes) => new TextDecoder().decode(bytes)),
    )
    fc.assert(
      fc.property(anyText, (text) => check(name, text)),
      { numRuns: 300 },
    )
    const prefixes = {
      otpauth: 'otpauth://totp/',
      'google-authenticator': 'otpauth-migration://offline?data=',
      authelia: 'totp_configurations: ',
      pskc: '<KeyContainer>',
    }
    if (prefixes[name])
      fc.assert(
        fc.property(anyText, (text) => check(name, prefixes[name] + text)),
        { numRuns: 300 },
      )
  })

  test(`no broken export makes the reader of ${name} throw`, () => {
    const seed = fc.constantFrom(...SEEDS[name])
    const edit = fc.record({
      at: fc.nat(),
      drop: fc.nat({ max: 30 }),
      put: fc.oneof(
        fc.string({ maxLength: 5 }),
        fc.constantFrom('"', '{', ']', '<', '&', '%', '\\', '\n', '\0', 'null', '-1', '1e400', '[]'),
      ),
    })
    const edits = fc.array(edit, { minLength: 1, maxLength: 4 })
    fc.assert(
      fc.property(seed, edits, (text, list) => {
        for (const { at, drop, put } of list) {
          const start = at % (text.length + 1)
          text = text.slice(0, start) + put + text.slice(start + drop)
        }
        check(name, text)
      }),
      { numRuns: 500 },
    )
  })

  test(`a JSON of any shape makes no reader throw: ${name}`, () => {
    if (!/^[[{]/.test(SEEDS[name][0])) return
    const text = SEEDS[name][0]
    const names = [...new Set([...text.matchAll(/"(\w+)\\?":/g)].map(([, one]) => one))]
    const value = fc.letrec((tie) => ({
      any: fc.oneof(
        { maxDepth: 5 },
        fc.constantFrom(null, true, 0, -1, 1e300, '', 'x', 'totp', 'otp', 'HmacSHA1', '{"value":"x"}'),
        tie('list'),
        tie('object'),
      ),
      list: fc.array(tie('any'), { maxLength: 3 }),
      object: fc.dictionary(fc.constantFrom(...names, '__proto__', 'constructor'), tie('any'), { maxKeys: 6 }),
    })).any
    fc.assert(
      fc.property(value, (given) => check(name, JSON.stringify(given))),
      { numRuns: 500 },
    )
  })
}

test('a report holds no piece of the file', () => {
  const marker = 'QUJDREVGR0hJSktMTU5P'
  for (const [name, seeds] of Object.entries(SEEDS))
    for (const seed of seeds)
      for (let at = 0; at < seed.length; at += Math.ceil(seed.length / 200)) {
        const text = `${seed.slice(0, at)}${marker}${seed.slice(at)}`
        for (const { row, reason, message } of readers[name]([text], settings))
          if (reason) assert.ok(!`${message}`.includes(marker.slice(0, 8)), `${name}: ${row} ${message}`)
      }
})
