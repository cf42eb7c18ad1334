// Policies, compiled once each. A fixed policy is compiled at the start, so that a mistake in it is
// reported then and not at the first login. A `policy` function is asked at every call; the compiled form
// of its answer is found by the text, and the 64 texts used last are kept. Of several policies the
// strictest combination is compiled, once for each list of texts.
import type { PolicySource } from './commands.js'
import { CountersignError, guarded } from './error.js'
import { documentText } from './input.js'
import type * as wasm from './wasm.js'
import { call, shelf } from './wasm.js'

/** Policies kept compiled. */
const MAX_POLICIES = 64
/** Accounts of one user. */
const MAX_ACCOUNTS = 1_000

/** A valid policy, for calls that need only the keys. */
const ANY_POLICY = JSON.stringify({ v: 1, name: 'x', origin: 'https://x.example' })

/** The user whose policy is asked for. */
export interface PolicyQuestion {
  /** The user's account, where the call names one. */
  account?: string | undefined
  /** The user. */
  user: string
}

/**
 * The answer of a `policy` function: the policy of the account; or, for a user with one second factor for
 * many accounts, the policies of all of them. A list lets in only where each of its policies does, and under
 * it owners issue no recovery codes.
 */
export type PolicyAnswer = PolicySource | readonly PolicySource[]

/** The fixed policy, or the function that gives a user's. */
export type PolicyOption = PolicySource | ((question: PolicyQuestion) => PolicyAnswer | Promise<PolicyAnswer>)

/** The policies of a service, beside its keys. */
export interface Policies {
  /** The compiled policy of a user. */
  of(question: PolicyQuestion): wasm.Core | Promise<wasm.Core>
  /** Any compiled policy with these keys. */
  any(): wasm.Core
}

/** Compiles a fixed policy at once; `sendsSms` tells whether there is a gateway. */
export function policyCache(policy: PolicyOption, keys: string, sendsSms: boolean): Policies {
  const compile = compiler()
  const one = (text: string) => compile(text, (module) => new module.Core(text, keys))
  const any = () => one(ANY_POLICY)
  const checked = (answer: unknown) => {
    const list = listed(answer)
    const core = list ? allOf(list) : one(textOf(answer, 'policy'))
    if (!sendsSms && call(() => core.offers_sms())) {
      throw new CountersignError(
        'no_sms',
        'sendSms',
        'the policy offers sms: give createSecondFactor a sendSms function',
      )
    }
    return core
  }
  const allOf = (list: unknown[]) => {
    const texts = list.map((source, index) => textOf(source, `[${index}]`))
    // A list has another name than each of its texts: a JSON list is no policy.
    return compile(JSON.stringify(texts), (module) => module.Core.of_all(texts, keys))
  }
  if (typeof policy !== 'function') {
    if (listed(policy))
      throw new CountersignError('invalid_policy', 'policy', 'must be one policy; a list comes from a function only')
    const fixed = checked(policy)
    return { of: () => fixed, any }
  }
  any() // reports wrong keys at the start
  const of = async ({ account, user }: PolicyQuestion) => {
    let answer: unknown
    try {
      answer = await policy({ account, user })
    } catch (error) {
      throw new CountersignError('invalid_policy', 'policy', 'could not be read: the function threw', error)
    }
    return checked(answer)
  }
  return { of, any }
}

/** A list of policies, copied; `undefined` for anything else. */
function listed(answer: unknown): unknown[] | undefined {
  return guarded('invalid_policy', 'policy', 'could not be read', () => {
    if (!Array.isArray(answer)) return undefined
    const { length } = answer
    if (length > MAX_ACCOUNTS)
      throw new CountersignError('invalid_policy', 'policy', 'is too long: at most 1,000 accounts')
    return Array.from({ length }, (_, index) => answer[index])
  })
}

const textOf = (source: unknown, path: string) => documentText(source, 'invalid_policy', path)

function compiler() {
  const compiled = shelf()
  return (name: string, make: Parameters<typeof call<wasm.Core>>[0]): wasm.Core => {
    const known = compiled.get(name)
    if (known) {
      // Moves to the end, because the least recently used policy is dropped first.
      compiled.delete(name)
      compiled.set(name, known)
      return known
    }
    const core = call(make)
    // The dropped policy is not freed here, because a call under way may still use it. The collector frees it.
    if (compiled.size >= MAX_POLICIES) compiled.delete(compiled.keys().next().value!)
    compiled.set(name, core)
    return core
  }
}
