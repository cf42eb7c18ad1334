// Express behind a real nginx, by the files of examples/client-address. 127.0.0.1 is the address of the proxies; all others
// are clients.
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { get } from 'node:http'
import { connect } from 'node:net'
import { networkInterfaces } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { after, test } from 'node:test'
import { at, freePorts } from '../../scripts/common.mjs'
import { eventually } from '../shared/eventually.mjs'
import { newFolder, program, startServer } from '../stores/servers/server.mjs'

const PROXY = '127.0.0.1'
const CLIENT = '127.0.0.2'
const hasIpv6 = Object.values(networkInterfaces())
  .flat()
  .some(({ address }) => address === '::1')

/** The ports of nginx.conf. */
const PORTS = { edge: 8080, firstOfTwo: 8081, second: 8082, proxyProtocol: 8083, cloudflare: 8084, service: 3000 }
/** The same in these tests. @type {typeof PORTS} */
const ports = { ...PORTS }
/** @type {import('node:child_process').ChildProcess[]} */
const services = []

const [socketPort, ...free] = await freePorts(Object.keys(PORTS).length + 1)
for (const [index, name] of Object.keys(PORTS).entries()) ports[name] = free[index]
let servers = readFileSync(at('examples/client-address/nginx.conf'), 'utf8')
for (const [name, port] of Object.entries(PORTS)) {
  assert.ok(servers.includes(`${port}`), `nginx.conf has no port ${port}`)
  servers = servers.replaceAll(new RegExp(`\\b${port}\\b`, 'g'), `${ports[name]}`)
}
if (!hasIpv6) servers = servers.replaceAll(/^ *listen \[::\].*\n/gm, '')
const folder = newFolder()
const socket = join(folder, 'service.sock')
servers += `server {
  listen 127.0.0.1:${socketPort};
  location / { proxy_set_header X-Forwarded-For $remote_addr; proxy_pass http://unix:${socket}; }
}`
const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map((name) => `${name}_temp_path ${folder};`)
const main = `daemon off; pid ${folder}/pid; error_log stderr notice; worker_processes 1; events {}
http { access_log off; ${temporary.join(' ')}\n${servers}\n}`
writeFileSync(join(folder, 'nginx.conf'), main)
await startServer(
  { after },
  {
    program: program('nginx'),
    args: ['-p', folder, '-c', join(folder, 'nginx.conf'), '-e', 'stderr'],
    folder,
    ready: /start worker process \d/,
  },
)
after(() => {
  for (const child of services) child.kill()
})
await service({ OFFICE: `${CLIENT}/32` })

/** server.js where nginx looks for it, with these settings. The one from before ends. */
async function service({ LISTEN = String(ports.service), ...settings }) {
  const before = services.pop()
  if (before) {
    before.kill()
    await once(before, 'exit')
  }
  rmSync(socket, { force: true }) // the one from before leaves it
  const env = { ...process.env, LISTEN, ...settings }
  const child = spawn(process.execPath, [at('examples/client-address/server.js')], { env, stdio: 'inherit' })
  services.push(child)
  if (LISTEN === socket) {
    await eventually(() => chmodSync(socket, 0o777)) // nginx is another user
    await eventually(() => seenFrom(socketPort))
  } else await eventually(() => seenFrom(ports.service))
}

/** The client's address as the service sees it, and what the rules decide. */
async function seenFrom(port, { headers = {}, from = CLIENT, host = PROXY } = {}) {
  const request = get({ host, port, headers, ...(host === PROXY && { localAddress: from }), agent: false })
  const [answer] = await once(request, 'response')
  const body = await text(answer)
  assert.equal(answer.statusCode, 200, body)
  const { ip, decision } = JSON.parse(body)
  return { ip, says: decision.reason ?? decision.outcome }
}

const IN = { ip: CLIENT, says: 'allowed' }
const forged = {
  'x-forwarded-for': `${CLIENT}`,
  'x-real-ip': CLIENT,
  forwarded: `for=${CLIENT}`,
  'cf-connecting-ip': CLIENT,
}
const outside = (ip) => ({ ip, says: 'address_not_allowed' })

for (const way of /** @type {const} */ (['edge', 'firstOfTwo', 'second'])) {
  test(`T24: nginx, ${way}: the rules see the client, and no address that it sends`, async () => {
    assert.deepEqual(await seenFrom(ports[way]), IN)
    assert.deepEqual(await seenFrom(ports[way], { from: '127.0.0.3' }), outside('127.0.0.3'))
    assert.deepEqual(await seenFrom(ports[way], { from: '127.0.0.3', headers: forged }), outside('127.0.0.3'))
    assert.deepEqual(await seenFrom(ports[way], { headers: { 'x-forwarded-for': '198.51.100.1, garbage' } }), IN)
  })
}

