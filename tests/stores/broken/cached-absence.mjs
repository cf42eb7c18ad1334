// Each instance keeps for a while that there was no record.
import { parts, storeOn } from '../table.mjs'

const store = storeOn(parts())
export default function open() {
  const absent = new Set()
  return {
    store: {
      async load(id) {
        const key = JSON.stringify(id)
        if (absent.has(key)) return undefined
        const row = await store.load(id)
        if (row === undefined) absent.add(key)
        return row
      },
      async save(id, record, expected) {
        absent.delete(JSON.stringify(id))
        return store.save(id, record, expected)
      },
    },
  }
}
