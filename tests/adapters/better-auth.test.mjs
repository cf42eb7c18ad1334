// The second factor in better-auth, on real requests: challenges, sessions that count, and the actions of a person.
import assert from 'node:assert/strict'
import { test } from 'node:test'
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
