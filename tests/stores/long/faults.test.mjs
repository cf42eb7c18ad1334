// Processes and servers end, and connections are cut, while users log in. No code works twice.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { cutTest, killTest, LASTING } from '../once/fault-tests.mjs'
import { prepared, SERVERS } from '../once/rounds.mjs'
import { countsOf, startWorkers } from '../once/workers.mjs'
import { without } from '../servers/server.mjs'

for (const server of Object.keys(SERVERS)) killTest(server, { rounds: 4 })

for (const [kind, { needs, start }] of Object.entries(LASTING))
  for (const end of /** @type {('kill' | 'stop')[]} */ (['kill', 'stop']))
    test(`${kind}: no code works twice over a ${end} of the server and its start`, {
      skip: without(/** @type {any} */ (needs)),
    }, async (t) => {
      const server = await start(t)
      const address = { url: server.url }
      const { person, input } = await prepared(t, kind, address)
      const workers = await startWorkers(t, kind, address)
      for (let round = 0; round < 2; round += 1) {
        const logins = []
        while (logins.length < 30) logins.push((await person()).right)
        const worked = logins.map(() => 0)
        let ended
        let heard = 0
        const bring = async (list) => {
          const told = await Promise.all(
            workers.map((worker) =>
              worker.verify({ ...input, logins: list, times: 1, hosts: 1 }, ({ at, result }) => {
                if (result !== 'verified') return
                worked[at] += 1
                if (++heard === 5) ended = server[end]()
              }),
            ),
          )
          return told.flat()
        }
        await bring(logins.slice(0, 25))
        await ended
        await server.start()
        await Promise.all(workers.map((worker) => worker.open(address)))
        const before = worked.filter(Boolean).length
        assert.ok(before >= 5)
        const again = await bring(logins)
        assert.ok(
          again.every(({ result }) => ['verified', 'already_used'].includes(result)),
          JSON.stringify(countsOf(again)),
        )
        assert.ok(
          worked.every((count) => count <= 1),
          `worked ${worked}`,
        )
        assert.deepEqual(worked.slice(-5), [1, 1, 1, 1, 1], 'codes that were never brought before')
        t.diagnostic(`${before} of 25 told before the end`)
      }
    })

for (const kind of /** @type {(keyof typeof LASTING)[]} */ (Object.keys(LASTING))) cutTest(kind, { rounds: 20 })
