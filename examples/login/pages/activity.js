// The events of a person's own login.

import { html } from '../html.js'
import { empty, layout, table } from './parts.js'
import { moment } from './times.js'

export const activityPages = {
  activity({ events }, context) {
    const { activity, layout: words, events: names } = context.words
    return layout(
      activity.title,
      context,
      html`
<p class="lead">${empty(events) ? activity.none : activity.lead(events.length)}</p>
${!empty(events) && html`<p>${activity.wasYou}</p>`}
${
  !empty(events) &&
  table(
    activity.table,
    [activity.when, activity.what, activity.details],
    events.map((event) => [moment(event.at, context), names[event.event] ?? event.event, eventDetails(event, context)]),
  )
}
<p><a href="/security">${words.backToSecurity}</a></p>`,
    )
  },
}

/** The particulars of an event, in a line. */
export function eventDetails(
  { times, action, method, factor, browser, ip, isLastIp, reason, failures, by, operator },
  { words },
) {
  const { activity, audit, layout, reasons, smsReasons } = words
  return [
    action && (audit.actions[action] ?? action.replaceAll('_', ' ')),
    times && activity.times(times),
    method && layout.methods[method],
    (factor ?? browser) && audit.quoted((factor ?? browser).name),
    (by ?? operator) && activity.by(by ?? operator),
    reason && (reasons[reason] ?? smsReasons[reason] ?? reason.replaceAll('_', ' ')),
    failures && activity.inARow(failures),
    ip && (isLastIp && times ? activity.lastFrom : activity.from)(ip),
  ]
    .filter(Boolean)
    .join(', ')
}
