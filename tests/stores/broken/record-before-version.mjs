// Two reads: one for the record, and then one for its version.
import { always, parts, storeOn } from '../table.mjs'

const store = storeOn(parts())
export default always({
  ...store,
  async load(id) {
    const before = await store.load(id)
    const after = await store.load(id)
    return before && { record: before.record, version: after?.version ?? before.version }
  },
})
