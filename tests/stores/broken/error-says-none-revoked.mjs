// An error of the database is taken for an empty revocation list.
import { memoryStore } from 'countersign'

const store = memoryStore()
export default function open() {
  let isOpen = true
  return {
    store: { ...store, revoked: async (about) => (isOpen ? store.revoked(about) : { sessions: [] }) },
    close: () => {
      isOpen = false
    },
  }
}
