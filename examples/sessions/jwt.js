// Access tokens (RFC 9068) by jose, for services that only check a signature. A token is issued to a person who is in, never for a password
// alone, and never in place of the session: the client keeps the session as a value, and asks for a token by it every few minutes.
import { stepUpChallenge } from 'countersign/adapter'
import { expressSecondFactor } from 'countersign/express'
import express from 'express'
import { generateKeyPair, jwtVerify, SignJWT } from 'jose'
import { checkPassword, facts, mayRescue, secondFactor } from '../adapters/host.js'

const [issuer, audience, alg, typ] = ['https://acme.example', 'https://api.acme.example', 'EdDSA', 'at+jwt']
const { privateKey, publicKey } = await generateKeyPair(alg) // yours is kept, and published as a JWK set

const auth = expressSecondFactor({ secondFactor, facts, mayRescue })
const app = express()
app.set('trust proxy', Number(process.env.TRUSTED_HOPS ?? 0)) // the number of your proxies in front
app.use('/second-factor', auth.routes)

app.post('/login', express.json(), async (req, res, next) => {
  try {
    const user = checkPassword(req.body)
    if (user === undefined) return void res.status(401).json({ result: 'wrong_password' })
    await auth.login(req, res, { user, carry: 'value' })
  } catch (error) {
    next(error)
  }
})

/** Issues a token of one scope. The guard before it has decided; the service behind has nothing more to ask. */
const issue = (scope, lifetime) => async (req, res) => {
  const { user, session, authTime } = auth.person(req)
  const token = await new SignJWT({ scope, sid: session, auth_time: authTime, client_id: 'app' })
    .setProtectedHeader({ alg, typ })
    .setIssuer(issuer)
    .setAudience(audience)
    .setSubject(user)
    .setJti(crypto.randomUUID())
    .setIssuedAt()
    .setExpirationTime(lifetime)
    .sign(privateKey)
  res.set('cache-control', 'no-store').json({ token })
}

app.post('/token', auth.guard(), issue('read', '5m'))
app.post('/token/transfer', auth.guard({ maxAge: 300 }), issue('transfer', '1m'))

/** In a service behind: takes tokens of one scope. */
const needs = (scope, rules) => async (req, res, next) => {
  const [, token = ''] = /^Bearer ([\w.-]+)$/i.exec(req.headers.authorization ?? '') ?? []
  const checked = await jwtVerify(token, publicKey, { issuer, audience, typ, algorithms: [alg] }).catch(() => undefined)
  if (checked?.payload.scope === scope) {
    res.locals.user = checked.payload.sub
    return next()
  }
  const challenge = checked && rules ? stepUpChallenge(rules) : 'Bearer error="invalid_token"'
  res
    .status(401)
    .set('www-authenticate', challenge)
    .json({ result: checked ? 'second_step' : 'log_in_first' })
}

app.get('/', needs('read'), (_req, res) => void res.json({ user: res.locals.user }))
app.post('/transfer', needs('transfer', { maxAge: 300 }), (_req, res) => void res.json({ result: 'sent' }))

const server = app.listen(Number(process.env.PORT ?? 3000), '127.0.0.1', () =>
  console.log(`Listening on http://127.0.0.1:${server.address().port}`),
)
