// The settings of a person: apps, phones, backup codes, trusted browsers and sessions.

import { html } from '../html.js'
import { passwordLength } from '../password.js'
import { recoveryCodeUsed } from './home.js'
import { freshFactorForm } from './login.js'
import { confirmed, empty, field, form, icon, layout, notice, passwordField } from './parts.js'
import { sentence } from './sentences.js'
import { clockTime, moment } from './times.js'

export const securityPages = {
  security(reply, context) {
    const { status, plan, sessions, setUps, isFresh } = reply
    const { methods, backupCodes, trustedBrowsers = [] } = status
    const { words, input } = context
    const of = (name) => methods.filter(({ method }) => method === name)
    const canEnroll = plan === 'pro'
    // Somebody without their phone chooses the app, or else the number, that is lost with it.
    const lost = input.go === 'lost' && canEnroll ? ['totp', 'sms'].find((name) => !empty(of(name))) : undefined
    const options = {
      go: input.go,
      lost,
      isFresh,
      canEnroll,
      last: methods.length === 1,
      everyone: context.account.require === 'everyone',
    }
    return layout(
      words.security.title,
      context,
      html`
${!status.enrolled && context.entry.method === 'recovery_code' && recoveryCodeUsed(context, false)}
${stateOfAttempts(status, context)}
${setUps.map((method) => notice('info', html`${words.security.pending[method]} <a href="/security/${method}">${words.security.pendingGoOn}</a>`))}
${stateOfFactor(status, options, context)}
${lost !== undefined && notice('info', words.security.lost[lost], 'status')}
${appCard(context, of('totp'), options)}
${smsCard(context, of('sms'), options)}
${backupCodes && backupCard(context, backupCodes, input.go)}
${!empty(trustedBrowsers) && browsersCard(context, trustedBrowsers)}
${passwordCard(context, { open: input.go === 'password', isFresh })}
${sessionsCard(context, sessions, !empty(trustedBrowsers))}`,
    )
  },

  /** The set-up of a first factor at login. Nothing else is open to this session. */
  setUpForm({ methods, expiresAt }, context) {
    const { firstFactor } = context.words
    const options = { go: methods.includes('totp') ? 'totp' : 'sms', canEnroll: true }
    return layout(
      firstFactor.title,
      context,
      html`
<p class="lead">${firstFactor.lead}</p>
${methods.includes('totp') && appCard(context, [], options)}
${methods.includes('sms') && smsCard(context, [], options)}
<p class="hint">${firstFactor.beginBy(clockTime(expiresAt, context))}</p>`,
      { narrow: true },
    )
  },
}

/** The address of the pages that set up a factor: those of a login, or those of the settings. */
export const setUpHome = ({ session }) => (session.pending.setUp ? '/login/set-up' : '/security')

function stateOfAttempts({ attempts }, context) {
  const { security } = context.words
  if (attempts.stopped) return notice('warning', security.stopped)
  const isLocked = attempts.lockedUntil > context.now
  return isLocked && notice('warning', security.lockedUntil(clockTime(attempts.lockedUntil, context)))
}

function stateOfFactor({ enrolled }, { canEnroll, everyone }, context) {
  const { security } = context.words
  if (enrolled) return notice('good', security.isOn)
  if (!canEnroll) return notice('info', security.notInPlan)
  return notice('info', everyone ? security.isOffAndAsked : security.isOff)
}

function card(name, title, state, content, shape = name) {
  return html`<section class="card" aria-labelledby="${name}">
${icon(shape)}
<div>
<div class="card-title"><h2 id="${name}">${title}</h2> ${state}</div>
${content}
</div>
</section>`
}

function onOrOff({ security }, isOn) {
  return isOn ? html`<span class="state good">${security.on}</span>` : html`<span class="state">${security.off}</span>`
}

/** The mark of this browser in a list of browsers. */
const here = ({ words }) => html` <span class="state good">${words.security.here}</span>`

/** Facts in pairs of a name and a value. */
const facts = (pairs) =>
  html`<dl class="facts">${pairs.map(([name, value]) => html`<div><dt>${name}</dt> <dd>${value}</dd></div>`)}</dl>`

/** The apps or phones of a person. The list has the focus where one of them is to be chosen. */
const factorList = (method, items, isChoice) =>
  html`<ul class="factors"${isChoice && html` tabindex="-1" autofocus aria-labelledby="${method}"`}>${items}</ul>`

