// The calls into the module: known passes and compiled policies change no answer, and arguments of any kind get the errors
// that they got as one document.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createSecondFactor, generateKeys, otpauth, policy, qr, totp } from 'countersign'
import { wasmMemory } from 'countersign/testing'
import { host, login, rules, withApp } from './support.mjs'

const SECRET = 'GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ'

test('T34: the wipe after a call reaches as far as the call can write', async () => {
  const stack = 65_536
  const isWiped = (what) => assert.ok(Buffer.from(wasmMemory().buffer, 0, stack).equals(Buffer.alloc(stack)), what)
  qr.svg('otpauth://totp/Acme:ann?secret=GEZDGNBVGY3TQOJQ&issuer=Acme')
  isWiped('a QR code')
  totp.verify({ secret: SECRET, code: '000001', time: 59 })
  isWiped('a code')
  policy.decide(rules({ network: { allow: ['192.0.2.0/24'] } }), { ip: '192.0.2.7', enrollment: 'usable' })
  isWiped('a decision')
  for (const depth of [1, 126, 127, 128, 1_000]) {
    for (const [open, close] of ['[]', ['{"a":', '}']]) {
      const nested = `${open.repeat(depth)}${open === '[' ? '' : 1}${close.repeat(depth)}`
      assert.throws(() => policy.parse(`{"v":${nested}}`), { code: 'invalid_policy' }, `nested ${depth} times`)
      isWiped('a document that is nested deeply')
    }
  }
  const at = await host()
  const ann = await withApp(at)
  isWiped('a set-up')
  const { pass, session } = await login(at, ann)
  isWiped('a login')
  for (const token of [pass, `${pass}x`, deepToken(127), deepToken(3_000)]) {
    await at.factor.check({ user: 'ann', session, pass: token })
    await at.factor.checkPass({ user: 'ann', session, pass: token })
    await at.factor.verify({ ticket: token, session, method: 'totp', code: '123456' })
    await at.factor.confirmTotp({ user: 'ann', session, setup: token, code: '123456' })
    isWiped('a token')
  }
  await at.factor.status({ user: 'ann' })
  isWiped('a status')
  const users = [{ user: 'ann', role: /** @type {any} */ ('nobody') }]
  const review = at.factor.reviewPolicy({ policy: rules(), author: { user: 'ann' }, users })
  await assert.rejects(review, { path: 'users[0].role' })
  isWiped('a review that fails')
})

/** A token whose header is nested as deeply as JSON may be, or deeper. */
const deepToken = (depth) => {
  const header = `{"alg":${'['.repeat(depth)}${']'.repeat(depth)}}`
  return `${Buffer.from(header).toString('base64url')}.e30.AAAA`
}

/** Runs a job while each assignment of a property that an object has not, as in the replies of the module, runs code of the host's. */
function withSetter(name, set, job) {
  Object.defineProperty(Object.prototype, name, { configurable: true, set })
  try {
    return job()
  } finally {
    Reflect.deleteProperty(Object.prototype, name)
  }
}

test('T34: a call within another one does not harm it, and leaves nothing on the stack', (t) => {
  const rule = rules({ network: { allow: ['192.0.2.0/24'] } })
  const within = () => otpauth.parse(`otpauth://totp/Acme:ann?secret=${SECRET}&issuer=Acme`)
  const isWiped = () => assert.ok(Buffer.from(wasmMemory().buffer, 0, 65_536).equals(Buffer.alloc(65_536)))
  const users = ['owner', 'member'].map((role) => ({ user: role, role, enrollment: 'none' }))
  const people = /** @type {any} */ ({
    author: 'owner',
    users,
    apiClients: [{ id: 'robot', ip: '198.51.100.7' }],
    time: 59,
  })
  const expected = policy.review(rule, people)
  for (const name of ['blockedUsers', 'rule', 'forgottenFamilies', 'refused']) {
    let calls = 0
    /** @this {object} */
    const set = function (value) {
      calls += 1
      assert.equal(within().secret, SECRET)
      Object.defineProperty(this, name, { value, enumerable: true })
    }
    assert.deepEqual(
      withSetter(name, set, () => policy.review(rule, people)),
      expected,
    )
    assert.ok(calls > 0, name)
    isWiped()
  }
  const now = t.mock.method(Date, 'now', () => {
    within()
    return 59_000
  })
  policy.decide(rule, { ip: '192.0.2.77', roles: ['auditor'], enrollment: 'none' })
  assert.equal(now.mock.callCount(), 1)
  isWiped()
})

