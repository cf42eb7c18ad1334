// A person's browser and the client `intranet`, as the cases that every adapter passes use them: a log-in is an authorization request, the
// steps after it are those of the interaction, and a person is in where a request that shows no page gets a code.
import { Browser, requestOf } from './oidc-provider-house.mjs'

/** The people of the example, by the ids of the cases. */
const IDS = { ann: 'u-1', bob: 'u-2' }
const NAMES = { 'u-1': 'ann', 'u-2': 'bob' }
const JSON_TYPE = { 'content-type': 'application/json' }

/** The actions of the cases that are steps of an interaction. */
const STEPS = { verify: 'verify', 'send-sms': 'send_sms' }
/** Those that are steps while the person is half-way, and pages of the person's own when in. */
const SET_UP = {
  'enroll-totp': 'enroll_totp',
  'enroll-sms': 'enroll_sms',
  'confirm-totp': 'confirm',
  'confirm-sms': 'confirm',
}

/**
 * @param {{ origin: string }} service
 * @param {{ browser?: Browser, request?: any }} [state]
 */
export function opClient(service, { browser = new Browser(service.origin), request: begun = undefined } = {}) {
  let request = begun

  /** Begins an authorization request of this browser. */
  async function authorize(parameters = {}, id = 'intranet') {
    request = await requestOf(service.origin, id, parameters)
    return browser.go(request.url)
  }

  /** A page, or the way back to the client, as an answer. `result`: that of a person who has come back. */
  async function answerOf(page, result) {
    if (page instanceof URL) {
      const error = page.searchParams.get('error') ?? undefined
      if (error !== undefined) return { status: 401, headers: new Headers(), body: { error }, text: page.href }
      const tokens = await request.redeem(page)
      self.token = tokens.access_token
      const claims = tokens.claims()
      const body = { result, user: IDS[claims.sub], claims }
      return { status: 200, headers: new Headers(), body, text: JSON.stringify(body) }
    }
    const { status, headers, text } = page
    const body = parsed(text)
    const { step, reply, wrong } = Object(body)
    if (step === undefined) return { status, headers, body, text }
    const told = step === 'login' ? (wrong ? 'wrong_password' : 'log_in') : step === 'confirm' ? 'totp_started' : step
    return { status, headers, body: { ...body, result: told, ...reply }, text }
  }

  /** Posts a step of the interaction. */
  const step = (action, fields = {}, headers = {}) =>
    browser.post(undefined, { body: JSON.stringify({ action, ...fields }), headers: { ...JSON_TYPE, ...headers } })

  async function login({ name, password }, headers) {
    const user = name.split('@')[0]
    browser.headers = headers
    await authorize({ prompt: 'login' })
    const right = password === `${name} has a password` ? `password of ${user}` : password
    let page = await browser.post({ user, password: right }, { at: 'login' })
    // Somebody else was in: the provider asks whether to log them out.
    if (page.text?.includes('name="xsrf"')) page = await confirm(page)
    browser.headers = {}
    return answerOf(page, 'allowed')
  }

  /** Sends a form of the provider's log-out. */
  function confirm({ text }) {
    const [, action] = /action="([^"]+)"/.exec(text)
    const [, xsrf] = /name="xsrf" value="([^"]+)"/.exec(text)
    const headers = { 'content-type': 'application/x-www-form-urlencoded' }
    return browser.go(action, {
      method: 'POST',
      body: new URLSearchParams({ xsrf, logout: 'yes' }).toString(),
      headers,
    })
  }

  /** A request that shows no page, beside the one under way. */
  async function silently(parameters = {}, id = 'intranet') {
    const [page, under] = [browser.page, request]
    const answer = await answerOf(await authorize({ prompt: 'none', ...parameters }, id), 'in')
    browser.page = page
    request = under
    return answer
  }

  async function setUp(name, fields) {
    const page = await step(SET_UP[name], name.startsWith('confirm') ? { code: fields.code } : fields)
    const answer = await answerOf(page)
    if (answer.body.result !== 'backup_codes' && answer.body.result !== 'enrolled') return answer
    const codes = answer.body.codes
    const end = await answerOf(await step('saved'), 'enrolled')
    return { ...end, body: { ...end.body, backupCodes: codes } }
  }

  async function verify(fields) {
    const answer = await answerOf(await step('verify', fields), 'verified')
    // After a recovery code the person may set up a factor, or go on.
    return answer.body?.step === 'set_up' && answer.body.result === 'verified'
      ? answerOf(await step('skip'), 'verified')
      : answer
  }

  const isHalfWay = async () => (await own('GET', 'state')).body.result === 'first_factor'

  /** A page of the person's own at the provider. */
  async function own(method, name, fields, headers = {}) {
    const init = method === 'GET' ? {} : { method, body: JSON.stringify(fields), headers: { ...JSON_TYPE, ...headers } }
    const { status, headers: sent, text } = await browser.ask(`${service.origin}/second-factor/${name}`, init)
    const body = parsed(text)
    return { status, headers: sent, body, text }
  }

  async function post(path, fields = /** @type {any} */ ({}), headers = {}) {
    if (path === '/login') return login(fields, headers)
    if (path === '/transfer') return silently({ max_age: 300 })
    const name = path.replace('/second-factor/', '')
    if (name === 'verify') return verify(fields)
    if (name in STEPS) return answerOf(await step(STEPS[name], fields, headers))
    if (name === 'again') return answerOf(await authorize({ max_age: 300 }), 'in')
    if (name === 'log-out') {
      browser.page = await browser.ask(`${service.origin}/session/end`)
      await confirm(browser.page)
      return { status: 200, headers: new Headers(), body: { result: 'logged_out' }, text: '' }
    }
    if (name in SET_UP && (await isHalfWay())) return setUp(name, fields)
    return own('POST', name, fields.user === undefined ? fields : { ...fields, user: NAMES[fields.user] }, headers)
  }

  const self = {
    browser,
    /** The access token of the last authorization. */
    token: undefined,
    authorize,
    answerOf,
    silently,
    step,
    post,
    get: (path) => (path === '/' ? silently() : own('GET', path.replace('/second-factor/', ''))),
    /** The cookies of the session, and not those of one interaction. */
    get cookies() {
      const ofSession = [...browser.cookies.values()].filter(({ path }) => path === '/')
      return new Map(ofSession.map(({ name, value }) => [name, value]))
    },
    /** The same cookies in another browser: a thief's copy. */
    copy: () => opClient(service, { browser: browser.twin(), request }),
  }
  return self
}

function parsed(text) {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
