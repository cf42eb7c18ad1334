// A wrong configuration stops Envoy. The log names the field and what is wrong, and tells no secret.
import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { generateKeys } from 'countersign'
import { request } from './http.mjs'
import { configWith, ENVOYS, jwksOf, named, policyWith, revocationBy, startEnvoy, TOKEN, verifyBy } from './support.mjs'

const keys = generateKeys()
const other = generateKeys()
const env = { COUNTERSIGN_KEYS: JSON.stringify(keys), COUNTERSIGN_STORAGE_TOKEN: TOKEN }
const [jwk] = (await jwksOf(keys)).keys
const [otherJwk] = (await jwksOf(other)).keys
const onLocalhost = { policy: policyWith({ origin: 'http://localhost:10000' }), pass: { cookie: 'second-factor' } }
const good = configWith({ jwks: { keys: [otherJwk] } })
const withKey = (key) => ({ ...good, jwks: { keys: [key] } })
const without = (name) => ({ ...good, [name]: undefined })

// [the mistake, the path that the log names, the configuration, the environment if it is another]
const WRONG = [
  ['no JSON', '', 'v: 1'],
  ['nothing', '', ''],
  ['a list', '', '[]'],
  ['two documents', '', `${JSON.stringify(good)}{}`],
  ['a key twice', '', JSON.stringify(good).replace('{"v":1', '{"v":1,"v":1')],
  ['another version', 'v', { ...good, v: 2 }],
  ['no version', '', without('v')],
  ['an unknown key', '', { ...good, enforced: true }],
  ['an unknown mode', 'mode', { ...good, mode: 'report' }],
  ['no policy', '', without('policy')],
  ['a policy with an unknown key', 'policy', { ...good, policy: policyWith({ force: true }) }],
  [
    'a policy with a wrong network',
    'policy.network.allow[1]',
    { ...good, policy: policyWith({ network: { allow: ['198.51.100.0/24', '010.0.0.0/8'] } }) },
  ],
  ['a policy with a wrong origin', 'policy.origin', { ...good, policy: policyWith({ origin: 'http://acme.example' }) }],
  ['a policy with a wrong lifetime', 'policy.passSeconds', { ...good, policy: policyWith({ passSeconds: 1 }) }],
  ['no keys at all', 'jwks', without('jwks'), {}],
  ['an empty JWK set and no keys in the environment', 'jwks', { ...good, jwks: { keys: [] } }, {}],
  ['a list of keys in place of a JWK set', 'jwks', { ...good, jwks: [jwk] }],
  ['a JWK set with an unknown member', 'jwks.expires', { ...good, jwks: { keys: [jwk], expires: 1 } }],
  ['a private key in the configuration', 'jwks.keys[0].d', withKey({ ...jwk, d: other.signing[0].secret })],
  [
    'a secret key beside the public one',
    'jwks.keys[1].k',
    { ...good, jwks: { keys: [jwk, { kty: 'oct', kid: 'hs', alg: 'HS256', k: other.sealing[0].secret }] } },
  ],
  ['a key as it is in the key ring', 'jwks.keys[0].secret', withKey(other.signing[0])],
  ['a key with an unknown member', 'jwks.keys[0].ext', withKey({ ...jwk, ext: true })],
  ['a key without a name', 'jwks.keys[0].kid', withKey({ ...jwk, kid: undefined })],
  ['a public key that is too short', 'jwks.keys[0].x', withKey({ ...jwk, x: 'AAAA' })],
  ['a key of another algorithm', 'jwks.keys[0].alg', withKey({ ...jwk, alg: 'none' })],
  ['two keys of one name', 'jwks.keys[1].kid', { ...good, jwks: { keys: [jwk, { ...otherJwk, kid: jwk.kid }] } }],
  ['another key under the name of one in the environment', 'jwks', withKey({ ...otherJwk, kid: jwk.kid })],
  [
    'keys in the environment that are no JSON',
    'COUNTERSIGN_KEYS',
    good,
    { ...env, COUNTERSIGN_KEYS: `${JSON.stringify(keys).slice(0, -3)}` },
  ],
  [
    'a wrong secret in the environment',
    'COUNTERSIGN_KEYS.signing[0].secret',
    good,
    {
      ...env,
      COUNTERSIGN_KEYS: JSON.stringify({
        ...keys,
        signing: [{ ...keys.signing[0], secret: `${keys.signing[0].secret}AAAA` }],
      }),
    },
  ],
  ['no session', '', without('session')],
  ['a session by another word', 'session', { ...good, session: 'none' }],
  ['a session id of another form', 'session', { ...good, session: { cookie: '__Host-session', id: 'md5' } }],
  ['a session without a form', 'session', { ...good, session: { cookie: '__Host-session' } }],
  ['a session cookie that is no name', 'session.cookie', { ...good, session: { cookie: 'a=b', id: 'plain' } }],
  [
    'one cookie for session and pass',
    'session.cookie',
    { ...good, session: { cookie: '__Host-second-factor', id: 'plain' } },
  ],
  [
    'a session that resembles the pass',
    'session.cookie',
    { ...good, session: { cookie: '__host-second.factor', id: 'plain' }, pass: { cookie: '__Host-second_factor' } },
  ],
  ['no challenge', '', without('challenge')],
  ['a challenge page behind the gate', 'challenge.page', { ...good, challenge: { page: '/login' } }],
  [
    'a challenge page that is a script',
    'challenge.page',
    { ...good, challenge: { page: 'javascript:alert(1)', returnTo: 'https://app.acme.example' } },
  ],
  [
    'a challenge page of no scheme',
    'challenge.page',
    { ...good, challenge: { page: '//evil.example/login' }, exempt: { prefixes: [] } },
  ],
  [
    'a challenge page with a query',
    'challenge.page',
    { ...good, challenge: { page: 'https://login.acme.example/login?next=', returnTo: 'https://app.acme.example' } },
  ],
  [
    'a page elsewhere without the way back',
    'challenge.returnTo',
    { ...good, challenge: { page: 'https://login.acme.example/login' } },
  ],
  [
    'a way back with a path',
    'challenge.returnTo',
    { ...good, challenge: { ...good.challenge, returnTo: 'https://app.acme.example/x' } },
  ],
  ['too many hops', 'clientAddress.trustedHops', { ...good, clientAddress: { trustedHops: 6 } }],
  ['a negative hop', 'clientAddress.trustedHops', { ...good, clientAddress: { trustedHops: -1 } }],
  ['proof by another word', 'proof', { ...good, proof: 'sometimes' }],
  ['a setting of the policy beside it', 'require', { ...good, require: 'everyone' }],
  ['an exempt path without a slash', 'exempt.paths[0]', { ...good, exempt: { paths: ['healthz'] } }],
  ['an exempt path with dots', 'exempt.paths[0]', { ...good, exempt: { paths: ['/a/../b'] } }],
  ['an exempt path with an escape', 'exempt.paths[1]', { ...good, exempt: { paths: ['/a', '/%61'] } }],
  ['everything exempt', 'exempt.prefixes', { ...good, exempt: { prefixes: ['/assets/', '/'] } }],
  ['an exempt prefix without its slash', 'exempt.prefixes[0]', { ...good, exempt: { prefixes: ['/assets'] } }],
  ['a prefix of API clients without its slash', 'apiPaths.prefixes[0]', { ...good, apiPaths: { prefixes: ['/api'] } }],
  ['a route without a place', 'routes[0]', { ...good, routes: [{ maxAge: 300 }] }],
  ['a route with two places', 'routes[0]', { ...good, routes: [{ path: '/a', prefix: '/b/', maxAge: 300 }] }],
  ['a route that asks for nothing', 'routes[1]', { ...good, routes: [{ path: '/a', maxAge: 300 }, { path: '/b' }] }],
  [
    'a route with a method that is none',
    'routes[0].methods[0]',
    { ...good, routes: [{ path: '/a', methods: ['password'] }] },
  ],
  ['a route without methods', 'routes[0].methods', { ...good, routes: [{ path: '/a', methods: [] }] }],
  ['a route with a wrong age', 'routes[0].maxAge', { ...good, routes: [{ path: '/a', maxAge: 0 }] }],
  ['a pass cookie without prefix', 'pass.cookie', { ...good, pass: { cookie: 'second-factor' } }],
  ['G13: the pass under a name of https, on http://localhost', 'pass.cookie', { ...good, ...onLocalhost, pass: {} }],
  ['G13: the session under a name of https, on http://localhost', 'session.cookie', { ...good, ...onLocalhost }],
  ['a pass cookie that is no name', 'pass.cookie', { ...good, pass: { cookie: '__Host-a;b' } }],
  ['a cache without bound', 'pass.cacheEntries', { ...good, pass: { cacheEntries: 1_000_000_000 } }],
  ['verify without the key ring', 'verify', { ...good, verify: verifyBy() }, { COUNTERSIGN_STORAGE_TOKEN: TOKEN }],
  [
    'verify without a sealing key',
    'COUNTERSIGN_KEYS.sealing',
    { ...good, verify: verifyBy() },
    { ...env, COUNTERSIGN_KEYS: JSON.stringify({ ...keys, sealing: [] }) },
  ],
  [
    'verify without a key to sign with',
    'verify',
    { ...good, verify: verifyBy() },
    { ...env, COUNTERSIGN_KEYS: JSON.stringify({ ...keys, signing: [{ kid: jwk.kid, alg: 'EdDSA', public: jwk.x }] }) },
  ],
  ['verify without the token', 'verify', { ...good, verify: verifyBy() }, { COUNTERSIGN_KEYS: env.COUNTERSIGN_KEYS }],
  ['a short token', 'verify', { ...good, verify: verifyBy() }, { ...env, COUNTERSIGN_STORAGE_TOKEN: 'short' }],
  [
    'a token with a blank',
    'revocation',
    { ...good, revocation: revocationBy() },
    { ...env, COUNTERSIGN_STORAGE_TOKEN: `${TOKEN} x` },
  ],
  ['verify where sessions are unbound', 'session', { ...good, session: 'unbound', verify: verifyBy() }],
  ['verify for the users of any account', 'verify', { ...good, accounts: 'any', verify: verifyBy() }],
  ['verify without a cluster', 'verify.cluster', { ...good, verify: verifyBy({ cluster: '' }) }],
  ['verify with a wrong path', 'verify.path', { ...good, verify: verifyBy({ path: 'internal' }) }],
  [
    'verify with a line break in the authority',
    'verify.authority',
    { ...good, verify: verifyBy({ authority: 'a\r\nx: y' }) },
  ],
  ['verify with a wrong time', 'verify.timeoutMs', { ...good, verify: verifyBy({ timeoutMs: 0 }) }],
  ['verify by no method', 'verify.methods', { ...good, verify: verifyBy({ methods: [] }) }],
  [
    'revocation without the token',
    'revocation',
    { ...good, revocation: revocationBy() },
    { COUNTERSIGN_KEYS: env.COUNTERSIGN_KEYS },
  ],
  [
    'revocation that is stale at once',
    'revocation.maxStaleSeconds',
    { ...good, revocation: revocationBy({ everySeconds: 60, maxStaleSeconds: 60 }) },
  ],
  [
    'revocation without an interval',
    'revocation.everySeconds',
    { ...good, revocation: revocationBy({ everySeconds: 0 }) },
  ],
  ['debug that is no yes or no', 'debug', { ...good, debug: 'yes' }],
]

