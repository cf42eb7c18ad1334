// Which sessions of better-auth count: those for which `check` says `in`, wherever better-auth looks a session up.
//
//   cookie, bearer token, one-time token, multi-session ──▶ findSession ──▶ check ──▶ the session, or none
//   cookie cache ──▶ version of the cache ──▶ check ──▶ the cached session, or findSession
//
// So a session that was created and not yet challenged opens nothing, even where a plugin hands it out by a way that is not known
// here; and a session ends with its pass.
import {
  getCurrentAdapter,
  queueAfterTransactionHook,
  tryGetCurrentAuthEndpointContext,
} from '@better-auth/core/context'
import { APIError } from 'better-auth/api'
import { parseSessionOutput, parseUserOutput } from 'better-auth/db'
import { answerOfError, type PassRules, type UserFacts } from '../../adapter.js'
import { type CheckReply, CountersignError, type SecondFactor } from '../../index.js'
import { FIELD, idOf, type Mark, markOf, sinceOf } from './mark.js'
import type {
  AuthContext,
  AuthDatabase,
  AuthSession,
  AuthSessionAndUser,
  AuthUser,
  EndpointContext,
  InternalAdapter,
} from './types.js'

/** The means that the parts of the plugin share. */
export interface Means {
  secondFactor: SecondFactor
  /** Seconds since 1970. */
  now(): number
  /** The user's account, where the host has accounts. */
  accountOf(user: AuthUser): Promise<string | undefined>
  /** Plan and roles. */
  factsOf(user: AuthUser): Promise<UserFacts>
  /** The client's address. */
  ipOf(headers: Headers | undefined): string | undefined
  /** Whether the revocation list ends a session without a pass; about one with a pass `check` asks it. */
  hasEnded(session: { account: string | undefined; user: string; session: string }, since: number): Promise<boolean>
  /** The sessions of a user, whether they count or not. */
  sessionsOf(user: string): Promise<AuthSessionAndUser[]>
  /** Whether a user may set up a factor. */
  mayEnroll(user: AuthUser): Promise<boolean>
  /** Whether a login by a passkey with user verification counts as both factors. */
  passkeyCountsAsBoth: boolean
}

/** The state of one request. */
export interface RequestState {
  /** The sessions that the request has created. */
  created: AuthSession[]
  /** The sessions that were in, by their tokens. */
  seen: Map<string, AuthSessionAndUser & { mark: Mark | undefined }>
  /** The tokens of sessions that were looked at. */
  settled: Set<string>
  /** The tokens of sessions that would count with a second factor. */
  refused: Set<string>
  /** The tokens of sessions that were closed: nothing of the answer may hold one. */
  closed: Set<string>
  /** The e-mail addresses of users whom the request is about, shown in their apps. */
  labels: Map<string, string>
  /** The ids of users whom the request has created. */
  made: Set<string>
  /** The ids of users whose sessions the request has deleted. */
  cleared: Set<string>
  /** The ids of users whose address the request has proven. */
  proven: Set<string>
}

const STATE = Symbol('second factor')

/** Begins the state of a request. All contexts that better-auth makes of this one share it. */
export function beginState(context: AuthContext): RequestState {
  const held = context as AuthContext & { [STATE]?: RequestState }
  held[STATE] ??= {
    created: [],
    seen: new Map(),
    settled: new Set(),
    refused: new Set(),
    closed: new Set(),
    labels: new Map(),
    made: new Set(),
    cleared: new Set(),
    proven: new Set(),
  }
  return held[STATE]
}

/** The state of the request that is being answered, where there is one. */
export function currentState(): RequestState | undefined {
  const endpoint = tryGetCurrentAuthEndpointContext()
  return endpoint && beginState(endpoint.context)
}

/** Notes the name of a user for an app: the e-mail address. */
export function noteLabel(context: AuthContext, { id, email }: AuthUser): void {
  if (email) beginState(context).labels.set(id, email)
}

