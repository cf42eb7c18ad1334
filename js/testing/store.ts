/**
 * Proves that a store keeps its promise: tests of your own store, for node:test, Vitest or Jest, in Node.
 *
 * @packageDocumentation
 */
import { resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { messageOf, type OpenInstance } from './store/asking.js'
import { closed, ids, texts } from './store/contents.js'
import { inProcess, inProcesses, type Place } from './store/crews.js'
import { found, StoreDefect } from './store/defects.js'
import { lostAnswer, oneCode, wrongCodes } from './store/logins.js'
import { insertions, list, revocations } from './store/members.js'
import { firstSave, newestRead, nextSave, race, steadyWriters } from './store/races.js'
import { deletion, versions } from './store/versions.js'

export type { OpenInstance, OpenStore } from './store/asking.js'
export type { StoreDefectName } from './store/defects.js'
export { StoreDefect }

/** Options of {@link proveStore}. */
export interface ProveStoreOptions {
  /** The function that declares a test: `test` of node:test or Vitest, or the global one of Jest. */
  test: (name: string, run: () => Promise<void>, milliseconds: number) => unknown
  /** Opens an instance with a connection or pool of its own, on a database for tests. Several are open at once. */
  open: OpenInstance
  /**
   * A JavaScript module whose default export is `open`: its `URL` or its path. The races then run in several processes too, which
   * alone tell a store that holds within one process only. `false` for a store that one process has to itself.
   */
  module: { readonly href: string } | string | false
}

/** Milliseconds for one test: a database far away may be slow. */
const LIMIT_MS = 60_000

/**
 * Declares the tests of a store: races for the first save and for one version, through one instance, several instances and several
 * processes; versions; reads by others; large records and unusual ids; whole logins; and each of `delete`, `list`, `insertMany`,
 * `revoke` and `revoked` that the store has. A failed test throws a {@link StoreDefect}: it names the defect, and says what was seen,
 * why it matters and how to mend it.
 *
 * Run it on a database for tests: it leaves some thousand records behind, of users whose ids hold `kit-`.
 *
 * @example
 * ```ts
 * import { test } from 'node:test'
 * import { memoryStore } from 'countersign'
 * import { proveStore } from 'countersign/testing/store'
 *
 * const store = memoryStore() // yours: a new pool, and `close` ends it
 * proveStore({ test, open: () => ({ store }), module: false })
 * ```
 */
export function proveStore({ test, open, module }: ProveStoreOptions): void {
  const one = inProcess(open, 'through one instance', 1, 20)
  const several = inProcess(open, 'through several instances', 5, 4)
  const apart = module === false ? [] : [inProcesses(urlOf(module), 3, 4)]
  const declare = (name: string, run: () => Promise<void>) => test(`store: ${name}`, () => told(run), LIMIT_MS)
  const inEach = (places: Place[], name: string, run: (place: Place) => () => Promise<void>) => {
    for (const place of places) declare(`${name}, ${place.name}`, run(place))
  }

  declare('a first save never replaces a record', () => firstSave(open))
  declare('a save writes at the version that is stored, and at no other', () => nextSave(open))
  inEach([one, several, ...apart], 'one first save wins', (place) => race('first', place))
  inEach([one, several, ...apart], 'one save at a version wins', (place) => race('next', place))
  inEach([several, ...apart], 'no write of steady writers is lost', steadyWriters)
  declare('a version is exact, large and never used again', () => versions(open))
  inEach([several, ...apart], 'a read gives the newest record', newestRead)
  declare('a record comes back letter for letter', () => texts(open))
  declare('no two ids share a record', () => ids(open))
  declare('a closed instance claims nothing', () => closed(open))
  declare('a deletion names a version, which never returns', () => deletion(open))
  declare('pages give each record once', () => list(open))
  declare('many insertions replace nothing', () => insertions(open))
  declare('the revocation list keeps the later entry', () => revocations(open))
  inEach([several, ...apart], 'a code of an app logs in once', (place) => oneCode(open, 'totp', place))
  inEach([several, ...apart], 'a backup code logs in once', (place) => oneCode(open, 'backup_code', place))
  inEach([several, ...apart], 'wrong codes end at the cap', (place) => wrongCodes(open, place))
  declare('a save whose answer is lost counts once', () => lostAnswer(open))
}

/** Runs a check. Whatever else is thrown is told as an error of the store, and kept as its cause. */
async function told(run: () => Promise<void>): Promise<void> {
  try {
    await run()
  } catch (error) {
    if (error instanceof StoreDefect) throw error
    found('error', messageOf(error), error)
  }
}

const urlOf = (module: { readonly href: string } | string): string =>
  typeof module === 'string' ? pathToFileURL(resolve(module)).href : module.href
