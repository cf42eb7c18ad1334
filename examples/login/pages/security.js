// Security settings: authenticator apps, SMS, and the backup codes.

import { html } from '../html.js'
import { sameSitePath } from '../same-site.js'
import { recoveryCodeUsed } from './home.js'
import { loginPage } from './login.js'
import {
  codeField,
  confirmed,
  copyButton,
  demoOutbox,
  field,
  form,
  icon,
  isWrongInput,
  layout,
  notice,
  problem,
  waitingButton,
} from './parts.js'
import { freshFactorForm, freshFactorPage, needsFreshFactor, problemPage } from './problems.js'
import { clockTime, moment } from './words.js'

export const securityPages = {
  security({ status, plan }, context) {
    const { methods, backupCodes, attempts } = status
    const { go } = context.input
    const of = (name) => methods.filter(({ method }) => method === name)
    const canEnroll = plan === 'pro'
    const everyone = context.account.require === 'everyone'
    return layout(
      'Security',
      context,
      html`
${go !== undefined && notice('good', 'Confirmed. Go on below; it is not asked for again in the next five minutes.', 'status')}
${!status.enrolled && context.entry.method === 'recovery_code' && recoveryCodeUsed(false)}
${attempts.stopped && notice('warning', 'Too many wrong codes were typed for your login. An owner’s recovery code helps, and so does a new password.')}
${attempts.lockedUntil > context.now && notice('warning', html`Wrong codes were typed for your login, so no code is taken until ${clockTime(attempts.lockedUntil, context.now)}. If that was not you, change your password.`)}
${
  status.enrolled
    ? go === undefined &&
      notice('good', 'Two-factor authentication is on: your password alone does not log anybody in.')
    : canEnroll
      ? notice(
          'info',
          `Two-factor authentication is off. ${everyone ? 'This account asks everyone for it: set it up now.' : 'Set up one of these: with it, a stolen password is not enough.'}`,
        )
      : notice(
          'info',
          'Two-factor authentication is not part of your plan. Ask an owner of the account for a plan that includes it.',
        )
}
${appCard(context, of('totp'), { go, canEnroll, last: methods.length === 1, everyone })}
${smsCard(context, of('sms'), { go, canEnroll, last: methods.length === 1, everyone })}
${backupCodes && backupCard(context, backupCodes, go)}`,
    )
  },

  setUpForm: ({ methods }, context) => setUpPage(context, methods),

  startTotp(reply, context) {
    if (context.cookie === null) return loginPage(context, reply, context.session.next)
    if (needsFreshFactor(reply)) return freshFactorPage(context, backTo('totp', context))
    if (reply.result !== 'totp_started') return problemPage(reply, context)
    const picture = Buffer.from(reply.qrSvg).toString('base64')
    return layout(
      'Set up your app',
      context,
      html`
<ol class="steps">
<li>
<h2>Get an app</h2>
<p>Google Authenticator for <a href="https://apps.apple.com/app/google-authenticator/id388497605" rel="noreferrer">iPhone</a>
or <a href="https://play.google.com/store/apps/details?id=com.google.android.apps.authenticator2" rel="noreferrer">Android</a>, or any other
authenticator that you use already.</p>
</li>
<li>
<h2>Scan this with the app</h2>
<div class="scan">
<second-factor-qr class="qr" uri="${reply.uri}"><img src="data:image/svg+xml;base64,${picture}" alt="QR code for the authenticator app" width="192" height="192"></second-factor-qr>
<div>
<p>The app is on this device? <a href="${reply.uri}">Open it there</a></p>
<div class="key" id="key">Or type this into it: <code>${reply.secret}</code> ${copyButton('#key', 'the key')}</div>
</div>
</div>
</li>
<li>
<h2>Type the code that it shows</h2>
${confirmTotpForm(context, reply)}
</li>
</ol>
<p class="hint">Begun for ${context.principal.email}; open until ${clockTime(reply.expiresAt, context.now)}. Nothing is on before the code is right.</p>`,
    )
  },

  confirmTotp: afterConfirm('Set up your app', confirmTotpForm),

  startSms(reply, context) {
    if (context.cookie === null) return loginPage(context, reply, context.session.next)
    if (needsFreshFactor(reply)) return freshFactorPage(context, backTo('sms', context))
    const sent = reply.result === 'sms_sent'
    const number = reply.number ?? context.input.number
    const waits = reply.result === 'sms_refused' && reply.reason === 'cooldown'
    if (!sent && !waits) return numberAgainPage(reply, context)
    return layout(
      'Set up SMS',
      context,
      html`
${problem(reply, context)}
${sent && notice('good', html`We sent a code to ${reply.hint}. It is good until ${clockTime(reply.expiresAt, context.now)}.`, 'status')}
${sent && demoOutbox(context, 'Read the SMS')}
${confirmSmsForm(context, reply)}
<div class="again">
${form(
  context,
  `${home(context)}/sms`,
  html`<input type="hidden" name="number" value="${number}">${replacesField(context.input.replaces)}${digitsField(reply, context)}
${waitingButton('Send another code', reply.resendAt ?? reply.retryAt ?? context.now, context.now)}`,
)}
<a class="button quiet" href="${home(context)}?set-up=sms">Another number</a>
</div>`,
      { narrow: true, error: !sent },
    )
  },

  confirmSms: afterConfirm('Set up SMS', confirmSmsForm),

  removeMethod(reply, context) {
    if (needsFreshFactor(reply)) return freshFactorPage(context, settingsAt('remove', context.input.factor))
    // The page was older than the policy, or the network forces a second factor.
    if (reply.reason === 'enrollment_required') return problemPage({ result: 'denied', reason: 'last_factor' }, context)
    return reply.result === 'removed' ? { redirect: '/security' } : problemPage(reply, context)
  },

  renameFactor(reply, context) {
    if (needsFreshFactor(reply)) return freshFactorPage(context, settingsAt('rename', context.input.factor))
    return reply.result === 'renamed' ? { redirect: '/security' } : problemPage(reply, context)
  },

  showBackupCodes: afterCodes('Your backup codes', 'show-codes'),

  renewBackupCodes: afterCodes('Your new backup codes', 'renew-codes'),

  confirmBackupCodes(reply, context) {
    if (needsFreshFactor(reply)) return freshFactorPage(context, '/security')
    // A page with codes that no longer count.
    if (reply.result === 'expired') return problemPage({ result: 'denied', reason: 'older_codes' }, context)
    if (reply.result !== 'confirmed') return problemPage(reply, context)
    const { next } = context.input
    return { redirect: next === undefined ? '/security' : sameSitePath(next) }
  },

  downloadBackupCodes: (reply) => ({ file: reply }),

  startFreshFactor(reply, context) {
    if (reply.result === 'challenge') return { redirect: '/login/second-step' }
    if (reply.result === 'allowed') return problemPage({ result: 'denied', reason: 'not_required' }, context)
    return problemPage(reply, context)
  },
}

