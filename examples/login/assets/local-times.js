// Shows times in the reader's own time zone, and names the zone. The title keeps the time in UTC, as the server wrote it.

const { locale } = document.documentElement.dataset
const clock = /** @type {const} */ ({ hourCycle: 'h23', timeZoneName: 'short' })
const formats = {
  moment: new Intl.DateTimeFormat(locale, {
    day: 'numeric',
    month: 'short',
    year: 'numeric',
    hour: '2-digit',
    minute: '2-digit',
    ...clock,
  }),
  time: new Intl.DateTimeFormat(locale, { hour: '2-digit', minute: '2-digit', second: '2-digit', ...clock }),
}

for (const time of document.querySelectorAll('time[data-local]')) {
  time.title = time.textContent
  time.textContent = formats[time.dataset.local].format(new Date(time.dateTime))
}
