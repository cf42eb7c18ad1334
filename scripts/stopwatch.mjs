// The time from a clean copy of the project to a first login by code in Node, and to a first request that Envoy lets pass by its code.
// It runs the commands that README.md and examples/minimal/README.md give, with the tools built already, and does what they say in
// place of a person. `npm run bench` prints the times as well.
//   node scripts/stopwatch.mjs
import { spawn } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { at, freePorts, has, main, npm, Problem, run } from './common.mjs'

const MINUTES = 30

/** @returns {Promise<{ title: string, head: string[], rows: string[][], notes: string[] }>} */
export async function stopwatch() {
  if (!has('target/tools/bin/bindgen')) throw new Problem('The tools are not built: run `npm run setup` first.')
  /** @type {[string, number | undefined, number][]} */
  const rows = [
    ['countersign: a login by code in Node, with set-up, storage and attempts', 5, await timed(toFirstLogin)],
    ['countersign: a request that Envoy lets pass by its code alone', 10, await timed(toFirstRequest)],
    ['otplib: a code that is right, without set-up, storage and attempts', undefined, await timed(toFirstCodeOfOtplib)],
  ]
  return {
    title: 'From a clean copy to the first result',
    head: ['', 'goal', 'time'],
    rows: rows.map(([what, goal, seconds]) => [
      what,
      goal === undefined ? '' : `${goal} min`,
      `${Math.floor(seconds / 60)} min ${Math.round(seconds % 60)} s`,
    ]),
    notes: [
      'By the commands of the README, with the tools built and the crates and packages at hand. Countersign is not published, so it is compiled first; otplib comes from npm and is ahead by that.',
    ],
  }
}

async function timed(work) {
  const folder = mkdtempSync(join(tmpdir(), 'stopwatch-'))
  const start = performance.now()
  try {
    await work(folder)
    return (performance.now() - start) / 1000
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

/** By "In a login handler" of the README, and the page of the minimal example. */
async function toFirstLogin(folder) {
  const project = await cleanCopy(folder)
  await shell(commandIn('README.md', /run `(npm run build && npm pack)`/), project)
  const [before, start] = /^([^]*\n)(npm start)\n$/.exec(blockIn('examples/minimal/README.md')).slice(1)
  await shell(before, project)
  const [port] = await freePorts(1)
  const service = serve(start, join(project, 'examples/minimal'), { PORT: String(port) })
  try {
    const [, address, name, password] = await service.line(
      /^Listening on (\S+): log in as (\w+), with the password (.+)$/,
    )
    await logInTwice(address, { name, password })
  } finally {
    await service.stop()
  }
}

/** By "Two commands" of the README, and by what `npm start` prints. */
async function toFirstRequest(folder) {
  const project = await cleanCopy(folder)
  const [PORT, ENVOY_PORT, ENVOY_ADMIN_PORT, INTRANET_PORT] = (await freePorts(4)).map(String)
  const command = commandIn('README.md', /^(npm start) /m)
  const service = serve(command, project, { PORT, ENVOY_PORT, ENVOY_ADMIN_PORT, INTRANET_PORT })
  try {
    const [, address] = await service.line(/^Open +(\S+) +an intranet/)
    await reachIntranet(address)
  } finally {
    await service.stop()
  }
}

async function toFirstCodeOfOtplib(folder) {
  writeFileSync(join(folder, 'package.json'), '{ "private": true, "type": "module" }')
  await npm(['install', '--no-audit', '--no-fund', 'otplib'], { cwd: folder, silent: true })
  const program = `
    import { generateSecret, generateSync, verifySync } from 'otplib'
    const secret = generateSecret()
    if (!verifySync({ secret, token: generateSync({ secret }) }).valid) process.exit(1)`
  await run(process.execPath, ['--input-type=module', '--eval', program], { cwd: folder, silent: true })
}

/** A clone of the last commit, with the compiled tools. */
async function cleanCopy(folder) {
  const project = join(folder, 'project')
  await run('git', ['clone', '--quiet', at('.'), project])
  mkdirSync(join(project, 'target'))
  cpSync(at('target/tools'), join(project, 'target/tools'), { recursive: true, verbatimSymlinks: true })
  return project
}

const commandIn = (page, pattern) => pattern.exec(readFileSync(at(page), 'utf8'))[1]

/** The first block of commands of a page. */
const blockIn = (page) => commandIn(page, /^```sh\n([^]*?)```$/m)

const shell = (commands, cwd) => run('bash', ['-ec', commands], { cwd, silent: true, minutes: MINUTES })

/** Starts a command that runs until it is stopped. `line` waits for a line that it prints. */
function serve(command, cwd, env) {
  const child = spawn('bash', ['-c', command], {
    cwd,
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'inherit'],
    detached: true,
  })
  const ended = new Promise((resolve) => child.once('exit', resolve))
  const lines = createInterface({ input: child.stdout })
  return {
    line: (pattern) =>
      new Promise((resolve, reject) => {
        lines.on('line', (line) => pattern.test(line) && resolve(pattern.exec(line)))
        ended.then((code) => reject(new Problem(`\`${command}\` ended with ${code} before it was ready.`)))
      }),
    async stop() {
      // The whole group: bash hands a signal on to nobody.
      if (child.exitCode === null) process.kill(-child.pid, 'SIGTERM')
      await ended
    },
  }
}

/** Sets up an app, logs out, and logs in with the app's next code. */
async function logInTwice(address, login) {
  const { authenticatorCode, readQrCode, Visitor } = await import('../tests/e2e/support.mjs')
  const { otpauth } = await import('countersign')
  const person = new Visitor({ origin: address })
  const send = (path, fields = {}) =>
    person.request('POST', path, { body: new URLSearchParams(fields), headers: { 'sec-fetch-site': 'same-origin' } })
  await send('/login', login)
  const { secret } = otpauth.parse(readQrCode((await send('/set-up')).text))
  const now = Math.floor(Date.now() / 1000)
  await send('/set-up/confirm', { code: authenticatorCode(secret, now) })
  await send('/logout')
  await send('/login', login)
  // The code of now is used up. The next one counts already.
  await person.request('GET', '/code')
  await send('/code', { method: 'totp', code: authenticatorCode(secret, now + 30) })
  const { status, text } = await person.request('GET', '/')
  if (status !== 200) throw new Problem(`After the code the first page answers ${status}:\n${text}`)
}

/** Sets up an app behind Envoy, is refused without a code, and let pass with one. */
async function reachIntranet(address) {
  const { authenticatorCode, passwords, Visitor } = await import('../tests/e2e/support.mjs')
  const person = new Visitor({ origin: address })
  await person.page('/login', { email: 'member@acme.example', password: passwords.member })
  const { secret } = await person.json('/api/security/totp', {})
  const now = Math.floor(Date.now() / 1000)
  const key = secret.replaceAll(' ', '')
  await person.json('/api/security/totp/confirm', { code: authenticatorCode(key, now) })
  const other = new Visitor({ origin: address })
  await other.page('/login', { email: 'member@acme.example', password: passwords.member })
  const refused = await other.request('GET', '/', { headers: { accept: 'application/json' } })
  if (refused.status !== 401) throw new Problem(`Without a code the intranet answers ${refused.status}.`)
  await other.page('/login/second-step', { method: 'totp', code: authenticatorCode(key, now + 30) })
  const { status } = await other.request('GET', '/')
  if (status !== 200) throw new Problem(`With a code the intranet answers ${status}.`)
}

await main(import.meta.url, async () => {
  const { textOf } = await import('../bench/figures.mjs')
  console.log(textOf({ node: {}, tables: [await stopwatch()] }))
})
