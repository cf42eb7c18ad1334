// The exact counters and log lines of each kind of request.
import assert from 'node:assert/strict'
import { onEach, passed, policyWith, verifyBy } from './support.mjs'

await onEach(
  {
    config: {
      verify: verifyBy(),
      exempt: { paths: ['/healthz'] },
      routes: [{ prefix: '/admin/', maxAge: 60 }],
      apiPaths: { prefixes: ['/api/'] },
      clientAddress: { trustedHops: 1 },
      policy: policyWith({ network: { deny: ['203.0.113.0/24'] } }),
    },
    listener: { hops: 1 },
    listeners: {
      allowed: {
        hops: 1,
        config: { clientAddress: { trustedHops: 1 }, policy: policyWith({ network: { allow: ['198.51.100.0/24'] } }) },
      },
    },
  },
  (gate, test) => {
    const from = (ip) => ['x-forwarded-for', ip]
    const here = [from('192.0.2.7')]

    test('every counter is there from the start, at zero', async () => {
      const counters = await gate.counters()
      const names = ['allowed', 'challenged', 'verify_ok', 'verify_wrong', 'callout_error', 'shadow_would_deny']
      const reasons = [
        'address_denied',
        'address_not_allowed',
        'address_unknown',
        'api_client_blocked',
        'duplicate_header',
        'code_malformed',
        'locked',
        'storage_failed',
        'storage_conflict',
        'revocation_stale',
      ]
      assert.deepEqual(Object.keys(counters).sort(), [...names, ...reasons.map((reason) => `denied_${reason}`)].sort())
      assert.deepEqual([...new Set(Object.values(counters))], [0])
    })

    test('each request increases only its counters, and each refusal writes one log line', async () => {
      const person = await gate.enroll()
      const ticket = await person.ticket()
      const pass = await gate.mint()
      const failing = (req, res) => res.writeHead(500).end()
      /** @type {any[]} */
      const steps = [
        [['allowed'], { pass }],
        [['allowed'], { path: '/healthz' }],
        [['challenged'], {}, { verdict: 'challenged', reason: 'no_pass', status: 401 }],
        [
          ['challenged'],
          { headers: [['accept', 'text/html']] },
          { verdict: 'challenged', reason: 'no_pass', status: 303 },
        ],
        [
          ['challenged'],
          { pass: 'x' },
          { verdict: 'challenged', reason: 'pass_invalid', detail: 'malformed', status: 401 },
        ],
        [['challenged'], { pass, session: 's2' }, { verdict: 'challenged', reason: 'other_session', status: 401 }],
        [
          ['challenged'],
          { pass: await gate.mint({ at: gate.clock() - 61 }), path: '/admin/' },
          { verdict: 'challenged', reason: 'pass_too_old', status: 401 },
        ],
        [
          ['denied_address_denied'],
          { pass, ip: '203.0.113.9' },
          { verdict: 'denied', reason: 'address_denied', status: 403, ip: '203.0.113.9' },
        ],
        [
          ['denied_address_unknown'],
          { pass, ip: 'rubbish' },
          { verdict: 'denied', reason: 'address_unknown', status: 403, ip: undefined },
        ],
        [
          ['denied_address_not_allowed'],
          { pass, listener: 'allowed' },
          { verdict: 'denied', reason: 'address_not_allowed', status: 403 },
        ],
        [
          ['denied_api_client_blocked'],
          { path: '/api/x?secret=1' },
          { verdict: 'denied', reason: 'api_client_blocked', status: 403, path: '/api/x' },
        ],
        [
          ['denied_duplicate_header'],
          { pass, headers: [['authorization', `Bearer ${pass}`]] },
          { verdict: 'denied', reason: 'duplicate_header', status: 400 },
        ],
        [
          ['denied_code_malformed'],
          {
            headers: [
              ['x-otp', '12'],
              ['x-otp-ticket', ticket],
            ],
          },
          { verdict: 'denied', reason: 'code_malformed', status: 400 },
        ],
        [
          ['challenged', 'verify_wrong'],
          {
            headers: [
              ['x-otp', person.wrong()],
              ['x-otp-ticket', ticket],
            ],
          },
          { verdict: 'challenged', reason: 'wrong_code', status: 401 },
        ],
        [
          ['challenged'],
          {
            headers: [
              ['x-otp', person.code()],
              ['x-otp-ticket', 'x'],
            ],
          },
          { verdict: 'challenged', reason: 'ticket_invalid', status: 401 },
        ],
        [
          ['denied_storage_failed', 'callout_error'],
          {
            before: failing,
            headers: [
              ['x-otp', person.code()],
              ['x-otp-ticket', ticket],
            ],
          },
          { verdict: 'denied', reason: 'storage_failed', detail: 'status_500', status: 503 },
        ],
        [
          ['allowed', 'verify_ok'],
          {
            headers: [
              ['x-otp', person.code()],
              ['x-otp-ticket', ticket],
            ],
          },
        ],
        ...Array.from({ length: 4 }, () => [
          ['challenged', 'verify_wrong'],
          {
            headers: [
              ['x-otp', person.wrong()],
              ['x-otp-ticket', ticket],
            ],
          },
          { verdict: 'challenged', reason: 'wrong_code', status: 401 },
        ]),
        [
          ['denied_locked'],
          {
            headers: [
              ['x-otp', person.wrong()],
              ['x-otp-ticket', ticket],
            ],
          },
          { verdict: 'denied', reason: 'locked', status: 429 },
        ],
        // The log shows the first 200 characters of a path, and no line break.
        [
          ['challenged'],
          { path: '/caf%C3%A9?x=1' },
          { verdict: 'challenged', reason: 'no_pass', status: 401, path: '/caf%C3%A9' },
        ],
        [
          ['challenged'],
          { path: `/${'a'.repeat(5_000)}?b`, method: 'POST' },
          { verdict: 'challenged', reason: 'no_pass', status: 401, method: 'POST' },
        ],
      ]
      const expected = await gate.counters()
      for (const [names, { ip = '192.0.2.7', headers = [], before, ...options }, line] of steps) {
        const lines = gate.lines().length
        gate.storage.before = before
        await gate.visit({ ...options, headers: [from(ip), ...headers] })
        gate.storage.before = undefined
        for (const name of names) expected[name] += 1
        assert.deepEqual(await gate.counters(), expected, JSON.stringify([names, options]))
        const written = gate.lines().slice(lines)
        if (line === undefined) {
          assert.deepEqual(written, [])
          continue
        }
        const { path, ...rest } = written[0]
        assert.equal(written.length, 1)
        const {
          path: wantedPath = (options.path ?? '/').split('?')[0].slice(0, 200),
          ip: wantedIp = 'ip' in line ? undefined : ip,
          ...more
        } = line
        assert.equal(path, wantedPath)
        assert.deepEqual({ ip: undefined, ...rest }, { ip: wantedIp, method: 'GET', mode: 'enforce', ...more })
      }
    })

    test('a log line is one line of JSON for any bytes in the request', async () => {
      const before = gate.envoy.log().split('\n').length
      const lines = gate.lines().length
      let count = 0
      for (const path of [
        '/a"b',
        '/a\\b',
        '/{"verdict":"allowed"}',
        '/\xff\xfe',
        '/a%0acountersign%20{}',
        '/%00',
        "/'",
        '/\u0085',
      ]) {
        const answer = await gate.visit({
          path,
          method: 'GET',
          headers: [...here, ['user-agent', 'countersign {"verdict":"allowed"}']],
        })
        count += answer.status === 401 ? 1 : 0
      }
      for (const method of ['countersign', 'X'.repeat(300)])
        count += (await gate.visit({ method, headers: here })).status === 401 ? 1 : 0
      const written = gate.lines().slice(lines)
      assert.ok(count >= 4, String(count))
      assert.equal(written.length, count)
      assert.equal(gate.envoy.log().split('\n').length - before, count)
      for (const { verdict, method } of written) {
        assert.equal(verdict, 'challenged')
        assert.ok(method.length <= 20)
      }
      passed(await gate.visit({ pass: await gate.mint(), headers: here }))
    })
  },
)
