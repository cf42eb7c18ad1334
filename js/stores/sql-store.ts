// A store over SQL: the statements that all dialects share, and how their answers are read.
//
//   postgres.ts, mysql.ts, sqlite.ts   a dialect: its tables, its few statements of its own, its error codes
//   kysely.ts, drizzle.ts              another way to send the statements of a dialect
//
// A save is one plain INSERT or one UPDATE that names the version. It is never an upsert, and never ignores errors: each
// would report a write where another row stands.
import { CountersignError, invalid } from '../error.js'
import { optional, read, text } from '../input.js'
import { type ListPage, newVersion, type RecordId, type WholeStore } from '../store.js'
import { type ListRow, listOfRows, rowsOf } from './list-rows.js'

/** A value of a statement. */
export type Value = string | number

/** The answer of a database. */
export interface Answer {
  /** The rows of a query, each by the names of its columns. */
  rows: readonly unknown[]
  /** The rows that a statement has changed. It has no count where the driver gave none. */
  count?: number | bigint | null | undefined
}

/** Sends one statement, with `?` for each value. */
export type Send = (sql: string, values: Value[]) => Promise<Answer>

/** Whether a statement asks for rows. */
export const isQuery = (sql: string): boolean => sql.startsWith('SELECT')

/** The meaning of a driver's error for the statement that failed. */
export type Failure =
  /** Another writer was faster: nothing was written. */
  | 'faster'
  /** A table is not there. */
  | 'missing'
  /** Anything else; the statement may have landed. */
  | 'unknown'

/** A dialect of SQL. */
export interface Dialect {
  /** Its name, for messages. */
  name: string
  /** Statements that make the tables, where they are missing. */
  schema(table: string): string[]
  /**
   * An expression, which names a key of {@link UNFIT} where the answers of this connection may not be trusted, and is null otherwise:
   * text, because drivers differ in booleans.
   */
  unfit(table: string): string
  /** Puts an entry on the revocation list, or the greater one in place of what is there. */
  keep(table: string): string
  /** Reads the meaning of an error from its code. */
  failure(error: unknown): Failure
}

/** A connection to the database. */
export interface Connection {
  send: Send
  /**
   * Whether the statements join a transaction that the host began. An error has ended it then, so that the step may not be
   * tried again in it.
   */
  joined: () => boolean | Promise<boolean>
}

/** Options of a store over SQL. */
export interface SqlOptions {
  /** The name of the table, `second_factor` by default: letters, digits and `_`. */
  table?: string | undefined
}

/** The name of the table, checked: it stands in the text of statements. */
export function tableOf(options: SqlOptions): string {
  const table = (read(options, '', { table: optional(text) }).table as string | undefined) ?? 'second_factor'
  if (!/^[A-Za-z_][A-Za-z0-9_]{0,47}$/.test(table))
    throw invalid('table', 'must be a name of at most 48 letters, digits and _')
  return table
}

/** Reasons to refuse what a connection has read, and the writes that would follow. */
const UNFIT: Record<string, string> = {
  replica: 'the answer is that of a replica, which may be behind: give the address of the primary',
  policies:
    'row-level security may hide rows of the tables from this role, and a user whose record is hidden looks like one without a second factor: give it BYPASSRLS, or disable row-level security on both tables',
  encoding:
    "the connection has another client_encoding than UTF8, in which an id names another user: SET client_encoding = 'UTF8'",
  autocommit: 'the connection has autocommit off, so that nothing it writes would last: leave it on',
  charset: "the connection has another character set than utf8mb4, in which two ids can be one: set charset: 'utf8mb4'",
  escapes: 'the connection has the mode NO_BACKSLASH_ESCAPES, in which an id can end its quotes: leave it off',
  empty:
    'the connection has the mode EMPTY_STRING_IS_NULL, in which users without an account are not found: leave it off',
}

/** Rows of one INSERT. */
const ROWS_AT_ONCE = 100

/** Races that a statement of the revocation list may lose. */
const MAX_RACES = 100

