// The readers of identity servers: Keycloak (I2), Kratos and Authelia, on their published formats.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { codeAt, codesOf, exported, one, read, reasonsOf } from './import-support.mjs'

const TIME = 1_800_000_000
const TEXT = 'GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ'

test("I2: Keycloak's realm: the text is the key, unless it says BASE32", async () => {
  const found = await read('keycloak', exported('keycloak-realm.json'))
  const ids = Object.fromEntries(
    JSON.parse(exported('keycloak-realm.json')).users.map(({ id, username }) => [username, id]),
  )
  const codes = codesOf(found, TIME)
  assert.equal(codes[ids.ann], '952828')
  assert.equal(codes[ids.bob], '768147')
  assert.deepEqual(reasonsOf(found), [['users[3].credentials[0]', 'not_totp']])
  const two = found.filter(({ entry }) => entry?.user === ids.two)
  assert.deepEqual(
    two.map(({ entry }) => entry.name),
    ['one', 'other'],
    'neither of two is lost',
  )
  const entryOf = (name) => found.find(({ entry }) => entry?.user === ids[name]).entry
  assert.deepEqual(entryOf('umlaut').secret, new Uint8Array(Buffer.from('äbcdefghijklmnöpqrs€')))
  assert.deepEqual([entryOf('sha256').algorithm, entryOf('sha256').digits, entryOf('sha256').period], ['SHA256', 8, 60])
  assert.equal(entryOf('ann').name, 'Phone of Ann')
  assert.deepEqual(entryOf('old').secret, new Uint8Array(Buffer.from('abcdefghijklmnopqrst')))
  assert.ok('f:ldap:carol' in codes)
  const byName = await read('keycloak', exported('keycloak-realm.json'), { columns: { user: 'username' } })
  assert.equal(codesOf(byName, TIME).ann, '952828')
  const byAttribute = await read('keycloak', exported('keycloak-realm.json'), {
    columns: { user: 'attributes.employee' },
  })
  assert.equal(codesOf(byAttribute, TIME)['e-1'], '952828')
  assert.equal(reasonsOf(byAttribute).filter(([, reason]) => reason === 'no_user').length, 7)
})

test("I2: Keycloak's credential by itself, as JSON and as a row of its table", async () => {
  const secretData = `{"value":"${TEXT}"}`
  const data = (more) =>
    JSON.stringify({ subType: 'totp', digits: 6, counter: 0, period: 30, algorithm: 'HmacSHA1', ...more })
  const credential = (more, rest = {}) => ({
    type: 'otp',
    user_id: 'ann',
    secretData,
    credentialData: data(more),
    ...rest,
  })
  const find = async (given) => one('keycloak', JSON.stringify(given))
  assert.equal(codeAt((await find(credential({}))).entry, TIME), '952828')
  assert.equal(codeAt((await find(credential({ secretEncoding: 'base32' }))).entry, TIME), '768147')
  assert.equal((await find(credential({ secretEncoding: 'BASE64' }))).reason, 'bad_secret')
  assert.equal(
    (await find(credential({ secretEncoding: 'BASE32' }, { secretData: '{"value":"GEZDGNBVGY3TQOJQG"}' }))).reason,
    'secret_length',
  )
  assert.equal((await find(credential({ algorithm: 'HmacMD5' }))).reason, 'algorithm')
  assert.equal((await find(credential({ subType: undefined }))).reason, 'not_totp')
  assert.equal((await find(credential({}, { secretData: '{"value":"a\\ud800bcdefghijklm"}' }))).reason, 'bad_secret')
  assert.equal((await find(credential({}, { secretData: '{' }))).reason, 'unreadable')
  assert.equal((await find(credential({}, { secretData: '{"value":""}' }))).reason, 'no_secret')
  assert.equal((await find(credential({}, { user_id: undefined }))).reason, 'no_user')
  assert.equal((await find({ realm: 'acme' })).reason, 'unreadable')
  const withoutCredentials = await one('keycloak', '[{"id":"ann","username":"ann"}]')
  assert.deepEqual([withoutCredentials.reason, withoutCredentials.user], ['no_secret', 'ann'])
  const realm = (id) => ({ realm: id, users: [{ id, credentials: [credential({})] }] })
  const realms = await read('keycloak', JSON.stringify([realm('a'), realm('b')]))
  assert.deepEqual(
    realms.map(({ row }) => row),
    ['item 1, users[0].credentials[0]', 'item 2, users[0].credentials[0]'],
  )
  const quoted = (text) => `"${text.replaceAll('"', '""')}"`
  const csv = `id,type,user_id,secret_data,credential_data\n1,otp,ann,${quoted(secretData)},${quoted(data({}))}\n2,password,bob,x,y\n`
  assert.equal(codeAt((await one('keycloak', csv)).entry, TIME), '952828')
})

