// One request to an SMS gateway, and what its failure means. The gateways beside this file share it; docs/sms-gateways.md
// explains it.
//
// A message gives its slot in the budget back only after `SmsNeverLeft`. So that is thrown where the message definitely never
// left: no connection was made, or the gateway refused the request. After anything else, such as no answer in time, a
// connection that was cut, a 5xx or an answer that nobody understands, the message may be on its way.
//
// No error has a number, a code or a credential in it: neither a URL, nor a body, nor the text of an error of others.
import { SmsNeverLeft } from 'countersign'

/** In milliseconds, for the whole answer. The person at the login waits for it. */
const TIMEOUT = 10_000

/**
 * A setting from the environment. Without it, or with a line break in it, the service does not start.
 * @param {string} name
 * @param {string} [preset]
 */
export function setting(name, preset) {
  const value = process.env[name] ?? preset
  if (value === undefined || !/^[ -~]*$/.test(value)) throw new Error(`set ${name}, in one line of ASCII`)
  return value
}

/** The header of HTTP's basic authentication. @param {string} name @param {string} password */
export const basic = (name, password) => `Basic ${Buffer.from(`${name}:${password}`).toString('base64')}`

/**
 * Posts once. A second try might send a second message, and the person can ask for one.
 * @param {string | URL | Request} request
 * @param {RequestInit} [init]
 * @returns {Promise<{ status: number, text: string }>}
 */
export async function post(request, init) {
  try {
    // A redirect is not followed: it would take number and code to another address.
    const options = { method: 'POST', redirect: /** @type {const} */ ('manual'), signal: AbortSignal.timeout(TIMEOUT) }
    const answer = await fetch(request, { ...init, ...options })
    const text = await answer.text().catch(() => '') // cut in the middle: the status tells
    return { status: answer.status, text }
  } catch (error) {
    const reason = nameOf(error.cause?.code ?? error.name)
    if (wasNeverConnected(error)) throw new SmsNeverLeft(`the gateway cannot be reached: ${reason}`)
    throw new Error(`the gateway gave no answer: ${reason}`)
  }
}

/** Whether no connection was made: no such host, refused, no route. Several addresses of a host have an error each. */
function wasNeverConnected({ cause }) {
  const errors = cause?.errors?.length > 0 ? cause.errors : [cause]
  return errors.every(
    (error) => ['getaddrinfo', 'connect'].includes(error?.syscall) || error?.code === 'UND_ERR_CONNECT_TIMEOUT',
  )
}

/**
 * The error for an answer that is no success. `code` is the gateway's own code for it, and `refused` whether the message
 * definitely never left.
 * @param {{ status: number }} answer
 * @param {unknown} code
 */
export function failure({ status }, code, refused = isRefusal(status)) {
  const text = `status ${status}, code ${nameOf(code)}`
  return refused
    ? new SmsNeverLeft(`the gateway refused the message: ${text}`)
    : new Error(`the gateway may have sent the message: ${text}`)
}

// 408: a proxy gave up waiting. 409: the same message may be under way.
const isRefusal = (status) => status >= 400 && status < 500 && status !== 408 && status !== 409

/** A code that is safe to log: a short word, or a number that is too short for one of a phone. @param {unknown} code */
function nameOf(code = 'none') {
  const text = typeof code === 'object' ? '' : String(code)
  return /^(?:\d{1,5}|[A-Za-z][\w.]{0,59})$/.test(text) ? text : 'unknown'
}

/** A body as JSON, or undefined. @param {string} text */
export function json(text) {
  try {
    return JSON.parse(text) ?? undefined
  } catch {
    return undefined // The error of JSON.parse quotes the body.
  }
}
