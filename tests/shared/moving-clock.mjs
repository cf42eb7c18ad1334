// A clock for a process that reads `Date.now`: it moves when it is told.
import { once } from 'node:events'

/** Options of Node for a process with such a clock. It needs the channel `ipc`. */
export function withClock(seconds) {
  const clock = `
let now = ${seconds * 1_000}
Date.now = () => now
process.on('message', (time) => {
  now = time
  process.send('set')
})`
  return ['--import', `data:text/javascript,${encodeURIComponent(clock)}`]
}

/** @param {import('node:child_process').ChildProcess} child */
export async function setClock(child, seconds) {
  child.send(seconds * 1_000)
  await once(child, 'message')
}
