// `countersign import`: puts the authenticator apps of another system into the store, so that nobody sets up anew.
//
// It is a dry run unless --write is given. Each entry is imported or reported with its reason, and a bad one keeps no other one back.
// A second run changes nothing, so that one that was cut off is run again.
import { closeSync, openSync, writeSync } from 'node:fs'
import {
  assigner,
  COLUMNS,
  type Column,
  ENCODINGS,
  FORMATS,
  type Format,
  fromHex,
  type Read,
  rowReader,
  type Settings,
  secretsOf,
  userMap,
} from '../import/readers.js'
import { createOperator, type ImportEntry } from '../operator.js'
import { argumentsOf, optionsIn, UsageError, wordsWithCause } from './common.js'
import { isDatabase, tableRows } from './database.js'
import { Progress } from './progress.js'
import { textOf } from './source.js'

/** Exit code where entries were not imported; all others were. */
const SOME_REFUSED = 3

/** Entries in a row that the store failed on, after which the rest is not tried. */
const MOST_FAILED = 200

export async function importApps(args: string[]): Promise<void> {
  const { sources, settings, from, config, operator, write, users, account, replace, report, table } =
    importArguments(args)
  const { importMany } = createOperator(await optionsIn(config))
  const reads = readsOf(sources, from, settings, table, config)
  const assign = assigner({ account, users: users === undefined ? undefined : userMap(textOf(users)) })
  const log = new Report(report, write)
  const rows = new Map<number, string>()
  let index = 0
  async function* entries(): AsyncIterable<ImportEntry> {
    for await (const read of reads) {
      const assigned = assign(read)
      if ('reason' in assigned) {
        log.refused(assigned)
        continue
      }
      rows.set(index, assigned.row)
      index += 1
      yield replace === undefined ? assigned.entry : { ...assigned.entry, replace }
    }
  }
  let failures = 0
  try {
    for await (const result of importMany(entries(), { operator, dryRun: !write })) {
      const row = rows.get(result.index)!
      rows.delete(result.index)
      const { account, user } = result
      const who = { row, ...(account !== undefined && { account }), ...(user !== undefined && { user }) }
      if (result.result === 'imported' || result.result === 'unchanged') {
        failures = 0
        log.done({ ...who, result: result.result, ...('weak' in result && result.weak && { weak: true }) })
      } else if (result.result === 'refused') {
        failures = 0
        log.refused({ ...who, reason: result.reason, message: REFUSALS[result.reason] })
      } else {
        const { error } = result
        log.refused({ ...who, reason: error.code, message: wordsWithCause(error) })
        failures = error.status < 500 ? 0 : failures + 1
        if (failures >= MOST_FAILED)
          throw new Error(`${failures} entries in a row failed: mend that, and run it again`, {
            cause: error.cause ?? error,
          })
      }
    }
  } finally {
    log.end()
  }
  if (log.hasRefused) process.exitCode = SOME_REFUSED
}

function importArguments(args: string[]) {
  const given = argumentsOf(args, ['from', 'config'], [...OPTIONS, 'operator', 'account', 'users', 'report', 'table'], {
    flags: ['write', 'replace'],
    many: ['column'],
    words: true,
  })
  const { from, config, operator, write = false, words: sources = [] } = given
  if (!isFormat(from)) throw new UsageError(`--from must be one of: ${Object.keys(FORMATS).join(', ')}`)
  if (sources.length === 0) throw new UsageError('the file to import is missing; `-` is what is piped in')
  if (write && operator === undefined) throw new UsageError('--operator is missing: --write needs the name for the log')
  const database = sources.find(isDatabase)
  if (database !== undefined && from !== 'better-auth') throw new UsageError('a database is read from better-auth only')
  const { users, account, replace, report, table = 'twoFactor' } = given
  const others = { users, account, replace, report, table }
  return { ...others, sources, from, config, write, operator: operator ?? 'dry run', settings: settingsOf(given, from) }
}

const OPTIONS = ['encoding', 'digits', 'period', 'algorithm', 'issuer'] as const

const isFormat = (from: string): from is Format => Object.hasOwn(FORMATS, from)

type GivenSettings = Partial<Record<(typeof OPTIONS)[number], string>> & { column?: string[] }

/** The settings of the readers. Keys come from the environment: arguments are seen by all. */
function settingsOf(given: GivenSettings, from: Format): Settings {
  const { algorithm, issuer, encoding } = given
  const encodings = [...ENCODINGS, 'otpauth'] as const
  const known = encodings.find((name) => name === encoding)
  if (encoding !== undefined && known === undefined)
    throw new UsageError(`--encoding must be one of: ${encodings.join(', ')}`)
  const [digits, period] = (['digits', 'period'] as const).map((name) => {
    const text = given[name]
    if (text !== undefined && !/^\d{1,3}$/.test(text)) throw new UsageError(`--${name} must be a number`)
    return text === undefined ? undefined : Number(text)
  })
  const { PSKC_KEY, PSKC_PASSPHRASE: passphrase } = process.env
  const secrets = secretsOf(from === 'better-auth' ? process.env : {})
  let key: Uint8Array | undefined
  try {
    key = PSKC_KEY === undefined || PSKC_KEY === '' ? undefined : fromHex(PSKC_KEY)
  } catch {
    throw new UsageError('PSKC_KEY must be hexadecimal')
  }
  return {
    columns: columnsOf(given.column ?? []),
    encoding: known,
    digits,
    period,
    algorithm,
    issuer,
    secrets,
    key,
    passphrase,
  }
}

