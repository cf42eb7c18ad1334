/**
 * The second factor in Next: guards for route handlers, server actions, server components and API routes, a route for the actions of
 * the second factor, and a middleware that sends people to the login.
 *
 * @packageDocumentation
 */
import { redirect } from 'next/navigation'
import {
  type AdapterAnswer,
  type AdapterOptions,
  type AdapterPages,
  type AdapterRequest,
  CountersignError,
  createAdapter,
  type ErrorCode,
  type LoginInput,
  type PassRules,
  type Person,
  type PlacedRequest,
  type SessionPlace,
} from '../adapter.js'
import {
  apiRequestOf,
  type HeaderOf,
  type NextApiRequest,
  type NextApiResponse,
  requestOf,
  responseOf,
  sendApi,
  surroundingRequest,
  surroundings,
} from './next-requests.js'

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
export type { HeaderOf, NextApiRequest, NextApiResponse } from './next-requests.js'

/** Options of the adapter. */
export interface NextOptions extends AdapterOptions {
  /** Your pages: a server component or action can only send people to another page. */
  pages: AdapterPages
  /**
   * The client's address, by the header that your platform sets and no client can: `(header) => header('x-real-ip')`. Next tells no
   * address by itself. Without this option there is none, and address rules let nobody in.
   */
  ip?: ((header: HeaderOf) => string | undefined) | undefined
  /** Where the login is kept: a place of your own, made for each request; by default in a sealed cookie. */
  session?: (() => SessionPlace | Promise<SessionPlace>) | undefined
}

/** The rules of a page, and the way back to it after a second step. */
export interface NextPageRules extends PassRules {
  /** The path of the page; by default the page that led here, where the browser tells it. */
  next?: string | undefined
}

/** A route handler. */
export type NextHandler<Context, Req extends Request = Request> = (request: Req, context: Context) => Promise<Response>

/** A route handler that has a person. */
export type NextGuarded<Context, Req extends Request = Request> = (
  request: Req,
  person: Person,
  context: Context,
) => Response | Promise<Response>

/** The second factor of an app. */
export interface NextSecondFactor {
  /** In a route handler: takes a login whose first factor passed, and gives the answer to it. */
  login(request: Request, input: LoginInput): Promise<Response>
  /** In a server action: takes a login whose first factor passed, and sends the person to the page that follows. */
  loginInAction(input: Omit<LoginInput, 'carry'>): Promise<never>
  /** A route handler that runs for people who are in, and whose second factor the rules take. */
  handler<Context, Req extends Request = Request>(
    rules: PassRules,
    run: NextGuarded<Context, Req>,
  ): NextHandler<Context, Req>
  /** A server action that runs for the same people; others are sent to your pages. */
  action<Args extends unknown[], Result>(
    rules: PassRules,
    run: (person: Person, ...args: Args) => Result | Promise<Result>,
  ): (...args: Args) => Promise<Result>
  /** In a server component: the person who is in. Others are sent to your pages. Ask it in each page: a layout guards none. */
  person(rules?: NextPageRules): Promise<Person>
  /** An API route of the Pages Router that runs for the same people. */
  api<Req extends NextApiRequest, Res extends NextApiResponse>(
    rules: PassRules,
    run: (req: Req, res: Res, person: Person) => unknown,
  ): (req: Req, res: Res) => Promise<void>
  /** The routes of the second factor: `export const { GET, POST } = auth.routes` in `app/second-factor/[action]/route.js`. */
  routes: Record<'GET' | 'POST', NextHandler<{ params: Promise<{ action: string }> }>>
  /** Sends people who are not in from the paths of its `matcher` to your pages. It lets nobody in: guard what is there. */
  middleware(request: Request): Promise<Response | undefined>
  /** In a route handler: ends the login. */
  logOut(request: Request): Promise<Response>
  /** In a server action: ends the login, and sends the person to the page of the login. */
  logOutInAction(): Promise<never>
}

/**
 * Makes the second factor of a Next app. Give the options, or a function that makes them at the first request: Next runs modules when
 * it builds, where keys and database may be missing.
 *
 * @example
 * ```ts
 * import type { SecondFactor } from 'countersign'
 * import { nextSecondFactor } from 'countersign/next'
 *
 * export function routesOf(secondFactor: SecondFactor) {
 *   const auth = nextSecondFactor({
 *     secondFactor,
 *     pages: { login: '/sign-in', secondStep: '/second-step' },
 *     ip: (header) => header('x-real-ip'), // set by the proxy in front
 *   })
 *   return {
 *     GET: auth.handler({}, (_request, person) => Response.json({ user: person.user })),
 *     POST: auth.handler({ maxAge: 300 }, () => Response.json({ result: 'sent' })),
 *     transfer: auth.action({ maxAge: 300 }, async (person, form: FormData) => console.log(person.user, form.get('amount'))),
 *   }
 * }
 * ```
 *
 * @throws `CountersignError` `invalid_input`, with the path of the option; at the first request where a function gives them.
 */
