// Inputs that failed in the field, each by the id of its row, in the real Envoy.
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { generateKeys } from 'countersign'
import { parse } from 'yaml'
import { at } from '../../scripts/common.mjs'
import { http2 } from './http.mjs'
import {
  cookies,
  ENVOYS,
  jwksOf,
  named,
  ORIGIN,
  onEach,
  PASS,
  passed,
  policyWith,
  refused,
  SESSION,
  startGate,
  verifyBy,
} from './support.mjs'

const read = (path) => readFileSync(at(path), 'utf8')
// The cors filter of the example, and the policy that its README shows.
const [cors] = parse(read('examples/envoy/envoy.yaml')).static_resources.listeners[0].filter_chains[0].filters[0]
  .typed_config.http_filters
const [, snippet] = /```yaml\n( *typed_per_filter_config:\n[\s\S]*?)```/.exec(read('examples/envoy/README.md'))
const withCorsPolicy = parse(snippet)
const PAGES = 'https://pages.acme.example'
const preflight = [
  ['origin', PAGES],
  ['access-control-request-method', 'POST'],
  ['access-control-request-headers', 'content-type'],
]
const html = ['accept', 'text/html,application/xhtml+xml,*/*;q=0.8']
const navigation = [html, ['sec-fetch-mode', 'navigate']]

