// MariaDB, through mysql2, on a real server.
import { after } from 'node:test'
import { createMysqlTables, mysqlStore } from 'countersign/stores/mysql'
import mysql from 'mysql2/promise'
import { storeContract } from './contract.mjs'
import { startMariadb } from './servers/mariadb.mjs'

const server = await startMariadb({ after })
const { host, port, user } = server

async function newDatabase(more = '') {
  const name = `test_${Math.random().toString(36).slice(2)}`
  const connection = await mysql.createConnection({ host, port, user })
  await connection.query(`CREATE DATABASE ${name} ${more}`)
  await connection.end()
  return { host, port, user, database: name }
}

storeContract('mysqlStore', async (t) => {
  const pool = mysql.createPool(await newDatabase())
  t.after(() => pool.end())
  await createMysqlTables(pool)
  return mysqlStore(pool)
})
