// The sentences of the pages. Each sentence about an error says what to do next.

import { html } from '../html.js'

export const methodNames = {
  totp: 'Authenticator app',
  sms: 'SMS',
  backup_code: 'Backup code',
  recovery_code: 'Recovery code',
  trusted_browser: 'Trusted browser',
}

const elsewhere =
  'This account cannot be used from this network. Try from the network that you usually work from, or ask an owner of the account.'

const reasons = {
  address_denied: elsewhere,
  address_not_allowed: elsewhere,
  address_unknown: elsewhere,
  enrollment_required:
    'This account asks for a second factor and you have not set one up. Ask an owner of the account for a recovery code, then log in again.',
  no_usable_method:
    'None of your second factors can be used at the moment. Ask an owner of the account for a recovery code.',
  move_under_way: 'This person is being moved to another account. Ask support to complete the move.',
  recovery_code_required:
    'Your second factor was reset. Ask an owner of the account for a recovery code: it is the only way in.',
  method_not_offered: 'This way of logging in is not offered. Choose another one.',
  number_invalid: 'This is no mobile number: a digit is missing, or there is one too many. Check it and type it again.',
  number_not_allowed:
    'We can send codes to Australian mobile numbers only. Type one that starts with 04 or +61 4, or use an authenticator app.',
  plan: 'Your plan does not include two-factor authentication. Ask an owner of the account for a plan that does.',
  not_enrolled: 'Set up two-factor authentication first.',
  last_factor:
    'This account asks for a second factor, and this is your only one. Set up another one first; then you can turn this one off.',
  not_required: 'There is nothing to confirm: you have not set up a second factor yet. You can do so under Security.',
  older_codes: 'These backup codes no longer work: newer ones were made since. Keep those, or make a new set.',
  too_many_factors: 'There is no room for another one. Remove one that you no longer use, then add this one.',
  number_enrolled: 'This number is set up already. Type another one.',
  not_kept: 'These codes cannot be shown again. Make a new set instead.',
  not_for_oneself: 'You cannot do this for yourself. Ask another owner.',
  operator_only: 'Owners cannot make recovery codes here. Ask the operator of this service.',
  owner_only: 'Only an owner of the account can do this. Ask one of them.',
  ticket_invalid: 'This login is no longer open. Log in again.',
  other_session: 'This login was begun in another window. Log in again here.',
  ticket_expired: 'That took too long. Log in again.',
  fresh_factor_required: 'Confirm that it is you first.',
  too_often: 'This was asked for too often. Try again later.',
  cross_site: 'This request came from another site and was refused. Open the page here and try again.',
  form_outdated: 'This page is out of date. Go back, load it again and try once more.',
}

/** The sentence for a reply that is not a success, else undefined. Times near `now` are shown without their day. */
export function sentence(reply, now) {
  const at = (seconds) => clockTime(seconds, now)
  switch (reply.result) {
    case 'wrong': {
      if (reply.retryAt !== undefined)
        return html`That code is not right. Wait, and try again at ${at(reply.retryAt)}. ${timeLeft(reply.retryAt, now)}`
      if (reply.attemptsLeft === undefined) return 'That code is not right. Check it and try again.'
      if (reply.attemptsLeft === 0) return 'That code is not right, and no try is left for it. Ask for a new one.'
      const tries = reply.attemptsLeft === 1 ? 'one more try' : `${reply.attemptsLeft} more tries`
      return html`That code is not right. Check it and try again: ${tries} before you have to wait.`
    }
    case 'malformed':
      return html`That cannot be right. Please type ${reply.expected}.`
    case 'already_used':
      return reply.retryAt === undefined
        ? 'That code was used already. Ask for a new one and type that.'
        : html`That code was used already. Wait for the next one, at ${at(reply.retryAt)}. ${timeLeft(reply.retryAt, now)}`
    case 'expired':
      return 'That code is no longer valid. Ask for a new one and type that.'
    case 'locked':
      return reply.retryAt === undefined
        ? 'Too many wrong codes. Ask an owner of the account for a recovery code: only that helps now.'
        : html`Too many wrong codes. Wait, and try again at ${at(reply.retryAt)}. ${timeLeft(reply.retryAt, now)}`
    case 'sms_refused':
      if (reply.retryAt === undefined)
        return 'No SMS was sent: there were too many. Use another way to log in, or ask an owner of the account for a recovery code.'
      return reply.reason === 'cooldown'
        ? html`No SMS was sent: the last one may still be on its way. You can ask for another at ${at(reply.retryAt)}.`
        : html`No SMS was sent: there were too many. Use another way, or try again at ${at(reply.retryAt)}.`
    case 'denied':
      if (reply.reason === 'too_often' && reply.retryAt !== undefined)
        return html`This was asked for too often. Try again at ${at(reply.retryAt)}.`
      return reasons[reply.reason] ?? 'This is not possible.'
    case 'wrong_password':
      return 'The e-mail address or the password is not right. Check both and try again.'
    case 'throttled':
      return html`Too many tries. Wait, and try again at ${at(reply.retryAt)}. ${timeLeft(reply.retryAt, now)}`
    case 'not_found':
      return 'There is no such page. Check the address, or start from the home page.'
    case 'error':
      return reply.message
        ? `This could not be understood: ${reply.message}. Correct it and try again.`
        : 'This did not work. Please try again in a moment.'
    default:
      return undefined
  }
}

