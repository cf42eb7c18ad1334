// The answer to each reply and error: its status, and the headers that a status asks for.
//
//   200  the login or set-up goes on
//   400  a field is no text: the client is wrong            401  log in first, or prove a second factor (RFC 9470)
//   422  a person mistyped: a wrong, used or ended code      403  the rules refuse it
//   429  too many attempts or messages, with `retry-after`   503  the store cannot be had, with `retry-after`
import type { CountersignError } from '../error.js'
import type * as wasm from '../wasm.js'
import type { AdapterAnswer } from './request.js'

export type { AdapterAnswer } from './request.js'

/** The rules by which a pass counts for one action; see `check`. */
export interface PassRules {
  /** Greatest age of the second factor in seconds: the person is asked again once it is older. */
  maxAge?: number | undefined
  /** The methods whose passes count; all by default. */
  methods?: wasm.Method[] | undefined
  /** Whether the factor must be at most `freshSeconds` old and still in the record. */
  fresh?: boolean | undefined
}

/** An answer with this status and body. Nothing of a login is kept by a cache. */
export const answer = (
  status: number,
  body: Record<string, unknown>,
  headers: Record<string, string> = {},
): AdapterAnswer => ({ status, headers: { 'cache-control': 'no-store', ...headers }, body, entered: undefined })

/** Sends the person to another page. */
export const redirection = (location: string): AdapterAnswer => ({
  status: 303,
  headers: { 'cache-control': 'no-store', location },
  body: undefined,
  entered: undefined,
})

/**
 * The answer to a client that is not logged in at all.
 *
 * @example
 * ```ts
 * import { logInFirst } from 'countersign/adapter'
 *
 * export function answerToNobody(): Response {
 *   const { status, headers, body } = logInFirst()
 *   return Response.json(body, { status, headers })
 * }
 * ```
 */
export const logInFirst = (): AdapterAnswer =>
  answer(401, { result: 'log_in_first' }, { 'www-authenticate': LOG_IN_AGAIN })

const LOG_IN_AGAIN = 'Bearer error="invalid_token", error_description="log in first"'

/** The `acr` of a pass by its method, as OpenID Connect Core §2 has it. */
const ACR: Record<wasm.Method, string> = {
  totp: 'urn:countersign:acr:2fa',
  sms: 'urn:countersign:acr:2fa',
  backup_code: 'urn:countersign:acr:backup',
  recovery_code: 'urn:countersign:acr:recovery',
  trusted_browser: 'urn:countersign:acr:trusted-browser',
}

/**
 * The values of `acr` that the rules take, the strongest first.
 *
 * @example
 * ```ts
 * import { acrValuesOf } from 'countersign/adapter'
 *
 * export const strongest = acrValuesOf({ methods: ['totp', 'sms'] }) // ['urn:countersign:acr:2fa']
 * ```
 */
export const acrValuesOf = ({ methods = Object.keys(ACR) as wasm.Method[] }: PassRules): string[] => [
  ...new Set((Object.keys(ACR) as wasm.Method[]).filter((method) => methods.includes(method)).map((name) => ACR[name])),
]

/**
 * The challenge to bring a second factor, as a header (RFC 9470 §3).
 *
 * @example
 * ```ts
 * import { stepUpChallenge } from 'countersign/adapter'
 *
 * export const refused = () =>
 *   new Response(null, { status: 401, headers: { 'www-authenticate': stepUpChallenge({ maxAge: 300 }) } })
 * ```
 */
export function stepUpChallenge(rules: PassRules): string {
  const parts = [
    'Bearer error="insufficient_user_authentication"',
    'error_description="a second factor is required"',
    `acr_values="${acrValuesOf(rules).join(' ')}"`,
  ]
  if (rules.maxAge !== undefined) parts.push(`max_age="${rules.maxAge}"`)
  return parts.join(', ')
}

