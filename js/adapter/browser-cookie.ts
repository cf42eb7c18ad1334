// The cookie of a trusted browser: its secret logs in without a code, and changes with each use.
import type * as wasm from '../wasm.js'
import { cookieOf, expiredCookie, setCookieText } from './cookies.js'
import type { AdapterRequest } from './request.js'

const COOKIE = '__Host-countersign-browser'

/** The secret that a browser brings. */
export const browserCookieOf = (request: AdapterRequest): string | undefined =>
  cookieOf(request.header('cookie'), COOKIE)

/** Keeps the secret of a reply. */
export function setBrowserCookie(request: AdapterRequest, { token, expiresAt }: wasm.BrowserCookie, now: number): void {
  request.setCookie(setCookieText(COOKIE, token, Math.max(1, expiresAt - now)))
}

/** Forgets it. */
export const forgetBrowserCookie = (request: AdapterRequest): void => request.setCookie(expiredCookie(COOKIE))
