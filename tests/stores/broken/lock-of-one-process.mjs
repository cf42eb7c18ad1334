// A lock in memory around a read and a write: it holds in one process.

import { setImmediate as turn } from 'node:timers/promises'
import { sqliteStore } from 'countersign/stores/sqlite'
import { openFile } from '../shared-file.mjs'

let queue = Promise.resolve()
const alone = (work) => {
  const done = queue.then(work)
  queue = done.catch(() => undefined)
  return done
}

export default function open() {
  const database = openFile()
  const store = sqliteStore(database)
  return {
    store: {
      load: store.load,
      save: (id, record, expected) =>
        alone(async () => {
          const now = await store.load(id)
          if (now?.version !== expected) return false
          await turn()
          // Whatever is there now is overwritten.
          for (;;) if (await store.save(id, record, (await store.load(id))?.version)) return true
        }),
    },
    close: () => database.close(),
  }
}
