// Sessions of the host's: a new id at each step, or no login.
import { CountersignError } from '../error.js'
import type { Login } from './login.js'

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
 * Keeps a login in a field of a session, and saves it. Where that fails, nothing of it stays in the session: libraries save a session that
 * differs once more at the end of the request, and a login that was answered with an error would come in after all.
 *
 * @example
 * ```ts
 * import { keepInSession, type Login } from 'countersign/adapter'
 *
 * export const kept = (session: Record<string, unknown> & { save(): Promise<void> }, login: Login): Promise<void> =>
 *   keepInSession(session, 'countersign', login, () => session.save())
 * ```
 */
export async function keepInSession(
  session: Record<string, unknown>,
  field: string,
  login: Login,
  save: () => Promise<void>,
): Promise<void> {
  const before = session[field]
  session[field] = login
  try {
    await save()
  } catch (error) {
    if (before === undefined) delete session[field]
    else session[field] = before
    sessionError(error)
  }
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