/** One app or phone, with what can be done to it. `replacement` puts another one in its place. */
function factorItem(context, factor, replacement, options) {
  const { id, name, hint, addedAt, lastUsedAt } = factor
  const { security } = context.words
  return html`<li>
<h3>${name}</h3>
${hint !== undefined && html`<p>${hint}</p>`}
${facts([
  [security.added, moment(addedAt, context)],
  [security.lastUsed, lastUsedAt === undefined ? security.atSetUp : moment(lastUsedAt, context)],
])}
<div class="actions">
${options.canEnroll && replacement}
${renaming(context, factor, { open: options.go === `rename-${id}`, isFresh: options.isFresh })}
${removal(context, factor, options)}
</div>
</li>`
}

function renaming(context, { id, name }, { open, isFresh }) {
  const { security } = context.words
  const content = () =>
    form(
      context,
      '/security/rename',
      html`<input type="hidden" name="factor" value="${id}">
${field('name', security.newName, html`value="${name}" required maxlength="40" autocomplete="off"${open && html` autofocus`}`, { id: `name-${id}` })}
<button>${security.renameButton}</button>`,
    )
  return confirmed(security.rename, isFresh ? content() : confirmFirst(context, `rename-${id}`), {
    open: open && isFresh,
  })
}

/** In place of a form that needs a code from just before: the code first, so that nothing typed is lost. */
function confirmFirst(context, go) {
  return html`<p>${context.words.freshFactor.first}</p>
${freshFactorForm(context, { next: `/security?go=${go}` })}`
}

function removal(context, { id, method, name }, { go, last, everyone }) {
  const { security } = context.words
  const open = go === `remove-${id}`
  if (last && everyone)
    return confirmed(security.turnOff, html`<p>${security.lastOfEveryone}</p>`, { open, danger: true })
  return confirmed(
    security.turnOff,
    html`<p>${last ? security.lastOne : security.oneOfMany(name)}</p>
${form(
  context,
  '/security/remove',
  html`<input type="hidden" name="factor" value="${id}">
<button class="danger"${open && html` autofocus`}>${security.turnOffButton[method]}</button>`,
)}`,
    { open, danger: true },
  )
}

/** The most apps and phones of a person. */
const MOST = { totp: 5, sms: 2 }

function appCard(context, apps, { go, ...options }) {
  const { app } = context.words.security
  const start = (label, kind, focus, replaces) =>
    form(
      context,
      `${setUpHome(context)}/totp`,
      html`${replacesField(replaces)}<button${kind && html` class="${kind}"`}${focus && html` autofocus`}>${label}</button>`,
    )
  if (empty(apps)) {
    return card(
      'totp',
      app.title,
      onOrOff(context.words, false),
      html`<p>${app.isOff}</p>
${options.canEnroll && html`<div class="actions">${start(app.setUp, undefined, go === 'totp')}</div>`}`,
    )
  }
  const isChoice = options.lost === 'totp'
  const item = (each) => {
    const replacement = start(app.move, isChoice ? undefined : 'second', go === `replace-${each.id}`, each.id)
    return factorItem(context, each, replacement, { go, ...options })
  }
  const hasRoom = options.canEnroll && apps.length < MOST.totp
  return card(
    'totp',
    app.title,
    onOrOff(context.words, true),
    html`<p>${app.isOn}</p>
${factorList('totp', apps.map(item), isChoice)}
${hasRoom && html`<div class="actions">${start(app.add, 'second', go === 'totp')}</div>`}`,
  )
}

function smsCard(context, phones, { go, ...options }) {
  const { sms } = context.words.security
  const isOn = !empty(phones)
  const change = ({ id }) => {
    const open = go === `replace-${id}`
    return confirmed(sms.change, numberForm(context, { autofocus: open, replaces: id }), { open })
  }
  const addition = isOn ? sms.add : sms.setUp
  return card(
    'sms',
    sms.title,
    onOrOff(context.words, isOn),
    html`
<p>${isOn ? sms.isOn : sms.isOff}</p>
${
  isOn &&
  factorList(
    'sms',
    phones.map((phone) => factorItem(context, phone, change(phone), { go, ...options })),
    options.lost === 'sms',
  )
}
${
  options.canEnroll &&
  phones.length < MOST.sms &&
  html`<div class="actions">${confirmed(addition, numberForm(context, { autofocus: go === 'sms' }), { open: go === 'sms' })}</div>`
}`,
  )
}

/** The form for a number. `typed` is what was refused. It is not sent before `until`, which the page says above it. */
export function numberForm(
  context,
  { typed = '', wrong = false, autofocus = false, replaces = undefined, until = undefined },
) {
  const { sms } = context.words.security
  return form(
    context,
    `${setUpHome(context)}/sms`,
    html`${replacesField(replaces)}
${field(
  'number',
  sms.number,
  html`type="tel" value="${typed}" inputmode="tel" autocomplete="tel" required placeholder="0412 345 678"${autofocus && html` autofocus`}`,
  { hint: sms.numberHint, wrong, id: replaces ? `number-${replaces}` : 'number' },
)}
<button${until > context.now && html` data-wait="${until - context.now}"`}>${sms.send}</button>`,
  )
}

