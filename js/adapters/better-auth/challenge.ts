// The answer of a request that hands out a session: it stays as it is, or the session is deleted and a challenge is the answer.
//
// It looks at every answer of every endpoint, and only at the sessions in it.
import { APIError, isAPIError } from 'better-auth/api'
import { deleteSessionCookie } from 'better-auth/cookies'
import {
  type Adapter,
  type AdapterAnswer,
  type FirstFactorPassed,
  type Login,
  logInFirst,
  type PlacedRequest,
  type SessionPlace,
} from '../../adapter.js'
import { endHalfWay, type HalfWay, writeHalfWay } from './half-way.js'
import { FIELD, type Mark, markText } from './mark.js'
import { kindOf } from './new-sessions.js'
import { provesBoth } from './passkey.js'
import { PATH } from './path.js'
import { requestOf } from './request.js'
import { forgetEnd, scrubAnswer } from './scrub.js'
import {
  beginState,
  checkSession,
  factorsOf,
  type Means,
  noteLabel,
  storedSession,
  tokenOf,
  unwatched,
} from './sessions.js'
import type { AuthContext, AuthSessionAndUser, EndpointContext } from './types.js'

/** Pages of the host, to which ways in that redirect lead. */
export interface BetterAuthPages {
  /** The page of the second step; `/second-factor` by default. */
  secondStep?: string | undefined
  /** The page that sets up a first factor, where the policy asks for one at the login; `secondStep` by default. */
  setUp?: string | undefined
  /** The page that tells why a login is refused, with `reason` in its query; `secondStep` by default. */
  denied?: string | undefined
}

/** Looks at the answer of an endpoint. Gives the answer in its place, or nothing where it stays. */
export async function afterEndpoint(
  means: Means,
  adapter: Adapter,
  pages: BetterAuthPages,
  endpoint: EndpointContext,
): Promise<unknown> {
  const { context } = endpoint
  const state = beginState(context)
  const tokens = new Set(state.created.map(({ token }) => token))
  if (context.newSession) tokens.add(context.newSession.session.token)
  let challenge: unknown
  for (const token of tokens) {
    state.settled.add(token)
    if (state.closed.has(token)) continue
    // Without a database a session is in its cookie alone.
    const handedOut = context.newSession?.session.token === token ? context.newSession : undefined
    const found = (await storedSession(context, token)) ?? handedOut
    if (found === undefined) continue
    if (hasFailed(endpoint)) {
      await drop(means, endpoint, found)
      continue
    }
    const given = await decided(means, adapter, endpoint, found)
    if (given === undefined) continue
    challenge = await closed(pages, endpoint, found, given)
  }
  if (state.closed.size > 0) scrubAnswer(endpoint, state.closed)
  else await keepRefused(endpoint)
  if (endpoint.path.startsWith(PATH)) await takeOverGuest(endpoint)
  if (challenge instanceof Error) throw challenge
  return challenge
}

/**
 * The anonymous plugin hands a guest's data to the user who logs in, at the paths of ways in that it knows. With a second factor that
 * is the second step: its hook is run as if this were such a path.
 */
async function takeOverGuest(endpoint: EndpointContext): Promise<void> {
  const { newSession, options } = endpoint.context
  if (!newSession) return
  const path = '/sign-in/second-factor'
  const hooks = options.plugins?.find(({ id }) => id === 'anonymous')?.hooks?.after ?? []
  for (const { matcher, handler } of hooks) if (matcher({ ...endpoint, path })) await handler({ ...endpoint, path })
}

/**
 * better-auth forgets the cookie of a session that it does not find. One that only lacks a second factor stays, so that the person is asked
 * for that alone.
 */
async function keepRefused(endpoint: EndpointContext): Promise<void> {
  const { context } = endpoint
  const { refused } = beginState(context)
  if (refused.size === 0) return
  const token = await tokenOf(endpoint)
  if (token === undefined || !refused.has(token) || (await storedSession(context, token)) === undefined) return
  forgetEnd(context, [context.authCookies.sessionToken, context.authCookies.dontRememberToken])
}

/** Whether the answer is an error, so that nobody logs in. */
const hasFailed = (endpoint: EndpointContext) =>
  isAPIError(endpoint.context.returned) && locationOf(endpoint) === undefined

