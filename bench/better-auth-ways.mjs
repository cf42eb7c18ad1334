// The ways in of tests/adapters/better-auth-ways.mjs, with better-auth's own `twoFactor` in the place of Countersign: which of them let a
// user in who has a second factor. By hand: `node bench/better-auth-ways.mjs`, after a build and `npm ci --prefix tests/adapters`.
import { otpauth } from 'countersign'
import { codeOf, PASSWORD, signedUp, startAuth } from '../tests/adapters/better-auth-service.mjs'
import { mailbox, twoFactor, WAYS } from '../tests/adapters/better-auth-ways.mjs'

const ends = []
const t = { after: (end) => ends.push(end) }
const isOpen = async (way) => {
  const box = mailbox()
  const needs = (await way.needs?.(t, box)) ?? {}
  const service = await startAuth(t, { ...needs, mine: ({ plugins }) => [...plugins, twoFactor()] })
  const user = await withOwnFactor(service, way.signUp)
  const browser = service.browser()
  const answer = await way.enter({ service, user, browser, box })
  const token = answer.body?.access_token ?? answer.body?.token
  const byToken = token && service.browser({ authorization: `Bearer ${token}` })
  return (await browser.user()) === user.id || (await byToken?.user()) === user.id
}

/** A user whose second factor is an app of `twoFactor`. */
async function withOwnFactor(service, signUp) {
  const user = await signedUp(service, 'ann', signUp)
  const { body } = await user.browser.post('/two-factor/enable', { password: PASSWORD })
  const { secret } = otpauth.parse(body.totpURI)
  await user.browser.post('/two-factor/verify-totp', { code: codeOf(service, secret) })
  return { ...user, secret }
}

/** How many of ten logins one code finishes, sent at once. */
async function loginsByOneCode() {
  const service = await startAuth(t, { mine: ({ plugins }) => [...plugins, twoFactor()] })
  const { email, id, secret } = await withOwnFactor(service)
  const browsers = Array.from({ length: 10 }, () => service.browser())
  for (const browser of browsers) await browser.post('/sign-in/email', { email, password: PASSWORD })
  const code = codeOf(service, secret)
  await Promise.all(browsers.map((browser) => browser.post('/two-factor/verify-totp', { code })))
  const users = await Promise.all(browsers.map((browser) => browser.user()))
  return users.filter((user) => user === id).length
}

for (const way of WAYS) {
  if (way.reason && !way.plugin.startsWith('admin')) continue
  const given = await isOpen(way).then(
    (open) => (open ? 'IN WITHOUT A SECOND FACTOR' : 'asked or refused'),
    (error) => `failed: ${error.message}`,
  )
  console.log(`${way.plugin}: ${way.name}: ${given}`)
}
console.log(`one code, ten logins at once: ${await loginsByOneCode()} are in`)
for (const end of ends.reverse()) await end()
