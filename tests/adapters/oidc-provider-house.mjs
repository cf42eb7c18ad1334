// A company's OpenID provider with its clients and a person's browser, over HTTP: what the tests of the adapter run.
import './frameworks.mjs'
import { createServer } from 'node:http'
import { totp } from 'countersign'
import * as client from 'openid-client'

const example = (file) => new URL(`../../examples/adapters/oidc-provider/${file}`, import.meta.url)
const { companyOp } = await import(example('op.js').href)
export const { API, resources } = await import(example('company.js').href)
export const { companyApi } = await import(example('resource-server.js').href)

export const ACR = 'urn:countersign:acr:2fa'
const BACK = 'http://localhost:4000/'

/** The time of this process, provider and client alike. It goes on by itself, and further when told. */
const real = Date.now
let ahead = 0
Date.now = () => real() + ahead
export const wait = (seconds) => {
  ahead += seconds * 1_000
}
export const waited = () => ahead / 1_000
const now = () => Math.floor(Date.now() / 1_000)

/** The code that an app shows; each code that has not been used yet is of a later step. */
export const codeOf = (secret, later = 30) => {
  wait(later)
  return totp.generate({ secret, time: now() })
}

/** A browser: cookies by their path, redirections up to a page or to a client. */
export class Browser {
  cookies = new Map()
  /** @type {any} */
  page = { url: undefined, status: 0, text: '', headers: new Headers() }
  /** Sent with every request.
   * @type {Record<string, string>} */
  headers = {}

  constructor(origin) {
    this.origin = origin
  }

  cookieHeader(path) {
    return [...this.cookies.values()]
      .filter(
        (cookie) =>
          path === cookie.path || path.startsWith(cookie.path.endsWith('/') ? cookie.path : `${cookie.path}/`),
      )
      .map(({ name, value }) => `${name}=${value}`)
      .join('; ')
  }

  keep(response, url) {
    for (const text of response.headers.getSetCookie()) {
      const [pair, ...attributes] = text.split(/;\s*/)
      const [name, value] = [pair.slice(0, pair.indexOf('=')), pair.slice(pair.indexOf('=') + 1)]
      const attribute = (wanted) =>
        attributes.map((part) => part.split('=')).find(([key]) => key.toLowerCase() === wanted)?.[1]
      const path = attribute('path') ?? new URL(url).pathname
      const expires = attribute('expires')
      const isOver = value === '' || (expires !== undefined && Date.parse(expires) < real())
      if (isOver) this.cookies.delete(`${name} ${path}`)
      else this.cookies.set(`${name} ${path}`, { name, value, path })
    }
  }

  /** One request.
   * @param {RequestInit} [init] */
  async ask(url, init = {}) {
    const at = new URL(url, this.page.url ?? this.origin)
    const cookie = this.cookieHeader(at.pathname)
    const headers = { ...(cookie === '' ? {} : { cookie }), ...this.headers, ...init.headers }
    const response = await fetch(at, { redirect: 'manual', ...init, headers })
    this.keep(response, at.href)
    return { url: at.href, status: response.status, headers: response.headers, text: await response.text() }
  }

  /** A request and the redirections after it, to a page of the provider or to the address of a client.
   * @returns {Promise<any>} */
  async go(url, init) {
    let page = await this.ask(url, init)
    while (page.headers.has('location')) {
      const next = new URL(page.headers.get('location'), page.url)
      if (next.origin !== new URL(this.origin).origin) {
        this.page = page
        return next
      }
      page = await this.ask(next.href)
    }
    this.page = page
    return page
  }

  /** Posts a form of the page. */
  post(fields, { at = 'second-factor', ...init } = /** @type {any} */ ({})) {
    const interaction = /\/interaction\/[^/?]+/.exec(this.page.url)[0]
    const headers = {
      'content-type': 'application/x-www-form-urlencoded',
      'sec-fetch-site': 'same-origin',
      ...init.headers,
    }
    const body = init.body ?? new URLSearchParams(fields).toString()
    return this.go(`${interaction}/${at}`, { method: 'POST', body, ...init, headers })
  }

  /** A copy with the cookies of now. */
  twin() {
    const other = new Browser(this.origin)
    other.cookies = new Map(this.cookies)
    other.page = this.page
    return other
  }

  get session() {
    return [...this.cookies.values()].find(({ name }) => name === '_session')?.value
  }
}