/** Deletes a session that was created on the way to an error, if it would not count. */
async function drop(means: Means, { context }: EndpointContext, found: AuthSessionAndUser): Promise<void> {
  if ((await checkSession(means, found)).result === 'in') return
  beginState(context).closed.add(found.session.token)
  await unwatched(context).deleteSession(found.session.token)
}

/** The answer to a log-in that does not go on as it is, and what is kept of it. */
interface Refusal {
  answer: AdapterAnswer
  login?: Login | undefined
}

async function decided(
  means: Means,
  adapter: Adapter,
  endpoint: EndpointContext,
  found: AuthSessionAndUser,
): Promise<Refusal | undefined> {
  const { context } = endpoint
  const { token } = found.session
  const isIn = async (given: AuthSessionAndUser) => (await checkSession(means, given)).result === 'in'
  const kind = await kindOf(context, found, beginState(context), isIn)
  switch (kind.kind) {
    case 'known':
      return undefined
    case 'renewed':
      if (kind.mark) await mark(endpoint, token, kind.mark)
      return undefined
    case 'impersonated': {
      await mark(endpoint, token, kind.mark)
      const marked = { ...found, session: { ...found.session, [FIELD]: markText(kind.mark) } }
      // The second factor is the admin's own: nobody else can prove the user's.
      return (await isIn(marked)) ? undefined : { answer: NEEDS_OWN_FACTOR }
    }
    case 'log_in':
      return logIn(means, adapter, endpoint, found)
  }
}

/** Keeps a mark in the session that is handed out. A copy in the cookie cache has none, and is passed over. */
async function mark(endpoint: EndpointContext, token: string, given: Mark): Promise<void> {
  const { internalAdapter, newSession } = endpoint.context
  await internalAdapter.updateSession(token, { [FIELD]: markText(given) })
  if (newSession?.session.token === token) newSession.session[FIELD] = markText(given)
}

async function logIn(
  means: Means,
  adapter: Adapter,
  endpoint: EndpointContext,
  found: AuthSessionAndUser,
): Promise<Refusal | undefined> {
  const { session, user } = found
  if (session.impersonatedBy) return { answer: NEEDS_OWN_FACTOR }
  if (await isOvertaken(endpoint.context, found)) return { answer: logInFirst() }
  let login: Login | undefined
  const keep = (begun: Login | undefined) => {
    login = begun
  }
  const place: SessionPlace = {
    read: () => undefined,
    begin: keep,
    write: keep,
    end: () => keep(undefined),
  }
  const request: PlacedRequest = { ...requestOf(means, endpoint), place }
  const account = await means.accountOf(user)
  noteLabel(endpoint.context, user)
  const answer = await adapter.login(request, { account, user: user.id, fromOtherSite: true })
  const begun = login as Login | undefined
  if (begun?.state === 'first_factor' && means.passkeyCountsAsBoth && provesBoth(endpoint) && isUsual(begun)) {
    const at = means.now()
    const factors = await factorsOf(means.secondFactor, { account, user: user.id })
    await mark(endpoint, session.token, { session: begun.session, since: at, passkeyAt: at, factors, account })
    return undefined
  }
  if (begun?.state !== 'in') return { answer, login: begun }
  // By a trusted browser, or with no second factor.
  if (begun.pass !== undefined)
    await mark(endpoint, session.token, { session: begun.session, since: begun.since, pass: begun.pass, account })
  return undefined
}

/** Whether the owner of the address has proven it while this log-in was under way: its first factor may be a stranger's. */
async function isOvertaken(context: AuthContext, { session, user }: AuthSessionAndUser): Promise<boolean> {
  const { newSession, internalAdapter } = context
  const asRead = newSession?.session.token === session.token ? newSession.user : user
  const { made, proven } = beginState(context)
  if (asRead.emailVerified !== false || proven.has(user.id)) return false
  if ((await internalAdapter.findUserById(user.id))?.emailVerified !== true) return false
  // A host may mark the users of a sign-up as proven. The owner's proof takes their accounts away.
  return !made.has(user.id) || (await internalAdapter.findAccounts(user.id)).length === 0
}

