// Runs the tests of the adapters, and compares the cases that passed with the table in docs/adapters.md.
//   node scripts/adapters.mjs            after a build; npm test does the same
//   node scripts/adapters.mjs --write    the same, and writes the table
//   node scripts/adapters.mjs --node 22  the cases that depend on Node.js, in this version, of those in tests/runtimes/engines
//   node scripts/adapters.mjs --long     those in tests/adapters/long, on other runtimes and variants; `--write` writes their part of the table
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { at, has, main, Problem, run } from './common.mjs'

const ROWS = 'target/adapters/rows'
const MATRIX = 'tests/adapters/matrix.json'
const GUIDE = 'docs/adapters.md'

/**
 * The cases that an adapter passed, and those that its framework cannot have, each with the reason.
 * @typedef {{ name: string, passed: string[], without: Record<string, string>, long?: boolean }} Row
 */

/**
 * The table of the guide: a line for each case, a column for each adapter.
 * @param {Row[]} rows
 */
export function table(rows) {
  const cases = [...new Set(rows.flatMap(({ passed, without }) => [...passed, ...Object.keys(without)]))]
  const notes = [...new Set(rows.flatMap(({ without }) => Object.values(without)))]
  const cell = ({ passed, without }, title) =>
    passed.includes(title) ? '✓' : title in without ? `[${notes.indexOf(without[title]) + 1}]` : ''
  return [
    `| | ${rows.map(({ name }) => name).join(' | ')} |`,
    `|---|${rows.map(() => ':-:|').join('')}`,
    ...cases.map((title) => `| ${title} | ${rows.map((row) => cell(row, title)).join(' | ')} |`),
    ...(notes.length > 0 ? ['', notes.map((note, index) => `[${index + 1}] ${note}`).join('  \n')] : []),
  ].join('\n')
}

/**
 * The guide with this table between its marks.
 * @param {string} guide @param {Row[]} rows
 */
export const withTable = (guide, rows) =>
  guide.replace(
    /(<!-- conformance -->\n)[\s\S]*?(<!-- end of conformance -->)/,
    (_, start, end) => `${start}\n${table(rows)}\n\n${end}`,
  )

await main(import.meta.url, async () => {
  const { values } = parseArgs({
    options: { write: { type: 'boolean' }, node: { type: 'string' }, long: { type: 'boolean', default: false } },
  })
  rmSync(at(ROWS), { recursive: true, force: true })
  mkdirSync(at(ROWS), { recursive: true })
  const env = values.node === undefined ? {} : { COUNTERSIGN_EXAMPLE_NODE: await engine(values.node) }
  const folder = values.long ? 'tests/adapters/long' : 'tests/adapters'
  const hasCases = (name) => readFileSync(at(folder, name), 'utf8').includes('conforms(')
  const files = readdirSync(at(folder)).filter(
    (name) => name.endsWith('.test.mjs') && (values.node === undefined || hasCases(name)),
  )
  const options = ['--test', '--test-reporter=spec', '--test-timeout=900000', '--test-concurrency=2']
  await run(process.execPath, [...options, ...files.map((name) => `${folder}/${name}`)], { minutes: 30, env })
  if (values.node !== undefined) return
  /** @type {Row[]} */
  const before = has(MATRIX) ? JSON.parse(readFileSync(at(MATRIX), 'utf8')) : []
  /** @type {Row[]} */
  const made = readdirSync(at(ROWS)).map((name) => JSON.parse(readFileSync(at(ROWS, name), 'utf8')))
  const others = before.filter(({ long = false }) => long !== values.long)
  const rows = [...others, ...made.map((row) => (values.long ? { ...row, long: true } : row))].sort((a, b) =>
    a.name.localeCompare(b.name, 'en'),
  )
  if (values.write) {
    writeFileSync(at(MATRIX), `${JSON.stringify(rows, null, 2)}\n`)
    writeFileSync(at(GUIDE), withTable(readFileSync(at(GUIDE), 'utf8'), rows))
  } else if (JSON.stringify(rows) !== JSON.stringify(before))
    throw new Problem(`The table in ${GUIDE} has other rows than this run. Run the same with --write.`)
})

/** The program of a version of Node.js, installed beside the other runtimes. */
async function engine(version) {
  const { folderOf } = await import('../tests/runtimes/support.mjs')
  return join(await folderOf('engines'), `node_modules/node-${version}-${process.arch}/bin/node`)
}
