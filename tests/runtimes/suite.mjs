// The one suite of all runtimes: real logins with the package as it is packed. It is bundled without the package into one file
// that needs nothing of its runtime but what the package itself needs.
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { CountersignError, createSecondFactor, generateKeys, memoryStore, otpauth, policy, qr, totp } from 'countersign'
import { noticeText } from 'countersign/notices'
import { createOperator, CountersignError as OperatorError } from 'countersign/operator'
import { capturedSms, fixedClock } from 'countersign/testing'
import { play, scenarios } from '../shared/scenarios.mjs'

const vectors = (name) => JSON.parse(readFileSync(new URL(`../vectors/${name}.json`, import.meta.url), 'utf8'))
const RULES = { v: 1, name: 'Acme', origin: 'https://acme.example' }

/** A service, and a user with an app. Hashes are computed where the runtime computes them by itself. */
export async function service(rules = {}) {
  const clock = fixedClock()
  const notices = []
  const sms = capturedSms()
  const options = {
    policy: { ...RULES, ...rules },
    keys: generateKeys(),
    store: memoryStore(),
    sendSms: sms.send,
    clock,
  }
  const factor = createSecondFactor({ ...options, notify: (notice) => notices.push(notice) })
  const started = await factor.enrollTotp({ user: 'ann', session: 's', label: 'ann' })
  assert.equal(started.result, 'totp_started')
  const { secret, setup, uri, qrSvg: svg } = started
  const code = () => totp.generate({ secret, time: clock() })
  const enrolled = await factor.confirmTotp({ user: 'ann', session: 's', setup, code: code() })
  assert.equal(enrolled.result, 'enrolled')
  clock.advance(60)
  const ticket = async () => (await factor.begin({ user: 'ann', session: 'before' })).ticket
  const verify = async (given) =>
    factor.verify({ ticket: await ticket(), session: 'before', newSession: 'in', method: 'totp', ...given })
  return { options, factor, clock, notices, sms, secret, uri, svg, code, verify, codes: enrolled.backupCodes }
}

const count = (replies, result) => replies.filter((reply) => reply.result === result).length

