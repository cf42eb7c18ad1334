// The pages of the provider: the company's log-in, the second factor after it, and the person's own page.
import { SECOND_FACTOR } from 'countersign/oidc-provider'
import express from 'express'
import { users } from './company.js'
import { ownPage } from './me.js'

export function routes({ provider, steps, secondFactor, page }) {
  const router = express.Router()
  const at = (req) => `/interaction/${encodeURIComponent(req.params.uid)}`
  const send = (req, res, { status, headers, body }) => {
    res.status(status).set(headers)
    body === undefined ? res.end() : res.send(page(body, at(req)))
  }
  router.get('/interaction/:uid', async (req, res) => {
    const { prompt } = await provider.interactionDetails(req, res)
    if (prompt.name === SECOND_FACTOR) return send(req, res, await steps.show(req, res))
    return res.send(page({ step: prompt.name }, at(req)))
  })
  router.post('/interaction/:uid/login', express.urlencoded(), async (req, res) => {
    const { prompt } = await provider.interactionDetails(req, res)
    const accountId = users.accountOf(req.body)
    if (prompt.name !== 'login' || accountId === undefined)
      return res.status(401).send(page({ step: 'login', wrong: true }, at(req)))
    return provider.interactionFinished(req, res, { login: { accountId, amr: ['pwd'] } })
  })
  router.post('/interaction/:uid/second-factor', async (req, res) => send(req, res, await steps.act(req, res)))
  router.use(ownPage({ provider, steps, secondFactor, page }))
  router.use((error, _req, res, _next) => {
    const { status = 500, error_description: message = 'Something went wrong.' } = error
    if (status >= 500) console.error(error)
    res.status(status).send(page({ step: 'error', message }))
  })
  return router
}
