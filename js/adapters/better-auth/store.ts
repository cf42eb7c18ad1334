// Records in better-auth's own database: a table that its CLI and `getMigrations` make, through the adapter that the host gave it.
//
// A save is one INSERT of a unique key, or one UPDATE that names the version. better-auth's adapters differ in what they enforce and
// count, so that the first save tries both on a row of its own: a database that enforces no unique key, or counts wrong, is refused.
import { CountersignError, newVersion, type RecordId, recordKey, type WholeStore } from '../../index.js'
import { authList, REVOKED_SCHEMA } from './list.js'
import { ascii, digestOf, insertsOf, plain } from './rows.js'
import type { AuthDatabase } from './types.js'

/** The table in better-auth's schema. @internal */
export const RECORDS = 'secondFactorRecord'

/** Its columns, and the table of the revocation list. `version` is text: better-auth's numbers have 32 bits in some databases. @internal */
export const RECORDS_SCHEMA = {
  [RECORDS]: {
    fields: {
      recordKey: { type: 'string', required: true, unique: true, input: false },
      userId: { type: 'string', required: true, input: false },
      account: { type: 'string', required: false, input: false },
      record: { type: 'string', required: true, input: false, returned: false },
      version: { type: 'string', required: true, input: false },
    },
  },
  ...REVOKED_SCHEMA,
} as const

/** The store. `current` gives the database as the request sees it, inside its transaction. @internal */
export function authStore(
  database: AuthDatabase,
  current: (database: AuthDatabase) => Promise<AuthDatabase>,
): WholeStore {
  let proof: Promise<void> | undefined
  const insert = insertsOf(database)
  const list = authList(database, current)

  const found = (key: string) => database.findOne({ model: RECORDS, where: [{ field: 'recordKey', value: key }] })

  async function inserted(id: RecordId, key: string, record: string): Promise<boolean> {
    const { account } = id
    const ids = { userId: ascii(id.user), account: account === undefined ? null : ascii(account) }
    const data = { recordKey: key, ...ids, record: ascii(record), version: String(newVersion()) }
    if (await insert(RECORDS, 'recordKey', data)) return true
    return (await found(key))?.record === data.record
  }

  async function updated(key: string, record: string, expected: number): Promise<boolean> {
    const where = [
      { field: 'recordKey', value: key },
      { field: 'version', value: String(expected) },
    ]
    const update = { record: ascii(record), version: String(newVersion()) }
    return isOne(await database.updateMany({ model: RECORDS, where, update }))
  }

  function isOne(count: unknown): boolean {
    if (count !== 0 && count !== 1) throw unfit(database, 'does not count the rows that it has changed')
    return count === 1
  }

  /** Tries what the store rests on. */
  async function prove(): Promise<void> {
    const [id, key] = [{ user: 'countersign-probe' }, `probe-${crypto.randomUUID()}`]
    try {
      if (!(await inserted(id, key, 'a'))) throw unfit(database, 'does not insert')
      if (await inserted(id, key, 'b')) throw unfit(database, 'enforces no unique key')
      const version = versionOf((await found(key)) ?? {})
      if (await updated(key, 'c', version === 1 ? 2 : 1)) throw unfit(database, 'updates rows of another version')
      if (!(await updated(key, 'c', version))) throw unfit(database, 'does not count the rows that it has changed')
      if (await updated(key, 'd', version)) throw unfit(database, 'updates rows of another version')
    } finally {
      await database.deleteMany({ model: RECORDS, where: [{ field: 'recordKey', value: key }] })
    }
  }

  const proven = () => {
    proof ??= prove().catch((error) => {
      proof = undefined
      throw error
    })
    return proof
  }

  return {
    load: async (id) => {
      const key = await keyOf(id)
      const row = await (await current(database)).findOne({
        model: RECORDS,
        where: [{ field: 'recordKey', value: key }],
      })
      return row === null ? undefined : { record: plain(row.record), version: versionOf(row) }
    },
    save: async (id, record, expected) => {
      await proven()
      const key = await keyOf(id)
      return expected === undefined ? inserted(id, key, record) : updated(key, record, expected)
    },
    delete: async (id, expected) => {
      const where = [
        { field: 'recordKey', value: await keyOf(id) },
        { field: 'version', value: String(expected) },
      ]
      return isOne(await database.deleteMany({ model: RECORDS, where }))
    },
    list: async ({ account, after, limit }) => {
      const where = [
        ...(account === undefined ? [] : [{ field: 'account', value: ascii(account) }]),
        ...(after === undefined ? [] : [{ field: 'recordKey', value: after, operator: 'gt' }]),
      ]
      const sortBy = { field: 'recordKey', direction: 'asc' } as const
      const rows = await database.findMany({ model: RECORDS, where, limit, sortBy })
      const all = rows.map((row) => ({ id: idOf(row), record: plain(row.record), version: versionOf(row) }))
      // Some databases ignore case.
      const records = all.filter(({ id }) => account === undefined || id.account === account)
      // An adapter may give less than it was asked for, so that a short page is not the last one.
      return { records, next: rows.at(-1)?.recordKey as string | undefined }
    },
    insertMany: async (records) => {
      await proven()
      const written: boolean[] = []
      for (const { id, record } of records) written.push(await inserted(id, await keyOf(id), record))
      return written
    },
    revoke: async (more, times) => {
      await proven()
      await list.revoke(more, times)
    },
    revoked: list.revoked,
  }
}

const idOf = ({ account, userId }: Record<string, unknown>): RecordId =>
  account === null || account === undefined ? { user: plain(userId) } : { account: plain(account), user: plain(userId) }

function versionOf({ version }: Record<string, unknown>): number {
  const number = Number(version)
  if (!Number.isSafeInteger(number))
    throw new CountersignError('store_failed', 'store', 'the table of records holds a version that is no number')
  return number
}

/** The key of a record. @internal */
export const keyOf = (id: RecordId): Promise<string> => digestOf(recordKey(id))

const unfit = ({ id }: AuthDatabase, fault: string) =>
  new CountersignError(
    'store_failed',
    'store',
    `better-auth's adapter \`${id}\` ${fault}, so that a code could be used twice: run its migrations, or hand in a store of your own`,
  )
