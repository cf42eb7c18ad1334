// The last look at a response: an endpoint that gives a `Response` of its own passes the hooks by, and a plugin may add to an answer
// after them.
import { holds, scrubHeaders } from './scrub.js'
import { beginState, checkSession, type Means, storedSession, unwatched } from './sessions.js'
import type { AuthContext } from './types.js'

/** Takes closed sessions out of a response. Gives another one, or nothing where it stays. */
export async function watchResponse(
  means: Means,
  response: Response,
  context: AuthContext,
): Promise<{ response: Response } | undefined> {
  const { created, closed, settled } = beginState(context)
  for (const { token } of created) {
    if (closed.has(token) || settled.has(token)) continue
    const found = await storedSession(context, token)
    if (found === undefined || (await checkSession(means, found)).result === 'in') continue
    // No hook has seen this answer: nobody has asked for a second factor.
    closed.add(token)
    await unwatched(context).deleteSession(token)
  }
  if (closed.size === 0) return undefined
  const headers = new Headers(response.headers)
  scrubHeaders(headers, context, closed)
  const body = response.body === null ? null : await response.text()
  if (body !== null && holds(body, closed))
    return { response: Response.json(LOG_IN_AGAIN, { status: 401, headers: NO_STORE }) }
  return { response: new Response(body, { status: response.status, statusText: response.statusText, headers }) }
}

const LOG_IN_AGAIN = {
  code: 'LOG_IN_FIRST',
  result: 'log_in_first',
  message: 'this way in cannot ask for a second factor',
}
const NO_STORE = { 'cache-control': 'no-store' }
