// The OpenID provider of a company, with a second factor: between the log-in and the way back to the client, for users of whom the
// rules ask it and for clients that ask for more.
import { pathToFileURL } from 'node:url'
import { createSecondFactor, generateKeys, memoryStore } from 'countersign'
import { oidcProviderSecondFactor } from 'countersign/oidc-provider'
import express from 'express'
import * as oidc from 'oidc-provider'
import { clients, ownClient, resources, users } from './company.js'
import { page as html } from './pages.js'
import { routes } from './routes.js'

export function companyOp({
  issuer,
  policy = {},
  sendSms,
  keys = process.env.COUNTERSIGN_KEYS,
  store = memoryStore(),
  setUp,
  configuration = {},
  page = html,
}) {
  const secondFactor = createSecondFactor({
    policy: () => ({ v: 1, name: 'Acme', origin: issuer, ...policy }), // asked at each request: rules may change
    keys: keys ?? generateKeys(), // outside of an example always the same ones
    store,
    sendSms,
  })
  const steps = oidcProviderSecondFactor({ secondFactor, oidc, setUp, facts: ({ user }) => users.factsOf(user) })
  const provider = steps.attach(
    new oidc.Provider(
      issuer,
      steps.configure({
        ...{ clients: [...clients, ownClient(issuer)], findAccount: users.findAccount, ...resources },
        cookies: { keys: [process.env.COOKIE_KEY ?? 'only an example'] },
        interactions: { url: (_ctx, { uid }) => `/interaction/${uid}` },
        ...configuration,
      }),
    ),
  )
  const app = express()
  app.use(routes({ provider, steps, secondFactor, page }))
  app.use(provider.callback())
  return { app, provider, steps, secondFactor }
}

if (import.meta.url === pathToFileURL(process.argv[1]).href) {
  const port = Number(process.env.PORT ?? 3000)
  const policy = JSON.parse(process.env.POLICY ?? '{"require":"everyone","firstFactor":"password"}')
  const { app } = companyOp({ issuer: `http://localhost:${port}`, policy })
  app.listen(port, 'localhost', () => console.log(`the provider listens on http://localhost:${port}`))
}
