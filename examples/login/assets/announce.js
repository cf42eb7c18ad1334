// One line that screen readers say aloud.

const line = document.getElementById('announce')

export function announce(text) {
  // The same words again are said again.
  line.textContent = ''
  setTimeout(() => (line.textContent = text), 50)
}
