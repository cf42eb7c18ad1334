// The company's two clients, on one server: a person logs in, and pays by the API. Where the API asks for a second factor, the client sends
// the person to the provider with what the API has asked for (RFC 9470), and pays when the person comes back.
import { randomUUID } from 'node:crypto'
import { createServer } from 'node:http'
import * as openid from 'openid-client'

const { PORT = '4000', ISSUER = 'http://localhost:3000', API_URL = 'http://localhost:3001' } = process.env
const origin = `http://localhost:${PORT}`
const insecure = { execute: [openid.allowInsecureRequests] } // for an example on one machine alone
const configOf = (id) => openid.discovery(new URL(ISSUER), id, `secret of ${id}`, undefined, insecure)
const sessions = new Map()

/** Sends the person to the provider. `then` is the path to go on at. */
async function logIn(id, session, then, wishes = {}) {
  const [verifier, state] = [openid.randomPKCECodeVerifier(), openid.randomState()]
  session.pending = { verifier, state, then }
  return openid.buildAuthorizationUrl(await configOf(id), {
    redirect_uri: `${origin}/${id}`,
    scope: 'openid payments',
    code_challenge: await openid.calculatePKCECodeChallenge(verifier),
    code_challenge_method: 'S256',
    state,
    ...wishes,
  }).href
}

/** The provider has sent the person back. */
async function comeBack(id, session, url) {
  const { verifier, state, then } = session.pending ?? {}
  session.pending = undefined
  const checks = { pkceCodeVerifier: verifier, expectedState: state, idTokenExpected: true }
  const tokens = await openid.authorizationCodeGrant(await configOf(id), url, checks)
  Object.assign(session, { [id]: tokens.access_token, claims: tokens.claims() })
  return then
}

/** Pays, or gives the address at which the person shows what the API asks for. */
async function pay(id, session) {
  const headers = { authorization: `Bearer ${session[id]}` }
  const answer = await fetch(`${API_URL}/payments`, { headers })
  const challenge = answer.headers.get('www-authenticate') ?? ''
  if (!challenge.includes('insufficient_user_authentication')) return { text: `the API answered ${answer.status}` }
  const [acr_values, max_age] = ['acr_values', 'max_age'].map(
    (name) => new RegExp(`${name}="([^"]*)"`).exec(challenge)?.[1],
  )
  return { location: await logIn(id, session, `/${id}/pay`, { acr_values, max_age }) }
}

createServer(async (req, res) => {
  const cookie = /client=([\w-]+)/.exec(req.headers.cookie ?? '')?.[1]
  const key = sessions.has(cookie) ? cookie : randomUUID()
  const session = sessions.get(key) ?? {}
  sessions.set(key, session)
  const remember = (id) => res.setHeader('set-cookie', `client=${id}; Path=/; HttpOnly; SameSite=Lax`)
  remember(key)
  const show = (text) => res.setHeader('content-type', 'text/plain').end(text)
  const go = (location) => res.writeHead(303, { location }).end()
  try {
    const url = new URL(req.url, origin)
    const [, id, action] = /^\/(intranet|payroll)(?:\/(login|pay))?$/.exec(url.pathname) ?? []
    if (id === undefined) return show(`${origin}/intranet/login\n${origin}/payroll/login\n${origin}/intranet/pay\n`)
    if (action === 'login') return go(await logIn(id, session, `/${id}`))
    if (url.searchParams.has('state')) {
      const then = await comeBack(id, session, url)
      const renewed = randomUUID() // nobody else knows the session of a person who is in
      sessions.delete(key)
      sessions.set(renewed, session)
      remember(renewed)
      return go(then)
    }
    if (action === undefined) return show(JSON.stringify(session.claims ?? 'not logged in', undefined, 2))
    const { text, location } = await pay(id, session)
    return location === undefined ? show(text) : go(location)
  } catch (error) {
    return res.writeHead(400).end(String(error.error ?? error.message))
  }
}).listen(Number(PORT), 'localhost', () => console.log(`the clients listen on ${origin}`))
