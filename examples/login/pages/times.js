// Times. The server writes them in UTC; the script shows them in the reader's own time zone. Both name the zone.

import { html } from '../html.js'

/** The forms in which a time is shown, for `Intl.DateTimeFormat`. The script in assets/local-times.js has the same. */
const forms = {
  moment: { day: 'numeric', month: 'short', year: 'numeric', hour: '2-digit', minute: '2-digit' },
  time: { hour: '2-digit', minute: '2-digit', second: '2-digit' },
}

function time(seconds, form, { words }) {
  const date = new Date(seconds * 1000)
  const zone = {
    hourCycle: /** @type {const} */ ('h23'),
    timeZone: 'UTC',
    timeZoneName: /** @type {const} */ ('short'),
  }
  const shown = new Intl.DateTimeFormat(words.locale, { ...forms[form], ...zone }).format(date)
  return html`<time datetime="${date.toISOString()}" data-local="${form}">${shown}</time>`
}

/** A day and a time. */
export const moment = (seconds, context) => time(seconds, 'moment', context)

/** A time to the second, or with its day if it is more than six hours away. */
export function clockTime(seconds, context) {
  return time(seconds, seconds - (context.now ?? seconds) > 6 * 3600 ? 'moment' : 'time', context)
}

/** A countdown, shown only with scripts. Hidden from screen readers: in an alert they would read each second aloud. */
export function timeLeft(until, { now, words }) {
  return (
    now !== undefined &&
    until > now &&
    until - now < 3600 &&
    html` <span class="scripted" aria-hidden="true" data-countdown="${until - now}" data-done="${words.layout.tryNow}"></span>`
  )
}