test('a call that JavaScript ends in the middle harms no later one', async () => {
  const refuse = () => {
    throw new Error('no such property')
  }
  const rule = rules({ name: 'Torn' })
  const decide = () => policy.decide(rule, { ip: '192.0.2.7', enrollment: 'none' })
  assert.throws(() => withSetter('outcome', refuse, decide), { code: 'internal' })
  assert.equal(decide().decision.outcome, 'allowed')

  const at = await host()
  await withApp(at)
  const status = async () => at.factor.status({ user: 'ann' })
  Object.defineProperty(Object.prototype, 'enrolled', { configurable: true, set: refuse })
  try {
    await assert.rejects(status(), { code: 'internal' })
  } finally {
    Reflect.deleteProperty(Object.prototype, 'enrolled')
  }
  assert.equal((await status()).enrolled, true)
})

test('a pass that is known is judged by time, session, user, age and list again', async () => {
  const ended = new Set()
  const at = await host({ revoked: () => ({ sessions: [...ended] }) })
  const ann = await withApp(at)
  const { pass, session, expiresAt } = await login(at, ann)
  const own = { user: 'ann', session, pass }
  const result = async (input = own) => {
    const { result, ...reply } = await at.factor.checkPass(input)
    return 'reason' in reply ? reply.reason : result
  }
  const start = at.clock()
  for (let again = 0; again < 3; again += 1) {
    assert.equal(await result(), 'valid')
    assert.equal(await result({ ...own, session: 'another' }), 'other_session')
    assert.equal(await result({ ...own, user: 'bob' }), 'other_user')
    assert.equal(await result({ ...own, account: 'acme' }), 'other_account')
    assert.equal(await result({ ...own, methods: ['sms'] }), 'method_not_accepted')
  }
  at.clock.advance(30)
  assert.equal(await result({ ...own, maxAge: 10 }), 'too_old')
  ended.add(session)
  assert.equal(await result(), 'revoked')
  ended.clear()
  at.clock.advance(expiresAt - at.clock() - 1)
  assert.equal(await result(), 'valid')
  at.clock.advance(1)
  assert.equal(await result(), 'expired')
  assert.equal((await at.factor.check(own)).reason, 'expired')
  at.clock.advance(start - at.clock() - 3_600)
  assert.equal(await result(), 'invalid', 'the clock was set back to before it was made')
})

test('a pass that is known vouches for no other token', async () => {
  const at = await host()
  const { pass, session } = await login(at, await withApp(at))
  const resultOf = async (token) => {
    const [alone, asked] = [
      await at.factor.checkPass({ user: 'ann', session, pass: token }),
      await at.factor.check({ user: 'ann', session, pass: token }),
    ]
    assert.equal(alone.result === 'valid', asked.result === 'in')
    return alone.result
  }
  assert.equal(await resultOf(pass), 'valid')
  for (let index = 0; index < pass.length; index += 1) {
    const other = pass[index] === 'A' ? 'B' : 'A'
    assert.equal(await resultOf(pass.slice(0, index) + other + pass.slice(index + 1)), 'refused', `byte ${index}`)
  }
  for (const other of [
    `${pass} `,
    ` ${pass}`,
    `${pass}=`,
    `${pass}.`,
    pass.slice(0, -1),
    pass.toLowerCase(),
    `${pass}\0`,
  ])
    assert.equal(await resultOf(other), 'refused')
  assert.equal(await resultOf(pass), 'valid')
})