/** The store. */
export function sqlStore(dialect: Dialect, table: string, connection: Connection): WholeStore {
  const list = `${table}_revoked`
  // A row tells whether the connection is fit, also where nothing is found: what it may hide must not count as absent.
  const unfit = `(SELECT ${dialect.unfit(table)}) AS unfit`
  const isFit = `SELECT ${unfit}`
  const load = `SELECT record, version, ${unfit} FROM (SELECT 1) AS one LEFT JOIN ${table} ON account = ? AND user_id = ?`
  const insert = `INSERT INTO ${table} (account, user_id, record, version) VALUES (?, ?, ?, ?)`
  const update = `UPDATE ${table} SET record = ?, version = ? WHERE account = ? AND user_id = ? AND version = ?`
  const remove = `DELETE FROM ${table} WHERE account = ? AND user_id = ? AND version = ?`
  // A name with `_` comes back as another one where the host has its driver write columns in camel case.
  const columns = `SELECT account, user_id AS id, record, version FROM ${table}`
  const restOfAccount = `${columns} WHERE account = ? AND user_id > ? ORDER BY user_id LIMIT ?`
  const laterAccounts = `${columns} WHERE account > ? ORDER BY account, user_id LIMIT ?`
  const keep = dialect.keep(list)
  const forget = `DELETE FROM ${list} WHERE until <= ?`
  const entries = `SELECT kind, account, id, value, ${unfit} FROM (SELECT 1) AS one LEFT JOIN ${list} ON`
  // Without a limit, that of the connection counts, which MySQL has as sql_select_limit: the rest would look as if it were not listed.
  const all = `${entries} 1 = 1 LIMIT ${Number.MAX_SAFE_INTEGER}`
  const ofSession = `kind = 'session' AND account = '' AND id = ?`
  const ofUser = `kind IN ('user', 'epoch') AND account = ? AND id = ?`
  const about = `${entries} (${ofSession}) OR (${ofUser}) LIMIT 3`

  const send: Send = async (sql, values) => {
    try {
      const answer = await connection.send(sql, values)
      if (!Array.isArray(answer.rows)) throw unexpected('the driver gave no list of rows')
      return answer
    } catch (error) {
      if (dialect.failure(error) !== 'missing') throw error
      throw unexpected(`${dialect.name} has no table ${table} or ${list} yet: create both first`, error)
    }
  }

  /** The rows of a query with the column `unfit`, of which there is always one. */
  async function fitRows<Name extends string>(sql: string, values: Value[]): Promise<Record<Name, unknown>[]> {
    const rows = (await send(sql, values)).rows as Record<Name | 'unfit', unknown>[]
    const [row] = rows
    if (row === undefined) throw unexpected('each query must give a row')
    if (row.unfit !== undefined && row.unfit !== null)
      throw unexpected(UNFIT[textOf(row.unfit)] ?? 'the connection is unfit')
    return rows
  }

  /** Whether an error says that another writer was faster, and the statement may be tried again on this connection. */
  const wasFaster = async (error: unknown) => dialect.failure(error) === 'faster' && !(await connection.joined())

  /** Sends a statement of the revocation list, and again where another writer was faster: an entry that is lost leaves a pass in force. */
  async function sendAgain(sql: string, values: Value[]): Promise<void> {
    for (let races = 1; ; races += 1) {
      try {
        await send(sql, values)
        return
      } catch (error) {
        if (races === MAX_RACES || !(await wasFaster(error))) throw error
      }
    }
  }

  /** Whether a statement changed its one row. Where another writer was faster, it did not. */
  async function changesOne(sql: string, values: Value[]): Promise<boolean> {
    let answer: Answer
    try {
      answer = await send(sql, values)
    } catch (error) {
      if (await wasFaster(error)) return false
      throw error
    }
    const changed = typeof answer.count === 'bigint' ? Number(answer.count) : answer.count
    if (changed !== 0 && changed !== 1)
      throw unexpected(`${dialect.name} must tell how many rows a statement changed, 0 or 1; it told ${answer.count}`)
    return changed === 1
  }

  const insertOne = ({ account = '', user }: RecordId, record: string) =>
    changesOne(insert, [account, user, record, newVersion()])

  return {
    async load({ account = '', user }) {
      const [row] = await fitRows<'record' | 'version'>(load, [account, user])
      return row!.record === null ? undefined : { record: textOf(row!.record), version: versionOf(row!.version) }
    },
    async save(id, record, expected) {
      if (expected === undefined) return insertOne(id, record)
      return changesOne(update, [record, newVersion(), id.account ?? '', id.user, expected])
    },
    async delete({ account = '', user }, expected) {
      return changesOne(remove, [account, user, expected])
    },
    async list({ account, after, limit }) {
      const last = after === undefined ? { account: '', user: '' } : placeOf(after)
      await fitRows(isFit, [])
      const found = await send(restOfAccount, [account ?? last.account, last.user, limit])
      const page = found.rows.map(listedOf)
      // One query for both would read all rows before the page as well, in some databases.
      if (account === undefined && page.length < limit)
        page.push(...(await send(laterAccounts, [last.account, limit - page.length])).rows.map(listedOf))
      const end = page.length < limit ? undefined : page.at(-1)?.id
      return end === undefined
        ? { records: page }
        : { records: page, next: JSON.stringify([end.account ?? '', end.user]) }
    },
    async insertMany(records) {
      const inserted: boolean[] = []
      for (let at = 0; at < records.length; at += ROWS_AT_ONCE)
        inserted.push(...(await insertSome(records.slice(at, at + ROWS_AT_ONCE))))
      return inserted
    },
    async revoke(more, { now, until }) {
      await sendAgain(forget, [now])
      for (const { kind, account, id, value } of rowsOf(more))
        await sendAgain(keep, [kind, account, id, valueText(value), until])
    },
    async revoked(question) {
      const rows =
        question === undefined
          ? await fitRows<keyof ListRow>(all, [])
          : await fitRows<keyof ListRow>(about, [question.session, question.account ?? '', question.user])
      return listOfRows(rows.filter(({ kind }) => kind !== null).map(entryOf))
    },
  }

  /** All in one statement, and one by one where one of them is there already: then the statement has written none. */
  async function insertSome(records: readonly { id: RecordId; record: string }[]): Promise<boolean[]> {
    const rows = records.map(() => '(?, ?, ?, ?)').join(', ')
    const values = records.flatMap(({ id, record }) => [id.account ?? '', id.user, record, newVersion()])
    try {
      await send(`INSERT INTO ${table} (account, user_id, record, version) VALUES ${rows}`, values)
      return records.map(() => true)
    } catch (error) {
      if (!(await wasFaster(error))) throw error
    }
    const inserted: boolean[] = []
    for (const { id, record } of records) inserted.push(await insertOne(id, record))
    return inserted
  }
}

