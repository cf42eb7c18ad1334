// An entry replaces the one before it.
import { always, parts, storeOn } from '../table.mjs'

const list = { sessions: new Set(), users: {}, epochs: {}, accounts: {} }
export default always({
  ...storeOn(parts()),
  async revoke({ sessions = [], users, epochs, accounts }) {
    for (const session of sessions) list.sessions.add(session)
    Object.assign(list.users, users)
    Object.assign(list.epochs, epochs)
    Object.assign(list.accounts, accounts)
  },
  revoked: async () => ({ ...list, sessions: [...list.sessions] }),
})
