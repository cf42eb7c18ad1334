// The ways in of better-auth and its plugins, as data: each with what it needs, and a person who takes it.
//
// A way enters as the user `ann`, whose second factor is an app, from a browser that is new. `reason` stands where the way hands out no new
// log-in: then it is in the table of the documents with that reason.
import { createSign, generateKeyPairSync } from 'node:crypto'
import { createServer } from 'node:http'
import {
  admin,
  anonymous,
  bearer,
  deviceAuthorization,
  emailOTP,
  genericOAuth,
  magicLink,
  multiSession,
  oneTap,
  oneTimeToken,
  organization,
  phoneNumber,
  siwe,
  username,
} from 'better-auth/plugins'
import { PASSWORD } from './better-auth-service.mjs'

export { twoFactor } from 'better-auth/plugins'

/** Where plugins leave their codes and links: one for each service. */
export const mailbox = () => ({ code: '', url: '', token: '' })

/**
 * @typedef {object} Way
 * @property {string} name
 * @property {string} plugin of better-auth, or `core`
 * @property {(t: any, box: ReturnType<typeof mailbox>) => Promise<{ options?: object, plugins?: object[] }> | { options?: object, plugins?: object[] }} [needs]
 * @property {object} [signUp] more fields for the sign-up of the user
 * @property {(way: { service: any, user: any, browser: any, box: ReturnType<typeof mailbox> }) => Promise<any>} enter
 * @property {'redirect'} [answers] the way leads to a page
 * @property {'bearer'} [carries] the client has no cookies
 * @property {boolean} [same] hands out the session of the user, which is in
 * @property {string} [reason]
 */

