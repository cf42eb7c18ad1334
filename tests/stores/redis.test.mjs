// redisStore on real servers, through each kind of client.
import assert from 'node:assert/strict'
import net from 'node:net'
import { after, before, describe, test } from 'node:test'
import { createSecondFactor, generateKeys, recordKey, totp } from 'countersign'
import { redisStore } from 'countersign/stores/redis'
import { Cluster, Redis } from 'ioredis'
import { createClient, createClientPool, createCluster } from 'redis'
import { eventually } from '../shared/eventually.mjs'
import { sameCodeAtOnce, storeContract } from './contract.mjs'
import { startRedis, startRedisCluster } from './servers/redis.mjs'

/** Ends what the whole file uses. */
const file = {
  /** @type {(() => unknown)[]} */
  ends: [],
  after: (end) => void file.ends.unshift(end),
}
after(async () => {
  for (const end of file.ends) await end()
})

/** A client that ends with the test or the file. */
async function connected(t, client) {
  client.on('error', () => {}) // Servers end in the middle of these tests.
  t.after(() => (client.destroy ? client.destroy() : client.disconnect()))
  if (client.connect && !(client instanceof Redis || client instanceof Cluster)) await client.connect()
  return client
}

const quick = { retryStrategy: () => 20, maxRetriesPerRequest: 20 }

/** Clients of one server, by kind. */
const ofServer = {
  'a client of redis': (t, { url }) => connected(t, createClient({ url, socket: { reconnectStrategy: 20 } })),
  'a pool of redis': (t, { url }) => connected(t, createClientPool({ url }, { minimum: 2, maximum: 5 })),
  ioredis: (t, { host, port }) => connected(t, new Redis(port, host, quick)),
}

/** Clients of a cluster, by kind. */
const ofCluster = {
  'a cluster of redis': (t, nodes, options = {}) =>
    connected(t, createCluster({ rootNodes: nodes.map(({ url }) => ({ url })), ...options })),
  'a Cluster of ioredis': (t, nodes, options = {}) =>
    connected(
      t,
      new Cluster(
        nodes.map(({ host, port }) => ({ host, port })),
        options,
      ),
    ),
}

/** Sends a command by any client. */
const ask = (client, ...command) =>
  client.call ? client.call(command[0], ...command.slice(1)) : client.sendCommand(command)

let name = 0
const fresh = () => `test ${(name += 1)}:`

/** The ids on all pages. One without records may come before others, where the server has many other keys. */
async function allIds(store) {
  const ids = []
  for (let after; ; ) {
    const { records, next } = await store.list({ limit: 10, after })
    ids.push(...records.map(({ id }) => id))
    if (next === undefined) return ids
    after = next
  }
}

