// Logins in sessions of express-session whose store fails.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { test } from 'node:test'
import { expressSecondFactor, expressSession } from 'countersign/express'
import express from 'express'
import session from 'express-session'
import { memorySecondFactor } from './in-process.mjs'
import { client } from './service.mjs'

/** A store that refuses the first session with a login. */
class FailsOnce extends session.MemoryStore {
  hasFailed = false

  set(id, kept, done) {
    const refuses = !this.hasFailed && kept.countersign !== undefined
    this.hasFailed ||= refuses
    return refuses ? done?.(new Error('ECONNREFUSED 10.0.0.7')) : super.set(id, kept, done)
  }
}

for (const resave of [false, true])
  test(`a session that could not be saved is 503, and lets nobody in, with resave: ${resave}`, async (t) => {
    const { secondFactor } = memorySecondFactor()
    const store = new FailsOnce()
    const app = express()
    app.use(session({ secret: 'of the tests', resave, saveUninitialized: false, store }))
    const auth = expressSecondFactor({ secondFactor, session: expressSession(), onError: () => {} })
    app.post('/login', (req, res, next) => void auth.login(req, res, { user: 'ann' }).catch(next))
    app.get('/', auth.guard(), (req, res) => void res.json(auth.person(req)))
    const server = app.listen(0, '127.0.0.1')
    t.after(() => server.close())
    await once(server, 'listening')
    const { port } = /** @type {import('node:net').AddressInfo} */ (server.address())
    const browser = client({ origin: `http://127.0.0.1:${port}` })
    const refused = await browser.post('/login')
    assert.deepEqual([refused.status, refused.body], [503, { result: 'failed', code: 'session_failed' }])
    assert.equal((await browser.get('/')).status, 401)
    assert.equal((await browser.post('/login')).body.result, 'allowed')
    assert.equal((await browser.get('/')).status, 200)
  })
