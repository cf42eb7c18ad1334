import { firstVersion, recordKey, type Store, type Stored } from '../store.js'

/**
 * A store in memory: for tests. Its records are gone with the process.
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
export function memoryStore(): Store {
  const records = new Map<string, Stored>()
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
  }
}