describe('with one server', () => {
  let server
  before(async () => {
    server = await startRedis(file)
  })
  const clients = {}
  for (const [kind, open] of Object.entries(ofServer)) {
    before(async () => {
      clients[kind] = await open(file, server)
    })
    storeContract(`redisStore by ${kind}`, () => redisStore(clients[kind], { prefix: fresh() }))
  }

  for (const kind of Object.keys(ofServer)) {
    test(`one code 100 times at once from two stores is verified once, by ${kind}`, async (t) => {
      const prefix = fresh()
      const other = await ofServer[kind](t, server)
      const results = await sameCodeAtOnce([redisStore(clients[kind], { prefix }), redisStore(other, { prefix })])
      assert.equal(results.filter((result) => result === 'verified').length, 1)
      assert.equal(results.filter((result) => result === 'already_used').length, 99)
    })

    test(`D4: a version beyond the digits of Lua is exact, by ${kind}`, async () => {
      const prefix = fresh()
      const store = redisStore(clients[kind], { prefix })
      await ask(clients.ioredis, 'hset', `${prefix}users.ann`, 'record', 'x', 'version', '134880170606594')
      assert.deepEqual(await store.load({ user: 'ann' }), { record: 'x', version: 134880170606594 })
      assert.equal(await store.save({ user: 'ann' }, 'y', 134880170606593), false)
      assert.equal(await store.save({ user: 'ann' }, 'y', 134880170606594), true)
    })

    test(`D4: SCRIPT FLUSH in the middle is no failure, by ${kind}`, async () => {
      const store = redisStore(clients[kind], { prefix: fresh() })
      for (const round of [1, 2]) {
        const id = { user: `ann ${round}` }
        await ask(clients.ioredis, 'script', 'flush')
        assert.equal(await store.save(id, 'x', undefined), true)
        await ask(clients.ioredis, 'script', 'flush')
        const { version } = await store.load(id)
        await store.revoke({ sessions: ['s'] }, { now: 1, until: 2 })
        await ask(clients.ioredis, 'script', 'flush')
        assert.deepEqual((await store.revoked()).sessions, ['s'])
        assert.equal(await store.delete(id, version), true)
      }
    })

    test(`D4: a save whose answer is lost counts once, by ${kind}`, async (t) => {
      const proxy = await startProxy(t, server)
      const store = redisStore(await ofServer[kind](t, proxy), { prefix: fresh() })
      let isArmed = false
      const save = (id, record, expected) => {
        if (isArmed) proxy.loseAnswer()
        return store.save(id, record, expected)
      }
      const at = await userWithApp({ ...store, save })
      isArmed = true
      assert.equal((await at.login()).result, 'verified')
      assert.ok(proxy.lost() > 0, 'an answer was lost')
      assert.equal((await at.login()).result, 'already_used')
    })
  }

  test('D4: a store whose answer is lost throws, and the record is there', async (t) => {
    const proxy = await startProxy(t, server)
    const store = redisStore(await ofServer['a client of redis'](t, proxy), { prefix: fresh() })
    await store.save({ user: 'bob' }, 'x', undefined)
    proxy.loseAnswer()
    await assert.rejects(store.save({ user: 'ann' }, 'x', undefined))
    assert.equal((await store.load({ user: 'ann' })).record, 'x')
  })

  test('D4: a script that is sent again answers as the first time', async (t) => {
    const proxy = await startProxy(t, server)
    const store = redisStore(await ofServer.ioredis(t, proxy), { prefix: fresh() })
    await store.save({ user: 'bob' }, 'x', undefined)
    proxy.loseAnswer()
    assert.equal(await store.save({ user: 'ann' }, 'x', undefined), true)
    assert.equal(proxy.lost(), 1)
  })

  test('keys begin with the prefix, of the store and of the client', async (t) => {
    const client = await connected(t, new Redis(server.port, server.host, { keyPrefix: 'app[1]*:' }))
    const store = redisStore(client, { prefix: 'mfa?:' })
    const id = { account: 'a{c}me', user: '{ann}' }
    assert.equal(await store.save(id, 'x', undefined), true)
    await store.revoke({ sessions: ['s'] }, { now: 1, until: 2 })
    const key = `app[1]*:mfa?:${recordKey(id)}`
    assert.deepEqual(await clients.ioredis.hkeys(key), ['record', 'version'])
    const keys = await clients.ioredis.keys('app\\[1\\]\\*:*')
    assert.deepEqual(keys.sort(), [key, 'app[1]*:mfa?:{revoked}:ends', 'app[1]*:mfa?:{revoked}:entries'])
    assert.deepEqual(await allIds(store), [id])
    assert.deepEqual(await allIds(redisStore(clients.ioredis, { prefix: 'mfa' })), [])
  })

  test('pages hold records alone, and a page of another server is refused', async (t) => {
    const prefix = fresh()
    const store = redisStore(clients.ioredis, { prefix })
    for (const key of ['users.', 'users.a.b', 'users.~4', 'users.~61', 'accounts.a.users', 'other'])
      await clients.ioredis.set(prefix + key, 'x')
    await store.save({ user: 'ann' }, 'x', undefined)
    assert.deepEqual(await allIds(store), [{ user: 'ann' }])
    const next = JSON.stringify(['another', '7'])
    await assert.rejects(store.list({ limit: 10, after: next }), { code: 'store_failed', message: /first page/ })
    for (const after of ['', '[]', '{"a":1}', '["a","b"]'])
      await assert.rejects(store.list({ limit: 10, after }), { code: 'invalid_input' })
  })

  test('90,000 entries of the revocation list hold nobody up', async () => {
    const store = redisStore(clients['a client of redis'], { prefix: fresh() })
    await clients.ioredis.config('SET', 'slowlog-log-slower-than', '50000') // microseconds
    await clients.ioredis.slowlog('RESET')
    const sessions = Array.from({ length: 90_000 }, (_, n) => `session ${n}`)
    await store.revoke({ sessions }, { now: 1_000, until: 2_000 })
    assert.equal((await store.revoked()).sessions.length, 90_000)
    assert.deepEqual((await store.revoked({ user: 'ann', session: 'session 4711' })).sessions, ['session 4711'])
    await store.revoke({ sessions: ['last'] }, { now: 2_000, until: 3_000 })
    assert.equal((await store.revoked()).sessions.length, 89_001, 'those that ended are forgotten, some at a time')
    const slow = /** @type {any[]} */ (await clients.ioredis.slowlog('GET'))
    assert.deepEqual(
      slow.map(([, , micros, [command]]) => [command, micros]),
      [],
    )
  })

  test('what is no client, and options that cannot be, are refused', () => {
    for (const client of [
      undefined,
      null,
      {},
      new Map(),
      { sendCommand() {} },
      { sendCommand() {}, multi() {}, getSentinelNode() {} },
    ])
      assert.throws(() => redisStore(/** @type {any} */ (client)), { code: 'invalid_input', path: 'client' })
    const { ioredis } = clients
    for (const [path, options] of Object.entries({
      prefix: { prefix: 'a{}:' },
      'replicas.acknowledge': { replicas: { acknowledge: 0 } },
      'replicas.timeoutMs': { replicas: { acknowledge: 1, timeoutMs: 0 } },
      'replicas.wait': { replicas: { acknowledge: 1, wait: 1 } },
    }))
      assert.throws(() => redisStore(ioredis, /** @type {any} */ (options)), { code: 'invalid_input', path })
  })
})

