/**
 * The second factor in Hono 4, on Node.js, Bun, Deno and workerd: a login, a guard for handlers, and the routes of the second factor.
 *
 * @packageDocumentation
 */
import {
  type AdapterAnswer,
  type AdapterOptions,
  BadRequest,
  CountersignError,
  createAdapter,
  type LoginInput,
  noPerson,
  type PassRules,
  type Person,
  type PlacedRequest,
  parseBody,
  readBody,
  type SessionPlace,
} from '../adapter.js'

export type {
  AdapterOptions,
  AdapterPages,
  HostUser,
  LoginInput,
  PassRules,
  Person,
  SessionPlace,
  UserFacts,
} from '../adapter.js'

/** The runtime's `Response`. */
export type HonoResponse = typeof globalThis extends { Response: { prototype: infer R } } ? R : never

/** The parts of Hono's context that are used. */
export interface HonoContext {
  /** The request. */
  readonly req: HonoRequestParts
  /** Adds a header to the answer. */
  header(name: string, value: string, options: { append: boolean }): void
  /** The answer. */
  body(data: string | null, status: number, headers: Record<string, string>): HonoResponse
}

/** The parts of Hono's request that are used. */
export interface HonoRequestParts {
  /** Its method. */
  readonly method: string
  /** Its whole address. */
  readonly url: string
  /** Its path. */
  readonly path: string
  /** The runtime's request. */
  readonly raw: { readonly body: HonoStream | null; readonly bodyUsed: boolean }
  /** The body, where the app has read it. */
  readonly bodyCache: object
  /** A header. */
  header(name: string): string | undefined
  /** The body as text. */
  text(): Promise<string>
  /** The body as a form. */
  parseBody(): Promise<unknown>
}

/** The parts of a stream that are used. */
export interface HonoStream {
  /** Begins to read it. */
  getReader(): { read(): Promise<{ done: boolean; value?: Uint8Array | undefined }> }
}

/** A handler of Hono. */
export type HonoHandler = (c: HonoContext) => Promise<HonoResponse>

/** A middleware of Hono. */
export type HonoGuard = (c: HonoContext, next: () => Promise<void>) => Promise<HonoResponse | undefined>

/** Options of the adapter. */
export interface HonoOptions extends AdapterOptions {
  /**
   * The client's address, which each runtime tells in its own way: by `getConnInfo` of Hono's package for it, or by the header of a proxy
   * of yours. A header that a client may set is no address.
   */
  // biome-ignore lint/suspicious/noExplicitAny: Hono's full type has the bindings of the app
  ip: (c: any) => string | undefined
  /** Where the login is kept: a place of your own; by default in a sealed cookie. */
  // biome-ignore lint/suspicious/noExplicitAny: the same
  session?: ((c: any) => SessionPlace) | undefined
}

/** The second factor of an app. */
export interface HonoSecondFactor {
  /** Takes a login whose first factor passed, and answers it. Return it in place of your own "the user is in". */
  login(c: HonoContext, input: LoginInput): Promise<HonoResponse>
  /** Lets people through who are in, and whose second factor the rules take. Put it on each handler, before it. */
  guard(rules?: PassRules): HonoGuard
  /** The routes of the second factor: `app.all('/second-factor/*', auth.routes)`. */
  routes: HonoHandler
  /** The person whom the handler's guard has let through. Throws where there was none. */
  person(c: HonoContext): Person
  /** Ends the login, and answers. */
  logOut(c: HonoContext): Promise<HonoResponse>
}

/**
 * Makes the second factor of a Hono app.
 *
 * @example
 * ```ts
 * import { getConnInfo } from '@hono/node-server/conninfo'
 * import type { SecondFactor } from 'countersign'
 * import { honoSecondFactor } from 'countersign/hono'
 * import { Hono } from 'hono'
 *
 * export function appOf(secondFactor: SecondFactor, checkPassword: (body: unknown) => Promise<string | undefined>) {
 *   const auth = honoSecondFactor({ secondFactor, ip: (c) => getConnInfo(c).remote.address })
 *   const app = new Hono()
 *   app.all('/second-factor/*', auth.routes)
 *   app.post('/login', async (c) => {
 *     const user = await checkPassword(await c.req.json())
 *     return user === undefined ? c.json({ result: 'wrong_password' }, 401) : auth.login(c, { user })
 *   })
 *   app.get('/', auth.guard(), (c) => c.json({ user: auth.person(c).user }))
 *   app.post('/transfer', auth.guard({ maxAge: 300 }), (c) => c.json({ result: 'sent' }))
 *   return app
 * }
 * ```
 *
 * @throws `CountersignError` with `invalid_input`, with the path of the option.
 */
export function honoSecondFactor({ ip, session, ...options }: HonoOptions): HonoSecondFactor {
  if (typeof ip !== 'function')
    throw new CountersignError('invalid_input', 'ip', 'must be a function that gives the client’s address')
  const adapter = createAdapter(options)
  const people = new WeakMap<object, Person>()

  const requestOf = (c: HonoContext): PlacedRequest => {
    const { host, pathname, search } = new URL(c.req.url)
    return {
      method: c.req.method,
      url: `${pathname}${search}`,
      // HTTP/2 has another name for the host.
      header: (name) => c.req.header(name) ?? (name === 'host' ? host : undefined),
      body: () => bodyOf(c.req),
      ip: ip(c),
      setCookie: (cookie) => c.header('set-cookie', cookie, { append: true }),
      place: session?.(c),
    }
  }

  return Object.freeze({
    login: async (c, input) => responseOf(c, await adapter.login(requestOf(c), input)),
    guard: (rules) => async (c, next) => {
      const { person, answer } = await adapter.admit(requestOf(c), rules)
      if (answer) return responseOf(c, answer)
      people.set(c, person)
      await next()
      return undefined
    },
    routes: async (c) =>
      responseOf(c, await adapter.act(requestOf(c), c.req.path.slice(c.req.path.lastIndexOf('/') + 1))),
    person: (c) => people.get(c) ?? noPerson(),
    logOut: async (c) => responseOf(c, await adapter.logOut(requestOf(c))),
  } satisfies HonoSecondFactor)
}

/** Takes a body that the app has read from Hono's cache, and reads any other, up to the limit. */
async function bodyOf(req: HonoRequestParts): Promise<unknown> {
  const type = req.header('content-type')
  const isRead = req.raw.bodyUsed || Object.keys(req.bodyCache).length > 0
  if (!isRead) return readBody(req.raw.body && chunksOf(req.raw.body), type)
  if (!type?.includes('json')) return req.parseBody().catch(unreadable)
  return parseBody(await req.text(), type)
}

function unreadable(): never {
  throw new BadRequest(400, 'the body is no form')
}

/** Not every runtime lets a stream be looped over. */
async function* chunksOf(stream: HonoStream): AsyncGenerator<Uint8Array> {
  const reader = stream.getReader()
  for (;;) {
    const { done, value } = await reader.read()
    if (done || value === undefined) return
    yield value
  }
}

const responseOf = (c: HonoContext, { status, headers, body }: AdapterAnswer): HonoResponse =>
  body === undefined
    ? c.body(null, status, headers)
    : c.body(JSON.stringify(body), status, { ...headers, 'content-type': 'application/json' })
