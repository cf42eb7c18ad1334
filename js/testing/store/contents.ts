// Records come back as they were, ids are compared byte by byte, and a failure is not taken for an answer.
import type { Revoked } from '../../index.js'
import type { ListPage, RecordId, Store } from '../../store.js'
import {
  booleanOf,
  fresh,
  load,
  messageOf,
  type OpenInstance,
  type OpenStore,
  save,
  saveFirst,
  saveNext,
  withInstances,
} from './asking.js'
import { found } from './defects.js'

const MOST_BYTES = 65_536
/** How long a closed instance may think. */
const PATIENCE_MS = 2_000

/** A text of so many bytes in UTF-8, of letters of one to four bytes, quotes and signs. */
function textOf(bytes: number): string {
  const part = 'ä⚿"\\\n\'😀 %_{}$1?:;--'
  const times = Math.floor(bytes / new TextEncoder().encode(part).length)
  const text = part.repeat(times)
  return text + 'x'.repeat(bytes - new TextEncoder().encode(text).length)
}

const TEXTS: [name: string, text: string][] = [
  ['with quotes, backslashes and placeholders', `'"\`\\'' \\n $1 ? :a @b %s {} -- /* ; \u0001`],
  ['in JSON with spaces and unsorted keys', '{"b": 1,  "a":{"d":1e0,"c":"\\u00e4"}, "b":2}'],
  ['that ends in blanks and a line break', 'begin \r\n \t end \n '],
  ['with letters of two, three and four bytes', 'ä é e\u0301 ⚿ 漢 😀 𝒜'],
  ...[256, 4_001, 8_193, 32_768, MOST_BYTES].map((bytes): [string, string] => [`of ${bytes} bytes`, textOf(bytes)]),
]

/** A record comes back letter for letter, up to 64 KiB. */
export async function texts(open: OpenInstance): Promise<void> {
  await withInstances(open, 1, async ([store]) => {
    const id = { user: `${fresh()} texts` }
    let { version } = await saveFirst(store!, id, 'first')
    for (const [name, text] of TEXTS) {
      const saved = await save(store!, id, text, version).catch((error: Error) =>
        text.length > 200
          ? found('record cut off', `a record ${name} was refused: ${messageOf(error.cause)}`, error.cause)
          : Promise.reject(error),
      )
      const there = await load(store!, id)
      if (saved && there !== undefined) complainOf(name, text, there.record)
      if (!saved || there === undefined) found('no winner', `a record ${name} was not saved`)
      version = there.version
    }
    const other = { user: `${fresh()} text` }
    complainOf('of 65536 bytes', textOf(MOST_BYTES), (await saveFirst(store!, other, textOf(MOST_BYTES))).record)
  })
}

function complainOf(name: string, text: string, record: string): void {
  if (record === text) return
  if (record === 'first') found('true without a write', `a save of a record ${name} said true and wrote nothing`)
  if (text.startsWith(record) && record.length < text.trimEnd().length)
    found('record cut off', `a record ${name} came back with ${record.length} of its ${text.length} characters`)
  found('record changed', `a record ${name} came back as another text`)
}

/** Users whom a store may take for one: how they differ, and both. `*` stands for a part that is new in each run. */
export const USERS: [difference: string, one: string, other: string][] = [
  ['in case', '*ann', '*Ann'],
  ['in an accent', '*ann', '*änn'],
  ['in a letter composed or decomposed', '*änn', '*a\u0308nn'],
  ['in a blank at the end', '*ann', '*ann '],
  ['in a blank before them', '*ann', ' *ann'],
  ['in a letter of four bytes', '*😀', '*😁'],
  ['in ß and ss', '*strauß', '*strauss'],
  ['in a wide letter', '*ann', '*ａnn'],
  ['in an invisible letter', '*ann', '*a\u200dnn'],
  ['in a sign that is a wildcard', '*a_n%', '*abnn'],
  ['in a backslash', '*a\\nn', '*a\\\\nn'],
  ['in a quote', "*a'n", "*a''n"],
  ['in braces', '{*ann}', '*ann'],
  ['in a colon', '*a:n', '*a::n'],
  ['in an escape', '*a/n', '*a%2Fn'],
  ['in a zero before a number', '*7', '*07'],
  ['in letters of one CRC-32', '*plumless', '*buckeroo'],
  ['in letters of one hash of 32 bits', '*Aa', '*BB'], // 31 times what is before them, as in Java
  ['in letters of another hash of 32 bits', '*bA', '*ab'], // 33 times
  ['in the last of 256 letters', `*${'x'.repeat(243)}1`, `*${'x'.repeat(243)}2`],
  ['in the last of letters of three bytes, 256 bytes in all', `*${'漢'.repeat(81)}1`, `*${'漢'.repeat(81)}2`],
]

/** Ids whose difference is in the account. */
const ACCOUNTS: [difference: string, one: (run: string) => RecordId, other: (run: string) => RecordId][] = [
  ['in the account', (run) => ({ account: 'acme', user: run }), (run) => ({ account: 'other', user: run })],
  ['in having an account', (run) => ({ user: run }), (run) => ({ account: 'acme', user: run })],
  [
    'in which of two names is the account',
    (run) => ({ account: `${run} a`, user: `${run} b` }),
    (run) => ({ account: `${run} b`, user: `${run} a` }),
  ],
]

/** Signs that may stand between account and user in one key: where the account ends must be known. */
const SEPARATORS = [...':./|,_-# \\']

