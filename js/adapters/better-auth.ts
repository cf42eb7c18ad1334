/**
 * The second factor in better-auth: a plugin for its server. Every way in meets it, because it watches sessions and not paths.
 *
 * @packageDocumentation
 */
import { createAuthMiddleware, getIP, getSessionFromCtx } from 'better-auth/api'
import { createAdapter, type HostUser, type PassRules, type UserFacts } from '../adapter.js'
import {
  CountersignError,
  createSecondFactor,
  type SecondFactor,
  type SecondFactorOptions,
  type WholeStore,
} from '../index.js'
import { sealerOf } from '../sealer.js'
import { afterEndpoint, type BetterAuthPages } from './better-auth/challenge.js'
import { endpointsOf, type ProvenSession, proven, type SecondFactorEndpoints } from './better-auth/endpoints.js'
import { isProven, refuseUnprovenSession } from './better-auth/enrollment.js'
import { endHalfWay, readHalfWay } from './better-auth/half-way.js'
import { FIELD } from './better-auth/mark.js'
import { hasOrganizations, isOwnerOf, provesMembers } from './better-auth/organization.js'
import { addsPasskey } from './better-auth/passkey.js'
import { PATH } from './better-auth/path.js'
import { watchResponse } from './better-auth/response.js'
import {
  beginState,
  currentState,
  databaseOf,
  type Means,
  toApiError,
  unwatched,
  watchSessions,
} from './better-auth/sessions.js'
import { authStore, keyOf, RECORDS, RECORDS_SCHEMA } from './better-auth/store.js'
import type { AuthContext, AuthSession, AuthUser, EndpointContext } from './better-auth/types.js'

export { CountersignError, type ErrorCode, generateKeys, type Revoked, type RuleErrorCode } from '../index.js'
export type { BetterAuthPages } from './better-auth/challenge.js'
export type { AuthEndpoint, DataOf, ProvenSession, SecondFactorEndpoints } from './better-auth/endpoints.js'
export { NEW_SESSIONS, type NewSessionKind } from './better-auth/new-sessions.js'
export type { AuthSession, AuthUser } from './better-auth/types.js'
export type {
  Answer,
  ChallengeAnswer,
  LoggedInAnswer,
  SecondFactorActions,
  SecondFactorError,
  ShownReply,
} from './better-auth-client.js'

/** Options that hold for both forms. */
export interface BetterAuthSharedOptions {
  /** The user's account, where you have accounts: of a field of the user that no client writes. */
  account?: ((user: AuthUser) => string | undefined | Promise<string | undefined>) | undefined
  /** Plan, roles and label of a user. The label is the e-mail address by default. */
  facts?: ((user: HostUser) => UserFacts | Promise<UserFacts>) | undefined
  /**
   * Whether this user may issue a recovery code for, or reset, another one. By default an owner of all organizations of that user may, where
   * nobody is a member before they have proven their address: by `requireEmailVerification` of `emailAndPassword` and
   * `requireEmailVerificationOnInvitation` of the organization plugin.
   */
  mayRescue?: ((owner: HostUser, user: string) => boolean | Promise<boolean>) | undefined
  /**
   * Whether this user may set up a factor. By default one whose e-mail address is verified, or any where nothing proves addresses: no
   * verification mail, no magic link and no code by e-mail.
   */
  mayEnroll?: ((user: AuthUser) => boolean | Promise<boolean>) | undefined
  /** Your pages, for ways in that redirect. */
  pages?: BetterAuthPages | undefined
  /**
   * `one`, the default: a passkey is one factor, and the second one is asked for. `both`: a login by a passkey with user verification,
   * which the authenticator has signed, needs no other.
   */
  passkeyLogin?: 'one' | 'both' | undefined
  /** The client's address; by default as better-auth finds it, where `advanced.ipAddress` names headers or proxies, and none otherwise. */
  ip?: ((headers: Headers) => string | undefined) | undefined
}

