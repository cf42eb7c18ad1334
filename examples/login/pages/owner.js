// For owners: people and API clients, and the audit log.

import { html } from '../html.js'
import { copyButton, form, layout, notice, table } from './parts.js'
import { settingName, settingValue } from './policy.js'
import { freshFactorPage, needsFreshFactor, problemPage } from './problems.js'
import { clockTime, events, methodNames, moment } from './words.js'

export const ownerPages = {
  users({ users, clients }, context) {
    const { go, admitted } = context.input
    return layout(
      'Users',
      context,
      html`
${admitted !== undefined && notice('good', 'Admitted. The rule is for API clients only: people come and go as before.', 'status')}
${go !== undefined && notice('good', 'Confirmed. Go on below; it is not asked for again in the next five minutes.', 'status')}
<p class="lead">Someone new, or someone without their phone and backup codes, gets in with a recovery code from you.</p>
${table(
  'People',
  ['Person', 'Second factor', 'Recovery code'],
  users.map((user) => userRow(context, user, go)),
)}
<h2>API clients</h2>
<p>They cannot answer a challenge. Where a second factor is asked for, only a rule for their address lets them in.</p>
${table(
  'API clients',
  ['Client', 'Last seen at', 'Now'],
  clients.map((client) => clientRow(context, client)),
)}`,
    )
  },

  issueRecoveryCode(reply, context) {
    if (needsFreshFactor(reply)) return freshFactorPage(context, `/users?go=${encodeURIComponent(context.input.user)}`)
    if (reply.result !== 'recovery_code') return problemPage(reply, context, '/users', 'Users')
    return layout(
      'Recovery code',
      context,
      html`
<p class="lead">For ${reply.email}, once, until ${clockTime(reply.expiresAt, context.now)}.</p>
<p class="big-code"><span id="recovery-code"><code>${reply.code}</code></span> ${copyButton('#recovery-code', 'the code')}</p>
${notice('warning', 'It is shown only here. Hand it over in person or by phone, never by e-mail or SMS.')}
<h2>What they do with it</h2>
<ol>
<li>Log in with e-mail address and password.</li>
<li>Choose “Use backup code”, then “Use recovery code”; someone new is asked for it at once.</li>
<li>Set up a second factor right away. Without one, they need another code next time.</li>
</ol>
<p><a class="button second" href="/users">Back to Users</a></p>`,
    )
  },

  admitClient(reply, context) {
    if (needsFreshFactor(reply)) return freshFactorPage(context, '/users')
    if (reply.result !== 'client_admitted') return problemPage(reply, context, '/users', 'Users')
    return { redirect: '/users?admitted=yes' }
  },

  audit({ events: found }, context) {
    return layout(
      'Audit',
      context,
      html`
<p class="lead">The last ${found.length === 1 ? 'event' : `${found.length} events`}, newest first.</p>
${table(
  'Events',
  ['When', 'Who', 'What', 'Details'],
  found.map((event) => [moment(event.at), event.user, events[event.event] ?? event.event, details(event)]),
)}`,
    )
  },
}

function userRow(context, { id, email, role, self, status }, go) {
  const { recoveryCode, enrolled, methods, backupCodes } = status
  return [
    html`${email} <span class="role">${role}${self && ', you'}</span>`,
    enrolled
      ? html`<span class="state good">${methods.map(({ method }) => methodNames[method]).join(' and ')}</span>
${backupCodes && html`<span class="minor">${backupCodes.left} backup codes left</span>`}`
      : html`<span class="state bad">None</span>`,
    self
      ? html`<span class="minor">Another owner can make one for you.</span>`
      : html`${recoveryCode && html`<p class="minor">One is good until ${clockTime(recoveryCode.expiresAt, context.now)}; a new one replaces it.</p>`}
${form(
  context,
  '/users/recovery-code',
  html`<input type="hidden" name="user" value="${id}">
<button class="second small"${go === id && html` autofocus`}>Generate recovery code<span class="unseen"> for ${email}</span></button>`,
)}`,
  ]
}

function clientRow(context, { id, lastIp, allowed, rule }) {
  if (lastIp === undefined) return [id, 'never', 'Not known before it comes']
  return [
    id,
    html`<code>${lastIp}</code>`,
    allowed
      ? html`<span class="state good">Gets in</span>`
      : html`<span class="state bad">Blocked</span>
${
  rule === undefined
    ? html`<span class="minor">It comes from a network that is <a href="/policy#deny">never let in</a>.</span>`
    : form(
        context,
        '/users/admit-client',
        html`<input type="hidden" name="client" value="${id}">
<button class="second small below">Admit from ${rule}<span class="unseen">: ${id}</span></button>`,
      )
}`,
  ]
}

function details({ times, method, factor, ip, reason, failures, by, operator, action, changes }) {
  return [
    changes?.map(changed).join('; '),
    times && `${times} times`,
    method && methodNames[method],
    factor && `“${factor.name}”`,
    (by ?? operator) && `by ${by ?? operator}`,
    action?.replaceAll('_', ' '),
    reason?.replaceAll('_', ' '),
    failures && `${failures} wrong in a row`,
    ip && `from ${ip}`,
  ]
    .filter(Boolean)
    .join(', ')
}

/** A setting that changed, in the words of the Policy page: from what to what, or the entries that came and went. */
function changed({ path, from, to, added = [], removed = [], more }) {
  const shown = (value) => settingValue(path, value)
  if (added.length === 0 && removed.length === 0) return `${settingName(path)}: ${shown(from)} → ${shown(to)}`
  const entries = [...added.map((entry) => `+ ${shown(entry)}`), ...removed.map((entry) => `− ${shown(entry)}`)]
  return `${settingName(path)}: ${entries.join(', ')}${more === undefined ? '' : `, and ${more} more`}`
}
