// The actions of a client by their names: those on a second factor, and three on the login itself.
//
//   POST again    gives a new challenge, half-way or within a login
//   POST log-out  ends the login
//   GET state     tells how far the login is: nobody, first_factor, set_up, second_step or in
//
// A code answers the challenge of the login. A person who is in may send one at once, and is given the challenge with it.
import type * as wasm from '../wasm.js'
import { ACTIONS, type Action, type StatusReply } from './actions.js'
import { admission, crossSite, isForged } from './admission.js'
import { type AdapterAnswer, answer, logInFirst } from './answer.js'
import { askAgain, challengeAtOnce } from './begin.js'
import { BadRequest, type Fields, fieldsOfBody } from './body.js'
import { browserSecret } from './browser-cookie.js'
import type { Challenge, FirstFactorPassed, LoggedIn, Login } from './login.js'
import { circumstancesOf, userOf, type Visit } from './means.js'
import type { ReadOptions } from './options.js'
import { endSession, settle } from './settle.js'

/** An answer, and what it means for a person without scripts. */
export interface Acted {
  answer: AdapterAnswer
  /** Whether a page follows. An answer that shows something, or tells of a change of factors that failed, is shown itself. */
  leadsOn: boolean
  /** The path to which the person wanted to go. */
  next?: unknown
}

/** Carries out an action. */
export async function act(options: ReadOptions, visit: Visit, name: string): Promise<Acted> {
  const action = ACTIONS.get(name)
  const ofLogin = OF_LOGIN.get(name)
  const method = ofLogin?.method ?? (action && (action.reads ? 'GET' : 'POST'))
  if (method === undefined) return { answer: answer(404, { result: 'not_found' }), leadsOn: false }
  if (visit.request.method.toUpperCase() !== method)
    return { answer: answer(405, { result: 'method_not_allowed' }, { allow: method }), leadsOn: false }
  const body = method === 'POST' ? await fieldsOfBody(visit.request) : NO_FIELDS
  const { next } = body
  if (ofLogin !== undefined) return { answer: await ofLogin.run(options, visit), leadsOn: method === 'POST', next }
  // The path is known by now, so that a form that lacks a field does not lose it.
  const refused = (error: unknown): Acted => {
    if (!(error instanceof BadRequest)) throw error
    return { answer: error.answer, leadsOn: action!.admittedIn === 'challenged' }
  }
  return { ...(await onSecondFactor(options, visit, action!, body).catch(refused)), next }
}

const NO_FIELDS: Fields = Object.freeze(Object.create(null))

async function onSecondFactor(options: ReadOptions, visit: Visit, action: Action, body: Fields): Promise<Acted> {
  const { login, answer: refusal } = await admission(options, visit, {})
  const refused = () => ({ answer: refusal!, leadsOn: true })
  if (login === undefined) return refused()
  switch (action.admittedIn) {
    case 'challenged':
      if (login.state === 'set_up') return refused()
      return { answer: await answerChallenge(options, visit, action, body, login), leadsOn: true }
    case 'set_up_or_in':
      if (refusal !== undefined && login.state !== 'set_up') return refused()
      break
    case 'in':
      if (refusal !== undefined) return refused()
  }
  const reply = await run(options, visit, action, body, login)
  return { answer: await settle(options, visit, login, reply), leadsOn: reply.result === 'enrolled' }
}

/**
 * The answer to a challenge. The form of the second step is the same at the login and after it, so that a person who is in may have no
 * challenge yet, or one that has ended.
 */
async function answerChallenge(
  options: ReadOptions,
  visit: Visit,
  action: Action,
  body: Fields,
  login: FirstFactorPassed | LoggedIn,
): Promise<AdapterAnswer> {
  if (login.state === 'first_factor')
    return settleUnlessEnded(options, visit, login, await run(options, visit, action, body, login))
  if (login.challenge !== undefined) {
    const reply = await run(options, visit, action, body, login)
    const isOver = reply.result === 'denied' && HAS_ENDED.has(reply.reason)
    if (!isOver) return settleUnlessEnded(options, visit, login, reply)
  }
  const asked = await challengeAtOnce(options, visit, login)
  if (asked.login === undefined) return asked.answer.body?.result === 'allowed' ? notChallenged() : asked.answer
  // A sign-out that came before the challenge counts.
  const { login: still, answer: refusal } = await admission(options, visit, {})
  if (still === undefined) return refusal!
  const reply = await run(options, visit, action, body, asked.login)
  return settleUnlessEnded(options, visit, asked.login, reply, async () => visit.place.write(asked.login))
}

