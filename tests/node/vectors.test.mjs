// The vectors, through the npm package. The same files are read by the tests of the core.
import assert from 'node:assert/strict'
import { createHmac, createPublicKey } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { createSecondFactor, generateKeys, memoryStore, otpauth, policy, totp } from 'countersign'
import { hashing } from '../shared/hashing.mjs'
import { passOf, privateKey, signers, tokens } from '../shared/tokens.mjs'
import { refusedWith } from './support.mjs'

const vectors = (name) => JSON.parse(readFileSync(new URL(`../vectors/${name}.json`, import.meta.url), 'utf8'))
const minimal = { v: 1, name: 'Acme', origin: 'https://login.acme.example' }

test('each change of policy has the consequences that the table lists', () => {
  const { base, reviews } = vectors('reviews')
  const lists = ['needRecoveryCode', 'setUpByPassword', 'blockedUsers', 'blockedApiClients', 'forgottenFamilies']
  const flags = ['locksOutAuthor', 'locksOutOwners', 'noRescue', 'refused']
  const nothing = Object.fromEntries([...lists.map((name) => [name, []]), ...flags.map((name) => [name, false])])
  assert.ok(reviews.length >= 33)
  for (const { about, policy: changes, policies, people, expect } of reviews) {
    const rules = policies?.map((one) => ({ ...base, ...one })) ?? { ...base, ...changes }
    const found = policy.review(rules, people)
    // A rule that is not there is `undefined` here.
    const blockedApiClients = found.blockedApiClients.map((client) => ({ ...client, rule: client.rule ?? null }))
    assert.deepEqual({ ...found, blockedApiClients }, { ...nothing, ...expect }, about)
  }
})

test('RFC 4226: ten HOTP values', () => {
  const { secret, digits, periodSeconds, codes } = vectors('rfc4226')
  assert.equal(codes.length, 10)
  for (const [counter, code] of codes.entries()) {
    const settings = { secret, digits, periodSeconds, time: counter * periodSeconds }
    assert.equal(totp.generate(settings), code)
    assert.deepEqual(totp.verify({ ...settings, code, window: 0 }), { valid: true, step: counter })
    assert.deepEqual(totp.verify({ ...settings, code, window: 0, after: counter }), { valid: false })
  }
})

test('RFC 6238: eighteen TOTP values', () => {
  const { secrets, digits, periodSeconds, codes } = vectors('rfc6238')
  assert.equal(codes.length, 18)
  for (const { algorithm, time, code } of codes) {
    const settings = { secret: secrets[algorithm], algorithm, digits, periodSeconds, time }
    assert.equal(totp.generate(settings), code)
    assert.deepEqual(totp.verify({ ...settings, code }), { valid: true, step: Math.floor(time / 30) })
  }
})

const base32 = (secret) => otpauth.parse(otpauth.format({ issuer: 'Acme', label: 'ann', secret })).secret

test('RFC 4648: base32', () => {
  const { block, vectors: rows, spellings, refused } = vectors('rfc4648')
  for (const row of rows) {
    const encoded = block.base32.repeat(block.times) + row.base32
    const unpadded = encoded.replace(/=+$/, '')
    assert.equal(base32(encoded), unpadded)
    assert.equal(base32(unpadded), unpadded)
    // The code depends on the bytes, so the test computes HMAC over them by another implementation.
    const mac = createHmac('sha1', block.text.repeat(block.times) + row.text)
      .update(Buffer.alloc(8))
      .digest()
    const code = String((mac.readUInt32BE(mac[19] & 15) & 0x7fffffff) % 1e8).padStart(8, '0')
    assert.equal(totp.generate({ secret: encoded, digits: 8, time: 0 }), code)
    assert.throws(() => base32(row.base32), refusedWith('invalid_input', 'secret'))
  }
  for (const spelling of spellings) assert.equal(base32(spelling), 'MZXW6YTB'.repeat(4), spelling)
  for (const row of refused)
    assert.throws(() => base32(row.base32), refusedWith('invalid_input', 'secret'), row.because)
})

const from = (networks, ip) => policy.decide({ ...minimal, network: { allow: networks } }, { ip, enrollment: 'none' })

