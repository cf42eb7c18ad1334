// The filter in a real Envoy, with a client that sends any bytes, an upstream that shows the requests that reached
// it, and the login host's storage API.
import assert from 'node:assert/strict'
import { execFileSync, spawn } from 'node:child_process'
import { createHash, randomUUID } from 'node:crypto'
import {
  closeSync,
  existsSync,
  mkdtempSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { createServer } from 'node:http'
import { createServer as createHttp2Server } from 'node:http2'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { createSecondFactor, generateKeys, memoryStore, totp } from 'countersign'
import { storageApi } from 'countersign/storage-api'
import { capturedSms, fixedClock } from 'countersign/testing'
import { ENVOY, envoyBinary, OLDEST_ENVOY } from '../../scripts/envoy.mjs'
import { request } from './http.mjs'

const file = (path) => fileURLToPath(new URL(`../../${path}`, import.meta.url))
const express = createRequire(file('examples/login/package.json'))('express')

export const WASM = file('target/envoy/countersign-envoy.wasm')
export const TOKEN = 'storage-token-of-the-tests-0123456789'
export const PASS = '__Host-second-factor'
export const SESSION = '__Host-session'
export const ORIGIN = 'https://login.acme.example'
const STORAGE = '/internal/second-factor'

/** The newest Envoy with two workers; or the oldest with one, where COUNTERSIGN_ENVOY asks for it. */
export const ENVOYS =
  process.env.COUNTERSIGN_ENVOY === 'oldest'
    ? [{ version: OLDEST_ENVOY, workers: 1 }]
    : [{ version: ENVOY, workers: 2 }]
export const named = ({ version, workers }) => `Envoy ${version}, ${workers} worker${workers > 1 ? 's' : ''}`

export const policyWith = (changes = {}) => ({
  v: 1,
  name: 'Acme',
  origin: ORIGIN,
  methods: ['totp', 'sms', 'backup_code', 'recovery_code'],
  // Cheap hashes, because these tests make many.
  backupCodes: { count: 1, memoryKib: 7_168, passes: 5 },
  ...changes,
})

/** A gate's configuration. Its keys come from the environment unless `jwks` is given. */
export function configWith(changes = {}) {
  return {
    v: 1,
    policy: policyWith(),
    session: { cookie: SESSION, id: 'plain' },
    challenge: { page: `${ORIGIN}/login`, returnTo: 'https://app.acme.example' },
    ...changes,
  }
}

/** The public keys of key rings, in one JWK set. */
export async function jwksOf(...rings) {
  const jwks = async (keys) =>
    (await createSecondFactor({ policy: policyWith({ methods: ['totp'] }), keys, store: memoryStore() })).jwks()
  return { keys: (await Promise.all(rings.map(jwks))).flatMap(({ keys }) => keys) }
}

export const verifyBy = (changes = {}) => ({
  cluster: 'storage',
  authority: 'login.internal',
  path: STORAGE,
  ...changes,
})
export const revocationBy = (changes = {}) => ({
  cluster: 'storage',
  authority: 'login.internal',
  path: `${STORAGE}/revoked`,
  everySeconds: 1,
  ...changes,
})

/** The session id of a login host that hashes its cookies. */
export const hashed = (value) => createHash('sha256').update(value).digest('base64url')
/** The session in a pass that the gate made. */
export const gateSession = (id) => `gate ${hashed(`countersign-gate\n${id}`)}`
export const claimsOf = (token) => JSON.parse(Buffer.from(token.split('.')[1], 'base64url'))

/** Runs the tests that `body` declares on a gate in each of the Envoys. */
export async function onEach(options, body) {
  // All gates first: the runner does not wait for tests that are declared after the first ones have ended.
  const gates = await Promise.all(ENVOYS.map((envoy) => startGate({ after }, { ...envoy, ...options })))
  for (const [index, gate] of gates.entries()) {
    const told = (name) => `${name} (${named(ENVOYS[index])})`
    body(gate, (name, work) => test(told(name), { timeout: 60_000 }, work))
    test(told('the filter did not crash'), () => gate.healthy())
  }
}

const ERRORS = {
  400: 'bad_request',
  401: 'insufficient_user_authentication',
  403: 'forbidden',
  429: 'too_many_attempts',
  503: 'unavailable',
}

/** Asserts that this is the filter's own answer, complete, for this reason. */
export function refused(answer, status, reason, more = {}) {
  assert.equal(answer.status, status, answer.text)
  assert.equal(answer.get('cache-control'), 'no-store')
  assert.match(answer.get('content-type'), /^application\/json\b/)
  assert.equal(answer.get('set-cookie'), undefined)
  const { message, ...rest } = answer.json
  assert.deepEqual(rest, { error: ERRORS[status], reason, ...more })
  assert.ok(typeof message === 'string' && message.length > 0, answer.text)
  if (status === 401)
    assert.match(
      answer.get('www-authenticate'),
      /^Bearer error="insufficient_user_authentication", error_description="[^"]+", acr_values="urn:countersign:acr:2fa"(, max_age=\d+)?$/,
    )
  else assert.equal(answer.get('www-authenticate'), undefined)
  return answer
}

