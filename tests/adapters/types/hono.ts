// The adapter beside Hono's own types: an app needs no cast.
import { getConnInfo } from '@hono/node-server/conninfo'
import type { SecondFactor } from 'countersign'
import { honoSecondFactor, type Person, type SessionPlace } from 'countersign/hono'
import { type Context, Hono } from 'hono'

type Env = { Bindings: { KEYS: string }; Variables: { locale: string } }

export function appOf(secondFactor: SecondFactor) {
  const auth = honoSecondFactor({
    secondFactor,
    ip: (c: Context<Env>) => getConnInfo(c).remote.address,
    session: (c: Context<Env>) => placeOf(c.env.KEYS),
  })
  // @ts-expect-error: there is no address
  honoSecondFactor({ secondFactor })
  // @ts-expect-error: `maxage` is no option
  honoSecondFactor({ secondFactor, ip: () => undefined, maxage: 300 })
  const app = new Hono<Env>()
  app.all('/second-factor/*', auth.routes)
  app.use('/admin/*', auth.guard({ methods: ['totp'] }))
  app.post('/login', async (c) => auth.login(c, { user: (await c.req.json()).user }))
  app.post('/log-out', (c) => auth.logOut(c))
  app.get('/', auth.guard(), (c) => {
    const person: Person = auth.person(c)
    return c.json({ user: person.user, locale: c.get('locale') })
  })
  app.get('/items/:id', auth.guard({ maxAge: 300 }), (c) => c.text(c.req.param('id')))
  // @ts-expect-error: `totpp` is no method
  auth.guard({ methods: ['totpp'] })
  return app
}

declare function placeOf(keys: string): SessionPlace
