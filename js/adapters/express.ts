/**
 * The second factor in Express, 4 and 5: a login, a guard for handlers, and the routes of the second factor.
 *
 * @packageDocumentation
 */
import {
  type AdapterOptions,
  createAdapter,
  type LoginInput,
  noPerson,
  type PassRules,
  type Person,
  type SessionPlace,
} from '../adapter.js'
import { type ExpressHandler, type ExpressRequest, type ExpressResponse, requestOf, send } from './express-request.js'

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
export type { ExpressHandler, ExpressRequest, ExpressResponse } from './express-request.js'
export { type ExpressSessionOptions, expressSession } from './express-session.js'

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

  return Object.freeze({
    login: async (req, res, input) => send(res, await adapter.login(requestOf(req, res, session), input)),
    guard: (rules) => (req, res, next) => {
      const job = async () => {
        const { person, answer } = await adapter.admit(requestOf(req, res, session), rules)
        if (answer) return send(res, answer)
        people.set(req, person)
        next()
      }
      job().catch(next)
    },
    routes: (req, res, next) => {
      const job = async () => send(res, await adapter.act(requestOf(req, res, session), req.path.slice(1)))
      job().catch(next)
    },
    person: (req) => people.get(req) ?? noPerson(),
    logOut: async (req, res) => send(res, await adapter.logOut(requestOf(req, res, session))),
  } satisfies ExpressSecondFactor)
}
