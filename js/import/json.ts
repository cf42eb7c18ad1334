// JSON in a file: a document, or one value in each line.
import { Flaw, placeIn, type Refused, refused } from './entry.js'
import { type Line, linesOf, type Source } from './lines.js'

/** A value and where it stands. */
export interface Value {
  row: string
  value: unknown
}

/** One value in each line; empty lines are passed over. */
export function* jsonLines(source: Source): Iterable<Value | Refused> {
  for (const line of linesOf(source)) if (line.text.trim() !== '') yield valueIn(line)
}

function valueIn({ number, text }: Line): Value | Refused {
  const value = parsed(text)
  const row = `line ${number}`
  return value === undefined ? refused(row, new Flaw('unreadable', 'the line is not JSON')) : { row, value }
}

/**
 * The values of lines or of a document, with the items of a list one by one. Where the first line is an object or a list, each
 * line is a value, and none of them is kept. Otherwise the text is a document, or lines whose first one is broken. A broken
 * document is one report, and not one for each of its lines.
 */
export function* jsonValues(source: Source): Iterable<Value | Refused> {
  const lines = linesOf(source)[Symbol.iterator]()
  const rest = { [Symbol.iterator]: () => lines }
  for (const first of rest) {
    if (first.text.trim() === '') continue
    if (!isCompound(parsed(first.text))) return yield* document([first, ...rest])
    // A document on one line is an item of the file, and not of the line.
    const second = nextOf(lines)
    if (second === undefined) return yield* itemsOf(parsed(first.text), 'file')
    for (const line of [first, second]) yield* itemsOfLine(line)
    for (const line of rest) yield* itemsOfLine(line)
  }
}

function nextOf(lines: Iterator<Line>): Line | undefined {
  for (;;) {
    const { done, value } = lines.next()
    if (done === true) return undefined
    if (value.text.trim() !== '') return value
  }
}

const isCompound = (value: unknown) => typeof value === 'object' && value !== null

function* document(lines: Line[]): Iterable<Value | Refused> {
  let whole: unknown
  try {
    whole = parsed(lines.map(({ text }) => text).join('\n'))
  } catch {
    return yield refused('file', new Flaw('unreadable', 'the file is too long for one document: export it in parts'))
  }
  if (whole !== undefined) return yield* itemsOf(whole, 'file')
  if (!lines.slice(0, 100).some(({ text }) => isCompound(parsed(text))))
    return yield refused('file', new Flaw('unreadable', 'the file is not JSON'))
  for (const line of lines) yield* itemsOfLine(line)
}

function* itemsOfLine(line: Line): Iterable<Value | Refused> {
  if (line.text.trim() === '') return
  const found = valueIn(line)
  if ('value' in found) yield* itemsOf(found.value, found.row)
  else yield found
}

function* itemsOf(value: unknown, row: string): Iterable<Value> {
  if (!Array.isArray(value)) return yield { row, value }
  for (const [index, item] of value.entries()) yield { row: placeIn(row, `item ${index + 1}`), value: item }
}

/** `undefined` where the text is not JSON, which has no `undefined`. */
export function parsed(text: string): unknown {
  try {
    return JSON.parse(text) as unknown
  } catch {
    return undefined
  }
}
