// Faults of the login host's storage: none of them admits a request, and the gate works on.
import assert from 'node:assert/strict'
import { setTimeout as sleep } from 'node:timers/promises'
import { bytesOf, Connection } from './http.mjs'
import { cookies, onEach, passed, refused, SESSION, verifyBy } from './support.mjs'

const TIMEOUT = 250 // of the listener that is tested with a storage that hangs
const raw = (text) => (req, res) => void res.socket.write(text, 'latin1')
const status =
  (code, body = /** @type {any} */ ('{}'), headers = {}) =>
  (req, res) =>
    void res.writeHead(code, { 'content-type': 'application/json', ...headers }).end(body)
const length = (body) => `HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: ${body}\r\n\r\n`

/** Answers to the GET of a record. */
const OF_LOADING = {
  hangs: () => undefined,
  'resets the connection': (req) => req.socket.resetAndDestroy(),
  'closes the connection': (req) => req.socket.destroy(),
  'answers no HTTP': raw('hello\r\n\r\n'),
  'answers half a head': (req, res) => (res.socket.write('HTTP/1.1 200 OK\r\ncontent-ty'), res.socket.end()),
  'answers half a body': (req, res) => (res.socket.write(`${length(1_000)}{"record":`), res.socket.end()),
  drips: (req, res) => {
    res.socket.write(length(1_000))
    const timer = setInterval(() => res.socket.write(' '), 20)
    res.socket.on('close', () => clearInterval(timer))
    res.socket.on('error', () => undefined)
  },
  'answers 500': status(500, '{"error":"store_failed"}'),
  'answers 503': status(503),
  'answers 401': status(401, '{"error":"unauthorized"}'),
  'answers 404': status(404, '{"error":"not_found"}'),
  'answers 204': status(204, ''),
  'answers 302': status(302, '', { location: '/elsewhere' }),
  'answers 200 with nothing': status(200, ''),
  'answers 200 with text': status(200, 'OK'),
  'answers 200 with HTML': status(200, '<!doctype html><p>Log in'),
  'answers 200 with null': status(200, 'null'),
  'answers 200 with a list': status(200, '[]'),
  'answers 200 with {}': status(200, '{}'),
  'answers 200 with bytes that are no text': status(200, Buffer.from([0xff, 0xfe, 0xfd, 0xfc])),
  'answers with a record that is none': status(200, '{"record":"x","version":1}'),
  'answers with an empty record': status(200, '{"record":"","version":1}'),
  'answers with a record of the future': status(200, JSON.stringify({ record: '{"v":99}', version: 1 })),
  'answers with 2 MB': status(200, JSON.stringify({ record: 'x'.repeat(2_000_000), version: 1 })),
  'answers with nesting without end': status(200, '['.repeat(100_000)),
}

