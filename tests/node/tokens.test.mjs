// Tickets and passes: bound to a user and a session, verified by others, never interchangeable.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createSecondFactor, generateKeys } from 'countersign'
import * as jose from 'jose'
import {
  codeOf,
  host,
  login,
  ORIGIN,
  refusedWith,
  removeFirst,
  rules,
  ticketOf,
  withApp,
  withPhone,
} from './support.mjs'

const hsKeys = () => ({
  ...generateKeys(),
  signing: [
    { kid: 'hs', alg: 'HS256', secret: Buffer.from(crypto.getRandomValues(new Uint8Array(48))).toString('base64url') },
  ],
})

test('a pass is a JWT that others verify by our public keys (EdDSA)', async () => {
  const at = await host({ policy: rules({ audience: 'acme-api', passSeconds: 600 }) })
  const ann = await withApp(at)
  const time = at.clock()
  const { pass, expiresAt } = await login(at, ann)
  const keys = jose.createLocalJWKSet(at.factor.jwks())
  const options = {
    issuer: ORIGIN,
    audience: 'acme-api',
    typ: '2fa-pass+jwt',
    algorithms: ['EdDSA'],
    currentDate: new Date(time * 1000),
  }
  const { payload, protectedHeader } = await jose.jwtVerify(pass, keys, options)
  assert.deepEqual(Object.keys(protectedHeader).sort(), ['alg', 'kid', 'typ'])
  const { jti, epoch, ...claims } = payload
  assert.deepEqual(claims, {
    iss: ORIGIN,
    aud: 'acme-api',
    sub: 'ann',
    sid: 'in',
    iat: time,
    exp: time + 600,
    auth_time: time,
    amr: ['pwd', 'otp', 'mfa'],
    acr: 'urn:countersign:acr:2fa',
    second_factor: 'totp',
    factor: (await at.factor.status({ user: 'ann' })).methods[0].id,
  })
  assert.ok(Buffer.from(jti, 'base64url').length === 16)
  assert.match(/** @type {string} */ (epoch), /^\d{12}\.[\w-]{12}$/)
  assert.equal(expiresAt, time + 600)
  assert.notEqual(jose.decodeJwt((await login(at, ann)).pass).jti, jti)
  const others = jose.createLocalJWKSet((await host()).factor.jwks())
  await assert.rejects(jose.jwtVerify(pass, others, options))
})

test('a pass is a JWT that others verify by the shared secret (HS256)', async () => {
  const keys = hsKeys()
  const at = await host({ keys })
  const ann = await withApp(at)
  const time = at.clock()
  const { pass } = await login(at, ann)
  const secret = Buffer.from(keys.signing[0].secret, 'base64url')
  const { payload } = await jose.jwtVerify(pass, secret, {
    issuer: ORIGIN,
    audience: ORIGIN,
    algorithms: ['HS256'],
    currentDate: new Date(time * 1000),
  })
  assert.equal(payload.sub, 'ann')
  assert.deepEqual(at.factor.jwks(), { keys: [] }, 'no secret is published')
})

const claimsAt = (time) => ({
  iss: ORIGIN,
  aud: ORIGIN,
  sub: 'ann',
  sid: 'in',
  iat: time,
  exp: time + 600,
  auth_time: time - 10,
  amr: ['pwd', 'sms', 'mfa'],
  acr: 'urn:countersign:acr:2fa',
  second_factor: 'sms',
  factor: 'AbCdEfGh_-12',
  epoch: '001800000000.AbCdEfGh_-12',
  jti: 'x',
})

test('a pass made by another library from the same key is a pass', async () => {
  for (const keys of [generateKeys(), hsKeys()]) {
    const at = await host({ keys })
    const { kid, alg, secret } = keys.signing[0]
    const x = at.factor.jwks().keys[0]?.x
    const key =
      alg === 'HS256'
        ? Buffer.from(secret, 'base64url')
        : await jose.importJWK({ kty: 'OKP', crv: 'Ed25519', d: secret, x }, 'EdDSA')
    const make = (claims, header) =>
      new jose.SignJWT(claims).setProtectedHeader({ alg, typ: '2fa-pass+jwt', kid, ...header }).sign(key)
    const claims = claimsAt(at.clock())
    assert.deepEqual(await at.factor.checkPass({ user: 'ann', session: 'in', pass: await make(claims) }), {
      result: 'valid',
      user: 'ann',
      method: 'sms',
      authTime: claims.auth_time,
      expiresAt: claims.exp,
      acr: claims.acr,
      amr: claims.amr,
    })
    for (const [changes, header] of [
      [{ sub: 'bob' }],
      [{ admin: true }],
      [{ epoch: 'AbCdEfGh_-12' }],
      [{ exp: undefined }],
      [{ second_factor: 'backup_code' }],
      [{ factor: undefined }],
      [{}, { typ: 'JWT' }],
      [{}, { crit: ['exp'], exp: 1 }],
      [{}, { kid: 'other' }],
    ]) {
      const token = await make({ ...claims, ...changes }, header).catch(() => undefined)
      if (token !== undefined)
        assert.equal(
          (await at.factor.checkPass({ user: 'ann', session: 'in', pass: token })).result,
          'refused',
          JSON.stringify([changes, header]),
        )
    }
  }
})

