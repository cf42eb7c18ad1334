// The cases that each adapter must pass, as a person or an attacker would try them over HTTP. The table in docs/adapters.md has a row for
// each. A service has these paths: POST /login { name, password, carry? }, GET / for people who are in, POST /transfer for those whose
// second factor is at most 300 seconds old, and the actions under /second-factor.
import assert from 'node:assert/strict'
import Database from 'better-sqlite3'
import { otpauth, totp } from 'countersign'
import { client as httpClient } from './service.mjs'

export const ANN = { name: 'ann@acme.example', password: 'ann@acme.example has a password' }
const BOB = { name: 'bob@acme.example', password: 'bob@acme.example has a password' }
const PHONE = '+61412345678'

/** A browser at a service, which may bring its own: an interaction of an OpenID provider is no JSON. */
export const client = (service, ...more) => (service.client ?? httpClient)(service, ...more)

export const act = (browser, name, body) => browser.post(`/second-factor/${name}`, body)
export const login = (browser, who = ANN, more = {}) => browser.post('/login', { ...who, ...more })
export const isIn = async (browser) => (await browser.get('/')).status === 200

/** @param {{ status: number, body: any, text: string }} answer */
export function expect(answer, status, result) {
  const body = answer.body ?? {}
  assert.deepEqual({ status: answer.status, result: body.result }, { status, result }, answer.text)
  return body
}

/** The code that an app shows, a step later than any before it: the clock moves on. */
export function nextCode(service, secret) {
  service.advance(30)
  return totp.generate({ secret, time: service.now() })
}

/** A user who is in and has set up an app. */
export async function enrolled(service, { who = ANN, browser = client(service), more = {} } = {}) {
  expect(await login(browser, who, more), 200, 'allowed')
  const begun = expect(await act(browser, 'enroll-totp'), 200, 'totp_started')
  const { secret } = otpauth.parse(begun.uri)
  const code = nextCode(service, secret)
  const done = expect(await act(browser, 'confirm-totp', { setup: begun.setup, code }), 200, 'enrolled')
  return { browser, secret, codes: done.backupCodes, factor: done.factor }
}

/** A browser whose user has passed the first factor alone. */
export async function halfWay(service, who = ANN, more = {}) {
  const browser = client(service)
  const body = expect(await login(browser, who, more), 200, 'challenge')
  return { browser, methods: body.methods }
}

/** Sends one code three times at once: it lets one in, and costs no attempt. Gives the answers to the other two. */
export async function threeClicks(service) {
  const { secret } = await enrolled(service)
  const { browser } = await halfWay(service)
  const code = nextCode(service, secret)
  const tabs = [browser, browser.copy(), browser.copy()]
  const answers = await Promise.all(tabs.map((tab) => act(tab, 'verify', { method: 'totp', code })))
  const verified = answers.filter(({ body }) => body?.result === 'verified')
  assert.equal(verified.length, 1, JSON.stringify(answers.map(({ status, body }) => [status, body])))
  assert.equal((await Promise.all(tabs.map(isIn))).filter(Boolean).length, 1)
  const { status } = (await tabs[answers.indexOf(verified[0])].get('/second-factor/status')).body
  assert.equal(status.attempts.failures, 0)
  return answers.filter((answer) => !verified.includes(answer))
}

/** The strings in a value, at any depth. */
export function stringsIn(value) {
  if (typeof value === 'string') return [value]
  return typeof value === 'object' && value !== null ? Object.values(value).flatMap(stringsIn) : []
}

const MALFORMED = [
  ...[undefined, null, 1, 123456, 0, true, false, [], ['123456'], {}, { $ne: '' }, { toString: 1 }].map((code) => ({
    method: 'totp',
    code,
  })),
  ...[undefined, null, 1, [], {}, ['totp']].map((method) => ({ method, code: '123456' })),
  ...[1, [], {}, true].map((factor) => ({ method: 'totp', code: '123456', factor })),
]
const NO_OBJECTS = ['null', '[]', '"text"', '1', 'true', '[{"method":"totp"}]']
const NO_JSON = ['{', '{"method":', 'method=totp', '\u0000', '{"a":1}{', '{"method":"totp","code":"1" "x"}']
const MISTYPED = [
  '',
  ' ',
  '1',
  '12345',
  '1234567',
  'abcdef',
  '１２３４５６',
  '\u0000',
  '🙂',
  '123456; drop',
  '-12345',
  '1e5',
]

