// The host's counter. A message to a phone that is being set up has a limit over all users, which no record can hold:
// the step names a key and a limit, the host counts, and the record is stored only within it.
//
//   step ──▶ pending with a limit ──▶ limits({ key, seconds, max }) ──▶ true ──▶ compare-and-set
//                                               │
//                                               └── false, an error, no answer in 5 s ──▶ `sms_refused`, nothing stored
import { CountersignError } from './error.js'
import { inTime } from './host.js'
import type * as wasm from './wasm.js'
import { call } from './wasm.js'

/**
 * Counts one more of `key`, and says whether the count within the last `seconds` is at most `max`. A window that begins at the
 * first count and ends after `seconds` will do as well as one that slides.
 */
export type Limits = (limit: wasm.Limit) => boolean | Promise<boolean>

/** Longest wait for the host's counter. */
const PATIENCE_MS = 5_000

/**
 * Holds the steps of one call to the host's limit. However many races the call loses, it counts once.
 * @internal
 */
export function heldTo(limits: Limits, report: (error: unknown) => void) {
  let verdict: Promise<'within' | 'reached' | 'not_counted'> | undefined
  return async (pending: wasm.PendingStep): Promise<wasm.PendingStep> => {
    const limit = call(() => pending.limit() as wasm.Limit | undefined)
    if (limit === undefined) return pending
    verdict ??= ask(limits, limit).catch((error) => {
      report(error)
      return 'not_counted'
    })
    const counted = await verdict
    return counted === 'within' ? pending : call(() => pending.over_limit(counted === 'reached'))
  }
}

async function ask(limits: Limits, limit: wasm.Limit): Promise<'within' | 'reached'> {
  const late = () => new CountersignError('invalid_input', 'limits', 'gave no answer in 5 seconds')
  const isWithin: unknown = await inTime(() => limits(limit), PATIENCE_MS, late)
  if (typeof isWithin !== 'boolean') throw new CountersignError('invalid_input', 'limits', 'must give true or false')
  return isWithin ? 'within' : 'reached'
}
