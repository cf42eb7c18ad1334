// Ory Kratos' identities with the credential `totp`, whose `config.totp_url` is an `otpauth://` URI
// (kratos/selfservice/strategy/totp): what `GET /admin/identities?include_credential=totp` gives, or rows of the table
// `identity_credentials`.
import { Flaw, field, placeIn, type Read, readEntry, refused } from './entry.js'
import { jsonValues, parsed } from './json.js'
import type { Source } from './lines.js'
import { uriOf } from './otpauth.js'
import { at } from './table.js'

/** Settings for Kratos' identities. */
export interface KratosSettings {
  /** The field of an identity that is the id: `id` by default, or such as `traits.email`. */
  columns: { user?: string | undefined }
}

/** Identities: a list, pages, or lines of JSON. */
export function* kratosJson(source: Source, settings: KratosSettings): Iterable<Read> {
  for (const { row, ...found } of jsonValues(source)) {
    if ('reason' in found) {
      yield { row, ...found }
      continue
    }
    const page = field(found.value, 'identities')
    if (!Array.isArray(page)) yield* identity(row, found.value, settings)
    else for (const [index, one] of page.entries()) yield* identity(placeIn(row, `identities[${index}]`), one, settings)
  }
}

function* identity(row: string, value: unknown, { columns }: KratosSettings): Iterable<Read> {
  const credentials = field(value, 'credentials')
  const ofTable = field(value, 'identity_id')
  const config = configOf(ofTable === undefined ? field(field(credentials, 'totp'), 'config') : field(value, 'config'))
  const user = at(value, columns.user ?? (ofTable === undefined ? 'id' : 'identity_id'))
  if (ofTable === undefined && typeof field(value, 'id') !== 'string')
    return yield refused(row, new Flaw('unreadable', 'it is no identity'), user)
  if (ofTable === undefined && credentials === undefined)
    return yield refused(
      row,
      new Flaw('no_secret', 'the identity has no credentials: ask for them by include_credential=totp'),
      user,
    )
  const hasApp = ofTable === undefined ? field(credentials, 'totp') !== undefined : config !== undefined
  if (!hasApp) return
  yield readEntry(row, user, () => {
    const uri = field(config, 'totp_url')
    if (typeof uri !== 'string' || uri === '')
      throw new Flaw('no_secret', 'the credential has no totp_url: ask for it by include_credential=totp')
    return { ...uriOf(uri), user }
  })
}

const configOf = (value: unknown) => (typeof value === 'string' ? parsed(value) : value)