/** No two ids share a record. */
export async function ids(open: OpenInstance): Promise<void> {
  await withInstances(open, 1, async ([store]) => {
    const wrong = async (pairs: [string, RecordId, RecordId][]) => {
      const shared = await Promise.all(pairs.map(([, one, other]) => areOne(store!, one, other)))
      return pairs.filter((_, at) => shared[at]).map(([difference]) => difference)
    }
    const accounts = ACCOUNTS.map(([difference, one, other]): [string, RecordId, RecordId] => {
      const run = fresh()
      return [difference, one(run), other(run)]
    })
    const ofAccounts = await wrong(accounts)
    if (ofAccounts.length > 0)
      found('account ignored', `two ids share a record that differ only ${ofAccounts.join('; ')}`)
    const users = USERS.map(([difference, one, other]): [string, RecordId, RecordId] => {
      const run = fresh()
      const user = (text: string) => ({ account: 'kit', user: text.replace('*', run) })
      return [difference, user(one), user(other)]
    })
    const joined = SEPARATORS.map((sign): [string, RecordId, RecordId] => {
      const run = fresh()
      return [
        `in where the account ends, at ${JSON.stringify(sign)}`,
        { account: `${run}a`, user: `b${sign}c` },
        { account: `${run}a${sign}b`, user: 'c' },
      ]
    })
    const ofIds = await wrong([...users, ...joined])
    if (ofIds.length > 0) found('ids taken for one', `two ids share a record that differ only ${ofIds.join('; ')}`)
    const user = `${fresh()} spelt`
    const { version } = await saveFirst(store!, { user, account: undefined }, 'first')
    await saveNext(store!, { user }, 'second', version)
    for (const name of ['__proto__', 'constructor']) await saveFirst(store!, { account: fresh(), user: name }, 'first')
  })
}

/** Whether a store takes two ids for one. */
async function areOne(store: Store, one: RecordId, other: RecordId): Promise<boolean> {
  await saveFirst(store, one, 'of the one')
  if ((await load(store, other)) !== undefined || !(await save(store, other, 'of the other'))) return true
  return (await load(store, one))?.record !== 'of the one' || (await load(store, other))?.record !== 'of the other'
}

/** An instance that is closed throws, and claims nothing. */
export async function closed(open: OpenInstance): Promise<void> {
  await withInstances(open, 1, async ([witness]) => {
    const { store, close } = await open()
    const id = { user: `${fresh()} closed` }
    const { version } = await saveFirst(store, id, 'first')
    if (close === undefined) return
    await close()
    const read = await inTime(() => store.load({ ...id }))
    if (read.given && (read.answer === undefined || read.answer === null))
      found('error taken for no record', 'an instance that is closed gives no record of a user who has one')
    const wrote = await inTime(() => store.save({ ...id }, 'second', version))
    const record = (await load(witness!, id))?.record
    await closedMembers(await open(), witness!)
    if (!wrote.given) return
    if (booleanOf('save', wrote.answer) && record === 'first')
      found('true without a write', 'a save by an instance that is closed said true and wrote nothing')
    if (!wrote.answer && record !== 'first')
      found('write without true', 'a save by an instance that is closed wrote, and said false')
    if (!wrote.answer)
      found('error taken for a lost race', 'a save by an instance that is closed said false, at the right version')
  })
}

/** The same for the functions that a store may have. An instance that goes on answering is not closed, and not wrong. */
async function closedMembers({ store, close }: OpenStore, witness: Store): Promise<void> {
  const now = Math.floor(Date.now() / 1_000)
  const times = { now, until: now + 1_000 }
  const [id, other] = [{ user: `${fresh()} closed` }, { user: `${fresh()} closed` }]
  const { version } = await saveFirst(store, id, 'first')
  await store.revoke?.({ sessions: [id.user] }, times)
  await close?.()
  const list = await inTime(async () => store.revoked?.())
  if (list.given && store.revoked !== undefined && !(list.answer as Revoked).sessions?.includes(id.user))
    found('wrong revocation', 'an instance that is closed gives a list without an entry that is on it')
  const page = await inTime(async () => store.list?.({ limit: 1_000 }))
  const { records, next } = (page.answer ?? {}) as Partial<ListPage>
  if (records?.length === 0 && next === undefined)
    found('wrong list', 'an instance that is closed gives an empty page, and there are records')
  const put = await inTime(async () => store.revoke?.({ sessions: [other.user] }, times))
  if (put.given && witness.revoked !== undefined && !(await witness.revoked()).sessions?.includes(other.user))
    found(
      'wrong revocation',
      'an instance that is closed took an entry without an error, and did not put it on the list',
    )
  const inserted = await inTime(async () => store.insertMany?.([{ id: other, record: 'first' }]))
  if ((inserted.answer as boolean[] | undefined)?.[0] === false)
    found('error taken for a lost race', 'an insertion by an instance that is closed said false for a new user')
  const removed = await inTime(async () => store.delete?.({ ...id }, version))
  if (removed.answer === false)
    found('error taken for a lost race', 'a deletion by an instance that is closed said false, at the right version')
}

/** An answer, where one comes in time and is no error. */
async function inTime(ask: () => Promise<unknown>): Promise<{ given: boolean; answer?: unknown }> {
  let timer: ReturnType<typeof setTimeout> | undefined
  const late = new Promise<{ given: boolean }>((resolve) => {
    timer = setTimeout(() => resolve({ given: false }), PATIENCE_MS)
  })
  const asked = (async () => ({ given: true, answer: await ask() }))().catch(() => ({ given: false }))
  const answer = await Promise.race([asked, late])
  clearTimeout(timer)
  return answer
}
