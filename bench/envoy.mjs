// The cost of the gate for a request: one Envoy with one worker and a listener for each candidate, loaded
// in turns by wrk. The service behind it is a second Envoy, which costs the least. With `direct` Envoy itself
// answers, so that the measure is nearly the filters alone.
// @ts-nocheck: the peers are installed only by `npm run bench`
import { execFileSync, spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { gzipSync } from 'node:zlib'
import { createSecondFactor, generateKeys, memoryStore, totp } from 'countersign'
import { freePorts } from '../scripts/common.mjs'
import { median } from './compare.mjs'

const CONNECTIONS = 16
const TICKS_A_SECOND = Number(execFileSync('getconf', ['CLK_TCK'], { encoding: 'utf8' }))

export async function benchEnvoy({ envoy, filter, noop, rounds, seconds, direct = false }) {
  const setting = await prepare()
  const folder = mkdtempSync(join(tmpdir(), 'bench-'))
  const children = []
  try {
    const service = spawn(process.execPath, [fileURLToPath(new URL('ext-authz.mjs', import.meta.url))], {
      env: { ...process.env, POLICY: setting.policy, KEYS: setting.keys, USER: setting.user },
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    children.push(service)
    const servicePort = Number(
      await new Promise((resolve) => createInterface({ input: service.stdout }).once('line', resolve)),
    )

    const candidates = candidatesOf({ setting, filter, noop })
    const [upstreamPort, ...ports] = await freePorts(candidates.length + 1)
    for (const [index, candidate] of candidates.entries()) candidate.port = ports[index]
    const run = (name, config) => {
      const file = join(folder, `${name}.json`)
      writeFileSync(file, JSON.stringify(config))
      const child = spawn(envoy, ['-c', file, '--concurrency', '1', '--log-level', 'error', '--use-dynamic-base-id'], {
        env: { ...process.env, COUNTERSIGN_KEYS: setting.envoyKeys },
        stdio: ['ignore', 'inherit', 'inherit'],
      })
      children.push(child)
      return child
    }
    if (!direct)
      run('upstream', { static_resources: { listeners: [listener({ name: 'upstream', port: upstreamPort }, answer)] } })
    const proxy = run('envoy', {
      static_resources: {
        listeners: candidates.map((candidate) =>
          listener(candidate, direct ? answer : { route: { cluster: 'upstream' } }),
        ),
        clusters: [cluster('authz', servicePort), cluster('upstream', upstreamPort)],
      },
    })
    for (const candidate of candidates) await mustWork(candidate, setting, proxy)

    const title = `The gate in Envoy, which ${direct ? 'answers itself' : 'hands requests on to a service'}`
    const note = `${CONNECTIONS} connections, ${rounds} rounds of ${seconds} s each, taking turns; a request carries ${setting.eddsa.cookie.length} bytes of cookies. Processor time is of Envoy and of the ext_authz service, for each request; it varies less than requests a second.`
    for (const candidate of candidates) load(candidate, 1) // warms up
    for (let round = 0; round < rounds; round += 1) {
      for (const candidate of candidates) {
        const before = cpuSeconds(proxy.pid) + cpuSeconds(service.pid)
        const requests = load(candidate, seconds)
        const cpu = cpuSeconds(proxy.pid) + cpuSeconds(service.pid) - before
        candidate.rates.push(requests / seconds)
        candidate.cpu.push((cpu * 1e6) / requests)
      }
    }
    return { title, ...tableOf(candidates, filter, note) }
  } finally {
    for (const child of children) child.kill()
    await Promise.all(children.map((child) => child.exitCode ?? new Promise((resolve) => child.on('exit', resolve))))
    rmSync(folder, { recursive: true, force: true })
  }
}

/** A user with a pass under each algorithm. */
async function prepare() {
  const user = 'ann'
  const session = 'c2Vzc2lvbi1vZi1hLXBlcnNvbi13aG8taXMtbG9nZ2Vk'
  const policy = JSON.stringify({ v: 1, name: 'Bench', origin: 'http://localhost:10000', methods: ['totp'] })
  const {
    sealing,
    signing: [eddsa],
  } = generateKeys()
  const hs256 = { kid: 'hs', alg: 'HS256', secret: Buffer.alloc(32, 7).toString('base64url') }
  const passWith = async (signing) => {
    let now = Math.floor(Date.now() / 1000) - 120
    const factor = await createSecondFactor({
      policy,
      keys: { v: 1, sealing, signing },
      store: memoryStore(),
      clock: () => now,
    })
    const { secret, setup } = await factor.enrollTotp({ user, session, label: user })
    const code = () => totp.generate({ secret: secret.replaceAll(' ', ''), time: now })
    await factor.confirmTotp({ user, session, setup, code: code() })
    now += 60
    const { ticket } = await factor.begin({ user, session: 'before' })
    const { pass } = await factor.verify({
      ticket,
      session: 'before',
      newSession: session,
      method: 'totp',
      code: code(),
    })
    return { cookie: `session=${session}; second-factor=${pass}`, jwks: await factor.jwks() }
  }
  const [one, other] = [await passWith([hs256]), await passWith([eddsa])]
  return {
    user,
    policy,
    keys: JSON.stringify({ v: 1, sealing, signing: [hs256, eddsa] }),
    envoyKeys: JSON.stringify({ v: 1, sealing: [], signing: [hs256] }),
    hs256: one,
    eddsa: other,
    jwks: other.jwks,
  }
}

function candidatesOf({ setting, filter, noop }) {
  const gate = (more = {}) => ({
    v: 1,
    policy: JSON.parse(setting.policy),
    session: { cookie: 'session', id: 'plain' },
    challenge: { page: '/login' },
    exempt: { paths: ['/login'] },
    ...more,
  })
  const cookie = 'second-factor'
  const { jwks } = setting
  const list = [
    ['no filter', setting.eddsa],
    ['no-op WebAssembly filter', setting.eddsa, wasm('noop', noop)],
    ['Lua, finds the pass and checks nothing', setting.eddsa, lua()],
    ['countersign, HS256', setting.hs256, wasm('hs256', filter, gate({ pass: { cookie } }))],
    ['countersign, EdDSA', setting.eddsa, wasm('eddsa', filter, gate({ jwks, pass: { cookie } }))],
    [
      'countersign, EdDSA, no cache',
      setting.eddsa,
      wasm('uncached', filter, gate({ jwks, pass: { cookie, cacheEntries: 0 } })),
    ],
    ['ext_authz to Node, the same check', setting.eddsa, extAuthz()],
    ['ext_authz to Node, which checks nothing', setting.eddsa, extAuthz('/nothing')],
  ]
  return list.map(([name, { cookie }, httpFilter]) => ({ name, cookie, httpFilter, rates: [], cpu: [] }))
}

const typed = (type, fields) => ({ '@type': `type.googleapis.com/${type}`, ...fields })

function wasm(id, filename, configuration) {
  return {
    name: id,
    typed_config: typed('envoy.extensions.filters.http.wasm.v3.Wasm', {
      config: {
        name: id,
        failure_policy: 'FAIL_RELOAD',
        vm_config: {
          vm_id: id,
          runtime: 'envoy.wasm.runtime.v8',
          code: { local: { filename } },
          environment_variables: { host_env_keys: ['COUNTERSIGN_KEYS'] },
        },
        ...(configuration && {
          configuration: typed('google.protobuf.StringValue', { value: JSON.stringify(configuration) }),
        }),
      },
    }),
  }
}

function lua() {
  return {
    name: 'lua',
    typed_config: typed('envoy.extensions.filters.http.lua.v3.Lua', {
      default_source_code: {
        inline_string: `
function envoy_on_request(handle)
  local cookie = handle:headers():get("cookie") or ""
  local pass = string.match(cookie, "second%-factor=([^;]+)")
  if pass == nil then handle:respond({[":status"] = "401"}, "") end
end`,
      },
    }),
  }
}

function extAuthz(prefix) {
  return {
    name: 'ext_authz',
    typed_config: typed('envoy.extensions.filters.http.ext_authz.v3.ExtAuthz', {
      http_service: {
        server_uri: { uri: 'http://127.0.0.1', cluster: 'authz', timeout: '1s' },
        ...(prefix && { path_prefix: prefix }),
      },
      allowed_headers: { patterns: [{ exact: 'cookie' }] },
    }),
  }
}

const answer = { direct_response: { status: 200, body: { inline_string: 'ok' } } }

function listener({ name, port, httpFilter }, action) {
  return {
    name,
    address: { socket_address: { address: '127.0.0.1', port_value: port } },
    filter_chains: [
      {
        filters: [
          {
            name: 'envoy.filters.network.http_connection_manager',
            typed_config: typed('envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager', {
              stat_prefix: 'bench',
              use_remote_address: true,
              normalize_path: true,
              merge_slashes: true,
              http_filters: [
                ...(httpFilter ? [httpFilter] : []),
                {
                  name: 'envoy.filters.http.router',
                  typed_config: typed('envoy.extensions.filters.http.router.v3.Router'),
                },
              ],
              route_config: {
                virtual_hosts: [{ name: 'all', domains: ['*'], routes: [{ match: { prefix: '/' }, ...action }] }],
              },
            }),
          },
        ],
      },
    ],
  }
}

function cluster(name, port) {
  const endpoint = { address: { socket_address: { address: '127.0.0.1', port_value: port } } }
  return { name, load_assignment: { cluster_name: name, endpoints: [{ lb_endpoints: [{ endpoint }] }] } }
}

/** Asserts that a candidate admits a good pass and, if it guards, refuses a request without one. */
async function mustWork({ name, port, cookie }, setting, proxy) {
  const status = async (headers) => (await fetch(`http://127.0.0.1:${port}/`, { headers, redirect: 'manual' })).status
  for (const end = Date.now() + 30_000; ; await sleep(200)) {
    if (proxy.exitCode !== null) throw new Error('Envoy did not start; its log is above')
    const got = await status({ cookie }).catch(() => undefined)
    if (got === 200) break
    if (Date.now() > end) throw new Error(`${name} answers ${got} to a good pass`)
  }
  const without = await status({})
  const guards = /^countersign|same check/.test(name)
  if (guards && without !== 401) throw new Error(`${name} answers ${without} without a pass`)
}

/** The number of requests answered in this many seconds. */
function load({ name, port, cookie }, seconds) {
  const output = execFileSync(
    'wrk',
    [
      '--threads',
      '1',
      '--connections',
      String(CONNECTIONS),
      '--duration',
      `${seconds}s`,
      '--header',
      `cookie: ${cookie}`,
      `http://127.0.0.1:${port}/`,
    ],
    { encoding: 'utf8' },
  )
  if (/Non-2xx|Socket errors/.test(output)) throw new Error(`${name}: ${output}`)
  return Number(/(\d+) requests in/.exec(output)[1])
}

/** The processor time that a process has used so far. */
function cpuSeconds(pid) {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1].split(' ')
  return (Number(fields[11]) + Number(fields[12])) / TICKS_A_SECOND
}

function tableOf(candidates, filter, note) {
  for (const candidate of candidates) {
    candidate.rate = median(candidate.rates)
    candidate.micros = median(candidate.cpu)
  }
  const [bare] = candidates
  const added = ({ micros }) => micros - bare.micros
  const share = ({ rate }) => Math.round((rate / bare.rate) * 100)
  const find = (start) => candidates.find(({ name }) => name.startsWith(start))
  const rows = candidates.map((candidate) => [
    candidate.name,
    Math.round(candidate.rate).toLocaleString('en'),
    `${share(candidate)} %`,
    `${candidate.micros.toFixed(1)} µs`,
    candidate === bare ? '' : `${added(candidate).toFixed(1)} µs`,
  ])
  const most = 2 * added(find('no-op')) + 15
  const verdict = (isMet) => (isMet ? 'met' : 'missed; [DESIGN.md](../DESIGN.md) says why')
  const goalsOf = (name) => {
    const ours = find(name)
    const times = added(find('ext_authz')) / added(ours)
    return [
      `Goal for ${name}: it adds at most ${most.toFixed(1)} µs, which is twice the no-op filter and 15. It adds ${added(ours).toFixed(1)} µs: ${verdict(added(ours) <= most)}.`,
      `Goal for ${name}: at least 80 % of the unfiltered throughput. It keeps ${share(ours)} %: ${verdict(share(ours) >= 80)}.`,
      `Goal for ${name}: ext_authz with the same check adds at least 3 times as much. It adds ${times.toFixed(1)} times: ${verdict(times >= 3)}.`,
    ]
  }
  const kb = (length) => `${Math.round(length / 1000)} kB`
  const size = `The filter has ${kb(statSync(filter).size)}, gzipped ${kb(gzipSync(readFileSync(filter), { level: 9 }).length)}.`
  return {
    head: ['', 'requests/s', 'of unfiltered', 'processor time', 'adds'],
    rows,
    notes: [...goalsOf('countersign, HS256'), ...goalsOf('countersign, EdDSA'), size, note],
  }
}
