// `otpauth-migration://offline?data=…` of Google Authenticator, one URI in each line: base64 of a protobuf message
// `MigrationPayload`, with a part of the export. The user is the app's name.
//
//   MigrationPayload: 1 otp_parameters (repeated), 2 version, 3 batch_size, 4 batch_index, 5 batch_id
//   OtpParameters:    1 secret, 2 name, 3 issuer, 4 algorithm, 5 digits, 6 type, 7 counter
import { fromBase64 } from './encodings.js'
import { Flaw, type Read, readEntry, refused } from './entry.js'
import { linesOf, type Source } from './lines.js'
import { expectIssuer, type UriSettings } from './otpauth.js'
import { type Fields, fieldsOf, numberIn, textIn } from './protobuf.js'

/** Lines of URIs. What the parts hold is given even where another part of the same export is missing. */
export function* googleLines(source: Source, settings: UriSettings): Iterable<Read> {
  const exports: Parts[] = []
  for (const { number, text } of linesOf(source)) {
    if (text.trim() === '') continue
    const row = `line ${number}`
    let payload: Fields
    try {
      payload = payloadOf(text.trim())
    } catch (error) {
      yield refused(row, error instanceof Flaw ? error : new Flaw('unreadable', 'the data is not what the app writes'))
      continue
    }
    const [size = 1, index = 0, id = 0] = [3, 4, 5].map((name) => numberIn(payload, name))
    if (exports.some((parts) => parts.id === id && parts.seen.get(index) === text)) continue // a part that was scanned twice
    // Other programs give no id to their exports: another part under the same number is one of another export.
    const known = exports.find((parts) => parts.id === id && parts.size === size && !parts.seen.has(index))
    const parts = known ?? { id, size, seen: new Map() }
    if (known === undefined) exports.push(parts)
    parts.seen.set(index, text)
    for (const [at, app] of (payload.get(1) ?? []).entries()) yield appOf(`${row}, app ${at + 1}`, app, settings)
  }
  for (const { size, seen } of exports)
    for (let index = 0; index < Math.min(size, MOST_PARTS); index += 1)
      if (!seen.has(index))
        yield refused(
          'file',
          new Flaw('part_missing', `part ${index + 1} of ${size} is missing: scan all codes of the export`),
        )
}

interface Parts {
  id: number
  size: number
  /** The lines of the parts, by their places. */
  seen: Map<number, string>
}

/** Most parts of an export: the app shows ten apps in each, and a broken number must not make a report without end. */
const MOST_PARTS = 1_000

function payloadOf(uri: string): Fields {
  const [, query = ''] = /^otpauth-migration:\/\/offline\/?\?(.*)$/i.exec(uri) ?? []
  const [, data] = /(?:^|&)data=([^&#]*)/.exec(query) ?? []
  if (data === undefined) throw new Flaw('unreadable', 'it is no otpauth-migration://offline?data=…')
  // In base64 `+` is a symbol, and no blank.
  return fieldsOf(fromBase64(decodeURIComponent(data)))
}

const [SHA1, SHA256, SHA512] = [1, 2, 3]
const TOTP = 2
const ALGORITHMS = new Map([
  [0, 'SHA1'],
  [SHA1, 'SHA1'],
  [SHA256, 'SHA256'],
  [SHA512, 'SHA512'],
])
const DIGITS = new Map([
  [0, 6],
  [1, 6],
  [2, 8],
])

function appOf(row: string, app: unknown, settings: UriSettings): Read {
  let fields: Fields
  try {
    fields = fieldsOf(app)
  } catch {
    return refused(row, new Flaw('unreadable', 'the data is not what the app writes'))
  }
  const issuer = textIn(fields, 3) ?? ''
  // The name may have the issuer before it, as the label of a URI has.
  const name = textIn(fields, 2) ?? ''
  const user = issuer !== '' && name.startsWith(`${issuer}:`) ? name.slice(issuer.length + 1).trim() : name
  return readEntry(row, user, () => {
    if (numberIn(fields, 6) !== TOTP) throw new Flaw('not_totp')
    expectIssuer(issuer, settings)
    const secret = fields.get(1)?.at(-1)
    if (!(secret instanceof Uint8Array)) throw new Flaw('no_secret')
    const algorithm = ALGORITHMS.get(numberIn(fields, 4) ?? 0)
    return { user, secret, digits: DIGITS.get(numberIn(fields, 5) ?? 0), period: 30, algorithm }
  })
}
