import type { ErrorCode as RuleErrorCode } from '../target/npm/countersign.js'

export type { RuleErrorCode }

/**
 * The reason why a call could not be carried out. Stable: match on these.
 *
 * Beside the codes of the rules engine: `store_failed` (the store threw, or its answer has another
 * form), `conflict` (other writers were faster 100 times), `busy` (too many password hashes are
 * waiting; nothing was stored and no attempt was charged, so the call can be made again), `sms_not_sent`
 * (`sendSms` threw; asking again sends another code), `revoked_failed` (the revocation list could not be had,
 * or has another form; no pass and no ticket counts until it can), `no_sms` (the policy offers SMS
 * and there is no `sendSms`), `no_revoke` (`endSessions` where the store holds no revocation list), `no_delete` (the operator's
 * `erased` where the store deletes no records), `no_list` (the operator's `list` where the store lists none), `no_entropy` (the runtime gives no random bytes), `no_workers` (the runtime starts
 * no worker threads, and `hashing` is not `'inline'`), `no_session`, `session_not_renewed`,
 * `session_failed`, `no_guard` and `invalid_facts` (of an adapter: its framework's session is missing, keeps its id or could not be kept,
 * a handler has no guard, or the host's `facts` gave another form), `not_loaded` (in the browser: the WebAssembly could not be fetched, or the
 * page does not allow it; elsewhere: this runtime needs another entry of the package), `internal` (a defect of ours, a worker thread
 * that ended, or a page in which the browser's element gets no shadow root).
 *
 * Where a `policy` function threw or gave no policy, the code is `invalid_policy` and `path` is `policy`; the message says
 * what it did, and `cause` is the error that it threw.
 */
export type ErrorCode =
  | RuleErrorCode
  | 'store_failed'
  | 'conflict'
  | 'busy'
  | 'sms_not_sent'
  | 'revoked_failed'
  | 'no_sms'
  | 'no_revoke'
  | 'no_delete'
  | 'no_list'
  | 'no_entropy'
  | 'no_workers'
  | 'no_session'
  | 'session_not_renewed'
  | 'session_failed'
  | 'no_guard'
  | 'invalid_facts'
  | 'not_loaded'
  | 'internal'

/**
 * The HTTP status of each code: 400 where an argument is wrong, 503 where the same call may succeed later, 502 where
 * the SMS gateway failed, and 500 for all that only the host can mend.
 */
const STATUS: Record<ErrorCode, number> = {
  invalid_input: 400,
  invalid_uri: 400,
  too_long: 400,
  store_failed: 503,
  conflict: 503,
  busy: 503,
  revoked_failed: 503,
  no_workers: 500,
  sms_not_sent: 502,
  invalid_policy: 500,
  invalid_keys: 500,
  invalid_record: 500,
  unknown_record_version: 500,
  key_missing: 500,
  seal_broken: 500,
  invalid_config: 500,
  no_sms: 500,
  no_revoke: 500,
  no_delete: 500,
  no_list: 500,
  no_entropy: 500,
  no_session: 500,
  session_not_renewed: 500,
  session_failed: 503,
  no_guard: 500,
  invalid_facts: 500,
  not_loaded: 500,
  internal: 500,
}

/**
 * The one kind of error that is thrown. A wrong code is no error but a reply.
 *
 * @example
 * ```ts
 * import { CountersignError, type SecondFactor } from 'countersign'
 *
 * export async function statusOf(secondFactor: SecondFactor, user: string) {
 *   try {
 *     return await secondFactor.status({ user })
 *   } catch (error) {
 *     if (error instanceof CountersignError && error.code === 'store_failed') return undefined
 *     throw error
 *   }
 * }
 * ```
 */
export class CountersignError extends Error {
  override readonly name = 'CountersignError'
  /** Stable code, for programs. */
  readonly code: ErrorCode
  /** The path of the offending field, like `network.allow[0]`; empty for the whole. */
  readonly path: string
  /** The HTTP status to answer with: 400 for an argument, 503 where another try may succeed, else 500 or 502. */
  readonly status: number
  /** Whether a client may read the message: only with a status below 500. Error handlers of frameworks ask for it. */
  readonly expose: boolean

