// The jobs of `npm run bench` on Node, and the goals. The first candidate of a job, or `of`, should take at most `ratio` times the time
// of `to`, or at most so many `micros`. A job with `against` measures the cost against a number; `picture` names its picture.

/**
 * @typedef {{ of?: string, to?: string, ratio?: number, micros?: number }} Goal
 * @typedef {{ title: string, against?: string, picture?: string, goals?: Goal[] }} Job
 */

/** @type {Record<string, Job>} */
export const goals = {
  totp: {
    title: 'A code of an app: `totp.verify`, a wrong code, ±1 step, secret in base32',
    goals: [{ to: 'otpauth', ratio: 1 / 5 }],
  },
  pass: {
    title: 'A pass, EdDSA: all of `checkPass`, and `jwtVerify` with the key imported',
    goals: [
      { of: 'countersign, seen before', to: 'jose, jwtVerify', ratio: 1 / 4 },
      { of: 'countersign, another one each time', to: 'jose, jwtVerify, another one each time', ratio: 1 },
    ],
  },
  begin: {
    title: 'The first half of a login: `begin`, memory store',
    goals: [{ to: 'by hand, node:crypto', ratio: 2 }],
  },
  login: {
    title: 'A whole login: `begin` and `verify` with a right code, memory store',
    goals: [{ to: 'by hand, node:crypto', ratio: 2 }],
  },
  decision: {
    title: 'A decision by a small policy',
    goals: [{ of: 'countersign, policy.decide, policy as text', micros: 2 }],
  },
  hash: { title: 'Argon2id, 19 MiB, 2 rounds (OWASP): a backup code, and the bare hash' },
  qr: { title: 'A QR code as SVG', goals: [{ to: 'qrcode', ratio: 1 / 2 }] },
  import: { title: 'Cold import and first call, beyond a bare process' },
  networks: { title: 'One address against networks, none of which holds it', against: 'networks', picture: 'networks' },
  records: { title: '`begin` of one user among many', against: 'users', picture: 'records' },
  passes: { title: '`checkPass` of passes that come in turn', against: 'passes', picture: 'passes' },
}
