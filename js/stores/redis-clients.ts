// Clients of Redis: how each of them sends a command to a primary, and two commands over one connection.
//
// A script goes to the primary in all of them, also where the client reads from replicas: it has no key that is only read.
import { invalid } from '../error.js'

/** A client of the package `redis`, by `createClient` or `createClientPool`: the part that the store uses. */
export interface NodeRedisClient {
  /** Sends a command. */
  sendCommand(args: string[]): Promise<unknown>
  /** Begins a list of commands for one connection. */
  multi(): NodeRedisPipeline
}

/** A cluster of the package `redis`, by `createCluster`: the part that the store uses. */
export interface NodeRedisCluster {
  /** Its primaries. */
  readonly masters: readonly unknown[]
  /** The client of one of them. */
  nodeClient(node: never): unknown
  /** Sends a command to the server of a key. */
  sendCommand(firstKey: string | undefined, isReadonly: boolean | undefined, args: string[]): Promise<unknown>
  /** Begins a list of commands for one connection to the server of a key. */
  multi(firstKey?: string): NodeRedisPipeline
}

/** A list of commands in the package `redis`. */
export interface NodeRedisPipeline {
  /** Adds a command. */
  addCommand(...given: never[]): unknown
  /** Sends all, without a transaction. */
  execAsPipeline(): Promise<unknown>
}

/** A `Redis` of ioredis: the part that the store uses. */
export interface IoredisClient {
  /** The options that it was made with. */
  readonly options: object
  /** Its connection of now. */
  readonly stream?: unknown
  /** Sends a command. */
  call(command: string, args: string[]): Promise<unknown>
  /** Begins a list of commands. */
  pipeline(): IoredisPipeline
}

/** A `Cluster` of ioredis: the part that the store uses. */
export interface IoredisCluster {
  /** The options that it was made with. */
  readonly options: object
  /** True: it is a cluster. */
  readonly isCluster: boolean
  /** Sends a command to the server of its key. */
  call(command: string, args: string[]): Promise<unknown>
  /** The clients of its primaries. */
  nodes(role: 'master'): {
    /** Sends a command to this server. */
    call(command: string, args: string[]): Promise<unknown>
  }[]
  /** Begins a list of commands. */
  pipeline(): IoredisPipeline
}

/** A list of commands in ioredis. */
export interface IoredisPipeline {
  /** Adds a command. */
  call(command: string, args: string[]): unknown
  /** Sends all. */
  exec(): Promise<[error: Error | null, answer: unknown][] | null>
}

/** A connected client of the package `redis` (4, 5 or 6) or of `ioredis` (5 or 6). */
export type RedisClient = NodeRedisClient | NodeRedisCluster | IoredisClient | IoredisCluster

/** Sends a command, and gives its answer. */
export type Send = (command: string[]) => Promise<unknown>

/** The servers behind a client. */
export interface Servers {
  /** Put before each key by the client itself. */
  keyPrefix: string
  /** Sends a command to the primary that has the key. */
  send(key: string, command: string[]): Promise<unknown>
  /**
   * Sends commands one after the other over one connection to the primary that has the key. It throws where one of them failed, or
   * may have been sent over another connection.
   */
  together(key: string, commands: string[][]): Promise<unknown[]>
  /** Each primary. */
  primaries(): Promise<Send[]>
}

/** The servers behind a client. With `together`, the client must be one that can keep to one connection. */
export function serversOf(client: RedisClient, together: boolean): Servers {
  if (isIoredis(client))
    return 'isCluster' in client && client.isCluster ? ofIoredisCluster(client, together) : ofIoredis(client)
  if (!has(client, 'sendCommand', 'multi') || has(client, 'getSentinelNode'))
    throw invalid(
      'client',
      'must be a client, a pool or a cluster of the package `redis`, version 4 or later, or a Redis or Cluster of `ioredis`',
    )
  return 'masters' in client ? ofNodeRedisCluster(client) : ofNodeRedis(client)
}

const isIoredis = (client: RedisClient): client is IoredisClient | IoredisCluster => has(client, 'call', 'pipeline')

const has = (client: object | null, ...names: string[]): boolean =>
  names.every((name) => typeof (client as Record<string, unknown> | null)?.[name] === 'function')

/** A pipeline of node-redis is one chain: where its connection breaks, none of its commands is sent over another one. */
const ofNodeRedis = (client: NodeRedisClient): Servers => ({
  keyPrefix: '',
  send: (_key, command) => client.sendCommand(command),
  async together(_key, commands) {
    const pipeline = client.multi()
    const add = pipeline.addCommand as (args: string[]) => unknown
    for (const command of commands) add.call(pipeline, command)
    return (await pipeline.execAsPipeline()) as unknown[]
  },
  primaries: async () => [(command) => client.sendCommand(command)],
})

const ofNodeRedisCluster = (client: NodeRedisCluster): Servers => ({
  keyPrefix: '',
  send: (key, command) => client.sendCommand(key, false, command),
  async together(key, commands) {
    const pipeline = client.multi(key)
    const add = pipeline.addCommand as (...given: unknown[]) => unknown
    // (key, args, …) in version 4, and (key, isReadonly, args, …) in version 5
    const isFour = add.length === 3
    for (const command of commands) add.apply(pipeline, isFour ? [key, command] : [key, false, command])
    return (await pipeline.execAsPipeline()) as unknown[]
  },
  primaries: () =>
    Promise.all(
      client.masters.map(async (node) => {
        const primary = (await client.nodeClient(node as never)) as NodeRedisClient
        return (command: string[]) => primary.sendCommand(command)
      }),
    ),
})

/** ioredis sends commands without an answer again over its next connection, each on its own. */
const ofIoredis = (client: IoredisClient): Servers => ({
  keyPrefix: prefixOf(client),
  send: (_key, [name, ...args]) => client.call(name!, args),
  async together(_key, commands) {
    const { stream } = client
    const answers = await answersOf(client.pipeline(), commands)
    if (client.stream !== stream) throw new Error('the connection was replaced by another one')
    return answers
  },
  primaries: async () => [([name, ...args]) => client.call(name!, args)],
})

/** A connection to a node of a cluster does not return, unless that was asked for. */
function ofIoredisCluster(client: IoredisCluster, together: boolean): Servers {
  if (together && has(client.options, 'clusterNodeRetryStrategy'))
    throw invalid(
      'replicas',
      'needs a Cluster without `clusterNodeRetryStrategy`, because WAIT must not be sent over another connection',
    )
  return {
    keyPrefix: prefixOf(client),
    send: (_key, [name, ...args]) => client.call(name!, args),
    together: (_key, commands) => answersOf(client.pipeline(), commands),
    async primaries() {
      // The nodes are known once a command was answered.
      await client.call('ping', [])
      return client.nodes('master').map(
        (node) =>
          ([name, ...args]) =>
            node.call(name!, args),
      )
    },
  }
}

const prefixOf = ({ options }: IoredisClient | IoredisCluster): string =>
  (options as { keyPrefix?: string | undefined }).keyPrefix ?? ''

async function answersOf(pipeline: IoredisPipeline, commands: string[][]): Promise<unknown[]> {
  for (const [name, ...args] of commands) pipeline.call(name!, args)
  return ((await pipeline.exec()) ?? []).map(([error, answer]) => {
    if (error !== null) throw error
    return answer
  })
}