/** Asserts that the upstream answered, and gives the request that reached it. */
export function passed(answer) {
  assert.equal(answer.status, 200, answer.text)
  const seen = answer.json
  return {
    ...seen,
    get: (name) =>
      seen.headers
        .filter(([other]) => other === name)
        .map(([, value]) => value)
        .join(' & ') || undefined,
    identity: Object.fromEntries(seen.headers.filter(([name]) => /second.factor/.test(name) && name !== 'cookie')),
  }
}

const running = new Set()
process.on('exit', () => {
  for (const child of running) child.kill('SIGKILL')
})

/** The library that sets the wall clock of Envoy (see clock.c). */
function clockLibrary() {
  const source = file('tests/envoy/clock.c')
  const library = file('target/tools/envoy-test-clock.so')
  if (!existsSync(library) || statSync(library).mtimeMs < statSync(source).mtimeMs) {
    const mine = `${library}.${process.pid}`
    execFileSync('cc', ['-shared', '-fPIC', '-O2', '-Wall', '-Werror', '-o', mine, source])
    renameSync(mine, library)
  }
  return library
}

/**
 * Starts Envoy alone. `listeners`: name → settings (see `listenerOf`). `clusters`: name → port; Envoy speaks HTTP/2
 * to a name that ends in `-h2`. `updated`: the listeners can be replaced while it runs. `bootstrap`: the whole
 * text in place of listeners and clusters. `refused`: Envoy is expected to stop by itself; gives `{ code, log }`.
 */
