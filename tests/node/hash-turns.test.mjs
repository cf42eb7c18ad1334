// In an edge worker no call may wait for another one, and still one call of a user hashes at a time. The file is used as the build for
// edge workers has it; the clock is moved by hand.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import esbuild from 'esbuild'
import { at } from '../../scripts/common.mjs'

const built = await esbuild.build({ entryPoints: [at('js/hash-turns.ts')], bundle: true, format: 'esm', write: false })
/** @type {{ hashTurns: (store: any) => { join(id: any): any } }} */
const { hashTurns } = await import(
  `data:text/javascript;base64,${Buffer.from(built.outputFiles[0].contents).toString('base64')}`
)

const store = { load: async () => undefined, save: async () => true }
const ann = { user: 'ann' }

/** Moves the clock on, and lets those go on who waited for it. */
async function advance(t, milliseconds) {
  for (let passed = 0; passed < milliseconds; passed += 20) {
    t.mock.timers.tick(20)
    await new Promise((resolve) => setImmediate(resolve))
  }
}

/** A place in line, with whether it has its turn. */
function joined(turns, id) {
  const place = { ...turns.join(id), state: 'waits' }
  place.turn.then(
    () => (place.state = 'has its turn'),
    (error) => (place.state = error.code),
  )
  return place
}

test('one call of a user has its turn at a time, and other users have theirs', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout', 'Date'], now: 1_800_000_000_000 })
  const turns = hashTurns(store)
  const [first, second, other] = [ann, ann, { user: 'bob' }].map((id) => joined(turns, id))
  await advance(t, 500)
  assert.deepEqual([first.isFirst, second.isFirst, other.isFirst], [true, false, true])
  assert.deepEqual([first.state, second.state], ['has its turn', 'waits'])
  first.leave()
  await advance(t, 20)
  assert.equal(second.state, 'has its turn')
})

test('a call that never leaves, because its request ended, holds the others up for three seconds', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout', 'Date'], now: 1_800_000_000_000 })
  const turns = hashTurns(store)
  const [gone, next] = [joined(turns, ann), joined(turns, ann)]
  await advance(t, 2_900)
  assert.equal(next.state, 'waits')
  await advance(t, 200)
  assert.equal(next.state, 'has its turn')
  gone.leave()
  assert.equal(joined(turns, ann).isFirst, false, 'it does not end the turn of the next one')
})

test('a call that has waited for five seconds is told `busy`', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout', 'Date'], now: 1_800_000_000_000 })
  const turns = hashTurns(store)
  const waiting = Array.from({ length: 4 }, () => joined(turns, ann))
  await advance(t, 5_200)
  assert.deepEqual(
    waiting.map(({ state }) => state),
    ['has its turn', 'has its turn', 'busy', 'busy'],
  )
})