test('the method sets acr and amr', async () => {
  const at = await host()
  const ann = await withApp(at)
  await withPhone(at, ann)
  await withApp(at, 'bob').then((bob) => Object.assign(ann, { owner: bob }))
  const expected = {
    totp: ['urn:countersign:acr:2fa', ['pwd', 'otp', 'mfa']],
    sms: ['urn:countersign:acr:2fa', ['pwd', 'sms', 'mfa']],
    backup_code: ['urn:countersign:acr:backup', ['pwd']],
    recovery_code: ['urn:countersign:acr:recovery', ['pwd']],
  }
  for (const [method, [acr, amr]] of Object.entries(expected)) {
    at.clock.advance(120)
    const codes = {
      totp: () => codeOf(at, ann.secret),
      sms: async (ticket) => (await at.factor.sendSms({ ticket, session: 'before' }), at.sms.lastCode()),
      backup_code: () => ann.backupCodes[0],
      recovery_code: async () => {
        const { pass } = await login(at, ann.owner)
        return (
          await at.factor.issueRecoveryCode({ user: 'ann', by: { user: 'bob', session: 'in', pass, role: 'owner' } })
        ).code
      },
    }
    const ticket = await ticketOf(at, 'ann')
    const reply = await at.factor.verify({
      ticket,
      session: 'before',
      newSession: 'in',
      method,
      code: await codes[method](ticket),
    })
    assert.equal(reply.result, 'verified', method)
    const checked = await at.factor.checkPass({ user: 'ann', session: 'in', pass: reply.pass })
    assert.deepEqual([checked.method, checked.acr, checked.amr], [method, acr, amr])
    const others = Object.keys(expected).filter((other) => other !== method)
    assert.equal(
      (await at.factor.checkPass({ user: 'ann', session: 'in', pass: reply.pass, methods: [method] })).result,
      'valid',
    )
    for (const methods of [others, []]) {
      assert.deepEqual(await at.factor.checkPass({ user: 'ann', session: 'in', pass: reply.pass, methods }), {
        result: 'refused',
        reason: 'method_not_accepted',
      })
    }
  }
})

test('T18: a ticket is no pass, and a pass no ticket', async () => {
  for (const keys of [generateKeys(), hsKeys()]) {
    // The keys differ, even with the same name.
    keys.signing[0].kid = keys.sealing[0].kid
    const at = await host({ keys })
    const ann = await withApp(at)
    const first = await ticketOf(at, 'ann', 'outside')
    const { pass } = await at.factor.verify({
      ticket: first,
      session: 'outside',
      newSession: 'before',
      method: 'totp',
      code: codeOf(at, ann.secret),
    })
    at.clock.advance(60)
    const ticket = await ticketOf(at, 'ann')
    const failures = async () => (await at.factor.status({ user: 'ann' })).attempts.failures
    assert.deepEqual(await at.factor.checkPass({ user: 'ann', session: 'before', pass: ticket }), {
      result: 'refused',
      reason: 'invalid',
    })
    assert.deepEqual(
      await at.factor.verify({ ticket: pass, session: 'before', method: 'totp', code: codeOf(at, ann.secret) }),
      { result: 'denied', reason: 'ticket_invalid' },
    )
    assert.deepEqual(await at.factor.sendSms({ ticket: pass, session: 'before' }), {
      result: 'denied',
      reason: 'ticket_invalid',
    })
    const asPass = { user: 'ann', session: 'before', pass: ticket }
    const needed = { result: 'denied', reason: 'fresh_factor_required' }
    assert.deepEqual(await at.factor.renewBackupCodes(asPass), needed)
    assert.deepEqual(await removeFirst(at, { ...asPass }, 'totp'), needed)
    assert.deepEqual(await at.factor.enrollTotp({ ...asPass, label: 'ann' }), needed)
    assert.deepEqual(await at.factor.enrollSms({ ...asPass, number: '+61412345678' }), needed)
    assert.deepEqual(await at.factor.issueRecoveryCode({ user: 'bob', by: { ...asPass, role: 'owner' } }), needed)
    assert.equal(await failures(), 0)
    // Each token counts in its own place.
    assert.equal((await at.factor.checkPass({ user: 'ann', session: 'before', pass })).result, 'valid')
    assert.equal(
      (await at.factor.verify({ ticket, session: 'before', method: 'totp', code: codeOf(at, ann.secret) })).result,
      'verified',
    )
  }
})

test('T18: another account’s ticket and pass are refused, from the same keys and store', async () => {
  const at = await host()
  const ann = await withApp(at)
  const ticket = await ticketOf(at, 'ann')
  const { pass } = await login(at, ann)
  const other = createSecondFactor({ ...at.options, policy: rules({ origin: 'https://other.example' }) })
  assert.equal(
    (await other.verify({ ticket, session: 'before', method: 'totp', code: codeOf(at, ann.secret) })).reason,
    'ticket_invalid',
  )
  assert.equal((await other.checkPass({ user: 'ann', session: 'in', pass })).reason, 'invalid')
})

