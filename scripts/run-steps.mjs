// Runs one step of the table and reads from its output which tests ran and which failed.
import { inCi, Problem, run } from './common.mjs'

/**
 * @typedef {object} Result
 * @property {string} [failed]    the reason why the step failed
 * @property {string[]} names     the failed tests; for a step without tests, the files with errors
 * @property {{ passed: number, failed: number, skipped: number }} counts
 * @property {string} output
 */

/**
 * Never rejects for a step that fails.
 * @param {import('./steps.mjs').Step} step
 * @param {{ silent?: boolean, env?: Record<string, string>, minutes?: number }} [options]  silent: nothing is shown
 * @returns {Promise<Result>}
 */
export async function runStep({ command, tests, env: own }, { silent = false, env = {}, minutes = 45 } = {}) {
  let output = ''
  let failed
  try {
    const [program, ...args] = command()
    output = await run(program, args, { env: { ...env, ...own }, keep: !silent, silent, minutes })
  } catch (error) {
    if (!(error instanceof Problem)) throw error
    output = error.output ?? ''
    failed = /failed with exit code \d+|was stopped by \w+/.exec(error.message)?.[0] ?? error.message
  }
  // biome-ignore lint/suspicious/noControlCharactersInRegex: colors begin with the control character ESC
  const text = output.replace(/\x1b\[[\d;]*m|\x1b\]8;;.*?\x1b\\/g, '')
  const { counts, names } = READERS[tests ?? 'none'](text)
  if (counts.failed > 0) failed = `${counts.failed} failed`
  else if (tests && !failed && counts.passed === 0) failed = 'no test ran'
  else if (!failed && counts.skipped > 0 && inCi)
    failed = `${counts.skipped} skipped or to do; in CI every test must run`
  return { failed, names: failed ? [...new Set(names)] : [], counts, output }
}

const all = (text, pattern) => [...text.matchAll(pattern)].map(([, ...found]) => found)
const sum = (text, pattern) => all(text, pattern).reduce((total, [count]) => total + Number(count), 0)

const READERS = {
  rust(text) {
    const of = (word) => sum(text, new RegExp(`^test result: .*?(\\d+) ${word}`, 'gm'))
    const names = all(text, /^test (\S.*?) \.\.\. FAILED$/gm).map(([name]) => name)
    // A crate that does not compile has no tests to name.
    if (names.length === 0) names.push(...places(text))
    return { counts: { passed: of('passed'), failed: of('failed'), skipped: of('ignored') }, names }
  },
  node(text) {
    const of = (word) => sum(text, new RegExp(`^(?:ℹ|#) ${word} (\\d+)`, 'gm'))
    // A file in which no test was declared passes under its own name in Node 20.
    const empty = all(text, /^(✔) \S+\.test\.mjs \(/gm).length
    const names = all(text, /^test at (.+?)(?::\d+:\d+)?\n✖ (.+?) \([\d.]+ms\)/gm).map((found) => found.join(' › '))
    return {
      counts: { passed: of('pass') - empty, failed: of('fail') + of('cancelled'), skipped: of('skipped') + of('todo') },
      names,
    }
  },
  none: (text) => ({ counts: { passed: 0, failed: 0, skipped: 0 }, names: places(text) }),
}

/** The files with errors, in the output of rustc, tsc, biome and cargo fmt. */
const places = (text) =>
  [
    /^ *--> (\S+?):\d+:\d+/gm,
    /^(\S+?)\(\d+,\d+\): error/gm,
    /^([\w./-]+)(?::\d+:\d+)? [\w/]+ .*━/gm,
    /^Diff in (\S+?):/gm,
  ]
    .flatMap((pattern) => all(text, pattern))
    .map(([file]) => file)

const MOST_NAMES = 30

/**
 * The list at the end: `[{ group, title, failed, names }]`.
 * @param {{ group: string, title: string, failed: string, names?: string[] }[]} failures
 */
export function listFailures(failures) {
  if (failures.length === 0) return
  console.error('\nFailed:')
  for (const { group, title, failed, names = [] } of failures) {
    console.error(`  ${group.padEnd(8)} ${title}: ${failed}`)
    for (const name of names.slice(0, MOST_NAMES)) console.error(`             ${name}`)
    if (names.length > MOST_NAMES) console.error(`             and ${names.length - MOST_NAMES} more`)
  }
}