test('networks: the addresses in them, in every spelling (T22)', () => {
  const { membership, spellings } = vectors('networks')
  for (const { networks, inside, outside } of membership) {
    for (const ip of inside)
      assert.deepEqual(
        from(networks, ip),
        { decision: { outcome: 'allowed' }, rules: ['allow_rule', 'not_forced', 'not_enrolled'] },
        `${ip} in ${networks}`,
      )
    for (const ip of outside)
      assert.deepEqual(
        from(networks, ip),
        { decision: { outcome: 'denied', reason: 'address_not_allowed' }, rules: ['no_allow_rule'] },
        `${ip} not in ${networks}`,
      )
  }
  for (const [first, ...others] of spellings) {
    for (const ip of [first, ...others]) {
      assert.equal(from([first], ip).decision.outcome, 'allowed', ip)
      assert.equal(
        policy.decide({ ...minimal, network: { deny: [first] } }, { ip, enrollment: 'none' }).decision.reason,
        'address_denied',
        ip,
      )
    }
  }
})

test('networks: lax addresses are unknown, lax networks refused (T23)', () => {
  const { notAddresses, notNetworks, addressesWithPort } = vectors('networks')
  for (const ip of addressesWithPort) assert.equal(from(['0.0.0.0/0', '::/0'], ip).decision.outcome, 'allowed', ip)
  for (const ip of notAddresses) {
    assert.equal(from(['0.0.0.0/0', '::/0'], ip).decision.reason, 'address_unknown', JSON.stringify(ip))
  }
  for (const { networks, index } of notNetworks) {
    for (const list of ['allow', 'deny']) {
      assert.throws(
        () => policy.parse({ ...minimal, network: { [list]: networks } }),
        refusedWith('invalid_policy', `network.${list}[${index}]`),
        JSON.stringify(networks),
      )
    }
    assert.throws(
      () => policy.parse({ ...minimal, require: { networks } }),
      refusedWith('invalid_policy', `require.networks[${index}]`),
      JSON.stringify(networks),
    )
  }
})

function onlyRow(rows, facts) {
  const hits = rows.filter((row) =>
    Object.entries(facts).every(([key, value]) =>
      Array.isArray(row[key]) ? row[key].includes(value) : row[key] === value,
    ),
  )
  assert.equal(hits.length, 1, JSON.stringify(facts))
  return hits[0]
}

test('every login is decided as the table says', () => {
  const table = vectors('policy')
  let count = 0
  for (const [require, requireDocument] of Object.entries(table.require)) {
    for (const [network, networkDocument] of Object.entries(table.network)) {
      const document = JSON.stringify({ ...minimal, require: requireDocument, network: networkDocument })
      for (const [from, ip] of Object.entries(table.from)) {
        const { forced } = onlyRow(table.forced, { require, from })
        const address = onlyRow(table.addresses, { require, network, from })
        for (const channel of ['web', 'api']) {
          for (const enrollment of ['never', 'none', 'usable', 'unusable', 'reset']) {
            for (const recoveryCode of [false, true]) {
              count += 1
              let expected = { decision: { outcome: 'denied', reason: address.denied }, rules: address.rules }
              if (address.denied === undefined) {
                const { outcome, reason, rules } = onlyRow(table.logins, {
                  channel,
                  forced,
                  enrollment,
                  recoveryCode,
                  allowRule: address.allowRule,
                })
                expected = {
                  decision: { outcome, ...(reason && { reason }) },
                  rules: [...address.rules, table.forcedRules[forced], ...rules],
                }
              }
              const facts = { ip, channel, enrollment, recoveryCode }
              assert.deepEqual(policy.decide(document, facts), expected, JSON.stringify({ require, network, ...facts }))
            }
          }
        }
      }
    }
  }
  assert.equal(count, 1440)
})

test('every row of the decisions is decided as it says', () => {
  const table = vectors('decisions')
  let count = 0
  for (const { about, set, rows } of table.groups) {
    const document = JSON.stringify({ ...minimal, ...set })
    for (const row of rows) {
      count += 1
      const [question, answer] = row.split(' -> ')
      const [outcome, rules] = answer.split(' by ')
      const [channel, from, enrollment, ...more] = question.split(' ')
      const given = Object.fromEntries(more.map((word) => word.split('=')))
      const facts = {
        channel,
        enrollment,
        ip: table.from[from],
        recoveryCode: more.includes('code'),
        roles: given.roles?.split(',').filter(Boolean),
        plan: given.plan,
        time: table.now + Number(given.at ?? 0),
      }
      const decision = ['allowed', 'challenge', 'set_up'].includes(outcome)
        ? { outcome }
        : { outcome: 'denied', reason: outcome }
      assert.deepEqual(policy.decide(document, facts), { decision, rules: rules.split(' ') }, `${about}: ${row}`)
    }
  }
  assert.ok(count >= 300, `${count} rows`)
})

