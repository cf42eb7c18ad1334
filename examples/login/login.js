// The service without HTTP: each use-case takes a context and answers with a reply.
// Pages and JSON routes only render the reply.
//
// context: { input, ip, browser, language, session?, principal?, account?, entry?, cookie?, pass?, trustedBrowser? }
//   entry           the access that the session gives, see `entryOf`
//   cookie          set by a use-case: the new session secret, or null to forget it
//   pass            set by a use-case: the pass of the session from now on, { token, expiresAt }
//   trustedBrowserOf  gives the cookie by which a person trusts this browser
//   trustedBrowser    set by a use-case: the cookie from now on, { user, token, expiresAt }

import { rolesOf, trustDays } from './accounts.js'
import { isYes, text } from './bad-input.js'
import { factorUseCases } from './factors.js'
import { ownerUseCases } from './owner.js'
import { passwordUseCases } from './password.js'
import { sameSitePath } from './same-site.js'

export function createUseCases({ accounts, sessions, outbox, secondFactor, policyFor, clock, origin, demo }) {
  const callerIn = ({ session, principal, account, ip }) => ({
    user: principal.id,
    session: session.id,
    account: account.id,
    ip,
    roles: rolesOf(principal),
  })
  const callerWithPass = (context) => ({ ...callerIn(context), pass: context.session.pass })
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

  /** Gives a promise that the end is on the revocation list. */
  function end(context) {
    context.cookie = null
    return sessions.end(context.session)
  }

  /** Gives a session without a pass a new id, so that a copy of its cookie ends as well. A pass is bound to the id. */
  function renewSession(context) {
    const { session } = context
    if (session.proof !== 'allowed') return
    const fresh = sessions.fresh()
    const { next, expiresAt, pending } = session
    // Nothing new was shown, so the end stays.
    const state = { proof: 'allowed', next, pending: { shown: pending.shown }, ends: expiresAt }
    if (!sessions.replace(session, fresh, state)) return
    context.cookie = fresh.secret
    context.session = sessions.find(fresh.secret, 'web')
  }

  /** The one function that starts a session. Every login calls it after its first factor, so none skips the second. */
  async function logIn(context, principal, next) {
    const { ip, browser, language } = context
    const account = accounts.account(principal.account)
    const channel = channelOf(principal)
    let fresh = sessions.fresh()
    accounts.remember(principal, { ip, language })
    const reply = await begin({ session: fresh, principal, account, ip })
    if (reply.result === 'denied') return reply
    const challenge = reply.result === 'challenge' ? reply : undefined
    const setUp = reply.result === 'set_up' ? reply : undefined
    if (challenge && channel === 'api') return { result: 'denied', reason: 'api_client_blocked' }
    // The challenge is for one session, and the pass for another, as at the second step.
    const second = sessions.fresh()
    const trusted =
      challenge && (await byTrustedBrowser(context, challenge, [fresh, second], { principal, account, ip }))
    if (trusted) fresh = second
    // After many logins with the password alone, tickets stay here and cannot be sent to Envoy. The
    // second step on this site still works, because it needs the session only.
    const kept = challenge && !trusted && accounts.hasManyHalfLogins(principal)
    // The password was changed while this login was under way. Nothing waits between here and the start of the session.
    if (!accounts.isCurrent(principal)) return { result: 'wrong_password' }
    if (context.session) end(context)
    const step = { challenge, setUp }
    sessions.start(fresh, {
      principal: principal.id,
      channel,
      ip,
      browser,
      ...(trusted
        ? { proof: 'verified', pass: trusted.pass }
        : { proof: challenge || setUp ? 'password' : 'allowed', next: (challenge || setUp) && next, pending: step }),
      handedOut: challenge !== undefined && !kept,
      // Without a ticket handed out, the session is useless once the ticket has ended.
      ends: kept ? challenge.expiresAt : undefined,
    })
    if (channel === 'api') return { result: 'token', token: fresh.secret }
    context.cookie = fresh.secret
    if (trusted) {
      context.pass = { token: trusted.pass, expiresAt: trusted.expiresAt }
      return { result: 'verified', method: trusted.method, next }
    }
    // The reply holds the ticket, because a program may send it to Envoy with a code. Pages never show it.
    return { ...(kept || setUp ? withoutTicket(reply) : reply), next }
  }

  /** Answers a challenge by the cookie of a browser that the person trusts; nothing where it does not count. */
  async function byTrustedBrowser(context, challenge, [before, after], { principal, account, ip }) {
    const isAsked = challenge.methods.some(({ method }) => method === 'trusted_browser')
    const cookie = isAsked ? context.trustedBrowserOf(principal.id) : undefined
    if (cookie === undefined) return undefined
    const reply = await secondFactor.verify({
      ticket: challenge.ticket,
      session: before.id,
      newSession: after.id,
      account: account.id,
      ip,
      roles: rolesOf(principal),
      method: 'trusted_browser',
      code: cookie,
    })
    if (reply.result !== 'verified') return undefined
    if (reply.user !== principal.id) throw new Error('the pass is for another login')
    if (reply.browser) context.trustedBrowser = { user: principal.id, ...reply.browser }
    return reply
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
      if (session === undefined) return form
      const entry = await entryOf(session, principal, account, ip)
      if (entry.state === 'second_step' && (session.pending.setUp ?? session.pending.challenge).expiresAt > clock()) {
        // Someone else may want to log in here.
        if (input.next === undefined) return form
        sessions.leadTo(session, next)
        return { result: session.pending.setUp ? 'set_up' : 'challenge' }
      }
      if (entry.state === 'in') {
        context.entry = entry
        if (input.next === undefined) return { result: 'logged_in' }
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
      if (first.result === 'wrong_password') logWrongPassword(email, ip)
      if (first.result !== 'first_factor') return first
      return logIn(context, first.principal, sameSitePath(input.next))
    },

    async logInAsClient(context) {
      const { input, ip } = context
      const first = await accounts.checkClient(text(input, 'client'), text(input, 'secret'), ip)
      if (first.result !== 'first_factor') return first
      return logIn(context, first.principal, '/')
    },

    async secondStepForm(context) {
      const { challenge } = context.session.pending
      if (challenge.expiresAt > clock()) return { ...withoutTicket(challenge), trustDays }
      return endUnlessIn(context, { result: 'denied', reason: 'ticket_expired' })
    },

    async secondStep(context) {
      const { session, principal, account, ip, input } = context
      const fresh = sessions.fresh()
      const reply = await secondFactor.verify({
        ticket: session.pending.challenge.ticket,
        session: session.id,
        newSession: fresh.id,
        account: account.id,
        ip,
        roles: rolesOf(principal),
        method: input.method,
        code: input.code ?? input.long_code,
        factor: input.factor || undefined,
        trustBrowser: isYes(input.trust)
          ? { name: context.browser, replaces: context.trustedBrowserOf(principal.id) }
          : undefined,
      })
      if (reply.result === 'denied') return endUnlessIn(context, reply)
      if (reply.result !== 'verified') return reply
      const { pass: token, session: boundTo, user, browser, ...shown } = reply
      if (user !== principal.id || boundTo !== fresh.id) throw new Error('the pass is for another login')
      const wasIn = session.proof !== 'password'
      const arrival = wasIn ? undefined : arrivalOf(reply)
      // Set-ups end with the session's id. The draft of an owner's policy does not.
      const pending = { arrival, ...(wasIn && { shown: session.pending.shown }) }
      if (
        !sessions.replace(session, fresh, { proof: 'verified', pass: token, pending, next: arrival && session.next })
      ) {
        return { result: 'denied', reason: 'ticket_invalid' }
      }
      accounts.forgetHalfLogins(principal)
      context.cookie = fresh.secret
      context.session = sessions.find(fresh.secret, 'web')
      context.pass = { token, expiresAt: reply.expiresAt }
      if (browser) context.trustedBrowser = { user: principal.id, ...browser }
      return { ...shown, next: session.next, tells: arrival !== undefined }
    },

    /** The page between a login and its destination, after a code that somebody without their phone uses. */
    async arrival({ session, principal, account }) {
      const { methods } = await secondFactor.status({ user: principal.id, account: account.id })
      const factors = methods.map(({ id, method }) => ({ id, method }))
      return { result: 'arrival', ...session.pending.arrival, factors, next: session.next }
    },

    async setUpForm({ session }) {
      return withoutTicket(session.pending.setUp)
    },

    async sendLoginSms(context) {
      const { session, principal, account, ip, input } = context
      const reply = await secondFactor.sendSms({
        ticket: session.pending.challenge.ticket,
        session: session.id,
        account: account.id,
        ip,
        roles: rolesOf(principal),
        factor: input.factor || undefined,
      })
      if (reply.result === 'denied') return endUnlessIn(context, reply)
      if (reply.result === 'sms_sent') {
        const { hint, resendAt } = reply
        sessions.change(
          session,
          ({ challenge }) => void Object.assign(challenge ?? {}, { lastSms: { hint, resendAt } }),
        )
      }
      return reply
    },

    async logOut(context) {
      return onceListed(end(context), { result: 'logged_out' })
    },

    /** Ends all other sessions, and the trust of all browsers, so that none of them comes back without a code. */
    async logOutElsewhere(context) {
      const { session, principal, account, ip } = context
      const { trustedBrowsers = [] } = await secondFactor.status({ user: principal.id, account: account.id })
      for (const { id } of trustedBrowsers)
        await secondFactor.removeTrustedBrowser({ ...callerWithPass(context), browser: id })
      // Meanwhile another tab may have given this session a new id, which must not end with the others.
      if (!sessions.isOpen(session)) return { result: 'denied', reason: 'login_required' }
      // Last, because a trusted browser may log in until its trust has ended.
      const { count, isListed } = sessions.endOthers(session)
      renewSession(context)
      outbox.ownEvent('sessions_ended', principal, { at: clock(), ip })
      const reply = { result: 'logged_out_elsewhere', sessions: count, browsers: trustedBrowsers.length }
      return onceListed(isListed, reply)
    },

    // For sessions that are fully logged in

    async home({ principal, account, entry }) {
      if (principal.clientId !== undefined) return { result: 'me', client: principal.clientId, account: account.name }
      const status = await secondFactor.status({ user: principal.id, account: account.id })
      return {
        result: 'me',
        email: principal.email,
        role: principal.role,
        account: account.name,
        plan: account.plan,
        enrolled: status.enrolled,
        isAsked: account.require === 'everyone',
        fewCodes: few(status.backupCodes?.left),
        hasUnsavedCodes: status.backupCodes?.confirmed === false,
        method: entry.method,
      }
    },

    /** Asks a logged-in person for a factor again; the second step then renews the pass. */
    async startFreshFactor(context) {
      const next = sameSitePath(context.input.next)
      const reply = await begin(context)
      if (reply.result === 'challenge') {
        const challenge = { ...reply, own: isYes(context.input.own) }
        sessions.keep(context.session, { challenge }, { handedOut: true })
        sessions.leadTo(context.session, next)
      }
      return { ...withoutTicket(reply), next }
    },

    async freshFactorForm({ input }) {
      return { result: 'fresh_factor_form', next: sameSitePath(input.next), own: isYes(input.own) }
    },

    /** Sets the language of the pages, and of messages to the person. */
    async setLanguage(context) {
      const { principal, input, language, ip } = context
      context.chosenLanguage = language
      if (principal?.email !== undefined) accounts.remember(principal, { ip, language })
      return { result: 'language', next: sameSitePath(input.next) }
    },

    ...factorUseCases({
      accounts,
      sessions,
      outbox,
      secondFactor,
      callerIn,
      callerWithPass,
      staleFactor,
      end,
      clock,
    }),
    ...passwordUseCases({ accounts, sessions, outbox, secondFactor, staleFactor, renewSession, clock, origin }),
    ...ownerUseCases({
      accounts,
      sessions,
      outbox,
      secondFactor,
      policyFor,
      clock,
      staleFactor,
      entryOf,
      end,
    }),

    // The demo's stand-in for phones and mail

    async outbox() {
      return demo ? { result: 'outbox', messages: outbox.messages() } : { result: 'not_found' }
    },
  }

  /**
   * Logs a wrong password, of nobody too: neither this reply nor the next one, which waits for the write, tells by its time whether
   * there is such a person.
   */
  function logWrongPassword(email, ip) {
    outbox.ownEvent('wrong_password', accounts.userNamed(email) ?? nobody, { at: clock(), ip })
  }

  /** Ends a session that has only the password, once its ticket is no longer good. */
  function endUnlessIn(context, reply) {
    if (context.session.proof === 'password' && reply.reason.startsWith('ticket_')) end(context)
    return reply
  }
}

/** Whom an event is about where nobody has that name. No account shows it. */
const nobody = { id: '', account: '' }

/** The number of backup codes that are left, if these are few. */
const few = (left) => (left <= 3 ? left : undefined)

/** Somebody who logs in by one of these may have lost the phone. */
function arrivalOf({ method, backupCodesLeft }) {
  if (method !== 'recovery_code' && method !== 'backup_code') return undefined
  return { method, left: few(backupCodesLeft) }
}

/** The reply to a log-out once the revocation list has it. Where it cannot be stored, the services behind Envoy know nothing of it. */
const onceListed = (isListed, reply) =>
  isListed.then(
    () => reply,
    () => ({ result: 'ended_here' }),
  )

const freshFactorRequired = { result: 'denied', reason: 'fresh_factor_required' }

function withoutTicket({ ticket, own, ...shown }) {
  return shown
}
