// Beside cookie-session, the login has a cookie of its own. A session of cookie-session is its own cookie: signed, but readable by everybody
// who sees it, with no id that could change, and valid again whenever somebody brings an old copy. A ticket or pass in it could be read.
import { randomBytes } from 'node:crypto'
import cookieSession from 'cookie-session'
import { expressSecondFactor } from 'countersign/express'
import express from 'express'
import { checkPassword, facts, mayRescue, secondFactor } from '../adapters/host.js'

const app = express()
app.set('trust proxy', Number(process.env.TRUSTED_HOPS ?? 0)) // the number of your proxies in front

// The cart and the language may stay here. The user may not: ask `auth.person`.
app.use(
  cookieSession({
    name: 'acme',
    secret: process.env.SESSION_SECRET ?? randomBytes(32).toString('hex'),
    sameSite: 'lax',
  }),
)

// No `session`: the login is in the sealed cookie `__Host-countersign`.
const auth = expressSecondFactor({ secondFactor, facts, mayRescue })
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
  res.json({ cart: req.session.cart })
})

app.get('/', auth.guard(), (req, res) => void res.json({ user: auth.person(req).user, cart: req.session.cart }))
app.post('/transfer', auth.guard({ maxAge: 300 }), (_req, res) => void res.json({ result: 'sent' }))

const server = app.listen(Number(process.env.PORT ?? 3000), '127.0.0.1', () =>
  console.log(`Listening on http://127.0.0.1:${server.address().port}`),
)
