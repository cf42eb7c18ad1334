// npm run test:long: the model of the rules, ten times as long as in npm test. It prints the seed, the steps, and how
// often each command had each result.
//   npm run test:long -- --steps 5000000 --seed 7
import { parseArgs } from 'node:util'
import { main, Problem, run } from './common.mjs'
import { MODEL, modelEnv } from './steps.mjs'

await main(import.meta.url, async () => {
  const { values } = parseArgs({
    options: { steps: { type: 'string', default: '1000000' }, seed: { type: 'string' } },
  })
  for (const name of ['steps', 'seed']) {
    if (values[name] !== undefined && !/^\d{1,15}$/.test(values[name])) throw new Problem(`--${name} must be a number.`)
  }
  const [program, ...args] = MODEL
  await run(program, args, { env: modelEnv(values.steps, values.seed), minutes: 120 })
})
