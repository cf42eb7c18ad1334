// The account's rules: the users who must have a second factor, and the addresses that may log in.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { enrolledVisitor, freshVisitor, startService, Visitor } from './support.mjs'

const client = { client: 'reports', secret: 'reports-demo-secret' }
const clientIp = '203.0.113.7'

function clientLogin(service, ip = clientIp) {
  return new Visitor(service, ip).json('/api/token', client)
}

test('S9, S12: before everyone is forced, the owner sees the users who need a code, and the rule that admits the API client', async (t) => {
  const service = await startService(t)
  const { visitor: owner } = await freshVisitor(service, 'owner')
  assert.equal((await clientLogin(service)).result, 'token')
  const member = new Visitor(service, '198.51.100.9')
  await member.logIn('member')

  const preview = await owner.json('/api/policy', { require: 'everyone' })
  assert.equal(preview.result, 'policy_preview')
  assert.deepEqual(preview.review.needRecoveryCode.toSorted(), ['colleague@acme.example', 'member@acme.example'])
  assert.deepEqual(
    preview.review.blockedApiClients.map(({ id, rule }) => ({ id, rule })),
    [{ id: 'reports', rule: `${clientIp}/32` }],
  )
  assert.equal(preview.review.refused, false)
  assert.equal((await member.json('/api/me')).status, 200, 'a preview changes nothing')

  await owner.page('/policy')
  const page = await owner.page('/policy', { require: 'everyone', networks: '', allow: '', deny: '' })
  assert.match(page.text, /These people will need a recovery code/)
  assert.match(page.text, /<li>member@acme\.example<\/li>/)
  assert.match(page.text, /reports: the allow rule <code>203\.0\.113\.7\/32<\/code> would admit it/)
  const saved = await owner.page('/policy', {
    require: 'everyone',
    networks: '',
    allow: '',
    deny: '',
    confirmed: 'yes',
  })
  assert.equal(saved.path, '/policy?saved=yes')
  assert.match(saved.text, /value="everyone" checked/)

  assert.equal((await member.json('/api/me')).status, 401, 'the policy holds for open sessions too')
  assert.equal((await member.logIn('member')).reason, 'enrollment_required')
  assert.equal((await owner.json('/api/me')).status, 200)
})

test('S12: a forced policy blocks the API client, its open sessions too, until an allow rule admits it', async (t) => {
  const service = await startService(t)
  const { visitor: owner, code } = await freshVisitor(service, 'owner')
  const { token } = await clientLogin(service)
  const data = () => new Visitor(service, clientIp).json('/api/me', undefined, { authorization: `Bearer ${token}` })
  assert.equal((await data()).client, 'reports')

  await owner.json('/api/policy', { require: 'everyone', confirmed: true })
  assert.equal((await data()).status, 401)
  const blocked = await clientLogin(service)
  assert.equal(blocked.status, 403)
  assert.equal(blocked.reason, 'api_client_blocked')

  service.advance(60)
  await owner.showFactorAgain('totp', code())
  const admitted = await owner.json('/api/policy', {
    require: 'everyone',
    allow: [`${clientIp}/32`, '192.0.2.0/24'],
    confirmed: true,
  })
  assert.equal(admitted.result, 'policy_saved', JSON.stringify(admitted))
  assert.deepEqual(admitted.review.blockedApiClients, [])
  assert.equal((await clientLogin(service)).result, 'token')
  assert.equal((await clientLogin(service, '203.0.113.8')).result, 'denied', 'the rule admits that address only')
})

test('T38: a policy that locks its author out is refused unless forced', async (t) => {
  const service = await startService(t)
  const { visitor: owner } = await freshVisitor(service, 'owner')
  const lockOut = { require: 'optional', allow: ['10.0.0.0/8'] }
  const refused = await owner.json('/api/policy', { ...lockOut, confirmed: true })
  assert.equal(refused.status, 409)
  assert.equal(refused.result, 'policy_refused')
  assert.equal(refused.review.locksOutAuthor, true)
  assert.deepEqual((await owner.json('/api/policy')).network, { allow: [], deny: [] })

  await owner.page('/policy')
  const page = await owner.page('/policy', { require: 'optional', networks: '', allow: '10.0.0.0/8', deny: '' })
  assert.match(page.text, /You would shut yourself out/)
  assert.match(page.text, /type="checkbox" name="force"/)

  assert.equal((await owner.json('/api/policy', { ...lockOut, confirmed: true, force: true })).result, 'policy_saved')
  const out = await owner.json('/api/me')
  assert.equal(out.status, 403)
  assert.match(out.reason, /^address_/)
})

test('T38: an owner without a second factor cannot force it on everyone', async (t) => {
  const service = await startService(t)
  const owner = new Visitor(service)
  await owner.logIn('owner')
  const refused = await owner.json('/api/policy', { require: 'everyone', confirmed: true })
  assert.equal(refused.result, 'policy_refused')
  assert.equal(refused.review.locksOutAuthor, true)
  assert.equal(refused.review.locksOutOwners, true)
  assert.equal((await new Visitor(service).logIn('member')).result, 'allowed')
})

