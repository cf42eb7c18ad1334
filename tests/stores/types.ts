// The types of the drivers fit those that the stores take, and the other way round. The compiler checks it; nothing runs it.
import { createClient } from '@libsql/client'
import { drizzleStore } from 'countersign/stores/drizzle'
import { kyselyStore } from 'countersign/stores/kysely'
import { mysqlStore } from 'countersign/stores/mysql'
import { postgresStore } from 'countersign/stores/postgres'
import { redisStore } from 'countersign/stores/redis'
import { sqliteStore } from 'countersign/stores/sqlite'
import * as drizzle from 'drizzle-orm'
import * as betterSqlite3 from 'drizzle-orm/better-sqlite3'
import * as bunSqlite from 'drizzle-orm/bun-sqlite'
import * as libsqlClient from 'drizzle-orm/libsql'
import * as mysql2 from 'drizzle-orm/mysql2'
import * as nodePostgres from 'drizzle-orm/node-postgres'
import * as postgresJs from 'drizzle-orm/postgres-js'
import { Cluster, Redis } from 'ioredis'
import * as kysely from 'kysely'
import Libsql from 'libsql'
import mysql from 'mysql2/promise'
import sqlOfPostgres from 'postgres'
import { createClientPool, createCluster, createClient as createRedis } from 'redis'

const client = createClient({ url: 'file:a.db' })
const db = new kysely.Kysely<{ users: { id: string } }>({ dialect: {} as kysely.Dialect })
const ofKysely = { sql: kysely.sql, dialect: 'postgres' } as const
const { sql } = drizzle
const postgres = nodePostgres.drizzle('')

export const fits = async () => [
  sqliteStore(new Libsql('a.db')),
  postgresStore(sqlOfPostgres('')),
  await sqlOfPostgres('').begin((transaction) => [postgresStore(transaction)]),
  mysqlStore(mysql.createPool('')),
  mysqlStore(await mysql.createConnection('')),
  redisStore(createRedis()),
  redisStore(createClientPool()),
  redisStore(createCluster({ rootNodes: [] })),
  redisStore(new Redis()),
  redisStore(new Cluster([])),
  sqliteStore(client),
  sqliteStore(await client.transaction('write')),
  kyselyStore(db, ofKysely),
  await db.transaction().execute(async (transaction) => kyselyStore(transaction, ofKysely)),
  drizzleStore(postgres, { sql, dialect: 'postgres' }),
  await postgres.transaction(async (transaction) => drizzleStore(transaction, { sql, dialect: 'postgres' })),
  drizzleStore(postgresJs.drizzle(''), { sql, dialect: 'postgres' }),
  drizzleStore(mysql2.drizzle(''), { sql, dialect: 'mysql' }),
  drizzleStore(betterSqlite3.drizzle(''), { sql, dialect: 'sqlite' }),
  drizzleStore(bunSqlite.drizzle(''), { sql, dialect: 'sqlite' }),
  drizzleStore(libsqlClient.drizzle(client), { sql, dialect: 'sqlite' }),
]

// @ts-expect-error the `sql` of Drizzle is not that of Kysely
kyselyStore(db, { sql, dialect: 'postgres' })
// @ts-expect-error another database
kyselyStore(db, { sql: kysely.sql, dialect: 'oracle' })
