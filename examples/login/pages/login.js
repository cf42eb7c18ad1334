// The login pages: the password, then one field for the code.

import { html } from '../html.js'
import { sameSitePath } from '../same-site.js'
import {
  codeField,
  demoOutbox,
  field,
  form,
  icon,
  inWords,
  isProblem,
  isWrongInput,
  layout,
  longCodeField,
  notice,
  problem,
  waitingButton,
} from './parts.js'
import { freshFactorPage } from './problems.js'

export const loginPages = {
  loginForm(reply, context) {
    if (reply.result === 'challenge') return { redirect: '/login/second-step' }
    if (reply.result === 'set_up') return { redirect: '/login/set-up' }
    if (reply.result === 'confirm_first') return freshFactorPage(context, reply.next)
    if (reply.result === 'set_up_first') return setUpFirstPage(context)
    return loginPage(context, reply, reply.next)
  },

  logInWithPassword(reply, context) {
    if (reply.result === 'challenge') return { redirect: '/login/second-step' }
    if (reply.result === 'set_up') return { redirect: '/login/set-up' }
    if (reply.result === 'allowed') return { redirect: reply.next }
    return loginPage(context, reply, sameSitePath(context.input.next))
  },

  secondStepForm: (reply, context) => secondStepPage(context, reply, context.input.method),

  secondStep(reply, context) {
    if (reply.result === 'verified') return { redirect: reply.next }
    if (context.cookie === null) return loginPage(context, reply, context.session.next)
    return secondStepPage(context, reply, context.input.method)
  },

  sendLoginSms(reply, context) {
    if (context.cookie === null) return loginPage(context, reply, context.session.next)
    return secondStepPage(context, reply, 'sms')
  },

  logOut: () => ({ redirect: '/login' }),
}

export function loginPage({ input, demo, now }, reply, next) {
  const wrong = isProblem(reply)
  // The message of an error is for programs. A person who left a field empty gets a sentence of its own.
  const shown =
    reply.result === 'error' ? { result: 'malformed', expected: 'your e-mail address and your password' } : reply
  const email = typeof input.email === 'string' ? input.email : ''
  const focus = (here) => (here ? html` autofocus` : undefined)
  return layout(
    'Log in',
    undefined,
    html`
${problem(shown, { now })}
<form method="post" action="/login">
<input type="hidden" name="next" value="${next}">
${field('email', 'E-mail address', html`type="email" value="${email}" required autocomplete="username" autocapitalize="none"${focus(email === '')}`, { wrong: isWrongInput(shown) })}
${field('password', 'Password', html`type="password" required autocomplete="current-password"${focus(email !== '')}`, { wrong: isWrongInput(shown) })}
<button class="full">Log in</button>
</form>
${demo && demoLogins(demo, next)}`,
    { narrow: true, error: wrong },
  )
}

function demoLogins({ logins }, next) {
  return html`<section class="demo" aria-labelledby="demo">
<h2 id="demo"><span class="tag">Demo</span> Log in as…</h2>
<ul>
${logins.map(
  ({ role, email, password }) => html`<li><form method="post" action="/login">
<input type="hidden" name="next" value="${next}"><input type="hidden" name="email" value="${email}"><input type="hidden" name="password" value="${password}">
<button class="second"><span>${email}</span> <span class="role">${role}</span></button>
</form></li>`,
)}
</ul>
</section>`
}

function setUpFirstPage(context) {
  return layout(
    'A second factor is needed',
    context,
    html`
<p class="lead">The page that you opened needs a second factor, and you have not set one up.
Set one up now; then you can go on to that page.</p>
<p><a class="button" href="/security">Set up a second factor</a></p>`,
    { narrow: true },
  )
}

