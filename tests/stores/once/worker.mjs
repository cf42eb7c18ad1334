// A process of a service: it opens the store of a kind by a pool of its own and checks codes, as its parent asks. Each reply
// leaves as it is made.
import { createSecondFactor } from 'countersign'
import { KINDS, withoutCompareAndSet } from './kinds.mjs'

const [kind] = process.argv.slice(2)
/** @type {Awaited<ReturnType<(typeof KINDS)[string]>> | undefined} */
let opened

const JOBS = {
  /** Opens the store, and leaves the one before to its fate: its server may be dead. */
  async open({ address }) {
    opened = await KINDS[kind](address)
  },
  /** Brings each of the logins `times` times at once, by so many hosts. `flaw` is one of FLAWS. */
  async verify({ policy, keys, time, logins, times, hosts: count, flaw }, report) {
    const store = flaw === undefined ? opened.store : FLAWS[flaw](opened.store)
    const hosts = Array.from({ length: count }, () =>
      createSecondFactor({
        policy,
        keys,
        store,
        sendSms() {},
        onEffectError() {},
        clock: () => time,
        hashing: 'inline',
      }),
    )
    const calls = Array.from({ length: times }, (_, n) => logins.map((login, at) => ({ login, at, n }))).flat()
    await Promise.all(
      calls.map(async ({ login, at, n }) => {
        const reply = await hosts[n % hosts.length].verify(login).catch((error) => ({ result: `error: ${error.code}` }))
        report({ at, result: reply.result })
      }),
    )
  },
}

/** Stores as they must not be, and a process as it may be. */
const FLAWS = {
  'no compare-and-set': withoutCompareAndSet,
  /** The first write lands, and no reply leaves. */
  'dies after a save': (store) => ({
    load: (id) => store.load(id),
    async save(...of) {
      const saved = await store.save(...of)
      if (saved) process.kill(process.pid, 'SIGKILL')
      return saved
    },
  }),
}

process.on('message', async (/** @type {any} */ { number, job, input }) => {
  try {
    await JOBS[job](input, (reply) => process.send({ number, reply }))
    process.send({ number, done: true })
  } catch (error) {
    process.send({ number, failed: String(error?.stack ?? error) })
  }
})
process.on('disconnect', () => process.exit())
