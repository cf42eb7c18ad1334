// A whole service in the edge runtime: /edge/login, /edge/home, and the actions beside them.
import { createSecondFactor, generateKeys, memoryStore } from 'countersign'
import { nextSecondFactor } from 'countersign/next'

export const runtime = 'edge'

const auth = nextSecondFactor(() => ({
  secondFactor: createSecondFactor({
    policy: { v: 1, name: 'Acme', origin: 'https://acme.example' },
    keys: generateKeys(),
    store: memoryStore(),
  }),
  pages: { login: '/sign-in', secondStep: '/second-step' },
}))

const home = auth.handler({}, (_request, person) => Response.json({ user: person.user }))

const answer = async (request, context) => {
  const { action } = await context.params
  if (action === 'login') return auth.login(request, { user: 'u-1' })
  return action === 'home' ? home(request, context) : auth.routes[request.method](request, context)
}

export { answer as GET, answer as POST }
