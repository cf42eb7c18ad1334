// The step-up of a resource server (RFC 9470): it tells a client which log-in an action needs, and the client comes back with a token of one.
import { CountersignError } from '../../adapter.js'
import { answer, type StepAnswer } from './answer.js'

/** The log-in that an action needs. */
export interface StepUpRules {
  /** The strengths, one of which the token must have, the best first: `urn:countersign:acr:2fa`. Any where it is left out. */
  acrValues?: readonly string[] | undefined
  /** Greatest age of the person's last act at the log-in, in seconds, at least 1. */
  maxAge?: number | undefined
}

/** The claims of an access token, or the answer of an introspection. */
export interface StepUpClaims {
  /** The strength of the log-in. */
  acr?: unknown
  /** The time of the log-in, in unix seconds. */
  auth_time?: unknown
}

/**
 * The answer that asks a client for a stronger or younger log-in: 401 with the challenge of RFC 9470. `undefined`: the token has what
 * the rules ask for. Verify the token first.
 *
 * @example
 * ```ts
 * import { type StepUpClaims, stepUp } from 'countersign/oidc-provider'
 *
 * export function mayPay(claims: StepUpClaims): boolean {
 *   const refusal = stepUp(claims, { acrValues: ['urn:countersign:acr:2fa'], maxAge: 300 })
 *   if (refusal === undefined) return true
 *   console.log(refusal.status, refusal.headers['www-authenticate'])
 *   return false
 * }
 * ```
 *
 * @throws `CountersignError` `invalid_input`: the rules are none.
 */
export function stepUp(
  claims: StepUpClaims,
  rules: StepUpRules,
  now = Math.floor(Date.now() / 1_000),
): StepAnswer | undefined {
  const { acrValues, maxAge } = rules
  if (
    acrValues !== undefined &&
    (acrValues.length === 0 || !acrValues.every((value) => /^[\x21\x23-\x5b\x5d-\x7e]+$/.test(value)))
  )
    throw new CountersignError('invalid_input', 'acrValues', 'must be a list of values without spaces and quotes')
  if (maxAge !== undefined && !(Number.isSafeInteger(maxAge) && maxAge >= 1))
    throw new CountersignError('invalid_input', 'maxAge', 'must be whole seconds, at least 1')
  // Only own properties count, so that a polluted Object.prototype makes no token stronger.
  const { acr, auth_time: at }: StepUpClaims = Object.assign(Object.create(null), claims)
  const isStrong = acrValues === undefined || acrValues.some((value) => value === acr)
  const isYoung = maxAge === undefined || (typeof at === 'number' && now - at <= maxAge)
  if (isStrong && isYoung) return undefined
  const message = isStrong ? 'a more recent log-in is required' : 'a stronger log-in is required'
  const parts = ['Bearer error="insufficient_user_authentication"', `error_description="${message}"`]
  if (acrValues !== undefined) parts.push(`acr_values="${acrValues.join(' ')}"`)
  if (maxAge !== undefined) parts.push(`max_age="${maxAge}"`)
  return answer(
    401,
    { error: 'insufficient_user_authentication', error_description: message },
    { 'www-authenticate': parts.join(', ') },
  )
}
