// The ways in that Passport has, each of which leads to a half-way session alone.
import assert from 'node:assert/strict'
import { createServer } from 'node:http'
import { createRequire } from 'node:module'
import { test } from 'node:test'
import { memoryStore } from 'countersign'
import { expressSession, passportSecondFactor } from 'countersign/passport'
import { listening, people } from './people.mjs'
import { client } from './service.mjs'

// Not by `import`, so that the types of the tests need no framework.
const load = createRequire(import.meta.url)
const express = load('express')
const expressSessions = load('express-session')
const { Passport } = load('passport')
const { Strategy: LocalStrategy } = load('passport-local')

const NAMES = ['ann', 'bob']
const form = { 'content-type': 'application/x-www-form-urlencoded' }
// `fetch` writes the header of a navigation itself, so that the app puts it there.
const PAGE = { 'x-mode': 'navigate' }
const navigating = () => (req, _res, next) => {
  req.headers['sec-fetch-mode'] = req.headers['x-mode'] ?? 'cors'
  next()
}

/**
 * An app whose handlers ask Passport alone who is there, as those of an older app do. Ann has a second factor, and Bob has none.
 * @param {{ after(end: () => unknown): void }} t
 * @param {{ before?: Function[], after?: (app: any, passport: any) => void, auth?: object, users?: Map<string, { id: string }>, store?: object }} [options]
 */
async function service(
  t,
  { before = [], after = () => {}, auth: more = {}, users = usersOf(NAMES), store = memoryStore() } = {},
) {
  const { secondFactor, enroll, code } = people({ store })
  const secret = await enroll('ann')
  const auth = passportSecondFactor({
    secondFactor,
    session: expressSession(),
    idOf: ({ id }) => id,
    userOf: ({ user }) => users.get(user),
    onError: () => {},
    ...more,
  })
  const passport = new Passport()
  passport.use(auth.strategy)
  passport.use(
    new LocalStrategy((name, password, done) => done(null, password === 'right' && (users.get(name) ?? false))),
  )
  const app = express()
  app.use(expressSessions({ secret: 'x', resave: false, saveUninitialized: false, name: 'sid' }))
  app.use(express.json(), express.urlencoded())
  for (const handler of before) app.use(handler(passport))
  app.use(auth.session())
  app.use('/second-factor', auth.routes)
  app.post('/login', passport.authenticate('local'), auth.answer)
  app.get('/who', (req, res) => res.json({ isIn: req.isAuthenticated(), user: req.user?.id ?? null }))
  app.get('/guarded', auth.guard(), (req, res) => res.json({ user: req.user.id, person: auth.person(req).user }))
  app.get('/unguarded', (req, res) => res.json(auth.person(req)))
  app.get('/log-out', (req, res, next) =>
    req.logout((error) =>
      error ? next(error) : res.json({ hasSession: req.session !== undefined, user: req.user ?? null }),
    ),
  )
  after(app, passport)
  app.use((error, _req, res, _next) => res.status(error.status ?? 500).json({ code: error.code ?? error.message }))
  return { app, ...(await listening(t, createServer(app))), code: () => code(secret), auth, users }
}

const usersOf = (ids) => new Map(ids.map((id) => [id, { id }]))
const login = (browser, username, path = '/login') => browser.post(path, { username, password: 'right' })
const who = async (browser) => (await browser.get('/who')).body
const NOBODY = { isIn: false, user: null }
const verify = (browser, code) => browser.post('/second-factor/verify', { method: 'totp', code })

/** The handler of a user who is in. */
const isIn = (req, res) => {
  req.app.locals.ran = true
  res.json({ result: 'in' })
}

