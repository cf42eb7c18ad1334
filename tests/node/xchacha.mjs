// Encrypts as better-auth does, with its library.
import { createHash, randomBytes } from 'node:crypto'
import { xchacha20poly1305 } from '@noble/ciphers/chacha.js'

export function xchacha(secret, text) {
  const nonce = randomBytes(24)
  const box = xchacha20poly1305(createHash('sha256').update(secret).digest(), nonce).encrypt(Buffer.from(text))
  return Buffer.concat([nonce, box]).toString('hex')
}
