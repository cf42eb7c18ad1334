// The revocation list in better-auth's own database: a row for each entry, beside the table of the records.
import { CountersignError, type EntryTimes, newVersion, type Revoked, type RevokedQuestion } from '../../index.js'
import { type ListRow, listOfRows, rowsOf } from '../../stores/list-rows.js'
import { ascii, digestOf, insertsOf, plain } from './rows.js'
import type { AuthDatabase } from './types.js'

/** The table in better-auth's schema. @internal */
export const REVOKED = 'secondFactorRevoked'

/** Its columns. Times are text of 12 digits: better-auth's numbers have 32 bits in some databases. @internal */
export const REVOKED_SCHEMA = {
  [REVOKED]: {
    fields: {
      entryKey: { type: 'string', required: true, unique: true, input: false },
      kind: { type: 'string', required: true, input: false },
      account: { type: 'string', required: false, input: false },
      entryId: { type: 'string', required: true, input: false },
      value: { type: 'string', required: false, input: false },
      until: { type: 'string', required: true, index: true, input: false },
      version: { type: 'string', required: true, input: false },
    },
  },
} as const

/** Races for one entry that a writer may lose. An entry that is lost leaves a pass in force. */
const MAX_RACES = 100
/** Entries of a page. */
const PAGE = 1_000

/** The functions of a store that holds the list. @internal */
export interface List {
  revoke(more: Revoked, times: EntryTimes): Promise<void>
  revoked(about?: RevokedQuestion): Promise<Revoked>
}

/** The list. `current` gives the database as the request sees it, inside its transaction. @internal */
export function authList(database: AuthDatabase, current: (database: AuthDatabase) => Promise<AuthDatabase>): List {
  const insert = insertsOf(database)

  /** Puts an entry on the list, or the greater one in place of what is there. */
  async function keep(row: ListRow, end: string): Promise<void> {
    const entryKey = await keyOf(row)
    const { kind, account, id } = row
    const ids = { entryKey, kind, account: account === '' ? null : ascii(account), entryId: ascii(id) }
    for (let races = 0; races < MAX_RACES; races += 1) {
      const there = await database.findOne({ model: REVOKED, where: [{ field: 'entryKey', value: entryKey }] })
      const version = String(newVersion())
      if (there === null) {
        const data = { ...ids, value: valueText(row.value), until: end, version }
        if (await insert(REVOKED, 'entryKey', data)) return
        continue
      }
      const [value, until] = [later(there.value, valueText(row.value)), later(there.until, end)]
      if (value === there.value && until === there.until) return
      const where = [
        { field: 'entryKey', value: entryKey },
        { field: 'version', value: there.version },
      ]
      if ((await database.updateMany({ model: REVOKED, where, update: { value, until, version } })) === 1) return
    }
    throw new CountersignError('store_failed', 'store', 'an entry of the revocation list is always changed by others')
  }

  async function all(): Promise<Record<string, unknown>[]> {
    const rows: Record<string, unknown>[] = []
    const sortBy = { field: 'entryKey', direction: 'asc' } as const
    for (;;) {
      const last = rows.at(-1)?.entryKey
      const where = last === undefined ? [] : [{ field: 'entryKey', value: last, operator: 'gt' }]
      const page = await database.findMany({ model: REVOKED, where, limit: PAGE, sortBy })
      // An adapter may give less than it was asked for, so that a short page is not the last one.
      if (page.length === 0) return rows
      rows.push(...page)
    }
  }

  async function about({ account = '', user, session }: RevokedQuestion): Promise<Record<string, unknown>[]> {
    const entries = [
      { kind: 'session', account: '', id: session },
      { kind: 'user', account, id: user },
      { kind: 'epoch', account, id: user },
    ] as const
    const where = [{ field: 'entryKey', value: await Promise.all(entries.map(keyOf)), operator: 'in' }]
    return (await current(database)).findMany({ model: REVOKED, where, limit: entries.length })
  }

  return {
    revoke: async (more, { now, until }) => {
      const where = [{ field: 'until', value: valueText(now), operator: 'lte' }]
      await database.deleteMany({ model: REVOKED, where })
      for (const row of rowsOf(more)) await keep(row, valueText(until))
    },
    revoked: async (question) =>
      listOfRows((question === undefined ? await all() : await about(question)).map(entryOf)),
  }
}

const keyOf = ({ kind, account, id }: Pick<ListRow, 'kind' | 'account' | 'id'>): Promise<string> =>
  digestOf(JSON.stringify([kind, account, id]))

/** The value of an entry as text. A time gets 12 digits, so that of two texts the greater one is the later. */
const valueText = (value: string | number) => (typeof value === 'number' ? String(value).padStart(12, '0') : value)

/** The greater text. A database may give nothing for an empty one. */
const later = (one: unknown, other: string) => (typeof one === 'string' && one > other ? one : other)

function entryOf({ kind, account, entryId, value }: Record<string, unknown>): ListRow {
  return {
    kind: kind as ListRow['kind'],
    account: typeof account === 'string' ? plain(account) : '',
    id: plain(entryId),
    value: kind === 'user' ? Number(value) : String(value ?? ''),
  }
}
