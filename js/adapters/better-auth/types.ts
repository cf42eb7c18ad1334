// The parts of better-auth that the adapter uses, by their shape: what we ship names no type of better-auth, so that the types of the
// package hold for hosts without it. A test holds the plugin to better-auth's own types.

/** A session as better-auth stores it, with the field of ours. */
export interface AuthSession {
  /** Its id. */
  id: string
  /** Its secret, which is in the cookie. */
  token: string
  /** The user. */
  userId: string
  /** The time at which it ends. */
  expiresAt: Date
  /** The time at which it was created. */
  createdAt: Date
  /** The admin who impersonates the user. */
  impersonatedBy?: string | null | undefined
  /** The second factor of the session, which no client sees. */
  secondFactor?: string | null | undefined
  [field: string]: unknown
}

/** A user of better-auth. */
export interface AuthUser {
  /** The id, which never changes. */
  id: string
  /** The e-mail address. */
  email?: string | undefined
  /** Whether somebody has proven that the address is theirs. */
  emailVerified?: boolean | undefined
  /** Whether it is a guest of the anonymous plugin. */
  isAnonymous?: boolean | null | undefined
  [field: string]: unknown
}

/** A session with its user. */
export interface AuthSessionAndUser {
  session: AuthSession
  user: AuthUser
}

/** A condition of a query. */
export interface Where {
  field: string
  value: unknown
  operator?: string
}

/** The database, as better-auth's adapters give it. */
export interface AuthDatabase {
  id: string
  create(query: { model: string; data: Record<string, unknown>; forceAllowId?: boolean }): Promise<unknown>
  findOne(query: { model: string; where: Where[] }): Promise<Record<string, unknown> | null>
  findMany(query: {
    model: string
    where?: Where[]
    limit?: number
    offset?: number
    sortBy?: { field: string; direction: 'asc' | 'desc' }
  }): Promise<Record<string, unknown>[]>
  updateMany(query: { model: string; where: Where[]; update: Record<string, unknown> }): Promise<number>
  deleteMany(query: { model: string; where: Where[] }): Promise<number>
}

/** The calls about sessions and users that go through better-auth's hooks. */
export interface InternalAdapter {
  findSession(token: string): Promise<AuthSessionAndUser | null>
  findSessions(tokens: string[], options?: unknown): Promise<AuthSessionAndUser[]>
  createSession(
    userId: string,
    dontRemember?: boolean,
    override?: Record<string, unknown>,
    overrideAll?: boolean,
  ): Promise<AuthSession | null>
  updateSession(token: string, fields: Record<string, unknown>): Promise<AuthSession | null>
  deleteSession(token: string): Promise<void>
  listSessions(userId: string, options?: { onlyActiveSessions?: boolean }): Promise<AuthSession[]>
  findUserById(id: string): Promise<AuthUser | null>
  findAccounts(userId: string): Promise<unknown[]>
  deleteUserSessions(userId: string): Promise<void>
  updatePassword(userId: string, password: string): Promise<unknown>
  updateUser(userId: string, fields: Record<string, unknown>): Promise<unknown>
  createAccount(account: { userId: string; password?: string | null; [field: string]: unknown }): Promise<unknown>
  updateAccount(id: string, fields: Record<string, unknown>): Promise<Record<string, unknown> | null>
}

/** A cookie of better-auth. */
export interface AuthCookie {
  name: string
  attributes: Record<string, unknown>
}

/** A plugin, as far as the adapter looks at others. */
export interface AuthPlugin {
  id: string
  hooks?: { after?: { matcher(context: unknown): boolean; handler(context: unknown): Promise<unknown> }[] }
  options?: Record<string, unknown>
}

/** The context of one better-auth instance, or of one request to it. */
export interface AuthContext {
  options: {
    plugins?: AuthPlugin[]
    database?: unknown
    secondaryStorage?: unknown
    emailAndPassword?: { enabled?: boolean; requireEmailVerification?: boolean }
    emailVerification?: { sendVerificationEmail?: unknown }
    advanced?: { ipAddress?: { ipAddressHeaders?: string[]; trustedProxies?: string[] } }
    session?: { cookieCache?: { enabled?: boolean; version?: CacheVersion } }
    [option: string]: unknown
  }
  baseURL: string
  secret: string
  secretConfig: unknown
  adapter: AuthDatabase
  internalAdapter: InternalAdapter
  secondaryStorage?: {
    get(key: string): Promise<unknown>
    set(key: string, value: string, ttl?: number): Promise<unknown>
  }
  authCookies: Record<'sessionToken' | 'sessionData' | 'dontRememberToken' | 'accountData', AuthCookie>
  isTrustedOrigin(url: string): boolean
  createAuthCookie(name: string, attributes?: Record<string, unknown>): AuthCookie
  session: AuthSessionAndUser | null
  newSession: AuthSessionAndUser | null
  setNewSession(session: AuthSessionAndUser | null): void
  returned?: unknown
  responseHeaders?: Headers
  logger: { error(...parts: unknown[]): void; warn(...parts: unknown[]): void }
}

/** The version in cached sessions; see `session.cookieCache.version` of better-auth. */
export type CacheVersion = string | ((session: AuthSession, user: AuthUser) => string | Promise<string>)

/** One request to an endpoint, or one call of `auth.api`. */
export interface EndpointContext {
  path: string
  method: string
  body?: unknown
  query?: Record<string, unknown>
  headers?: Headers
  request?: Request
  context: AuthContext
  /** The headers that this endpoint or hook adds. */
  responseHeaders: Headers
  setCookie(name: string, value: string, attributes?: Record<string, unknown>): string
  setHeader(name: string, value: string): void
  setStatus(status: number): void
  getSignedCookie(name: string, secret: string): Promise<string | false | null>
  getCookie(name: string): string | null
  redirect(url: string): Error
  json<T>(body: T): Promise<T>
}
