// T55: trusted browsers through the package: the cookie, races, the revocation list, and fields of a client.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { codeOf, host, login, rules, ticketOf, withApp } from './support.mjs'

const DAYS = 30
const trusting = (changes = {}) => rules({ trustedBrowser: { days: DAYS }, ...changes })

/** Ann, with the cookie of a browser that she trusts. */
async function trusted(options = {}) {
  const at = await host({ policy: trusting(), ...options })
  const ann = await withApp(at)
  const reply = await trust(at, ann, { name: 'Firefox on Linux' })
  return { at, ann, reply, cookie: reply.browser.token }
}

async function trust(at, person, trustBrowser) {
  const ticket = await ticketOf(at, person.user)
  const verify = { ticket, session: 'before', newSession: 'in', method: 'totp', code: codeOf(at, person.secret) }
  const reply = await at.factor.verify({ ...verify, trustBrowser })
  assert.equal(reply.result, 'verified')
  at.clock.advance(60)
  return reply
}

const by = async (at, cookie, user = 'ann') =>
  at.factor.verify({
    ticket: await ticketOf(at, user),
    session: 'before',
    newSession: 'in',
    method: 'trusted_browser',
    code: cookie,
  })

test('a login handler trusts a browser, and `status` lists it until it is removed', async () => {
  const { at, reply, cookie } = await trusted()
  assert.match(cookie, /^[\w-]{12}\.[\w-]{43}$/)
  const [notice] = at.notices.slice(-1)
  assert.deepEqual([notice.kind, notice.method, notice.name], ['browser_trusted', 'totp', 'Firefox on Linux'])
  const used = await by(at, cookie)
  assert.equal(used.result, 'verified')
  assert.deepEqual([used.method, used.factor.id], ['trusted_browser', cookie.slice(0, 12)])
  const { trustedBrowsers } = await at.factor.status({ user: 'ann' })
  const times = { addedAt: at.clock() - 60, lastUsedAt: at.clock(), expiresAt: reply.browser.expiresAt }
  assert.deepEqual(trustedBrowsers, [{ id: cookie.slice(0, 12), name: 'Firefox on Linux', ...times }])

  const own = { user: 'ann', session: 'in', pass: used.pass, browser: cookie.slice(0, 12) }
  assert.equal((await at.factor.removeTrustedBrowser({ ...own, pass: undefined })).result, 'denied')
  const removed = await at.factor.removeTrustedBrowser(own)
  assert.deepEqual(removed, {
    result: 'trusted_browser_removed',
    browser: { id: own.browser, name: 'Firefox on Linux' },
  })
  assert.deepEqual((await at.factor.status({ user: 'ann' })).trustedBrowsers, [])
  assert.deepEqual(await by(at, used.browser.token), { result: 'expired' })
})

test('T55: of two logins by one cookie at the same time one succeeds, and there is no alarm', async () => {
  const { at, cookie } = await trusted()
  const replies = await Promise.all(Array.from({ length: 5 }, () => by(at, cookie)))
  assert.deepEqual(replies.map(({ result }) => result).sort(), [...Array(4).fill('expired'), 'verified'])
  assert.ok(!at.events.some(({ event }) => event === 'trusted_browser_copied'))
})

test('T55: a copy that is used later ends the trust, and the user is told', async () => {
  const { at, cookie } = await trusted()
  const used = await by(at, cookie)
  at.clock.advance(31)
  assert.deepEqual(await by(at, cookie), { result: 'expired' })
  assert.deepEqual(at.notices.at(-1).kind, 'trusted_browser_copied')
  assert.deepEqual(await by(at, used.browser.token), { result: 'expired' })
})

