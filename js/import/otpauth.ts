// `otpauth://totp/` URIs (https://github.com/google/google-authenticator/wiki/Key-Uri-Format), one in each line or in a
// column. The engine reads them, as authenticator apps do; but for the secret, whose left-over bits it refuses.
import { CountersignError, otpauth } from '../index.js'
import { decoded, toBase32 } from './encodings.js'
import { Flaw, type Found, type Read, readEntry, refused } from './entry.js'
import { linesOf, type Source } from './lines.js'

/** Settings for lines of URIs. */
export interface UriSettings {
  /** Only apps of this service; others are reported. */
  issuer?: string | undefined
}

/** Lines of URIs. The user is the label. Empty lines are passed over. */
export function* uriLines(source: Source, settings: UriSettings): Iterable<Read> {
  for (const { number, text } of linesOf(source)) {
    if (text.trim() === '') continue
    const row = `line ${number}`
    try {
      const { label, issuer, ...found } = uriOf(text.trim())
      yield readEntry(row, label, () => {
        expectIssuer(issuer, settings)
        return { ...found, user: label }
      })
    } catch (error) {
      yield refused(row, error)
    }
  }
}

/** Throws where an app belongs to another service. */
export function expectIssuer(issuer: unknown, settings: UriSettings): void {
  if (settings.issuer !== undefined && issuer !== settings.issuer)
    throw new Flaw('other_issuer', `the app belongs to ${issuer === '' ? 'no service by name' : 'another service'}`)
}

/** The content of a URI. Throws a {@link Flaw}. */
export function uriOf(uri: string): Omit<Found, 'user'> & { issuer: string; label: string } {
  const kind = /^otpauth:\/\/([a-z]+)\//i.exec(uri)?.[1]
  if (kind === undefined) throw new Flaw('unreadable', 'it is no otpauth:// URI')
  if (kind.toLowerCase() !== 'totp') throw new Flaw('not_totp')
  const secrets = [...uri.matchAll(/[?&]secret=([^&#]*)/gi)]
  if (secrets.length !== 1) throw new Flaw(secrets.length === 0 ? 'no_secret' : 'unreadable', TWICE[secrets.length])
  const [{ 1: text = '', 0: whole, index }] = secrets as [RegExpMatchArray & { index: number }]
  const secret = decoded(percentDecoded(text), 'base32')
  // The engine reads everything else, with a secret that it takes.
  const other = `${uri.slice(0, index)}${whole.slice(0, 'Xsecret='.length)}${'A'.repeat(32)}${uri.slice(index + whole.length)}`
  try {
    const { issuer, label, digits, periodSeconds, algorithm } = otpauth.parse(other)
    return { issuer, label, secret, digits, period: periodSeconds, algorithm }
  } catch (error) {
    throw flawOf(error)
  }
}

const TWICE = ['the URI has no secret']

function percentDecoded(text: string): string {
  try {
    return decodeURIComponent(text.replaceAll('+', ' '))
  } catch {
    throw new Flaw('unreadable', 'the URI is not percent-encoded as it should be')
  }
}

/** The engine's reason: the path names the parameter, and no message has a value of it. */
function flawOf(error: unknown): Flaw {
  if (!CountersignError.is(error)) return new Flaw('unreadable')
  const { path, message } = error
  const named = (['algorithm', 'digits', 'period'] as const).find((name) => name === path)
  return new Flaw(named ?? 'unreadable', `the URI: ${message}`)
}

/** The URI of an entry, as the readers above read it. */
export function uriFor(
  input: { issuer: string; label: string; secret: Uint8Array } & Pick<Found, 'digits' | 'period' | 'algorithm'>,
): string {
  const { issuer, label, secret, digits, period, algorithm } = input
  const name = encodeURIComponent(`${issuer}:${label}`)
  const query = `secret=${toBase32(secret)}&issuer=${encodeURIComponent(issuer)}&algorithm=${algorithm}&digits=${digits}&period=${period}`
  return `otpauth://totp/${name}?${query}`
}
