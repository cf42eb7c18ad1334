// The table in docs/adapters.md is that of the last run.
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { withTable } from '../../scripts/adapters.mjs'
import { at } from '../../scripts/common.mjs'
import { CASES } from '../adapters/cases.mjs'

const rows = JSON.parse(readFileSync(at('tests/adapters/matrix.json'), 'utf8'))

test('docs/adapters.md has the table that the last run noted', () => {
  const guide = readFileSync(at('docs/adapters.md'), 'utf8')
  assert.equal(withTable(guide, rows), guide)
})

test('each adapter has passed each case, or the table says why its framework cannot', () => {
  for (const { name, passed, without } of rows)
    assert.deepEqual([...passed, ...Object.keys(without)].sort(), CASES.map(({ title }) => title).sort(), name)
})
