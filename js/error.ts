import type { ErrorCode as RuleErrorCode } from '../target/npm/countersign.js'

export type { RuleErrorCode }

/**
 * The reason why a call could not be carried out. Stable: match on these.
 *
 * Beside the codes of the rules engine: `store_failed` (the store threw, or its answer has another
 * form), `conflict` (other writers were faster 100 times), `sms_not_sent` (the code is
 * stored, `sendSms` threw; asking again sends another), `no_sms` (the policy offers SMS and there
 * is no `sendSms`), `not_loaded` (in the browser: the WebAssembly could not be fetched, or the page
 * does not allow it), `internal` (a defect of ours).
 */
export type ErrorCode =
  | RuleErrorCode
  | 'store_failed'
  | 'conflict'
  | 'sms_not_sent'
  | 'no_sms'
  | 'not_loaded'
  | 'internal'

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
  }
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
