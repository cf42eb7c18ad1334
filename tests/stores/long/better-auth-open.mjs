// The store in better-auth's own database, on a server: opened by each process of the kit.
import '../../adapters/use-frameworks.mjs'
import { createRequire } from 'node:module'
import { pathToFileURL } from 'node:url'
import { generateKeys } from 'countersign'
import mysql from 'mysql2/promise'
import pg from 'pg'

const load = createRequire(new URL('../../adapters/', import.meta.url))
const framework = (name) => import(pathToFileURL(load.resolve(name)).href)
const [{ betterAuth }, { getMigrations }] = await Promise.all(
  ['better-auth', 'better-auth/db/migration'].map(framework),
)
const { betterAuthStore, secondFactor } = await import('countersign/better-auth')

export default async function open() {
  const address = process.env.BETTER_AUTH_SERVER
  const database = address.startsWith('mysql:')
    ? mysql.createPool({ uri: address, timezone: 'Z' })
    : new pg.Pool({ connectionString: address })
  const auth = betterAuth({
    database,
    secret: 'a secret of this test alone, 0123456789',
    baseURL: 'http://localhost',
    telemetry: { enabled: false },
    plugins: [secondFactor({ policy: { v: 1, name: 'Acme', origin: 'https://acme.example' }, keys: generateKeys() })],
  })
  if (process.env.BETTER_AUTH_MIGRATED !== address) {
    await (await getMigrations(auth.options)).runMigrations()
    process.env.BETTER_AUTH_MIGRATED = address
  }
  return { store: await betterAuthStore(auth), close: () => database.end() }
}
