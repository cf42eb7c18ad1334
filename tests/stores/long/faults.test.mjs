// Processes and servers end, and connections are cut, while users log in. No code works twice.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { cuttingProxy } from '../cutting-proxy.mjs'
import { prepared, SERVERS } from '../once/rounds.mjs'
import { countsOf, startWorker, startWorkers } from '../once/workers.mjs'
import { startMariadb } from '../servers/mariadb.mjs'
import { startPostgres } from '../servers/postgres.mjs'
import { startRedis } from '../servers/redis.mjs'
import { without } from '../servers/server.mjs'

const workedIn = (replies) => countsOf(replies).verified ?? 0

for (const [server, { needs, start }] of Object.entries(SERVERS))
  test(`on ${server}, a process that is killed between a save and its reply has used the code up`, {
    skip: without(...needs),
  }, async (t) => {
    const [kind, address] = await start(t)
    const { person, input } = await prepared(t, kind, address)
    const others = await startWorkers(t, kind, address, 2)
    let usedUp = 0
    for (let round = 0; round < 4; round += 1) {
      const { right } = await person()
      const dying = await startWorker(t, kind, address)
      const job = { ...input, logins: [right], times: 20, hosts: 2 }
      const login = dying.verify({ ...job, flaw: 'dies after a save' })
      // In every other round the others come later, so that the one that dies has been first for certain.
      if (round % 2) await dying.exited
      const told = await Promise.all([login, ...others.map((other) => other.verify(job))])
      const worked = workedIn(told.flat())
      assert.ok(worked <= 1, `${worked} logins with one code`)
      assert.equal(workedIn(told[0]), 0, 'its reply has not left')
      if (round % 2) {
        assert.equal(dying.isAlive(), false)
        assert.deepEqual(countsOf(told.slice(1).flat()), { already_used: 40 })
      }
      if (worked === 0) usedUp += 1
    }
    t.diagnostic(`${usedUp} of 4 codes were used up by a process that died`)
  })

/** Servers that keep what they told, over SIGKILL and in order. */
const LASTING = {
  postgres: { needs: 'postgres', start: (t) => startPostgres(t, { durable: true }) },
  mariadb: { needs: 'mariadb', start: (t) => startMariadb(t, { durable: true }) },
  redis: {
    needs: 'redis',
    start: (t) => startRedis(t, { settings: { appendonly: 'yes', appendfsync: 'always' } }),
  },
}

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

test('Redis without persistence: after a restart nobody has a second factor', {
  skip: without('redis'),
}, async (t) => {
  const server = await startRedis(t)
  const { person, factor } = await prepared(t, 'redis', { url: server.url })
  const { user } = await person()
  assert.equal((await factor.begin({ user, session: 's' })).result, 'challenge')
  await server.kill()
  await server.start()
  const after = await prepared(t, 'redis', { url: server.url })
  assert.equal(await after.store.load({ user }), undefined)
  assert.equal((await after.factor.begin({ user, session: 's' })).result, 'allowed', 'the password is enough')
})

for (const [kind, { needs, start }] of Object.entries(LASTING))
  test(`${kind}: connections that are cut before the answer of a save let no code work twice`, {
    skip: without(/** @type {any} */ (needs)),
  }, async (t) => {
    const server = await start(t)
    const { person, input } = await prepared(t, kind, { url: server.url })
    const proxy = await cuttingProxy(t, server, isWrite)
    const workers = await startWorkers(t, kind, { url: server.url.replace(`:${server.port}`, `:${proxy.port}`) })
    let told = 0
    for (let round = 0; round < 20; round += 1) {
      const { right } = await person()
      proxy.cutAnswers(4)
      const job = { ...input, logins: [right], times: 5, hosts: 1 }
      const replies = (await Promise.all(workers.map((worker) => worker.verify(job)))).flat()
      proxy.cutAnswers(0)
      const again = (await Promise.all(workers.map((worker) => worker.verify(job)))).flat()
      const worked = workedIn([...replies, ...again])
      assert.ok(worked <= 1, `${worked} logins with one code`)
      told += worked
    }
    t.diagnostic(`${proxy.cuts()} answers cut, ${told} of 20 logins told`)
    assert.ok(proxy.cuts() > 20)
    assert.ok(told > 0)
  })

/**
 * Statements of SQL are known by their text; of MariaDB, one that is prepared already by its command, 0x17; scripts of Redis that
 * write have a record, which is long.
 */
const isWrite = (data) => {
  const text = data.toString('latin1')
  return text.includes('UPDATE ') || (data[4] === 0x17 && data.length > 300) || /evalsha[^]{300}/i.test(text)
}
