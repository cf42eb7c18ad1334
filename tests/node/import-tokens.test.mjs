// The readers of tokens and their apps: PSKC of RFC 6030 and privacyIDEA, and FreeOTP+.
import assert from 'node:assert/strict'
import { createCipheriv, createHmac } from 'node:crypto'
import { test } from 'node:test'
import { codeAt, codesOf, exported, one, read } from './import-support.mjs'

const TIME = 1_800_000_000
const TEXT = 'GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ'

test('the backup of FreeOTP+ has signed bytes', async () => {
  const found = await read('freeotp', exported('freeotp.json'))
  assert.equal(codeAt(found[0].entry, 1_612_380_872), '100172')
  assert.deepEqual(
    found.map(({ reason }) => reason),
    [undefined, 'not_totp', undefined],
  )
  assert.deepEqual([...found[2].entry.secret], [128, 129, 126, 127, 5, 6, 7, 8, 9, 10])
  const ofAcme = await read('freeotp', exported('freeotp.json'), { issuer: 'Acme' })
  assert.deepEqual(
    ofAcme.map(({ reason }) => reason),
    [undefined, 'not_totp', 'other_issuer'],
  )
  const bad = (secret) => one('freeotp', JSON.stringify({ tokens: [{ label: 'ann', type: 'TOTP', secret }] }))
  assert.equal((await bad([1, 2, 300])).reason, 'bad_secret')
  assert.equal((await bad([])).reason, 'no_secret')
  assert.equal((await bad(TEXT)).entry.user, 'ann')
})

const KEY = Buffer.from('12345678901234567890123456789012', 'hex')
const asTotp = (name) => exported(name).replaceAll('pskc:hotp"', 'pskc:totp"')
const bySerial = { columns: { user: 'SerialNo' } }

test('PSKC: the figures of RFC 6030, under a key and a passphrase', async () => {
  const bytes = new Uint8Array(Buffer.from('12345678901234567890'))
  const six = await one('pskc', asTotp('rfc6030-figure-6.xml'), { key: KEY, ...bySerial })
  assert.deepEqual(six.entry, { user: '987654321', secret: bytes, digits: 8, period: 30, algorithm: 'SHA1' })
  const seven = await one('pskc', asTotp('rfc6030-figure-7.xml'), { passphrase: 'qwerty', ...bySerial })
  assert.deepEqual(seven.entry, six.entry)
  const reasonOf = async (name, settings) => (await one('pskc', asTotp(name), { ...bySerial, ...settings })).reason
  assert.equal(await reasonOf('rfc6030-figure-6.xml', {}), 'key_missing')
  assert.equal(await reasonOf('rfc6030-figure-6.xml', { passphrase: 'qwerty' }), 'key_missing')
  assert.equal(await reasonOf('rfc6030-figure-6.xml', { key: Buffer.alloc(16) }), 'not_decrypted')
  assert.equal(await reasonOf('rfc6030-figure-6.xml', { key: Buffer.alloc(15) }), 'not_decrypted')
  assert.equal(await reasonOf('rfc6030-figure-7.xml', { passphrase: 'QWERTY' }), 'not_decrypted')
  assert.equal(await reasonOf('rfc6030-figure-7.xml', {}), 'key_missing')
  assert.equal((await one('pskc', exported('rfc6030-figure-6.xml'), { key: KEY, ...bySerial })).reason, 'not_totp')
  assert.equal((await one('pskc', asTotp('rfc6030-figure-6.xml'), { key: KEY })).reason, 'no_user')
})

test('PSKC: a wrong key is told by the MAC, whatever the padding', async () => {
  for (let n = 0; n < 200; n += 1) {
    const key = Buffer.alloc(16, n)
    const found = await one('pskc', asTotp('rfc6030-figure-6.xml'), { key, ...bySerial })
    assert.equal(found.reason, 'not_decrypted')
  }
  const text = asTotp('rfc6030-figure-6.xml')
  for (const mac of ['Tu+NvtQfmvfJzF6bmQiJqoLRExc=', 'TODOmissing', ''])
    assert.equal(
      (await one('pskc', text.replace(/Su\+N\S+/, mac), { key: KEY, ...bySerial })).reason,
      'not_decrypted',
      mac,
    )
})

