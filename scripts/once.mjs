// node scripts/once.mjs: brings 1,000 identical codes at once, from four processes, on each server and by each method, again and
// again, and 1,000 wrong ones; prints how often a code worked and how many wrong ones were compared. Run it by hand, not in
// CI: 100 rounds take an hour.
//   node scripts/once.mjs --rounds 100 --only PostgreSQL,Redis
import { parseArgs } from 'node:util'
import { METHODS } from '../tests/stores/once/people.mjs'
import { AT_ONCE, CAPS, racing, SERVERS } from '../tests/stores/once/rounds.mjs'
import { countsOf } from '../tests/stores/once/workers.mjs'
import { main, Problem, seconds } from './common.mjs'

await main(import.meta.url, async () => {
  const { rounds, servers } = options()
  let failures = 0
  console.log(`${rounds} rounds of ${AT_ONCE} codes each, from four processes\n`)
  console.log('| server | method | worked, each round | wrong ones compared, each round | other replies | time |')
  console.log('|---|---|---|---|---|---|')
  for (const server of servers) {
    /** @type {(() => unknown)[]} */
    const ends = []
    try {
      const at = await racing({ after: (end) => ends.unshift(end) }, server)
      for (const method of METHODS) {
        const start = performance.now()
        const worked = new Set()
        const compared = new Set()
        const others = new Set()
        for (let round = 0; round < rounds; round += 1) {
          const { verified = 0, ...refused } = countsOf(await at.right(method))
          worked.add(verified)
          for (const result of Object.keys(refused)) others.add(result)
          if (method in CAPS) compared.add(countsOf(await at.wrong(method)).wrong ?? 0)
        }
        const isGood =
          [...worked].every((count) => count === 1) &&
          [...compared].every((count) => count === CAPS[method]) &&
          ![...others].some((result) => result.startsWith('error'))
        if (!isGood) failures += 1
        const texts = [worked, compared, others].map((set) => [...set].sort().join(', ') || 'no cap')
        console.log(`| ${[server, method, ...texts, seconds(start)].join(' | ')} |${isGood ? '' : ' FAILED'}`)
      }
    } finally {
      for (const end of ends) await end()
    }
  }
  if (failures > 0) throw new Problem(`${failures} rows do not hold.`)
})

function options() {
  const usage = `Usage: node scripts/once.mjs [--rounds 100] [--only ${Object.keys(SERVERS).join(',')}]`
  const { values } = parseArgs({ options: { rounds: { type: 'string' }, only: { type: 'string' } }, strict: false })
  const rounds = Number(values.rounds ?? 100)
  const servers = typeof values.only === 'string' ? values.only.split(',') : Object.keys(SERVERS)
  if (!(rounds >= 1) || servers.some((name) => !(name in SERVERS))) throw new Problem(usage)
  return { rounds, servers }
}
