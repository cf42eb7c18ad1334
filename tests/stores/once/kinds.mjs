// Stores by kind: how a process opens one at an address, with a pool of its own.
import Database from 'better-sqlite3'
import { createMysqlTables, mysqlStore } from 'countersign/stores/mysql'
import { createPostgresTables, postgresStore } from 'countersign/stores/postgres'
import { redisStore } from 'countersign/stores/redis'
import { sqliteStore } from 'countersign/stores/sqlite'
import { Cluster } from 'ioredis'
import mysql from 'mysql2/promise'
import pg from 'pg'
import { createClient } from 'redis'

/**
 * Each opens its store at an address, which is plain data, and gives the store, a `prepare` that creates its tables, and a
 * `close`.
 * @type {Record<string, (address: any) => Promise<{ store: any, prepare(): unknown, close(): unknown }>>}
 */
export const KINDS = {
  async postgres({ url }) {
    const pool = new pg.Pool({ connectionString: url, max: 8 })
    pool.on('error', () => {}) // of an idle connection, whose server has ended
    return { store: postgresStore(pool), prepare: () => createPostgresTables(pool), close: () => pool.end() }
  },
  async mariadb({ url }) {
    const pool = mysql.createPool({ uri: url, connectionLimit: 8 })
    return { store: mysqlStore(pool), prepare: () => createMysqlTables(pool), close: () => pool.end() }
  },
  /** `keepsCalls`: as the driver does by default, calls without a connection wait five seconds for one. */
  async redis({ url, keepsCalls = true }) {
    const client = createClient({ url, disableOfflineQueue: !keepsCalls, socket: { reconnectStrategy: 20 } })
    client.on('error', () => {})
    await client.connect()
    return { store: redisStore(client), prepare() {}, close: () => client.destroy() }
  },
  async 'redis cluster'({ nodes, replicas }) {
    const cluster = new Cluster(nodes)
    cluster.on('error', () => {})
    return { store: redisStore(cluster, { replicas }), prepare() {}, close: () => cluster.disconnect() }
  },
  async sqlite({ file }) {
    const database = new Database(file)
    return { store: sqliteStore(database), prepare() {}, close: () => database.close() }
  },
}

/** A store that writes at any version, as one without the compare-and-set would. */
export const withoutCompareAndSet = (store) => ({
  load: (id) => store.load(id),
  async save(id, record) {
    for (;;) if (await store.save(id, record, (await store.load(id))?.version)) return true
  },
})
