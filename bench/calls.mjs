// The calls of a login handler, each beside its peer: a code, a pass, the two steps of a login, and a decision. Each call is
// awaited, so that the cost of wiping memory after it is in the figure.
// @ts-nocheck: the peers are installed only by `npm run bench`
import { BlockList } from 'node:net'
import { createSecondFactor, generateKeys, memoryStore, policy, totp } from 'countersign'
import { importJWK, jwtVerify } from 'jose'
import { Secret, TOTP } from 'otpauth'
import { verifySync } from 'otplib'
import speakeasy from 'speakeasy'
import { codeAt, loginByHand } from './by-hand.mjs'
import { compare, expect, print } from './compare.mjs'

const RULES = {
  v: 1,
  name: 'Acme',
  origin: 'https://acme.example',
  methods: ['totp', 'backup_code'],
  passSeconds: 2_592_000,
}
const START = 1_800_000_000
/** Several times as many as are remembered, so that none is when its turn comes again. They must not end meanwhile. */
const PASSES = 6_000

/** How long and how often each candidate is measured; see `compare`. */
let measuring

export async function benchCalls(settings) {
  measuring = settings
  await totpJob()
  await passJob()
  await loginJob()
  await policyJob()
}

async function totpJob() {
  const secret = totp.secret()
  const now = () => Math.floor(Date.now() / 1000)
  const right = [-60, -30, 0, 30, 60].map((shift) => totp.generate({ secret, time: now() + shift }))
  const wrong = ['000001', '000002', '000003', '000004', '000005', '000006'].find((code) => !right.includes(code))
  const candidates = (code) => ({
    countersign: () => totp.verify({ secret, code, time: now() }).valid,
    otpauth: () => new TOTP({ secret: Secret.fromBase32(secret) }).validate({ token: code, window: 1 }) !== null,
    'otplib, verifySync': () => verifySync({ secret, token: code, epochTolerance: 30 }).valid,
    speakeasy: () => speakeasy.totp.verify({ secret, encoding: 'base32', token: code, window: 1 }),
  })
  for (const call of Object.values(candidates(wrong))) expect(call() === false, 'TOTP')
  for (const call of Object.values(candidates(totp.generate({ secret, time: now() })))) expect(call() === true, 'TOTP')
  print('TOTP: a wrong code, ±1 step, secret in base32', await compare(candidates(wrong), measuring))
}

/** A user with an app; `login` logs in with the app's code of a new step, and gives the pass. */
async function enrolled(keys, store = memoryStore()) {
  let now = START
  const factor = createSecondFactor({ policy: RULES, keys, store, clock: () => now })
  const { secret, setup } = await factor.enrollTotp({ user: 'ann', session: 'in', label: 'ann' })
  const key = Buffer.from(Secret.fromBase32(secret.replaceAll(' ', '')).buffer)
  const confirmed = await factor.confirmTotp({ user: 'ann', session: 'in', setup, code: codeAt(key, now / 30) })
  expect(confirmed.result === 'enrolled', 'set-up')
  return { factor, key, now: () => now, advance: () => (now += 30) }
}

/** The codes of the next steps, so that no candidate computes them. */
const codesFrom = (key, start, count) =>
  Array.from({ length: count }, (_, index) => codeAt(key, start / 30 + index + 1))