/**
 * @typedef {object} Service
 * @property {string} origin
 * @property {string} database
 * @property {() => number} now
 * @property {(seconds: number) => void} advance
 * @property {() => string | undefined} smsCode
 * @property {() => boolean} isRunning
 */

/**
 * A case. `start` gives a fresh service under these changes of the policy.
 * @typedef {object} Case
 * @property {string} title
 * @property {string[]} [threats]
 * @property {true} [onEachNode]  tried on other versions of Node.js as well; the rest depends on none
 * @property {(start: (policy?: object) => Promise<Service>) => Promise<void>} run
 */

/** @type {Case[]} */
export const CASES = [
  {
    title: 'logs in without a factor',
    onEachNode: true,
    async run(start) {
      const service = await start()
      const browser = client(service)
      const wrong = await login(browser, { ...ANN, password: 'wrong' })
      assert.equal(wrong.status, 401)
      assert.equal(await isIn(browser), false)
      expect(await login(browser), 200, 'allowed')
      assert.equal((await browser.get('/')).body.user, 'u-1')
      assert.equal((await browser.post('/transfer')).status, 200)
      expect(await browser.get('/second-factor/state'), 200, 'in')
    },
  },
  {
    title: 'sets up an app, and gives ten backup codes',
    onEachNode: true,
    async run(start) {
      const service = await start({ backupCodes: undefined }) // as many as by default
      const { browser, secret, codes } = await enrolled(service)
      assert.equal(codes.length, 10)
      assert.equal(await isIn(browser), true)
      const { status } = expect(await browser.get('/second-factor/status'), 200, 'status')
      assert.equal(status.methods[0].method, 'totp')
      assert.equal(JSON.stringify(status).includes(secret), false)
    },
  },
  {
    title: 'logs in with each method',
    onEachNode: true,
    async run(start) {
      const service = await start()
      const { browser: own, secret, codes } = await enrolled(service)
      const sent = expect(await act(own, 'enroll-sms', { number: PHONE }), 200, 'sms_sent')
      expect(await act(own, 'confirm-sms', { setup: sent.setup, code: service.smsCode() }), 200, 'enrolled')

      const byApp = (await halfWay(service)).browser
      expect(await act(byApp, 'verify', { method: 'totp', code: nextCode(service, secret) }), 200, 'verified')
      assert.equal(await isIn(byApp), true)

      service.advance(3_600)
      const bySms = (await halfWay(service)).browser
      expect(await act(bySms, 'send-sms'), 200, 'sms_sent')
      expect(await act(bySms, 'verify', { method: 'sms', code: service.smsCode() }), 200, 'verified')
      assert.equal(await isIn(bySms), true)

      const byBackup = (await halfWay(service)).browser
      expect(await act(byBackup, 'verify', { method: 'backup_code', code: codes[0] }), 200, 'verified')
      assert.equal(await isIn(byBackup), true)

      const { browser: owner, secret: owners } = { browser: own, secret }
      expect(await act(owner, 'again'), 200, 'challenge')
      expect(await act(owner, 'verify', { method: 'totp', code: nextCode(service, owners) }), 200, 'verified')
      await enrolled(service, { who: BOB })
      const { code } = expect(await act(owner, 'issue-recovery-code', { user: 'u-2' }), 200, 'recovery_code')
      const rescued = (await halfWay(service, BOB)).browser
      expect(await act(rescued, 'verify', { method: 'recovery_code', code }), 200, 'verified')
      assert.equal((await rescued.get('/')).body.user, 'u-2')
    },
  },
  {
    title: 'logs in by a trusted browser, whose secret changes',
    threats: ['T55'],
    async run(start) {
      const service = await start()
      const { secret } = await enrolled(service)
      const { browser } = await halfWay(service)
      const code = nextCode(service, secret)
      expect(await act(browser, 'verify', { method: 'totp', code, trustBrowser: true }), 200, 'verified')
      const copy = browser.copy()
      expect(await act(browser, 'log-out'), 200, 'logged_out')
      service.advance(60)
      expect(await login(browser), 200, 'verified')
      assert.equal(await isIn(browser), true)
      service.advance(600)
      expect(await login(copy), 200, 'challenge')
      assert.equal(await isIn(copy), false)
    },
  },
  {
    title: 'a half-way session is refused everywhere',
    onEachNode: true,
    threats: ['T18'],
    async run(start) {
      const service = await start()
      const { secret } = await enrolled(service)
      const { browser } = await halfWay(service)
      const refused = await browser.get('/')
      assert.equal(refused.status, 401)
      assert.match(refused.headers.get('www-authenticate'), /^Bearer error="insufficient_user_authentication"/)
      assert.equal((await browser.post('/transfer')).status, 401)
      assert.equal((await browser.get('/second-factor/status')).status, 401)
      for (const name of [
        'enroll-totp',
        'enroll-sms',
        'rename',
        'remove',
        'renew-backup-codes',
        'show-backup-codes',
        'reset',
      ])
        assert.equal(
          (await act(browser, name, { number: PHONE, factor: 'x', name: 'x', user: 'u-2' })).status,
          401,
          name,
        )
      // Everything that the client was given, as every kind of credential.
      const texts = [...browser.cookies.values(), ...stringsIn((await login(client(service))).body)]
      for (const text of texts) {
        for (const headers of [{ authorization: `Bearer ${text}` }, { 'countersign-session': text }])
          assert.equal((await client(service).get('/', headers)).status, 401)
      }
      expect(await browser.get('/second-factor/state'), 200, 'first_factor')
      expect(await act(browser, 'verify', { method: 'totp', code: nextCode(service, secret) }), 200, 'verified')
    },
  },
  {
    title: 'tells a wrong code from one that cannot be one',
    async run(start) {
      const service = await start()
      const { secret } = await enrolled(service)
      const { browser } = await halfWay(service)
      const right = nextCode(service, secret)
      const wrong = right === '000000' ? '000001' : '000000'
      const body = expect(await act(browser, 'verify', { method: 'totp', code: wrong }), 422, 'wrong')
      assert.equal(typeof body.attemptsLeft, 'number')
      for (const code of MISTYPED) expect(await act(browser, 'verify', { method: 'totp', code }), 422, 'malformed')
      expect(
        await act(browser, 'verify', { method: 'totp', code: ` ${right.slice(0, 3)} ${right.slice(3)} ` }),
        200,
        'verified',
      )
    },
  },
  {
    title: 'a code works once',
    threats: ['T1'],
    async run(start) {
      const service = await start()
      const { secret, codes } = await enrolled(service)
      const [first, second] = [(await halfWay(service)).browser, (await halfWay(service)).browser]
      const code = nextCode(service, secret)
      expect(await act(first, 'verify', { method: 'totp', code }), 200, 'verified')
      expect(await act(second, 'verify', { method: 'totp', code }), 422, 'already_used')
      assert.equal(await isIn(second), false)
      service.advance(60)
      expect(await act(second, 'verify', { method: 'backup_code', code: codes[1] }), 200, 'verified')
      const third = (await halfWay(service)).browser
      expect(await act(third, 'verify', { method: 'backup_code', code: codes[1] }), 422, 'wrong')
    },
  },
  {
    title: 'a double click logs in once, and costs no attempt',
    threats: ['T3'],
    async run(start) {
      for (const { status } of await threeClicks(await start())) assert.ok([401, 422].includes(status))
    },
  },
  {
    title: 'too many wrong codes wait, and say how long',
    threats: ['T6'],
    async run(start) {
      const service = await start()
      const { secret } = await enrolled(service)
      const { browser } = await halfWay(service)
      const right = nextCode(service, secret)
      const wrong = right === '000000' ? '000001' : '000000'
      let last
      for (let attempt = 0; attempt < 6; attempt++)
        last = await act((await halfWay(service)).browser, 'verify', { method: 'totp', code: wrong })
      expect(last, 429, 'locked')
      const wait = Number(last.headers.get('retry-after'))
      assert.ok(wait > 0 && wait <= 3_600, String(wait))
      expect(await act(browser, 'verify', { method: 'totp', code: right }), 429, 'locked')
      service.advance(wait + 30)
      const later = (await halfWay(service)).browser
      expect(await act(later, 'verify', { method: 'totp', code: nextCode(service, secret) }), 200, 'verified')
    },
  },
  {
    title: 'malformed input is answered, and never throws',
    onEachNode: true,
    threats: ['T13', 'T37'],
    async run(start) {
      const service = await start()
      const { secret } = await enrolled(service)
      const { browser } = await halfWay(service)
      const json = { 'content-type': 'application/json' }
      for (const body of MALFORMED) expect(await act(browser, 'verify', body), 400, 'malformed')
      const path = '/second-factor/verify'
      for (const text of NO_OBJECTS) assert.equal((await browser.send('POST', path, text, json)).status, 400, text)
      for (const text of NO_JSON) assert.equal((await browser.send('POST', path, text, json)).status, 400, text)
      assert.equal((await browser.send('POST', path, new Uint8Array([0x7b, 0xff, 0xfe]), json)).status, 400)
      const long = JSON.stringify({ method: 'totp', code: '1'.repeat(200_000) })
      assert.equal((await browser.send('POST', path, long, json)).status, 413)
      const xml = { 'content-type': 'application/xml' }
      assert.equal((await browser.send('POST', path, '<code/>', xml)).status, 415)
      const polluted = '{"__proto__":{"method":"totp"},"constructor":{"prototype":{"code":"1"}}}'
      assert.equal((await browser.send('POST', path, polluted, json)).status, 400)
      for (const name of ['x', '__proto__', 'constructor', 'toString', '%00', 'verify/x', 'VERIFY', '..%2fverify'])
        assert.equal((await act(browser, name, {})).status, 404, name)
      // Next sends a path that ends with a slash to the one without.
      assert.ok([404, 308].includes((await act(browser, '', {})).status))
      assert.equal((await browser.get(path)).status, 405)
      expect(await act(browser, 'verify', { method: 'totp', code: nextCode(service, secret) }), 200, 'verified')
      for (const setup of ['', 'x', 'a.b', 'k.AAAA'])
        assert.equal((await act(browser, 'confirm-totp', { setup, code: '123456' })).status, 422, setup)
      for (const cookie of ['x', '.', '%', 'a.b', `${'A'.repeat(5_000)}`, '"', 'k1.AAAA'])
        assert.equal(
          (
            await client(service).get('/', {
              cookie: [...browser.cookies.keys()].map((name) => `${name}=${cookie}`).join('; '),
            })
          ).status,
          401,
        )
      for (const session of ['x', '', '.', 'k1.AAAA']) {
        assert.equal((await client(service).get('/', { 'countersign-session': session })).status, 401)
      }
      assert.equal(service.isRunning(), true)
    },
  },
  {
    title: 'two tabs of one browser go on',
    async run(start) {
      const service = await start()
      const { secret } = await enrolled(service)
      const { browser } = await halfWay(service)
      // The other tab begins anew, and the first one takes the code all the same: both have the newest cookie.
      expect(await login(browser), 200, 'challenge')
      expect(await act(browser, 'again'), 200, 'challenge')
      expect(await act(browser, 'verify', { method: 'totp', code: nextCode(service, secret) }), 200, 'verified')
      // The second tab's page still has its form.
      const late = await act(browser, 'verify', { method: 'totp', code: nextCode(service, secret) })
      assert.ok([200, 409].includes(late.status), late.text)
      assert.equal(await isIn(browser), true)
    },
  },
  {
    title: 'a log-out ends the session and its pass',
    async run(start) {
      const service = await start()
      const { browser } = await enrolled(service)
      const copy = browser.copy()
      expect(await act(browser, 'log-out'), 200, 'logged_out')
      assert.equal(await isIn(browser), false)
      assert.equal(await isIn(copy), false)
      expect(await browser.get('/second-factor/state'), 200, 'nobody')
      expect(await act(browser, 'log-out'), 200, 'logged_out')
    },
  },
  {
    title: 'asks again once the second factor is too old',
    onEachNode: true,
    async run(start) {
      const service = await start()
      const { browser, secret } = await enrolled(service)
      assert.equal((await browser.post('/transfer')).status, 200)
      service.advance(301)
      assert.equal(await isIn(browser), true)
      const refused = await browser.post('/transfer')
      expect(refused, 401, 'second_step')
      assert.equal(refused.body.reason, 'too_old')
      assert.match(refused.headers.get('www-authenticate'), /acr_values="urn:countersign:acr:2fa[^"]*", max_age="300"$/)
      expect(await act(browser, 'again'), 200, 'challenge')
      assert.equal(await isIn(browser), true)
      assert.equal((await browser.post('/transfer')).status, 401)
      expect(await act(browser, 'verify', { method: 'totp', code: nextCode(service, secret) }), 200, 'verified')
      assert.equal((await browser.post('/transfer')).status, 200)
    },
  },
  {
    title: 'the session gets another id at both steps, and old cookies open nothing',
    threats: ['T19'],
    async run(start) {
      const service = await start()
      const { secret } = await enrolled(service)
      // An attacker has planted a session of their own in the victim's browser.
      const planted = client(service)
      expect(await login(planted, BOB), 200, 'allowed')
      const victim = planted.copy()
      expect(await login(victim), 200, 'challenge')
      const half = victim.copy()
      assert.equal((await planted.get('/')).body?.user === 'u-1', false)
      expect(await act(victim, 'verify', { method: 'totp', code: nextCode(service, secret) }), 200, 'verified')
      assert.equal((await victim.get('/')).body.user, 'u-1')
      for (const older of [planted, half]) {
        assert.notEqual((await older.get('/')).body?.user, 'u-1')
        for (const [name, value] of older.cookies) assert.notEqual(victim.cookies.get(name), value)
      }
      assert.equal(await isIn(half), false)
    },
  },
  {
    title: 'another user in the same browser is half-way, whoever was in before',
    threats: ['T21'],
    async run(start) {
      const service = await start()
      const { browser } = await enrolled(service, { who: BOB })
      await enrolled(service)
      const old = browser.copy()
      expect(await login(browser), 200, 'challenge')
      assert.equal(await isIn(browser), false)
      expect(await browser.get('/second-factor/state'), 200, 'first_factor')
      assert.equal(await isIn(old), false)
      expect(await login(browser, { ...ANN, password: 'wrong' }), 401, 'wrong_password')
      assert.equal(await isIn(browser), false)
    },
  },
  {
    title: 'another site can send nothing in the name of a user',
    async run(start) {
      const service = await start()
      const { browser } = await enrolled(service)
      const foreign = [
        { 'sec-fetch-site': 'cross-site' },
        { 'sec-fetch-site': 'same-site' },
        { 'sec-fetch-site': 'cross-site', origin: 'https://evil.example' },
        { 'sec-fetch-site': '', origin: 'https://evil.example' },
        { 'sec-fetch-site': '', origin: 'null' },
      ]
      for (const headers of foreign) {
        for (const path of [
          '/transfer',
          '/second-factor/log-out',
          '/second-factor/enroll-totp',
          '/second-factor/again',
        ])
          assert.equal((await browser.post(path, {}, headers)).status, 403, path)
        assert.equal((await client(service).post('/login', ANN, headers)).status, 403)
      }
      assert.equal(await isIn(browser), true)
    },
  },
  {
    title: 'a native client keeps the session as a value',
    async run(start) {
      const service = await start()
      const { secret } = await enrolled(service)
      const app = client(service)
      const begun = expect(await login(app, ANN, { carry: 'value' }), 200, 'challenge')
      assert.equal(app.cookies.size, 0)
      assert.equal(await isIn(app), false)
      const half = begun.session
      expect(await act(app, 'verify', { method: 'totp', code: nextCode(service, secret) }), 200, 'verified')
      assert.equal(app.cookies.size, 0)
      assert.notEqual(app.session, half)
      assert.equal((await app.get('/')).body.user, 'u-1')
      assert.equal((await client(service, { session: half }).get('/')).status, 401)
      assert.equal((await app.post('/transfer', {}, { 'sec-fetch-site': 'cross-site' })).status, 200)
      const copy = app.copy()
      expect(await act(app, 'log-out'), 200, 'logged_out')
      assert.equal(await isIn(copy), false)
    },
  },
  {
    title: 'a forced second factor is set up at the login, or refused',
    async run(start) {
      const service = await start({ require: 'everyone', firstFactor: 'password' })
      const browser = client(service)
      expect(await login(browser), 200, 'set_up')
      assert.equal(await isIn(browser), false)
      assert.equal((await browser.get('/second-factor/status')).status, 401)
      const begun = expect(await act(browser, 'enroll-totp'), 200, 'totp_started')
      const { secret } = otpauth.parse(begun.uri)
      const before = browser.copy()
      const code = nextCode(service, secret)
      expect(await act(browser, 'confirm-totp', { setup: begun.setup, code }), 200, 'enrolled')
      assert.equal(await isIn(browser), true)
      assert.equal(await isIn(before), false)

      const strict = await start({ require: 'everyone' })
      const other = client(strict)
      const { reason } = expect(await login(other), 403, 'denied')
      assert.equal(reason, 'enrollment_required')
      assert.equal(await isIn(other), false)
    },
  },
  {
    title: 'only owners rescue others, and nobody themselves',
    threats: ['T39'],
    async run(start) {
      const service = await start()
      const { browser: bob } = await enrolled(service, { who: BOB })
      const { browser: ann } = await enrolled(service)
      const refused = expect(await act(bob, 'issue-recovery-code', { user: 'u-1' }), 403, 'denied')
      assert.equal(refused.reason, 'owner_only')
      assert.equal(expect(await act(ann, 'reset', { user: 'u-1' }), 403, 'denied').reason, 'not_for_oneself')
      const { code } = expect(await act(ann, 'reset', { user: 'u-2' }), 200, 'recovery_code')
      assert.equal(await isIn(bob), false)
      const { browser } = await halfWay(service, BOB)
      expect(await act(browser, 'verify', { method: 'recovery_code', code }), 200, 'verified')
    },
  },
  {
    title: "address rules see the connection's address, and no header",
    threats: ['T24'],
    async run(start) {
      const service = await start({ network: { deny: ['127.0.0.0/8', '::1'] } })
      for (const headers of [
        {},
        { 'x-forwarded-for': '203.0.113.7' },
        { forwarded: 'for=203.0.113.7' },
        { 'x-real-ip': '203.0.113.7' },
      ]) {
        const answer = await client(service).post('/login', ANN, headers)
        assert.equal(expect(answer, 403, 'denied').reason, 'address_denied')
      }
    },
  },
  {
    title: 'a store that cannot be had is 503, and lets nobody in',
    async run(start) {
      const service = await start()
      const { browser } = await enrolled(service)
      const half = (await halfWay(service)).browser
      const database = new Database(service.database)
      const tables = database.prepare("SELECT name FROM sqlite_master WHERE type = 'table'").all()
      for (const { name } of tables) database.exec(`DROP TABLE "${name}"`)
      database.close()
      for (const answer of [
        await login(client(service)),
        await act(half, 'verify', { method: 'totp', code: '123456' }),
        await browser.get('/second-factor/status'),
      ]) {
        assert.equal(answer.status, 503, answer.text)
        assert.equal(answer.headers.get('retry-after'), '1')
        assert.doesNotMatch(answer.text, /sqlite|table|countersign_/i)
      }
      assert.equal(service.isRunning(), true)
    },
  },
]
