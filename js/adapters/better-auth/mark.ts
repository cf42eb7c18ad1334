// The mark in a session of better-auth: the second factor that the session was begun with. It is one text field of the session's row,
// which no client writes and no answer brings, so that it is born, cached and deleted with the session.
import type { AuthSession } from './types.js'

/** The second factor of a session. */
export interface Mark {
  /** The id of the session in tickets and passes. It is not better-auth's id or token. */
  session: string
  /** The time at which it began, in unix seconds. */
  since: number
  /** The pass, where there was a second factor. */
  pass?: string | undefined
  /** The account, where the host has accounts. */
  account?: string | undefined
  /** The admin behind an impersonation: then session, time and account are those of the admin, and there is no pass. */
  admin?: string | undefined
  /** The time of a login by a passkey that counts as both factors. */
  passkeyAt?: number | undefined
  /** The ids of the factors that the user had then. */
  factors?: string[] | undefined
}

/** The name of the field. */
export const FIELD = 'secondFactor'

/** The time at which a session began, in unix seconds. */
export const sinceOf = (session: AuthSession, mark = markOf(session)): number =>
  mark?.since ?? Math.floor(new Date(session.createdAt).getTime() / 1_000)

/** The id of a session in tickets, passes and the revocation list. */
export const idOf = (session: AuthSession, mark = markOf(session)): string => mark?.session ?? session.id

/** The text of a mark. */
export const markText = (mark: Mark): string => JSON.stringify(mark)

/** The mark of a session; none for any text that is no mark. */
export function markOf({ secondFactor }: AuthSession): Mark | undefined {
  if (typeof secondFactor !== 'string') return undefined
  try {
    const { session, since, pass, account, admin, passkeyAt, factors } = Object.assign(
      Object.create(null),
      JSON.parse(secondFactor),
    )
    const isText = (value: unknown) => typeof value === 'string' && value !== ''
    const isOptional = (value: unknown) => value === undefined || isText(value)
    if (!isText(session) || !Number.isSafeInteger(since)) return undefined
    if (![pass, account, admin].every(isOptional)) return undefined
    if (passkeyAt !== undefined && !Number.isSafeInteger(passkeyAt)) return undefined
    if (factors !== undefined && !(Array.isArray(factors) && factors.every(isText))) return undefined
    return { session, since, pass, account, admin, passkeyAt, factors }
  } catch {
    return undefined
  }
}