/** Asks `check` about a session. `rules` say which passes count. */
export async function checkSession(
  means: Means,
  { session, user }: AuthSessionAndUser,
  rules: PassRules = {},
): Promise<CheckReply> {
  const { secondFactor } = means
  const mark = markOf(session)
  const isOwn = !session.impersonatedBy && mark?.admin === undefined
  const own = isOwn ? mark : undefined
  const [account, { roles }] = await Promise.all([means.accountOf(user), means.factsOf(user)])
  const ip = means.ipOf(tryGetCurrentAuthEndpointContext()?.headers)
  const place = { account, user: user.id, session: idOf(session, own) }
  if (own?.pass === undefined && (await means.hasEnded(place, sinceOf(session, own)))) return ENDED
  const reply = await secondFactor.check({ ...place, ip, roles, pass: own?.pass, ...rules })
  if (!isOwn) return impersonated(means, session, mark, rules, reply)
  if (reply.result !== 'second_step' || mark?.passkeyAt === undefined || !means.passkeyCountsAsBoth) return reply
  return (await byPasskey(means, place, mark, rules)) ?? reply
}

const ENDED: CheckReply = { result: 'second_step', reason: 'revoked' }

/**
 * An impersonated session counts as long as the session of the admin behind it does. Where the user needs a second factor, that of the
 * admin counts. `reply` is the one about the user.
 */
async function impersonated(
  means: Means,
  session: AuthSession,
  mark: Mark | undefined,
  rules: PassRules,
  reply: CheckReply,
): Promise<CheckReply> {
  if (mark?.admin === undefined || session.impersonatedBy !== mark.admin)
    return { result: 'second_step', reason: 'no_pass' }
  const all = await means.sessionsOf(mark.admin)
  const behind = all.find(({ session: one }) => !one.impersonatedBy && idOf(one) === mark.session)
  if (behind === undefined) return ENDED
  const { fresh, ...asked } = rules
  const ofAdmin = await checkSession(means, behind, asked)
  if (ofAdmin.result !== 'in') return ofAdmin
  if (reply.result !== 'second_step') return reply
  return ofAdmin.method !== undefined && fresh !== true ? ofAdmin : reply
}

/**
 * A passkey proves no method of the policy, and is never fresh: changes of factors ask for a code. A session that began by one ends when a
 * factor goes that the user had then, as passes do.
 */
async function byPasskey(
  { secondFactor, now }: Means,
  { account, user }: { account: string | undefined; user: string },
  { passkeyAt, factors = [] }: Mark,
  { maxAge, methods, fresh }: PassRules,
): Promise<CheckReply | undefined> {
  if (passkeyAt === undefined || methods !== undefined || fresh === true) return undefined
  if (maxAge !== undefined && now() - passkeyAt > maxAge) return undefined
  const ids = await factorsOf(secondFactor, { account, user })
  return factors.length > 0 && factors.every((id) => ids.includes(id)) ? { result: 'in', authTime: passkeyAt } : ENDED
}

/** The ids of a user's factors. */
export const factorsOf = async (
  secondFactor: SecondFactor,
  user: { account?: string | undefined; user: string },
): Promise<string[]> => (await secondFactor.status(user)).methods.map(({ id }) => id)

/** Whether a session counts. One that does is noted, and one that has ended for good is deleted: the list forgets it in time. */
async function counts(means: Means, found: AuthSessionAndUser, inner: InternalAdapter): Promise<boolean> {
  const { session } = found
  const reply = await checkSession(means, found).catch(toApiError)
  if (reply.result === 'second_step') {
    if (reply.reason === 'revoked') await inner.deleteSession(session.token)
    else currentState()?.refused.add(session.token)
  }
  if (reply.result !== 'in') return false
  currentState()?.seen.set(session.token, { ...found, mark: markOf(session) })
  return true
}

/** An error of ours as better-auth answers errors: a store that cannot be had is 503. */
export function toApiError(error: unknown): never {
  if (!CountersignError.is(error)) throw error
  const { status, headers, body } = answerOfError(error)
  throw new APIError(status, { code: 'SECOND_FACTOR_FAILED', ...body }, headers)
}

/** A person who is in may also see and end the other sessions of the same person. */
function isOwn({ user }: AuthSessionAndUser): boolean {
  const asker = tryGetCurrentAuthEndpointContext()?.context.session
  const proven = asker && currentState()?.seen.get(asker.session.token)
  return proven?.user.id === user.id
}

/** Looks at every session that this instance of better-auth finds. @internal */
export function watchSessions(means: Means, context: AuthContext): void {
  let watched = wrapped(means, context, context.internalAdapter)
  // better-auth makes the calls anew once all plugins are set up.
  Object.defineProperty(context, 'internalAdapter', {
    configurable: true,
    enumerable: true,
    get: () => watched,
    set: (inner: InternalAdapter) => {
      watched = WATCHED.has(inner.findSession) ? inner : wrapped(means, context, inner)
    },
  })
  watchCache(means, context)
}

