// Shows times in the reader's own time zone. The title keeps the time in UTC, as the server wrote it.

const formats = {
  moment: new Intl.DateTimeFormat('en-AU', {
    day: 'numeric',
    month: 'short',
    year: 'numeric',
    hour: '2-digit',
    minute: '2-digit',
    hourCycle: 'h23',
  }),
  time: new Intl.DateTimeFormat('en-AU', { hour: '2-digit', minute: '2-digit', second: '2-digit', hourCycle: 'h23' }),
}

for (const time of document.querySelectorAll('time[data-local]')) {
  time.title = time.textContent
  time.textContent = formats[time.dataset.local].format(new Date(time.dateTime))
}
