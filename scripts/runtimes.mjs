// Runs the suite of tests/runtimes in every runtime, and what bundlers and test runners make of a small app. Each group has its packages
// in target/runtimes, by the lock file in its folder. The rows that passed must be those of the matrix in docs/runtimes.md.
//   node scripts/runtimes.mjs            after a build; npm run test:long does the same
//   node scripts/runtimes.mjs --write    the same, and writes the matrix
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { at, has, main, Problem, run } from './common.mjs'

const ROWS = 'target/runtimes/rows'
const MATRIX = 'tests/runtimes/matrix.json'
const GUIDE = 'docs/runtimes.md'

/** The order of the table. */
const ORDER = [
  ...['Node', 'Bun', 'Deno', 'workerd', 'wrangler', 'Chromium', 'Firefox'],
  ...['esbuild', 'Rollup', 'webpack', 'Vite ', 'Next', 'Jest', 'Vitest'],
]
const place = (row) => ORDER.findIndex((start) => row.in.startsWith(start))

/** The table of the guide, made from the rows. */
export function table(rows) {
  const lines = rows.map((row) => `| ${row.in} | ${row.version} | ${row.how} | ${row.note ?? ''} |`)
  return ['| in | version | how | needs |', '|---|---|---|---|', ...lines].join('\n')
}

/** The guide with this table between its marks. */
export const withTable = (guide, rows) =>
  guide.replace(
    /(<!-- matrix -->\n)[\s\S]*?(\n<!-- end of matrix -->)/,
    (_, start, end) => `${start}${table(rows)}${end}`,
  )

/** Versions are those of one run, and a newer one is no failure. */
const withoutVersions = (rows) => table(rows.map((row) => ({ ...row, version: '' })))

await main(import.meta.url, async () => {
  rmSync(at(ROWS), { recursive: true, force: true })
  mkdirSync(at(ROWS), { recursive: true })
  const files = readdirSync(at('tests/runtimes')).filter((name) => name.endsWith('.test.mjs'))
  // One after another, because files share the folders of their groups.
  const options = ['--test', '--test-reporter=spec', '--test-timeout=1800000', '--test-concurrency=1']
  await run(process.execPath, [...options, ...files.map((name) => `tests/runtimes/${name}`)], { minutes: 60 })
  const rows = readdirSync(at(ROWS))
    .map((name) => JSON.parse(readFileSync(at(ROWS, name), 'utf8')))
    .sort((a, b) => place(a) - place(b) || `${a.in} ${a.how}`.localeCompare(`${b.in} ${b.how}`))
  if (process.argv.includes('--write')) {
    writeFileSync(at(MATRIX), `${JSON.stringify(rows, null, 2)}\n`)
    writeFileSync(at(GUIDE), withTable(readFileSync(at(GUIDE), 'utf8'), rows))
  }
  const before = has(MATRIX) ? JSON.parse(readFileSync(at(MATRIX), 'utf8')) : []
  if (withoutVersions(rows) !== withoutVersions(before))
    throw new Problem(`The matrix in ${GUIDE} has other rows than this run. Run: node scripts/runtimes.mjs --write`)
})
