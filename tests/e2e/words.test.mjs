// Each language has all texts, and there is a sentence for everything that the package can say.

import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { mapping } from '../../examples/login/audit-ocsf.js'
import { languages, messages } from '../../examples/login/messages/index.js'
import { ownEvents } from '../../examples/login/outbox.js'

const types = readFileSync(new URL('../../pkg/types/generated.d.ts', import.meta.url), 'utf8')

/** The members of a union of texts, or of objects with this key. */
function kindsOf(name) {
  const [, union] = new RegExp(`^export type ${name} = (.*);$`, 'm').exec(types)
  const kinds = union.split(' | ').map((member) => /^(?:\{ event: )?"(\w+)"/.exec(member)?.[1] ?? assert.fail(member))
  assert.ok(kinds.length > 4, name)
  return kinds.toSorted()
}

const isText = (entry) => typeof entry === 'string'
const isHtml = (entry) => entry?.constructor?.name === 'Html'
const isGroup = (entry) => typeof entry === 'object' && !isHtml(entry)

/** Every entry with its path, the groups left out. */
function entriesOf(group, path = '') {
  return Object.entries(group).flatMap(([name, entry]) => {
    const here = path === '' ? name : `${path}.${name}`
    return isGroup(entry) ? entriesOf(entry, here) : [[here, entry]]
  })
}

const kindOf = (entry) => {
  if (typeof entry === 'function') return `a function of ${entry.length}`
  return isHtml(entry) ? 'HTML' : typeof entry
}

const shapeOf = (language) =>
  entriesOf(messages[language])
    .map(([path, entry]) => `${path}: ${kindOf(entry)}`)
    .toSorted()

test('each language has the same entries of the same kinds', () => {
  const [first, ...others] = languages
  assert.ok(others.length > 0)
  for (const language of others) assert.deepEqual(shapeOf(language), shapeOf(first), language)
})

test('no text is empty, none is left in another language, and each function fills its text', () => {
  for (const language of languages) {
    for (const [path, entry] of entriesOf(messages[language])) {
      const text = typeof entry === 'function' ? filled(entry) : String(entry)
      assert.match(text, /\S/, `${language}: ${path}`)
      assert.doesNotMatch(text, /undefined|NaN|\[object/, `${language}: ${path}`)
    }
  }
  const german = new Map(entriesOf(messages.de))
  for (const [path, entry] of entriesOf(messages.en)) {
    const isSentence = isText(entry) && entry.split(' ').length > 2
    if (isSentence) assert.notEqual(german.get(path), entry, path)
  }
})

/** The text of a function with a value for each of its parameters. */
function filled(text) {
  const origin = 'https://login.example'
  const fields = { code: '123456', name: 'Acme', minutes: 5, service: 'Acme', when: 'now', ip: '192.0.2.1', origin }
  const given = text.toString().startsWith('({') ? text(fields) : text(...Array(text.length).fill('7'))
  return isGroup(given) ? Object.values(given).join('\n') : String(given)
}

for (const language of languages) {
  const words = messages[language]

  test(`${language}: a sentence for each kind of event, reason, refused SMS, action and method, and for no other`, () => {
    assert.deepEqual(Object.keys(words.events).toSorted(), [...kindsOf('EventKind'), ...ownEvents].toSorted())
    assert.deepEqual(Object.keys(words.smsReasons).toSorted(), kindsOf('SmsRefusal'))
    assert.deepEqual(Object.keys(words.reasons).toSorted(), kindsOf('Reason'))
    assert.deepEqual(Object.keys(words.problems.reasons).toSorted(), kindsOf('Reason'))
    const refusals = Object.keys(words.problems.smsRefused).map((name) => name.replace(/Until$/, ''))
    assert.deepEqual([...new Set(refusals)].toSorted(), kindsOf('SmsRefusal'))
    assert.deepEqual(Object.keys(words.audit.actions).toSorted(), kindsOf('Action'))
    assert.deepEqual(Object.keys(words.layout.methods).toSorted(), kindsOf('Method'))
  })

  test(`${language}: an SMS with the longest name and host is one segment of the GSM 7-bit alphabet`, () => {
    const basic =
      '@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !"#¤%&\'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà'
    const template = { code: '12345678', name: 'N'.repeat(40), minutes: 10 }
    const body = `${words.sms(template)}\n\n@${'h'.repeat(40)} #${template.code}`
    assert.ok(body.length <= 160, `${body.length} characters`)
    assert.deepEqual(
      [...body].filter((character) => !basic.includes(character)),
      [],
    )
    assert.match(body, /^[^\n]*12345678[^\n]*N{40}/)
  })
}

test('the OCSF export maps each kind of event, and no other', () => {
  assert.deepEqual(Object.keys(mapping).toSorted(), [...kindsOf('EventKind'), ...ownEvents].toSorted())
})
