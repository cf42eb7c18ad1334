// The sentence in English for each reply that is no success. Each says what to do next.

import { html } from '../html.js'

const plural = (count, one, many) => (count === 1 ? one : many)

const elsewhere =
  'This account cannot be used from this network. Try from the network that you usually work from, or ask an owner of the account.'

export default {
  wrong: 'That code is not right. Check it and try again.',
  mayBeUsed: 'Each code works once, and this one may have been used.',
  wrongUntil: (time) => html`That code is not right. Wait, and try again at ${time}.`,
  wrongAndNoneLeft: 'That code is not right, and no try is left for it. Ask for a new one.',
  wrongAndLeft: (tries) =>
    `That code is not right. Check it and try again: ${plural(tries, 'one more try', `${tries} more tries`)} before you have to wait.${tries <= 2 ? ' Wrong codes of the last days count as well.' : ''}`,
  clockHint: 'Is the clock of your phone right? Let it set the time by itself: the codes depend on it.',
  clockSlow: (minutes) =>
    `That code was right ${plural(minutes, 'a minute', `${minutes} minutes`)} ago. If your phone shows it now, its clock is slow: let the phone set the time by itself, then type the next code.`,
  malformed: {
    code: (digits) =>
      `That is no code: please type ${digits === undefined ? 'the code' : `the ${digits} digits`} as shown.`,
    long: 'That is no code: please type its 16 letters and digits, such as ABCD-EFGH-JKMN-PQRS.',
    backupCode: 'That is a backup code. Type it here, and go on.',
    number: 'Please type an Australian mobile number, such as 0412 345 678.',
    tooShort: 'A digit is missing: an Australian mobile number has ten, such as 0412 345 678. No SMS was sent.',
    tooLong: 'There is a digit too many: an Australian mobile number has ten, such as 0412 345 678. No SMS was sent.',
    name: 'Please type a name of 1 to 40 characters that nothing else of yours has.',
    login: 'Please type your e-mail address and your password.',
    other: 'This form was incomplete. Go back to the page, and send it again.',
  },
  alreadyUsed: 'That code was used already. Ask for a new one and type that.',
  alreadyUsedUntil: (time) => html`That code was used already. Wait for the next one, at ${time}.`,
  expired: 'That code is no longer valid. Ask for a new one and type that.',
  locked: 'Too many wrong codes. Ask an owner of the account for a recovery code: only that helps now.',
  lockedUntil: (time) =>
    html`Too many wrong codes; those of the last days count as well. Wait, and try again at ${time}.`,
  smsRefused: {
    cooldown: (time) =>
      html`No SMS was sent: there must be half a minute between two, and the last one may still be on its way. You can ask for another at ${time}.`,
    budget: 'No SMS was sent: you have had as many as you can get for now. Use another way.',
    budgetUntil: (time) =>
      html`No SMS was sent: you have had as many as you can get until ${time}. Use another way, or ask again then.`,
    too_many_attempts: 'No SMS was sent: too many wrong codes were typed. Use another way.',
    too_many_attemptsUntil: (time) =>
      html`No SMS was sent: too many wrong codes were typed. Wait until ${time}, or use a recovery code from an owner of the account.`,
    number_budget:
      'No SMS was sent: this number has had as many as it can get for now. Use another way, or try again tomorrow.',
    count_failed: 'No SMS was sent, because of a failure on our side. Try again in a moment, or use another way.',
  },
  wrongPassword: 'The e-mail address or the password is not right. Check both and try again.',
  throttled: (time) => html`Too many tries. Wait, and try again at ${time}.`,
  tooOftenUntil: (time) => html`This was asked for too often. Try again at ${time}.`,
  notFound: 'There is no such page. Check the address, or start from the home page.',
  failed: 'This did not work. Please try again in a moment.',
  endedHere:
    'Other services have not heard of it yet. They may let the ended sessions in for some more hours. If that matters to you, tell the operator of this service.',
  impossible: 'This is not possible.',
  reasons: {
    address_denied: elsewhere,
    address_not_allowed: elsewhere,
    address_unknown: elsewhere,
    enrollment_required:
      'This account asks for a second factor, and you have none now. Ask an owner of the account for a recovery code, then log in again.',
    api_client_blocked:
      'This program cannot answer a second factor. Ask an owner of the account to admit its network, under Users.',
    no_usable_method:
      'None of your second factors can be used at the moment. Ask an owner of the account for a recovery code.',
    recovery_code_required:
      'Your second factor was reset. Ask an owner of the account for a recovery code: it is the only way in.',
    move_under_way: 'This person is being moved to another account. Ask support to complete the move.',
    plan: 'Your plan does not include two-factor authentication. Ask an owner of the account for a plan that does.',
    method_not_offered: 'This way of logging in is not offered. Choose another one.',
    number_invalid:
      'This is no mobile number: a digit is missing, or there is one too many. Check it and type it again. No SMS was sent.',
    number_not_allowed:
      'We can send codes to Australian mobile numbers only. Type one that starts with 04 or +61 4, or use an authenticator app.',
    number_enrolled: 'This number is set up already. Type another one.',
    too_many_factors: 'There is no room for another one. Remove one that you no longer use, then add this one.',
    not_enrolled: 'That one is no longer set up. Look at what is, under Security.',
    fresh_factor_required: 'Confirm that it is you first.',
    owner_only: 'Only an owner of the account can do this. Ask one of them.',
    not_for_oneself: 'You cannot do this for yourself. Ask another owner.',
    too_often: 'This was asked for too often. Try again later.',
    operator_only: 'Owners cannot do this here. Ask the operator of this service.',
    not_kept: 'These codes cannot be shown again. Make a new set instead.',
    ticket_invalid: 'This login is no longer open. Log in again.',
    other_session: 'This login was begun in another window. Log in again here.',
    ticket_expired: 'That took too long. Log in again.',
  },
  /** Refusals of this service, which the engine does not know. */
  ownReasons: {
    last_factor:
      'This account asks for a second factor, and this is your only one. Set up another one first; then you can turn this one off.',
    not_required: 'There is nothing to confirm: you have not set up a second factor yet. You can do so under Security.',
    password_length: 'Choose a password of 15 to 128 characters. A few words in a row are good.',
    password_same: 'That is your password already. Choose another one.',
    password_easy:
      'That is easy to guess: it holds your e-mail address, or few different characters. Choose another one.',
    not_your_password: 'That is not your current password, so it was not changed. Check it and try again.',
    address_changed:
      'The client came from another address meanwhile, so nothing was done. Look at the address below first.',
    policy_saved_log_in: 'The policy is saved. It asks you for a second factor as well: log in, and set one up.',
    session_ended:
      'You are logged out: your login has ended, was ended elsewhere, or this account now asks for a second factor. Log in again, and go on.',
    older_codes: 'These backup codes no longer work: newer ones were made since. Keep those, or make a new set.',
    cross_site: 'This request came from another site and was refused. Open the page here and try again.',
    form_outdated: 'This page was out of date, so nothing was done. Here it is as it is now: do it again.',
    login_required: 'You are not logged in. Log in, and go on.',
    second_factor_required: 'This needs the second step of your login. Take it, and go on.',
    set_up_already: 'A second factor is set up already.',
    not_for_api_clients: 'This is for people only.',
  },
}
