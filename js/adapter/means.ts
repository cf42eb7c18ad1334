// The part of each call on a second factor that comes from the host and the session, and never from the client.
import type { LoginOf } from './login.js'
import { factsOf, type HostUser, type ReadOptions } from './options.js'
import type { AdapterRequest } from './request.js'
import type { SessionPlace } from './session-place.js'

/** A request with the place of its login. */
export interface Visit {
  request: AdapterRequest
  place: SessionPlace
  /** Whether the place is a session of the host's; else it is a sealed text, which ends by itself. */
  isHosts: boolean
  /** Whether the client keeps the session as a value, which no other site can send. */
  isByValue: boolean
}

/** The user of a call, and the circumstances of the request. */
export interface Caller {
  account?: string | undefined
  user: string
  session: string
  ip?: string | undefined
  roles?: string[] | undefined
}

/** A caller, and the facts that only some calls take. */
export interface Circumstances {
  caller: Caller
  plan: string | undefined
  label: string
}

/** A user without an account that is not there. */
export const userOf = ({ account, user }: HostUser): HostUser => (account === undefined ? { user } : { account, user })

/** Asks the host for the facts of a user. */
export async function circumstancesOf(
  options: ReadOptions,
  { ip }: AdapterRequest,
  { account, user, session }: Pick<LoginOf, 'account' | 'user' | 'session'>,
): Promise<Circumstances> {
  const { plan, roles, label = user } = await factsOf(options, userOf({ account, user }))
  return { caller: { account, user, session, ip, roles }, plan, label }
}
