// For owners: people, their recovery codes, and API clients.

import { html } from '../html.js'
import { confirmed, copyButton, empty, field, form, layout, notice, table } from './parts.js'
import { clockTime } from './times.js'

export const ownerPages = {
  users({ users, count, page, pages, search, mayHelp, isOnlyOwner, clients }, context) {
    const { words, told } = context
    const { owners } = words
    return layout(
      owners.title,
      context,
      html`
${told?.result === 'client_admitted' && notice('good', owners.clients.admitted, 'status')}
<p class="lead">${owners.lead}</p>
${!mayHelp && notice('info', html`<p>${owners.needsFactor}</p><p><a href="/security">${words.login.setUpFirst.button}</a></p>`)}
${searchForm(search, owners)}
<p class="minor">${search === '' ? owners.count(count) : owners.found(count, search)}</p>
${
  !empty(users) &&
  table(
    owners.people,
    [owners.columns.person, owners.columns.factor, owners.columns.login, owners.columns.help],
    users.map((user) => userRow(user, { page, search, mayHelp, isOnlyOwner }, context)),
  )
}
${pages > 1 && pager({ page, pages, search }, owners.pages)}
<h2 id="clients">${owners.clients.title}</h2>
<p>${owners.clients.lead}</p>
${table(
  owners.clients.title,
  [owners.clients.columns.client, owners.clients.columns.lastSeen, owners.clients.columns.now],
  clients.map((client) => clientRow(client, { page, search }, context)),
)}`,
    )
  },

  recoveryCode(reply, context) {
    const { owners, layout: words } = context.words
    if (reply.result === 'no_recovery_code') return { redirect: '/users' }
    const back = html`<p><a class="button second" href="/users">${words.backToUsers}</a></p>`
    if (reply.result === 'recovery_code_over')
      return layout(owners.code.title, context, html`${notice('info', owners.code.over(reply.email), 'status')}${back}`)
    const { kind, email, code, expiresAt, replaces, hadFactor } = reply
    const isAskedAtOnce = kind === 'reset' || !hadFactor
    return layout(
      owners.code.title,
      context,
      html`
${kind === 'reset' && notice('good', owners.code.wasReset(email), 'status')}
${replaces && notice('info', owners.code.replaced, 'status')}
<p class="lead">${owners.code.lead(email, clockTime(expiresAt, context))}</p>
<p class="big-code"><span id="recovery-code"><code>${code}</code></span> ${copyButton(context, '#recovery-code', owners.code.theCode)}</p>
${notice('warning', owners.code.onlyHere)}
<h2>${owners.code.steps}</h2>
<ol>
<li>${owners.code.step1}</li>
<li>${isAskedAtOnce ? owners.code.step2Asked : owners.code.step2}</li>
<li>${owners.code.step3}</li>
</ol>
${back}`,
    )
  },
}

/** The address of the users at this page of this search. `go`: the person, or the action with one, to go on with. */
export function usersAt({ page = undefined, q = undefined, go = undefined }) {
  const isText = (value) => typeof value === 'string' && value !== ''
  const fields = Object.entries({ q, page: page === '1' ? '' : page, go }).filter(([, value]) => isText(value))
  return empty(fields) ? '/users' : `/users?${new URLSearchParams(fields)}`
}

function searchForm(search, owners) {
  return html`<form method="get" action="/users" role="search" class="search">
${field('q', owners.search, html`type="search" value="${search}" maxlength="256" autocomplete="off" autocapitalize="none" spellcheck="false"`)}
<div class="actions"><button class="second">${owners.searchButton}</button>
${search !== '' && html`<a class="button quiet" href="/users">${owners.showAll}</a>`}</div>
</form>`
}

function pager({ page, pages, search }, words) {
  const at = (number) => usersAt({ q: search, page: String(number) })
  return html`<div class="actions pages" role="navigation" aria-label="${words.label}">
${page > 1 && html`<a class="button second" rel="prev" href="${at(page - 1)}">${words.previous}</a>`}
<span class="minor">${words.of(page, pages)}</span>
${page < pages && html`<a class="button second" rel="next" href="${at(page + 1)}">${words.next}</a>`}
</div>`
}

