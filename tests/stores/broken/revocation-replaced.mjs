// The list is one document, which is read, added to and written back.
import { setImmediate as turn } from 'node:timers/promises'
import { memoryStore } from 'countersign'
import { always } from '../table.mjs'

let document = memoryStore()
export default always({
  ...document,
  async revoke(more, times) {
    const old = await document.revoked()
    const next = memoryStore()
    await turn()
    await next.revoke(old, { now: 0, until: times.until + 10_000 })
    await next.revoke(more, times)
    document = next
  },
  revoked: (about) => document.revoked(about),
})
