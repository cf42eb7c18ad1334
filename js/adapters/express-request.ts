// The request and the response of Express, as the core of adapters has them.
import { type AdapterAnswer, type PlacedRequest, readBody, type SessionPlace } from '../adapter.js'

/** The parts of Express' request that are used. */
export interface ExpressRequest extends AsyncIterable<Uint8Array | string> {
  /** Its method. */
  readonly method: string
  /** Path and query, as they came. */
  readonly originalUrl: string
  /** The path below that of the router. */
  readonly path: string
  /** Its headers. */
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
  /** The client's address, as `trust proxy` has it. */
  readonly ip?: string | undefined
  /** The body, where a parser of the app has read it. */
  readonly body?: unknown
  /** Whether all of the body has been read. */
  readonly readableEnded?: boolean | undefined
}

/** The parts of Express' response that are used. */
export interface ExpressResponse {
  /** Adds a header. */
  append(name: string, value: string): unknown
  /** Sets the status. */
  status(code: number): { set(headers: Record<string, string>): { json(body: unknown): unknown; end(): unknown } }
}

/** A handler of Express. */
export type ExpressHandler = (req: ExpressRequest, res: ExpressResponse, next: (error?: unknown) => void) => void

/** Where the login of a request is kept. @internal */
export type PlaceOfRequest = ((req: ExpressRequest) => SessionPlace) | undefined

/** A request for the core. @internal */
export const requestOf = (req: ExpressRequest, res: ExpressResponse, session: PlaceOfRequest): PlacedRequest => ({
  method: req.method,
  url: req.originalUrl,
  header: (name) => req.headers[name]?.toString(),
  body: () => (isRead(req) ? req.body : readBody(req, req.headers['content-type']?.toString())),
  ip: req.ip,
  setCookie: (cookie) => res.append('set-cookie', cookie),
  // Made where it is used alone: a client that keeps the session as a value needs none.
  get place() {
    return session?.(req)
  },
})

/** Whether a parser of the app has read the body. Those of Express 4 leave an empty object where they have read none. */
const isRead = ({ body, readableEnded }: ExpressRequest): boolean =>
  body !== undefined && (readableEnded !== false || Object.keys(Object(body)).length > 0)

/** Sends an answer of the core. @internal */
export function send(res: ExpressResponse, { status, headers, body }: AdapterAnswer): void {
  const answer = res.status(status).set(headers)
  if (body === undefined) answer.end()
  else answer.json(body)
}
