// The kit that proves a store: right stores pass, and each store of tests/stores/broken is told by the name of its defect.
import assert from 'node:assert/strict'
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { createSecondFactor, memoryStore } from 'countersign'
import { proveStore, StoreDefect } from 'countersign/testing/store'
import openRight from '../stores/sqlite-file.mjs'
import { codeOf, count, host, ticketOf, withApp } from './support.mjs'

const folder = mkdtempSync(join(tmpdir(), 'store-kit-'))
after(() => rmSync(folder, { recursive: true, force: true }))
process.env.COUNTERSIGN_STORE_FILE = join(folder, 'store.sqlite')

const inTests = (name) => new URL(`../stores/${name}.mjs`, import.meta.url)

// Right stores: every check is a test here.
const shared = memoryStore()
proveStore({
  test: (name, run, milliseconds) => test(`in memory: ${name}`, { timeout: milliseconds }, run),
  open: () => ({ store: shared }),
  module: false,
})
proveStore({
  test: (name, run, milliseconds) => test(`in a file: ${name}`, { timeout: milliseconds }, run),
  open: openRight,
  module: inTests('sqlite-file'),
})

/** The checks of a store, by their names. */
function checksOf(options) {
  const checks = new Map()
  proveStore({ test: (name, run) => checks.set(name, run), module: false, ...options })
  return checks
}

/** The defects that the checks tell, in their order. Whole logins take their time, and are looked at where it is asked. */
async function toldOf(options, { logins = false } = {}) {
  const told = []
  for (const [name, run] of checksOf(options)) {
    if (!logins && /code|counts once/.test(name)) continue
    await run().catch((error) => told.push({ name, error }))
  }
  return told
}

/**
 * Broken store → the defects by whose names it is told. The first one is told in any case; the others are other sights of it,
 * which an unlucky race may leave out.
 * @type {Record<string, [field: string, ...defects: string[]]>}
 */
const BROKEN = {
  'read-then-write': ['D1', 'lost update', 'two first saves'],
  upsert: ['D1', 'overwritten first save', 'two first saves'],
  'upsert-at-version': ['', 'write where nothing is'],
  'ignore-says-true': ['D1', 'true without a write', 'two first saves', 'lost update'],
  'ignore-says-false': ['D1', 'write without true'],
  'lost-race-throws': ['D2', 'error on a lost race'],
  'ignores-case': ['D3', 'ids taken for one'],
  'ignores-accents': ['D3', 'ids taken for one'],
  'ignores-blanks': ['D3', 'ids taken for one'],
  'ids-cut': ['D3', 'ids taken for one'],
  'ids-joined': ['', 'ids taken for one'],
  'account-ignored': ['', 'account ignored'],
  'version-rounded': ['D4', 'inexact version'],
  'version-cut': ['', 'version of 32 bits'],
  'version-clamped': ['', 'version of 32 bits', 'lost update', 'wrong deletion'],
  'version-counted': ['', 'version of 32 bits', 'repeated version'],
  'version-counted-high': ['', 'counted version'],
  'version-begins-anew': ['', 'repeated version', 'counted version'],
  'version-is-the-time': ['', 'time as version'],
  'version-as-text': ['', 'wrong answer'],
  'cached-load': ['D5', 'stale read', 'lost update'],
  'cached-absence': ['D5', 'stale read'],
  'lagging-replica': ['D5', 'stale read', 'lost update'],
  'record-cut': ['', 'record cut off'],
  'record-as-json': ['', 'record changed'],
  'record-trimmed': ['', 'record changed'],
  'error-says-true': ['', 'true without a write'],
  'error-says-false': ['', 'error taken for a lost race'],
  'error-says-nobody': ['', 'error taken for no record'],
  'deletes-any-version': ['', 'wrong deletion'],
  'list-by-offset': ['', 'wrong list'],
  'list-by-prefix': ['', 'wrong list'],
  'list-ends-early': ['', 'wrong list'],
  'insertion-replaces': ['', 'wrong insertion'],
  'revocation-last-wins': ['', 'wrong revocation'],
  'revocation-ends-early': ['', 'wrong revocation'],
  'ids-hashed': ['D3', 'ids taken for one'],
  'version-of-text': ['', 'repeated version'],
  'record-before-version': ['', 'lost update'],
  'error-says-none-revoked': ['', 'wrong revocation'],
  'revocation-without-accounts': ['', 'wrong revocation'],
  'revocation-replaced': ['', 'wrong revocation'],
  'revocation-ignores-case': ['', 'wrong revocation'],
  'revocation-cut': ['', 'wrong revocation'],
  'revocation-with-prototype': ['', 'wrong revocation'],
  'list-lags': ['D5', 'wrong list'],
  'list-with-deleted': ['', 'wrong list'],
}

/** Broken stores that are right within one process. */
const BROKEN_APART = ['lock-of-one-process', 'select-then-update']

