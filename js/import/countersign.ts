// The export of `npx countersign export`, once it is decrypted: a line of JSON for each app, with the ids of the user and an
// `otpauth://` URI. The first line names the form, and the last one counts the others.
import { Flaw, field, type Read, type Refused, readEntry, refused } from './entry.js'
import { jsonLines } from './json.js'
import type { Source } from './lines.js'
import { uriOf } from './otpauth.js'

/** The first line of an export. */
export const HEADER = { format: 'countersign-export', v: 1 } as const

/** The beginning of its last line. */
export const END = { end: true } as const

/** Lines of an export, or of several, one after the other. */
export function* countersignLines(source: Source): Iterable<Read> {
  let part: Part | undefined
  let hasEnded = false
  for (const found of jsonLines(source)) {
    if ('reason' in found) {
      part?.count(undefined)
      yield found
      continue
    }
    const { row, value } = found
    if (field(value, 'format') === HEADER.format) {
      if (part !== undefined) yield missing(row, NO_END)
      if (field(value, 'v') !== HEADER.v) yield refused(row, new Flaw('unreadable', 'the export is of a newer version'))
      part = new Part()
      continue
    }
    const isFirst = part === undefined
    if (isFirst) yield missing(row, 'the first line is missing: a part of the export is not here')
    part ??= new Part()
    hasEnded = field(value, 'end') === true
    if (hasEnded) {
      const flaw = isFirst ? undefined : part.flawBy(value)
      if (flaw !== undefined) yield missing(row, flaw)
      part = undefined
      continue
    }
    const [account, user, uri, lastStep, name] = ['account', 'user', 'uri', 'lastStep', 'name'].map((one) =>
      field(value, one),
    )
    part.count(JSON.stringify([account, user]))
    yield readEntry(row, user, () => {
      if (typeof uri !== 'string') throw new Flaw('no_secret', 'the line has no uri')
      return { ...uriOf(withoutLabel(uri)), account, user, lastStep, name }
    })
  }
  if (part !== undefined || !hasEnded) yield missing('file', NO_END)
}

const NO_END = 'the last line is missing: the export was cut off'

const missing = (row: string, message: string): Refused => refused(row, new Flaw('part_missing', message))

/** The user is a field of its own. A label of a URI may not hold all that an id may, such as bidirectional controls. */
const withoutLabel = (uri: string) => uri.replace(/^(otpauth:\/\/[a-z]+\/)[^?#]*/i, '$1app')

/** Counts the lines of an export. */
class Part {
  #apps = 0
  #users = 0
  #last: string | undefined
  #isDamaged = false

  /** An app of a user, or a line that cannot be read. The apps of one user follow each other. */
  count(user: string | undefined): void {
    this.#apps += 1
    if (user === undefined) this.#isDamaged = true
    else if (user !== this.#last) this.#users += 1
    this.#last = user
  }

  /** The flaw by the counts of the last line. A line that cannot be read is told by itself, and its user is not known. */
  flawBy(end: unknown): string | undefined {
    const [apps, users] = [field(end, 'apps'), field(end, 'users')]
    if (apps === this.#apps && (this.#isDamaged || users === this.#users)) return undefined
    return `the last line counts ${whole(apps)} apps of ${whole(users)} users, and here are ${this.#apps} of ${this.#users}`
  }
}

const whole = (value: unknown) => (typeof value === 'number' && Number.isSafeInteger(value) ? value : 'no')