test('D4: a server that may drop records is refused until it may not', async (t) => {
  const server = await startRedis(t, { settings: { maxmemory: '50mb', 'maxmemory-policy': 'allkeys-lru' } })
  const client = await ofServer.ioredis(t, server)
  const store = redisStore(client)
  const dropped = { code: 'store_failed', message: /allkeys-lru: set it to noeviction/ }
  await assert.rejects(store.load({ user: 'ann' }), dropped)
  await assert.rejects(store.save({ user: 'ann' }, 'x', undefined), dropped)
  await assert.rejects(store.insertMany([]), dropped)
  await assert.rejects(store.revoke({ sessions: ['s'] }, { now: 1, until: 2 }), dropped)
  await assert.rejects(store.revoked(), dropped)
  await assert.rejects(store.list({ limit: 1 }), dropped)
  await assert.rejects(store.delete({ user: 'ann' }, 1), dropped)
  for (const policy of ['noeviction', 'volatile-lru']) {
    await client.config('SET', 'maxmemory-policy', policy)
    assert.equal(await redisStore(client).load({ user: 'ann' }), undefined)
  }
  assert.equal(await store.load({ user: 'ann' }), undefined, 'the same store goes on')
  const asked = /cmdstat_info:calls=(\d+)/.exec(String(await client.info('commandstats')))[1]
  await store.load({ user: 'ann' })
  assert.match(String(await client.info('commandstats')), new RegExp(`cmdstat_info:calls=${Number(asked) + 1},`))
})

