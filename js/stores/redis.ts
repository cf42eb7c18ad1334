/**
 * Storage in Redis or Valkey, through the package `redis` or `ioredis`.
 *
 * A record is one key: a hash of its text and its version. Each step is one script, so that Redis does nothing else between the
 * comparison and the write. Scripts run on the primary. That of a read also has a write without effect, which a replica refuses.
 * Versions are compared as text, because the numbers of Lua are not exact.
 *
 * The revocation list is a hash of the entries and a sorted set of their ends, both in one slot of a cluster.
 *
 * @packageDocumentation
 */
import { CountersignError, invalid, NotConfirmed } from '../error.js'
import { optional, read, text, whole } from '../input.js'
import { newVersion, type RecordId, recordKey, type Stored, type WholeStore } from '../store.js'
import { type ListRow, listOfRows, rowsOf } from './list-rows.js'
import { type RedisClient, type Send, serversOf } from './redis-clients.js'

export { CountersignError, type ErrorCode, type RuleErrorCode } from '../error.js'
export type {
  IoredisClient,
  IoredisCluster,
  IoredisPipeline,
  NodeRedisClient,
  NodeRedisCluster,
  NodeRedisPipeline,
  RedisClient,
} from './redis-clients.js'

/** Options of {@link redisStore}. */
export interface RedisOptions {
  /** Before each key, `countersign:` by default. */
  prefix?: string | undefined
  /** Has each write wait for replicas. Without it, a failover may lose the last writes, and a code used in them works again. */
  replicas?: RedisReplicas | undefined
}

/** The replicas that a write waits for. */
export interface RedisReplicas {
  /** How many replicas must have a write, 1 to 100: as many as there are, because any of them may become the primary. */
  acknowledge: number
  /**
   * Milliseconds to wait for them, 1 to 60,000, and 1,000 by default. Then the call ends with `store_failed`. Meanwhile the connection
   * carries nothing else: give the store a client of its own, or a pool.
   */
  timeoutMs?: number | undefined
}

/**
 * In Redis or Valkey. The client is yours, and connected. The first use asks each primary for its `maxmemory-policy`, because
 * a record that was dropped makes its user one without a factor.
 *
 * @example
 * ```ts
 * import type { Store } from 'countersign'
 * import { type RedisClient, redisStore } from 'countersign/stores/redis'
 *
 * // `await createClient({ url }).connect()` of redis, or `new Redis(url)` of ioredis
 * export function storeIn(client: RedisClient): Store {
 *   return redisStore(client, { prefix: 'second-factor:', replicas: { acknowledge: 1, timeoutMs: 500 } })
 * }
 * ```
 *
 * @throws {@link CountersignError} `invalid_input` for a value that is no client, or options that it cannot fill. Each function of
 * the store throws `store_failed` where a server may drop keys or is a replica, and the errors of the client.
 */
