// The store in SQLite with the drivers for Node 20. tests/runtimes/sqlite.test.mjs runs it with those of newer versions and of Bun.
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

function newFolder() {
  return mkdtempSync(join(folder, 'database-'))
}
