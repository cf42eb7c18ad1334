// The parts that the commands share: their arguments, the host's options, and the words of errors.
import { resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { parseArgs } from 'node:util'
import type { OperatorOptions } from '../operator.js'

/** A command line that is not understood. Known by its name, because the commands are in several bundles. */
export class UsageError extends Error {
  override readonly name = 'UsageError'
}

/** The options of a command that take no value or several, and its other words. */
interface More<Flag extends string, Many extends string> {
  /** Options without a value. */
  flags?: Flag[]
  /** Options that may come several times. */
  many?: Many[]
  /** Whether it takes words that are no options. */
  words?: boolean
}

/** The options of a command: these must be given, those may be. */
export function argumentsOf<
  Must extends string,
  May extends string,
  Flag extends string = never,
  Many extends string = never,
>(
  args: string[],
  must: Must[],
  may: May[],
  { flags = [], many = [], words = false }: More<Flag, Many> = {},
): Arguments<Must, May, Flag, Many> {
  const options = Object.fromEntries([
    ...[...must, ...may].map((name) => [name, { type: 'string' }] as const),
    ...flags.map((name) => [name, { type: 'boolean' }] as const),
    ...many.map((name) => [name, { type: 'string', multiple: true }] as const),
  ])
  const { values, positionals, tokens } = parsed(() =>
    parseArgs({ args, options, allowPositionals: true, tokens: true }),
  )
  const given = tokens.flatMap((token) => (token.kind === 'option' ? [token.name] : []))
  const twice = given.find((name, index) => given.indexOf(name) < index && !many.includes(name as Many))
  if (twice !== undefined) throw new UsageError(`--${twice} is given twice`)
  if (positionals.length > 0 && !words) throw new UsageError(`\`${positionals[0]}\` is not known here`)
  const missing = must.find((name) => !Object.hasOwn(values, name))
  if (missing !== undefined) throw new UsageError(`--${missing} is missing`)
  return (words ? { ...values, words: positionals } : values) as unknown as Arguments<Must, May, Flag, Many>
}

type Arguments<Must extends string, May extends string, Flag extends string, Many extends string> = Record<
  Must,
  string
> &
  Partial<Record<May, string>> &
  Partial<Record<Flag, boolean>> &
  Partial<Record<Many, string[]>> & { words?: string[] }

function parsed<T>(parse: () => T): T {
  try {
    return parse()
  } catch (error) {
    throw new UsageError((error as Error).message)
  }
}

/** The default export of the host's file, or what it gives. */
export async function optionsIn(config: string): Promise<OperatorOptions> {
  const module = (await import(pathToFileURL(resolve(config)).href)) as { default?: unknown }
  if (module.default === undefined) {
    throw new Error(`${config} has no default export: it must be the object that createSecondFactor is given`)
  }
  // A module that TypeScript compiled for `require` has its default export within.
  const { __esModule: isCompiled, default: inner } = module.default as { __esModule?: unknown; default?: unknown }
  const options = isCompiled === true && inner !== undefined ? inner : module.default
  return (typeof options === 'function' ? await options() : options) as OperatorOptions
}

export const nameOf = ({ account, user }: { account?: string | undefined; user: string }) =>
  account === undefined ? `user "${user}" without an account` : `user "${user}" in account "${account}"`

/** The words of an error of the host's. A database under two addresses fails with two errors and no words of its own. */
export function wordsOf(error: unknown): string {
  if (error instanceof AggregateError && error.message === '' && error.errors.length > 0)
    return error.errors.map(wordsOf).join('; ')
  if (error instanceof Error) return error.message || error.name
  return typeof error === 'object' && error !== null ? 'an object that is no Error' : String(error)
}

/** The same and the cause: a policy function, a store or a file of the host's, whose own words tell its operator what to do. */
export function wordsWithCause(error: unknown): string {
  const cause = error instanceof Error ? error.cause : undefined
  return cause === undefined ? wordsOf(error) : `${wordsOf(error)}\ncaused by: ${wordsOf(cause)}`
}
