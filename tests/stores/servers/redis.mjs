import assert from 'node:assert/strict'
import { freePorts } from '../../../scripts/common.mjs'
import { eventually } from '../../shared/eventually.mjs'
import { newFolder, program, runProgram, startServer } from './server.mjs'

/**
 * A Redis server. It keeps its data only with the settings for that: `{ appendonly: 'yes', appendfsync: 'always' }`.
 * @param {import('./server.mjs').Ends} [t]
 * @param {{ settings?: Record<string, string | number> }} [options]  settings: of redis.conf
 */
export async function startRedis(t, { settings = {} } = {}) {
  const [port] = await freePorts(1)
  return startRedisAt(port, t, settings)
}

/**
 * A Redis Cluster: three masters, and a replica of each. Each node stops and starts by itself.
 * @param {import('./server.mjs').Ends} [t]
 * @param {{ settings?: Record<string, string | number> }} [options]
 */
export async function startRedisCluster(t, { settings = {} } = {}) {
  const ports = await freePorts(12)
  const nodes = await Promise.all(
    ports.slice(0, 6).map((port, index) =>
      startRedisAt(port, t, {
        'cluster-enabled': 'yes',
        'cluster-port': ports[6 + index],
        'cluster-node-timeout': 2000, // milliseconds until a silent node counts as failed
        'repl-diskless-sync-delay': 0,
        ...settings,
      }),
    ),
  )
  const addresses = nodes.map(({ host, port }) => `${host}:${port}`)
  ask(nodes[0], '--cluster', 'create', ...addresses, '--cluster-replicas', '1', '--cluster-yes')
  await eventually(() => {
    for (const node of nodes) {
      assert.match(ask(node, 'cluster', 'info'), /cluster_state:ok[^]*cluster_slots_ok:16384[^]*cluster_known_nodes:6/)
      assert.match(ask(node, 'info', 'replication'), /role:master[^]*connected_slaves:1|master_link_status:up/)
    }
  })
  return { nodes, masterOf: (key) => masterOf(nodes, key) }
}

/** The node that is the master of a key now. @template {Node} N @param {N[]} nodes */
function masterOf(nodes, key) {
  for (const node of nodes) {
    let reply
    try {
      reply = ask(node, 'exists', key)
    } catch {
      continue // It does not run.
    }
    if (/^\d/.test(reply)) return node
    const port = Number(reply.match(/^MOVED \d+ .*:(\d+)/)?.[1])
    return nodes.find((other) => other.port === port)
  }
}

/** @typedef {{ host: string, port: number }} Node */

/** The reply to a command. @param {Node} node */
const ask = ({ host, port }, ...command) =>
  runProgram(program('redis-cli'), ['-h', host, '-p', String(port), ...command])

async function startRedisAt(port, t, settings) {
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
