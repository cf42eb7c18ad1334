// The one core of all adapters: it keeps the state of each login, asks `check` at every request, and gives each answer.
//
//   request ──▶ where is its login kept? ──▶ from another site? ──▶ which state? ──▶ `check` ──▶ person, or an answer
//
// A handler runs for a person alone. Any other case is an answer, which the adapter sends: there is no way to forget one.
import { CountersignError, invalid } from '../error.js'
import { accountId, flag, idText, listOf, optional, read, text, whole } from '../input.js'
import type * as wasm from '../wasm.js'
import { ACTIONS, type Action } from './actions.js'
import {
  type AdapterAnswer,
  answer,
  answerOf,
  answerOfError,
  logInFirst,
  type PassRules,
  secondStep,
} from './answer.js'
import { BadRequest, type Fields, fieldsOfBody } from './body.js'
import { browserCookieOf, forgetBrowserCookie, setBrowserCookie } from './browser-cookie.js'
import { isCrossSite } from './cross-site.js'
import type { Challenge, Login, LoginOf } from './login.js'
import { afterBegin, afterReply, type LoginAfter, newSessionId } from './login-after.js'
import { type AdapterOptions, type HostUser, readFacts, readOptions } from './options.js'
import { pageAfter } from './pages.js'
import { type AdapterRequest, isNavigation } from './request.js'
import { cookiePlace, SESSION_HEADER, type SessionPlace, type ValuePlace, valuePlace } from './session-place.js'

/** A person who is in, for the handlers of the host. */
export interface Person extends HostUser {
  /** The id of the session in passes and events; it is no secret. */
  session: string
  /** The method of the second factor, where there was one. */
  method?: wasm.Method | undefined
  /** The time of the second factor, in unix seconds. */
  authTime?: number | undefined
}

/** A person, or the answer to send in place of the handler's. */
export type Admission = { person: Person; answer?: undefined } | { person?: undefined; answer: AdapterAnswer }

/** A login by a first factor. */
export interface LoginInput extends HostUser {
  /**
   * How the client keeps the session: a browser by its cookie, which is the default; a native client, or one of another site, as a
   * `value`: the answer brings it as `session`, and the client sends it back in the header `countersign-session`.
   */
  carry?: 'cookie' | 'value' | undefined
  /** Whether the request may come from a page of another site, as the answer of an identity provider by POST does. */
  fromOtherSite?: boolean | undefined
}

/** One request, with the host's own session where it has one. */
export interface PlacedRequest extends AdapterRequest {
  /** The host's session; without it, the login is kept in a sealed cookie. */
  readonly place?: SessionPlace | undefined
}

/** The parts of which an adapter for a framework is made. */
export interface Adapter {
  /** Takes a login whose first factor passed, and gives the answer to it. The session before it has ended. */
  login(request: PlacedRequest, input: LoginInput): Promise<AdapterAnswer>
  /** The person of a request, by `check`; or the answer to it. Ask it for each handler that only people who are in may reach. */
  admit(request: PlacedRequest, rules?: PassRules): Promise<Admission>
  /** Carries out an action by its name, such as `verify`: the last part of a path that you give to it. */
  act(request: PlacedRequest, name: string): Promise<AdapterAnswer>
  /** Ends the login of a request. */
  logOut(request: PlacedRequest): Promise<AdapterAnswer>
}

/**
 * Makes the core of an adapter.
 *
 * @example
 * ```ts
 * import { createServer } from 'node:http'
 * import type { SecondFactor } from 'countersign'
 * import { type AdapterAnswer, createAdapter, readBody } from 'countersign/adapter'
 *
 * export function serverOf(secondFactor: SecondFactor) {
 *   const adapter = createAdapter({ secondFactor })
 *   return createServer(async (req, res) => {
 *     const request = {
 *       method: req.method ?? 'GET',
 *       url: req.url ?? '/',
 *       header: (name: string) => req.headers[name]?.toString(),
 *       body: () => readBody(req, req.headers['content-type']),
 *       ip: req.socket.remoteAddress,
 *       setCookie: (cookie: string) => void res.appendHeader('set-cookie', cookie),
 *     }
 *     const send = ({ status, headers, body }: AdapterAnswer) => res.writeHead(status, headers).end(JSON.stringify(body))
 *     if (request.url.startsWith('/second-factor/')) return void send(await adapter.act(request, request.url.slice(15)))
 *     const { person, answer } = await adapter.admit(request, { maxAge: 300 })
 *     if (answer) return void send(answer)
 *     res.end(`Hello, ${person.user}`)
 *   })
 * }
 * ```
 *
 * @throws {@link CountersignError} `invalid_input`, with the path of the option.
 */
