import { freePorts } from '../../../scripts/common.mjs'
import { newFolder, program, startServer } from './server.mjs'

/**
 * A Redis server. It keeps its data only with the settings for that: `{ appendonly: 'yes', appendfsync: 'always' }`.
 * @param {import('./server.mjs').Ends} [t]
 * @param {{ settings?: Record<string, string | number> }} [options]  settings: of redis.conf
 */
export async function startRedis(t, { settings = {} } = {}) {
  const [port] = await freePorts(1)
  const folder = newFolder()
  const all = { port, bind: '127.0.0.1', dir: folder, save: '', ...settings }
  const server = await startServer(t, {
    program: program('redis-server'),
    args: Object.entries(all).flatMap(([name, value]) => [`--${name}`, String(value)]),
    folder,
    ready: /Ready to accept connections/,
  })
  return { ...server, host: '127.0.0.1', port, url: `redis://127.0.0.1:${port}` }
}
