// The revocation list: sessions and users that the login host has ended.
import assert from 'node:assert/strict'
import { setTimeout as sleep } from 'node:timers/promises'
import { createSecondFactor, memoryStore, totp } from 'countersign'
import { eventually } from '../shared/eventually.mjs'
import { claimsOf, gateSession, onEach, PASS, passed, refused, revocationBy, verifyBy } from './support.mjs'

const STALE = 30
/** @type {any} */
const list = { sessions: [], users: {}, epochs: {} }
const clear = () => Object.assign(list, { sessions: [], users: {}, epochs: {} })

/** Bad answers after a good list, each with a listener of its own. */
const faults = {
  hangs: () => undefined,
  resets: (req) => req.socket.resetAndDestroy(),
  'answers 401': (req, res) => res.writeHead(401).end('{"error":"unauthorized"}'),
  'answers 404': (req, res) => res.writeHead(404).end('{"error":"not_found"}'),
  'answers with nothing': (req, res) => res.end(''),
  'answers with HTML': (req, res) => res.end('<p>'),
  'answers with an empty object': (req, res) => res.end('{}'),
  'answers with another version': (req, res) => res.end('{"v":2,"sessions":[],"users":{}}'),
  'answers with a wrong type': (req, res) => res.end('{"v":1,"sessions":{},"users":{}}'),
  'answers with a time as text': (req, res) => res.end('{"v":1,"sessions":[],"users":{"ann":"1"}}'),
  'answers with an unknown key': (req, res) => res.end('{"v":1,"sessions":[],"users":{},"revokeNothing":true}'),
  'answers with 6 MB': (req, res) =>
    res.end(
      JSON.stringify({
        v: 1,
        sessions: Array.from({ length: 100_000 }, (_, i) => `${i}`.padStart(56, 'x')),
        users: {},
      }),
    ),
  'answers half a body': (req, res) => (
    res.writeHead(200, { 'content-length': 100 }), res.write('{"v":1'), setTimeout(() => res.socket?.destroy(), 10)
  ),
}

