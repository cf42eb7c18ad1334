// Password hashes are computed in worker threads, and hold up nobody (T43, C3). The threads here are real; a job can
// be held before it reaches its thread.
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { availableParallelism, tmpdir } from 'node:os'
import { join } from 'node:path'
import { beforeEach, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import threads from 'node:worker_threads'
import { memoryStore } from 'countersign'
import { createOperator } from 'countersign/operator'
import esbuild from 'esbuild'
import { eventually } from '../shared/eventually.mjs'
import {
  codeOf,
  count,
  host,
  login,
  refusedWith,
  removeFirst,
  rules,
  ticketOf,
  withApp,
  wrongCode,
} from './support.mjs'

const { Worker } = threads
const WORKERS = Math.max(1, availableParallelism() - 1)

/** Threads that were started, and the jobs that they were given. */
const started = []
let jobs = []
/** Jobs that wait to be let go on; `undefined`: none is held. */
let held
/** Whether a job gets zeros in place of its hash, at once: where many are in the queue and their hashes do not matter. */
let faked = false

threads.Worker = class extends Worker {
  constructor(program, options) {
    super(program, options)
    started.push({ thread: this, options })
  }
  postMessage(job, moved) {
    jobs.push(Buffer.from(job))
    const post = () => {
      if (faked) setImmediate(() => this.emit('message', new ArrayBuffer(32)))
      else super.postMessage(job, moved)
    }
    if (held === undefined) post()
    else held.push(post)
  }
}

const hold = () => (held = [])

function letGo() {
  const waiting = held ?? []
  held = undefined
  for (const post of waiting) post()
}

beforeEach(() => {
  letGo()
  faked = false
  jobs = []
})

const WRONG = '0000-0000-0000-0000'

const backup = async (at, user, code) => ({
  ticket: await ticketOf(at, user),
  session: 'before',
  method: 'backup_code',
  code,
})

/** Two hundred turns of the event loop, for tests that have replaced its timers. */
async function turns() {
  for (let turn = 0; turn < 200; turn += 1) await new Promise((resolve) => setImmediate(resolve))
}

/** A user whose set-up waits for its code, which asks for `count` hashes. */
async function aboutToConfirm(at, user) {
  const { setup, secret } = await at.factor.enrollTotp({ user, session: 'setup', label: user })
  return { user, session: 'setup', setup, code: codeOf(at, secret) }
}

/** Makes calls until the queue holds as much as it takes; gives these calls. */
async function fillQueue(at) {
  const calls = []
  const each = 20
  for (let index = 0; index * each < 200 * WORKERS; index += 1) {
    const call = at.factor.confirmTotp(await aboutToConfirm(at, `user-${index}`))
    call.catch(() => undefined)
    calls.push(call)
  }
  // The calls reach the queue in later turns.
  await eventually(() => assert.equal(held.length, WORKERS))
  await new Promise((resolve) => setTimeout(resolve, 20))
  return calls
}

test('T43, C3: others begin while the hashes of one are computed', async () => {
  const at = await host()
  const ann = await withApp(at)
  await withApp(at, 'bob')
  const { pass } = await login(at, ann)
  hold()
  let renewed = false
  const renewal = at.factor.renewBackupCodes({ user: 'ann', session: 'in', pass }).finally(() => (renewed = true))
  await eventually(() => assert.notEqual(held.length, 0))
  assert.equal((await at.factor.begin({ user: 'bob', session: 's' })).result, 'challenge')
  assert.equal((await at.factor.begin({ user: 'carl', session: 's' })).result, 'allowed')
  assert.equal((await at.factor.status({ user: 'ann' })).enrolled, true)
  assert.equal(renewed, false)
  letGo()
  assert.equal((await renewal).result, 'backup_codes')
})

test('T43: a user logs in by app while a hash of their own is computed', async () => {
  const at = await host()
  const ann = await withApp(at)
  const thief = await backup(at, 'ann', WRONG)
  jobs = []
  hold()
  const wrong = at.factor.verify(thief)
  await eventually(() => assert.equal(held.length, 1))
  await login(at, ann)
  assert.equal(held.length, 1, 'the hash still waits')
  letGo()
  assert.equal((await wrong).result, 'wrong')
  assert.equal(jobs.length, 1, 'the login changed the record, and the hash is kept')
  assert.equal((await at.factor.status({ user: 'ann' })).attempts.failures, 1)
})

test('T43: a call that stood in line for a write stands there no longer while it hashes', async () => {
  const inner = memoryStore()
  let land
  let slow = false
  const store = {
    load: inner.load,
    save: async (...args) => {
      if (slow) await new Promise((resolve) => (land = resolve))
      return inner.save(...args)
    },
  }
  const at = await host({ store })
  const ann = await withApp(at)
  const wrong = await backup(at, 'ann', WRONG)
  const app = { ...wrong, method: 'totp' }
  hold()
  slow = true
  const first = at.factor.verify({ ...app, code: wrongCode(at, ann.secret) })
  await eventually(() => assert.ok(land))
  const hashing = at.factor.verify(wrong)
  const right = at.factor.verify({ ...app, code: codeOf(at, ann.secret) })
  await new Promise((resolve) => setTimeout(resolve, 20))
  slow = false
  let reply
  right.then((given) => (reply = given))
  land()
  // Less than the ten seconds after which a call goes on whatever is before it.
  await eventually(() => assert.equal(reply?.result, 'verified'), { seconds: 5 })
  assert.equal(held.length, 1, 'the hash still waits')
  letGo()
  assert.deepEqual([(await first).result, (await hashing).result], ['wrong', 'wrong'])
})

test('T43: a job holds no key, and a thread gets no environment', async () => {
  const at = await host()
  const ann = await withApp(at)
  await at.factor.verify(await backup(at, 'ann', ann.backupCodes[0]))
  assert.equal(jobs.length, 3)
  const keys = [...at.keys.sealing, ...at.keys.signing].map(({ secret }) => Buffer.from(secret, 'base64url'))
  const code = ann.backupCodes[0].replaceAll('-', '')
  for (const job of jobs) {
    assert.equal(job.length, 64, 'a cost, an HMAC, a salt, and four zeros')
    for (const key of keys)
      for (let from = 0; from + 8 <= key.length; from += 1)
        assert.ok(!job.includes(key.subarray(from, from + 8)), 'a part of a key')
    assert.ok(!job.includes(code) && !job.includes('ann'))
  }
  assert.notEqual(started.length, 0)
  for (const { options } of started) {
    assert.deepEqual([options.env, options.execArgv], [{}, []])
    assert.deepEqual(Object.keys(options.workerData).sort(), ['engine', 'stackBytes'])
  }
})

test('T34: a thread keeps no job and no hash in its memory', async () => {
  const Started = threads.Worker
  const { port1, port2 } = new threads.MessageChannel()
  const received = []
  // The program with a spy at its end: it keeps the jobs, and shows them and the memory when it is asked.
  class Spied extends Started {
    constructor(program, options) {
      const spy = `
        const jobs = []
        parentPort.on('message', (job) => jobs.push(job))
        workerData.port.on('message', () => workerData.port.postMessage([jobs, new Uint8Array(memory.buffer)]))
        workerData.port.unref()`
      super(program.replace("require('node:worker_threads')", '$&; const { workerData } = $&') + spy, {
        ...options,
        workerData: { ...options.workerData, port: port2 },
        transferList: [port2],
      })
      this.on('message', (hash) => received.push(Buffer.from(hash.slice(0))))
    }
  }
  for (const { thread } of started) await thread.terminate()
  threads.Worker = Spied
  try {
    const at = await host({ policy: rules({ backupCodes: { count: 1 } }) })
    await withApp(at)
    assert.equal(jobs.length, 1)
    const [seen, memory] = await new Promise((resolve) => {
      port1.once('message', resolve)
      port1.postMessage('show')
    })
    const bytes = Buffer.from(memory)
    assert.ok(bytes.length > 19_456 * 1_024, 'the memory of a hash')
    assert.deepEqual(seen, [new Uint8Array(64)])
    const [job] = jobs
    for (const secret of [job.subarray(12, 44), job.subarray(44, 60), received[0]])
      for (let from = 0; from + 8 <= secret.length; from += 8)
        assert.equal(bytes.indexOf(secret.subarray(from, from + 8)), -1)
  } finally {
    threads.Worker = Started
    port1.close()
    for (const { thread } of started) await thread.terminate()
  }
})

test("a change of the issuer's factors that lands while a recovery code is hashed is seen", async () => {
  const at = await host()
  await withApp(at)
  const { pass } = await login(at, await withApp(at, 'olga'))
  hold()
  const by = { user: 'olga', session: 'in', pass, role: /** @type {const} */ ('owner') }
  const issuing = at.factor.issueRecoveryCode({ user: 'ann', by })
  await eventually(() => assert.equal(held.length, 1))
  const change = await removeFirst(at, { user: 'olga', session: 'in', pass }, 'totp')
  assert.equal(change.result, 'removed')
  letGo()
  assert.deepEqual(await issuing, { result: 'denied', reason: 'fresh_factor_required' })
})

test("T43: the operator's code is hashed in a thread, once over lost races, and holds up nobody", async () => {
  const inner = memoryStore()
  let losses = 0
  const at = await host({
    store: { load: inner.load, save: async (...args) => (losses-- > 0 ? false : inner.save(...args)) },
  })
  await withApp(at)
  const { policy, keys, store, clock } = at.options
  const given = { policy, keys, store, clock }
  const input = { user: 'ann', operator: 'night shift' }
  jobs = []
  losses = 3
  hold()
  const issuing = createOperator(given).issueRecoveryCode(input)
  await eventually(() => assert.equal(held.length, 1))
  assert.equal((await at.factor.begin({ user: 'bob', session: 's' })).result, 'allowed')
  letGo()
  const { code } = await issuing
  assert.deepEqual([losses, jobs.length], [-1, 1])
  assert.equal(
    (await at.factor.verify({ ...(await backup(at, 'ann', code)), method: 'recovery_code' })).result,
    'verified',
  )
  jobs = []
  await createOperator({ ...given, hashing: 'inline' }).issueRecoveryCode(input)
  assert.equal(jobs.length, 0)
  for (const hashing of ['threads', true])
    assert.throws(
      () => createOperator(/** @type {any} */ ({ ...given, hashing })),
      refusedWith('invalid_input', 'hashing'),
    )
})

test('T43: lost races keep their hashes, and the codes that are shown are those that are stored', async () => {
  const inner = memoryStore()
  let losses = 0
  const at = await host({
    store: { load: inner.load, save: async (...args) => (losses-- > 0 ? false : inner.save(...args)) },
  })
  const { pass } = await login(at, await withApp(at))
  jobs = []
  losses = 3
  const renewed = await at.factor.renewBackupCodes({ user: 'ann', session: 'in', pass })
  assert.equal(losses, -1, 'three races were lost')
  assert.equal(jobs.length, 2, 'two codes, hashed once')
  losses = 3
  jobs = []
  for (const { code } of renewed.codes) {
    assert.equal((await at.factor.verify(await backup(at, 'ann', code))).result, 'verified')
  }
  assert.equal(jobs.length, 2)
})

test('T43: of many wrong backup codes of one user at once, the first few are hashed and the others find it locked', async () => {
  const at = await host()
  await withApp(at)
  const input = await backup(at, 'ann', WRONG)
  jobs = []
  const replies = await Promise.all(Array.from({ length: 100 }, () => at.factor.verify(input)))
  assert.deepEqual([count(replies, 'wrong'), count(replies, 'locked')], [5, 95])
  assert.equal(jobs.length, 5)
})

test('T43: behind a slow store, wrong backup codes of one user are still hashed one at a time', async (t) => {
  const inner = memoryStore()
  let delay = 0
  const wait = () => (delay === 0 ? undefined : new Promise((resolve) => setTimeout(resolve, delay)))
  const at = await host({
    store: {
      load: async (id) => (await wait(), inner.load(id)),
      save: async (...args) => (await wait(), inner.save(...args)),
    },
  })
  await withApp(at)
  const input = await backup(at, 'ann', WRONG)
  faked = true
  jobs = []
  t.mock.timers.enable({ apis: ['setTimeout'] })
  // Five hashes with their loads and writes take half a minute, and a call waits for another one for ten seconds.
  delay = 3_000
  let replies
  void Promise.all(Array.from({ length: 50 }, () => at.factor.verify(input))).then((all) => (replies = all))
  for (let seconds = 0; replies === undefined; seconds += 1) {
    assert.ok(seconds < 120)
    t.mock.timers.tick(1_000)
    await turns()
  }
  assert.deepEqual([count(replies, 'wrong'), count(replies, 'locked')], [5, 45])
  assert.equal(jobs.length, 5)
})

test('T43: a hash that takes long is waited for as long as it takes, by the next call of its user', async (t) => {
  const at = await host()
  await withApp(at)
  const input = await backup(at, 'ann', WRONG)
  faked = true
  for (let index = 0; index < 4; index += 1) assert.equal((await at.factor.verify(input)).result, 'wrong')
  jobs = []
  t.mock.timers.enable({ apis: ['setTimeout'] })
  hold()
  let replies
  void Promise.all([at.factor.verify(input), at.factor.verify(input)]).then((all) => (replies = all))
  await turns()
  for (let seconds = 0; seconds < 60; seconds += 10) {
    t.mock.timers.tick(10_000)
    await turns()
  }
  letGo()
  await turns()
  // The first locks the user, so that the second is not hashed.
  assert.deepEqual([count(replies, 'wrong'), count(replies, 'locked'), jobs.length], [1, 1, 1])
})

test('T43: a call that hangs in the store is waited for ten seconds, by the next call of its user', async (t) => {
  const inner = memoryStore()
  let hangs = false
  const at = await host({
    store: {
      load: inner.load,
      save: async (...args) => {
        if (!hangs) return inner.save(...args)
        hangs = false
        return new Promise(() => undefined)
      },
    },
  })
  await withApp(at)
  const input = await backup(at, 'ann', WRONG)
  faked = true
  jobs = []
  t.mock.timers.enable({ apis: ['setTimeout'] })
  hangs = true
  void at.factor.verify(input)
  let replies
  void Promise.all(Array.from({ length: 10 }, () => at.factor.verify(input))).then((all) => (replies = all))
  await turns()
  t.mock.timers.tick(9_999)
  await turns()
  assert.equal(replies, undefined)
  t.mock.timers.tick(1)
  await turns()
  assert.deepEqual([count(replies, 'wrong'), count(replies, 'locked')], [5, 5])
})

test('T43: a full queue answers busy, and charges nothing', async () => {
  const at = await host()
  const ann = await withApp(at)
  const many = await host({ policy: rules({ backupCodes: { count: 20 } }) })
  const right = await backup(at, 'ann', ann.backupCodes[0])
  const wrong = { ...right, code: WRONG }
  hold()
  const waiting = await fillQueue(many)
  const before = await at.store.load({ user: 'ann' })
  const events = at.events.length
  for (const input of [wrong, right]) await assert.rejects(at.factor.verify(input), refusedWith('busy', ''))
  assert.deepEqual(await at.store.load({ user: 'ann' }), before)
  assert.equal(at.events.length, events)
  assert.equal((await at.factor.begin({ user: 'ann', session: 's' })).result, 'challenge', 'it needs no hash')
  assert.equal((await at.factor.verify({ ...right, method: 'totp', code: wrongCode(at, ann.secret) })).result, 'wrong')
  faked = true
  letGo()
  for (const reply of await Promise.all(waiting)) assert.equal(reply.result, 'enrolled')
  faked = false
  assert.equal((await at.factor.verify(right)).result, 'verified', 'the same call, once there is room')
})

test('T43: a call with one hash does not wait for the many of the calls before it', async () => {
  const at = await host()
  const ann = await withApp(at)
  const many = await host({ policy: rules({ backupCodes: { count: 20 } }) })
  const input = await backup(at, 'ann', ann.backupCodes[0])
  const sets = []
  jobs = []
  hold()
  for (let index = 0; index < WORKERS; index += 1)
    sets.push(many.factor.confirmTotp(await aboutToConfirm(many, `user-${index}`)))
  await eventually(() => assert.equal(held.length, WORKERS))
  const login = at.factor.verify(input)
  await new Promise((resolve) => setTimeout(resolve, 20))
  letGo()
  assert.equal((await login).result, 'verified')
  const { salt } = JSON.parse((await at.store.load({ user: 'ann' })).record).backup.set.slots[0]
  const before = jobs.findIndex((job) => job.subarray(44, 60).toString('base64url') === salt)
  assert.ok(before !== -1 && before <= 2 * WORKERS, `${before} jobs of ${20 * WORKERS} came before`)
  faked = true
  for (const reply of await Promise.all(sets)) assert.equal(reply.result, 'enrolled')
})

test('T43: the end of a thread ends its call with `internal`, charges nothing, and is made up for', async () => {
  const at = await host()
  const ann = await withApp(at)
  const input = await backup(at, 'ann', ann.backupCodes[0])
  const wrong = { ...input, code: WRONG }
  const before = await at.store.load({ user: 'ann' })
  hold()
  const lost = assert.rejects(at.factor.verify(wrong), refusedWith('internal', 'hashing'))
  await eventually(() => assert.equal(held.length, 1))
  for (const { thread } of started) await thread.terminate()
  await lost
  assert.deepEqual(await at.store.load({ user: 'ann' }), before)
  held = undefined
  const threadsBefore = started.length
  assert.equal((await at.factor.verify(input)).result, 'verified')
  assert.equal(started.length, threadsBefore + 1)
  // An idle thread that ends is made up for as well.
  await started.at(-1).thread.terminate()
  assert.equal((await at.factor.verify(await backup(at, 'ann', ann.backupCodes[1]))).result, 'verified')
})

test('T43: the time of a step is that of its start', async () => {
  const at = await host()
  const ann = await withApp(at)
  const input = await backup(at, 'ann', ann.backupCodes[0])
  const begun = at.clock()
  hold()
  const login = at.factor.verify(input)
  await eventually(() => assert.equal(held.length, 1))
  at.clock.advance(3_600) // The ticket ends meanwhile.
  letGo()
  assert.equal((await login).result, 'verified')
  assert.deepEqual(
    at.events.filter(({ event }) => event === 'code_accepted').map((event) => event.at),
    [begun],
  )
})

test('T43: a flood of wrong codes makes a recovery code wait for few loads', async () => {
  const inner = memoryStore()
  let loads = 0
  const turn = () => new Promise((resolve) => setImmediate(resolve))
  const at = await host({
    store: {
      load: async (user) => ((loads += 1), await turn(), inner.load(user)),
      save: async (...args) => (await turn(), inner.save(...args)),
    },
  })
  const ann = await withApp(at)
  const olga = await withApp(at, 'olga')
  const { pass } = await login(at, olga)
  const by = { user: 'olga', session: 'in', pass, role: 'owner' }
  const { code } = await at.factor.issueRecoveryCode({ user: 'ann', by })
  const ticket = await ticketOf(at, 'ann')
  const wrong = { ticket, session: 'before', method: 'totp', code: wrongCode(at, ann.secret) }
  // They find the write of the first under way, and stand in line.
  const first = at.factor.verify(wrong)
  const flood = Array.from({ length: 1_000 }, () => at.factor.verify(wrong))
  const rescue = at.factor.verify({ ticket, session: 'before', method: 'recovery_code', code })
  loads = 0
  assert.equal((await rescue).result, 'verified')
  assert.ok(loads < 1_100, `${loads} loads: one each at the start, and few for all in line`)
  await Promise.all([first, ...flood])
})

test('hashing in this thread needs no others', async () => {
  const at = await host({ hashing: 'inline' })
  const before = started.length
  const ann = await withApp(at)
  let turns = 0
  let over = false
  const tick = () => (over ? undefined : ((turns += 1), setImmediate(tick)))
  const { pass } = await login(at, ann)
  tick()
  const renewed = await at.factor.renewBackupCodes({ user: 'ann', session: 'in', pass })
  over = true
  assert.ok(turns >= 2, 'others have a turn between two hashes')
  assert.equal((await at.factor.verify(await backup(at, 'ann', renewed.codes[0].code))).result, 'verified')
  assert.deepEqual([jobs.length, started.length], [0, before])
  // Records do not tell where they were hashed.
  const other = await host({ store: at.store, keys: at.keys, clock: at.clock })
  assert.equal((await other.factor.verify(await backup(other, 'ann', renewed.codes[1].code))).result, 'verified')
})

test('a place of hashing that is not known, and one without threads, are errors that say what to set', async () => {
  for (const hashing of ['threads', true, 4])
    await assert.rejects(host({ hashing }), refusedWith('invalid_input', 'hashing'))
  const Started = threads.Worker
  for (const { thread } of started) await thread.terminate()
  threads.Worker = class extends Worker {
    constructor() {
      super('', { eval: true, execArgv: ['--no-such-option'] }) // Throws, as where a process may start no threads.
    }
  }
  try {
    await assert.rejects(withApp(await host()), refusedWith('no_workers', 'hashing'))
  } finally {
    threads.Worker = Started
  }
  await withApp(await host())
})

const PROGRAM = `
  const policy = { v: 1, name: 'Acme', origin: 'https://acme.example', backupCodes: { count: 2 } }
  const keys = countersign.generateKeys()
  const factor = countersign.createSecondFactor({ policy, keys, store: countersign.memoryStore() })
  const run = async () => {
    const { setup, secret } = await factor.enrollTotp({ user: 'ann', session: 's', label: 'ann' })
    const time = Math.floor(Date.now() / 1000)
    const code = countersign.totp.generate({ secret: secret.replaceAll(' ', ''), time })
    const { backupCodes } = await factor.confirmTotp({ user: 'ann', session: 's', setup, code })
    const { ticket } = await factor.begin({ user: 'ann', session: 'before' })
    const input = { ticket, session: 'before', method: 'backup_code', code: backupCodes[1] }
    console.log((await factor.verify(input)).result)
  }
  run()`

test('the packed package hashes in threads, as module, as script and bundled, and lets the process end', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'packed-'))
  try {
    const root = fileURLToPath(new URL('../../', import.meta.url))
    const [{ filename }] = JSON.parse(
      execFileSync('npm', ['pack', '--json', '--ignore-scripts', '--pack-destination', folder], {
        cwd: root,
        encoding: 'utf8',
        stdio: ['ignore', 'pipe', 'ignore'],
      }),
    )
    const home = join(folder, 'node_modules', 'countersign')
    mkdirSync(home, { recursive: true })
    execFileSync('tar', ['-xzf', join(folder, filename), '--strip-components=1', '-C', home])
    writeFileSync(join(folder, 'module.mjs'), `import * as countersign from 'countersign'${PROGRAM}`)
    writeFileSync(join(folder, 'script.cjs'), `const countersign = require('countersign')${PROGRAM}`)
    await esbuild.build({
      entryPoints: [join(folder, 'module.mjs')],
      bundle: true,
      minify: true,
      platform: 'node',
      outfile: join(folder, 'bundle.cjs'),
    })
    // A copy without node_modules beside it.
    const alone = join(folder, 'alone')
    mkdirSync(alone)
    renameSync(join(folder, 'bundle.cjs'), join(alone, 'bundle.cjs'))
    const asModule = ['--input-type=module', '--eval', `import * as countersign from 'countersign'${PROGRAM}`]
    for (const command of [['module.mjs'], ['script.cjs'], ['alone/bundle.cjs'], asModule]) {
      const printed = execFileSync(process.execPath, command, { cwd: folder, encoding: 'utf8', timeout: 60_000 })
      assert.equal(printed, 'verified\n', command[0])
    }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
})
