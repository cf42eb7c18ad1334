// The tools: codes, URIs, QR codes, backup codes and policies on their own.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { backupCodes, generateKeys, otpauth, policy, qr, totp } from 'countersign'
import { refusedWith, rules } from './support.mjs'

const secret = 'GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ'

test('new secrets differ and have 160 bits', () => {
  const secrets = Array.from({ length: 100 }, totp.secret)
  assert.equal(new Set(secrets).size, 100)
  for (const secret of secrets) assert.match(secret, /^[A-Z2-7]{32}$/)
})

test('T36: codes with leading zeros are codes', () => {
  const found = []
  for (let step = 0; found.length < 400; step += 1) {
    const code = totp.generate({ secret, time: step * 30 })
    if (code.startsWith('0')) found.push([step, code])
  }
  assert.ok(
    found.some(([, code]) => code.startsWith('000')),
    'the search found codes with leading zeros',
  )
  for (const [step, code] of found) {
    assert.match(code, /^[0-9]{6}$/)
    assert.deepEqual(totp.verify({ secret, code, time: step * 30, window: 0 }), { valid: true, step })
    const short = String(Number(code))
    assert.deepEqual(
      totp.verify({ secret, code: short, time: step * 30, window: 0 }),
      { valid: false },
      'a code without its zeros is another text',
    )
  }
})

test('T2, T30: spellings of one code, and characters that only look like digits', () => {
  const time = 1_800_000_000
  const code = totp.generate({ secret, time })
  const is = (typed) => totp.verify({ secret, code: typed, time }).valid
  const [a, b] = [code.slice(0, 3), code.slice(3)]
  for (const typed of [
    code,
    ` ${code}`,
    `${code}\n`,
    `${a} ${b}`,
    `${a}-${b}`,
    `${a}\u00a0${b}`,
    `\u3000${code}`,
    `${a}\t${b}`,
    `\u200b${code}`,
  ])
    assert.equal(is(typed), true, JSON.stringify(typed))
  const shifted = (zero) => [...code].map((digit) => String.fromCodePoint(zero + Number(digit))).join('')
  const zeros = {
    'full-width': 0xff10,
    'Arabic-Indic': 0x0660,
    Persian: 0x06f0,
    Devanagari: 0x0966,
    'mathematical bold': 0x1d7ce,
  }
  for (const [name, zero] of Object.entries(zeros)) assert.equal(is(shifted(zero)), false, name)
  for (const typed of [
    '',
    ' ',
    '-',
    `+${code}`,
    `${code}.0`,
    `0${code}`,
    code.slice(1),
    `${code}${code}`,
    `${code}\0`,
    '１'.repeat(6),
    '²'.repeat(6),
    `${a}_${b}`,
    `0x${code}`,
    `${code}e0`,
    ' '.repeat(1_000) + code,
  ]) {
    assert.equal(is(typed), false, JSON.stringify(typed))
  }
})

test('a window counts whole steps, and `after` refuses used steps', () => {
  const time = 1_800_000_000
  const step = time / 30
  for (const window of [0, 1, 2, 10]) {
    for (const distance of [-11, -10, -3, -2, -1, 0, 1, 2, 3, 10, 11]) {
      const code = totp.generate({ secret, time: time + distance * 30 })
      const expected = Math.abs(distance) <= window ? { valid: true, step: step + distance } : { valid: false }
      assert.deepEqual(totp.verify({ secret, code, time, window }), expected, `${window} ${distance}`)
      if (expected.valid) {
        assert.deepEqual(totp.verify({ secret, code, time, window, after: step + distance - 1 }), expected)
        assert.deepEqual(totp.verify({ secret, code, time, window, after: step + distance }), { valid: false })
      }
    }
  }
  assert.throws(() => totp.verify({ secret, code: '123456', time, window: 11 }), refusedWith('invalid_input', 'window'))
  assert.deepEqual(
    totp.verify({ secret, code: totp.generate({ secret, time: 0 }), time: 0 }),
    { valid: true, step: 0 },
    'no step before the first',
  )
})

