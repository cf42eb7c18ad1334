// The right to set up a factor. An address that nobody has proven may be that of somebody else: better-auth takes password, accounts and
// sessions away when its owner proves it by a link or a code, and a factor of before would lock the owner out.
import { APIError } from 'better-auth/api'
import type { Login } from '../../adapter.js'
import { type Means, storedSession } from './sessions.js'
import type { AuthContext, AuthSessionAndUser, AuthUser, EndpointContext } from './types.js'

/** The actions that set up a factor. */
const ENROLLING = new Set(['enroll-totp', 'confirm-totp', 'enroll-sms', 'confirm-sms'])

/** The plugins by which a person proves an address. */
const PROVING = new Set(['magic-link', 'email-otp'])

/** Throws where an action sets up a factor for a user who may not have one yet. */
export async function refuseUnproven(
  means: Means,
  { context }: EndpointContext,
  action: string,
  login: () => Promise<Login | undefined>,
): Promise<void> {
  if (!ENROLLING.has(action)) return
  const begun = await login()
  if (begun === undefined) return
  const user = await context.internalAdapter.findUserById(begun.user)
  if (!user || !(await means.mayEnroll(user))) throw unproven()
}

/** Throws where the user of a session may not add a passkey yet, or where the proof has ended the session and a cookie cache keeps it. */
export async function refuseUnprovenSession(
  means: Means,
  context: AuthContext,
  found: AuthSessionAndUser,
): Promise<void> {
  const user = await context.internalAdapter.findUserById(found.user.id)
  if (!user || !(await means.mayEnroll(user))) throw unproven()
  const isOfBefore = !found.user.emailVerified && user.emailVerified
  if (isOfBefore && (await storedSession(context, found.session.token)) === undefined) throw unproven()
}

const unproven = () =>
  new APIError(403, {
    code: 'EMAIL_NOT_VERIFIED',
    result: 'denied',
    reason: 'email_not_verified',
    message: 'prove the e-mail address first',
  })

/** Whether the address of a user is proven, or nothing of this better-auth proves addresses. */
export function isProven({ options }: AuthContext, { emailVerified }: AuthUser): boolean {
  return Boolean(emailVerified) || !provesAddresses(options)
}

/** Whether anything of this better-auth proves addresses. */
export const provesAddresses = ({ emailVerification, plugins = [] }: AuthContext['options']): boolean =>
  emailVerification?.sendVerificationEmail !== undefined || plugins.some(({ id }) => PROVING.has(id))
