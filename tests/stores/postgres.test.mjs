// PostgreSQL, through both drivers, on a real server.
import { after } from 'node:test'
import { createPostgresTables, postgresStore } from 'countersign/stores/postgres'
import pg from 'pg'
import postgres from 'postgres'
import { storeContract } from './contract.mjs'
import { startPostgres } from './servers/postgres.mjs'

const server = await startPostgres({ after })

/** A database of its own on the server. */
async function newDatabase() {
  const name = `test_${Math.random().toString(36).slice(2)}`
  const client = new pg.Client(server.url)
  await client.connect()
  await client.query(`CREATE DATABASE ${name}`)
  await client.end()
  return server.url.replace(/postgres$/, name)
}

storeContract('postgresStore on pg', async (t) => {
  const pool = new pg.Pool({ connectionString: await newDatabase() })
  t.after(() => pool.end())
  await createPostgresTables(pool)
  return postgresStore(pool)
})

storeContract('postgresStore on postgres', async (t) => {
  const sql = postgres(await newDatabase())
  t.after(() => sql.end())
  await createPostgresTables(sql)
  return postgresStore(sql)
})