export async function startEnvoy(
  t,
  /** @type {any} */ {
    version = ENVOY,
    workers = 1,
    listeners,
    clusters = {},
    updated = false,
    logLevel = 'warning',
    bootstrap = bootstrapOf(updated ? {} : listeners, clusters, updated),
    env = {},
    clock,
    refused = false,
  },
) {
  const binary = envoyBinary(version)
  assert.ok(binary, `Envoy ${version} is not installed: run npm run setup -- --test`)
  const folder = mkdtempSync(join(tmpdir(), 'envoy-'))
  const at = (name) => join(folder, name)
  writeFileSync(at('bootstrap.yaml'), bootstrap.replace('LISTENERS_FILE', at('listeners.json')))
  let versions = 0
  // Envoy reads the file when it is moved into place.
  const writeListeners = (listeners) => {
    const resources = Object.entries(listeners).map(([name, settings]) => ({
      '@type': 'type.googleapis.com/envoy.config.listener.v3.Listener',
      ...listenerOf(name, settings),
    }))
    writeFileSync(at('new.json'), JSON.stringify({ version_info: String((versions += 1)), resources }))
    renameSync(at('new.json'), at('listeners.json'))
  }
  if (updated) writeListeners(listeners)
  const tick = (now) => {
    const bytes = Buffer.alloc(8)
    bytes.writeBigInt64LE(BigInt(now))
    writeFileSync(at('clock'), bytes, { flag: existsSync(at('clock')) ? 'r+' : 'w' })
  }
  tick(clock ? clock() : Math.floor(Date.now() / 1000))
  const output = openSync(at('log'), 'w')
  const child = spawn(
    binary,
    [
      ...['-c', at('bootstrap.yaml'), '--admin-address-path', at('admin'), '--concurrency', String(workers)],
      ...['--disable-hot-restart', '-l', logLevel, '--drain-time-s', '1'],
    ],
    {
      stdio: ['ignore', output, output],
      env: { PATH: process.env.PATH, LD_PRELOAD: clockLibrary(), ...(clock && { CLOCK_FILE: at('clock') }), ...env },
    },
  )
  closeSync(output)
  running.add(child)
  let ended
  const end = new Promise((resolve) => {
    child.once('error', (error) => resolve((ended = { code: error.message })))
    child.once('exit', (code, signal) => resolve((ended = { code, signal })))
  }).finally(() => running.delete(child))
  const log = () => readFileSync(at('log'), 'utf8')
  const stop = async () => {
    child.kill('SIGKILL')
    await end
    rmSync(folder, { recursive: true, force: true })
  }
  t.after(stop)

  let admin
  const ask = async (path) => {
    const answer = await request(admin, { path, host: 'admin', headers: [['connection', 'close']] })
    return answer.text
  }
  for (const deadline = Date.now() + 60_000; ; await sleep(10)) {
    if (ended) {
      if (refused) return { ...ended, log: log() }
      throw new Error(`Envoy ended (${JSON.stringify(ended)}):\n${log()}`)
    }
    if (Date.now() > deadline) throw new Error(`Envoy does not get ready:\n${log()}`)
    admin ??= Number(existsSync(at('admin')) && readFileSync(at('admin'), 'utf8').split(':').at(-1)) || undefined
    if (admin && (await ask('/ready').catch(() => '')).startsWith('LIVE')) break
  }
  if (refused) throw new Error(`Envoy started, and should have refused to:\n${log()}`)
  const ports = {}
  for (const {
    name,
    local_address: {
      socket_address: { port_value },
    },
  } of JSON.parse(await ask('/listeners?format=json')).listener_statuses)
    ports[name] = port_value
  return {
    ports,
    log,
    /** Replaces the listeners, as a control plane would, and says whether Envoy took them. */
    async update(listeners) {
      const names = ['update_success', 'update_rejected']
      const counts = async () => {
        const stats = await this.stats('listener_manager.lds.update_')
        return names.map((name) => stats[`listener_manager.lds.${name}`])
      }
      const before = await counts()
      writeListeners(listeners)
      for (const deadline = Date.now() + 30_000; Date.now() < deadline; await sleep(5)) {
        const [taken, rejected] = await counts()
        if (taken > before[0]) return true
        if (rejected > before[1]) return false
      }
      throw new Error(`Envoy does not look at the new listeners:\n${log()}`)
    },
    tick,
    stop,
    ask,
    pid: child.pid,
    /** The statistics of Envoy with `filter` in their name, as name → number. */
    async stats(filter = 'wasm') {
      const lines = (await ask(`/stats?filter=${filter}`)).trim().split('\n')
      return Object.fromEntries(lines.map((line) => line.split(': ')).map(([name, value]) => [name, Number(value)]))
    },
  }
}

const API = 'type.googleapis.com/envoy.extensions.filters'

// JSON is YAML too.
function bootstrapOf(listeners, clusters, updated) {
  return JSON.stringify({
    node: { id: 'test', cluster: 'test' },
    ...(updated && { dynamic_resources: { lds_config: { path_config_source: { path: 'LISTENERS_FILE' } } } }),
    admin: { address: address(0) },
    static_resources: {
      listeners: Object.entries(listeners).map(([name, settings]) => listenerOf(name, settings)),
      clusters: Object.entries(clusters).map(([name, port]) => ({
        name,
        type: 'STATIC',
        connect_timeout: '1s',
        ...(name.endsWith('-h2') && { http2_protocol_options: {} }),
        load_assignment: {
          cluster_name: name,
          endpoints: [{ lb_endpoints: [{ endpoint: { address: address(port) } }] }],
        },
      })),
    },
  })
}

const address = (port, host = '127.0.0.1') => ({
  socket_address: { address: host, port_value: port, ...(host === '::' && { ipv4_compat: true }) },
})

