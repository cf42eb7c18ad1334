// Real database servers for the tests: each test starts its own, on 127.0.0.1, with its data in a temporary folder.
// A server ends with the test that it is given, `startPostgres(t)`, or with the file: `startPostgres({ after })` with the
// `after` of node:test. At the latest it ends with the process, even one that is killed.
//
// Tests in this folder import `countersign`, and the drivers by their own names: `import pg from 'pg'`. The drivers are
// installed by tests/stores/package.json, which links `countersign` to the project. Each test says which servers it needs,
// because one may be missing on a developer's machine: see `without`.
import { execFileSync, spawn } from 'node:child_process'
import {
  closeSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { at, onPath } from '../../../scripts/common.mjs'
import { serverProgram } from '../../../scripts/servers.mjs'
import { eventually } from '../../shared/eventually.mjs'

/**
 * The context of a test, or anything else that runs a function at its end.
 * @typedef {{ after(end: () => unknown): void }} Ends
 */

/**
 * @typedef {object} Server
 * @property {() => Promise<void>} stop   ends it in order, and keeps its data
 * @property {() => Promise<void>} kill   ends it with all its processes by SIGKILL, and keeps its data
 * @property {() => Promise<void>} start  starts it again, on the same data and port
 * @property {() => string} log           the text that it has written so far
 */

/**
 * Starts a server and waits until it is ready.
 * @param {Ends | undefined} t
 * @param {object} options
 * @param {string} options.program
 * @param {string[]} options.args
 * @param {string} options.folder   from `newFolder`
 * @param {RegExp} options.ready    in the server's log
 * @param {NodeJS.Signals} [options.stopSignal]
 * @param {NodeJS.Signals} [options.endSignal]  at the end of the test, when the data is no longer needed
 * @returns {Promise<Server>}
 */
export async function startServer(t, { program, args, folder, ready, stopSignal = 'SIGTERM', endSignal = 'SIGKILL' }) {
  const file = join(folder, 'log')
  /** @type {{ child: import('node:child_process').ChildProcess, exited: Promise<unknown> } | undefined} */
  let running

  const log = () => (existsSync(file) ? readFileSync(file, 'utf8') : '')

  async function start() {
    if (running) throw new Error(`${program} runs already`)
    const before = existsSync(file) ? statSync(file).size : 0
    const since = () => readFileSync(file).subarray(before).toString()
    const output = openSync(file, 'a')
    const [command, ...rest] = asServer(program, args)
    const child = spawn(command, rest, { cwd: folder, env: ENVIRONMENT, stdio: ['ignore', output, output] })
    closeSync(output)
    running = { child, exited: new Promise((resolve) => child.once('exit', resolve).once('error', resolve)) }
    living.add(child)
    await eventually(
      () => {
        if (!ready.test(since()) && !hasExited(child)) throw new Error(`${program} is not ready:\n${since()}`)
      },
      { seconds: 60 },
    )
    if (hasExited(child)) {
      running = undefined
      throw new Error(`${program} did not start:\n${since()}`)
    }
    // A server that is still running lets the process of the tests end.
    child.unref()
  }

  /** @param {NodeJS.Signals} signal */
  async function end(signal) {
    if (!running) return
    const { child, exited } = running
    child.ref()
    const children = signal === 'SIGKILL' ? killAll(child) : []
    if (signal !== 'SIGKILL') child.kill(signal)
    await exited
    await eventually(() => {
      const alive = children.filter((pid) => !isGone(pid))
      if (alive.length > 0) throw new Error(`${program}: the processes ${alive} do not end`)
    })
    living.delete(child)
    running = undefined
  }

  t?.after(async () => {
    await end(endSignal)
    removeFolder(folder)
  })
  await start()
  return { start, stop: () => end(stopSignal), kill: () => end('SIGKILL'), log }
}

/**
 * The reason to skip a test that needs these servers, for the option `skip`: `test(name, { skip: without('mariadb') }, …)`;
 * false where they are there. The names are those of scripts/setup.mjs. `npm test` sets the variable where a server cannot
 * be installed. Without the variable such a test fails.
 * @param {('postgres' | 'mariadb' | 'redis' | 'pgbouncer')[]} names
 */
export function without(...names) {
  const left = (process.env.COUNTERSIGN_WITHOUT ?? '').split(',')
  const missing = names.filter((name) => left.includes(name))
  return missing.length > 0 && `without ${missing.join(' and ')}`
}

/** The path of a program, which must be installed. */
export function program(name) {
  const path = serverProgram(name)
  if (!path) throw new Error(`${name} is not installed: run node scripts/setup.mjs --test`)
  return path
}

/** A new folder for a server's data. */
export function newFolder() {
  const folder = mkdtempSync(join(tmpdir(), 'countersign-server-'))
  folders.add(folder)
  own(folder)
  return folder
}

/**
 * A new folder with a copy of the data that `make(folder)` writes. It is called once for each `name`, and the result is
 * kept, because it takes seconds.
 * @param {string} name  holds the version, because the data of an older one is of no use
 * @param {(folder: string) => void} make
 */
export function copyOf(name, make) {
  const kept = at('target/servers', name)
  if (!existsSync(kept)) {
    const made = newFolder()
    make(made)
    mkdirSync(at('target/servers'), { recursive: true })
    const mine = mkdtempSync(at('target/servers/new-'))
    execFileSync('cp', ['-R', `${made}/.`, mine])
    removeFolder(made)
    try {
      renameSync(mine, kept)
    } catch {
      // Another test was first.
      rmSync(mine, { recursive: true })
    }
  }
  const folder = newFolder()
  execFileSync('cp', ['-R', `${kept}/.`, folder])
  own(folder)
  return folder
}

/** Runs a program of a server, such as `initdb`, to its end, and returns its output. */
export function runProgram(path, args, { cwd = tmpdir() } = {}) {
  const [command, ...rest] = asServer(path, args)
  return execFileSync(command, rest, { cwd, env: ENVIRONMENT, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] })
}

