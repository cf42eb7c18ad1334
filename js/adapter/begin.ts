// The first step: the first factor has passed, or a person who is in is asked again.
import { type AdapterAnswer, answerOf } from './answer.js'
import { browserSecret, forgetBrowserSecret } from './browser-cookie.js'
import type { Login, LoginOf } from './login.js'
import { afterBegin } from './login-after.js'
import { circumstancesOf, type Visit } from './means.js'
import type { ReadOptions } from './options.js'
import { enteredBy, keep, settle } from './settle.js'

/** An answer, and the login that is kept from now on. */
export interface Begun {
  answer: AdapterAnswer
  login: Login | undefined
}

/** Begins a login of a user, under a new id of the session. */
export const beginLogin = (options: ReadOptions, visit: Visit, user: LoginOf) => begin(options, visit, user, undefined)

/** Gives a new challenge within a login. */
export const askAgain = (options: ReadOptions, visit: Visit, login: Login) => begin(options, visit, login, login)

async function begin(options: ReadOptions, visit: Visit, user: LoginOf, before: Login | undefined): Promise<Begun> {
  const { secondFactor, sealer } = options
  const { caller, plan } = await circumstancesOf(options, visit.request, user)
  const reply = await secondFactor.begin({ ...caller, plan, ticket: ticketOf(before) })
  const after = afterBegin(reply, before ?? user, sealer.now())
  if (after === undefined) {
    if (before === undefined) await visit.place.end()
    return { answer: answerOf(reply, sealer.now()), login: before }
  }
  await keep(visit, before === undefined ? { ...after, isNewSession: true } : after)
  const answer = { ...answerOf(reply, sealer.now()), entered: enteredBy(after) }
  return { answer: (await byTrustedBrowser(options, visit, after.login)) ?? answer, login: after.login }
}

/** The second step by the browser's own secret, where the policy trusts browsers and this one has a secret. */
async function byTrustedBrowser(options: ReadOptions, visit: Visit, login: Login): Promise<AdapterAnswer | undefined> {
  const code = browserSecret(options, visit)
  if (code === undefined || login.state !== 'first_factor') return undefined
  const { ticket, methods } = login.challenge
  if (!methods.some(({ method }) => method === 'trusted_browser')) return undefined
  const { user: _, ...place } = (await circumstancesOf(options, visit.request, login)).caller
  const reply = await options.secondFactor.verify({ ...place, ticket, method: 'trusted_browser', code })
  if (reply.result === 'verified') return settle(options, visit, login, reply)
  forgetBrowserSecret(options, visit)
  return undefined
}

/** The ticket of a half-made login, without which it is given no other. */
function ticketOf(login: Login | undefined): string | undefined {
  switch (login?.state) {
    case 'first_factor':
      return login.challenge.ticket
    case 'set_up':
      return login.ticket
    case 'in':
    case undefined:
      return undefined
  }
}