test('a pass is known under its keys and its policy alone', async () => {
  const at = await host()
  const { pass, session } = await login(at, await withApp(at))
  const own = { user: 'ann', session, pass }
  assert.equal((await at.factor.checkPass(own)).result, 'valid')
  const beside = (changes) => createSecondFactor({ ...at.options, ...changes }).checkPass(own)
  const refused = (reason) => ({ result: 'refused', reason })
  assert.deepEqual(await beside({ keys: { ...at.keys, signing: generateKeys().signing } }), refused('invalid'))
  assert.deepEqual(await beside({ policy: rules({ origin: 'https://other.example' }) }), refused('invalid'))
  at.clock.advance(600)
  assert.deepEqual(await beside({ policy: rules({ passSeconds: 300 }) }), refused('expired'))

  // One service whose policy becomes stricter and wider again.
  let passSeconds = 3_600
  const changing = createSecondFactor({ ...at.options, policy: () => rules({ passSeconds }) })
  for (let again = 0; again < 2; again += 1) {
    passSeconds = 3_600
    assert.equal((await changing.checkPass(own)).result, 'valid')
    passSeconds = 300
    assert.deepEqual(await changing.checkPass(own), refused('expired'))
  }
})

test('a policy that was compiled is no other policy, and its explanations are nobody else’s', () => {
  const network = { allow: ['192.0.2.0/24'] }
  const rule = rules({ network })
  const facts = { ip: '192.0.2.7', enrollment: /** @type {const} */ ('none') }
  const first = policy.decide(rule, facts)
  assert.deepEqual(first, { decision: { outcome: 'allowed' }, rules: ['allow_rule', 'not_forced', 'not_enrolled'] })
  first.rules.push('deny_rule')
  first.decision.outcome = 'challenge'
  assert.deepEqual(policy.decide(rule, facts).rules, ['allow_rule', 'not_forced', 'not_enrolled'])
  assert.equal(policy.decide(rule, facts).decision.outcome, 'allowed')
  network.allow[0] = '198.51.100.0/24' // the same object
  assert.deepEqual(policy.decide(rule, facts).decision, { outcome: 'denied', reason: 'address_not_allowed' })
  for (let number = 0; number < 200; number += 1) {
    const other = rules({ network: { deny: [`192.0.2.${number}`] } })
    for (const ip of ['192.0.2.7', `192.0.2.${number}`]) {
      const isDenied = policy.decide(other, { ...facts, ip }).decision.outcome === 'denied'
      assert.equal(isDenied, ip === `192.0.2.${number}`)
    }
  }
})

test('a compiled policy that is dropped takes no memory, without a turn of the event loop', () => {
  const allow = Array.from({ length: 1_000 }, (_, number) => `198.51.${number >> 8}.${number & 255}`)
  const people = { author: 'ann', users: [], apiClients: [{ id: 'robot', ip: '198.51.0.7' }], time: 59 }
  let number = 0
  const under = (policies) => {
    for (const end = number + policies; number < end; number += 1) {
      const rule = rules({ name: `Acme ${number}`, network: { allow } })
      assert.equal(policy.decide(rule, { ip: '198.51.0.7', enrollment: 'none' }).decision.outcome, 'allowed')
      assert.deepEqual(policy.review(rule, people).blockedApiClients, [])
    }
  }
  under(100)
  const before = wasmMemory().length
  under(300) // some 40 MB for each
  assert.ok(wasmMemory().length < before + 4_000_000, `${wasmMemory().length - before} bytes more`)
})

test('policies of the greatest length do not fill the memory of the module', () => {
  const allow = Array.from(
    { length: 520_000 },
    (_, number) => `${10 + (number >> 16)}.${(number >> 8) & 255}.${number & 255}.1`,
  )
  const rest = JSON.stringify(rules({ network: { allow } }))
  const facts = { ip: '10.0.7.1', enrollment: /** @type {const} */ ('none') }
  for (let number = 0; number < 10; number += 1) {
    const rule = `${' '.repeat(number)}${rest}`
    assert.equal(policy.decide(rule, facts).decision.outcome, 'allowed')
  }
  // One takes 100 MB, and as much again while it is read.
  assert.ok(wasmMemory().length < 500_000_000, `${wasmMemory().length} bytes`)
})

test('a text of very many empty lists and objects takes no more than a few times its length', () => {
  const before = wasmMemory().length
  for (const item of ['{}', '[]']) {
    const text = `[${`${item},`.repeat(1_000_000)}${item}]`
    assert.throws(() => policy.parse(text), { code: 'invalid_policy' })
  }
  assert.ok(wasmMemory().length < before + 150_000_000, `${wasmMemory().length - before} bytes more`)
})

