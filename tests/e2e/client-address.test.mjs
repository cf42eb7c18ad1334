// examples/client-address/client-address.js: the client's address on each platform, from the headers that it writes.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, get } from 'node:http'
import { text } from 'node:stream/consumers'
import { test } from 'node:test'
import { policy } from 'countersign'
import { at } from '../../scripts/common.mjs'

const platforms = await import(at('examples/client-address/client-address.js'))

const V4 = '203.0.113.7'
const V6 = '2001:db8::7'
/** Texts that a client sends in place of its address. */
const FORGED = '198.51.100.1'
const FRONT_DOOR = '5e3a9b1c-0000-4000-8000-000000000001'
const cloudflare = platforms.networks(['173.245.48.0/20', '2400:cb00::/32'])

const reading =
  (name, ...more) =>
  (headers, peer) =>
    platforms[name]({ headers, socket: { remoteAddress: peer } }, ...more)
const xff = (value) => ({ 'x-forwarded-for': value })
const fromFrontDoor = (address, id = FRONT_DOOR) => ({
  'x-azure-fdid': id,
  'x-azure-socketip': address,
  'x-azure-clientip': FORGED,
  ...xff(`${FORGED}, ${FORGED}`),
})

/**
 * Each platform: how it writes an address, and requests that tell none.
 * @type {[string, (headers: any, peer?: string) => string | undefined, (address: string) => [any, string?], [any, string?][]][]}
 */
const PLATFORMS = [
  ['direct', reading('direct'), (address) => [xff(FORGED), address], [[xff(V4)]]],
  [
    'Azure App Service',
    reading('azureAppService'),
    (address) => [xff(`${FORGED}, ${address}`)],
    [[{ 'x-client-ip': V4 }]],
  ],
  [
    'Azure Front Door',
    reading('azureFrontDoor', FRONT_DOOR),
    (address) => [fromFrontDoor(address)],
    [
      [fromFrontDoor(V4, 'another-front-door')],
      [{ 'x-azure-socketip': V4 }],
      [{ 'x-azure-fdid': FRONT_DOOR, 'x-azure-clientip': V4, ...xff(V4) }],
      [fromFrontDoor(V4, `${FRONT_DOOR}, ${FRONT_DOOR}`)],
    ],
  ],
  [
    'Cloudflare',
    reading('cloudflare', cloudflare),
    (address) => [{ 'cf-connecting-ip': address, ...xff(FORGED) }, '173.245.48.9'],
    [
      [{ 'cf-connecting-ip': V4 }, '173.245.64.9'],
      [{ 'cf-connecting-ip': V4 }, '2001:db8::1'],
      [{ 'cf-connecting-ip': V4 }],
      [xff(V4), '173.245.48.9'],
    ],
  ],
  ['AWS load balancer', reading('awsLoadBalancer'), (address) => [xff(`${FORGED},${address}`)], []],
  ['Google Cloud', reading('googleCloud'), (address) => [xff(`${FORGED},${address},192.0.2.80`)], [[xff(V4)]]],
  ['Fly.io', reading('fly'), (address) => [{ 'fly-client-ip': address, ...xff(FORGED) }], [[xff(V4)]]],
  ['Vercel', reading('vercel'), (address) => [{ 'x-vercel-forwarded-for': address, ...xff(FORGED) }], [[xff(V4)]]],
  [
    'proxies of your own',
    reading('ownProxies', (address) => address === '192.0.2.80'),
    (address) => [xff(`${FORGED}, ${address}, 192.0.2.80`), '192.0.2.80'],
    [[{}], [xff(`${V4}, not an address`), '192.0.2.80']],
  ],
]

/** Texts that are no address. */
const NO_ADDRESSES = [
  ...[
    '',
    ' ',
    'unknown',
    '-',
    'localhost',
    'client.example',
    '_hidden',
    '203.0.113',
    '203.0.113.256',
    '0xcb007107',
    '3405803783',
  ],
  ...[
    '010.0.0.1',
    '203.0.113.7:',
    '203.0.113.7:http',
    '203.0.113.7/32',
    '2001:db8::7]',
    '[2001:db8::7',
    '[2001:db8::7]x',
  ],
  ...[
    '[203.0.113.7',
    `x[${V6}]`,
    `x${V4}:80`,
    'fe80::1%eth0',
    '[fe80::1%eth0]:443',
    '2001:db8::7::',
    '"203.0.113.7"',
    'for=203.0.113.7',
    `${V4};${V4}`,
  ],
]

