// People log in by an e-mail address, and the second factor belongs to their id. An address changes, and may get another owner: a factor
// under it would be lost at the change, or be asked of a stranger. The address is only the label in the app.
import { expressSecondFactor } from 'countersign/express'
import express from 'express'
import { addUser, checkPassword, facts, mayRescue, rename, secondFactor } from '../adapters/host.js'

const auth = expressSecondFactor({ secondFactor, facts, mayRescue })
const app = express()
app.set('trust proxy', Number(process.env.TRUSTED_HOPS ?? 0)) // the number of your proxies in front
app.use('/second-factor', auth.routes)

app.post('/sign-up', express.json(), (req, res) => {
  addUser(crypto.randomUUID(), String(req.body.name), String(req.body.password)) // an id is never given twice
  res.json({ result: 'signed_up' })
})

app.post('/login', express.json(), async (req, res, next) => {
  try {
    const user = checkPassword(req.body) // the id, never `req.body.name`
    if (user === undefined) return void res.status(401).json({ result: 'wrong_password' })
    await auth.login(req, res, { user })
  } catch (error) {
    next(error)
  }
})

// Another address gets the mails of a lost password: so the second factor is asked again.
app.post('/address', auth.guard({ maxAge: 300 }), express.json(), (req, res) => {
  rename(auth.person(req).user, String(req.body.name)) // once a mail to it has been answered
  res.json({ result: 'changed' })
})

app.get('/', auth.guard(), (req, res) => void res.json({ user: auth.person(req).user }))

const server = app.listen(Number(process.env.PORT ?? 3000), '127.0.0.1', () =>
  console.log(`Listening on http://127.0.0.1:${server.address().port}`),
)
