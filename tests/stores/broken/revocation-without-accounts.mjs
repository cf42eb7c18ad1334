// The whole list has no entries of accounts; only the part about a user has them.
import { memoryStore } from 'countersign'
import { always } from '../table.mjs'

const store = memoryStore()
export default always({
  ...store,
  async revoked(about) {
    const listed = await store.revoked(about)
    return about === undefined ? { ...listed, accounts: {} } : listed
  },
})
