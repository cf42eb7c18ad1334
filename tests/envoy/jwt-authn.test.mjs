// The pass is an ordinary JWS: Envoy's own jwt_authn accepts it, with the example's configuration.
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { createSecondFactor, generateKeys, memoryStore } from 'countersign'
import { fixedClock } from 'countersign/testing'
import { request } from './http.mjs'
import { cookies, ENVOYS, mint, named, passed, policyWith, startEnvoy, startUpstream } from './support.mjs'

const example = readFileSync(new URL('../../examples/envoy/jwt-authn.yaml', import.meta.url), 'utf8')
const ORIGIN = 'http://localhost:10000'
const policy = policyWith({ origin: ORIGIN })

/** The example on free ports, with real keys in place of its sample keys. */
function bootstrap(jwks, upstream) {
  const [, indent, sample] = /inline_string: \|\n(\s+)(\{ "keys"[\s\S]*?\] \})\n/.exec(example)
  assert.ok(indent)
  return example
    .replace(sample, JSON.stringify(jwks))
    .replace(/port_value: (\d+)/g, (_, port) => `port_value: ${port === '4000' ? upstream : 0}`)
}

for (const envoy of ENVOYS) {
  test(`jwt_authn accepts a pass, and refuses a changed, expired, foreign or missing one (${named(envoy)})`, async (t) => {
    const keys = generateKeys()
    const clock = fixedClock(1_800_000_000)
    const factor = await createSecondFactor({ policy: policyWith({ methods: ['totp'] }), keys, store: memoryStore() })
    const upstream = await startUpstream(t)
    const at = await startEnvoy(t, { ...envoy, clock, bootstrap: bootstrap(await factor.jwks(), upstream.port) })
    const ask = (pass, more = {}) =>
      request(at.ports.front, {
        headers: [['cookie', cookies({ session: 's1', 'second-factor': pass })], ...(more.headers ?? [])],
        ...(more.path && { path: more.path }),
      })
    const pass = await mint({ keys, policy, at: clock() })
    const seen = passed(await ask(pass))
    assert.equal(seen.get('x-second-factor-sub'), 'ann')
    assert.equal(
      passed(await ask(pass, { headers: [['x-second-factor-sub', 'root']] })).get('x-second-factor-sub'),
      'ann',
    )
    const forged = ['X-Second-Factor-', 'x.second.factor.', 'x~second-factor!'].flatMap((start) =>
      ['sub', 'method', 'amr', 'at', 'role'].map((name) => [`${start}${name}`, 'root']),
    )
    assert.deepEqual(passed(await ask(undefined, { path: '/healthz', headers: forged })).identity, {})
    assert.deepEqual(passed(await ask(pass, { headers: forged })).identity, { 'x-second-factor-sub': 'ann' })
    assert.equal((await ask(undefined)).status, 401)
    assert.equal(passed(await ask(undefined, { path: '/healthz' })).method, 'GET')
    for (const bad of [
      pass.slice(0, -4),
      `${pass.slice(0, -10)}AAAAAAAAAA`,
      pass.replace(/\.[^.]{8}/, '.AAAAAAAA'),
      `${pass.split('.').slice(0, 2).join('.')}.`,
      await mint({ keys: generateKeys(), policy, at: clock() }),
      await mint({ keys, policy: policyWith(), at: clock() }),
    ])
      assert.equal((await ask(bad)).status, 401, bad)
    assert.equal(
      (await ask(await mint({ keys, policy: { ...policy, audience: 'https://other.example' }, at: clock() }))).status,
      403,
    )
    // The example allows clocks to differ by half a minute.
    clock.advance(43_200 + 29)
    at.tick(clock())
    passed(await ask(pass))
    clock.advance(2)
    at.tick(clock())
    assert.equal((await ask(pass)).status, 401)
  })
}
