// The answers of an interaction, in the form of the core's.
import type { AdapterAnswer } from '../adapter.js'

/** An answer with this status and body. Nothing of a login is kept by a cache. */
export const answer = (
  status: number,
  body: Record<string, unknown>,
  headers: Record<string, string> = {},
): AdapterAnswer => ({ status, headers: { 'cache-control': 'no-store', ...headers }, body })

/** Sends the person on. */
export const redirection = (location: string): AdapterAnswer => ({
  status: 303,
  headers: { 'cache-control': 'no-store', location },
  body: undefined,
})
