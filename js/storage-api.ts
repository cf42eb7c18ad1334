/**
 * The storage API: Countersign's Envoy filter calls it to verify a code and to learn of revoked
 * passes. It is a handler for Node's http server and for Express 4 and 5; it imports neither.
 *
 * @packageDocumentation
 */
import { carryOut, toBoth } from './effects.js'
import { CountersignError, guarded, invalid } from './error.js'
import { type Check, callable, flag, idText, listOf, optional, read, seconds, shape, text, whole } from './input.js'
import { nodeCrypto, warn } from './platform.js'
import { epochText, type RevokedSource, revocationList, revokeEpoch } from './revoked.js'
import { load, type RecordId, type Store, save, storage } from './store.js'
import type * as wasm from './wasm.js'

export { CountersignError, type ErrorCode, type RuleErrorCode } from './error.js'
export type { EntryTimes, Revoke, Revoked, RevokedQuestion, RevokedSource } from './revoked.js'
export type { RecordId, Store, Stored } from './store.js'
export type { EndedPasses, Event, Notice } from './wasm.js'

/** The means that {@link storageApi} needs. */
export interface StorageApiOptions {
  /** The place where records are kept: the same store as `createSecondFactor` has. */
  store: Store
  /** The bearer token of callers: at least 32 visible ASCII characters. It gives access to all records: keep it like the keys. */
  token: string
  /** As in `createSecondFactor`. */
  endPasses?: ((ended: wasm.EndedPasses) => unknown) | undefined
  /** As in `createSecondFactor`. */
  notify?: ((notice: wasm.Notice) => unknown) | undefined
  /** As in `createSecondFactor`. */
  onEvent?: ((event: wasm.Event) => unknown) | undefined
  /** As in `createSecondFactor`. Without it, and with a store that holds no list, there is no `/revoked`. */
  revoked?: RevokedSource | undefined
  /** Called when `store`, `revoked`, `endPasses`, `notify` or `onEvent` fails. Default: a process warning. */
  onError?: ((error: unknown) => unknown) | undefined
}

/** The part of Node's `IncomingMessage`, and so of Express's `Request`, that the handler uses. */
export interface ApiRequest {
  /** The method, in capitals. */
  readonly method?: string | undefined
  /** Path and query below the mount point. */
  readonly url?: string | undefined
  /** Names and values in turn, as they came. */
  readonly rawHeaders: readonly string[]
  /** Whether some of the body was read. */
  readonly readableDidRead: boolean
  /** Whether it was read to the end, which may be at once. */
  readonly readableEnded: boolean
  /** The body as a parser before us left it. */
  readonly body?: unknown
  /** Listens to `data`, `end`, `error` and `close`. */
  on(event: string, listener: (given: unknown) => void): unknown
}

/** The part of Node's `ServerResponse`, and so of Express's `Response`, that the handler uses. */
export interface ApiResponse {
  /** The status. */
  statusCode: number
  /** Whether the head of the answer is out. */
  readonly headersSent: boolean
  /** Sets a header. */
  setHeader(name: string, value: string): unknown
  /** Ends the answer. */
  end(text?: string): unknown
}

interface Answer {
  status: number
  body: unknown
  headers: Record<string, string>
}

/** Bytes of a request's body: twice the longest record. */
const MAX_BODY = 131_072
/** Longest time for a body to arrive, in milliseconds. */
const BODY_TIME = 5_000

/**
 * Makes the handler. Mount it before body parsers and sessions, where only Envoy can reach it. In
 * Express: `app.use('/internal/second-factor', storageApi({ store, token }))`.
 *
 * | request | answers, all JSON |
 * |---|---|
 * | `GET records/<user>`, `GET accounts/<account>/records/<user>` | 200 `{ record, version }` and `etag`; 404 |
 * | `PUT` to the same with `if-match`, `{ record, effects }` | 204 when it is stored; 412 when another writer was faster; 410 when the ticket of the code is revoked |
 * | `GET revoked` | 200 `{ v: 1, sessions, users, epochs, accounts }` |
 *
 * Every other answer is `{ error }`: `unauthorized` 401, `not_found` 404, `method_not_allowed` 405,
 * `bad_request` 400 (with `message`), `request_timeout` 408, `revoked` 410, `precondition_failed` 412,
 * `content_too_large` 413 (over 128 KiB), `unsupported_media_type` 415, `precondition_required` 428,
 * `store_failed`, `revoked_failed` or `internal` 500.
 *
 * @example
 * ```ts
 * import { type SqliteDatabase, sqliteStore } from 'countersign/stores/sqlite'
 * import { storageApi, type ApiRequest, type ApiResponse } from 'countersign/storage-api'
 *
 * // The listener of an HTTP server that only Envoy reaches.
 * export function listener(database: SqliteDatabase, token: string): (request: ApiRequest, response: ApiResponse) => void {
 *   const handle = storageApi({ store: sqliteStore(database), token, revoked: () => ({ sessions: ['s-1'] }) })
 *   return (request, response) => void handle(request, response)
 * }
 * ```
 *
 * @throws {@link CountersignError} `invalid_input`, with the path.
 */
