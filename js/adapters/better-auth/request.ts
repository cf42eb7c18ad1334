// A request to better-auth in the words of the core of the adapters.
import type { PlacedRequest } from '../../adapter.js'
import { SESSION_HEADER } from '../../adapter.js'
import type { Means } from './sessions.js'
import type { EndpointContext } from './types.js'

/** The request. better-auth has parsed its body. */
export function requestOf(means: Means, endpoint: EndpointContext): PlacedRequest {
  const origin = endpoint.headers?.get('origin')
  // The origins that better-auth trusts are ours too: its own, and those of front ends elsewhere.
  const isTrusted = typeof origin === 'string' && endpoint.context.isTrustedOrigin(origin)
  return {
    method: endpoint.method,
    url: endpoint.path,
    header: (name) => {
      if (name === SESSION_HEADER) return undefined // a native client's value, which `half-way.ts` reads
      if (name === 'sec-fetch-site' && isTrusted) return 'same-origin'
      return endpoint.headers?.get(name) ?? undefined
    },
    body: () => endpoint.body,
    ip: means.ipOf(endpoint.headers),
    setCookie: (cookie) => endpoint.responseHeaders.append('set-cookie', cookie),
  }
}