/** @type {Way[]} */
export const WAYS = [
  {
    name: 'e-mail and password',
    plugin: 'core',
    enter: ({ user, browser }) => browser.post('/sign-in/email', { email: user.email, password: PASSWORD }),
  },
  {
    name: 'e-mail and password, through auth.api',
    plugin: 'core',
    enter: async ({ service, user, browser }) => {
      const response = await service.auth.api.signInEmail({
        body: { email: user.email, password: PASSWORD },
        headers: browser.headers(),
        asResponse: true,
      })
      browser.take(response)
      return { status: response.status, body: await response.json(), text: '' }
    },
  },
  {
    name: 'user name',
    plugin: 'username',
    needs: () => ({ plugins: [username()] }),
    signUp: { username: 'ann_of_acme' },
    enter: ({ browser }) => browser.post('/sign-in/username', { username: 'ann_of_acme', password: PASSWORD }),
  },
  {
    name: 'phone number and password',
    plugin: 'phone-number',
    needs: (_, box) => ({ plugins: [phones(box)] }),
    enter: async ({ service, user, browser }) => {
      ownsPhone(service, user)
      return browser.post('/sign-in/phone-number', { phoneNumber: PHONE, password: PASSWORD })
    },
  },
  {
    name: 'phone number and its code',
    plugin: 'phone-number',
    needs: (_, box) => ({ plugins: [phones(box)] }),
    enter: async ({ service, user, browser, box }) => {
      ownsPhone(service, user)
      await browser.post('/phone-number/send-otp', { phoneNumber: PHONE })
      return browser.post('/phone-number/verify', { phoneNumber: PHONE, code: box.code })
    },
  },
  {
    name: 'magic link',
    plugin: 'magic-link',
    needs: (_, box) => ({ plugins: [magicLink({ sendMagicLink: async ({ url }) => void (box.url = url) })] }),
    answers: 'redirect',
    enter: async ({ user, browser, box }) => {
      await browser.post('/sign-in/magic-link', { email: user.email, callbackURL: '/welcome' })
      return browser.get(box.url)
    },
  },
  {
    name: 'magic link without a page',
    plugin: 'magic-link',
    needs: (_, box) => ({ plugins: [magicLink({ sendMagicLink: async ({ token }) => void (box.token = token) })] }),
    enter: async ({ user, browser, box }) => {
      await browser.post('/sign-in/magic-link', { email: user.email })
      return browser.get(`/magic-link/verify?token=${box.token}`)
    },
  },
  {
    name: 'code by e-mail',
    plugin: 'email-otp',
    needs: (_, box) => ({ plugins: [codes(box)] }),
    enter: async ({ user, browser, box }) => {
      await browser.post('/email-otp/send-verification-otp', { email: user.email, type: 'sign-in' })
      return browser.post('/sign-in/email-otp', { email: user.email, otp: box.code })
    },
  },
  {
    name: 'verification by a code, with auto sign-in',
    plugin: 'email-otp',
    needs: (_, box) => ({
      plugins: [codes(box)],
      options: { emailVerification: { autoSignInAfterVerification: true } },
    }),
    enter: async ({ user, browser, box }) => {
      await browser.post('/email-otp/send-verification-otp', { email: user.email, type: 'email-verification' })
      return browser.post('/email-otp/verify-email', { email: user.email, otp: box.code })
    },
  },
  {
    name: 'verification of the e-mail address, with auto sign-in',
    plugin: 'core',
    needs: (_, box) => ({ options: verification(box) }),
    enter: async ({ user, browser, box }) => {
      await browser.post('/send-verification-email', { email: user.email })
      return browser.get(`/verify-email?token=${box.token}`)
    },
  },
  {
    name: 'verification of the e-mail address, with a page',
    plugin: 'core',
    needs: (_, box) => ({ options: verification(box) }),
    answers: 'redirect',
    enter: async ({ user, browser, box }) => {
      await browser.post('/send-verification-email', { email: user.email, callbackURL: '/welcome' })
      return browser.get(box.url)
    },
  },
  {
    name: 'social sign-in',
    plugin: 'core',
    needs: async (t) => ({ options: { socialProviders: { gitlab: await identityProvider(t) }, ...TRUSTING } }),
    answers: 'redirect',
    enter: ({ browser }) => social(browser, 'gitlab'),
  },
  {
    name: 'social sign-in by an ID token',
    plugin: 'core',
    needs: () => ({
      options: { socialProviders: { google: { ...GOOGLE, verifyIdToken: async () => true } }, ...TRUSTING },
    }),
    enter: ({ user, browser }) =>
      browser.post('/sign-in/social', { provider: 'google', idToken: { token: idTokenOf(user.email) } }),
  },
  {
    name: 'generic OAuth',
    plugin: 'generic-oauth',
    needs: async (t) => {
      const { issuer, clientId, clientSecret } = await identityProvider(t)
      const urls = {
        authorizationUrl: `${issuer}/oauth/authorize`,
        tokenUrl: `${issuer}/oauth/token`,
        userInfoUrl: `${issuer}/userinfo`,
      }
      return {
        plugins: [
          genericOAuth({ config: [{ providerId: 'acme', clientId, clientSecret, ...urls, scopes: ['openid'] }] }),
        ],
        options: {
          account: { accountLinking: { enabled: true, trustedProviders: ['acme'], requireLocalEmailVerified: false } },
        },
      }
    },
    answers: 'redirect',
    enter: ({ browser }) => social(browser, 'acme'),
  },
  {
    name: 'One Tap',
    plugin: 'one-tap',
    needs: (t) => {
      answerForGoogle(t)
      return { plugins: [oneTap({ clientId: GOOGLE.clientId })], options: TRUSTING }
    },
    enter: ({ user, browser }) => browser.post('/one-tap/callback', { idToken: idTokenOf(user.email) }),
  },
  {
    name: 'Sign-In with Ethereum',
    plugin: 'siwe',
    needs: () => ({
      plugins: [
        siwe({ domain: 'acme.example', getNonce: async () => 'nonce12345678', verifyMessage: async () => true }),
      ],
    }),
    enter: async ({ service, user, browser }) => {
      service.database
        .prepare(
          'INSERT INTO walletAddress (id, userId, address, chainId, isPrimary, createdAt) VALUES (?, ?, ?, 1, 1, ?)',
        )
        .run('wallet-1', user.id, WALLET, new Date().toISOString())
      const { body } = await browser.post('/siwe/nonce')
      const message = [
        'acme.example wants you to sign in with your Ethereum account:',
        WALLET,
        '',
        'Sign in.',
        '',
        'URI: https://acme.example',
        'Version: 1',
        'Chain ID: 1',
        `Nonce: ${body?.nonce ?? 'nonce12345678'}`,
        `Issued At: ${new Date().toISOString()}`,
      ].join('\n')
      return browser.post('/siwe/verify', { message, signature: '0x00' })
    },
  },
  {
    name: 'upgrade of an anonymous user',
    plugin: 'anonymous',
    needs: () => ({ plugins: [anonymous()] }),
    enter: async ({ user, browser }) => {
      await browser.post('/sign-in/anonymous')
      return browser.post('/sign-in/email', { email: user.email, password: PASSWORD })
    },
  },
  {
    name: 'device authorization',
    plugin: 'device-authorization',
    carries: 'bearer',
    needs: () => ({ plugins: [deviceAuthorization({ interval: '1s' }), bearer()] }),
    enter: async ({ user, browser }) => {
      const { body: asked } = await browser.post('/device/code', { client_id: 'tv' })
      await user.browser.get(`/device?user_code=${asked.user_code}`)
      await user.browser.post('/device/approve', { userCode: asked.user_code })
      return browser.post('/device/token', {
        grant_type: 'urn:ietf:params:oauth:grant-type:device_code',
        device_code: asked.device_code,
        client_id: 'tv',
      })
    },
  },
  {
    name: 'bearer token of a sign-in',
    plugin: 'bearer',
    carries: 'bearer',
    needs: () => ({ plugins: [bearer()] }),
    enter: ({ user, browser }) => browser.post('/sign-in/email', { email: user.email, password: PASSWORD }),
  },
  {
    name: 'second sign-in beside another user',
    plugin: 'multi-session',
    needs: () => ({ plugins: [multiSession()] }),
    enter: async ({ browser, user }) => {
      await browser.post('/sign-up/email', { email: 'bob@acme.example', password: PASSWORD, name: 'bob' })
      return browser.post('/sign-in/email', { email: user.email, password: PASSWORD })
    },
  },
  {
    name: 'password reset, and the sign-in after it',
    plugin: 'core',
    enter: async ({ service, user, browser }) => {
      await browser.post('/request-password-reset', { email: user.email })
      const { token } = service.mails.at(-1)
      await browser.post('/reset-password', { token, newPassword: `${PASSWORD} 2` })
      return browser.post('/sign-in/email', { email: user.email, password: `${PASSWORD} 2` })
    },
  },
  {
    name: 'impersonation by an admin without a second factor',
    plugin: 'admin',
    needs: () => ({ plugins: [admin()] }),
    enter: async ({ service, user, browser }) => {
      const { body } = await browser.post('/sign-up/email', {
        email: 'root@acme.example',
        password: PASSWORD,
        name: 'root',
      })
      service.database.prepare("UPDATE user SET role = 'admin' WHERE id = ?").run(body.user.id)
      return browser.post('/admin/impersonate-user', { userId: user.id })
    },
    reason: 'refused: the admin must have a second factor, because nobody else can prove that of the user',
  },
  {
    name: 'invitation to an organization',
    plugin: 'organization',
    needs: () => ({ plugins: [organization()] }),
    enter: async ({ browser }) => browser.post('/organization/accept-invitation', { invitationId: 'none' }),
    reason: 'asks for a session that is in, and hands out the same one',
  },
  {
    name: 'one-time token',
    plugin: 'one-time-token',
    needs: () => ({ plugins: [oneTimeToken()] }),
    same: true,
    enter: async ({ user, browser }) => {
      const { body } = await user.browser.get('/one-time-token/generate')
      return browser.post('/one-time-token/verify', { token: body.token })
    },
    reason: 'hands out the session of the person who made the token: only one that is in can make it',
  },
]