test('S10: a second factor is forced only from certain networks', async (t) => {
  const service = await startService(t)
  const { visitor: owner } = await freshVisitor(service, 'owner')
  const saved = await owner.json('/api/policy', { require: 'networks', networks: ['198.51.100.0/24'], confirmed: true })
  assert.equal(saved.result, 'policy_saved', JSON.stringify(saved))
  assert.equal((await new Visitor(service, '192.0.2.20').logIn('member')).result, 'allowed')
  for (const ip of ['198.51.100.9', '::ffff:198.51.100.9']) {
    assert.equal((await new Visitor(service, ip).logIn('member')).reason, 'enrollment_required', ip)
  }
  assert.equal((await new Visitor(service, '198.51.100.9').logIn('owner')).result, 'challenge')

  const moved = new Visitor(service, '192.0.2.20')
  await moved.logIn('member')
  moved.ip = '198.51.100.9'
  assert.equal((await moved.json('/api/me')).status, 401, 'a session from another address does not count there')
})

test('S11, T22, T23: deny and allow rules, in every spelling of an address, also within a session', async (t) => {
  const service = await startService(t)
  const { visitor: owner, code } = await freshVisitor(service, 'owner')
  const moved = new Visitor(service)
  await moved.logIn('member')

  const denying = await owner.json('/api/policy', { require: 'optional', deny: ['203.0.113.0/24'], confirmed: true })
  assert.equal(denying.result, 'policy_saved', JSON.stringify(denying))
  for (const ip of ['203.0.113.5', '::ffff:203.0.113.5', '::ffff:cb00:7105', '0:0:0:0:0:ffff:cb00:7105']) {
    assert.equal((await new Visitor(service, ip).logIn('member')).reason, 'address_denied', ip)
  }
  assert.equal((await new Visitor(service, '203.0.114.5').logIn('member')).result, 'allowed')
  moved.ip = '203.0.113.5'
  const refused = await moved.json('/api/me')
  assert.equal(refused.status, 403)
  moved.ip = '192.0.2.10'
  assert.equal((await moved.json('/api/me')).status, 200, 'a wrong address does not end the session')

  service.advance(60)
  await owner.showFactorAgain('totp', code())
  const allowing = await owner.json('/api/policy', { require: 'optional', allow: ['192.0.2.0/24'], confirmed: true })
  assert.equal(allowing.result, 'policy_saved', JSON.stringify(allowing))
  assert.equal((await new Visitor(service, '203.0.114.5').logIn('member')).reason, 'address_not_allowed')
  // C19: some proxies write the port as well.
  assert.notEqual((await new Visitor(service, '192.0.2.10:51008').logIn('member')).result, 'denied')
  for (const ip of [
    'garbage',
    '0300.0.2.10',
    '192.0.2.010',
    '0xc000020a',
    '3221225994',
    '192.0.2.10:',
    '198.51.100.10:80',
    'fe80::1%eth0',
  ]) {
    const answer = await new Visitor(service, ip).logIn('member')
    assert.equal(answer.result, 'denied', ip)
  }
})

test('T24: without TRUST_PROXY a client cannot choose its address by a header', async (t) => {
  const service = await startService(t, { env: { TRUST_PROXY: 'false' } })
  const { visitor: owner } = await freshVisitor(service, 'owner')
  const saved = await owner.json('/api/policy', { require: 'optional', deny: ['203.0.113.0/24'], confirmed: true })
  assert.equal(saved.result, 'policy_saved', JSON.stringify(saved))
  assert.equal((await new Visitor(service, '203.0.113.5').logIn('member')).result, 'allowed')
})

test('a rule that is no network is refused with its position, and nothing is saved', async (t) => {
  const service = await startService(t)
  const { visitor: owner } = await freshVisitor(service, 'owner')
  for (const bad of ['203.0.113.7/24', '010.0.0.0/8', 'everywhere', '<script>', 7]) {
    const answer = await owner.json('/api/policy', { require: 'optional', deny: [bad], confirmed: true, force: true })
    assert.equal(answer.status, 400, String(bad))
    assert.equal(answer.result, 'error')
    assert.match(answer.code, /^\w+$/)
    assert.match(answer.path, /network\.deny/)
  }
  for (const require of ['nobody', null, ['everyone'], undefined]) {
    assert.equal((await owner.json('/api/policy', { require, confirmed: true })).status, 400)
  }
  assert.deepEqual((await owner.json('/api/policy')).network, { allow: [], deny: [] })
  await owner.page('/policy')
  const page = await owner.page('/policy', { require: 'optional', deny: '<script>' })
  assert.equal(page.status, 400)
  assert.doesNotMatch(page.text, /<script>/)
})

test('changing the policy needs a fresh factor and an owner', async (t) => {
  const service = await startService(t)
  const { visitor: owner } = await enrolledVisitor(service, 'owner')
  service.advance(301)
  assert.equal(
    (await owner.json('/api/policy', { require: 'everyone', confirmed: true })).reason,
    'fresh_factor_required',
  )
  const member = new Visitor(service)
  await member.logIn('member')
  assert.equal((await member.json('/api/policy', { require: 'optional', confirmed: true })).reason, 'owner_only')
})

test('S13: a plan without 2FA cannot set it up; after a plan lapses, users with 2FA are still asked', async (t) => {
  const service = await startService(t)
  const { code } = await enrolledVisitor(service, 'owner')
  service.database((db) => db.prepare('UPDATE accounts SET plan = ?').run('free'))

  const member = new Visitor(service)
  await member.logIn('member')
  assert.equal((await member.json('/api/security/totp', {})).reason, 'plan')
  assert.equal((await member.json('/api/security/sms', { number: '0412 345 678' })).reason, 'plan')

  const owner = new Visitor(service)
  assert.equal((await owner.logIn('owner')).result, 'challenge')
  assert.equal((await owner.json('/api/me')).status, 401)
  assert.equal((await owner.secondStep('totp', code())).result, 'verified')
})