test('T55: the pass counts for a page, and for nothing that asks for a recent factor or another method', async () => {
  const { at, cookie } = await trusted()
  const { pass } = await by(at, cookie)
  const question = { user: 'ann', session: 'in', pass }
  const checked = await at.factor.check(question)
  assert.deepEqual([checked.result, checked.method, checked.authTime], ['in', 'trusted_browser', at.clock() - 60])
  const valid = await at.factor.checkPass(question)
  assert.deepEqual([valid.acr, valid.amr], ['urn:countersign:acr:trusted-browser', ['pwd']])
  for (const more of [{ fresh: true }, { maxAge: 3_600 }, { methods: ['totp', 'sms', 'backup_code', 'recovery_code'] }])
    assert.equal((await at.factor.check({ ...question, ...more })).result, 'second_step', JSON.stringify(more))
  assert.equal((await at.factor.enrollTotp({ ...question, label: 'ann' })).reason, 'fresh_factor_required')
})

test('T55: where the policy trusts no browser any more, cookie and pass count no more', async () => {
  let policy = trusting()
  const { at, cookie } = await trusted({ policy: () => policy })
  const { pass, browser } = await by(at, cookie)
  policy = rules()
  assert.deepEqual(await by(at, browser.token), { result: 'denied', reason: 'method_not_offered' })
  const reply = await at.factor.check({ user: 'ann', session: 'in', pass })
  assert.deepEqual(reply, { result: 'second_step', reason: 'method_not_accepted' })
})

test('T55: a cookie of one user or account logs in to no other', async () => {
  const { at, cookie } = await trusted()
  await trust(at, await withApp(at, 'bob'), {})
  assert.deepEqual(await by(at, cookie, 'bob'), { result: 'expired' })
  assert.equal((await by(at, cookie)).result, 'verified')
})

test('T55: several accounts of one second factor must all trust browsers', async () => {
  for (const [others, days] of /** @type {[any[], number | undefined][]} */ ([
    [[trusting(), rules()], undefined],
    [[trusting(), rules({ trustedBrowser: { days: 7 } })], 7],
  ])) {
    const at = await host({ policy: () => others })
    const reply = await trust(at, await withApp(at), {})
    assert.equal(reply.browser?.expiresAt, days && at.clock() - 60 + days * 86_400)
  }
})

test('T55: a pass that the host ended is refused, and the next login by the cookie counts', async () => {
  const { at, cookie } = await trusted()
  const used = await by(at, cookie)
  await at.factor.endSessions({ user: 'ann', sessions: ['in'] })
  const question = { user: 'ann', session: 'in', pass: used.pass }
  assert.deepEqual(await at.factor.check(question), { result: 'second_step', reason: 'revoked' })
  const browser = cookie.slice(0, 12)
  assert.equal((await at.factor.removeTrustedBrowser({ ...question, browser })).reason, 'fresh_factor_required')
  const ticket = await ticketOf(at, 'ann')
  const again = { ticket, session: 'before', newSession: 'next', method: 'trusted_browser', code: used.browser.token }
  const { pass } = await at.factor.verify(again)
  assert.equal((await at.factor.check({ user: 'ann', session: 'next', pass })).result, 'in')
})

test('T55: no value of a client throws or costs a code', async () => {
  const { at, ann } = await trusted()
  const before = (await at.store.load({ user: 'ann' })).version
  for (const code of [
    7,
    {},
    '',
    'x'.repeat(70_000),
    'AAAAAAAAAAAA.',
    '\ud800',
    `${'A'.repeat(12)}.${'A'.repeat(43)}`,
  ]) {
    const reply = await by(at, code)
    assert.ok(reply.result === 'expired' || reply.result === 'malformed', JSON.stringify(reply))
  }
  assert.equal((await at.store.load({ user: 'ann' })).version, before, 'nothing is written')
  for (const junk of [7, {}, [], '', 'x'.repeat(70_000), '\ud800', 'a\nb']) {
    const reply = await trust(at, ann, { name: junk, replaces: junk })
    assert.match(reply.browser.token, /^[\w-]{12}\./)
  }
  assert.equal((await login(at, ann)).browser, undefined, 'nobody asked for it')
})
