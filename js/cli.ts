// The commands of the shell:
//   npx countersign keys                    prints a new key ring
//   npx countersign jwks < keys.json        prints its public keys as a JWK set, as Envoy's filter takes it
//   npx countersign recovery issue …        issues a recovery code, for the operator of the host
import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { parseArgs } from 'node:util'
import { createSecondFactor, generateKeys, memoryStore } from './index.js'
import { createOperator, type OperatorOptions } from './operator.js'

const USAGE = `usage: countersign keys                 print a new key ring (keep it secret, and out of the database)
       countersign jwks < keys.json     print its public keys, as \`jwks\` of the filter for Envoy
       countersign recovery issue --config FILE --user ID [--account ID] --operator NAME
       countersign recovery withdraw --config FILE --user ID [--account ID] --operator NAME
                                        issue or withdraw a recovery code. FILE is a module whose default
                                        export is { policy, keys, store, notify, onEvent }, or a function
                                        that gives it`

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

async function recovery(args: string[]): Promise<void> {
  const text = { type: 'string' } as const
  const { values, positionals } = parseArgs({
    args,
    options: { config: text, user: text, account: text, operator: text },
    allowPositionals: true,
  })
  const { config, user, account, operator } = values
  const [action] = positionals
  if (config === undefined || user === undefined || operator === undefined || positionals.length !== 1)
    throw new Error(USAGE)
  const { default: given } = (await import(pathToFileURL(resolve(config)).href)) as { default: unknown }
  const options = (typeof given === 'function' ? await given() : given) as OperatorOptions
  const commands = createOperator(options)
  const input = { account, user, operator }
  if (action === 'issue') {
    const { code, expiresAt } = await commands.issueRecoveryCode(input)
    console.log(`${code}   (counts once, until ${new Date(expiresAt * 1000).toISOString()})`)
  } else if (action === 'withdraw') {
    const { result } = await commands.withdrawRecoveryCode(input)
    console.log(result === 'withdrawn' ? 'withdrawn' : 'there is no recovery code')
  } else throw new Error(USAGE)
}

function fail(error: Error): void {
  console.error(error.message)
  process.exitCode = error.message === USAGE ? 2 : 1
}

const [command, ...rest] = process.argv.slice(2)
if (command === 'keys' && rest.length === 0) {
  console.log(JSON.stringify(generateKeys(), null, 2))
} else if (command === 'jwks' && rest.length === 0) {
  printJwks(readFileSync(0, 'utf8')).catch(fail)
} else if (command === 'recovery') {
  recovery(rest).catch(fail)
} else {
  console.error(USAGE)
  process.exitCode = 2
}
