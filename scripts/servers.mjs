// The programs of the servers for the tests: databases, and nginx. Debian puts some of them outside PATH.
import { existsSync, readdirSync } from 'node:fs'
import { delimiter, join } from 'node:path'

/** The path of a server's program, of its newest version, or undefined. */
export function serverProgram(name) {
  const folders = [...postgresFolders(), ...(process.env.PATH ?? '').split(delimiter), '/usr/sbin']
  return folders.map((folder) => join(folder, name)).find((path) => existsSync(path))
}

// PATH comes second: Debian's `pg_ctl` is nowhere else, and its `psql` in PATH is a wrapper.
function postgresFolders() {
  const versions = '/usr/lib/postgresql'
  if (!existsSync(versions)) return []
  const newestFirst = readdirSync(versions).sort((a, b) => Number(b) - Number(a))
  return newestFirst.map((version) => join(versions, version, 'bin'))
}
