// The pages have words for every event that the package can give.

import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { events } from '../../examples/login/pages/words.js'

const types = readFileSync(new URL('../../pkg/types/generated.d.ts', import.meta.url), 'utf8')

/** The members of a union of texts, or of objects with this key. */
function kindsOf(name) {
  const [, union] = new RegExp(`^export type ${name} = (.*);$`, 'm').exec(types)
  const kinds = union.split(' | ').map((member) => /^(?:\{ event: )?"(\w+)"/.exec(member)?.[1] ?? assert.fail(member))
  assert.ok(kinds.length > 5, name)
  return kinds
}

test('the Audit page has words for every kind of event, and for no other', () => {
  assert.deepEqual(Object.keys(events).sort(), kindsOf('EventKind').sort())
})
