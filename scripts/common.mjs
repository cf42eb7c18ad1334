// Functions that the scripts share. This file imports only Node's built-ins, because it runs before anything is installed.
import { spawn, spawnSync } from 'node:child_process'
import { createHash, randomInt } from 'node:crypto'
import { existsSync, readdirSync, readFileSync, realpathSync, statSync } from 'node:fs'
import { createServer } from 'node:net'
import { homedir } from 'node:os'
import { basename, delimiter, join } from 'node:path'
import { fileURLToPath } from 'node:url'

export const root = fileURLToPath(new URL('../', import.meta.url))
export const at = (...parts) => join(root, ...parts)
export const has = (...parts) => existsSync(at(...parts))
export const inCi = Boolean(process.env.CI) && process.env.CI !== 'false'

/** A failure whose message is enough; other errors are printed with their stack trace. */
export class Problem extends Error {
  /** The output of the command that failed. @type {string | undefined} */
  output
}

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

/** The output of a command, or undefined when it is missing or fails. */
export function ask(command, args) {
  const { status, stdout } = spawnSync(command, args, { cwd: root, encoding: 'utf8' })
  return status === 0 ? stdout.trim() : undefined
}

/** Whether PATH holds a command. */
export const onPath = (command) =>
  (process.env.PATH ?? '').split(delimiter).some((folder) => existsSync(join(folder, command)))

/**
 * Runs a command with its output on the screen. `keep` also returns that output, `silent` returns it and shows
 * nothing. `hidden` shows it at the end, whole, and only after a failure or in CI; meanwhile a line every half minute says
 * that the command, by its `name`, still runs. The error of a failure has the kept text as `output`.
 * @param {string} command
 * @param {string[]} args
 * @param {{ cwd?: string, env?: Record<string, string>, keep?: boolean, silent?: boolean, hidden?: boolean, name?: string, minutes?: number, lineSeconds?: number }} [options]
 * @returns {Promise<string>}
 */
export function run(
  command,
  args,
  { cwd = root, env = {}, keep = false, silent = false, hidden = false, name, minutes = 30, lineSeconds = 30 } = {},
) {
  return new Promise((resolve, reject) => {
    const hides = silent || hidden
    const piped = keep || hides
    const child = spawn(command, args, {
      cwd,
      env: { ...process.env, ...env },
      stdio: piped ? ['ignore', 'pipe', 'pipe'] : ['ignore', 'inherit', 'inherit'],
    })
    // The option `timeout` of spawn would keep this process alive after a command that could not start.
    const timer = setTimeout(() => child.kill(), minutes * 60_000).unref()
    let output = ''
    const start = performance.now()
    const lines = setInterval(() => {
      if (!hidden) return
      const last = output.trimEnd().split('\n').at(-1)?.trim().slice(0, 80)
      const label = name ?? `${basename(command)} ${args[0] ?? ''}`.trim()
      const after = Math.round((performance.now() - start) / 1000)
      console.log(`    ${label}: still running after ${after} s${last ? `: ${last}` : ''}`)
    }, lineSeconds * 1000).unref()
    for (const name of piped ? ['stdout', 'stderr'] : []) {
      child[name].setEncoding('utf8').on('data', (text) => {
        output += text
        if (!hides) process[name].write(text)
      })
    }
    const failed = (why) => {
      clearInterval(lines)
      if (hidden) process.stdout.write(output)
      reject(Object.assign(new Problem(`${[command, ...args].join(' ')} ${why}.`), { output }))
    }
    child.on('error', (/** @type {NodeJS.ErrnoException} */ error) =>
      failed(
        error.code === 'ENOENT' ? 'could not start: the command is not installed' : `could not start: ${error.message}`,
      ),
    )
    child.on('close', (code, signal) => {
      clearTimeout(timer)
      clearInterval(lines)
      if (code === 0) {
        if (hidden && inCi) process.stdout.write(output)
        resolve(output)
      } else failed(signal ? `was stopped by ${signal}` : `failed with exit code ${code}`)
    })
  })
}

/** Runs npm: the copy that started this script, or else the one in PATH. */
export function npm(args, options) {
  const cli = process.env.npm_execpath
  const named = { name: `npm ${args[0]}`, ...options }
  return cli?.endsWith('.js') ? run(process.execPath, [cli, ...args], named) : run('npm', args, named)
}

/** One hash over files and folders, by names and contents. A missing file counts as empty. */
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

/**
 * Free ports between 20,000 and 30,000. No system gives these to connections or to servers that ask for any port, so
 * they are likely to stay free.
 */
export async function freePorts(count) {
  const ports = new Set()
  while (ports.size < count) {
    const port = 20_000 + randomInt(10_000)
    if (await isFree(port)) ports.add(port)
  }
  return [...ports]
}

/** Whether no server listens at a port. */
export const isFree = (port) =>
  new Promise((resolve) => {
    const server = createServer()
      .on('error', () => resolve(false))
      .listen(port, () => server.close(() => resolve(true)))
  })
