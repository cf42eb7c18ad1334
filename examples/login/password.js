// The use case of a person's own password. Contexts and replies are those of login.js.

import { text } from './bad-input.js'

/** Where a password alone may log in, NIST SP 800-63B-4 §3.1.1.2 asks for 15 characters, and for at least 64 to be taken. */
export const passwordLength = { least: 15, most: 128 }

/** `staleFactor` refuses a caller who has not shown a factor just now. */
export function passwordUseCases({ accounts, sessions, secondFactor, staleFactor }) {
  return {
    /** Ends all that the old password has begun: the other sessions here, and at the engine half-made logins and the trust of browsers. */
    async changePassword(context) {
      const { input, session, principal, account, ip } = context
      const stale = await staleFactor(context)
      if (stale) return stale
      const next = text(input, 'new_password')
      const length = [...next].length
      if (length < passwordLength.least || length > passwordLength.most)
        return { result: 'denied', reason: 'password_length' }
      const checked = await accounts.checkPassword(principal.email, text(input, 'password'), ip)
      if (checked.result === 'wrong_password') return { result: 'denied', reason: 'not_your_password' }
      if (checked.result !== 'first_factor') return checked
      await accounts.setPassword(principal, next)
      sessions.endOthers(session)
      await secondFactor.passwordChanged({ user: principal.id, account: account.id })
      return { result: 'password_changed' }
    },
  }
}
