// Runs the command on a host's file with a store in SQLite.
import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import Database from 'better-sqlite3'
import { sqliteStore } from 'countersign/stores/sqlite'
import { host, rules } from './support.mjs'

const root = new URL('../../', import.meta.url)
const cli = fileURLToPath(new URL('pkg/cli.cjs', root))
const address = (path) => JSON.stringify(new URL(path, root).href)

/**
 * A folder with the host's file, and its records. `lines` may change `options`; the clock of the test begins `ago` seconds before now.
 * @returns {Promise<any>}
 */
export async function commandHost(t, lines = '', ago = 0) {
  const folder = mkdtempSync(join(tmpdir(), 'countersign-'))
  t.after(() => rmSync(folder, { recursive: true }))
  const records = join(folder, 'records.sqlite')
  const database = new Database(records)
  t.after(() => database.close())
  const at = await host({ store: sqliteStore(database) })
  at.clock.advance(Math.floor(Date.now() / 1000) - ago - at.clock())
  const config = join(folder, 'second-factor.mjs')
  const events = join(folder, 'events.jsonl')
  writeFileSync(
    config,
    `import { appendFileSync } from 'node:fs'
     import Database from ${JSON.stringify(import.meta.resolve('better-sqlite3'))}
     import { sqliteStore } from ${address('pkg/stores/sqlite.mjs')}
     const options = {
       policy: ${JSON.stringify(rules())},
       keys: ${JSON.stringify(at.keys)},
       store: sqliteStore(new Database(${JSON.stringify(records)})),
       onEvent: (event) => appendFileSync(${JSON.stringify(events)}, JSON.stringify(event) + '\\n'),
     }
     ${lines}
     export default options`,
  )
  const file = (name, text) => {
    writeFileSync(join(folder, name), text)
    return join(folder, name)
  }
  return { ...at, folder, config, events, file, run: (args, more) => run([...args, '--config', config], more) }
}

/**
 * Runs the command to its end.
 * @param {string[]} args
 * @param {{ input?: string, env?: Record<string, string> }} [more]
 * @returns {Promise<{ code: number | null, signal: string | null, stdout: string, stderr: string }>}
 */
export function run(args, { input = '', env = {} } = {}) {
  const child = spawn(process.execPath, [cli, ...args], { env: { ...process.env, ...env }, timeout: 60_000 })
  const [stdout, stderr] = [child.stdout, child.stderr].map((stream) => {
    const parts = []
    stream.on('data', (part) => parts.push(part))
    return () => Buffer.concat(parts).toString()
  })
  child.stdin.on('error', () => {}) // The command may end before it has read all.
  child.stdin.end(input)
  return new Promise((resolve) =>
    child.on('close', (code, signal) => resolve({ code, signal, stdout: stdout(), stderr: stderr() })),
  )
}
