// `npx countersign keys`: prints a new key ring.
// `npx countersign jwks < keys.json`: prints its public keys as a JWK set, as Envoy's filter takes it.
import { readFileSync } from 'node:fs'
import { createSecondFactor, generateKeys, memoryStore } from './index.js'

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

const [command, ...rest] = process.argv.slice(2)
if (command === 'keys' && rest.length === 0) {
  console.log(JSON.stringify(generateKeys(), null, 2))
} else if (command === 'jwks' && rest.length === 0) {
  printJwks(readFileSync(0, 'utf8')).catch((error: Error) => {
    console.error(error.message)
    process.exitCode = 1
  })
} else {
  console.error(`usage: countersign keys                 print a new key ring (keep it secret, and out of the database)
       countersign jwks < keys.json     print its public keys, as \`jwks\` of the filter for Envoy`)
  process.exitCode = 2
}
