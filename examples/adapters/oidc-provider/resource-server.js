// The company's API. Its balance takes any token, a payment one of a person who has just shown a second factor.
import { createServer } from 'node:http'
import { pathToFileURL } from 'node:url'
import { stepUp } from 'countersign/oidc-provider'
import { createRemoteJWKSet, jwtVerify } from 'jose'
import { API } from './company.js'

const RULES = {
  '/balance': {},
  '/payments': { acrValues: ['urn:countersign:acr:2fa'], maxAge: 300 },
}

export function companyApi({ issuer }) {
  const keys = createRemoteJWKSet(new URL('/jwks', issuer))
  return createServer(async (req, res) => {
    const send = ({ status, headers = {}, body }) =>
      res.writeHead(status, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(body))
    const rules = Object.hasOwn(RULES, req.url) ? RULES[req.url] : undefined
    if (rules === undefined) return send({ status: 404, body: { error: 'not_found' } })
    const token = /^Bearer (\S+)$/.exec(req.headers.authorization ?? '')?.[1] ?? ''
    const verified = await jwtVerify(token, keys, { issuer, audience: API, typ: 'at+jwt' }).catch(() => undefined)
    if (verified === undefined)
      return send({
        status: 401,
        headers: { 'www-authenticate': 'Bearer error="invalid_token"' },
        body: { error: 'invalid_token' },
      })
    return send(stepUp(verified.payload, rules) ?? { status: 200, body: { user: verified.payload.sub } })
  })
}

if (import.meta.url === pathToFileURL(process.argv[1]).href) {
  const { PORT = '3001', ISSUER = 'http://localhost:3000' } = process.env
  companyApi({ issuer: ISSUER }).listen(Number(PORT), 'localhost', () =>
    console.log(`the API listens on http://localhost:${PORT}`),
  )
}
