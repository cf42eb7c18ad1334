// Icons beside a text. They are decoration, hidden from screen readers.

import { html } from '../html.js'

const shapes = {
  totp: html`<rect x="6.5" y="2.5" width="11" height="19" rx="2.5"/><path d="M11 18.5h2"/>`,
  sms: html`<path d="M4 4.5h16v12H10l-5 4v-4H4z"/><path d="M8.5 10.5h.01m3.49 0h.01m3.49 0h.01"/>`,
  backup_code: html`<path d="M9 6h11M9 12h11M9 18h11M4.5 6h.01M4.5 12h.01M4.5 18h.01"/>`,
  recovery_code: html`<circle cx="12" cy="12" r="9"/><circle cx="12" cy="12" r="3.8"/><path d="m5.7 5.7 3.6 3.6m5.4 5.4 3.6 3.6m0-12.6-3.6 3.6m-5.4 5.4-3.6 3.6"/>`,
  browser: html`<rect x="2.5" y="4" width="19" height="16" rx="2.5"/><path d="M2.5 9h19M6 6.5h.01m2.49 0h.01"/>`,
  activity: html`<path d="M3 12h4l3-8 4 16 3-8h4"/>`,
  shield: html`<path d="M12 3l8 3v5.5c0 4.6-3.3 7.9-8 9.5-4.7-1.6-8-4.9-8-9.5V6z"/><path d="m8.5 12 2.5 2.5 4.5-4.7"/>`,
  good: html`<circle cx="12" cy="12" r="9"/><path d="m8 12.3 2.8 2.8L16 9.7"/>`,
  warning: html`<path d="M12 3.5 2.7 20h18.6z"/><path d="M12 10v4.2m0 2.8h.01"/>`,
  info: html`<circle cx="12" cy="12" r="9"/><path d="M12 11.5V16m0-8h.01"/>`,
}

export function icon(name) {
  return html`<svg class="icon" viewBox="0 0 24 24" aria-hidden="true">${shapes[name]}</svg>`
}
