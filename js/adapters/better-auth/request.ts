// A request to better-auth in the words of the core of the adapters.
import type { PlacedRequest } from '../../adapter.js'
import { SESSION_HEADER } from '../../adapter.js'
import type { Means } from './sessions.js'
import type { EndpointContext } from './types.js'

/** The request. better-auth has looked at its origin already, and parsed its body. */
export function requestOf(means: Means, endpoint: EndpointContext): PlacedRequest {
  return {
    method: endpoint.method,
    url: endpoint.path,
    // The value of a native client is read by `half-way.ts`. Whether to redirect is told by the endpoint.
    header: (name) => (HIDDEN.has(name) ? undefined : (endpoint.headers?.get(name) ?? undefined)),
    body: () => endpoint.body,
    ip: means.ipOf(endpoint.headers),
    setCookie: (cookie) => endpoint.responseHeaders.append('set-cookie', cookie),
  }
}

const HIDDEN = new Set([SESSION_HEADER])
