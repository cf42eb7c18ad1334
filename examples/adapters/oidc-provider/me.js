// The person's own page at the provider: the factors, their set-up and new backup codes. It is no client, and asks for itself.
import express from 'express'

const PAGE = '/me'
/** A change needs a second factor of at most five minutes ago, or a password where there is none. */
const YOUNG = 300

export function ownPage({ provider, steps, secondFactor, page }) {
  const router = express.Router()
  const show = (res, values) => res.set('cache-control', 'no-store').send(page(values, PAGE))
  const failed = (res, { result, reason = result }) => res.status(403).send(page({ step: 'error', message: reason }))

  /** Leads to the log-in, or to the second factor alone, and back: an authorization request whose answer is nothing but the way back. */
  const ask = (res, maxAge) => {
    const url = new URL('/auth', provider.issuer)
    const own = { client_id: 'account', response_type: 'none', scope: 'openid', redirect_uri: provider.issuer + PAGE }
    url.search = new URLSearchParams({ ...own, ...(maxAge && { max_age: maxAge }) }).toString()
    res.redirect(303, url.href)
  }
  /** A handler for a person who is in, and whose second factor meets the rules. */
  const person = (rules, handler) => async (req, res) => {
    const who = await steps.signedIn(req, res, rules)
    if (who?.reply.result === 'in') return handler(req, res, who)
    // The provider refuses it: to ask again would be a loop.
    if (req.query.error !== undefined || who?.reply.result === 'denied')
      return failed(res, { result: req.query.error ?? who.reply.reason })
    return ask(res, rules.maxAge)
  }
  /** New backup codes are shown once, and count once the person has saved them. */
  const showCodes = async (req, res, { codes, set, pass }) => {
    if (pass !== undefined) await steps.keepPass(req, res, pass)
    show(res, { step: 'my_codes', codes, set })
  }

  router.get(
    PAGE,
    person({}, async (_req, res, { caller: { account, user } }) =>
      show(res, { step: 'me', status: await secondFactor.status({ account, user }) }),
    ),
  )
  router.post(
    `${PAGE}/app`,
    person({ maxAge: YOUNG }, async (_req, res, { caller, plan, label }) => {
      const reply = await secondFactor.enrollTotp({ ...caller, plan, label })
      return reply.result === 'totp_started' ? show(res, { step: 'my_app', ...reply }) : failed(res, reply)
    }),
  )
  router.post(
    `${PAGE}/confirm`,
    express.urlencoded(),
    // However long the app took: `setup` is sealed, of this session alone, and has a time of its own.
    person({}, async (req, res, { caller }) => {
      const { setup, code } = Object(req.body)
      const reply = await secondFactor.confirmTotp({ ...caller, setup, code })
      if (reply.result !== 'enrolled') return failed(res, reply)
      const { backupCodes, set, pass } = reply
      if (backupCodes !== undefined) return showCodes(req, res, { codes: backupCodes, set, pass })
      await steps.keepPass(req, res, pass)
      return res.redirect(303, PAGE)
    }),
  )
  router.post(
    `${PAGE}/codes`,
    person({ maxAge: YOUNG }, async (req, res, { caller }) => {
      const reply = await secondFactor.renewBackupCodes(caller)
      if (reply.result !== 'backup_codes') return failed(res, reply)
      return showCodes(req, res, { codes: reply.codes.map(({ code }) => code), set: reply.set, pass: reply.pass })
    }),
  )
  router.post(
    `${PAGE}/saved`,
    express.urlencoded(),
    person({}, async (req, res, { caller }) => {
      const reply = await secondFactor.confirmBackupCodes({ ...caller, set: Object(req.body).set })
      return reply.result === 'confirmed' ? res.redirect(303, PAGE) : failed(res, reply)
    }),
  )
  return router
}
