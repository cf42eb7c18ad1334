// The commands of the shell:
//   npx countersign keys                    prints a new key ring
//   npx countersign keys restored           prints a key ring in a new restore epoch, after a restore of the database
//   npx countersign restored …              resets the users whose factors changed after the backup
//   npx countersign list …                  prints the users who have a record
//   npx countersign delete …                erases a user who leaves
//   npx countersign jwks < keys.json        prints its public keys as a JWK set, as Envoy's filter takes it
//   npx countersign recovery issue …        issues a recovery code, for the operator of the host
//   npx countersign recovery reset …        the same, and takes back all that lets the user in
//   npx countersign --help                  prints how each is called
import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { parseArgs } from 'node:util'
import { createSecondFactor, generateKeys, memoryStore, type RecordId } from './index.js'
import {
  type ChangedSinceInput,
  changedSince,
  createOperator,
  type ListedUser,
  type OperatorOptions,
} from './operator.js'

const USAGE = `usage: countersign keys                 print a new key ring (keep it secret, and out of the database)
       countersign keys restored < keys.json
                                        print the same ring in a new restore epoch: after the database was
                                        restored from a backup, all processes start with it
       countersign restored --config FILE --events FILE --since TIME --operator NAME
                                        reset the users whose factors changed after the backup, by the audit log:
                                        a file with one event of \`onEvent\` in each line. TIME is the time of the
                                        backup, such as 2026-11-28T04:00:00Z
       countersign list --config FILE [--account ID]
                                        print the users who have a record, one in each line: account, user, factors,
                                        backup codes left, state; with a tab between them
       countersign delete --config FILE --user ID [--account ID] --operator NAME
                                        erase a user who leaves
       countersign jwks < keys.json     print its public keys, as \`jwks\` of the filter for Envoy
       countersign recovery issue --config FILE --user ID [--account ID] --operator NAME
       countersign recovery reset --config FILE --user ID [--account ID] --operator NAME
       countersign recovery withdraw --config FILE --user ID [--account ID] --operator NAME
                                        issue a recovery code; reset the user and issue one; withdraw it.
                                        FILE is a module whose default export is the object that
                                        createSecondFactor is given, or a function that gives it
       countersign --help               print this`

/** A command line that is not understood. */
class UsageError extends Error {}

async function printJwks(keys: string): Promise<void> {
  const policy = JSON.stringify({ v: 1, name: 'any', origin: 'https://any.example', methods: ['totp'] })
  const factor = createSecondFactor({ policy, keys, store: memoryStore() })
  const jwks = factor.jwks()
  const { signing } = JSON.parse(keys) as { signing: { kid: string }[] }
  const [first, ...others] = signing.map(({ kid }) => (jwks.keys.some((key) => key.kid === kid) ? undefined : kid))
  const only = 'is HS256 and has no public half: give Envoy the ring in COUNTERSIGN_KEYS'
  if (first !== undefined) throw new Error(`the key that signs, \`${first}\`, ${only}`)
  for (const kid of others) if (kid !== undefined) console.error(`left out: \`${kid}\` ${only}`)
  console.log(JSON.stringify(jwks, null, 2))
}

async function list(args: string[]): Promise<void> {
  const { config, account } = argumentsOf(args, ['config'], ['account'])
  const { list } = createOperator(await optionsIn(config))
  let after: string | undefined
  do {
    const { users, next } = await list({ account, after, limit: 1_000 })
    for (const user of users) console.log(lineOf(user))
    after = next
  } while (after !== undefined)
}

/** A user on one line. An id has no control character, so no tab. */
function lineOf({ account = '', user, status, error }: ListedUser): string {
  if (status === undefined) return [account, user, '', '', `error: ${error}`].join('\t')
  const { methods, backupCodes, attempts } = status
  const factors = methods.map(({ method, name }) => `${method} ${JSON.stringify(name)}`).join(', ')
  const codes = backupCodes === undefined ? '' : `${backupCodes.left} of ${backupCodes.total}`
  const until = attempts.lockedUntil
  const locked = until === undefined ? '' : `locked until ${new Date(until * 1000).toISOString()}`
  return [account, user, factors, codes, attempts.stopped ? 'stopped' : locked].join('\t')
}

async function erase(args: string[]): Promise<void> {
  const { config, ...input } = argumentsOf(args, ['config', 'user', 'operator'], ['account'])
  const { found } = await createOperator(await optionsIn(config)).erased(input)
  console.log(found ? `deleted: ${nameOf(input)}` : `there is no record of ${nameOf(input)}`)
}

