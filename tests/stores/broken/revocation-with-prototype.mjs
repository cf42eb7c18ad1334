// Entries are assigned to plain objects, where the name `__proto__` is none.
import { memoryStore } from 'countersign'
import { always } from '../table.mjs'

const store = memoryStore()
function plain(entries) {
  if (typeof entries !== 'object') return entries
  const copy = {}
  for (const [name, value] of Object.entries(entries)) copy[name] = plain(value)
  return copy
}
export default always({
  ...store,
  async revoked(about) {
    const { sessions, users, epochs, accounts } = await store.revoked(about)
    return { sessions, users: plain(users), epochs: plain(epochs), accounts: plain(accounts) }
  },
})