test('a URI reads back as it was written', () => {
  for (const issuer of ['Acme', 'A&B=C?#%+/ü 人', ' ']) {
    for (const label of ['ann', 'ann+x@acme.example', '%41']) {
      for (const algorithm of ['SHA1', 'SHA256', 'SHA512']) {
        const given = { issuer, label, secret: totp.secret(), algorithm, digits: 7, periodSeconds: 45 }
        const uri = otpauth.format(given)
        assert.match(uri, /^otpauth:\/\/totp\/[A-Za-z0-9._~%:-]+\?[A-Za-z0-9._~%=&-]+$/)
        assert.deepEqual(otpauth.parse(uri), given)
        assert.equal(new URL(uri).searchParams.get('issuer'), issuer, 'as any other reader sees it')
      }
    }
  }
  assert.throws(
    () => otpauth.parse(`otpauth://totp/a?secret=${secret}&issuer=${'x'.repeat(2_048)}`),
    refusedWith('invalid_uri', ''),
  )
})

/** The dark modules of our SVG, read from its path. */
function modules(svg) {
  const side = Number(/viewBox="0 -.5 (\d+) \1"/.exec(svg)[1])
  const grid = Array.from({ length: side }, () => new Uint8Array(side))
  let [x, y] = [0, 0]
  for (const [, command, a, b] of /stroke="#000" d="([^"]*)"/.exec(svg)[1].matchAll(/([Mmh])(\d+)(?: (\d+))?/g)) {
    if (command === 'M') [x, y] = [Number(a), Number(b)]
    else if (command === 'm') x += Number(a)
    else for (const end = x + Number(a); x < end; x += 1) grid[y][x] = 1
  }
  return grid
}

