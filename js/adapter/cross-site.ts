// Requests that a page of another site makes with the cookies of this one (cross-site request forgery).
//
// Browsers say where a request comes from, by Sec-Fetch-Site or by Origin, and no page can change either. A client that sends
// neither is no browser, and brings no cookie that a person did not hand to it.
import { invalid } from '../error.js'
import { type AdapterRequest, isSafe } from './request.js'

/**
 * Origins as browsers write them, checked: a slip here would refuse every request of that site.
 *
 * @example
 * ```ts
 * import { originsOf } from 'countersign/adapter'
 *
 * export const origins = originsOf(['https://app.acme.example'])
 * ```
 */
export function originsOf(origins: readonly string[] = []): ReadonlySet<string> {
  for (const [index, origin] of origins.entries()) {
    const url = URL.canParse(origin) ? new URL(origin) : undefined
    if (url?.origin !== origin || origin === 'null')
      throw invalid(`origins[${index}]`, 'must be an origin, like `https://www.acme.example`, without a path')
  }
  return new Set(origins)
}

/**
 * Whether a page of another origin that is not among `origins` sends a request that may change something: any but a read. A WebSocket
 * is opened by a GET, and any page may open one, so that its request is no read.
 *
 * @example
 * ```ts
 * import { type AdapterRequest, isCrossSite, originsOf } from 'countersign/adapter'
 *
 * const origins = originsOf(['https://app.acme.example'])
 * export const mayGoOn = (request: AdapterRequest): boolean => !isCrossSite(request, origins)
 * ```
 */
export function isCrossSite(request: AdapterRequest, origins: ReadonlySet<string>): boolean {
  const opensSocket = request.header('upgrade')?.toLowerCase() === 'websocket'
  if (isSafe(request) && !opensSocket) return false
  const origin = request.header('origin')
  if (origin !== undefined && origins.has(origin)) return false
  switch (request.header('sec-fetch-site')) {
    case 'same-origin':
    case 'none': // typed into the address bar, or a bookmark
      return false
    case undefined:
      return origin !== undefined && !isHostOf(origin, request.header('host'))
    default: // `cross-site`, `same-site`, and all that may come
      return true
  }
}

/** Whether an origin is that of a host; `null`, and a request that names no host, are none. */
export const isHostOf = (origin: string, host: string | undefined) =>
  host !== undefined && URL.canParse(origin) && new URL(origin).host === host.toLowerCase()
