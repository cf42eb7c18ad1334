// The operator's commands of an import.
import { carryOut } from './effects.js'
import { guarded, invalid } from './error.js'
import {
  ENTRY,
  type ImportEntry,
  type ImportInput,
  type ImportManyInput,
  type ImportReply,
  type ImportResult,
  jobOf,
} from './import-entry.js'
import { type Means, manyImports } from './import-many.js'
import { flag, idText, optional, read } from './input.js'

/** The commands of an import. */
export interface Importing {
  /**
   * Imports an authenticator app that another system has set up, so that its user goes on with it: `imported`. Somebody who
   * chose the secret can log in as the user: never call it with data of a request. User and log hear of it: the log at once, the user at the
   * first login, which brings new backup codes too, where the policy has them (`backupCodes`, `set` and `newCodes` of `verified`).
   *
   * It is `unchanged` where the user has this very app. It is `refused` where the user has another factor (`has_factor`), had one
   * here and removed it (`had_factor`), or has a recovery code that is alive (`recovery_code`), unless `replace` is given; and in
   * any case after a reset (`reset`), and where the user was moved or erased (`moved`, `erased`).
   *
   * @example
   * ```ts
   * import { createOperator, type OperatorOptions } from 'countersign/operator'
   *
   * export async function bring(options: OperatorOptions, user: string, secret: string): Promise<boolean> {
   *   const { importTotp } = createOperator(options)
   *   const reply = await importTotp({ user, secret, operator: 'move of 28 November' })
   *   if (reply.result === 'refused') console.warn(`${user}: ${reply.reason}`)
   *   return reply.result !== 'refused'
   * }
   * ```
   *
   * @throws {@link CountersignError} `invalid_input` with the path, such as `secret` where it has another length.
   */
  importTotp(input: ImportInput): Promise<ImportReply>
  /**
   * Imports many: gives the result of each entry, in order. Nothing is imported but what is asked for: go through all results. An
   * entry is imported as a whole or not at all, and one that is wrong or refused keeps none of the others. Where it was cut off, run it
   * again: those who are there are `unchanged`. A store that has `insertMany` gets a hundred users at once.
   *
   * It waits for `onEvent`, so that events do not pile up. Where `entries` throws, so does the next result.
   *
   * @example
   * ```ts
   * import { createOperator, type ImportEntry, type OperatorOptions } from 'countersign/operator'
   *
   * export async function bringAll(options: OperatorOptions, entries: AsyncIterable<ImportEntry>): Promise<number> {
   *   let open = 0
   *   for await (const one of createOperator(options).importMany(entries, { operator: 'move of 28 November' })) {
   *     if (one.result === 'imported' || one.result === 'unchanged') continue
   *     open += 1
   *     console.warn(`entry ${one.index}, ${one.user}: ${one.result === 'refused' ? one.reason : one.error.message}`)
   *   }
   *   return open
   * }
   * ```
   *
   * @throws {@link CountersignError} `invalid_input` where `entries` is no list, or a field of the input is wrong.
   */
  importMany(
    entries: Iterable<ImportEntry> | AsyncIterable<ImportEntry>,
    input: ImportManyInput,
  ): AsyncGenerator<ImportResult, void, undefined>
}

/** Makes the commands. @internal */
export function importing(means: Means): Importing {
  const { host, policies, stepOf, stored } = means
  const many = manyImports(means)
  return {
    importTotp: async (input) => {
      const given = read(input, '', { ...ENTRY, operator: idText }) as unknown as ImportInput
      const job = jobOf(given, given.operator, stepOf)
      try {
        const { reply, effects } = await stored(job.id, job.step(await policies.of(job.id)))
        await carryOut(effects, host)
        return reply as ImportReply
      } finally {
        job.secret.fill(0)
      }
    },
    importMany: (entries, input) => {
      const given = read(input, '', { operator: idText, dryRun: optional(flag) }) as unknown as ImportManyInput
      return many(iterable(entries), given)
    },
  }
}

function iterable(entries: unknown): Iterable<unknown> | AsyncIterable<unknown> {
  return guarded('invalid_input', 'entries', 'could not be read', () => {
    const given = entries as (Partial<Iterable<unknown>> & Partial<AsyncIterable<unknown>>) | null | undefined
    const isList = typeof given === 'object' && given !== null
    if (
      !isList ||
      [given[Symbol.asyncIterator], given[Symbol.iterator]].every((method) => typeof method !== 'function')
    )
      throw invalid('entries', 'must be a list, or an iterable of entries')
    return given as Iterable<unknown>
  })
}
