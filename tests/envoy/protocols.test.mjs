// HTTP/1.1 and HTTP/2, kept connections and many at once, with one worker and two.
import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { bytesOf, Connection, http2 } from './http.mjs'
import { cookies, ENVOYS, named, PASS, passed, refused, SESSION, startGate, verifyBy } from './support.mjs'

const combinations = ENVOYS.flatMap(({ version }) => [1, 2].map((workers) => ({ version, workers })))

const gates = await Promise.all(
  combinations.map((envoy) =>
    startGate(
      { after },
      {
        ...envoy,
        config: { verify: verifyBy({ timeoutMs: 5_000 }), exempt: { paths: ['/healthz'] } },
        listeners: {
          h2: {
            cluster: 'app-h2',
            config: { verify: verifyBy(), exempt: { paths: ['/healthz'] } },
            underscores: 'ALLOW',
          },
          // In this mode, held headers do not hold the trailers.
          h2Stopping: {
            cluster: 'app-h2',
            config: { verify: verifyBy(), exempt: { paths: ['/healthz'] } },
            underscores: 'ALLOW',
            failure: { failure_policy: 'FAIL_RELOAD', allow_on_headers_stop_iteration: true },
          },
        },
      },
    ),
  ),
)

for (const [index, envoy] of combinations.entries()) {
  const gate = gates[index]

  test(`HTTP/2: no pass, good pass, split cookies, a code with a large body (${named(envoy)})`, async (t) => {
    const ask = http2(t, gate.envoy.ports.main)
    const pass = await gate.mint()
    const none = await ask({ cookie: `${SESSION}=s1` })
    assert.equal(none.status, 401)
    assert.equal(JSON.parse(none.text).reason, 'no_pass')
    assert.match(none.headers['www-authenticate'], /^Bearer error="insufficient_user_authentication"/)
    const page = await ask({ accept: 'text/html', 'sec-fetch-mode': 'navigate' })
    assert.equal(page.status, 303)
    const good = await ask({ cookie: `${SESSION}=s1; ${PASS}=${pass}` })
    assert.equal(good.status, 200, good.text)
    assert.equal(JSON.parse(good.text).headers.find(([name]) => name === 'x-second-factor-sub')[1], 'ann')
    // RFC 9113 §8.2.3: one cookie header for each cookie.
    const split = await ask({ cookie: [`a=b`, `${SESSION}=s1`, `${PASS}=${pass}`] })
    assert.equal(split.status, 200, split.text)
    assert.ok(!split.text.includes(pass))
    for (const headers of [
      { cookie: [`${SESSION}=s1`, `${PASS}=${pass}`, `${PASS}=${pass}`] },
      { cookie: `${SESSION}=s1; ${PASS}=${pass}`, authorization: `Bearer ${pass}` },
    ]) {
      const twice = await ask(headers)
      assert.equal(twice.status, 400)
      assert.equal(JSON.parse(twice.text).reason, 'duplicate_header')
    }
    const person = await gate.enroll()
    const size = 2_000_000
    const code = await ask(
      { ':method': 'POST', cookie: `${SESSION}=s1`, 'x-otp': person.code(), 'x-otp-ticket': await person.ticket() },
      'z'.repeat(size),
    )
    assert.equal(code.status, 200, code.text)
    assert.equal(JSON.parse(code.text).bytes, size)
    assert.ok(code.headers['set-cookie'].some((line) => line.startsWith(`${PASS}=`)))
    // Many streams at once on one connection, good and bad in turns.
    const answers = await Promise.all(
      Array.from({ length: 90 }, (_, i) => ask({ cookie: `${SESSION}=s${i % 3 === 0 ? 1 : 2}; ${PASS}=${pass}` })),
    )
    assert.deepEqual(
      answers.map(({ status }) => status),
      answers.map((_, i) => (i % 3 === 0 ? 200 : 401)),
    )
    await gate.healthy()
  })

  for (const listener of ['h2', 'h2Stopping'])
    test(`T26 identity in HTTP/2 trailers reaches no upstream (listener ${listener}, ${named(envoy)})`, async (t) => {
      const ask = http2(t, gate.envoy.ports[listener])
      gate.storage.before = async (req, res, next) => (await sleep(100), next())
      t.after(() => (gate.storage.before = undefined))
      const person = await gate.enroll()
      const forged = {
        'x-second-factor-sub': 'mallory',
        'X-Second-Factor-Role': 'owner',
        x_second_factor_sub: 'mallory',
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
      const refusal = await ask({ ':method': 'POST', cookie: session }, 'body', forged)
      assert.equal(refusal.status, 401, refusal.text)
      await gate.healthy()
    })

  test(`HTTP/1.1: pipelined requests on one connection are judged one by one (${named(envoy)})`, async () => {
    const pass = await gate.mint()
    const person = await gate.enroll()
    const ticket = await person.ticket()
    const connection = new Connection(gate.envoy.ports.main)
    const ask = (jar, headers = [], more = {}) =>
      connection.send(bytesOf({ headers: [['cookie', cookies(jar)], ...headers], ...more }), more.method)
    const answers = []
    // Two at a time: after two answers of its own, Envoy lets a third request wait for more bytes.
    for (const pair of [
      [[{ [SESSION]: 's1', [PASS]: pass }], [{ [SESSION]: 's1' }]],
      [
        [
          { [SESSION]: 's1' },
          [
            ['x-otp', person.code()],
            ['x-otp-ticket', ticket],
          ],
        ],
        [{ [SESSION]: 's1' }],
      ],
      [
        [{ [SESSION]: 's2', [PASS]: pass }],
        [{ [SESSION]: 's1', [PASS]: pass }, [], { method: 'POST', body: 'b'.repeat(100_000) }],
      ],
    ])
      answers.push(...(await Promise.all(pair.map((one) => ask(...one)))))
    assert.deepEqual(
      answers.map(({ status }) => status),
      [200, 401, 200, 401, 401, 200],
    )
    assert.equal(passed(answers[0]).identity['x-second-factor-sub'], 'ann')
    assert.equal(passed(answers[2]).identity['x-second-factor-sub'], person.user)
    assert.equal(passed(answers[5]).bytes, 100_000)
    // The pass of one request does not count for the next on the same connection.
    refused(answers[3], 401, 'no_pass')
    await connection.close()
    await gate.healthy()
  })

  test(`T3 one code on many connections, over all workers: exactly one is admitted (${named(envoy)})`, async () => {
    const person = await gate.enroll()
    const [otp, ticket] = [person.code(), await person.ticket()]
    const before = gate.upstream.count
    const answers = await Promise.all(Array.from({ length: 200 }, () => gate.verify({ otp, ticket })))
    assert.equal(answers.filter(({ status }) => status === 200).length, 1)
    // A pass that one worker made is good with the others, and so is one that none has seen.
    const made = answers
      .find(({ status }) => status === 200)
      .all('set-cookie')
      .find((line) => line.startsWith(PASS))
      .split(/[=;]/)[1]
    for (const answer of await Promise.all(Array.from({ length: 40 }, () => gate.visit({ pass: made })))) passed(answer)
    assert.equal(gate.upstream.count - before, 41)
    await gate.healthy()
  })
}
