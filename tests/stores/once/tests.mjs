// The tests that a code works once, for each server and method. COUNTERSIGN_ROUNDS overrides how often each runs.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { without } from '../servers/server.mjs'
import { METHODS } from './people.mjs'
import { AT_ONCE, CAPS, racing, SERVERS } from './rounds.mjs'
import { countsOf } from './workers.mjs'

/** @param {number} byDefault */
export function onceTests(byDefault) {
  const rounds = Number(process.env.COUNTERSIGN_ROUNDS ?? byDefault)
  for (const [server, { needs }] of Object.entries(SERVERS))
    test(`on ${server}, ${AT_ONCE} codes at once from four processes`, { skip: without(...needs) }, async (t) => {
      const at = await racing(t, server)
      for (const method of METHODS) {
        await t.test(`${method}: the right one works once, ${rounds} times`, async () => {
          for (let round = 0; round < rounds; round += 1) holdsOnce(await at.right(method))
        })
        if (method in CAPS)
          await t.test(`${method}: of wrong ones ${CAPS[method]} are compared, ${rounds} times`, async () => {
            for (let round = 0; round < rounds; round += 1) holdsCap(await at.wrong(method), CAPS[method])
          })
      }
      await t.test('without the compare-and-set both would be seen', async () => {
        const flaw = 'no compare-and-set'
        await fails(async () => holdsOnce(await at.right('totp', flaw)))
        await fails(async () => holdsCap(await at.wrong('totp', flaw), CAPS.totp))
      })
    })
}

/** The right code: each of the others is refused, and no call fails. */
export function holdsOnce(replies) {
  const counts = countsOf(replies)
  const { verified, already_used = 0, expired = 0, wrong = 0, locked = 0 } = counts
  assert.equal(verified, 1, JSON.stringify(counts))
  assert.equal(verified + already_used + expired + wrong + locked, AT_ONCE, JSON.stringify(counts))
}

/** Wrong codes: as many are compared as may be, and no call fails. */
export function holdsCap(replies, cap) {
  assert.deepEqual(countsOf(replies), { wrong: cap, locked: AT_ONCE - cap })
}

/** Some of a few tries fails. */
async function fails(attempt) {
  for (let tries = 0; tries < 5; tries += 1) {
    try {
      await attempt()
    } catch (error) {
      assert.ok(error instanceof assert.AssertionError, String(error))
      return
    }
  }
  assert.fail('a flaw that no round has shown')
}
