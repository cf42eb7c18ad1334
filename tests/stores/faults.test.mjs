// Processes and servers end, and connections are cut, while users log in: the short tests. The long group has each server, under load.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { CountersignError, createSecondFactor } from 'countersign'
import { eventually } from '../shared/eventually.mjs'
import { cuttingProxy } from './cutting-proxy.mjs'
import { cutTest, isWrite, killTest, LASTING } from './once/fault-tests.mjs'
import { prepared } from './once/rounds.mjs'
import { startRedis } from './servers/redis.mjs'
import { without } from './servers/server.mjs'

for (const server of ['SQLite', 'PostgreSQL']) killTest(server, { rounds: 1 })

for (const kind of /** @type {const} */ (['postgres', 'redis'])) {
  const { needs, start } = LASTING[kind]
  const skip = without(/** @type {any} */ (needs))

  test(`${kind}: while the server is stopped each call fails with a code, and after its start the next login works`, {
    skip,
  }, async (t) => {
    const server = await start(t)
    const { person, factor } = await prepared(t, kind, { url: server.url, keepsCalls: false })
    const { user, right, next } = await person()
    const used = await person()
    assert.equal((await factor.verify(used.right)).result, 'verified')
    await server.stop()
    await assert.rejects(factor.begin({ user, session: 's' }), isCoded('store_failed'))
    await assert.rejects(factor.status({ user }), isCoded('store_failed'))
    // A ticket counts only where the revocation list can be had, which is in the same database.
    await assert.rejects(factor.verify(right), isCoded('revoked_failed'))
    await server.start()
    await eventually(() => factor.status({ user }))
    assert.equal((await factor.verify(right)).result, 'verified', 'the code was not used up')
    assert.equal((await factor.verify(right)).result, 'already_used')
    assert.equal((await factor.verify(used.right)).result, 'already_used')
    assert.equal((await factor.verify(await next())).result, 'verified')
  })

  cutTest(kind, { rounds: 2 })

  test(`${kind}: a connection that is cut in the middle of a save has stored nothing, and the code works once`, {
    skip,
  }, async (t) => {
    const server = await start(t)
    const proxy = await cuttingProxy(t, server, isWrite)
    const url = server.url.replace(`:${server.port}`, `:${proxy.port}`)
    const { person, factor, store } = await prepared(t, kind, { url })
    const { user, right } = await person()
    const before = await store.load({ user })
    proxy.cutRequests()
    await assert.rejects(factor.verify(right), isCoded('store_failed'))
    assert.equal(proxy.cuts(), 1)
    assert.deepEqual(await store.load({ user }), before)
    assert.equal((await factor.verify(right)).result, 'verified')
    assert.equal((await factor.verify(right)).result, 'already_used')
  })
}

test('Redis without persistence: after a restart each user is one who never had a factor', {
  skip: without('redis'),
}, async (t) => {
  const server = await startRedis(t)
  const { person, factor, store, input } = await prepared(t, 'redis', { url: server.url })
  const withPolicy = (more) =>
    createSecondFactor({
      ...{ store, keys: input.keys, policy: { ...input.policy, ...more } },
      ...{ sendSms() {}, clock: () => input.time, hashing: 'inline' },
    })
  const { user, right } = await person()
  const who = { user, session: 's' }
  assert.equal((await factor.begin(who)).result, 'challenge')
  await server.kill()
  await server.start()
  await eventually(async () => assert.equal((await factor.status({ user })).enrollment, 'never'))
  assert.equal(await store.load({ user }), undefined)
  // The code of a login that had begun is good for nothing.
  assert.deepEqual(await factor.verify(right), { result: 'denied', reason: 'not_enrolled' })
  assert.deepEqual(await factor.begin(who), { result: 'allowed', enroll: true }, 'the password is enough')
  // Where a factor is required, the password lets nobody in, unless the policy has it set the first factor up.
  const strict = withPolicy({ require: 'everyone' })
  assert.deepEqual(await strict.verify(right), { result: 'denied', reason: 'not_enrolled' })
  assert.deepEqual(await strict.begin(who), { result: 'denied', reason: 'enrollment_required' })
  const lenient = withPolicy({ require: 'everyone', firstFactor: 'password' })
  assert.equal((await lenient.begin(who)).result, 'set_up', 'of a factor, by anybody who has the password')
})

/** An error that the service can answer with 503. */
const isCoded = (code) => (error) => CountersignError.is(error) && error.code === code && error.status === 503
