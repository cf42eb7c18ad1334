// T20: every way in of better-auth and its plugins meets the second factor, or is in the table with the reason.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { enrolled, secondStep, startAuth } from './better-auth-service.mjs'
import { page, withTables } from './better-auth-tables.mjs'
import { mailbox, WAYS } from './better-auth-ways.mjs'

for (const way of WAYS)
  test(`T20: ${way.plugin}: ${way.name}${way.reason ? ` is no log-in` : ''}`, async (t) => {
    const box = mailbox()
    // Some ways prove the address, so that the factor is there before.
    const service = await startAuth(t, { ...(await way.needs?.(t, box)), own: { mayEnroll: () => true } })
    const user = await enrolled(service, 'ann', way.signUp)
    const browser = service.browser(way.carries === 'bearer' ? { 'countersign-session': 'new' } : {})
    const sessions = () => service.database.prepare('SELECT id FROM session WHERE userId = ?').all(user.id)
    const before = sessions()
    const answer = await way.enter({ service, user, browser, box })
    if (way.same) {
      assert.equal(await browser.user(), user.id)
      return assert.deepEqual(sessions(), before)
    }
    assert.notEqual(await browser.user(), user.id, `${answer.status} ${answer.text}`)
    if (way.reason) return
    if (way.answers === 'redirect') {
      assert.equal(answer.status, 302)
      assert.equal(answer.location, '/second-factor')
    } else {
      assert.equal(answer.body?.result, 'challenge', `${answer.status} ${answer.text}`)
      assert.equal(answer.body.twoFactorRedirect, true)
    }
    const more = way.carries === 'bearer' ? { 'countersign-session': answer.body.session } : {}
    const client = way.carries === 'bearer' ? service.browser(more) : browser
    const verified = await secondStep(service, client, user.secret)
    assert.equal(verified.status, 200, verified.text)
    if (way.answers === 'redirect') assert.match(verified.body.url, /\/welcome$/)
    const after =
      way.carries === 'bearer' ? service.browser({ authorization: `Bearer ${verified.body.token}` }) : browser
    assert.equal(await after.user(), user.id)
  })

test('the tables of the documents are those of the adapter and of these tests', () => {
  assert.equal(page(), withTables(), 'run `node tests/adapters/better-auth-tables.mjs`')
})
