/**
 * The second factor in oidc-provider: a prompt after the log-in and before the consent, for clients that ask for more, and for users of
 * whom the rules ask it.
 *
 * @packageDocumentation
 */
import { CountersignError } from '../adapter.js'
import type { StepAnswer } from './oidc-provider/answer.js'
import { ACR_VALUES } from './oidc-provider/demand.js'
import { type OidcProviderOptions, readOptions } from './oidc-provider/options.js'
import { keepPass, type PageRules, type SignedIn, signedIn } from './oidc-provider/own-pages.js'
import { addPrompt, type PromptListener } from './oidc-provider/prompt.js'
import { post, show } from './oidc-provider/routes.js'
import { addFieldTo } from './oidc-provider/session.js'
import { isOver, strengthClaims } from './oidc-provider/tokens.js'
import type { NodeRequest, OidcContext, OidcPolicy, OidcProvider, OidcToken } from './oidc-provider/types.js'

export type { HostUser, UserFacts } from '../adapter.js'
export type { StepAnswer } from './oidc-provider/answer.js'
export type { OidcProviderOptions } from './oidc-provider/options.js'
export type { PageRules, SignedIn } from './oidc-provider/own-pages.js'
/** The name of the prompt, as interactions have it. */
export { SECOND_FACTOR } from './oidc-provider/prompt.js'
export { type StepUpClaims, type StepUpRules, stepUp } from './oidc-provider/resource-server.js'
export type { NodeRequest } from './oidc-provider/types.js'

/** The second factor of a provider. */
export interface OidcProviderSecondFactor {
  /**
   * The configuration of a provider with the second factor in it: the prompt, `acr_values_supported`, the claims `acr`, `amr` and
   * `auth_time`, and the parameter `claims`. What is in it already stays.
   */
  configure<Configuration extends object>(configuration: Configuration): Configuration
  /**
   * Ties the provider to this second factor, and gives it back. Do it before its first request.
   *
   * @throws `CountersignError` `invalid_input`: it was made without `configure`, or has served a request.
   */
  attach<Provider>(provider: Provider): Provider
  /** The step at which the person is, for the page of an interaction whose prompt is `second_factor`. */
  show(request: NodeRequest, response: object): Promise<StepAnswer>
  /** Carries out what the page has posted. `body` is the parsed body, where something has read it before. */
  act(request: NodeRequest, response: object, body?: unknown): Promise<StepAnswer>
  /** The person of a request's OP session, for pages of your own at the provider; `undefined` for nobody. */
  signedIn(request: NodeRequest, response: object, rules?: PageRules): Promise<SignedIn | undefined>
  /** Keeps the pass that a change of factors on such a page brought. `false`: the session has ended meanwhile. */
  keepPass(request: NodeRequest, response: object, pass: string): Promise<boolean>
}

/**
 * Makes the second factor of a provider.
 *
 * @example
 * ```ts
 * import type { SecondFactor } from 'countersign'
 * import { type OidcProviderOptions, oidcProviderSecondFactor } from 'countersign/oidc-provider'
 *
 * export const stepsOf = (secondFactor: SecondFactor, oidc: OidcProviderOptions['oidc']) =>
 *   oidcProviderSecondFactor({ secondFactor, oidc })
 * ```
 *
 * @throws `CountersignError` `invalid_input`, with the option.
 */
export function oidcProviderSecondFactor(options: OidcProviderOptions): OidcProviderSecondFactor {
  const given = readOptions(options)
  let attached: OidcProvider | undefined
  let isMade = false
  const provider = (): OidcProvider => {
    if (attached === undefined) throw notAttached()
    return attached
  }
  const listener: PromptListener = {
    onRead: () => {
      isMade = true
    },
    onRequest: () => {
      if (attached !== undefined) return
      // Without its field no session would keep a pass. oidc-provider answers `server_error`, and the log gets the reason.
      given.onError(notAttached())
      throw new Error('the provider is not attached to its second factor', { cause: notAttached() })
    },
  }
  return Object.freeze({
    configure: <Configuration extends object>(configuration: Configuration): Configuration => {
      const {
        acrValues = [],
        claims = {},
        features = {},
        interactions = {},
        findAccount,
        extraTokenClaims,
      } = configuration as Known
      for (const level of acrValues) given.levels.add(level)
      const { openid = [] } = claims
      const ofOpenid = Array.isArray(openid) ? openid : Object.keys(openid)
      return {
        ...configuration,
        acrValues: [...new Set([...acrValues, ...ACR_VALUES])],
        claims: {
          acr: null,
          amr: null,
          auth_time: null,
          sid: null,
          iss: null,
          ...claims,
          openid: [...new Set(['sub', 'acr', 'amr', 'auth_time', ...ofOpenid])],
        },
        features: { ...features, claimsParameter: { ...Object(features.claimsParameter), enabled: true } },
        interactions: {
          ...interactions,
          policy: addPrompt(interactions.policy ?? given.oidc.interactionPolicy.base(), given, listener),
        },
        extraTokenClaims: async (ctx: OidcContext, token: OidcToken) => {
          const claims = { ...(await extraTokenClaims?.(ctx, token)), ...strengthClaims(ctx, token) }
          return Object.keys(claims).length === 0 ? undefined : claims
        },
        findAccount: async (ctx: OidcContext, sub: string, token?: OidcToken) => {
          if (await isOver(given, ctx, token)) return undefined
          return findAccount === undefined ? { accountId: sub, claims: () => ({ sub }) } : findAccount(ctx, sub, token)
        },
      } as Configuration
    },
    attach: <Provider>(made: Provider): Provider => {
      if (!isMade)
        throw new CountersignError(
          'invalid_input',
          'provider',
          'has no prompt `second_factor`, and asks nobody: make it by `new Provider(issuer, steps.configure(configuration))`, and give `interactions.policy` in that configuration',
        )
      isMade = false // Each provider is made with a configuration of its own.
      addFieldTo(made as OidcProvider)
      attached = made as OidcProvider
      return made
    },
    show: (request, response) => show(given, provider(), request, response),
    act: (request, response, body) => post(given, provider(), request, response, body),
    signedIn: (request, response, rules) => signedIn(given, provider(), request, response, rules),
    keepPass: (request, response, pass) => keepPass(provider(), request, response, pass),
  } satisfies OidcProviderSecondFactor)
}

const notAttached = () =>
  new CountersignError('invalid_input', 'provider', 'is missing: call `attach(provider)` before its first request')

/** The parts of a configuration that are added to. */
interface Known {
  acrValues?: Iterable<string>
  claims?: Record<string, unknown> & { openid?: string[] | Record<string, unknown> }
  features?: Record<string, unknown>
  interactions?: { policy?: OidcPolicy }
  findAccount?: (ctx: OidcContext, sub: string, token?: OidcToken) => unknown
  extraTokenClaims?: (ctx: OidcContext, token: OidcToken) => Promise<Record<string, unknown> | undefined>
}
