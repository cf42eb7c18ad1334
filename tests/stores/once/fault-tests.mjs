// The tests of faults while users log in, each for one server.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { cuttingProxy } from '../cutting-proxy.mjs'
import { startMariadb } from '../servers/mariadb.mjs'
import { startPostgres } from '../servers/postgres.mjs'
import { startRedis } from '../servers/redis.mjs'
import { without } from '../servers/server.mjs'
import { LATER } from './people.mjs'
import { prepared, SERVERS } from './rounds.mjs'
import { countsOf, startWorker, startWorkers } from './workers.mjs'

/** Servers by the kind of their store that keep what they told, over SIGKILL and in order. */
export const LASTING = {
  postgres: { needs: 'postgres', start: (t) => startPostgres(t, { durable: true }) },
  mariadb: { needs: 'mariadb', start: (t) => startMariadb(t, { durable: true }) },
  redis: {
    needs: 'redis',
    start: (t) => startRedis(t, { settings: { appendonly: 'yes', appendfsync: 'always' } }),
  },
}

const workedIn = (replies) => countsOf(replies).verified ?? 0

/**
 * A process ends by SIGKILL as soon as its save has landed. In every other round the others bring the code at the same time; in
 * the first they come later, so that the one that dies has been first for certain.
 * @param {string} server  of SERVERS
 * @param {{ rounds: number }} options
 */
export function killTest(server, { rounds }) {
  const { needs, start } = SERVERS[server]
  test(`on ${server}, a process that is killed between a save and its reply has used the code up`, {
    skip: without(...needs),
  }, async (t) => {
    const [kind, address] = await start(t)
    const { person, factor, input } = await prepared(t, kind, address)
    const others = await startWorkers(t, kind, address, 2)
    let usedUp = 0
    for (let round = 0; round < rounds; round += 1) {
      const { user, right, next } = await person()
      const status = await factor.status({ user })
      const dying = await startWorker(t, kind, address)
      const job = { ...input, logins: [right], times: 20, hosts: 2 }
      const login = dying.verify({ ...job, flaw: 'dies after a save' })
      const isLater = round % 2 === 0
      if (isLater) await dying.exited
      const told = await Promise.all([login, ...others.map((other) => other.verify(job))])
      const worked = workedIn(told.flat())
      assert.ok(worked <= 1, `${worked} logins with one code`)
      assert.equal(workedIn(told[0]), 0, 'its reply has not left')
      if (isLater) {
        assert.equal(dying.isAlive(), false)
        assert.deepEqual(countsOf(told.slice(1).flat()), { already_used: 40 })
      }
      if (worked === 0) usedUp += 1
      status.methods[0].lastUsedAt = input.time
      assert.deepEqual(await factor.status({ user }), status, 'nothing but the use of the app has changed')
      const later = { ...input, time: LATER, logins: [await next()], times: 1, hosts: 1 }
      assert.deepEqual(await others[0].verify(later), [{ at: 0, result: 'verified' }], 'the next code')
    }
    t.diagnostic(`${usedUp} of ${rounds} codes were used up by a process that died`)
  })
}

/**
 * Connections end in place of the answer of a save.
 * @param {keyof typeof LASTING} kind
 * @param {{ rounds: number }} options
 */
export function cutTest(kind, { rounds }) {
  const { needs, start } = LASTING[kind]
  test(`${kind}: connections that are cut before the answer of a save let no code work twice`, {
    skip: without(/** @type {any} */ (needs)),
  }, async (t) => {
    const server = await start(t)
    const { person, input } = await prepared(t, kind, { url: server.url })
    const proxy = await cuttingProxy(t, server, isWrite)
    const workers = await startWorkers(t, kind, { url: server.url.replace(`:${server.port}`, `:${proxy.port}`) })
    let told = 0
    for (let round = 0; round < rounds; round += 1) {
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
    t.diagnostic(`${proxy.cuts()} answers cut, ${told} of ${rounds} logins told`)
    assert.ok(proxy.cuts() > rounds)
    assert.ok(told > 0)
  })
}

/**
 * Statements of SQL are known by their text; of MariaDB, one that is prepared already by its command, 0x17; scripts of Redis that
 * write have a record.
 */
export const isWrite = (data) => {
  const text = data.toString('latin1')
  return text.includes('UPDATE ') || (data[4] === 0x17 && data.length > 300) || /evalsha[^]*\{"v":/i.test(text)
}