test('an argument that does not fit gets an error with its path, whichever way it travels', async () => {
  const whole = (most) => `expected a whole number from 0 to ${most}`
  const words = (...names) => `expected one of \`${names.join('`, `')}\``
  const mistakes = [
    [{ algorithm: 'sha1' }, 'algorithm', words('SHA1', 'SHA256', 'SHA512')],
    [{ algorithm: 'sha1', digits: 256 }, 'algorithm', words('SHA1', 'SHA256', 'SHA512')],
    [{ digits: 256 }, 'digits', whole(255)],
    [{ digits: 9 }, 'digits', 'must be 6, 7 or 8'],
    [
      { digits: 9, secret: 'A' },
      'secret',
      'has a length that base32 cannot have: a symbol is missing, or there is one too many',
    ],
    [{ digits: 1.5 }, 'digits', 'must be a whole number, not negative'],
    [{ periodSeconds: 2 ** 32 }, 'periodSeconds', whole(4_294_967_295)],
    [{ periodSeconds: 301 }, 'periodSeconds', 'must be 15 to 300'],
    [{ window: 256 }, 'window', whole(255)],
    [{ window: 11 }, 'window', 'must be 0 to 10'],
    [{ after: -1 }, 'after', 'must be a whole number, not negative'],
    [{ secret: `${SECRET.slice(1)}1` }, 'secret', 'must be base32: A–Z and 2–7'],
    [
      { secret: `${SECRET.slice(0, 18)}B` },
      'secret',
      'has a length that base32 cannot have: a symbol is missing, or there is one too many',
    ],
    [
      { secret: `${SECRET.slice(0, 17)}B` },
      'secret',
      'ends in bits that belong to no byte: the last symbol is wrong, or the text was cut',
    ],
    [
      { secret: `${SECRET.slice(0, 20)}B` },
      'secret',
      'ends in bits that belong to no byte: the last symbol is wrong, or the text was cut',
    ],
    [{ secret: `${SECRET}=` }, 'secret', 'must be padded with `=` to a multiple of 8 symbols, or not at all'],
    [{ secret: 'GE======GEZDGNBVGY3TQOJQ' }, 'secret', 'must be base32: A–Z and 2–7'],
    [{ secret: 'GEZDGNBV' }, 'secret', 'must be 10 to 128 bytes'],
  ]
  for (const [change, path, message] of mistakes) {
    const input = { secret: SECRET, code: '287082', time: 59, .../** @type {any} */ (change) }
    const error = { code: 'invalid_input', path, message: `\`${path}\`: ${message}` }
    assert.throws(() => totp.verify(input), error, JSON.stringify(change))
  }
  for (const [change, path, message] of [
    [{ channel: 'phone' }, 'channel', words('web', 'api')],
    [{ enrollment: '' }, 'enrollment', words('never', 'none', 'usable', 'unusable', 'reset')],
    [{ roles: ['\0'] }, 'roles', 'a role must be 1 to 64 bytes without control characters'],
    [
      { time: 2 ** 40 },
      'time',
      'must be unix seconds from 0 to the year 9999; `Date.now()` gives milliseconds, 1,000 to a second',
    ],
  ]) {
    const facts = { enrollment: 'none', .../** @type {any} */ (change) }
    assert.throws(() => policy.decide(rules(), facts), { path, message: `\`${path}\`: ${message}` })
  }
  const { factor } = await host()
  const own = { user: 'ann', session: 's', pass: 'x' }
  for (const [change, path, message] of [
    [{ session: '' }, 'session', 'must be 1 to 256 bytes without control characters'],
    [{ maxAge: 2 ** 32 }, 'maxAge', whole(4_294_967_295)],
    [{ maxAge: '7' }, 'maxAge', whole(4_294_967_295)],
    [{ methods: ['fax'] }, 'methods[0]', words('totp', 'sms', 'backup_code', 'recovery_code', 'trusted_browser')],
  ]) {
    const input = { ...own, .../** @type {any} */ (change) }
    await assert.rejects(factor.checkPass(input), { path, message: `\`${path}\`: ${message}` }, JSON.stringify(change))
  }
  for (const pass of [undefined, null, 7, {}, ['x'], '\ud800', 'x'.repeat(100_000)])
    assert.deepEqual(await factor.checkPass({ ...own, pass: /** @type {any} */ (pass) }), {
      result: 'refused',
      reason: 'invalid',
    })
})