test('PSKC: the lower-case elements of privacyIDEA', async () => {
  const box = (bytes) => {
    const cipher = createCipheriv('aes-128-cbc', KEY, Buffer.alloc(16, 7))
    return Buffer.concat([Buffer.alloc(16, 7), cipher.update(bytes), cipher.final()])
  }
  const macKey = Buffer.alloc(20, 9)
  const token = (serial, secret, more = '') => {
    const boxed = box(secret)
    const mac = createHmac('sha1', macKey).update(boxed).digest('base64')
    return `<keypackage><deviceinfo><manufacturer>x</manufacturer><serialno>${serial}</serialno></deviceinfo>
      <key algorithm="urn:ietf:params:xml:ns:keyprov:pskc:totp" id="${serial}"><issuer>privacyIDEA</issuer>
      <algorithmparameters><responseformat encoding="DECIMAL" length="8"></responseformat><suite hashalgo="sha256"></suite></algorithmparameters>
      <data><secret><encryptedvalue><xenc:encryptionmethod algorithm="http://www.w3.org/2001/04/xmlenc#aes128-cbc"></xenc:encryptionmethod>
      <xenc:cipherdata><xenc:ciphervalue>${boxed.toString('base64')}</xenc:ciphervalue></xenc:cipherdata></encryptedvalue><valuemac>${mac}</valuemac></secret>
      <time><plainvalue>0</plainvalue></time><timeinterval><plainvalue>60</plainvalue></timeinterval>${more}</data></key></keypackage>`
  }
  const text = `<keycontainer version="1.0" xmlns="urn:ietf:params:xml:ns:keyprov:pskc" xmlns:ds="http://www.w3.org/2000/09/xmldsig#" xmlns:xenc="http://www.w3.org/2001/04/xmlenc#">
    <encryptionkey><ds:keyname>Pre-shared-key</ds:keyname></encryptionkey>
    <macmethod algorithm="http://www.w3.org/2000/09/xmldsig#hmac-sha1"><mackey><xenc:encryptionmethod algorithm="http://www.w3.org/2001/04/xmlenc#aes128-cbc"></xenc:encryptionmethod>
    <xenc:cipherdata><xenc:ciphervalue>${box(macKey).toString('base64')}</xenc:ciphervalue></xenc:cipherdata></mackey></macmethod>
    ${token('TOTP0001', Buffer.from('12345678901234567890'))}${token('TOTP0002', Buffer.from('123'))}</keycontainer>`
  const found = await read('pskc', text, { key: KEY, ...bySerial })
  assert.deepEqual(found[0].entry, {
    user: 'TOTP0001',
    secret: new Uint8Array(Buffer.from('12345678901234567890')),
    digits: 8,
    period: 60,
    algorithm: 'SHA256',
  })
  assert.deepEqual([found[1].row, found[1].reason], ['key 2 (TOTP0002)', 'short_secret'])
})

test('PSKC: secrets in the clear, the user by UserId, and no entity of a DTD', async () => {
  const key = (secret, user, more = '') =>
    `<KeyPackage><DeviceInfo><SerialNo>1</SerialNo></DeviceInfo><Key Id="1" Algorithm="urn:ietf:params:xml:ns:keyprov:pskc:totp">
    <AlgorithmParameters><ResponseFormat Length="6" Encoding="DECIMAL"/>${more}</AlgorithmParameters>
    <Data><Secret>${secret}</Secret><TimeInterval><PlainValue>30</PlainValue></TimeInterval></Data>${user}</Key></KeyPackage>`
  const file = (...keys) =>
    `<KeyContainer Version="1.0" xmlns="urn:ietf:params:xml:ns:keyprov:pskc">${keys.join('')}</KeyContainer>`
  const plain = '<PlainValue>MTIzNDU2Nzg5MDEyMzQ1Njc4OTA=</PlainValue>'
  const ann = '<UserId>UID=ann,DC=acme</UserId>'
  assert.equal(codesOf(await read('pskc', file(key(plain, ann))), TIME)['UID=ann,DC=acme'], '768147')
  const odd = await read(
    'pskc',
    file(
      key(plain, ann, '<Suite>HMAC-SHA512</Suite>'),
      key(plain, ''),
      key('', ann),
      key(plain, ann, '<Suite>AES</Suite>'),
    ),
  )
  assert.deepEqual(
    odd.map(({ entry, reason }) => entry?.algorithm ?? reason),
    ['SHA512', 'no_user', 'no_secret', 'algorithm'],
  )
  const entity = `<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/hostname"><!ENTITY f "${'A'.repeat(16)}">]>`
  for (const name of ['e', 'f'])
    assert.equal((await one('pskc', `${entity}${file(key(plain, `<UserId>&${name};</UserId>`))}`)).reason, 'unreadable')
  for (const text of ['', 'x', '<a></a>', '<KeyContainer>', '<KeyContainer/><b/>', '\x89PNG'])
    assert.equal((await one('pskc', text)).reason, 'unreadable', text)
  assert.deepEqual(await read('pskc', '<KeyContainer/>'), [])
})
