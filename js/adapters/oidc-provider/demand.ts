// The demand of an authorization request: which strength of a login the client asks for, and how recent it must be.
//
//   acr_values                          voluntary: tried, and not failed on
//   claims: id_token.acr, essential     must be met, or the request fails with `unmet_authentication_requirements`
//   max_age                             the person must have acted within so many seconds
//
// oidc-provider lets `acr_values` hide an essential `acr` of the same request. Here the essential one counts.
import { acrValuesOf } from '../../adapter.js'
import type * as wasm from '../../wasm.js'

/** The methods of a second factor by which a person can answer in an interaction. */
export const METHODS: readonly wasm.Method[] = ['totp', 'sms', 'backup_code', 'recovery_code']

/** Their strengths, the strongest first, as clients ask for them. */
export const ACR_VALUES: readonly string[] = acrValuesOf({ methods: [...METHODS] })

/** The strength of a second factor by this method. */
export const acrOf = (method: wasm.Method): string => acrValuesOf({ methods: [method] })[0] as string

/** The values of `amr` that a method adds to those of the log-in (RFC 8176 §2). Backup and recovery codes have none there. */
export const amrOf = (method: wasm.Method): string[] => AMR[method]

const AMR: Record<wasm.Method, string[]> = {
  totp: ['otp', 'mfa'],
  sms: ['sms', 'mfa'],
  backup_code: [],
  recovery_code: [],
  trusted_browser: [],
}

/** A demand. */
export interface Demand {
  /** The strengths, one of which is asked for. Empty: any. */
  levels: string[]
  /** Whether the request fails without one of them. */
  essential: boolean
  /** Greatest age of the person's last act, in seconds. */
  maxAge: number | undefined
}

/** A request whose `claims` has an `acr` of a wrong form. */
export class UnreadableDemand extends Error {}

/** The demand of a request's parameters, which oidc-provider has checked as far as it looks at them. */
export function demandOf(params: Record<string, unknown>): Demand {
  const { acr_values: wished, max_age: age, claims } = params
  const { essential, levels } = acrOfClaims(claims)
  const maxAge = age === undefined ? undefined : Math.min(Number(age), LONGEST)
  if (essential) return { levels, essential, maxAge }
  const named = typeof wished === 'string' ? wished.split(' ').filter(Boolean) : []
  return { levels: [...new Set([...named, ...levels])], essential, maxAge }
}

/** Ten years: longer than any session. */
const LONGEST = 315_360_000

function acrOfClaims(claims: unknown): { essential: boolean; levels: string[] } {
  const asked = typeof claims === 'string' ? JSON.parse(claims)?.id_token?.acr : undefined
  if (typeof asked !== 'object' || asked === null) return { essential: false, levels: [] }
  const { essential = false, value, values = value === undefined ? [] : [value] } = asked
  const fits = Array.isArray(values) && values.every((level) => typeof level === 'string')
  if (typeof essential !== 'boolean' || !fits)
    throw new UnreadableDemand('`acr` in `claims` takes `essential`, true or false, and `value` or `values`, text')
  // Essential without a value asks for the claim alone, which a log-in without a second factor may not have.
  return { essential: essential && values.length > 0, levels: values }
}

/** The methods that meet a demand. */
export const methodsFor = ({ levels }: Demand): wasm.Method[] =>
  levels.length === 0 ? [...METHODS] : METHODS.filter((method) => levels.includes(acrOf(method)))
