// Cookies of ours: read strictly, and written so that no script and no other site has them (RFC 6265bis).

/** The value of a cookie. One that comes twice was put there by somebody else, and is none. */
export function cookieOf(header: string | undefined, name: string): string | undefined {
  const values = (header ?? '')
    .split(';')
    .map((pair) => pair.trim())
    .filter((pair) => pair.startsWith(`${name}=`))
  return values.length === 1 ? values[0]!.slice(name.length + 1) : undefined
}

/** The cookie of one adapter. A dot cannot be in a name, so that no two adapters have one cookie. */
export const cookieOfAdapter = (cookie: string, name: string | undefined): string =>
  name === undefined ? cookie : `${cookie}.${name}`

/** The text of a `Set-Cookie` header. The value has only characters that a cookie takes. */
export const setCookieText = (name: string, value: string, seconds: number): string =>
  `${name}=${value}; Path=/; Max-Age=${seconds}; Secure; HttpOnly; SameSite=Lax`

/** The same that ends the cookie. */
export const expiredCookie = (name: string): string => setCookieText(name, '', 0)
