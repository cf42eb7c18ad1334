// The requests of Next, in the words of the core: a standard `Request`, the request around a server action or component, and that of
// the Pages Router.
import { cookies, headers } from 'next/headers'
import { type AdapterAnswer, type AdapterRequest, readBody } from '../adapter.js'

/** A header by its name in small letters. */
export type HeaderOf = (name: string) => string | undefined

/** The client's address, by the headers of the platform. */
export type AddressOf = ((header: HeaderOf) => string | undefined) | undefined

/** The parts of the Pages Router's request that are used. */
export interface NextApiRequest {
  /** Its method. */
  readonly method?: string | undefined
  /** Path and query, as they came. */
  readonly url?: string | undefined
  /** Its headers. */
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
  /** The body, parsed. */
  readonly body?: unknown
}

/** The parts of the Pages Router's response that are used. */
export interface NextApiResponse {
  /** Adds a header. */
  appendHeader(name: string, value: string): unknown
  /** Sets a header. */
  setHeader(name: string, value: string): unknown
  /** Sets the status. */
  status(code: number): { json(body: unknown): void; end(): unknown }
}

/** The request of a route handler, or of the middleware. Its answer's cookies come into the list. */
export function requestOf(request: Request, addressOf: AddressOf, set: string[]): AdapterRequest {
  const header: HeaderOf = (name) => request.headers.get(name) ?? undefined
  const { pathname, search } = new URL(request.url)
  return {
    method: request.method,
    url: pathname + search,
    header,
    // A handler that has read the body itself hands `next` to `login`.
    body: () => (request.bodyUsed ? undefined : readBody(request.body as Body, header('content-type'))),
    ip: addressOf?.(header),
    setCookie: (cookie) => void set.push(cookie),
  }
}

type Body = Parameters<typeof readBody>[0]

/** The answer to such a request. */
export function responseOf({ status, headers, body }: AdapterAnswer, set: readonly string[]): Response {
  const given = new Headers(headers)
  for (const cookie of set) given.append('set-cookie', cookie)
  if (body !== undefined) given.set('content-type', 'application/json')
  return new Response(body === undefined ? null : JSON.stringify(body), { status, headers: given })
}

/** The headers and cookies around a server action or component. Next takes a page that asks for them out of its build. */
export async function surroundings() {
  const [given, jar] = await Promise.all([headers(), cookies()])
  return { given, jar }
}

/** The request around a server action (`POST`) or component (`GET`): one that moves to a page. `url` is the way back, where it is known. */
export function surroundingRequest(
  { given, jar }: Awaited<ReturnType<typeof surroundings>>,
  method: 'GET' | 'POST',
  url: string | undefined,
  addressOf: AddressOf,
): AdapterRequest {
  const header: HeaderOf = (name) => given.get(name) ?? undefined
  return {
    method,
    url: url ?? pathOf(header('referer')),
    header: (name) => (name === 'sec-fetch-mode' ? 'navigate' : header(name)),
    body: () => undefined,
    ip: addressOf?.(header),
    setCookie(cookie) {
      // A component cannot set cookies: they stay as they are until the next request that can.
      if (method === 'GET') return
      const [, name, value, seconds] = /^([^=]+)=([^;]*);.*Max-Age=(\d+)/.exec(cookie)!
      const options = { path: '/', maxAge: Number(seconds), secure: true, httpOnly: true, sameSite: 'lax' }
      jar.set(name!, value!, options)
    },
  }
}

/** The path of the page from which an action was sent. It is the way back of that client alone, and nothing is decided by it. */
function pathOf(referer: string | undefined): string {
  if (referer === undefined || !URL.canParse(referer)) return ''
  const { pathname, search } = new URL(referer)
  return pathname + search
}

/** The request of an API route of the Pages Router. */
export function apiRequestOf(req: NextApiRequest, res: NextApiResponse, addressOf: AddressOf): AdapterRequest {
  const header: HeaderOf = (name) => req.headers[name]?.toString()
  return {
    method: req.method ?? '',
    url: req.url ?? '',
    header,
    body: () => req.body,
    ip: addressOf?.(header),
    setCookie: (cookie) => void res.appendHeader('set-cookie', cookie),
  }
}

/** Sends the answer to such a request. */
export function sendApi(res: NextApiResponse, { status, headers, body }: AdapterAnswer): void {
  for (const [name, value] of Object.entries(headers)) res.setHeader(name, value)
  if (body === undefined) res.status(status).end()
  else res.status(status).json(body)
}
