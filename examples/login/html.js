// HTML as template literals. Every value is escaped, except HTML made by `html`.

class Html {
  constructor(text) {
    this.text = text
  }

  toString() {
    return this.text
  }
}

const escapes = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' }

function toText(value) {
  if (value instanceof Html) return value.text
  if (Array.isArray(value)) return value.map(toText).join('')
  if (value === undefined || value === null || value === false) return ''
  return String(value).replace(/[&<>"']/g, (character) => escapes[character])
}

export function html(strings, ...values) {
  return new Html(strings.reduce((text, string, i) => text + toText(values[i - 1]) + string))
}
