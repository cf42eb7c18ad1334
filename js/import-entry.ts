// An entry of an import: one authenticator app of one user, read and made a step.
import { type CountersignError, invalid } from './error.js'
import { accountId, type Check, flag, idText, optional, text, whole } from './input.js'
import { idJson, type RecordId } from './store.js'
import type { Step, stepsOf } from './store-loop.js'
import type * as wasm from './wasm.js'

/** An authenticator app of a user, as another system knows it. */
export interface ImportEntry {
  /** The user's account, where the host has accounts. */
  account?: string | undefined
  /** The user. */
  user: string
  /**
   * The secret: 10 to 128 bytes, or its base32 as text, in any case, with white space, hyphens and padding or without. Bits of the
   * text that fill no byte count for nothing, as in authenticator apps. A secret of fewer than 160 bits counts, and is marked: `weak`.
   */
  secret: string | Uint8Array
  /** Number of digits of a code, 6 to 8; by default 6. */
  digits?: number | undefined
  /** Length of a step in seconds, 15 to 300; by default 30. */
  period?: number | undefined
  /** `SHA1`, `SHA256` or `SHA512`, in any of their spellings; by default `SHA1`. */
  algorithm?: string | undefined
  /**
   * The last step whose code the other system took: unix seconds divided by the period. The step of now counts as used in any
   * case, and all before it.
   */
  lastStep?: number | undefined
  /** The name by which the user tells this app from others. One that is no name counts as none: then it is `Authenticator app`. */
  name?: string | undefined
  /** Puts the app in the place of the user's apps, where there are some. Phones and backup codes stay. */
  replace?: boolean | undefined
}

/** Input of `importTotp`. */
export interface ImportInput extends ImportEntry {
  /** The name of the person who gives the command, for audit: 1 to 256 bytes without control characters. */
  operator: string
}

/** Input of `importMany`, beside the entries. */
export interface ImportManyInput {
  /** The name of the person who gives the command, for audit: 1 to 256 bytes without control characters. */
  operator: string
  /** Stores nothing and tells nobody: the results are those that the import would give, were each user there once. */
  dryRun?: boolean | undefined
}

/** Reply of `importTotp`. */
export type ImportReply = Extract<wasm.Reply, { result: 'imported' | 'unchanged' | 'refused' }>

/** The result of an entry of `importMany`. */
export type ImportResult = {
  /** The place of the entry, from 0 on. */
  index: number
  /** The account of the entry, where it has one. */
  account?: string | undefined
  /** The user of the entry, where it names one. */
  user?: string | undefined
} & (
  | ImportReply
  | {
      /** Nothing was changed; or, where the code is `store_failed`, it is not known. */
      result: 'failed'
      /** The reason. */
      error: CountersignError
    }
)

/** An entry that was read. @internal */
export interface Job {
  id: RecordId
  /** Wiped at the end. */
  secret: Uint8Array
  step: (core: wasm.Core) => Step
}

const secretOf: Check = (value, path) => {
  if (typeof value === 'string') return text(value, path)
  if (!(value instanceof Uint8Array)) throw invalid(path, 'must be base32 as text, or a Uint8Array')
  // Copied, because the caller may fill the same bytes anew.
  return Uint8Array.from(value.subarray(0, MAX_SECRET + 1))
}

/** Bytes of the longest secret. */
const MAX_SECRET = 128

/** The fields of an entry. @internal */
export const ENTRY = {
  account: accountId,
  user: idText,
  secret: secretOf,
  digits: optional(whole),
  period: optional(whole),
  algorithm: optional(text),
  lastStep: optional(whole),
  name: optional(text),
  replace: optional(flag),
}

/** An entry as a step. @internal */
export function jobOf(given: ImportEntry, operator: string, stepOf: ReturnType<typeof stepsOf>): Job {
  // It has no prototype, so that nothing is taken from one.
  const { account, user, secret, digits, period, algorithm, lastStep, name, replace = false } = given
  const id = { account, user }
  const isText = typeof secret === 'string'
  const bytes = isText ? new TextEncoder().encode(secret) : secret
  const step = (core: wasm.Core) =>
    stepOf(({ stored, now, seed }) =>
      core.operator_import(
        idJson(id),
        stored?.record,
        bytes,
        isText,
        digits,
        period,
        algorithm,
        lastStep,
        name,
        replace,
        operator,
        now,
        seed,
      ),
    )
  return { id, secret: bytes, step }
}
