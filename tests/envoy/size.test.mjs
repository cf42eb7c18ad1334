// The budget of the Envoy filter, in exact bytes. DESIGN.md says why it is as wide as it is.
import assert from 'node:assert/strict'
import { statSync } from 'node:fs'
import { test } from 'node:test'

const KB = 1000

test('the filter is at most 700 kB', () => {
  const { size } = statSync(new URL('../../target/envoy/countersign-envoy.wasm', import.meta.url))
  assert.ok(size <= 700 * KB, `it has ${size} bytes: see which crate grew, or make the budget a decision in DESIGN.md`)
})
