// The same in Fastify 5 with sessions of @fastify/session, which are on the server: a log-out ends every copy of the cookie.
import cookie from '@fastify/cookie'
import session from '@fastify/session'
import { fastifySecondFactor, fastifySession } from 'countersign/fastify'
import Fastify from 'fastify'
import { checkPassword, facts, mayRescue, secondFactor } from './host.js'

const app = Fastify({ trustProxy: process.env.TRUSTED_PROXIES ?? false }) // addresses of your proxies, like 10.0.0.0/8
await app.register(cookie)
await app.register(session, {
  secret: process.env.SESSION_SECRET ?? '', // 32 characters and more
  saveUninitialized: false, // visitors have no session
  rolling: false, // a request that ends late does not put a session back
  cookie: { secure: process.env.NODE_ENV === 'production', sameSite: 'lax', maxAge: 12 * 3_600_000 },
})
await app.register(fastifySecondFactor, { secondFactor, facts, mayRescue, session: fastifySession() })

app.post('/login', async (request, reply) => {
  const user = checkPassword(request.body)
  if (user === undefined) return reply.code(401).send({ result: 'wrong_password' })
  return app.secondFactor.login(request, reply, { user, carry: request.body.carry === 'value' ? 'value' : 'cookie' })
})

app.get('/', { onRequest: app.secondFactor.guard() }, async (request) => ({ user: request.person.user }))

// Ask again before this action: a second factor older than five minutes does not count.
app.post('/transfer', { onRequest: app.secondFactor.guard({ maxAge: 300 }) }, async () => ({ result: 'sent' }))

console.log(`Listening on ${await app.listen({ port: Number(process.env.PORT ?? 3000), host: '127.0.0.1' })}`)
