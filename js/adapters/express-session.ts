// A login in a session of express-session, or of any library that has the same `regenerate`, `save` and `destroy`.
import {
  CountersignError,
  keepInSession,
  type Login,
  loginOf,
  renewed,
  type SessionPlace,
  sessionError,
} from '../adapter.js'

/** Options of {@link expressSession}. */
export interface ExpressSessionOptions {
  /** Names of your own fields that a session keeps when its id changes, such as `cart`; none by default. */
  keep?: readonly string[] | undefined
}

type Callback = (error?: unknown) => void

/** The parts of a session that are used. */
interface HostSession extends Record<string, unknown> {
  id?: string
  regenerate(done: Callback): unknown
  save(done: Callback): unknown
  destroy(done: Callback): unknown
}

/** The name of our field in the session. */
const FIELD = 'countersign'

/**
 * Keeps logins in sessions of express-session: the middleware must run before. Set `saveUninitialized: false`, so that visitors who
 * never logged in have no session.
 *
 * @example
 * ```ts
 * import type { SecondFactor } from 'countersign'
 * import { expressSecondFactor, expressSession } from 'countersign/express'
 *
 * export const authOf = (secondFactor: SecondFactor) =>
 *   expressSecondFactor({ secondFactor, session: expressSession({ keep: ['cart'] }) })
 * ```
 */
export const expressSession =
  ({ keep = [] }: ExpressSessionOptions = {}) =>
  (req: object): SessionPlace => {
    const holder = req as { session?: unknown; sessionID?: string }
    return {
      read: () => {
        const session = sessionOf(holder)
        return Object.hasOwn(session, FIELD) ? loginOf(session[FIELD]) : undefined
      },
      begin: (login) =>
        orNoSession(holder, async () => {
          const before = sessionOf(holder)
          const ids = [holder.sessionID, before.id]
          const kept = keep.filter((name) => Object.hasOwn(before, name))
          const fields = Object.fromEntries(kept.map((name) => [name, before[name]]))
          await done('regenerate', before)
          const after = sessionOf(holder)
          renewed(ids[0], holder.sessionID)
          // The id under which it is saved, where the library tells it.
          if (after.id !== undefined) renewed(ids[1], after.id)
          await keepIn(Object.assign(after, fields), login)
        }),
      write: (login) => orNoSession(holder, () => keepIn(sessionOf(holder), login)),
      end: () => done('destroy', sessionOf(holder)),
    }
  }

const keepIn = (session: HostSession, login: Login): Promise<void> =>
  keepInSession(session, FIELD, login, () => done('save', session))

function sessionOf({ session }: { session?: unknown }): HostSession {
  const found = session as Partial<HostSession> | undefined
  if (typeof found?.regenerate === 'function' && typeof found.save === 'function') return found as HostSession
  throw new CountersignError(
    'no_session',
    'session',
    found === undefined
      ? 'the request has no session: use express-session before this'
      : 'the session cannot get another id: leave `session` out, so that the login is in a cookie of its own',
  )
}

/**
 * Leaves the request without a session where a job fails. express-session would save the new one once more at the end of the answer, and
 * cut the connection when that fails too; and the answer would bring the cookie of a session that holds nothing.
 */
async function orNoSession(holder: { session?: unknown }, job: () => Promise<void>): Promise<void> {
  try {
    await job()
  } catch (error) {
    holder.session = undefined
    throw error
  }
}

/** Calls a method that takes a callback. */
const done = (method: 'regenerate' | 'save' | 'destroy', session: HostSession): Promise<void> =>
  new Promise<void>((resolve, reject) => {
    session[method]((error) => (error === undefined || error === null ? resolve() : reject(error)))
  }).catch(sessionError)
