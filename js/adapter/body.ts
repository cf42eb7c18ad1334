// The body of a request: an object of text fields, in JSON or a form. Anything else is answered with its status.
import { type AdapterAnswer, answer } from './answer.js'
import type { AdapterRequest } from './request.js'

/** The fields of a body. */
export type Fields = Readonly<Record<string, unknown>>

/** Bytes of a body that are read. A set-up, the longest field, has 2 KiB. */
export const MAX_BODY = 16_384

/** A request that is wrong, whoever sent it, with the answer to it. */
export class BadRequest extends Error {
  /** The answer: 400, 413 or 415. */
  readonly answer: AdapterAnswer
  constructor(status: 400 | 413 | 415, message: string, field?: string) {
    super(message)
    const body = field === undefined ? { result: 'bad_request', message } : { result: 'malformed', field, message }
    this.answer = answer(status, body)
  }
}

/** The fields of a request's body, by own properties alone. No body has no fields. */
export async function fieldsOfBody(request: AdapterRequest): Promise<Fields> {
  const body = (await request.body()) ?? {}
  if (typeof body !== 'object' || Array.isArray(body)) throw new BadRequest(400, 'the body must be an object')
  return Object.assign(Object.create(null), body)
}

/**
 * Parses a body by its `content-type`.
 *
 * @example
 * ```ts
 * import { parseBody } from 'countersign/adapter'
 *
 * export const bodyOf = async (request: Request): Promise<unknown> =>
 *   parseBody(await request.text(), request.headers.get('content-type') ?? undefined)
 * ```
 */
export function parseBody(text: string, contentType: string | undefined): unknown {
  if (text === '') return undefined
  switch ((contentType ?? '').split(';', 1)[0]!.trim().toLowerCase()) {
    case 'application/json':
      try {
        return JSON.parse(text)
      } catch {
        throw new BadRequest(400, 'the body is no JSON')
      }
    case 'application/x-www-form-urlencoded':
      // Of a field that comes twice the first counts, as in the page.
      return Object.fromEntries([...new URLSearchParams(text)].reverse())
    default:
      throw new BadRequest(415, 'send application/json or application/x-www-form-urlencoded')
  }
}

/** A stream of a body, such as the request of Node.js or the body of a `Request`. */
export type Chunks = AsyncIterable<Uint8Array | string>

/**
 * Reads and parses a body. One that is too long is read to its end and dropped: where Node.js stops in the midst of a request, the
 * client gets no answer, or its connection stays and the server cannot close.
 *
 * @example
 * ```ts
 * import type { IncomingMessage } from 'node:http'
 * import { readBody } from 'countersign/adapter'
 *
 * export const bodyOf = (req: IncomingMessage): Promise<unknown> => readBody(req, req.headers['content-type'])
 * ```
 */
export async function readBody(chunks: Chunks | null | undefined, contentType: string | undefined): Promise<unknown> {
  const decoder = new TextDecoder('utf-8', { fatal: true })
  let [text, length] = ['', 0]
  for await (const chunk of chunks ?? []) {
    const bytes = typeof chunk === 'string' ? new TextEncoder().encode(chunk) : chunk
    length += bytes.length
    if (length <= MAX_BODY) text += decode(decoder, bytes)
  }
  if (length > MAX_BODY) throw new BadRequest(413, 'the body is too long')
  return parseBody(text + decode(decoder), contentType)
}

function decode(decoder: TextDecoder, bytes?: Uint8Array): string {
  try {
    return decoder.decode(bytes, { stream: bytes !== undefined })
  } catch {
    throw new BadRequest(400, 'the body is no UTF-8')
  }
}