/** The address of the pages that set up a factor: those of a login, or those of the settings. */
const home = ({ session }) => (session.setUp ? '/login/set-up' : '/security')

/** The settings, at an action with an app or phone. */
const settingsAt = (action, id) => `/security?go=${action}-${encodeURIComponent(id)}`

/** The settings, where a set-up was begun. */
const backTo = (method, { input: { replaces } }) =>
  replaces ? settingsAt('replace', replaces) : `/security?go=${method}`

/** The set-up of a first factor at login. Nothing else is open to this session. */
function setUpPage(context, methods) {
  const go = methods.includes('totp') ? 'totp' : 'sms'
  const options = { go, canEnroll: true }
  return layout(
    'Set up a second factor',
    context,
    html`
<p class="lead">This account asks for a second factor, and you have none yet. Set one up now; then you are logged in.</p>
${methods.includes('totp') && appCard(context, [], options)}
${methods.includes('sms') && smsCard(context, [], options)}
<p class="hint">Begin by ${clockTime(context.session.setUp.expiresAt, context.now)}, or log in again.</p>`,
    { narrow: true },
  )
}

function card(name, title, state, content) {
  return html`<section class="card" aria-labelledby="${name}">
${icon(name)}
<div>
<div class="card-title"><h2 id="${name}">${title}</h2> ${state}</div>
${content}
</div>
</section>`
}