/** Options with a second factor of yours, which has a store of its own. */
export interface BetterAuthWithSecondFactor extends BetterAuthSharedOptions {
  /** The object that `createSecondFactor` gave. */
  secondFactor: SecondFactor
}

/** Options of `createSecondFactor`; the records are kept in better-auth's database. */
export interface BetterAuthWithDatabase extends BetterAuthSharedOptions, Omit<SecondFactorOptions, 'store'> {
  /** None: it is made of these options. */
  secondFactor?: undefined
}

/** Options of {@link secondFactor}. */
export type BetterAuthOptions = BetterAuthWithSecondFactor | BetterAuthWithDatabase

/** The plugin, as far as the types of better-auth ask for it. */
export interface SecondFactorPlugin {
  /** Its name. */
  id: 'second-factor'
  /** The field of sessions that it adds. The table of the records is not told to types. */
  schema: {
    session: { fields: { secondFactor: { type: 'string'; required: false; input: false; returned: false } } }
  }
  /** The endpoints, in `auth.api`. */
  endpoints: SecondFactorEndpoints
}

/**
 * The plugin for better-auth's server. A user whom the rules ask for a second factor is challenged at every way in, and a session counts
 * for as long as `check` says so. Its errors are those of better-auth.
 *
 * @example
 * ```ts
 * import { betterAuth } from 'better-auth'
 * import Database from 'better-sqlite3'
 * import { secondFactor } from 'countersign/better-auth'
 *
 * export const auth = betterAuth({
 *   database: new Database('acme.sqlite'),
 *   emailAndPassword: { enabled: true, requireEmailVerification: true },
 *   emailVerification: { sendVerificationEmail: async ({ user, url }) => console.log('mail to', user.email, url) },
 *   plugins: [
 *     secondFactor({
 *       policy: { v: 1, name: 'Acme', origin: 'https://acme.example' },
 *       keys: process.env.COUNTERSIGN_KEYS ?? '', // the JSON that `npx countersign keys` printed once
 *     }),
 *   ],
 * })
 * ```
 *
 * @throws `CountersignError` what `createSecondFactor` throws. better-auth does not start with `invalid_input` where its own
 * `twoFactor` is on too, or where there is no database for the records.
 */
