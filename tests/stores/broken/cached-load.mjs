// Each instance keeps what it has read, and forgets it at a write of its own.
import { parts, storeOn } from '../table.mjs'

const store = storeOn(parts())
export default function open() {
  const cache = new Map()
  const keyOf = (id) => JSON.stringify(id)
  return {
    store: {
      async load(id) {
        const key = keyOf(id)
        if (!cache.has(key)) cache.set(key, await store.load(id))
        return cache.get(key)
      },
      async save(id, record, expected) {
        cache.delete(keyOf(id))
        return store.save(id, record, expected)
      },
    },
  }
}
