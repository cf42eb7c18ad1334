// The options of the adapter, read.
import { CountersignError, type HostUser, originsOf, type UserFacts } from '../../adapter.js'
import type { SecondFactor } from '../../second-factor.js'
import type * as wasm from '../../wasm.js'
import type { NodeRequest, OidcExports } from './types.js'

/** Options of `oidcProviderSecondFactor`. */
export interface OidcProviderOptions {
  /** The object that `createSecondFactor` gave. */
  secondFactor: SecondFactor
  /** The package itself: `import * as oidc from 'oidc-provider'`. Its prompts and errors are used, so that there is one copy. */
  oidc: { readonly errors: object; readonly interactionPolicy: object }
  /** The user of an `accountId` of the provider; by default `{ user: accountId }`. */
  userOf?: ((accountId: string) => HostUser | Promise<HostUser>) | undefined
  /** Plan, roles and label of a user; none by default. */
  facts?: ((user: HostUser) => UserFacts | Promise<UserFacts>) | undefined
  /** The client's address; by default as the provider tells it (`provider.proxy`, `provider.maxIpsCount`). */
  ip?: ((request: NodeRequest) => string | undefined) | undefined
  /**
   * The factors that a person without one is offered where a client asks for more than the rules do; by default an app. Where the rules
   * lead to the set-up, they name the factors.
   */
  setUp?: ('totp' | 'sms')[] | undefined
  /** Other origins whose pages may send the forms of an interaction. */
  origins?: string[] | undefined
  /** Gets each error that was answered with a status of 500 and more; `console.error` by default. */
  onError?: ((error: unknown) => unknown) | undefined
}

/** The options, read. */
export interface ReadOptions {
  secondFactor: SecondFactor
  oidc: OidcExports
  callerOf(accountId: string): Promise<Caller>
  ip: OidcProviderOptions['ip']
  setUp: wasm.Method[]
  /** The values of `acr` that the host's own log-in can give. */
  levels: Set<string>
  origins: ReadonlySet<string>
  onError(error: unknown): unknown
}

/** The user of a call, with the facts that the rules look at. */
export interface Caller {
  user: HostUser
  roles: string[] | undefined
  plan: string | undefined
  label: string
}

/** The options, by name. */
const KINDS: Record<keyof OidcProviderOptions, 'object' | 'function' | undefined> = {
  secondFactor: 'object',
  oidc: 'object',
  userOf: 'function',
  facts: 'function',
  ip: 'function',
  setUp: undefined,
  origins: undefined,
  onError: 'function',
}

/** Reads the options; an unknown one is refused. */
export function readOptions(options: OidcProviderOptions): ReadOptions {
  for (const [name, value] of Object.entries(Object(options) as object)) {
    if (!Object.hasOwn(KINDS, name))
      throw invalid(name, `is not known here, expected one of ${Object.keys(KINDS).join(', ')}`)
    const kind = KINDS[name as keyof OidcProviderOptions]
    if (value !== undefined && kind !== undefined && typeof value !== kind)
      throw invalid(name, `must be ${kind === 'object' ? 'an' : 'a'} ${kind}`)
  }
  const { secondFactor, userOf = (user: string): HostUser => ({ user }), facts = (): UserFacts => ({}) } = options
  if (secondFactor === undefined) throw invalid('secondFactor', 'is missing: give what `createSecondFactor` gave')
  const oidc = options.oidc as OidcExports | undefined
  if (typeof oidc?.interactionPolicy?.base !== 'function' || typeof oidc.errors?.AccessDenied !== 'function')
    throw invalid('oidc', "must be the package: `import * as oidc from 'oidc-provider'`")
  const { setUp = ['totp'], origins, onError = console.error, ip } = options
  if (!Array.isArray(setUp) || !setUp.every((method) => method === 'totp' || method === 'sms'))
    throw invalid('setUp', 'must be a list of `totp` and `sms`')
  return {
    secondFactor,
    oidc,
    ip,
    setUp,
    levels: new Set(),
    origins: originsOf(origins),
    onError,
    callerOf: async (accountId) => {
      const user = await userOf(accountId)
      const { roles, plan, label = user.user } = await facts(user)
      return { user, roles, plan, label }
    },
  }
}

const invalid = (path: string, message: string) => new CountersignError('invalid_input', path, message)
