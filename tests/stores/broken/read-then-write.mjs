// It reads the version, compares it in the program, and then writes.
import { setImmediate as turn } from 'node:timers/promises'
import { always, parts, storeOn } from '../table.mjs'

const store = storeOn(parts())
export default always({
  load: store.load,
  async save(id, record, expected) {
    if ((await store.load(id))?.version !== expected) return false
    await turn()
    store.put(id, record)
    return true
  },
})