test('T24: nginx, over IPv6: the rules see the client', { skip: !hasIpv6 && 'this machine has no IPv6' }, async () => {
  for (const port of [ports.edge, ports.firstOfTwo]) {
    assert.deepEqual(await seenFrom(port, { host: '::1' }), outside('::1'))
    assert.deepEqual(await seenFrom(port, { host: '::1', headers: forged }), outside('::1'))
  }
})

test('T24: past the proxies a client has its own address, whatever it sends', async () => {
  assert.deepEqual(await seenFrom(ports.service, { from: '127.0.0.3', headers: forged }), outside('127.0.0.3'))
})

test('T24: nginx behind Cloudflare: the header counts from its address alone', async () => {
  const headers = { 'cf-connecting-ip': CLIENT }
  assert.deepEqual(await seenFrom(ports.cloudflare, { from: PROXY, headers }), IN)
  assert.deepEqual(await seenFrom(ports.cloudflare, { from: '127.0.0.3', headers }), outside('127.0.0.3'))
  for (const none of ['', 'garbage', `${CLIENT}, ${CLIENT}x`])
    assert.deepEqual(
      await seenFrom(ports.cloudflare, { from: PROXY, headers: { 'cf-connecting-ip': none } }),
      outside(PROXY),
      none,
    )
})

test('T24: nginx behind a balancer: the PROXY protocol names the client, and a connection without it is ended', async () => {
  for (const [line, wanted] of /** @type {const} */ ([
    [`PROXY TCP4 ${CLIENT} 127.0.0.1 51008 80`, IN],
    ['PROXY TCP4 203.0.113.7 127.0.0.1 51008 80', outside('203.0.113.7')],
    ['PROXY TCP6 2001:db8::7 ::1 51008 80', outside('2001:db8::7')],
    ['PROXY UNKNOWN', outside(PROXY)],
  ]))
    assert.deepEqual(seenIn(await spoken(`${line}\r\n${ASKING}`)), wanted, line)
  assert.equal(await spoken(ASKING), '')
  assert.equal(await spoken(`PROXY TCP4 ${CLIENT}\r\n${ASKING}`), '')
})

const ASKING = `GET / HTTP/1.0\r\nhost: acme.example\r\nx-forwarded-for: ${CLIENT}\r\n\r\n`

/** The answer of the server with the PROXY protocol to these bytes, until it ends the connection. */
async function spoken(bytes) {
  const socket = connect(ports.proxyProtocol, PROXY).setEncoding('utf8')
  let answer = ''
  socket.on('data', (part) => {
    answer += part
  })
  socket.on('error', () => undefined) // an end by reset is an end
  socket.write(bytes)
  await once(socket, 'close')
  return answer
}

function seenIn(answer) {
  const [, body] = /^HTTP\/1\.1 200 [^]*?\r\n\r\n([^]*)$/.exec(answer)
  const { ip, decision } = JSON.parse(body)
  return { ip, says: decision.reason ?? decision.outcome }
}

test('T24: a number of proxies is right for as many, and a client past them names any address', async () => {
  await service({ OFFICE: `${CLIENT}/32`, TRUSTED_PROXIES: '1' })
  assert.deepEqual(await seenFrom(ports.edge, { headers: forged }), IN)
  assert.deepEqual(await seenFrom(ports.edge, { from: '127.0.0.3', headers: forged }), outside('127.0.0.3'))
  assert.deepEqual(await seenFrom(ports.firstOfTwo), outside(PROXY), 'too few shut out')
  assert.deepEqual(
    await seenFrom(ports.service, { from: '127.0.0.3', headers: forged }),
    IN,
    'why the guide wants addresses',
  )
  await service({ OFFICE: `${CLIENT}/32`, TRUSTED_PROXIES: '2' })
  assert.deepEqual(await seenFrom(ports.firstOfTwo, { from: '127.0.0.3', headers: forged }), outside('127.0.0.3'))
  assert.deepEqual(await seenFrom(ports.second, { from: '127.0.0.3', headers: forged }), IN, 'too many let in')
})

test('T24: without trust nobody has another address than the proxy', async () => {
  await service({ OFFICE: `${CLIENT}/32`, TRUSTED_PROXIES: '0' })
  assert.deepEqual(await seenFrom(ports.edge, { headers: forged }), outside(PROXY))
})

test('T24: the other end of a Unix socket has no address: a list denies, and a number of proxies is right', async () => {
  await service({ OFFICE: `${CLIENT}/32`, LISTEN: socket })
  assert.deepEqual(await seenFrom(socketPort, { headers: forged }), { ip: undefined, says: 'address_unknown' })
  await service({ OFFICE: `${CLIENT}/32`, LISTEN: socket, TRUSTED_PROXIES: '1' })
  assert.deepEqual(await seenFrom(socketPort), IN)
  assert.deepEqual(await seenFrom(socketPort, { from: '127.0.0.3', headers: forged }), outside('127.0.0.3'))
})
