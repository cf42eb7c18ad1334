// Checks of the stores through Kysely and Drizzle.
import assert from 'node:assert/strict'
import { inspect } from 'node:util'
import { eventually } from '../shared/eventually.mjs'
import { sameCodeAtOnce } from './contract.mjs'

const ann = { user: 'ann' }
const RECORD = 'the text of a record'

/** Of 100 calls with one code at once, one signs in. */
export async function oneSignsIn(stores) {
  const results = await sameCodeAtOnce(stores)
  assert.equal(results.filter((result) => result === 'verified').length, 1, JSON.stringify(results))
}

/**
 * A lost race throws in a transaction, and the error tells no record.
 * @param {any} store
 * @param {(job: (store: any) => Promise<void>) => Promise<unknown>} transaction
 */
export async function throwsInTransaction(store, transaction) {
  assert.equal(await store.save(ann, 'first', undefined), true)
  assert.equal(await store.save(ann, 'first', undefined), false, 'outside it gives false')
  for (const lose of [
    (joined) => joined.save(ann, RECORD, undefined),
    (joined) => joined.insertMany([{ id: ann, record: RECORD }]),
  ]) {
    let given, thrown
    const end = transaction(async (joined) => {
      await lose(joined).then(
        (value) => (given = value),
        (error) => (thrown = error),
      )
      throw new Error('the end')
    })
    await assert.rejects(end, { message: 'the end' })
    assert.ok(thrown instanceof Error, `it gave ${given}`)
    assert.ok(!inspect(thrown).includes(RECORD), inspect(thrown))
  }
  await transaction(async (joined) => {
    const { version } = await joined.load(ann)
    assert.equal(await joined.save(ann, 'second', version), true)
  })
  assert.equal((await store.load(ann)).record, 'second')
}

/**
 * A save that waits for another transaction, under the isolation level `repeatable read`, loses by 40001.
 * @param {any} store
 * @param {(text: string) => Promise<any>} run  a statement on any connection
 * @param {(job: (run: (text: string) => Promise<unknown>) => Promise<unknown>) => Promise<unknown>} onOne  on one connection
 */
export async function losesBySerialization(store, run, onOne) {
  assert.equal(await store.save(ann, 'first', undefined), true)
  const { version } = await store.load(ann)
  await onOne(async (runThere) => {
    await runThere('BEGIN')
    await runThere(`UPDATE second_factor SET record = 'second', version = 1`)
    const saving = store.save(ann, 'lost', version)
    await eventually(async () => {
      const { rows } = await run(`SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock'`)
      assert.equal(rows.length, 1, 'the save waits')
    })
    await runThere('COMMIT')
    assert.equal(await saving, false)
  })
  assert.equal((await store.load(ann)).record, 'second')
}
