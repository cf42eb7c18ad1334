// A server fails and another one takes over while users log in.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { recordKey } from 'countersign'
import { Redis } from 'ioredis'
import pg from 'pg'
import { eventually } from '../../shared/eventually.mjs'
import { addressOf, nodesOf, prepared } from '../once/rounds.mjs'
import { startWorker, startWorkers } from '../once/workers.mjs'
import { startPostgresPair } from '../servers/postgres.mjs'
import { startRedisCluster } from '../servers/redis.mjs'
import { without } from '../servers/server.mjs'

const USERS = 40

/** Logins whose codes are brought by several processes, and how often each worked. */
async function loggingIn(t, kind, address) {
  const { person, input } = await prepared(t, kind, address)
  const workers = await startWorkers(t, kind, address)
  const people = []
  for (let n = 0; n < USERS; n += 1) people.push(await person())
  const worked = people.map(() => 0)
  return {
    person,
    input,
    people,
    worked,
    workers,
    /** Brings each code of some users, by all processes at once; `heard` is told each login that worked. */
    async bring(from, to, heard = () => {}) {
      const logins = people.slice(from, to).map(({ right }) => right)
      const told = await Promise.all(
        workers.map((worker) =>
          worker.verify({ ...input, logins, times: 1, hosts: 1 }, ({ at, result }) => {
            if (result !== 'verified') return
            worked[from + at] += 1
            heard()
          }),
        ),
      )
      return told.flat()
    },
  }
}

const skip = without('postgres')

test('PostgreSQL with a synchronous standby that takes over: no code works twice, nothing that was told is lost', {
  skip,
}, async (t) => {
  const { primary, standby } = await startPostgresPair(t)
  const at = await loggingIn(t, 'postgres', addressOf(primary))
  await at.bring(0, 10)
  // In the middle of the rest.
  let killed
  let heard = 0
  const replies = await at.bring(10, USERS - 5, () => {
    if (++heard === 5) killed = primary.kill()
  })
  await killed
  assert.ok(errors(replies) > 0, 'the end came in the middle')
  const before = [...at.worked]
  await standby.promote()
  await Promise.all(at.workers.map((worker) => worker.open(addressOf(standby))))
  await takesWrites(standby)
  // All the codes again, at the same time of day. One that nobody was told of may be used up, or still good.
  const again = await at.bring(0, USERS)
  assert.equal(errors(again), 0)
  const told = before.filter((count) => count === 1).length
  const later = at.worked.filter((count, n) => count === 1 && before[n] === 0).length
  t.diagnostic(`${told} logins were told before the end, ${later} after it, ${USERS - told - later} codes are used up`)
  for (const [n, count] of at.worked.entries()) assert.ok(count <= 1, `user ${n}: ${count}`)
  assert.deepEqual(at.worked.slice(-5), [1, 1, 1, 1, 1], 'codes that were never brought before')
})

test('PostgreSQL with a synchronous standby that stands still: nobody is let in until it goes on or takes over', {
  skip,
}, async (t) => {
  const { primary, standby } = await startPostgresPair(t)
  const at = await loggingIn(t, 'postgres', addressOf(primary))
  const resume = await stopReceiver(t, primary)
  const brought = at.bring(0, USERS)
  // Each process has eight connections, and all may have begun with the same eight people. Of two saves of one record one waits for
  // the other.
  await eventually(async () => assert.ok((await waitingForStandby(primary)) >= 8))
  assert.deepEqual(
    at.worked,
    at.people.map(() => 0),
    'nothing is told',
  )
  await primary.kill()
  await brought
  assert.deepEqual(
    at.worked,
    at.people.map(() => 0),
  )
  resume()
  await standby.promote()
  await takesWrites(standby)
  await Promise.all(at.workers.map((worker) => worker.open(addressOf(standby))))
  await at.bring(0, USERS)
  assert.deepEqual(
    at.worked,
    at.people.map(() => 1),
  )
})

test('PostgreSQL with synchronous_commit = local: a failover loses logins that were told, and their codes work again', {
  skip,
}, async (t) => {
  const { primary, standby } = await startPostgresPair(t, { settings: { synchronous_commit: 'local' } })
  const at = await loggingIn(t, 'postgres', addressOf(primary))
  await at.bring(0, 10)
  await eventually(async () => assert.equal(await behind(primary), 0))
  // The standby receives no more, as on a slow network.
  const resume = await stopReceiver(t, primary)
  await at.bring(10, USERS)
  assert.deepEqual(
    at.worked,
    at.people.map(() => 1),
    'all are let in',
  )
  await primary.kill()
  resume()
  await standby.promote()
  await takesWrites(standby)
  await Promise.all(at.workers.map((worker) => worker.open(addressOf(standby))))
  await at.bring(0, USERS)
  const lost = at.worked.filter((count) => count === 2).length
  t.diagnostic(`${lost} of ${USERS} codes worked twice`)
  assert.deepEqual(
    at.worked,
    at.people.map((_, n) => (n < 10 ? 1 : 2)),
  )
})