test('T21: swapped users and sessions are refused', async () => {
  const at = await host()
  const ann = await withApp(at)
  const bob = await withApp(at, 'bob')
  const annPass = (await login(at, ann)).pass
  const bobPass = (await login(at, bob)).pass
  const check = async (user, session, pass) => (await at.factor.checkPass({ user, session, pass })).reason ?? 'valid'
  assert.equal(await check('ann', 'in', annPass), 'valid')
  assert.equal(await check('bob', 'in', annPass), 'other_user')
  assert.equal(await check('ann', 'in', bobPass), 'other_user')
  assert.equal(await check('Ann', 'in', annPass), 'other_user')
  assert.equal(await check('ann', 'before', annPass), 'other_session')
  assert.equal(await check('ann', 'IN', annPass), 'other_session')

  // The ticket names the user: Bob's code with Ann's ticket is a wrong code of Ann's.
  const ticket = await ticketOf(at, 'ann')
  const verify = (changes) =>
    at.factor.verify({ ticket, session: 'before', method: 'totp', code: codeOf(at, ann.secret), ...changes })
  assert.equal((await verify({ session: 'elsewhere' })).reason, 'other_session')
  assert.equal((await verify({ code: codeOf(at, bob.secret) })).result, 'wrong')
  assert.equal((await at.factor.status({ user: 'bob' })).attempts.failures, 0)
  const reply = await verify()
  assert.deepEqual([reply.result, reply.user], ['verified', 'ann'])

  // Bob's pass changes nothing of Ann's.
  const { id: set } = JSON.parse((await at.store.load({ user: 'ann' })).record).backup
  for (const [command, more] of /** @type {[string, object][]} */ ([
    ['renewBackupCodes', {}],
    ['showBackupCodes', {}],
    ['showNewBackupCodes', { newCodes: '-' }],
    ['confirmBackupCodes', { set }],
  ])) {
    assert.equal(
      (await at.factor[command]({ user: 'ann', session: 'in', pass: bobPass, ...more })).reason,
      'fresh_factor_required',
    )
  }
})

test('tickets and passes end exactly on their second', async () => {
  const at = await host({ policy: rules({ ticketSeconds: 60, passSeconds: 600, freshSeconds: 300 }) })
  const ann = await withApp(at)
  const ticket = await ticketOf(at, 'ann')
  at.clock.advance(59)
  assert.equal((await at.factor.verify({ ticket, session: 'before', method: 'totp', code: '1' })).result, 'malformed')
  at.clock.advance(1)
  assert.deepEqual(await at.factor.verify({ ticket, session: 'before', method: 'totp', code: '1' }), {
    result: 'denied',
    reason: 'ticket_expired',
  })
  assert.deepEqual(await at.factor.sendSms({ ticket, session: 'before' }), {
    result: 'denied',
    reason: 'ticket_expired',
  })

  const { pass } = await login(at, ann)
  const issued = at.clock() - 60
  const check = async (time, more) => (
    at.clock.set(issued + time),
    (await at.factor.checkPass({ user: 'ann', session: 'in', pass, ...more })).reason ?? 'valid'
  )
  assert.equal(await check(599), 'valid')
  assert.equal(await check(600), 'expired')
  assert.equal(await check(100, { maxAge: 100 }), 'valid')
  assert.equal(await check(101, { maxAge: 100 }), 'too_old')
  assert.equal(await check(0, { maxAge: 0 }), 'valid')
  at.clock.set(issued + 301)
  assert.equal((await removeFirst(at, { user: 'ann', session: 'in', pass }, 'totp')).reason, 'fresh_factor_required')
  at.clock.set(issued + 300)
  assert.equal((await removeFirst(at, { user: 'ann', session: 'in', pass }, 'totp')).result, 'removed')
})

test('T19: the session id of the first step is no session id for the second', async () => {
  const at = await host()
  const ann = await withApp(at)
  const input = { ticket: await ticketOf(at, 'ann'), session: 'before', method: 'totp', code: codeOf(at, ann.secret) }
  await assert.rejects(at.factor.verify({ ...input, newSession: 'before' }), refusedWith('invalid_input', 'newSession'))
  assert.equal(
    (await at.factor.verify({ ...input, newSession: 'after' })).result,
    'verified',
    'the code was not used up',
  )
})

test('T19: without a new session from the host, the pass gets a random one', async () => {
  const at = await host()
  const ann = await withApp(at)
  const seen = new Set()
  for (let i = 0; i < 3; i += 1) {
    const ticket = await ticketOf(at, 'ann')
    const reply = await at.factor.verify({ ticket, session: 'before', method: 'totp', code: codeOf(at, ann.secret) })
    assert.notEqual(reply.session, 'before')
    assert.ok(Buffer.from(reply.session, 'base64url').length >= 16)
    assert.equal((await at.factor.checkPass({ user: 'ann', session: reply.session, pass: reply.pass })).result, 'valid')
    seen.add(reply.session)
    at.clock.advance(60)
  }
  assert.equal(seen.size, 3)
})