await onEach(
  {
    config: { routes: [{ prefix: '/admin/', maxAge: 300 }], exempt: { paths: ['/healthz'] }, verify: verifyBy() },
    listeners: {
      corsBefore: { before: [cors], host: withCorsPolicy },
      forwarding: {
        config: { forwardPreflight: true, routes: [{ prefix: '/admin/', maxAge: 300 }], verify: verifyBy() },
      },
      forwardingFromElsewhere: {
        hops: 1,
        config: {
          forwardPreflight: true,
          clientAddress: { trustedHops: 1 },
          policy: policyWith({ network: { deny: ['198.51.100.0/24'] } }),
        },
      },
      forwardingH2: { cluster: 'app-h2', config: { forwardPreflight: true } },
      h2: { cluster: 'app-h2', underscores: 'ALLOW', config: { verify: verifyBy(), exempt: { paths: ['/healthz'] } } },
      behindOne: {
        hops: 1,
        config: { clientAddress: { trustedHops: 1 }, policy: policyWith({ network: { allow: ['203.0.113.7'] } }) },
      },
      // Envoy's own view: the filter takes the address from Envoy and reads no header.
      asEnvoySees: { hops: 1, config: { policy: policyWith({ network: { allow: ['203.0.113.7'] } }) } },
      asEnvoySeesPeer: { hops: 1, config: { policy: policyWith({ network: { allow: ['127.0.0.1'] } }) } },
    },
  },
  (gate, test) => {
    test('G4: a good pass beside the service’s own bearer token is admitted, and the token is handed on', async () => {
      const pass = await gate.mint()
      const jwt = `${Buffer.from('{"alg":"RS256","typ":"JWT"}').toString('base64url')}.e30.c2ln`
      for (const token of ['Bearer of-the-service', `bearer ${jwt}`, 'Bearer ', 'Basic YTpi']) {
        const seen = passed(await gate.visit({ pass, headers: [['authorization', token]] }))
        assert.equal(seen.get('authorization'), token.trim())
        assert.equal(seen.identity['x-second-factor-sub'], 'ann')
      }
    })

    test('G4: a second pass, a second token and a bad pass are refused as before', async () => {
      const [pass, other] = [await gate.mint(), await gate.mint({ user: 'bob', session: 's1' })]
      for (const token of [
        `Bearer ${pass}`,
        `Bearer ${other}`,
        `Bearer x, Bearer ${other}`,
        `Bearer ${other}, Bearer x`,
      ])
        refused(await gate.visit({ pass, headers: [['authorization', token]] }), 400, 'duplicate_header')
      const two = ['Bearer x', 'Bearer y'].map((token) => ['authorization', token])
      refused(await gate.visit({ pass, headers: two }), 400, 'duplicate_header')
      const own = [['authorization', 'Bearer of-the-service']]
      refused(await gate.visit({ pass: `${pass.slice(0, -8)}AAAAAAAA`, headers: own }), 401, 'pass_invalid')
      refused(await gate.visit({ pass, session: 's2', headers: own }), 401, 'other_session')
      refused(await gate.visit({ headers: own }), 401, 'pass_invalid')
    })

    test('G6: by default a preflight is refused like every request without a pass', async () => {
      refused(await gate.send({ method: 'OPTIONS', headers: preflight }), 401, 'no_pass')
    })

    test('G6: Envoy’s cors filter before the gate answers preflights, and marks the gate’s refusals', async () => {
      const ask = (options) => gate.send({ listener: 'corsBefore', ...options })
      const before = gate.upstream.count
      const allowed = await ask({ method: 'OPTIONS', headers: preflight })
      assert.equal(allowed.status, 200)
      assert.equal(allowed.get('access-control-allow-origin'), PAGES)
      assert.equal(allowed.get('access-control-allow-credentials'), 'true')
      assert.equal(gate.upstream.count, before, 'Envoy answers by itself')
      const foreign = [['origin', 'https://evil.example'], ...preflight.slice(1)]
      refused(await ask({ method: 'OPTIONS', headers: foreign }), 401, 'no_pass')
      const refusal = refused(await ask({ headers: [['origin', PAGES]] }), 401, 'no_pass')
      assert.equal(refusal.get('access-control-allow-origin'), PAGES, 'the page may read why')
      const answer = await gate.visit({ listener: 'corsBefore', pass: await gate.mint(), headers: [['origin', PAGES]] })
      assert.equal(passed(answer).identity['x-second-factor-sub'], 'ann')
      assert.equal(answer.get('access-control-allow-origin'), PAGES)
    })

    test('G6: with forwardPreflight the service answers preflights, and sees no credential', async () => {
      const before = (await gate.counters()).allowed
      const credentials = [
        ['cookie', cookies({ [SESSION]: 's1', [PASS]: await gate.mint() })],
        ['authorization', 'Bearer of-the-service'],
        ['x-otp', '123456'],
        ['x-otp-ticket', 'x'],
        ['x-second-factor-sub', 'mallory'],
      ]
      for (const path of ['/reports', '/admin/keys', '/x?y=1']) {
        const headers = [...preflight, ...credentials, ['x-app', '1']]
        const seen = passed(await gate.send({ listener: 'forwarding', method: 'OPTIONS', path, headers }))
        assert.equal(seen.method, 'OPTIONS')
        for (const [name] of credentials) assert.equal(seen.get(name), undefined, name)
        for (const [name, value] of [...preflight, ['x-app', '1']]) assert.equal(seen.get(name), value)
      }
      assert.equal((await gate.counters()).allowed - before, 3)
    })

    test('G6: a request that only resembles a preflight needs a pass', async () => {
      const [origin, method] = preflight
      const ask = (options) => gate.send({ listener: 'forwarding', method: 'OPTIONS', ...options })
      for (const options of [
        { method: 'GET', headers: preflight },
        { method: 'POST', headers: preflight },
        { method: 'options', headers: preflight },
        { headers: [origin] },
        { headers: [method] },
        { headers: [['origin', ''], method] },
        { headers: [origin, ['access-control-request-method', '']] },
        { headers: preflight, body: 'data' },
        { headers: [...preflight, ['transfer-encoding', 'chunked']], body: '' },
        { headers: [...preflight, ['x-http-method-override', 'GET']] },
        { headers: [...preflight, ['x-http-method', 'GET']] },
        { headers: [...preflight, ['x-method-override', 'GET']] },
      ]) {
        const answer = await ask(options)
        assert.ok([400, 401].includes(answer.status), `${JSON.stringify(options)}: ${answer.status}`)
      }
      const upgrade = [
        ['connection', 'upgrade'],
        ['upgrade', 'websocket'],
      ]
      assert.ok([401, 403].includes((await ask({ headers: [...preflight, ...upgrade] })).status))
      passed(await ask({ headers: preflight }))
    })

    test('G6: a deny rule holds for preflights', async () => {
      const from = (address) =>
        gate.send({
          listener: 'forwardingFromElsewhere',
          method: 'OPTIONS',
          headers: [...preflight, ['x-forwarded-for', address]],
        })
      refused(await from('198.51.100.7'), 403, 'address_denied')
      refused(await from('garbage'), 403, 'address_unknown')
      passed(await from('203.0.113.7'))
    })

    test('G6: over HTTP/2, and with a body', async (t) => {
      const ask = http2(t, gate.envoy.ports.forwardingH2)
      const headers = { ':method': 'OPTIONS', ...Object.fromEntries(preflight) }
      const seen = JSON.parse((await ask(headers)).text)
      assert.equal(seen.method, 'OPTIONS')
      assert.equal((await ask(headers, 'body')).status, 401)
    })

    test('G7: the login page is told the reason, and the age where a route asks for one', async () => {
      const start = gate.clock()
      const pass = await gate.mint()
      const at = async (path, options = {}) => {
        const answer = await gate.visit({ path, ...options, headers: navigation })
        assert.equal(answer.status, 303)
        const { searchParams, origin, pathname } = new URL(answer.get('location'))
        assert.equal(origin + pathname, `${ORIGIN}/login`)
        return [...searchParams]
      }
      const next = (path) => ['next', `https://app.acme.example${path}`]
      assert.deepEqual(await at('/x?reason=none&max_age=1'), [next('/x?reason=none&max_age=1'), ['reason', 'no_pass']])
      assert.deepEqual(await at('/admin/keys'), [next('/admin/keys'), ['reason', 'no_pass'], ['max_age', '300']])
      assert.deepEqual(await at('/x', { pass, session: 's2' }), [next('/x'), ['reason', 'other_session']])
      gate.advance(301)
      passed(await gate.visit({ pass, headers: navigation }))
      assert.deepEqual(await at('/admin/keys', { pass }), [
        next('/admin/keys'),
        ['reason', 'pass_too_old'],
        ['max_age', '300'],
      ])
      gate.setTime(start)
    })

    test('G10 T50: credentials in HTTP/2 trailers reach no upstream', async (t) => {
      const ask = http2(t, gate.envoy.ports.h2)
      const person = await gate.enroll()
      const forged = {
        cookie: [`${SESSION}=of-someone-else`, 'a=b'],
        Authorization: 'Bearer of-someone-else',
        'x-second-factor-sub': 'mallory',
        'x-otp': '1',
        'x-checksum': 'abc',
      }
      const session = `${SESSION}=s1`
      for (const headers of [
        { cookie: `${session}; ${PASS}=${await gate.mint()}` },
        { cookie: session, 'x-otp': person.code(), 'x-otp-ticket': await person.ticket() },
        { ':path': '/healthz' },
      ]) {
        const { status, text } = await ask({ ':method': 'POST', ...headers }, 'body', forged)
        assert.equal(status, 200, text)
        assert.deepEqual(JSON.parse(text).trailers, { 'x-checksum': 'abc' })
      }
    })

    test('G14: Envoy takes its own peer for the client where the entry has a port, and the gate believes neither', async () => {
      const pass = await gate.mint()
      const ask = async (listener, list) => {
        const answer = await gate.visit({ listener, pass, headers: [['x-forwarded-for', list]] })
        return answer.status === 200 ? 'in' : answer.json.reason
      }
      assert.equal(await ask('behindOne', '203.0.113.7'), 'in')
      assert.equal(await ask('asEnvoySees', '203.0.113.7'), 'in')
      assert.equal(await ask('asEnvoySeesPeer', '203.0.113.7'), 'address_not_allowed')
      for (const entry of ['203.0.113.7:51008', '[2001:db8::1]:443', '[2001:db8::1]']) {
        assert.equal(await ask('asEnvoySees', entry), 'address_not_allowed', entry)
        assert.equal(await ask('asEnvoySeesPeer', entry), 'in', `${entry}: to Envoy, the load balancer is the client`)
        assert.equal(await ask('behindOne', entry), 'address_unknown', entry)
      }
    })

    test('G15: a script of before fetch metadata is told 401 and not sent to a page', async () => {
      for (const accept of ['text/html, */*', 'text/html, */*; q=0.01', html[1]]) {
        const headers = [
          ['accept', accept],
          ['x-requested-with', 'XMLHttpRequest'],
        ]
        refused(await gate.visit({ headers }), 401, 'no_pass')
      }
      // An old WebView names its app in every navigation; it sends fetch metadata as well.
      const inApp = [...navigation, ['x-requested-with', 'com.example.app']]
      assert.equal((await gate.visit({ headers: inApp })).status, 303)
      assert.equal((await gate.visit({ headers: [html] })).status, 303)
    })
  },
)