const asks = {
  totp: (digits) => `Open your authenticator app and type the ${inWords[digits]} digits that it shows.`,
  sms: (digits) => `Type the ${inWords[digits]} digits from the SMS.`,
  backup_code: () => 'Type one of the ten codes that you kept when you set up your second factor. It works once.',
  recovery_code: () => 'An owner of your account makes one for you, under Users. It works once, within an hour.',
}
const labels = {
  totp: 'Code from your authenticator app',
  sms: 'Code from the SMS',
  backup_code: 'One of your backup codes',
  recovery_code: 'Recovery code from an owner of the account',
}
const switchTo = {
  totp: 'Use the authenticator app',
  sms: 'Use SMS',
  backup_code: 'Use backup code',
  recovery_code: 'Use recovery code',
}

function secondStepPage(context, reply, chosen) {
  const { methods } = context.session.challenge
  const offered = methods.map(({ method }) => method)
  const method = offered.includes(chosen) || chosen === 'recovery_code' ? chosen : offered[0]
  const others = offered.filter((each) => each !== method && each !== 'recovery_code')
  // A recovery code is the last resort: it is offered beside a backup code, and to a locked user.
  if (method !== 'recovery_code' && (method === 'backup_code' || reply.result === 'locked'))
    others.push('recovery_code')
  // A recovery code is taken even where the challenge did not list it: the owner may issue it meanwhile.
  const wanted = methods.find((each) => each.method === method) ?? { method, kind: 'grouped' }
  const wrong = isProblem(reply)
  return layout(
    'Second step',
    context,
    html`
${problem(reply, context)}
${method === 'sms' ? smsStep(context, reply, wanted) : html`<p class="lead ask">${icon(method)}${asks[method](wanted.digits)}</p>${codesHint(wanted)}${codeForm(context, wanted, isWrongInput(reply))}`}
${
  others.length > 0 &&
  html`<section class="choices" aria-labelledby="others">
<h2 id="others">Another way</h2>
<ul>
${others.map((other) => html`<li>${icon(other)}<a href="/login/second-step?method=${other}">${switchTo[other]}</a></li>`)}
</ul>
</section>`
}`,
    { narrow: true, error: wrong },
  )
}

/** Tells a person who looks for codes that there may be none. */
const codesHint = ({ confirmed }) =>
  confirmed === false &&
  html`<p class="hint">You have not said that you saved these codes. If you do not have them, use another way, and then make new ones under Security.</p>`

/** The form for one code. `kind` and `digits` come from the challenge, so that the page guesses nothing. */
function codeForm(context, { method, kind, digits }, wrong) {
  const isIn = context.entry?.state === 'in'
  return form(
    context,
    '/login/second-step',
    html`<input type="hidden" name="method" value="${method}">
${kind === 'digits' ? codeField(labels[method], { digits, wrong, sms: method === 'sms' }) : longCodeField(labels[method], { wrong })}
<button class="full">${isIn ? 'Confirm' : 'Log in'}</button>`,
  )
}

/** Shows the button that sends a code, and after that the field. Both at once would ask two questions. */
function smsStep(context, reply, sms) {
  const { hint, digits } = sms
  const send = (button) => form(context, '/login/second-step/sms', button)
  const until = reply.resendAt ?? (reply.result === 'sms_refused' ? reply.retryAt : undefined)
  if (reply.result === 'challenge') {
    return html`<p class="lead ask">${icon('sms')}We can send a code to ${hint}.</p>
${send(html`<button class="full" autofocus>Send me a code</button>`)}
<details class="plain"><summary>I have a code already</summary>
${codeForm(context, sms, false)}</details>`
  }
  return html`
${reply.result === 'sms_sent' && notice('good', `We sent a code to ${hint}.`, 'status')}
${reply.result === 'sms_sent' && demoOutbox(context, 'Read the SMS')}
<p class="lead ask">${icon('sms')}${asks.sms(digits)}</p>
${codeForm(context, sms, isWrongInput(reply))}
<div class="again">${send(waitingButton('Send another code', until ?? context.now, context.now))}</div>`
}