const PHONE = '+61412345678'
const WALLET = '0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed'
const TRUSTING = {
  account: {
    accountLinking: { enabled: true, trustedProviders: ['gitlab', 'google'], requireLocalEmailVerified: false },
  },
}
const GOOGLE = { clientId: 'acme.apps.googleusercontent.com', clientSecret: 'secret' }

const phones = (box) => phoneNumber({ sendOTP: ({ code }) => void (box.code = code) })
const codes = (box) => emailOTP({ sendVerificationOTP: async ({ otp }) => void (box.code = otp) })
const verification = (box) => ({
  emailVerification: {
    autoSignInAfterVerification: true,
    sendVerificationEmail: async ({ url, token }) => void Object.assign(box, { url, token }),
  },
})

const ownsPhone = ({ database }, { id }) =>
  database.prepare('UPDATE user SET phoneNumber = ?, phoneNumberVerified = 1 WHERE id = ?').run(PHONE, id)

/** A browser that goes to the identity provider and comes back. */
async function social(browser, provider) {
  const { body, text } = await browser.post('/sign-in/social', { provider, callbackURL: '/welcome' })
  if (!body?.url) throw new Error(`no way to the identity provider: ${text}`)
  const there = await fetch(body.url, { redirect: 'manual' })
  return browser.get(there.headers.get('location'))
}

