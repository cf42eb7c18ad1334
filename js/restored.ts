// After a restore of the database: the users whose record is older than the truth.
import { invalid } from './error.js'
import { type Check, read, seconds } from './input.js'
import type { RecordId } from './store.js'
import type * as wasm from './wasm.js'

/**
 * Events after which a record that was restored from before them is wrong. An import is none of them: it is done again, which is refused
 * after a reset.
 */
const CHANGES = {
  factor_added: true,
  factor_removed: true,
  reset: true,
  reset_by_operator: true,
  moved_here: true,
  moved_away: true,
  erased: true,
} satisfies Partial<Record<wasm.Event['event'], true>>

/** Input of {@link changedSince}. */
export interface ChangedSinceInput {
  /** Events as `onEvent` was given them, in any order, from a place that was not restored with the database. */
  events: Iterable<wasm.Event>
  /** The time of the backup in unix seconds. */
  since: number
}

/**
 * The users whose factors changed after a backup, by the audit log. After the database was restored, their record is missing or
 * wrong: someone who enrolled since looks as if they never had a second factor, and `begin` would say `allowed`. Reset each, so
 * that only a recovery code lets them in.
 *
 * Users who were moved or erased since are among them; do the move or erasure again afterwards. Users who were imported since are not:
 * do the import again before you reset anybody.
 *
 * @example
 * ```ts
 * import { changedSince, createOperator, type OperatorOptions, type ChangedSinceInput } from 'countersign/operator'
 *
 * export async function afterRestore(options: OperatorOptions, log: ChangedSinceInput): Promise<void> {
 *   const { reset } = createOperator(options)
 *   for (const id of changedSince(log)) await reset({ ...id, operator: 'restore of 28 November' })
 * }
 * ```
 *
 * @throws {@link CountersignError} `invalid_input`, with the path.
 */
export function changedSince(input: ChangedSinceInput): RecordId[] {
  const { events, since } = read(input, '', { events: iterable, since: seconds }) as unknown as ChangedSinceInput
  const changed = new Map<string, RecordId>()
  for (const event of events) {
    const { event: kind, account, user, at } = event ?? {}
    if (typeof kind !== 'string' || typeof user !== 'string' || typeof at !== 'number')
      throw invalid('events', 'must be events, as `onEvent` was given them')
    if (at < since || !Object.hasOwn(CHANGES, kind)) continue
    changed.set(JSON.stringify([account, user]), account === undefined ? { user } : { account, user })
  }
  return [...changed.values()]
}

const iterable: Check = (value, path) => {
  if (typeof (value as Iterable<unknown> | undefined)?.[Symbol.iterator] !== 'function')
    throw invalid(path, 'must be a list')
  return value
}
