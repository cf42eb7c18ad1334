// A service that runs for long does not grow: after a million codes, a million questions and many logins the module has the pages, and
// the process nearly the memory, that it had after the first tenth.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createSecondFactor, generateKeys, memoryStore, totp } from 'countersign'
import { wasmMemory } from 'countersign/testing'

const MILLION = 1_000_000
/** The collector leaves some behind, and pages stay with the process. */
const slackBytes = 24_000_000

/** Runs `call` so many times, and compares the memory at the end with that after a tenth. */
async function staysLevel(times, call) {
  const tenth = times / 10
  let early
  for (let done = 0; done < times; done += 1) {
    if (done === tenth) early = memory()
    await call(done)
  }
  const late = memory()
  console.log(
    `${times} calls: module ${early.module} → ${late.module} bytes, process ${early.process} → ${late.process} bytes`,
  )
  assert.equal(late.module, early.module)
  assert.ok(late.process <= early.process + slackBytes, `the process grew by ${late.process - early.process} bytes`)
}

function memory() {
  const { gc } = globalThis
  if (gc === undefined) throw new Error('run this file with node --expose-gc')
  gc()
  return { module: wasmMemory().length, process: process.memoryUsage.rss() }
}

async function enrolled() {
  let now = 1_800_000_000
  const factor = createSecondFactor({
    policy: { v: 1, name: 'Acme', origin: 'https://acme.example' },
    keys: generateKeys(),
    store: memoryStore(),
    clock: () => now,
  })
  const { secret, setup } = /** @type {any} */ (await factor.enrollTotp({ user: 'ann', session: 's', label: 'ann' }))
  const code = () => totp.generate({ secret, time: now })
  const { pass } = /** @type {any} */ (await factor.confirmTotp({ user: 'ann', session: 's', setup, code: code() }))
  return { factor, pass, code, advance: (seconds) => (now += seconds) }
}

test('a million codes are compared in the memory of a hundred thousand', async () => {
  const secret = totp.secret()
  const code = totp.generate({ secret, time: 59 })
  await staysLevel(MILLION, async (done) => {
    // Waits now and then, as a service does: memory that waits for the end of a turn is given back there.
    if (done % 100 === 0) await undefined
    const { valid } = totp.verify({ secret, code: done % 2 === 0 ? code : '12345', time: 59 })
    assert.equal(valid, done % 2 === 0)
  })
})

test('a million questions are answered in the memory of a hundred thousand', async () => {
  const { factor, pass } = await enrolled()
  await staysLevel(MILLION, async () => {
    const { result } = await factor.check({ user: 'ann', session: 's', pass })
    assert.equal(result, 'in')
  })
})

test('forty thousand logins take the memory of four thousand', async () => {
  const { factor, code, advance } = await enrolled()
  await staysLevel(40_000, async () => {
    // Two steps on: where the next step has the same code, that step is used too, and the login after this one would be refused.
    advance(60)
    const begun = /** @type {any} */ (await factor.begin({ user: 'ann', session: 'before' }))
    const given = { ticket: begun.ticket, session: 'before', newSession: 's', method: 'totp', code: code() }
    assert.equal((await factor.verify(given)).result, 'verified')
  })
})