export function redisStore(client: RedisClient, options: RedisOptions = {}): WholeStore {
  const { prefix, replicas } = optionsOf(options)
  const servers = serversOf(client, replicas !== undefined)
  const list = [`${prefix}{revoked}:entries`, `${prefix}{revoked}:ends`]

  /** Runs a script, on the primary that has its keys. */
  const run = (script: Script, keys: string[], args: string[]) =>
    bySha(script, keys, args, (command) => servers.send(keys[0]!, command))

  /** Runs a script that writes; its answer is 0 where it did not. */
  async function write(script: Script, keys: string[], args: string[]): Promise<boolean> {
    if (replicas === undefined) return Number(await run(script, keys, args)) !== 0
    try {
      return await confirmed(script, keys, args)
    } catch (error) {
      if (NotConfirmed.is(error) || !script.repeats) throw error
    }
    // The connection broke, or the key is elsewhere now. A plain command finds the new place.
    try {
      await run(script, keys, args)
      return await confirmed(script, keys, args)
    } catch (error) {
      throw NotConfirmed.is(error) ? error : new NotConfirmed('it is not known whether replicas have the write', error)
    }
  }

  /** The same, and the replicas have it. WAIT asks for the writes of its own connection. */
  const confirmed = (script: Script, keys: string[], args: string[]) =>
    bySha(script, keys, args, async (command) => {
      const { acknowledge, timeoutMs } = replicas!
      const wait = ['wait', String(acknowledge), String(timeoutMs)]
      const [answer, have] = (await servers.together(keys[0]!, [command, wait])).map(Number) as [number, number]
      if (answer !== 0 && !(have >= acknowledge))
        throw new NotConfirmed(`${have} of ${acknowledge} replicas have the write after ${timeoutMs} ms`)
      return answer !== 0
    })

  /** The primaries, each asked about itself. */
  async function primaries(): Promise<Primary[]> {
    const sends = await servers.primaries()
    return Promise.all(sends.map(async (send) => ({ send, id: checked(String(await send(['info']))) })))
  }

  let ready: Promise<unknown> | undefined
  async function isReady(): Promise<void> {
    ready ??= primaries()
    try {
      await ready
    } catch (error) {
      ready = undefined
      throw error
    }
  }

  const keyOf = (id: RecordId) => prefix + recordKey(id)

  async function load(id: RecordId): Promise<Stored | undefined> {
    const [record, version] = (await run(LOAD, [keyOf(id)], [])) as [unknown, unknown]
    return record === null ? undefined : { record: String(record), version: Number(version) }
  }

  const save = (id: RecordId, record: string, expected: number | undefined) =>
    write(SAVE, [keyOf(id)], [record, String(newVersion()), String(expected ?? '')])

  return {
    async load(id) {
      await isReady()
      return load(id)
    },
    async save(id, record, expected) {
      await isReady()
      return save(id, record, expected)
    },
    async delete(id, expected) {
      await isReady()
      return write(DELETE, [keyOf(id)], [String(expected)])
    },
    async list({ account, after, limit }) {
      const all = (await primaries()).sort((a, b) => (a.id < b.id ? -1 : 1))
      let [id, cursor] = after === undefined ? [all[0]!.id, '0'] : placeOf(after)
      let at = all.findIndex((primary) => primary.id === id)
      if (at < 0) throw failed('the servers are others than at the page before: begin with the first page again')
      const full = servers.keyPrefix + prefix
      const pattern = `${globOf(full)}${account === undefined ? '' : recordKey({ account, user: 'x' }).slice(0, -1)}*`
      const ids = new Map<string, RecordId>()
      for (let scans = 0; scans < SCANS && ids.size < limit && at < all.length; scans += 1) {
        const count = String(Math.max(limit - ids.size, 10))
        const answer = await all[at]!.send(['scan', cursor, 'match', pattern, 'count', count])
        const [next, keys] = answer as [unknown, unknown[]]
        for (const key of keys.map(String)) {
          const found = idOf(key.slice(full.length))
          if (found !== undefined) ids.set(key, found)
        }
        cursor = String(next)
        if (cursor === '0') at += 1
      }
      const loaded = await Promise.all([...ids.values()].map(async (id) => ({ id, stored: await load(id) })))
      const records = loaded.flatMap(({ id, stored }) => (stored === undefined ? [] : [{ id, ...stored }]))
      return at < all.length ? { records, next: JSON.stringify([all[at]!.id, cursor]) } : { records }
    },
    async insertMany(records) {
      await isReady()
      const inserted: boolean[] = []
      // Each WAIT holds the connection up.
      const size = replicas === undefined ? 100 : 10
      for (const some of parts(records, size))
        inserted.push(...(await Promise.all(some.map(({ id, record }) => save(id, record, undefined)))))
      return inserted
    },
    async revoke(more, { now, until }) {
      await isReady()
      for (const rows of parts(rowsOf(more), ENTRIES_AT_ONCE))
        await write(REVOKE, list, [
          String(now),
          String(until),
          ...rows.flatMap((row) => [fieldOf(row), valueText(row)]),
        ])
    },
    async revoked(about) {
      await isReady()
      if (about !== undefined) {
        const { session, account = '', user } = about
        const names = [
          { kind: 'session' as const, account: '', id: session },
          { kind: 'user' as const, account, id: user },
          { kind: 'epoch' as const, account, id: user },
        ].map(fieldOf)
        const values = (await run(ABOUT, list, names)) as unknown[]
        return listOfRows(names.flatMap((name, at) => (values[at] === null ? [] : [rowOf(name, values[at])])))
      }
      const rows = new Map<string, ListRow>()
      let cursor = '0'
      do {
        const [next, found] = (await run(ENTRIES, list, [cursor, String(ENTRIES_AT_ONCE)])) as [unknown, unknown[]]
        for (let at = 0; at < found.length; at += 2)
          rows.set(String(found[at]), rowOf(String(found[at]), found[at + 1]))
        cursor = String(next)
      } while (cursor !== '0')
      return listOfRows(rows.values())
    },
  }
}

