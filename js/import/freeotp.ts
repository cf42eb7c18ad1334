// The backup of FreeOTP+ (and of other apps that took the form): JSON with `tokens`, whose `secret` is a list of signed bytes.
// The user is the label.
import { decoded } from './encodings.js'
import { Flaw, field, placeIn, type Read, readEntry, refused } from './entry.js'
import { jsonValues } from './json.js'
import type { Source } from './lines.js'
import { expectIssuer, type UriSettings } from './otpauth.js'

/** Backups, or lists of tokens. */
export function* freeOtp(source: Source, settings: UriSettings): Iterable<Read> {
  for (const { row, ...found } of jsonValues(source)) {
    if ('reason' in found) {
      yield { row, ...found }
      continue
    }
    const tokens = field(found.value, 'tokens')
    if (Array.isArray(tokens))
      for (const [index, one] of tokens.entries()) yield token(placeIn(row, `tokens[${index}]`), one, settings)
    else if (field(found.value, 'secret') !== undefined) yield token(row, found.value, settings)
    else yield refused(row, new Flaw('unreadable', 'it is no backup of FreeOTP+: it has no tokens'))
  }
}

function token(row: string, value: unknown, settings: UriSettings): Read {
  const user = field(value, 'label')
  return readEntry(row, user, () => {
    if (String(field(value, 'type') ?? 'TOTP').toUpperCase() !== 'TOTP') throw new Flaw('not_totp')
    expectIssuer(field(value, 'issuerExt') ?? field(value, 'issuerInt') ?? '', settings)
    const [digits, period, algorithm] = ['digits', 'period', 'algo'].map((name) => field(value, name))
    return {
      user,
      secret: bytesOf(field(value, 'secret')),
      digits: digits ?? 6,
      period: period ?? 30,
      algorithm: algorithm ?? 'SHA1',
    }
  })
}

/** Signed bytes, or base32 as the exports of other programs have it. */
function bytesOf(value: unknown): Uint8Array {
  if (!Array.isArray(value)) return decoded(value, 'base32')
  if (!value.every((byte) => Number.isInteger(byte) && byte >= -128 && byte <= 255))
    throw new Flaw('bad_secret', 'the secret is no list of bytes')
  return Uint8Array.from(value as number[])
}
