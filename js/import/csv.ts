// CSV (RFC 4180) with a header: rows with named columns. The separator is the one that the header has: comma, semicolon or tab.
import { Flaw, type Refused, refused } from './entry.js'
import { type Line, linesOf, type Source } from './lines.js'

/** A row with its fields by name. */
export interface Row {
  row: string
  fields: Record<string, unknown>
}

/** The rows of a CSV text. */
export function* csvRows(source: Source): Iterable<Row | Refused> {
  const lines = new Lookahead(linesOf(source))
  const header = nextRow(lines, undefined)
  if (header === undefined) return
  const { separator } = header
  const names = header.fields?.map((name) => name.trim())
  if (names === undefined || new Set(names).size < names.length)
    return yield refused('line 1', new Flaw('unreadable', 'the header is no list of different names'))
  for (;;) {
    const next = nextRow(lines, separator)
    if (next === undefined) return
    const row = `line ${next.number}`
    const { fields } = next
    if (fields === undefined)
      yield refused(row, new Flaw('unreadable', 'a quote is not closed, or stands within a field'))
    else if (fields.length !== names.length)
      yield refused(row, new Flaw('unreadable', `the header has ${names.length} fields, and the row ${fields.length}`))
    else yield { row, fields: Object.fromEntries(names.map((name, index) => [name, fields[index]])) }
  }
}

interface NextRow {
  number: number
  separator: string
  fields: string[] | undefined
}

/**
 * The next row that is not empty. A quoted field may have line breaks: then the row goes on until all quotes are closed. Where
 * none closes it within reason, the quote is a mistake of one line, and the lines after it are rows of their own.
 */
function nextRow(lines: Lookahead, given: string | undefined): NextRow | undefined {
  for (;;) {
    const first = lines.next()
    if (first === undefined) return undefined
    if (first.text.trim() === '') continue
    const separator = given ?? separatorOf(first.text)
    const more: Line[] = []
    let text = first.text
    let open = isOpen(text)
    while (open && more.length < MOST_LINES && text.length < MOST_CHARACTERS) {
      const line = lines.next()
      if (line === undefined) break
      more.push(line)
      text += `\n${line.text}`
      open = open !== isOpen(line.text)
    }
    const fields = open ? undefined : fieldsOf(text, separator)
    if (fields === undefined) lines.putBack(more)
    return { number: first.number, separator, fields }
  }
}

/** Most lines and characters of one row. */
const [MOST_LINES, MOST_CHARACTERS] = [100, 1 << 20]

const isOpen = (text: string) => text.split('"').length % 2 === 0

const separatorOf = (header: string) => [',', ';', '\t'].find((separator) => header.includes(separator)) ?? ','

/** The fields of a row; `undefined` where a quote stands in the middle of a field. */
function fieldsOf(text: string, separator: string): string[] | undefined {
  const fields: string[] = []
  let at = 0
  for (;;) {
    let end: number
    if (text[at] === '"') {
      let close = at + 1
      for (close = text.indexOf('"', close); text[close + 1] === '"'; close = text.indexOf('"', close + 2)) {}
      if (close === -1) return undefined
      fields.push(text.slice(at + 1, close).replaceAll('""', '"'))
      end = close + 1
      if (end < text.length && text[end] !== separator) return undefined
    } else {
      const next = text.indexOf(separator, at)
      end = next === -1 ? text.length : next
      const field = text.slice(at, end)
      if (field.includes('"')) return undefined
      // White space around a field that has no quotes was put there for the eyes.
      fields.push(field.trim())
    }
    if (end >= text.length) return fields
    at = end + 1
  }
}

/** Lines that can be put back. */
class Lookahead {
  readonly #lines: Iterator<Line>
  #back: Line[] = []

  constructor(lines: Iterable<Line>) {
    this.#lines = lines[Symbol.iterator]()
  }

  next(): Line | undefined {
    if (this.#back.length > 0) return this.#back.shift()
    const { done, value } = this.#lines.next()
    return done === true ? undefined : value
  }

  putBack(lines: Line[]): void {
    this.#back = [...lines, ...this.#back]
  }
}
