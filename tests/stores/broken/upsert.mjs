// A first save is INSERT … ON CONFLICT DO UPDATE.
import { always, parts, storeOn } from '../table.mjs'

const store = storeOn(parts())
export default always({
  ...store,
  async save(id, record, expected) {
    if (expected !== undefined) return store.save(id, record, expected)
    store.put(id, record)
    return true
  },
})
