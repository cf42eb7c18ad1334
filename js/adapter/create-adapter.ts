// The parts of which every adapter is made: it says where each request's login is kept, and turns errors into answers.
import { CountersignError, invalid } from '../error.js'
import { accountId, anything, flag, idText, listOf, optional, read, text, whole } from '../input.js'
import { type Acted, act, logOut } from './act.js'
import { type Admission, admission, crossSite, isForged } from './admission.js'
import { type AdapterAnswer, answerOfError, type PassRules } from './answer.js'
import { beginLogin } from './begin.js'
import { BadRequest } from './body.js'
import { cookieOfAdapter } from './cookies.js'
import { isHostOf } from './cross-site.js'
import { newSessionId } from './login-after.js'
import type { Visit } from './means.js'
import { type AdapterOptions, type HostUser, ofFacts, readOptions } from './options.js'
import { pageAfter } from './pages.js'
import { type AdapterRequest, isNavigation, isSafe } from './request.js'
import {
  cookiePlace,
  placeOfAdapter,
  SESSION_COOKIE,
  SESSION_HEADER,
  type SessionPlace,
  type ValuePlace,
  valuePlace,
} from './session-place.js'
import { endSession } from './settle.js'

/** A login by a first factor. */
export interface LoginInput extends HostUser {
  /**
   * How the client keeps the session: a browser by its cookie, which is the default; a native client, or one of another site, as a
   * `value`: the answer brings it as `session`, and the client sends it back in the header `countersign-session`.
   */
  carry?: 'cookie' | 'value' | undefined
  /** Whether the request may come from a page of another site, as the answer of an identity provider by POST does. */
  fromOtherSite?: boolean | undefined
  /** The path to which the person wanted to go, where there are `pages`; by default the field `next` of the body. */
  next?: unknown
}

/** One request, with the host's own session where it has one. */
export interface PlacedRequest extends AdapterRequest {
  /** The host's session; without it, the login is kept in a sealed cookie. */
  readonly place?: SessionPlace | undefined
}

/** A visit, and the session's value for the answer where the client keeps it. */
interface AnsweredVisit extends Visit {
  value?: ValuePlace['value']
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
  const given = readOptions(options)
  const { name, sealer, pages, onError } = given
  const cookie = cookieOfAdapter(SESSION_COOKIE, name)

  function visitByValue(request: PlacedRequest, given: string | undefined): AnsweredVisit {
    const place = valuePlace(sealer, given)
    return { request, place: placeOfAdapter(name, place), isHosts: false, isByValue: true, value: place.value }
  }

  function visitByCookie(request: PlacedRequest): AnsweredVisit {
    const hosts = request.place
    const place = hosts ?? cookiePlace(sealer, request, cookie)
    return { request, place: placeOfAdapter(name, place), isHosts: hosts !== undefined, isByValue: false }
  }

  function visitOf(request: PlacedRequest): AnsweredVisit {
    const value = request.header(SESSION_HEADER)
    return value === undefined ? visitByCookie(request) : visitByValue(request, value)
  }

  /** The answer to an error of ours. Any other goes to the framework's own handler. */
  function answerOfThrown(error: unknown): AdapterAnswer {
    if (error instanceof BadRequest) return error.answer
    if (!CountersignError.is(error)) throw error
    const told = ofFacts(error)
    if (told.status >= 500) onError(told)
    return answerOfError(told)
  }

  /** Brings the value of a session along, or sends the person to a page. */
  function finished(visit: AnsweredVisit, answer: AdapterAnswer, next?: unknown): AdapterAnswer {
    if (visit.isByValue) return withValue(visit, answer)
    if (!pages || answer.status >= 500 || !isNavigation(visit.request)) return answer
    return { ...pageAfter(pages, answer, next), entered: answer.entered }
  }

  function withValue({ value }: AnsweredVisit, answer: AdapterAnswer): AdapterAnswer {
    const session = value?.()
    return session === undefined ? answer : { ...answer, body: { ...answer.body, session } }
  }

  return Object.freeze({
    async login(request, input) {
      const { account, user, carry, fromOtherSite, next } = readLogin(input)
      const visit = carry === 'value' ? visitByValue(request, request.header(SESSION_HEADER)) : visitByCookie(request)
      const job = async () => {
        if (fromOtherSite !== true && isForged(given, visit)) return crossSite()
        const before = await visit.place.read()
        // Old cookies of this browser open nothing, whoever it was; nor does the value that the client had.
        if (before !== undefined) await endSession(given, before)
        const login = { account, user, session: newSessionId(), since: sealer.now() }
        return beginLogin(given, visit, login)
      }
      const wish = next ?? (pages && isNavigation(request) ? await nextOf(request) : undefined)
      return finished(visit, await job().catch(answerOfThrown), wish)
    },
    async admit(request, rules = {}) {
      const visit = visitOf(request)
      const refused = (error: unknown): Admission => ({ person: undefined, answer: answerOfThrown(error) })
      const { person, answer } = await admission(given, visit, readRules(rules)).catch(refused)
      if (person !== undefined) return { person, answer: undefined }
      return { person, answer: finished(visit, answer, wayBack(request)) }
    },
    async act(request, name) {
      const visit = visitOf(request)
      const refused = (error: unknown): Acted => ({ answer: answerOfThrown(error), leadsOn: true })
      const { answer, leadsOn, next } = await act(given, visit, name).catch(refused)
      return leadsOn ? finished(visit, answer, next) : withValue(visit, answer)
    },
    async logOut(request) {
      const visit = visitOf(request)
      return finished(visit, await logOut(given, visit).catch(answerOfThrown))
    },
  } satisfies Adapter)
}

/** The path to which a person comes back after the second step: the page itself, or the one that holds the form. */
function wayBack(request: AdapterRequest): string | undefined {
  if (isSafe(request)) return request.url
  const referer = request.header('referer') ?? ''
  if (!URL.canParse(referer)) return undefined
  const { origin, pathname, search } = new URL(referer)
  return isHostOf(origin, request.header('host')) ? pathname + search : undefined
}

/** The path to which a person wanted to go, from the form of a login. The host has read the body: another kind of it has no path. */
async function nextOf(request: AdapterRequest): Promise<unknown> {
  const body = await Promise.resolve(request.body()).catch(() => undefined)
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
    next: anything,
  }) as unknown as LoginInput
  if (login.carry !== undefined && login.carry !== 'cookie' && login.carry !== 'value')
    throw invalid('carry', 'must be `cookie` or `value`')
  return login
}

const readRules = (rules: unknown): PassRules =>
  read(rules, '', { maxAge: optional(whole), methods: optional(listOf(text)), fresh: optional(flag) })
