// The page of figures, docs/figures.md, and the lines of the README, made of bench/figures.json. pictures.mjs draws the same figures.
//   node bench/figures.mjs    makes both anew
// @ts-nocheck: the jobs need the peers only when they run
import { readFileSync, writeFileSync } from 'node:fs'
import { goals } from './goals.mjs'
import { growingLines, loadTables } from './load-tables.mjs'

const kept = new URL('figures.json', import.meta.url)
const page = new URL('../docs/figures.md', import.meta.url)
const readme = new URL('../README.md', import.meta.url)
const guide = new URL('../docs/growing.md', import.meta.url)

export const readFigures = () => JSON.parse(readFileSync(kept, 'utf8'))

/** Keeps the figures of a run, and makes the page. Those of parts that were not measured stay as they are. */
export function writeFigures(measured) {
  const figures = { ...readFigures(), ...measured }
  writeFileSync(kept, `${JSON.stringify(figures, undefined, 2)}\n`)
  writePages(figures)
}

function writePages(figures) {
  writeFileSync(page, pageOf(figures))
  writeLines(readme, 'figures', linesOf(figures))
  writeLines(guide, 'growing', growthOf(figures))
}

/** Puts lines in the place that is marked with a name. */
function writeLines(file, name, lines) {
  const place = new RegExp(`(?<=<!-- ${name} -->\\n)[^]*(?=<!-- end of ${name} -->)`)
  writeFileSync(
    file,
    readFileSync(file, 'utf8').replace(place, () => lines),
  )
}

/** The lines of the guide about growth: logins through PostgreSQL. @returns {string} */
export const growthOf = ({ load }) => `${table(...growingLines(load))}\n`

/** The lines of the README: some of our times, each beside a peer's. @returns {string} */
export function linesOf({ node }) {
  const lines = [
    ['a wrong code of an app', 'totp', 'countersign', 'otpauth'],
    ['a whole login, in memory', 'login', 'countersign', 'better-auth, signInEmail and verifyTOTP'],
    ['a pass that came before', 'pass', 'countersign, seen before', 'jose, jwtVerify'],
    ['a QR code as SVG', 'qr', 'countersign', 'qrcode'],
    ['import and first call', 'import', 'countersign', 'otplib'],
  ]
  const rows = lines.map(([what, job, ours, theirs]) => {
    const [own, other] = [node[job].micros[ours].middle, node[job].micros[theirs].middle]
    return [what, time(own), `${theirs.replace(/,.*/, '')} ${time(other)}, ${ratio(other / own)} × ours`]
  })
  return `${table(['', 'time', 'beside it'], rows)}\n`
}

/** The figures as text, for the screen. */
export const textOf = ({ node, tables }) => sections(node, tables).replaceAll(/!\[.*\n\n?/g, '')

/** @returns {string} docs/figures.md */
export function pageOf({ made, machine, versions, node, tables, load }) {
  return `# Figures

After this page you can compare what a call costs here and elsewhere, and measure it on your machine.

Each job runs the package and its peers side by side. They take turns within a process, and each job runs in ${machine.rounds} fresh
processes: the median counts, and the lowest and the highest stand beside it. The answers of each candidate are checked before it
is measured. Compare the ratios, because another machine has other times.

\`\`\`sh
npm run bench              # prints the figures
npm run bench -- --write   # and makes this page and its pictures anew; this one with --rounds ${machine.rounds} --seconds ${machine.seconds}
npm run bench -- --only stores --write   # the same for the stores alone
\`\`\`

Made on ${made}: ${machine.processor}, ${machine.processors} processors, Node.js ${machine.node}, ${machine.system}. ${Object.entries(
    versions,
  )
    .map(([name, version]) => `${name} ${version}`)
    .join(', ')}.

![Time of each job, ours and the peers'](pictures/calls.svg)

${sections(node, [...tables, ...loadTables(load)])}
The figures of the stores are of ${load.made}, from ${load.rounds} rounds of ${load.seconds} s.
`
}

function sections(node, tables) {
  const jobs = Object.entries(node).map(([name, result]) => section(goals[name], result))
  const others = tables.map(
    ({ title, picture, head, rows, notes }) =>
      `## ${title}\n${pictureOf(title, picture)}\n${table(head, rows)}\n${paragraphs(notes)}`,
  )
  return [...jobs, ...others].join('\n')
}

function section(job, { micros, notes = [] }) {
  const rows = job.against ? growing(micros) : beside(micros)
  const verdicts = (job.goals ?? []).map((goal) => verdict(goal, micros))
  return `## ${job.title}\n${pictureOf(job.title, job.picture)}\n${table(...rows(job))}\n${paragraphs([...verdicts, ...notes.map((note) => `${note}.`)])}`
}

const pictureOf = (title, name) => (name ? `\n![${title}](pictures/${name}.svg)\n` : '')

/** One row for each candidate. */
function beside(micros) {
  const [ours] = Object.values(micros)
  const row = ([name, figure], index) => [
    name,
    time(figure.middle),
    `${time(figure.low)} – ${time(figure.high)}`,
    index === 0 ? '' : `${ratio(figure.middle / ours.middle)} ×`,
  ]
  return () => [['', 'time', 'spread', 'to the first'], Object.entries(micros).map(row)]
}

/** One row for each number. */
function growing(micros) {
  const names = Object.keys(micros)
  const numbers = Object.keys(micros[names[0]])
  const row = (number) => [
    Number(number).toLocaleString('en'),
    ...names.map((name) => time(micros[name][number].middle)),
  ]
  return ({ against }) => [[against, ...names], numbers.map(row)]
}

/** Whether a goal is met, in words. */
export function verdict({ of, to, ratio: most, micros: mostMicros }, micros) {
  const name = of ?? Object.keys(micros)[0]
  const { middle } = micros[name]
  const is = to === undefined ? middle : middle / micros[to].middle
  const goal = to === undefined ? time(mostMicros) : `${fraction(most)} the time of ${to}`
  const isMet = is <= (to === undefined ? mostMicros : most)
  const measured = to === undefined ? time(is) : `${ratio(is)} times`
  return `Goal for ${name}: at most ${goal}. It is ${measured}: ${isMet ? 'met' : 'missed; [DESIGN.md](../DESIGN.md) says why'}.`
}

const fraction = (most) => (most < 1 ? `1/${Math.round(1 / most)} of` : `${most} ×`)
const ratio = (value) => (value < 10 ? value.toFixed(2) : Math.round(value).toLocaleString('en'))

/** A time in the unit that reads best. */
export function time(micros) {
  if (micros >= 1_000_000) return `${(micros / 1_000_000).toFixed(1)} s`
  if (micros >= 1000) return `${(micros / 1000).toFixed(micros < 10_000 ? 1 : 0)} ms`
  return `${micros.toFixed(micros < 10 ? 2 : micros < 100 ? 1 : 0)} µs`
}

const table = (head, rows) =>
  [head, head.map((_, index) => (index === 0 ? '---' : '---:')), ...rows]
    .map((cells) => `| ${cells.join(' | ')} |`)
    .join('\n')

const paragraphs = (lines) => lines.map((line) => `\n${line}\n`).join('')

if (process.argv[1]?.endsWith('figures.mjs')) writePages(readFigures())
