// Express: headers, sessions, and the access to each route. A route needs a session unless routes.js says `open`.

import { createHash, timingSafeEqual } from 'node:crypto'
import { CountersignError } from 'countersign'
import express from 'express'
import { sendJson, statusOf } from './api.js'
import { serveAssets } from './assets.js'
import { BadInput } from './bad-input.js'
import { browserName } from './browser-name.js'
import { isLanguage, languages, messages } from './messages/index.js'
import { after, afterOutdated, errorPage, renderPage } from './pages/index.js'
import { isOwnPage, routes } from './routes.js'
import { isSameOrigin } from './same-site.js'

export function createApp({ accounts, sessions, useCases, storage, origin, trustProxy, clock, demo, log }) {
  const https = origin.startsWith('https:')
  // Over plain http a browser accepts neither the prefix nor the Secure attribute.
  const prefix = https ? '__Host-' : ''
  const cookieName = `${prefix}session`
  const passCookieName = `${prefix}second-factor`
  /** One for each person, so that two people on one browser do not end each other's trust. */
  const trustedCookieOf = (user) =>
    `${prefix}trusted-browser-${createHash('sha256').update(user).digest('hex').slice(0, 16)}`
  // They hold no secret: the language, and what the login page tells someone without a session.
  const languageCookieName = `${prefix}language`
  const saidCookieName = `${prefix}said`
  const cookieOptions = { httpOnly: true, sameSite: 'lax', path: '/', secure: https }

  const app = express()
  app.set('trust proxy', trustProxy)
  app.set('x-powered-by', false)
  app.set('etag', false)
  app.set('case sensitive routing', true)
  app.set('strict routing', true)

  app.use((request, response, next) => {
    response.set({
      // `wasm-unsafe-eval` lets the page compile WebAssembly, and evaluate nothing else.
      'Content-Security-Policy':
        "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; connect-src 'self'; style-src 'self'; " +
        "img-src 'self' data:; form-action 'self'; frame-ancestors 'none'; base-uri 'none'",
      'X-Content-Type-Options': 'nosniff',
      // Not `no-referrer`, because browsers would then send `Origin: null` with our own forms.
      'Referrer-Policy': 'same-origin',
      'Cache-Control': 'no-store',
      ...(https && { 'Strict-Transport-Security': 'max-age=31536000' }),
    })
    next()
  })

  // For Envoy, which shows its own token. A person's session gives no access here.
  if (storage) app.use('/internal/second-factor', storage)

  app.get(/^\/assets\//, serveAssets)

  const pageRendering = {
    rightType(request, response, next) {
      if (request.is('application/x-www-form-urlencoded')) next()
      else sendPage(response, errorPage({ result: 'error', code: 'form_expected' }, strangerAt(request)), 415)
    },
    carriesToken({ input, session }) {
      const given = Buffer.from(String(input.form_token))
      const expected = Buffer.from(session.formToken)
      return given.length === expected.length && timingSafeEqual(given, expected)
    },
    refuse(response, reply, context, route) {
      const page = withoutSaid(route.page ?? context.address)
      switch (reply.reason) {
        case 'login_required': {
          const to = page.startsWith('/login') ? '/login' : `/login?next=${encodeURIComponent(page)}`
          // Someone whose session has ended is told so, also where a form comes after a logout in another tab. Someone who
          // comes for the first time is just asked.
          const hasEnded = context.session || context.hadSession || route.method === 'POST'
          return leadTo(response, { to, tell: hasEnded ? { ...reply, reason: 'session_ended' } : undefined }, context)
        }
        case 'second_factor_required':
          return response.redirect(303, context.session.pending.setUp ? '/login/set-up' : '/login/second-step')
        case 'set_up_already':
          return response.redirect(303, '/security')
        // The step was taken, perhaps in another tab.
        case 'not_required':
          return response.redirect(303, '/')
        case 'form_outdated':
          return leadTo(response, afterOutdated[route.act]?.(reply, context) ?? { to: page, tell: reply }, context)
        default:
          return sendPage(response, errorPage(reply, context), statusOf(reply))
      }
    },
    send(response, reply, context, route) {
      if (reply.result === 'ended_here') {
        const { session, entry, ...stranger } = context
        return sendPage(response, errorPage(reply, context.cookie === null ? stranger : context), statusOf(reply))
      }
      if (after[route.act]) return leadTo(response, after[route.act](reply, context), context)
      const page = renderPage(route.act, reply, context)
      if (page.file)
        response
          .attachment(page.file.name)
          .type(page.file.type ?? 'text/plain')
          .send(page.file.text)
      else if (page.redirect) leadTo(response, { to: page.redirect, tell: page.tell }, context)
      else sendPage(response, page, statusOf(reply))
    },
  }

  for (const route of routes) {
    // The review of a policy sends all networks of its five lists.
    const limit = route.access === 'owner' ? '1mb' : '100kb'
    if (route.path) register(route, route.path, pageRendering, express.urlencoded({ extended: false, limit }))
    if (route.api) register(route, route.api, jsonRendering, express.json())
  }

  function register(route, path, rendering, parseBody) {
    const handle = async (request, response) => {
      const context = contextOf(request, route, path)
      Object.assign(context, callerOf(request, rendering))
      Object.assign(context, told(context, request))
      const refused = await refusal(route, context, request, rendering)
      const reply = refused ?? (await answer(route, context))
      setCookies(response, context)
      if (refused) rendering.refuse(response, refused, context, route)
      else rendering.send(response, reply, context, route)
    }
    if (route.method === 'GET') app.get(path, handle)
    else app.post(path, rendering.rightType, readBody, handle)

    /** Behind the login, a body without a session is not read: a stranger would fill the memory. */
    function readBody(request, response, next) {
      if (route.access === 'open' || callerOf(request, rendering).session) parseBody(request, response, next)
      else next()
    }
  }

  /** @returns {any} */
  function contextOf(request, route, path) {
    const input = (route.method === 'GET' ? request.query : request.body) ?? {}
    const asked = route.act === 'setLanguage' ? input.language : cookieOf(request, languageCookieName)
    const language = isLanguage(asked) ? asked : request.acceptsLanguages(languages) || languages[0]
    return {
      input,
      ip: request.ip,
      browser: browserName(request.get('user-agent')),
      path,
      // The page, to which a change of the language leads back.
      address: route.method === 'GET' ? request.originalUrl : route.page,
      language,
      words: messages[language],
      trustedBrowserOf: (user) => cookieOf(request, trustedCookieOf(user)),
      demo,
      now: clock(),
    }
  }

  /** The reply that the address of a page names, and the fields that the form keeps. */
  function told({ session, input }, request) {
    const nothing = { told: undefined, typed: {} }
    if (typeof input.said !== 'string' || request.method !== 'GET') return nothing
    if (session === undefined) return readSaid(cookieOf(request, saidCookieName)) ?? nothing
    return session.pending.said?.find(({ id }) => id === input.said) ?? nothing
  }

  /** Leads to the next page, which tells `tell`. `show` is what pages of this session show from now on. */
  function leadTo(response, { to, tell = undefined, keep = [], show = undefined }, context) {
    if (show !== undefined) {
      sessions.change(context.session, (pending) => {
        pending.shown = { ...pending.shown, ...show }
      })
    }
    // A page of another service cannot tell it, and gets no field that it does not know.
    if (tell === undefined || !isOwnPage(to)) return response.redirect(303, to)
    const typed = Object.fromEntries(
      keep.map((name) => [name, context.input[name]]).filter(([, value]) => isShort(value)),
    )
    const isOver = context.session === undefined || context.cookie === null
    const said = isOver ? 'login' : sessions.say(context.session, { told: tell, typed })
    if (isOver) response.cookie(saidCookieName, writeSaid({ told: tell, typed }), { ...cookieOptions, maxAge: 600_000 })
    response.redirect(303, `${to}${to.includes('?') ? '&' : '?'}said=${said}`)
  }

  /** A mistake of a person is a reply like others, so that a page can show it beside the typed text. */
  async function answer(route, context) {
    try {
      return await useCases[route.act](context)
    } catch (error) {
      const { status, reply } = failure(error)
      if (status !== 400) throw error
      return reply
    }
  }

  /**
   * Sets the cookies that changed: the session, and the pass bound to it. Without a session there is no
   * pass. Only the gate in Envoy reads the pass cookie.
   */
  function setCookies(response, { cookie, pass, trustedBrowser, chosenLanguage }) {
    if (cookie) response.cookie(cookieName, cookie, cookieOptions)
    else if (cookie === null) response.clearCookie(cookieName, cookieOptions)
    if (pass)
      response.cookie(passCookieName, pass.token, { ...cookieOptions, maxAge: (pass.expiresAt - clock()) * 1000 })
    else if (cookie !== undefined) response.clearCookie(passCookieName, cookieOptions)
    if (trustedBrowser) {
      const { user, token, expiresAt } = trustedBrowser
      response.cookie(trustedCookieOf(user), token, { ...cookieOptions, maxAge: (expiresAt - clock()) * 1000 })
    }
    if (chosenLanguage)
      response.cookie(languageCookieName, chosenLanguage, { ...cookieOptions, maxAge: 365 * 86_400_000 })
  }

  /** The session of the request and its principal. A cookie stands for a person, a bearer token for an API client. */
  function callerOf(request, rendering) {
    const bearer = rendering === jsonRendering && /^Bearer (\S+)$/.exec(request.get('authorization') ?? '')?.[1]
    const secret = bearer || cookieOf(request, cookieName)
    const session = secret && sessions.find(secret, bearer ? 'api' : 'web')
    const principal = session && accounts.principal(session.principal)
    if (principal && clock() - session.seenAt >= 60) sessions.seen(session, request.ip)
    if (!principal) return { hadSession: Boolean(secret) }
    return { session, principal, account: accounts.account(principal.account) }
  }

  function cookieOf(request, name) {
    const values = (request.get('cookie') ?? '')
      .split(';')
      .map((pair) => pair.trim())
      .filter((pair) => pair.startsWith(`${name}=`))
      .map((pair) => pair.slice(name.length + 1))
    // Two cookies of this name: an attacker may have set one of them, so neither counts.
    return values.length === 1 ? values[0] : undefined
  }

  /** The access comes before the token of the form, because an outdated form may keep what was typed. */
  async function refusal(route, context, request, rendering) {
    if (route.method === 'POST' && !isSameOrigin(request.headers, origin, rendering === jsonRendering)) {
      return denied('cross_site')
    }
    if (route.access === 'open') return undefined
    if (context.session === undefined) return denied('login_required')
    const refused = await accessRefusal(route, context)
    if (refused) return refused
    return route.method === 'POST' && !rendering.carriesToken(context) ? denied('form_outdated') : undefined
  }

  async function accessRefusal(route, context) {
    const { session, principal } = context
    if (route.access === 'session') return undefined
    if (session.proof === 'password' && session.pending[dueIn[route.access]]) return undefined

    const entry = await useCases.entryOf(session, principal, context.account, context.ip)
    if (entry.state === 'wrong_address') return denied(entry.reason)
    if (entry.state === 'second_step') return denied('second_factor_required')
    if (entry.state !== 'in') {
      useCases.end(context)
      return denied('login_required')
    }
    context.entry = entry
    switch (route.access) {
      case 'challenge':
        return session.pending.challenge ? undefined : denied('not_required')
      case 'set_up':
        return denied('set_up_already')
      case 'caller':
        return undefined
      case 'person':
        return session.channel === 'web' ? undefined : denied('not_for_api_clients')
      case 'owner':
        return session.channel === 'web' && principal.role === 'owner' ? undefined : denied('owner_only')
      default:
        return denied('no_such_access')
    }
  }

  app.use((request, response) => {
    const reply = { result: 'not_found' }
    if (isApi(request)) sendJson(response, reply)
    else sendPage(response, errorPage(reply, strangerAt(request)), 404)
  })

  app.use((error, request, response, next) => {
    if (response.headersSent) return next(error)
    const { status, reply } = failure(error)
    if (status >= 500) log(error)
    if (isApi(request)) response.status(status).json(reply)
    else sendPage(response, errorPage(reply, strangerAt(request)), status)
  })

  return app

  /** The context of a page outside the routes. */
  function strangerAt(request) {
    return { ...contextOf(request, { method: 'POST', page: '/' }, request.path), input: {}, typed: {} }
  }
}

/** The reply to an error. It explains a mistake of the caller; of a failure on our side it gives at most the code. */
function failure(error) {
  const { code, path, message } = error
  if (error instanceof BadInput || (error instanceof CountersignError && callersFault.has(code))) {
    return { status: 400, reply: { result: 'error', code, path, message } }
  }
  if (error instanceof CountersignError) return { status: error.status, reply: { result: 'error', code } }
  // Express sets `expose` and a status for a mistake of the client, such as unreadable JSON or too long a body.
  if (error.expose === true) return { status: error.status, reply: { result: 'error', code: 'bad_request' } }
  return { status: 500, reply: { result: 'error', code: 'internal' } }
}

/** The step that a login may have to take next, by the access of its routes. */
const dueIn = { challenge: 'challenge', set_up: 'setUp' }

const callersFault = new Set(['invalid_input', 'invalid_policy'])

const jsonRendering = {
  // A page of another site cannot send this type without a CORS preflight.
  rightType(request, response, next) {
    if (request.is('application/json')) next()
    else response.status(415).json({ result: 'error', code: 'json_expected' })
  },
  carriesToken: () => true,
  refuse: sendJson,
  send: sendJson,
}

/** An address without the name of a reply that it told. */
const withoutSaid = (address) =>
  address.replace(/([?&])said=[^&#]*(&|(?=#)|$)/, (_, sign, rest) => (rest === '&' ? sign : ''))

const isShort = (value) => typeof value === 'string' && value.length <= 256

/** Writes the cookie with the reply that the login page tells someone without a session. It holds no secret. */
function writeSaid({ told: { result, reason, retryAt, about }, typed }) {
  return Buffer.from(JSON.stringify({ told: { result, reason, retryAt, about }, typed })).toString('base64url')
}

/** The replies that lead to the login page without a session. None is a success. */
const strangersAreTold = new Set(['denied', 'malformed', 'throttled', 'wrong_password'])

const isName = (word) => typeof word === 'string' && /^[a-z_]{1,40}$/.test(word) && !(word in Object.prototype)

/** Reads it as if a stranger had written it. Nothing, where it is of another shape. */
function readSaid(text = '') {
  try {
    const { told, typed } = JSON.parse(Buffer.from(text, 'base64url').toString('utf8'))
    const { result, reason, retryAt, about } = told
    const words = [result, reason].every((word) => word === undefined || isName(word))
    const isTime = Number.isSafeInteger(retryAt) && retryAt >= 0 && retryAt < 253_402_300_800
    if (!words || !strangersAreTold.has(result) || !(about === undefined || about === 'login')) return undefined
    if (!isTime && (retryAt !== undefined || result === 'throttled')) return undefined
    return { told: { result, reason, retryAt, about }, typed: isShort(typed?.email) ? { email: typed.email } : {} }
  } catch {
    return undefined
  }
}

function sendPage(response, page, status) {
  response.status(status).type('html').send(String(page.body))
}

function denied(reason) {
  return { result: 'denied', reason }
}

function isApi(request) {
  return request.path.startsWith('/api/')
}