function listenerOf(
  name,
  {
    address: at,
    config,
    text,
    hops = 0,
    underscores = 'REJECT_REQUEST',
    clean = true,
    failure = { failure_policy: 'FAIL_RELOAD' },
    filters,
    before = [],
    host,
    cluster = 'app',
  },
) {
  const wasm = {
    name: 'countersign',
    typed_config: {
      '@type': `${API}.http.wasm.v3.Wasm`,
      config: {
        name: 'countersign',
        root_id: 'countersign',
        ...failure,
        vm_config: {
          vm_id: 'countersign',
          runtime: 'envoy.wasm.runtime.v8',
          code: { local: { filename: WASM } },
          environment_variables: { host_env_keys: ['COUNTERSIGN_KEYS', 'COUNTERSIGN_STORAGE_TOKEN'] },
        },
        configuration: {
          '@type': 'type.googleapis.com/google.protobuf.StringValue',
          value: text ?? JSON.stringify(config),
        },
      },
    },
  }
  const manager = {
    '@type': `${API}.network.http_connection_manager.v3.HttpConnectionManager`,
    stat_prefix: name,
    codec_type: 'AUTO',
    use_remote_address: true,
    xff_num_trusted_hops: hops,
    common_http_protocol_options: { headers_with_underscores_action: underscores },
    ...(clean && {
      normalize_path: true,
      merge_slashes: true,
      path_with_escaped_slashes_action: 'UNESCAPE_AND_REDIRECT',
    }),
    route_config: {
      virtual_hosts: [
        {
          name: 'all',
          domains: ['*'],
          routes: [{ match: { prefix: '/' }, route: { cluster, timeout: '10s' } }],
          ...host,
        },
      ],
    },
    http_filters: [
      ...(filters ?? [...before, wasm]),
      { name: 'router', typed_config: { '@type': `${API}.http.router.v3.Router` } },
    ],
  }
  return { name, address: address(0, at), filter_chains: [{ filters: [{ name: 'http', typed_config: manager }] }] }
}

/** An upstream that answers with the request that reached it: HTTP/1.1 at `port`, HTTP/2 at `http2Port`. */
export async function startUpstream(t) {
  const upstream = { requests: [], keep: true, count: 0 }
  const tell = (req, res) => {
    const hash = createHash('sha256')
    let bytes = 0
    req.on('data', (chunk) => {
      hash.update(chunk)
      bytes += chunk.length
    })
    req.on('end', () => {
      const headers = []
      for (let i = 0; i < req.rawHeaders.length; i += 2)
        headers.push([req.rawHeaders[i].toLowerCase(), req.rawHeaders[i + 1]])
      const seen = {
        method: req.method,
        path: req.url,
        headers,
        bytes,
        sha256: hash.digest('hex'),
        trailers: { ...req.trailers },
      }
      upstream.count += 1
      if (upstream.keep) upstream.requests.push(seen)
      res.setHeader('content-type', 'application/json')
      res.setHeader('set-cookie', ['app=1; Path=/'])
      res.end(JSON.stringify(seen))
    })
    req.on('error', () => undefined)
  }
  const server = createServer({ maxHeaderSize: 200_000 }, tell)
  server.keepAliveTimeout = 60_000
  upstream.port = await listen(t, server)
  upstream.http2Port = await listen(t, createHttp2Server(tell))
  return upstream
}

/** The login host's storage API. `before(req, res, next)` may answer in its place or break the connection. */
export async function startStorage(t, options) {
  const storage = { before: undefined, calls: [] }
  const app = express()
  app.use(
    STORAGE,
    (req, res, next) => {
      storage.calls.push(`${req.method} ${req.url}`)
      if (storage.before) return storage.before(req, res, next)
      next()
    },
    storageApi(options),
  )
  const server = createServer(app)
  server.keepAliveTimeout = 60_000
  storage.port = await listen(t, server)
  storage.close = () => {
    server.closeAllConnections()
    return new Promise((resolve) => server.close(resolve))
  }
  storage.open = () => new Promise((resolve) => server.listen(storage.port, '127.0.0.1', () => resolve(undefined)))
  return storage
}

async function listen(t, server) {
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.after(() => {
    server.closeAllConnections?.()
    server.close()
  })
  return server.address().port
}

/**
 * Starts Envoy, upstream, storage and login host. `config`: changes to the gate's configuration. `listeners`: more
 * listeners, name → { config, hops, underscores, … }. `policy`: of gate and login host.
 */
