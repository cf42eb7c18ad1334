// A table in memory, as a database over a network is: each answer comes in a later turn. Its store is right; a broken one
// replaces a part of it.
import { setImmediate as turn } from 'node:timers/promises'
import { memoryStore, newVersion } from 'countersign'

/** @typedef {{ account?: string, user: string }} Id */

/** The parts of a store, each of which may be broken. */
export function parts() {
  /** @type {Map<string, { record: string, version: number }>} */
  const rows = new Map()
  return {
    rows,
    /** @param {Id} id */
    key: ({ account, user }) => JSON.stringify([account ?? '', user]),
    /** @param {Id} _id @param {number} [_before] */
    version: (_id, _before) => newVersion(),
    /** @param {string} record */
    text: (record) => record,
  }
}

/** A store on such parts. */
export function storeOn({ rows, key, version, text }) {
  const put = (id, record, before) => rows.set(key(id), { record: text(record), version: version(id, before) })
  return {
    async load(id) {
      await turn()
      const row = rows.get(key(id))
      return row && { ...row }
    },
    async save(id, record, expected) {
      await turn()
      if (rows.get(key(id))?.version !== expected) return false
      put(id, record, expected)
      return true
    },
    async delete(id, expected) {
      await turn()
      return rows.get(key(id))?.version === expected && rows.delete(key(id))
    },
    put,
  }
}

/** A default export for the kit, whose store may be closed: then each function fails, unless `broken` takes the error for an answer. */
export function closable(store, broken) {
  return () => {
    let isOpen = true
    const whileOpen =
      (ask) =>
      async (...of) => {
        if (!isOpen) throw new Error('the pool has ended')
        return ask(...of)
      }
    const close = () => {
      isOpen = false
    }
    return { store: broken({ load: whileOpen(store.load), save: whileOpen(store.save) }), close }
  }
}

/** A default export for the kit: every instance is on the same table. */
export const always = (store) => () => ({ store, close: () => {} })

/** A store in memory whose revocation list has each name in another form. */
export function withNames(form) {
  const store = memoryStore()
  const named = (entries) =>
    entries && Object.fromEntries(Object.entries(entries).map(([name, of]) => [form(name), of]))
  const users = (one) => ({ users: named(one.users), epochs: named(one.epochs) })
  const each = ([account, one]) => [form(account), users(one)]
  return {
    ...store,
    revoke: ({ sessions = [], accounts = {}, ...outside }, times) =>
      store.revoke(
        {
          sessions: sessions.map(form),
          ...users(outside),
          accounts: Object.fromEntries(Object.entries(accounts).map(each)),
        },
        times,
      ),
  }
}
