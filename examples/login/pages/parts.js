// The parts of the pages: layout, notices, fields, buttons and tables. All of it works without a script.
// Attributes named data-* mark the elements that the scripts in assets/ improve.

import { asset } from '../assets.js'
import { html } from '../html.js'
import { languages, messages } from '../messages/index.js'
import { icon } from './icons.js'
import { isProblem, problem, success } from './sentences.js'
import { clockTime } from './times.js'

const product = 'Acme'

/** A whole page, with what it tells on top. `narrow`: the narrow layout of login pages and questions. */
export function layout(title, context, content, { narrow = false } = {}) {
  const { words, language, session, told } = context
  const isIn = context.entry?.state === 'in'
  const { scripts } = words.layout
  const done = success(told, context)
  return {
    body: html`<!doctype html>
<html lang="${language}" data-locale="${words.locale}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${isProblem(told, context) ? words.layout.error(title) : title} – ${product}</title>
<link rel="icon" href="${asset('icon.svg')}">
<link rel="stylesheet" href="${asset('tokens.css')}">
<link rel="stylesheet" href="${asset('style.css')}">
<script type="module" src="${asset('page.js')}" blocking="render"></script>
</head>
<body class="${narrow ? 'narrow' : 'wide'}">
<a class="skip" href="#content">${words.layout.skip}</a>
<header>
<a class="brand" href="/">${icon('shield')}${product}</a>
${isIn && navigation(context)}
${
  session &&
  html`<div class="who"><span class="email">${context.principal.email}</span>
${form(context, '/logout', html`<button class="quiet">${session.proof === 'password' ? words.layout.cancel : words.layout.logOut}</button>`)}</div>`
}
</header>
<main id="content" tabindex="-1">
<h1>${title}</h1>
${problem(told, context)}
${done && notice('good', done, 'status')}
${content}
</main>
<footer>${languageForm(context)}</footer>
<p id="announce" class="unseen" role="status"${Object.entries(scripts).map(([name, text]) => html` data-${kebab(name)}="${text}"`)}></p>
</body>
</html>
`,
  }
}

const kebab = (name) => name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)

function navigation({ principal, path, words }) {
  const { layout } = words
  const places = [['/security', layout.security]]
  if (principal.role === 'owner')
    places.push(['/users', layout.users], ['/policy', layout.policy], ['/audit', layout.audit])
  const here = (place) => path === place || path.startsWith(`${place}/`)
  return html`<nav aria-label="${layout.account}">
${places.map(([place, name]) => html`<a href="${place}"${here(place) && html` aria-current="page"`}>${name}</a>`)}
</nav>`
}

/** A button for each other language. The page stays where it is. */
function languageForm(context) {
  const { language, address, words } = context
  const others = languages.filter((each) => each !== language)
  return form(
    context,
    '/language',
    html`<input type="hidden" name="next" value="${address}">
${others.map((each) => html`<button class="quiet small" name="language" value="${each}" lang="${each}">${messages[each].name}</button>`)}`,
    html` class="languages" aria-label="${words.layout.language}"`,
  )
}

/** A form with the token of the session. The server refuses a form without it. */
export function form(context, action, content, attributes) {
  return html`<form method="post" action="${action}"${attributes}>
${context.session && html`<input type="hidden" name="form_token" value="${context.session.formToken}">`}
${content}
</form>`
}

export { icon }

/** `kind`: good | warning | info. With `role`, a screen reader reads it when the page loads. */
export function notice(kind, content, role) {
  return html`<div class="notice ${kind}"${role && html` role="${role}"`}>${icon(kind)}<div>${content}</div></div>`
}

/** @type {{ hint?: any, after?: any, wrong?: boolean, error?: any, button?: any, id?: string }} */
const noOptions = {}

/**
 * A label and its input, with hints. `attributes` are those of the input. Where it is `wrong`, the notice on top of the page
 * describes it. A long page does not show that notice beside the field, so `error` says it there once more, for the eyes alone.
 * `button` stands beside the input.
 */
export function field(name, label, attributes, { hint, after, wrong = false, error, button, id = name } = noOptions) {
  const described = [hint && `${id}-hint`, after && `${id}-after`, wrong && 'problem'].filter(Boolean).join(' ')
  const input = html`<input id="${id}" name="${name}"${described && html` aria-describedby="${described}"`}${wrong && html` aria-invalid="true"`} ${attributes}>`
  return html`<div class="field">
<label for="${id}">${label}</label>
${hint && html`<p class="hint" id="${id}-hint">${hint}</p>`}
${button ? html`<div class="with-button">${input}${button}</div>` : input}
${after && html`<p class="hint" id="${id}-after"><span class="scripted">${after}</span></p>`}
${wrong && error && html`<p class="error" aria-hidden="true">${error}</p>`}
</div>`
}

/** The field for a password, with a button that shows it. `attributes` tell a password manager which password it is. */
export function passwordField({ words }, name, label, attributes, options = noOptions) {
  const button = html`<button type="button" class="second scripted" aria-controls="${name}" aria-pressed="false" data-show>${words.layout.show}<span class="unseen">: ${label}</span></button>`
  return field(name, label, html`type="password" required autocapitalize="none" spellcheck="false" ${attributes}`, {
    ...options,
    button,
  })
}

/**
 * The field for a code from an app or an SMS, of as many digits as the reply says. The script drops spaces as they are
 * typed or pasted, and sends the form, which the field announces.
 */
export function codeField(context, label, { digits, wrong, error = undefined, sms = false, focus = true }) {
  const { secondStep } = context.words
  return field(
    'code',
    label,
    html`class="code" required${focus && html` autofocus`} autocomplete="one-time-code" inputmode="numeric" title="${secondStep.digitsTitle(digits)}" data-digits="${digits}"${sms && html` data-sms`}`,
    { wrong, error, after: secondStep.sendsItself(secondStep.sentAt[digits]) },
  )
}

/** The field for a backup or recovery code. Its name differs from the other's, so that a password manager fills neither with the other. */
export function longCodeField(name, label, { wrong }) {
  return field(
    name,
    label,
    html`class="code long" required autofocus autocomplete="off" autocapitalize="characters" autocorrect="off" spellcheck="false" placeholder="XXXX-XXXX-XXXX-XXXX"`,
    { wrong },
  )
}

/** A button that cannot be pressed before `until`. The server refuses an early request as well. */
export function waitingButton(context, label, until) {
  const seconds = Math.max(0, (until ?? context.now) - context.now)
  return html`<button class="second" data-wait="${seconds}">${label}</button>
${seconds > 0 && html`<p class="hint unscripted">${context.words.secondStep.againAt(clockTime(until, context))}</p>`}`
}

/** Copies the text of the element `from`. */
export function copyButton({ words }, from, what, { small = true } = {}) {
  return html`<button type="button" class="second${small && ' small'} scripted" data-copy="${from}"><span>${words.layout.copy}</span><span class="unseen"> ${what}</span></button>`
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
  ([name, ...cells]) => html`<tr role="row"><th role="rowheader" scope="row"><span>${name}</span></th>${cells.map(
    (cell, i) => html`
<td role="cell" data-name="${columns[i + 1]}"><div>${cell}</div></td>`,
  )}</tr>
`,
)}</tbody>
</table>`
}

/** A link to the outbox, in the demo only. */
export function demoOutbox({ demo, words }) {
  return (
    demo &&
    html`<p class="demo-hint"><span class="tag">${words.layout.demo}</span> <a href="/outbox" target="_blank">${words.secondStep.readSms}<span class="unseen"> ${words.layout.newTab}</span></a></p>`
  )
}

export const empty = (list) => list.length === 0