for (const [name, addressOf, written, silent] of PLATFORMS) {
  test(`T24: ${name}: the address is the one that the platform saw, and not one that a client sends`, () => {
    for (const address of [V4, V6, '::ffff:203.0.113.7']) assert.equal(addressOf(...written(address)), address)
    for (const [index, request] of silent.entries()) assert.equal(addressOf(...request), undefined, `request ${index}`)
    assert.equal(addressOf({}), undefined)
  })

  test(`C19: ${name}: a port and brackets are no part of the address`, () => {
    for (const text of [`${V4}:51008`, ` ${V4} `]) assert.equal(addressOf(...written(text)), V4, text)
    for (const text of [`[${V6}]:51008`, `[${V6}]`]) assert.equal(addressOf(...written(text)), V6, text)
  })

  test(`T23: ${name}: a form that nobody expects is no address, and a rule denies`, () => {
    // An empty entry of the list is none to proxy-addr, and no proxy writes one.
    for (const none of NO_ADDRESSES.slice(name === 'proxies of your own' ? 2 : 0)) {
      const ip = addressOf(...written(none))
      assert.equal(ip, undefined, none)
      assert.equal(decision(ip).reason, 'address_unknown')
    }
  })

  test(`T24: ${name}: a header that comes twice adds nothing that a client names`, async (t) => {
    const [headers, peer] = written(V4)
    const [value] = Object.values(headers)
    const twice = await headersOf(
      t,
      Object.entries(headers).flatMap(([key]) => [key, FORGED, key, headers[key]]),
    )
    const ip = addressOf(twice, peer)
    assert.ok(ip === undefined || ip === V4, `${value} → ${ip}`)
  })
}

test('T24: Cloudflare: its networks have IPv6 too, and IPv4 inside IPv6 as sockets of both families show it', () => {
  const addressOf = reading('cloudflare', cloudflare)
  const headers = { 'cf-connecting-ip': V4 }
  for (const peer of ['173.245.48.9', '::ffff:173.245.48.9', '2400:cb00::9'])
    assert.equal(addressOf(headers, peer), V4, peer)
  for (const peer of ['173.245.64.9', '::ffff:173.245.64.9', '2400:cb01::9', 'garbage', ''])
    assert.equal(addressOf(headers, peer), undefined, peer)
})

test('T24: a standard Request is read as one of Node’s', () => {
  for (const [name, header] of [
    ['fly', 'fly-client-ip'],
    ['vercel', 'x-vercel-forwarded-for'],
    ['awsLoadBalancer', 'x-forwarded-for'],
  ]) {
    const request = new Request('https://acme.example', { headers: { [header]: V4 } })
    assert.equal(platforms[name](request), V4)
    assert.equal(platforms[name](new Request('https://acme.example')), undefined)
  }
})

test('C19: CloudFront writes a port behind every address, and no brackets', () => {
  const addressOf = reading('cloudFront')
  const written = (value) => ({ 'cloudfront-viewer-address': value, ...xff(FORGED) })
  for (const address of [V4, V6]) assert.equal(addressOf(written(`${address}:46532`)), address)
  for (const value of [V4, '', ':46532', 'unknown:46532', `${V4}:46532, ${V4}:46532`, `${V4}:`])
    assert.equal(addressOf(written(value)), undefined, value)
  assert.equal(addressOf(xff(V4)), undefined)
})

test('T24: without the id of the Front Door nobody has an address', () => {
  for (const id of ['', undefined]) assert.equal(reading('azureFrontDoor', id)(fromFrontDoor(V4, id)), undefined)
  assert.equal(reading('azureFrontDoor', '')({ 'x-azure-socketip': V4, 'x-azure-fdid': '' }), undefined)
})

const decision = (ip) =>
  policy.decide(
    { v: 1, name: 'Acme', origin: 'https://acme.example', network: { allow: ['203.0.113.0/24'] } },
    { ip, channel: 'web', enrollment: 'none' },
  ).decision

/** The headers that Node makes of a request whose headers come in this order. */
async function headersOf(t, rawHeaders) {
  const server = createServer((request, response) => response.end(JSON.stringify(request.headers)))
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => server.close())
  const request = get({
    port: server.address().port,
    host: '127.0.0.1',
    headers: ['host', 'x', ...rawHeaders],
    agent: false,
  })
  const [answer] = await once(request, 'response')
  return JSON.parse(await text(answer))
}
