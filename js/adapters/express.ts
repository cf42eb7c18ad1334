/**
 * The second factor in Express, 4 and 5: a login, a guard for handlers, and the routes of the second factor.
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
export { type ExpressSessionOptions, expressSession } from './express-session.js'

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

/** Options of the adapter. */
export interface ExpressOptions extends AdapterOptions {
  /** Where the login is kept: `expressSession()`, or a place of your own; by default in a sealed cookie. */
  session?: ((req: ExpressRequest) => SessionPlace) | undefined
}

/** The second factor of an app. */
export interface ExpressSecondFactor {
  /** Takes a login whose first factor passed, and answers it. Call it in place of your own "the user is in". */
  login(req: ExpressRequest, res: ExpressResponse, input: LoginInput): Promise<void>
  /** Lets people through who are in, and whose second factor the rules take. Put it on each handler, before it. */
  guard(rules?: PassRules): ExpressHandler
  /** The routes of the second factor: `app.use('/second-factor', secondFactor.routes)`. */
  routes: ExpressHandler
  /** The person whom the handler's guard has let through. Throws where there was none. */
  person(req: ExpressRequest): Person
  /** Ends the login, and answers. */
  logOut(req: ExpressRequest, res: ExpressResponse): Promise<void>
}

/**
 * Makes the second factor of an Express app.
 *
 * @example
 * ```ts
 * import type { SecondFactor } from 'countersign'
 * import { expressSecondFactor } from 'countersign/express'
 * import express from 'express'
 *
 * export function appOf(secondFactor: SecondFactor, checkPassword: (body: unknown) => Promise<string | undefined>) {
 *   const auth = expressSecondFactor({ secondFactor })
 *   const app = express()
 *   app.use('/second-factor', auth.routes)
 *   app.post('/login', express.json(), async (req, res) => {
 *     const user = await checkPassword(req.body)
 *     if (user === undefined) return void res.status(401).json({ result: 'wrong_password' })
 *     await auth.login(req, res, { user })
 *   })
 *   app.get('/', auth.guard(), (req, res) => void res.json({ user: auth.person(req).user }))
 *   app.post('/transfer', auth.guard({ maxAge: 300 }), (_req, res) => void res.json({ result: 'sent' }))
 *   return app
 * }
 * ```
 *
 * @throws `CountersignError` with `invalid_input`, with the path of the option.
 */
export function expressSecondFactor({ session, ...options }: ExpressOptions): ExpressSecondFactor {
  const adapter = createAdapter(options)
  const people = new WeakMap<object, Person>()

  const requestOf = (req: ExpressRequest, res: ExpressResponse): PlacedRequest => ({
    method: req.method,
    url: req.originalUrl,
    header: (name) => req.headers[name]?.toString(),
    // A body that a parser of the app has read is in `body`.
    body: () => req.body ?? readBody(req, req.headers['content-type']?.toString()),
    ip: req.ip,
    setCookie: (cookie) => res.append('set-cookie', cookie),
    place: session?.(req),
  })

  return Object.freeze({
    login: async (req, res, input) => send(res, await adapter.login(requestOf(req, res), input)),
    guard: (rules) => (req, res, next) => {
      const job = async () => {
        const { person, answer } = await adapter.admit(requestOf(req, res), rules)
        if (answer) return send(res, answer)
        people.set(req, person)
        next()
      }
      job().catch(next)
    },
    routes: (req, res, next) => {
      const job = async () => send(res, await adapter.act(requestOf(req, res), req.path.slice(1)))
      job().catch(next)
    },
    person: (req) => people.get(req) ?? noPerson(),
    logOut: async (req, res) => send(res, await adapter.logOut(requestOf(req, res))),
  } satisfies ExpressSecondFactor)
}

function send(res: ExpressResponse, { status, headers, body }: AdapterAnswer): void {
  const answer = res.status(status).set(headers)
  if (body === undefined) answer.end()
  else answer.json(body)
}
