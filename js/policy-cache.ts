// Policies, compiled once each. A fixed policy is compiled at the start, so that a mistake in it is
// reported then and not at the first login. A `policy` function is asked at every call; the compiled form
// of its answer is found by the text, and the 64 texts used last are kept, or fewer where they are long: an account owner may
// write the longest one, and change it with each login. Of several policies the strictest combination is compiled, once for
// each list of texts.
import type { PolicyOption, PolicyQuestion } from './commands.js'
import { CountersignError, guarded, withoutPath } from './error.js'
import { documentText } from './input.js'
import type * as wasm from './wasm.js'
import { call, tornCalls } from './wasm.js'

/** Policies kept compiled. */
const MAX_POLICIES = 64
/** Characters of their texts in all, which take up to fifty times as much memory: two policies of the greatest length, and many of the usual one. */
const MAX_CHARACTERS = 17 * 1024 * 1024
/** Accounts of one user. */
const MAX_ACCOUNTS = 1_000

/** A valid policy, for calls that need only the keys. */
/** It keeps the browsers that some account trusts, where a record is written by it. */
const ANY_POLICY = JSON.stringify({ v: 1, name: 'x', origin: 'https://x.example', trustedBrowser: { days: 90 } })

/** The policies of a service, beside its keys. */
export interface Policies {
  /** The compiled policy of a user. */
  of(question: PolicyQuestion): wasm.Core | Promise<wasm.Core>
  /** Whether a user has one second factor for many accounts: the `policy` function gives a list. */
  isOfMany(question: PolicyQuestion, whom?: string): Promise<boolean>
  /** Any compiled policy with these keys. */
  any(): wasm.Core
}

/** The texts of one policy, or of those of all accounts of a user. */
export interface PolicyTexts {
  texts: string[]
  isList: boolean
  /** A name for the texts, another for a list than for any text. */
  name: string
}

/** Reads a policy or a list of them; `path` names one that is no list. */
export function textsOf(answer: unknown, path = 'policy'): PolicyTexts {
  const list = listed(answer)
  if (list?.length === 0) throw new CountersignError('invalid_policy', path, 'give the policy of at least one account')
  const texts = list
    ? list.map((source, index) => documentText(source, 'invalid_policy', `[${index}]`))
    : [documentText(answer, 'invalid_policy', path)]
  return { texts, isList: list !== undefined, name: list ? `list ${JSON.stringify(texts)}` : nameOf(texts[0]!) }
}

/** The name of a single policy. */
const nameOf = (text: string): string => `one ${text}`

/** Asks a `policy` function. The error says which function threw, and `whom` it was asked for, like ` for \`users[3]\``. */
export async function askPolicy(
  policy: (question: PolicyQuestion) => unknown,
  question: PolicyQuestion,
  whom = '',
  who = 'the function',
): Promise<unknown> {
  try {
    return await policy({ account: question.account, user: question.user })
  } catch (error) {
    throw new CountersignError('invalid_policy', 'policy', `${who} threw${whom}; \`cause\` has its error`, error)
  }
}

/** Runs a job on the answer of a `policy` function. The error tells what the function gave, never the content of it. */
export function onAnswer<T>(answer: unknown, whom: string, job: () => T): T {
  try {
    return job()
  } catch (error) {
    if (!CountersignError.is(error) || error.code !== 'invalid_policy') throw error
    const { path, cause } = error
    const fault = withoutPath(error)
    const isWhole = path === '' || path === 'policy'
    throw new CountersignError(
      'invalid_policy',
      isWhole ? 'policy' : path,
      isWhole ? `the function gave ${kindOf(answer)}${whom}: ${fault}` : `${fault}; the function gave this${whom}`,
      cause,
    )
  }
}

/** The answer of a `policy` function by its kind, for a message. */
function kindOf(answer: unknown): string {
  if (answer === undefined || answer === null) return String(answer)
  if (typeof answer === 'string') return answer.trim() === '' ? 'empty text' : 'text'
  if (typeof answer !== 'object') return `a ${typeof answer}`
  try {
    if (Array.isArray(answer)) return answer.length === 0 ? 'an empty list' : 'a list'
  } catch {
    // A proxy that tells nothing.
  }
  return 'an object'
}

/** Whether an answer is a list of policies. */
export const isListed = (answer: unknown): boolean =>
  guarded('invalid_policy', 'policy', 'could not be read', () => Array.isArray(answer))

/** Compiles a fixed policy at once; `sendsSms` tells whether there is a gateway. */
export function policyCache(policy: PolicyOption, keys: string, sendsSms: boolean): Policies {
  const compile = compiler<wasm.Core>()
  const one = (text: string, name = nameOf(text)) => compile(name, () => call((module) => new module.Core(text, keys)))
  const any = () => one(ANY_POLICY)
  const checked = (answer: unknown) => {
    const { texts, isList, name } = textsOf(answer)
    const core = isList ? compile(name, () => call((module) => module.Core.of_all(texts, keys))) : one(texts[0]!)
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
    if (listed(policy))
      throw new CountersignError('invalid_policy', 'policy', 'must be one policy; a list comes from a function only')
    const text = documentText(policy, 'invalid_policy', 'policy')
    const name = nameOf(text)
    checked(text)
    return { of: () => one(text, name), isOfMany: async () => false, any }
  }
  any() // reports wrong keys at the start
  return {
    of: async (question) => {
      const answer = await askPolicy(policy, question)
      return onAnswer(answer, '', () => checked(answer))
    },
    isOfMany: async (question, whom) => isListed(await askPolicy(policy, question, whom, "the service's function")),
    any,
  }
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

/**
 * Keeps the compiled policies that were used last, by name, until a call is torn. Without `free`, the collector frees a dropped
 * one: a call under way may still use it.
 */
export function compiler<T>(compiled = new Map<string, T>(), free?: (dropped: T) => void) {
  let tornBefore = tornCalls()
  return (name: string, make: () => T): T => {
    if (tornBefore !== tornCalls()) {
      tornBefore = tornCalls()
      compiled.clear()
    }
    const known = compiled.get(name)
    if (known) {
      // Moves to the end, because the least recently used policy is dropped first. A single one is there already.
      if (compiled.size > 1) {
        compiled.delete(name)
        compiled.set(name, known)
      }
      return known
    }
    const made = make()
    compiled.set(name, made)
    let characters = 0
    for (const each of compiled.keys()) characters += each.length
    for (const [oldest, dropped] of compiled) {
      const fits = compiled.size <= MAX_POLICIES && characters <= MAX_CHARACTERS
      if (fits || oldest === name) break
      characters -= oldest.length
      compiled.delete(oldest)
      free?.(dropped)
    }
    return made
  }
}
