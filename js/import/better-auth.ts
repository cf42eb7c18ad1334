// better-auth's table `twoFactor` (better-auth 1.7, src/plugins/two-factor and src/crypto).
//
// The column `secret` is XChaCha20-Poly1305 under SHA-256 of better-auth's own secret: 24 bytes of nonce before the box, as
// bare hex, or as `$ba$N$hex` under the secret of version N. The HMAC takes the UTF-8 of the decrypted text, and not what
// base32 would make of it; only after the prefix `base32:`, which imported secrets have there, it is base32.
import { createHash } from 'node:crypto'
import { xchacha20poly1305 } from '@noble/ciphers/chacha.js'
import type { BetterAuthSecrets } from './better-auth-secrets.js'
import { csvRows, type Row } from './csv.js'
import { decoded, fromHex, fromUtf8 } from './encodings.js'
import { Flaw, type Read, type Refused, readEntry } from './entry.js'
import type { Source } from './lines.js'
import { at, jsonRows } from './table.js'

/** Settings for better-auth's table. */
export interface BetterAuthSettings {
  /** The secrets, each with the rows that it opens. */
  secrets: BetterAuthSecrets
  /** Digits of the plug-in's `totpOptions`; 6 by default. */
  digits?: number | undefined
  /** Seconds of the plug-in's `totpOptions`; 30 by default. */
  period?: number | undefined
  /** The column of the user, where it is another one. */
  columns: { user?: string | undefined }
}

/** Rows of CSV. */
export const betterAuthCsv = (source: Source, settings: BetterAuthSettings) => betterAuthRows(csvRows(source), settings)

/** Rows as JSON. */
export const betterAuthJson = (source: Source, settings: BetterAuthSettings) =>
  betterAuthRows(jsonRows(source), settings)

function* betterAuthRows(rows: Iterable<Row | Refused>, settings: BetterAuthSettings): Iterable<Read> {
  const read = betterAuthReader(settings)
  for (const found of rows) yield 'reason' in found ? found : read(found)
}

/** Reads rows that a database gave. */
export function betterAuthReader({
  secrets,
  digits = 6,
  period = 30,
  columns,
}: BetterAuthSettings): (row: Row) => Read {
  const open = opener(secrets)
  return ({ row, fields }) => {
    const user = columns.user === undefined ? (at(fields, 'userId') ?? at(fields, 'user_id')) : at(fields, columns.user)
    return readEntry(row, user, () => {
      if (isFalse(at(fields, 'verified'))) throw new Flaw('not_verified', 'the user never confirmed the app')
      const isOn = ['twoFactorEnabled', 'two_factor_enabled']
        .map((name) => at(fields, name))
        .find((value) => value !== undefined)
      // better-auth asks nobody for a code of whom the field does not say so.
      if (isOn === null || isOn === '' || isFalse(isOn))
        throw new Flaw('not_verified', 'the second factor of the user is not on')
      return { user, secret: keyOf(open(at(fields, 'secret'))), digits, period, algorithm: 'SHA1' }
    })
  }
}

/** As databases and their exports write it. Nothing at all is no `false`: rows from before the column are confirmed. */
const isFalse = (value: unknown) =>
  value === false ||
  value === 0 ||
  value === 0n ||
  (typeof value === 'string' && /^(false|f|0|no)$/i.test(value.trim()))

const BASE32 = 'base32:'

const keyOf = (text: string) =>
  text.startsWith(BASE32) ? decoded(text.slice(BASE32.length), 'base32') : fromUtf8(text)

function opener({ versions, bare }: BetterAuthSecrets): (stored: unknown) => string {
  const keys = new Map<string, Uint8Array>()
  const keyOfSecret = (secret: string) => {
    const key = keys.get(secret) ?? createHash('sha256').update(secret).digest()
    keys.set(secret, key)
    return key
  }
  return (stored) => {
    if (stored === undefined || stored === null || stored === '') throw new Flaw('no_secret')
    if (typeof stored !== 'string') throw new Flaw('bad_secret', 'the secret is no text')
    const [, version, boxed] = /^\$ba\$(\d+)\$(.*)$/s.exec(stored) ?? []
    const secret = version === undefined ? bare : versions.get(Number(version))
    if (secret === undefined)
      throw new Flaw(
        'key_missing',
        version === undefined ? 'BETTER_AUTH_SECRET is not given' : `BETTER_AUTH_SECRETS has no version ${version}`,
      )
    const bytes = fromHex(boxed ?? stored)
    if (bytes.length < 24 + 16) throw new Flaw('not_decrypted', 'the secret is too short to be encrypted')
    try {
      const plain = xchacha20poly1305(keyOfSecret(secret), bytes.subarray(0, 24)).decrypt(bytes.subarray(24))
      return new TextDecoder('utf-8', { ignoreBOM: true }).decode(plain)
    } catch {
      throw new Flaw('not_decrypted')
    }
  }
}
