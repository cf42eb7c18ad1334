// sqliteStore on a file, for several processes.
import { sqliteStore } from 'countersign/stores/sqlite'
import { openFile } from './shared-file.mjs'

export default function open() {
  const database = openFile()
  return { store: sqliteStore(database), close: () => database.close() }
}
