// The matrix in docs/runtimes.md is that of the last run.
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { at } from '../../scripts/common.mjs'
import { withTable } from '../../scripts/runtimes.mjs'

test('docs/runtimes.md has the matrix that the last run noted', () => {
  const guide = readFileSync(at('docs/runtimes.md'), 'utf8')
  const rows = JSON.parse(readFileSync(at('tests/runtimes/matrix.json'), 'utf8'))
  assert.ok(rows.length > 30, `${rows.length} rows`)
  assert.equal(withTable(guide, rows), guide)
})
