// Countdowns of a wait. The seconds come from the server, so a wrong clock in the browser does no harm.
//   button[data-wait="28"]            cannot be pressed for 28 seconds, and shows the time left
//   [data-countdown="28"][data-done]  shows the time left, and then the text in `data-done`

import { announce } from './announce.js'
import { text } from './texts.js'

const clock = (seconds) => `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, '0')}`

/** Calls `show` with the seconds left, now and each second until 0. */
function countDown(seconds, show) {
  const end = performance.now() + seconds * 1000
  const tick = () => {
    const left = Math.max(0, Math.ceil((end - performance.now()) / 1000))
    show(left)
    if (left > 0) setTimeout(tick, 250)
  }
  tick()
}

for (const button of document.querySelectorAll('button[data-wait]')) {
  const seconds = Number(button.dataset.wait)
  if (!(seconds > 0)) continue
  const label = button.textContent
  // Hidden from screen readers: they announce once that the wait is over.
  const time = Object.assign(document.createElement('span'), { className: 'time-left', ariaHidden: 'true' })
  button.append(' ', time)
  button.ariaDisabled = 'true'
  button.addEventListener('click', (event) => {
    if (button.ariaDisabled !== 'true') return
    event.preventDefault()
    announce(text('notYet'))
  })
  countDown(seconds, (left) => {
    time.textContent = left > 0 ? text('waits', { time: clock(left) }) : ''
    if (left > 0) return
    button.ariaDisabled = null
    announce(text('possibleNow', { label }))
  })
}

for (const element of document.querySelectorAll('[data-countdown]')) {
  countDown(Number(element.dataset.countdown), (left) => {
    element.textContent = left > 0 ? text('left', { time: clock(left) }) : element.dataset.done
    if (left === 0) announce(element.dataset.done)
  })
}