/** The error about a database, or a driver, that is not as it should be. */
export const unexpected = (message: string, cause?: unknown) =>
  new CountersignError('store_failed', 'store', message, cause)

function listedOf(row: unknown): ListPage['records'][number] {
  const { account, id, record, version } = row as Record<'account' | 'id' | 'record' | 'version', unknown>
  const own = textOf(account)
  return {
    id: { ...(own === '' ? {} : { account: own }), user: textOf(id) },
    record: textOf(record),
    version: versionOf(version),
  }
}

function placeOf(after: string): { account: string; user: string } {
  try {
    const [account, user] = JSON.parse(after)
    if (typeof account === 'string' && typeof user === 'string') return { account, user }
  } catch {
    // Refused below.
  }
  throw invalid('after', 'must be the `next` of a page')
}

/** Text; a driver gives bytes for a column of bytes. A row in another form, such as a list of values, has no text by a name. */
export function textOf(value: unknown): string {
  if (typeof value === 'string') return value
  if (value instanceof Uint8Array) return new TextDecoder('utf-8', { ignoreBOM: true }).decode(value)
  throw unexpected('the driver gave a row in another form: an object with text by the names of the columns is expected')
}

/** A version; some drivers give text or a BigInt for a number of 64 bits. */
const versionOf = (value: unknown): number => Number(value)

/** The value of an entry as text. A time gets 12 digits, so that of two texts the greater one is the later. */
const valueText = (value: string | number) => (typeof value === 'number' ? String(value).padStart(12, '0') : value)

function entryOf(row: Record<keyof ListRow, unknown>): ListRow {
  const kind = textOf(row.kind) as ListRow['kind']
  const value = textOf(row.value)
  return { kind, account: textOf(row.account), id: textOf(row.id), value: kind === 'user' ? Number(value) : value }
}
