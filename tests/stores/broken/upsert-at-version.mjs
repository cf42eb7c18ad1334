// A save with a version makes the record where it is missing.
import { always, parts, storeOn } from '../table.mjs'

const store = storeOn(parts())
export default always({
  ...store,
  async save(id, record, expected) {
    if (await store.save(id, record, expected)) return true
    return store.save(id, record, undefined)
  },
})
