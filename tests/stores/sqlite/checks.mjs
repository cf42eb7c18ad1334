// Checks of the store in SQLite with one driver, for each runtime that has it. `folder` is empty.
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { sqliteStore } from 'countersign/stores/sqlite'
import { begin, openSqlite, query, rollback } from './drivers.mjs'

const ROUNDS = 200
const ann = { user: 'ann' }

/** @type {Record<string, (driver: string, folder: string) => Promise<void>>} */
export const checks = {
  async 'the wait for another writer is raised to five seconds, and a longer one stays'(driver, folder) {
    for (const [before, after] of [
      [100, 5_000],
      [9_000, 9_000],
    ]) {
      const database = await openSqlite(driver, join(folder, `${before}.db`))
      await query(database, `PRAGMA busy_timeout = ${before}`)
      await sqliteStore(database).load(ann)
      assert.deepEqual({ ...(await query(database, 'PRAGMA busy_timeout'))[0] }, { timeout: after })
    }
  },

  async 'D1: of two processes exactly one wins each version'(driver, folder) {
    await openSqlite(driver, join(folder, 'a.db'))
    const racers = [racer(driver, folder), racer(driver, folder)]
    const both = (line) => Promise.all(racers.map((racer) => racer.ask(line)))
    const versions = new Set()
    try {
      for (let round = 0; round < ROUNDS; round += 1) {
        const [one, other] = await both('load')
        assert.equal(one, other, `round ${round}: both see the newest record`)
        versions.add(one)
        assert.deepEqual((await both('save')).sort(), ['false', 'true'], `round ${round}`)
      }
    } finally {
      for (const racer of racers) racer.end()
    }
    assert.equal(versions.size, ROUNDS)
  },

  async 'D2: a file that stays locked is an error, after which reads are new'(driver, folder) {
    const { database, store, other, others } = await twoStores(driver, folder)
    const { version } = await store.load(ann)
    const transaction = await begin(other, 'immediate')
    if (database.execute) {
      // It sets its five seconds before each statement.
      await assert.rejects(store.save(ann, 'lost', version), /locked/)
    } else {
      await query(database, 'PRAGMA busy_timeout = 0')
      await assert.rejects(store.save(ann, 'lost', version), /locked/)
      await assert.rejects(store.save({ user: 'bea' }, 'lost', undefined), /locked/)
      await assert.rejects(store.delete(ann, version), /locked/)
    }
    await rollback(transaction)
    await store.load(ann)
    assert.equal(await others.save(ann, 'second', version), true)
    assert.equal((await store.load(ann)).record, 'second')
    assert.equal(await store.save(ann, 'third', (await store.load(ann)).version), true)
  },

  async 'D2: in a transaction of the host a lost race is an error at once'(driver, folder) {
    const { database, others } = await twoStores(driver, folder)
    const transaction = await begin(database)
    const store = sqliteStore(transaction)
    await assert.rejects(store.save(ann, 'again', undefined), /UNIQUE/)
    await assert.rejects(store.insertMany([{ id: ann, record: 'again' }]), /UNIQUE/)
    const { version } = await store.load(ann)
    assert.equal(await store.save(ann, 'late', version === 1 ? 2 : 1), false, 'another version is no error')
    await rollback(transaction)

    const stale = await begin(database)
    const joined = sqliteStore(stale)
    await joined.load(ann)
    assert.equal(await others.save(ann, 'second', version), true)
    await assert.rejects(joined.save(ann, 'lost', version), /locked/)
    await rollback(stale)
  },

  async 'a transaction of the host takes the writes along'(driver, folder) {
    const { database, store } = await twoStores(driver, folder)
    const { version } = await store.load(ann)
    const transaction = await begin(database)
    const joined = sqliteStore(transaction)
    assert.equal(await joined.save(ann, 'second', version), true)
    assert.equal((await joined.load(ann)).record, 'second')
    await rollback(transaction)
    assert.deepEqual(await store.load(ann), { record: 'first', version })
  },

  async 'versions are exact where the driver gives BigInt'(driver, folder) {
    const database = await openSqlite(driver, join(folder, 'a.db'), { exact: true })
    const store = sqliteStore(database)
    for (const version of [1, 2 ** 32, 134_880_170_606_593, 2 ** 53 - 1]) {
      await store.save(ann, 'first', undefined)
      await query(database, `UPDATE second_factor SET version = ${version}`)
      assert.deepEqual(await store.load(ann), { record: 'first', version })
      assert.equal((await store.list({ limit: 10 })).records[0].version, version)
      assert.equal(await store.save(ann, 'late', version - 1), false)
      assert.equal(await store.save(ann, 'second', version), true)
      assert.equal(await store.delete(ann, version), false)
      assert.equal(await store.delete(ann, (await store.load(ann)).version), true)
    }
  },
}

/** Two stores on one file, each with a connection of its own. It has a record of ann's. */
async function twoStores(driver, folder) {
  const file = join(folder, 'a.db')
  const database = await openSqlite(driver, file)
  const other = await openSqlite(driver, file)
  const [store, others] = [sqliteStore(database), sqliteStore(other)]
  assert.equal(await store.save(ann, 'first', undefined), true)
  assert.equal((await others.load(ann)).record, 'first')
  return { database, store, other, others }
}

/** A process that answers each line with one. */
function racer(driver, folder) {
  const script = fileURLToPath(new URL('racer.mjs', import.meta.url))
  const child = spawn(process.execPath, [script, driver, join(folder, 'a.db')], { stdio: ['pipe', 'pipe', 'inherit'] })
  const answers = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
  return {
    async ask(line) {
      child.stdin.write(`${line}\n`)
      const { value, done } = await answers.next()
      assert.ok(!done, 'the process has ended')
      return value
    },
    end() {
      child.stdin.end()
      child.kill()
    },
  }
}
