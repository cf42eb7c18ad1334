// The service without HTTP: each use-case takes a context and answers with a reply.
// Pages and JSON routes only render the reply.
//
// context: { input, ip, session?, principal?, account?, entry?, cookie?, pass? }
//   entry    the access that the session gives, see `entryOf`
//   cookie   set by a use-case: the new session secret, or null to forget it
//   pass     set by a use-case: the pass of the session from now on, { token, expiresAt }

import { backupCodes } from 'countersign'
import parsePhoneNumber from 'libphonenumber-js'
import { rolesOf } from './accounts.js'
import { BadInput, text } from './bad-input.js'
import { ownerUseCases } from './owner.js'
import { sameSitePath } from './same-site.js'

export function createUseCases({ accounts, sessions, outbox, secondFactor, policyFor, clock, demo }) {
  const callerIn = ({ session, principal, account, ip }) => ({
    user: principal.id,
    session: session.id,
    account: account.id,
    ip,
    roles: rolesOf(principal),
  })
  const callerWithPass = (context) => ({ ...callerIn(context), pass: context.session.pass })
  const callerInSetUp = (context) => ({ ...callerWithPass(context), ticket: context.session.setUp?.ticket })
  const channelOf = (principal) => (principal.clientId === undefined ? 'web' : 'api')
  /** Asks whether the session still meets the account's rules. */
  const check = (context, restrictions) =>
    secondFactor.check({
      ...callerWithPass(context),
      channel: channelOf(context.principal),
      plan: context.account.plan,
      ...restrictions,
    })
  const begin = (context) =>
    secondFactor.begin({
      ...callerIn(context),
      channel: channelOf(context.principal),
      plan: context.account.plan,
    })

  function end(context) {
    sessions.end(context.session)
    context.cookie = null
  }

  /** The one function that starts a session. Every login calls it after its first factor, so none skips the second. */
  async function logIn(context, principal, next) {
    const { ip } = context
    const account = accounts.account(principal.account)
    const channel = channelOf(principal)
    const fresh = sessions.fresh()
    accounts.rememberIp(principal, ip)
    const reply = await begin({ session: fresh, principal, account, ip })
    if (reply.result === 'denied') return reply
    const challenge = reply.result === 'challenge' ? reply : undefined
    const setUp = reply.result === 'set_up' ? reply : undefined
    if (challenge && channel === 'api') return { result: 'denied', reason: 'api_client_blocked' }
    // After many logins with the password alone, tickets stay here and cannot be sent to Envoy. The
    // second step on this site still works, because it needs the session only.
    const kept = challenge && accounts.hasManyHalfLogins(principal)
    if (context.session) end(context)
    sessions.start(fresh, {
      principal: principal.id,
      channel,
      proof: challenge || setUp ? 'password' : 'allowed',
      next: (challenge || setUp) && next,
      challenge: challenge && { ...challenge, kept },
      setUp,
    })
    if (channel === 'api') return { result: 'token', token: fresh.secret }
    context.cookie = fresh.secret
    // The reply holds the ticket, because a program may send it to Envoy with a code. Pages never show it.
    return { ...(kept || setUp ? withoutTicket(reply) : reply), next }
  }

  /**
   * The access that a session gives: 'in' | 'second_step' | 'out' | 'wrong_address'. It is decided anew
   * at each request, because the address and the policy may have changed.
   */
  async function entryOf(session, principal, account, ip) {
    if (session.proof === 'password') return { state: 'second_step' }
    const checked = await check({ session, principal, account, ip })
    if (checked.result === 'denied' && checked.reason.startsWith('address_')) {
      return { state: 'wrong_address', reason: checked.reason }
    }
    const entry = { state: 'in', method: checked.method }
    const out = { state: 'out' }
    switch (session.proof) {
      case 'allowed':
        return checked.result === 'in' ? entry : out
      // This session needs a pass that counts, even where no factor is needed.
      case 'verified':
        return checked.result === 'in' && checked.method !== undefined ? entry : out
      default:
        return out
    }
  }

  /**
   * The login's ticket must be good when a set-up begins; from then on the set-up has its own time. The session has the
   * password only, so it ends once it can neither begin nor finish a set-up.
   */
  function atLogin(context, reply) {
    const isOver = ['other_session', 'fresh_factor_required'].includes(reply.reason)
    if (context.session.setUp === undefined || reply.result !== 'denied') return reply
    return endUnlessIn(context, isOver ? { ...reply, reason: 'ticket_invalid' } : reply)
  }

  /** Confirms a factor. The one that ends a login gives the session a new id. */
  async function confirm(context, method, ask) {
    const { session } = context
    const confirmation = { ...callerIn(context), setup: session.setUps[method] ?? '', code: context.input.code }
    if (session.setUp === undefined) return afterChange(context, await ask(confirmation))
    const fresh = sessions.fresh()
    const reply = await ask({ ...confirmation, newSession: fresh.id })
    if (reply.result !== 'enrolled') return atLogin(context, reply)
    const { pass: token, ...shown } = reply
    const state = { proof: 'verified', pass: token, next: session.next }
    if (!sessions.replace(session, fresh, state)) return { result: 'denied', reason: 'ticket_invalid' }
    context.cookie = fresh.secret
    context.pass = { token, expiresAt: reply.expiresAt }
    context.session = sessions.find(fresh.secret, 'web')
    context.entry = { state: 'in', method }
    sessions.endOthers(context.session)
    return { ...shown, next: session.next }
  }

  /** A change of factors ends the passes from before it. The session that made it goes on with the pass in the reply. */
  function afterChange(context, { pass: token, expiresAt, session: _, ...reply }) {
    if (token === undefined) return expiresAt === undefined ? reply : { ...reply, expiresAt }
    sessions.keepPass(context.session, token)
    context.pass = { token, expiresAt }
    if (reply.result === 'enrolled') sessions.endOthers(context.session)
    return reply
  }

  /** A set-up stays in the session until its code comes. */
  function keepSetUp({ session }, method, { setup, ...reply }) {
    if (setup !== undefined) sessions.keepSetUp(session, method, setup)
    return reply
  }

  /** Refuses unless the caller showed a factor just now. A user without a factor is let through. */
  async function staleFactor(context) {
    const checked = await check(context, { fresh: true })
    return checked.result === 'in' ? undefined : freshFactorRequired
  }

  return {
    end,
    entryOf,

    // Logging in

    /**
     * With `next`, the person may be logged in already, because the gate in Envoy sends people here whose
     * pass is missing, has ended or is too old. Every answer then asks the person to act, so that
     * redirects cannot form a loop.
     */
    async loginForm(context) {
      const { input, session, principal, account, ip } = context
      const next = sameSitePath(input.next)
      const form = { result: 'login_form', next }
      if (session === undefined || input.next === undefined) return form
      const entry = await entryOf(session, principal, account, ip)
      if (entry.state === 'second_step' && (session.setUp ?? session.challenge).expiresAt > clock()) {
        sessions.leadTo(session, next)
        return { result: session.setUp ? 'set_up' : 'challenge' }
      }
      if (entry.state === 'in') {
        context.entry = entry
        const { enrolled } = await secondFactor.status({ user: principal.id, account: account.id })
        if (enrolled) return { result: 'confirm_first', next }
        sessions.leadTo(session, next)
        return { result: 'set_up_first' }
      }
      // This session gives no access any more, so it ends. At a wrong address it only gives none from there.
      if (entry.state !== 'wrong_address') end(context)
      return form
    },

    async logInWithPassword(context) {
      const { input, ip } = context
      const email = text(input, 'email').trim().toLowerCase()
      const first = await accounts.checkPassword(email, text(input, 'password'), ip)
      if (first.result !== 'first_factor') return first
      return logIn(context, first.principal, sameSitePath(input.next))
    },

    async logInAsClient(context) {
      const { input, ip } = context
      const first = await accounts.checkClient(text(input, 'client'), text(input, 'secret'), ip)
      if (first.result !== 'first_factor') return first
      return logIn(context, first.principal, '/')
    },

    async secondStepForm({ session }) {
      return withoutTicket(session.challenge)
    },

    async secondStep(context) {
      const { session, principal, account, ip, input } = context
      const fresh = sessions.fresh()
      const reply = await secondFactor.verify({
        ticket: session.challenge.ticket,
        session: session.id,
        newSession: fresh.id,
        account: account.id,
        ip,
        roles: rolesOf(principal),
        method: input.method,
        code: input.code,
      })
      if (reply.result === 'denied') return endUnlessIn(context, reply)
      if (reply.result !== 'verified') return reply
      const { pass: token, session: boundTo, user, ...shown } = reply
      if (user !== principal.id || boundTo !== fresh.id) throw new Error('the pass is for another login')
      if (!sessions.replace(session, fresh, { proof: 'verified', pass: token })) {
        return { result: 'denied', reason: 'ticket_invalid' }
      }
      accounts.forgetHalfLogins(principal)
      context.cookie = fresh.secret
      context.pass = { token, expiresAt: reply.expiresAt }
      return { ...shown, next: session.next }
    },

    async setUpForm({ session }) {
      return withoutTicket(session.setUp)
    },

    async sendLoginSms(context) {
      const { session, principal, account, ip } = context
      const reply = await secondFactor.sendSms({
        ticket: session.challenge.ticket,
        session: session.id,
        account: account.id,
        ip,
        roles: rolesOf(principal),
      })
      return reply.result === 'denied' ? endUnlessIn(context, reply) : reply
    },

    async logOut(context) {
      end(context)
      return { result: 'logged_out' }
    },

    // For sessions that are fully logged in

    async home({ principal, account, entry }) {
      if (principal.clientId !== undefined) return { result: 'me', client: principal.clientId, account: account.name }
      const { enrolled } = await secondFactor.status({ user: principal.id, account: account.id })
      return {
        result: 'me',
        email: principal.email,
        role: principal.role,
        account: account.name,
        plan: account.plan,
        enrolled,
        method: entry.method,
      }
    },

    async security({ principal, account }) {
      return {
        result: 'security',
        plan: account.plan,
        status: await secondFactor.status({ user: principal.id, account: account.id }),
      }
    },

    async startTotp(context) {
      const { principal, account } = context
      const caller = callerInSetUp(context)
      const reply = await secondFactor.enrollTotp({
        ...caller,
        ...namesIn(context),
        label: principal.email,
        plan: account.plan,
      })
      return atLogin(context, keepSetUp(context, 'totp', reply))
    },

    async confirmTotp(context) {
      return confirm(context, 'totp', secondFactor.confirmTotp)
    },

    async startSms(context) {
      const { input, account } = context
      const typed = text(input, 'number')
      // The phone library reads digits of any script. Here only 0 to 9 are digits, as in codes.
      const number = /(?![0-9])\p{N}/u.test(typed) ? undefined : parsePhoneNumber(typed, 'AU')
      if (!number?.isPossible()) return { result: 'malformed', expected: 'a phone number' }
      const reply = await secondFactor.enrollSms({
        ...callerInSetUp(context),
        ...namesIn(context),
        number: number.number,
        plan: account.plan,
      })
      return atLogin(context, { ...keepSetUp(context, 'sms', reply), number: number.number })
    },

    async confirmSms(context) {
      return confirm(context, 'sms', secondFactor.confirmSms)
    },

    async removeMethod(context) {
      return afterChange(
        context,
        await secondFactor.remove({ ...callerWithPass(context), factor: context.input.factor }),
      )
    },

    async renameFactor(context) {
      const { factor, name } = context.input
      return secondFactor.rename({ ...callerWithPass(context), factor, name })
    },

    async showBackupCodes(context) {
      return secondFactor.showBackupCodes(callerWithPass(context))
    },

    async renewBackupCodes(context) {
      return afterChange(context, await secondFactor.renewBackupCodes(callerWithPass(context)))
    },

    /** The person says that the codes are saved. The page hands the set back, because it may be older than the codes. */
    async confirmBackupCodes(context) {
      return secondFactor.confirmBackupCodes({ ...callerWithPass(context), set: context.input.set })
    },

    /** Makes a file of the codes in the form. They come from the page, because the server may keep only their hashes. */
    async downloadBackupCodes({ input, principal, account }) {
      const codes = text(input, 'codes').split(' ')
      if (!codes.every((code) => /^[0-9A-Z]{4}(-[0-9A-Z]{4}){3}$/.test(code)))
        throw new BadInput('codes', 'are no backup codes')
      return {
        result: 'file',
        name: 'backup-codes.txt',
        text: backupCodes.toText({ name: account.name, user: principal.email, codes }),
      }
    },

    /** Asks a logged-in person for a factor again; the second step then renews the pass. */
    async startFreshFactor(context) {
      const next = sameSitePath(context.input.next)
      const reply = await begin(context)
      if (reply.result === 'challenge') sessions.challenge(context.session, reply, next)
      return { ...withoutTicket(reply), next }
    },

    ...ownerUseCases({ accounts, outbox, secondFactor, policyFor, clock, staleFactor }),

    // The demo's stand-in for phones and mail

    async outbox() {
      return demo ? { result: 'outbox', messages: outbox.messages() } : { result: 'not_found' }
    },
  }

  /** Ends a session that has only the password, once its ticket is no longer good. */
  function endUnlessIn(context, reply) {
    if (context.session.proof === 'password' && reply.reason.startsWith('ticket_')) end(context)
    return reply
  }
}

const freshFactorRequired = { result: 'denied', reason: 'fresh_factor_required' }

/** The name of a new app or phone, and the one that it replaces. A form sends an empty text for none. */
const namesIn = ({ input: { name, replaces } }) => ({ name: name || undefined, replaces: replaces || undefined })

function withoutTicket({ ticket, kept, ...shown }) {
  return shown
}
