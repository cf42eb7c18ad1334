// Secrets as text: base32, hex and ASCII, into the bytes that the HMAC takes. None is guessed from how the text looks:
// `GEZDGNBVGY3TQOJQ` is base32, ASCII and a key in both.
import { Flaw } from './entry.js'

/** The encodings of a secret. */
export const ENCODINGS = ['base32', 'hex', 'ascii'] as const

export type Encoding = (typeof ENCODINGS)[number]

/** The bytes of a secret. Throws a {@link Flaw}. */
export function decoded(text: unknown, encoding: Encoding): Uint8Array {
  if (text === undefined || text === null || text === '') throw new Flaw('no_secret')
  if (typeof text !== 'string') throw new Flaw('bad_secret', 'the secret is no text')
  return { base32: fromBase32, hex: fromHex, ascii: fromAscii }[encoding](text)
}

const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'

/**
 * Base32 (RFC 4648 §6) as authenticator apps read it: any case, with spaces, hyphens and padding. Bits after the last byte are
 * dropped, whatever they are. Services cut such texts out of longer ones, and app and server agree on the bytes.
 *
 * One or six symbols after the last group of eight are no end of a text: a symbol is lost or doubled, and libraries
 * differ in what they read.
 */
function fromBase32(text: string): Uint8Array {
  const symbols = text.replace(/[\s-]/g, '').replace(/=+$/, '').toUpperCase()
  if (symbols === '') throw new Flaw('no_secret')
  if (!/^[A-Z2-7]*$/.test(symbols)) throw new Flaw('bad_secret', 'the secret is not base32: A–Z and 2–7')
  if ([1, 6].includes(symbols.length % 8))
    throw new Flaw('secret_length', `base32 has no text of ${symbols.length} symbols: one is missing, or one too many`)
  const bytes = new Uint8Array(Math.floor((symbols.length * 5) / 8))
  let [bits, held, at] = [0, 0, 0]
  for (const symbol of symbols) {
    held = ((held << 5) | ALPHABET.indexOf(symbol)) & 0xfff
    bits += 5
    if (bits < 8) continue
    bits -= 8
    bytes[at] = (held >> bits) & 0xff
    at += 1
  }
  return bytes
}

/** Base32 without padding, as `otpauth://` has it. */
export function toBase32(bytes: Uint8Array): string {
  let [text, bits, held] = ['', 0, 0]
  for (const byte of bytes) {
    held = ((held << 8) | byte) & 0xfff
    bits += 8
    for (; bits >= 5; bits -= 5) text += ALPHABET[(held >> (bits - 5)) & 31]
  }
  return bits === 0 ? text : text + ALPHABET[(held << (5 - bits)) & 31]
}

export function fromHex(text: string): Uint8Array {
  const digits = text.replace(/\s/g, '')
  if (!/^[0-9a-f]*$/i.test(digits)) throw new Flaw('bad_secret', 'the secret is not hexadecimal')
  if (digits.length % 2 === 1) throw new Flaw('secret_length', `hex has no text of ${digits.length} digits`)
  return new Uint8Array(Buffer.from(digits, 'hex'))
}

/** The text is the key. Beyond ASCII, libraries differ in its bytes. */
function fromAscii(text: string): Uint8Array {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: all of ASCII
  if (!/^[\u0000-\u007f]*$/.test(text)) throw new Flaw('bad_secret', 'the secret is not ASCII')
  return new TextEncoder().encode(text)
}

/** The UTF-8 of a text. A half of a character has none. */
export function fromUtf8(text: string): Uint8Array {
  if (/[\ud800-\udfff]/.test(text.replace(/[\ud800-\udbff][\udc00-\udfff]/g, '')))
    throw new Flaw('bad_secret', 'the secret has half a character')
  return new TextEncoder().encode(text)
}

/** Base64 (RFC 4648 §4 and §5), with or without padding. */
export function fromBase64(text: string): Uint8Array {
  const symbols = text.replace(/\s/g, '').replace(/=+$/, '').replaceAll('-', '+').replaceAll('_', '/')
  if (!/^[A-Za-z0-9+/]*$/.test(symbols)) throw new Flaw('bad_secret', 'the secret is not base64')
  if (symbols.length % 4 === 1) throw new Flaw('secret_length', `base64 has no text of ${symbols.length} symbols`)
  return new Uint8Array(Buffer.from(symbols, 'base64'))
}