describe('with a server and its replica', () => {
  let primary, replica
  before(async () => {
    primary = await startRedis(file, { settings: { 'repl-diskless-sync-delay': 0 } })
    replica = await startRedis(file, {
      settings: { replicaof: `127.0.0.1 ${primary.port}`, 'repl-diskless-sync-delay': 0 },
    })
    await isReplicated(primary)
  })

  for (const kind of Object.keys(ofServer)) {
    test(`D5 T53: a replica is refused, from the start and later, by ${kind}`, async (t) => {
      const prefix = fresh()
      const store = redisStore(await ofServer[kind](t, replica), { prefix })
      await assert.rejects(store.load({ user: 'ann' }), { code: 'store_failed', message: /primary/ })

      const second = await startRedis(t)
      const client = await ofServer[kind](t, second)
      const later = redisStore(client, { prefix })
      assert.equal(await later.save({ user: 'ann' }, 'x', undefined), true)
      assert.equal((await later.load({ user: 'ann' })).record, 'x')
      await ask(client, 'replicaof', '127.0.0.1', String(primary.port))
      await assert.rejects(later.load({ user: 'ann' }), /READONLY/)
      await assert.rejects(later.revoked({ user: 'ann', session: 's' }), /READONLY/)
      await assert.rejects(later.revoked(), /READONLY/)
    })

    test(`a write that no replica has is not verified, by ${kind}`, async (t) => {
      const client = await ofServer[kind](t, primary)
      const at = await userWithApp(waiting(client))
      assert.equal((await at.login()).result, 'verified')
      assert.equal((await at.login()).result, 'already_used')
      at.nextCode()
      await stopped(replica, async () => {
        at.store.timeoutMs = 100
        await assert.rejects(at.login(), { code: 'store_failed' })
        await assert.rejects(at.store.revoke({ sessions: ['s'] }, { now: 1, until: 2 }), /0 of 1 replicas/)
        await assert.rejects(at.store.insertMany([{ id: { user: 'bob' }, record: 'x' }]), /0 of 1 replicas/)
        const { version } = await at.store.load({ user: 'bob' })
        await assert.rejects(at.store.delete({ user: 'bob' }, version), /0 of 1 replicas/)
      })
      at.store.timeoutMs = 10_000
      assert.equal((await at.login()).result, 'already_used', 'the write is there, and ends the code')
      at.nextCode()
      assert.equal((await at.login()).result, 'verified')
    })

    test(`a lost answer is no proof that a replica has the write, by ${kind}`, async (t) => {
      const proxy = await startProxy(t, primary)
      const at = await userWithApp(waiting(await ofServer[kind](t, proxy)))
      at.store.beforeSave = proxy.loseAnswer
      at.store.timeoutMs = 100
      await stopped(replica, () => assert.rejects(at.login(), { code: 'store_failed' }))
      assert.ok(proxy.lost() > 0)
      const lost = proxy.lost()
      at.nextCode()
      at.store.timeoutMs = 10_000
      assert.equal((await at.login()).result, 'verified', 'with the replica, the write is sent again and confirmed')
      assert.ok(proxy.lost() > lost)
    })
  }

  /** A store that waits for the replica, with a time that can be changed. */
  function waiting(client) {
    const prefix = fresh()
    const now = () => redisStore(client, { prefix, replicas: { acknowledge: 1, timeoutMs: store.timeoutMs } })
    const store = {
      timeoutMs: 10_000,
      beforeSave() {},
      load: (id) => now().load(id),
      async save(id, record, expected) {
        const store = now()
        await store.load({ user: 'nobody' })
        this.beforeSave()
        return store.save(id, record, expected)
      },
      delete: (id, expected) => now().delete(id, expected),
      insertMany: (records) => now().insertMany(records),
      /** The last write to the list. Its WAIT holds up the connection for as long as the replica is not there. */
      listed: Promise.resolve(),
      revoke(more, times) {
        store.listed = now().revoke(more, times)
        return store.listed
      },
      revoked: (about) => now().revoked(about),
    }
    return store
  }

  test('a record that is found after a lost race is no proof that a replica has it', async (t) => {
    const client = await ofServer.ioredis(t, primary)
    const at = await userWithApp(waiting(client))
    const { store } = at
    const save = store.save.bind(store)
    let isTwice = false
    // Its driver sends the save twice: the first one lands, and the answer is that of the second one, which has lost to it.
    store.save = async (id, record, expected) => {
      if (!isTwice) return save(id, record, expected)
      isTwice = false
      await save(id, record, expected).catch(() => {})
      return false
    }
    isTwice = true
    assert.equal((await at.login()).result, 'verified', 'with the replica, the record is saved once more')
    assert.equal(isTwice, false)
    assert.equal((await at.login()).result, 'already_used')
    at.nextCode()
    store.timeoutMs = 100
    isTwice = true
    await stopped(replica, () => assert.rejects(at.login(), { code: 'store_failed' }))
    assert.equal(isTwice, false)
  })

  test('an answer to WAIT over another connection than that of the write is no proof', async (t) => {
    const client = await ofServer.ioredis(t, primary)
    const next = await ofServer.ioredis(t, primary)
    /** A client that has lost its connection after the write, and sends WAIT over the next one. */
    const replaced = {
      options: {},
      stream: {},
      call: (name, args) => client.call(name, args),
      pipeline() {
        const commands = []
        return {
          call: (...command) => commands.push(command),
          async exec() {
            const [write, wait] = commands
            const answers = [await client.call(...write), await next.call(...wait)]
            replaced.stream = {}
            return answers.map((answer) => [null, answer])
          },
        }
      },
    }
    const store = redisStore(replaced, { prefix: fresh(), replicas: { acknowledge: 1, timeoutMs: 100 } })
    await stopped(replica, () => assert.rejects(store.save({ user: 'ann' }, 'x', undefined), /not known whether/))
  })

  test('ioredis sends WAIT again over another connection, which proves nothing', async (t) => {
    const proxy = await startProxy(t, primary)
    const client = await ofServer.ioredis(t, proxy)
    const prefix = fresh()
    const store = redisStore(client, { prefix, replicas: { acknowledge: 1, timeoutMs: 2_000 } })
    await store.save({ user: 'bob' }, 'x', undefined)
    const direct = redisStore(await ofServer.ioredis(t, primary), { prefix })
    await stopped(replica, async () => {
      const answered = proxy.answered()
      const refused = assert.rejects(store.save({ user: 'ann' }, 'x', undefined), /0 of 1 replicas/)
      // The script is answered, and WAIT is not. Over a new connection, WAIT has no write to wait for.
      await eventually(async () => assert.equal((await direct.load({ user: 'ann' })).record, 'x'))
      await eventually(() => assert.ok(proxy.answered() > answered))
      proxy.cut()
      await refused
    })
  })
})

