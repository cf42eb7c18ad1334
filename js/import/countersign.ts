// The export of `npx countersign export`, once it is decrypted: a line of JSON for each app, with the ids of the user and an
// `otpauth://` URI. The first line names the form.
import { Flaw, field, type Read, readEntry, refused } from './entry.js'
import { jsonLines } from './json.js'
import type { Source } from './lines.js'
import { uriOf } from './otpauth.js'

/** The first line of an export. */
export const HEADER = { format: 'countersign-export', v: 1 } as const

/** The beginning of its last line. */
export const END = { end: true } as const

/** Lines of an export. */
export function* countersignLines(source: Source): Iterable<Read> {
  let isWhole = false
  for (const found of jsonLines(source)) {
    if ('reason' in found) {
      yield found
      continue
    }
    const { row, value } = found
    if (field(value, 'format') === HEADER.format) {
      if (field(value, 'v') !== HEADER.v) yield refused(row, new Flaw('unreadable', 'the export is of a newer version'))
      continue
    }
    isWhole = field(value, 'end') === true
    if (isWhole) continue
    const [account, user, uri, lastStep, name] = ['account', 'user', 'uri', 'lastStep', 'name'].map((one) =>
      field(value, one),
    )
    yield readEntry(row, user, () => {
      if (typeof uri !== 'string') throw new Flaw('no_secret', 'the line has no uri')
      return { ...uriOf(uri), account, user, lastStep, name }
    })
  }
  if (!isWhole) yield refused('file', new Flaw('part_missing', 'the last line is missing: the export was cut off'))
}
