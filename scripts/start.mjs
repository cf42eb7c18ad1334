// npm start: installs what is missing, builds, and runs the examples until they are stopped: the
// login service, and Envoy in front of it and of an upstream that knows nothing of second factors.
//   PORT, ENVOY_PORT, ENVOY_ADMIN_PORT, INTRANET_PORT   other ports than 3000, 10000, 9901 and 4000
//   DATA_DIR                                            where the login service keeps its data
import { spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join, resolve } from 'node:path'
import { createInterface } from 'node:readline'
import { setTimeout as sleep } from 'node:timers/promises'
import { BOTH, build } from './build.mjs'
import { at, has, main, Problem } from './common.mjs'
import { envoyBinary } from './envoy.mjs'
import { setup, TO_START } from './setup.mjs'

const FILTER = 'target/envoy/countersign-envoy.wasm'
const CONFIG = 'examples/envoy/envoy.yaml'
const PORTS = { PORT: 3000, ENVOY_PORT: 10000, ENVOY_ADMIN_PORT: 9901, INTRANET_PORT: 4000 }
const PATIENCE_SECONDS = 60
/** A warning of Envoy's at every stop. It is no news. */
const ENVOY_STOPS = /^envoy warning: caught (?:ENVOY_)?SIG(?:TERM|INT|HUP)$/

const children = []
let stopping = false
let exitCode = 0

await main(import.meta.url, async () => {
  const ports = readPorts()
  await build(await setup(TO_START, { optional: ['envoy'], builds: BOTH }))
  const envoy = envoyBinary()
  const without = !envoy ? 'Envoy is not installed' : !has(FILTER) ? `${FILTER} is not built` : undefined
  for (const name of without ? ['PORT'] : Object.keys(PORTS)) await mustBeFree(name, ports[name])

  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
    // Ctrl-C in a terminal reaches the children directly. A second signal might interrupt their clean-up.
    process.on(signal, () => stop(signal === 'SIGINT' && process.stdin.isTTY ? undefined : 'SIGTERM'))
  }
  try {
    await startAll(ports, without ? undefined : envoy)
    if (without) console.log(`\nOnly the login service runs, without the gate: ${without}.`)
  } catch (error) {
    if (!stopping) {
      exitCode = 1
      console.error(error instanceof Problem ? `\n${error.message}` : error)
    }
    stop('SIGTERM')
  }
  await Promise.all(children.map(({ ended }) => ended))
  process.exit(exitCode)
})

async function startAll(ports, envoy) {
  const login = `http://localhost:${ports.PORT}`
  const dataDir = resolve(process.env.DATA_DIR ?? at('examples/login/data'))
  // The login service and Envoy share this token, which is new at each start.
  const token = envoy && { COUNTERSIGN_STORAGE_TOKEN: randomBytes(32).toString('hex') }
  // People type Envoy's address. Envoy is the one trusted proxy, and tells the client's address.
  const behindEnvoy = envoy && { PUBLIC_ORIGIN: `http://localhost:${ports.ENVOY_PORT}`, TRUST_PROXY: '1' }

  start('the login service', process.execPath, ['server.js'], {
    cwd: at('examples/login'),
    env: { PORT: String(ports.PORT), DATA_DIR: dataDir, ...behindEnvoy, ...token },
  })
  await answers('the login service', `${login}/login`)
  if (!envoy) return

  start('the intranet', process.execPath, ['intranet.js'], {
    cwd: at('examples/envoy'),
    env: { INTRANET_PORT: String(ports.INTRANET_PORT) },
  })
  // The login service made the keys when it started for the first time.
  const keys = readFileSync(join(dataDir, 'keys.json'), 'utf8')
  start(
    'Envoy',
    envoy,
    ['-c', envoyConfig(ports), '--log-level', 'warn', '--log-format', 'envoy %l: %v', '--use-dynamic-base-id'],
    {
      cwd: at('.'),
      env: { COUNTERSIGN_KEYS: keys, ...token },
    },
  )
  await answers('the intranet', `http://127.0.0.1:${ports.INTRANET_PORT}/`)
  await answers('Envoy', `http://127.0.0.1:${ports.ENVOY_PORT}/login`)
  console.log(`
Open    http://localhost:${ports.ENVOY_PORT}   an intranet without code for 2FA; Envoy asks for it
        ${login}    the login service alone; the same login
        http://localhost:${ports.ENVOY_ADMIN_PORT}/stats?filter=countersign    what the gate counted

Log in at the first address and set up an app under Security; the intranet then asks for the app's
next code, and shows its page. Ctrl-C stops all.`)
}

