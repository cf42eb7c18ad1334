/**
 * The core of all adapters, for frameworks that have none here: the state of a login between its requests, the question of every
 * request, and the answers. It knows no framework.
 *
 * @packageDocumentation
 */

export type { Admission, Person } from './adapter/admission.js'
export {
  type AdapterAnswer,
  acrValuesOf,
  answerOf,
  answerOfError,
  logInFirst,
  type PassRules,
  stepUpChallenge,
} from './adapter/answer.js'
export { BadRequest, type Chunks, type Fields, parseBody, readBody } from './adapter/body.js'
export { type Adapter, createAdapter, type LoginInput, type PlacedRequest } from './adapter/create-adapter.js'
export { isCrossSite, originsOf } from './adapter/cross-site.js'
export { keepInSession, renewed, sessionError } from './adapter/host-session.js'
export {
  type Challenge,
  type FirstFactorPassed,
  type LoggedIn,
  type Login,
  type LoginOf,
  loginOf,
  loginToText,
  type SetUpAllowed,
} from './adapter/login.js'
export { noPerson } from './adapter/no-person.js'
export type { AdapterOptions, AdapterPages, HostUser, UserFacts } from './adapter/options.js'
export type { AdapterRequest } from './adapter/request.js'
export { SESSION_COOKIE, SESSION_HEADER, type SessionPlace } from './adapter/session-place.js'
export { CountersignError, type ErrorCode, type RuleErrorCode } from './error.js'
