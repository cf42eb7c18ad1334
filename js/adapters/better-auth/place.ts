// The place of a login for the actions of the second factor: the half-way state before the second step, and a session of better-auth
// after it. The second step creates another session, and deletes the one before.
import { APIError } from 'better-auth/api'
import { deleteSessionCookie, setSessionCookie } from 'better-auth/cookies'
import type { LoggedIn, Login, SessionPlace } from '../../adapter.js'
import { endHalfWay, type HalfWay, readHalfWay, writeHalfWay } from './half-way.js'
import { FIELD, idOf, markOf, markText, sinceOf } from './mark.js'
import { type Means, noteLabel, storedSession, tokenOf, unwatched } from './sessions.js'
import type { AuthSession, AuthSessionAndUser, EndpointContext } from './types.js'

/** The place, and the session that the second step has created. */
export interface AuthPlace extends SessionPlace {
  /** The half-way state for a client that keeps it itself. */
  value(): string | null | undefined
  /** The session that was created, with the page to go on with. */
  begun(): (AuthSessionAndUser & { next: string | undefined }) | undefined
}

/** The place of one request. */
export function placeOf(means: Means, endpoint: EndpointContext): AuthPlace {
  const { context } = endpoint
  let half: HalfWay | undefined
  let now: AuthSessionAndUser | undefined
  let value: string | null | undefined
  let begun: (AuthSessionAndUser & { next: string | undefined }) | undefined

  /** The session that the request brings, whether it still counts or not. */
  async function current(): Promise<LoggedIn | undefined> {
    const token = await tokenOf(endpoint)
    now = token === undefined ? undefined : await storedSession(context, token)
    if (now === undefined || now.session.expiresAt.getTime() <= Date.now()) return undefined
    const { session, user } = now
    const mark = markOf(session)
    if (session.impersonatedBy || mark?.admin !== undefined)
      throw new APIError(403, { code: 'IMPERSONATED', message: 'only the user can change the second factor' })
    noteLabel(context, user)
    const [id, since] = [idOf(session), sinceOf(session)]
    const account = await means.accountOf(user)
    return { state: 'in', account, user: user.id, session: id, since, pass: mark?.pass }
  }

  async function labelled(login: Login): Promise<Login> {
    const user = await context.internalAdapter.findUserById(login.user)
    if (user) noteLabel(context, user)
    return login
  }

  async function keepHalfWay(login: Login): Promise<void> {
    const { pass: _, ...kept } = login as LoggedIn
    value = await writeHalfWay(endpoint, {
      login: kept as Login,
      dontRemember: half?.dontRemember ?? false,
      next: half?.next,
    })
  }

  function forgetHalfWay(): void {
    if (half === undefined) return
    endHalfWay(endpoint)
    value = null
  }

  return {
    read: async () => {
      half = await readHalfWay(endpoint)
      if (half !== undefined && half.login.state !== 'in') return labelled(half.login)
      const login = await current()
      // A challenge within a session is kept beside it.
      const asked = half?.login as LoggedIn | undefined
      const isOfThis = asked !== undefined && asked.user === login?.user && asked.session === login.session
      return login && isOfThis ? { ...login, challenge: asked.challenge } : login
    },
    begin: async (login) => {
      if (login.state !== 'in') return keepHalfWay(login)
      begun = await created(endpoint, login, now, half)
      forgetHalfWay()
    },
    write: async (login) => {
      if (login.state !== 'in') return keepHalfWay(login)
      if (login.challenge !== undefined) return keepHalfWay(login)
      forgetHalfWay()
      if (now !== undefined && login.pass !== undefined) await marked(endpoint, login, now)
    },
    end: async () => {
      forgetHalfWay()
      if (now === undefined) return
      await unwatched(context).deleteSession(now.session.token)
      deleteSessionCookie(endpoint)
    },
    value: () => value,
    begun: () => begun,
  }
}

const textOf = ({ session, since, pass, account }: LoggedIn) => markText({ session, since, pass, account })

/** Creates the session of a finished login. It goes on with what the host keeps in the one before, where that is of the same user. */
async function created(
  endpoint: EndpointContext,
  login: LoggedIn,
  before: AuthSessionAndUser | undefined,
  half: HalfWay | undefined,
) {
  const { context } = endpoint
  const { internalAdapter } = context
  const user = await internalAdapter.findUserById(login.user)
  if (!user) throw new APIError(401, { code: 'LOG_IN_FIRST', message: 'log in first' })
  const { dontRememberToken } = context.authCookies
  const isSame = before?.user.id === user.id
  const dontRemember = isSame
    ? Boolean(await endpoint.getSignedCookie(dontRememberToken.name, context.secret))
    : (half?.dontRemember ?? false)
  const kept = isSame ? carriedOver(before.session) : {}
  const session = await internalAdapter.createSession(user.id, dontRemember, { ...kept, [FIELD]: textOf(login) })
  if (!session)
    throw new APIError(500, { code: 'FAILED_TO_CREATE_SESSION', message: 'the session could not be created' })
  const found = { session: { ...session, [FIELD]: textOf(login) }, user }
  await setSessionCookie(endpoint, found, dontRemember)
  if (isSame) await unwatched(context).deleteSession(before.session.token)
  return { ...found, next: half?.next }
}

function carriedOver({ id: _i, token: _t, createdAt: _c, expiresAt: _e, updatedAt: _u, ...kept }: AuthSession) {
  return kept
}

/** Keeps the pass of a change of factors in the same session. */
async function marked(
  endpoint: EndpointContext,
  login: LoggedIn,
  { session, user }: AuthSessionAndUser,
): Promise<void> {
  const { internalAdapter, authCookies, secret } = endpoint.context
  const updated = await internalAdapter.updateSession(session.token, { [FIELD]: textOf(login) })
  const dontRemember = Boolean(await endpoint.getSignedCookie(authCookies.dontRememberToken.name, secret))
  await setSessionCookie(endpoint, { session: { ...session, ...updated, [FIELD]: textOf(login) }, user }, dontRemember)
}
