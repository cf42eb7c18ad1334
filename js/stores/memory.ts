import { newVersion, type RecordId, recordKey, type Stored, type WholeStore } from '../store.js'
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
export function memoryStore(): WholeStore {
  const records = new Map<string, Stored & { id: RecordId }>()
  const list = new Map<string, ListRow & { until: number }>()
  const put = (id: RecordId, record: string, expected: number | undefined) => {
    const key = recordKey(id)
    if (records.get(key)?.version !== expected) return false
    records.set(key, { id: { ...id }, record, version: newVersion() })
    return true
  }
  return {
    async load(id) {
      const stored = records.get(recordKey(id))
      return stored && { record: stored.record, version: stored.version }
    },
    async save(id, record, expected) {
      return put(id, record, expected)
    },
    async delete(id, expected) {
      const key = recordKey(id)
      return records.get(key)?.version === expected && records.delete(key)
    },
    async list({ account, after = '', limit }) {
      const keys = [...records.keys()].filter((key) => key > after).sort()
      const rest = account === undefined ? keys : keys.filter((key) => records.get(key)!.id.account === account)
      const page = rest.slice(0, limit)
      const listed = page.map((key) => ({ ...records.get(key)! }))
      return page.length < rest.length ? { records: listed, next: page.at(-1) } : { records: listed }
    },
    async insertMany(more) {
      return more.map(({ id, record }) => put(id, record, undefined))
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
