// Sessions of the host's: a new id at each step, or no login.
import { CountersignError } from '../error.js'

/**
 * Refuses a session that goes on under the id that somebody else may know (session fixation).
 *
 * @example
 * ```ts
 * import { renewed } from 'countersign/adapter'
 *
 * export async function withNewId(session: { id: string; regenerate(): Promise<void> }): Promise<void> {
 *   const before = session.id
 *   await session.regenerate()
 *   renewed(before, session.id)
 * }
 * ```
 */
export function renewed(before: string | undefined, after: string | undefined): void {
  if (typeof after === 'string' && after !== '' && after !== before) return
  throw new CountersignError(
    'session_not_renewed',
    'session',
    'the session kept its id, so that nobody was let in: its `regenerate` must give another one',
  )
}

/**
 * The error of a session store of the host's.
 *
 * @example
 * ```ts
 * import { sessionError } from 'countersign/adapter'
 *
 * export const saved = (session: { save(): Promise<void> }): Promise<void> => session.save().catch(sessionError)
 * ```
 */
export function sessionError(error: unknown): never {
  throw CountersignError.is(error)
    ? error
    : new CountersignError('session_failed', 'session', 'the session could not be kept', error)
}