const ENVIRONMENT = { ...process.env, LC_ALL: 'C', TZ: 'UTC' }
const NOBODY = '65534'

/** @type {Set<import('node:child_process').ChildProcess>} */
const living = new Set()
/** @type {Set<string>} */
const folders = new Set()

process.on('exit', () => {
  for (const child of living) killAll(child)
  for (const folder of folders) removeFolder(folder)
})

function removeFolder(folder) {
  rmSync(folder, { recursive: true, force: true, maxRetries: 5 })
  folders.delete(folder)
}

// PostgreSQL refuses to run as root, so as root each server runs as nobody.
const isRoot = process.getuid() === 0

/**
 * The command that starts a server's program. `--pdeathsig` has the kernel kill it when the process of the tests ends in
 * whichever way.
 */
function asServer(path, args) {
  if (!onPath('setpriv')) return [path, ...args]
  const user = isRoot ? ['--reuid', NOBODY, '--regid', NOBODY, '--clear-groups'] : []
  return ['setpriv', '--pdeathsig', 'KILL', ...user, '--', path, ...args]
}

function own(folder) {
  if (isRoot) execFileSync('chown', ['-R', `${NOBODY}:${NOBODY}`, folder])
  // PostgreSQL refuses data that others can read.
  execFileSync('chmod', ['700', folder])
}

/** @param {import('node:child_process').ChildProcess} child */
const hasExited = ({ pid, exitCode, signalCode }) => pid === undefined || exitCode !== null || signalCode !== null

/**
 * Kills a process and its children, and returns the children.
 * @param {import('node:child_process').ChildProcess} child
 */
function killAll({ pid }) {
  const children = childrenOf(pid)
  for (const each of [pid, ...children]) {
    try {
      process.kill(each, 'SIGKILL')
    } catch (error) {
      if (error.code !== 'ESRCH') throw error
    }
  }
  return children
}

function childrenOf(pid) {
  const list = `/proc/${pid}/task/${pid}/children`
  if (!existsSync(list)) return []
  return readFileSync(list, 'utf8').split(' ').filter(Boolean).map(Number)
}

/** Whether a process has ended. It may still be listed, as a zombie. */
function isGone(pid) {
  try {
    return / [ZX] /.test(readFileSync(`/proc/${pid}/stat`, 'utf8').replace(/.*\)/, ''))
  } catch {
    return true
  }
}
