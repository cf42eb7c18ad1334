// Pages by offset, one record of which is on two.
import { memoryStore } from 'countersign'
import { always } from '../table.mjs'

const store = memoryStore()
export default always({
  ...store,
  async list({ account, after = '0', limit }) {
    const { records } = await store.list({ account, limit: 1e9 })
    const begin = Number(after)
    const next = begin + limit < records.length ? String(begin + Math.max(1, limit - 1)) : undefined
    return { records: records.slice(begin, begin + limit), next }
  },
})