const SECRETS = [...keys.sealing, ...keys.signing, ...other.sealing, ...other.signing]
  .map(({ secret }) => secret)
  .concat(TOKEN)

function noSecretIn(log) {
  for (const secret of SECRETS) {
    for (let at = 0; at + 16 <= secret.length; at += 8)
      assert.ok(!log.includes(secret.slice(at, at + 16)), `a secret in the log: ${log}`)
  }
  assert.doesNotMatch(log, /panicked|backtrace/)
}

/** Asserts that the filter wrote one line to the log, which names this path or one below it. */
function names(log, path) {
  const [line, ...more] = [...log.matchAll(/: countersign: (.*)$/gm)].map(([, line]) => line)
  assert.ok(line, log)
  assert.deepEqual(more, [])
  if (path)
    assert.ok(
      [': ', '.', '['].some((end) => line.startsWith(`\`${path}${end === ': ' ? '`: ' : end}`)),
      line,
    )
  assert.match(line, path ? /^`[^`]+`: \S/ : /^\S/)
  noSecretIn(log)
}

const listenerOf = (config) => ({ main: typeof config === 'string' ? { text: config } : { config } })
const clusters = { app: 1, storage: 1 }

async function stops(t, envoy, config, environment, path) {
  const { code, log } = await startEnvoy(t, {
    ...envoy,
    clusters,
    env: environment,
    listeners: listenerOf(config),
    refused: true,
  })
  assert.equal(code, 1, log)
  names(log, path)
}

// These Envoys get one wrong configuration after the other, and keep the good one that they have.
const running = await Promise.all(
  ENVOYS.map((envoy) => startEnvoy({ after }, { ...envoy, clusters, env, updated: true, listeners: listenerOf(good) })),
)

for (const [why, path, config, environment] of WRONG) {
  if (environment === undefined) {
    test(`wrong configuration, ${why}: refused, the log names \`${path}\`, and the gate stays as it was`, async () => {
      for (const envoy of running) {
        const before = envoy.log().length
        assert.equal(await envoy.update(listenerOf(config)), false)
        names(envoy.log().slice(before), path)
        const answer = await request(envoy.ports.main, {})
        assert.equal(answer.status, 401)
        assert.equal(answer.json.reason, 'no_pass')
      }
    })
  } else {
    // The environment belongs to the process, so Envoy is started with it.
    test(`wrong secrets, ${why}: Envoy stops, and the log names \`${path}\``, (t) =>
      stops(t, ENVOYS[0], config, environment, path))
  }
}

