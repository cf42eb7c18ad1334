// A login without the package: the same steps by node:crypto, as a careful host would write them, and nothing else. There is
// no policy, no count of attempts, no revocation, no event and no check of arguments, so it is a lower bound and no peer.
import {
  createCipheriv,
  createDecipheriv,
  createHmac,
  createPrivateKey,
  generateKeyPairSync,
  randomBytes,
  sign,
  timingSafeEqual,
} from 'node:crypto'

const base64url = (text) => Buffer.from(text).toString('base64url')

/** The code of a step (RFC 6238). */
export function codeAt(secret, step) {
  const counter = Buffer.alloc(8)
  counter.writeBigUInt64BE(BigInt(step))
  const mac = createHmac('sha1', secret).update(counter).digest()
  return String((mac.readUInt32BE(mac[19] & 15) & 0x7fffffff) % 1_000_000).padStart(6, '0')
}

/** One user with an app, in a store of the same form. */
export function loginByHand({ user, secret, store }) {
  const [sealing, ticketKey] = [randomBytes(32), randomBytes(32)]
  const signing = createPrivateKey(generateKeyPairSync('ed25519').privateKey.export({ type: 'pkcs8', format: 'pem' }))

  const seal = (plain) => {
    const nonce = randomBytes(12)
    const cipher = createCipheriv('aes-256-gcm', sealing, nonce).setAAD(Buffer.from(user))
    const data = Buffer.concat([cipher.update(plain), cipher.final()])
    return {
      nonce: nonce.toString('base64url'),
      data: data.toString('base64url'),
      tag: cipher.getAuthTag().toString('base64url'),
    }
  }
  const open = ({ nonce, data, tag }) => {
    const cipher = createDecipheriv('aes-256-gcm', sealing, Buffer.from(nonce, 'base64url')).setAAD(Buffer.from(user))
    cipher.setAuthTag(Buffer.from(tag, 'base64url'))
    return Buffer.concat([cipher.update(Buffer.from(data, 'base64url')), cipher.final()])
  }
  const macOf = (text) => createHmac('sha256', ticketKey).update(text).digest()

  return {
    /** The record to begin with. */
    record: JSON.stringify({ v: 1, user, secret: seal(secret), lastStep: 0, failures: 0 }),

    async begin({ session, now }) {
      const { record } = await store.load({ user })
      if (JSON.parse(record).secret === undefined) return { result: 'allowed' }
      const claims = {
        iss: 'https://acme.example',
        sub: user,
        sid: session,
        iat: now,
        exp: now + 300,
        jti: randomBytes(16).toString('base64url'),
      }
      const text = `${base64url(JSON.stringify({ alg: 'HS256', typ: 'ticket' }))}.${base64url(JSON.stringify(claims))}`
      return { result: 'challenge', ticket: `${text}.${macOf(text).toString('base64url')}`, expiresAt: now + 300 }
    },

    async verify({ ticket, session, newSession, code, now }) {
      const end = ticket.lastIndexOf('.')
      const given = Buffer.from(ticket.slice(end + 1), 'base64url')
      if (given.length !== 32 || !timingSafeEqual(given, macOf(ticket.slice(0, end)))) return { result: 'denied' }
      const claims = JSON.parse(Buffer.from(ticket.slice(ticket.indexOf('.') + 1, end), 'base64url').toString())
      if (claims.sid !== session || claims.exp <= now) return { result: 'denied' }
      const stored = await store.load({ user: claims.sub })
      const record = JSON.parse(stored.record)
      const key = open(record.secret)
      const step = Math.floor(now / 30)
      let found
      for (const candidate of [step - 1, step, step + 1])
        if (timingSafeEqual(Buffer.from(codeAt(key, candidate)), Buffer.from(code))) found = candidate
      if (found === undefined || found <= record.lastStep) return { result: 'wrong' }
      const next = JSON.stringify({ ...record, secret: seal(key), lastStep: found, failures: 0 })
      if (!(await store.save({ user: claims.sub }, next, stored.version))) return { result: 'conflict' }
      const pass = {
        iss: claims.iss,
        sub: user,
        sid: newSession,
        iat: now,
        exp: now + 43_200,
        amr: ['otp', 'mfa'],
        jti: randomBytes(16).toString('base64url'),
      }
      const text = `${base64url(JSON.stringify({ alg: 'EdDSA', typ: 'pass' }))}.${base64url(JSON.stringify(pass))}`
      return { result: 'verified', pass: `${text}.${sign(null, Buffer.from(text), signing).toString('base64url')}` }
    },
  }
}