await onEach(
  {
    config: { verify: verifyBy({ timeoutMs: 5_000 }) },
    listeners: {
      impatient: { config: { verify: verifyBy({ timeoutMs: TIMEOUT }) } },
      nowhere: { config: { verify: verifyBy({ cluster: 'no-such-cluster' }) } },
      shadow: { config: { mode: 'shadow', verify: verifyBy() } },
      // In this mode, held headers do not hold the body.
      stopping: {
        config: { verify: verifyBy() },
        failure: { failure_policy: 'FAIL_RELOAD', allow_on_headers_stop_iteration: true },
      },
    },
  },
  (gate, test) => {
    const patience = (what) => (/hangs|drips/.test(what) ? 'impatient' : 'main')
    /** The answer to a right code during `fault`. Asserts that the same code works after it. */
    const suffers = async (
      fault,
      /** @type {any} */ { reason = 'storage_failed', works = true, when = () => true, listener = 'main' } = {},
    ) => {
      const person = await gate.enroll()
      const ticket = await person.ticket()
      const count = gate.upstream.count
      gate.storage.before = (req, res, next) => (when(req) ? fault(req, res, next) : next())
      try {
        const answer = await gate.verify({ listener, otp: person.code(), ticket })
        refused(answer, 503, reason)
        assert.deepEqual(answer.all('set-cookie'), [])
      } finally {
        gate.storage.before = undefined
      }
      assert.equal(gate.upstream.count, count)
      if (works) passed(await gate.verify({ otp: person.code(), ticket }))
      return person
    }

    for (const [what, fault] of Object.entries(OF_LOADING)) {
      test(`storage ${what}: storage_failed, and the code is good afterwards`, () =>
        suffers(fault, { listener: patience(what) }))
    }

    /** The right record of the user in an answer that is wrong otherwise. */
    const instead = (answer) => async (req, res) => {
      const { record, version } = await gate.store.load({ user: decodeURIComponent(req.url.split('/').at(-1)) })
      const [code, body] = answer(JSON.stringify(record), version)
      res.writeHead(code, { 'content-type': 'application/json' }).end(body)
    }
    const well = (record, version) => `{"record":${record},"version":${version}}`
    const loading = { when: ({ method }) => method === 'GET' }

    test('storage gives the right record in a right answer: verified', async () => {
      // The tests below change this answer in one point each.
      const person = await gate.enroll()
      gate.storage.before = (req, res, next) =>
        req.method === 'GET' ? instead((...stored) => [200, well(...stored)])(req, res) : next()
      passed(await gate.verify({ otp: person.code(), ticket: await person.ticket() }))
      gate.storage.before = undefined
    })

    test('storage gives a version of the wrong type: storage_failed', async () => {
      for (const version of ['"2"', '2.5', '-2', 'null', 'true', '[2]', '2e0', '18446744073709551616']) {
        await suffers(
          instead((record) => [200, well(record, version)]),
          loading,
        )
      }
      await suffers(
        instead((record) => [200, `{"record":${record}}`]),
        loading,
      )
    })

    test('storage gives the right record under a wrong status: storage_failed', async () => {
      for (const code of [201, 202, 203, 206, 400, 401, 404, 409, 500, 503])
        await suffers(
          instead((...stored) => [code, well(...stored)]),
          loading,
        )
    })

    test('storage gives the record of another user: storage_failed', async () => {
      const other = await gate.enroll()
      const { record, version } = await gate.store.load({ user: other.user })
      await suffers(status(200, JSON.stringify({ record, version })), loading)
    })

    test('storage gives a field twice, or an unknown field: storage_failed', async () => {
      for (const body of [
        (record, version) => `{"record":${record},"version":${version},"version":${version}}`,
        (record, version) => `{"record":${record},"record":${record},"version":${version}}`,
        (record, version) => `{"record":${record},"version":${version},"valid":true}`,
        (record, version) => `${well(record, version)}{}`,
        (record, version) => `[${well(record, version)}]`,
        (record, version) => `[${record},${version}]`,
      ])
        await suffers(
          instead((...stored) => [200, body(...stored)]),
          loading,
        )
    })

    for (const listener of ['main', 'stopping']) {
      test(`no part of a request goes on before its code is verified, be it body or trailers (listener ${listener})`, async () => {
        const person = await gate.enroll()
        const ticket = await person.ticket()
        const connection = new Connection(gate.envoy.ports[listener])
        const send = async (otp, framing, body) => {
          const head = `POST /x HTTP/1.1\r\nhost: a\r\ncookie: ${SESSION}=s1\r\nx-otp: ${otp}\r\nx-otp-ticket: ${ticket}\r\nx-second-factor-sub: root\r\n${framing}\r\n\r\n`
          const answer = connection.send(head, 'POST')
          for (const part of body) {
            await sleep(30)
            connection.write(part)
          }
          return answer
        }
        gate.storage.before = async (req, res, next) => (await sleep(100), next())
        try {
          const count = gate.upstream.count
          refused(await send(person.wrong(), 'content-length: 5', ['hel', 'lo']), 401, 'wrong_code', {
            reply: { result: 'wrong', attemptsLeft: 4 },
          })
          refused(
            await send(person.wrong(), 'transfer-encoding: chunked', ['5\r\nhello\r\n', '0\r\n\r\n']),
            401,
            'wrong_code',
            { reply: { result: 'wrong', attemptsLeft: 3 } },
          )
          refused(
            await send(person.wrong(), 'transfer-encoding: chunked', [
              '5\r\nhello\r\n',
              '0\r\nx-second-factor-sub: root\r\n\r\n',
            ]),
            401,
            'wrong_code',
            { reply: { result: 'wrong', attemptsLeft: 2 } },
          )
          assert.equal(gate.upstream.count, count)
          const seen = passed(await send(person.code(), 'transfer-encoding: chunked', ['5\r\nhello\r\n', '0\r\n\r\n']))
          assert.deepEqual([seen.bytes, seen.get('x-second-factor-sub')], [5, person.user])
          const large = await gate.visit({
            listener,
            method: 'POST',
            body: 'x'.repeat(300_000),
            pass: await gate.mint(),
          })
          assert.equal(passed(large).bytes, 300_000)
        } finally {
          gate.storage.before = undefined
          await connection.close()
        }
      })
    }

    test('storage is down: storage_failed at once, and verified when storage is back', async () => {
      const person = await gate.enroll()
      const ticket = await person.ticket()
      await gate.storage.close()
      const start = Date.now()
      refused(await gate.verify({ otp: person.code(), ticket }), 503, 'storage_failed')
      assert.ok(Date.now() - start < 4_500, 'before the time-out')
      passed(await gate.visit({ pass: await gate.mint() })) // passes need no storage
      await gate.storage.open()
      passed(await gate.verify({ otp: person.code(), ticket }))
    })

    test('a storage that hangs is given up after timeoutMs', async () => {
      const person = await gate.enroll()
      gate.storage.before = () => undefined
      const ticket = await person.ticket()
      const start = Date.now()
      refused(await gate.verify({ listener: 'impatient', otp: person.code(), ticket }), 503, 'storage_failed')
      const took = Date.now() - start
      gate.storage.before = undefined
      assert.ok(took >= TIMEOUT - 20 && took < TIMEOUT + 4_000, String(took))
    })

    test('the cluster is unknown to Envoy: storage_failed', async () => {
      const person = await gate.enroll()
      refused(
        await gate.verify({ listener: 'nowhere', otp: person.code(), ticket: await person.ticket() }),
        503,
        'storage_failed',
      )
    })

    for (const [what, fault] of Object.entries({
      'answers 200 instead of 204': status(200, '{"ok":true}'),
      'answers 201': status(201),
      'answers 500': status(500),
      'answers 413': status(413),
      'answers 428': status(428),
      'resets the connection': (req) => req.socket.resetAndDestroy(),
      hangs: () => undefined,
    })) {
      test(`storing ${what}: storage_failed, no pass, and the code is good afterwards`, () =>
        suffers(fault, { when: ({ method }) => method === 'PUT', listener: patience(what) }))
    }

    test('T5 storage writes and breaks the connection: no pass, and the code is used once', async () => {
      const fault = (req, res, next) => {
        res.writeHead = () => req.socket.destroy()
        res.end = () => req.socket.destroy()
        next()
      }
      const person = await suffers(fault, { works: false, when: ({ method }) => method === 'PUT' })
      const again = await gate.verify({ otp: person.code(), ticket: await person.ticket() })
      refused(again, 401, 'code_used', { reply: again.json.reply })
      gate.advance(60)
      passed(await gate.verify({ otp: person.code(), ticket: await person.ticket() }))
      gate.advance(-60)
    })

    test('storage goes down between read and write: storage_failed', async () => {
      const person = await gate.enroll()
      const ticket = await person.ticket()
      const { load } = gate.behind
      gate.behind.load = async (id) => {
        const stored = await load(id)
        setImmediate(() => gate.storage.close())
        return stored
      }
      const answer = await gate.verify({ otp: person.code(), ticket })
      gate.behind.load = load
      refused(answer, 503, 'storage_failed')
      await gate.storage.open()
      passed(await gate.verify({ otp: person.code(), ticket }))
    })

    test('one lost race: read again and verified; two lost races: storage_conflict', async () => {
      const { save } = gate.behind
      for (const { times, works } of [
        { times: 1, works: true },
        { times: 2, works: false },
      ]) {
        const person = await gate.enroll()
        const ticket = await person.ticket()
        let left = times
        const calls = gate.storage.calls.length
        gate.behind.save = async (id, text, expected) => {
          if (left > 0) {
            left -= 1
            // Another client writes in between.
            const { record, version } = await gate.store.load(id)
            await gate.store.save(id, record, version)
          }
          return save(id, text, expected)
        }
        const answer = await gate.verify({ otp: person.code(), ticket })
        gate.behind.save = save
        if (works) passed(answer)
        else refused(answer, 503, 'storage_conflict')
        assert.deepEqual(
          gate.storage.calls.slice(calls).map((call) => call.split(' ')[0]),
          ['GET', 'PUT', 'GET', 'PUT'],
        )
        if (!works) passed(await gate.verify({ otp: person.code(), ticket }))
      }
    })

    test('T5 a race lost to another use of the same code: wrong_code', async () => {
      const person = await gate.enroll()
      const [ticket, other] = [await person.ticket(), await person.ticket('n1')]
      const { save } = gate.behind
      gate.behind.save = async (...args) => {
        gate.behind.save = save
        assert.equal(
          (await gate.factor.verify({ ticket: other, session: 'n1', method: 'totp', code: person.code() })).result,
          'verified',
        )
        return save(...args)
      }
      const answer = await gate.verify({ otp: person.code(), ticket })
      refused(answer, 401, 'code_used', { reply: answer.json.reply })
    })

    test('the client disconnects during verification: the gate works on', async () => {
      for (let i = 0; i < 20; i += 1) {
        const person = await gate.enroll()
        let arrived
        const reached = new Promise((resolve) => (arrived = resolve))
        gate.storage.before = (req, res, next) => {
          arrived()
          setTimeout(next, i)
        }
        const connection = new Connection(gate.envoy.ports.main)
        const headers = [
          ['cookie', cookies({ [SESSION]: 's1' })],
          ['x-otp', person.code()],
          ['x-otp-ticket', await person.ticket()],
        ]
        const answer = connection.send(bytesOf({ headers })).catch(() => undefined)
        await reached
        await connection.close()
        await answer
      }
      await sleep(50)
      gate.storage.before = undefined
      const person = await gate.enroll()
      passed(await gate.verify({ otp: person.code(), ticket: await person.ticket() }))
    })

    test('many verifications that hang at once do not delay other requests', async () => {
      const people = await Promise.all(Array.from({ length: 20 }, () => gate.enroll()))
      const tickets = await Promise.all(people.map((person) => person.ticket()))
      const pass = await gate.mint()
      let waiting = 0
      gate.storage.before = () => void (waiting += 1)
      let over = 0
      const hanging = people.map((person, i) =>
        gate.verify({ otp: person.code(), ticket: tickets[i] }).finally(() => (over += 1)),
      )
      for (const end = Date.now() + 10_000; waiting < people.length && Date.now() < end; ) await sleep(5)
      assert.equal(waiting, people.length)
      passed(await gate.visit({ pass }))
      assert.equal(over, 0, 'and it did not wait for them')
      gate.storage.before = undefined
      await gate.storage.close()
      await gate.storage.open()
      for (const answer of await Promise.all(hanging)) refused(answer, 503, 'storage_failed')
    })

    test('in shadow mode a fault of storage stops no request', async () => {
      const person = await gate.enroll()
      gate.storage.before = status(500)
      assert.deepEqual(
        passed(await gate.verify({ listener: 'shadow', otp: person.code(), ticket: await person.ticket() })).identity,
        {},
      )
      gate.storage.before = undefined
    })

    test('the calls to the storage API have the documented form', async () => {
      const person = await gate.enroll('zoë/@ x')
      const seen = []
      gate.storage.before = (req, res, next) => {
        seen.push([req.method, req.originalUrl, req.headers])
        next()
      }
      const ticket = await person.ticket()
      const { version } = await gate.store.load({ user: person.user })
      passed(await gate.verify({ otp: person.code(), ticket }))
      gate.storage.before = undefined
      const [[get, getUrl, getHeaders], [put, putUrl, putHeaders]] = seen
      assert.deepEqual([get, put], ['GET', 'PUT'])
      for (const url of [getUrl, putUrl]) assert.equal(url, '/internal/second-factor/records/zo%C3%AB%2F%40%20x')
      for (const headers of [getHeaders, putHeaders]) {
        assert.match(headers.authorization, /^Bearer \S{32,}$/)
        assert.equal(headers.host, 'login.internal')
        // No header of the client goes there.
        for (const name of ['cookie', 'x-otp', 'x-otp-ticket']) assert.equal(headers[name], undefined)
      }
      assert.equal(putHeaders['content-type'], 'application/json')
      assert.equal(putHeaders['if-match'], `"${version}"`)
    })
  },
)
