// Arguments of any kind are read here, each property once. Only own properties count, so
// that a polluted Object.prototype changes no verdict; an error of a getter or proxy becomes ours.
//
// A field of a command that comes from a client is never an error: a value that cannot be handed on as
// text is handed on as `false`, and Rust replies `malformed` with the name of the field.
import { CountersignError, guarded, invalid } from './error.js'

export type Check = (value: unknown, path: string) => unknown

const encoder = new TextEncoder()

export const text: Check = (value, path) => {
  if (typeof value !== 'string') throw invalid(path, 'must be a string')
  if (value.length > 65_536) throw invalid(path, 'is too long')
  // A lone surrogate would be one text here and another in the module. Safari before 16.4 has no `isWellFormed`.
  const isWellFormed = value.isWellFormed?.() ?? !/\p{Surrogate}/u.test(value)
  if (!isWellFormed) throw invalid(path, 'must be well-formed Unicode')
  return value
}

/** An id of the host's, by the rule of the module: what is stored under it must be found by it again. */
export const idText: Check = (value, path) => {
  const id = text(value, path) as string
  // A unit of a string has at most three bytes, so that most ids need no count.
  const fits = id !== '' && (id.length <= 85 || encoder.encode(id).length <= 256)
  if (!fits || /\p{Cc}/u.test(id)) throw invalid(path, 'must be 1 to 256 bytes without control characters')
  return value
}

/** The account of a user, where there is one. Without it a call is about another user, so that a value that was lost is refused. */
export const accountId: Check = (value, path) => {
  if (value === null)
    throw invalid(path, 'must not be null: leave it out, or give undefined, where there are no accounts')
  return value === undefined ? undefined : idText(value, path)
}

export const whole: Check = (value, path) => {
  if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < 0)
    throw invalid(path, 'must be a whole number, not negative')
  return value
}

/** The last second of the year 9999. The module takes no later time. */
const LAST_SECOND = 253_402_300_799

/** A time in unix seconds, which must be given. */
export const seconds: Check = (value, path) => {
  if (value === undefined || value === null)
    throw invalid(path, 'is missing: give the time in unix seconds, like `Math.floor(Date.now() / 1000)`')
  if ((whole(value, path) as number) > LAST_SECOND)
    throw invalid(
      path,
      'must be unix seconds from 0 to the year 9999; `Date.now()` gives milliseconds, 1,000 to a second',
    )
  return value
}

export const flag: Check = (value, path) => {
  if (typeof value !== 'boolean') throw invalid(path, 'must be true or false')
  return value
}

export const callable: Check = (value, path) => {
  if (typeof value !== 'function') throw invalid(path, 'must be a function')
  return value
}

export const anything: Check = (value) => value

/** Absent, `undefined` or `null`: left out. */
export const optional =
  (check: Check): Check =>
  (value, path) =>
    value === undefined || value === null ? undefined : check(value, path)

export const listOf =
  (check: Check): Check =>
  (value, path) => {
    if (!Array.isArray(value)) throw invalid(path, 'must be a list')
    const { length } = value
    if (length > 100_000) throw invalid(path, 'is too long')
    return Array.from({ length }, (_, index) => check(value[index], `${path}[${index}]`))
  }

export const shape =
  (fields: Record<string, Check>): Check =>
  (value, path) =>
    read(value, path, fields)

/**
 * Fields by name, without a prototype that anybody else can change. One by `Object.create(null)` would be a hash table,
 * which takes ten times as long to fill.
 */
class Fields {
  [name: string]: unknown
}
Object.setPrototypeOf(Fields.prototype, null)
Reflect.deleteProperty(Fields.prototype, 'constructor')
Object.freeze(Fields.prototype)

/**
 * The named fields of an object, checked; any other field is refused, and the error lists the `known` ones. Where the
 * names are not fixed, `known` is empty.
 */
export function read(
  value: unknown,
  path: string,
  fields: Record<string, Check>,
  known?: string[],
): Record<string, unknown> {
  const names = Object.keys(fields)
  const listed = known ?? names
  const at = (name: string) => (path === '' ? name : `${path}.${name}`)
  try {
    if (typeof value !== 'object' || value === null || Array.isArray(value))
      throw invalid(
        path,
        path === '' && listed.length > 0
          ? `takes one object with the fields \`${listed.join('`, `')}\``
          : 'must be an object',
      )
    for (const key of Reflect.ownKeys(value)) {
      if (typeof key !== 'string' || !Object.hasOwn(fields, key))
        throw invalid(
          at(String(key).slice(0, 64)),
          listed.length === 0 ? 'is not known here' : `is not known here, expected one of \`${listed.join('`, `')}\``,
        )
    }
    const out = new Fields()
    for (const name of names) {
      const given = Object.hasOwn(value, name) ? (value as Record<string, unknown>)[name] : undefined
      const checked = fields[name]!(given, at(name))
      if (checked !== undefined) out[name] = checked
    }
    return out
  } catch (error) {
    if (CountersignError.is(error)) throw error
    throw new CountersignError('invalid_input', path, 'could not be read', error)
  }
}

