// A login at better-auth with its own plug-in for a second factor, in memory. Its password hash is replaced by a comparison, so
// that the first factor costs nothing.
// @ts-nocheck: the peers are installed only by `npm run bench`
import { betterAuth } from 'better-auth'
import { memoryAdapter } from 'better-auth/adapters/memory'
import { twoFactor } from 'better-auth/plugins'

const origin = 'https://acme.example'

/** A user with an app. `begin` shows the password, and gives the cookie of the second step; `verify` shows a code. */
export async function betterAuthUser() {
  const tables = { user: [], session: [], account: [], verification: [], twoFactor: [], rateLimit: [] }
  const auth = betterAuth({
    baseURL: origin,
    secret: 'a secret of the benchmark, 32 long or more',
    database: memoryAdapter(tables),
    emailAndPassword: {
      enabled: true,
      password: { hash: async (password) => password, verify: async ({ hash, password }) => hash === password },
    },
    rateLimit: { enabled: false },
    telemetry: { enabled: false },
    plugins: [twoFactor({ issuer: 'Acme', skipVerificationOnEnable: true })],
  })
  const given = { email: 'ann@acme.example', password: 'correct horse battery staple' }
  const signedUp = await auth.api.signUpEmail({ body: { ...given, name: 'Ann' }, asResponse: true })
  const headers = { cookie: cookiesOf(signedUp) }
  const { totpURI } = await auth.api.enableTwoFactor({ body: { password: given.password }, headers })
  return {
    secret: new URL(totpURI).searchParams.get('secret'),
    async begin() {
      const response = await auth.api.signInEmail({ body: given, asResponse: true })
      const { twoFactorRedirect } = await response.json()
      return { challenge: twoFactorRedirect === true, cookie: cookiesOf(response) }
    },
    async verify(cookie, code) {
      const response = await auth.api.verifyTOTP({ body: { code }, headers: { cookie }, asResponse: true })
      return response.ok
    },
  }
}

const cookiesOf = (response) =>
  response.headers
    .getSetCookie()
    .map((line) => line.split(';')[0])
    .join('; ')
