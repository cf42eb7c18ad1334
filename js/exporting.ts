// The way back: the secrets of authenticator apps in the clear, for an operator who leaves us. No entry of the package has this: the
// command `countersign export` alone reaches it, in the bundle.
//
// It needs the store and the key ring both, and somebody who keeps the events. What is opened is told first: the export itself, and
// then each user before anybody sees the user's secrets.
import { type CountersignError, invalid } from './error.js'
import { systemClock, timeOf } from './host.js'
import { accountId, documentText, idText, read } from './input.js'
import type { OperatorOptions } from './options.js'
import { policyCache } from './policy-cache.js'
import { idJson, listRecords, type RecordId } from './store.js'
import type * as wasm from './wasm.js'
import { call } from './wasm.js'

/** An authenticator app in the clear. */
export interface ExportedApp {
  factor: wasm.NamedFactor
  /** In base32. */
  secret: string
  algorithm: 'SHA1' | 'SHA256' | 'SHA512'
  digits: number
  /** Length of a step in seconds. */
  period: number
  /** The last step whose code counts as used. */
  lastStep: number
}

/** A user with a record, or the reason why the record does not open. Users without an app are left out. */
export type ExportedUser = RecordId & ({ apps: ExportedApp[] } | { moving: true } | { error: CountersignError })

/** Opens the apps of all users, or of those of one account. `onEvent` gets each event first; where it fails, the export ends. */
export async function* exportedUsers(
  options: OperatorOptions,
  input: { operator: string; account?: string | undefined },
): AsyncGenerator<ExportedUser, void, undefined> {
  const { operator, account } = read(input, '', { operator: idText, account: accountId }) as unknown as typeof input
  const { store, onEvent, clock = systemClock } = options
  if (typeof onEvent !== 'function') throw invalid('onEvent', 'must be given: an export without a log is none')
  const core = policyCache(options.policy, documentText(options.keys, 'invalid_keys', 'keys'), true).any()
  await onEvent(call(() => core.operator_export_started(account, operator, timeOf(clock)) as wasm.Event))
  for (let after: string | undefined, isFirst = true; isFirst || after !== undefined; isFirst = false) {
    const page = await listRecords(store, { account, after, limit: 1_000 })
    for (const { id, record } of page.records) {
      let opened: { apps: ExportedApp[]; isMoving: boolean; event?: wasm.Event | null }
      try {
        opened = call(() => core.operator_export(idJson(id), record, operator, timeOf(clock))) as typeof opened
      } catch (error) {
        yield { ...id, error: error as CountersignError }
        continue
      }
      const { apps, isMoving, event } = opened
      if (isMoving) yield { ...id, moving: true }
      if (!event) continue
      await onEvent(event)
      yield { ...id, apps }
    }
    after = page.next
  }
}
