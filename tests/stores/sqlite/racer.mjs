// One of two processes that race: for each line on its input it loads the record and prints the version, or saves over
// this version and prints whether it did.
//   node racer.mjs <driver> <file>
import { createInterface } from 'node:readline'
import { sqliteStore } from 'countersign/stores/sqlite'
import { openSqlite } from './drivers.mjs'

const [driver, file] = process.argv.slice(2)
const store = sqliteStore(await openSqlite(driver, file))
const id = { user: 'ann' }
let version
for await (const line of createInterface({ input: process.stdin })) {
  if (line === 'load') version = (await store.load(id))?.version
  console.log(line === 'load' ? `${version}` : `${await store.save(id, `of ${process.pid}`, version)}`)
}
