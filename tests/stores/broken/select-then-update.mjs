// It looks at the version and then writes, with no turn between: only another process comes in there.
import { newVersion } from 'countersign'
import { sqliteStore } from 'countersign/stores/sqlite'
import { openFile } from '../shared-file.mjs'

export default function open() {
  const database = openFile()
  const store = sqliteStore(database)
  const versions = database.prepare('SELECT version FROM second_factor WHERE account = ? AND user_id = ?')
  const replace = database.prepare('REPLACE INTO second_factor (account, user_id, record, version) VALUES (?, ?, ?, ?)')
  return {
    store: {
      load: store.load,
      async save({ account = '', user }, record, expected) {
        if (/** @type {any} */ (versions.get(account, user))?.version !== expected) return false
        return replace.run(account, user, record, newVersion()).changes > 0
      },
    },
    close: () => database.close(),
  }
}
