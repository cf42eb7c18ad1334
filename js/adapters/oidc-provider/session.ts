// The second factor of an OP session: its place, and the name by which tickets and passes know the session.
//
// oidc-provider gives the browser another session id at each step of a login; the `uid` of the session stays, and no browser sees
// it. A pass is bound to the `uid` and to a random text beside it, which changes at each step. So a pass that is copied into
// another session does not count there, and one from before the last step does not count any more.
import { CountersignError } from '../../adapter.js'
import { FIELD, type KeptInSession, type OidcLogin, type OidcProvider, type OidcSession } from './types.js'

/** The name of a session in tickets and passes. It is no secret. */
export const nameOf = (uid: string, rotation: string): string => `${uid}.${rotation}`

/** A new random text beside the `uid`. */
export const newRotation = (): string => crypto.randomUUID()

/** The state right after a log-in: whatever the session proved before is over. */
export function afterLogin({ acr, amr = ['pwd'], ts = 0 }: OidcLogin, now: number): KeptInSession {
  return { rotation: newRotation(), since: now, at: ts || now, acr, amr: [...amr] }
}

/** The state of a session. One without it, from before the adapter was there, has proved nothing. */
export const keptOf = (session: OidcSession): KeptInSession =>
  session[FIELD] ?? afterLogin({ acr: session.acr, amr: session.amr }, session.loginTs ?? 0)

/**
 * Gives sessions and interactions of a provider the field of ours. oidc-provider stores the fields that a model names, and reads the
 * names at the first use: so it is done before the first request.
 */
export function addFieldTo(provider: OidcProvider): void {
  for (const Model of [provider.Session, provider.Interaction] as unknown as Storable[]) {
    const names = [...new Set([...Model.IN_PAYLOAD, FIELD])]
    Object.defineProperty(Model, 'IN_PAYLOAD', { value: names, configurable: true })
    if (Model.instantiate({ [FIELD]: true })[FIELD] !== true)
      throw new CountersignError(
        'invalid_input',
        'provider',
        'has served a request already: attach it before the first',
      )
  }
}

interface Storable {
  IN_PAYLOAD: string[]
  instantiate(payload: Record<string, unknown>): Record<string, unknown>
}
