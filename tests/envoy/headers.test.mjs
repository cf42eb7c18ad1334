// Forged, repeated and malformed headers: the gate refuses or strips them.
import assert from 'node:assert/strict'
import { cookies, onEach, PASS, passed, refused, SESSION, verifyBy } from './support.mjs'

await onEach(
  {
    config: { verify: verifyBy(), exempt: { paths: ['/healthz'] } },
    listeners: {
      // A listener on which Envoy rejects no header and cleans no path.
      lax: { config: { exempt: { paths: ['/healthz'] }, verify: verifyBy() }, underscores: 'ALLOW', clean: false },
      dropping: { config: { exempt: { paths: ['/healthz'] } }, underscores: 'DROP_HEADER' },
      shadow: { config: { mode: 'shadow' }, underscores: 'ALLOW' },
      forward: { config: { pass: { forward: true } }, underscores: 'ALLOW' },
    },
  },
  (gate, test) => {
    const forged = (spell) =>
      ['Sub', 'amr', 'method', 'at', 'role', 'sub-x'].map((name) => [spell(`X-Second-Factor-${name}`), 'evil'])
    const spellings = {
      usual: (name) => name,
      lower: (name) => name.toLowerCase(),
      upper: (name) => name.toUpperCase(),
    }

    test('T26 identity headers of the client are stripped on every path through the gate', async () => {
      const pass = await gate.mint()
      for (const [why, spell] of Object.entries(spellings)) {
        const headers = forged(spell)
        for (const listener of ['main', 'lax', 'forward']) {
          const { identity } = passed(await gate.visit({ listener, pass, headers }))
          assert.equal(identity['x-second-factor-sub'], 'ann', why)
          assert.deepEqual(Object.keys(identity).sort(), [
            'x-second-factor-amr',
            'x-second-factor-at',
            'x-second-factor-method',
            'x-second-factor-sub',
          ])
          assert.ok(!JSON.stringify(identity).includes('evil'))
        }
        assert.deepEqual(passed(await gate.send({ path: '/healthz', headers })).identity, {})
        assert.deepEqual(passed(await gate.visit({ listener: 'shadow', headers })).identity, {})
      }
    })

    test('T26 identity headers with underscores are refused by Envoy, or dropped, or stripped by the filter', async () => {
      const pass = await gate.mint()
      for (const spell of [
        (name) => name.replaceAll('-', '_'),
        (name) => name.replace('-', '_'),
        (name) => name.replace('Factor-', 'factor_'),
        (name) => name.toLowerCase().replaceAll('-', '_'),
      ]) {
        const headers = forged(spell)
        assert.equal((await gate.visit({ pass, headers })).status, 400)
        for (const listener of ['dropping', 'lax', 'forward']) {
          const { identity } = passed(await gate.visit({ listener, pass, headers }))
          assert.ok(!JSON.stringify(identity).includes('evil'), listener)
          assert.equal(Object.keys(identity).length, 4)
        }
        assert.deepEqual(passed(await gate.visit({ listener: 'shadow', headers })).identity, {})
        assert.deepEqual(passed(await gate.send({ listener: 'lax', path: '/healthz', headers })).identity, {})
      }
    })

    test('T26 identity headers in other spellings are stripped by the filter', async () => {
      const pass = await gate.mint()
      for (const spell of [
        (name) => name.replaceAll('-', '.'),
        (name) => name.replaceAll('-', '~'),
        (name) => name.replace('Factor-', 'Factor!'),
      ]) {
        assert.equal(Object.keys(passed(await gate.visit({ pass, headers: forged(spell) })).identity).length, 4)
        assert.deepEqual(passed(await gate.send({ path: '/healthz', headers: forged(spell) })).identity, {})
      }
    })

    test('where no pass is needed, a bearer token of another kind reaches the service, and one of the type of a pass does not', async () => {
      const jwt = ['{"alg":"RS256","typ":"at+jwt","kid":"k"}', '{"sub":"ann"}', 'x']
        .map((part) => Buffer.from(part).toString('base64url'))
        .join('.')
      const open = async (listener, value) =>
        passed(await gate.send({ listener, path: '/healthz', headers: [['authorization', value]] })).get(
          'authorization',
        )
      for (const value of [`Bearer ${jwt}`, 'Bearer opaque-token', 'bearer a.b.c', 'Basic YTpi', 'Bearer']) {
        for (const listener of ['main', 'shadow']) assert.equal(await open(listener, value), value)
      }
      const pass = await gate.mint()
      for (const value of [
        `Bearer ${pass}`,
        `bearer  ${pass}`,
        `Bearer ${pass.slice(0, -3)}`,
        `Bearer ${await gate.mint({ at: gate.clock() - 90_000 })}`,
      ]) {
        for (const listener of ['main', 'shadow']) assert.equal(await open(listener, value), undefined)
      }
    })

    test('T26 an identity header that comes many times is stripped each time', async () => {
      const headers = Array.from({ length: 20 }, (_, i) => ['x-second-factor-sub', `evil${i}`])
      const seen = passed(await gate.visit({ pass: await gate.mint(), headers }))
      assert.equal(seen.get('x-second-factor-sub'), 'ann')
    })

    test('T26 two passes in cookies or headers: duplicate_header, even if both are good', async () => {
      const pass = await gate.mint()
      const other = await gate.mint({ method: 'sms' })
      const one = `${SESSION}=s1; ${PASS}=${pass}`
      for (const second of [pass, other, 'x', '']) {
        refused(await gate.send({ headers: [['cookie', `${one}; ${PASS}=${second}`]] }), 400, 'duplicate_header')
        refused(await gate.send({ headers: [['cookie', `${PASS}=${second}; ${one}`]] }), 400, 'duplicate_header')
        refused(
          await gate.send({
            headers: [
              ['cookie', one],
              ['cookie', `${PASS}=${second}`],
            ],
          }),
          400,
          'duplicate_header',
        )
        refused(
          await gate.send({
            headers: [
              ['cookie', one],
              ['Cookie', `a=b;${PASS}=${second};c=d`],
            ],
          }),
          400,
          'duplicate_header',
        )
      }
      for (const second of [pass, other])
        refused(await gate.visit({ pass, headers: [['authorization', `Bearer ${second}`]] }), 400, 'duplicate_header')
    })

    test('T26 two sessions: duplicate_header', async () => {
      const pass = await gate.mint()
      for (const second of ['s1', 's2', '']) {
        refused(
          await gate.send({
            headers: [['cookie', `${cookies({ [SESSION]: 's1', [PASS]: pass })}; ${SESSION}=${second}`]],
          }),
          400,
          'duplicate_header',
        )
        refused(
          await gate.send({
            headers: [
              ['cookie', `${SESSION}=${second}`],
              ['cookie', cookies({ [SESSION]: 's1', [PASS]: pass })],
            ],
          }),
          400,
          'duplicate_header',
        )
      }
    })

    test('T26 a cookie that another server might take for the session or the pass: duplicate_header', async () => {
      const pass = await gate.mint()
      const jar = cookies({ [SESSION]: 's1', [PASS]: pass })
      for (const [name, other] of [
        [SESSION, 'victim'],
        [PASS, await gate.mint({ user: 'bob' })],
      ]) {
        for (const spelled of [
          `${name} `,
          `${name}\t`,
          `\xa0${name}`,
          `${name}\xa0`,
          `\xc2\xa0${name}`,
          name.toLowerCase(),
          name.toUpperCase(),
          `=${name}`,
          `"${name}"`,
          name.replace('-', '%2d'),
          `%5f${name.slice(1)}`,
          `${name}[]`,
          `a=b ${name}`,
          `a=b,${name}`,
          `a="b" ${name} `,
          `$Version=1, ${name}`,
          `x ${name}`,
          `x,${name}`,
          `$Version\t${name} `,
          `a=b\\${name}`,
          `a]${name}`,
          `${name}[x]`,
        ]) {
          for (const sent of [`${spelled}=${other}; ${jar}`, `${jar};${spelled}=${other}`]) {
            refused(await gate.send({ headers: [['cookie', sent]] }), 400, 'duplicate_header')
          }
          refused(
            await gate.send({
              headers: [
                ['cookie', `${spelled}=${other}`],
                ['cookie', jar],
              ],
            }),
            400,
            'duplicate_header',
          )
        }
      }
      // An exempt path opens nothing by it. A pass is stripped in every spelling.
      for (const spelled of [`${PASS} `, PASS.toLowerCase(), `=${PASS}`, `b=c,${PASS}`]) {
        assert.equal(
          passed(await gate.send({ path: '/healthz', headers: [['cookie', `a=1; ${spelled}=${pass}; d=e`]] })).get(
            'cookie',
          ),
          'a=1; d=e',
        )
      }
    })

    test('T26 two authorization headers are refused, whichever is good', async () => {
      const pass = await gate.mint()
      for (const second of [`Bearer ${pass}`, 'Bearer x', 'Basic YTpi']) {
        for (const pair of [
          [`Bearer ${pass}`, second],
          [second, `Bearer ${pass}`],
        ]) {
          const answer = await gate.visit({ headers: pair.map((value) => ['authorization', value]) })
          refused(answer, 400, 'duplicate_header')
        }
        // As joined by a proxy in front.
        assert.notEqual((await gate.visit({ headers: [['authorization', `Bearer ${pass}, ${second}`]] })).status, 200)
      }
    })

    test('T26 two codes or two tickets: duplicate_header, no call to storage and no attempt charged', async () => {
      const person = await gate.enroll()
      const ticket = await person.ticket()
      const before = gate.storage.calls.length
      const send = (headers) => gate.visit({ headers })
      const [otp, paper] = [
        ['x-otp', person.code()],
        ['x-otp-ticket', ticket],
      ]
      refused(await send([otp, otp, paper]), 400, 'duplicate_header')
      refused(await send([otp, ['X-OTP', '000000'], paper]), 400, 'duplicate_header')
      refused(await send([otp, paper, paper]), 400, 'duplicate_header')
      refused(await send([otp, paper, ['x-otp-ticket', 'x']]), 400, 'duplicate_header')
      refused(await send([otp, ['x-otp-ticket', `${ticket},${ticket}`]]), 401, 'ticket_invalid')
      assert.equal(gate.storage.calls.length, before)
      const joined = await send([['x-otp', `${person.code()},${person.code()}`], paper])
      refused(joined, 400, 'code_malformed', { reply: joined.json.reply })
      assert.equal((await send([otp, paper])).status, 200, 'the code was not spent')
    })

    test('T26 x_otp with underscores is no code, and reaches no upstream', async () => {
      const person = await gate.enroll()
      const headers = [
        ['x_otp', person.code()],
        ['x_otp_ticket', await person.ticket()],
      ]
      assert.equal((await gate.visit({ headers })).status, 400)
      refused(await gate.visit({ listener: 'lax', headers }), 401, 'no_pass')
      const seen = passed(await gate.visit({ listener: 'lax', pass: await gate.mint(), headers }))
      assert.ok(!seen.headers.some(([name]) => /otp/.test(name)), JSON.stringify(seen.headers))
    })

    test('T26 the upstream gets neither pass nor code nor ticket', async () => {
      const person = await gate.enroll()
      const [code, ticket, pass] = [person.code(), await person.ticket(), await gate.mint()]
      for (const answer of [
        await gate.visit({
          pass,
          headers: [
            ['x-otp', code],
            ['x-otp-ticket', ticket],
          ],
        }),
        await gate.visit({
          headers: [
            ['x-otp', code],
            ['x-otp-ticket', ticket],
          ],
        }),
        await gate.visit({
          listener: 'shadow',
          pass,
          headers: [
            ['x-otp', code],
            ['x-otp-ticket', ticket],
          ],
        }),
        await gate.visit({
          path: '/healthz',
          pass,
          headers: [
            ['x-otp', code],
            ['x-otp-ticket', ticket],
          ],
        }),
      ]) {
        const seen = JSON.stringify(passed(answer).headers)
        for (const secret of [code, ticket, pass]) assert.ok(!seen.includes(secret))
        assert.match(seen, new RegExp(`${SESSION}=s1`))
      }
    })

    test('T26 other cookies reach the upstream unchanged', async () => {
      const pass = await gate.mint()
      for (const [sent, left] of [
        [`a=1; ${SESSION}=s1; ${PASS}=${pass}; b="q;"`, `a=1; ${SESSION}=s1; b="q; "`],
        [`${PASS}=${pass};${SESSION}=s1`, `${SESSION}=s1`],
        [`=; ; ;;${SESSION}=s1;${PASS}=${pass};noequals;x${PASS}=y`, undefined],
        [`${SESSION}=s1; ${PASS}=${pass}; app=\xff\xfe`, `${SESSION}=s1; app=\xff\xfe`],
      ]) {
        const got = passed(await gate.send({ headers: [['cookie', sent]] })).get('cookie')
        assert.ok(!got.includes(pass))
        if (left !== undefined) assert.equal(got, left)
      }
    })

    test('T26 cookies of similar names are no pass and no session', async () => {
      const pass = await gate.mint()
      for (const name of [
        PASS.toLowerCase(),
        PASS.toUpperCase(),
        `${PASS}x`,
        `x${PASS}`,
        PASS.slice(2),
        `"${PASS}"`,
        ` ${PASS} `,
        `$${PASS}`,
        `${PASS}\t`,
        `a,${PASS}`,
      ]) {
        const answer = await gate.send({ headers: [['cookie', `${SESSION}=s1; ${name}=${pass}`]] })
        assert.notEqual(answer.status, 200, JSON.stringify(name))
      }
      for (const value of [
        `"${pass}"`,
        ` ${pass}`,
        `${pass},`,
        pass.replaceAll('.', '%2E'),
        pass.slice(0, -1),
        `${pass}.`,
        `${pass}=`,
      ]) {
        const answer = await gate.visit({ pass: value })
        if (answer.status === 200) assert.equal(value.trim(), pass)
        else refused(answer, 401, 'pass_invalid')
      }
    })

    test('T28 bytes that are no text, in every header that is read: a refusal, and the filter runs on', async () => {
      const pass = await gate.mint()
      const person = await gate.enroll()
      const ticket = await person.ticket()
      for (const bytes of [
        '\xff',
        '\xc3\x28',
        '\xed\xa0\x80',
        '\xf4\x90\x80\x80',
        '\x80'.repeat(100),
        `${pass}\xff`,
        `\xff${pass}`,
      ]) {
        refused(await gate.send({ headers: [['cookie', bytes]] }), 401, 'no_pass')
        refused(await gate.visit({ pass: bytes }), 401, 'pass_invalid')
        refused(await gate.visit({ session: bytes, pass }), 401, 'no_session')
        refused(await gate.visit({ headers: [['authorization', `Bearer ${bytes}`]] }), 401, 'pass_invalid')
        refused(await gate.visit({ headers: [['authorization', bytes]] }), 401, 'no_pass')
        refused(
          await gate.visit({
            headers: [
              ['x-otp', bytes],
              ['x-otp-ticket', ticket],
            ],
          }),
          400,
          'code_malformed',
        )
        refused(
          await gate.visit({
            headers: [
              ['x-otp', '123456'],
              ['x-otp-ticket', bytes],
            ],
          }),
          401,
          'ticket_invalid',
        )
        for (const name of [
          'accept',
          'sec-fetch-mode',
          'x-forwarded-for',
          'x-second-factor-sub',
          'user-agent',
          'referer',
        ]) {
          refused(await gate.visit({ headers: [[name, bytes]] }), 401, 'no_pass')
          passed(await gate.visit({ pass, headers: [[name, bytes]] }))
        }
        const path = await gate.visit({ path: `/${bytes}` })
        assert.ok([400, 401].includes(path.status), `path: ${path.status}`)
      }
      passed(await gate.visit({ pass }))
    })

    test('T28 huge headers and many headers: a refusal, and the filter runs on', async () => {
      const pass = await gate.mint()
      refused(await gate.visit({ pass: 'a'.repeat(50_000) }), 401, 'pass_invalid')
      refused(await gate.send({ headers: [['cookie', 'a=b; '.repeat(9_000)]] }), 401, 'no_pass')
      refused(await gate.visit({ headers: [['x-otp', '1'.repeat(50_000)]] }), 400, 'code_malformed')
      refused(await gate.visit({ headers: [['x-forwarded-for', '10.0.0.1, '.repeat(4_000)]] }), 401, 'no_pass')
      passed(await gate.visit({ pass, headers: Array.from({ length: 80 }, (_, i) => [`x-second-factor-${i}`, 'x']) }))
      passed(await gate.visit({ pass, headers: [['cookie', `${'a=b; '.repeat(9_000)}c=d`]] }))
    })
  },
)
