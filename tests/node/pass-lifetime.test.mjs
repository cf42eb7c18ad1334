// The lifetime of a pass: its own end, or an earlier one by the policy that checks it.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createSecondFactor } from 'countersign'
import { host, login, rules, withApp } from './support.mjs'

test('C1: a pass lives no longer than the policy that checks it allows', async () => {
  const at = await host()
  const ann = await withApp(at)
  const { pass, expiresAt } = await login(at, ann)
  const madeAt = expiresAt - 43_200
  const question = { user: ann.user, session: 'in', pass }
  const under = (passSeconds) => createSecondFactor({ ...at.options, store: at.store, policy: rules({ passSeconds }) })
  for (const [passSeconds, lives] of [
    [600, 600],
    [60, 60],
    [86_400, 43_200],
  ]) {
    const factor = under(passSeconds)
    at.clock.set(madeAt + lives - 1)
    const reply = await factor.check(question)
    assert.deepEqual([reply.result, reply.expiresAt], ['in', madeAt + lives])
    at.clock.set(madeAt + lives)
    assert.deepEqual(await factor.check(question), { result: 'second_step', reason: 'expired' })
  }
})
