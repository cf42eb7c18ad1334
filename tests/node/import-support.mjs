// The parts that the tests of imports share: a reader on a text, and the code of an entry, computed by Node alone.
import assert from 'node:assert/strict'
import { createHmac } from 'node:crypto'
import { readFileSync } from 'node:fs'

// By its address, because it is built and has no types.
export const { FORMATS, REASONS, secretsOf } = await import(new URL('../../pkg/cli/readers.mjs', import.meta.url).href)

export const exported = (name) => readFileSync(new URL(`../imports/${name}`, import.meta.url), 'utf8')

/** The entries that a reader finds in a text. */
export async function read(format, text, settings = {}) {
  const reader = await FORMATS[format]()
  return [...reader([text], { columns: {}, secrets: { versions: new Map() }, ...settings })]
}

/** The same of a text with one entry. */
export async function one(format, text, settings = {}) {
  const found = await read(format, text, settings)
  assert.equal(found.length, 1, JSON.stringify(found))
  return found[0]
}

/** The code of an entry at a time (RFC 6238). */
export function codeAt({ secret, digits, period, algorithm }, time) {
  const step = Buffer.alloc(8)
  step.writeBigUInt64BE(BigInt(Math.floor(time / period)))
  const mac = createHmac(algorithm.toLowerCase(), secret).update(step).digest()
  const number = mac.readUInt32BE(mac.at(-1) & 15) & 0x7fffffff
  return String(number % 10 ** digits).padStart(digits, '0')
}

/** Codes by user, and reasons by row. */
export const codesOf = (found, time) =>
  Object.fromEntries(found.filter(({ entry }) => entry).map(({ entry }) => [entry.user, codeAt(entry, time)]))
export const reasonsOf = (found) => found.filter(({ reason }) => reason).map(({ row, reason }) => [row, reason])
