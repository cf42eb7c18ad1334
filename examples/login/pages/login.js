// The login pages: the password, then one field for the code, then what a login has to tell.

import { html } from '../html.js'
import { isOwnPage } from '../routes.js'
import {
  codeField,
  demoOutbox,
  empty,
  field,
  form,
  icon,
  layout,
  longCodeField,
  notice,
  passwordField,
  waitingButton,
} from './parts.js'
import { isWrongInput } from './sentences.js'

export const loginPages = {
  loginForm(reply, context) {
    switch (reply.result) {
      case 'challenge':
        return { redirect: '/login/second-step' }
      case 'set_up':
        return { redirect: '/login/set-up' }
      case 'logged_in':
        return { redirect: '/' }
      case 'confirm_first':
        return freshFactorPage(reply, context)
      case 'set_up_first':
        return setUpFirstPage(context)
      default:
        return loginPage(context, reply.next)
    }
  },

  secondStepForm(reply, context) {
    if (reply.result === 'challenge') return secondStepPage(context, reply)
    // The time is over: a login begins anew, and someone who is in stays in.
    return { redirect: context.cookie === null ? '/login' : '/', tell: reply }
  },

  arrival(reply, context) {
    const { arrival } = context.words
    const { method, left, factors, next } = reply
    if (method === undefined) return { redirect: next }
    const apps = factors.filter((factor) => factor.method === 'totp')
    const kind = factors.length === 0 ? 'none' : apps.length > 0 ? 'app' : 'phone'
    // The one that may be lost; where there are several, the person chooses on the page.
    const [lost, ...others] = kind === 'app' ? apps : factors
    const go = lost && (empty(others) ? `?go=replace-${lost.id}` : '?go=lost')
    return layout(
      arrival.title,
      context,
      html`
${notice('warning', html`<p>${arrival[method][kind]}</p>${left !== undefined && html`<p>${arrival.codesLeft(left)}</p>`}`, 'alert')}
<p><a class="button full" href="/security${go}">${arrival.goOn[kind]}</a></p>
${left !== undefined && html`<p><a class="button second full" href="/security?go=renew-codes">${arrival.newSet}</a></p>`}
<p><a href="${next}">${arrival.later}</a></p>`,
      { narrow: true },
    )
  },

  freshFactorForm: (reply, context) => freshFactorPage(reply, context),
}

function loginPage(context, next) {
  const { words, told, typed, demo } = context
  const email = typed.email ?? ''
  const focus = (here) => here && html` autofocus`
  return layout(
    words.login.title,
    { ...context, session: undefined, entry: undefined },
    html`
<form method="post" action="/login">
<input type="hidden" name="next" value="${next}">
${field('email', words.login.email, html`type="email" value="${email}" required autocomplete="username" autocapitalize="none"${focus(email === '')}`, { wrong: isWrongInput(told) })}
${passwordField(context, 'password', words.login.password, html`autocomplete="current-password"${focus(email !== '')}`, { wrong: isWrongInput(told) })}
<button class="full">${words.login.button}</button>
</form>
${demo && demoLogins(context, next)}`,
    { narrow: true },
  )
}

function demoLogins({ demo, words }, next) {
  return html`<section class="demo" aria-labelledby="demo">
<h2 id="demo"><span class="tag">${words.layout.demo}</span> ${words.login.demo}</h2>
<ul>
${demo.logins.map(
  ({ role, email, password }) => html`<li><form method="post" action="/login">
<input type="hidden" name="next" value="${next}"><input type="hidden" name="email" value="${email}"><input type="hidden" name="password" value="${password}">
<button class="second"><span>${email}</span> <span class="role">${words.login.roles[role]}</span></button>
</form></li>`,
)}
</ul>
</section>`
}

function setUpFirstPage(context) {
  const { title, lead, button } = context.words.login.setUpFirst
  return layout(
    title,
    context,
    html`<p class="lead">${lead}</p><p><a class="button" href="/security">${button}</a></p>`,
    {
      narrow: true,
    },
  )
}

/** A button that starts the second step, which then goes on to `next`. `own`: a code from an app or phone is needed. */
export function freshFactorForm(context, { next, own = false, focus = false }) {
  return form(
    context,
    '/security/fresh-factor',
    html`<input type="hidden" name="next" value="${next}">${own && html`<input type="hidden" name="own" value="yes">`}
<button${focus && html` autofocus`}>${context.words.layout.continue}</button>`,
  )
}

function freshFactorPage({ next, own }, context) {
  const { freshFactor, secondStep } = context.words
  return layout(
    freshFactor.title,
    context,
    html`
<p class="lead">${freshFactor.lead}</p>
${own && html`<p>${next.startsWith('/users') ? freshFactor.ownForOthers : html`${secondStep.ownOnly} ${secondStep.phoneLost}`}</p>`}
${freshFactorForm(context, { next, own, focus: true })}
<p><a href="${isOwnPage(next) ? `/${next.split(/[/?]/)[1]}` : '/'}">${context.words.layout.cancel}</a></p>`,
    { narrow: true },
  )
}

/** The methods that a person can choose among, in the order of the challenge. A recovery code is none of them. */
const chosenFrom = ['totp', 'sms', 'backup_code']

