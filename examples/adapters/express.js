// A login with a second factor in Express 4 or 5. The routes under /second-factor take the code, set up factors, and log out.
import { expressSecondFactor } from 'countersign/express'
import express from 'express'
import { checkPassword, facts, mayRescue, secondFactor } from './host.js'

const auth = expressSecondFactor({ secondFactor, facts, mayRescue })
const app = express()
app.set('trust proxy', Number(process.env.TRUSTED_HOPS ?? 0)) // the number of your proxies in front

app.use('/second-factor', auth.routes)

// Every way in ends here: `login` says whether the user is in, and asks for the second factor where the rules want one.
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

// Ask again before this action: a second factor older than five minutes does not count.
app.post('/transfer', auth.guard({ maxAge: 300 }), (_req, res) => void res.json({ result: 'sent' }))

const server = app.listen(Number(process.env.PORT ?? 3000), '127.0.0.1', () =>
  console.log(`Listening on http://127.0.0.1:${server.address().port}`),
)
