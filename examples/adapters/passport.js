// A login with Passport, whose every strategy leads to the second factor. The routes under /second-factor take the code, set up
// factors, and log out.
import { expressSession, passportSecondFactor } from 'countersign/passport'
import express from 'express'
import session from 'express-session'
import passport from 'passport'
import { Strategy as LocalStrategy } from 'passport-local'
import { checkPassword, facts, findUser, mayRescue, secondFactor } from './host.js'

const auth = passportSecondFactor({
  secondFactor,
  facts,
  mayRescue,
  session: expressSession(),
  idOf: ({ id }) => id, // in the place of `serializeUser`
  userOf: ({ user }) => findUser(user), // in the place of `deserializeUser`
})
passport.use(auth.strategy)
passport.use(
  new LocalStrategy({ usernameField: 'name' }, (name, password, done) => {
    const id = checkPassword({ name, password })
    done(null, id === undefined ? false : findUser(id))
  }),
)

const app = express()
app.set('trust proxy', Number(process.env.TRUSTED_HOPS ?? 0)) // the number of your proxies in front
app.use(
  session({
    secret: process.env.SESSION_SECRET ?? crypto.randomUUID(), // without a secret of yours, sessions end with the process
    resave: false,
    saveUninitialized: false,
  }),
)
app.use(auth.session()) // in the place of `passport.session()`: `req.user` is a person who is in
app.use('/second-factor', auth.routes)

// `req.logIn`, which Passport calls for every strategy, asks for the second factor. `auth.answer` runs once the user is in.
const logIn = (req, res, next) =>
  passport.authenticate('local', { session: req.body.carry !== 'value', failWithError: true })(req, res, next)
app.post('/login', express.json(), logIn, auth.answer)
// The code by Passport's own means, for pages with `successRedirect` and `failureRedirect`.
app.post('/code', express.urlencoded(), passport.authenticate('second-factor'), (req, res) => res.json(req.user))

app.get('/', auth.guard(), (req, res) => void res.json({ user: req.user.id }))

// Ask again before this action: a second factor older than five minutes does not count.
app.post('/transfer', auth.guard({ maxAge: 300 }), (_req, res) => void res.json({ result: 'sent' }))

app.use((error, _req, res, next) => {
  if (error.name !== 'AuthenticationError') return next(error)
  res.status(401).json({ result: 'wrong_password' })
})

const server = app.listen(Number(process.env.PORT ?? 3000), '127.0.0.1', () =>
  console.log(`Listening on http://127.0.0.1:${server.address().port}`),
)
