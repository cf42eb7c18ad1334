// The first step: the first factor has passed, or a person who is in is asked again.
import { type AdapterAnswer, answerOf } from './answer.js'
import { browserSecret, forgetBrowserSecret } from './browser-cookie.js'
import type { Challenge, LoggedIn, Login, LoginOf } from './login.js'
import { afterBegin, type LoginAfter } from './login-after.js'
import { circumstancesOf, type Visit } from './means.js'
import type { ReadOptions } from './options.js'
import { enteredBy, keep, settle } from './settle.js'

/** Begins a login of a user, under a new id of the session. */
export async function beginLogin(options: ReadOptions, visit: Visit, user: LoginOf): Promise<AdapterAnswer> {
  const { after, answer } = await begin(options, visit, user, undefined)
  if (after === undefined) {
    await visit.place.end()
    return answer
  }
  await keep(visit, { ...after, isNewSession: true })
  return (await byTrustedBrowser(options, visit, after.login)) ?? answer
}

/** Gives a new challenge within a login. */
export async function askAgain(options: ReadOptions, visit: Visit, login: Login): Promise<AdapterAnswer> {
  const { after, answer } = await begin(options, visit, login, login)
  if (after !== undefined) await keep(visit, after)
  return (after && (await byTrustedBrowser(options, visit, after.login))) ?? answer
}

/**
 * A challenge for a person who is in and answers at once. It is not kept: a request beside this one may have led on, and would be led
 * back. Where there is none, the answer is that of the first step.
 */
export async function challengeAtOnce(
  options: ReadOptions,
  visit: Visit,
  login: LoggedIn,
): Promise<{ login: LoggedIn & { challenge: Challenge } } | { login: undefined; answer: AdapterAnswer }> {
  const { after, answer } = await begin(options, visit, login, login)
  if (after?.login.state === 'in' && after.login.challenge !== undefined)
    return { login: { ...after.login, challenge: after.login.challenge } }
  // A factor that is forced now is set up first.
  if (after?.login.state === 'set_up') await keep(visit, after)
  return { login: undefined, answer }
}

interface Begun {
  after: LoginAfter | undefined
  answer: AdapterAnswer
}

async function begin(options: ReadOptions, visit: Visit, user: LoginOf, before: Login | undefined): Promise<Begun> {
  const { secondFactor, sealer } = options
  const { caller, plan } = await circumstancesOf(options, visit.request, user)
  const reply = await secondFactor.begin({ ...caller, plan, ticket: ticketOf(before) })
  const after = afterBegin(reply, before ?? user, sealer.now())
  return { after, answer: { ...answerOf(reply, sealer.now()), entered: enteredBy(after) } }
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
  // Another tab may have brought a new secret meanwhile.
  if (reply.result !== 'expired') forgetBrowserSecret(options, visit)
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
