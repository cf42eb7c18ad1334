// A login in a session of express-session. The session gets another id at both steps; a log-out destroys it.
import { randomBytes } from 'node:crypto'
import { expressSecondFactor, expressSession } from 'countersign/express'
import express from 'express'
import session from 'express-session'
import { checkPassword, facts, mayRescue, secondFactor } from '../adapters/host.js'

const app = express()
app.set('trust proxy', Number(process.env.TRUSTED_HOPS ?? 0)) // the number of your proxies in front

app.use(
  session({
    name: 'acme',
    secret: process.env.SESSION_SECRET ?? randomBytes(32).toString('hex'),
    saveUninitialized: false, // a visitor who has not logged in gets no session, and nobody can plant one
    resave: false, // else a slow request brings an older state back
    cookie: { path: '/', httpOnly: true, secure: 'auto', sameSite: 'lax', maxAge: 43_200_000 },
    // store: yours. The default forgets all at a restart.
  }),
)

// The cart stays when the session's id changes; all other fields go.
const auth = expressSecondFactor({ secondFactor, facts, mayRescue, session: expressSession({ keep: ['cart'] }) })
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

app.post('/cart', express.json(), (req, res) => {
  req.session.cart = [...(req.session.cart ?? []), String(req.body.item)]
  req.session.seen = true
  res.json({ cart: req.session.cart })
})
app.get('/cart', (req, res) => void res.json({ cart: req.session.cart, seen: req.session.seen }))

app.get('/', auth.guard(), (req, res) => void res.json({ user: auth.person(req).user }))
app.post('/transfer', auth.guard({ maxAge: 300 }), (_req, res) => void res.json({ result: 'sent' }))

const server = app.listen(Number(process.env.PORT ?? 3000), '127.0.0.1', () =>
  console.log(`Listening on http://127.0.0.1:${server.address().port}`),
)
