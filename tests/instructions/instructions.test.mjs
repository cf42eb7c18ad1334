// Instructions of the core for one job, counted by callgrind, beside those in counts.json. A count does not depend on how busy the
// machine is; it differs by a few in a hundred between processors and compilers.
//   node tests/instructions/instructions.test.mjs --write    writes the counts of now
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { test } from 'node:test'
import { promisify } from 'node:util'
import { jobs } from '../../bench/instructions.mjs'
import { at } from '../../scripts/common.mjs'

const run = promisify(execFile)
const file = new URL('counts.json', import.meta.url)
/** @type {Record<string, number>} */
const expected = JSON.parse(readFileSync(file, 'utf8'))
const margin = 0.05
const times = 20

const program = await build()
for (const [job, title] of Object.entries(jobs)) {
  if (process.argv.includes('--write')) expected[job] = await costOf(job)
  else
    test(`${job}: ${title}`, async () => {
      const [cost, before] = [await costOf(job), expected[job]]
      console.log(`${job}: ${cost.toLocaleString('en')} instructions`)
      const advice = `${cost} instructions, and ${before} in counts.json: see what changed, or write it anew by --write`
      assert.ok(Math.abs(cost / before - 1) <= margin, advice)
    })
}
if (process.argv.includes('--write')) writeFileSync(file, `${JSON.stringify(expected, undefined, 2)}\n`)

/** The benchmark program, as its own path. */
async function build() {
  const { stdout } = await run(
    'cargo',
    ['bench', '--locked', '--no-run', '--bench', 'instructions', '--message-format', 'json'],
    {
      cwd: at('.'),
      maxBuffer: 1e8,
    },
  )
  const built = stdout
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line))
  return built.findLast(({ executable, target }) => executable && target.name === 'instructions').executable
}

/** The instructions for one: those of many, without those of the preparation. */
async function costOf(job) {
  return Math.round(((await instructions(job, times)) - (await instructions(job, 0))) / times)
}

async function instructions(job, number) {
  const callgrind = ['--tool=callgrind', '--callgrind-out-file=/dev/null']
  const { stderr } = await run('valgrind', [...callgrind, program, job, String(number)])
  return Number(/Collected : (\d+)/.exec(stderr)[1])
}
