// A login with a second factor in Hono 4, for each runtime. The routes under /second-factor take the code, set up factors, and log out.
import { honoSecondFactor } from 'countersign/hono'
import { Hono } from 'hono'

/** The app. `ip` tells the client's address, which each runtime has in a place of its own. */
export function appOf({ secondFactor, facts, mayRescue, checkPassword, ip }) {
  const auth = honoSecondFactor({ secondFactor, facts, mayRescue, ip })
  const app = new Hono()

  app.all('/second-factor/*', auth.routes)

  // Every way in ends here: `login` says whether the user is in, and asks for the second factor where the rules want one.
  app.post('/login', async (c) => {
    const body = await c.req.json().catch(() => ({}))
    const user = await checkPassword(body)
    if (user === undefined) return c.json({ result: 'wrong_password' }, 401)
    return auth.login(c, { user, carry: body.carry === 'value' ? 'value' : 'cookie' })
  })

  app.get('/', auth.guard(), (c) => c.json({ user: auth.person(c).user }))

  // Ask again before this action: a second factor older than five minutes does not count.
  app.post('/transfer', auth.guard({ maxAge: 300 }), (c) => c.json({ result: 'sent' }))

  return app
}
