// An entry of an import: what every reader gives, and the checks that all of them share.
//
// A reader gives each entry of a file once: as one that can be imported, or with the reason why not. It never throws, so
// that a bad entry keeps no other one back, and no message holds a secret.

/** An app of a user, as `importTotp` takes it. */
export interface Entry {
  /** The account, where the file names one. */
  account?: string | undefined
  /** The user. */
  user: string
  /** The key of the HMAC. */
  secret: Uint8Array
  /** Digits of a code, 6 to 8. */
  digits: number
  /** Seconds of a step, 15 to 300. */
  period: number
  /** Hash under the HMAC. */
  algorithm: Algorithm
  /** The last step whose code was used, where the file knows it. */
  lastStep?: number | undefined
  /** The user's name for the app. */
  name?: string | undefined
}

export type Algorithm = 'SHA1' | 'SHA256' | 'SHA512'

/** The reasons why an entry is not imported. Stable: match on these. */
export const REASONS = {
  unreadable: 'the row, or the file, is not of the format',
  no_user: 'no user is named',
  bad_user: 'the user, or the account, is not 1 to 256 bytes without control characters',
  unknown_user: 'the user is not in the file of --users',
  other_issuer: 'the app belongs to another service than --issuer',
  no_secret: 'there is no secret',
  bad_secret: 'the secret has a character that its encoding does not have',
  secret_length: 'the secret has a length that its encoding cannot have',
  short_secret: 'the secret has fewer than 80 bits',
  long_secret: 'the secret has more than 128 bytes',
  not_totp: 'the codes are not TOTP: they are counted, or of another kind',
  algorithm: 'the hash is none of SHA-1, SHA-256 and SHA-512',
  digits: 'a code has not 6 to 8 digits',
  period: 'a step has not 15 to 300 seconds',
  last_step: 'the last step is no whole number of steps',
  not_verified: 'the user never confirmed the app, or switched it off',
  key_missing: 'the key that the secret is encrypted with is not given',
  not_decrypted: 'the key does not open the secret',
  part_missing: 'a part of the export is missing',
  second_app: 'the user has another app in the same file',
} as const

export type Reason = keyof typeof REASONS

/** One that is not imported. */
export interface Refused {
  /** Where it stands, such as `line 12`. */
  row: string
  /** The user as the file has it, where it can be told. */
  user?: string | undefined
  reason: Reason
  /** The reason in words, for this one. */
  message: string
}

/** One that can be imported. */
export interface Readable {
  /** Where it stands, such as `line 12`. */
  row: string
  entry: Entry
}

export type Read = Readable | Refused

/** The reason why an entry is refused. Thrown in a reader, and never out of it. */
export class Flaw extends Error {
  constructor(
    readonly reason: Reason,
    message: string = REASONS[reason],
  ) {
    super(message)
  }
}

/** An entry as a reader found it. */
export interface Found {
  account?: unknown
  user: unknown
  secret: Uint8Array
  digits: unknown
  period: unknown
  algorithm: unknown
  lastStep?: unknown
  name?: unknown
}

/** Reads one entry: `find` gives what stands there, or throws a {@link Flaw}. */
export function readEntry(row: string, user: unknown, find: () => Found): Read {
  try {
    return { row, entry: entryOf(find()) }
  } catch (error) {
    return refused(row, error, user)
  }
}

/** The report of one that is not imported. Words of a parser may hold a piece of its text, so they are left out. */
export function refused(row: string, error: unknown, user?: unknown): Refused {
  const { reason, message } = error instanceof Flaw ? error : new Flaw('unreadable')
  return isId(user) ? { row, user, reason, message } : { row, reason, message }
}

function entryOf(found: Found): Entry {
  const { secret } = found
  const account = isNone(found.account) ? undefined : idOf(found.account)
  if (isNone(found.user)) throw new Flaw('no_user')
  const user = idOf(found.user)
  if (secret.length === 0) throw new Flaw('no_secret')
  if (secret.length < 10) throw new Flaw('short_secret')
  if (secret.length > 128) throw new Flaw('long_secret')
  const algorithm = algorithmOf(found.algorithm)
  const digits = wholeOf(found.digits, 'digits', 6, 8)
  const period = wholeOf(found.period, 'period', 15, 300)
  const entry: Entry = { user, secret, digits, period, algorithm }
  if (account !== undefined) entry.account = account
  const name = nameOf(found.name)
  if (name !== undefined) entry.name = name
  // Without it a code that the other system took would count once more.
  if (!isNone(found.lastStep)) entry.lastStep = wholeOf(found.lastStep, 'last_step', 0, Number.MAX_SAFE_INTEGER)
  return entry
}

/** Nothing, as files write it. */
const isNone = (value: unknown) => value === undefined || value === null || value === ''

/** An id. A database may give a number; one that JavaScript cannot hold has become another one. */
function idOf(value: unknown): string {
  if (typeof value === 'number' && !Number.isSafeInteger(value))
    throw new Flaw(
      'bad_user',
      'the user or account is a number that is not whole or too large to be exact: write it as text',
    )
  const id = typeof value === 'number' || typeof value === 'bigint' ? String(value) : value
  if (!isId(id)) throw new Flaw('bad_user')
  return id
}

/** Whether a value can be the id of a user or account. */
export const isId = (text: unknown): text is string =>
  typeof text === 'string' && text !== '' && Buffer.byteLength(text) <= 256 && !/[\p{Cc}\p{Cs}]/u.test(text)

/** The many spellings of a hash: `SHA1`, `sha-256`, `HmacSHA512`, `HMAC-SHA1`. */
function algorithmOf(value: unknown): Algorithm {
  const spelt = typeof value === 'string' ? /^(?:hmac-?)?sha-?(1|256|512)$/i.exec(value.trim()) : undefined
  if (!spelt) throw new Flaw('algorithm')
  return `SHA${spelt[1]}` as Algorithm
}

function wholeOf(value: unknown, reason: 'digits' | 'period' | 'last_step', least: number, most: number): number {
  const number = typeof value === 'string' && /^\s*\d{1,16}\s*$/.test(value) ? Number(value) : value
  const isWhole = (typeof number === 'number' && Number.isInteger(number)) || typeof number === 'bigint'
  if (!isWhole || number < least || number > most) throw new Flaw(reason)
  return Number(number)
}

/** A name that fits, or none: it is only shown. */
function nameOf(value: unknown): string | undefined {
  if (typeof value !== 'string') return undefined
  const plain = value.replace(/[\p{Cc}\p{Cf}\p{Co}\p{Cs}\u2028\u2029]/gu, ' ').trim()
  const name = Array.from(plain).slice(0, 40).join('').trim()
  return name === '' ? undefined : name
}

/** A place within a row, or within the file. */
export const placeIn = (row: string, place: string) => (row === 'file' ? place : `${row}, ${place}`)

/** The own field of a value that a file gave: what a prototype has is no field. */
export const field = (value: unknown, name: string): unknown =>
  typeof value === 'object' && value !== null && Object.hasOwn(value, name)
    ? (value as Record<string, unknown>)[name]
    : undefined
