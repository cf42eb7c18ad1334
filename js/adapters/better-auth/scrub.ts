// A closed session leaves nothing in an answer: each cookie, header and body that holds it goes, whichever plugin has put it there.
import type { AuthContext, AuthCookie, EndpointContext } from './types.js'

/** Takes closed sessions out of the headers of an answer. Cookies that end one stay. */
export function scrubHeaders(headers: Headers, context: AuthContext, closed: ReadonlySet<string>): void {
  const cookies = headers.getSetCookie()
  const kept = cookies.filter((cookie) => !holdsSession(cookie, context, closed))
  if (kept.length !== cookies.length) {
    headers.delete('set-cookie')
    for (const cookie of kept) headers.append('set-cookie', cookie)
  }
  // `set-auth-token`, `set-auth-jwt` and `set-ott` of better-auth, and what others may call so
  for (const [name, value] of [...headers])
    if (name !== 'set-cookie' && (name.startsWith('set-') || holds(value, closed))) headers.delete(name)
}

/** Whether a text holds the token of a closed session. */
export const holds = (text: string, closed: ReadonlySet<string>): boolean => {
  const [plain, decoded] = [text.toLowerCase(), decode(text).toLowerCase()]
  return [...closed].some((token) => plain.includes(token.toLowerCase()) || decoded.includes(token.toLowerCase()))
}

function holdsSession(cookie: string, { authCookies }: AuthContext, closed: ReadonlySet<string>): boolean {
  if (isEnd(cookie)) return false
  const [name = ''] = cookie.split('=', 1)
  const { sessionToken, sessionData, dontRememberToken } = authCookies
  const isOf = (of: string) => name === of || name.startsWith(`${of}.`) || name.startsWith(`${of}_multi-`)
  return [sessionToken, sessionData, dontRememberToken].some((held) => isOf(held.name)) || holds(cookie, closed)
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}

/** The headers of the answer so far, and those that this hook adds. */
export function scrubAnswer(endpoint: EndpointContext, closed: ReadonlySet<string>): void {
  for (const headers of [endpoint.responseHeaders, endpoint.context.responseHeaders])
    if (headers) scrubHeaders(headers, endpoint.context, closed)
}

/** Whether a cookie is one that ends. */
const isEnd = (cookie: string) => /;\s*max-age=0\s*(;|$)/i.test(cookie)

/** Takes the ends of these cookies out of the answer so far. */
export function forgetEnd({ responseHeaders }: AuthContext, ended: readonly AuthCookie[]): void {
  const cookies = responseHeaders?.getSetCookie() ?? []
  responseHeaders?.delete('set-cookie')
  for (const cookie of cookies)
    if (!(isEnd(cookie) && ended.some(({ name }) => cookie.startsWith(`${name}=`))))
      responseHeaders?.append('set-cookie', cookie)
}
