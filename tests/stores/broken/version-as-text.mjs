// The driver gives a BIGINT as text.
import { always, parts, storeOn } from '../table.mjs'

const store = storeOn(parts())
export default always({
  ...store,
  async load(id) {
    const row = await store.load(id)
    return row && { ...row, version: String(row.version) }
  },
  save: (id, record, expected) => store.save(id, record, expected === undefined ? undefined : Number(expected)),
})
