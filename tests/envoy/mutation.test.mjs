// T28: 100,000 requests with arbitrary header bytes. The filter must not crash, grow or admit one of them.
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { bytesOf, Connection } from './http.mjs'
import { cookies, ENVOYS, named, PASS, passed, refused, SESSION, startGate, verifyBy } from './support.mjs'

const REQUESTS = Number(process.env.MUTATIONS ?? 100_000)
const SEED = Number(process.env.SEED ?? randomBytes(4).readUInt32LE())
const CONNECTIONS = 48

/** Marsaglia's xorshift: the same seed gives the same requests. */
function random(seed) {
  let state = seed || 1
  const next = () => {
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    return state >>> 0
  }
  const below = (limit) => next() % limit
  return { below, pick: (list) => list[below(list.length)], chance: (percent) => below(100) < percent }
}

// The bytes that Envoy hands on: visible ASCII, blank, tab and all above ASCII. It closes the connection at others.
const ALLOWED = Array.from({ length: 256 }, (_, byte) => byte).filter(
  (byte) => byte === 9 || (byte >= 32 && byte !== 127),
)
const SPECIAL = [
  ';',
  '=',
  ',',
  ' ',
  '"',
  '%',
  '.',
  '-',
  '_',
  '\t',
  '\xff',
  '\xc3',
  '\xed\xa0\x80',
  '\xf4\x90\x80\x80',
  '\u00a0',
  '0',
  '{',
  '}',
  '/',
  '\\',
  '?',
  '#',
  ':',
  '[',
  ']',
]

function mutator(rng, words) {
  const byte = () =>
    rng.chance(1) && rng.chance(20)
      ? String.fromCharCode(rng.pick([0, 1, 11, 127]))
      : String.fromCharCode(rng.pick(ALLOWED))
  const bytes = (length) => Array.from({ length }, byte).join('')
  const change = (text) => {
    const at = rng.below(text.length + 1)
    switch (rng.below(8)) {
      case 0:
        return text.slice(0, at) + byte() + text.slice(at + 1)
      case 1:
        return text.slice(0, at) + byte() + text.slice(at)
      case 2:
        return text.slice(0, at) + text.slice(at + 1 + rng.below(8))
      case 3:
        return text.slice(0, at) + rng.pick(SPECIAL) + text.slice(at)
      case 4:
        return text + rng.pick(SPECIAL) + rng.pick(words)
      case 5:
        return text.slice(0, at)
      case 6:
        return text.slice(at) + text.slice(0, at)
      default:
        return text.slice(0, at) + bytes(rng.below(12)) + text.slice(at)
    }
  }
  return (text) => {
    if (rng.chance(4)) return bytes(rng.below(200))
    let mutated = text
    for (let times = 1 + rng.below(3); times > 0; times -= 1) mutated = change(mutated)
    return mutated
  }
}

const memory = (pid) => Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))[1]) / 1024

