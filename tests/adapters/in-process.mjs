// A second factor in the process of a test, for apps that a test builds itself.
import assert from 'node:assert/strict'
import { request } from 'node:http'
import { createSecondFactor, generateKeys, memoryStore, otpauth, totp } from 'countersign'
import { POLICY } from './service.mjs'

/** A second factor on a store in memory, with a clock that stands. */
export function memorySecondFactor(policy = {}) {
  let now = Math.floor(Date.now() / 1_000)
  const secondFactor = createSecondFactor({
    policy: { ...POLICY, ...policy },
    keys: generateKeys(),
    store: memoryStore(),
    sendSms: async () => {},
    clock: () => now,
  })
  return { secondFactor, now: () => now, advance: (seconds) => (now += seconds) }
}

/** Sets up an app for the user whose browser this is, and gives the function that tells its next code. */
export async function setUpApp(browser, { now, advance }) {
  const begun = await browser.post('/second-factor/enroll-totp')
  const { secret } = otpauth.parse(begun.body.uri)
  const nextCode = () => {
    advance(30)
    return totp.generate({ secret, time: now() })
  }
  const done = await browser.post('/second-factor/confirm-totp', { setup: begun.body.setup, code: nextCode() })
  assert.equal(done.body.result, 'enrolled', done.text)
  return nextCode
}

/** Sends a request whose path nobody has rewritten, and gives the status; 0 where the answer is no HTTP, or none comes. */
export function sendRaw(origin, { method = 'GET', path, headers = {} }) {
  const { hostname, port } = new URL(origin)
  return new Promise((resolve) => {
    const sent = request({ hostname, port, method, path, headers, agent: false }, (answer) => {
      answer.resume().on('end', () => resolve(answer.statusCode))
    })
    sent.once('error', () => resolve(0)).end()
  })
}

/** The cookies of a browser as a header. */
export const cookieOf = ({ cookies }) => [...cookies].map(([name, value]) => `${name}=${value}`).join('; ')
