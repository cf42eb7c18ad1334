// Rows of a unique key in better-auth's own database, and what is written in them.
//
// better-auth's adapters differ in what they enforce: where a key is there already, an insert fails, and the row is read to tell why.
import type { AuthDatabase } from './types.js'

/** Inserts a row, unless its key is there; whether it did. An error that another row does not explain is thrown. @internal */
export type Insert = (model: string, field: string, data: Record<string, unknown>) => Promise<boolean>

/** The inserts of a database. @internal */
export function insertsOf(database: AuthDatabase): Insert {
  const turns = new Map<string, Promise<unknown>>()

  /** The memory adapter of tests enforces no unique key, and lives in one process: there its inserts wait for each other. */
  async function inTurn<T>(key: string, isThere: () => Promise<boolean>, job: () => Promise<T>): Promise<T> {
    if (database.id !== 'memory') return job()
    const turn = (turns.get(key) ?? Promise.resolve()).then(async () => {
      if (await isThere()) throw new Error('the key is there already')
      return job()
    })
    const done = turn.catch(() => {})
    turns.set(key, done)
    void done.then(() => turns.get(key) === done && turns.delete(key))
    return turn
  }

  return async (model, field, data) => {
    const value = data[field] as string
    const isThere = async () => (await database.findOne({ model, where: [{ field, value }] })) !== null
    try {
      await inTurn(`${model} ${value}`, isThere, () => database.create({ model, data }))
      return true
    } catch (error) {
      if (await isThere()) return false
      throw error
    }
  }
}

/** Text for columns of any character set: what is beside ASCII is percent-encoded. @internal */
export const ascii = (text: string): string => text.replace(/[^\x20-\x7e]+|%/g, encodeURIComponent)

/** The text that {@link ascii} has encoded. @internal */
export const plain = (text: unknown): string => decodeURIComponent(text as string)

/** A digest of a key: columns with a unique key hold 255 characters in some databases, and ignore case in some. @internal */
export async function digestOf(text: string): Promise<string> {
  const digest = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(text))
  return Array.from(new Uint8Array(digest), (byte) => byte.toString(16).padStart(2, '0')).join('')
}
