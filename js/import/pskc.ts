// PSKC, the Portable Symmetric Key Container (RFC 6030), as privacyIDEA, LinOTP and makers of tokens write it. Secrets are in
// the clear, or encrypted with AES-CBC under a pre-shared key (§6.1) or a passphrase (§6.2), with a MAC each.
//
// The user is `UserId` of the key or device; privacyIDEA names none, so its tokens are given to users by their serial numbers.
import { createDecipheriv, createHmac, pbkdf2Sync, timingSafeEqual } from 'node:crypto'
import { fromBase64 } from './encodings.js'
import { Flaw, type Read, readEntry, refused } from './entry.js'
import type { Source } from './lines.js'
import { type Element, rootOf, within } from './xml.js'

/** Settings for PSKC. */
export interface PskcSettings {
  /** The pre-shared key. */
  key?: Uint8Array | undefined
  /** The passphrase, where the key is derived from one. */
  passphrase?: string | undefined
  /** The element that names the user: `UserId` by default, or `SerialNo`, which a file of users maps to one. */
  columns: { user?: string | undefined }
}

/** A container. */
export function* pskc(source: Source, settings: PskcSettings): Iterable<Read> {
  let root: Element
  try {
    root = rootOf(source)
  } catch {
    return yield refused('file', new Flaw('unreadable', 'the file is not XML'))
  }
  if (root.name !== 'keycontainer')
    return yield refused('file', new Flaw('unreadable', 'the file is no PSKC: its root is no KeyContainer'))
  const open = opener(root, settings)
  const packages = root.children.filter(({ name }) => name === 'keypackage')
  for (const [index, one] of packages.entries()) yield keyOf(`key ${index + 1}`, one, open, settings)
}

type Open = (secret: Element) => Uint8Array

