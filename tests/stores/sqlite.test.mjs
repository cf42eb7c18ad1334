// The store in SQLite with the drivers for Node 20. tests/runtimes/sqlite.test.mjs runs it with those of newer versions and of Bun.
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { sqliteStore } from 'countersign/stores/sqlite'
import { storeContract } from './contract.mjs'
import { checks } from './sqlite/checks.mjs'
import { openSqlite } from './sqlite/drivers.mjs'

const drivers = (process.env.COUNTERSIGN_SQLITE ?? 'better-sqlite3,libsql,@libsql/client').split(',')
const folder = mkdtempSync(join(tmpdir(), 'countersign-sqlite-'))
after(() => rmSync(folder, { recursive: true, force: true }))

for (const driver of drivers) {
  storeContract(driver, async () => sqliteStore(await openSqlite(driver, join(newFolder(), 'a.db'))))
  for (const [name, check] of Object.entries(checks)) test(`${driver}: ${name}`, () => check(driver, newFolder()))
}

if (drivers.includes('@libsql/client'))
  test('@libsql/client: the tables are created with the wait for another process that creates them', async () => {
    const client = await openSqlite('@libsql/client', join(newFolder(), 'a.db'))
    const creates = []
    const watched = new Proxy(client, {
      get(target, name) {
        if (name !== 'execute' && name !== 'executeMultiple') return target[name]
        return (statement) => {
          const sql = statement.sql ?? statement
          if (sql.includes('CREATE ')) creates.push([name, sql.split(';')[0]])
          return target[name](statement)
        }
      },
    })
    assert.equal(await sqliteStore(watched).load({ user: 'ann' }), undefined)
    // Each connection of the client has a wait of its own, which begins as none.
    assert.deepEqual(creates, [['executeMultiple', 'PRAGMA busy_timeout = 5000']])
  })

function newFolder() {
  return mkdtempSync(join(folder, 'database-'))
}
