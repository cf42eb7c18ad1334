// The plugin beside Fastify's own types: an app needs no cast and no declaration of its own.
import type { SecondFactor } from 'countersign'
import { fastifySecondFactor, fastifySession, type Person, type SessionPlace } from 'countersign/fastify'
import Fastify, { type FastifyRequest } from 'fastify'

export async function appOf(secondFactor: SecondFactor) {
  const app = Fastify({ logger: true })
  await app.register(fastifySecondFactor, { secondFactor, prefix: '/2fa', session: fastifySession({ keep: ['cart'] }) })
  await app.register(fastifySecondFactor, { secondFactor, session: (request: FastifyRequest) => placeOf(request.id) })
  // @ts-expect-error: `maxage` is no option
  await app.register(fastifySecondFactor, { secondFactor, maxage: 300 })
  app.post<{ Body: { user: string } }>('/login', async (request, reply) =>
    app.secondFactor.login(request, reply, { user: request.body.user }),
  )
  app.get('/', { onRequest: app.secondFactor.guard() }, async (request): Promise<Person> => request.person)
  app.post('/transfer', { preHandler: [app.secondFactor.guard({ maxAge: 300 })] }, async () => ({ result: 'sent' }))
  app.register(async (inside) => {
    inside.addHook('onRequest', inside.secondFactor.guard({ methods: ['totp'] }))
    inside.addHook('preHandler', inside.secondFactor.guard())
  })
  // @ts-expect-error: `totpp` is no method
  app.secondFactor.guard({ methods: ['totpp'] })
  app.post('/log-out', (request, reply) => app.secondFactor.logOut(request, reply))
  return app
}

declare function placeOf(id: string): SessionPlace
