import { join } from 'node:path'
import { freePorts } from '../../../scripts/common.mjs'
import { copyOf, program, runProgram, startServer } from './server.mjs'

// Small, because each test has a copy of the log.
const LOG = '--innodb-log-file-size=8M'

/** At its start a server removes the temporary tables that it finds, also those of another one. */
const ownTemporary = (folder) => [`--tmpdir=${folder}`]

/**
 * A MariaDB server. Its data survives the end of the server, not of the machine, unless it is `durable`.
 * @param {import('./server.mjs').Ends} [t]
 * @param {{ durable?: boolean, settings?: Record<string, string | number> }} [options]  settings: the server's options
 */
export async function startMariadb(t, { durable = false, settings = {} } = {}) {
  const version = runProgram(program('mariadbd'), ['--no-defaults', '--version']).match(/[\d.]+/)[0]
  const folder = copyOf(`mariadb-${version}`, (made) =>
    runProgram(program('mariadb-install-db'), [
      ...['--no-defaults', `--datadir=${join(made, 'data')}`, ...ownTemporary(made), LOG],
      ...['--auth-root-authentication-method=normal', '--skip-name-resolve'],
    ]),
  )
  const [port] = await freePorts(1)
  const all = {
    datadir: join(folder, 'data'),
    socket: join(folder, 'socket'),
    'pid-file': join(folder, 'pid'),
    'bind-address': '127.0.0.1',
    port,
    'innodb-snapshot-isolation': 'ON',
    'innodb-flush-log-at-trx-commit': durable ? 1 : 2,
    'innodb-buffer-pool-size': '32M',
    ...settings,
  }
  const server = await startServer(t, {
    program: program('mariadbd'),
    args: [
      ...['--no-defaults', '--skip-name-resolve', ...ownTemporary(folder), LOG],
      ...Object.entries(all).map(([name, value]) => `--${name}=${value}`),
    ],
    folder,
    ready: /ready for connections/,
  })
  const address = { host: '127.0.0.1', port, user: 'root', database: 'test' }
  return { ...server, ...address, url: `mysql://root@127.0.0.1:${port}/test` }
}
