// The set-up of an app or a phone. The pages show what was begun, as often as they are loaded.

import { html } from '../html.js'
import { codeField, copyButton, demoOutbox, form, layout, notice, waitingButton } from './parts.js'
import { numberForm, replacesField, setUpHome } from './security.js'
import { isProblem, isWrongInput, sentence } from './sentences.js'
import { clockTime } from './times.js'

export const setUpPages = {
  totpSetUp(reply, context) {
    const { setUpApp } = context.words
    if (isFinished(reply, context)) return finishedPage(setUpApp, context)
    if (reply.result !== 'totp_started') return appAgainPage(reply, context)
    const { told } = context
    const picture = Buffer.from(reply.qrSvg).toString('base64')
    return layout(
      setUpApp.title,
      context,
      html`
${reply.takesPlaceOf !== undefined && notice('info', setUpApp.takesPlaceOf(reply.takesPlaceOf))}
<ol class="steps">
<li>
<h2>${setUpApp.get}</h2>
<p>${setUpApp.apps}</p>
</li>
<li>
<h2>${setUpApp.scan}</h2>
<div class="scan">
<second-factor-qr class="qr" uri="${reply.uri}" alt="${setUpApp.qr}"><img src="data:image/svg+xml;base64,${picture}" alt="${setUpApp.qr}" width="192" height="192"></second-factor-qr>
<div>
<p>${setUpApp.onThisDevice(reply.uri)}</p>
<div class="key" id="key">${setUpApp.key} <code>${reply.secret}</code> ${copyButton(context, '#key', setUpApp.theKey)}</div>
</div>
</div>
</li>
<li>
<h2>${setUpApp.type}</h2>
${form(
  context,
  `${setUpHome(context)}/totp/confirm`,
  html`${codeField(context, setUpApp.label, { digits: reply.digits, wrong: isWrongInput(told), error: sentence(told, context), focus: isWrongInput(told) })}
<button>${setUpApp.button}</button>`,
)}
</li>
</ol>
<p class="hint">${setUpApp.open(context.principal.email, clockTime(reply.expiresAt, context))}</p>
${backLink(context)}`,
    )
  },

  smsSetUp(reply, context) {
    const { told, typed, input, words } = context
    if (isFinished(reply, context)) return finishedPage(words.setUpSms, context)
    if (reply.result === 'no_set_up' || input.another !== undefined) return numberPage(reply, context)
    const isSent = told === undefined || told.result === 'sms_sent'
    const isOver = reply.result === 'expired'
    const sentTo = words.setUpSms.sent(reply.number, clockTime(reply.expiresAt, context))
    return layout(
      words.setUpSms.title,
      context,
      html`
${reply.takesPlaceOf !== undefined && notice('info', words.setUpSms.takesPlaceOf(reply.takesPlaceOf))}
${isOver ? notice('warning', words.setUpSms.over, !isProblem(told, context) && 'alert') : isSent ? notice('good', sentTo, 'status') : html`<p class="hint">${sentTo}</p>`}
${!isOver && demoOutbox(context)}
${
  !isOver &&
  form(
    context,
    `${setUpHome(context)}/sms/confirm`,
    html`${codeField(context, words.setUpSms.label, { digits: reply.digits, wrong: isWrongInput(told) && typed.number === undefined, sms: true })}
<button class="full">${words.setUpSms.button}</button>`,
  )
}
<div class="again">
${form(
  context,
  `${setUpHome(context)}/sms`,
  html`<input type="hidden" name="number" value="${reply.number}">${replacesField(reply.replaces)}
${waitingButton(context, words.secondStep.sendAgain, told?.retryAt ?? reply.resendAt)}`,
)}
<a class="button quiet" href="${setUpHome(context)}/sms?another">${words.setUpSms.another}</a>
</div>
${backLink(context)}`,
      { narrow: true },
    )
  },
}

/** Whether a person comes back to a set-up that is done. A refusal, and the wish for another number, are of a new one. */
const isFinished = ({ result, isOn }, { told, input }) =>
  result === 'no_set_up' && isOn && told === undefined && input.another === undefined

function finishedPage({ title, isOn }, context) {
  return layout(
    title,
    context,
    html`
${notice('good', isOn, 'status')}
<p><a class="button" href="/security">${context.words.layout.backToSecurity}</a></p>`,
    { narrow: true },
  )
}

/** Asks to begin anew, where the set-up is over or there is none. */
function appAgainPage(reply, context) {
  const { setUpApp } = context.words
  return layout(
    setUpApp.title,
    { ...context, told: undefined },
    html`
${notice('warning', reply.result === 'expired' ? setUpApp.over : setUpApp.none, 'alert')}
${form(context, `${setUpHome(context)}/totp`, html`${replacesField(reply.replaces)}<button autofocus>${setUpApp.again}</button>`)}
${backLink(context)}`,
    { narrow: true },
  )
}

function numberPage(reply, context) {
  const { told, typed, words } = context
  const until = told?.retryAt ?? reply.resendAt
  const waits = told?.retryAt === undefined && until > context.now
  return layout(
    words.setUpSms.title,
    context,
    html`
${waits && notice('info', words.setUpSms.anotherFrom(clockTime(until, context)), 'status')}
${numberForm(context, { typed: typed.number, wrong: isAboutNumber(told), autofocus: true, replaces: typed.replaces ?? reply.replaces, until })}
${backLink(context)}`,
    { narrow: true },
  )
}

/** Whether the number itself is refused. A wait is no mistake in it. */
const isAboutNumber = (told) => told?.result === 'malformed' || /^number_/.test(told?.reason)

function backLink(context) {
  const { back, backToSecurity } = context.words.layout
  return html`<p><a href="${setUpHome(context)}">${context.session.pending.setUp ? back : backToSecurity}</a></p>`
}