export function createAdapter(options: AdapterOptions): Adapter {
  const { secondFactor, sealer, facts, mayRescue, origins, pages, onError = console.error } = readOptions(options)

  const placeOf = (request: PlacedRequest) => {
    const value = request.header(SESSION_HEADER)
    if (value !== undefined) return valuePlace(sealer, value)
    return request.place ?? cookiePlace(sealer, request)
  }

  /** The answer to an error of ours. Any other goes to the framework's own handler. */
  function answerOfThrown(error: unknown): AdapterAnswer {
    if (error instanceof BadRequest) return error.answer
    if (!CountersignError.is(error)) throw error
    if (error.status >= 500) onError(error)
    return answerOfError(error)
  }

  /** Brings the value of a session along, or sends the person to a page. */
  function finished(request: PlacedRequest, place: SessionPlace, given: AdapterAnswer, next: unknown): AdapterAnswer {
    const value = 'value' in place ? (place as ValuePlace).value() : undefined
    if (value !== undefined) return { ...given, body: { ...given.body, session: value } }
    return pages && given.status < 500 && isNavigation(request) ? pageAfter(pages, given, next) : given
  }

  const factsOf = async ({ account, user }: HostUser) =>
    readFacts(await facts?.(account === undefined ? { user } : { account, user }))

  const crossSite = () => answer(403, { result: 'cross_site', message: 'the request comes from another site' })

  /** Whether another site sent the request, with a cookie that is not its own. */
  const isForged = (request: PlacedRequest, place: SessionPlace) => !('value' in place) && isCrossSite(request, origins)

  async function keep(place: SessionPlace, after: LoginAfter): Promise<void> {
    await (after.isNewSession ? place.begin(after.login) : place.write(after.login))
  }

  /** Puts a session on the revocation list, where the store holds one. */
  async function endSession({ account, user, session }: Login): Promise<void> {
    if (sealer.holdsList) await secondFactor.endSessions({ account, user, sessions: [session] })
  }

  /** The part of a call that `begin`, `check` and the commands share. */
  async function circumstancesOf(request: PlacedRequest, { account, user, session }: LoginOf) {
    const { plan, roles, label = user } = await factsOf({ account, user })
    return { caller: { account, user, session, ip: request.ip, roles }, plan, label }
  }

  async function begin(request: PlacedRequest, place: SessionPlace, before: Login | LoginOf) {
    const { caller, plan } = await circumstancesOf(request, before)
    const reply = await secondFactor.begin({ ...caller, plan })
    const after = afterBegin(reply, before, sealer.now())
    if (after === undefined) {
      if (!('state' in before)) await place.end()
      return answerOf(reply, sealer.now())
    }
    await keep(place, 'state' in before ? after : { ...after, isNewSession: true })
    if (reply.result !== 'challenge' || !isTrusting(reply.methods)) return answerOf(reply, sealer.now())
    return (await byTrustedBrowser(request, place, after.login)) ?? answerOf(reply, sealer.now())
  }

  /** The second step by the browser's own secret, where the policy trusts browsers and this one has a secret. */
  async function byTrustedBrowser(
    request: PlacedRequest,
    place: SessionPlace,
    login: Login,
  ): Promise<AdapterAnswer | undefined> {
    const code = browserCookieOf(request)
    if (code === undefined || login.state !== 'first_factor') return undefined
    const { caller } = await circumstancesOf(request, login)
    const { user: _, ...at } = caller
    const reply = await secondFactor.verify({ ...at, ticket: login.challenge.ticket, method: 'trusted_browser', code })
    if (reply.result !== 'verified') {
      forgetBrowserCookie(request)
      return undefined
    }
    return settled(request, place, login, reply)
  }

  /** Keeps what a reply brings, and answers it. */
  async function settled(request: PlacedRequest, place: SessionPlace, login: Login, reply: wasm.Reply | wasm.Status) {
    const after = afterReply(reply, login, sealer.now())
    if (after !== undefined) await keep(place, after)
    if (!('result' in reply)) return answer(200, { result: 'status', status: reply })
    if (reply.result === 'verified' && reply.browser) setBrowserCookie(request, reply.browser, sealer.now())
    return answerOf(reply, sealer.now())
  }

  async function admission(
    request: PlacedRequest,
    place: SessionPlace,
    rules: PassRules,
  ): Promise<{ login?: Login } & Admission> {
    if (isForged(request, place)) return { answer: crossSite() }
    const login = await place.read()
    if (login === undefined) return { answer: logInFirst() }
    if (login.state !== 'in') return { login, answer: secondStep('no_pass', rules) }
    const { caller, plan } = await circumstancesOf(request, login)
    const { maxAge, methods, fresh } = rules
    const reply = await secondFactor.check({ ...caller, plan, pass: login.pass, maxAge, methods, fresh })
    switch (reply.result) {
      case 'in': {
        const { account, user, session } = login
        const { method, authTime } = reply
        return { login, person: { ...(account === undefined ? {} : { account }), user, session, method, authTime } }
      }
      case 'second_step':
        return { login, answer: secondStep(reply.reason, rules) }
      case 'denied':
        return { login, answer: answerOf(reply, sealer.now()) }
    }
  }

  async function actionAnswer(
    request: PlacedRequest,
    place: SessionPlace,
    action: Action,
    body: Fields,
  ): Promise<AdapterAnswer> {
    const { login, answer: refusal } = await admission(request, place, {})
    if (login === undefined) return refusal!
    const challenge = challengeOf(login)
    switch (action.admittedIn) {
      case 'challenged':
        if (challenge === undefined)
          return refusal ?? answer(409, { result: 'not_challenged', message: 'ask for a challenge first: `again`' })
        break
      case 'set_up_or_in':
        if (refusal !== undefined && login.state !== 'set_up') return refusal
        break
      case 'in':
        if (refusal !== undefined) return refusal
    }
    const fields = clientFields(action, body)
    const { caller, plan, label } = await circumstancesOf(request, login)
    const proof = login.state === 'in' ? { pass: login.pass } : login.state === 'set_up' ? { ticket: login.ticket } : {}
    const trusts = body.trustBrowser === true || body.trustBrowser === 'true' || body.trustBrowser === 'on'
    const trustBrowser = trusts ? { name: fields.browserName, replaces: browserCookieOf(request) } : undefined
    const { account, user } = caller
    const rescues = async (other: string) =>
      (await mayRescue?.(account === undefined ? { user } : { account, user }, other)) === true
    const reply = await action.run({
      ...{ secondFactor, caller, proof, challenge, login, fields, plan, label },
      ...{ trustBrowser, mayRescue: rescues },
    })
    return settled(request, place, login, reply)
  }

  async function again(request: PlacedRequest, place: SessionPlace): Promise<AdapterAnswer> {
    if (isForged(request, place)) return crossSite()
    const login = await place.read()
    return login === undefined ? logInFirst() : begin(request, place, login)
  }

  async function state(request: PlacedRequest, place: SessionPlace): Promise<AdapterAnswer> {
    const { login, answer: refusal } = await admission(request, place, {})
    if (login === undefined) return answer(200, { result: 'nobody' })
    const methods = login.state === 'set_up' ? login.methods : challengeOf(login)?.methods
    const result = refusal === undefined ? 'in' : login.state === 'in' ? 'second_step' : login.state
    return answer(200, { result, user: login.user, methods })
  }

  async function logOut(request: PlacedRequest, place: SessionPlace): Promise<AdapterAnswer> {
    if (isForged(request, place)) return crossSite()
    const login = await place.read()
    await place.end()
    if (login !== undefined) await endSession(login)
    return answer(200, { result: 'logged_out' })
  }

  return Object.freeze({
    async login(request, input) {
      const { account, user, carry, fromOtherSite } = readLogin(input)
      const place = carry === 'value' ? valuePlace(sealer, undefined) : (request.place ?? cookiePlace(sealer, request))
      const job = async () => {
        if (carry !== 'value' && fromOtherSite !== true && isCrossSite(request, origins)) return crossSite()
        const before = await place.read()
        const begun = await begin(request, place, { account, user, session: newSessionId(), since: sealer.now() })
        // Old cookies of this browser open nothing, whoever it was.
        if (before !== undefined) await endSession(before)
        return begun
      }
      const given = await job().catch(answerOfThrown)
      return finished(request, place, given, pages && isNavigation(request) ? await nextOf(request) : undefined)
    },
    async admit(request, rules = {}) {
      const place = placeOf(request)
      const wanted = readRules(rules)
      const { person, answer: given } = await admission(request, place, wanted).catch((error: unknown) => ({
        person: undefined,
        answer: answerOfThrown(error),
      }))
      return person === undefined ? { answer: finished(request, place, given!, request.url) } : { person }
    },
    async act(request, name) {
      const place = placeOf(request)
      let next: unknown
      const job = async () => {
        const action = ACTIONS.get(name)
        const method = SPECIAL.get(name) ?? (action && (action.reads ? 'GET' : 'POST'))
        if (method === undefined) return answer(404, { result: 'not_found' })
        if (request.method.toUpperCase() !== method)
          return answer(405, { result: 'method_not_allowed' }, { allow: method })
        const fields = method === 'POST' ? await fieldsOfBody(request) : NO_FIELDS
        next = fields.next
        if (action !== undefined) return actionAnswer(request, place, action, fields)
        switch (name as Special) {
          case 'again':
            return again(request, place)
          case 'log-out':
            return logOut(request, place)
          case 'state':
            return state(request, place)
        }
      }
      return finished(request, place, await job().catch(answerOfThrown), next)
    },
    async logOut(request) {
      const place = placeOf(request)
      return finished(request, place, await logOut(request, place).catch(answerOfThrown), undefined)
    },
  } satisfies Adapter)
}

