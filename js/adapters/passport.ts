/**
 * The second factor in Passport, 0.6 and 0.7: every strategy of the app leads to a half-way session, and the strategy `second-factor`
 * leads on.
 *
 * @packageDocumentation
 */
import {
  type AdapterAnswer,
  type AdapterOptions,
  CountersignError,
  createAdapter,
  type HostUser,
  logInFirst,
  noPerson,
  type PassRules,
  type Person,
  type SessionPlace,
} from '../adapter.js'
import { type ExpressHandler, type ExpressRequest, type ExpressResponse, requestOf, send } from './express-request.js'
import {
  giveSession,
  type LogInOptions,
  type PassportActions,
  type PassportRequest,
  type PassportStrategy,
  takeOver,
} from './passport-request.js'

export type { AdapterOptions, AdapterPages, HostUser, PassRules, Person, SessionPlace, UserFacts } from '../adapter.js'
export type { ExpressHandler, ExpressRequest, ExpressResponse } from './express-request.js'
export { type ExpressSessionOptions, expressSession } from './express-session.js'
export type { PassportActions, PassportStrategy } from './passport-request.js'

/** Options of the adapter. `User` is what your strategies give, and what `req.user` is. */
export interface PassportOptions<User> extends Omit<AdapterOptions, 'name'> {
  /** The id in your database of a user whom a strategy gave. Takes the place of `serializeUser`. */
  idOf: (user: User) => string | HostUser
  /** Your user with this id, or nothing where there is none any more. Takes the place of `deserializeUser`. */
  userOf: (id: HostUser) => UserOrNobody<User> | Promise<UserOrNobody<User>>
  /** Where the login is kept: `expressSession()`, or a place of your own; by default in a sealed cookie. */
  session?: ((req: ExpressRequest) => SessionPlace) | undefined
}

/** A user, or nobody. */
export type UserOrNobody<User> = User | undefined | null | false

/** The second factor of an app that uses Passport. */
export interface PassportSecondFactor {
  /**
   * Before every strategy, in the place of `passport.session()`: `req.user` is the person who is in, by `check`, and nobody else;
   * `req.logIn`, which Passport calls for every strategy, leads to the second factor; `req.logOut` ends the login.
   */
  session(): ExpressHandler
  /** `passport.use(auth.strategy)`: takes the fields of `verify` in the body. */
  strategy: PassportStrategy
  /** Sends the adapter's own answer to a login, or to the second step: JSON, or your page. Put it behind `passport.authenticate`. */
  answer: ExpressHandler
  /** Lets people through who are in, and whose second factor the rules take. Put it on each handler, before it. */
  guard(rules?: PassRules): ExpressHandler
  /** The routes of the second factor: `app.use('/second-factor', auth.routes)`. */
  routes: ExpressHandler
  /** The person whom the handler's guard has let through. Throws where there was none. */
  person(req: ExpressRequest): Person
}

/** One request, as far as it got. */
interface Visit<User> {
  res: ExpressResponse
  next: (error?: unknown) => void
  /** The user who is in. */
  user?: User | undefined
  /** The person whom `check` let in. */
  person?: Person | undefined
  /** Whether a guard let the person through. */
  isGuarded?: boolean
  /** The user who proved the second factor in this request, whom Passport then logs in. */
  verified?: User | undefined
  /** The answer to the login, or to the second step. */
  answer?: AdapterAnswer
}

/**
 * Makes the second factor of an app that uses Passport.
 *
 * @example
 * ```ts
 * import type { SecondFactor } from 'countersign'
 * import { expressSession, passportSecondFactor } from 'countersign/passport'
 *
 * interface User { id: string, name: string }
 *
 * export const authOf = (secondFactor: SecondFactor, users: Map<string, User>) =>
 *   passportSecondFactor<User>({
 *     secondFactor,
 *     session: expressSession(),
 *     idOf: ({ id }) => id,
 *     userOf: ({ user }) => users.get(user),
 *   })
 * ```
 *
 * @throws `CountersignError` `invalid_input`, with the path of the option.
 */