test('T32: a QR code is drawn locally and loads nothing', () => {
  const uri = otpauth.format({ issuer: 'Acme', label: 'ann', secret })
  const svg = qr.svg(uri)
  assert.match(svg, /^<svg xmlns="http:\/\/www\.w3\.org\/2000\/svg" [^<>]*><path [^<>]*\/><path [^<>]*\/><\/svg>$/)
  const rest = svg.replace('xmlns="http://www.w3.org/2000/svg"', '')
  assert.doesNotMatch(rest, /:\/\/|href|url\(|<script|<image|<style|on[a-z]+=/i)
  assert.ok(!svg.includes(secret) && !svg.includes('otpauth'))
  assert.equal(svg, qr.svg(uri))
  assert.notEqual(svg, qr.svg(`${uri}x`))

  const grid = modules(svg)
  const size = grid.length - 8
  assert.equal((size - 17) % 4, 0, 'a size that QR codes have')
  const finder = ['1111111', '1000001', '1011101', '1011101', '1011101', '1000001', '1111111']
  for (const [top, left] of [
    [4, 4],
    [4, 4 + size - 7],
    [4 + size - 7, 4],
  ]) {
    assert.deepEqual(
      finder.map((_, y) => [...grid[top + y].subarray(left, left + 7)].join('')),
      finder,
    )
  }
  for (const line of [0, 1, 2, 3, size + 4, size + 7])
    assert.ok(
      grid[line].every((module) => module === 0),
      'the quiet zone is light',
    )
})

test('a QR code holds 2,331 bytes', () => {
  assert.match(qr.svg('x'.repeat(2_331)), /^<svg /)
  assert.throws(() => qr.svg('x'.repeat(2_332)), refusedWith('too_long', 'text'))
  assert.throws(() => qr.svg('é'.repeat(1_200)), refusedWith('too_long', 'text'))
  assert.match(qr.svg(''), /^<svg /)
})

test('a time that is missing, or is in milliseconds, is refused with the unit that it must have', () => {
  const keys = generateKeys()
  const { stored } = backupCodes.generate({ keys, user: 'ann', count: 1 })
  /** @type {((time?: any) => unknown)[]} */
  const calls = [
    (time) => totp.generate({ secret, time }),
    (time) => totp.verify({ secret, code: '000000', time }),
    (time) => backupCodes.verify({ keys, user: 'ann', stored, code: '0', time }),
  ]
  const missing = '`time`: is missing: give the time in unix seconds, like `Math.floor(Date.now() / 1000)`'
  for (const call of calls) {
    for (const time of [undefined, null])
      assert.throws(() => call(time), { code: 'invalid_input', path: 'time', message: missing })
    assert.throws(() => call(1_800_000_000_000), { path: 'time', message: /`Date\.now\(\)` gives milliseconds/ })
    assert.throws(() => call(1.5), { path: 'time', message: '`time`: must be a whole number, not negative' })
    call(253_402_300_799)
  }
  const given = /** @type {any} */ ({ secret })
  assert.throws(() => totp.generate(given), { code: 'invalid_input', path: 'time', message: missing })
})

test('backup codes on their own: each works once, for its user and key ring', () => {
  const keys = generateKeys()
  const { codes, stored } = backupCodes.generate({ keys, user: 'ann', count: 2 })
  assert.equal(codes.length, 2)
  for (const code of codes) assert.match(code, /^([0-9A-HJKMNP-TV-Z]{4}-){3}[0-9A-HJKMNP-TV-Z]{4}$/)
  const given = { keys, user: 'ann', stored, code: codes[0], time: 1_800_000_000 }
  const used = backupCodes.verify({ ...given, code: codes[0].toLowerCase().replaceAll('-', ' ') })
  assert.equal(used.valid, true)
  assert.notEqual(used.stored, stored)
  assert.deepEqual(backupCodes.verify({ ...given, stored: used.stored }), { valid: false })
  assert.equal(backupCodes.verify({ ...given, stored: used.stored, code: codes[1] }).valid, true)
  assert.deepEqual(backupCodes.verify({ ...given, user: 'bob' }), { valid: false })
  const other = generateKeys()
  other.sealing[0].kid = keys.sealing[0].kid
  assert.deepEqual(backupCodes.verify({ ...given, keys: other }), { valid: false }, 'another ring has another pepper')
  for (const code of ['', ' ', '-', codes[0].slice(1), `${codes[0]}0`, '0000-0000-0000-0000', stored, 'U'.repeat(16)]) {
    assert.deepEqual(backupCodes.verify({ ...given, code }), { valid: false }, code)
  }
  for (const hash of JSON.parse(stored).slots.flatMap((slot) => [slot.hash, slot.salt, slot.tag.repeat(16)])) {
    assert.deepEqual(backupCodes.verify({ ...given, code: hash }), { valid: false }, 'T12')
  }
  assert.throws(() => backupCodes.generate({ keys, user: 'ann', count: 0 }), refusedWith('invalid_input', 'count'))
  assert.throws(() => backupCodes.generate({ keys, user: 'ann', count: 21 }), refusedWith('invalid_input', 'count'))
  for (const broken of ['', '{}', '[]', 'null', stored.slice(1), stored.replace('{', '{"extra":1,')]) {
    assert.throws(() => backupCodes.verify({ ...given, stored: broken }), refusedWith('invalid_record'), broken)
  }
})

test('backup codes on paper carry text, never markup', () => {
  const sheet = { name: '<b>Acme</b> & "Co"', user: "o'ann\n<script>alert(1)</script>", codes: ['AAAA-BBBB', '<img>'] }
  const html = backupCodes.toHtml(sheet)
  assert.doesNotMatch(html, /<script|<img|<b>|:\/\/|href|src=/i)
  assert.ok(
    html.includes('<code>AAAA-BBBB</code>') &&
      html.includes('&lt;b&gt;Acme&lt;/b&gt; &amp; &quot;Co&quot;') &&
      html.includes('&lt;img&gt;'),
  )
  const text = backupCodes.toText(sheet)
  assert.deepEqual(text.split('\n').slice(3, 5), ['  AAAA-BBBB', '  <img>'])
  assert.ok(text.split('\n')[1].startsWith("o'ann <script>"), 'a user name cannot start a line of its own')
})

test('policy.parse gives the text back', () => {
  const document = rules()
  assert.deepEqual(JSON.parse(policy.parse(document)), document)
  assert.equal(policy.parse(JSON.stringify(document)), JSON.stringify(document))
})

test('policy.decide: a person by default, and without a recovery code', () => {
  assert.equal(
    policy.decide(rules({ require: 'everyone' }), { enrollment: 'none' }).decision.reason,
    'enrollment_required',
  )
})
