// Rounds of 1,000 codes at once from four processes.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startMariadb } from '../servers/mariadb.mjs'
import { startPostgres, startPostgresPair } from '../servers/postgres.mjs'
import { startRedis, startRedisCluster } from '../servers/redis.mjs'
import { KINDS } from './kinds.mjs'
import { service } from './people.mjs'
import { startWorkers } from './workers.mjs'

const PROCESSES = 4
export const AT_ONCE = 1_000
/** Wrong codes that are compared at most: of an app, a phone or a backup code until the wait. A recovery code has no cap. */
export const CAPS = { totp: 5, sms: 5, backup_code: 5 }

/**
 * Servers by name: each starts, and gives the kind of its store and the address.
 * @type {Record<string, { needs: ('postgres' | 'mariadb' | 'redis')[], start(t: any): Promise<[kind: string, address: any]> }>}
 */
export const SERVERS = {
  PostgreSQL: { needs: ['postgres'], start: async (t) => ['postgres', addressOf(await startPostgres(t))] },
  'PostgreSQL with a synchronous standby': {
    needs: ['postgres'],
    start: async (t) => ['postgres', addressOf((await startPostgresPair(t)).primary)],
  },
  MariaDB: { needs: ['mariadb'], start: async (t) => ['mariadb', addressOf(await startMariadb(t))] },
  Redis: { needs: ['redis'], start: async (t) => ['redis', addressOf(await startRedis(t))] },
  'Redis Cluster': {
    needs: ['redis'],
    start: async (t) => ['redis cluster', { nodes: nodesOf(await startRedisCluster(t)) }],
  },
  SQLite: {
    needs: [],
    async start(t) {
      const folder = mkdtempSync(join(tmpdir(), 'countersign-once-'))
      t.after(() => rmSync(folder, { recursive: true, force: true }))
      return ['sqlite', { file: join(folder, 'a.db') }]
    },
  },
}

export const addressOf = ({ url }) => ({ url })
export const nodesOf = ({ nodes }) => nodes.map(({ host, port }) => ({ host, port }))

/** A store with its tables, and a service on it in this process. */
export async function prepared(t, kind, address) {
  const { store, prepare, close } = await KINDS[kind](address)
  t.after(close)
  await prepare()
  return { store, ...service(store) }
}

/** Processes on a server, which run rounds. */
export async function racing(t, server) {
  const [kind, address] = await SERVERS[server].start(t)
  const { person, input } = await prepared(t, kind, address)
  const workers = await startWorkers(t, kind, address, PROCESSES)

  /** Brings the logins, as often as makes 1,000, at once. Engines that hash are few, because each hashes. */
  async function round(method, logins, flaw) {
    const hosts = method === 'totp' || method === 'sms' ? 5 : 1
    const times = AT_ONCE / PROCESSES / logins.length
    const told = await Promise.all(workers.map((worker) => worker.verify({ ...input, logins, times, hosts, flaw })))
    return told.flat()
  }

  return {
    /** The right code, 1,000 times. @param {string} [flaw] */
    async right(method, flaw) {
      const { right } = await person(method)
      return round(method, [right], flaw)
    },
    /** Ten wrong codes, 100 times each. @param {string} [flaw] */
    async wrong(method, flaw) {
      const { right, wrong } = await person(method)
      const logins = Array.from({ length: 10 }, (_, n) => ({ ...right, code: wrong(n) }))
      return round(method, logins, flaw)
    },
  }
}
