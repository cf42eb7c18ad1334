import { firstVersion, type ListingStore, recordKey, type Stored } from '../store.js'
import { isAbout, type ListRow, listOfRows, rowsOf } from './list-rows.js'

/**
 * A store in memory: for tests. Its records and its revocation list are gone with the process.
 *
 * @example
 * ```ts
 * import { createSecondFactor, generateKeys, memoryStore } from 'countersign'
 *
 * export const secondFactor = createSecondFactor({
 *   policy: { v: 1, name: 'Acme', origin: 'https://acme.example' },
 *   keys: generateKeys(),
 *   store: memoryStore(),
 * })
 * ```
 */
export function memoryStore(): ListingStore {
  const records = new Map<string, Stored>()
  const list = new Map<string, ListRow & { until: number }>()
  return {
    async load(id) {
      const stored = records.get(recordKey(id))
      return stored && { ...stored }
    },
    async save(id, record, expected) {
      const key = recordKey(id)
      if (records.get(key)?.version !== expected) return false
      records.set(key, { record, version: expected === undefined ? firstVersion() : expected + 1 })
      return true
    },
    async delete(id, expected) {
      const key = recordKey(id)
      return records.get(key)?.version === expected && records.delete(key)
    },
    async revoke(more, { now, until }) {
      for (const [key, row] of list) if (row.until <= now) list.delete(key)
      for (const row of rowsOf(more)) {
        const key = JSON.stringify([row.kind, row.account, row.id])
        const known = list.get(key)
        const isLater = known !== undefined && known.value > row.value
        list.set(key, { ...(isLater ? known : row), until: Math.max(until, known?.until ?? 0) })
      }
    },
    async revoked(about) {
      const rows = [...list.values()]
      return listOfRows(about === undefined ? rows : rows.filter((row) => isAbout(row, about)))
    },
  }
}
