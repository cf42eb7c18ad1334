/**
 * The second factor in Fastify 5, as a plugin: a login, a guard for handlers, and the routes of the second factor.
 *
 * @packageDocumentation
 */
import {
  type AdapterAnswer,
  type AdapterOptions,
  createAdapter,
  type LoginInput,
  noPerson,
  type PassRules,
  type Person,
  type PlacedRequest,
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
export { type FastifySessionOptions, fastifySession } from './fastify-session.js'

/** The parts of Fastify's request that are used. */
export interface FastifyRequestParts {
  /** Its method. */
  readonly method: string
  /** Path and query, as they came. */
  readonly originalUrl: string
  /** Its headers. */
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
  /** The host and port that the client asked, as `trustProxy` has it. */
  readonly host: string
  /** The client's address, as `trustProxy` has it. */
  readonly ip: string
  /** The parameters of its path. */
  readonly params: unknown
  /** The body, as a parser of the context has read it. */
  readonly body: unknown
  /** Its route. */
  readonly routeOptions: { readonly config: object }
}

/** The parts of Fastify's reply that are used. */
export interface FastifyReplyParts {
  /** Adds a header. */
  header(name: string, value: string): unknown
  /** Sets the status. */
  code(status: number): unknown
  /** Ends it. */
  send(body?: unknown): unknown
}

/** The parts of Fastify's instance that are used. */
export interface FastifyParts {
  /** Makes a context of its own. */
  register(plugin: (app: FastifyRoutes) => Promise<void>, options: { prefix: string }): unknown
  /** Adds a name to the instance. */
  decorate(name: string, value: unknown): unknown
  /** Adds a name to each request. */
  decorateRequest(name: string, value: { getter(): unknown }): unknown
}

/** The parts of the context of our routes that are used. */
export interface FastifyRoutes {
  /** Removes the parsers of bodies. */
  removeAllContentTypeParsers(): void
  /** Adds one. */
  addContentTypeParser(
    type: '*',
    parser: (request: unknown, body: unknown, done: (error: null, body: unknown) => void) => void,
  ): void
  /** Adds a route for each method. */
  all(
    path: string,
    options: { config: object },
    handler: (request: FastifyRequestParts, reply: FastifyReplyParts) => Promise<unknown>,
  ): void
}

/** A hook of Fastify: `onRequest`, or any later one that comes before the handler. */
export type FastifyGuard = (request: FastifyRequestParts, reply: FastifyReplyParts) => Promise<unknown>

/** Options of the plugin. */
export interface FastifyOptions extends AdapterOptions {
  /** The path under which the routes of the second factor are; `/second-factor` by default. */
  prefix?: string | undefined
  /** Where the login is kept: `fastifySession()`, or a place of your own; by default in a sealed cookie. */
  // biome-ignore lint/suspicious/noExplicitAny: a place of the app's own names Fastify's full type
  session?: ((request: any) => SessionPlace) | undefined
}

/** The second factor of an app: `app.secondFactor`. */
export interface FastifySecondFactor {
  /** Takes a login whose first factor passed, and answers it. Return it in place of your own "the user is in". */
  login(request: FastifyRequestParts, reply: FastifyReplyParts, input: LoginInput): Promise<unknown>
  /** Lets people through who are in, and whose second factor the rules take. Put it on each route, or on the context of some. */
  guard(rules?: PassRules): FastifyGuard
  /** Ends the login, and answers. */
  logOut(request: FastifyRequestParts, reply: FastifyReplyParts): Promise<unknown>
}

// biome-ignore lint/suspicious/noTsIgnore: it is an error only where fastify is not installed, as in our own build
/** @ts-ignore: where fastify is not installed there is nothing to extend. */
declare module 'fastify' {
  interface FastifyInstance {
    /** The second factor of this context. */
    secondFactor: FastifySecondFactor
  }
  interface FastifyRequest {
    /** The person whom the route's guard has let through. Throws where there was none. */
    readonly person: Person
  }
}

/**
 * The second factor of a Fastify app, as a plugin. It decorates the context in which it is registered with `secondFactor`, and each
 * request with `person`; its routes are in a context of their own.
 *
 * @example
 * ```ts
 * import type { SecondFactor } from 'countersign'
 * import { fastifySecondFactor } from 'countersign/fastify'
 * import Fastify from 'fastify'
 *
 * export async function appOf(secondFactor: SecondFactor, checkPassword: (body: unknown) => Promise<string | undefined>) {
 *   const app = Fastify()
 *   await app.register(fastifySecondFactor, { secondFactor })
 *   app.post('/login', async (request, reply) => {
 *     const user = await checkPassword(request.body)
 *     if (user === undefined) return reply.code(401).send({ result: 'wrong_password' })
 *     return app.secondFactor.login(request, reply, { user })
 *   })
 *   app.get('/', { onRequest: app.secondFactor.guard() }, async (request) => ({ user: request.person.user }))
 *   app.post('/transfer', { onRequest: app.secondFactor.guard({ maxAge: 300 }) }, async () => ({ result: 'sent' }))
 *   return app
 * }
 * ```
 *
 * @throws `CountersignError` with `invalid_input`, with the path of the option.
 */
export async function fastifySecondFactor(app: FastifyParts, given: FastifyOptions): Promise<void> {
  const { prefix = '/second-factor', session, ...options } = given
  const adapter = createAdapter(options)
  const people = new WeakMap<object, Person>()

  const requestOf = (request: FastifyRequestParts, reply: FastifyReplyParts): PlacedRequest => ({
    method: request.method,
    url: request.originalUrl,
    // HTTP/2 has another name for the host, and a trusted proxy may tell it.
    header: (name) => (name === 'host' ? request.host : request.headers[name]?.toString()),
    // In a handler of the app its own parsers have read the body.
    body: () =>
      isStream(request.body) ? readBody(request.body, request.headers['content-type']?.toString()) : request.body,
    ip: request.ip,
    // A reply is a promise of its end, so that nothing may wait for what `header` returns.
    setCookie: (cookie) => void reply.header('set-cookie', cookie),
    get place() {
      return session?.(request)
    },
  })

  app.decorate('secondFactor', {
    login: async (request, reply, input) => send(reply, await adapter.login(requestOf(request, reply), input)),
    guard: (rules) => async (request, reply) => {
      // A guard of the whole app is before these routes too. They ask for the state that each needs.
      if (Object.hasOwn(request.routeOptions.config, OWN)) return undefined
      const { person, answer } = await adapter.admit(requestOf(request, reply), rules)
      if (answer) return send(reply, answer)
      people.set(request, person)
      return undefined
    },
    logOut: async (request, reply) => send(reply, await adapter.logOut(requestOf(request, reply))),
  } satisfies FastifySecondFactor)
  app.decorateRequest('person', {
    getter(this: object) {
      return people.get(this) ?? noPerson()
    },
  })
  app.register(
    async (routes: FastifyRoutes) => {
      // Bodies are read by the core, so that a bad one gets the answer of these routes, whatever parsers the app has.
      routes.removeAllContentTypeParsers()
      routes.addContentTypeParser('*', (_request, body, done) => done(null, body))
      routes.all('/:action', { config: { [OWN]: true } }, async (request, reply) =>
        send(reply, await adapter.act(requestOf(request, reply), (request.params as { action: string }).action)),
      )
    },
    { prefix },
  )
}

// A plugin with this mark decorates the context in which it is registered, and not one of its own. fastify-plugin sets the same.
Object.assign(fastifySecondFactor, {
  [Symbol.for('skip-override')]: true,
  [Symbol.for('fastify.display-name')]: 'countersign',
  [Symbol.for('plugin-meta')]: { name: 'countersign', fastify: '5.x' },
})

/** Marks the routes of ours, whatever their paths are. */
const OWN = Symbol('second factor')

const isStream = (body: unknown): body is AsyncIterable<Uint8Array | string> =>
  typeof body === 'object' && body !== null && Symbol.asyncIterator in body

/** Fastify sends what a handler has not sent, so that each one returns its reply. */
function send(reply: FastifyReplyParts, { status, headers, body }: AdapterAnswer): FastifyReplyParts {
  reply.code(status)
  for (const [name, value] of Object.entries(headers)) reply.header(name, value)
  reply.send(body)
  return reply
}
