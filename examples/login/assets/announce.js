// One line that screen readers say aloud.

const line = document.getElementById('announce')

export function announce(text) {
  // A screen reader reads the same text a second time only if the line was empty in between.
  line.textContent = ''
  setTimeout(() => (line.textContent = text), 50)
}