for (const envoy of ENVOYS) {
  test(`C1: a pass lives no longer than the policy that checks it allows, and a pushed configuration has a cache of its own (${named(envoy)})`, async (t) => {
    const [keys, others] = [generateKeys(), generateKeys()]
    const jwks = await jwksOf(keys)
    const gate = await startGate(t, { ...envoy, keys, env: {}, config: { jwks }, updated: true })
    const pass = await gate.mint()
    gate.advance(700)
    const all = async (check) => {
      // As many that each worker has one, and the second comes from its cache.
      for (let i = 0; i < 12; i += 1) check(await gate.visit({ pass }))
    }
    await all(passed)
    await gate.push({ jwks, policy: policyWith({ passSeconds: 600 }) })
    await all((answer) => refused(answer, 401, 'pass_expired'))
    await gate.push({ jwks, policy: policyWith({ passSeconds: 701 }) })
    await all(passed)
    await gate.push({ jwks, policy: policyWith({ audience: 'another' }) })
    await all((answer) => refused(answer, 401, 'pass_invalid'))
    await gate.push({ jwks: await jwksOf(others) })
    await all((answer) => refused(answer, 401, 'pass_invalid'))
    await gate.push({ jwks })
    await all(passed)
    gate.advance(43_200 - 701)
    await all(passed)
    gate.advance(1)
    await all((answer) => refused(answer, 401, 'pass_expired'))
    await gate.healthy()
  })
}