export function secondFactor(options: BetterAuthOptions): SecondFactorPlugin {
  const { account, facts, mayRescue, mayEnroll, pages = {}, passkeyLogin = 'one', ip, ...rest } = options
  const keepsRecords = rest.secondFactor === undefined
  let store: WholeStore | undefined
  let parts: { means: Means; adapter: ReturnType<typeof createAdapter> } | undefined
  const started = <Part>(part: Part | undefined): Part => {
    if (part === undefined) throw new Error('the second factor is used before better-auth has started')
    return part
  }
  // Made here, so that a mistake in the options is told where they are written.
  const own: SecondFactor =
    rest.secondFactor ??
    createSecondFactor({
      ...(rest as Omit<SecondFactorOptions, 'store'>),
      store: {
        load: (id) => started(store).load(id),
        save: (id, record, expected) => started(store).save(id, record, expected),
        delete: (id, expected) => started(store).delete(id, expected),
        list: (question) => started(store).list(question),
        revoke: (more, times) => started(store).revoke(more, times),
        revoked: (about) => started(store).revoked(about),
      },
    })

  function start(context: AuthContext): void {
    refuseOthers(context)
    if (keepsRecords && !context.options.database)
      throw new CountersignError(
        'invalid_input',
        'store',
        'better-auth has no database: hand in a `secondFactor` with a store',
      )
    store = authStore(context.adapter, databaseOf)
    const clock = (rest as Partial<SecondFactorOptions>).clock
    const means: Means = {
      secondFactor: own,
      now: () => Math.floor(clock?.() ?? Date.now() / 1_000),
      accountOf: async (user) => account?.(user),
      factsOf: async (user) => (await facts?.(hostUser(await account?.(user), user.id))) ?? {},
      ipOf: (headers) => (headers && (ip ?? addressBy(context))(headers)) || undefined,
      hasEnded: sealerOf(own).hasEnded,
      sessionsOf: async (user) => {
        const inner = unwatched(context)
        const all = await inner.listSessions(user, { onlyActiveSessions: true })
        return inner.findSessions(all.map(({ token }) => token))
      },
      mayEnroll: async (user) => (mayEnroll ? await mayEnroll(user) : isProven(context, user)) === true,
      passkeyCountsAsBoth: passkeyLogin === 'both',
    }
    const adapter = createAdapter({
      secondFactor: own,
      facts: async (user) => ({ label: currentState()?.labels.get(user.user), ...(await facts?.(user)) }),
      mayRescue: mayRescue ?? ((owner, user) => isOwnerOf(context, owner, user)),
      onError: (error) => context.logger.error('the second factor failed', error),
    })
    parts = { means, adapter }
    watchSessions(means, context)
    goFirst(context)
    if (mayRescue === undefined && hasOrganizations(context) && !provesMembers(context))
      context.logger.warn(
        'no owner of an organization may help its members: set `requireEmailVerification` of `emailAndPassword` and `requireEmailVerificationOnInvitation` of `organization`, or `mayRescue`',
      )
  }

  const plugin = {
    id: 'second-factor' as const,
    schema: {
      session: { fields: { [FIELD]: NO_FIELD_OF_CLIENTS } },
      ...(keepsRecords ? RECORDS_SCHEMA : {}),
    },
    init: (context: AuthContext) => {
      start(context)
      return { options: { databaseHooks: hooksOf(context, keepsRecords, async (user) => account?.(user)) } }
    },
    onRequest: async (_request: Request, context: AuthContext) => void beginState(context),
    onResponse: (response: Response, context: AuthContext) => watchResponse(started(parts).means, response, context),
    endpoints: endpointsOf(() => started(parts)),
    hooks: {
      before: [
        {
          matcher: () => true,
          handler: createAuthMiddleware(async (endpoint: EndpointContext) => {
            const { context } = endpoint
            unwatched(context) // throws where nobody watches
            beginState(context)
            if (addsPasskey(endpoint)) await refusePasskey(started(parts).means, endpoint)
          }),
        },
      ],
      after: [
        {
          matcher: () => true,
          handler: createAuthMiddleware(async (endpoint: EndpointContext) => {
            const { means, adapter } = started(parts)
            if (endpoint.path === '/sign-out') await signOutHalfWay(means, endpoint)
            return afterEndpoint(means, adapter, pages, endpoint)
          }),
        },
      ],
    },
    rateLimit: [{ pathMatcher: (path: string) => path.startsWith(`${PATH}/`), window: 60, max: 30 }],
  }
  return plugin as SecondFactorPlugin
}

/**
 * Asks for a second factor before an action: gives session and user, or rejects with an `APIError` of better-auth whose `statusCode`, `body`
 * and `headers` are the answer. 401: `LOG_IN_FIRST`, or `SECOND_STEP` with the challenge of RFC 9470; 403: the rules refuse the request.
 *
 * @example
 * ```ts
 * import { requireSecondFactor } from 'countersign/better-auth'
 * import { auth } from './auth.js'
 *
 * export async function transfer(request: Request): Promise<Response> {
 *   const { user } = await requireSecondFactor(auth, request.headers, { maxAge: 300 })
 *   return Response.json({ from: user.id })
 * }
 * ```
 */
export async function requireSecondFactor(
  auth: { api: Pick<SecondFactorEndpoints, 'requireSecondFactor'> },
  headers: Headers,
  rules: PassRules = {},
): Promise<ProvenSession> {
  return auth.api.requireSecondFactor({ headers, body: rules })
}

/**
 * The store of the records in better-auth's database, for `countersign/operator`: to import, to rescue, to erase.
 *
 * @example
 * ```ts
 * import { betterAuthStore } from 'countersign/better-auth'
 * import { createOperator } from 'countersign/operator'
 * import { auth } from './auth.js'
 *
 * export const operator = createOperator({
 *   policy: { v: 1, name: 'Acme', origin: 'https://acme.example' },
 *   keys: process.env.COUNTERSIGN_KEYS ?? '',
 *   store: await betterAuthStore(auth),
 * })
 * ```
 */
