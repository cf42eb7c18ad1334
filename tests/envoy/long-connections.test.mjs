// WebSocket and server-sent events through examples/envoy/envoy.yaml, as the file is.
import assert from 'node:assert/strict'
import { createHash, randomBytes } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { createServer, request as httpRequest } from 'node:http'
import { after, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { generateKeys, memoryStore } from 'countersign'
import { parse } from 'yaml'
import { at } from '../../scripts/common.mjs'
import { cookies, ENVOYS, hashed, mint, named, policyWith, startEnvoy, startStorage, TOKEN, WASM } from './support.mjs'

const keys = generateKeys()
const policy = policyWith({ origin: 'http://localhost:10000' })
const storage = await startStorage({ after }, { store: memoryStore(), token: TOKEN, revoked: () => ({}) })

// An upstream that echoes what comes by WebSocket, and sends an event every second.
const upstream = createServer((_, response) => {
  response.writeHead(200, { 'content-type': 'text/event-stream' })
  let count = 0
  const send = () => response.write(`data: ${(count += 1)}\n\n`)
  send()
  const timer = setInterval(send, 1_000)
  response.on('close', () => clearInterval(timer))
})
upstream.on('upgrade', (request, socket) => {
  const key = `${request.headers['sec-websocket-key']}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`
  const accept = createHash('sha1').update(key).digest('base64')
  socket.write(
    `HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: websocket\r\nsec-websocket-accept: ${accept}\r\n\r\n`,
  )
  socket.write(`hello ${request.headers['x-second-factor-sub'] ?? 'nobody'}`)
  socket.on('data', (bytes) => socket.write(bytes))
  socket.on('error', () => undefined)
})
await new Promise((resolve) => upstream.listen(0, '127.0.0.1', () => resolve(undefined)))
after(() => {
  upstream.closeAllConnections()
  upstream.close()
})

/** Envoy by the file of the example, with other ports and no account. `change` may change the routes. */
async function startExample(envoy, change = (_routes) => undefined) {
  const config = parse(readFileSync(at('examples/envoy/envoy.yaml'), 'utf8'))
  const [listener] = config.static_resources.listeners
  listener.address.socket_address.port_value = 0
  config.admin.address.socket_address.port_value = 0
  const { http_filters, route_config } = listener.filter_chains[0].filters[0].typed_config
  const { config: filter } = http_filters.find(({ name }) => name === 'countersign').typed_config
  filter.vm_config.code.local.filename = WASM
  // The passes of this test name no account.
  const { accounts, ...rules } = JSON.parse(filter.configuration.value)
  filter.configuration.value = JSON.stringify(rules)
  change(route_config.virtual_hosts[0].routes)
  const ports = {
    intranet: () => upstream.address().port,
    'login-storage': () => storage.port,
    login: () => storage.port,
  }
  for (const { name, load_assignment } of config.static_resources.clusters) {
    const [{ endpoint }] = load_assignment.endpoints[0].lb_endpoints
    delete endpoint.additional_addresses
    endpoint.address.socket_address.port_value = ports[name]()
  }
  const env = { COUNTERSIGN_KEYS: JSON.stringify(keys), COUNTERSIGN_STORAGE_TOKEN: TOKEN }
  const started = await startEnvoy({ after }, { ...envoy, bootstrap: JSON.stringify(config), env })
  return started.ports.front
}

const session = 'the cookie of the session'.replaceAll(' ', '-')
const pass = await mint({ keys, policy, session: hashed(session), at: Math.floor(Date.now() / 1000) })
const jar = { cookie: cookies({ session, 'second-factor': pass }) }

/** Opens a connection. Gives its status, its bytes so far, and a promise of its end. */
function open(port, { path = '/events', headers = {}, upgrade = false } = {}) {
  return new Promise((resolve, reject) => {
    const more = upgrade && {
      connection: 'upgrade',
      upgrade: 'websocket',
      'sec-websocket-version': '13',
      'sec-websocket-key': randomBytes(16).toString('base64'),
    }
    const request = httpRequest({ port, host: '127.0.0.1', path, agent: false, headers: { ...headers, ...more } })
    /** @type {(status: number, stream: any, first?: any) => void} */
    const take = (status, stream, first = '') => {
      const opened = {
        status,
        stream,
        text: String(first),
        end: new Promise((done) => stream.once('close', () => done(undefined))),
      }
      stream.on('data', (bytes) => (opened.text += bytes))
      stream.on('error', () => undefined)
      resolve(opened)
    }
    request.on('response', (response) => take(response.statusCode, response))
    request.on('upgrade', (response, socket, head) => take(response.statusCode, socket, head))
    request.on('error', reject)
    request.end()
  })
}

async function until(holds, what) {
  for (const end = Date.now() + 20_000; !holds(); await sleep(20)) assert.ok(Date.now() < end, what())
}

async function openOnce(port, options) {
  // Each worker refuses passes until it has its revocation list.
  for (let i = 0; ; i += 1) {
    const opened = await open(port, options)
    if (opened.status !== 503 || i > 500) return opened
    opened.stream.destroy()
    await sleep(20)
  }
}

for (const envoy of ENVOYS) {
  test(`G8: the example lets WebSocket and server-sent events through, to people with a pass (${named(envoy)})`, async () => {
    const port = await startExample(envoy)
    const socket = await openOnce(port, { headers: jar, upgrade: true })
    assert.equal(socket.status, 101)
    await until(
      () => socket.text === 'hello ann',
      () => socket.text,
    )
    const events = await openOnce(port, { headers: jar })
    assert.equal(events.status, 200)
    // Envoy's default would cut the answer after 15 seconds.
    const start = Date.now()
    for (let i = 0; Date.now() - start < 17_000; i += 1) {
      socket.stream.write(`${i % 10}`)
      await sleep(1_000)
    }
    assert.match(events.text, /data: 16\n/)
    assert.match(socket.text, /^hello ann0123456789012345/)
    for (const { stream } of [socket, events]) stream.destroy()
    // Without a pass, and with one on which the session does not count, neither begins.
    for (const headers of [{}, { cookie: cookies({ session: 'another', 'second-factor': pass }) }])
      for (const upgrade of [true, false]) {
        const refusal = await open(port, { headers, upgrade })
        assert.ok([401, 503].includes(refusal.status), String(refusal.status))
        refusal.stream.destroy()
      }
  })

  test(`G8: a long connection ends after an hour, and on a stricter route after its maxAge (${named(envoy)})`, async () => {
    const capped = []
    const port = await startExample(envoy, (routes) => {
      for (const { match, route } of routes.filter(({ route }) => route?.cluster === 'intranet')) {
        assert.equal(route.timeout, '0s')
        const { max_stream_duration: cap } = route
        capped.push([match, cap.max_stream_duration])
        cap.max_stream_duration = match.prefix === '/' ? '4s' : '1s'
      }
    })
    assert.deepEqual(capped, [
      [{ path_separated_prefix: '/payroll' }, '300s'],
      [{ prefix: '/' }, '3600s'],
    ])
    for (const upgrade of [true, false]) {
      const ends = []
      const last = async (path) => {
        const opened = await openOnce(port, { path, headers: jar, upgrade })
        assert.equal(opened.status, upgrade ? 101 : 200)
        const start = performance.now()
        const talk = setInterval(() => upgrade && opened.stream.write('.'), 100)
        await opened.end
        clearInterval(talk)
        ends.push(path)
        return performance.now() - start
      }
      const [long, short] = await Promise.all([last('/events'), last('/payroll/events')])
      assert.deepEqual(ends, ['/payroll/events', '/events'])
      assert.ok(short > 300 && long > 2_500, `${short} ms, ${long} ms`)
    }
  })
}
