// The states of a login between its requests. Each has the token that it needs, and no other.
//
//             login                       verify
//   nobody ───────────▶ first_factor ────────────────▶ in ──▶ (a second step again: maxAge is over, or the rules ask for it)
//      │                                                ▲ ▲
//      ├───────────────▶ set_up ────────────────────────┘ │
//      │                          the set-up is confirmed │
//      └──────────────────────────────────────────────────┘ no second factor is needed
//
// Each arrow gives the session another id, so that nobody else knows it. A ticket opens nothing but the second step; a pass opens the
// door, and `check` looks at it at every request.
import { accountId, anything, type Check, idText, listOf, optional, read, seconds, shape, text } from '../input.js'
import type * as wasm from '../wasm.js'

/** The user of a login, and the session to which its ticket and pass are bound. */
export interface LoginOf {
  /** The user's account, where the host has accounts. */
  account?: string | undefined
  /** The user. */
  user: string
  /** The id of the session in tickets and passes. It is no secret, and is not the one in the host's cookie. */
  session: string
  /** The time at which it began, in unix seconds. */
  since: number
  /** The name of the adapter whose login it is, where an app has several. */
  adapter?: string | undefined
}

/** The first factor passed. The session opens nothing but the second step. */
export interface FirstFactorPassed extends LoginOf {
  state: 'first_factor'
  /** The challenge. */
  challenge: Challenge
}

/** The first factor passed, and the user may set up a second one by it. The session opens nothing but that. */
export interface SetUpAllowed extends LoginOf {
  state: 'set_up'
  /** The ticket of `set_up`. */
  ticket: string
  /** The methods that can be set up. */
  methods: wasm.Method[]
}

/** The user is in, as long as `check` says so. */
export interface LoggedIn extends LoginOf {
  state: 'in'
  /** The pass, where there was a second factor. */
  pass?: string | undefined
  /** A second step that was asked for again. */
  challenge?: Challenge | undefined
}

/** A challenge that the user was given. */
export interface Challenge {
  /** The ticket. */
  ticket: string
  /** The methods by which the user can answer. */
  methods: wasm.UsableMethod[]
}

/** The state of a login. `undefined` is nobody. */
export type Login = FirstFactorPassed | SetUpAllowed | LoggedIn

/**
 * A state as text, for a session that keeps text.
 *
 * @example
 * ```ts
 * import { type Login, loginToText } from 'countersign/adapter'
 *
 * export const keep = (kept: Map<string, string>, id: string, login: Login) => kept.set(id, loginToText(login))
 * ```
 */
export const loginToText = (login: Login): string => JSON.stringify(login)

/**
 * The state in a value that a session has kept. Any other value is nobody.
 *
 * @example
 * ```ts
 * import { type Login, loginOf } from 'countersign/adapter'
 *
 * export const find = (kept: Map<string, string>, id: string): Login | undefined => loginOf(kept.get(id))
 * ```
 */
export function loginOf(kept: unknown): Login | undefined {
  try {
    const value = typeof kept === 'string' ? JSON.parse(kept) : kept
    const fields = LOGIN_FIELDS[stateOf(value) as Login['state']]
    return fields && (read(value, '', fields) as unknown as Login)
  } catch {
    return undefined
  }
}

/** Only own properties count, so that a polluted `Object.prototype` makes nobody a user. */
const stateOf = (value: unknown) =>
  typeof value === 'object' && value !== null && Object.hasOwn(value, 'state')
    ? String((value as { state: unknown }).state)
    : ''

const LOGIN_OF = {
  state: text,
  account: accountId,
  user: idText,
  session: idText,
  since: seconds,
  adapter: optional(text),
}
const CHALLENGE = shape({ ticket: text, methods: listOf(anything) })

const LOGIN_FIELDS: Record<Login['state'], Record<string, Check>> = Object.assign(Object.create(null), {
  first_factor: { ...LOGIN_OF, challenge: CHALLENGE },
  set_up: { ...LOGIN_OF, ticket: text, methods: listOf(text) },
  in: { ...LOGIN_OF, pass: optional(text), challenge: optional(CHALLENGE) },
})
