// The store in better-auth's own database, on MariaDB.
import { startMariadb } from '../servers/mariadb.mjs'
import { proveOn } from './better-auth.mjs'

await proveOn('mariadb', startMariadb, 65_535)