function secondStepPage(context, { methods, trustDays, lastSms }) {
  const { words, told, input } = context
  const { own } = context.session.pending.challenge
  const offered = methods
    .map(({ method }) => method)
    .filter((method) => chosenFrom.includes(method) && !(own && method === 'backup_code'))
  const wanted = input.method ?? told?.method
  // A recovery code is taken even where the challenge did not list it: the owner may issue it meanwhile.
  const chosen = offered.includes(wanted) || (wanted === 'recovery_code' && !own) ? wanted : offered[0]
  const method = chosen ?? 'recovery_code'
  const others = offered.filter((each) => each !== method)
  // It is the last resort: it is offered beside a backup code, to a locked user, and where nothing else is.
  if (!own && method !== 'recovery_code' && (method === 'backup_code' || told?.result === 'locked'))
    others.push('recovery_code')
  // All ways wait together, so that each page says until when.
  const wait = told?.result === 'locked' && input.said ? `&said=${encodeURIComponent(input.said)}` : ''
  const usable = methods.find((each) => each.method === method) ?? { method, kind: 'grouped', factors: [] }
  return layout(
    words.secondStep.title,
    context,
    html`
${own && html`<p class="hint">${words.secondStep.ownOnly} ${words.secondStep.phoneLost}</p>`}
${method === 'sms' ? smsStep(context, { ...usable, last: lastSms }, trustDays) : codeStep(context, usable, trustDays)}
${
  others.length > 0 &&
  html`<section class="choices" aria-labelledby="others">
<h2 id="others">${words.secondStep.another}</h2>
<ul>
${others.map((other) => html`<li>${icon(other)}<a href="/login/second-step?method=${other}${other !== 'recovery_code' && wait}">${words.secondStep.use[other]}</a></li>`)}
</ul>
</section>`
}`,
    { narrow: true },
  )
}

function codeStep(context, usable, trustDays) {
  const { ask, digits, notSaved } = context.words.secondStep
  const text = ask[usable.method]
  return html`<p class="lead ask">${icon(usable.method)}${typeof text === 'function' ? text(digits[usable.digits]) : text}</p>
${usable.confirmed === false && html`<p class="hint">${notSaved}</p>`}
${codeForm(context, usable, { trustDays })}`
}

/** The form for one code. `kind` and `digits` come from the challenge, so that the page guesses nothing. */
function codeForm(context, { method, kind, digits }, { trustDays, focus = true }) {
  const { words, told } = context
  const isIn = context.entry?.state === 'in'
  const label = words.secondStep.label[method]
  const wrong = isWrongInput(told) && told.method === method
  const mayTrust = !isIn && (method === 'totp' || method === 'sms')
  return form(
    context,
    '/login/second-step',
    html`<input type="hidden" name="method" value="${method}">
${mayTrust && trustBox(words.secondStep, trustDays, context.typed.trust === 'yes')}
${kind === 'digits' ? codeField(context, label, { digits, wrong, sms: method === 'sms', focus }) : longCodeField('long_code', label, { wrong })}
<button class="full">${isIn ? words.secondStep.confirm : words.login.button}</button>`,
  )
}

/** It stands above the field, because the last digit sends the form. */
const trustBox = ({ trust, trustHint }, trustDays, isTicked) =>
  html`<label class="choice trust"><input type="checkbox" name="trust" value="yes"${isTicked && html` checked`}>
<span>${trust(trustDays)} <span class="minor">${trustHint}</span></span></label>`

/** Shows the button that sends a code, and after that the field. Both at once would ask two questions. `last`: the last SMS of this login. */
function smsStep(context, sms, trustDays) {
  const { words, told } = context
  const { secondStep } = words
  const isRefused = told?.result === 'sms_refused'
  // After a cool-down, the code of an earlier login may still come.
  const isAbout = sms.last !== undefined || told?.method === 'sms' || (isRefused && told.reason === 'cooldown')
  const send = (button) => form(context, '/login/second-step/sms', button)
  if (!isAbout && isRefused && told.retryAt !== undefined)
    return send(waitingButton(context, secondStep.send, told.retryAt))
  if (!isAbout) {
    const phones = sms.factors ?? []
    return html`<p class="lead ask">${icon('sms')}${secondStep.canSend(sms.hint)}</p>
${
  phones.length > 1
    ? phones.map(({ id, name, hint }, index) =>
        send(html`<input type="hidden" name="factor" value="${id}">
<button class="full${index > 0 && ' second'}"${index === 0 && html` autofocus`}>${secondStep.send}: ${name} ${hint}</button>`),
      )
    : send(html`<button class="full" autofocus>${secondStep.send}</button>`)
}
<details class="plain"><summary>${secondStep.hasOne}</summary>
${codeForm(context, sms, { trustDays, focus: false })}</details>`
  }
  const until = isRefused ? told.retryAt : sms.last?.resendAt
  const isSent = told?.result === 'sms_sent'
  return html`
${isSent && notice('good', secondStep.sent(told.hint), 'status')}
${!isSent && sms.last && html`<p class="hint">${secondStep.sent(sms.last.hint)}</p>`}
${sms.last && demoOutbox(context)}
<p class="lead ask">${icon('sms')}${secondStep.ask.sms(secondStep.digits[sms.digits])}</p>
${codeForm(context, sms, { trustDays })}
<div class="again">${send(waitingButton(context, secondStep.sendAgain, until))}</div>`
}
