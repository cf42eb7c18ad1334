// The pages have words for every event and for every notice that the package can give.

import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { test } from 'node:test'
import { events, notices, noticeText } from '../../examples/login/pages/words.js'

const types = readFileSync(new URL('../../pkg/types/generated.d.ts', import.meta.url), 'utf8')
const engine = new URL('../../src/engine/', import.meta.url)

/** The members of a union of texts, or of objects with this key. */
function kindsOf(name) {
  const [, union] = new RegExp(`^export type ${name} = (.*);$`, 'm').exec(types)
  const kinds = union.split(' | ').map((member) => /^(?:\{ event: )?"(\w+)"/.exec(member)?.[1] ?? assert.fail(member))
  assert.ok(kinds.length > 5, name)
  return kinds
}

/** The kinds of notice that owners get as well. The engine alone knows them. */
function kindsForOwners() {
  const files = readdirSync(engine).map((name) => readFileSync(new URL(name, engine), 'utf8'))
  const found = (pattern) => files.flatMap((text) => Array.from(text.matchAll(pattern), ([, kind]) => kind))
  const kinds = found(/\.notify_all\(NoticeKind::(\w+)/g)
  assert.equal(kinds.length, found(/\.notify_all\(/g).length, 'each call names its kind')
  return kinds.map((kind) => kind.replace(/(?<=.)[A-Z]/g, '_$&').toLowerCase())
}

test('the Audit page has words for every kind of event, and for no other', () => {
  assert.deepEqual(Object.keys(events).sort(), kindsOf('EventKind').sort())
})

test('every kind of notice has a text for the user, and for the owners where they get it', () => {
  assert.deepEqual(Object.keys(notices).sort(), kindsOf('NoticeKind').sort())
  for (const kind of Object.keys(notices)) assert.match(noticeText(kind), /^[A-Z].*\.$/, kind)
  const forOwners = Object.keys(notices).filter((kind) => 'owners' in notices[kind])
  assert.deepEqual(forOwners.sort(), kindsForOwners().sort())
})

test('a notice to the owners names the user, and differs from the user’s own', () => {
  for (const kind of kindsForOwners()) {
    const text = noticeText(kind, 'ann@acme.example')
    assert.match(text, /ann@acme\.example/, kind)
    assert.notEqual(text, noticeText(kind), kind)
  }
})
