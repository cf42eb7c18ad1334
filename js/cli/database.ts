// The rows of better-auth's table in its own database, read through the driver that the host has.
import { createRequire } from 'node:module'
import { join, resolve } from 'node:path'
import { wordsOf } from './common.js'

/** A row of a table. */
type Fields = Record<string, unknown>

/** A database: sends a statement with values, and gives its rows. */
interface Database {
  query(sql: string, values: unknown[]): Promise<Fields[]>
  /** Quotes a name. */
  quoted(name: string): string
  /** Stands for the first value. */
  value: string
  close(): Promise<void>
}

/** The addresses of databases that are known, as a pattern and in words. */
const ADDRESS = /^(sqlite:|postgres(ql)?:\/\/|mysql:\/\/)/
const FORMS = 'sqlite:FILE, postgres://…, postgresql://… or mysql://…'

/** Whether a source names a database, and no file. */
export const isDatabase = (source: string) => /^(sqlite:|file:|env:|[a-z][a-z0-9+.-]*:\/\/)/.test(source)

/**
 * The rows of a table in order of their ids, a thousand at a time, with `twoFactorEnabled` of the user where there is a table
 * `user` that has it. `env:NAME` is the address in that variable: one with a password must not be in the list of processes.
 */
export async function* tableRows(source: string, table: string, config: string): AsyncIterable<Fields> {
  const address = source.startsWith('env:') ? process.env[source.slice(4)] : source
  if (address === undefined || address === '') throw new Error(`the variable of \`${source}\` is not set`)
  if (!ADDRESS.test(address)) throw new Error(`${placeOf(source)} is none that is known: the forms are ${FORMS}`)
  const database = await open(address, [createRequire(resolve(config)), createRequire(join(process.cwd(), 'any.js'))])
  try {
    const { quoted } = database
    const plain = `SELECT t.* FROM ${quoted(table)} t`
    const joined = `SELECT t.*, u.${quoted('twoFactorEnabled')} AS ${quoted('twoFactorEnabled')} FROM ${quoted(table)} t LEFT JOIN ${quoted('user')} u ON u.id = t.${quoted('userId')}`
    const end = 'ORDER BY t.id LIMIT 1000'
    let select = joined
    let rows = await database.query(`${joined} ${end}`, []).catch(async () => {
      select = plain
      console.error(
        'no table `user` with `twoFactorEnabled` was found: whether the second factor of a user is on is not known',
      )
      return await database.query(`${plain} ${end}`, []).catch((error) => {
        throw new Error(`the table \`${table}\` could not be read: name yours by --table`, { cause: error })
      })
    })
    while (rows.length > 0) {
      yield* rows
      rows = await database.query(`${select} WHERE t.id > ${database.value} ${end}`, [rows.at(-1)!.id])
    }
  } finally {
    await database.close().catch(() => undefined)
  }
}

/** An address may have a password, so that only the variable or the scheme is named. */
const placeOf = (source: string) =>
  source.startsWith('env:')
    ? `the address in \`${source}\``
    : `an address that begins with \`${source.split(':')[0]}:\``

async function open(address: string, loads: NodeJS.Require[]): Promise<Database> {
  if (address.startsWith('sqlite:')) return openSqlite(address.replace(/^sqlite:(\/\/)?/, ''), loads)
  if (address.startsWith('mysql:')) return openMysql(address, loads)
  return openPostgres(address, loads)
}

async function openPostgres(address: string, loads: NodeJS.Require[]): Promise<Database> {
  const { Client } = driver(loads, ['pg']) as { Client: new (options: object) => PostgresClient }
  const client = new Client({ connectionString: address })
  await client.connect()
  return {
    query: async (sql, values) => (await client.query(sql, values)).rows,
    quoted: (name) => `"${name.replaceAll('"', '""')}"`,
    value: '$1',
    close: () => client.end(),
  }
}

interface PostgresClient {
  connect(): Promise<void>
  query(sql: string, values: unknown[]): Promise<{ rows: Fields[] }>
  end(): Promise<void>
}

async function openMysql(address: string, loads: NodeJS.Require[]): Promise<Database> {
  const { createConnection } = driver(loads, ['mysql2/promise']) as {
    createConnection: (address: string) => Promise<MysqlConnection>
  }
  const connection = await createConnection(address)
  return {
    query: async (sql, values) => (await connection.query(sql, values))[0],
    quoted: (name) => `\`${name.replaceAll('`', '``')}\``,
    value: '?',
    close: () => connection.end(),
  }
}

interface MysqlConnection {
  query(sql: string, values: unknown[]): Promise<[Fields[], unknown]>
  end(): Promise<void>
}

async function openSqlite(file: string, loads: NodeJS.Require[]): Promise<Database> {
  const drivers = ['better-sqlite3', 'node:sqlite']
  const found = driver(loads, drivers) as { DatabaseSync?: SqliteClass } & SqliteClass
  const database =
    found.DatabaseSync === undefined
      ? new found(file, { readonly: true, fileMustExist: true })
      : new found.DatabaseSync(file, { readOnly: true })
  return {
    query: async (sql, values) => database.prepare(sql).all(...values),
    quoted: (name) => `"${name.replaceAll('"', '""')}"`,
    value: '?',
    close: async () => database.close(),
  }
}

type SqliteClass = new (file: string, options: object) => SqliteDatabase

interface SqliteDatabase {
  prepare(sql: string): { all(...values: unknown[]): Fields[] }
  close(): void
}

/** The first of these drivers that is installed beside the host's file, or where the command runs. */
function driver(loads: NodeJS.Require[], names: string[]): unknown {
  const words: string[] = []
  for (const name of names)
    for (const load of loads) {
      try {
        return load(name)
      } catch (error) {
        words.push(wordsOf(error).split('\n')[0]!)
      }
    }
  throw new Error(`the database needs a driver, which is not installed here: ${[...new Set(words)].join('; ')}`)
}
