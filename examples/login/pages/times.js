// Times. The server writes them in UTC; the script shows them in the reader's own time zone. Both name the zone. A page that is
// about the days of one zone has the `zone` in its context, and its times stay in it.

import { html } from '../html.js'
import { timeText } from '../time-zones.js'

function time(seconds, form, { words, zone }) {
  const iso = new Date(seconds * 1000).toISOString()
  const utc = timeText(seconds, form, words.locale)
  if (zone === undefined) return html`<time datetime="${iso}" data-local="${form}">${utc}</time>`
  return html`<time datetime="${iso}" title="${utc}">${timeText(seconds, form, words.locale, zone)}</time>`
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
