// Secrets: no page of the admin port, no log line and no answer shows one.
import assert from 'node:assert/strict'
import { onEach, PASS, passed, refused, revocationBy, TOKEN, verifyBy } from './support.mjs'

await onEach(
  {
    config: { verify: verifyBy(), revocation: revocationBy(), exempt: { paths: ['/healthz'] }, debug: true },
    listeners: { shadow: { config: { mode: 'shadow', verify: verifyBy() } } },
    revoked: () => ({ sessions: ['a-revoked-session-id'] }),
  },
  (gate, test) => {
    test('configuration, statistics and log show no key, token, code, ticket, pass or session', async () => {
      const secrets = [TOKEN, ...[...gate.keys.sealing, ...gate.keys.signing].map(({ secret }) => secret)]
      const session = 'a-session-id-that-nobody-may-see'
      const person = await gate.enroll(undefined, { backupCodes: true })
      const keep = (text) => (secrets.push(text), text)
      keep(person.secret)
      keep(session)
      keep('a-revoked-session-id')
      const ticket = keep(await person.ticket(session))
      const pass = keep(await gate.mint({ session }))
      const stranger = keep(await gate.mint({ session: 'x' }))
      for (const listener of ['main', 'shadow']) {
        for (const options of [
          { pass },
          { pass: stranger },
          { pass: `${pass}x` },
          { headers: [['authorization', `Bearer ${pass}`]] },
          { headers: [['authorization', `Bearer ${stranger}`]] },
          {
            headers: [
              ['x-otp', keep(person.wrong())],
              ['x-otp-ticket', ticket],
            ],
          },
          {
            headers: [
              ['x-otp', `backup_code ${keep(person.backupCodes[0])}`],
              ['x-otp-ticket', ticket],
            ],
          },
          {
            headers: [
              ['x-otp', '12'],
              ['x-otp-ticket', ticket],
            ],
          },
          {
            headers: [
              ['x-otp', '123456'],
              ['x-otp-ticket', `${ticket}x`],
            ],
          },
          { pass, headers: [['cookie', `${PASS}=${pass}`]] },
          { path: `/x?pass=${pass}&token=${keep('query-secret-1')}` },
          { path: `/x;jsessionid=${session.slice(0, 3)}?${keep('query-secret-2')}` },
        ])
          await gate.visit({ listener, session, ...options })
      }
      const answer = await gate.verify({ session, otp: keep(person.code()), ticket })
      passed(answer)
      keep(/=([^;]+)/.exec(answer.all('set-cookie').find((line) => line.startsWith(PASS)))[1])
      gate.storage.before = (req, res) => res.writeHead(500).end('{"error":"x"}')
      gate.advance(60)
      refused(await gate.verify({ session, otp: person.code(), ticket }), 503, 'storage_failed', {
        explanation: { decision: { outcome: 'challenge' }, rules: ['not_forced', 'enrolled'] },
      })
      gate.storage.before = undefined
      const log = gate.envoy.log()
      assert.ok(gate.lines().length >= 15, log)
      const pages = { log }
      for (const page of [
        '/config_dump',
        '/config_dump?include_eds',
        '/stats',
        '/stats/prometheus',
        '/server_info',
        '/clusters',
        '/listeners?format=json',
        '/init_dump',
        '/contention',
        '/runtime',
        '/certs',
      ])
        pages[page] = await gate.envoy.ask(page)
      assert.match(pages['/config_dump'], /COUNTERSIGN_KEYS/, 'the names of the variables are there')
      assert.match(pages['/config_dump'], /returnTo/, 'the configuration is there')
      for (const [page, text] of Object.entries(pages)) {
        for (const secret of secrets) {
          // Six digits occur inside other numbers, so a code is looked for as a number of its own in the log.
          const found = /^\d{6}$/.test(secret)
            ? new RegExp(`(?<![\\d.])${secret}(?!\\d)`).test(
                page === 'log'
                  ? gate
                      .lines()
                      .map((line) => JSON.stringify(line))
                      .join()
                  : '',
              )
            : text.includes(secret)
          assert.ok(!found, `${page} shows ${secret}`)
        }
      }
    })

    test('a refusal repeats no credential', async () => {
      const person = await gate.enroll()
      const ticket = await person.ticket()
      for (const options of [
        { pass: await gate.mint({ session: 'x' }) },
        {
          headers: [
            ['x-otp', person.wrong()],
            ['x-otp-ticket', ticket],
          ],
        },
        {
          headers: [
            ['x-otp', '1'],
            ['x-otp-ticket', ticket],
          ],
        },
      ]) {
        const answer = await gate.visit(options)
        assert.equal(answer.status >= 400, true)
        for (const secret of [person.user, person.secret, ticket, ...gate.keys.signing.map(({ secret }) => secret)])
          assert.ok(!(answer.text + JSON.stringify(answer.headers)).includes(secret))
      }
    })
  },
)
