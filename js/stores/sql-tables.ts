// The tables of a store over SQL: created where they are missing, and checked where they are there. A table of another form can
// break the contract silently: a collation that takes two ids for one lets a user in with the factor of another.
import { guarded } from '../error.js'
import { type Dialect, type Send, unexpected } from './sql-store.js'

/** The kinds of columns: an id, byte by byte; a record of 64 KiB; a whole number of 53 bits and more. */
export type Kind = 'id' | 'record' | 'whole'

/** A table as it is. */
export interface Found {
  /** The type of each column, with its collation where that matters. */
  types: Map<string, string>
  /** The columns of each unique key, in alphabetical order, like `account,user_id`. */
  keys: string[]
  /** Anything else that is wrong, as a message. */
  faults: string[]
}

/** How a dialect describes tables. */
export interface Catalog {
  /** A table as it is, if it is there. */
  find(send: Send, table: string): Promise<Found | undefined>
  /** Whether a type fits. */
  fits: Record<Kind, (type: string) => boolean>
  /** The type for a new column. */
  types: Record<Kind, string>
  /** The statement that gives a column another type. */
  alter(table: string, column: string, type: string): string
  /** Whether an error of CREATE says that another process has created the same at this moment. */
  isRace(error: unknown): boolean
}

/** Attempts to create a table while other processes create it as well. Each ends with one more table or index that is there. */
const ATTEMPTS = 10

/** Creates the tables that are missing, and checks all. */
export async function createTables(dialect: Dialect, catalog: Catalog, table: string, send: Send): Promise<void> {
  const failed = (error: unknown) =>
    guarded('store_failed', 'pool', 'the tables could not be created or checked', () => {
      throw error
    })
  const found = await faultsOf(catalog, table, send).catch(failed)
  if (found === 'missing')
    for (const statement of dialect.schema(table)) await create(catalog, send, statement).catch(failed)
  const faults = found === 'missing' ? await faultsOf(catalog, table, send).catch(failed) : found
  if (faults === 'missing')
    throw unexpected(`the tables ${table} and ${table}_revoked are not there after their creation`)
  if (faults.length > 0) throw unexpected(faults.join('; '))
}

async function create(catalog: Catalog, send: Send, statement: string): Promise<void> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return void (await send(statement, []))
    } catch (error) {
      if (attempt === ATTEMPTS || !catalog.isRace(error)) throw error
    }
  }
}

/** The tables as they must be. */
const tablesOf = (table: string): { name: string; columns: Record<string, Kind>; key: string[] }[] => [
  {
    name: table,
    columns: { account: 'id', user_id: 'id', record: 'record', version: 'whole' },
    key: ['account', 'user_id'],
  },
  {
    name: `${table}_revoked`,
    columns: { kind: 'id', account: 'id', id: 'id', value: 'id', until: 'whole' },
    key: ['account', 'id', 'kind'],
  },
]

/** The faults of the tables, or `missing` where one is not there. */
async function faultsOf(catalog: Catalog, table: string, send: Send): Promise<string[] | 'missing'> {
  const faults: string[] = []
  let isMissing = false
  for (const { name, columns, key } of tablesOf(table)) {
    const found = await catalog.find(send, name)
    if (found === undefined) {
      isMissing = true
      continue
    }
    faults.push(...found.faults)
    for (const [column, kind] of Object.entries(columns)) {
      const type = found.types.get(column)
      if (type === undefined) faults.push(`${name} has no column ${column}: choose another name by \`table\``)
      else if (!catalog.fits[kind](type))
        faults.push(
          `the column ${column} of ${name} is ${type}, and must be ${catalog.types[kind]}: run ${catalog.alter(name, column, catalog.types[kind])}`,
        )
    }
    if (!found.keys.includes(key.join(',')))
      faults.push(
        `${name} has no unique key of these columns: run ALTER TABLE ${name} ADD PRIMARY KEY (${key.join(', ')})`,
      )
  }
  return faults.length === 0 && isMissing ? 'missing' : faults
}
