import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { freePorts } from '../../../scripts/common.mjs'
import { newFolder, program, startServer } from './server.mjs'

/**
 * PgBouncer before a PostgreSQL server, in transaction mode: each transaction of a connection may run on another one of the
 * server.
 * @param {import('./server.mjs').Ends | undefined} t
 * @param {{ host: string, port: number, user: string, database: string }} postgres  from `startPostgres`
 * @param {{ settings?: Record<string, string | number> }} [options]  settings: of pgbouncer.ini
 */
export async function startPgbouncer(t, postgres, { settings = {} } = {}) {
  const { user, database } = postgres
  const [port] = await freePorts(1)
  const folder = newFolder()
  const users = join(folder, 'users')
  const all = {
    listen_addr: '127.0.0.1',
    listen_port: port,
    unix_socket_dir: '',
    auth_type: 'trust',
    auth_file: users,
    pool_mode: 'transaction',
    ...settings,
  }
  writeFileSync(users, `"${user}" ""\n`)
  const lines = Object.entries(all).map(([name, value]) => `${name} = ${value}`)
  const file = join(folder, 'pgbouncer.ini')
  writeFileSync(
    file,
    `[databases]\n* = host=${postgres.host} port=${postgres.port}\n[pgbouncer]\n${lines.join('\n')}\n`,
  )
  const server = await startServer(t, {
    program: program('pgbouncer'),
    args: [file],
    folder,
    ready: /process up/,
    // It lets the queries that run come to their end. For SIGTERM, versions differ.
    stopSignal: 'SIGINT',
  })
  return { ...server, host: '127.0.0.1', port, user, database, url: `postgres://${user}@127.0.0.1:${port}/${database}` }
}
