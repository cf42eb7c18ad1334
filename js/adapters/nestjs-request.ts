// The request of each kind of context of NestJS, on Express and on Fastify, as the core of adapters has it.
import { type AdapterAnswer, BadRequest, type PlacedRequest, readBody, type SessionPlace } from '../adapter.js'

/** The parts of a request that are used: of Express, of Fastify, or of Node.js where a WebSocket began. */
export interface NestRequest {
  /** Its method. */
  readonly method?: string | undefined
  /** Path and query, as they came. */
  readonly originalUrl?: string | undefined
  /** The same, where nothing has changed it. */
  readonly url?: string | undefined
  /** Its headers. */
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
  /** The client's address behind the proxies that the app trusts. */
  readonly ip?: string | undefined
  /** The connection. */
  readonly socket?: { readonly remoteAddress?: string | undefined } | undefined
  /** The body, where a parser has read it. */
  readonly body?: unknown
}

/** The parts of an execution context that are used. */
export interface NestContext {
  /** `http`, `graphql`, `ws`, `rpc`, or another. */
  getType(): string
  /** The arguments of its handler, as the framework gives them. */
  getArgs(): readonly unknown[]
  /** The handler. */
  getHandler(): object
  /** The class of the handler. */
  getClass(): object
}

/** The part of `ModuleRef` that is used. */
export interface NestModuleRef {
  /** The provider of a token, from any module. */
  get<T>(token: abstract new (...args: never[]) => T, options: { strict: false }): T
}

/** The parts of the HTTP server of NestJS that are used. @internal */
export interface NestHttpServer {
  appendHeader(response: unknown, name: string, value: string): void
  setHeader(response: unknown, name: string, value: string): void
  reply(response: unknown, body: unknown, status: number): unknown
}

/** Where the login of a request is kept. @internal */
export type PlaceOfNest = ((req: NestRequest) => SessionPlace) | undefined

/** Bytes of a body of ours, however much the app's parsers take. */
const MAX_BODY = 16_384

/** A request for the core. One that is no HTTP handler's has no response, and so sets no cookie. @internal */
export function requestOf(
  req: NestRequest,
  session: PlaceOfNest,
  server?: NestHttpServer,
  res?: unknown,
): PlacedRequest {
  const header = (name: string) => req.headers[name]?.toString()
  return {
    method: req.method ?? 'POST',
    url: req.originalUrl ?? req.url ?? '/',
    header,
    body: () => {
      if (Number(header('content-length')) > MAX_BODY) throw new BadRequest(413, 'the body is too long')
      const isStream = req.body === undefined && Symbol.asyncIterator in req
      return isStream ? readBody(req as unknown as AsyncIterable<Uint8Array>, header('content-type')) : req.body
    },
    ip: req.ip ?? req.socket?.remoteAddress,
    // The reply of Fastify is a promise of its own end: who waits for it here waits for ever.
    setCookie: (cookie) => void server?.appendHeader(res, 'set-cookie', cookie),
    place: session?.(req),
  }
}

/** Puts the headers of an answer on a response. @internal */
export function setHeaders(server: NestHttpServer, res: unknown, { headers }: AdapterAnswer): void {
  for (const [name, value] of Object.entries(headers)) server.setHeader(res, name, value)
}

/** The requests with which WebSockets began. */
const handshakes = new WeakMap<object, NestRequest>()

/** Remembers the request of a WebSocket. @internal */
export function remember(client: object, { headers, url, socket }: NestRequest, ip: string | undefined): void {
  // A page of any site may open a WebSocket, and can change what it likes by it: its request is no read, though its method is GET.
  handshakes.set(client, { method: 'POST', headers, url, ip: ip ?? socket?.remoteAddress })
}

/** The request behind a handler, its response where it answers one, and an object that lives as long; else nothing. @internal */
export function partsOf(context: NestContext): { req: NestRequest; res?: unknown; holder: object } | undefined {
  const args = context.getArgs()
  switch (context.getType()) {
    case 'http':
      return withHolder(args[0], args[0], args[1])
    case 'graphql': {
      const { req, request } = (args[2] ?? {}) as { req?: unknown; request?: unknown }
      return withHolder(req ?? request, args[2])
    }
    case 'ws':
      return isObject(args[0]) ? withHolder(handshakes.get(args[0]), args[0]) : undefined
    default:
      return undefined
  }
}

function withHolder(req: unknown, holder: unknown, res?: unknown) {
  if (!isObject(req) || !isObject(holder) || !isObject((req as Partial<NestRequest>).headers)) return undefined
  return { req: req as NestRequest, holder, res }
}

const isObject = (value: unknown): value is object => typeof value === 'object' && value !== null
