// The error of a unique key is let through.
import { always, parts, storeOn } from '../table.mjs'

const store = storeOn(parts())
export default always({
  ...store,
  async save(...of) {
    const saved = await store.save(...of)
    if (!saved && of[2] === undefined) throw new Error('duplicate key value violates unique constraint')
    return saved
  },
})