test('after all these, a good configuration is taken', async () => {
  for (const envoy of running) {
    assert.equal(await envoy.update(listenerOf({ ...good, debug: true })), true)
    const answer = await request(envoy.ports.main, {})
    assert.ok(answer.json.explanation)
    // With names that browsers take there, http://localhost is no mistake.
    const names = { session: { cookie: 'session', id: 'plain' } }
    assert.equal(await envoy.update(listenerOf({ ...good, ...onLocalhost, ...names })), true)
    // A public key may stand in both places.
    assert.equal(await envoy.update(listenerOf(withKey(jwk))), true)
  }
})

const POLICIES = [
  { failure_policy: 'FAIL_RELOAD' },
  { failure_policy: 'FAIL_CLOSED' },
  { failure_policy: 'FAIL_OPEN' },
  { fail_open: false },
  { fail_open: true },
]

test('a wrong configuration is refused whatever failure policy is set', async () => {
  for (const [index, failure] of POLICIES.entries()) {
    for (const envoy of running)
      assert.equal(await envoy.update({ main: { config: { ...good, v: 2 + index }, failure } }), false)
  }
})

for (const envoy of ENVOYS) {
  test(`a wrong configuration at the start stops Envoy, even where the filter may be left out (${named(envoy)})`, async (t) => {
    for (const failure of [POLICIES[0], POLICIES[2]]) {
      const { code, log } = await startEnvoy(t, {
        ...envoy,
        clusters,
        env,
        listeners: { main: { config: { ...good, v: 2 }, failure } },
        refused: true,
      })
      assert.equal(code, 1)
      names(log, 'v')
    }
  })
}
