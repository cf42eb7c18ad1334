// Keeps the typed text when the language changes: the page loads anew then. Passwords and codes are not kept.

const languages = document.querySelector('form.languages')
const key = 'typed'

/** @type {NodeListOf<HTMLInputElement>} */
const found = document.querySelectorAll('main :is(input, textarea, select)')
// But for secrets. The fields have the same order in each language.
const fields = [...found].filter(
  ({ type, classList }) => !['hidden', 'password', 'submit'].includes(type) && !classList.contains('code'),
)
const isBox = ({ type }) => type === 'checkbox' || type === 'radio'

languages?.addEventListener('submit', () => {
  const values = fields.map((field) => (isBox(field) ? field.checked : field.value))
  sessionStorage.setItem(key, JSON.stringify({ path: location.pathname, values }))
})

const kept = JSON.parse(sessionStorage.getItem(key) ?? 'null')
sessionStorage.removeItem(key)
if (kept?.path === location.pathname && kept.values.length === fields.length) {
  for (const [index, field] of fields.entries()) {
    if (isBox(field)) field.checked = kept.values[index]
    else field.value = kept.values[index]
  }
}
