// The parts of the pages: layout, notices, fields, buttons and tables. All of it works without a script.
// Attributes named data-* mark the elements that the scripts in assets/ improve.

import { asset } from '../assets.js'
import { html } from '../html.js'
import { clockTime, sentence } from './words.js'

const product = 'Acme'

/** A whole page. `narrow`: the narrow layout of login pages and questions. `error`: the title begins with "Error". */
export function layout(title, context, content, { narrow = false, error = false } = {}) {
  const isIn = context?.entry?.state === 'in'
  return {
    body: html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${error && 'Error: '}${title} – ${product}</title>
<link rel="icon" href="${asset('icon.svg')}">
<link rel="stylesheet" href="${asset('style.css')}">
<script type="module" src="${asset('page.js')}" blocking="render"></script>
</head>
<body class="${narrow ? 'narrow' : 'wide'}">
<a class="skip" href="#content">Skip to the content</a>
<header>
<a class="brand" href="/">${icon('shield')}${product}</a>
${isIn && navigation(context)}
${
  context?.session &&
  html`<div class="who"><span class="email">${context.principal.email}</span>
${form(context, '/logout', html`<button class="quiet">${context.session.proof === 'password' ? 'Cancel' : 'Log out'}</button>`)}</div>`
}
</header>
<main id="content" tabindex="-1">
<h1>${title}</h1>
${content}
</main>
<p id="announce" class="unseen" role="status"></p>
</body>
</html>
`,
  }
}

function navigation({ principal, path }) {
  const places = [['/security', 'Security']]
  if (principal.role === 'owner') places.push(['/users', 'Users'], ['/policy', 'Policy'], ['/audit', 'Audit'])
  const here = (place) => path === place || path.startsWith(`${place}/`)
  return html`<nav aria-label="Account">
${places.map(([place, name]) => html`<a href="${place}"${here(place) && html` aria-current="page"`}>${name}</a>`)}
</nav>`
}

/** A form with the token of the session. The server refuses a form without it. */
export function form(context, action, content, attributes) {
  return html`<form method="post" action="${action}"${attributes}>
${context?.session && html`<input type="hidden" name="form_token" value="${context.session.formToken}">`}
${content}
</form>`
}

/** Icons beside a text. They are decoration, hidden from screen readers. */
const shapes = {
  totp: html`<rect x="6.5" y="2.5" width="11" height="19" rx="2.5"/><path d="M11 18.5h2"/>`,
  sms: html`<path d="M4 4.5h16v12H10l-5 4v-4H4z"/><path d="M8.5 10.5h.01m3.49 0h.01m3.49 0h.01"/>`,
  backup_code: html`<path d="M9 6h11M9 12h11M9 18h11M4.5 6h.01M4.5 12h.01M4.5 18h.01"/>`,
  recovery_code: html`<circle cx="12" cy="12" r="9"/><circle cx="12" cy="12" r="3.8"/><path d="m5.7 5.7 3.6 3.6m5.4 5.4 3.6 3.6m0-12.6-3.6 3.6m-5.4 5.4-3.6 3.6"/>`,
  shield: html`<path d="M12 3l8 3v5.5c0 4.6-3.3 7.9-8 9.5-4.7-1.6-8-4.9-8-9.5V6z"/><path d="m8.5 12 2.5 2.5 4.5-4.7"/>`,
  good: html`<circle cx="12" cy="12" r="9"/><path d="m8 12.3 2.8 2.8L16 9.7"/>`,
  warning: html`<path d="M12 3.5 2.7 20h18.6z"/><path d="M12 10v4.2m0 2.8h.01"/>`,
  info: html`<circle cx="12" cy="12" r="9"/><path d="M12 11.5V16m0-8h.01"/>`,
}

export function icon(name) {
  return html`<svg class="icon" viewBox="0 0 24 24" aria-hidden="true">${shapes[name]}</svg>`
}

/** `kind`: good | warning | info. With `role`, a screen reader reads it when the page loads. */
export function notice(kind, content, role) {
  return html`<div class="notice ${kind}"${role && html` role="${role}"`}>${icon(kind)}<div>${content}</div></div>`
}

/** The error and its remedy in a sentence; nothing for a success. Fields refer to it by `aria-describedby`. */
export function problem(reply, context) {
  const text = sentence(reply, context?.now)
  return text && html`<div id="problem" class="notice warning" role="alert">${icon('warning')}<div>${text}</div></div>`
}

export function isProblem(reply) {
  return sentence(reply) !== undefined
}

/** Whether the error is in the field. */
export function isWrongInput(reply) {
  return ['wrong', 'malformed', 'already_used', 'expired', 'wrong_password'].includes(reply.result)
}

/** A label and its input, with hint and error. `attributes` are those of the input. */
export function field(name, label, attributes, { hint = undefined, wrong = false, id = name } = {}) {
  const described = [hint && `${id}-hint`, wrong && 'problem'].filter(Boolean).join(' ')
  return html`<div class="field">
<label for="${id}">${label}</label>
${hint && html`<p class="hint" id="${id}-hint">${hint}</p>`}
<input id="${id}" name="${name}"${described && html` aria-describedby="${described}"`}${wrong && html` aria-invalid="true"`} ${attributes}>
</div>`
}

/** Numbers of digits in words, as codes have them. */
export const inWords = { 6: 'six', 7: 'seven', 8: 'eight' }
const ordinals = { 6: 'sixth', 7: 'seventh', 8: 'eighth' }

/**
 * The field for a code from an app or an SMS, of as many digits as the reply says. The script drops spaces as they are
 * typed or pasted, and sends the form.
 */
export function codeField(label, { digits, wrong, sms = false, focus = true }) {
  return html`${field('code', label, html`class="code" required${focus && html` autofocus`} autocomplete="one-time-code" inputmode="numeric" title="${digits} digits" data-digits="${digits}"${sms && html` data-sms`}`, { wrong })}
<p class="hint scripted">It is sent as soon as the ${ordinals[digits]} digit is in.</p>`
}

export function longCodeField(label, { wrong, hint = undefined }) {
  return field(
    'code',
    label,
    html`class="code long" required autofocus autocomplete="off" autocapitalize="characters" autocorrect="off" spellcheck="false" placeholder="XXXX-XXXX-XXXX-XXXX"`,
    { wrong, hint },
  )
}

/** A button that cannot be pressed before `until`. The server refuses an early request as well. */
export function waitingButton(label, until, now) {
  const seconds = Math.max(0, until - now)
  return html`<button class="second" data-wait="${seconds}">${label}</button>
${seconds > 0 && html`<p class="hint unscripted">You can ask for another code at ${clockTime(until, now)}.</p>`}`
}

/** Copies the text of the element `from`. */
export function copyButton(from, what) {
  return html`<button type="button" class="second small scripted" data-copy="${from}"><span>Copy</span><span class="unseen"> ${what}</span></button>`
}

/** An action in two clicks: the first shows the warning, the second is on the button below it. */
export function confirmed(summary, content, { open = false, danger = false } = {}) {
  return html`<details class="confirm${danger && ' danger'}"${open && html` open`}>
<summary>${summary}</summary>
<div class="confirm-content">${content}</div>
</details>`
}

/**
 * A table that becomes a list of cards on a phone. There its CSS hides that it is a table, so the roles say it;
 * `data-name` shows the column's name beside the value. The first cell of each row names the row.
 */
export function table(label, columns, rows) {
  return html`<table role="table" aria-label="${label}">
<thead role="rowgroup"><tr role="row">${columns.map((name) => html`<th role="columnheader" scope="col">${name}</th>`)}</tr></thead>
<tbody role="rowgroup">
${rows.map(
  ([name, ...cells]) => html`<tr role="row"><th role="rowheader" scope="row">${name}</th>${cells.map(
    (cell, i) => html`
<td role="cell" data-name="${columns[i + 1]}"><div>${cell}</div></td>`,
  )}</tr>
`,
)}</tbody>
</table>`
}

/** A link to the outbox, in the demo only. */
export function demoOutbox({ demo }, what) {
  return (
    demo &&
    html`<p class="demo-hint"><span class="tag">Demo</span> <a href="/outbox" target="_blank">${what} in the outbox<span class="unseen"> (opens in a new tab)</span></a></p>`
  )
}

export const empty = (list) => list.length === 0