function columnsOf(given: string[]): Partial<Record<Column, string>> {
  const columns: Partial<Record<Column, string>> = {}
  for (const one of given) {
    const [, field, name] = /^(\w+)=(.+)$/s.exec(one) ?? []
    const column = COLUMNS.find((known) => known === field)
    if (column === undefined || name === undefined)
      throw new UsageError(
        `--column must be a field and the name of its column, such as user=id; the fields are ${COLUMNS.join(', ')}`,
      )
    columns[column] = name
  }
  return columns
}

/** The entries of all sources. A row is named with its file where there are several. */
async function* readsOf(
  sources: string[],
  from: Format,
  settings: Settings,
  table: string,
  config: string,
): AsyncIterable<Read> {
  const reader = await FORMATS[from]()
  for (const source of sources) {
    const prefix =
      sources.length > 1 ? `${source.startsWith('env:') || !isDatabase(source) ? source : 'database'}: ` : ''
    const found = isDatabase(source) ? databaseReads(source, settings, table, config) : reader(textOf(source), settings)
    for await (const read of found) yield { ...read, row: `${prefix}${read.row}` }
  }
}

async function* databaseReads(source: string, settings: Settings, table: string, config: string): AsyncIterable<Read> {
  const read = await rowReader(settings)
  for await (const fields of tableRows(source, table, config)) yield read({ row: `id ${fields.id}`, fields })
}

/** The words of the engine's refusals. */
const REFUSALS = {
  has_factor: 'the user has a second factor here; --replace puts the app in the place of theirs',
  had_factor: 'the user had a second factor here and removed it; --replace imports the app all the same',
  recovery_code: 'the user has a recovery code here; --replace imports the app all the same',
  reset: 'the user was reset here: only the recovery code lets in',
  moved: 'the user was moved to another place: import the app there',
  erased: 'the user was erased here: erase them again first',
} as const

interface Done {
  row: string
  account?: string
  user?: string
  result: 'imported' | 'unchanged'
  weak?: true
}

interface NotDone {
  row: string
  account?: string
  user?: string | undefined
  reason: string
  message: string
}

/** Tells what became of each entry: those that were refused on the standard output, and all of them in the file of --report. */
class Report {
  readonly #file: number | undefined
  readonly #progress = new Progress()
  readonly #reasons = new Map<string, number>()
  readonly #isWritten: boolean
  #read = 0
  #imported = 0
  #unchanged = 0
  #weak = 0

  constructor(file: string | undefined, isWritten: boolean) {
    // Never another's file, and for its owner's eyes: it has the ids of all users.
    this.#file = file === undefined ? undefined : openSync(file, 'wx', 0o600)
    this.#isWritten = isWritten
  }

  get hasRefused(): boolean {
    return this.#reasons.size > 0
  }

  done(done: Done): void {
    if (done.result === 'imported') this.#imported += 1
    else this.#unchanged += 1
    if (done.weak) this.#weak += 1
    this.#line(done)
  }

  refused(one: NotDone): void {
    const { row, account, user, reason, message } = one
    this.#reasons.set(reason, (this.#reasons.get(reason) ?? 0) + 1)
    this.#progress.clear()
    const who = [account, user].filter((id) => id !== undefined).join(' ')
    console.log([row, who, reason, message.replaceAll('\n', ' ')].join('\t'))
    this.#line({ ...one, result: 'refused' })
  }

  #line(line: object): void {
    this.#read += 1
    if (this.#file !== undefined) writeSync(this.#file, `${JSON.stringify(line)}\n`)
    this.#progress.tell(() => `${number(this.#read)} read, ${number(this.#imported)} ${this.#imports}`)
  }

  get #imports(): string {
    return this.#isWritten ? 'imported' : 'to import'
  }

  end(): void {
    if (this.#file !== undefined) closeSync(this.#file)
    this.#progress.clear()
    const reasons = [...this.#reasons].sort(([, a], [, b]) => b - a)
    const all = reasons.reduce((sum, [, count]) => sum + count, 0)
    console.error(`${number(this.#read)} read`)
    console.error(`${number(this.#imported)} ${this.#imports}`)
    if (this.#weak > 0)
      console.error(
        `  ${number(this.#weak)} of them with a secret below 160 bits: their users are asked to set up anew`,
      )
    console.error(`${number(this.#unchanged)} there already`)
    console.error(`${number(all)} refused`)
    for (const [reason, count] of reasons) console.error(`  ${number(count)} ${reason}`)
    if (!this.#isWritten) console.error('nothing was stored: this was a dry run, and --write stores')
  }
}

const number = (count: number) => count.toLocaleString('en')
