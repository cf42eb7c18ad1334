// The cookie of a trusted browser: its secret logs in without a code, and changes with each use.
import type * as wasm from '../wasm.js'
import { cookieOf, cookieOfAdapter, expiredCookie, setCookieText } from './cookies.js'
import type { Visit } from './means.js'
import type { ReadOptions } from './options.js'

const cookie = ({ name }: ReadOptions) => cookieOfAdapter('__Host-countersign-browser', name)

/** The secret that a browser brings. A client that keeps its session as a value has none. */
export const browserSecret = (options: ReadOptions, { request, isByValue }: Visit): string | undefined =>
  isByValue ? undefined : cookieOf(request.header('cookie'), cookie(options))

/** Keeps the secret of a reply. */
export function keepBrowserSecret(
  options: ReadOptions,
  { request }: Visit,
  { token, expiresAt }: wasm.BrowserCookie,
): void {
  request.setCookie(setCookieText(cookie(options), token, Math.max(1, expiresAt - options.sealer.now())))
}

/** Forgets it. */
export const forgetBrowserSecret = (options: ReadOptions, { request }: Visit): void =>
  request.setCookie(expiredCookie(cookie(options)))