test("Kratos' identities, as a list, a page and lines", async () => {
  const list = exported('kratos.json')
  const pages = { identities: JSON.parse(list), next_page_token: 'x' }
  const lines = JSON.parse(list)
    .map((identity) => JSON.stringify(identity))
    .join('\n')
  for (const text of [list, JSON.stringify(pages), lines]) {
    const found = await read('kratos', text)
    assert.deepEqual(codesOf(found, TIME), { '9f425a8d-7efc-4768-8f23-7647a74fdf13': '768147' })
    assert.deepEqual(found.map(({ user, reason }) => [user?.slice(-2), reason]).slice(1), [
      ['14', 'no_secret'],
      ['16', 'not_totp'],
    ])
  }
  const byMail = await read('kratos', list, { columns: { user: 'traits.email' } })
  assert.deepEqual(codesOf(byMail, TIME), { 'ann@acme.example': '768147' })
  const row = { identity_id: 'ann', config: JSON.stringify({ totp_url: `otpauth://totp/A:a?secret=${TEXT}` }) }
  assert.equal((await one('kratos', JSON.stringify(row))).entry.user, 'ann')
  assert.equal((await one('kratos', '{"users":[]}')).reason, 'unreadable')
  assert.equal((await one('kratos', '[{"id":"ann"}]')).reason, 'no_secret')
})

test("Authelia's YAML, CSV and lines of URIs", async () => {
  const yaml = await read('authelia', exported('authelia.yml'))
  assert.deepEqual(
    yaml.map(({ entry, reason }) => entry?.user ?? reason),
    ['ann', '1e3', 'algorithm'],
  )
  assert.equal(codesOf(yaml, TIME).ann, '768147')
  assert.deepEqual([yaml[1].entry.digits, yaml[1].entry.period, yaml[1].entry.algorithm], [8, 45, 'SHA512'])
  const csv = await read('authelia', exported('authelia.csv'))
  assert.deepEqual(
    csv.map(({ entry, reason }) => entry?.user ?? reason),
    ['ann', 'unreadable', 'carol'],
  )
  assert.equal(codesOf(csv, TIME).ann, '768147')
  const uris = await read(
    'authelia',
    `otpauth://totp/Authelia:ann?secret=${TEXT}&issuer=Authelia&period=30&algorithm=SHA1&digits=6\n`,
  )
  assert.equal(codesOf(uris, TIME).ann, '768147')
  assert.equal((await one('authelia', 'webauthn_credentials: []')).reason, 'unreadable')
  // A file that is broken is no file: what could be made of it may be another user's.
  const whole = String(exported('authelia.yml'))
  for (const broken of [
    `${whole}${whole}`,
    whole.replace('username: 1e3', 'username: 1e3\n    username: eve'),
    whole.replace('"ann"', '"ann'),
  ]) {
    assert.notEqual(broken, whole)
    const found = await read('authelia', broken)
    assert.deepEqual(
      found.map(({ reason }) => reason),
      ['unreadable'],
      broken,
    )
  }
  assert.equal((await one('authelia', `a: &a [x]\n${'b: *a\n'.repeat(5)}`)).reason, 'unreadable')
})

test('T33: a field of a polluted prototype is no field', async () => {
  const prototype = /** @type {any} */ (Object.prototype)
  prototype.user = 'mallory'
  prototype.secretEncoding = 'BASE32'
  try {
    assert.equal((await one('json', JSON.stringify([{ secret: TEXT }]))).reason, 'no_user')
    const found = await read('keycloak', exported('keycloak-realm.json'), { columns: { __proto__: null } })
    assert.equal(codesOf(found, TIME)['5a0f7a52-7ac1-4b0e-8d0a-3ddf43f0a001'], '952828')
  } finally {
    delete prototype.user
    delete prototype.secretEncoding
  }
})
