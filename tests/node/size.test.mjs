// The budget of the npm package, in exact bytes. DESIGN.md says why it is as wide as it is.
import assert from 'node:assert/strict'
import { statSync } from 'node:fs'
import { test } from 'node:test'

const KB = 1000

test('the module for Node is at most 905 kB', () => {
  const { size } = statSync(new URL('../../pkg/countersign.wasm', import.meta.url))
  assert.ok(size <= 905 * KB, `it has ${size} bytes: see which crate grew, or make the budget a decision in DESIGN.md`)
})
