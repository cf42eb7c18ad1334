// T11: a copy of the database shows nothing of what a session is in the middle of.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { seal, unseal } from '../../examples/login/sealed.js'
import { freshVisitor, startService, Visitor } from './support.mjs'

test('T11: a value opens by its own secret and in its own session only, and as it was sealed', () => {
  const value = { code: 'ABCD', list: [1, 2] }
  const sealed = seal('secret', 'id', value)
  assert.deepEqual(unseal('secret', 'id', sealed), value)
  assert.throws(() => unseal('other', 'id', sealed))
  assert.throws(() => unseal('secret', 'other', sealed))
  for (let index = 0; index < sealed.length; index += 1) {
    const changed = Buffer.from(sealed)
    changed[index] ^= 1
    assert.throws(() => unseal('secret', 'id', changed), `byte ${index}`)
  }
  assert.ok(!sealed.includes('ABCD'))
  assert.notDeepEqual(seal('secret', 'id', value), sealed)
})

test('T11: the session table holds no set-up, no ticket, no number, no draft and no recovery code in clear', async (t) => {
  const service = await startService(t)
  const { visitor: owner } = await freshVisitor(service, 'owner')
  await owner.page('/users')
  const { users } = await owner.json('/api/users')
  const { id: user } = users.find(({ email }) => email === 'colleague@acme.example')
  const shown = await owner.page('/users/recovery-code', { user })
  const [code] = /[0-9A-Z]{4}(?:-[0-9A-Z]{4}){3}/.exec(shown.text)
  const member = new Visitor(service)
  await member.page('/login')
  await member.page('/login', { email: 'member@acme.example', password: 'member-demo-password' })
  await member.page('/security')
  await member.page('/security/sms', { number: '0412 345 678' })
  const half = new Visitor(service)
  const { ticket } = await half.logIn('owner')
  assert.ok(ticket.length > 20)
  const rows = service.database((db) => db.prepare('SELECT * FROM login_sessions').all())
  assert.ok(rows.length >= 3)
  for (const row of rows) {
    const text = Object.values(row)
      .map((value) => (Buffer.isBuffer(value) ? value.toString('latin1') : String(value)))
      .join('\n')
    for (const secret of [
      code,
      code.replaceAll('-', ''),
      ticket,
      '412 345 678',
      '412345678',
      '"setUps"',
      '"challenge"',
    ])
      assert.ok(!text.includes(secret), secret)
  }
})

test('a session whose pending part was changed in the database is none', async (t) => {
  const service = await startService(t)
  const visitor = new Visitor(service)
  await visitor.logIn('member')
  assert.equal((await visitor.json('/api/me')).status, 200)
  service.database((db) => db.prepare("UPDATE login_sessions SET pending = x'00112233'").run())
  assert.equal((await visitor.json('/api/me')).reason, 'login_required')
})
