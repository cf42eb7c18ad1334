// The second factor in tokens.
//
// ID tokens have `acr`, `amr` and `auth_time` by oidc-provider itself, as the prompt leaves them in the session. Access tokens get them
// here, in JWT and at introspection (RFC 9470 §6), so that a resource server can decide. A refreshed token has those of its log-in.
//
// A refresh token that ends with its OP session ends with the session's pass too. One with `offline_access` outlives both.
import { ACR_VALUES } from './demand.js'
import type { ReadOptions } from './options.js'
import { nameOf } from './session.js'
import { FIELD, type OidcContext, type OidcToken } from './types.js'

/** Where tokens come from, in the order of a request that has several. */
const SOURCES = ['RefreshToken', 'AuthorizationCode', 'DeviceCode', 'BackchannelAuthenticationRequest']

/** The claims of an access token. */
export function strengthClaims(ctx: OidcContext | undefined, token: OidcToken): Record<string, unknown> | undefined {
  if (token.kind !== 'AccessToken' || ctx?.oidc === undefined) return undefined
  const { entities, session } = ctx.oidc
  const name = SOURCES.find((source) => entities[source] !== undefined)
  const ofLogin = session && { acr: session.acr, amr: session.amr, authTime: session.loginTs }
  const { acr, amr, authTime } = (name === undefined ? ofLogin : entities[name]) ?? {}
  const claims = { acr, amr, auth_time: authTime }
  return Object.fromEntries(Object.entries(claims).filter(([, value]) => value !== undefined))
}

/** Whether a token is a refresh token whose session has lost its second factor. */
export async function isOver(
  { secondFactor, callerOf }: ReadOptions,
  ctx: OidcContext,
  token: OidcToken | undefined,
): Promise<boolean> {
  if (token?.kind !== 'RefreshToken' || !token.expiresWithSession || token.sessionUid === undefined) return false
  const session = await ctx.oidc.provider.Session.findByUid(token.sessionUid)
  const kept = session?.[FIELD]
  const isBySecondFactor = ACR_VALUES.includes(token.acr ?? '') || token.amr?.includes('mfa') === true
  if (!isBySecondFactor) return false
  // A log-in that began after it and stopped half-way has ended the pass.
  if (session?.accountId === undefined || kept?.pass === undefined) return true
  const { user } = await callerOf(session.accountId)
  const reply = await secondFactor.checkPass({ ...user, session: nameOf(session.uid, kept.rotation), pass: kept.pass })
  return reply.result !== 'valid'
}
