// Starts an example as its own process, and uses it like a browser: with its cookies, and the headers that browsers send.
import { spawn } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { generateKeys } from 'countersign'

const here = fileURLToPath(new URL('.', import.meta.url))
const examples = fileURLToPath(new URL('../../examples/adapters', import.meta.url))

/** A policy under which every method can be tried. Hashes are the greatest work of a set-up, so that there are few. */
export const POLICY = {
  v: 1,
  name: 'Acme',
  origin: 'https://acme.example',
  methods: ['totp', 'sms', 'backup_code', 'recovery_code'],
  trustedBrowser: { days: 30 },
  backupCodes: { count: 2, memoryKib: 7_168, passes: 5 },
}

/** The folders of this process: files of tests run beside each other, and each has its own. */
const folders = new Map()
process.once('exit', () => {
  for (const folder of folders.values()) rmSync(folder, { recursive: true, force: true })
})

/** A new folder beside the frameworks, as long as this process. */
export function ownFolder(name) {
  const folder = join(here, '.examples', `${name}-${process.pid}`)
  rmSync(folder, { recursive: true, force: true })
  mkdirSync(join(folder, 'node_modules'), { recursive: true })
  folders.set(name, folder)
  return folder
}

/**
 * A copy of the examples that finds the frameworks of this folder. `instead` puts another package in the place of one, such as
 * Express 4 in that of Express.
 * @param {Record<string, string>} [instead]
 */
export function examplesWith(instead = {}) {
  const name = Object.values(instead).join('-') || 'newest'
  if (folders.has(name)) return folders.get(name)
  const folder = ownFolder(name)
  cpSync(examples, folder, { recursive: true })
  for (const [name, other] of Object.entries(instead))
    symlinkSync(join(here, 'node_modules', other), join(folder, 'node_modules', name))
  return folder
}

const LISTENING = /http:\/\/(?:127\.0\.0\.1|localhost):(\d+)/

/**
 * The service of an example. It ends with the test `t`.
 * @param {{ after(end: () => unknown): void }} t
 * @param {object} options
 * @param {string} options.folder  in which it starts
 * @param {string} [options.file]
 * @param {string[] | ((data: string) => string[])} [options.args]  in place of the file; `data` is the folder of the clock and the database
 * @param {string} [options.node]  the program, in place of Node.js
 * @param {RegExp} [options.ready]  finds the port in what it prints
 * @param {object} [options.policy]
 * @param {Record<string, string>} [options.env]
 */
export async function startService(t, options) {
  const { folder, file = '', args = [file], ready = LISTENING, policy = {}, env = {} } = options
  const { node = process.env.COUNTERSIGN_EXAMPLE_NODE ?? process.execPath } = options
  const data = mkdtempSync(join(tmpdir(), 'adapter-'))
  const clockFile = join(data, 'clock')
  let offset = 0
  writeFileSync(clockFile, '0')
  const database = join(data, 'acme.sqlite')
  const child = spawn(node, typeof args === 'function' ? args(data) : args, {
    cwd: folder,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: {
      ...process.env,
      NODE_OPTIONS: `--import ${join(here, 'clock.mjs')}`,
      CLOCK_FILE: clockFile,
      DATABASE: database,
      PORT: '0',
      COUNTERSIGN_KEYS: JSON.stringify(generateKeys()),
      POLICY: JSON.stringify({ ...POLICY, ...policy }),
      ...env,
    },
  })
  /** @type {string[]} */
  const messages = []
  /** @type {string[]} */
  const mails = []
  let mailed = () => {}
  const errors = []
  const origin = await new Promise((resolve, reject) => {
    const failed = () => reject(new Error(`the example ended:\n${errors.join('\n')}`))
    child.once('exit', failed)
    createInterface(child.stderr).on('line', (line) => errors.push(line))
    createInterface(child.stdout).on('line', (line) => {
      const listening = ready.exec(line)
      if (listening) {
        child.off('exit', failed)
        resolve(`http://127.0.0.1:${listening[1]}`)
      }
      const sms = /^SMS to (\S+): (.*)$/.exec(line)
      if (sms) messages.push(JSON.parse(sms[2]))
      const mail = /^mail to \S+: (\S+)$/.exec(line)
      if (mail) mails.push(mail[1])
      if (mail) mailed()
    })
  })
  t.after(async () => {
    const ended = new Promise((resolve) => child.once('exit', resolve))
    if (child.exitCode === null && child.signalCode === null) {
      child.kill()
      await ended
    }
    rmSync(data, { recursive: true, force: true })
  })
  return {
    origin,
    database,
    errors,
    isRunning: () => child.exitCode === null,
    /** The code in the newest message. */
    smsCode: () => /\b(\d{6,8})\b/.exec(messages.at(-1) ?? '')?.[1],
    /** The link in the next mail. */
    async mailedLink() {
      while (mails.length === 0)
        await new Promise((resolve) => {
          mailed = () => resolve(undefined)
        })
      return mails.shift()
    },
    /** The service's clock, in unix seconds. */
    now: () => Math.floor(Date.now() / 1_000) + offset,
    /** Moves its clock on. */
    advance(seconds) {
      offset += seconds
      writeFileSync(clockFile, String(offset))
    },
  }
}

/**
 * An answer, read.
 * @typedef {{ status: number, headers: Headers, body: any, text: string }} Answer
 */

/**
 * A browser, or a native client that keeps the session as a value.
 * @param {{ origin: string }} service
 */
export function client(
  { origin },
  { cookies = new Map(), session = /** @type {string | undefined} */ (undefined) } = {},
) {
  const send = async (method, path, body, headers = {}) => {
    const cookie = [...cookies].map(([name, value]) => `${name}=${value}`).join('; ')
    const isRaw = typeof body === 'string' || body instanceof Uint8Array
    const response = await fetch(`${origin}${path}`, {
      method,
      redirect: 'manual',
      body: /** @type {any} */ (body === undefined || isRaw ? body : JSON.stringify(body)),
      headers: {
        ...(body === undefined || isRaw ? {} : { 'content-type': 'application/json' }),
        ...(cookie && self.session === undefined ? { cookie } : {}),
        ...(self.session === undefined ? { 'sec-fetch-site': 'same-origin' } : { 'countersign-session': self.session }),
        ...headers,
      },
    })
    for (const set of response.headers.getSetCookie()) {
      const [, name, value] = /^([^=]+)=([^;]*)/.exec(set)
      if (/;\s*max-age=0/i.test(set) || /expires=Thu, 01 Jan 1970/i.test(set)) cookies.delete(name)
      else cookies.set(name, value)
    }
    const text = await response.text()
    let parsed
    try {
      parsed = JSON.parse(text)
    } catch {}
    if (parsed?.session !== undefined) self.session = parsed.session ?? undefined
    return { status: response.status, headers: response.headers, body: parsed, text }
  }
  const self = {
    cookies,
    session,
    get: (path, headers) => send('GET', path, undefined, headers),
    post: (path, body = {}, headers = {}) => send('POST', path, body, headers),
    send,
    /** The same cookies in another browser: a thief's copy. */
    copy: () => client({ origin }, { cookies: new Map(cookies), session: self.session }),
  }
  return self
}

/** The examples' file names. */
export const exampleFiles = () => readdirSync(examples)