/** The options of a command: these must be given, those may be. */
function argumentsOf<Must extends string, May extends string>(
  args: string[],
  must: Must[],
  may: May[],
): Record<Must, string> & Partial<Record<May, string>> {
  const options = Object.fromEntries([...must, ...may].map((name) => [name, { type: 'string' } as const]))
  const { values, positionals, tokens } = parsed(() =>
    parseArgs({ args, options, allowPositionals: true, tokens: true }),
  )
  const given = tokens.flatMap((token) => (token.kind === 'option' ? [token.name] : []))
  const twice = given.find((name, index) => given.indexOf(name) < index)
  if (twice !== undefined) throw new UsageError(`--${twice} is given twice`)
  if (positionals.length > 0) throw new UsageError(`\`${positionals[0]}\` is not known here`)
  const missing = must.find((name) => values[name] === undefined)
  if (missing !== undefined) throw new UsageError(`--${missing} is missing`)
  return values as Record<Must, string> & Partial<Record<May, string>>
}

/** Raises the restore epoch to now, or by one where the clock is behind it. */
async function printRestored(text: string): Promise<void> {
  // The engine refuses a ring that is none.
  const policy = JSON.stringify({ v: 1, name: 'any', origin: 'https://any.example', methods: ['totp'] })
  createSecondFactor({ policy, keys: text, store: memoryStore() })
  const keys = JSON.parse(text) as { restoreEpoch?: number }
  const restoreEpoch = Math.max(Math.floor(Date.now() / 1000), (keys.restoreEpoch ?? 0) + 1)
  console.log(JSON.stringify({ ...keys, restoreEpoch }, null, 2))
}

async function restored(args: string[]): Promise<void> {
  const { config, events, since, operator } = restoredArguments(args)
  const { reset } = createOperator(await optionsIn(config))
  const imported = new Set<string>()
  const changed = changedSince({ events: notingImports(eventsIn(events), since, imported), since })
  const open: RecordId[] = []
  for (const id of changed) {
    try {
      await reset({ ...id, operator })
      console.log(`reset: ${nameOf(id)}`)
    } catch (error) {
      // One whose account is gone must not keep the others from their reset.
      open.push(id)
      console.error(`not reset: ${nameOf(id)}: ${wordsWithCause(error)}`)
    }
  }
  if (imported.size > 0)
    console.error(
      `${imported.size} users were imported since the backup: do that import again, for those who were not reset`,
    )
  console.log(`${changed.length - open.length} users were reset; only a recovery code lets them in`)
  if (open.length > 0) throw new Error(`${open.length} users were not reset, and may log in without a second factor`)
}

/** The events, with the users who were imported since the backup noted. */
function* notingImports(events: Iterable<EventOfLog>, since: number, imported: Set<string>): Iterable<EventOfLog> {
  for (const event of events) {
    if (event?.event === 'totp_imported' && event.at >= since) imported.add(JSON.stringify([event.account, event.user]))
    yield event
  }
}

function restoredArguments(args: string[]) {
  const { config, events, since, operator } = argumentsOf(args, ['config', 'events', 'since', 'operator'], [])
  const time = Date.parse(since)
  if (!/^\d{4}-\d\d-\d\dT.*(Z|[+-]\d\d:\d\d)$/.test(since) || Number.isNaN(time))
    throw new UsageError('--since must be a time with its zone, such as 2026-11-28T04:00:00Z')
  return { config, events, since: Math.floor(time / 1000), operator }
}

function* eventsIn(file: string): Iterable<EventOfLog> {
  for (const [index, line] of readFileSync(file, 'utf8').split('\n').entries()) {
    if (line.trim() === '') continue
    try {
      yield JSON.parse(line)
    } catch {
      throw new Error(`${file}, line ${index + 1}: is no event in JSON`)
    }
  }
}

type EventOfLog = ChangedSinceInput['events'] extends Iterable<infer Event> ? Event : never

async function recovery(args: string[]): Promise<void> {
  const { action, config, operator, ...id } = recoveryArguments(args)
  const { options, hadNoRecord } = watched(await optionsIn(config), action === 'reset')
  const commands = createOperator(options)
  const input = { ...id, operator }
  if (action === 'withdraw') {
    const { result } = await commands.withdrawRecoveryCode(input)
    console.log(result === 'withdrawn' ? 'withdrawn' : 'there is no recovery code')
    return
  }
  const { code, expiresAt } = await (action === 'reset'
    ? commands.reset(input)
    : commands.issueRecoveryCode(input)
  ).catch((error: unknown) => {
    throw isNoRecord(error) ? new Error(nothingToReset(id)) : error
  })
  if (hadNoRecord())
    console.error(
      `warning: there was no record of ${nameOf(id)} yet. That is so only before a first factor: otherwise the user or the account is another one; take the code back by \`recovery withdraw\``,
    )
  console.log(`${code}   (for ${nameOf(id)}; counts once, until ${new Date(expiresAt * 1000).toISOString()})`)
}

function recoveryArguments([action, ...args]: string[]) {
  if (action !== 'issue' && action !== 'reset' && action !== 'withdraw')
    throw new UsageError('recovery is followed by issue, reset or withdraw')
  return { action, ...argumentsOf(args, ['config', 'user', 'operator'], ['account']) }
}

