// The order of the Tab key: on every page it is the order that the eye sees, and it misses nothing. With it, the size of
// each target, and the fields that browsers and password managers fill.

import assert from 'node:assert/strict'
import { isDeepStrictEqual } from 'node:util'
import { messages } from '../../examples/login/messages/index.js'
import { words } from './places.mjs'

const { layout, login, secondStep, arrival, home, security, setUpApp, setUpSms, codes, owners, policy, audit } = words
const { review, row } = policy

const demoLogins = ['owner', 'member', 'colleague'].map(
  (name) => `${name}@acme.example ${name === 'owner' ? login.roles.owner : login.roles.member}`,
)
const trust = `${secondStep.trust(30)} ${secondStep.trustHint}`
const readSms = `${secondStep.readSms} ${layout.newTab}`
const { use, label } = secondStep
const tiles = [`${layout.security} ${home.security}`, `${security.activity} ${security.activityLead}`]
const factor = (replacement) => [replacement, security.rename, security.turnOff]
const app = [...factor(security.app.move), security.app.add]
const backupCodes = [security.codes.show, security.codes.renew]
const end = [security.password.change, security.activity]
const noFactor = [security.app.setUp, security.sms.setUp, ...end]
const trusted = `${security.browsers.remove}: Chrome on Linux`
const show = (label) => `${layout.show}: ${label}`
const copy = (what) => `${layout.copy} ${what}`
const setUp = ['iPhone', 'Android', 'Open it there', copy(setUpApp.theKey), setUpApp.label, setUpApp.button]
const codesSheet = [codes.download, codes.print, copy(codes.theCodes), codes.saved]
const helpFor = (email) => [owners.issue + owners.forPerson(email), owners.reset + owners.forPerson(email)]
const people = [
  owners.search,
  owners.searchButton,
  ...helpFor('colleague@acme.example'),
  ...helpFor('member@acme.example'),
]
const rule = (network) => [
  `${row.network} 1`,
  `${row.note} ${row.on(network)}`,
  `${row.until} ${row.ifItEnds(network)}`,
  `${row.remove} ${network}`,
]
const list = (name, rules = []) => [
  ...rules,
  `${policy.addNetworks}: ${policy.lists[name].title}`,
  policy.add + policy.addTo(policy.lists[name].title),
]
const policyForm = ({ allow = [], deny = [] } = {}) => [
  `${policy.require.optional.label} ${policy.require.optional.about}`,
  ...list('allow', allow),
  ...list('api'),
  ...list('deny', deny),
  policy.legends.name,
  policy.see,
]
const { filter } = audit
const search = [filter.person, filter.kind, filter.address, filter.from, filter.to, filter.button]
const exports = ['csv', 'jsonl', 'ocsf'].map((format) => audit.export[format])

/**
 * The names of the controls of a page's content in the order of the Tab key, and the places that have them.
 * @type {[order: string[], ...places: string[]][]}
 */
