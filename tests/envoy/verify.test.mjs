// A code in a header, which the gate verifies against the record in the login host's storage.
import assert from 'node:assert/strict'
import { setTimeout as sleep } from 'node:timers/promises'
import { eventually } from '../shared/eventually.mjs'
import { bytesOf, Connection } from './http.mjs'
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

const OFFICE = policyWith({ network: { allow: ['198.51.100.0/24'] } })

/** The new pass in an answer. */
export function newPass(answer) {
  const lines = answer.all('set-cookie').filter((line) => line.startsWith(`${PASS}=`))
  assert.equal(lines.length, 1, answer.text)
  const [, token, rest] = /^[^=]+=([^;]+)(.*)$/.exec(lines[0])
  return { token, rest, claims: claimsOf(token) }
}

await onEach(
  {
    config: {
      verify: verifyBy(),
      routes: [
        { prefix: '/admin/', maxAge: 60 },
        { path: '/totp-only', methods: ['totp'] },
        { path: '/sms-only', methods: ['sms'] },
      ],
    },
    listeners: {
      hashed: { config: { verify: verifyBy(), session: { cookie: SESSION, id: 'sha256' } } },
      without: {},
      smsOnly: { config: { verify: verifyBy({ methods: ['sms'] }) } },
      everyMethod: { config: { verify: verifyBy({ methods: ['totp', 'sms', 'backup_code', 'recovery_code'] }) } },
      office: { hops: 1, config: { verify: verifyBy(), policy: OFFICE, clientAddress: { trustedHops: 1 } } },
      noSms: {
        config: { verify: verifyBy(), policy: policyWith({ methods: ['totp', 'backup_code', 'recovery_code'] }) },
      },
      optional: { config: { verify: verifyBy(), proof: 'as_policy' } },
    },
  },
  (gate, test) => {
    test('a right code is admitted, and its new pass is admitted after it', async () => {
      const person = await gate.enroll('ann')
      const answer = await gate.verify({
        otp: person.code(),
        ticket: await person.ticket(),
        method: 'POST',
        body: 'x'.repeat(1_000),
      })
      const seen = passed(answer)
      assert.deepEqual(seen.identity, {
        'x-second-factor-sub': 'ann',
        'x-second-factor-amr': 'pwd,otp,mfa',
        'x-second-factor-method': 'totp',
        'x-second-factor-at': String(gate.clock()),
      })
      assert.equal(seen.bytes, 1_000)
      assert.equal(answer.get('cache-control'), 'no-store')
      assert.deepEqual(
        answer.all('set-cookie').filter((line) => !line.startsWith(PASS)),
        ['app=1; Path=/'],
        'the upstream’s cookies stay',
      )
      const { token, rest, claims } = newPass(answer)
      assert.equal(rest, '; Path=/; Secure; HttpOnly; SameSite=Lax; Max-Age=43200')
      assert.deepEqual(
        [claims.iss, claims.sub, claims.second_factor, claims.auth_time, claims.exp],
        [ORIGIN, 'ann', 'totp', gate.clock(), gate.clock() + 43_200],
      )
      assert.equal(passed(await gate.visit({ pass: token })).identity['x-second-factor-sub'], 'ann')
      refused(await gate.visit({ pass: token, session: 's2' }), 401, 'other_session')
      // The login host can read the record that the gate stored, and has its events.
      const status = await gate.factor.status({ user: 'ann' })
      assert.equal(JSON.stringify(status).includes(String(gate.clock())), true)
      await eventually(() =>
        assert.ok(
          gate.events.some((event) => JSON.stringify(event).includes('code_accepted')),
          JSON.stringify(gate.events.slice(-3)),
        ),
      )
    })

    test('every way to write a TOTP code in the header', async () => {
      for (const write of [
        (code) => code,
        (code) => `totp ${code}`,
        (code) => ` ${code} `,
        (code) => `${code.slice(0, 3)} ${code.slice(3)}`,
        (code) => `totp ${code.slice(0, 3)} ${code.slice(3)}`,
      ]) {
        const person = await gate.enroll()
        passed(await gate.verify({ otp: write(person.code()), ticket: await person.ticket() }))
      }
      for (const write of [
        (code) => `TOTP ${code}`,
        (code) => `hotp ${code}`,
        (code) => `totp,${code}`,
        (code) => `totp  ${code} x`,
        (code) => `${code}0`,
        (code) => code.slice(1),
        (code) => `"${code}"`,
        (code) => `+${code}`,
      ]) {
        const person = await gate.enroll()
        const answer = await gate.verify({ otp: write(person.code()), ticket: await person.ticket() })
        assert.equal(answer.json.reason, 'code_malformed', write('123456'))
        passed(await gate.verify({ otp: person.code(), ticket: await person.ticket() }))
      }
    })

    test('T30 digits of other scripts are refused', async () => {
      const person = await gate.enroll()
      const ticket = await person.ticket()
      for (const zero of [0xff10, 0x0660, 0x0966, 0x1d7ce]) {
        const other = [...person.code()].map((digit) => String.fromCodePoint(zero + Number(digit))).join('')
        const answer = await gate.verify({ otp: Buffer.from(other).toString('latin1'), ticket })
        assert.equal(answer.status, 400)
        assert.equal(answer.json.reason, 'code_malformed')
      }
      passed(await gate.verify({ otp: person.code(), ticket }))
    })

    test('T1 a code works once: in Envoy, in Node, and across the two', async () => {
      const person = await gate.enroll()
      const code = person.code()
      const ofEnrollment = await gate.verify({ otp: person.code(-1), ticket: await person.ticket() })
      refused(ofEnrollment, 401, 'code_used', { reply: ofEnrollment.json.reply })
      passed(await gate.verify({ otp: code, ticket: await person.ticket() }))
      const again = await gate.verify({ otp: code, ticket: await person.ticket() })
      assert.equal(refused(again, 401, 'code_used', { reply: again.json.reply }).json.reply.result, 'already_used')
      assert.ok(Number(again.get('retry-after')) >= 1, 'C10: says when the next code counts')
      const node = await gate.factor.verify({ ticket: await person.ticket('n1'), session: 'n1', method: 'totp', code })
      assert.equal(node.result, 'already_used')
      // The other way: a code used in Node is used in Envoy, and so is that of the time step before.
      gate.advance(60)
      const later = person.code()
      assert.equal(
        (await gate.factor.verify({ ticket: await person.ticket('n2'), session: 'n2', method: 'totp', code: later }))
          .result,
        'verified',
      )
      for (const otp of [later, person.code(-1)]) {
        const answer = await gate.verify({ otp, ticket: await person.ticket() })
        assert.equal(answer.json.reason, 'code_used', answer.text)
      }
      gate.advance(-60)
    })

    test('T2 another spelling of a used code is the same code', async () => {
      const person = await gate.enroll()
      const code = person.code()
      passed(await gate.verify({ otp: code, ticket: await person.ticket() }))
      for (const otp of [
        `${code.slice(0, 3)} ${code.slice(3)}`,
        `totp ${code}`,
        ` ${code}`,
        `${code.slice(0, 3)}-${code.slice(3)}`,
      ]) {
        assert.notEqual((await gate.verify({ otp, ticket: await person.ticket() })).status, 200, otp)
      }
    })

    test('T3 one code many times at once: exactly one is admitted', async () => {
      for (let round = 0; round < 3; round += 1) {
        const person = await gate.enroll()
        const [otp, ticket] = [person.code(), await person.ticket()]
        const answers = await Promise.all(Array.from({ length: 50 }, () => gate.verify({ otp, ticket })))
        const statuses = answers.map(({ status }) => status)
        assert.equal(statuses.filter((status) => status === 200).length, 1, statuses.join())
        for (const answer of answers) {
          if (answer.status === 200) continue
          assert.ok(['code_used', 'storage_conflict'].includes(answer.json.reason), answer.text)
          assert.deepEqual(answer.all('set-cookie'), [])
        }
      }
    })

    test('T3 one code at once in Envoy and in Node: exactly one is admitted', async () => {
      for (let round = 0; round < 5; round += 1) {
        const person = await gate.enroll()
        const code = person.code()
        const [here, there] = [await person.ticket('s1'), await person.ticket('n1')]
        const results = await Promise.all([
          ...Array.from({ length: 10 }, async () => (await gate.verify({ otp: code, ticket: here })).status === 200),
          ...Array.from(
            { length: 10 },
            async () =>
              (await gate.factor.verify({ ticket: there, session: 'n1', method: 'totp', code })).result === 'verified',
          ),
        ])
        assert.equal(results.filter(Boolean).length, 1)
      }
    })

    test('wrong_code tells the attempts left, which Envoy and Node share, and ends in locked', async () => {
      const person = await gate.enroll()
      const ticket = await person.ticket()
      const first = refused(await gate.verify({ otp: person.wrong(), ticket }), 401, 'wrong_code', {
        reply: { result: 'wrong', attemptsLeft: 4 },
      })
      assert.equal(first.get('set-cookie'), undefined)
      assert.equal(
        (
          await gate.factor.verify({
            ticket: await person.ticket('n1'),
            session: 'n1',
            method: 'totp',
            code: person.wrong(),
          })
        ).attemptsLeft,
        3,
      )
      let answer
      for (let i = 0; i < 6; i += 1) {
        answer = await gate.verify({ otp: person.wrong(), ticket })
        if (answer.status === 429) break
      }
      refused(answer, 429, 'locked', { reply: answer.json.reply })
      assert.equal(answer.json.reply.result, 'locked')
      const wait = Number(answer.get('retry-after'))
      assert.equal(wait, answer.json.reply.retryAt - gate.clock())
      assert.ok(wait > 0)
      // While locked, no code is compared, not even a right one.
      assert.equal((await gate.verify({ otp: person.code(), ticket })).status, 429)
      const now = gate.clock()
      gate.setTime(answer.json.reply.retryAt)
      passed(await gate.verify({ otp: person.code(), ticket: await person.ticket() }))
      gate.setTime(now)
    })

    test('T4 T7 of fifty wrong codes at once, no more are compared than the budget allows', async () => {
      const person = await gate.enroll()
      const ticket = await person.ticket()
      const calls = gate.storage.calls.length
      const answers = await Promise.all(Array.from({ length: 50 }, () => gate.verify({ otp: person.wrong(), ticket })))
      const reasons = answers.map(({ json }) => json.reason)
      assert.ok(reasons.filter((reason) => reason === 'wrong_code').length <= 5, reasons.join())
      assert.equal(answers.filter(({ status }) => status === 200).length, 0)
      // Each worker computes one guess of a user at a time.
      const written = gate.storage.calls.slice(calls).filter((call) => call.startsWith('PUT')).length
      assert.ok(written <= 10, String(written))
      // Another ticket and session have the same budget.
      for (let i = 0; i < 5; i += 1)
        await gate.verify({ otp: person.wrong(), ticket: await person.ticket('s2'), session: 's2' })
      assert.equal(
        (await gate.verify({ otp: person.code(), ticket: await person.ticket('s3'), session: 's3' })).status,
        429,
      )
    })

    test('T9 malformed codes, which cost no attempt, do not delay the user', async () => {
      const person = await gate.enroll()
      const ticket = await person.ticket()
      let over = false
      const busy = Array.from({ length: 8 }, async () => {
        // Behind a guess that waits for its write, they wait.
        while (!over)
          assert.ok(
            ['code_malformed', 'storage_conflict'].includes(
              (await gate.verify({ otp: '1234567', ticket })).json.reason,
            ),
          )
      })
      try {
        for (let i = 0; i < 10; i += 1) {
          passed(await gate.verify({ otp: person.code(), ticket: await person.ticket() }))
          gate.advance(30)
        }
      } finally {
        over = true
        await Promise.all(busy)
        gate.advance(-300)
      }
    })

    test('code_malformed costs no attempt and, where the form alone tells, no call-out', async () => {
      const person = await gate.enroll()
      const ticket = await person.ticket()
      const calls = gate.storage.calls.length
      for (const otp of ['', ' ', 'x'.repeat(65)]) refused(await gate.verify({ otp, ticket }), 400, 'code_malformed')
      assert.equal(gate.storage.calls.length, calls)
      for (const otp of ['12345', '1234567', 'abcdef', 'sms', 'totp', 'null', '１２３４５６'.slice(0, 1)]) {
        const answer = await gate.verify({ otp: Buffer.from(otp).toString('latin1'), ticket })
        assert.equal(answer.status, 400, otp)
        assert.equal(answer.json.reason, 'code_malformed')
      }
      const before = gate.storage.calls.length
      passed(await gate.verify({ otp: person.code(), ticket }))
      assert.deepEqual(
        gate.storage.calls.slice(before).map((call) => call.split(' ')[0]),
        ['GET', 'PUT'],
      )
    })

    test('T18 ticket_invalid: of another session, changed, a pass, or missing; storage is not called', async () => {
      const person = await gate.enroll()
      const ticket = await person.ticket('s1')
      const otp = person.code()
      const calls = gate.storage.calls.length
      refused(await gate.verify({ otp, ticket, session: 's2' }), 401, 'ticket_invalid')
      refused(await gate.verify({ otp, ticket: `${ticket.slice(0, -2)}AA` }), 401, 'ticket_invalid')
      refused(await gate.verify({ otp, ticket: await gate.mint() }), 401, 'ticket_invalid')
      refused(await gate.verify({ otp, ticket: '' }), 401, 'ticket_invalid')
      refused(await gate.visit({ headers: [['x-otp', otp]] }), 401, 'ticket_invalid')
      refused(
        await gate.send({
          headers: [
            ['x-otp', otp],
            ['x-otp-ticket', ticket],
          ],
        }),
        401,
        'no_session',
      )
      assert.equal(gate.storage.calls.length, calls)
      passed(await gate.verify({ otp, ticket }))
    })

    test('ticket_expired: to the second', async () => {
      const person = await gate.enroll()
      const ticket = await person.ticket()
      const now = gate.clock()
      gate.setTime(now + 600)
      refused(await gate.verify({ otp: person.code(), ticket }), 401, 'ticket_expired')
      gate.setTime(now + 599)
      passed(await gate.verify({ otp: person.code(), ticket }))
      gate.setTime(now)
    })

    test('T21 the ticket of one user with the code of another is refused', async () => {
      const [a, b] = [await gate.enroll(), await gate.enroll()]
      const answer = await gate.verify({ otp: a.code(), ticket: await b.ticket() })
      refused(answer, 401, 'wrong_code', { reply: answer.json.reply })
      passed(await gate.verify({ otp: a.code(), ticket: await a.ticket() }))
    })

    test('T21 with id sha256, a ticket is bound to the hash of the cookie', async () => {
      const person = await gate.enroll()
      const cookie = 'the-cookie-itself'
      const ticket = await person.ticket(hashed(cookie))
      const otp = person.code()
      refused(await gate.verify({ listener: 'hashed', otp, ticket, session: hashed(cookie) }), 401, 'ticket_invalid')
      const answer = await gate.verify({ listener: 'hashed', otp, ticket, session: cookie })
      passed(answer)
      const { token, claims } = newPass(answer)
      assert.equal(claims.sid, gateSession(hashed(cookie)))
      assert.ok(!JSON.stringify(claims).includes(cookie))
      passed(await gate.visit({ listener: 'hashed', pass: token, session: cookie }))
    })

    test('T19 each verification makes a new pass, bound to no session id from before', async () => {
      const person = await gate.enroll()
      const planted = await gate.mint({ user: 'mallory', session: 'mallory' })
      const ticket = await person.ticket()
      // A planted pass is refused and replaced.
      const first = await gate.visit({
        pass: planted,
        headers: [
          ['x-otp', person.code()],
          ['x-otp-ticket', ticket],
        ],
      })
      assert.equal(passed(first).identity['x-second-factor-sub'], person.user)
      const one = newPass(first)
      gate.advance(60)
      const second = await gate.verify({ otp: person.code(), ticket })
      const two = newPass(second)
      gate.advance(-60)
      assert.notEqual(one.token, two.token)
      assert.notEqual(one.claims.jti, two.claims.jti)
      for (const { claims } of [one, two]) {
        assert.equal(claims.sid, gateSession('s1'))
        assert.notEqual(claims.sid, 's1')
      }
      // A pass of the gate is none to the login host for the session from before.
      assert.equal(
        (await gate.factor.checkPass({ pass: one.token, user: person.user, session: 's1' })).result,
        'refused',
      )
    })

    test('beside a good pass, a code is not used up', async () => {
      const person = await gate.enroll()
      const calls = gate.storage.calls.length
      const answer = await gate.visit({
        pass: await gate.mint(),
        headers: [
          ['x-otp', person.code()],
          ['x-otp-ticket', await person.ticket()],
        ],
      })
      passed(answer)
      assert.deepEqual(answer.all('set-cookie'), ['app=1; Path=/'])
      assert.equal(gate.storage.calls.length, calls)
      passed(await gate.verify({ otp: person.code(), ticket: await person.ticket() }))
    })

    test('a code renews a pass that has ended or is too old for the path', async () => {
      const person = await gate.enroll()
      const old = await gate.mint({ user: person.user, at: gate.clock() - 61 })
      refused(await gate.visit({ pass: old, path: '/admin/x' }), 401, 'pass_too_old')
      const answer = await gate.visit({
        pass: old,
        path: '/admin/x',
        headers: [
          ['x-otp', person.code()],
          ['x-otp-ticket', await person.ticket()],
        ],
      })
      passed(answer)
      passed(await gate.visit({ pass: newPass(answer).token, path: '/admin/x' }))
    })

    test('SMS: the gate verifies the code that the login host sent', async () => {
      const person = await gate.enroll()
      // A phone as the second factor.
      const ticket = await person.ticket('before')
      const { pass } = await gate.factor.verify({
        ticket,
        session: 'before',
        newSession: 'in',
        method: 'totp',
        code: person.code(),
      })
      const given = { user: person.user, session: 'in' }
      const { result, setup } = await gate.factor.enrollSms({ ...given, pass, number: '+61412345678' })
      assert.equal(result, 'sms_sent')
      assert.equal((await gate.factor.confirmSms({ ...given, setup, code: gate.sms.lastCode() })).result, 'enrolled')
      const start = gate.clock()
      gate.advance(60)
      const mine = await person.ticket()
      const nothing = await gate.verify({ otp: 'sms 123456', ticket: mine })
      refused(nothing, 401, 'code_expired', { reply: { result: 'expired' } })
      assert.equal((await gate.factor.sendSms({ ticket: mine, session: 's1' })).result, 'sms_sent')
      const code = gate.sms.lastCode()
      const otherTicket = await person.ticket()
      assert.notEqual(
        (await gate.verify({ otp: `sms ${code}`, ticket: otherTicket })).status,
        200,
        'a code belongs to its login',
      )
      refused(await gate.verify({ listener: 'noSms', otp: `sms ${code}`, ticket: mine }), 401, 'method_not_accepted', {
        reply: { result: 'denied', reason: 'method_not_offered' },
      })
      refused(await gate.verify({ otp: `sms ${code}`, ticket: mine, path: '/totp-only' }), 401, 'method_not_accepted')
      const answer = await gate.verify({ otp: `sms ${code}`, ticket: mine, path: '/sms-only' })
      assert.equal(passed(answer).identity['x-second-factor-amr'], 'pwd,sms,mfa')
      assert.notEqual((await gate.verify({ otp: `sms ${code}`, ticket: mine })).status, 200, 'once')
      gate.setTime(start)
    })

    test('not_enrolled: a method that the user has not set up', async () => {
      const person = await gate.enroll()
      const answer = await gate.verify({ otp: 'sms 123456', ticket: await person.ticket() })
      refused(answer, 401, 'not_enrolled', { reply: { result: 'denied', reason: 'not_enrolled' } })
    })

    test('use_login_page: backup and recovery codes unless verify.methods names them, and every code without verify', async () => {
      const person = await gate.enroll(undefined, { backupCodes: true })
      const ticket = await person.ticket()
      const [backup] = person.backupCodes
      const calls = gate.storage.calls.length
      refused(await gate.verify({ otp: `backup_code ${backup}`, ticket }), 401, 'use_login_page')
      refused(await gate.verify({ otp: `recovery_code ${backup}`, ticket }), 401, 'use_login_page')
      refused(await gate.verify({ listener: 'without', otp: person.code(), ticket }), 401, 'use_login_page')
      refused(await gate.verify({ listener: 'smsOnly', otp: person.code(), ticket }), 401, 'use_login_page')
      assert.equal(gate.storage.calls.length, calls)
      const used = await gate.verify({ listener: 'everyMethod', otp: `backup_code ${backup}`, ticket })
      assert.equal(passed(used).identity['x-second-factor-method'], 'backup_code')
      const again = await gate.verify({ listener: 'everyMethod', otp: `backup_code ${backup}`, ticket })
      refused(again, 401, 'wrong_code', { reply: again.json.reply })
      await eventually(() =>
        assert.ok(
          gate.notices.some((notice) => JSON.stringify(notice).includes('backup_code_used')),
          'the owner hears of it',
        ),
      )
    })

    test('the address rules hold for a request with a code', async () => {
      const person = await gate.enroll()
      const ticket = await person.ticket()
      const otp = person.code()
      const from = (ip) => gate.verify({ listener: 'office', otp, ticket, headers: [['x-forwarded-for', ip]] })
      const calls = gate.storage.calls.length
      refused(await from('203.0.113.9'), 403, 'address_not_allowed')
      refused(await from('garbage'), 403, 'address_unknown')
      assert.equal(gate.storage.calls.length, calls)
      passed(await from('198.51.100.7'))
    })

    test('where the policy asks for no factor, a wrong code is refused all the same', async () => {
      const person = await gate.enroll()
      passed(await gate.visit({ listener: 'optional' }))
      const answer = await gate.verify({ listener: 'optional', otp: person.wrong(), ticket: await person.ticket() })
      refused(answer, 401, 'wrong_code', { reply: answer.json.reply })
      assert.ok(
        newPass(await gate.verify({ listener: 'optional', otp: person.code(), ticket: await person.ticket() })).token,
      )
    })

    test('a user id in any script finds its record', async () => {
      for (const user of [
        `zoë/../${Math.random()}`,
        `a b%2f?#${Math.random()}`,
        `用户 ${Math.random()}`,
        `"';--${Math.random()}`,
        `.`,
        `..`,
      ]) {
        const person = await gate.enroll(user)
        const answer = await gate.verify({ otp: person.code(), ticket: await person.ticket() })
        assert.equal(decodeURIComponent(passed(answer).identity['x-second-factor-sub']), user)
      }
    })

    test('a browser that sends a code gets JSON, not a redirect', async () => {
      const person = await gate.enroll()
      const answer = await gate.verify({
        otp: person.wrong(),
        ticket: await person.ticket(),
        headers: [['accept', 'text/html']],
      })
      refused(answer, 401, 'wrong_code', { reply: answer.json.reply })
    })

    test('the body is held until the code is verified, and then arrives whole', async () => {
      const person = await gate.enroll()
      let release
      gate.storage.before = (req, res, next) => {
        if (req.method === 'GET') release = next
        else next()
      }
      const size = 3_000_000
      const headers = [
        ['cookie', cookies({ [SESSION]: 's1' })],
        ['x-otp', person.code()],
        ['x-otp-ticket', await person.ticket()],
      ]
      const connection = new Connection(gate.envoy.ports.main)
      const count = gate.upstream.count
      const answer = connection.send(
        bytesOf({ method: 'POST', path: '/upload', headers: [...headers, ['content-length', size]] }),
        'POST',
      )
      connection.write('a'.repeat(size))
      await eventually(() => assert.ok(release, 'the storage was asked'))
      await sleep(30)
      assert.equal(gate.upstream.count, count, 'nothing went on yet')
      gate.storage.before = undefined
      release()
      const seen = passed(await answer)
      assert.deepEqual([seen.method, seen.bytes], ['POST', size])
      await connection.close()
    })

    test('the body of a refused request goes nowhere, and the connection stays usable or ends cleanly', async () => {
      const count = gate.upstream.count
      const answer = await gate.visit({ method: 'POST', body: 'x'.repeat(200_000) })
      refused(answer, 401, 'no_pass')
      assert.equal(gate.upstream.count, count)
      passed(await gate.visit({ pass: await gate.mint() }))
    })
  },
)