export async function betterAuthStore(auth: { $context: Promise<unknown> }): Promise<WholeStore> {
  const { adapter } = (await auth.$context) as AuthContext
  return authStore(adapter, databaseOf)
}

/**
 * Throws where a passkey may not be added. It stays a way in when the owner of an address proves it, so that the address is proven first.
 * Where it is both factors, adding one is a change of factors.
 */
async function refusePasskey(means: Means, endpoint: EndpointContext): Promise<void> {
  const found = means.passkeyCountsAsBoth
    ? await proven(means, endpoint, { fresh: true })
    : await getSessionFromCtx(endpoint)
  // A registration before the login has no session, and the host says of whom it is.
  if (found) await refuseUnprovenSession(means, endpoint.context, found)
}

/** better-auth's own log-out ends sessions, and knows no login that waits for its second step. */
async function signOutHalfWay({ secondFactor }: Means, endpoint: EndpointContext): Promise<void> {
  const half = await readHalfWay(endpoint)
  if (half === undefined) return
  const { account, user, session } = half.login
  // A code that is being compared comes too late.
  if (sealerOf(secondFactor).holdsList)
    await secondFactor.endSessions({ account, user, sessions: [session] }).catch(toApiError)
  endHalfWay(endpoint)
}

const NO_FIELD_OF_CLIENTS = { type: 'string', required: false, input: false, returned: false } as const

const hostUser = (account: string | undefined, user: string): HostUser =>
  account === undefined ? { user } : { account, user }

/** better-auth's own second factor would challenge beside this one, and hand out sessions of its own. */
function refuseOthers({ options }: AuthContext): void {
  if (options.plugins?.some(({ id }) => id === 'two-factor'))
    throw new CountersignError('invalid_input', 'plugins', 'has `twoFactor` of better-auth: take one of the two out')
}

/** By the settings of better-auth. Without them it would take `x-forwarded-for`, in which a client names any address. */
function addressBy({ options }: AuthContext): (headers: Headers) => string | undefined {
  const { ipAddress } = options.advanced ?? {}
  const { ipAddressHeaders, trustedProxies } = ipAddress ?? {}
  const isSet = [ipAddressHeaders, trustedProxies].some((setting) => setting !== undefined && setting.length > 0)
  // better-auth cuts IPv6 to its network, for limits of rates. A rule may name one address.
  const whole = { ...options, advanced: { ...options.advanced, ipAddress: { ...ipAddress, ipv6Subnet: 128 } } }
  return (headers) => (isSet ? (getIP(headers, whole) ?? undefined) : undefined)
}

/** Its hooks come before those of other plugins, which then see a challenge and no session. */
function goFirst({ options }: AuthContext): void {
  const { plugins = [] } = options
  const index = plugins.findIndex(({ id }) => id === 'second-factor')
  if (index > 0) plugins.unshift(...plugins.splice(index, 1))
}

/** Hooks on better-auth's tables. */
function hooksOf({ adapter }: AuthContext, keepsRecords: boolean, accountOf: Means['accountOf']) {
  const created = async (session: AuthSession, endpoint: EndpointContext | null | undefined) => {
    if (endpoint) beginState(endpoint.context).created.push(session)
  }
  const deleted = async (user: AuthUser) => {
    const key = await keyOf({ account: await accountOf(user), user: user.id })
    await adapter.deleteMany({ model: RECORDS, where: [{ field: 'recordKey', value: key }] })
  }
  const made = async ({ id }: AuthUser, endpoint: EndpointContext | null | undefined) => {
    if (endpoint) beginState(endpoint.context).made.add(id)
  }
  return {
    session: { create: { after: created } },
    user: { create: { after: made }, ...(keepsRecords ? { delete: { after: deleted } } : {}) },
  }
}
