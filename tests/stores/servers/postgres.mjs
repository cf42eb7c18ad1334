import assert from 'node:assert/strict'
import { join } from 'node:path'
import { freePorts } from '../../../scripts/common.mjs'
import { eventually } from '../../shared/eventually.mjs'
import { copyOf, newFolder, program, runProgram, startServer } from './server.mjs'

/**
 * A PostgreSQL server. Its data survives the end of the server, not of the machine, unless it is `durable`.
 * @param {import('./server.mjs').Ends} [t]
 * @param {{ durable?: boolean, settings?: Record<string, string | number> }} [options]  settings: of postgresql.conf
 */
export async function startPostgres(t, options = {}) {
  const version = runProgram(program('postgres'), ['--version']).match(/[\d.]+/)[0]
  const folder = copyOf(`postgres-${version}`, (made) =>
    runProgram(program('initdb'), [
      ...['-D', join(made, 'data'), '-U', 'postgres', '--auth=trust', '--no-sync'],
      ...['--encoding=UTF8', '--locale=C'],
    ]),
  )
  return startPostgresIn(t, folder, options)
}

/**
 * A primary and a standby. A write of the primary returns when the standby has it too. The standby takes reads only, until
 * `promote()`.
 * @param {import('./server.mjs').Ends} [t]
 * @param {{ durable?: boolean, settings?: Record<string, string | number> }} [options]
 */
export async function startPostgresPair(t, { durable = false, settings = {} } = {}) {
  const primary = await startPostgres(t, {
    durable,
    settings: { synchronous_standby_names: '*', synchronous_commit: 'on', ...settings },
  })
  const folder = newFolder()
  const data = join(folder, 'data')
  runProgram(program('pg_basebackup'), [
    ...['-D', data, '-d', primary.url, '--write-recovery-conf', '--wal-method=stream'],
    ...['--checkpoint=fast', '--no-sync'],
  ])
  const standby = await startPostgresIn(t, folder, { durable, settings })
  await eventually(() => {
    const state = runProgram(program('psql'), [primary.url, '-Atc', 'SELECT sync_state FROM pg_stat_replication'])
    assert.equal(state, 'sync\n', 'the standby is connected')
  })
  /** Makes the standby a primary that takes writes. It does not end the old primary. */
  const promote = async () => void runProgram(program('pg_ctl'), ['promote', '-D', data])
  return { primary, standby: { ...standby, promote } }
}

/** Starts PostgreSQL on the data in `folder`. */
async function startPostgresIn(t, folder, { durable = false, settings = {} } = {}) {
  const [port] = await freePorts(1)
  const all = {
    port,
    listen_addresses: '127.0.0.1',
    unix_socket_directories: '',
    // In the data folder, so that nothing is left in /dev/shm after SIGKILL.
    dynamic_shared_memory_type: 'mmap',
    fsync: durable ? 'on' : 'off',
    ...settings,
  }
  const server = await startServer(t, {
    program: program('postgres'),
    args: ['-D', join(folder, 'data'), ...Object.entries(all).flatMap(([name, value]) => ['-c', `${name}=${value}`])],
    folder,
    ready: /database system is ready to accept/,
    // SIGINT ends the connections, SIGTERM waits for them. SIGQUIT writes nothing, yet frees the shared memory.
    stopSignal: 'SIGINT',
    endSignal: 'SIGQUIT',
  })
  const address = { host: '127.0.0.1', port, user: 'postgres', database: 'postgres' }
  return { ...server, ...address, url: `postgres://postgres@127.0.0.1:${port}/postgres` }
}