/** The tests, by their names. Each is quick but for those of `scenarios`. */
const tests = {
  async 'an app is set up, a code logs in once, and the pass opens the door'() {
    const { factor, code, verify, clock } = await service()
    const typed = code()
    const done = await verify({ code: typed })
    assert.equal(done.result, 'verified')
    assert.equal((await factor.check({ user: 'ann', session: 'in', pass: done.pass })).result, 'in')
    assert.equal((await factor.check({ user: 'ann', session: 'other', pass: done.pass })).result, 'second_step')
    assert.equal((await verify({ code: typed })).result, 'already_used')
    clock.advance(30)
    assert.equal((await verify({ code: code() })).result, 'verified')
  },

  async 'of ten logins at once with one code one gets in'() {
    const { code, verify } = await service()
    const typed = code()
    const replies = await Promise.all(Array.from({ length: 10 }, () => verify({ code: typed })))
    assert.equal(count(replies, 'verified'), 1)
  },

  async 'a backup code logs in once, also where several come at once'() {
    const { verify, codes } = await service()
    assert.equal(codes.length, 10)
    const given = { method: 'backup_code', code: codes[0] }
    const replies = await Promise.all([verify(given), verify(given), verify(given)])
    assert.equal(count(replies, 'verified'), 1)
    assert.equal((await verify({ method: 'backup_code', code: codes[1] })).result, 'verified')
  },

  async 'a recovery code of the operator logs in'() {
    const { options, verify } = await service()
    const { code } = await createOperator(options).issueRecoveryCode({ user: 'ann', operator: 'night shift' })
    assert.equal((await verify({ method: 'recovery_code', code })).result, 'verified')
  },

  async 'a code by SMS logs in'() {
    const { factor, sms, clock } = await service({ methods: ['totp', 'sms', 'backup_code'] })
    const sent = await factor.enrollSms({ user: 'bob', session: 's', number: '+61412345678' })
    assert.equal(sent.result, 'sms_sent')
    const set = await factor.confirmSms({ user: 'bob', session: 's', setup: sent.setup, code: sms.lastCode() })
    assert.equal(set.result, 'enrolled')
    clock.advance(60)
    const { ticket } = await factor.begin({ user: 'bob', session: 'before' })
    assert.equal((await factor.sendSms({ ticket, session: 'before' })).result, 'sms_sent')
    const done = await factor.verify({ ticket, session: 'before', method: 'sms', code: sms.lastCode() })
    assert.equal(done.result, 'verified')
  },

  async 'another implementation verifies a pass'() {
    const { factor, verify, code } = await service()
    const { pass } = await verify({ code: code() })
    const [key] = factor.jwks().keys
    const { kty, crv, x } = key
    const publicKey = await crypto.subtle.importKey('jwk', { kty, crv, x }, 'Ed25519', false, ['verify'])
    const bytes = (text) =>
      Uint8Array.from(atob(text.replaceAll('-', '+').replaceAll('_', '/')), (c) => c.charCodeAt(0))
    const [head, claims, signature] = pass.split('.')
    const signed = new TextEncoder().encode(`${head}.${claims}`)
    assert.ok(await crypto.subtle.verify('Ed25519', publicKey, bytes(signature), signed))
  },

  async 'a QR code is drawn, and its URI is read'() {
    const { uri, svg, secret } = await service()
    assert.equal(svg, qr.svg(uri))
    assert.ok(svg.startsWith('<svg '))
    assert.equal(otpauth.parse(uri).secret, secret.replaceAll(' ', ''))
  },

  async 'a notice becomes a mail'() {
    const { notices } = await service()
    assert.equal(notices[0].kind, 'factor_added')
    assert.ok(noticeText(notices[0], { language: 'de', service: 'Acme', userName: 'ann' }).text.includes('Acme'))
  },

  async 'errors have one class and a code'() {
    assert.equal(OperatorError, CountersignError)
    const isRefused = (error) => error instanceof CountersignError && error.code === 'invalid_policy'
    assert.throws(() => policy.parse({ ...RULES, v: 2 }), isRefused)
    const { factor } = await service()
    await assert.rejects(
      factor.begin({}),
      (/** @type {any} */ error) => error instanceof CountersignError && error.path === 'user',
    )
  },

  async 'RFC 6238: eighteen codes'() {
    const { secrets, digits, periodSeconds, codes } = vectors('rfc6238')
    assert.equal(codes.length, 18)
    for (const { algorithm, time, code } of codes)
      assert.equal(totp.generate({ secret: secrets[algorithm], algorithm, digits, periodSeconds, time }), code)
  },

  async 'every row of the decisions is decided as it says'() {
    const table = vectors('decisions')
    for (const { about, set, rows } of table.groups) {
      for (const row of rows) {
        const [question, answer] = row.split(' -> ')
        const [channel, from, enrollment, ...more] = question.split(' ')
        const given = Object.fromEntries(more.map((word) => word.split('=')))
        const roles = given.roles?.split(',').filter(Boolean)
        const [recoveryCode, time] = [more.includes('code'), table.now + Number(given.at ?? 0)]
        const facts = { channel, enrollment, ip: table.from[from], recoveryCode, roles, plan: given.plan, time }
        const { decision } = policy.decide({ ...RULES, ...set }, facts)
        assert.equal(decision.reason ?? decision.outcome, answer.split(' by ')[0], `${about}: ${row}`)
      }
    }
  },
}

/**
 * Runs the suite: `all` with each scenario of tests/scenarios, `short` without them.
 * @returns {Promise<{ passed: number, failed: string[] }>}
 */
export async function conformance(extent = 'all') {
  const stories = scenarios.map((story) => [`scenario ${story.file}`, () => play(story)])
  const all = extent === 'all' ? Object.fromEntries(stories) : {}
  const failed = []
  let passed = 0
  for (const [name, run] of Object.entries({ ...tests, ...all })) {
    try {
      await run()
      passed += 1
    } catch (error) {
      failed.push(`${name}: ${error?.stack ?? error}\n${error?.cause?.stack ?? ''}`)
    }
  }
  return { passed, failed }
}
