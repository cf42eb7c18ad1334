// A second factor in this process, with a clock of its own, for tests that build an app of theirs.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createSecondFactor, generateKeys, memoryStore, totp } from 'countersign'
import { fixedClock } from 'countersign/testing'
import { POLICY } from './service.mjs'

/** A second factor, and the means to set up an app and to show its codes. */
export function people({ store = memoryStore() } = {}) {
  const clock = fixedClock(1_800_000_000)
  const secondFactor = createSecondFactor({
    policy: { ...POLICY, methods: ['totp'] },
    keys: generateKeys(),
    store,
    sendSms: () => {},
    clock,
  })
  /** The code that the app of a secret shows, later than any before it. */
  const code = (secret) => {
    clock.advance(30)
    return totp.generate({ secret, time: clock() })
  }
  return {
    secondFactor,
    clock,
    code,
    /** Sets up an app for a user, and gives its secret. */
    async enroll(user) {
      const begun = await secondFactor.enrollTotp({ user, session: 'at-the-desk', label: user })
      const secret = begun.secret.replaceAll(' ', '')
      const done = await secondFactor.confirmTotp({
        user,
        session: 'at-the-desk',
        setup: begun.setup,
        code: code(secret),
      })
      assert.equal(done.result, 'enrolled')
      return secret
    },
  }
}

/**
 * The origin at which a server listens. It ends with the test `t`.
 * @param {{ after(end: () => unknown): void }} t
 * @param {import('node:http').Server} server
 */
export async function listening(t, server) {
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => {
    server.close()
    server.closeAllConnections()
  })
  const address = /** @type {import('node:net').AddressInfo} */ (server.address())
  return { origin: `http://127.0.0.1:${address.port}` }
}