function parsed<T>(parse: () => T): T {
  try {
    return parse()
  } catch (error) {
    throw new UsageError((error as Error).message)
  }
}

/** The default export of the host's file, or what it gives. */
async function optionsIn(config: string): Promise<OperatorOptions> {
  const module = (await import(pathToFileURL(resolve(config)).href)) as { default?: unknown }
  if (module.default === undefined) {
    throw new Error(`${config} has no default export: it must be the object that createSecondFactor is given`)
  }
  // A module that TypeScript compiled for `require` has its default export within.
  const { __esModule: isCompiled, default: inner } = module.default as { __esModule?: unknown; default?: unknown }
  const options = isCompiled === true && inner !== undefined ? inner : module.default
  return (typeof options === 'function' ? await options() : options) as OperatorOptions
}

/** Thrown by the store in place of no record, where the command must have one. */
class NoRecord extends Error {}

const isNoRecord = (error: unknown) => error instanceof Error && error.cause instanceof NoRecord

/** The same options, whose store tells whether there was a record at the first load, and may refuse to go on without one. */
function watched(options: OperatorOptions, mustHaveRecord: boolean) {
  let isFirst: boolean | undefined
  const store = options?.store
  // createOperator refuses a value that is no store, and tells what it lacks.
  if (typeof store?.load !== 'function' || typeof store.save !== 'function')
    return { options, hadNoRecord: () => false }
  const load: Store['load'] = async (id) => {
    const stored = await store.load(id)
    isFirst ??= (stored ?? undefined) === undefined
    if (mustHaveRecord && isFirst) throw new NoRecord()
    return stored
  }
  // A store of the host's may be an instance of a class. Its revocation list comes along: a reset ends passes by it.
  const bound = (member: unknown) => (typeof member === 'function' ? member.bind(store) : member)
  const { save, revoke, revoked } = store
  const list = { revoke: bound(revoke), revoked: bound(revoked) }
  return {
    options: { ...options, store: { load, save: bound(save), ...list } as Store },
    hadNoRecord: () => isFirst === true,
  }
}

type Store = OperatorOptions['store']

const nothingToReset = (id: { account?: string | undefined; user: string }) =>
  `there is no record of ${nameOf(id)}, so nothing was reset: look at --user and --account again. A user without a record never had a second factor, and \`recovery issue\` gives them a code`

const nameOf = ({ account, user }: { account?: string | undefined; user: string }) =>
  account === undefined ? `user "${user}" without an account` : `user "${user}" in account "${account}"`

/** The words of an error of the host's. A database under two addresses fails with two errors and no words of its own. */
function wordsOf(error: unknown): string {
  if (error instanceof AggregateError && error.message === '' && error.errors.length > 0)
    return error.errors.map(wordsOf).join('; ')
  if (error instanceof Error) return error.message || error.name
  return typeof error === 'object' && error !== null ? 'an object that is no Error' : String(error)
}

/** The same and the cause: a policy function, a store or a file of the host's, whose own words tell its operator what to do. */
function wordsWithCause(error: unknown): string {
  const cause = error instanceof Error ? error.cause : undefined
  return cause === undefined ? wordsOf(error) : `${wordsOf(error)}\ncaused by: ${wordsOf(cause)}`
}

/** Ends the process with the command: a host's connection that stays open does not keep it, and one that never answers fails it. */
function carryOut(command: Promise<void>): void {
  const unanswered = () => {
    console.error('the file of --config, or its store, never answered; it is not known whether anything was stored')
    process.exitCode = 1
  }
  process.once('exit', unanswered)
  const end = () => {
    process.off('exit', unanswered)
    process.stdout.write('', () => process.exit())
  }
  command.catch(fail).then(end)
}

function fail(error: unknown): void {
  const isUsage = error instanceof UsageError
  console.error(isUsage ? `${wordsOf(error)}\n\n${USAGE}` : wordsWithCause(error))
  process.exitCode = isUsage ? 2 : 1
}

const [command, ...rest] = process.argv.slice(2)
if ([command, ...rest].some((word) => word === '--help' || word === '-h')) {
  console.log(USAGE)
} else if (command === 'keys' && rest.length === 0) {
  console.log(JSON.stringify(generateKeys(), null, 2))
} else if (command === 'keys' && rest.length === 1 && rest[0] === 'restored') {
  printRestored(readFileSync(0, 'utf8')).catch(fail)
} else if (command === 'restored') {
  carryOut(restored(rest))
} else if (command === 'list') {
  carryOut(list(rest))
} else if (command === 'delete') {
  carryOut(erase(rest))
} else if (command === 'jwks' && rest.length === 0) {
  printJwks(readFileSync(0, 'utf8')).catch(fail)
} else if (command === 'recovery') {
  carryOut(recovery(rest))
} else {
  fail(
    new UsageError(command === undefined ? 'a command is missing' : `\`${[command, ...rest].join(' ')}\` is not known`),
  )
}