/** The ways in that an app of Passport has. Each ends in `req.logIn`. */
const WAYS = {
  'a callback of the app': (app, passport) =>
    app.post('/way', (req, res, next) =>
      passport.authenticate('local', (error, user) =>
        error ? next(error) : req.logIn(user, (failed) => (failed ? next(failed) : isIn(req, res))),
      )(req, res, next),
    ),
  'a registration': (app) =>
    app.post('/way', (req, res, next) =>
      req.login({ id: req.body.username }, {}, (error) => (error ? next(error) : isIn(req, res))),
    ),
  'a login without a session': (app, passport) =>
    app.post('/way', passport.authenticate('local', { session: false }), isIn),
  'a redirection of Passport': (app, passport) =>
    app.post('/way', passport.authenticate('local', { successRedirect: '/who', keepSessionInfo: true })),
  'an answer of an identity provider': (app, passport) => {
    passport.use({
      name: 'saml',
      authenticate(req) {
        this.success({ id: req.body.username })
      },
    })
    app.post('/way', passport.authenticate('saml', { fromOtherSite: true }), isIn)
  },
  'a strategy that remembers, at any page': (app, passport) => {
    passport.use({
      name: 'remember-me',
      authenticate(req) {
        this.success({ id: req.body.username })
      },
    })
    app.use('/way', passport.authenticate('remember-me'))
    app.post('/way', isIn)
  },
}

for (const [way, after] of Object.entries(WAYS)) {
  test(`T18, T20: ${way} leads to a half-way session alone`, async (t) => {
    const at = await service(t, { after })
    const browser = client(at)
    const headers = way.startsWith('an answer of') ? { 'sec-fetch-site': 'cross-site' } : {}
    const begun = await browser.post('/way', { username: 'ann', password: 'right' }, headers)
    assert.equal(begun.body?.result, 'challenge', begun.text)
    assert.equal(at.app.locals.ran, undefined, 'a handler has run')
    assert.deepEqual(await who(browser), NOBODY)
    assert.equal((await browser.get('/guarded')).status, 401)
    const done = await verify(browser, at.code())
    assert.equal(done.body.result, 'verified', done.text)
    assert.deepEqual(await who(browser), { isIn: true, user: 'ann' })
    assert.deepEqual((await browser.get('/guarded')).body, { user: 'ann', person: 'ann' })
    const other = await client(at).post('/way', { username: 'bob', password: 'right' }, headers)
    assert.ok(other.status === 302 || other.body.result === 'in', `Bob has no second factor: ${other.text}`)
  })
}

test('a login by POST from another site is refused where the app does not expect it', async (t) => {
  const at = await service(t)
  const answer = await client(at).post(
    '/login',
    { username: 'bob', password: 'right' },
    { 'sec-fetch-site': 'cross-site' },
  )
  assert.equal(answer.status, 403)
})

for (const [place, options] of Object.entries({
  before: { before: [(passport) => passport.session()] },
  after: {
    after: (app, passport) =>
      app.get('/again', passport.session(), (req, res) =>
        res.json({ isIn: req.isAuthenticated(), user: req.user?.id ?? null }),
      ),
  },
})) {
  test(`A3: a login that Passport kept itself lets nobody in, with passport.session() ${place}`, async (t) => {
    const passports = []
    const at = await service(t, {
      ...options,
      before: [
        (passport) => {
          passports.push(passport)
          passport.serializeUser((user, done) => done(null, user.id))
          passport.deserializeUser((id, done) => done(null, { id }))
          // The old app: Passport's own `req.logIn`, in a session that lives on.
          return (req, res, next) => {
            if (req.path !== '/old-login') return next()
            passport.authenticate('local')(req, res, () => res.json({ isIn: req.isAuthenticated() }))
          }
        },
        ...(options.before ?? []),
      ],
    })
    const browser = client(at)
    assert.deepEqual((await login(browser, 'ann', '/old-login')).body, { isIn: true }, 'the test can fail')
    assert.deepEqual((await browser.get(place === 'after' ? '/again' : '/who')).body, NOBODY)
    assert.equal((await browser.get('/guarded')).status, 401)
  })
}

