// Shadow mode: no request is stopped, and the log names those that would be.
import assert from 'node:assert/strict'
import { cookies, onEach, PASS, passed, policyWith, refused, SESSION, verifyBy } from './support.mjs'

const ROUTES = [
  { prefix: '/admin/', maxAge: 60 },
  { path: '/export', methods: ['totp'] },
]

await onEach(
  {
    config: { mode: 'shadow', verify: verifyBy(), routes: ROUTES, apiPaths: { prefixes: ['/api/'] } },
    listeners: {
      closed: { config: { mode: 'shadow', policy: policyWith({ network: { allow: ['198.51.100.0/24'] } }) } },
      enforce: { config: { routes: ROUTES } },
    },
  },
  (gate, test) => {
    test('a request that would be refused goes on as nobody, without pass, code or ticket, and is counted and logged', async () => {
      const person = await gate.enroll()
      const pass = await gate.mint()
      const ticket = await person.ticket()
      const forged = ['x-second-factor-sub', 'root']
      /** @type {[string, number, any][]} */
      const cases = [
        ['no_pass', 401, {}],
        ['pass_invalid', 401, { pass: `${pass}x` }],
        ['pass_expired', 401, { pass: await gate.mint({ at: gate.clock() - 43_200 }) }],
        ['pass_too_old', 401, { path: '/admin/x', pass: await gate.mint({ at: gate.clock() - 61 }) }],
        ['other_session', 401, { pass, session: 's2' }],
        ['no_session', 401, { pass, session: '' }],
        ['method_not_accepted', 401, { path: '/export', pass: await gate.mint({ method: 'sms' }) }],
        [
          'wrong_code',
          401,
          {
            headers: [
              ['x-otp', person.wrong()],
              ['x-otp-ticket', ticket],
            ],
          },
        ],
        [
          'ticket_invalid',
          401,
          {
            headers: [
              ['x-otp', '123456'],
              ['x-otp-ticket', 'x'],
            ],
          },
        ],
        [
          'use_login_page',
          401,
          {
            headers: [
              ['x-otp', 'backup_code x'],
              ['x-otp-ticket', ticket],
            ],
          },
        ],
        [
          'code_malformed',
          400,
          {
            headers: [
              ['x-otp', ''],
              ['x-otp-ticket', ticket],
            ],
          },
        ],
        ['duplicate_header', 400, { pass, headers: [['authorization', `Bearer ${pass}`]] }],
        ['api_client_blocked', 403, { path: '/api/x' }],
        ['address_not_allowed', 403, { listener: 'closed', pass }],
      ]
      for (const [reason, status, { headers = [], ...options }] of cases) {
        const before = await gate.counters()
        const lines = gate.lines().length
        const answer = await gate.visit({ ...options, method: 'POST', body: 'b', headers: [forged, ...headers] })
        const seen = passed(answer)
        assert.deepEqual(seen.identity, {}, reason)
        assert.equal(seen.bytes, 1)
        const text = JSON.stringify(seen.headers)
        for (const secret of [PASS, pass, ticket, 'x-otp', 'root'])
          assert.ok(!text.includes(secret), `${reason}: ${secret}`)
        assert.deepEqual(answer.all('set-cookie'), ['app=1; Path=/'])
        const after = await gate.counters()
        assert.equal(after.shadow_would_deny - before.shadow_would_deny, 1, reason)
        assert.equal(after.allowed, before.allowed, reason)
        const name = status === 401 ? 'challenged' : `denied_${reason}`
        assert.equal(after[name] - before[name], 1, name)
        const [line, ...more] = gate.lines().slice(lines)
        assert.deepEqual(more, [])
        assert.deepEqual([line.reason, line.status, line.mode, line.method], [reason, status, 'shadow', 'POST'])
      }
    })

    test('a good request goes on as in enforce mode', async () => {
      const before = await gate.counters()
      const { identity } = passed(await gate.visit({ pass: await gate.mint() }))
      assert.equal(identity['x-second-factor-sub'], 'ann')
      const person = await gate.enroll()
      const verified = await gate.verify({ otp: person.code(), ticket: await person.ticket() })
      assert.equal(passed(verified).identity['x-second-factor-sub'], person.user)
      assert.equal(verified.all('set-cookie').filter((line) => line.startsWith(PASS)).length, 1)
      const after = await gate.counters()
      assert.equal(after.allowed - before.allowed, 2)
      assert.equal(after.shadow_would_deny, before.shadow_would_deny)
      assert.equal(after.verify_ok - before.verify_ok, 1)
    })

    test('a browser is not redirected', async () => {
      passed(
        await gate.send({
          headers: [
            ['accept', 'text/html'],
            ['cookie', cookies({ [SESSION]: 's1' })],
          ],
        }),
      )
      refused(await gate.visit({ listener: 'enforce' }), 401, 'no_pass')
    })
  },
)
