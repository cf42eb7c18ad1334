// button[data-show][aria-controls]: shows the password in the field that it controls, and hides it at the next press.

for (const button of document.querySelectorAll('button[data-show]')) {
  const field = /** @type {HTMLInputElement} */ (document.getElementById(button.getAttribute('aria-controls')))
  const show = (isShown) => {
    field.type = isShown ? 'text' : 'password'
    button.ariaPressed = String(isShown)
  }
  button.addEventListener('click', () => show(field.type === 'password'))
  // A browser offers to save a password only from a field of that type, and may keep the page for the Back button.
  field.form.addEventListener('submit', () => show(false))
  addEventListener('pagehide', () => show(false))
}
