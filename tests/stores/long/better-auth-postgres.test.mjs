// The store in better-auth's own database, on PostgreSQL.
import { startPostgres } from '../servers/postgres.mjs'
import { proveOn } from './better-auth.mjs'

await proveOn('postgres', startPostgres)