const on = html`<span class="state good">On</span>`
const off = html`<span class="state">Off</span>`

function used({ addedAt, lastUsedAt }) {
  return html`<dl class="facts">
<div><dt>Added</dt> <dd>${moment(addedAt)}</dd></div>
<div><dt>Last used</dt> <dd>${lastUsedAt === undefined ? 'at set-up' : moment(lastUsedAt)}</dd></div>
</dl>`
}

/** One app or phone, with what can be done to it. `replacement` puts another one in its place. */
function factorItem(context, factor, replacement, options) {
  const { id, name, hint } = factor
  return html`<li>
<h3>${name}</h3>
${hint !== undefined && html`<p>${hint}</p>`}
${used(factor)}
<div class="actions">
${options.canEnroll && replacement}
${renaming(context, factor, options.go === `rename-${id}`)}
${removal(context, factor, options)}
</div>
</li>`
}

function renaming(context, { id, name }, open) {
  return confirmed(
    'Rename…',
    form(
      context,
      '/security/rename',
      html`<input type="hidden" name="factor" value="${id}">
${field('name', 'Name', html`value="${name}" required maxlength="40" autocomplete="off"${open && html` autofocus`}`, { id: `name-${id}` })}
<button>Rename</button>`,
    ),
    { open },
  )
}

function removal(context, { id, method, name }, { go, last, everyone }) {
  const open = go === `remove-${id}`
  if (last && everyone)
    return confirmed(
      'Turn off…',
      html`<p>This account asks everyone for a second factor, and this is your only one. Set up another one first; then you can turn this one off.</p>`,
      { open, danger: true },
    )
  return confirmed(
    'Turn off…',
    html`<p>${
      last
        ? 'This is your only second factor. Without it your password alone logs you in, and your backup codes end.'
        : `From then on “${name}” logs you in no longer.`
    }</p>
${form(
  context,
  '/security/remove',
  html`<input type="hidden" name="factor" value="${id}">
<button class="danger"${open && html` autofocus`}>Turn off ${method === 'sms' ? 'SMS' : 'the app'}</button>`,
)}`,
    { open, danger: true },
  )
}

const MOST = { totp: 5, sms: 2 }

function appCard(context, apps, options) {
  const { go, canEnroll } = options
  const start = (label, kind, focus, replaces) =>
    form(
      context,
      `${home(context)}/totp`,
      html`${replacesField(replaces)}<button${kind && html` class="${kind}"`}${focus && html` autofocus`}>${label}</button>`,
    )
  const isOn = apps.length > 0
  return card(
    'totp',
    'Authenticator app',
    isOn ? on : off,
    isOn
      ? html`<p>A code from your app is asked for when you log in.</p>
<ul class="factors">${apps.map((app) =>
          factorItem(
            context,
            app,
            start('Move to another phone', 'second', go === `replace-${app.id}`, app.id),
            options,
          ),
        )}</ul>
${canEnroll && apps.length < MOST.totp && html`<div class="actions">${start('Add another app', 'second', go === 'totp')}</div>`}`
      : html`<p>An app on your phone shows a new code every half minute. It needs no network, and nobody can intercept it. Our recommendation.</p>
${canEnroll && html`<div class="actions">${start('Set up the app', undefined, go === 'totp')}</div>`}`,
  )
}

