// A request and an answer, in the words that every framework has. An adapter translates both, and decides nothing.

/** One request. An adapter makes it of the request of its framework. */
export interface AdapterRequest {
  /** Its method, like `POST`. */
  readonly method: string
  /** Path and query, as they came: the way back after a login. Nothing is decided by it. */
  readonly url: string
  /** A header by its name in small letters. Several of one name are joined by a comma, as HTTP has it. */
  header(name: string): string | undefined
  /** The body, parsed: an object of the fields in JSON or a form. Any other value is answered with 400. */
  body(): unknown
  /** The client's address as the framework tells it behind the proxies that you trust. */
  readonly ip: string | undefined
  /** Adds a `Set-Cookie` header to the answer, whichever that will be. */
  setCookie(cookie: string): void
}

/** The answer to a request. An adapter sends it as it is. */
export interface AdapterAnswer {
  /** The HTTP status. */
  status: number
  /** Headers by their names in small letters. */
  headers: Record<string, string>
  /** The body, to be sent as JSON. A redirection has none. */
  body: Record<string, unknown> | undefined
  /** The user whom a login or a second step has let in; nobody in any other answer. It is not sent. */
  entered: { account?: string | undefined; user: string } | undefined
}

/** Whether the request is one of a person who moves to a page, and so is sent on, and is not answered with JSON. */
export function isNavigation(request: AdapterRequest): boolean {
  const mode = request.header('sec-fetch-mode')
  if (mode !== undefined) return mode === 'navigate'
  if (request.header('x-requested-with') !== undefined) return false
  return /(^|,)\s*text\/html\s*(;|,|$)/i.test(request.header('accept') ?? '')
}

/** Whether the request changes nothing, by its method. */
export const isSafe = ({ method }: AdapterRequest): boolean => /^(GET|HEAD|OPTIONS)$/i.test(method)
