// The commands of the shell:
//   npx countersign keys                    prints a new key ring
//   npx countersign keys restored           prints a key ring in a new restore epoch, after a restore of the database
//   npx countersign restored …              resets the users whose factors changed after the backup
//   npx countersign list …                  prints the users who have a record
//   npx countersign delete …                erases a user who leaves
//   npx countersign jwks < keys.json        prints its public keys as a JWK set, as Envoy's filter takes it
//   npx countersign recovery issue …        issues a recovery code, for the operator of the host
//   npx countersign recovery reset …        the same, and takes back all that lets the user in
//   npx countersign import …                brings the users of another system along, with their apps
//   npx countersign export …                writes the secrets of all apps, encrypted, for an operator who leaves
//   npx countersign --help                  prints how each is called
import { readFileSync } from 'node:fs'
import { argumentsOf, nameOf, optionsIn, UsageError, wordsOf, wordsWithCause } from './cli/common.js'
import { recovery } from './cli/recovery.js'
import { restored } from './cli/restored.js'
import { USAGE } from './cli/usage.js'
import { createSecondFactor, generateKeys, memoryStore } from './index.js'
import { createOperator, type ListedUser } from './operator.js'

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

/** Raises the restore epoch to now, or by one where the clock is behind it. */
async function printRestored(text: string): Promise<void> {
  // The engine refuses a ring that is none.
  const policy = JSON.stringify({ v: 1, name: 'any', origin: 'https://any.example', methods: ['totp'] })
  createSecondFactor({ policy, keys: text, store: memoryStore() })
  const keys = JSON.parse(text) as { restoreEpoch?: number }
  const restoreEpoch = Math.max(Math.floor(Date.now() / 1000), (keys.restoreEpoch ?? 0) + 1)
  console.log(JSON.stringify({ ...keys, restoreEpoch }, null, 2))
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
  const isUsage = error instanceof Error && error.name === 'UsageError'
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
} else if (command === 'import') {
  carryOut(import('./cli/import.js').then(({ importApps }) => importApps(rest)))
} else if (command === 'export') {
  carryOut(import('./cli/export.js').then(({ exportApps }) => exportApps(rest)))
} else {
  fail(
    new UsageError(command === undefined ? 'a command is missing' : `\`${[command, ...rest].join(' ')}\` is not known`),
  )
}