/** By a function, because better-auth copies the object where a hook of the host's gives a context of its own. */
const WATCHED = new WeakMap<InternalAdapter['findSession'], InternalAdapter>()

/** The calls below the watched ones: any session, whether it counts or not. Throws where nobody watches. */
export function unwatched(context: AuthContext): InternalAdapter {
  const inner = WATCHED.get(context.internalAdapter.findSession)
  const version = context.options.session?.cookieCache?.version
  if (inner === undefined || typeof version !== 'function' || !VERSIONS.has(version))
    throw new Error(
      'the second factor does not watch the sessions of this better-auth: is there another version of it?',
    )
  return inner
}

/** The session with a token as it is stored, whether it counts or not. */
export async function storedSession(context: AuthContext, token: string): Promise<AuthSessionAndUser | undefined> {
  const [found] = await unwatched(context).findSessions([token])
  return found && { ...found, session: { ...found.session, expiresAt: new Date(found.session.expiresAt) } }
}

function wrapped(means: Means, context: AuthContext, inner: InternalAdapter): InternalAdapter {
  const admitted = async (found: AuthSessionAndUser) => (await counts(means, found, inner)) || isOwn(found)
  const outer: InternalAdapter = {
    ...inner,
    findSession: async (token) => {
      const [found] = await inner.findSessions([token])
      return found && (await admitted(found)) ? shown(context, found) : null
    },
    findSessions: async (tokens, options) => {
      const all = await inner.findSessions(tokens, options)
      const isAdmitted = await Promise.all(all.map(admitted))
      return all.filter((_, index) => isAdmitted[index])
    },
    updateSession: async (token, fields) => keepMark(context, inner, token, fields),
    updatePassword: async (userId, password) => {
      const updated = await inner.updatePassword(userId, password)
      await passwordSet(means, inner, userId)
      return updated
    },
    createAccount: async (account) => {
      const created = await inner.createAccount(account)
      const state = currentState()
      // A reset of a user who had no password. A new user has nothing to end.
      const isReset = account.password !== undefined && state !== undefined && !state.made.has(account.userId)
      if (isReset) await passwordSet(means, inner, account.userId)
      return created
    },
    deleteUserSessions: async (userId) => {
      await inner.deleteUserSessions(userId)
      currentState()?.cleared.add(userId)
    },
    updateUser: async (userId, fields) => {
      const before = fields.emailVerified === true ? await inner.findUserById(userId) : null
      const update = async () => inner.updateUser(userId, fields)
      return before && !before.emailVerified ? addressProven(means, inner, userId, update) : update()
    },
    updateAccount: async (id, fields) => {
      const updated = await inner.updateAccount(id, fields)
      const userId = updated?.userId
      if (fields.password !== undefined && typeof userId === 'string') await passwordChanged(means, inner, userId)
      return updated
    },
  }
  WATCHED.set(outer.findSession, inner)
  return outer
}

/** better-auth's secondary storage loses fields that are not returned whenever a session is updated: the mark is put back. */
async function keepMark(context: AuthContext, inner: InternalAdapter, token: string, fields: Record<string, unknown>) {
  const storage = context.secondaryStorage
  const before = storage && (await inner.findSessions([token]))[0]?.session
  const updated = await inner.updateSession(token, fields)
  const mark = fields[FIELD] ?? before?.[FIELD]
  if (!storage || !updated || typeof mark !== 'string') return updated
  const stored = await storage.get(token)
  const parsed = typeof stored === 'string' ? JSON.parse(stored) : stored
  if (!parsed?.session) return updated
  const seconds = Math.floor((new Date(parsed.session.expiresAt).getTime() - Date.now()) / 1_000)
  const session = { ...parsed.session, [FIELD]: mark }
  if (seconds > 0) await storage.set(token, JSON.stringify({ ...parsed, session }), seconds)
  return { ...updated, [FIELD]: mark }
}

/** A new password. On an address that nobody has proven it may come by a reset, and the sessions of before may be a stranger's. */
async function passwordSet(means: Means, inner: InternalAdapter, userId: string): Promise<void> {
  const user = await inner.findUserById(userId)
  if (user && !user.emailVerified) await endOtherSessions(inner, userId)
  await passwordChanged(means, inner, userId)
}

/**
 * better-auth takes access away when the owner of an address proves it by another way than the mail of the sign-up: half-made logins are
 * part of that access. They end before the address counts as proven, so that a store that fails leaves it unproven; and once more after,
 * with the sessions of log-ins that came in between.
 */
