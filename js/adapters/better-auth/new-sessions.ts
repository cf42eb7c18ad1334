// Which new session is a log-in. A way in is never known by its path: what counts is who the session is of, and what was there before.
import { idOf, type Mark, markOf, sinceOf } from './mark.js'
import { type RequestState, storedSession } from './sessions.js'
import type { AuthContext, AuthSessionAndUser } from './types.js'

/** A row of the table: a kind of session that an answer hands out. */
export interface NewSessionKind {
  /** Its name; all but `log_in` are no log-in. */
  kind: 'known' | 'renewed' | 'impersonated' | 'log_in'
  /** How it is told. */
  told: string
  /** The result for the session. */
  outcome: string
  /** Where better-auth and its plugins hand out such sessions. */
  where: string
}

/** The table, in the order in which its rows are tried. A session of no other kind is a log-in. */
export const NEW_SESSIONS: readonly NewSessionKind[] = [
  {
    kind: 'known',
    told: 'this request did not create it, and `check` says `in`; or the second step created it',
    outcome: 'stays as it is',
    where:
      'refresh, cookie cache, `updateSession`, `updateUser`, active organization and team, switch in multi-session, one-time token, end of an impersonation',
  },
  {
    kind: 'impersonated',
    told: 'this request created it, and `impersonatedBy` names the user whose session was in',
    outcome:
      'counts as long as that session of the admin is there and counts; where the user needs a second factor, by that of the admin',
    where: '`impersonateUser` of the admin plugin',
  },
  {
    kind: 'renewed',
    told: 'this request created it, a session of the same user was in, and that one is gone',
    outcome: 'takes over the second factor of the one before',
    where: '`changePassword` with `revokeOtherSessions`',
  },
  {
    kind: 'log_in',
    told: 'any other',
    outcome: '`begin` decides: it stays, or is deleted and challenged',
    where:
      'every other way in: e-mail, user name, phone, links, codes, social and generic OAuth, One Tap, SIWE, passkey, sign-up, verification, device authorization, and plugins that are not known here',
  },
]

/** A new session, with the mark that it takes over. */
export type NewSession =
  | { kind: 'known' | 'log_in' }
  | { kind: 'renewed'; mark: Mark | undefined }
  | { kind: 'impersonated'; mark: Mark }

/** The kind of a session that the answer hands out. */
export async function kindOf(
  context: AuthContext,
  found: AuthSessionAndUser,
  state: RequestState,
  isIn: (found: AuthSessionAndUser) => Promise<boolean>,
): Promise<NewSession> {
  const { session, user } = found
  const isCreated = state.created.some(({ token }) => token === session.token)
  if (!isCreated || markOf(session) !== undefined) return { kind: (await isIn(found)) ? 'known' : 'log_in' }
  if (session.impersonatedBy) {
    const admin = [...state.seen.values()].find((seen) => seen.user.id === session.impersonatedBy)
    if (admin === undefined || admin.session.impersonatedBy) return { kind: 'log_in' }
    const [id, since] = [idOf(admin.session), sinceOf(admin.session)]
    return { kind: 'impersonated', mark: { session: id, since, account: admin.mark?.account, admin: admin.user.id } }
  }
  for (const [token, before] of state.seen) {
    if (before.user.id !== user.id || token === session.token) continue
    if ((await storedSession(context, token)) === undefined) return { kind: 'renewed', mark: before.mark }
  }
  return { kind: 'log_in' }
}
