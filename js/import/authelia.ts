// Authelia's `authelia storage user totp export` (authelia/internal/model/totp_configuration.go): YAML, in which `secret` is
// base64 of the base32 text, or CSV, in which it is the base32 text. The form `uri` is lines of `otpauth://`.
import { parse } from 'yaml'
import { csvRows } from './csv.js'
import { decoded, fromBase64 } from './encodings.js'
import { Flaw, field, type Read, readEntry, refused } from './entry.js'
import type { Source } from './lines.js'

/** The YAML. */
export function* autheliaYaml(source: Source): Iterable<Read> {
  let apps: unknown
  try {
    // With a lower level of its log the library gives what it can make of a broken file. The failsafe schema makes every value a text: a user named `1e3` or `no` stays what it is. There are no aliases.
    const document = parse(Array.from(source).join(''), { schema: 'failsafe', maxAliasCount: 0, logLevel: 'error' })
    apps = field(document, 'totp_configurations')
  } catch {
    return yield refused('file', new Flaw('unreadable', 'the file is not YAML'))
  }
  if (!Array.isArray(apps))
    return yield refused('file', new Flaw('unreadable', 'the file has no list `totp_configurations`'))
  for (const [index, app] of apps.entries())
    yield appOf(`totp_configurations[${index}]`, app, (text) =>
      typeof text === 'string' ? new TextDecoder().decode(fromBase64(text)) : text,
    )
}

/** The CSV. */
export function* autheliaCsv(source: Source): Iterable<Read> {
  for (const found of csvRows(source)) {
    if ('reason' in found) yield found
    else yield appOf(found.row, found.fields, (text) => text)
  }
}

function appOf(row: string, app: unknown, base32Of: (secret: unknown) => unknown): Read {
  const [user, digits, period, algorithm, secret] = ['username', 'digits', 'period', 'algorithm', 'secret'].map(
    (name) => field(app, name),
  )
  return readEntry(row, user, () => ({ user, secret: decoded(base32Of(secret), 'base32'), digits, period, algorithm }))
}
