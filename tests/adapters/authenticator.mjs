// An authenticator for WebAuthn in software: one key, with or without user verification.
import { createHash, createSign, generateKeyPairSync, randomBytes } from 'node:crypto'

const [PRESENT, VERIFIED, ATTESTED] = [0x01, 0x04, 0x40]
const sha256 = (data) => createHash('sha256').update(data).digest()
const text = (value) => Buffer.concat([Buffer.from([0x60 + value.length]), Buffer.from(value)])
const bytes = (value) =>
  Buffer.concat([
    Buffer.from(value.length < 256 ? [0x58, value.length] : [0x59, value.length >> 8, value.length & 255]),
    value,
  ])

/** @param {{ origin: string, verifies: boolean }} options */
export function authenticator({ origin, verifies }) {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const id = randomBytes(16)
  const { x, y } = publicKey.export({ format: 'jwk' })
  let count = 0
  const flags = PRESENT | (verifies ? VERIFIED : 0)
  const dataOf = (more, attested = Buffer.alloc(0)) => {
    const counter = Buffer.alloc(4)
    counter.writeUInt32BE(++count)
    return Buffer.concat([sha256(new URL(origin).hostname), Buffer.from([flags | more]), counter, attested])
  }
  const clientData = (type, challenge) => Buffer.from(JSON.stringify({ type, challenge, origin, crossOrigin: false }))
  const credential = (response) => ({
    id: id.toString('base64url'),
    rawId: id.toString('base64url'),
    type: 'public-key',
    clientExtensionResults: {},
    response: Object.fromEntries(
      Object.entries(response).map(([name, value]) => [
        name,
        Buffer.isBuffer(value) ? value.toString('base64url') : value,
      ]),
    ),
  })
  return {
    create({ challenge }) {
      // COSE key: EC2, ES256, P-256
      const key = Buffer.concat([
        Buffer.from([0xa5, 0x01, 0x02, 0x03, 0x26, 0x20, 0x01, 0x21]),
        bytes(Buffer.from(x, 'base64url')),
        Buffer.from([0x22]),
        bytes(Buffer.from(y, 'base64url')),
      ])
      const authData = dataOf(ATTESTED, Buffer.concat([Buffer.alloc(16), Buffer.from([0, id.length]), id, key]))
      const attestationObject = Buffer.concat([
        Buffer.from([0xa3]),
        ...[text('fmt'), text('none'), text('attStmt'), Buffer.from([0xa0]), text('authData'), bytes(authData)],
      ])
      return credential({
        clientDataJSON: clientData('webauthn.create', challenge),
        attestationObject,
        transports: ['internal'],
      })
    },
    get({ challenge }) {
      const [authenticatorData, clientDataJSON] = [dataOf(0), clientData('webauthn.get', challenge)]
      const signed = Buffer.concat([authenticatorData, sha256(clientDataJSON)])
      const signature = createSign('SHA256').update(signed).sign(privateKey)
      return credential({ clientDataJSON, authenticatorData, signature, userHandle: undefined })
    },
  }
}
