// The half-way state of a login: what a browser or a native client holds between the first factor and the second. It opens nothing but
// the second step.
//
// It is the login as the core of the adapters has it, with its ticket, encrypted under better-auth's secret: in a cookie; or, for a
// client that sends the header `countersign-session`, as a value in the body, which it sends back in that header.

import { expireCookie } from 'better-auth/cookies'
import { symmetricDecrypt, symmetricEncrypt } from 'better-auth/crypto'
import { type Login, loginOf, SESSION_HEADER } from '../../adapter.js'
import type { EndpointContext } from './types.js'

/** A login that waits for its second step. */
export interface HalfWay {
  login: Login
  /** Whether the session is to end with the browser. */
  dontRemember: boolean
  /** The page to which the way in would have led. */
  next?: string | undefined
}

/** Seconds for which a half-way state is kept: as long as a ticket. */
export const HALF_WAY_SECONDS = 600

/** The client's own value, or an empty text where it asks for one. */
export const ownValueOf = (context: EndpointContext): string | undefined =>
  context.headers?.get(SESSION_HEADER) ?? undefined

const cookieOf = ({ context }: EndpointContext) =>
  context.createAuthCookie('second_factor', { maxAge: HALF_WAY_SECONDS })

/** The half-way state that a request brings. */
export async function readHalfWay(context: EndpointContext): Promise<HalfWay | undefined> {
  const sealed = ownValueOf(context) ?? context.getCookie(cookieOf(context).name)
  if (!sealed) return undefined
  try {
    const { kind, until, login, dontRemember, next } = JSON.parse(
      await symmetricDecrypt({ key: context.context.secretConfig, data: sealed }),
    )
    const read = loginOf(login)
    if (kind !== KIND || !(Date.now() < until) || read === undefined) return undefined
    return { login: read, dontRemember: dontRemember === true, next: typeof next === 'string' ? next : undefined }
  } catch {
    return undefined
  }
}

/** Keeps a half-way state; gives its value to a client that holds it itself. */
export async function writeHalfWay(context: EndpointContext, halfWay: HalfWay): Promise<string | undefined> {
  const sealed = await sealedState(context, halfWay)
  if (ownValueOf(context) !== undefined) return sealed
  const { name, attributes } = cookieOf(context)
  // Browsers drop a longer cookie: the login goes on, and the way back is lost.
  const fits = sealed.length <= MOST_OF_COOKIE
  context.setCookie(name, fits ? sealed : await sealedState(context, { ...halfWay, next: undefined }), attributes)
  return undefined
}

/** Characters of a value. With name and attributes a cookie may have 4,096 (RFC 6265 §6.1). */
const MOST_OF_COOKIE = 3_800

function sealedState({ context }: EndpointContext, halfWay: HalfWay): Promise<string> {
  const until = Date.now() + HALF_WAY_SECONDS * 1_000
  return symmetricEncrypt({ key: context.secretConfig, data: JSON.stringify({ kind: KIND, until, ...halfWay }) })
}

/** Forgets the half-way state. */
export function endHalfWay(context: EndpointContext): void {
  if (ownValueOf(context) === undefined) expireCookie(context, cookieOf(context))
}

/** Tells a half-way state from other texts that better-auth encrypts under the same secret. */
const KIND = 'countersign-half-way'
