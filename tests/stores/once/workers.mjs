// Starts processes of a service on one store, and hears their replies.
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'

/**
 * A process. It ends with the test.
 * @param {import('../servers/server.mjs').Ends} t
 * @param {string} kind  of KINDS
 */
export async function startWorker(t, kind, address) {
  const child = fork(join(import.meta.dirname, 'worker.mjs'), [kind], { serialization: 'advanced' })
  const exited = once(child, 'exit')
  t.after(async () => {
    child.kill('SIGKILL')
    await exited
  })
  /** @type {Map<number, { report(reply: any): void, done(): void, fail(error: Error): void }>} */
  const asked = new Map()
  child.on('message', (/** @type {any} */ { number, reply, failed }) => {
    const { report, done, fail } = asked.get(number)
    if (reply !== undefined) return report(reply)
    asked.delete(number)
    if (failed === undefined) done()
    else fail(new Error(failed))
  })
  exited.then(() => {
    for (const { done } of asked.values()) done() // What it said until then is all that it said.
    asked.clear()
  })
  let numbers = 0
  const ask = (job, input, report = (_reply) => {}) =>
    new Promise((resolve, reject) => {
      const number = ++numbers
      if (!child.connected) return reject(new Error('the process has ended'))
      asked.set(number, { report, done: () => resolve(undefined), fail: reject })
      child.send({ number, job, input })
    })
  await ask('open', { address })
  return {
    isAlive: () => child.exitCode === null && child.signalCode === null,
    exited,
    open: (address) => ask('open', { address }),
    /** The replies that left: for each, which login it was and its result. */
    async verify(input, heard = (_reply) => {}) {
      /** @type {{ at: number, result: string }[]} */
      const replies = []
      await ask('verify', input, (reply) => {
        replies.push(reply)
        heard(reply)
      })
      return replies
    },
  }
}

/** Several processes. */
export const startWorkers = (t, kind, address, count = 4) =>
  Promise.all(Array.from({ length: count }, () => startWorker(t, kind, address)))

/** How often each result came. @param {{ result: string }[]} replies @returns {Record<string, number>} */
export function countsOf(replies) {
  const counts = {}
  for (const { result } of replies) counts[result] = (counts[result] ?? 0) + 1
  return counts
}
