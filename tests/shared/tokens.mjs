// The hostile passes of tests/vectors/tokens.json, signed as each says.
import assert from 'node:assert/strict'
import { createHmac, createPrivateKey, sign } from 'node:crypto'
import { readFileSync } from 'node:fs'

export const tokens = JSON.parse(readFileSync(new URL('../vectors/tokens.json', import.meta.url), 'utf8'))

export const privateKey = (d) =>
  createPrivateKey({ key: { kty: 'OKP', crv: 'Ed25519', d, x: tokens.rfc8037.x }, format: 'jwk' })
const hs256 = (key, input) => createHmac('sha256', Buffer.from(key, 'base64url')).update(input).digest('base64url')
const eddsa = (d, input) => sign(null, Buffer.from(input), privateKey(d)).toString('base64url')
export const signers = {
  ed: (input) => eddsa(tokens.rfc8037.d, input),
  hs: (input) => hs256(tokens.rfc7515.k, input),
  'public as secret': (input) => hs256(tokens.rfc8037.x, input),
  other: (input) => eddsa(tokens.otherSeed, input),
  nothing: () => '',
}

/** The pass of one case: header and claims with its change in them. */
export function passOf(one) {
  const part = (name) => {
    let text = tokens[name]
    if (one[name]) {
      assert.ok(text.includes(one[name][0]))
      text = text.replaceAll(one[name][0], () => one[name][1]).replace('<3000 times a>', 'a'.repeat(3_000))
    }
    return Buffer.from(text).toString('base64url')
  }
  const input = `${part('header')}.${part('claims')}`
  return `${one.before ?? ''}${input}.${signers[one.sign ?? 'ed'](input)}${one.after ?? ''}`
}
