// The second factor in better-auth, on real requests: challenges, sessions that count, and the actions of a person.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createAuthEndpoint, createAuthMiddleware } from 'better-auth/api'
import { setSessionCookie } from 'better-auth/cookies'
import { bearer, multiSession, oneTimeToken } from 'better-auth/plugins'
import { enrolled, PASSWORD, secondStep, signedUp, startAuth } from './better-auth-service.mjs'

const CACHE = { session: { cookieCache: { enabled: true, maxAge: 300 } } }

test('a user without a factor logs in as before', async (t) => {
  const service = await startAuth(t)
  const { email, id } = await signedUp(service)
  const browser = service.browser()
  const answer = await browser.post('/sign-in/email', { email, password: PASSWORD })
  assert.equal(answer.status, 200)
  assert.equal(answer.body.user.id, id)
  assert.equal(await browser.user(), id)
})

for (const [name, options] of Object.entries({ plain: {}, 'cookie cache': CACHE }))
  test(`an enrolled user is challenged, and is in after the second step: ${name}`, async (t) => {
    const service = await startAuth(t, { options })
    const { email, id, secret, browser: first } = await enrolled(service)
    assert.equal(await first.user(), id, 'the session that enrolled goes on')
    const browser = service.browser()
    const challenge = await browser.post('/sign-in/email', { email, password: PASSWORD })
    assert.equal(challenge.status, 200)
    assert.equal(challenge.body.result, 'challenge')
    assert.equal(challenge.body.twoFactorRedirect, true)
    assert.deepEqual(challenge.body.twoFactorMethods, ['totp'])
    assert.equal(await browser.user(), undefined)
    const wrong = await browser.post('/second-factor/verify', { method: 'totp', code: '000000' })
    assert.equal(wrong.status, 422)
    assert.equal(wrong.body.code, 'WRONG')
    const verified = await secondStep(service, browser, secret)
    assert.equal(verified.status, 200, verified.text)
    assert.equal(verified.body.user.id, id)
    assert.equal(await browser.user(), id)
    assert.equal(
      [...browser.jar.keys()].some((cookie) => cookie.includes('second_factor')),
      false,
    )
  })

for (const [order, mine] of Object.entries(
  /** @type {Record<string, (given: any) => any[]>} */ ({
    'the plugin first': ({ plugin, plugins }) => [plugin(), ...plugins],
    'the plugin last': ({ plugin, plugins }) => [...plugins, plugin()],
  }),
))
  test(`A1: nothing in the answer of a challenge is a live session: ${order}`, async (t) => {
    const plugins = [bearer(), multiSession(), oneTimeToken({ setOttHeaderOnNewSession: true })]
    const service = await startAuth(t, { options: CACHE, plugins, mine })
    const { email, id } = await enrolled(service)
    const before = service.database.prepare('SELECT count(*) AS n FROM session').get().n
    const answer = await service.browser().post('/sign-in/email', { email, password: PASSWORD })
    assert.equal(answer.body.result, 'challenge')
    assert.equal(
      service.database.prepare('SELECT count(*) AS n FROM session').get().n,
      before,
      'no session row is left',
    )
    for (const cookie of answer.cookies)
      assert.equal(await asks(service, { cookie: cookie.split(';', 1)[0] }), undefined, cookie)
    const all = answer.cookies.map((cookie) => cookie.split(';', 1)[0]).join('; ')
    assert.equal(await asks(service, { cookie: all }), undefined)
    const texts = [...[...answer.headers].map(([, value]) => value), ...stringsIn(answer.body)]
    for (const text of texts) {
      const one = text.split(';', 1)[0]
      assert.equal(await asks(service, { authorization: `Bearer ${one}` }), undefined, text)
      for (const cookie of ['better-auth.session_token', 'better-auth.session_data'])
        assert.equal(await asks(service, { cookie: `${cookie}=${one}` }), undefined, text)
      const ott = await service.browser().post('/one-time-token/verify', { token: one })
      assert.notEqual(ott.body?.user?.id, id, text)
    }
    assert.equal(answer.headers.get('set-auth-token'), null)
    assert.equal(answer.headers.get('set-ott'), null)
  })