describe('with a cluster', () => {
  let cluster
  before(async () => {
    cluster = await startRedisCluster(file)
  })
  const clients = {}
  for (const [kind, open] of Object.entries(ofCluster)) {
    before(async () => {
      clients[kind] = await open(file, cluster.nodes)
    })
    storeContract(`redisStore by ${kind}`, () => redisStore(clients[kind], { prefix: fresh() }))

    test(`one code 100 times at once from two stores is verified once, by ${kind}`, async (t) => {
      const prefix = fresh()
      const other = await open(t, cluster.nodes)
      const results = await sameCodeAtOnce([
        redisStore(clients[kind], { prefix }),
        redisStore(other, { prefix, replicas: { acknowledge: 1 } }),
      ])
      assert.equal(results.filter((result) => result === 'verified').length, 1)
    })
  }

  const readers = {
    'a cluster of redis': [{ useReplicas: true }, { useReplicas: true, minimizeConnections: true }],
    'a Cluster of ioredis': [{ scaleReads: 'slave' }, { scaleReads: 'all' }, { scaleReads: (nodes) => nodes.at(-1) }],
  }
  for (const [kind, all] of Object.entries(readers))
    test(`D5: a client that reads from replicas reads records from the primary, by ${kind}`, async (t) => {
      for (const options of all) {
        const store = redisStore(await ofCluster[kind](t, cluster.nodes, options), { prefix: fresh() })
        for (let n = 0; n < 30; n += 1) {
          const id = { user: `user ${n}` }
          assert.equal(await store.save(id, 'x', undefined), true)
          assert.equal((await store.load(id)).record, 'x')
          assert.equal((await store.revoked({ ...id, session: 's' })).sessions.length, 0)
        }
        const listed = []
        for (let after; ; ) {
          const page = await store.list({ limit: 10, after })
          listed.push(...page.records)
          after = page.next
          if (after === undefined) break
        }
        assert.equal(listed.length, 30)
      }
    })

  test('WAIT over a connection that may be replaced is refused', async (t) => {
    const client = await ofCluster['a Cluster of ioredis'](t, cluster.nodes, { clusterNodeRetryStrategy: () => 100 })
    assert.throws(() => redisStore(client, { replicas: { acknowledge: 1 } }), {
      code: 'invalid_input',
      path: 'replicas',
    })
    assert.equal(await redisStore(client, { prefix: fresh() }).load({ user: 'ann' }), undefined)
  })

  test('D4: each primary is asked whether it may drop records', async (t) => {
    const client = await ofServer.ioredis(t, cluster.masterOf('anything'))
    await client.config('SET', 'maxmemory-policy', 'allkeys-random')
    for (const kind of Object.keys(ofCluster))
      await assert.rejects(redisStore(clients[kind]).load({ user: 'ann' }), { message: /allkeys-random/ })
    await client.config('SET', 'maxmemory-policy', 'noeviction')
  })

  for (const [kind, open] of Object.entries(ofCluster))
    test(`no code works twice over the end of a primary, by ${kind}`, async (t) => {
      const prefix = fresh()
      const store = redisStore(await open(t, cluster.nodes), { prefix, replicas: { acknowledge: 1, timeoutMs: 500 } })
      const at = await userWithApp(store)
      const primary = cluster.masterOf(`${prefix}${recordKey({ user: at.user })}`)
      let verified = 0
      let failed = 0
      for (let n = 0; n < 30; n += 1) {
        at.nextCode()
        if (n === 8) {
          setImmediate(() => primary.kill())
        }
        const replies = await Promise.allSettled(Array.from({ length: 4 }, () => at.login()))
        const good = replies.filter((one) => one.status === 'fulfilled' && one.value.result === 'verified').length
        failed += replies.filter((one) => one.status === 'rejected').length
        // Once more where the cluster has chosen another primary.
        const again = n < 8 ? 'already_used' : undefined
        const last = await at.login().catch((error) => error)
        if (again !== undefined) assert.equal(last.result, again)
        const total = good + (last.result === 'verified' ? 1 : 0)
        assert.ok(total <= 1, `${total} logins with one code`)
        verified += total
        if (n === 20) await primary.start()
      }
      t.diagnostic(`${verified} verified, ${failed} failed`)
      assert.ok(verified >= 8)
      await eventually(
        async () => {
          at.nextCode()
          assert.equal((await at.login()).result, 'verified', 'with a replica again, logins go on')
        },
        { seconds: 30, every: 200 },
      )
    })
})

