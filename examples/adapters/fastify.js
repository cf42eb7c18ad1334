// A login with a second factor in Fastify 5. The routes under /second-factor take the code, set up factors, and log out.
import { fastifySecondFactor } from 'countersign/fastify'
import Fastify from 'fastify'
import { checkPassword, facts, mayRescue, secondFactor } from './host.js'

const app = Fastify({ trustProxy: process.env.TRUSTED_PROXIES ?? false }) // addresses of your proxies, like 10.0.0.0/8
await app.register(fastifySecondFactor, { secondFactor, facts, mayRescue })

// Every way in ends here: `login` says whether the user is in, and asks for the second factor where the rules want one.
app.post('/login', async (request, reply) => {
  const user = checkPassword(request.body)
  if (user === undefined) return reply.code(401).send({ result: 'wrong_password' })
  return app.secondFactor.login(request, reply, { user, carry: request.body.carry === 'value' ? 'value' : 'cookie' })
})

// Each route of this context is for people who are in.
app.register(async (inside) => {
  inside.addHook('onRequest', app.secondFactor.guard())

  inside.get('/', async (request) => ({ user: request.person.user }))

  // Ask again before this action: a second factor older than five minutes does not count.
  inside.post('/transfer', { onRequest: app.secondFactor.guard({ maxAge: 300 }) }, async () => ({ result: 'sent' }))
})

console.log(`Listening on ${await app.listen({ port: Number(process.env.PORT ?? 3000), host: '127.0.0.1' })}`)