function smsCard(context, phones, options) {
  const { go, canEnroll } = options
  const isOn = phones.length > 0
  const open = go === 'sms' || context.input['set-up'] === 'sms'
  const change = ({ id }) =>
    confirmed('Change number', numberForm(context, { autofocus: go === `replace-${id}`, replaces: id }), {
      open: go === `replace-${id}`,
    })
  return card(
    'sms',
    'SMS',
    isOn ? on : off,
    html`
<p>A code comes to your mobile ${isOn ? 'when you ask for it at login' : 'each time you log in. For Australian mobile numbers'}.</p>
${isOn && html`<ul class="factors">${phones.map((phone) => factorItem(context, phone, change(phone), options))}</ul>`}
${
  canEnroll &&
  phones.length < MOST.sms &&
  html`<div class="actions">${confirmed(isOn ? 'Add another number' : 'Set up SMS', numberForm(context, { autofocus: open }), { open })}</div>`
}`,
  )
}

function numberForm(context, { value = '', wrong = false, autofocus = false, replaces = context.input.replaces }) {
  return form(
    context,
    `${home(context)}/sms`,
    html`${replacesField(replaces)}
${field(
  'number',
  'Australian mobile number',
  html`type="tel" value="${value}" inputmode="tel" autocomplete="tel" required placeholder="0412 345 678"${autofocus && html` autofocus`}`,
  {
    hint: 'Such as 0412 345 678, or +61 412 345 678',
    wrong,
    id: replaces ? `number-${replaces}` : 'number',
  },
)}
<button>Send code</button>`,
  )
}

function numberAgainPage(reply, context) {
  const value = typeof context.input.number === 'string' ? context.input.number.slice(0, 40) : ''
  const shown =
    reply.result === 'error' || reply.result === 'malformed'
      ? { result: 'malformed', expected: 'an Australian mobile number, such as 0412 345 678' }
      : reply
  return layout(
    'Set up SMS',
    context,
    html`
${problem(shown, context)}
${numberForm(context, { value, wrong: true, autofocus: true })}
<p><a href="${home(context)}">${context.session.setUp ? 'Back' : 'Back to Security'}</a></p>`,
    { narrow: true, error: true },
  )
}

function backupCard(context, { left, total, createdAt, canShow, confirmed: areSaved }, go) {
  const few = left <= 3
  return card(
    'backup_code',
    'Backup codes',
    html`<span class="state ${few ? 'bad' : 'good'}">${left} of ${total} left</span>`,
    html`
<p>For when you do not have your phone. Each logs you in once.${few && ' Few are left: make a new set and keep it.'}</p>
${!areSaved && notice('warning', `You have not said that you saved these codes. If you do not have them, ${canShow ? 'show them and keep them' : 'make a new set'}.`)}
<dl class="facts"><div><dt>Made</dt> <dd>${moment(createdAt)}</dd></div></dl>
<div class="actions">
${canShow && form(context, '/security/backup-codes/show', html`<button class="second"${go === 'show-codes' && html` autofocus`}>Show codes</button>`)}
${confirmed(
  'Make a new set…',
  html`<p>The old ten codes die at once, on every paper and in every file. Keep the new ones in their place.</p>
${form(context, '/security/backup-codes/renew', html`<button class="danger"${go === 'renew-codes' && html` autofocus`}>Make ten new codes</button>`)}`,
  { open: go === 'renew-codes', danger: true },
)}
</div>`,
  )
}

/** Length of the code: from the reply that began the set-up, and after a wrong code from the form that it was typed in. */
function digitsOf(reply, { input }) {
  if (reply.digits !== undefined) return reply.digits
  return ['6', '7', '8'].includes(input.digits) ? Number(input.digits) : 6
}

/** The factor that this set-up replaces: the form that asks again hands it on. */
function replacesField(id) {
  return id && html`<input type="hidden" name="replaces" value="${id}">`
}

const digitsField = (reply, context) => html`<input type="hidden" name="digits" value="${digitsOf(reply, context)}">`

function confirmTotpForm(context, reply) {
  return form(
    context,
    `${home(context)}/totp/confirm`,
    html`${digitsField(reply, context)}
${codeField('Code from your app', { digits: digitsOf(reply, context), wrong: isWrongInput(reply), focus: reply.result !== 'totp_started' })}
<button>Turn on</button>`,
  )
}