for (const envoy of ENVOYS) {
  test(`T28 ${REQUESTS} mutated requests (${named(envoy)}, SEED=${SEED})`, async (t) => {
    const gate = await startGate(t, {
      ...envoy,
      // No line for each refusal, but the errors of the VM.
      logLevel: 'error',
      config: {
        verify: verifyBy({ methods: ['totp', 'sms', 'backup_code', 'recovery_code'] }),
        exempt: { paths: ['/healthz'], prefixes: ['/assets/'] },
        apiPaths: { prefixes: ['/api/'] },
        routes: [{ prefix: '/admin/', maxAge: 60 }],
        debug: true,
      },
    })
    const rng = random(SEED)
    const person = await gate.enroll()
    const good = await gate.mint({ session: 'the-session-of-this-run' })
    // A good pass of another session, and one that has ended. The name of that session is so long that no mutation makes it of `s1`.
    const another = 'another-session-0123456789'
    const [foreign, ended, ticket, strangeTicket] = [
      await gate.mint({ session: another }),
      await gate.mint({ session: 's1', at: gate.clock() - 50_000 }),
      await person.ticket('s1'),
      await person.ticket(another),
    ]
    const words = [
      foreign,
      ended,
      ticket,
      strangeTicket,
      PASS,
      SESSION,
      's1',
      'Bearer ',
      'text/html',
      'totp 000000',
      'sms 123456',
      '/healthz',
      '/assets/',
      '..',
      '%2e%2e',
      '%2f',
      'x-second-factor-sub',
      '{"v":1}',
    ]
    const mutate = mutator(rng, words)
    const maybe = (text) => (rng.chance(70) ? mutate(text) : text)
    const makers = [
      () => [
        'cookie',
        maybe(rng.chance(80) ? cookies({ [SESSION]: 's1', [PASS]: rng.pick([foreign, ended]) }) : `${PASS}=${ended}`),
      ],
      () =>
        rng.chance(70)
          ? ['x-nothing', mutate('')]
          : ['authorization', maybe(`Bearer ${rng.pick([foreign, ended, ticket])}`)],
      () => ['accept', maybe('text/html,application/xhtml+xml')],
      () => ['sec-fetch-mode', maybe('navigate')],
      () => ['x-forwarded-for', maybe('198.51.100.7, 2001:db8::1')],
      () => [mutate('x-second-factor-sub').replace(/[^!#$%&'*+.^`|~0-9a-z-]/gi, '') || 'x', mutate('root')],
      () => ['x-otp', maybe(rng.pick(['000000', 'totp 000000', 'sms 123456', 'backup_code AAAA-AAAA-AAAA-AAAA']))],
      () => ['x-otp-ticket', mutate(ticket)],
    ]
    const paths = [
      '/',
      '/reports?x=1',
      '/admin/x',
      '/Healthz',
      '/assets',
      '/api/v1',
      '/a/%2e%2e/b',
      '/login?next=//x',
      '/healthz/',
      '/ASSETS/app.css',
    ]
    const path = () => {
      // Envoy refuses bytes that may not stand in a path.
      const text = rng.chance(50) ? rng.pick(paths) : mutate(rng.pick(paths)).replace(/[^!-~]/g, '')
      return text.startsWith('/') ? text : `/${text}`
    }
    let brought = 0
    const make = () => {
      // Envoy closes the connection after a 400, which is slow, so one header is not repeated often.
      const some = rng.chance(5)
        ? Array.from({ length: 5 }, () => rng.pick(makers))
        : makers.filter(() => rng.chance(30))
      const headers = some.map((header) => header())
      // Some codes reach the storage.
      if (rng.chance(1))
        headers.splice(
          0,
          headers.length,
          ['cookie', `${SESSION}=s1`],
          ['x-otp', maybe('000000')],
          ['x-otp-ticket', ticket],
        )
      brought += 1
      return bytesOf({ method: rng.pick(['GET', 'GET', 'HEAD', 'POST', 'DELETE']), path: path(), headers })
    }

    const statuses = {}
    let answered = 0
    let lost = 0
    const run = async (until) => {
      await Promise.all(
        Array.from({ length: CONNECTIONS }, async () => {
          let connection = new Connection(gate.envoy.ports.main)
          while (answered < until) {
            const bytes = make()
            try {
              const answer = await connection.send(bytes, bytes.slice(0, bytes.indexOf(' ')))
              answered += 1
              statuses[answer.status] = (statuses[answer.status] ?? 0) + 1
              if (answer.get('connection') !== 'close') continue
            } catch {
              lost += 1
            }
            // Envoy closes the connection at bytes that are no HTTP.
            await connection.close()
            connection = new Connection(gate.envoy.ports.main)
          }
          await connection.close()
        }),
      )
    }

    const start = Date.now()
    await run(REQUESTS / 4)
    const warm = memory(gate.envoy.pid)
    const created = (await gate.envoy.stats())['wasm.envoy.wasm.runtime.v8.created']
    await run(REQUESTS)
    const end = memory(gate.envoy.pid)
    t.diagnostic(
      `${answered} answers (${JSON.stringify(statuses)}), ${lost} ended with their connection, in ${((Date.now() - start) / 1000).toFixed(1)} s; memory ${warm.toFixed(0)} → ${end.toFixed(0)} MB`,
    )

    assert.ok(answered >= REQUESTS && brought >= REQUESTS)
    // Every request that reached the upstream was exempt after Envoy had cleaned its path, and without identity.
    for (const { path, headers } of gate.upstream.requests) {
      assert.match(path, /^\/(healthz(\?|$)|assets\/)/, JSON.stringify({ path, headers }))
      assert.ok(!headers.some(([name]) => /^x[-_](second[-_]factor[-_]|otp)/.test(name)), JSON.stringify(headers))
    }
    assert.equal(gate.upstream.count, gate.upstream.requests.length)
    assert.equal(gate.upstream.count, statuses[200] ?? 0)
    assert.ok((statuses[401] ?? 0) > REQUESTS / 4, 'most of them reached the filter')
    const stats = await gate.envoy.stats()
    assert.equal(stats['wasm.envoy.wasm.runtime.v8.created'], created, 'no VM was started anew')
    await gate.healthy()
    assert.ok(end < warm + Math.max(12, warm * 0.1), `memory grew from ${warm} to ${end} MB`)

    // Each request was counted once.
    const { allowed, challenged, ...others } = await gate.counters()
    const denied = Object.entries(others)
      .filter(([name]) => name.startsWith('denied_'))
      .reduce((sum, [, count]) => sum + count, 0)
    assert.equal(allowed, statuses[200] ?? 0)
    assert.ok(
      challenged + denied <= answered + lost && challenged + denied > REQUESTS / 2,
      `${challenged} + ${denied} of ${answered}`,
    )

    // The filter still works.
    passed(await gate.visit({ session: 'the-session-of-this-run', pass: good }))
    refused(await gate.visit({}), 401, 'no_pass', {
      explanation: { decision: { outcome: 'challenge' }, rules: ['not_forced', 'enrolled'] },
    })
    const other = await gate.enroll()
    passed(await gate.verify({ otp: other.code(), ticket: await other.ticket() }))
  })
}
