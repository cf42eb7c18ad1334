// The budgets of the npm package, in exact bytes. DESIGN.md says why they are as wide as they are.
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { gzipSync } from 'node:zlib'
import { qr } from 'countersign'
import { tarballBytes } from '../../bench/sizes.mjs'
import { engine } from '../shared/engine.mjs'

const KB = 1000
const built = (name) => readFileSync(new URL(`../../pkg/${name}`, import.meta.url))

/** @type {[string, Buffer, number, number][]} */
const budgets = [
  ['the module for Node', engine, 915 * KB, 395 * KB],
  ['the module for browsers', built('countersign.wasm'), 74 * KB, 37 * KB],
  ['the script for browsers', built('browser.mjs'), 23 * KB, 7.5 * KB],
]
for (const [what, bytes, most, mostGzipped] of budgets) {
  test(`${what} is at most ${most / KB} kB, gzipped ${mostGzipped / KB} kB`, () => {
    const advice = 'see which crate or file grew, or make the budget a decision in DESIGN.md'
    assert.ok(bytes.length <= most, `it has ${bytes.length} bytes: ${advice}`)
    const { length } = gzipSync(bytes, { level: 9 })
    assert.ok(length <= mostGzipped, `gzipped it has ${length} bytes: ${advice}`)
  })
}

test('the tarball is at most 1,320 kB', () => {
  const size = tarballBytes()
  assert.ok(size <= 1_320 * KB, `it has ${size} bytes: see which file grew, or make the budget a decision in DESIGN.md`)
})

test('a QR code of 90 characters is at most 2,500 bytes of SVG', () => {
  const uri = 'otpauth://totp/Acme:ann%40acme.example?secret=JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP&issuer=Acme'
  const { length } = qr.svg(uri)
  assert.ok(length <= 2_500, `${length} bytes`)
})