await onEach(
  {
    config: {
      verify: verifyBy(),
      revocation: revocationBy({ maxStaleSeconds: STALE }),
      exempt: { paths: ['/healthz'] },
    },
    listeners: {
      without: {},
      // It verifies codes and never asks for the list.
      verifying: { config: { verify: verifyBy() } },
      ...Object.fromEntries(
        Object.keys(faults).map((name, index) => [
          name,
          {
            config: {
              revocation: revocationBy({
                path: `/internal/second-factor/list-${index}`,
                maxStaleSeconds: STALE,
                timeoutMs: 500,
              }),
            },
          },
        ]),
      ),
      // The list of this listener never comes.
      nowhere: { config: { revocation: revocationBy({ cluster: 'no-such-cluster' }) } },
      never: { config: { revocation: revocationBy({ path: '/internal/second-factor/no-such-list' }) } },
      shadow: {
        config: { mode: 'shadow', revocation: revocationBy({ path: '/internal/second-factor/no-such-list' }) },
      },
    },
    revoked: () => list,
  },
  (gate, test) => {
    /** Waits until every worker answers so: each has to fetch the list. */
    const until = async (status, options) => {
      let answer
      for (let row = 0, deadline = Date.now() + 30_000; row < 25; ) {
        answer = await gate.visit(options)
        row = answer.status === status ? row + 1 : 0
        if (Date.now() > deadline) assert.fail(`still ${answer.status} instead of ${status}: ${answer.text}`)
        if (row === 0) await sleep(20)
      }
      return answer
    }
    /** Lets storage answer so until the clock has advanced by `seconds`. */
    const during = async (before, work) => {
      gate.storage.before = before
      try {
        // Responses that are under way arrive.
        await sleep(200)
        await work()
      } finally {
        gate.storage.before = undefined
      }
    }

    test('the list is fetched periodically, with the token', async () => {
      clear()
      await until(200, { pass: await gate.mint() })
      const calls = () => gate.storage.calls.filter((call) => call === 'GET /revoked').length
      const before = calls()
      const start = performance.now()
      await eventually(() => assert.ok(calls() >= before + 5, `${calls() - before} more`))
      // Each worker and the main thread ask once a second, and no more often.
      const seconds = (performance.now() - start) / 1000
      assert.ok(calls() - before <= 3 * (seconds + 1), `${calls() - before} in ${seconds} s`)
    })

    test('pass_revoked: a session that was ended, and no other; with and without the cache', async () => {
      clear()
      const [mine, other] = [await gate.mint({ session: 's1' }), await gate.mint({ session: 's2' })]
      await until(200, { pass: mine })
      list.sessions = ['x', 's1']
      refused(await until(401, { pass: mine }), 401, 'pass_revoked')
      passed(await gate.visit({ pass: other, session: 's2' }))
      refused(await gate.visit({ pass: await gate.mint({ session: 's1', user: 'bob' }) }), 401, 'pass_revoked')
      passed(await gate.visit({ listener: 'without', pass: mine }))
      passed(await gate.send({ path: '/healthz' }))
      clear()
      await until(200, { pass: mine })
    })

    test('pass_revoked: the passes that the gate made for a session end with it', async () => {
      clear()
      const pass = await gate.mint({ session: gateSession('s7') })
      await until(200, { pass, session: 's7' })
      list.sessions = ['s7']
      refused(await until(401, { pass, session: 's7' }), 401, 'pass_revoked')
      // A code shows the factor again, but the session is still over.
      const person = await gate.enroll()
      const answer = await gate.verify({ session: 's7', otp: person.code(), ticket: await person.ticket('s7') })
      const made = answer
        .all('set-cookie')
        .map((line) => /second-factor=([^;]+)/.exec(line)?.[1])
        .find(Boolean)
      if (made) refused(await gate.visit({ session: 's7', pass: made }), 401, 'pass_revoked')
      clear()
    })

    test('T21 the session named in a pass of the gate is no session cookie, and evades no log-out', async () => {
      clear()
      await until(200, { pass: await gate.mint() })
      const person = await gate.enroll()
      const answer = await gate.verify({ session: 's8', otp: person.code(), ticket: await person.ticket('s8') })
      passed(answer)
      const pass = answer
        .all('set-cookie')
        .find((line) => line.startsWith(`${PASS}=`))
        .split(/[=;]/)[1]
      const { sid } = claimsOf(pass)
      passed(await gate.visit({ session: 's8', pass }))
      refused(await gate.visit({ session: sid, pass }), 401, 'no_session')
      list.sessions = ['s8']
      refused(await until(401, { session: 's8', pass }), 401, 'pass_revoked')
      refused(await gate.visit({ session: sid, pass }), 401, 'no_session')
      for (const session of [sid.slice('gate '.length), `"${sid}"`, sid.replace(' ', '%20'), sid.replace(' ', '+')])
        refused(await gate.visit({ session, pass }), 401, 'other_session')
      clear()
    })

    test('pass_revoked: a ticket from before the user was revoked becomes no pass', async () => {
      clear()
      await until(200, { pass: await gate.mint() })
      const person = await gate.enroll()
      const ticket = await person.ticket('s6')
      list.users = { [person.user]: gate.clock() }
      await until(401, { pass: await gate.mint({ user: person.user }) })
      const before = gate.storage.calls.filter((call) => call.includes('/records/')).length
      refused(await gate.verify({ session: 's6', otp: person.code(), ticket }), 401, 'pass_revoked')
      assert.equal(gate.storage.calls.filter((call) => call.includes('/records/')).length, before, 'nothing was spent')
      gate.advance(1)
      passed(await gate.verify({ session: 's6', otp: person.code(), ticket: await person.ticket('s6') }))
      clear()
    })

    test('pass_revoked: a code with the ticket of an ended session is refused before any gate has the list', async () => {
      clear()
      const person = await gate.enroll()
      const ticket = await person.ticket('s5')
      const records = () => gate.storage.calls.filter((call) => call.startsWith('PUT ')).length
      const [puts, stored] = [records(), await gate.store.load({ user: person.user })]
      list.sessions = ['s5']
      const attempt = { listener: 'verifying', session: 's5', otp: person.code(), ticket }
      refused(await gate.verify(attempt), 401, 'pass_revoked')
      assert.equal(records(), puts + 1, 'the storage API was asked to write')
      assert.deepEqual(await gate.store.load({ user: person.user }), stored, 'and wrote nothing')
      clear()
      passed(await gate.verify(attempt))
    })

    test('pass_revoked: the passes that a user got up to a time', async () => {
      clear()
      const at = gate.clock() - 100
      const pass = (seconds, user = 'ann') => gate.mint({ at: at + seconds, user })
      await until(200, { pass: await pass(0) })
      list.users = { ann: at }
      refused(await until(401, { pass: await pass(0) }), 401, 'pass_revoked')
      refused(await gate.visit({ pass: await pass(-1) }), 401, 'pass_revoked')
      passed(await gate.visit({ pass: await pass(1) }))
      passed(await gate.visit({ pass: await pass(0, 'bob') }))
      passed(await gate.visit({ pass: await pass(0, 'Ann') }))
      clear()
    })

    test('pass_revoked: the passes of epochs before the listed one, and none of later ones', async () => {
      clear()
      const pass = await gate.mint()
      await until(200, { pass })
      const [number, name] = claimsOf(pass).epoch.split('.')
      const listed = (step, of = name) => `${`${Number(number) + step}`.padStart(12, '0')}.${of}`
      const refusing = [listed(1), listed(0, 'AAAAAAAAAAAA'), [listed(1), listed(-1)], [listed(-1), listed(1)]]
      const admitting = [listed(0), listed(-1), [listed(0), listed(-1)], [listed(-2), listed(-1)]]
      for (const [index, epochs] of refusing.entries()) {
        list.epochs = { ann: epochs }
        refused(await until(401, { pass }), 401, 'pass_revoked')
        list.epochs = { ann: admitting[index], bob: listed(1) }
        passed(await until(200, { pass }))
      }
      clear()
    })

    test('T44, C4: a change of factors ends the passes of other sessions, by way of `endPasses` and the list', async () => {
      clear()
      const ended = []
      const clock = gate.clock
      const sendSms = () => undefined
      const endPasses = (facts) => ended.push(facts)
      const wired = { policy: gate.policy, keys: gate.keys, store: memoryStore(), clock, sendSms, endPasses }
      const factor = createSecondFactor(wired)
      const { setup, secret } = await factor.enrollTotp({ user: 'ann', session: 'old', label: 'ann' })
      const code = totp.generate({ secret, time: clock() })
      const { pass: old } = await factor.confirmTotp({ user: 'ann', session: 'old', setup, code })
      const [{ epoch }] = ended
      list.epochs = { ann: epoch }
      passed(await until(200, { pass: old, session: 'old' }))
      const { pass: renewed } = await factor.renewBackupCodes({ user: 'ann', session: 'old', pass: old })
      passed(await gate.visit({ pass: renewed, session: 'old' })) // the list does not name its epoch yet
      list.epochs = { ann: ended.at(-1).epoch }
      refused(await until(401, { pass: old, session: 'old' }), 401, 'pass_revoked')
      passed(await gate.visit({ pass: renewed, session: 'old' }))
      clear()
    })

    test('revocation_stale: without a list, or with one that is too old, every pass is refused', async () => {
      clear()
      const pass = await gate.mint()
      await until(200, { pass })
      await during(
        (req, res) => res.writeHead(500).end(),
        async () => {
          const now = gate.clock()
          gate.setTime(now + STALE)
          passed(await gate.visit({ pass }))
          gate.setTime(now + STALE + 1)
          refused(await gate.visit({ pass }), 503, 'revocation_stale')
          refused(await gate.visit({}), 401, 'no_pass')
          refused(await gate.visit({ pass: `${pass}x` }), 401, 'pass_invalid')
          passed(await gate.send({ path: '/healthz' }))
          passed(await gate.visit({ listener: 'without', pass }))
        },
      )
      await until(200, { pass })
      refused(await gate.visit({ listener: 'never', pass }), 503, 'revocation_stale')
      assert.deepEqual(passed(await gate.visit({ listener: 'shadow', pass })).identity, {})
    })

    test('a list that cannot be read changes nothing: the old list holds until it is too old', async () => {
      clear()
      const [pass, other] = [await gate.mint({ session: 's1' }), await gate.mint({ session: 's2' })]
      gate.storage.before = (req, res, next) =>
        /^\/list-/.test(req.url)
          ? res.setHeader('content-type', 'application/json').end('{"v":1,"sessions":["s1"],"users":{}}')
          : next()
      const names = Object.keys(faults)
      for (const listener of names) {
        await until(401, { listener, pass })
        passed(await gate.visit({ listener, pass: other, session: 's2' }))
      }
      const { callout_error: before } = await gate.counters()
      gate.storage.calls.length = 0
      await during(
        (req, res, next) => {
          const name = names[Number(/^\/list-(\d+)/.exec(req.url)?.[1])]
          return name === undefined ? next() : faults[name](req, res)
        },
        async () => {
          // A listener that asks again has processed the answer before.
          const asked = (index) => gate.storage.calls.filter((call) => call === `GET /list-${index}`).length
          await eventually(() => {
            for (const [index, listener] of names.entries())
              assert.ok(asked(index) > 2 * 2, `${listener}: was asked ${asked(index)} times`)
          })
          for (const listener of names) {
            refused(await gate.visit({ listener, pass }), 401, 'pass_revoked')
            passed(await gate.visit({ listener, pass: other, session: 's2' }))
          }
          gate.advance(STALE + 1)
          for (const listener of names)
            refused(await gate.visit({ listener, pass: other, session: 's2' }), 503, 'revocation_stale')
          gate.advance(-STALE - 1)
        },
      )
      for (const told of [
        'not_asked: does Envoy know `revocation.cluster`',
        'no_answer: no connection',
        'status_401: does COUNTERSIGN_STORAGE_TOKEN',
        'status_404: is `revocation.path` right',
        'status_200: the response is no list',
      ]) {
        assert.ok(gate.envoy.log().includes(`the revocation list could not be had (${told}`), told)
      }
      const { callout_error: after } = await gate.counters()
      assert.ok(after - before >= names.length, `${after - before} errors counted`)
    })
  },
)
