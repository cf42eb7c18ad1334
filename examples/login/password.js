// The use case of a person's own password. Contexts and replies are those of login.js.

import { text } from './bad-input.js'
import { timeText } from './time-zones.js'

/** Where a password alone may log in, NIST SP 800-63B-4 §3.1.1.2 asks for 15 characters, and for at least 64 to be taken. */
export const passwordLength = { least: 15, most: 128 }

/** A password of fewer different characters is easy to guess. */
const leastDifferent = 5

/** `staleFactor` refuses a caller who has not shown a factor just now; `renewSession` gives a session a new id. */
export function passwordUseCases({
  accounts,
  sessions,
  outbox,
  secondFactor,
  staleFactor,
  renewSession,
  clock,
  origin,
}) {
  return {
    /** Ends all that the old password has begun: the other sessions here, and at the engine half-made logins and the trust of browsers. */
    async changePassword(context) {
      const { input, session, principal, account, ip } = context
      const stale = await staleFactor(context)
      if (stale) return stale
      const [old, next] = [text(input, 'password'), text(input, 'new_password')]
      const weakness = weaknessOf(next, { old, email: principal.email })
      if (weakness) return { result: 'denied', reason: weakness }
      const checked = await accounts.checkPassword(principal.email, old, ip)
      if (checked.result === 'wrong_password') {
        outbox.ownEvent('wrong_password', principal, { at: clock(), ip })
        return { result: 'denied', reason: 'not_your_password' }
      }
      if (checked.result !== 'first_factor') return checked
      const throttled = accounts.chargePasswordChange(checked.principal)
      if (throttled) return throttled
      const hash = await accounts.hashOf(next)
      // Checked before the engine is told as well, so that a refused change is not in the trail and ends no trust.
      if (!sessions.isOpen(session) || !accounts.isCurrent(checked.principal))
        return { result: 'denied', reason: 'not_your_password' }
      // First, so that a failure of the store changes no password.
      await secondFactor.passwordChanged({ user: principal.id, account: account.id, ip })
      // Nothing waits from here on. Meanwhile another session may have changed the password, or ended this one.
      if (!sessions.isOpen(session) || !accounts.setPassword(checked.principal, hash))
        return { result: 'denied', reason: 'not_your_password' }
      sessions.endOthers(session)
      renewSession(context)
      outbox.mail(clock(), principal.email, mailAbout(context))
      return { result: 'password_changed' }
    },
  }

  function mailAbout({ account, ip, words }) {
    const when = timeText(clock(), 'moment', words.locale)
    return words.mails.passwordChanged({ service: account.name, when, ip, origin })
  }
}

/** The reason to refuse a new password, if there is one. */
function weaknessOf(next, { old, email }) {
  const kept = next.normalize('NFC')
  const characters = [...kept]
  if (characters.length < passwordLength.least || characters.length > passwordLength.most) return 'password_length'
  if (kept === old.normalize('NFC')) return 'password_same'
  if (new Set(characters).size < leastDifferent || kept.toLowerCase().includes(email)) return 'password_easy'
  return undefined
}
