// A login in a session of iron-session: an encrypted cookie without an id. Old copies of it open nothing because the revocation list of the
// store ends the login in them. A store without that list leaves them open until `ttl` is over.
import { randomBytes } from 'node:crypto'
import { loginOf } from 'countersign/adapter'
import { expressSecondFactor } from 'countersign/express'
import express from 'express'
import { getIronSession } from 'iron-session'
import { checkPassword, facts, mayRescue, secondFactor } from '../adapters/host.js'

const options = {
  cookieName: '__Host-acme',
  password: process.env.SESSION_SECRET ?? randomBytes(32).toString('hex'),
  ttl: 3_600, // the longest that a copy opens; no longer than `passSeconds` of the policy, so that the list outlasts each copy
  cookieOptions: { path: '/', httpOnly: true, secure: true, sameSite: 'lax' },
}

/** The place of a login in iron-session. The cart stays at a login; all other fields go. */
function ironSession(req) {
  const open = () => getIronSession(req, req.res, options)
  const openNew = () => {
    delete req.headers.cookie
    return open()
  }
  let opened
  // A cookie that iron-session cannot read is no session.
  const opening = () => (opened ??= open().catch(openNew))
  return {
    read: async () => loginOf((await opening()).login),
    async begin(login) {
      const session = await opening()
      for (const name of Object.keys(session)) if (name !== 'cart') delete session[name]
      session.login = login
      await session.save()
    },
    async write(login) {
      const session = await opening()
      session.login = login
      await session.save()
    },
    end: async () => (await opening()).destroy(),
  }
}

const auth = expressSecondFactor({ secondFactor, facts, mayRescue, session: ironSession })
const app = express()
app.set('trust proxy', Number(process.env.TRUSTED_HOPS ?? 0)) // the number of your proxies in front
app.use('/second-factor', auth.routes)

app.post('/login', express.json(), async (req, res, next) => {
  try {
    const user = checkPassword(req.body)
    if (user === undefined) return void res.status(401).json({ result: 'wrong_password' })
    await auth.login(req, res, { user, carry: req.body.carry === 'value' ? 'value' : 'cookie' })
  } catch (error) {
    next(error)
  }
})

app.get('/', auth.guard(), (req, res) => void res.json({ user: auth.person(req).user }))
app.post('/transfer', auth.guard({ maxAge: 300 }), (_req, res) => void res.json({ result: 'sent' }))

const server = app.listen(Number(process.env.PORT ?? 3000), '127.0.0.1', () =>
  console.log(`Listening on http://127.0.0.1:${server.address().port}`),
)
