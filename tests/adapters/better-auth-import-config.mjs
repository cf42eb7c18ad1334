// The configuration of `countersign import` for a move within better-auth: the records go into its own database.
import { betterAuth } from 'better-auth'
import Database from 'better-sqlite3'
import { betterAuthStore, secondFactor } from 'countersign/better-auth'

const policy = { v: 1, name: 'Acme', origin: 'https://acme.example' }
const keys = process.env.COUNTERSIGN_KEYS
const auth = betterAuth({
  database: new Database(process.env.DATABASE),
  secret: process.env.BETTER_AUTH_SECRET,
  baseURL: 'http://localhost',
  telemetry: { enabled: false },
  plugins: [secondFactor({ policy: /** @type {any} */ (policy), keys })],
})

export default { policy, keys, store: await betterAuthStore(auth) }
