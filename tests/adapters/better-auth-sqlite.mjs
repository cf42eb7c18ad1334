// The store in better-auth's own database, on one SQLite file: opened by each process of the kit.
import './use-frameworks.mjs'
import { betterAuth } from 'better-auth'
import { getMigrations } from 'better-auth/db/migration'
import Database from 'better-sqlite3'
import { generateKeys } from 'countersign'

const { betterAuthStore, secondFactor } = await import('countersign/better-auth')

export default async function open() {
  const file = process.env.BETTER_AUTH_SQLITE
  const database = new Database(file, { timeout: 20_000 })
  database.pragma('journal_mode = WAL')
  const auth = betterAuth({
    database,
    secret: 'a secret of this test alone, 0123456789',
    baseURL: 'http://localhost',
    telemetry: { enabled: false },
    plugins: [
      /** @type {any} */ (
        secondFactor({ policy: { v: 1, name: 'Acme', origin: 'https://acme.example' }, keys: generateKeys() })
      ),
    ],
  })
  if (process.env.BETTER_AUTH_MIGRATED !== file) {
    await (await getMigrations(auth.options)).runMigrations()
    process.env.BETTER_AUTH_MIGRATED = file
  }
  return { store: await betterAuthStore(auth), close: () => database.close() }
}
