// The options that every adapter takes.
import { CountersignError, invalid } from '../error.js'
import { anything, type Check, callable, listOf, optional, read, shape, text } from '../input.js'
import { type Sealer, sealerOf } from '../sealer.js'
import type { SecondFactor } from '../second-factor.js'
import { originsOf } from './cross-site.js'

/** A user of the host. */
export interface HostUser {
  /** The user's account, where the host has accounts. */
  account?: string | undefined
  /** The user's id in your database, which never changes; never the name that was typed. */
  user: string
}

/** The facts of a user that the rules look at. */
export interface UserFacts {
  /** The account's plan, where the policy names plans. */
  plan?: string | undefined
  /** The user's roles by your own names, where the policy names roles. */
  roles?: string[] | undefined
  /** Shown in an authenticator app beside the service's name, such as the e-mail address; the user's id by default. */
  label?: string | undefined
}

/** Pages of yours, for people without scripts: a request that opens a page is sent there, and is not answered with JSON. */
export interface AdapterPages {
  /** The login. Gets `reason`, and `next`: the path to which the person wanted to go. */
  login: string
  /** The second step. Gets `reason`, `next`, and `max_age` where the second factor is too old. */
  secondStep: string
  /** The set-up of a first factor, where the policy asks for one at the login; `secondStep` by default. */
  setUp?: string | undefined
  /** The page after a login; `/` by default. */
  home?: string | undefined
}

/** Options of every adapter. */
export interface AdapterOptions {
  /** The object that `createSecondFactor` gave. */
  secondFactor: SecondFactor
  /** Plan, roles and label of a user; none by default. Asked at each request that needs them. */
  facts?: ((user: HostUser) => UserFacts | Promise<UserFacts>) | undefined
  /**
   * Whether this user is an owner who may issue a recovery code for, or reset, another user of the same account. By default nobody may.
   */
  mayRescue?: ((owner: HostUser, user: string) => boolean | Promise<boolean>) | undefined
  /**
   * The name of this adapter, where one app has several, such as `staff` beside that of customers: up to 32 letters, digits and hyphens. A
   * login of one adapter is nobody at another, and each has cookies of its own.
   */
  name?: string | undefined
  /** Other origins whose pages may send requests with the session's cookie, such as that of a single-page app. */
  origins?: string[] | undefined
  /** Your pages, where people use the service without scripts. */
  pages?: AdapterPages | undefined
  /** Gets each error that was answered with a status of 500 and more; `console.error` by default. */
  onError?: ((error: unknown) => unknown) | undefined
}

/** The pages, each one known. */
export type ReadPages = Record<keyof AdapterPages, string>

/** The options, read, with the means of the second factor. */
export interface ReadOptions extends Omit<AdapterOptions, 'origins' | 'pages' | 'onError'> {
  sealer: Sealer
  onError: (error: unknown) => unknown
  origins: ReadonlySet<string>
  pages: ReadPages | undefined
}

/** Reads the options. */
export function readOptions(options: unknown): ReadOptions {
  const given = read(options, '', {
    secondFactor: anything,
    facts: optional(callable),
    mayRescue: optional(callable),
    name: optional(adapterName),
    origins: optional(listOf(text)),
    pages: optional(shape({ login: text, secondStep: text, setUp: optional(text), home: optional(text) })),
    onError: optional(callable),
  }) as unknown as AdapterOptions
  const { pages } = given
  return {
    ...given,
    sealer: sealerOf(given.secondFactor),
    onError: telling(given.onError ?? console.error),
    origins: originsOf(given.origins),
    pages: pages && { ...pages, setUp: pages.setUp ?? pages.secondStep, home: pages.home ?? '/' },
  }
}

/** An error of the host's, where a call has refused its facts: no client can mend them. */
export const ofFacts = (error: CountersignError): CountersignError =>
  error.code === 'invalid_input' && /^(plan|roles|label)\b/.test(error.path) ? invalidFacts(error) : error

const invalidFacts = (cause: CountersignError) =>
  new CountersignError('invalid_facts', 'facts', 'has another form; see the cause', cause)

/** A name that a cookie's can end in. */
const adapterName: Check = (value, path) => {
  const name = text(value, path) as string
  if (!/^[a-z0-9-]{1,32}$/i.test(name)) throw invalid(path, 'must be 1 to 32 letters, digits and hyphens')
  return name
}

/** The host's function for errors. One of its own, thrown or rejected, changes no answer. */
const telling =
  (onError: (error: unknown) => unknown) =>
  async (error: unknown): Promise<void> => {
    try {
      await onError(error)
    } catch (another) {
      console.error(another)
    }
  }

/** The facts of a user, from the host. */
export async function factsOf({ facts }: Pick<ReadOptions, 'facts'>, user: HostUser): Promise<UserFacts> {
  try {
    const given = (await facts?.(user)) ?? {}
    return read(given, 'facts', { plan: optional(text), roles: optional(listOf(text)), label: optional(text) })
  } catch (error) {
    throw CountersignError.is(error) && error.status < 500 ? invalidFacts(error) : error
  }
}
