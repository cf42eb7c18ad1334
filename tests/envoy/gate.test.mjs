// Passes, routes, exemptions, address rules: which requests are admitted, as whom, and the refusals of the others.
import assert from 'node:assert/strict'
import {
  claimsOf,
  cookies,
  gateSession,
  hashed,
  ORIGIN,
  onEach,
  PASS,
  passed,
  policyWith,
  refused,
  SESSION,
  verifyBy,
} from './support.mjs'

const browser = [
  ['accept', 'text/html,application/xhtml+xml,*/*;q=0.8'],
  ['sec-fetch-mode', 'navigate'],
]
const page = `${ORIGIN}/login?next=`
const back = (target, why = 'reason=no_pass') =>
  `${page}${encodeURIComponent(`https://app.acme.example${target}`)}&${why}`

const LOCAL = policyWith({ origin: 'http://localhost:3000' })

await onEach(
  {
    config: {
      routes: [
        { prefix: '/admin/', maxAge: 300 },
        { path: '/export', methods: ['totp', 'sms'] },
        { path: '/admin/keys', maxAge: 60, methods: ['totp'] },
      ],
      exempt: { paths: ['/healthz'], prefixes: ['/assets/'] },
    },
    listeners: {
      hashed: { config: { session: { cookie: SESSION, id: 'sha256' } } },
      unbound: { config: { session: 'unbound' } },
      forward: { config: { pass: { forward: true } } },
      cookieOnly: { config: { pass: { bearer: false } } },
      sameSite: { config: { challenge: { page: '/login' }, exempt: { paths: ['/login'] } } },
      renamed: { config: { pass: { cookie: '__Host-2fa' } } },
      uncached: { config: { pass: { cacheEntries: 0 } } },
      debug: { config: { debug: true } },
      local: {
        config: {
          policy: LOCAL,
          pass: { cookie: 'second-factor' },
          session: { cookie: 'session', id: 'plain' },
          challenge: { page: 'http://localhost:3000/login', returnTo: 'http://localhost:10000' },
          verify: verifyBy(),
        },
      },
      // The same address rules as at the login. All requests come from 127.0.0.1.
      closed: {
        config: { policy: policyWith({ network: { allow: ['198.51.100.0/24'] } }), exempt: { paths: ['/healthz'] } },
      },
      denied: {
        config: { policy: policyWith({ network: { deny: ['127.0.0.0/8'] } }), exempt: { paths: ['/healthz'] } },
      },
      voluntary: { config: { policy: policyWith({ require: 'optional' }), proof: 'as_policy' } },
      voluntaryStrict: { config: { proof: 'as_policy', routes: [{ prefix: '/payroll/', maxAge: 60 }] } },
      forcedHere: { config: { policy: policyWith({ require: { networks: ['127.0.0.0/8'] } }), proof: 'as_policy' } },
      forcedElsewhere: {
        config: { policy: policyWith({ require: { networks: ['198.51.100.0/24'] } }), proof: 'as_policy' },
      },
      forcedAlways: { config: { policy: policyWith({ require: 'everyone' }), proof: 'as_policy' } },
      apiClients: {
        config: {
          apiPaths: { paths: ['/api'], prefixes: ['/api/'] },
          policy: policyWith({ network: { allow: ['127.0.0.1', '198.51.100.0/24'] } }),
        },
      },
      apiClientsFromAnywhere: {
        config: {
          apiPaths: { prefixes: ['/api/'] },
          policy: policyWith({ network: { allow: ['0.0.0.0/0', '::/0'] } }),
        },
      },
      apiClientsWithoutRule: { config: { apiPaths: { prefixes: ['/api/'] } } },
      apiClientsOptional: { config: { apiPaths: { prefixes: ['/api/'] }, proof: 'as_policy' } },
    },
  },
  (gate, test) => {
    test('no pass: 401 with the step-up challenge for programs', async () => {
      const answer = refused(await gate.visit({}), 401, 'no_pass')
      assert.equal(answer.get('location'), undefined)
      refused(await gate.send({}), 401, 'no_pass')
      for (const method of ['POST', 'PUT', 'DELETE', 'PATCH', 'OPTIONS'])
        refused(await gate.visit({ method, headers: browser }), 401, 'no_pass')
      assert.equal(gate.upstream.count, 0, 'nothing reached the upstream')
    })

    test('no pass: a browser going to a page is sent to the login page and told the way back', async () => {
      for (const path of ['/', '/reports?year=2026&q=a%20b', '/a/b/']) {
        for (const method of ['GET', 'HEAD']) {
          const answer = await gate.visit({ path, method, headers: browser })
          assert.equal(answer.status, 303)
          assert.equal(answer.get('location'), back(path))
          assert.equal(answer.get('cache-control'), 'no-store')
          assert.equal(answer.text, '')
        }
      }
      assert.equal((await gate.visit({ headers: [['accept', 'text/html']] })).status, 303, 'without fetch metadata')
      const own = await gate.visit({ listener: 'sameSite', path: '/x?y=1', headers: browser })
      assert.equal(own.get('location'), `/login?next=${encodeURIComponent('/x?y=1')}&reason=no_pass`)
    })

    test('no pass: scripts, images and JSON clients are not redirected', async () => {
      for (const headers of [
        [
          ['accept', 'text/html'],
          ['sec-fetch-mode', 'cors'],
        ],
        [
          ['accept', 'text/html'],
          ['sec-fetch-mode', 'no-cors'],
        ],
        [['accept', 'application/json']],
        [['accept', '*/*']],
        [],
      ])
        refused(await gate.visit({ headers }), 401, 'no_pass')
    })

    test('a good pass is admitted, and the upstream learns user, method and time', async () => {
      const pass = await gate.mint()
      const seen = passed(await gate.visit({ pass, path: '/reports?x=1', method: 'POST', body: 'hello' }))
      assert.deepEqual([seen.method, seen.path, seen.bytes], ['POST', '/reports?x=1', 5])
      assert.deepEqual(seen.identity, {
        'x-second-factor-sub': 'ann',
        'x-second-factor-amr': 'pwd,otp,mfa',
        'x-second-factor-method': 'totp',
        'x-second-factor-at': String(gate.clock()),
      })
      assert.equal(seen.get('cookie'), `${SESSION}=s1`, 'the pass stays at the gate, the session goes on')
      const bearer = passed(await gate.visit({ headers: [['authorization', `Bearer ${pass}`]] }))
      assert.deepEqual(bearer.identity, seen.identity)
      assert.equal(bearer.get('authorization'), undefined)
    })

    test('the upstream learns the method of each pass', async () => {
      const amr = { totp: 'pwd,otp,mfa', sms: 'pwd,sms,mfa', backup_code: 'pwd', recovery_code: 'pwd' }
      for (const [method, expected] of Object.entries(amr)) {
        const { identity } = passed(await gate.visit({ pass: await gate.mint({ method }) }))
        assert.equal(identity['x-second-factor-method'], method)
        assert.equal(identity['x-second-factor-amr'], expected)
      }
    })

    test('a user id in any script arrives as visible ASCII', async () => {
      for (const [user, expected] of [
        ['zoë @ 100%', 'zo%C3%AB%20@%20100%25'],
        ['用户', '%E7%94%A8%E6%88%B7'],
        ['a,b;c="d"', 'a,b;c="d"'],
      ]) {
        assert.equal(
          passed(await gate.visit({ pass: await gate.mint({ user }) })).identity['x-second-factor-sub'],
          expected,
        )
      }
    })

    test('pass.forward leaves the pass in its cookie or header', async () => {
      const pass = await gate.mint()
      assert.equal(
        passed(await gate.visit({ listener: 'forward', pass })).get('cookie'),
        `${SESSION}=s1; ${PASS}=${pass}`,
      )
      const headers = [['authorization', `Bearer ${pass}`]]
      assert.equal(passed(await gate.visit({ listener: 'forward', headers })).get('authorization'), `Bearer ${pass}`)
    })

    test('pass.bearer off: the authorization header goes to the upstream unread', async () => {
      const pass = await gate.mint()
      refused(
        await gate.visit({ listener: 'cookieOnly', headers: [['authorization', `Bearer ${pass}`]] }),
        401,
        'no_pass',
      )
      assert.equal(
        passed(await gate.visit({ listener: 'cookieOnly', pass, headers: [['authorization', 'Bearer theirs']] })).get(
          'authorization',
        ),
        'Bearer theirs',
      )
    })

    test('an authorization header of another scheme goes to the upstream', async () => {
      const pass = await gate.mint()
      assert.equal(
        passed(await gate.visit({ pass, headers: [['authorization', 'Basic YTpi']] })).get('authorization'),
        'Basic YTpi',
      )
      refused(await gate.visit({ headers: [['authorization', `Basic ${pass}`]] }), 401, 'no_pass')
      passed(await gate.visit({ headers: [['authorization', `bEARER ${pass}`]] }))
    })

    test('pass.cookie: under another name, the default name is no pass', async () => {
      const pass = await gate.mint()
      passed(
        await gate.send({
          listener: 'renamed',
          headers: [['cookie', cookies({ [SESSION]: 's1', '__Host-2fa': pass })]],
        }),
      )
      refused(await gate.visit({ listener: 'renamed', pass }), 401, 'no_pass')
    })

    test('pass_expired: to the second, whether cached or not', async () => {
      const at = gate.clock()
      const pass = await gate.mint()
      for (const listener of ['main', 'uncached']) {
        passed(await gate.visit({ listener, pass }))
        gate.setTime(claimsOf(pass).exp - 1)
        passed(await gate.visit({ listener, pass }))
        gate.setTime(claimsOf(pass).exp)
        refused(await gate.visit({ listener, pass }), 401, 'pass_expired')
        gate.setTime(at)
        passed(await gate.visit({ listener, pass }))
      }
    })

    test('pass_too_old: a route with maxAge asks for a fresh factor', async () => {
      const at = gate.clock()
      const old = await gate.mint({ at: at - 301 })
      const fresh = await gate.mint({ at: at - 300 })
      for (const path of ['/admin/', '/admin', '/admin/x?y', '/ADMIN/x']) {
        const answer = refused(await gate.visit({ pass: old, path }), 401, 'pass_too_old')
        assert.match(answer.get('www-authenticate'), /, max_age=300$/)
        passed(await gate.visit({ pass: fresh, path }))
      }
      passed(await gate.visit({ pass: old, path: '/administrator' }))
      passed(await gate.visit({ pass: old, path: '/' }))
      assert.equal(
        (await gate.visit({ pass: old, path: '/admin/x', headers: browser })).get('location'),
        back('/admin/x', 'reason=pass_too_old&max_age=300'),
      )
    })

    test('method_not_accepted: a route with methods; all routes that match hold together', async () => {
      const backup = await gate.mint({ method: 'backup_code' })
      const sms = await gate.mint({ method: 'sms' })
      refused(await gate.visit({ pass: backup, path: '/export' }), 401, 'method_not_accepted')
      passed(await gate.visit({ pass: sms, path: '/export' }))
      passed(await gate.visit({ pass: backup, path: '/elsewhere' }))
      assert.match(
        refused(await gate.visit({ pass: sms, path: '/admin/keys' }), 401, 'method_not_accepted').get(
          'www-authenticate',
        ),
        /max_age=60$/,
      )
      const old = await gate.mint({ at: gate.clock() - 61 })
      refused(await gate.visit({ pass: old, path: '/admin/keys' }), 401, 'pass_too_old')
      passed(await gate.visit({ pass: old, path: '/admin/other' }))
    })

    test('T21 a pass is bound to its session: other_session, no_session', async () => {
      const pass = await gate.mint({ session: 's1' })
      refused(await gate.visit({ pass, session: 's2' }), 401, 'other_session')
      refused(await gate.visit({ pass, session: 'S1' }), 401, 'other_session')
      refused(await gate.visit({ pass, session: gateSession('s1') }), 401, 'no_session')
      for (const jar of [{ [PASS]: pass }, { [PASS]: pass, [SESSION]: '' }]) {
        refused(await gate.send({ headers: [['cookie', cookies(jar)]] }), 401, 'no_session')
      }
      refused(await gate.send({ headers: [['authorization', `Bearer ${pass}`]] }), 401, 'no_session')
      passed(await gate.visit({ pass }))
      // A pass that the gate made names its session by a hash, which no cookie can stand for.
      passed(await gate.visit({ pass: await gate.mint({ session: gateSession('s9') }), session: 's9' }))
    })

    test('T21 with id sha256, only the hash of the cookie is the session', async () => {
      const pass = await gate.mint({ session: hashed('secret-cookie') })
      passed(await gate.visit({ listener: 'hashed', pass, session: 'secret-cookie' }))
      refused(await gate.visit({ listener: 'hashed', pass, session: hashed('secret-cookie') }), 401, 'other_session')
      refused(
        await gate.visit({
          listener: 'hashed',
          pass: await gate.mint({ session: 'secret-cookie' }),
          session: 'secret-cookie',
        }),
        401,
        'other_session',
      )
    })

    test('T21 with session "unbound", a pass works in any session', async () => {
      const pass = await gate.mint({ session: 's1' })
      passed(await gate.visit({ listener: 'unbound', pass, session: 's2' }))
      passed(await gate.send({ listener: 'unbound', headers: [['authorization', `Bearer ${pass}`]] }))
      refused(await gate.send({ listener: 'unbound' }), 401, 'no_pass')
    })

    test('an exempt path needs no pass, gets no identity headers, and obeys the address rules', async () => {
      for (const path of ['/healthz', '/healthz?x=1', '/assets/app.css', '/assets/']) {
        assert.deepEqual(passed(await gate.send({ path })).identity, {})
      }
      assert.deepEqual(passed(await gate.visit({ path: '/healthz', pass: await gate.mint() })).identity, {})
      refused(await gate.send({ listener: 'closed', path: '/healthz' }), 403, 'address_not_allowed')
      refused(await gate.send({ listener: 'denied', path: '/healthz' }), 403, 'address_denied')
    })

    test('address_not_allowed and address_denied: with or without a pass, in a browser too', async () => {
      const pass = await gate.mint()
      for (const headers of [[], browser]) {
        refused(await gate.visit({ listener: 'closed', pass, headers }), 403, 'address_not_allowed')
        refused(await gate.visit({ listener: 'denied', pass, headers }), 403, 'address_denied')
      }
    })

    test('proof "as_policy": a pass is needed where the policy forces one', async () => {
      for (const listener of ['voluntary', 'forcedElsewhere'])
        assert.deepEqual(passed(await gate.visit({ listener })).identity, {})
      for (const listener of ['forcedHere', 'forcedAlways']) refused(await gate.visit({ listener }), 401, 'no_pass')
      const pass = await gate.mint()
      for (const listener of ['voluntary', 'forcedElsewhere', 'forcedHere', 'forcedAlways']) {
        assert.equal(passed(await gate.visit({ listener, pass })).identity['x-second-factor-sub'], 'ann')
      }
    })

    test('proof "as_policy": a stricter route needs a pass all the same', async () => {
      const [fresh, old] = [await gate.mint(), await gate.mint({ at: gate.clock() - 61 })]
      const visit = (path, pass) => gate.visit({ listener: 'voluntaryStrict', path, pass })
      assert.deepEqual(passed(await visit('/other')).identity, {})
      for (const path of ['/payroll/', '/payroll', '/PAYROLL/x', '/payroll.json', '/payroll./x']) {
        refused(await visit(path), 401, 'no_pass', {})
        refused(await visit(path, old), 401, 'pass_too_old')
        passed(await visit(path, fresh))
      }
    })

    test('api_client_blocked: an API client comes in by an allow rule that names its address, or by a pass', async () => {
      for (const path of ['/api', '/api/', '/api/v1/things']) passed(await gate.send({ listener: 'apiClients', path }))
      refused(await gate.send({ listener: 'apiClients', path: '/other' }), 401, 'no_pass')
      for (const listener of ['apiClientsFromAnywhere', 'apiClientsWithoutRule']) {
        refused(await gate.send({ listener, path: '/api/x' }), 403, 'api_client_blocked')
        refused(await gate.send({ listener, path: '/api/x', headers: browser }), 403, 'api_client_blocked')
        passed(await gate.visit({ listener, path: '/api/x', pass: await gate.mint() }))
      }
      passed(await gate.send({ listener: 'apiClientsOptional', path: '/api/x' }))
    })

    test('T27 a path that only resembles a path of API clients is none', async () => {
      for (const path of ['/API/x', '/api;/x', '/api/x;y', '/apix', '/api%2fx', '/api/x%2fy/..']) {
        const answer = await gate.send({ listener: 'apiClients', path })
        assert.ok(answer.status === 401 || answer.status === 307, `${path}: ${answer.status}`)
      }
    })

    test('on http://localhost the cookie needs no prefix and gets no Secure', async () => {
      const session = 'local-1'
      const local = { policy: LOCAL }
      const pass = await gate.mint({ ...local, session })
      passed(await gate.send({ listener: 'local', headers: [['cookie', cookies({ session, 'second-factor': pass })]] }))
      refused(
        await gate.send({ headers: [['cookie', cookies({ [SESSION]: session, [PASS]: pass })]] }),
        401,
        'pass_invalid',
      )
      const there = await gate.send({ listener: 'local', headers: [...browser] })
      assert.equal(
        there.get('location'),
        `http://localhost:3000/login?next=${encodeURIComponent('http://localhost:10000/')}&reason=no_pass`,
      )
    })

    test('debug, and nothing else, explains the decision', async () => {
      const explanation = { decision: { outcome: 'challenge' }, rules: ['not_forced', 'enrolled'] }
      refused(await gate.visit({ listener: 'debug' }), 401, 'no_pass', { explanation })
    })
  },
)