/** The fields that come from a client, by the names that they have in every command. */
const CLIENT_FIELDS = new Set([
  'ticket',
  'method',
  'factor',
  'setup',
  'code',
  'number',
  'pass',
  'label',
  'name',
  'replaces',
  'browser',
  'set',
  'newCodes',
])
/** A value that is no text. */
const NO_TEXT = false
/** Values in one input, nested ones included. No command has more than twenty. */
const MAX_VALUES = 100
/** Characters in the host's fields of one input, in all of them. Ids have some hundreds. */
const MAX_CHARACTERS = 65_536
/** Characters in one field of a client's. They are not counted with the host's, whose fields they must not make too long. */
const MAX_CLIENT_CHARACTERS = 8_192
/** Objects and lists within each other. Commands have two. */
const MAX_DEPTH = 4

/**
 * The own fields, hidden ones included, of an input, copied as plain data: text, whole numbers, flags, lists and
 * objects. An error about the whole names one field as an `example`. A field that is `undefined` or `null` is left out, but for an `account` that is `null`, which is refused. Rust
 * checks the names of the fields.
 */
export function fieldsOf(input: unknown, example = 'user'): Record<string, unknown> {
  let values = 0
  let characters = 0
  const copyText = (value: string, path: string) => {
    characters += value.length
    if (characters > MAX_CHARACTERS) throw invalid(path, 'is too long')
    return text(value, path)
  }
  const copyClientField = (value: unknown) => {
    const isText = typeof value === 'string' && value.length <= MAX_CLIENT_CHARACTERS && value.isWellFormed()
    return isText ? value : NO_TEXT
  }
  const copy = (value: unknown, path: string, depth: number): unknown => {
    values += 1
    if (values > MAX_VALUES) throw invalid(path, 'is one value too many')
    switch (typeof value) {
      case 'string':
        return copyText(value, path)
      case 'number':
        return whole(value, path)
      case 'boolean':
        return value
      case 'object':
        if (value === null) return null
        if (depth >= MAX_DEPTH) throw invalid(path, 'is nested too deeply')
        return Array.isArray(value) ? copyList(value, path, depth + 1) : copyObject(value, path, depth + 1)
      default:
        throw invalid(path, 'must be plain data')
    }
  }
  const copyList = (list: unknown[], path: string, depth: number) => {
    const { length } = list
    if (length > MAX_VALUES) throw invalid(path, 'is too long')
    const copied = Array.from({ length }, (_, index) => copy(list[index], `${path}[${index}]`, depth))
    // No `toJSON` from a prototype.
    return Object.setPrototypeOf(copied, null)
  }
  const copyObject = (object: object, path: string, depth: number) => {
    const fields = new Fields()
    for (const key of Reflect.ownKeys(object)) {
      const name = String(key).slice(0, 64)
      const at = path === '' ? name : `${path}.${name}`
      if (typeof key !== 'string' || name !== key || !key.isWellFormed()) throw invalid(at, 'is not known here')
      const value = (object as Record<string, unknown>)[key]
      if (key === 'account') accountId(value, at)
      if (value === undefined || value === null) continue
      fields[key] = CLIENT_FIELDS.has(key) ? copyClientField(value) : copy(value, at, depth)
    }
    return fields
  }
  return guarded('invalid_input', '', 'could not be read', () => {
    if (typeof input !== 'object' || input === null || Array.isArray(input))
      throw invalid('', `takes one object with named fields, such as \`{ ${example} }\``)
    return copyObject(input, '', 1)
  })
}

/** JSON text of a document: text as it is, anything else as JSON. Rust parses it strictly. */
export function documentText(value: unknown, code: 'invalid_policy' | 'invalid_keys', path: string): string {
  const json = guarded(code, path, 'cannot be written as JSON', () =>
    typeof value === 'object' && value !== null ? JSON.stringify(value) : value,
  )
  if (typeof json !== 'string') throw new CountersignError(code, path, 'must be an object or JSON text')
  if (json.trim() === '') {
    throw new CountersignError(
      code,
      '',
      `${path || 'the document'} is empty: is its setting or environment variable set?`,
    )
  }
  if (json.length > MAX_DOCUMENT) throw new CountersignError(code, path, 'is too long: at most 8 MiB')
  return json
}

/** Room for 100,000 networks and more. */
const MAX_DOCUMENT = 8 * 1024 * 1024
