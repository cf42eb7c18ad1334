// The functions of better-auth that the adapter calls. They are declared here, so that the package is compiled without better-auth.
declare module 'better-auth/api' {
  import type { AuthSessionAndUser, EndpointContext } from './types.js'
  export class APIError extends Error {
    constructor(status: number | string, body?: Record<string, unknown>, headers?: HeadersInit)
    status: string | number
    statusCode: number
    headers: HeadersInit
  }
  export function createAuthEndpoint(
    path: string,
    options: Record<string, unknown>,
    handler: (context: EndpointContext) => Promise<unknown>,
  ): (...args: never[]) => Promise<unknown>
  export namespace createAuthEndpoint {
    function serverOnly(
      options: Record<string, unknown>,
      handler: (context: EndpointContext) => Promise<unknown>,
    ): (...args: never[]) => Promise<unknown>
  }
  export function createAuthMiddleware(
    handler: (context: EndpointContext) => Promise<unknown>,
  ): (context: unknown) => Promise<unknown>
  export function getSessionFromCtx(
    context: EndpointContext,
    config?: { disableCookieCache?: boolean; disableRefresh?: boolean },
  ): Promise<AuthSessionAndUser | null>
  export function getIP(from: Request | Headers, options: unknown): string | null
  export function isAPIError(error: unknown): error is APIError
}
declare module 'better-auth/cookies' {
  import type { AuthCookie, AuthSessionAndUser, EndpointContext } from './types.js'
  export function setSessionCookie(
    context: EndpointContext,
    session: AuthSessionAndUser,
    dontRemember?: boolean,
  ): Promise<void>
  export function deleteSessionCookie(context: EndpointContext, keepDontRemember?: boolean): void
  export function expireCookie(context: EndpointContext, cookie: AuthCookie): void
}
declare module 'better-auth/db' {
  import type { AuthSession, AuthUser } from './types.js'
  export function parseSessionOutput(options: unknown, session: AuthSession): AuthSession
  export function parseUserOutput(options: unknown, user: AuthUser): AuthUser
}
declare module 'better-auth/crypto' {
  export function symmetricEncrypt(input: { key: unknown; data: string }): Promise<string>
  export function symmetricDecrypt(input: { key: unknown; data: string }): Promise<string>
}
declare module '@better-auth/core/context' {
  import type { AuthDatabase, EndpointContext } from './types.js'
  export function tryGetCurrentAuthEndpointContext(): EndpointContext | undefined
  export function getCurrentAdapter(fallback: AuthDatabase): Promise<AuthDatabase>
  export function queueAfterTransactionHook(hook: () => Promise<void>): Promise<void>
}
