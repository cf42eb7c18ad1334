// The lines of a text that comes in pieces, so that a file of a million users is never held as a whole.

/** Text in pieces of any size. */
export type Source = Iterable<string>

/** A line and its number, from 1. */
export interface Line {
  number: number
  text: string
}

/** Longest line, in characters: what comes after it on the line is left out. A text of twice as many cannot exist. */
const LONGEST_LINE = 1 << 28

/** The lines, without their ends (LF or CRLF) and without a byte order mark. */
export function* linesOf(source: Source): Iterable<Line> {
  let [number, rest] = [1, '']
  for (const piece of source) {
    const text = number === 1 && rest === '' ? piece.replace(/^\ufeff/, '') : piece
    let start = 0
    for (let end = text.indexOf('\n'); end !== -1; end = text.indexOf('\n', start)) {
      yield { number, text: withoutReturn(rest + text.slice(start, end)) }
      ;[number, rest, start] = [number + 1, '', end + 1]
    }
    rest = rest.length > LONGEST_LINE ? rest : rest + text.slice(start)
  }
  if (rest !== '') yield { number, text: withoutReturn(rest) }
}

const withoutReturn = (line: string) => (line.endsWith('\r') ? line.slice(0, -1) : line)

/** The first piece that is not blank, and the same source with it. */
export function peeked(source: Source): { start: string; source: Source } {
  const pieces = source[Symbol.iterator]()
  const read: string[] = []
  let start = ''
  while (start === '') {
    const { done, value } = pieces.next()
    if (done === true) break
    read.push(value)
    start = value.replace(/^\ufeff/, '').trimStart()
  }
  const all = function* () {
    yield* read
    yield* { [Symbol.iterator]: () => pieces }
  }
  return { start, source: all() }
}