  // A brand, not `instanceof`: asking a hostile proxy for its prototype would run its code.
  readonly #ours = true

  /**
   * Whether a thrown value is a CountersignError. Unlike `instanceof`, it runs no code of the value.
   *
   * @example
   * ```ts
   * import { CountersignError } from 'countersign'
   *
   * export const codeOf = (error: unknown) => (CountersignError.is(error) ? error.code : 'internal')
   * ```
   */
  static is(value: unknown): value is CountersignError {
    return typeof value === 'object' && value !== null && #ours in value && value.#ours
  }

  constructor(code: ErrorCode, path: string, message: string, cause?: unknown) {
    super(path === '' ? message : `\`${path}\`: ${message}`, cause === undefined ? undefined : { cause })
    this.code = code
    this.path = path
    this.status = STATUS[code]
    this.expose = this.status < 500
  }
}

/**
 * The error for `sendSms` to throw where a message definitely never left: the gateway refused it, or could
 * not be reached. The message then gives its slot in the budget back, at most three times an hour, so that
 * the user may ask again at once. After any other error the message may be on its way, and keeps its slot.
 *
 * @example
 * ```ts
 * import { type SmsMessage, SmsNeverLeft } from 'countersign'
 *
 * export async function sendSms({ id, to, body }: SmsMessage): Promise<void> {
 *   const gateway = 'https://sms.example/messages'
 *   const headers = { 'content-type': 'application/json', 'idempotency-key': id }
 *   const answer = await fetch(gateway, { method: 'POST', headers, body: JSON.stringify({ to, body }) })
 *   if (answer.status === 400 || answer.status === 429) throw new SmsNeverLeft(`the gateway refused it: ${answer.status}`)
 *   if (!answer.ok) throw new Error(`the gateway answered ${answer.status}`)
 * }
 * ```
 */
export class SmsNeverLeft extends Error {
  override readonly name = 'SmsNeverLeft'
  // A brand, as in CountersignError.
  readonly #ours = true

  /** @internal */
  static is(value: unknown): value is SmsNeverLeft {
    return typeof value === 'object' && value !== null && #ours in value && value.#ours
  }
}

/**
 * The error for a store of ours to throw where a write is there, or may be, and can be lost again: too few servers have it. A read that
 * finds it proves nothing, so that it is not read back. @internal
 */
export class NotConfirmed extends Error {
  override readonly name = 'NotConfirmed'
  // A brand, as in CountersignError.
  readonly #ours = true

  static is(value: unknown): value is NotConfirmed {
    return typeof value === 'object' && value !== null && #ours in value && value.#ours
  }

  constructor(message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause })
  }
}

/** The message of an error without the path before it. @internal */
export const withoutPath = ({ path, message }: CountersignError): string =>
  path === '' ? message : message.slice(path.length + '``: '.length)

/** The error of a module as ours. @internal */
export function fromModule(error: unknown): CountersignError {
  if (CountersignError.is(error)) return error
  if (typeof error === 'object' && error !== null && Object.hasOwn(error, 'code') && Object.hasOwn(error, 'path')) {
    const { code, path, message } = error as { code: ErrorCode; path: string; message: string }
    return new CountersignError(code, path, message)
  }
  return new CountersignError('internal', '', 'the module failed; please report this', error)
}

/** Runs a job that touches the caller's objects: an error of theirs becomes ours. @internal */
export function guarded<T>(code: ErrorCode, path: string, message: string, job: () => T): T {
  try {
    return job()
  } catch (error) {
    throw CountersignError.is(error) ? error : new CountersignError(code, path, message, error)
  }
}

/** The error about an argument that the caller must get right. @internal */
export const invalid = (path: string, message: string) => new CountersignError('invalid_input', path, message)