function start(name, command, args, { cwd, env }) {
  const child = spawn(command, args, { cwd, env: { ...process.env, ...env }, stdio: ['ignore', 'inherit', 'pipe'] })
  createInterface({ input: child.stderr }).on('line', (line) => {
    if (!ENVOY_STOPS.test(line)) console.error(line)
  })
  const ended = new Promise((resolve) =>
    child
      .on('error', (error) => resolve(`could not be started: ${error.message}`))
      .on('close', (code, signal) => resolve(`ended ${signal ? `by ${signal}` : `with exit code ${code}`}`)),
  )
  ended.then((how) => {
    children.find((one) => one.name === name).how = how
    if (stopping) return
    // The parts work only together, so all stop: a stopped gate must not look like a running one.
    console.error(`\n${name} ${how}; stopping the rest.`)
    exitCode = 1
    stop('SIGTERM')
  })
  children.push({ name, child, ended })
}

function stop(signal) {
  stopping = true
  for (const { child, how } of children) if (signal && !how) child.kill(signal)
}

/** Waits until an address answers, or until its process has ended. */
async function answers(name, url) {
  const one = children.find((child) => child.name === name)
  for (const end = Date.now() + PATIENCE_SECONDS * 1000; Date.now() < end; await sleep(100)) {
    if (one.how || stopping) throw new Problem(`${name} did not start.`)
    const response = await fetch(url, { redirect: 'manual', signal: AbortSignal.timeout(5000) }).catch(() => undefined)
    await response?.body?.cancel()
    if (response && response.status < 500) return
  }
  throw new Problem(`${name} does not answer at ${url} after ${PATIENCE_SECONDS} seconds.`)
}

/** The path of CONFIG, or of a copy with other ports. */
function envoyConfig(ports) {
  const text = readFileSync(at(CONFIG), 'utf8')
  const named = Object.fromEntries(Object.entries(PORTS).map(([name, standard]) => [standard, ports[name]]))
  const changed = text.replace(/(?<=port_value: |http:\/\/localhost:)\d+/g, (found) => named[found] ?? found)
  if (changed === text) return CONFIG
  mkdirSync(at('target/envoy'), { recursive: true })
  writeFileSync(at('target/envoy/start.yaml'), changed)
  return 'target/envoy/start.yaml'
}

function readPorts() {
  const ports = {}
  for (const [name, standard] of Object.entries(PORTS)) {
    const text = process.env[name] ?? String(standard)
    const number = Number(text)
    if (!/^\d{1,5}$/.test(text) || number < 1 || number > 65535)
      throw new Problem(`${name}=${text} is not a port from 1 to 65535.`)
    const other = Object.keys(ports).find((key) => ports[key] === number)
    if (other) throw new Problem(`${other} and ${name} are both ${number}.`)
    ports[name] = number
  }
  return ports
}

async function mustBeFree(name, port) {
  const server = createServer()
  try {
    await new Promise((resolve, reject) =>
      server.once('error', reject).listen(port, name === 'PORT' ? 'localhost' : '127.0.0.1', () => resolve(undefined)),
    )
  } catch (error) {
    const why = error.code === 'EADDRINUSE' ? 'is taken by another program' : `cannot be opened (${error.code})`
    throw new Problem(`Port ${port} ${why}. Stop that program, or choose another port: ${name}=${port + 1} npm start`)
  }
  await new Promise((resolve) => server.close(resolve))
}