export function storageApi(options: StorageApiOptions): (request: ApiRequest, response: ApiResponse) => Promise<void> {
  const given = read(options, '', {
    store: storage,
    token: tokenHash,
    endPasses: optional(callable),
    notify: optional(callable),
    onEvent: optional(callable),
    revoked: optional(callable),
    onError: optional(callable),
  }) as unknown as Omit<StorageApiOptions, 'token'> & { token: Uint8Array }
  const { store } = given
  const list = revocationList(given)

  const report = async (error: unknown) => {
    try {
      if (given.onError) await given.onError(error)
      else warn('countersign: the storage API failed; give onError to handle it')
    } catch {
      // The answer stands, even if `onError` fails.
    }
  }
  const host = {
    __proto__: null,
    ...given,
    endPasses: toBoth(list?.revoke && ((ended) => revokeEpoch(list.revoke!, ended)), given.endPasses),
    onEffectError: report,
  }

  async function answerTo(request: ApiRequest): Promise<Answer> {
    const [shown, ...more] = headersOf(request, 'authorization')
    const [, token = ''] = /^Bearer ([\x21-\x7e]+)$/i.exec(shown ?? '') ?? []
    // Hashes are of one length, so the comparison does not tell that of the token.
    if (!nodeCrypto().timingSafeEqual(sha256(token), given.token) || more.length > 0) {
      return refusal(401, 'unauthorized', { 'www-authenticate': 'Bearer' })
    }
    const [path] = (request.url ?? '').split('?', 1) as [string]
    const [, account, user] = /^(?:\/accounts\/([^/]+))?\/records\/([^/]+)$/.exec(path) ?? []
    if (user !== undefined) {
      const id = { account: account === undefined ? undefined : idOf(account, 'account'), user: idOf(user, 'user') }
      if (request.method === 'GET') return readRecord(id)
      if (request.method === 'PUT') return writeRecord(id, request)
      return refusal(405, 'method_not_allowed', { allow: 'GET, PUT' })
    }
    if (path !== '/revoked' || list === undefined) return refusal(404, 'not_found')
    return request.method === 'GET'
      ? answer(200, await list.whole())
      : refusal(405, 'method_not_allowed', { allow: 'GET' })
  }

  async function readRecord(id: RecordId): Promise<Answer> {
    const stored = await load(store, id)
    if (stored === undefined) return refusal(404, 'not_found')
    return answer(200, stored, { etag: `"${stored.version}"` })
  }

  async function writeRecord(id: RecordId, request: ApiRequest): Promise<Answer> {
    const version = versionOf(headersOf(request, 'if-match'))
    if (version === undefined) return refusal(428, 'precondition_required')
    const ticket = ticketOf(request)
    const [type, ...otherTypes] = headersOf(request, 'content-type')
    const isJson = /^application\/json *(;|$)/i.test(type ?? '') && otherTypes.length === 0
    if (!isJson || headersOf(request, 'content-encoding').length > 0) return refusal(415, 'unsupported_media_type')
    const body = await bodyOf(request)
    if (body.refused !== undefined) return body.refused
    const { record, effects } = read(jsonOf(body.given), '', {
      record: filled,
      effects: optional(listOf(effectOn(id))),
    })
    // The gate's own list may be some seconds old. An ended ticket writes nothing, whatever the code was.
    if (ticket && (await list?.endsTicket({ ...id, session: ticket.session }, ticket.at)))
      return refusal(410, 'revoked')
    if (!(await save(store, id, record as string, version))) return refusal(412, 'precondition_failed')
    await carryOut((effects ?? []) as wasm.Effect[], host)
    return answer(204)
  }

  function answerOn(error: unknown): Answer {
    const code = CountersignError.is(error) ? error.code : 'internal'
    if (code === 'invalid_input')
      return answer(400, { error: 'bad_request', message: (error as CountersignError).message })
    report(error)
    return refusal(500, code === 'store_failed' || code === 'revoked_failed' ? code : 'internal')
  }

  return async (request, response) => {
    const { status, headers, body } = await answerTo(request).catch(answerOn)
    // A host with time limits of its own may have answered meanwhile.
    if (response.headersSent) return
    response.statusCode = status
    for (const [name, value] of Object.entries({ 'cache-control': 'no-store', ...headers }))
      response.setHeader(name, value)
    if (body !== undefined) response.setHeader('content-type', 'application/json')
    response.end(body === undefined ? undefined : JSON.stringify(body))
  }
}

// Each with all its properties, so that none is looked for in a polluted Object.prototype.
const answer = (status: number, body?: unknown, headers: Record<string, string> = {}): Answer => ({
  status,
  body,
  headers,
})
const refusal = (status: number, error: string, headers?: Record<string, string>) => answer(status, { error }, headers)

const sha256 = (value: string): Uint8Array => nodeCrypto().createHash('sha256').update(value).digest()