test('without its middleware, nobody logs in and no guard opens', async (t) => {
  const { secondFactor } = people()
  const users = usersOf(NAMES)
  const auth = passportSecondFactor({ secondFactor, idOf: ({ id }) => id, userOf: ({ user }) => users.get(user) })
  const passport = new Passport()
  passport.use(auth.strategy)
  passport.use(new LocalStrategy((name, _password, done) => done(null, users.get(name))))
  const app = express()
  app.use(expressSessions({ secret: 'x', resave: false, saveUninitialized: false }), express.json())
  app.post('/login', passport.authenticate('local'), (_req, res) => res.json({ result: 'in' }))
  app.post('/code', passport.authenticate('second-factor'), (_req, res) => res.json({ result: 'in' }))
  app.get('/guarded', auth.guard(), (_req, res) => res.json({ result: 'in' }))
  app.use((error, _req, res, _next) => res.status(500).json({ code: error.code, message: error.message }))
  const browser = client(await listening(t, createServer(app)))
  assert.match((await login(browser, 'bob')).body.message, /serialize/)
  assert.equal((await browser.post('/code', { method: 'totp', code: '123456' })).body.code, 'no_guard')
  assert.equal((await browser.get('/guarded')).body.code, 'no_guard')
})

test('A3: a session whose `regenerate` does nothing lets nobody in, at both steps', async (t) => {
  let isBroken = true
  const broken = () => (req, _res, next) => {
    if (isBroken) req.session.regenerate = (done) => done()
    next()
  }
  const at = await service(t, { before: [broken] })
  const browser = client(at)
  for (const name of NAMES) {
    const { status, body } = await login(browser, name)
    assert.deepEqual([status, body.code], [500, 'session_not_renewed'])
    assert.deepEqual(await who(browser), NOBODY)
  }
  isBroken = false
  assert.equal((await login(browser, 'ann')).body.result, 'challenge')
  isBroken = true
  assert.equal((await verify(browser, at.code())).body.code, 'session_not_renewed')
  assert.deepEqual(await who(browser), NOBODY)
})

test('A3: Bob is in and Ann logs in: she is half-way, and the old cookies open nothing', async (t) => {
  const at = await service(t)
  const browser = client(at)
  assert.equal((await login(browser, 'bob')).body.result, 'allowed')
  assert.deepEqual(await who(browser), { isIn: true, user: 'bob' })
  assert.equal((await browser.get('/unguarded')).body.code, 'no_guard', 'a handler without a guard has no person')
  const bobs = browser.copy()
  assert.equal((await login(browser, 'ann')).body.result, 'challenge')
  assert.deepEqual(await who(browser), NOBODY)
  assert.deepEqual(await who(bobs), NOBODY)
  const half = browser.copy()
  assert.equal((await verify(browser, at.code())).body.result, 'verified')
  assert.deepEqual(await who(browser), { isIn: true, user: 'ann' })
  assert.deepEqual(await who(half), NOBODY)
})

test('a sealed cookie keeps the login where the app has no sessions', async (t) => {
  const at = await service(t, { auth: { session: undefined } })
  const browser = client(at)
  assert.equal((await login(browser, 'ann')).body.result, 'challenge')
  assert.deepEqual(await who(browser), NOBODY)
  assert.equal((await verify(browser, at.code())).body.result, 'verified')
  assert.deepEqual((await browser.get('/guarded')).body, { user: 'ann', person: 'ann' })
})

test('the strategy leads on by the options of Passport', async (t) => {
  const at = await service(t, {
    after(app, passport) {
      const pages = { successRedirect: '/who', failureRedirect: '/code?again', failureMessage: true }
      app.post('/code', passport.authenticate('second-factor', pages))
      app.get('/messages', (req, res) => res.json(req.session.messages ?? []))
      app.post('/bare', passport.authenticate('second-factor'), (req, res) =>
        res.json({ user: req.user.id, isIn: req.isAuthenticated(), info: req.authInfo }),
      )
      app.post('/callback', (req, res, next) =>
        passport.authenticate('second-factor', (error, user, info, status) => res.json({ error, user, info, status }))(
          req,
          res,
          next,
        ),
      )
    },
  })
  const browser = client(at)
  await login(browser, 'ann')
  const send = (path, code) => browser.send('POST', path, `method=totp&code=${code}`, form)
  const failed = await send('/code', '12345')
  assert.deepEqual([failed.status, failed.headers.get('location')], [302, '/code?again'])
  assert.deepEqual((await browser.get('/messages')).body, ['malformed'])
  assert.equal((await send('/bare', '12345')).status, 422)
  const { user, info, status } = (await send('/callback', '12345')).body
  assert.deepEqual([user, info.result, status], [false, 'malformed', 422])
  assert.equal((await browser.post('/bare', { method: ['totp'], code: {} })).status, 400)
  assert.deepEqual(await who(browser), NOBODY)
  const verified = await send('/code', at.code())
  assert.deepEqual([verified.status, verified.headers.get('location')], [302, '/who'])
  assert.deepEqual(await who(browser), { isIn: true, user: 'ann' })
  assert.equal((await send('/bare', at.code())).status, 200, 'a person who is in proves it again')

  const second = client(at)
  await login(second, 'ann')
  const done = await second.post('/bare', { method: 'totp', code: at.code() })
  assert.deepEqual([done.body.user, done.body.isIn, done.body.info.result], ['ann', true, 'verified'])
  assert.equal((await client(at).post('/bare', { method: 'totp', code: '123456' })).status, 401)
})

