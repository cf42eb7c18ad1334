// The pass cache spares the signature; session, age, revocation and end are checked each time.
import assert from 'node:assert/strict'
import { setTimeout as sleep } from 'node:timers/promises'
import { bytesOf, Connection } from './http.mjs'
import { claimsOf, cookies, onEach, PASS, passed, refused, revocationBy, SESSION } from './support.mjs'

const list = { sessions: [], users: {} }

await onEach(
  {
    config: { revocation: revocationBy({ maxStaleSeconds: 3_600 }), routes: [{ prefix: '/admin/', maxAge: 300 }] },
    listeners: {
      one: { config: { pass: { cacheEntries: 1 } } },
      none: { config: { pass: { cacheEntries: 0 } } },
    },
    revoked: () => list,
  },
  (gate, test) => {
    const many = async (count, headersOf, listener = 'main') => {
      const statuses = {}
      let sent = 0
      await Promise.all(
        Array.from({ length: 16 }, async () => {
          const connection = new Connection(gate.envoy.ports[listener])
          while (sent < count) {
            const { status } = await connection.send(bytesOf({ headers: headersOf(sent++) }))
            statuses[status] = (statuses[status] ?? 0) + 1
          }
          await connection.close()
        }),
      )
      return statuses
    }
    const jar = (pass, session = 's1') => [['cookie', cookies({ [SESSION]: session, [PASS]: pass })]]

    test('a pass used 10,000 times is still refused: for another session, when too old, revoked or expired', async () => {
      list.sessions = []
      gate.upstream.keep = false
      const start = gate.clock()
      const pass = await gate.mint()
      // Wait until each worker has a list, and no list still names the session of an earlier test.
      for (let row = 0, i = 0; row < 20 && i < 3_000; i += 1) {
        row = (await gate.visit({ pass })).status === 200 ? row + 1 : 0
        if (row === 0) await sleep(20)
      }
      assert.deepEqual(await many(10_000, () => jar(pass)), { 200: 10_000 })
      refused(await gate.visit({ pass, session: 's2' }), 401, 'other_session')
      passed(await gate.visit({ pass, path: '/admin/' }))
      gate.advance(301)
      refused(await gate.visit({ pass, path: '/admin/' }), 401, 'pass_too_old')
      passed(await gate.visit({ pass }))
      list.sessions = ['s1']
      let answer
      for (let row = 0, i = 0; row < 20 && i < 3_000; i += 1) {
        answer = await gate.visit({ pass })
        row = answer.status === 401 ? row + 1 : 0
        if (row === 0) await sleep(20)
      }
      refused(answer, 401, 'pass_revoked')
      assert.deepEqual(await many(200, () => jar(pass)), { 401: 200 })
      list.sessions = []
      // A listener without revocation, so that only the end of the pass counts.
      for (const listener of ['one', 'none']) {
        passed(await gate.visit({ listener, pass }))
        gate.setTime(claimsOf(pass).exp)
        refused(await gate.visit({ listener, pass }), 401, 'pass_expired')
        gate.setTime(start)
      }
    })

    test('two passes in turns in a cache of one entry stay good, each with its own identity', async () => {
      gate.upstream.keep = false
      const [a, b] = [await gate.mint({ user: 'ann', session: 's1' }), await gate.mint({ user: 'bob', session: 's2' })]
      for (let i = 0; i < 20; i += 1) {
        for (const [pass, session, user] of [
          [a, 's1', 'ann'],
          [b, 's2', 'bob'],
        ]) {
          assert.equal(
            passed(await gate.visit({ listener: 'one', pass, session })).identity['x-second-factor-sub'],
            user,
          )
          refused(await gate.visit({ listener: 'one', pass, session: 'other' }), 401, 'other_session')
        }
      }
    })

    test('bad passes are not cached, and do not keep good ones out of the cache', async () => {
      gate.upstream.keep = false
      const pass = await gate.mint()
      const bad = (i) => `${pass.slice(0, -6)}${String(i).padStart(6, 'A')}`
      assert.deepEqual(await many(2_000, (i) => jar(i % 4 === 0 ? pass : bad(i)), 'one'), { 200: 500, 401: 1_500 })
    })
  },
)