/** The fields that lead back to this page of this search. */
const placeFields = ({ page, search }) =>
  html`<input type="hidden" name="page" value="${page}"><input type="hidden" name="q" value="${search}">`

function userRow(user, { mayHelp, isOnlyOwner, ...place }, context) {
  const { words } = context
  const { email, role, self, status, login } = user
  return [
    html`${email} <span class="role">${words.login.roles[role]}${self && `, ${words.owners.you}`}</span>`,
    factorsOf(status, words),
    loginState(login, context),
    self
      ? mayHelp && html`<span class="minor">${isOnlyOwner ? words.owners.onlyOwner : words.owners.askAnother}</span>`
      : mayHelp && help(user, place, context),
  ]
}

function factorsOf({ enrolled, methods, backupCodes }, { owners, layout }) {
  if (!enrolled) return html`<span class="state">${owners.noFactor}</span>`
  const names = [...new Set(methods.map(({ method }) => layout.methods[method]))]
  return html`<span class="state good">${names.join(owners.and)}</span>
${backupCodes && html`<span class="minor">${owners.codesLeft(backupCodes.left)}</span>`}`
}

function loginState({ state, reason, until, codeUntil, ip }, context) {
  const { login } = context.words.owners
  const kind = { in: ' good', set_up: ' good', code: '', out: ' bad' }[state]
  const why = reason && login.reasons[reason]
  const at = until !== undefined && clockTime(until, context)
  return html`<span class="state${kind}">${login[state]}</span>
${why && html`<span class="minor">${typeof why === 'function' ? why(reason === 'address' ? html`${ip}` : at) : why}</span>`}
${state === 'set_up' && html`<span class="minor">${login.setsUp}</span>`}
${state === 'code' && html`<span class="minor">${login.codeUntil(clockTime(codeUntil, context))}</span>`}`
}

function help({ id, email, status: { recoveryCode } }, place, context) {
  const { owners } = context.words
  const { go } = context.input
  return html`${recoveryCode && html`<p class="minor">${owners.codeAlive(clockTime(recoveryCode.expiresAt, context))}</p>`}
<div class="actions">
${form(
  context,
  '/users/recovery-code',
  html`<input type="hidden" name="user" value="${id}">${placeFields(place)}
<button class="second small"${go === id && html` autofocus`}>${owners.issue}<span class="unseen">${owners.forPerson(email)}</span></button>
${go === id && context.told?.result === 'factor_shown' && html`<p class="hint" aria-hidden="true">${context.words.done.factor_shown}</p>`}`,
)}
${confirmed(
  html`${owners.reset}<span class="unseen">${owners.forPerson(email)}</span>`,
  html`<p>${owners.resetWarning(email)}</p>
<p>${owners.resetPassword}</p>
${form(
  context,
  '/users/reset',
  html`<input type="hidden" name="user" value="${id}">${placeFields(place)}
<button class="danger"${go === `reset-${id}` && html` autofocus`}>${owners.resetButton}<span class="unseen">: ${email}</span></button>`,
)}`,
  { open: go === `reset-${id}`, danger: true },
)}
</div>`
}

function clientRow({ id, lastIp, allowed, rule }, place, context) {
  const { clients } = context.words.owners
  if (lastIp === undefined) return [id, clients.never, clients.notKnown]
  return [
    id,
    html`<code>${lastIp}</code>`,
    allowed
      ? html`<span class="state good">${clients.in}</span>`
      : html`<span class="state bad">${clients.blocked}</span>
${
  rule === undefined
    ? html`<span class="minor">${clients.denied}</span>`
    : form(
        context,
        '/users/admit-client',
        html`<input type="hidden" name="client" value="${id}"><input type="hidden" name="rule" value="${rule}">${placeFields(place)}
<button class="second small below">${clients.admit(rule)}<span class="unseen">: ${id}</span></button>`,
      )
}`,
  ]
}