test('pages: a person without scripts is sent on, and Passport goes on once they are in', async (t) => {
  const at = await service(t, {
    before: [navigating],
    auth: { pages: { login: '/log-in', secondStep: '/code', home: '/home' } },
    after: (app, passport) => {
      app.post(
        '/code',
        passport.authenticate('second-factor'),
        (at) => at,
        (_req, res) => res.json({}),
      )
      app.post('/step', passport.authenticate('second-factor'), (req, res) => res.redirect(`/hello/${req.user.id}`))
    },
  })
  const browser = client(at)
  const page = (path, fields) =>
    browser.send('POST', path, new URLSearchParams(fields).toString(), { ...form, ...PAGE })
  const to = ({ status, headers }) => [status, headers.get('location')]
  assert.deepEqual(to(await page('/login', { username: 'ann', password: 'right', next: '/bills' })), [
    303,
    '/code?next=%2Fbills',
  ])
  assert.deepEqual(to(await browser.get('/guarded', PAGE)), [303, '/code?reason=no_pass&next=%2Fguarded'])
  assert.deepEqual(to(await page('/step', { method: 'totp', code: '1' })), [303, '/code?reason=malformed'])
  assert.deepEqual(to(await page('/step', { method: 'totp', code: at.code() })), [302, '/hello/ann'])
  assert.deepEqual(await who(browser), { isIn: true, user: 'ann' })
  assert.deepEqual(to(await page('/login', { username: 'bob', password: 'right', next: '/bills' })), [303, '/bills'])
})

test('req.logout ends the login, and leaves a session for a last word', async (t) => {
  const at = await service(t)
  const browser = client(at)
  await login(browser, 'ann')
  await verify(browser, at.code())
  const copy = browser.copy()
  assert.deepEqual((await browser.get('/log-out')).body, { hasSession: true, user: null })
  assert.deepEqual([await who(browser), await who(copy)], [NOBODY, NOBODY])
})

test('a store that cannot be had is 503 on every page, and no log-out by the way', async (t) => {
  const store = memoryStore()
  let isGone = false
  const load = (id) => (isGone ? Promise.reject(new Error('gone')) : store.load(id))
  const at = await service(t, { store: { ...store, load } })
  const browser = client(at)
  await login(browser, 'bob')
  isGone = true
  assert.equal((await browser.get('/who')).status, 503)
  isGone = false
  assert.deepEqual(await who(browser), { isIn: true, user: 'bob' })
})

test('a user who is no more is nobody', async (t) => {
  const at = await service(t)
  const browser = client(at)
  await login(browser, 'bob')
  const bob = at.users.get('bob')
  at.users.delete('bob')
  assert.deepEqual(await who(browser), NOBODY)
  assert.equal((await browser.get('/guarded')).status, 401)
  at.users.set('bob', bob)
  assert.deepEqual(await who(browser), NOBODY, 'their login has ended')
})

test('req.logIn without a callback, and options that are no functions, are told', async (t) => {
  const { secondFactor } = people()
  for (const [path, options] of Object.entries({ idOf: { userOf() {} }, userOf: { idOf() {} } }))
    assert.throws(() => passportSecondFactor({ secondFactor, ...options }), { code: 'invalid_input', path })
  const at = await service(t, { after: (app) => app.post('/way', (req) => req.logIn({ id: 'bob' })) })
  assert.equal((await client(at).post('/way')).body.code, 'invalid_input')
})
