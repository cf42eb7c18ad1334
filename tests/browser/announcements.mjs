// Focus and announcements: the things that a screen reader says first at each place, before it reads the rest of the page.

import assert from 'node:assert/strict'
import { messages } from '../../examples/login/messages/index.js'
import { heard } from './hearing.mjs'

const { login, secondStep, arrival, freshFactor, home, security, setUpApp, setUpSms, codes, ...words } = messages.en
const { owners, policy, audit, problems } = words

const time = '{time}'
const on = (title) => `${title} – Acme`
const failed = (title) => on(words.layout.error(title))
const sendsItself = secondStep.sendsItself(secondStep.sentAt[6])
const wrongCode = (triesLeft, ...hints) => [problems.wrongAndLeft(triesLeft), ...hints].join(' ')
const textbox = (name) => `${name}, textbox`
const button = (name) => `${name}, button`
const invalid = (field) => `${field}, invalid`

/**
 * Heard at each place: the title; the element that has the focus, if any, or the role of the notice that has it; the
 * description of the element, or the text of the notice.
 */
export const announcements = {
  'the login': [on(login.title), textbox(login.email)],
  'the login: a wrong password': [failed(login.title), invalid(textbox(login.password)), problems.wrongPassword],
  'the login: logged out': [on(login.title), textbox(login.email)],
  home: [on(home.welcome('member@acme.example'))],
  'a page that does not exist': [failed(words.errors.notFound), 'alert', problems.notFound],

  'the second step: app': [on(secondStep.title), textbox(secondStep.label.totp), sendsItself],
  'the second step: app, a wrong code': [
    failed(secondStep.title),
    invalid(textbox(secondStep.label.totp)),
    `${wrongCode(4, problems.clockHint)} ${sendsItself}`,
  ],
  'the second step: backup code': [on(secondStep.title), textbox(secondStep.label.backup_code)],
  'the second step: backup code, a wrong code': [
    failed(secondStep.title),
    invalid(textbox(secondStep.label.backup_code)),
    wrongCode(3, problems.mayBeUsed),
  ],
  'the second step: recovery code': [on(secondStep.title), textbox(secondStep.label.recovery_code)],
  'the second step: recovery code, too short': [
    failed(secondStep.title),
    invalid(textbox(secondStep.label.recovery_code)),
    problems.malformed.long,
  ],
  'the second step: locked': [
    failed(secondStep.title),
    textbox(secondStep.label.totp),
    `${problems.lockedUntil(time)} ${sendsItself}`,
  ],
  'the second step: SMS': [on(secondStep.title), button(secondStep.send)],
  'the second step: SMS, sent': [
    on(secondStep.title),
    textbox(secondStep.label.sms),
    `${secondStep.sent('•••• 678')} ${sendsItself}`,
  ],
  'the second step: SMS, a wrong code': [
    failed(secondStep.title),
    invalid(textbox(secondStep.label.sms)),
    `${wrongCode(4)} ${sendsItself}`,
  ],
  'the second step: recovery code only': [on(secondStep.title), textbox(secondStep.label.recovery_code)],
  'the second step: confirm': [on(secondStep.title), textbox(secondStep.label.totp), sendsItself],

  'the arrival: few backup codes': [on(arrival.title), 'alert', `${arrival.backup_code.app} ${arrival.codesLeft(3)}`],
  'the arrival: recovery code': [on(arrival.title), 'alert', arrival.recovery_code.none],
  'home: few backup codes': [on(home.welcome('member@acme.example'))],
  'home: recovery code': [
    on(home.welcome('member@acme.example')),
    'alert',
    `${arrival.recovery_code.none} ${arrival.goOn.none}`,
  ],

  'security: recovery code': [on(security.title), 'alert', arrival.recovery_code.none],
  'security: off': [on(security.title)],
  'security: the lost app': [on(security.title), `${security.app.title}, list`, security.lost.totp],
  'security: a wrong password': [
    failed(security.title),
    invalid(textbox(security.password.current)),
    problems.ownReasons.not_your_password,
  ],
  'security: app': [on(security.title), 'status', words.done.codes_saved],
  'security: app and SMS': [on(security.title), 'status', words.done.factor_added],
  'security: confirmed for SMS': [
    on(security.title),
    textbox(security.sms.number),
    `${words.done.factor_shown} ${security.sms.numberHint}`,
  ],
  'security: trusted browsers and sessions': [on(security.title)],
  'security: logged out elsewhere': [on(security.title), 'status', words.done.logged_out_and_untrusted],
  'security: a name that is refused': [failed(security.title), 'alert', problems.malformed.name],
  'security: confirmed for turning off': [
    on(security.title),
    button(security.turnOffButton.totp),
    words.done.factor_shown,
  ],
  'security: a new password': [on(security.title), 'status', words.done.password_changed],
  'security: turned off': [on(security.title), 'status', words.done.removed(security.newNames.totp)],
  'the question to confirm': [on(freshFactor.title), button(words.layout.continue)],
  'the question to confirm, by app': [on(freshFactor.title), button(words.layout.continue)],
  activity: [on(words.activity.title)],

  'the set-up of a first factor': [on(words.firstFactor.title), button(security.app.setUp)],
  'the set-up of an app': [on(setUpApp.title)],
  'the set-up of an app: at login': [on(setUpApp.title)],
  'the set-up of an app: a wrong code': [
    failed(setUpApp.title),
    invalid(textbox(setUpApp.label)),
    `${problems.wrong} ${problems.clockHint} ${sendsItself}`,
  ],
  'the set-up of an app: none': [on(setUpApp.title), button(setUpApp.again), setUpApp.none],
  'the set-up of an app: over': [on(setUpApp.title), button(setUpApp.again), setUpApp.over],
  'the set-up of SMS: a digit is missing': [
    failed(setUpSms.title),
    invalid(textbox(security.sms.number)),
    `${problems.malformed.tooShort} ${security.sms.numberHint}`,
  ],
  'the set-up of SMS': [
    on(setUpSms.title),
    textbox(setUpSms.label),
    `${setUpSms.sent('+61 412 345 678', time)} ${sendsItself}`,
  ],
  'the set-up of SMS: another number': [
    on(setUpSms.title),
    textbox(security.sms.number),
    `${setUpSms.anotherFrom(time)} ${security.sms.numberHint}`,
  ],
  'the set-up of SMS: a wrong code': [
    failed(setUpSms.title),
    invalid(textbox(setUpSms.label)),
    `${wrongCode(4)} ${sendsItself}`,
  ],
  'the set-up of SMS: over': [on(setUpSms.title), 'alert', setUpSms.over],
  'backup codes: the first': [on(codes.isOn), 'status', codes.first],
  'backup codes: the first, at login': [on(codes.loggedIn), 'status', codes.first],
  'backup codes: a new set': [on(codes.fresh)],
  'backup codes: shown': [on(codes.yours)],

  users: [on(owners.title)],
  'users: confirmed for a recovery code': [
    on(owners.title),
    button(owners.issue + owners.forPerson('member@acme.example')),
    words.done.factor_shown,
  ],
  'users: a client is blocked': [on(owners.title)],
  'users: a client is admitted': [on(owners.title), 'status', owners.clients.admitted],
  'a recovery code': [on(owners.code.title)],
  'a recovery code after a reset': [on(owners.code.title), 'status', owners.code.wasReset('colleague@acme.example')],
  'a recovery code that is over': [on(owners.code.title), 'status', owners.code.over('colleague@acme.example')],

  policy: [on(policy.title)],
  'policy: a network is added': [on(policy.title), textbox(`${policy.row.network} 1`), policy.isDraft],
  'policy: a mistake': [
    failed(policy.title),
    `${policy.row.network} 1, textbox, invalid`,
    plain(policy.wrongAt(policy.lists.deny.place, '10.0.0.0/33', policy.wrong.network)),
  ],
  'policy: the draft': [on(policy.title), 'status', policy.isDraft],
  'policy: saved': [on(policy.title), 'status', policy.saved],
  'policy: it locks the owner out': [
    on(policy.review.title),
    'alert',
    [
      policy.review.locksOutAuthor,
      plain(policy.review.authorAt.address_not_allowed('192.0.2.10')),
      policy.review.locksOutOwners,
      policy.review.ownersHelp.address,
    ].join(' '),
  ],
  'policy: the review': [on(policy.review.title)],
  'policy: another was saved meanwhile': [
    on(policy.review.title),
    'alert',
    plain(`${policy.review.outdated.bySelf('15 Jan 2027, 08:00 UTC')} ${policy.review.outdated.look}`),
  ],
  audit: [on(audit.title)],
  'audit: a day that is wrong': [failed(audit.title), `${audit.filter.to}, Date, invalid`, audit.filter.wrongOrder],
  'audit: no address and no network': [
    failed(audit.title),
    `${audit.filter.address}, searchbox, invalid`,
    audit.filter.wrongAddress,
  ],
  'audit: found': [on(audit.title), `${audit.table}, heading`],
}

/** The text of HTML. */
function plain(html) {
  return String(html).replace(/<[^>]*>/g, '')
}

/** Asserts that this is heard at the place, and that no notice is left unheard. */
export async function isAnnounced(place, page) {
  const { said, unheard } = await heard(page)
  assert.deepEqual(
    said.map((text) => text.replace(/\d\d:\d\d:\d\d UTC/g, time)),
    announcements[place],
    place,
  )
  assert.deepEqual(unheard, [], `${place}: a notice that nobody hears`)
}
