// Each attack in the table of SECURITY.md has the tests that the table names.
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import test from 'node:test'

const root = new URL('../../', import.meta.url)
const rows = [...readFileSync(new URL('SECURITY.md', root), 'utf8').matchAll(/^\| T(\d+) +\| .* \| (.*) \|$/gm)]

test('the table has rows 1 to 40, and those of later rules, in order', () => {
  const ids = rows.map(([, id]) => Number(id))
  assert.deepEqual(
    ids.slice(0, 40),
    Array.from({ length: 40 }, (_, index) => index + 1),
  )
  assert.deepEqual(ids.slice(40), [41, 42, 43, 44, 45, 46, 47, 48, 49, 50, 53, 54, 55, 56, 57, 58, 59])
})

for (const [, id, files] of rows) {
  test(`T${id} has the tests that SECURITY.md names`, () => {
    const named = [...files.matchAll(/`([^`]+)`/g)].map(([, file]) => file)
    assert.notEqual(named.length, 0)
    for (const file of named) {
      // The name of a test, in Rust or in JavaScript; a doc comment on the test counts too.
      const name = new RegExp(`\\bT${id}\\b|\\bt${id}_`)
      assert.match(readFileSync(new URL(file, root), 'utf8'), name, file)
    }
  })
}