function documentOf(base, { text, set, without }) {
  if (text !== undefined) return text
  const document = { ...base, ...set }
  if (without !== undefined) delete document[without]
  return document
}

test('wrong policies are refused where they are wrong', async (t) => {
  const { base, valid, refused } = vectors('policy-invalid')
  for (const set of valid) policy.parse({ ...base, ...set })
  for (const row of refused) {
    await t.test(JSON.stringify(row), async () => {
      assert.throws(() => policy.parse(documentOf(base, row)), refusedWith('invalid_policy', row.path))
      const options = { policy: documentOf(base, row), keys: generateKeys(), store: memoryStore(), hashing }
      assert.throws(
        () => createSecondFactor(options),
        refusedWith('invalid_policy', row.path),
        'the error comes at the start',
      )
    })
  }
})

test('wrong key rings are refused where they are wrong', async (t) => {
  const { base, valid, refused } = vectors('keys-invalid')
  const start = (keys) => createSecondFactor({ policy: minimal, keys, store: memoryStore(), hashing })
  for (const set of valid) start({ ...base, ...set })
  for (const row of refused) {
    await t.test(JSON.stringify(row), () =>
      assert.throws(() => start(documentOf(base, row)), refusedWith('invalid_keys', row.path)),
    )
  }
})

test('C16: otpauth URIs are read as apps read them, and ours strictly', async (t) => {
  const { read, refused, notWritten } = vectors('otpauth')
  for (const { uri, written, ...fields } of read) {
    assert.deepEqual(otpauth.parse(uri), fields)
    const strictly = () => otpauth.parse(uri, { strict: true })
    if (written) {
      assert.equal(otpauth.format(fields), uri)
      assert.deepEqual(strictly(), fields)
    } else {
      assert.throws(strictly, (/** @type {any} */ error) => error.code === 'invalid_uri', uri)
    }
  }
  for (const { uri, path } of refused) {
    await t.test(uri, () => assert.throws(() => otpauth.parse(uri), refusedWith('invalid_uri', path)))
  }
  for (const { set, path } of notWritten) {
    const fields = { issuer: 'Acme', label: 'ann', secret: 'GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ', ...set }
    assert.throws(() => otpauth.format(fields), refusedWith('invalid_input', path), JSON.stringify(set))
  }
})

const checker = (options = {}) =>
  createSecondFactor({
    policy: tokens.policy,
    keys: tokens.keys,
    store: memoryStore(),
    clock: () => tokens.now,
    hashing,
    ...options,
  })

test('RFC 8037 and RFC 7515: the signer of these tests, and our public key', async () => {
  assert.equal(signers.ed(tokens.rfc8037.input), tokens.rfc8037.signature)
  assert.equal(signers.hs(tokens.rfc7515.input), tokens.rfc7515.signature)
  assert.deepEqual(checker().jwks(), {
    keys: [{ kty: 'OKP', crv: 'Ed25519', alg: 'EdDSA', use: 'sig', kid: 'ed', x: tokens.rfc8037.x }],
  })
  assert.equal(createPublicKey(privateKey(tokens.rfc8037.d)).export({ format: 'jwk' }).x, tokens.rfc8037.x)
})

test('T29: hostile passes are refused', async (t) => {
  const { user, session } = tokens
  const factor = await checker()
  // A verifier with only the public key of `ed` must give the same verdict.
  const [ed, hs] = tokens.keys.signing
  const own = { kid: 'own', alg: 'EdDSA', secret: tokens.otherSeed }
  const verifier = await checker({
    keys: { ...tokens.keys, signing: [own, { kid: ed.kid, alg: ed.alg, public: tokens.rfc8037.x }, hs] },
  })
  for (const one of tokens.cases) {
    await t.test(one.because, async () => {
      const pass = passOf(one)
      for (const by of [factor, verifier]) {
        const reply = await by.checkPass({ pass, user, session })
        assert.equal(reply.reason ?? reply.result, one.result)
      }
      // None of them is a ticket either.
      const step = await factor.verify({ ticket: pass, session, method: 'totp', code: '123456' })
      assert.deepEqual(step, { result: 'denied', reason: 'ticket_invalid' })
    })
  }
  for (const { input, signature } of [tokens.rfc7515, tokens.rfc8037]) {
    assert.deepEqual(await factor.checkPass({ pass: `${input}.${signature}`, user, session }), {
      result: 'refused',
      reason: 'invalid',
    })
  }
})
