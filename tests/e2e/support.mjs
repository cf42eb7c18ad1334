// Starts the login example as its own process and uses it like a person: with the cookies and forms of a
// browser, an authenticator, and a reader for the QR code.

import { execFileSync, spawn } from 'node:child_process'
import { mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { freePorts } from '../../scripts/common.mjs'

const example = new URL('../../examples/login/', import.meta.url)
const requireFromExample = createRequire(new URL('package.json', example))
const Database = requireFromExample('better-sqlite3')

/** A new key ring, which is not the service's. */
export const newKeys = () => requireFromExample('countersign').generateKeys()

export const passwords = {
  owner: 'owner-demo-password',
  member: 'member-demo-password',
  colleague: 'colleague-demo-password',
}

/** Targets on other sites. No login may lead to them. */
export const elsewhere = [
  '//evil.example',
  '///evil.example',
  '/\\evil.example',
  '\\\\evil.example',
  '\\/evil.example',
  '/%2f/evil.example',
  '/%2F%2Fevil.example',
  '/%5cevil.example',
  '/\tevil.example',
  '/\t/evil.example',
  '/\n/evil.example',
  '\t//evil.example',
  ' //evil.example',
  '/ /evil.example',
  '/%09/evil.example',
  '/%0d%0aLocation: x',
  'https://evil.example',
  'javascript:alert(1)',
  'data:text/html,x',
  'evil.example',
  '',
  '/\u0000',
  '/..//evil.example',
  '/.//evil.example',
  '/%',
  '@evil.example',
  '/\u2044evil.example',
]

/**
 * The service with a fresh database; it ends with the test `t`. With `dataDir` it uses the data and the clock of another one, which
 * must have been started before.
 * @param {{ after(end: () => unknown): void }} t
 * @param {{ env?: Record<string, string>, dataDir?: string }} [options]
 */
export async function startService(t, { env = {}, dataDir: ofAnother } = {}) {
  const dataDir = ofAnother ?? mkdtempSync(join(tmpdir(), 'login-'))
  const clockFile = join(dataDir, 'clock')
  let now = 1_800_000_000
  // The port stays the same after a restart, because older cookies and pages name it.
  const [port] = await freePorts(1)
  let child

  const setClock = (seconds) => {
    now = seconds
    // Moved into place, because a service reads the file at any moment.
    writeFileSync(`${clockFile}.new`, String(now))
    renameSync(`${clockFile}.new`, clockFile)
  }
  if (!ofAnother) setClock(now)

  async function start() {
    child = spawn(process.execPath, [fileURLToPath(new URL('server.js', example))], {
      env: {
        ...process.env,
        PORT: String(port),
        DATA_DIR: dataDir,
        DEMO_CLOCK_FILE: clockFile,
        TRUST_PROXY: 'loopback',
        ...env,
      },
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    const ended = new Promise((resolve) => child.once('exit', resolve))
    child.ended = ended
    await new Promise((resolve, reject) => {
      createInterface({ input: child.stdout }).on('line', (line) => {
        if (line.startsWith('Listening on ')) resolve(undefined)
      })
      ended.then((code) => reject(new Error(`the service ended with ${code} before it listened`)))
    })
  }

  async function stop(signal = 'SIGTERM') {
    child.kill(signal)
    return child.ended
  }

  await start()
  t.after(async () => {
    await stop('SIGKILL')
    if (!ofAnother) rmSync(dataDir, { recursive: true, force: true })
  })

  return {
    dataDir,
    port,
    databaseFile: join(dataDir, 'login.sqlite'),
    start,
    stop,
    get now() {
      return now
    },
    get origin() {
      return `http://localhost:${port}`
    },
    advance: (seconds) => setClock(now + seconds),
    async restart(signal) {
      await stop(signal)
      await start()
    },
    /** Uses the service's database directly, as an operator can. */
    database(use) {
      const db = new Database(this.databaseFile)
      try {
        return use(db)
      } finally {
        db.close()
      }
    },
  }
}

/** A browser or a program at one address. */
export class Visitor {
  cookies = new Map()
  formToken = undefined

  constructor(service, ip = '192.0.2.10') {
    this.service = service
    this.ip = ip
  }

  /** A second visitor with a copy of the cookies. */
  copy() {
    const copy = new Visitor(this.service, this.ip)
    copy.cookies = new Map(this.cookies)
    copy.formToken = this.formToken
    return copy
  }

  /** @param {{ headers?: Record<string, string>, body?: any }} [options] */
  async request(method, path, options = {}) {
    const { headers = {}, body } = options
    const cookie = [...this.cookies].map(([name, value]) => `${name}=${value}`).join('; ')
    const response = await fetch(this.service.origin + path, {
      method,
      body,
      redirect: 'manual',
      headers: { 'x-forwarded-for': this.ip, ...(cookie && { cookie }), ...headers },
    })
    for (const line of response.headers.getSetCookie()) {
      const [, name, value] = /^([^=]+)=([^;]*)/.exec(line)
      if (value === '') this.cookies.delete(name)
      else this.cookies.set(name, value)
    }
    return {
      status: response.status,
      headers: response.headers,
      location: response.headers.get('location'),
      text: await response.text(),
    }
  }

  /** Opens a page, or sends a form if there are `fields`; follows redirects and notes the page's form token. */
  async page(path, fields, { follow = true } = {}) {
    let answer =
      fields === undefined
        ? await this.request('GET', path)
        : await this.request('POST', path, {
            headers: { origin: this.service.origin, 'content-type': 'application/x-www-form-urlencoded' },
            body: new URLSearchParams({ ...(this.formToken && { form_token: this.formToken }), ...fields }).toString(),
          })
    for (let hops = 0; follow && answer.location; hops += 1) {
      if (hops === 5) throw new Error(`too many redirects at ${answer.location}`)
      path = answer.location
      answer = await this.request('GET', path)
    }
    this.formToken = /name="form_token" value="([^"]*)"/.exec(answer.text)?.[1] ?? this.formToken
    return { ...answer, path }
  }

  /** Calls a JSON route: GET, or POST if there is a `body`. */
  async json(path, body, headers = {}) {
    const answer =
      body === undefined
        ? await this.request('GET', path, { headers })
        : await this.request('POST', path, {
            headers: { 'content-type': 'application/json', ...headers },
            body: JSON.stringify(body),
          })
    return { status: answer.status, ...JSON.parse(answer.text) }
  }

  /** The password step. */
  logIn(name) {
    return this.json('/api/login', { email: `${name}@acme.example`, password: passwords[name] })
  }

  secondStep(method, code) {
    return this.json('/api/login/second-step', { method, code })
  }

  /** Shows a factor again while logged in, as sensitive actions require. */
  async showFactorAgain(method, code) {
    await this.json('/api/security/fresh-factor', { next: '/security' })
    return this.secondStep(method, code)
  }
}

/** A visitor logged in as `name` with an authenticator; `secret` is the secret in the app. */
export async function enrolledVisitor(service, name, ip) {
  const visitor = new Visitor(service, ip)
  await visitor.logIn(name)
  const started = await visitor.json('/api/security/totp', {})
  const secret = started.secret.replaceAll(' ', '')
  const enrolled = await visitor.json('/api/security/totp/confirm', { code: authenticatorCode(secret, service.now) })
  if (enrolled.result !== 'enrolled') throw new Error(`not enrolled: ${JSON.stringify(enrolled)}`)
  // The code that confirmed the set-up is used up; the app shows the next one half a minute later.
  service.advance(30)
  return { visitor, secret, backupCodes: enrolled.backupCodes, code: () => authenticatorCode(secret, service.now) }
}

/** As `enrolledVisitor`, and has just shown the second factor. */
export async function freshVisitor(service, name, ip) {
  const enrolled = await enrolledVisitor(service, name, ip)
  const shown = await enrolled.visitor.showFactorAgain('totp', enrolled.code())
  if (shown.result !== 'verified') throw new Error(`not verified: ${JSON.stringify(shown)}`)
  service.advance(30)
  return enrolled
}

/** Types wrong codes for a person until they are locked out; the last reply. `code` gives the right one. */
export async function lockOut(service, name, code) {
  const guesser = new Visitor(service, '203.0.113.66')
  await guesser.logIn(name)
  const guess = code() === '000000' ? '000001' : '000000'
  let answer
  for (let i = 0; i < 20 && answer?.result !== 'locked'; i += 1) answer = await guesser.secondStep('totp', guess)
  if (answer.result !== 'locked') throw new Error(`not locked: ${JSON.stringify(answer)}`)
  return answer
}

/** The code of a real authenticator app at that second. */
export function authenticatorCode(secret, unixSeconds) {
  return run('oathtool', ['--totp', '--base32', secret, '--now', `@${unixSeconds}`], 'oathtool')
    .toString()
    .trim()
}

/** The text of the QR code on the page. */
export function readQrCode(page) {
  const [, picture] = /src="data:image\/svg\+xml;base64,([^"]+)"/.exec(page) ?? []
  if (picture === undefined) throw new Error('there is no QR code on the page')
  const png = run(
    'rsvg-convert',
    ['--width', '600', '--background-color', 'white'],
    'librsvg2-bin',
    Buffer.from(picture, 'base64'),
  )
  return run('zbarimg', ['--quiet', '--raw', '-Sdisable', '-Sqrcode.enable', 'png:-'], 'zbar-tools', png)
    .toString()
    .trim()
}

/** @param {Buffer} [input] */
function run(program, options, debianPackage, input) {
  try {
    return execFileSync(program, options, { input, stdio: ['pipe', 'pipe', 'ignore'] })
  } catch (error) {
    if (error.code === 'ENOENT')
      throw new Error(`This test needs the program ${program}: install the Debian package ${debianPackage}.`)
    throw error
  }
}

export async function lastSms(visitor) {
  const { messages } = await visitor.json('/api/outbox')
  return messages.find(({ kind }) => kind === 'sms')
}

/** The code in the last SMS. */
export async function smsCode(visitor) {
  return /\b\d{6}\b/.exec((await lastSms(visitor)).message)[0]
}

export async function countSms(visitor) {
  const { messages } = await visitor.json('/api/outbox')
  return messages.filter(({ kind }) => kind === 'sms').length
}
