// `npx countersign keys`: prints a new key ring.
import { generateKeys } from './index.js'

if (process.argv[2] === 'keys' && process.argv.length === 3) {
  console.log(JSON.stringify(generateKeys(), null, 2))
} else {
  console.error('usage: countersign keys    print a new key ring (keep it secret, and out of the database)')
  process.exitCode = 2
}
