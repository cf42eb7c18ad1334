// Times as text, by UTC and with the name of the zone.

/** The forms in which a time is shown, for `Intl.DateTimeFormat`. The script in assets/local-times.js has the same. */
const forms = {
  moment: { day: 'numeric', month: 'short', year: 'numeric', hour: '2-digit', minute: '2-digit' },
  time: { hour: '2-digit', minute: '2-digit', second: '2-digit' },
}
const utc = /** @type {const} */ ({ hourCycle: 'h23', timeZone: 'UTC', timeZoneName: 'short' })

/** `form`: a `moment` has the day, a `time` the seconds. */
export const utcTime = (seconds, form, locale) =>
  new Intl.DateTimeFormat(locale, { ...forms[form], ...utc }).format(new Date(seconds * 1000))