/** A user who was reset has the recovery code alone: then a passkey opens nothing either. */
const isUsual = ({ challenge }: FirstFactorPassed) => challenge.methods.some(({ method }) => method !== 'recovery_code')

const NEEDS_OWN_FACTOR: AdapterAnswer = {
  status: 403,
  headers: {},
  body: { result: 'denied', reason: 'own_second_factor', message: 'log in with a second factor of your own first' },
  entered: undefined,
}

/** Deletes the session, and gives the answer in its place. */
async function closed(
  pages: BetterAuthPages,
  endpoint: EndpointContext,
  { session }: AuthSessionAndUser,
  { answer, login }: Refusal,
): Promise<unknown> {
  const { context } = endpoint
  const dontRemember = hasCookie(context.responseHeaders, context.authCookies.dontRememberToken.name)
  const next = locationOf(endpoint)
  beginState(context).closed.add(session.token)
  await unwatched(context).deleteSession(session.token)
  context.setNewSession(null)
  // A refused impersonation leaves the admin in: the answer sets no cookie at all.
  if (session.impersonatedBy) context.responseHeaders?.delete('set-cookie')
  else await endBefore(endpoint)
  context.responseHeaders?.delete('location')
  const half: HalfWay | undefined = login && { login, dontRemember, next: next ?? urlOf(context.returned) }
  const value = half ? await writeHalfWay(endpoint, half) : endHalfWay(endpoint)
  const { result, methods, reason } = answer.body as { result: string; methods?: unknown[]; reason?: string }
  if (next !== undefined) return endpoint.redirect(pageOf(pages, result, reason))
  const body = {
    ...answer.body,
    ...(login && { twoFactorRedirect: true, twoFactorMethods: namesOf(methods) }),
    ...(value === undefined ? {} : { session: value }),
  }
  if (answer.status >= 400)
    return new APIError(answer.status, { code: codeOf(reason ?? result), ...body }, answer.headers)
  endpoint.setHeader('cache-control', 'no-store')
  return body
}

/** The codes of better-auth's errors are in capitals. */
export const codeOf = (reason: string): string => reason.toUpperCase()

/** The names of better-auth's own second factor, for pages that know these. */
const namesOf = (methods: unknown[] = []) => {
  const names = methods.map((method) => (typeof method === 'string' ? method : (method as { method: string }).method))
  return names.flatMap((name) => (name === 'totp' ? ['totp'] : name === 'sms' ? ['otp'] : []))
}

/** Ends the session that the browser had before: its cookies open nothing more. A guest's stays, to be taken over by the login. */
async function endBefore(endpoint: EndpointContext): Promise<void> {
  const { context } = endpoint
  const token = await tokenOf(endpoint)
  const before = token === undefined ? undefined : await storedSession(context, token)
  if (before?.user.isAnonymous) return
  deleteSessionCookie(endpoint, false)
  const keepsMany = context.options.plugins?.some(({ id }) => id === 'multi-session')
  if (before && !keepsMany) await unwatched(context).deleteSession(before.session.token)
}

const hasCookie = (headers: Headers | undefined, name: string) =>
  headers?.getSetCookie().some((cookie) => cookie.startsWith(`${name}=`) && !/;\s*max-age=0/i.test(cookie)) ?? false

/** The page to which the answer redirects, where it does. */
function locationOf({ context }: EndpointContext): string | undefined {
  const { returned, responseHeaders } = context
  if (!isAPIError(returned) || returned.statusCode < 300 || returned.statusCode >= 400) return undefined
  return responseHeaders?.get('location') ?? new Headers(returned.headers).get('location') ?? undefined
}

/** The page that the answer names to the client. */
function urlOf(returned: unknown): string | undefined {
  const url = typeof returned === 'object' && returned !== null ? (returned as { url?: unknown }).url : undefined
  return typeof url === 'string' ? url : undefined
}

function pageOf({ secondStep = '/second-factor', setUp, denied }: BetterAuthPages, result: string, reason?: string) {
  switch (result) {
    case 'challenge':
      return secondStep
    case 'set_up':
      return setUp ?? secondStep
    default: {
      const page = denied ?? secondStep
      return `${page}${page.includes('?') ? '&' : '?'}reason=${encodeURIComponent(reason ?? result)}`
    }
  }
}
