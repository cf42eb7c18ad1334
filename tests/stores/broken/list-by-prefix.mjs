// The records of an account are those whose account begins with its name.
import { memoryStore } from 'countersign'
import { always } from '../table.mjs'

const store = memoryStore()
export default always({
  ...store,
  async list({ account, limit }) {
    const { records } = await store.list({ limit: 1e9 })
    return {
      records: records.filter(({ id }) => account === undefined || id.account?.startsWith(account)).slice(0, limit),
    }
  },
})
