// Lays out tests/scenarios/*.json: a step stands on one line where it fits, else on two.
//   node scripts/format-scenarios.mjs            writes the files
//   node scripts/format-scenarios.mjs --check    names the files with another layout and writes nothing
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { at, main, Problem } from './common.mjs'

const FOLDER = 'tests/scenarios'
const WIDTH = 140
const STEP_KEYS = ['after', 'account', 'user', 'ip', 'roles', 'why', 'given', 'policy', 'do', 'expect', 'sms', 'save']
const GAP = 'empty line'
const FILE_KEYS = ['title', 'about', 'start', 'policy', 'commands', 'save', 'given', 'steps']

/** The text of a file in the standard layout. `name` is for messages. An empty line between two steps stays. */
export function layout(text, name) {
  let file
  try {
    file = JSON.parse(text.replace(/\},\s*\n\s*\n\s*\{/g, `}, "${GAP}", {`))
  } catch (error) {
    throw new Problem(`${name}: ${error.message}`)
  }
  return `${block(inOrder(file, FILE_KEYS, name), 0, name)}\n`
}

/** One line for each entry: for the file itself, lists of steps, and objects too long for one line. */
function block(value, indent, name) {
  const inner = ' '.repeat(indent + 2)
  const [open, close] = Array.isArray(value) ? '[]' : '{}'
  let gap = ''
  let count = 1
  const entries = Object.entries(value).flatMap(([key, entry]) => {
    if (entry === GAP) {
      gap = '\n'
      return []
    }
    if (Array.isArray(value)) {
      const text = gap + inner + step(entry, indent + 2, `${name}, step ${count}`)
      count += 1
      gap = ''
      return text
    }
    const start = `${inner}${JSON.stringify(key)}: `
    const one = start + line(entry)
    const long = isSteps(entry) || (isObject(entry) && one.length >= WIDTH)
    return long ? start + block(entry, indent + 2, `${name}, ${key}`) : one
  })
  return `${open}\n${entries.join(',\n')}\n${' '.repeat(indent)}${close}`
}

/** A step too long for one line is cut after its `why`, or before its `expect`, or where its longer line is shortest. */
function step(unordered, indent, name) {
  const fields = inOrder(unordered, STEP_KEYS, name)
  const one = line(fields)
  const room = WIDTH - indent - 1 // one for the comma
  const keys = Object.keys(fields)
  if (one.length <= room || keys.length === 1) return one
  const part = (some) => line(Object.fromEntries(some.map((key) => [key, fields[key]]))).slice(2, -2)
  const cuts = ('why' in fields ? ['do', 'policy', 'expect', 'sms', 'save'] : ['expect', 'sms', 'save', 'do', 'policy'])
    .map((key) => keys.indexOf(key))
    .filter((cut) => cut > 0)
    .map((cut) => [`{ ${part(keys.slice(0, cut))},`, `  ${part(keys.slice(cut))} }`])
  const longer = (cut) => Math.max(...cut.map((half) => half.length))
  const [best] = [...cuts.filter((cut) => longer(cut) <= room), ...cuts.sort((a, b) => longer(a) - longer(b))]
  return best.join(`\n${' '.repeat(indent)}`)
}

function line(value) {
  if (Array.isArray(value)) return `[${value.map(line).join(', ')}]`
  if (!isObject(value)) return JSON.stringify(value)
  const entries = Object.entries(value).map(([key, entry]) => `${JSON.stringify(key)}: ${line(entry)}`)
  return entries.length === 0 ? '{}' : `{ ${entries.join(', ')} }`
}

function inOrder(object, keys, name) {
  const unknown = Object.keys(object).find((key) => !keys.includes(key))
  if (unknown !== undefined) throw new Problem(`${name}: \`${unknown}\` is not known here.`)
  return Object.fromEntries(keys.filter((key) => key in object).map((key) => [key, object[key]]))
}

const isObject = (value) => typeof value === 'object' && value !== null && !Array.isArray(value)
const isSteps = (value) => Array.isArray(value) && value.every((entry) => entry === GAP || isObject(entry))

await main(import.meta.url, () => {
  const checks = process.argv.includes('--check')
  const files = readdirSync(at(FOLDER)).filter((name) => name.endsWith('.json'))
  if (files.length === 0) throw new Problem(`${FOLDER} has no scenario.`)
  const wrong = []
  const texts = files.map((name) => readFileSync(at(FOLDER, name), 'utf8'))
  const layouts = files.map((name, index) => layout(texts[index], `${FOLDER}/${name}`))
  for (const [index, name] of files.entries()) {
    if (texts[index] === layouts[index]) continue
    wrong.push(`${FOLDER}/${name}`)
    if (!checks) writeFileSync(at(FOLDER, name), layouts[index])
  }
  if (checks && wrong.length > 0)
    throw new Problem(`Not laid out as scenarios are: ${wrong.join(', ')}.\nRun: node scripts/format-scenarios.mjs`)
  console.log(`Scenarios: ${files.length} files, ${checks ? 'all in form' : `${wrong.length} laid out anew`}.`)
})
