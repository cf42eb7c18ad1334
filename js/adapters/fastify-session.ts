// A login in a session of @fastify/session.
import {
  CountersignError,
  keepInSession,
  type Login,
  loginOf,
  renewed,
  type SessionPlace,
  sessionError,
} from '../adapter.js'

/** Options of {@link fastifySession}. */
export interface FastifySessionOptions {
  /** Names of your own fields that a session keeps when its id changes, such as `cart`; none by default. */
  keep?: readonly string[] | undefined
}

/** The parts of a session that are used. */
interface HostSession extends Record<string, unknown> {
  readonly sessionId: string
  regenerate(keep: string[]): Promise<void>
  save(): Promise<void>
  destroy(): Promise<void>
}

/** The name of our field in the session. */
const FIELD = 'countersign'

/**
 * Keeps logins in sessions of @fastify/session: register it before this plugin. Set `saveUninitialized: false`, so that visitors
 * who never logged in have no session. A session that is a cookie itself, as that of @fastify/secure-session, is refused: a copy
 * of it would open the same after a log-out.
 *
 * @example
 * ```ts
 * import type { SecondFactor } from 'countersign'
 * import { fastifySession } from 'countersign/fastify'
 *
 * export const optionsOf = (secondFactor: SecondFactor) => ({ secondFactor, session: fastifySession({ keep: ['cart'] }) })
 * ```
 */
export const fastifySession =
  ({ keep = [] }: FastifySessionOptions = {}) =>
  (request: object): SessionPlace => {
    const holder = request as { session?: unknown }
    return {
      read: () => {
        const session = sessionOf(holder)
        return Object.hasOwn(session, FIELD) ? loginOf(session[FIELD]) : undefined
      },
      async begin(login) {
        const before = sessionOf(holder)
        await before.regenerate(keep.filter((name) => Object.hasOwn(before, name))).catch(sessionError)
        const session = sessionOf(holder)
        renewed(before.sessionId, session.sessionId)
        // `regenerate` of older versions leaves it in the store.
        await before.destroy().catch(sessionError)
        holder.session = session
        await keepIn(session, login)
      },
      write: (login) => keepIn(sessionOf(holder), login),
      end: () => sessionOf(holder).destroy().catch(sessionError),
    }
  }

const keepIn = (session: HostSession, login: Login): Promise<void> =>
  keepInSession(session, FIELD, login, () => session.save())

function sessionOf({ session }: { session?: unknown }): HostSession {
  const found = session as Partial<HostSession> | null | undefined
  const { sessionId, regenerate, save, destroy } = found ?? {}
  if (typeof sessionId === 'string' && [regenerate, save, destroy].every((method) => typeof method === 'function'))
    return found as HostSession
  throw new CountersignError(
    'no_session',
    'session',
    found === undefined || found === null
      ? 'the request has no session: register @fastify/session before this'
      : 'the session has no id that can change: leave `session` out, so that the login is in a cookie of its own',
  )
}
