// The operator's list of users, by the store's pages, and the commands `list` and `delete`.

import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import Database from 'better-sqlite3'
import { memoryStore } from 'countersign'
import { createOperator } from 'countersign/operator'
import { sqliteStore } from 'countersign/stores/sqlite'
import { host, rules, withApp } from './support.mjs'

const STORES = { memoryStore, sqliteStore: () => sqliteStore(new Database(':memory:')) }

for (const [name, open] of Object.entries(STORES)) {
  test(`every user is on one page, with a status that holds no secret (${name})`, async () => {
    const at = await host({ store: open() })
    const ann = await withApp(at)
    for (let n = 0; n < 24; n += 1)
      await at.options.store.save({ account: `a${n % 3}`, user: `u${n}` }, 'no record', undefined)
    const { list } = createOperator(at.options)
    const seen = []
    let after
    do {
      const page = await list({ after, limit: 7 })
      assert.ok(page.users.length <= 7)
      seen.push(...page.users)
      after = page.next
    } while (after !== undefined)
    assert.equal(new Set(seen.map(({ account, user }) => JSON.stringify([account, user]))).size, 25)
    assert.equal(seen.length, 25)
    const { status, error } = seen.find(({ user }) => user === 'ann')
    assert.equal(error, undefined)
    assert.deepEqual([status.methods.map(({ method }) => method), status.backupCodes.left], [['totp'], 2])
    assert.ok(!JSON.stringify(seen).includes(ann.secret))
    assert.deepEqual(
      seen.find(({ user }) => user === 'u1'),
      { account: 'a1', user: 'u1', error: 'invalid_record' },
    )
    const ofAccount = await list({ account: 'a2' })
    assert.deepEqual(ofAccount.users.map(({ user }) => user).sort(), [
      'u11',
      'u14',
      'u17',
      'u2',
      'u20',
      'u23',
      'u5',
      'u8',
    ])
  })
}

test('a page that cannot be had is an error with a code', async () => {
  const at = await host()
  const listOf = (list) => createOperator({ ...at.options, store: { ...at.options.store, list } }).list()
  await assert.rejects(listOf(undefined), { code: 'no_list' })
  const failing = () => Promise.reject(new Error('down'))
  for (const list of [
    failing,
    () => undefined,
    () => ({}),
    () => ({ records: [{}] }),
    () => ({ records: [], next: 1 }),
  ])
    await assert.rejects(listOf(list), { code: 'store_failed', path: 'store.list' })
  const { list } = createOperator(at.options)
  for (const limit of [0, 1_001, 1.5, '7'])
    await assert.rejects(list({ limit }), { code: 'invalid_input', path: 'limit' })
  await assert.rejects(createOperator({ ...at.options, store: STORES.sqliteStore() }).list({ after: 'x' }), {
    code: 'invalid_input',
    path: 'after',
  })
})

test('countersign list prints a line for each user, and countersign delete erases one', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'countersign-'))
  t.after(() => rmSync(folder, { recursive: true }))
  const file = join(folder, 'records.sqlite')
  const database = new Database(file)
  t.after(() => database.close())
  const at = await host({ store: sqliteStore(database) })
  await withApp(at)
  await withApp(at, 'bob')
  const config = join(folder, 'second-factor.mjs')
  writeFileSync(
    config,
    `import Database from ${JSON.stringify(import.meta.resolve('better-sqlite3'))}
     import { sqliteStore } from ${JSON.stringify(new URL('../../pkg/stores/sqlite.mjs', import.meta.url).href)}
     export default {
       policy: ${JSON.stringify(rules())},
       keys: ${JSON.stringify(at.keys)},
       store: sqliteStore(new Database(${JSON.stringify(file)})),
     }`,
  )
  const cli = fileURLToPath(new URL('../../pkg/cli.cjs', import.meta.url))
  const run = (...args) => promisify(execFile)(process.execPath, [cli, ...args])
  const lines = async () => (await run('list', '--config', config)).stdout
  assert.equal(await lines(), '\tann\ttotp "Authenticator app"\t2 of 2\t\n\tbob\ttotp "Authenticator app"\t2 of 2\t\n')
  const who = ['--config', config, '--user', 'bob', '--operator', 'Jo']
  assert.equal((await run('delete', ...who)).stdout, 'deleted: user "bob" without an account\n')
  assert.equal((await run('delete', ...who)).stdout, 'there is no record of user "bob" without an account\n')
  assert.equal(await lines(), '\tann\ttotp "Authenticator app"\t2 of 2\t\n')
  const told = await run('delete', '--config', config, '--user', 'ann').catch((error) => error)
  assert.deepEqual([told.code, told.stderr.split('\n')[0]], [2, '--operator is missing'])
})

test('countersign delete leaves the record of somebody who begins anew right before', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'countersign-'))
  t.after(() => rmSync(folder, { recursive: true }))
  const at = await host()
  await withApp(at)
  const { record } = await at.store.load({ user: 'ann' })
  const config = join(folder, 'second-factor.mjs')
  writeFileSync(
    config,
    `import { memoryStore } from ${JSON.stringify(new URL('../../pkg/index.mjs', import.meta.url).href)}
     const { load, save, delete: remove, ...others } = memoryStore()
     const record = ${JSON.stringify(record)}
     await save({ user: 'ann' }, record, undefined)
     let isEmptied = false
     const store = {
       ...others,
       async save(...given) {
         isEmptied = await save(...given)
         return isEmptied
       },
       async load(id) {
         const stored = await load(id)
         if (isEmptied) await save(id, record, stored.version)
         isEmptied = false
         return stored
       },
       async delete(...given) {
         const isGone = await remove(...given)
         console.log(isGone ? 'gone' : 'kept')
         return isGone
       },
     }
     export default { policy: ${JSON.stringify(rules())}, keys: ${JSON.stringify(at.keys)}, store }`,
  )
  const cli = fileURLToPath(new URL('../../pkg/cli.cjs', import.meta.url))
  const who = ['--config', config, '--user', 'ann', '--operator', 'Jo']
  const { stdout } = await promisify(execFile)(process.execPath, [cli, 'delete', ...who])
  assert.equal(stdout, 'kept\ndeleted: user "ann" without an account\n')
})
