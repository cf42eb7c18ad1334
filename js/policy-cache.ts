// Policies, compiled once each. A fixed policy is compiled at the start, so that a mistake in it is
// reported then and not at the first login. A `policy` function is asked at every call; the compiled form
// of its answer is found by the text, and the 64 texts used last are kept.
import type { PolicySource } from './commands.js'
import { CountersignError } from './error.js'
import { documentText } from './input.js'
import type * as wasm from './wasm.js'
import { call, shelf } from './wasm.js'

/** Policies kept compiled. */
const MAX_POLICIES = 64

/** A valid policy, for calls that need only the keys. */
const ANY_POLICY = JSON.stringify({ v: 1, name: 'x', origin: 'https://x.example' })

/** The fixed policy, or the function that gives an account's. */
export type PolicyOption = PolicySource | ((account: string | undefined) => PolicySource | Promise<PolicySource>)

/** The policies of a service, beside its keys. */
export interface Policies {
  /** The compiled policy of an account. */
  of(account: string | undefined): wasm.Core | Promise<wasm.Core>
  /** Any compiled policy with these keys. */
  any(): wasm.Core
}

/** Compiles a fixed policy at once; `sendsSms` tells whether there is a gateway. */
export function policyCache(policy: PolicyOption, keys: string, sendsSms: boolean): Policies {
  const compile = compiler(keys)
  const any = () => compile(ANY_POLICY)
  const checked = (source: unknown) => {
    const core = compile(documentText(source, 'invalid_policy', 'policy'))
    if (!sendsSms && call(() => core.offers_sms())) {
      throw new CountersignError(
        'no_sms',
        'sendSms',
        'the policy offers sms: give createSecondFactor a sendSms function',
      )
    }
    return core
  }
  if (typeof policy !== 'function') {
    const fixed = checked(policy)
    return { of: () => fixed, any }
  }
  any() // reports wrong keys at the start
  const of = async (account: string | undefined) => {
    let source: unknown
    try {
      source = await policy(account)
    } catch (error) {
      throw new CountersignError('invalid_policy', 'policy', 'could not be read: the function threw', error)
    }
    return checked(source)
  }
  return { of, any }
}

function compiler(keys: string) {
  const compiled = shelf()
  return (policy: string): wasm.Core => {
    const known = compiled.get(policy)
    if (known) {
      // Moves to the end, because the least recently used policy is dropped first.
      compiled.delete(policy)
      compiled.set(policy, known)
      return known
    }
    const core = call((module) => new module.Core(policy, keys))
    // The dropped policy is not freed here, because a call under way may still use it. The collector frees it.
    if (compiled.size >= MAX_POLICIES) compiled.delete(compiled.keys().next().value!)
    compiled.set(policy, core)
    return core
  }
}