const tokenHash: Check = (value, path) => {
  if (!/^[\x21-\x7e]{32,}$/.test(text(value, path) as string))
    throw invalid(path, 'must be at least 32 visible ASCII characters')
  return sha256(value as string)
}

/** All values of a header. Where one is expected, Node would join two, or drop the second. */
function headersOf({ rawHeaders }: ApiRequest, name: string): string[] {
  return rawHeaders.filter((_, index) => index % 2 === 1 && rawHeaders[index - 1]!.toLowerCase() === name)
}

/** The id in a path, by the same rule as everywhere. */
function idOf(name: string, path: string): string {
  const id = guarded('invalid_input', path, 'is not percent-encoded UTF-8', () => decodeURIComponent(name))
  return idText(id, path) as string
}

function versionOf(ifMatch: string[]): number | undefined {
  if (ifMatch.length === 0) return undefined
  const [, digits] = /^"(0|-?[1-9]\d{0,15})"$/.exec(ifMatch[0]!) ?? []
  if (ifMatch.length > 1 || digits === undefined || !Number.isSafeInteger(Number(digits))) {
    throw invalid('if-match', 'must be the etag of a record')
  }
  return Number(digits)
}

/** The session and the time of the ticket that came with a code to the gate. Others write without one. */
function ticketOf(request: ApiRequest): { session: string; at: number } | undefined {
  const [sessions, times] = [headersOf(request, 'ticket-session'), headersOf(request, 'ticket-at')]
  if (sessions.length === 0 && times.length === 0) return undefined
  if (sessions.length !== 1 || times.length !== 1 || !/^(0|[1-9]\d{0,11})$/.test(times[0]!))
    throw invalid('ticket-at', 'must be a time in unix seconds, beside one ticket-session')
  return { session: idOf(sessions[0]!, 'ticket-session'), at: seconds(Number(times[0]), 'ticket-at') as number }
}

interface Body {
  given: unknown
  refused: Answer | undefined
}

/** The body, read here unless a parser before us has read it. */
async function bodyOf(request: ApiRequest): Promise<Body> {
  if (request.readableDidRead || request.readableEnded) return { given: request.body, refused: undefined }
  const tooLarge = refusal(413, 'content_too_large')
  // The connection cannot be used again: the rest of the body would be read as the next request.
  const late = refusal(408, 'request_timeout', { connection: 'close' })
  return new Promise((resolve) => {
    const chunks: Uint8Array[] = []
    let size = 0
    const timer = setTimeout(() => done(late), BODY_TIME)
    const done = (refused: Answer | undefined, given?: unknown) => {
      clearTimeout(timer)
      resolve({ given, refused })
    }
    request.on('data', (chunk) => {
      const bytes = Buffer.from(chunk as Uint8Array)
      size += bytes.length
      if (size > MAX_BODY) done(tooLarge)
      else chunks.push(bytes)
    })
    request.on('end', () => done(undefined, Buffer.concat(chunks)))
    // The connection is gone, so nobody reads this answer.
    request.on('error', () => done(late))
    request.on('close', () => done(late))
  })
}

/** The content of the body: bytes and text are parsed here, anything else came from a parser. */
function jsonOf(body: unknown): unknown {
  return guarded('invalid_input', '', 'the body is not JSON in UTF-8', () => {
    const json =
      body instanceof Uint8Array ? new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(body) : body
    return typeof json === 'string' ? JSON.parse(json) : json
  })
}

const filled: Check = (value, path) => {
  if (text(value, path) === '') throw invalid(path, 'must not be empty')
  return value
}

/** An effect of a step on this record. */
const effectOn =
  (id: RecordId): Check =>
  (value, path) => {
    const effect = read(value, path, {
      end_passes: optional(factsOn(id, { epoch: epochText })),
      notify: optional(factsOn(id, { kind: filled })),
      log: optional(
        factsOn(id, { event: filled, v: only(1, 'must be 1: update this package together with the filter') }),
      ),
    })
    if (Object.keys(effect).length !== 1) throw invalid(path, 'must have one of end_passes, notify and log')
    return { ...effect }
  }

/** One value and no other. */
const only =
  (expected: string | number | undefined, message: string): Check =>
  (value, path) => {
    if (value !== expected) throw invalid(path, message)
    return value
  }

/** An app or phone, as events name it. */
const factor = optional(shape({ id: text, name: text }))

/** Ended passes, a notice or an event: facts about this user, as the rules write them. */
const factsOn =
  (id: RecordId, more: Record<string, Check>): Check =>
  (value, path) => {
    const fact: Check = (given, at) =>
      typeof given === 'string' ? text(given, at) : typeof given === 'number' ? whole(given, at) : flag(given, at)
    const names =
      typeof value === 'object' && value !== null
        ? Object.keys(value).filter((name) => /^[a-z][A-Za-z]*$/.test(name))
        : []
    const known = {
      account: only(id.account, 'must be the account of the record'),
      user: only(id.user, 'must be the user of the record'),
      at: seconds,
      factor,
      ...more,
    }
    return { ...read(value, path, { ...Object.fromEntries(names.map((name) => [name, fact])), ...known }, []) }
  }