/** Storage of oidc-provider that keeps text, as databases do: what is not saved is gone. */
function textAdapter() {
  const texts = new Map()
  return (model) => {
    const key = (id) => `${model} ${id}`
    const read = (id) => (texts.has(key(id)) ? JSON.parse(texts.get(key(id))) : undefined)
    const findBy = (field, value) =>
      [...texts]
        .filter(([name]) => name.startsWith(`${model} `))
        .map(([, text]) => JSON.parse(text))
        .find((kept) => kept[field] === value)
    return {
      upsert: async (id, payload) => void texts.set(key(id), JSON.stringify(payload)),
      find: async (id) => read(id),
      findByUid: async (uid) => findBy('uid', uid),
      findByUserCode: async (code) => findBy('userCode', code),
      destroy: async (id) => void texts.delete(key(id)),
      consume: async (id) => void texts.set(key(id), JSON.stringify({ ...read(id), consumed: now() })),
      revokeByGrantId: async (grantId) => {
        for (const [name, text] of texts)
          if (name.startsWith(`${model} `) && JSON.parse(text).grantId === grantId) texts.delete(name)
      },
    }
  }
}

/** A server without a handler, at a port of its own until the test ends. */
export async function listening(t) {
  const server = createServer()
  await new Promise((resolve) => server.listen(0, 'localhost', () => resolve(undefined)))
  t.after(() => {
    server.closeAllConnections()
    server.close()
  })
  const { port } = /** @type {import('node:net').AddressInfo} */ (server.address())
  return { server, origin: `http://localhost:${port}` }
}

/** A provider at its own port, with its browser, client and users. */
export async function provider(t, options = {}) {
  const { server, origin: issuer } = await listening(t)
  const messages = []
  const op = companyOp({
    issuer,
    sendSms: async (message) => void messages.push(message),
    ...options,
    configuration: { adapter: textAdapter(), ...options.configuration },
  })
  server.on('request', op.app)

  const config = (id) => configOf(issuer, id)
  const request = (id, parameters = {}) => requestOf(issuer, id, parameters)
  const browser = () => new Browser(issuer)
  return { ...op, issuer, messages, browser, request, config }
}

/** openid-client as a client of the company. */
async function configOf(issuer, id, secret = `secret of ${id}`) {
  const made = await client.discovery(new URL(issuer), id, secret, undefined, {
    execute: [client.allowInsecureRequests],
  })
  made[client.clockTolerance] = 5
  return made
}

/** Begins an authorization request; gives the address and the way to redeem its answer. */
export async function requestOf(issuer, id, parameters = {}) {
  const at = await configOf(issuer, id)
  const [verifier, state, nonce] = [client.randomPKCECodeVerifier(), client.randomState(), client.randomNonce()]
  const url = client.buildAuthorizationUrl(at, {
    redirect_uri: BACK + id,
    scope: 'openid payments',
    code_challenge: await client.calculatePKCECodeChallenge(verifier),
    code_challenge_method: 'S256',
    state,
    nonce,
    ...parameters,
  })
  const redeem = (back) =>
    client.authorizationCodeGrant(at, back, {
      pkceCodeVerifier: verifier,
      expectedState: state,
      expectedNonce: nonce,
      idTokenExpected: true,
      ...(parameters.max_age === undefined ? {} : { maxAge: Number(parameters.max_age) }),
    })
  return { url: url.href, redeem, config: at }
}

/** Logs in by the password. */
export const password = (browser, user = 'ann') =>
  browser.post({ user, password: `password of ${user}` }, { at: 'login' })

/** Sets up an app at the prompt, and saves the backup codes. */
export async function enroll(browser, beforeCode = () => {}) {
  await browser.post({ action: 'enroll_totp' })
  const secret = /<code>([A-Z2-7 ]+)<\/code>/.exec(browser.page.text)[1]
  const code = codeOf(secret)
  beforeCode()
  await browser.post({ action: 'confirm', code })
  const codes = [...browser.page.text.matchAll(/<li><code>([^<]+)<\/code>/g)].map(([, code]) => code)
  const back = await browser.post({ action: 'saved' })
  return { secret, codes, back }
}

/** A user with an app, who logged out again. */
export async function withApp(op, user = 'ann') {
  const session = `set up ${user}`
  const begun = await op.secondFactor.begin({ user, session })
  const ticket = begun.result === 'set_up' ? begun.ticket : undefined
  const started = await op.secondFactor.enrollTotp({ user, session, ticket, label: user })
  const { secret, setup } = started
  const reply = await op.secondFactor.confirmTotp({ user, session, setup, code: codeOf(secret) })
  if (reply.result !== 'enrolled') throw new Error(reply.result)
  return { secret, codes: reply.backupCodes }
}

/** Whether an address of a client has an error, and which. */
export const errorOf = (back) => back.searchParams?.get('error') ?? undefined

/** The title of a page. */
export const title = ({ text }) => /<h1>([^<]*)/.exec(text ?? '')?.[1]
