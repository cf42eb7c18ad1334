import { firstVersion, type Store, type Stored } from '../store.js'

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
    async load(user) {
      const stored = records.get(user)
      return stored && { ...stored }
    },
    async save(user, record, expected) {
      if (records.get(user)?.version !== expected) return false
      records.set(user, { record, version: expected === undefined ? firstVersion() : expected + 1 })
      return true
    },
  }
}