export async function startGate(
  t,
  /** @type {any} */ {
    version,
    workers,
    logLevel,
    keys = generateKeys(),
    policy = policyWith(),
    config = {},
    listeners = {},
    env,
    listener = {},
    updated,
    revoked,
    now = 1_800_000_000,
    realClock = false,
  } = {},
) {
  const clock = realClock ? () => Math.floor(Date.now() / 1000) : fixedClock(now)
  const store = memoryStore()
  const sms = capturedSms()
  const notices = []
  const events = []
  const hooks = { notify: (notice) => notices.push(notice), onEvent: (event) => events.push(event) }
  const upstream = await startUpstream(t)
  // Tests step in between load and save here.
  const behind = { load: (id) => store.load(id), save: (...args) => store.save(...args) }
  const storage = await startStorage(t, {
    store: { load: (id) => behind.load(id), save: (...args) => behind.save(...args) },
    token: TOKEN,
    ...hooks,
    ...(revoked && { revoked }),
  })
  const settings = {}
  for (const [name, { config: changes, ...rest }] of Object.entries({ main: { ...listener, config }, ...listeners })) {
    settings[name] = { ...rest, config: configWith({ policy, ...changes }) }
  }
  const envoy = await startEnvoy(t, {
    ...{ version, workers, logLevel, updated, listeners: settings, clock: realClock ? undefined : clock },
    clusters: { app: upstream.port, 'app-h2': upstream.http2Port, storage: storage.port },
    env: env ?? { COUNTERSIGN_KEYS: JSON.stringify(keys), COUNTERSIGN_STORAGE_TOKEN: TOKEN },
  })
  const factor = await createSecondFactor({ policy, keys, store, sendSms: sms.send, ...hooks, clock })
  // Without the policy's rules on who must and from where, so that users get their factors and tickets.
  const { require, network, ...earlier } = policy
  const methods = ['totp', 'sms', 'recovery_code']
  const hostWith = (more) =>
    createSecondFactor({
      policy: { ...earlier, methods: [...methods, ...more] },
      keys,
      store,
      sendSms: sms.send,
      clock,
    })
  // Each backup code costs a password hash, so a user gets them only on request.
  const [hostPlain, hostOfCodes] = [await hostWith([]), await hostWith(['backup_code'])]

  const gate = {
    envoy,
    upstream,
    storage,
    behind,
    store,
    keys,
    policy,
    clock,
    factor,
    sms,
    notices,
    events,
    send: (/** @type {any} */ { listener = 'main', ...options } = {}) => request(envoy.ports[listener], options),
    /** Sends a request with this session and pass in cookies. */
    visit: (/** @type {any} */ { session = 's1', pass, headers = [], ...options } = {}) =>
      gate.send({
        headers: [['cookie', cookies({ [SESSION]: session, [PASS]: pass })], ...headers],
        ...options,
      }),
    /** Gives `main` another configuration, as a control plane would; for a gate with `updated`. */
    async push(/** @type {any} */ { policy: rules = policy, ...changes }) {
      assert.ok(await envoy.update({ main: { ...listener, config: configWith({ policy: rules, ...changes }) } }))
    },
    advance(seconds) {
      clock.advance(seconds)
      envoy.tick(clock())
    },
    setTime(seconds) {
      clock.set(seconds)
      envoy.tick(seconds)
    },
    mint: (options = {}) => mint({ keys, policy, at: clock(), ...options }),
    /** Makes a user with an app in the gate's store. The next code of the app is unused. */
    async enroll(user = `user-${randomUUID()}`, { backupCodes = false } = {}) {
      const host = backupCodes ? hostOfCodes : hostPlain
      const started = await host.enrollTotp({ user, session: 'setup', label: user })
      assert.equal(started.result, 'totp_started')
      const secret = started.secret.replaceAll(' ', '')
      const code = (shift = 0) => totp.generate({ secret, time: clock() + shift * 30 })
      const enrolled = await host.confirmTotp({ user, session: 'setup', setup: started.setup, code: code(-1) })
      assert.equal(enrolled.result, 'enrolled')
      const wrong = () =>
        ['000001', '000002', '000003', '000004', '000005', '000006'].find(
          (text) => ![-2, -1, 0, 1, 2].map(code).includes(text),
        )
      return {
        user,
        secret,
        code,
        wrong,
        backupCodes: enrolled.backupCodes,
        ticket: (session = 's1') => gate.ticket(user, session),
      }
    },
    async ticket(user, session = 's1') {
      const reply = await hostPlain.begin({ user, session })
      assert.equal(reply.result, 'challenge')
      return reply.ticket
    },
    /** Sends a code: `otp` as in the header. */
    async verify({ otp, ticket, headers = [], ...options }) {
      return gate.visit({ ...options, headers: [['x-otp', otp], ['x-otp-ticket', ticket], ...headers] })
    },
    /** The filter's own counters, without prefix. */
    async counters() {
      const all = await envoy.stats('countersign_')
      return Object.fromEntries(
        Object.entries(all).map(([name, value]) => [name.replace(/^wasmcustom\.countersign_/, ''), value]),
      )
    },
    /** The filter's own log lines, parsed. */
    lines: () => [...envoy.log().matchAll(/: countersign (\{.*)$/gm)].map(([, json]) => JSON.parse(json)),
    /** Asserts that the filter did not crash; for the end of a test. */
    async healthy() {
      const stats = await envoy.stats()
      for (const [name, value] of Object.entries(stats)) {
        if (/^wasm\..*(vm_reload|fail)/.test(name)) assert.equal(value, 0, name)
      }
      assert.doesNotMatch(envoy.log(), /panicked|backtrace|Function: proxy_|critical/i)
    },
  }
  return gate
}

export const cookies = (jar) =>
  Object.entries(jar)
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => `${name}=${value}`)
    .join('; ')

