// Whether a login by a passkey proves both factors: possession by its key, and the person by the authenticator's PIN or biometrics.
//
// The passkey plugin takes a login without user verification. The flag of it stands in the data that the authenticator has signed, and the
// plugin has verified that signature before it created the session.
import type { EndpointContext } from './types.js'

/** Present and verified: the flags UP and UV (WebAuthn §6.1). */
const PRESENT_AND_VERIFIED = 0b101
/** The place of the flags, after the hash of the relying party's id. */
const FLAGS_AT = 32

/** The path of the login. Another way in never proves both. */
const LOGIN = '/passkey/verify-authentication'
/** The path of a new passkey, which would open the door alone. */
const REGISTRATION = '/passkey/verify-registration'

/** Whether this request is a login by a passkey with user verification. */
export function provesBoth({ path, body }: EndpointContext): boolean {
  if (path !== LOGIN) return false
  const data = (body as { response?: { response?: { authenticatorData?: unknown } } } | undefined)?.response?.response
  const bytes = bytesOf(data?.authenticatorData)
  return bytes !== undefined && ((bytes[FLAGS_AT] ?? 0) & PRESENT_AND_VERIFIED) === PRESENT_AND_VERIFIED
}

/** Whether this request adds a passkey. */
export const addsPasskey = ({ path }: EndpointContext): boolean => path === REGISTRATION

function bytesOf(text: unknown): Uint8Array | undefined {
  if (typeof text !== 'string') return undefined
  try {
    const binary = atob(text.replaceAll('-', '+').replaceAll('_', '/'))
    return Uint8Array.from(binary, (sign) => sign.charCodeAt(0))
  } catch {
    return undefined
  }
}