export function passportSecondFactor<User>({
  session,
  idOf,
  userOf,
  ...options
}: PassportOptions<User>): PassportSecondFactor {
  for (const [path, given] of Object.entries({ idOf, userOf }))
    if (typeof given !== 'function') throw new CountersignError('invalid_input', path, `\`${path}\` must be a function`)
  if ((options as AdapterOptions).name !== undefined)
    throw new CountersignError('invalid_input', 'name', 'leave it out: an app with Passport has one second factor')
  const adapter = createAdapter(options)
  // Passport's own calls leave the response to the app, so that they give no pages.
  const plain = createAdapter({ ...options, pages: undefined })
  const visits = new WeakMap<object, Visit<User>>()

  function visitOf(req: ExpressRequest): Visit<User> {
    const visit = visits.get(req)
    if (visit) return visit
    throw new CountersignError('no_guard', '', 'put `app.use(auth.session())` before all that uses Passport')
  }

  const placed = (req: ExpressRequest) => requestOf(req, visitOf(req).res, session)

  const hostUserOf = (user: User): HostUser => {
    const id = idOf(user)
    return typeof id === 'string' ? { user: id } : id
  }

  const findUser = async ({ account, user }: HostUser): Promise<User | undefined> =>
    (await userOf(account === undefined ? { user } : { account, user })) || undefined

  function setUser(req: PassportRequest, user: User | undefined, person?: Person): void {
    Object.assign(visitOf(req), { user, person })
    req.user = user
  }

  /** Makes the person the request's user, and says whether there is such a user. */
  async function become(req: PassportRequest, person: Person): Promise<boolean> {
    const known = visitOf(req)
    const user = known.person?.session === person.session ? known.user : await findUser(person)
    setUser(req, user, user === undefined ? undefined : person)
    return user !== undefined
  }

  /** Takes a login of Passport's, and says whether the user is in. Where not, the response is sent. */
  async function logIn(req: PassportRequest, user: User, options: LogInOptions): Promise<boolean> {
    const visit = visitOf(req)
    const isVerified = visit.verified !== undefined && visit.verified === user
    setUser(req, undefined)
    if (!isVerified) {
      const carry = options.session === false ? 'value' : 'cookie'
      const { fromOtherSite } = options
      visit.answer = await adapter.login(placed(req), { ...hostUserOf(user), carry, fromOtherSite })
      if (!visit.answer.entered) {
        send(visit.res, visit.answer)
        return false
      }
    }
    setUser(req, user)
    return true
  }

  async function logOut(req: PassportRequest): Promise<boolean> {
    const answer = await plain.logOut(placed(req))
    if (answer.status !== 200) {
      send(visitOf(req).res, answer)
      return false
    }
    setUser(req, undefined)
    giveSession(req)
    return true
  }

  async function verify(req: PassportRequest, strategy: PassportActions, options: { failureRedirect?: unknown }) {
    const visit = visitOf(req)
    const answer = await adapter.act(placed(req), 'verify')
    const { entered, status, headers, body } = answer
    if (entered) {
      const user = await findUser(entered)
      if (user === undefined) return strategy.fail({ message: 'log_in_first' }, 401)
      Object.assign(visit, { verified: user, answer })
      return strategy.success(user, body)
    }
    if (headers.location !== undefined && options.failureRedirect === undefined)
      return strategy.redirect(headers.location, status)
    visit.res.status(status).set(headers)
    strategy.fail({ message: body?.result, ...body }, status)
  }

  return Object.freeze({
    session: () => (req, res, next) => {
      visits.set(req, { res, next })
      takeOver(req, { logIn, logOut, isIn: () => visitOf(req).user !== undefined, failed: next })
      setUser(req, undefined)
      const job = async () => {
        const { person, answer } = await plain.admit(placed(req))
        if (answer && answer.status >= 500) return send(res, answer)
        if (person) await become(req, person)
        next()
      }
      job().catch(next)
    },
    strategy: {
      name: 'second-factor',
      authenticate(req, options = {}) {
        verify(req, this, options).catch((error) => this.error(error))
      },
    },
    answer: (req, res, next) => {
      const { answer } = visitOf(req)
      if (answer) send(res, answer)
      else next()
    },
    guard: (rules) => (req, res, next) => {
      const job = async () => {
        const { person, answer } = await adapter.admit(placed(req), rules)
        if (answer) return send(res, answer)
        if (!(await become(req, person))) {
          await plain.logOut(placed(req))
          return send(res, logInFirst())
        }
        visitOf(req).isGuarded = true
        next()
      }
      job().catch(next)
    },
    routes: (req, res, next) => {
      const job = async () => send(res, await adapter.act(placed(req), req.path.slice(1)))
      job().catch(next)
    },
    person: (req) => {
      const { isGuarded, person } = visitOf(req)
      return (isGuarded ? person : undefined) ?? noPerson()
    },
  } satisfies PassportSecondFactor)
}
