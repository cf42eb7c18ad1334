// npm run bench -- --only stores: logins through each store, on a real server, at growing numbers of users at once and of records,
// beside better-auth with its own plug-in on the same database in the same process. The candidates take turns, and the median of the
// rounds counts. Each database has a process of its own.
// @ts-nocheck: the peers are installed only by `npm run bench`
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { makePeople } from './load-people.mjs'

const SIZES = [1_000, 10_000, 100_000, 1_000_000]
const USERS = [1, 10, 100]
const DATABASES = ['memory', 'SQLite', 'PostgreSQL', 'MariaDB', 'Redis']

/** @returns {Promise<import('./load-tables.mjs').Load>} */
export async function benchLoad({ rounds, seconds, without = [], sizes = SIZES }) {
  const folder = mkdtempSync(join(tmpdir(), 'countersign-load-'))
  const file = join(folder, 'people.json')
  try {
    console.log(`makes ${sizes.at(-1).toLocaleString('en')} records`)
    writeFileSync(file, JSON.stringify({ people: await makePeople(sizes), users: USERS, rounds, seconds, sizes }))
    const figures = []
    const costs = {}
    for (const database of DATABASES) {
      if (without.includes(database)) continue
      const result = await inProcess(database, file)
      figures.push(...result.figures.map((figure) => ({ database, ...figure })))
      costs[database] = result.costs
    }
    return { figures, costs, left: without }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

async function inProcess(database, file) {
  const child = fork(fileURLToPath(new URL('load-of.mjs', import.meta.url)), [database, file], {
    execArgv: ['--max-old-space-size=12000'],
  })
  const ended = once(child, 'exit')
  const [result] = await Promise.race([once(child, 'message'), ended.then(() => [undefined])])
  if (typeof result !== 'object') throw new Error(`${database} ended without a result; its error is above`)
  await ended
  return result
}
