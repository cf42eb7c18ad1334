// A host's own table, as CSV or JSON lines with named columns: the secret is base32, hex or ASCII as otplib, speakeasy and
// others store it, or a whole `otpauth://` URI.
import { csvRows, type Row } from './csv.js'
import { decoded, ENCODINGS, type Encoding } from './encodings.js'
import { Flaw, type Found, field, type Read, type Refused, readEntry, refused } from './entry.js'
import { jsonValues } from './json.js'
import type { Source } from './lines.js'
import { uriOf } from './otpauth.js'

/** Settings for a table. */
export interface TableSettings {
  /** The column of each field, where its name is another; a dot leads into an object of JSON. */
  columns: Partial<Record<Column, string>>
  /** The encoding of the column `secret`; base32 by default. */
  encoding?: Encoding | 'otpauth' | undefined
  /** Of all apps, where the table does not say; 6 by default. */
  digits?: number | undefined
  /** Of all apps, in seconds, where the table does not say; 30 by default. */
  period?: number | undefined
  /** Of all apps, where the table does not say; `SHA1` by default. */
  algorithm?: string | undefined
}

/** The fields that a table can have. */
export const COLUMNS = ['account', 'user', 'secret', 'digits', 'period', 'algorithm', 'lastStep', 'name'] as const

export type Column = (typeof COLUMNS)[number]

/** Rows of CSV. A header without the columns is one report, and not one for each row. */
export function* csvTable(source: Source, settings: TableSettings): Iterable<Read> {
  let hasColumns = false
  for (const found of csvRows(source)) {
    if ('reason' in found) {
      yield found
      continue
    }
    const missing = hasColumns ? undefined : missingColumn(found.fields, settings)
    if (missing !== undefined)
      return yield refused(
        'line 1',
        new Flaw('unreadable', `the header has no \`${missing}\`: name the column by --column`),
      )
    hasColumns = true
    yield tableRow(found, settings)
  }
}

function missingColumn(fields: Record<string, unknown>, { columns }: TableSettings): string | undefined {
  const names = (['user', 'secret'] as const).map((column) => columns[column] ?? column)
  const hasSecret =
    columns.secret === undefined && [...ENCODINGS, 'otpauth_url'].some((name) => Object.hasOwn(fields, name))
  return names.find((name, index) => at(fields, name) === undefined && !(index === 1 && hasSecret))
}

/** JSON lines, or a list. */
export const jsonTable = (source: Source, settings: TableSettings): Iterable<Read> => table(jsonRows(source), settings)

/** Objects of JSON as rows. */
export function* jsonRows(source: Source): Iterable<Row | Refused> {
  for (const found of jsonValues(source)) {
    if ('reason' in found) yield found
    else if (typeof found.value === 'object' && found.value !== null && !Array.isArray(found.value))
      yield { row: found.row, fields: found.value as Record<string, unknown> }
    else yield refused(found.row, new Flaw('unreadable', 'the row is no object'))
  }
}

function* table(rows: Iterable<Row | Refused>, settings: TableSettings): Iterable<Read> {
  for (const found of rows) {
    if ('reason' in found) yield found
    else yield tableRow(found, settings)
  }
}

function tableRow({ row, fields }: Row, settings: TableSettings): Read {
  const get = (column: Column) => at(fields, settings.columns[column] ?? column)
  const user = get('user')
  return readEntry(row, user, () => {
    const or = (value: unknown, otherwise: unknown) =>
      value === undefined || value === null || value === '' ? otherwise : value
    const { secret, ...inUri } = secretOf(fields, get('secret'), settings)
    return {
      account: get('account'),
      user,
      secret,
      digits: or(get('digits'), inUri.digits ?? settings.digits ?? 6),
      period: or(get('period'), inUri.period ?? settings.period ?? 30),
      algorithm: or(get('algorithm'), inUri.algorithm ?? settings.algorithm ?? 'SHA1'),
      lastStep: get('lastStep'),
      name: get('name'),
    }
  })
}

/** A column with the name of an encoding holds a secret in it, as in what speakeasy's `generateSecret` gives. */
function secretOf(
  fields: Record<string, unknown>,
  secret: unknown,
  { columns, encoding = 'base32' }: TableSettings,
): Pick<Found, 'secret'> & Partial<Found> {
  const isMissing = secret === undefined && columns.secret === undefined
  const named = isMissing ? ENCODINGS.find((name) => field(fields, name) !== undefined) : undefined
  if (named !== undefined) return { secret: decoded(field(fields, named), named) }
  const uri = isMissing ? field(fields, 'otpauth_url') : encoding === 'otpauth' ? secret : undefined
  if (typeof uri !== 'string' || uri === '')
    return { secret: decoded(secret, encoding === 'otpauth' ? 'base32' : encoding) }
  return uriOf(uri)
}

/** The field of a path with dots; a field whose own name has the dot comes first. */
export function at(fields: unknown, path: string): unknown {
  const whole = field(fields, path)
  if (whole !== undefined || !path.includes('.')) return whole
  return path.split('.').reduce(field, fields)
}
