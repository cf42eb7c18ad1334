// What the scripts share. Node's built-ins only: this runs before anything is installed.
import { spawn, spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, readdirSync, readFileSync, realpathSync, statSync } from 'node:fs'
import { createServer } from 'node:net'
import { homedir } from 'node:os'
import { delimiter, join } from 'node:path'
import { fileURLToPath } from 'node:url'

export const root = fileURLToPath(new URL('../', import.meta.url))
export const at = (...parts) => join(root, ...parts)
export const has = (...parts) => existsSync(at(...parts))
export const inCi = Boolean(process.env.CI) && process.env.CI !== 'false'

/** A failure that one sentence explains; everything else keeps its stack trace. */
export class Problem extends Error {}

/** Runs `work` when this file was started by hand, not when another script imported it. */
export async function main(url, work) {
  if (!process.argv[1] || realpathSync(process.argv[1]) !== fileURLToPath(url)) return
  try {
    await work()
  } catch (error) {
    console.error(error instanceof Problem ? `\n${error.message}` : error)
    process.exitCode = 1
  }
}

/** What a command prints, or undefined when it is missing or fails. */
export function ask(command, args) {
  const { status, stdout } = spawnSync(command, args, { cwd: root, encoding: 'utf8' })
  return status === 0 ? stdout.trim() : undefined
}

/** Whether PATH holds a command. */
export const onPath = (command) =>
  (process.env.PATH ?? '').split(delimiter).some((folder) => existsSync(join(folder, command)))

/** Runs a command with its output on the screen; `keep` also returns that output, `quiet` shows errors only. */
export function run(command, args, { cwd = root, env, keep = false, quiet = false, minutes = 30 } = {}) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, {
      cwd,
      env: { ...process.env, ...env },
      stdio: keep ? ['ignore', 'pipe', 'pipe'] : ['ignore', quiet ? 'ignore' : 'inherit', 'inherit'],
      timeout: minutes * 60_000,
    })
    let output = ''
    for (const name of keep ? ['stdout', 'stderr'] : []) {
      child[name].setEncoding('utf8').on('data', (text) => {
        output += text
        process[name].write(text)
      })
    }
    const failed = (why) => reject(Object.assign(new Problem(`${[command, ...args].join(' ')} ${why}.`), { output }))
    child.on('error', (error) =>
      failed(
        error.code === 'ENOENT' ? 'could not start: the command is not installed' : `could not start: ${error.message}`,
      ),
    )
    child.on('close', (code, signal) =>
      code === 0 ? resolve(output) : failed(signal ? `was stopped by ${signal}` : `failed with exit code ${code}`),
    )
  })
}

/** npm, by the very copy that started this script where there is one. */
export function npm(args, options) {
  const cli = process.env.npm_execpath
  return cli?.endsWith('.js') ? run(process.execPath, [cli, ...args], options) : run('npm', args, options)
}

/** One hash over files and folders (names and contents); what does not exist counts as empty. */
export function hashOf(paths, ...more) {
  const hash = createHash('sha256').update(JSON.stringify(more))
  const add = (path) => {
    if (!has(path)) return
    if (statSync(at(path)).isDirectory()) {
      for (const name of readdirSync(at(path)).sort()) add(join(path, name))
    } else {
      hash.update(`\n${path}\n`).update(readFileSync(at(path)))
    }
  }
  paths.forEach(add)
  return hash.digest('hex')
}

export const readIf = (...parts) => (has(...parts) ? readFileSync(at(...parts), 'utf8') : undefined)

/** Prefixes PATH with the project's own tools. */
export const withTools = () => ({
  PATH: [at('target/tools/bin'), at('node_modules/.bin'), process.env.PATH].join(delimiter),
})

/**
 * Options for cargo that keep the paths of this machine out of a module: the messages of panics
 * name source files.
 */
export function remapPaths(target) {
  const registries = join(process.env.CARGO_HOME ?? join(homedir(), '.cargo'), 'registry/src')
  const sources = existsSync(registries) ? readdirSync(registries).map((name) => join(registries, name)) : []
  const flags = [...sources, at('.')].map((path) => `--remap-path-prefix=${path.replace(/\/?$/, '/')}=`)
  return ['--config', `target.${target}.rustflags=${JSON.stringify(flags)}`]
}

export const seconds = (since) => `${((performance.now() - since) / 1000).toFixed(1)} s`

/** Ports that nobody listens at just now. */
export async function freePorts(count) {
  const servers = await Promise.all(
    Array.from(
      { length: count },
      () =>
        new Promise((resolve) => {
          const server = createServer().listen(0, 'localhost', () => resolve(server))
        }),
    ),
  )
  const ports = servers.map((server) => server.address().port)
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))))
  return ports
}
