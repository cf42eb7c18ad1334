// The company before it has a second factor: its users, its clients and its API.
import { scryptSync, timingSafeEqual } from 'node:crypto'

const hash = (password, user) => scryptSync(password, `acme.${user}`, 32)
const PEOPLE = new Map(
  ['ann', 'bob'].map((user) => [user, { email: `${user}@acme.example`, password: hash(`password of ${user}`, user) }]),
)
const OWNERS = ['ann']

export const users = {
  /** The label in the user's app, and the roles that rules may name. */
  factsOf: (user) => ({ label: PEOPLE.get(user)?.email, roles: OWNERS.includes(user) ? ['owner'] : [] }),
  accountOf({ user, password } = {}) {
    const known = PEOPLE.get(user)
    if (known === undefined || typeof password !== 'string') return undefined
    return timingSafeEqual(known.password, hash(password, user)) ? user : undefined
  },
  findAccount: (_ctx, sub) =>
    PEOPLE.has(sub) ? { accountId: sub, claims: () => ({ sub, email: PEOPLE.get(sub).email }) } : undefined,
}

const client = (client_id, more) => ({
  client_id,
  client_secret: `secret of ${client_id}`,
  redirect_uris: [`${process.env.CLIENTS ?? 'http://localhost:4000'}/${client_id}`],
  grant_types: ['authorization_code', 'refresh_token'],
  ...more,
})

/** The intranet takes anybody who is in. Payroll asks for a second factor, whatever the rules say. */
export const clients = [
  client('intranet'),
  client('payroll', { default_acr_values: ['urn:countersign:acr:2fa'] }),
  client('tv', {
    grant_types: ['urn:ietf:params:oauth:grant-type:device_code', 'refresh_token'],
    redirect_uris: [],
    response_types: [],
  }),
]

/** The person's own page at the provider. It gets no token, and needs no secret. */
export const ownClient = (issuer) => ({
  client_id: 'account',
  token_endpoint_auth_method: 'none',
  redirect_uris: [`${issuer}/me`],
  grant_types: [],
  response_types: ['none'],
})

export const API = 'https://api.acme.example'

/** Access tokens are for the company's API, and JWTs. Its own clients need no consent. */
export const resources = {
  scopes: ['openid', 'offline_access', 'email'],
  features: {
    devInteractions: { enabled: false },
    deviceFlow: { enabled: true },
    introspection: { enabled: true },
    rpInitiatedLogout: { enabled: true },
    resourceIndicators: {
      enabled: true,
      defaultResource: () => API,
      useGrantedResource: () => true,
      getResourceServerInfo: () => ({ scope: 'payments', audience: API, accessTokenFormat: 'jwt' }),
    },
  },
  async loadExistingGrant({ oidc }) {
    const { client, session, provider } = oidc
    const known = session.grantIdFor(client.clientId)
    const grant = known && (await provider.Grant.find(known))
    if (grant) return grant
    const made = new provider.Grant({ clientId: client.clientId, accountId: session.accountId })
    made.addOIDCScope('openid offline_access email')
    made.addResourceScope(API, 'payments')
    await made.save()
    return made
  },
}