/** The factor that this set-up replaces: the form that asks again hands it on. */
export function replacesField(id) {
  return id && html`<input type="hidden" name="replaces" value="${id}">`
}

function backupCard(context, { left, total, createdAt, canShow, confirmed: areSaved }, go) {
  const { codes } = context.words.security
  const areFew = left <= 3
  return card(
    'backup_code',
    codes.title,
    html`<span class="state ${areFew ? 'bad' : 'good'}">${codes.left(left, total)}</span>`,
    html`
<p>${codes.lead}${areFew && ` ${codes.few}`}</p>
${!areSaved && notice('warning', canShow ? codes.notSaved : codes.notSavedAndHidden)}
${facts([[codes.made, moment(createdAt, context)]])}
<div class="actions">
${canShow && html`<a class="button second" href="/security/backup-codes"${go === 'show-codes' && html` autofocus`}>${codes.show}</a>`}
${confirmed(
  codes.renew,
  html`<p>${codes.renewHint}</p>
${form(context, '/security/backup-codes/renew', html`<button class="danger"${go === 'renew-codes' && html` autofocus`}>${codes.renewButton}</button>`)}`,
  { open: go === 'renew-codes', danger: true },
)}
</div>
${canShow && html`<p class="hint">${codes.showHint}</p>`}`,
  )
}

function browsersCard(context, found) {
  const { browsers, added, lastUsed } = context.words.security
  return card(
    'browsers',
    browsers.title,
    undefined,
    html`<p>${browsers.lead}</p>
<ul class="factors">${found.map(
      ({ id, name, addedAt, lastUsedAt, expiresAt, self }) => html`<li>
<h3>${name}${self && here(context)}</h3>
${facts(
  [
    [added, moment(addedAt, context)],
    lastUsedAt !== undefined && [lastUsed, moment(lastUsedAt, context)],
    [browsers.until, moment(expiresAt, context)],
  ].filter(Boolean),
)}
<div class="actions">${form(
        context,
        '/security/browsers/remove',
        html`<input type="hidden" name="browser" value="${id}"><button class="second">${browsers.remove}<span class="unseen">: ${name}</span></button>`,
      )}</div>
</li>`,
    )}</ul>`,
    'browser',
  )
}

function passwordCard(context, { open, isFresh }) {
  const { password } = context.words.security
  const content = isFresh ? passwordForm(context, open) : confirmFirst(context, 'password')
  return card(
    'own-password',
    password.title,
    undefined,
    html`<p>${password.lead}</p>
<div class="actions">${confirmed(password.change, content, { open: open && isFresh })}</div>`,
    'shield',
  )
}

/** It holds the e-mail address for password managers, which save the new password beside it. */
function passwordForm(context, open) {
  const { password } = context.words.security
  const { least, most } = passwordLength
  const { reason } = context.told ?? {}
  const error = sentence(context.told, context)
  const isNewWrong = ['password_length', 'password_same', 'password_easy'].includes(reason)
  return form(
    context,
    '/security/password',
    html`<input type="text" name="email" value="${context.principal.email}" autocomplete="username" hidden>
${passwordField(context, 'password', password.current, html`autocomplete="current-password"${open && !isNewWrong && html` autofocus`}`, { wrong: reason === 'not_your_password', error })}
${passwordField(context, 'new_password', password.next, html`minlength="${least}" maxlength="${most}" autocomplete="new-password"${isNewWrong && html` autofocus`}`, { hint: password.hint(least), wrong: isNewWrong, error })}
<button>${password.button}</button>`,
  )
}

function sessionsCard(context, found, trustsBrowsers) {
  const { sessions } = context.words.security
  return card(
    'sessions',
    sessions.title,
    undefined,
    html`
<ul class="factors">${found.map(
      ({ browser, ip, self, startedAt, seenAt }) => html`<li>
<h3>${browser || sessions.unknownBrowser}${self && here(context)}</h3>
<p>${sessions.from(ip)}</p>
${facts([
  [sessions.since, moment(startedAt, context)],
  [sessions.lastSeen, moment(seenAt, context)],
])}
</li>`,
    )}</ul>
${found.length > 1 || trustsBrowsers ? html`<p>${sessions.endOthersHint}</p>` : html`<p class="hint">${sessions.onlyHere}</p>`}
<div class="actions">
${(found.length > 1 || trustsBrowsers) && form(context, '/security/sessions/end-others', html`<button class="second">${sessions.endOthers}</button>`)}
<a class="button quiet" href="/security/activity">${context.words.security.activity}</a>
</div>`,
    'browser',
  )
}
