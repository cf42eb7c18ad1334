// Seals what a session has pending: set-ups, challenges, and what a page is about to tell. The key comes from the secret in the
// person's cookie, of which the database holds only a hash. So a copy of the database shows none of it.

import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from 'node:crypto'

const algorithm = 'aes-256-gcm'
const [nonceBytes, tagBytes] = [12, 16]

/** `id` is the session's; a sealed value opens in no other. */
export function seal(secret, id, value) {
  const nonce = randomBytes(nonceBytes)
  const cipher = createCipheriv(algorithm, keyOf(secret), nonce).setAAD(Buffer.from(id))
  const sealed = Buffer.concat([cipher.update(JSON.stringify(value), 'utf8'), cipher.final()])
  return Buffer.concat([nonce, cipher.getAuthTag(), sealed])
}

/** Throws where the value was sealed by another secret or for another session, or was changed. */
export function unseal(secret, id, sealed) {
  const nonce = sealed.subarray(0, nonceBytes)
  const tag = sealed.subarray(nonceBytes, nonceBytes + tagBytes)
  const decipher = createDecipheriv(algorithm, keyOf(secret), nonce, { authTagLength: tagBytes })
  decipher.setAAD(Buffer.from(id)).setAuthTag(tag)
  const opened = Buffer.concat([decipher.update(sealed.subarray(nonceBytes + tagBytes)), decipher.final()])
  return JSON.parse(opened.toString('utf8'))
}

const keyOf = (secret) => Buffer.from(hkdfSync('sha256', secret, '', 'what a session has pending', 32))