/** A user with an app on this store. */
async function userWithApp(store) {
  let time = 1_700_000_000
  const user = `ann ${Math.random()}`
  const policy = { v: 1, name: 'Acme', origin: 'https://acme.example' }
  const factor = createSecondFactor({ policy, keys: generateKeys(), store, clock: () => time })
  const { setup, secret } = await factor.enrollTotp({ user, session: 's', label: user })
  const code = () => totp.generate({ secret: secret.replaceAll(' ', ''), time })
  assert.equal((await factor.confirmTotp({ user, session: 's', setup, code: code() })).result, 'enrolled')
  await store.listed // No reply waits for the list.
  time += 60
  return {
    user,
    store,
    nextCode: () => void (time += 60),
    /** Logs in with the code of now. */
    async login() {
      const { result, ticket } = await factor.begin({ user, session: 'login' })
      assert.equal(result, 'challenge')
      return factor.verify({ ticket, session: 'login', newSession: 'in', method: 'totp', code: code() })
    },
  }
}

/** Runs a job while the process of a server stands still. */
async function stopped(server, job) {
  const pid = Number(/pid=(\d+)/.exec(server.log())[1])
  process.kill(pid, 'SIGSTOP')
  try {
    await job()
  } finally {
    process.kill(pid, 'SIGCONT')
  }
}

/** Waits until a primary has a replica that is up to date. */
async function isReplicated({ port, host }) {
  const client = new Redis(port, host)
  await eventually(async () => assert.match(await client.info('replication'), /slave0:.*state=online/))
  client.disconnect()
}

/** A proxy before a server, which can lose an answer: it ends the connections in its place. */
async function startProxy(t, { host, port }) {
  const pairs = new Set()
  let loses = false
  let lost = 0
  let answered = 0
  const cut = () => {
    for (const pair of pairs) for (const socket of pair) socket.destroy()
  }
  const proxy = net.createServer((client) => {
    const server = net.connect(port, host)
    const pair = [client, server]
    let isLost = false
    pairs.add(pair)
    for (const socket of pair) {
      socket.on('error', () => {})
      socket.on('close', () => {
        pairs.delete(pair)
        for (const each of pair) each.destroy()
      })
    }
    client.on('data', (data) => {
      // A pool opens connections at any time, and their greetings have answers too.
      if (loses && /\r\neval(sha)?\r\n/i.test(data.toString('latin1'))) {
        loses = false
        isLost = true
      }
      server.write(data)
    })
    server.on('data', (data) => {
      if (isLost) {
        lost += 1
        return cut()
      }
      answered += 1
      client.write(data)
    })
  })
  await new Promise((resolve) => proxy.listen(0, '127.0.0.1', () => resolve(undefined)))
  t.after(() => {
    cut()
    proxy.close()
  })
  const at = /** @type {net.AddressInfo} */ (proxy.address())
  return {
    host: '127.0.0.1',
    port: at.port,
    url: `redis://127.0.0.1:${at.port}`,
    /** The answer to the next script is lost: reads and writes of the store are scripts. */
    loseAnswer: () => void (loses = true),
    lost: () => lost,
    answered: () => answered,
    cut,
  }
}
