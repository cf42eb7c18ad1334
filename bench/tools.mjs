// The parts of the package on their own, each beside its peers: a hash, a QR code, and the first call of a process. jobs.mjs has the
// shape of a job.
// @ts-nocheck: the peers are installed only by `npm run bench`
import { execFileSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import argon2 from '@node-rs/argon2'
import { backupCodes, generateKeys, otpauth, qr, totp } from 'countersign'
import { argon2id, argon2Verify } from 'hash-wasm'
import { encodeQR } from 'qr'
import { decodeQR } from 'qr/decode.js'
import qrcode from 'qrcode'
import { compare, expect, fastest } from './compare.mjs'

export async function hash() {
  // Our call is a whole attempt at a backup code; theirs is the bare hash at the same cost.
  const keys = JSON.stringify(generateKeys())
  const { codes, stored } = backupCodes.generate({ keys, user: 'ann', count: 1 })
  const code = codes[0]
  const cost = { memorySize: 19456, iterations: 2, parallelism: 1, hashLength: 32 }
  const encoded = await argon2id({ ...cost, password: code, salt: 'saltsaltsaltsalt', outputType: 'encoded' })
  const candidates = {
    'countersign, backupCodes.verify': () =>
      backupCodes.verify({ keys, user: 'ann', stored, code, time: 1_800_000_000 }).valid,
    'hash-wasm, argon2Verify': () => argon2Verify({ password: code, hash: encoded }),
    '@node-rs/argon2 (native), verifySync': () => argon2.verifySync(encoded, code),
  }
  for (const call of Object.values(candidates)) expect(await call(), 'Argon2id')
  return { micros: await compare(candidates, { milliseconds: 120 }) }
}

export async function qrCode() {
  const uri = otpauth.format({ issuer: 'Acme', label: 'ann@acme.example', secret: totp.secret() })
  const candidates = {
    countersign: () => qr.svg(uri),
    qrcode: () => qrcode.toString(uri, { type: 'svg' }),
    'qr, encodeQR': () => encodeQR(uri, 'svg', { ecc: 'medium', border: 4 }),
  }
  const bytes = []
  for (const [name, call] of Object.entries(candidates)) {
    const svg = await call()
    bytes.push(`${name} ${svg.length.toLocaleString('en')} bytes`)
    if (name !== 'qr, encodeQR') expect(read(svg) === uri, 'QR')
  }
  return { micros: await compare(candidates), notes: [`${uri.length} characters; ${bytes.join(', ')}`] }
}

/** The text in a QR code that is drawn by one stroke a row. */
function read(svg) {
  const [, top, side] = /viewBox="0 (\S+) (\d+)/.exec(svg)
  const scale = 4
  const width = side * scale
  const data = new Uint8Array(width * width * 4).fill(255)
  let [x, y] = [0, 0]
  for (const [, command, a, b] of /stroke="[^"]*" d="([^"]*)"/.exec(svg)[1].matchAll(/([Mmh])(\d+)(?: ([\d.]+))?/g)) {
    if (command === 'M') [x, y] = [Number(a), Math.floor(b - top)]
    if (command === 'm') x += Number(a)
    if (command !== 'h') continue
    for (let line = y * scale; line < (y + 1) * scale; line += 1)
      data.fill(0, (line * width + x * scale) * 4, (line * width + (x + Number(a)) * scale) * 4)
    x += Number(a)
  }
  return decodeQR({ width, height: width, data })
}

/** Whole processes: start, import, first call. The fastest run counts, less the time of an empty process. */
export async function coldImport() {
  const secret = totp.secret()
  const programs = {
    countersign: `const { totp } = await import('countersign'); totp.verify({ secret: '${secret}', code: '000000', time: 1800000000 })`,
    otpauth: `const { TOTP, Secret } = await import('otpauth'); new TOTP({ secret: Secret.fromBase32('${secret}') }).validate({ token: '000000', window: 1 })`,
    otplib: `const { verifySync } = await import('otplib'); verifySync({ secret: '${secret}', token: '000000', epochTolerance: 30 })`,
    speakeasy: `const { default: s } = await import('speakeasy'); s.totp.verify({ secret: '${secret}', encoding: 'base32', token: '000000', window: 1 })`,
    'hash-wasm': `const { argon2id } = await import('hash-wasm'); await argon2id({ password: 'x', salt: 'saltsaltsaltsalt', memorySize: 8, iterations: 1, parallelism: 1, hashLength: 32 })`,
  }
  const run = (program) => () =>
    execFileSync(process.execPath, ['--input-type=module', '--eval', program], {
      cwd: fileURLToPath(new URL('.', import.meta.url)),
    })
  const all = await compare(
    { bare: run(''), ...Object.fromEntries(Object.entries(programs).map(([name, program]) => [name, run(program)])) },
    { rounds: 15, milliseconds: 0, of: fastest },
  )
  const { bare, ...rest } = all
  return { micros: Object.fromEntries(Object.entries(rest).map(([name, micros]) => [name, micros - bare])) }
}