/** Entries of the revocation list in one script: Redis does nothing else meanwhile. */
const ENTRIES_AT_ONCE = 500
/** Scans for one page, where the records are few among other keys. */
const SCANS = 100
const DEFAULT_TIMEOUT_MS = 1_000

/** A script. */
interface Script {
  lua: string
  sha: Promise<string>
  /** A second run after the first one changes nothing, gives the same answer and is replicated again. */
  repeats: boolean
}

const script = (lua: string, { repeats = true } = {}): Script => {
  let sha: Promise<string> | undefined
  return {
    lua,
    get sha() {
      sha ??= sha1(lua)
      return sha
    },
    repeats,
  }
}

async function sha1(lua: string): Promise<string> {
  const digest = new Uint8Array(await crypto.subtle.digest('SHA-1', new TextEncoder().encode(lua)))
  return Array.from(digest, (byte) => byte.toString(16).padStart(2, '0')).join('')
}

// PERSIST without effect: the records have no end. A replica refuses it.
const LOAD = script(`redis.call('persist', KEYS[1])
return redis.call('hmget', KEYS[1], 'record', 'version')`)

// Where the version is the new one already, a client has sent the script again.
const SAVE = script(`local version = redis.call('hget', KEYS[1], 'version') or ''
if version ~= ARGV[3] and version ~= ARGV[2] then return 0 end
redis.call('hset', KEYS[1], 'record', ARGV[1], 'version', ARGV[2])
return 1`)

const DELETE = script(
  `if redis.call('hget', KEYS[1], 'version') ~= ARGV[1] then return 0 end
redis.call('del', KEYS[1])
return 1`,
  { repeats: false },
)

// Texts are compared by bytes. The operator of Lua compares them by the rules of the server's language.
const REVOKE = script(`local function greater(a, b)
  for i = 1, #a do
    local x, y = string.byte(a, i), string.byte(b, i)
    if x ~= y then return y == nil or x > y end
  end
  return false
end
for _, field in ipairs(redis.call('zrangebyscore', KEYS[2], '-inf', ARGV[1], 'limit', 0, 1000)) do
  redis.call('hdel', KEYS[1], field)
  redis.call('zrem', KEYS[2], field)
end
for i = 3, #ARGV, 2 do
  local field, value = ARGV[i], ARGV[i + 1]
  local known = redis.call('hget', KEYS[1], field)
  if known and greater(known, value) then value = known end
  redis.call('hset', KEYS[1], field, value)
  local ends = redis.call('zscore', KEYS[2], field)
  if not ends or tonumber(ARGV[2]) > tonumber(ends) then redis.call('zadd', KEYS[2], ARGV[2], field) end
end
return 1`)

const ABOUT = script(`redis.call('persist', KEYS[1])
return redis.call('hmget', KEYS[1], unpack(ARGV))`)

const ENTRIES = script(`redis.call('persist', KEYS[1])
return redis.call('hscan', KEYS[1], ARGV[1], 'count', ARGV[2])`)

/** Sends a script by its hash, and its text where the server does not know it. */
async function bySha<T>(script: Script, keys: string[], args: string[], send: (command: string[]) => Promise<T>) {
  const rest = [String(keys.length), ...keys, ...args]
  try {
    return await send(['evalsha', await script.sha, ...rest])
  } catch (error) {
    if (!(error instanceof Error && error.message.startsWith('NOSCRIPT'))) throw error
    return send(['eval', script.lua, ...rest])
  }
}