const openOf = async (name) => (await import(inTests(`broken/${name}`).href)).default

for (const [name, [field, defect, ...others]] of Object.entries(BROKEN)) {
  test(`${field && `${field}: `}T53: a store that is broken by ${name} is told: ${defect}`, async () => {
    const told = await toldOf({ open: await openOf(name) })
    const names = told.map(({ error }) => error.defect)
    assert.ok(names.includes(defect), names.join(', '))
    assert.deepEqual(
      names.filter((each) => ![defect, ...others].includes(each)),
      [],
    )
    for (const { error } of told) {
      assert.ok(error instanceof StoreDefect)
      assert.match(error.message, /^[\w ]+: .+\.\nWhy it matters: .+\.\nHow to mend it: .+\.$/)
      assert.ok(error.message.startsWith(`${error.defect}: ${error.seen}.`))
    }
  })
}

for (const name of BROKEN_APART) {
  test(`a store that is broken by ${name} is right in one process, and is told by several`, async () => {
    const told = await toldOf({ open: await openOf(name), module: inTests(`broken/${name}`) })
    assert.deepEqual(
      told.filter(({ name }) => !name.endsWith('through several processes')),
      [],
    )
    const defects = told.map(({ error }) => error.defect)
    assert.ok(defects.includes('lost update'), defects.join(', '))
    assert.match(told.at(-1).error.seen, /^3 writers counted up \d+ times, through several processes/)
  })
}

test('each store of the folder is in the table', () => {
  const files = readdirSync(
    inTests('broken/x')
      .href.slice('file://'.length)
      .replace(/x\.mjs$/, ''),
  )
  assert.deepEqual(
    files.map((name) => name.replace('.mjs', '')).sort(),
    [...Object.keys(BROKEN), ...BROKEN_APART].sort(),
  )
})

test('the engine alone looks right in one process on a store that loses updates, and the kit tells it', async () => {
  const open = await openOf('read-then-write')
  const at = await host({ store: open().store })
  const ann = await withApp(at)
  const input = { ticket: await ticketOf(at, 'ann'), session: 'before', method: 'totp', code: codeOf(at, ann.secret) }
  const alone = await Promise.all(Array.from({ length: 100 }, () => at.factor.verify(input)))
  assert.equal(count(alone, 'verified'), 1, 'the queue of the engine hides the defect')

  at.clock.advance(30)
  const next = { ...input, ticket: await ticketOf(at, 'ann'), code: codeOf(at, ann.secret) }
  const engines = Array.from({ length: 5 }, () => createSecondFactor(at.options))
  const apart = await Promise.all(engines.map((engine) => engine.verify(next)))
  assert.ok(count(apart, 'verified') > 1, 'other processes do not wait in it')

  const told = await toldOf({ open }, { logins: true })
  const seen = told.filter(({ name }) => /code/.test(name)).map(({ error }) => error.seen)
  assert.equal(seen.length, 3)
  assert.match(seen[0], /^one totp code, typed 100 times at once, through several instances, let \d in$/)
  assert.match(seen[1], /^one backup_code code, typed \d+ times at once/)
  assert.match(seen[2], /^\d+ of 100 wrong codes at once, through several instances, were compared, and 5 is the cap$/)
})

test('D5: a store that lags is told by a whole login: a user with a new factor would be let in without it', async () => {
  const told = await toldOf({ open: await openOf('lagging-replica') }, { logins: true })
  assert.ok(told.some(({ error }) => error.seen === 'a login right after the set-up of an app was allowed'))
})

test('what a store throws is kept as the cause, and its message is shown', async () => {
  const failure = new Error('relation "second_factor" does not exist')
  const fails = () => Promise.reject(failure)
  const told = await toldOf({ open: () => ({ store: { load: fails, save: fails } }) })
  assert.ok(told.length > 8)
  for (const { error } of told) {
    assert.equal(error.defect, 'error')
    assert.match(error.message, /does not exist/)
  }
  assert.equal(told[0].error.cause, failure)
})

test('an instance that cannot be opened, here or in a process, is told by the error', async () => {
  const [first] = await toldOf({ open: () => Promise.reject(new Error('connection refused')) })
  assert.match(first.error.message, /^error: connection refused\./)
  const checks = checksOf({ open: openRight, module: join(folder, 'nowhere.mjs') })
  const inProcesses = [...checks].filter(([name]) => name.endsWith('through several processes'))
  assert.equal(inProcesses.length, 7)
  await assert.rejects(inProcesses[0][1](), /in a process of the kit: Cannot find module .*nowhere\.mjs/)
})

test('a store without the other functions passes, and each instance is closed', async () => {
  const { load, save } = memoryStore()
  let isOpen = 0
  const open = () => {
    isOpen += 1
    return { store: { load, save }, close: () => void (isOpen -= 1) }
  }
  assert.deepEqual(await toldOf({ open }), [])
  assert.equal(isOpen, 0)
})
