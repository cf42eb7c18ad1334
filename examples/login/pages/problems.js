// Pages for errors and refusals.

import { html } from '../html.js'
import { form, layout, problem } from './parts.js'

export function errorPage(reply, context) {
  return layout(
    reply.result === 'not_found' ? 'Not found' : 'Not possible',
    context,
    html`
${problem(reply, context)}
<p><a href="/">Home</a></p>`,
    { narrow: context?.entry === undefined, error: true },
  )
}

export function problemPage(reply, context, back = '/security', name = 'Security') {
  return layout(
    'Not done',
    context,
    html`
${problem(reply, context)}
<p><a class="button second" href="${back}">Back to ${name}</a></p>`,
    { error: true },
  )
}

export function needsFreshFactor(reply) {
  return reply.result === 'denied' && reply.reason === 'fresh_factor_required'
}

/** A button that starts the second step, which then goes on to `next`. */
export function freshFactorForm(context, next) {
  return form(
    context,
    '/security/fresh-factor',
    html`<input type="hidden" name="next" value="${next}">
<button autofocus>Continue</button>`,
  )
}

export function freshFactorPage(context, next) {
  return layout(
    'Confirm it is you',
    context,
    html`
<p class="lead">You are logged in, but this needs a code from your second factor. It is asked for again after five minutes.</p>
${freshFactorForm(context, next)}`,
    { narrow: true },
  )
}