/** A primary, with the name of its run: cursors of SCAN count within it alone. */
interface Primary {
  id: string
  send: Send
}

/** Checks what a server tells about itself, and gives the name of its run. */
function checked(info: string): string {
  const fields = new Map(info.split(/\r?\n/).map((line) => line.split(':', 2) as [string, string]))
  if (fields.get('role') !== 'master')
    throw failed('the server is a replica, which may be behind: give the address of the primary')
  const policy = fields.get('maxmemory_policy')
  // The policies `volatile-…` drop keys that have an end, and the records have none.
  if (policy !== 'noeviction' && !policy?.startsWith('volatile-'))
    throw failed(
      `the server may drop records when its memory is full, because its maxmemory-policy is ${policy ?? 'unknown'}: set it to noeviction`,
    )
  return fields.get('run_id') ?? ''
}

const failed = (message: string) => new CountersignError('store_failed', 'store', message)

function optionsOf(options: RedisOptions) {
  const fields = { prefix: optional(text), replicas: optional(replicasOf) }
  const { prefix = 'countersign:', replicas } = read(options, '', fields) as {
    prefix?: string
    replicas?: Required<RedisReplicas>
  }
  // Redis takes the text in braces for the place of a key; empty ones would put the two keys of the list in two places.
  if (prefix.length > 256 || prefix.includes('{}'))
    throw invalid('prefix', 'must have at most 256 characters, and no `{}`')
  return { prefix, replicas }
}

function replicasOf(value: unknown, path: string): Required<RedisReplicas> {
  const given = read(value, path, { acknowledge: whole, timeoutMs: optional(whole) }) as unknown as RedisReplicas
  const { acknowledge, timeoutMs = DEFAULT_TIMEOUT_MS } = given
  if (acknowledge < 1 || acknowledge > 100) throw invalid(`${path}.acknowledge`, 'must be 1 to 100')
  if (timeoutMs < 1 || timeoutMs > 60_000) throw invalid(`${path}.timeoutMs`, 'must be 1 to 60,000')
  return { acknowledge, timeoutMs }
}

function placeOf(after: string): [id: string, cursor: string] {
  try {
    const [id, cursor] = JSON.parse(after)
    if (typeof id === 'string' && /^\d+$/.test(cursor)) return [id, cursor]
  } catch {
    // Refused below.
  }
  throw invalid('after', 'must be the `next` of a page')
}

/** The id of a key, or nothing where it is no key of a record. */
function idOf(key: string): RecordId | undefined {
  const [, account, user] = /^(?:accounts\.([^.]+)\.)?users\.([^.]+)$/.exec(key) ?? []
  if (user === undefined) return undefined
  const textOf = (part: string) => decodeURIComponent(part.replaceAll('~', '%'))
  try {
    const id = { ...(account === undefined ? {} : { account: textOf(account) }), user: textOf(user) }
    return recordKey(id) === key ? id : undefined
  } catch {
    return undefined
  }
}

/** A pattern that stands for this text alone. */
const globOf = (exact: string) => exact.replace(/[*?[\]\\^]/g, '\\$&')

/** The name of an entry of the revocation list. */
const fieldOf = ({ kind, account, id }: Omit<ListRow, 'value'>) => JSON.stringify([kind, account, id])

/** Its value. A time gets 12 digits, so that of two texts the greater one is the later. */
const valueText = ({ value }: ListRow) => (typeof value === 'number' ? String(value).padStart(12, '0') : value)

function rowOf(field: string, value: unknown): ListRow {
  const [kind, account, id] = JSON.parse(field) as [ListRow['kind'], string, string]
  return { kind, account, id, value: kind === 'user' ? Number(value) : String(value) }
}

/** A list in parts of at most that size. */
const parts = <T>(all: readonly T[], size: number): T[][] =>
  Array.from({ length: Math.ceil(all.length / size) }, (_, at) => all.slice(at * size, (at + 1) * size))
