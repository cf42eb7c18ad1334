// A thief copies the cookie of somebody who has no second factor yet, or sits at the open browser for a minute. Neither gains by the
// second factor that the person sets up later.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { authenticatorCode, passwords, smsCode, startService, Visitor } from './support.mjs'

/** The member, logged in by the password alone, and a copy of the cookies. */
async function personAndCopy(t) {
  const service = await startService(t)
  const person = new Visitor(service)
  await person.page('/login', { email: 'member@acme.example', password: passwords.member })
  await person.page('/security')
  return { service, person, copy: person.copy() }
}

async function isEnded(copy) {
  return (await copy.json('/api/me')).status === 401
}

test('a set-up of an app ends a copied cookie', async (t) => {
  const { service, person, copy } = await personAndCopy(t)
  const { secret } = await person.json('/api/security/totp', {})
  const code = authenticatorCode(secret.replaceAll(' ', ''), service.now)
  assert.equal((await person.json('/api/security/totp/confirm', { code })).result, 'enrolled')
  assert.equal((await person.json('/api/me')).status, 200)
  assert.ok(await isEnded(copy))
})

test('a set-up of a phone ends a copied cookie', async (t) => {
  const { person, copy } = await personAndCopy(t)
  await person.page('/security/sms', { number: '0412 345 678' })
  const page = await person.page('/security/sms/confirm', { code: await smsCode(person) })
  assert.match(page.path, /^\/security\/backup-codes\/new/)
  assert.equal((await person.json('/api/me')).status, 200)
  assert.ok(await isEnded(copy))
})

test('"Log out elsewhere" ends a copied cookie', async (t) => {
  const { person, copy } = await personAndCopy(t)
  assert.equal((await person.json('/api/security/sessions/end-others', {})).result, 'logged_out_elsewhere')
  assert.equal((await person.json('/api/me')).status, 200)
  assert.ok(await isEnded(copy))
})

test('a copied cookie does not live on by "Log out elsewhere" again and again', async (t) => {
  const { service, copy } = await personAndCopy(t)
  for (let hours = 0; hours < 11; hours += 5.5) {
    service.advance(5.5 * 3600)
    assert.equal((await copy.json('/api/security/sessions/end-others', {})).result, 'logged_out_elsewhere')
  }
  service.advance(1.5 * 3600)
  assert.ok(await isEnded(copy))
})

test('a set-up that was begun at the open browser earlier gives the person another key', async (t) => {
  const { service, person } = await personAndCopy(t)
  const earlier = (await person.json('/api/security/totp', {})).secret
  assert.equal((await person.json('/api/security/totp', {})).secret, earlier, 'a second press goes on with it')
  service.advance(1200)
  assert.notEqual((await person.json('/api/security/totp', {})).secret, earlier)
  const code = authenticatorCode(earlier.replaceAll(' ', ''), service.now)
  assert.equal((await person.json('/api/security/totp/confirm', { code })).result, 'wrong')
})

test('a draft of the policy outlives a new password and a first factor', async (t) => {
  const service = await startService(t)
  const owner = new Visitor(service)
  await owner.page('/login', { email: 'owner@acme.example', password: passwords.owner })
  await owner.page('/policy')
  const { base } = await owner.json('/api/policy')
  await owner.page('/policy', { base, require: 'optional', firstFactor: 'recovery_code', name: 'Acme New' })
  const hasDraft = async () => /name="discard"/.test((await owner.page('/policy')).text)
  assert.ok(await hasDraft())
  await owner.page('/security/password', { password: passwords.owner, new_password: 'a few words in a row' })
  assert.ok(await hasDraft())
  const { secret } = await owner.json('/api/security/totp', {})
  const code = authenticatorCode(secret.replaceAll(' ', ''), service.now)
  assert.equal((await owner.json('/api/security/totp/confirm', { code })).result, 'enrolled')
  assert.ok(await hasDraft())
})
