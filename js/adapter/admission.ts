// The question of every request: who is this, and do the rules let them in here?
//
//   from another site? ──▶ nobody? ──▶ the first factor alone? ──▶ ended? ──▶ `check` ──▶ a person
//        403                 401               401                 401      401, 403
//
// A handler runs for a person alone. Any other case is an answer, so that there is no way to forget one.
import type * as wasm from '../wasm.js'
import { type AdapterAnswer, answer, answerOf, logInFirst, type PassRules, secondStep } from './answer.js'
import { isCrossSite } from './cross-site.js'
import type { LoggedIn, Login } from './login.js'
import { circumstancesOf, userOf, type Visit } from './means.js'
import type { HostUser, ReadOptions } from './options.js'

/** A person who is in, for the handlers of the host. */
export interface Person extends HostUser {
  /** The id of the session in passes and events; it is no secret. */
  session: string
  /** The method of the second factor, where there was one. */
  method?: wasm.Method | undefined
  /** The time of the second factor, in unix seconds. */
  authTime?: number | undefined
}

/** A person, or the answer to send in place of the handler's. */
export type Admission = { person: Person; answer: undefined } | { person: undefined; answer: AdapterAnswer }

/** The same with the login that was found, unless it has ended. */
export type Admitted = Admission & { login: Login | undefined }

/** Both fields are its own, so that a polluted `Object.prototype` lets nobody in. */
const refused = (answer: AdapterAnswer, login?: Login): Admitted => ({ login, person: undefined, answer })

/** Whether another site sent the request, with a cookie that is not its own. */
export const isForged = ({ origins }: ReadOptions, { request, isByValue }: Visit): boolean =>
  !isByValue && isCrossSite(request, origins)

/** The answer to that. */
export const crossSite = (): AdapterAnswer =>
  answer(403, { result: 'cross_site', message: 'the request comes from another site' })

/** Admits a person, and gives the login that was found. */
export async function admission(options: ReadOptions, visit: Visit, rules: PassRules): Promise<Admitted> {
  if (isForged(options, visit)) return refused(crossSite())
  const login = await visit.place.read()
  if (login === undefined) return refused(logInFirst())
  if (login.state !== 'in') return refused(secondStep('no_pass', rules, login.state), login)
  // `check` asks the list about a pass. Without one, it has nothing to ask about.
  if (login.pass === undefined && (await options.sealer.hasEnded(login, login.since))) return ended(visit)
  return checked(options, visit, login, rules)
}

async function checked(
  options: ReadOptions,
  visit: Visit,
  login: LoggedIn,
  { maxAge, methods, fresh }: PassRules,
): Promise<Admitted> {
  const { caller, plan } = await circumstancesOf(options, visit.request, login)
  const reply = await options.secondFactor.check({ ...caller, plan, pass: login.pass, maxAge, methods, fresh })
  switch (reply.result) {
    case 'in': {
      const { method, authTime } = reply
      const person = { ...userOf(login), session: login.session, method, authTime }
      return { login, person, answer: undefined }
    }
    case 'second_step':
      if (reply.reason === 'revoked') return ended(visit)
      return refused(secondStep(reply.reason, { maxAge, methods, fresh }), login)
    case 'denied':
      return refused(answerOf(reply, options.sealer.now()), login)
  }
}

/**
 * The answer to a session that the list has ended: a second factor does not bring it back. The list forgets it in time, so that a session of
 * the host's ends in its place as well. A sealed text has ended by then; to end its cookie would end the one that a request beside this
 * one has brought.
 */
async function ended({ place, isHosts }: Visit): Promise<Admitted> {
  if (isHosts) await place.end()
  return refused(logInFirst())
}