async function addressProven<Updated>(
  means: Means,
  inner: InternalAdapter,
  userId: string,
  update: () => Promise<Updated>,
): Promise<Updated> {
  const state = currentState()
  const takesAway = state?.cleared.has(userId)
  if (takesAway) await passwordChanged(means, inner, userId)
  const updated = await update()
  state?.proven.add(userId)
  if (!takesAway) return updated
  await endOtherSessions(inner, userId)
  await passwordChanged(means, inner, userId)
  return updated
}

/** Pages of sessions that are deleted one by one. */
const MOST_PAGES = 100

/** Ends the sessions of a user, but for the one by which this request asks, and those that it created. */
async function endOtherSessions(inner: InternalAdapter, userId: string): Promise<void> {
  const state = currentState()
  state?.cleared.add(userId)
  const own = [...(state?.seen.values() ?? [])].map(({ session }) => session).concat(state?.created ?? [])
  const kept = new Set(own.filter((session) => session.userId === userId).map(({ token }) => token))
  for (let pages = 0; kept.size > 0 && pages < MOST_PAGES; pages += 1) {
    // better-auth lists a hundred at once.
    const others = (await inner.listSessions(userId)).filter(({ token }) => !kept.has(token))
    if (others.length === 0) return
    for (const { token } of others) await inner.deleteSession(token)
  }
  await inner.deleteUserSessions(userId)
}

/** A new password ends half-made logins. */
async function passwordChanged(means: Means, inner: InternalAdapter, userId: string): Promise<void> {
  const ip = means.ipOf(tryGetCurrentAuthEndpointContext()?.headers)
  await queueAfterTransactionHook(async () => {
    // The same transaction may have deleted the user, whose record must not come back.
    const user = await inner.findUserById(userId)
    if (!user) return
    const account = await means.accountOf(user)
    await means.secondFactor.passwordChanged({ account, user: user.id, ip }).catch(toApiError)
  })
}

/**
 * A cached session is asked about by the version of the cache, which better-auth compares at each use. Its options are put together from
 * those of all plugins, and set once these are set up.
 */
function watchCache(means: Means, context: AuthContext): void {
  const first = withVersion(means, context, context.options)
  Object.defineProperty(context, 'options', {
    configurable: true,
    enumerable: true,
    get: () => first,
    set(this: AuthContext, options: AuthContext['options']) {
      const value = withVersion(means, context, options)
      Object.defineProperty(this, 'options', { configurable: true, enumerable: true, writable: true, value })
    },
  })
}

const VERSIONS = new WeakSet<object>()

function withVersion(means: Means, context: AuthContext, options: AuthContext['options']): AuthContext['options'] {
  const { session } = options
  const given = session?.cookieCache?.version
  if (typeof given === 'function' && VERSIONS.has(given)) return options
  const version = async (cached: AuthSession, user: AuthUser) => {
    // A version that is never the same again: the cache is passed over, and the session looked up.
    if (!(await counts(means, { session: cached, user }, unwatched(context)))) return `refused-${crypto.randomUUID()}`
    return (typeof given === 'function' ? await given(cached, user) : given) ?? '1'
  }
  VERSIONS.add(version)
  options.session = { ...session, cookieCache: { ...session?.cookieCache, version } }
  return options
}

/** A session as better-auth's `findSession` gives it: without the fields that are not returned, but for the mark. */
function shown({ options }: AuthContext, { session, user }: AuthSessionAndUser): AuthSessionAndUser {
  const dates = (row: Record<string, unknown>, names: string[]) =>
    Object.fromEntries(names.filter((name) => name in row).map((name) => [name, new Date(row[name] as string)]))
  const shownSession = parseSessionOutput(options, {
    ...session,
    ...dates(session, ['expiresAt', 'createdAt', 'updatedAt']),
  })
  return {
    session: { ...shownSession, [FIELD]: session[FIELD] ?? null },
    user: parseUserOutput(options, { ...user, ...dates(user, ['createdAt', 'updatedAt']) }),
  }
}

/** The database as a request sees it: inside its transaction, where there is one. */
export const databaseOf = (database: AuthDatabase): Promise<AuthDatabase> => getCurrentAdapter(database)

/** The token of the session that a request brings. */
export const tokenOf = async (context: EndpointContext): Promise<string | undefined> =>
  (await context.getSignedCookie(context.context.authCookies.sessionToken.name, context.context.secret)) || undefined