const orders = [
  [
    [login.email, login.password, show(login.password), login.button, ...demoLogins],
    'the login',
    'the login: a wrong password',
    'the login: logged out',
  ],
  [['Set up two-factor authentication', ...tiles], 'home'],
  [[arrival.newSet, ...tiles], 'home: few backup codes'],
  [[arrival.goOn.none, ...tiles], 'home: recovery code'],
  [[layout.home], 'a page that does not exist'],

  [[trust, label.totp, login.button, use.backup_code], 'the second step: app', 'the second step: app, a wrong code'],
  [[trust, label.totp, login.button, use.backup_code, use.recovery_code], 'the second step: locked'],
  [
    [label.backup_code, login.button, use.totp, use.recovery_code],
    'the second step: backup code',
    'the second step: backup code, a wrong code',
  ],
  [
    [label.recovery_code, login.button, use.totp, use.backup_code],
    'the second step: recovery code',
    'the second step: recovery code, too short',
  ],
  [[label.recovery_code, login.button], 'the second step: recovery code only'],
  [[secondStep.send, secondStep.hasOne, use.backup_code], 'the second step: SMS'],
  [
    [readSms, trust, label.sms, login.button, secondStep.sendAgain, use.backup_code],
    'the second step: SMS, sent',
    'the second step: SMS, a wrong code',
  ],
  [[label.totp, secondStep.confirm, use.backup_code], 'the second step: confirm'],
  [[arrival.goOn.app, arrival.newSet, arrival.later], 'the arrival: few backup codes'],
  [[arrival.goOn.none, arrival.later], 'the arrival: recovery code'],
  [[layout.continue, layout.cancel], 'the question to confirm'],
  [['put a new app in its place', layout.continue, layout.cancel], 'the question to confirm, by app'],

  [noFactor, 'security: off', 'security: recovery code', 'security: turned off'],
  [[...app, security.sms.setUp, ...backupCodes, ...end], 'security: app'],
  [
    [
      ...factor(security.app.move),
      ...app,
      security.sms.setUp,
      ...backupCodes,
      security.password.change,
      security.sessions.endOthers,
      security.activity,
    ],
    'security: the lost app',
  ],
  [
    [
      ...app,
      security.sms.setUp,
      ...backupCodes,
      security.password.change,
      ...[security.password.current, security.password.next].flatMap((label) => [label, show(label)]),
      security.password.button,
      security.activity,
    ],
    'security: a wrong password',
  ],
  [
    [...app, security.sms.setUp, security.sms.number, security.sms.send, ...backupCodes, ...end],
    'security: confirmed for SMS',
  ],
  [[...app, ...factor(security.sms.change), security.sms.add, ...backupCodes, ...end], 'security: app and SMS'],
  [
    [
      ...app,
      security.sms.setUp,
      ...backupCodes,
      trusted,
      security.password.change,
      security.sessions.endOthers,
      security.activity,
    ],
    'security: trusted browsers and sessions',
  ],
  [
    [...app, security.sms.setUp, ...backupCodes, ...end],
    'security: logged out elsewhere',
    'security: a name that is refused',
    'security: a new password',
  ],
  [
    [
      ...factor(security.app.move),
      security.turnOffButton.totp,
      security.app.add,
      security.sms.setUp,
      ...backupCodes,
      ...end,
    ],
    'security: confirmed for turning off',
  ],
  [['Change your password', layout.backToSecurity], 'activity'],

  [[security.app.setUp, security.sms.setUp], 'the set-up of a first factor'],
  [[...setUp, layout.backToSecurity], 'the set-up of an app', 'the set-up of an app: a wrong code'],
  [[...setUp, layout.back], 'the set-up of an app: at login'],
  [[setUpApp.again, layout.backToSecurity], 'the set-up of an app: none', 'the set-up of an app: over'],
  [
    [security.sms.number, security.sms.send, layout.backToSecurity],
    'the set-up of SMS: a digit is missing',
    'the set-up of SMS: another number',
  ],
  [
    [readSms, setUpSms.label, setUpSms.button, secondStep.sendAgain, setUpSms.another, layout.backToSecurity],
    'the set-up of SMS',
    'the set-up of SMS: a wrong code',
  ],
  [[secondStep.sendAgain, setUpSms.another, layout.backToSecurity], 'the set-up of SMS: over'],
  [
    codesSheet,
    'backup codes: the first',
    'backup codes: the first, at login',
    'backup codes: a new set',
    'backup codes: shown',
  ],

  [people, 'users', 'users: confirmed for a recovery code', 'users: a client is admitted'],
  [[...people, `${owners.clients.admit('203.0.113.7/32')}: reports`], 'users: a client is blocked'],
  [[copy(owners.code.theCode), layout.backToUsers], 'a recovery code', 'a recovery code after a reset'],
  [[layout.backToUsers], 'a recovery code that is over'],
  [policyForm(), 'policy', 'policy: saved'],
  [policyForm({ allow: rule('203.0.113.0/24') }), 'policy: a network is added', 'policy: the draft'],
  [policyForm({ allow: rule('203.0.113.0/24'), deny: rule('10.0.0.0/33') }), 'policy: a mistake'],
  [[review.save, review.change, review.back], 'policy: the review'],
  [['look at it first', review.save, review.change, review.back], 'policy: another was saved meanwhile'],
  [[review.force, review.save, review.change, review.back], 'policy: it locks the owner out'],
  [[...search, ...exports], 'audit'],
  [[...search, filter.all], 'audit: a day that is wrong', 'audit: no address and no network'],
  [[...search, filter.all, ...exports], 'audit: found'],
]
export const orderAt = new Map(orders.flatMap(([order, ...places]) => places.map((place) => [place, order])))

/** The controls before a page's content: for strangers, between the steps of a login, for members, and for owners. */
const headers = [
  [layout.skip, 'Acme'],
  [layout.skip, 'Acme', layout.cancel],
  [layout.skip, 'Acme', layout.security, layout.logOut],
  [layout.skip, 'Acme', layout.security, layout.users, layout.policy, layout.audit, layout.logOut],
]
const footer = [messages.de.name]

/**
 * The `autocomplete` of each field by its name. A code for one login is named otherwise than one of the codes on paper, and
 * these are never filled in, so a password manager takes neither for the other.
 */