export function nextSecondFactor(options: NextOptions | (() => NextOptions | Promise<NextOptions>)): NextSecondFactor {
  const settle = typeof options === 'function' ? once(async () => settled(await options())) : always(settled(options))

  /** A request, with the place of its login. */
  async function placed(make: (addressOf: NextOptions['ip']) => AdapterRequest) {
    const { adapter, ip, session } = await settle()
    const request: PlacedRequest = { ...make(ip), place: await session?.() }
    return { adapter, request }
  }

  /** The same for the request around an action or component. */
  async function surrounding(method: 'GET' | 'POST', url?: string) {
    const around = await surroundings()
    return placed((ip) => surroundingRequest(around, method, url, ip))
  }

  /** The person of the request around an action or component. */
  async function surroundingPerson(method: 'GET' | 'POST', { next, ...rules }: NextPageRules): Promise<Person> {
    const { adapter, request } = await surrounding(method, next)
    const { person, answer } = await adapter.admit(request, rules)
    return person ?? sendAway(answer)
  }

  const act: NextHandler<{ params: Promise<{ action: string }> }> = async (given, { params }) => {
    const set: string[] = []
    const { adapter, request } = await placed((ip) => requestOf(given, ip, set))
    return responseOf(await adapter.act(request, String((await params).action)), set)
  }

  return Object.freeze({
    async login(given, input) {
      const set: string[] = []
      const { adapter, request } = await placed((ip) => requestOf(given, ip, set))
      return responseOf(await adapter.login(request, input), set)
    },
    async loginInAction(input) {
      const { adapter, request } = await surrounding('POST')
      return sendAway(await adapter.login(request, { ...input, carry: 'cookie' }))
    },
    handler:
      <Context, Req extends Request>(rules: PassRules, run: NextGuarded<Context, Req>): NextHandler<Context, Req> =>
      async (given, context) => {
        const set: string[] = []
        const { adapter, request } = await placed((ip) => requestOf(given, ip, set))
        const { person, answer } = await adapter.admit(request, rules)
        return person ? run(given, person, context) : responseOf(answer, set)
      },
    action:
      <Args extends unknown[], Result>(
        rules: PassRules,
        run: (person: Person, ...args: Args) => Result | Promise<Result>,
      ) =>
      async (...args: Args): Promise<Result> =>
        run(await surroundingPerson('POST', rules), ...args),
    person: (rules = {}) => surroundingPerson('GET', rules),
    api:
      <Req extends NextApiRequest, Res extends NextApiResponse>(
        rules: PassRules,
        run: (req: Req, res: Res, person: Person) => unknown,
      ) =>
      async (req: Req, res: Res): Promise<void> => {
        const { adapter, request } = await placed((ip) => apiRequestOf(req, res, ip))
        const { person, answer } = await adapter.admit(request, rules)
        if (person) await run(req, res, person)
        else sendApi(res, answer)
      },
    routes: Object.freeze({ GET: act, POST: act }),
    async middleware(given) {
      // Other methods are answered where they lead: an action or a handler has its own guard.
      if (!/^(GET|HEAD)$/.test(given.method)) return undefined
      const { adapter, request } = await placed((ip) => asNavigation(requestOf(given, ip, [])))
      const { answer } = await adapter.admit(request)
      if (answer === undefined) return undefined
      const { location } = answer.headers
      return location === undefined ? responseOf(answer, []) : Response.redirect(new URL(location, given.url), 307)
    },
    async logOut(given) {
      const set: string[] = []
      const { adapter, request } = await placed((ip) => requestOf(given, ip, set))
      return responseOf(await adapter.logOut(request), set)
    },
    async logOutInAction() {
      const { adapter, request } = await surrounding('POST')
      return sendAway(await adapter.logOut(request))
    },
  } satisfies NextSecondFactor)
}

/** The options, with the core that they make. */
function settled({ ip, session, ...options }: NextOptions) {
  if (options.pages === undefined)
    throw new CountersignError('invalid_input', 'pages', 'must name the pages of your login and second step')
  return { adapter: createAdapter(options), ip, session }
}

/** A function that has its result already. */
const always =
  <T>(value: T) =>
  () =>
    value

/** A function that makes its result once, and again after it failed. */
function once<T>(make: () => Promise<T>): () => Promise<T> {
  let made: Promise<T> | undefined
  return () => {
    made ??= make().catch((error: unknown) => {
      made = undefined
      throw error
    })
    return made
  }
}

/** The request of a page: Next hides from the middleware whether its own router fetches it. */
const asNavigation = (request: AdapterRequest): AdapterRequest => ({
  ...request,
  header: (name) => (name === 'sec-fetch-mode' ? 'navigate' : request.header(name)),
})

/** Sends the person to the page of the answer. An answer without one is an outage, for the `error.js` of the app. */
function sendAway({ headers, body }: AdapterAnswer): never {
  if (headers.location !== undefined) redirect(headers.location)
  throw new CountersignError(
    (body?.code as ErrorCode | undefined) ?? 'internal',
    '',
    'nobody can be let in now, and `onError` got the reason',
  )
}