function confirmSmsForm(context, reply) {
  return form(
    context,
    `${home(context)}/sms/confirm`,
    html`${digitsField(reply, context)}
${codeField('Code from the SMS', { digits: digitsOf(reply, context), wrong: isWrongInput(reply), sms: true })}
<button class="full">Turn on</button>`,
  )
}

function afterConfirm(title, retryForm) {
  return (reply, context) => {
    if (context.cookie === null) return loginPage(context, reply, context.session.next)
    if (needsFreshFactor(reply)) return freshFactorPage(context, '/security')
    // The button was pressed twice.
    if (reply.result === 'already_used') return { redirect: '/security' }
    if (reply.result !== 'enrolled') {
      return layout(
        title,
        context,
        html`
${problem(reply, context)}
${retryForm(context, reply)}
<p><a href="${home(context)}">Start again</a></p>`,
        { narrow: true, error: true },
      )
    }
    if (reply.backupCodes === undefined) return { redirect: reply.next ?? '/security' }
    const codes = reply.backupCodes.map((code) => ({ code, used: false }))
    // The set-up has ended a login.
    if (reply.next !== undefined) {
      const goOn = html`<p class="screen"><a href="${reply.next}">Go on</a></p>`
      return codesPage(context, 'You are logged in', codes, { first: true, goOn, set: reply.set, next: reply.next })
    }
    const { next } = context.session
    const onTo = next === '/' ? undefined : `/login?next=${encodeURIComponent(next)}`
    const goOn =
      next === '/'
        ? undefined
        : html`<div class="screen">
<p>Keep the codes, then go on to the page that asked for a second factor.</p>
${freshFactorForm(context, next)}</div>`
    return codesPage(context, 'Two-factor authentication is on', codes, {
      first: true,
      goOn,
      set: reply.set,
      next: onTo,
    })
  }
}

function afterCodes(title, go) {
  return (reply, context) => {
    if (needsFreshFactor(reply)) return freshFactorPage(context, `/security?go=${go}`)
    if (reply.result !== 'backup_codes') return problemPage(reply, context)
    return codesPage(context, title, reply.codes, { set: reply.set })
  }
}

/**
 * The page with the codes. Printed, it holds only the codes and their owner. Where there is a `set`, nobody has said yet
 * that they are saved; a button says so, and leads on to `next`.
 */
function codesPage(context, title, codes, { first = false, goOn = undefined, set = undefined, next = undefined }) {
  const unused = codes.filter(({ used }) => !used).map(({ code }) => code)
  return layout(
    title,
    context,
    html`
<div class="screen">
${first && notice('good', 'From now on you need a code to log in. One thing is left: keep your backup codes.', 'status')}
<p class="lead">Each of these backup codes logs you in once, when you do not have your phone. Keep them like a password, and not on that phone.</p>
</div>
<section class="sheet" aria-labelledby="sheet">
<h2 id="sheet">Backup codes</h2>
<p>${context.account.name} · ${context.principal.email} · ${moment(context.now)}</p>
<ol class="codes">
${codes.map(({ code, used }) => html`<li>${used ? html`<del>${code}</del> <span class="used">used</span>` : html`<code>${code}</code>`}</li>`)}
</ol>
<p class="paper">Each code works once. A new set makes these useless.</p>
</section>
<div class="actions screen">
${unused.length > 0 && form(context, '/security/backup-codes/download', html`<input type="hidden" name="codes" value="${unused.join(' ')}"><button>Download as text</button>`)}
<button type="button" class="second scripted" data-print>Print</button>
<button type="button" class="second scripted" data-copy=".codes"><span>Copy</span><span class="unseen"> the codes</span></button>
</div>
<p class="unscripted screen hint">To print them, use the browser’s own Print: only the codes come on the paper.</p>
${
  set !== undefined &&
  html`<div class="actions screen">
${form(context, '/security/backup-codes/confirm', html`<input type="hidden" name="set" value="${set}">${next !== undefined && html`<input type="hidden" name="next" value="${next}">`}<button class="second">I have saved them</button>`)}
</div>`
}
${goOn ?? html`<p class="screen"><a href="/security">Back to Security</a></p>`}`,
  )
}
