// The calls of a login handler, each beside its peers: a code, a pass, the two steps of a login, and a decision. Each call is
// awaited, so that the cost of wiping memory after it is in the figure. jobs.mjs has the shape of a job.
// @ts-nocheck: the peers are installed only by `npm run bench`
import { BlockList } from 'node:net'
import { createSecondFactor, generateKeys, memoryStore, policy, totp } from 'countersign'
import { importJWK, jwtVerify } from 'jose'
import { Secret, TOTP } from 'otpauth'
import { verifySync } from 'otplib'
import speakeasy from 'speakeasy'
import { betterAuthUser } from './better-auth.mjs'
import { codeAt, loginByHand } from './by-hand.mjs'
import { ADVANCE, compare, expect, START } from './compare.mjs'

const RULES = {
  v: 1,
  name: 'Acme',
  origin: 'https://acme.example',
  methods: ['totp', 'backup_code'],
  passSeconds: 2_592_000,
}
/** Several times as many as are remembered, so that none is when its turn comes again. They must not end meanwhile. */
const PASSES = 6_000

export async function totpCode() {
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
  return { micros: await compare(candidates(wrong)) }
}

/** A user with an app, and a clock that is moved by hand. */
export async function enrolled(keys, store = memoryStore()) {
  let now = START
  const factor = createSecondFactor({ policy: RULES, keys, store, clock: () => now })
  const { secret, setup } = await factor.enrollTotp({ user: 'ann', session: 'in', label: 'ann' })
  const key = Buffer.from(Secret.fromBase32(secret.replaceAll(' ', '')).buffer)
  const confirmed = await factor.confirmTotp({ user: 'ann', session: 'in', setup, code: codeAt(key, now / 30) })
  expect(confirmed.result === 'enrolled', 'set-up')
  return { factor, key, now: () => now, advance: () => (now += ADVANCE) }
}

/** The codes of the next steps, so that no candidate computes them. */
export const codesFrom = (key, start, count) =>
  Array.from({ length: count }, (_, index) => codeAt(key, (start + (index + 1) * ADVANCE) / 30))

/** Passes of many logins of one user, and the means to check them by the package and by `jose`. */
export async function passes(count) {
  const keys = generateKeys()
  const { factor, key, now, advance } = await enrolled(keys)
  const public_ = await importJWK(factor.jwks().keys[0], 'EdDSA')
  const all = []
  for (const code of codesFrom(key, now(), count)) {
    advance()
    const { ticket } = await factor.begin({ user: 'ann', session: 'out' })
    all.push((await factor.verify({ ticket, session: 'out', newSession: 'in', method: 'totp', code })).pass)
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
  const [known] = all.slice(-1)
  const changed = known.replace(/.$/, (last) => (last === 'A' ? 'Q' : 'A'))
  for (const call of [ours, theirs]) {
    for (let again = 0; again < 2; again += 1) expect(await call(known), 'pass')
    expect(!(await call(changed).catch(() => false)), 'changed pass')
  }
  return { all, known, ours, theirs }
}

/** A call that is given each of the values in turn. */
export function inTurn(call, values) {
  let next = 0
  return () => call(values[next++ % values.length])
}

export async function pass() {
  const { all, known, ours, theirs } = await passes(PASSES)
  const micros = await compare({
    'countersign, seen before': () => ours(known),
    'countersign, another one each time': inTurn(ours, all),
    'jose, jwtVerify': () => theirs(known),
    'jose, jwtVerify, another one each time': inTurn(theirs, all),
  })
  return { micros }
}

/** A user at the package, and one in a login by hand; each has a clock of its own. */
async function loginsOfBoth() {
  const { factor, key, advance } = await enrolled(generateKeys())
  const records = memoryStore()
  const hand = loginByHand({ user: 'ann', secret: key, store: records })
  await records.save({ user: 'ann' }, hand.record, undefined)
  return { factor, key, advance, hand }
}

export async function begin() {
  const { factor, hand } = await loginsOfBoth()
  const peer = await betterAuthUser()
  const candidates = {
    countersign: async () => (await factor.begin({ user: 'ann', session: 'out' })).result === 'challenge',
    'by hand, node:crypto': async () => (await hand.begin({ session: 'out', now: START })).result === 'challenge',
    'better-auth, signInEmail': async () => (await peer.begin()).challenge,
  }
  for (const call of Object.values(candidates)) expect(await call(), 'begin')
  return { micros: await compare(candidates) }
}

export async function login() {
  const { factor, key, advance, hand } = await loginsOfBoth()
  let handNow = START
  const codes = codesFrom(key, START, 40_000)
  const ours = async () => {
    const code = codes[(advance() - START) / ADVANCE - 1]
    const { ticket } = await factor.begin({ user: 'ann', session: 'out' })
    const { result } = await factor.verify({ ticket, session: 'out', newSession: 'in', method: 'totp', code })
    expect(result === 'verified', 'login')
  }
  const byHand = async () => {
    handNow += ADVANCE
    const code = codes[(handNow - START) / ADVANCE - 1]
    const { ticket } = await hand.begin({ session: 'out', now: handNow })
    const { result } = await hand.verify({ ticket, session: 'out', newSession: 'in', code, now: handNow })
    expect(result === 'verified', 'login by hand')
  }
  const peer = await betterAuthUser()
  const betterAuth = async () => {
    const { cookie } = await peer.begin()
    expect(await peer.verify(cookie, codeOfNow(peer.secret)), 'login at better-auth')
  }
  const candidates = {
    countersign: ours,
    'by hand, node:crypto': byHand,
    'better-auth, signInEmail and verifyTOTP': betterAuth,
  }
  return { micros: await compare(candidates) }
}

/** The present code, which is computed once for each step. */
function codeOfNow(secret) {
  const time = Math.floor(Date.now() / 1000)
  const step = Math.floor(time / 30)
  if (codeOfNow.step !== step) Object.assign(codeOfNow, { step, code: totp.generate({ secret, time }) })
  return codeOfNow.code
}

export async function decision() {
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
  return { micros: await compare(candidates('192.0.2.7')) }
}