/** A way in that no adapter knows. It hands the token out by every means. */
const unknownWay = (respond) => ({
  id: 'unknown',
  endpoints: {
    enter: createAuthEndpoint('/enter', { method: 'POST' }, async (ctx) => {
      const { userId } = /** @type {any} */ (ctx.body)
      const { internalAdapter } = ctx.context
      const [session, user] = [await internalAdapter.createSession(userId), await internalAdapter.findUserById(userId)]
      return respond(ctx, session, user)
    }),
  },
})

const RESPONSES = {
  'in cookies, headers and body': async (ctx, session, user) => {
    await setSessionCookie(ctx, { session, user })
    ctx.setCookie('app', encodeURIComponent(session.token))
    ctx.setHeader('x-app-token', session.token)
    return ctx.json({ token: session.token })
  },
  'in the body alone': async (ctx, session) => ctx.json({ token: session.token }),
  'in a response of its own': async (_, session) =>
    Response.json({ token: session.token }, { headers: { 'x-app-token': session.token } }),
}

for (const [how, respond] of Object.entries(RESPONSES))
  test(`A1: an unknown way in hands out nothing: ${how}`, async (t) => {
    const service = await startAuth(t, { plugins: [unknownWay(respond)] })
    const { id } = await enrolled(service)
    const tokens = () => service.database.prepare('SELECT token FROM session').all()
    const before = tokens()
    const created = []
    service.database.function('note', (token) => void created.push(token))
    service.database.exec('CREATE TEMP TRIGGER noted AFTER INSERT ON session BEGIN SELECT note(NEW.token); END')
    const answer = await service.browser().post('/enter', { userId: id })
    assert.equal(created.length, 1)
    assert.deepEqual(tokens(), before, 'no session row is left')
    const all = JSON.stringify([[...answer.headers], answer.cookies, answer.text])
    assert.equal(all.includes(created[0]), false, all)
    assert.equal(answer.body.result, 'challenge')
    const direct = await service.auth.api.enter({ body: { userId: id }, headers: new Headers(), asResponse: true })
    const given = JSON.stringify([[...direct.headers], await direct.text()])
    assert.equal(given.includes(created[1]), false, given)
    // A user without a factor comes in by it.
    const bob = await signedUp(service, 'bob')
    const open = await service.browser().post('/enter', { userId: bob.id })
    assert.equal(open.body.token, created.at(-1), open.text)
  })

test('A1: a hook that adds the token of a closed session later adds nothing', async (t) => {
  let token
  const late = {
    id: 'late',
    init: () => ({
      options: {
        databaseHooks: {
          session: {
            create: {
              after: async (session) => {
                token = session.token
              },
            },
          },
        },
      },
    }),
    hooks: {
      after: [
        {
          matcher: () => true,
          handler: createAuthMiddleware(async (ctx) => void ctx.setHeader('x-late', token ?? 'none')),
        },
      ],
    },
  }
  const service = await startAuth(t, { plugins: [late] })
  const { email } = await enrolled(service)
  const answer = await service.browser().post('/sign-in/email', { email, password: PASSWORD })
  assert.equal(answer.body.result, 'challenge')
  assert.equal(answer.headers.get('x-late'), null)
})

/** The user who is in by these headers alone. */
async function asks(service, headers) {
  const client = service.browser(headers)
  const lists = await client.get('/multi-session/list-device-sessions')
  return (await client.user()) ?? lists.body?.[0]?.user?.id
}

function stringsIn(value) {
  if (typeof value === 'string') return [value]
  return typeof value === 'object' && value !== null ? Object.values(value).flatMap(stringsIn) : []
}