async function passJob() {
  const keys = generateKeys()
  const { factor, key, now, advance } = await enrolled(keys)
  const public_ = await importJWK(factor.jwks().keys[0], 'EdDSA')
  const passes = []
  for (const code of codesFrom(key, now(), PASSES)) {
    advance()
    const { ticket } = await factor.begin({ user: 'ann', session: 'out' })
    passes.push((await factor.verify({ ticket, session: 'out', newSession: 'in', method: 'totp', code })).pass)
  }
  const options = {
    issuer: RULES.origin,
    audience: RULES.origin,
    typ: '2fa-pass+jwt',
    currentDate: new Date(now() * 1000),
  }
  const ours = async (pass) => (await factor.checkPass({ user: 'ann', session: 'in', pass })).result === 'valid'
  const theirs = async (pass) => {
    const { payload } = await jwtVerify(pass, public_, options)
    return payload.sub === 'ann' && payload.sid === 'in'
  }
  const [known] = passes.slice(-1)
  const changed = known.replace(/.$/, (last) => (last === 'A' ? 'Q' : 'A'))
  for (const call of [ours, theirs]) {
    for (let again = 0; again < 2; again += 1) expect(await call(known), 'pass')
    expect(!(await call(changed).catch(() => false)), 'changed pass')
  }
  const inTurn = (call) => {
    let next = 0
    return () => call(passes[next++ % passes.length])
  }
  print(
    'A pass, EdDSA: all of `checkPass` beside `jwtVerify` with the key imported',
    await compare(
      {
        'countersign, seen before': () => ours(known),
        'countersign, another one each time': inTurn(ours),
        'jose, jwtVerify': () => theirs(known),
        'jose, jwtVerify, another one each time': inTurn(theirs),
      },
      measuring,
    ),
  )
}

async function loginJob() {
  const { factor, key, now, advance } = await enrolled(generateKeys())
  const begin = () => factor.begin({ user: 'ann', session: 'out' })
  const records = memoryStore()
  const hand = loginByHand({ user: 'ann', secret: key, store: records })
  await records.save({ user: 'ann' }, hand.record, undefined)
  let handNow = START
  const beginByHand = () => hand.begin({ session: 'out', now: handNow })
  expect((await begin()).result === 'challenge' && (await beginByHand()).result === 'challenge', 'begin')
  print('`begin`, memory store', await compare({ countersign: begin, 'by hand, node:crypto': beginByHand }, measuring))

  const codes = codesFrom(key, START, 40_000)
  const login = async () => {
    const code = codes[(advance() - START) / 30 - 1]
    const { ticket } = await begin()
    const { result } = await factor.verify({ ticket, session: 'out', newSession: 'in', method: 'totp', code })
    expect(result === 'verified', 'login')
  }
  const loginByHands = async () => {
    handNow += 30
    const code = codes[(handNow - START) / 30 - 1]
    const { ticket } = await beginByHand()
    const { result } = await hand.verify({ ticket, session: 'out', newSession: 'in', code, now: handNow })
    expect(result === 'verified', 'login by hand')
  }
  expect(now() === handNow, 'clock')
  print(
    'A login: `begin` and `verify` with a right code, memory store',
    await compare({ countersign: login, 'by hand, node:crypto': loginByHands }, measuring),
  )
}

async function policyJob() {
  const rules = { ...RULES, network: { allow: ['192.0.2.0/24', '2001:db8::/32'], deny: ['192.0.2.66'] } }
  const text = JSON.stringify(rules)
  const [allow, deny] = [new BlockList(), new BlockList()]
  allow.addSubnet('192.0.2.0', 24)
  allow.addSubnet('2001:db8::', 32, 'ipv6')
  deny.addAddress('192.0.2.66')
  const facts = { ip: '192.0.2.7', enrollment: 'usable', time: START }
  const candidates = (ip) => ({
    'countersign, policy.decide': () => policy.decide(rules, { ...facts, ip }).decision.outcome,
    'countersign, policy.decide, policy as text': () => policy.decide(text, { ...facts, ip }).decision.outcome,
    'node:net BlockList, the addresses alone': () => (!deny.check(ip) && allow.check(ip) ? 'challenge' : 'denied'),
  })
  for (const call of Object.values(candidates('192.0.2.7'))) expect(call() === 'challenge', 'decision')
  for (const ip of ['192.0.2.66', '198.51.100.1'])
    for (const call of Object.values(candidates(ip))) expect(call() === 'denied', 'decision')
  print('A decision by a small policy', await compare(candidates('192.0.2.7'), measuring))
}
