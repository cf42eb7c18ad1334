// The OpenID provider of a company, with a second factor: between the log-in and the way back to the client, for users of whom the
// rules ask it and for clients that ask for more.
import { pathToFileURL } from 'node:url'
import { createSecondFactor, generateKeys, memoryStore } from 'countersign'
import { oidcProviderSecondFactor, SECOND_FACTOR } from 'countersign/oidc-provider'
import express from 'express'
import * as oidc from 'oidc-provider'
import { clients, resources, users } from './company.js'
import { page } from './pages.js'

export function companyOp({
  issuer,
  policy = {},
  sendSms,
  keys = process.env.COUNTERSIGN_KEYS,
  store = memoryStore(),
  configuration = {},
}) {
  const secondFactor = createSecondFactor({
    policy: () => ({ v: 1, name: 'Acme', origin: issuer, ...policy }), // asked at each request: rules may change
    keys: keys ?? generateKeys(), // outside of an example always the same ones
    store,
    sendSms,
  })
  const steps = oidcProviderSecondFactor({ secondFactor, oidc, facts: ({ user }) => ({ label: users.emailOf(user) }) })
  const provider = steps.attach(
    new oidc.Provider(
      issuer,
      steps.configure({
        ...{ clients, findAccount: users.findAccount, ...resources },
        cookies: { keys: [process.env.COOKIE_KEY ?? 'only an example'] },
        interactions: { url: (_ctx, { uid }) => `/interaction/${uid}` },
        ...configuration,
      }),
    ),
  )

  const app = express()
  const at = (req) => `/interaction/${encodeURIComponent(req.params.uid)}`
  const send = (req, res, { status, headers, body }) => {
    res.status(status).set(headers)
    body === undefined ? res.end() : res.send(page(body, at(req)))
  }
  app.get('/interaction/:uid', async (req, res) => {
    const { prompt } = await provider.interactionDetails(req, res)
    if (prompt.name === SECOND_FACTOR) return send(req, res, await steps.show(req, res))
    return res.send(page({ step: prompt.name }, at(req)))
  })
  app.post('/interaction/:uid/login', express.urlencoded(), async (req, res) => {
    const { prompt } = await provider.interactionDetails(req, res)
    const accountId = users.accountOf(req.body)
    if (prompt.name !== 'login' || accountId === undefined)
      return res.status(401).send(page({ step: 'login', wrong: true }, at(req)))
    return provider.interactionFinished(req, res, { login: { accountId, amr: ['pwd'] } })
  })
  app.post('/interaction/:uid/second-factor', async (req, res) => send(req, res, await steps.act(req, res)))
  app.get('/me', async (req, res) => {
    // A page of the provider itself is no client: it asks for itself.
    const person = await steps.signedIn(req, res)
    if (person?.reply.result !== 'in')
      return res.status(401).send(page({ step: 'error', message: 'Log in at an application.' }))
    return res.send(page({ step: 'me', status: await secondFactor.status({ user: person.caller.user }) }))
  })
  app.use(provider.callback())
  app.use((error, _req, res, _next) => {
    const { status = 500, error_description: message = 'Something went wrong.' } = error
    if (status >= 500) console.error(error)
    res.status(status).send(page({ step: 'error', message }))
  })
  return { app, provider, secondFactor }
}

if (import.meta.url === pathToFileURL(process.argv[1]).href) {
  const port = Number(process.env.PORT ?? 3000)
  const policy = JSON.parse(process.env.POLICY ?? '{"require":"everyone","firstFactor":"password"}')
  const { app } = companyOp({ issuer: `http://localhost:${port}`, policy })
  app.listen(port, 'localhost', () => console.log(`the provider listens on http://localhost:${port}`))
}
