// npm run test:long: the model of the rules, ten times as long as in npm test, and the long groups of the table. The model
// prints the seed, the steps, and how often each command had each result. With an option it runs alone.
//   npm run test:long -- --steps 5000000 --seed 7
import { parseArgs } from 'node:util'
import { at, main, Problem, run } from './common.mjs'
import { LONG_GROUPS, MODEL, modelEnv } from './steps.mjs'

await main(import.meta.url, async () => {
  const { values } = parseArgs({ options: { steps: { type: 'string' }, seed: { type: 'string' } } })
  for (const [name, value] of Object.entries(values)) {
    if (!/^\d{1,15}$/.test(value)) throw new Problem(`--${name} must be a number.`)
  }
  const { steps = '1000000', seed } = values
  const [program, ...args] = MODEL
  await run(program, args, { env: modelEnv(steps, seed), minutes: 120 })
  if (Object.keys(values).length > 0) return
  await run(process.execPath, [at('scripts/test.mjs'), '--only', LONG_GROUPS.join(',')], { minutes: 60 })
})