const filledWith = {
  email: 'username',
  password: 'current-password',
  new_password: 'new-password',
  code: 'one-time-code',
  long_code: 'off',
  number: 'tel',
}
const typedFields = 'input:not([type=hidden], [type=radio], [type=checkbox], [type=date], [name=name])'

/** Name and `autocomplete` of each field that takes text, but for those that ask for the name of an app or an account. */
const typedFieldsOf = (page) =>
  page
    .locator(typedFields)
    .evaluateAll((/** @type {HTMLInputElement[]} */ inputs) =>
      inputs.map(({ name, autocomplete }) => [name, autocomplete]),
    )

/**
 * Presses Tab through the whole page. Gives the controls in the order in which they got the focus, from the first of the
 * page on, and those that never did though they are visible.
 */
async function tabThrough(page) {
  await page.evaluate(() => {
    if (window.stops === undefined)
      addEventListener('focusin', ({ target }) => {
        // A busy browser may give a window the focus anew, and the element in it.
        if (target !== window.stops.at(-1)) window.stops.push(/** @type {Element} */ (target))
      })
    window.stops = []
  })
  const isRound = () => page.evaluate(() => new Set(window.stops).size < window.stops.length)
  do for (let pressed = 0; pressed < 10; pressed += 1) await page.keyboard.press('Tab')
  while (!(await isRound()))
  return page.evaluate(() => {
    const round = [...new Set(window.stops)]
    const first = round.findIndex((element) => element.matches('.skip'))
    const nameOf = (element) => {
      const named = (element.labels?.[0] ?? element).cloneNode(true)
      for (const hidden of named.querySelectorAll('[aria-hidden]')) hidden.remove()
      return named.textContent.trim().replace(/\s+/g, ' ')
    }
    const isStop = (element) =>
      element.checkVisibility({ visibilityProperty: true }) &&
      !(element.type === 'radio' && !element.checked && document.querySelector(`[name="${element.name}"]:checked`))
    const controls = document.querySelectorAll('a, button, input:not([type=hidden]), select, textarea, summary')
    return {
      stops: [...round.slice(first), ...round.slice(0, first)].map((element) => {
        const { top, bottom, left, width, height } = (element.closest('label') ?? element).getBoundingClientRect()
        return {
          name: nameOf(element),
          isContent: element.closest('main') !== null,
          isHidden: !isStop(element) || element.closest('[aria-hidden]') !== null,
          isInText: getComputedStyle(element).display === 'inline',
          box: { top, bottom, left, width, height },
        }
      }),
      missed: [...controls].filter((element) => isStop(element) && !round.includes(element)).map(nameOf),
    }
  })
}

/** Whether the eye meets the second box before the first: it is above, or to the left in the same row. */
function isBefore(first, second) {
  const overlap = Math.min(first.bottom, second.bottom) - Math.max(first.top, second.top)
  const isSameRow = overlap > Math.min(first.height, second.height) / 2
  return isSameRow ? second.left < first.left : second.top < first.top
}

const namesOf = (stops) => stops.map(({ name }) => name)

/** Asserts that Tab takes the page in this order, at each width, and that its targets and fields are right. */
export async function isInOrder(place, page) {
  const order = orderAt.get(place) ?? assert.fail(`no order is expected at "${place}"`)
  for (const width of [360, 1200]) {
    await page.setViewportSize({ width, height: 800 })
    const here = `${place}, ${width} px wide`
    const { stops, missed } = await tabThrough(page)
    assert.deepEqual(missed, [], `${here}: never reached`)
    assert.deepEqual(namesOf(stops.filter(({ isHidden }) => isHidden)), [], `${here}: hidden, but reached`)
    const ahead = stops.slice(2).filter(({ box }, index) => isBefore(stops[index + 1].box, box))
    assert.deepEqual(namesOf(ahead), [], `${here}: seen before the one that Tab reaches before it`)
    const isSmall = ({ isInText, box }) => !isInText && (box.width < 24 || box.height < 24)
    assert.deepEqual(namesOf(stops.filter(isSmall)), [], `${here}: smaller than 24 px`)
    if (width < 1200) continue
    const header = stops.slice(
      0,
      stops.findIndex(({ isContent }) => isContent),
    )
    assert.ok(
      headers.some((names) => isDeepStrictEqual(names, namesOf(header))),
      `${here}: ${namesOf(header)}`,
    )
    assert.deepEqual(namesOf(stops.slice(header.length)), [...order, ...footer], here)
  }
  for (const [field, autocomplete] of await typedFieldsOf(page))
    assert.equal(autocomplete, filledWith[field] ?? 'off', `${place}: ${field}`)
  assert.equal(await page.locator('[tabindex]:not([tabindex="-1"])').count(), 0, `${place}: a tabindex`)
}
