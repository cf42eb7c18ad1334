// npm run test:long: the long groups of the table. With an option the model of the rules runs alone; it prints the seed, the
// steps, and how often each command had each result.
//   npm run test:long -- --steps 5000000 --seed 7
import { parseArgs } from 'node:util'
import { at, main, Problem, run } from './common.mjs'
import { LONG_GROUPS, MODEL, modelEnv } from './steps.mjs'

await main(import.meta.url, async () => {
  const { values } = parseArgs({ options: { steps: { type: 'string' }, seed: { type: 'string' } } })
  for (const [name, value] of Object.entries(values)) {
    if (!/^\d{1,15}$/.test(value)) throw new Problem(`--${name} must be a number.`)
  }
  if (Object.keys(values).length === 0) {
    await run(process.execPath, [at('scripts/test.mjs'), '--only', LONG_GROUPS.join(',')], { minutes: 60 })
    return
  }
  const { steps = '1000000', seed } = values
  const [program, ...args] = MODEL
  await run(program, args, { env: modelEnv(steps, seed), minutes: 120 })
})