/** Makes a pass as the login host does, at the time `at`, by `method`. */
export async function mint(
  /** @type {any} */ { keys, policy = policyWith(), user = 'ann', session = 's1', method = 'totp', at },
) {
  let now = at - 60
  const sms = capturedSms()
  // A pass does not depend on the policy's rules on who must and from where.
  const { require, network, ...rest } = policy
  const rules = { ...rest, methods: ['totp', 'sms', 'recovery_code', ...(method === 'backup_code' ? [method] : [])] }
  const { records, secret, backupCodes } = await enrolled(JSON.stringify(keys), JSON.stringify(rules), user)
  const store = memoryStore()
  for (const [who, record] of Object.entries(records)) await store.save({ user: who }, record, undefined)
  const factor = await createSecondFactor({ keys, store, policy: rules, sendSms: sms.send, clock: () => now })
  const code = () => totp.generate({ secret, time: now })
  const login = async (who, method, codeOf, newSession) => {
    const { ticket } = is(await factor.begin({ user: who, session: 'before' }), 'challenge')
    if (method === 'sms') is(await factor.sendSms({ ticket, session: 'before' }), 'sms_sent')
    return is(await factor.verify({ ticket, session: 'before', newSession, method, code: codeOf() }), 'verified').pass
  }
  let recovery
  if (method === 'sms') {
    now = at - 3_600
    const pass = await login(user, 'totp', code, 'phone')
    const { setup } = is(await factor.enrollSms({ user, session: 'phone', pass, number: '+61412345678' }), 'sms_sent')
    is(await factor.confirmSms({ user, session: 'phone', setup, code: sms.lastCode() }), 'enrolled')
  } else if (method === 'recovery_code') {
    const by = { user: OWNER, session: 'owner', role: 'owner', pass: await login(OWNER, 'totp', code, 'owner') }
    recovery = is(await factor.issueRecoveryCode({ user, by }), 'recovery_code').code
  }
  now = at
  const codes = {
    totp: code,
    sms: () => sms.lastCode(),
    backup_code: () => backupCodes[0],
    recovery_code: () => recovery,
  }
  return login(user, method, codes[method], session)
}

const OWNER = 'an owner'
const is = (reply, result) => (assert.equal(reply.result, result, JSON.stringify(reply)), reply)
const known = new Map()

/** A user and an owner who enrolled one app long ago. Made once, because it is slow. */
async function enrolled(keys, policy, user) {
  const name = JSON.stringify([keys, policy, user])
  if (!known.has(name)) {
    const time = 1_000_000_000
    const store = memoryStore()
    const factor = await createSecondFactor({
      keys,
      policy,
      store,
      sendSms: () => undefined,
      clock: () => time,
      entropy: () => new Uint8Array(32).fill(7),
    })
    const people = {}
    for (const who of [user, OWNER]) {
      const started = is(await factor.enrollTotp({ user: who, session: 'setup', label: 'app' }), 'totp_started')
      const secret = started.secret.replaceAll(' ', '')
      const given = { user: who, session: 'setup', setup: started.setup }
      const { backupCodes } = is(
        await factor.confirmTotp({ ...given, code: totp.generate({ secret, time }) }),
        'enrolled',
      )
      people[who] = { secret, backupCodes }
    }
    assert.equal(people[user].secret, people[OWNER].secret)
    const records = {}
    for (const who of [user, OWNER]) records[who] = (await store.load({ user: who })).record
    known.set(name, { records, ...people[user] })
  }
  return known.get(name)
}
