// The judgement on an authorization request: whether the OP session has what the rules and the client ask for.
//
//   met      go on, and tell the client `acr`, `amr` and `auth_time` as they are now
//   log_in   the log-in is too long ago to be continued by a second factor alone, or older than `max_age` where there is no second
//            factor to ask for, or the session was ended, or only another log-in is of the strength that the client insists on: the
//            password again
//   prompt   a second factor, or a better or younger one
//   unmet    the client insists on something that no person can give here
import type { SecondFactor } from '../../second-factor.js'
import { acrOf, amrOf, type Demand, methodsFor } from './demand.js'
import type { Caller, ReadOptions } from './options.js'
import { nameOf } from './session.js'
import type { KeptInSession } from './types.js'

/** The reason of a prompt. */
export type PromptReason = 'denied' | 'second_factor_required' | 'acr' | 'essential_acr' | 'second_factor_too_old'

/** A judgement. */
export type Judgement =
  | { result: 'met'; method: string | undefined; acr: string | undefined; amr: string[] }
  | { result: 'log_in' }
  | { result: 'prompt'; reason: PromptReason }
  | { result: 'unmet' }

/** The facts of a request that is judged. */
export interface Judged {
  uid: string
  kept: KeptInSession
  caller: Caller
  ip: string | undefined
  demand: Demand
  /** Whether this very request has asked for a second factor already, and was given one: it is asked once. */
  isJustDone: boolean
  /** Whether the person has logged in in this very request. */
  isLoggedIn: boolean
  /** Whether the person declined in this very request what the client would have liked. */
  isDeclined: boolean
  now: number
  /** Whether the person is at the prompt already: whether that can help was judged before it. */
  isAtPrompt: boolean
}

/** Seconds in which a second factor continues a log-in, as long as a ticket lives. */
const CONTINUED_FOR = 600

/** Judges. It changes nothing. */
export async function judge(options: ReadOptions, judged: Judged): Promise<Judgement> {
  const { uid, kept, caller, ip, demand, isAtPrompt, isLoggedIn, isDeclined, now } = judged
  const { secondFactor } = options
  const { user, roles } = caller
  const session = nameOf(uid, kept.rotation)
  const question = { ...user, roles, ip, session, pass: kept.pass }
  const reply = await secondFactor.check(question)
  switch (reply.result) {
    case 'denied':
      return { result: 'prompt', reason: 'denied' }
    case 'second_step':
      return continuesBy(reply.reason) ||
        (reply.reason === 'no_pass' && now - kept.since <= CONTINUED_FOR && !isLoginTooOld(judged))
        ? { result: 'prompt', reason: 'second_factor_required' }
        : { result: 'log_in' }
    case 'in':
  }
  const { method } = reply
  const passed = method && acrOf(method)
  const { levels, essential } = demand
  const tooOld = await whatIsTooOld(options, judged, { ...question, maxAge: demand.maxAge }, method)
  const acr = [passed, kept.acr].find((level) => level !== undefined && levels.includes(level))
  if (levels.length > 0 && acr === undefined) {
    if (!isDeclined && (isAtPrompt || (await canReach(options, judged, session))))
      // The password comes before a set-up: an unattended session sets nothing up.
      return tooOld === 'log_in'
        ? { result: 'log_in' }
        : { result: 'prompt', reason: essential ? 'essential_acr' : 'acr' }
    // The host's own log-in may reach a level of its own.
    if (essential && !isLoggedIn && levels.some((level) => options.levels.has(level))) return { result: 'log_in' }
    if (essential) return { result: 'unmet' }
  }
  if (tooOld === 'log_in') return { result: 'log_in' }
  if (tooOld === 'second_factor') return { result: 'prompt', reason: 'second_factor_too_old' }
  const amr = [...new Set([...kept.amr, ...(method ? amrOf(method) : [])])]
  return { result: 'met', method, acr: acr ?? passed ?? kept.acr, amr }
}

/** Whether a pass that does not count any more leaves the session as it is: a second factor alone continues it. */
const continuesBy = (reason: string) => reason === 'expired' || reason === 'too_old'

/** The part of the login that `max_age` asks for again. */
async function whatIsTooOld(
  { secondFactor }: ReadOptions,
  judged: Judged,
  question: Parameters<SecondFactor['check']>[0],
  method: string | undefined,
): Promise<'log_in' | 'second_factor' | undefined> {
  if (method === undefined) return isLoginTooOld(judged) ? 'log_in' : undefined
  if (question.maxAge === undefined || judged.isJustDone) return undefined
  const reply = await secondFactor.check(question)
  // Without a method it says that nothing forces a second factor, and not that the pass is young.
  if (reply.result === 'in' && reply.method !== undefined) return undefined
  // A factor that is gone cannot be shown again.
  const { enrollment } = await secondFactor.status(judged.caller.user)
  return enrollment === 'usable' ? 'second_factor' : 'log_in'
}

/** Whether the person must type the password again. It is not asked twice in one request, and at the prompt it was judged before. */
const isLoginTooOld = ({ kept, demand: { maxAge }, isLoggedIn, isAtPrompt, now }: Judged) =>
  maxAge !== undefined && !isLoggedIn && !isAtPrompt && now - kept.at > maxAge

/** Whether the user has, or may set up, a method that meets the demand. */
async function canReach({ secondFactor, setUp }: ReadOptions, judged: Judged, session: string): Promise<boolean> {
  const { caller, ip, demand } = judged
  const { user, roles, plan } = caller
  const methods = methodsFor(demand)
  if (methods.length === 0) return false
  const { enrollment, methods: factors, backupCodes } = await secondFactor.status(user)
  if (enrollment === 'usable') {
    const own = factors.some(({ method, usable }) => usable && methods.includes(method))
    return own || (methods.includes('backup_code') && (backupCodes?.left ?? 0) > 0)
  }
  const reply = await secondFactor.begin({ ...user, roles, plan, ip, session })
  return reply.result === 'allowed' && reply.enroll && setUp.some((method) => methods.includes(method))
}