export const events = {
  login_allowed: 'Logged in, no second factor asked',
  login_challenged: 'Password right, second factor asked',
  login_set_up: 'Password right, first factor to be set up',
  login_denied: 'Login refused',
  sms_sent: 'SMS sent',
  sms_refused: 'SMS refused',
  sms_never_left: 'SMS not sent: the gateway refused it',
  code_accepted: 'Code accepted',
  code_refused: 'Wrong code',
  code_repeated: 'Used code typed again',
  setup_code_refused: 'Wrong code at a set-up',
  attempt_while_locked: 'Code refused while locked out',
  enrollment_started: 'Set-up begun',
  factor_added: 'Second factor added',
  first_factor_by_password: 'First second factor set up by the password alone',
  factor_renamed: 'App or phone renamed',
  factor_removed: 'Second factor turned off',
  browser_trusted: 'Browser trusted',
  trusted_browser_refused: 'Trusted browser refused',
  trusted_browser_copied: 'Copy of a trusted browser used, trust ended',
  trusted_browser_removed: 'Trusted browser removed',
  backup_codes_made: 'Backup codes made',
  backup_codes_shown: 'Backup codes shown',
  backup_codes_confirmed: 'Backup codes saved, by the person’s word',
  recovery_code_issued: 'Recovery code made',
  recovery_code_issued_by_operator: 'Recovery code made by the operator',
  reset_by_operator: 'Second factor reset by the operator',
  recovery_code_replaced: 'Recovery code replaced, unused',
  recovery_code_withdrawn: 'Recovery code withdrawn, unused',
  recovery_code_ended: 'Recovery code ended, unused',
  password_changed: 'Password changed',
  signed_out_everywhere: 'Logged out everywhere',
  moved_here: 'Second factor moved here by the operator',
  moved_away: 'Second factor moved away by the operator',
  erased: 'User erased by the operator',
  reset: 'User reset: second factors removed',
  policy_changed: 'Policy changed',
  refused: 'Change refused',
}

// Times. The server writes them in UTC; the script shows them in the reader's own time zone.

const months = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec']

function time(seconds, shown, form) {
  return html`<time datetime="${new Date(seconds * 1000).toISOString()}" data-local="${form}">${shown}</time>`
}

/** A day and a time. */
export function moment(seconds) {
  const date = new Date(seconds * 1000)
  return time(
    seconds,
    `${date.getUTCDate()} ${months[date.getUTCMonth()]} ${date.getUTCFullYear()}, ${date.toISOString().slice(11, 16)} UTC`,
    'moment',
  )
}

/** A time to the second, or with its day if it is more than six hours away. */
export function clockTime(seconds, now = seconds) {
  return seconds - now > 6 * 3600
    ? moment(seconds)
    : time(seconds, `${new Date(seconds * 1000).toISOString().slice(11, 19)} UTC`, 'time')
}

/** A countdown, shown only with scripts. */
export function timeLeft(until, now) {
  return (
    now !== undefined &&
    until > now &&
    until - now < 3600 &&
    html`<span class="scripted" data-countdown="${until - now}" data-done="You can try now."></span>`
  )
}