/** The answer to a request that needs a second factor, or a younger one; in a half-way login with its state. */
export const secondStep = (
  reason: wasm.SecondStepReason,
  rules: PassRules,
  state?: 'first_factor' | 'set_up',
): AdapterAnswer =>
  answer(
    401,
    { result: 'second_step', reason, maxAge: rules.maxAge, state },
    { 'www-authenticate': stepUpChallenge(rules) },
  )

/**
 * The answer to a reply, as far as the client may see it: tokens of the session stay in the session.
 *
 * @example
 * ```ts
 * import type { SecondFactor } from 'countersign'
 * import { answerOf } from 'countersign/adapter'
 *
 * export async function sendCode(secondFactor: SecondFactor, ticket: string, session: string): Promise<Response> {
 *   const { status, headers, body } = answerOf(await secondFactor.sendSms({ ticket, session }), Math.floor(Date.now() / 1_000))
 *   return Response.json(body, { status, headers })
 * }
 * ```
 */
export function answerOf(reply: wasm.Reply, now: number): AdapterAnswer {
  const { pass: _pass, ticket: _ticket, session: _session, browser: _browser, ...shown } = reply as ReplyParts
  const status = statusOf(reply)
  return answer(status, shown, headersOf(status, shown, now))
}

/** The parts of replies that an answer looks at. */
type ReplyParts = Partial<Record<'pass' | 'ticket' | 'session' | 'browser' | 'reason', unknown>> & { retryAt?: number }

function statusOf(reply: wasm.Reply): number {
  switch (reply.result) {
    case 'allowed':
    case 'challenge':
    case 'set_up':
    case 'verified':
    case 'sms_sent':
    case 'totp_started':
    case 'enrolled':
    case 'renamed':
    case 'removed':
    case 'trusted_browser_removed':
    case 'backup_codes':
    case 'confirmed':
    case 'recovery_code':
    case 'withdrawn':
    case 'moved':
    case 'ended':
    case 'move_changed':
    case 'imported':
    case 'unchanged':
    case 'refused':
      return 200
    case 'wrong':
    case 'already_used':
    case 'expired':
    case 'malformed':
      return 422
    case 'locked':
    case 'sms_refused':
      return 429
    case 'denied':
      return statusOfReason(reply.reason)
  }
}

function statusOfReason(reason: wasm.Reason): number {
  switch (reason) {
    case 'ticket_invalid':
    case 'ticket_expired':
    case 'other_session':
    case 'fresh_factor_required':
      return 401
    case 'number_invalid':
      return 422
    case 'too_often':
      return 429
    case 'address_denied':
    case 'address_not_allowed':
    case 'address_unknown':
    case 'enrollment_required':
    case 'api_client_blocked':
    case 'no_usable_method':
    case 'recovery_code_required':
    case 'move_under_way':
    case 'plan':
    case 'method_not_offered':
    case 'number_not_allowed':
    case 'number_enrolled':
    case 'too_many_factors':
    case 'not_enrolled':
    case 'owner_only':
    case 'not_for_oneself':
    case 'operator_only':
    case 'not_kept':
      return 403
  }
}

function headersOf(status: number, { reason, retryAt }: ReplyParts, now: number): Record<string, string> {
  switch (status) {
    case 401:
      return { 'www-authenticate': reason === 'fresh_factor_required' ? stepUpChallenge({}) : LOG_IN_AGAIN }
    case 429:
      return retryAt === undefined ? {} : { 'retry-after': String(Math.max(1, retryAt - now)) }
    default:
      return {}
  }
}

/**
 * The answer to an error of ours. Its message is for the client only where the client can mend it.
 *
 * @example
 * ```ts
 * import { answerOfError, CountersignError } from 'countersign/adapter'
 *
 * export function answerTo(error: unknown): Response {
 *   if (!CountersignError.is(error)) throw error
 *   const { status, headers, body } = answerOfError(error)
 *   return Response.json(body, { status, headers })
 * }
 * ```
 */
export const answerOfError = (error: CountersignError): AdapterAnswer =>
  answer(
    error.status,
    error.expose
      ? { result: 'failed', code: error.code, message: error.message }
      : { result: 'failed', code: error.code },
    error.status === 503 ? { 'retry-after': '1' } : {},
  )
