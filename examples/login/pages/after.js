// Where each form leads: a page of its own, so that a reload, Back and the address bar repeat nothing.
//
// A function per form: `(reply, context) => { to, tell?, keep?, show? }`
//   to    the address of the next page
//   tell  the reply that the page tells
//   keep  the fields of the form that the page shows again
//   show  values that pages of this session show from now on, by name: `session.pending.shown`

import { sameSitePath } from '../same-site.js'
import { afterOwner } from './after-owner.js'
import { setUpHome } from './security.js'

const tells = (reply, to, ...keep) => ({ to, tell: reply, keep })
const leads = (to) => ({ to })

export const after = {
  ...afterOwner,

  logInWithPassword(reply, { input }) {
    switch (reply.result) {
      case 'challenge':
        return leads('/login/second-step')
      case 'set_up':
        return leads('/login/set-up')
      case 'allowed':
      case 'verified':
        return leads(reply.next)
      case 'error':
        return tells({ result: 'malformed', about: 'login' }, loginAt(sameSitePath(input.next)), 'email')
      default:
        return tells(reply, loginAt(sameSitePath(input.next)), 'email')
    }
  },

  secondStep(reply, context) {
    if (reply.result === 'verified' && reply.tells) return leads('/login/arrival')
    // A page that asked for the code goes on with what it was asked for.
    if (reply.result === 'verified')
      return /[?&]go=/.test(reply.next) ? tells({ result: 'factor_shown' }, reply.next) : leads(reply.next)
    if (context.cookie === null) return tells(reply, loginAt(context.session.next))
    // A backup code in the field of the app: it is asked for in its own field, and no try is lost.
    if (reply.result === 'malformed' && looksLong(context.input.code))
      return tells({ ...reply, about: 'backupCode', method: 'backup_code' }, '/login/second-step?method=backup_code')
    const { method } = context.input
    return tells({ ...reply, method }, secondStepAt(method), 'trust')
  },

  sendLoginSms(reply, context) {
    if (context.cookie === null) return tells(reply, loginAt(context.session.next))
    return tells(reply, secondStepAt('sms'))
  },

  logOut: () => leads('/login'),

  logOutElsewhere: (reply) => tells(reply, '/security'),

  changePassword(reply) {
    if (needsFreshFactor(reply)) return leads(confirmAt('/security?go=password'))
    return tells(reply, reply.result === 'password_changed' ? '/security' : '/security?go=password')
  },

  setLanguage: (reply) => leads(reply.next),

  startTotp(reply, context) {
    if (context.cookie === null) return tells(reply, loginAt(context.session.next))
    const { replaces } = context.input
    if (needsFreshFactor(reply))
      return leads(confirmAt(replaces ? settingsAt('replace', replaces) : '/security?go=totp'))
    return reply.result === 'totp_started' ? leads(`${setUpHome(context)}/totp`) : tells(reply, setUpHome(context))
  },

  confirmTotp: (reply, context) => afterConfirm(reply, context, 'totp'),

  startSms(reply, context) {
    if (context.cookie === null) return tells(reply, loginAt(context.session.next))
    const { replaces } = context.input
    if (needsFreshFactor(reply))
      return leads(confirmAt(replaces ? settingsAt('replace', replaces) : '/security?go=sms'))
    const there = `${setUpHome(context)}/sms`
    const isSameNumber = context.session.pending.setUps?.sms?.number.replaceAll(' ', '') === reply.number
    if (reply.result === 'sms_sent' || (reply.result === 'sms_refused' && isSameNumber))
      return tells(reply, there, 'replaces')
    // The form for the number, with what was typed.
    return tells(reply, `${there}?another=yes`, 'number', 'replaces')
  },

  confirmSms: (reply, context) => afterConfirm(reply, context, 'sms'),

  removeMethod(reply, { input }) {
    if (needsFreshFactor(reply)) return leads(confirmAt(settingsAt('remove', input.factor)))
    // The page was older than the policy, or the network forces a second factor.
    const isLast = reply.reason === 'enrollment_required'
    return tells(isLast ? { result: 'denied', reason: 'last_factor' } : reply, '/security')
  },

  renameFactor(reply, { input }) {
    if (needsFreshFactor(reply)) return leads(confirmAt(settingsAt('rename', input.factor)))
    return tells(reply, '/security')
  },

  removeTrustedBrowser(reply) {
    if (needsFreshFactor(reply)) return leads(confirmAt('/security'))
    return tells(reply, '/security')
  },

  renewBackupCodes(reply) {
    if (needsFreshFactor(reply)) return leads(confirmAt('/security?go=renew-codes'))
    return reply.result === 'backup_codes' ? leads('/security/backup-codes/new') : tells(reply, '/security')
  },

  confirmBackupCodes(reply, { input }) {
    if (reply.result === 'confirmed') return tells({ result: 'codes_saved' }, sameSitePath(input.next ?? '/security'))
    if (needsFreshFactor(reply)) return leads(confirmAt('/security'))
    // A page with codes that no longer count.
    return tells(reply.result === 'expired' ? { result: 'denied', reason: 'older_codes' } : reply, '/security')
  },

  startFreshFactor(reply) {
    if (reply.result === 'challenge') return leads('/login/second-step')
    return tells(reply.result === 'allowed' ? { result: 'denied', reason: 'not_required' } : reply, '/security')
  },
}

/** The address of the form that asks to confirm, and then leads to `next`. `own`: by a code from an app or phone. */
export const confirmAt = (next, { own = false } = {}) =>
  `/confirm?next=${encodeURIComponent(next)}${own ? '&own=yes' : ''}`

export const needsFreshFactor = (reply) => reply.result === 'denied' && reply.reason === 'fresh_factor_required'

const loginAt = (next) => (next === '/' ? '/login' : `/login?next=${encodeURIComponent(next)}`)

const secondStepAt = (method) =>
  typeof method === 'string' ? `/login/second-step?method=${encodeURIComponent(method)}` : '/login/second-step'

/** The settings, at an action with an app or phone. */
const settingsAt = (action, id) => `/security?go=${action}-${encodeURIComponent(id)}`

/** Sixteen letters and digits, in groups or not: a backup code or a recovery code. */
const looksLong = (code) => typeof code === 'string' && /^[0-9a-z]{16}$/i.test(code.replace(/[\s-]/g, ''))

function afterConfirm(reply, context, method) {
  if (context.cookie === null) return tells(reply, loginAt(context.session.next))
  if (needsFreshFactor(reply)) return leads(confirmAt('/security'))
  switch (reply.result) {
    case 'enrolled':
      if (reply.backupCodes === undefined)
        return tells({ result: reply.isReplacement ? 'factor_replaced' : 'factor_added' }, reply.next ?? '/security')
      return leads(`/security/backup-codes/new?after=${reply.next === undefined ? 'set-up' : 'login'}`)
    // The button was pressed twice.
    case 'already_used':
      return leads('/security')
    default:
      return tells({ ...reply, method }, `${setUpHome(context)}/${method}`)
  }
}
