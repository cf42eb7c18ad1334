// Keycloak's users with their credentials (OTPCredentialModel, OTPSecretData, OTPCredentialData of keycloak/server-spi): the
// export of a realm, its files of users, or rows of the table `credential`.
//
// The HMAC takes the UTF-8 of the text in `secretData.value`, unless `secretEncoding` is BASE32. A text that looks like base32
// is no base32 for that.
import { csvRows } from './csv.js'
import { decoded, fromUtf8 } from './encodings.js'
import { Flaw, field, placeIn, type Read, readEntry, refused } from './entry.js'
import { jsonValues, parsed } from './json.js'
import type { Source } from './lines.js'
import { at } from './table.js'

/** Settings for Keycloak's users. */
export interface KeycloakSettings {
  /** The field of a user that is the id: `id` by default, or `username`, `email`, `attributes.…`. */
  columns: { user?: string | undefined }
}

/** Documents, lists or lines of JSON. */
export function* keycloakJson(source: Source, settings: KeycloakSettings): Iterable<Read> {
  for (const found of jsonValues(source)) {
    if ('reason' in found) yield found
    else yield* anyOf(found.row, found.value, settings)
  }
}

/** The table `credential` as CSV. */
export function* keycloakCsv(source: Source, settings: KeycloakSettings): Iterable<Read> {
  for (const found of csvRows(source)) {
    if ('reason' in found) yield found
    else yield* credential(found.row, userIdOf(found.fields, settings), found.fields)
  }
}

function* anyOf(row: string, value: unknown, settings: KeycloakSettings): Iterable<Read> {
  const lists = ['users', 'federatedUsers'].filter((name) => Array.isArray(field(value, name)))
  for (const name of lists) {
    const users = field(value, name) as unknown[]
    for (const [index, user] of users.entries()) yield* userOf(placeIn(row, `${name}[${index}]`), user, settings)
  }
  if (lists.length > 0) return
  if (Array.isArray(field(value, 'credentials')) || typeof field(value, 'username') === 'string')
    return yield* userOf(row, value, settings)
  if (typeof field(value, 'type') === 'string') return yield* credential(row, userIdOf(value, settings), value)
  // A realm that was exported without its users.
  if (typeof field(value, 'realm') === 'string')
    return yield refused(row, new Flaw('unreadable', 'the realm has no users: export them too, `--users same_file`'))
  yield refused(row, new Flaw('unreadable', 'it is no realm, no user and no credential'))
}

function* userOf(row: string, value: unknown, { columns: { user = 'id' } }: KeycloakSettings): Iterable<Read> {
  const credentials = field(value, 'credentials')
  const found = at(value, user)
  const id = Array.isArray(found) && found.length === 1 ? found[0] : found // an attribute is a list
  if (!Array.isArray(credentials))
    return yield refused(
      row,
      new Flaw('no_secret', 'the user has no list of credentials: only `kc.sh export` writes them'),
      id,
    )
  for (const [index, one] of credentials.entries()) yield* credential(`${row}.credentials[${index}]`, id, one)
}

const userIdOf = (value: unknown, { columns: { user } }: KeycloakSettings) =>
  user === undefined ? (field(value, 'user_id') ?? field(value, 'userId')) : at(value, user)

/** A credential: passwords, passkeys and recovery codes are passed over. */
function* credential(row: string, user: unknown, value: unknown): Iterable<Read> {
  const type = String(field(value, 'type')).toLowerCase()
  if (type === 'otp') {
    const data = documentOf(field(value, 'credentialData') ?? field(value, 'credential_data'))
    const secret = documentOf(field(value, 'secretData') ?? field(value, 'secret_data'))
    yield readEntry(row, user, () => {
      if (data === undefined || secret === undefined)
        throw new Flaw('unreadable', 'secretData and credentialData must be objects of JSON')
      return { ...appOf(data, field(secret, 'value')), user, name: labelOf(value) }
    })
  } else if (type === 'totp' || type === 'hotp') {
    // Before Keycloak 8 the fields stood in the credential itself.
    yield readEntry(row, user, () => {
      const fields = { digits: 6, period: 30, algorithm: 'HmacSHA1', ...(value as object), subType: type }
      return {
        ...appOf(fields, field(value, 'hashedSaltedValue') ?? field(value, 'value')),
        user,
        name: field(value, 'device'),
      }
    })
  }
}

const labelOf = (value: unknown) => field(value, 'userLabel') ?? field(value, 'user_label')

function appOf(data: unknown, text: unknown) {
  if (field(data, 'subType') !== 'totp') throw new Flaw('not_totp')
  const encoding = field(data, 'secretEncoding')
  if (text === undefined || text === null || text === '') throw new Flaw('no_secret')
  if (typeof text !== 'string') throw new Flaw('bad_secret', 'the secret is no text')
  const isText = encoding === undefined || encoding === null
  if (!isText && String(encoding).toUpperCase() !== 'BASE32')
    throw new Flaw('bad_secret', 'the secret has an encoding that is not known here')
  const [digits, period, algorithm] = ['digits', 'period', 'algorithm'].map((name) => field(data, name))
  return { secret: isText ? fromUtf8(text) : decoded(text, 'base32'), digits, period, algorithm }
}

/** An object, or the text of one. */
function documentOf(value: unknown): object | undefined {
  const document = typeof value === 'string' ? parsed(value) : value
  return typeof document === 'object' && document !== null ? document : undefined
}
