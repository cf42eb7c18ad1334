// The use cases of a person's own second factor: set-ups, apps and phones, backup codes, trusted browsers, sessions and activity.
// Contexts and replies are those of login.js.

import { backupCodes } from 'countersign'
import { BadInput, text } from './bad-input.js'
import { readNumber } from './phone-number.js'

const activityEvents = 50
const secondPressSeconds = 60

export function factorUseCases(parts) {
  const { accounts, sessions, outbox, secondFactor, callerIn, callerWithPass, staleFactor, end, clock } = parts
  const callerInSetUp = (context) => ({ ...callerWithPass(context), ticket: context.session.pending.setUp?.ticket })

  /**
   * The login's ticket must be good when a set-up begins; from then on the set-up has its own time. The session has the
   * password only, so it ends once it can neither begin nor finish a set-up.
   */
  function atLogin(context, reply) {
    if (context.session.pending.setUp === undefined || reply.result !== 'denied') return reply
    const isOver = ['other_session', 'fresh_factor_required'].includes(reply.reason)
    const told = isOver ? { ...reply, reason: 'ticket_invalid' } : reply
    if (told.reason.startsWith('ticket_')) end(context)
    return told
  }

  /**
   * Confirms a factor. A session without a pass gets one, and a new id with it: a copy of its cookie, made before, then opens
   * nothing.
   */
  async function confirm(context, method, ask) {
    const { session } = context
    const setUp = session.pending.setUps?.[method]
    const confirmation = { ...callerIn(context), setup: setUp?.token ?? '', code: context.input.code }
    if (session.proof === 'verified') {
      const reply = await ask(confirmation)
      if (reply.result === 'enrolled') forgetSetUp(session, method)
      return { ...afterChange(context, reply), isReplacement: Boolean(setUp?.replaces) }
    }
    const fresh = sessions.fresh()
    const reply = await ask({ ...confirmation, newSession: fresh.id })
    if (reply.result !== 'enrolled') return atLogin(context, reply)
    const { pass: token, newCodes, session: _, ...shown } = reply
    const pending = { newCodes, shown: session.pending.shown }
    const state = { proof: 'verified', pass: token, next: session.next, pending }
    if (!sessions.replace(session, fresh, state)) return { result: 'denied', reason: 'ticket_invalid' }
    context.cookie = fresh.secret
    context.pass = { token, expiresAt: reply.expiresAt }
    context.session = sessions.find(fresh.secret, 'web')
    context.entry = { state: 'in', method }
    sessions.endOthers(context.session)
    return session.pending.setUp === undefined ? shown : { ...shown, next: session.next }
  }

  /** A change of factors ends the passes from before it. The session that made it goes on with the pass in the reply. */
  function afterChange(context, { pass: token, expiresAt, session: _, newCodes, ...reply }) {
    if (newCodes !== undefined) sessions.keep(context.session, { newCodes })
    if (token === undefined) return expiresAt === undefined ? reply : { ...reply, expiresAt }
    sessions.keepPass(context.session, token)
    context.pass = { token, expiresAt }
    if (reply.result === 'enrolled') sessions.endOthers(context.session)
    return reply
  }

  /**
   * The name of a new app or phone, and the one that it replaces. A form sends an empty text for none: a new one then gets a name
   * in the person's language, and a replacement keeps the name.
   */
  async function namesIn({ input, principal, account, words }, method) {
    const [name, replaces] = [input.name || undefined, input.replaces || undefined]
    if (name !== undefined || replaces !== undefined) return { name, replaces }
    const { methods } = await secondFactor.status({ user: principal.id, account: account.id })
    const taken = methods.map(({ name }) => name)
    return { name: freeName(words.security.newNames[method], taken) }
  }

  /** Facts for the page of a set-up: the name of the app or phone that it replaces, and whether the method is set up already. */
  async function othersOf({ principal, account }, method, replaces) {
    const { methods } = await secondFactor.status({ user: principal.id, account: account.id })
    return {
      takesPlaceOf: methods.find(({ id }) => id === replaces)?.name,
      isOn: methods.some((factor) => factor.method === method),
    }
  }

  /** A set-up stays in the session until its code comes. */
  function keepSetUp({ session }, method, { setup: token, ...reply }, facts = {}) {
    if (token !== undefined) {
      sessions.change(session, (pending) => {
        pending.setUps = { ...pending.setUps, [method]: { token, ...facts } }
      })
    }
    return reply
  }

  function forgetSetUp(session, method) {
    sessions.change(session, (pending) => void delete pending.setUps?.[method])
  }

  /** The line under the codes of a file: the day on which they were made, by UTC. */
  async function dateOf(principal, account, words) {
    const { backupCodes } = await secondFactor.status({ user: principal.id, account: account.id })
    return backupCodes
      ? `\n${words.codes.madeOn(new Date(backupCodes.createdAt * 1000).toISOString().slice(0, 10))}\n`
      : ''
  }

  /** Codes with the time at which they were made. */
  async function withDate({ principal, account }, reply) {
    if (reply.result !== 'backup_codes') return reply
    const { backupCodes } = await secondFactor.status({ user: principal.id, account: account.id })
    return { ...reply, madeAt: backupCodes?.createdAt }
  }

  /** The set-up that was begun, as often as the page is loaded. */
  async function totpSetUp(context) {
    const { session } = context
    const setUp = session.pending.setUps?.totp
    const others = await othersOf(context, 'totp', setUp?.replaces)
    if (setUp === undefined) return { result: 'no_set_up', ...others }
    const reply = await secondFactor.showTotpSetup({ ...callerIn(context), setup: setUp.token })
    const { setup: _, ...shown } = reply
    return { ...shown, ...others, replaces: setUp.replaces }
  }

  return {
    async security(context) {
      const { session, principal, account } = context
      const open = sessions.of(principal.id).map(({ id, ...each }) => ({ ...each, self: id === session.id }))
      const { trustedBrowsers = [], ...status } = await secondFactor.status({ user: principal.id, account: account.id })
      const [here] = context.trustedBrowserOf(principal.id)?.split('.') ?? []
      return {
        result: 'security',
        plan: account.plan,
        status: { ...status, trustedBrowsers: trustedBrowsers.map((each) => ({ ...each, self: each.id === here })) },
        sessions: open,
        setUps: Object.keys(session.pending.setUps ?? {}),
        isFresh: (await staleFactor(context)) === undefined,
      }
    },

    /**
     * Begins a set-up. A second press of the button within a minute goes on with the same one. An older one may have been begun by
     * somebody else at this browser, who knows its key; the page leads to it only by a link that says so.
     */
    async startTotp(context) {
      const { session, principal, account, input } = context
      const open = session.pending.setUps?.totp
      const isPressedTwice = open !== undefined && clock() - open.at < secondPressSeconds
      if (isPressedTwice && (open.replaces ?? '') === (input.replaces ?? '') && !input.name) {
        const shown = await totpSetUp(context)
        if (shown.result === 'totp_started') return shown
      }
      const reply = await secondFactor.enrollTotp({
        ...callerInSetUp(context),
        ...(await namesIn(context, 'totp')),
        label: principal.email,
        plan: account.plan,
      })
      return atLogin(context, keepSetUp(context, 'totp', reply, { replaces: input.replaces, at: clock() }))
    },

    totpSetUp,

    async confirmTotp(context) {
      return confirm(context, 'totp', secondFactor.confirmTotp)
    },

    async startSms(context) {
      const { input, account } = context
      const number = readNumber(text(input, 'number'))
      if (number.problem) return { result: 'malformed', expected: 'a phone number', problem: number.problem }
      const reply = await secondFactor.enrollSms({
        ...callerInSetUp(context),
        ...(await namesIn(context, 'sms')),
        number: number.e164,
        plan: account.plan,
      })
      const { result, hint, digits, expiresAt, resendAt } = reply
      // The person has just typed the number, so the page shows all of it: a mask would hide a wrong digit.
      const facts = { number: number.shown, hint, digits, expiresAt, resendAt, replaces: input.replaces }
      const kept = keepSetUp(context, 'sms', reply, result === 'sms_sent' ? facts : {})
      return atLogin(context, { ...kept, number: number.e164 })
    },

    async smsSetUp(context) {
      const setUp = context.session.pending.setUps?.sms
      const others = await othersOf(context, 'sms', setUp?.replaces)
      if (setUp === undefined) return { result: 'no_set_up', ...others }
      const { token: _, ...shown } = setUp
      return { result: setUp.expiresAt > clock() ? 'sms_started' : 'expired', ...shown, ...others }
    },

    async confirmSms(context) {
      return confirm(context, 'sms', secondFactor.confirmSms)
    },

    async removeMethod(context) {
      const { factor } = context.input
      return afterChange(context, await secondFactor.remove({ ...callerWithPass(context), factor }))
    },

    async renameFactor(context) {
      const { factor, name } = context.input
      return secondFactor.rename({ ...callerWithPass(context), factor, name })
    },

    async removeTrustedBrowser(context) {
      return secondFactor.removeTrustedBrowser({ ...callerWithPass(context), browser: context.input.browser })
    },

    async showBackupCodes(context) {
      return withDate(context, await secondFactor.showBackupCodes(callerWithPass(context)))
    },

    async renewBackupCodes(context) {
      return afterChange(context, await secondFactor.renewBackupCodes(callerWithPass(context)))
    },

    /** The codes that were made in this session, until the person says that they are saved. */
    async newBackupCodes(context) {
      const { newCodes } = context.session.pending
      if (newCodes === undefined) return { result: 'expired' }
      const reply = await secondFactor.showNewBackupCodes({ ...callerWithPass(context), newCodes })
      const { next } = context.session
      return { ...(await withDate(context, afterChange(context, reply))), next }
    },

    /** The person says that the codes are saved. The page hands the set back, because it may be older than the codes. */
    async confirmBackupCodes(context) {
      const { set } = context.input
      const reply = await secondFactor.confirmBackupCodes({ ...callerWithPass(context), set })
      if (reply.result === 'confirmed') sessions.keep(context.session, { newCodes: undefined })
      return reply
    },

    /** Makes a file of the codes in the form. They come from the page, because the server may keep only their hashes. */
    async downloadBackupCodes({ input, principal, account, words }) {
      const codes = text(input, 'codes').split(' ')
      if (!codes.every((code) => /^[0-9A-Z]{4}(-[0-9A-Z]{4}){3}$/.test(code)))
        throw new BadInput('codes', 'are no backup codes')
      return {
        result: 'file',
        name: 'backup-codes.txt',
        text: `${backupCodes.toText({ name: account.name, user: principal.email, codes })}${await dateOf(principal, account, words)}`,
      }
    },

    async activity({ principal }) {
      // An owner is known by the e-mail address.
      const named = ({ by, ...event }) => ({ ...event, ...(by && { by: accounts.user(by)?.email ?? by }) })
      return { result: 'activity', events: outbox.events([principal.id], activityEvents).map(named) }
    },
  }
}

/** The first of `App`, `App 2` … that is not taken. */
function freeName(name, taken) {
  for (let number = 1; ; number += 1) {
    const free = number === 1 ? name : `${name} ${number}`
    if (!taken.includes(free)) return free
  }
}