type Special = 'again' | 'log-out' | 'state'

/** The actions that are no command on a second factor, with their methods. */
const SPECIAL: ReadonlyMap<string, string> = new Map<Special, string>([
  ['again', 'POST'],
  ['log-out', 'POST'],
  ['state', 'GET'],
])

const NO_FIELDS: Fields = Object.freeze(Object.create(null))

const challengeOf = (login: Login): Challenge | undefined => (login.state === 'set_up' ? undefined : login.challenge)

const isTrusting = (methods: wasm.UsableMethod[]) => methods.some(({ method }) => method === 'trusted_browser')

/** The fields of an action, each a text: any other value is a client that is wrong, and no person who mistyped. */
function clientFields({ needs = [], takes = [] }: Action, body: Fields): Record<string, string | undefined> {
  const fields: Record<string, string | undefined> = Object.create(null)
  for (const name of [...needs, ...takes]) {
    const value = body[name]
    const isMissing = value === undefined || value === null
    if (isMissing ? needs.includes(name) : typeof value !== 'string' || value.length > MAX_FIELD)
      throw new BadRequest(400, 'must be text', name)
    if (!isMissing) fields[name] = value as string
  }
  return fields
}

/** Characters of a field. A set-up, the longest one, has 2,048. */
const MAX_FIELD = 8_192

const nextOf = async (request: AdapterRequest): Promise<unknown> => {
  const body = await request.body()
  return typeof body === 'object' && body !== null && Object.hasOwn(body, 'next')
    ? (body as Record<string, unknown>).next
    : undefined
}

function readLogin(input: unknown): LoginInput {
  const login = read(input, '', {
    account: accountId,
    user: idText,
    carry: optional(text),
    fromOtherSite: optional(flag),
  }) as unknown as LoginInput
  if (login.carry !== undefined && login.carry !== 'cookie' && login.carry !== 'value')
    throw invalid('carry', 'must be `cookie` or `value`')
  return login
}

const readRules = (rules: unknown): PassRules =>
  read(rules, '', { maxAge: optional(whole), methods: optional(listOf(text)), fresh: optional(flag) })
