// The judgement on an authorization request: whether the OP session has what the rules and the client ask for.
//
//   met      go on, and tell the client `acr`, `amr` and `auth_time` as they are now
//   log_in   the log-in is too long ago to be continued by a second factor alone, or older than `max_age` where there is no second
//            factor to ask for, or the session was ended, or only another log-in is of the strength that the client insists on: the
//            password again
//   prompt   a second factor, or a better or younger one
//   unmet    the client insists on something that no person can give here, or the host's log-in tells a time that `max_age` excludes
//
// `auth_time` is the time of the password or of the pass, the later one. A request with `max_age` never gets one that is older.
import type { SecondFactor } from '../../second-factor.js'
import { acrOf, amrOf, type Demand, methodsFor } from './demand.js'
import type { Caller, ReadOptions } from './options.js'
import { nameOf } from './session.js'
import type { KeptInSession } from './types.js'

/** The reason of a prompt. */
export type PromptReason = 'denied' | 'second_factor_required' | 'acr' | 'essential_acr' | 'second_factor_too_old'

/** A judgement. */
export type Judgement =
  | { result: 'met'; authTime: number; acr: string | undefined; amr: string[] }
  | { result: 'log_in' }
  | { result: 'prompt'; reason: PromptReason }
  | { result: 'unmet'; what: 'acr' | 'max_age' }

/** The facts of a request that is judged. */
export interface Judged {
  uid: string
  kept: KeptInSession
  caller: Caller
  ip: string | undefined
  demand: Demand
  /** Whether this very request has asked for a second factor already, and was given one: `max_age=0` asks for it once. */
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
    if (essential) return { result: 'unmet', what: 'acr' }
  }
  if (tooOld === 'log_in') return { result: 'log_in' }
  if (tooOld === 'second_factor') return { result: 'prompt', reason: 'second_factor_too_old' }
  const amr = [...new Set([...kept.amr, ...(method ? amrOf(method) : [])])]
  const authTime = Math.max(kept.at, reply.authTime ?? 0)
  // A log-in of the host that tells an older time would do so again.
  if (isOlder(authTime, judged)) return { result: 'unmet', what: 'max_age' }
  return { result: 'met', authTime, acr: acr ?? passed ?? kept.acr, amr }
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
  if (question.maxAge === undefined || (question.maxAge === 0 && judged.isJustDone)) return undefined
  const reply = await secondFactor.check(question)
  // Without a method it says that nothing forces a second factor, and not that the pass is young.
  if (reply.result === 'in' && reply.method !== undefined) return undefined
  // A factor that is gone cannot be shown again.
  const { enrollment } = await secondFactor.status(judged.caller.user)
  return enrollment === 'usable' ? 'second_factor' : 'log_in'
}

/**
 * Whether the person must type the password again. At the prompt that was judged before it. In the request of the log-in itself its own
 * time counts, and not the one that the host tells.
 */
const isLoginTooOld = (judged: Judged) =>
  !judged.isAtPrompt && isOlder(Math.max(judged.kept.at, judged.isLoggedIn ? judged.kept.since : 0), judged)

/** Whether a time is longer ago than `max_age`. `max_age=0` asks once, as `prompt=login` does: no answer to it can be of this second. */
const isOlder = (time: number, { demand: { maxAge }, isLoggedIn, isJustDone, now }: Judged) =>
  maxAge !== undefined && !(maxAge === 0 && (isLoggedIn || isJustDone)) && now - time > maxAge

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