// Where an administrator cancels the wait, the login is told, and its code works again after a failover.
for (const { how, isTold, url = '', end } of [
  { how: 'pg_cancel_backend', isTold: true, end: (pid) => `SELECT pg_cancel_backend(${pid})` },
  { how: 'pg_terminate_backend', isTold: true, end: (pid) => `SELECT pg_terminate_backend(${pid})` },
  {
    how: 'statement_timeout',
    isTold: false,
    url: '?options=-c%20statement_timeout%3D100',
    end: () => 'SELECT pg_sleep(0.5)',
  },
])
  test(`PostgreSQL, a write that waits for a standby, and ${how}: the login is ${isTold ? '' : 'not '}told`, {
    skip,
  }, async (t) => {
    const { primary, standby } = await startPostgresPair(t)
    const { person, factor, input } = await prepared(t, 'postgres', { url: primary.url + url })
    const { right } = await person()
    const resume = await stopReceiver(t, primary)
    let told
    const login = factor.verify(right).then(
      ({ result }) => (told = result),
      ({ code }) => (told = code),
    )
    const [{ pid }] = await eventually(async () => {
      const rows = await ask(primary, `SELECT pid FROM pg_stat_activity WHERE wait_event = 'SyncRep'`)
      assert.equal(rows.length, 1)
      return rows
    })
    await ask(primary, end(pid))
    if (isTold) {
      await login
      assert.equal(told, 'verified')
    } else assert.equal(told, undefined)
    await primary.kill()
    await login
    resume()
    await standby.promote()
    await takesWrites(standby)
    const worker = await startWorker(t, 'postgres', addressOf(standby))
    assert.deepEqual(await worker.verify({ ...input, logins: [right], times: 1, hosts: 1 }), [
      { at: 0, result: 'verified' },
    ])
  })

for (const acknowledge of [1, undefined])
  test(`Redis Cluster ${acknowledge ? 'that waits for a replica' : 'without waiting'}: a failover ${acknowledge ? 'loses nothing that was told' : 'loses logins, and their codes work again'}`, {
    skip: without('redis'),
  }, async (t) => {
    const cluster = await startRedisCluster(t)
    const replicas = acknowledge && { acknowledge, timeoutMs: 100 }
    const at = await loggingIn(t, 'redis cluster', { nodes: nodesOf(cluster), replicas })
    const masterOf = ({ user }) => cluster.masterOf(`countersign:${recordKey({ user })}`)
    const masters = at.people.map(masterOf)
    const primary = masters[0]
    const theirs = (counts) => counts.filter((_, n) => masters[n] === primary)
    const resume = await cutReplicaOff(t, cluster, primary)
    await at.bring(0, USERS)
    const told = acknowledge ? 0 : 1
    assert.deepEqual(
      at.worked,
      masters.map((master) => (master === primary ? told : 1)),
      'only with a replica a login is let in, where it is waited for',
    )
    await primary.kill()
    resume()
    await eventually(() => {
      const master = masterOf(at.people[0])
      assert.ok(master !== undefined && master !== primary, 'the replica has taken over')
    })
    // It comes back as a replica. Until then the new primary has none to wait for.
    await primary.start()
    await eventually(() => hasReplica(masterOf(at.people[0])))
    await eventually(
      async () => {
        const replies = await at.bring(0, USERS)
        assert.equal(errors(replies), 0, JSON.stringify(replies.find(({ result }) => result.startsWith('error'))))
      },
      { seconds: 40, every: 500 },
    )
    const twice = theirs(at.worked).filter((count) => count > 1).length
    t.diagnostic(`${twice} of ${theirs(at.worked).length} codes worked twice`)
    assert.equal(twice, acknowledge ? 0 : theirs(at.worked).length)
    assert.ok(at.worked.every((count, n) => masters[n] === primary || count === 1))
    // A code whose write no replica had may be used up. The next one works.
    await eventually(async () => {
      const { right } = await at.person()
      const [reply] = await at.workers[0].verify({ ...at.input, logins: [right], times: 1, hosts: 1 })
      assert.equal(reply.result, 'verified')
    })
  })

const errors = (replies) => replies.filter(({ result }) => result.startsWith('error')).length

async function ask({ url }, sql) {
  const client = new pg.Client(url)
  await client.connect()
  try {
    return (await client.query(sql)).rows
  } finally {
    await client.end()
  }
}

const takesWrites = (server) =>
  eventually(async () => assert.equal((await ask(server, 'SELECT pg_is_in_recovery() AS is'))[0].is, false))

/** Bytes of the log that the standby does not have. */
const behind = async (primary) =>
  Number((await ask(primary, 'SELECT pg_current_wal_lsn() - replay_lsn AS bytes FROM pg_stat_replication'))[0].bytes)

const waitingForStandby = async (primary) =>
  Number((await ask(primary, `SELECT count(*) AS count FROM pg_stat_activity WHERE wait_event = 'SyncRep'`))[0].count)

/** Stops the process of the primary that sends the log, until the end of the primary. */
async function stopReceiver(t, primary) {
  const [{ pid }] = await ask(primary, 'SELECT pid FROM pg_stat_replication')
  process.kill(pid, 'SIGSTOP')
  return resumer(t, pid)
}

/** Waits until a primary has a replica that is up to date. */
async function hasReplica({ port, host }) {
  const client = new Redis(port, host)
  try {
    assert.match(await client.info('replication'), /slave0:.*state=online/)
  } finally {
    client.disconnect()
  }
}

/** Ends the link between a primary and its replica, which stands still until the returned function is called. */
async function cutReplicaOff(t, { nodes }, primary) {
  const client = new Redis(primary.port, primary.host)
  const port = Number(/slave0:ip=[^,]*,port=(\d+)/.exec(await client.info('replication'))[1])
  const replica = nodes.find((node) => node.port === port)
  const pid = Number(/pid=(\d+)/.exec(replica.log())[1])
  process.kill(pid, 'SIGSTOP')
  await client.call('CLIENT', 'KILL', 'TYPE', 'replica')
  client.disconnect()
  return resumer(t, pid)
}

/** Lets a process that stands still go on, at the latest at the end of the test. */
function resumer(t, pid) {
  const resume = () => {
    try {
      process.kill(pid, 'SIGCONT')
    } catch {
      // It has ended.
    }
  }
  t.after(resume)
  return resume
}
