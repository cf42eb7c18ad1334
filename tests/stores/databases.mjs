// A database of its own for each store, with the tables in it.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createMysqlTables } from 'countersign/stores/mysql'
import { createPostgresTables } from 'countersign/stores/postgres'
import { sqliteSchema } from 'countersign/stores/sqlite'
import mysql from 'mysql2/promise'
import pg from 'pg'
import { startMariadb } from './servers/mariadb.mjs'
import { startPostgres } from './servers/postgres.mjs'
import { query } from './sqlite/drivers.mjs'

const servers = {}
const newName = () => `test_${Math.random().toString(36).slice(2)}`

/** The address of a database on PostgreSQL. The server is started once, and ends with the process. */
export async function postgresUrl() {
  servers.postgres ??= startPostgres()
  const { url } = await servers.postgres
  const name = newName()
  const client = new pg.Client(url)
  await client.connect()
  await client.query(`CREATE DATABASE ${name}`)
  await client.end()
  const own = url.replace(/postgres$/, name)
  const pool = new pg.Pool({ connectionString: own })
  await createPostgresTables(pool)
  await pool.end()
  return own
}

/** The address of a database on MariaDB, in the same way. */
export async function mysqlUrl() {
  servers.mariadb ??= startMariadb()
  const { url } = await servers.mariadb
  const name = newName()
  const own = url.replace(/test$/, name)
  const server = await mysql.createConnection(url)
  await server.query(`CREATE DATABASE ${name}`)
  await server.end()
  const pool = mysql.createPool(own)
  await createMysqlTables(pool)
  await pool.end()
  return own
}

/** The path of a file for SQLite. */
export function newFile(t) {
  const folder = mkdtempSync(join(tmpdir(), 'countersign-sqlite-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  return join(folder, 'a.db')
}

/** Creates the tables in SQLite. */
export async function createSqliteTables(database) {
  for (const statement of sqliteSchema().split(/;\n/).filter(Boolean)) await query(database, statement)
  return database
}