/**
 * Settles a reply, unless a log-out came while a code was compared or a message was on its way. No session is ended here: another tab may
 * have brought one. A list that fails has been asked before, and the code is used. `keepChallenge` keeps one that began with its message.
 */
async function settleUnlessEnded(
  options: ReadOptions,
  visit: Visit,
  login: Login,
  reply: wasm.Reply | StatusReply,
  keepChallenge?: () => Promise<void>,
): Promise<AdapterAnswer> {
  if (reply.result === 'verified' || reply.result === 'sms_sent') {
    const now = await visit.place.read()
    const isOver = now === undefined || (await options.sealer.hasEnded(now, now.since).catch(toldTo(options)))
    if (isOver) return logInFirst()
  }
  if (reply.result === 'sms_sent') await keepChallenge?.()
  return settle(options, visit, login, reply)
}

const toldTo =
  ({ onError }: ReadOptions) =>
  (error: unknown) => {
    onError(error)
    return false
  }

const notChallenged = () =>
  answer(409, { result: 'not_challenged', message: 'the user has no second factor to answer by' })

/** The reasons by which a challenge has ended. */
const HAS_ENDED: ReadonlySet<wasm.Reason> = new Set<wasm.Reason>(['ticket_expired', 'ticket_invalid'])

/** Runs an action with what the host, the session and the client give to it. */
async function run(options: ReadOptions, visit: Visit, action: Action, body: Fields, login: Login) {
  const fields = clientFields(action, body)
  const { caller, plan, label } = await circumstancesOf(options, visit.request, login)
  const isTrusting = [true, 'true', 'on'].includes(body.trustBrowser as string | boolean) && !visit.isByValue
  const trustBrowser = isTrusting ? { name: fields.browserName, replaces: browserSecret(options, visit) } : undefined
  const mayRescue = async (user: string) => (await options.mayRescue?.(userOf(login), user)) === true
  const { secondFactor } = options
  const challenge = challengeOf(login)
  const call = { secondFactor, caller, proof: proofOf(login), challenge, fields, trustBrowser, plan, label, mayRescue }
  return action.run(call)
}

const challengeOf = (login: Login): Challenge | undefined => (login.state === 'set_up' ? undefined : login.challenge)

/** The pass of a person who is in, or the ticket by which a first factor is set up. */
function proofOf(login: Login): { pass?: string | undefined; ticket?: string | undefined } {
  switch (login.state) {
    case 'in':
      return { pass: login.pass }
    case 'set_up':
      return { ticket: login.ticket }
    case 'first_factor':
      return {}
  }
}

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

/** An action on the login itself. */
interface OfLogin {
  method: 'GET' | 'POST'
  run(options: ReadOptions, visit: Visit): Promise<AdapterAnswer>
}

/** Ends the login of a request. */
export async function logOut(options: ReadOptions, visit: Visit): Promise<AdapterAnswer> {
  if (isForged(options, visit)) return crossSite()
  const login = await visit.place.read()
  // The list first: where it fails, the session stays, so that the person can log out once more.
  if (login !== undefined) await endSession(options, login)
  await visit.place.end()
  return answer(200, { result: 'logged_out' })
}

async function again(options: ReadOptions, visit: Visit): Promise<AdapterAnswer> {
  const { login, answer: refusal } = await admission(options, visit, {})
  if (login === undefined) return refusal!
  if (isTooOld(login, options.sealer.now())) return logInFirst()
  return askAgain(options, visit, login)
}

/** Whether the password was so long ago that it counts no more: a challenge is given again for as long as a first ticket lives. */
function isTooOld(login: Login, now: number): boolean {
  switch (login.state) {
    case 'first_factor':
      return now >= login.since + 600
    case 'set_up': // An app may have to be installed.
      return now >= login.since + 1_800
    case 'in':
      return false
  }
}

async function state(options: ReadOptions, visit: Visit): Promise<AdapterAnswer> {
  const { login, person } = await admission(options, visit, {})
  if (login === undefined) return answer(200, { result: 'nobody' })
  const methods = login.state === 'set_up' ? login.methods : challengeOf(login)?.methods
  const result = person !== undefined ? 'in' : login.state === 'in' ? 'second_step' : login.state
  return answer(200, { result, user: login.user, methods })
}

const OF_LOGIN: ReadonlyMap<string, OfLogin> = new Map<string, OfLogin>([
  ['again', { method: 'POST', run: again }],
  ['log-out', { method: 'POST', run: logOut }],
  ['state', { method: 'GET', run: state }],
])