function keyOf(row: string, one: Element, open: Open, { columns }: PskcSettings): Read {
  const [key, device] = [within(one, 'key'), within(one, 'deviceinfo')]
  const serial = within(device, 'serialno')?.text || key?.attributes.get('id')
  const isSerial = columns.user?.toLowerCase() === 'serialno'
  const user = isSerial ? serial : within(key, 'userid')?.text || within(device, 'userid')?.text
  return readEntry(serial === undefined ? row : `${row} (${printable(serial)})`, user, () => {
    if (key === undefined) throw new Flaw('unreadable', 'the package has no key')
    if (!/[:#]totp$/i.test(key.attributes.get('algorithm') ?? '')) throw new Flaw('not_totp')
    const parameters = within(key, 'algorithmparameters')
    const format = within(parameters, 'responseformat')
    if (!/^decimal$/i.test(format?.attributes.get('encoding') ?? 'DECIMAL'))
      throw new Flaw('not_totp', 'the codes are not decimal')
    const suite = within(parameters, 'suite')
    const secret = within(key, 'data', 'secret')
    if (secret === undefined) throw new Flaw('no_secret')
    return {
      user,
      secret: open(secret),
      digits: format?.attributes.get('length') ?? 6,
      period: plainIn(key, 'timeinterval') || 30,
      algorithm: suite?.attributes.get('hashalgo') || suite?.text || 'SHA1',
    }
  })
}

const printable = (serial: string) => serial.replace(/[^\x20-\x7e]/g, '?').slice(0, 60)

const plainIn = (key: Element, name: string) => within(key, 'data', name, 'plainvalue')?.text

/** Opens the secrets of a container. Whether the key is right is told by the MAC, before anything is decrypted. */
function opener(root: Element, settings: PskcSettings): Open {
  let [key, mac]: [Uint8Array | undefined, Mac | undefined] = [undefined, undefined]
  const keyOfContainer = () => (key ??= encryptionKey(root, settings))
  return (secret) => {
    const plain = within(secret, 'plainvalue')?.text
    if (plain) return fromBase64(plain)
    const encrypted = within(secret, 'encryptedvalue')
    if (encrypted === undefined) throw new Flaw('no_secret')
    const cipher = cipherOf(encrypted)
    mac ??= macOf(root, keyOfContainer())
    expectMac(mac, within(secret, 'valuemac')?.text, cipher.bytes)
    return decrypt(cipher, keyOfContainer())
  }
}

function encryptionKey(root: Element, { key, passphrase }: PskcSettings): Uint8Array {
  const derived = within(root, 'encryptionkey', 'derivedkey', 'keyderivationmethod')
  if (derived === undefined) {
    if (key === undefined) throw new Flaw('key_missing', 'the secrets are encrypted: give the pre-shared key')
    return key
  }
  if (passphrase === undefined) throw new Flaw('key_missing', 'the secrets are encrypted: give the passphrase')
  const parameters = within(derived, 'pbkdf2-params')
  const salt = within(parameters, 'salt', 'specified')?.text
  const [rounds, length] = ['iterationcount', 'keylength'].map((name) => Number(within(parameters, name)?.text))
  const isKnown = /#pbkdf2$/i.test(derived.attributes.get('algorithm') ?? '') && salt !== undefined
  if (!isKnown || !(rounds! >= 1 && rounds! <= 10_000_000) || ![16, 24, 32].includes(length!))
    throw new Flaw('not_decrypted', 'the key is derived in a way that is not known here')
  const prf = /sha-?(256|512|1)$/i.exec(within(parameters, 'prf')?.attributes.get('algorithm') ?? 'sha1')?.[1] ?? '1'
  return pbkdf2Sync(passphrase, fromBase64(salt), rounds!, length!, `sha${prf}`)
}

interface Cipher {
  /** Bytes of the key. */
  size: number
  /** The initialisation vector, and the text after it. */
  bytes: Uint8Array
}

function cipherOf(element: Element): Cipher {
  const named = within(element, 'encryptionmethod')?.attributes.get('algorithm') ?? ''
  const [, size] = /#aes(128|192|256)-cbc$/i.exec(named) ?? []
  const text = within(element, 'cipherdata', 'ciphervalue')?.text
  if (size === undefined || text === undefined)
    throw new Flaw('not_decrypted', 'the secret is encrypted in a way that is not known here')
  const bytes = fromBase64(text)
  if (bytes.length < 32 || bytes.length % 16 !== 0) throw new Flaw('not_decrypted', 'the secret is cut off')
  return { size: Number(size) / 8, bytes }
}

interface Mac {
  hash: string
  key: Uint8Array
}

function macOf(root: Element, key: Uint8Array): Mac {
  const method = within(root, 'macmethod')
  const [, hash] = /#hmac-sha(1|256|384|512)$/i.exec(method?.attributes.get('algorithm') ?? '') ?? []
  const macKey = within(method, 'mackey')
  if (hash === undefined || macKey === undefined)
    throw new Flaw(
      'not_decrypted',
      'the container has no MAC that is known here, so that a wrong key could not be told',
    )
  return { hash: `sha${hash}`, key: decrypt(cipherOf(macKey), key) }
}

function expectMac({ hash, key }: Mac, text: string | undefined, bytes: Uint8Array): void {
  const right = createHmac(hash, key).update(bytes).digest()
  const given = Buffer.from(text ?? '', 'base64')
  if (given.length !== right.length)
    throw new Flaw('not_decrypted', 'the secret has no MAC, so that a wrong key could not be told')
  if (!timingSafeEqual(given, right)) throw new Flaw('not_decrypted')
}

/** XML Encryption §5.2: the last byte of the last block is the number of bytes to drop; the others may have any value. */
function decrypt({ size, bytes }: Cipher, key: Uint8Array): Uint8Array {
  if (key.length !== size) throw new Flaw('not_decrypted', `the key must have ${size} bytes`)
  const decipher = createDecipheriv(`aes-${size * 8}-cbc`, key, bytes.subarray(0, 16)).setAutoPadding(false)
  const padded = Buffer.concat([decipher.update(bytes.subarray(16)), decipher.final()])
  const padding = padded.at(-1) ?? 0
  if (padding < 1 || padding > 16) throw new Flaw('not_decrypted')
  return new Uint8Array(padded.subarray(0, padded.length - padding))
}