/** A small identity provider: it knows one user, and asks nothing. */
async function identityProvider(t) {
  const server = createServer((req, res) => {
    const url = new URL(req.url, 'http://idp')
    const json = (value) => res.setHeader('content-type', 'application/json').end(JSON.stringify(value))
    if (url.pathname === '/oauth/authorize') {
      const back = new URL(url.searchParams.get('redirect_uri'))
      back.searchParams.set('code', 'code-1')
      back.searchParams.set('state', url.searchParams.get('state'))
      return void res.writeHead(302, { location: back.href }).end()
    }
    if (url.pathname === '/oauth/token')
      return json({ access_token: 'access-1', token_type: 'Bearer', expires_in: 3600 })
    const person = { name: 'ann', email: 'ann@acme.example', email_verified: true }
    if (url.pathname === '/api/v4/user') return json({ id: 7, state: 'active', ...person })
    json({ sub: '7', id: '7', ...person })
  })
  await new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve(undefined)))
  t.after(() => server.closeAllConnections())
  t.after(() => server.close())
  const { port } = /** @type {import('node:net').AddressInfo} */ (server.address())
  return { issuer: `http://127.0.0.1:${port}`, clientId: 'acme', clientSecret: 'secret' }
}

const google = generateKeyPairSync('rsa', { modulusLength: 2048 })

/** An ID token of Google's, signed by a key of this test. */
function idTokenOf(email) {
  const now = Math.floor(Date.now() / 1_000)
  const part = (value) => Buffer.from(JSON.stringify(value)).toString('base64url')
  const claims = { iss: 'https://accounts.google.com', aud: GOOGLE.clientId, sub: '7', iat: now, exp: now + 600 }
  const text = `${part({ alg: 'RS256', kid: 'test', typ: 'JWT' })}.${part({ ...claims, email, email_verified: true, name: 'ann' })}`
  return `${text}.${createSign('RSA-SHA256').update(text).sign(google.privateKey, 'base64url')}`
}

/** Answers in the place of Google, whose keys better-auth fetches. */
function answerForGoogle(t) {
  const real = globalThis.fetch
  const keys = { keys: [{ ...google.publicKey.export({ format: 'jwk' }), kid: 'test', alg: 'RS256', use: 'sig' }] }
  globalThis.fetch = async (input, init) =>
    String(input?.url ?? input).startsWith('https://www.googleapis.com/') ? Response.json(keys) : real(input, init)
  t.after(() => {
    globalThis.fetch = real
  })
}
