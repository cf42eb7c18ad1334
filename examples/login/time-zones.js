// Times as text, and the days of a time zone. `Intl` knows the zones, such as `Australia/Sydney`, with all their changes.

/** The forms in which a time is shown, for `Intl.DateTimeFormat`. The script in assets/local-times.js has the same. */
const forms = {
  moment: { day: 'numeric', month: 'short', year: 'numeric', hour: '2-digit', minute: '2-digit' },
  time: { hour: '2-digit', minute: '2-digit', second: '2-digit' },
}
const clock = /** @type {const} */ ({ hourCycle: 'h23', timeZoneName: 'short' })

const DAY = 86_400

/** A time as text, with the name of the zone. `form`: a `moment` has the day, a `time` the seconds. */
export const timeText = (seconds, form, locale, zone = 'UTC') =>
  new Intl.DateTimeFormat(locale, { ...forms[form], ...clock, timeZone: zone }).format(seconds * 1000)

export function isZone(name) {
  try {
    return Boolean(new Intl.DateTimeFormat('en', { timeZone: name }))
  } catch {
    return false
  }
}

/** The day in a zone, such as `2027-12-31`. */
export const dayIn = (zone, seconds) => daysIn(zone)(seconds)

/** The first second of a day in a zone. */
export const startOf = (day, zone) => firstSecond(day, zone, (here) => here >= day)

/** The first second after a day in a zone. */
export const endOf = (day, zone) => firstSecond(day, zone, (here) => here > day)

function daysIn(zone) {
  const format = new Intl.DateTimeFormat('en', { timeZone: zone, year: 'numeric', month: '2-digit', day: '2-digit' })
  return (seconds) => {
    const parts = format.formatToParts(seconds * 1000).map(({ type, value }) => [type, value])
    const { year, month, day } = Object.fromEntries(parts)
    return `${year}-${month}-${day}`
  }
}

/** The first second whose day is as wanted, found by halving: a day may have 23 or 25 hours, and begin at one o'clock. */
function firstSecond(day, zone, isWanted) {
  const dayAt = daysIn(zone)
  const midnight = Date.parse(day) / 1000
  let [before, wanted] = [midnight - DAY, midnight + 2 * DAY]
  while (wanted - before > 1) {
    const middle = Math.floor((before + wanted) / 2)
    if (isWanted(dayAt(middle))) wanted = middle
    else before = middle
  }
  return wanted
}
