// For owners: people and API clients, the policy, and the audit log.

import { html } from '../html.js'
import { sameSitePath } from '../same-site.js'
import { copyButton, empty, form, layout, notice, table } from './parts.js'
import { freshFactorPage, needsFreshFactor, problemPage } from './problems.js'
import { clockTime, events, methodNames, moment } from './words.js'

export const ownerPages = {
  users({ users, clients }, context) {
    const { go } = context.input
    return layout(
      'Users',
      context,
      html`
${go !== undefined && notice('good', 'Confirmed. Go on below; it is not asked for again in the next five minutes.', 'status')}
<p class="lead">Someone new, or someone without their phone and backup codes, gets in with a recovery code from you.</p>
${table(
  'People',
  ['Person', 'Second factor', 'Recovery code'],
  users.map((user) => userRow(context, user, go)),
)}
<h2>API clients</h2>
<p>They cannot answer a challenge. Where a second factor is asked for, only an allow rule for their address lets them in.</p>
${table('API clients', ['Client', 'Last seen at', 'Now'], clients.map(clientRow))}`,
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

  policy: (reply, context) => policyPage(draftOf(context.input, reply), reply, context),

  changePolicy(reply, context) {
    if (needsFreshFactor(reply)) return freshFactorPage(context, withDraft(context.input))
    if (reply.result === 'policy_saved') return { redirect: '/policy?saved=yes' }
    if (reply.result === 'error') return policyPage(draftOf(context.input, context.account), reply, context)
    return reviewPage(reply, context)
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

function clientRow({ id, lastIp, allowed }) {
  if (lastIp === undefined) return [id, 'never', 'Not known before it comes']
  return [
    id,
    html`<code>${lastIp}</code>`,
    allowed
      ? html`<span class="state good">Gets in</span>`
      : html`<span class="state bad">Blocked</span> <a class="minor" href="/policy">Add an allow rule</a>`,
  ]
}

function details({ times, method, ip, reason, failures, by, action }) {
  return [
    times && `${times} times`,
    method && methodNames[method],
    by && `by ${by}`,
    action?.replaceAll('_', ' '),
    reason?.replaceAll('_', ' '),
    failures && `${failures} wrong in a row`,
    ip && `from ${ip}`,
  ]
    .filter(Boolean)
    .join(', ')
}

// Policy

const requirements = [
  ['optional', 'Whoever has set it up', 'Others log in with their password.'],
  ['everyone', 'Everyone', 'Who has not set it up can log in only with a recovery code.'],
  ['networks', 'Everyone who comes from these networks', 'Such as: all the internet but your office.'],
]

/** The values of the form, as it sends them: the draft in `input` if there is one, else the saved policy. */
function draftOf(input, { require, network, name }) {
  if (typeof input.require === 'string') {
    const text = (key) => (typeof input[key] === 'string' ? input[key].trim() : '')
    const lines = (key) =>
      text(key)
        .split(/[\s,]+/)
        .join('\n')
    return {
      draft: true,
      require: input.require,
      networks: lines('networks'),
      allow: lines('allow'),
      deny: lines('deny'),
      name: text('name') || name,
    }
  }
  return {
    draft: false,
    require: require.networks ? 'networks' : require,
    networks: (require.networks ?? []).join('\n'),
    allow: network.allow.join('\n'),
    deny: network.deny.join('\n'),
    name,
  }
}

/** The address of the form with the typed values, so that they survive the second step in between. */
function withDraft(input) {
  const fields = ['require', 'networks', 'allow', 'deny', 'name'].filter((key) => typeof input[key] === 'string')
  const address = `/policy?${new URLSearchParams(fields.map((key) => [key, input[key].trim().split(/\s+/).join(' ')]))}`
  // A draft too long for an address, or with characters that `sameSitePath` refuses, is lost: the form shows the saved policy.
  return sameSitePath(address) === address ? address : '/policy'
}

/** The field of the form for the part of the policy that an error names. */
const fieldOf = (path = '') =>
  /^(?:require\.(networks)|network\.(allow|deny)|(name))/.exec(path)?.slice(1).find(Boolean) ?? 'require'

function policyPage(draft, reply, context) {
  const wrong = reply.result === 'error' ? fieldOf(reply.path) : undefined
  const saved = context.input.saved === 'yes'
  return layout(
    'Policy',
    context,
    html`
${wrong && policyProblem(reply, draft, wrong)}
${saved && notice('good', 'Saved. It holds at once, for open sessions too.', 'status')}
${draft.draft && !wrong && notice('info', 'This is your draft. Nothing is saved yet.', 'status')}
${form(
  context,
  '/policy',
  html`
<fieldset class="card-like">
<legend>Who needs a second factor</legend>
${requirements.map(
  ([
    value,
    label,
    about,
  ]) => html`<label class="choice"><input type="radio" name="require" value="${value}"${value === draft.require && html` checked`}>
<span>${label} <span class="minor">${about}</span></span></label>`,
)}
<div class="for-networks">${ranges('networks', 'These networks, one a line', 'Such as 198.51.100.0/24 or 2001:db8::/32', draft.networks, wrong)}</div>
</fieldset>
<fieldset class="card-like">
<legend>From where people and API clients may log in</legend>
${ranges('allow', 'Allow only these networks', 'Empty: from everywhere. An allow rule also admits API clients where a second factor is asked for.', draft.allow, wrong)}
${ranges('deny', 'Never these networks', 'Beats the rules above.', draft.deny, wrong)}
<p class="hint">You are at <code>${context.ip}</code> now.</p>
</fieldset>
<fieldset class="card-like with-preview">
<legend>In people’s authenticator apps</legend>
<div>
<div class="field">
<label for="name">Name of this account</label>
<p class="hint" id="name-hint">Shown in the app above each code, and in each SMS. It changes new set-ups only.</p>
<input id="name" name="name" value="${draft.name}" required maxlength="40" autocomplete="organization" aria-describedby="name-hint${wrong === 'name' && ' problem'}"${wrong === 'name' && html` aria-invalid="true" autofocus`} data-preview="#preview">
</div>
<p class="hint scripted">The QR code is a sample: what an app shows after scanning it, with your own e-mail address. It logs nobody in.</p>
</div>
<second-factor-qr id="preview" class="qr scripted" issuer="${draft.name}" label="${context.principal.email}" sample></second-factor-qr>
</fieldset>
<button>See what this changes</button>`,
)}`,
    { error: wrong !== undefined },
  )
}

function ranges(name, label, hint, value, wrong) {
  return html`<div class="field">
<label for="${name}">${label}</label>
<p class="hint" id="${name}-hint">${hint}</p>
<textarea id="${name}" name="${name}" rows="2" spellcheck="false" autocapitalize="none" aria-describedby="${name}-hint${wrong === name && ' problem'}"${wrong === name && html` aria-invalid="true" autofocus`}>
${value}</textarea>
</div>`
}

const placesOfFields = {
  networks: 'In the networks that need a second factor',
  allow: 'In the allowed networks',
  deny: 'In the networks to keep out',
  name: 'The name',
  require: 'Who needs a second factor',
}

/** Names the field with the mistake, and the line in it. */
function policyProblem({ path = '', message }, draft, wrong) {
  const line = draft[wrong]?.split('\n')[/\[(\d+)\]/.exec(path)?.[1]]
  return html`<div id="problem">${notice('warning', html`${placesOfFields[wrong]}${line && html`, <code>${line}</code>`} ${message.replace(/^`[^`]*`:? */, '')}. Correct it and try again.`, 'alert')}</div>`
}

function reviewPage(reply, context) {
  const { require, network, review } = reply
  const asked = require.networks
    ? `Everyone who comes from ${require.networks.join(', ')}`
    : requirements.find(([value]) => value === require)[1]
  const clean =
    !review.refused && empty(review.needRecoveryCode) && empty(review.blockedUsers) && empty(review.blockedApiClients)
  const rules = review.blockedApiClients.map(({ rule }) => rule).filter(Boolean)
  const hidden = (allow) => html`
<input type="hidden" name="require" value="${require.networks ? 'networks' : require}">
<input type="hidden" name="networks" value="${require.networks?.join(' ')}">
<input type="hidden" name="allow" value="${allow.join(' ')}">
<input type="hidden" name="deny" value="${network.deny.join(' ')}">
<input type="hidden" name="name" value="${reply.name}">`
  return layout(
    'Before you save',
    context,
    html`
${
  review.refused &&
  notice(
    'warning',
    html`
${
  review.locksOutAuthor &&
  html`<p>You would shut yourself out. ${
    network.allow.length > 0 || network.deny.length > 0
      ? html`Look at the address rules: you are at <code>${context.ip}</code>.`
      : 'Set up a second factor for yourself first, under Security.'
  }</p>`
}
${review.locksOutOwners && html`<p>No owner could log in any more. Let an owner set up a second factor first, or admit their network.</p>`}
${review.noRescue && html`<p>People would need a recovery code, and no owner could make one. Let an owner set up a second factor first.</p>`}`,
    'alert',
  )
}
<dl class="facts wide-facts">
<div><dt>Second factor</dt> <dd>${asked}</dd></div>
<div><dt>Allowed networks</dt> <dd>${empty(network.allow) ? 'everywhere' : network.allow.join(', ')}</dd></div>
<div><dt>Never</dt> <dd>${empty(network.deny) ? 'none' : network.deny.join(', ')}</dd></div>
<div><dt>Name in apps</dt> <dd>${reply.name}</dd></div>
</dl>
${clean && notice('good', 'Nobody is shut out by this.')}
${people('These people will need a recovery code', 'They have no second factor that works. Make each of them a code under Users when they want to log in.', review.needRecoveryCode)}
${people('These people will be shut out', 'They were last seen at an address that these rules turn away.', review.blockedUsers)}
${
  !empty(review.blockedApiClients) &&
  html`<section class="card-like review">
<h2>These API clients will be blocked</h2>
<p>A program cannot answer a challenge; an allow rule for its address lets it in.</p>
<ul>${review.blockedApiClients.map(
    ({ id, rule }) =>
      html`<li>${id}: ${
        rule
          ? html`the allow rule <code>${rule}</code> would admit it`
          : 'it was never seen, so add the address it calls from to the allow rules'
      }</li>`,
  )}</ul>
${
  !empty(rules) &&
  form(
    context,
    '/policy',
    html`${hidden([...network.allow, ...rules])}
<button class="second">Add ${rules.length === 1 ? 'this rule' : 'these rules'} and look again</button>`,
  )
}
${!empty(rules) && empty(network.allow) && html`<p class="minor">Mind that with an allow rule only the networks listed get in, people too: add those of your people as well.</p>`}
</section>`
}
${form(
  context,
  '/policy',
  html`${hidden(network.allow)}
<input type="hidden" name="confirmed" value="yes">
${
  review.refused &&
  html`<label class="choice"><input type="checkbox" name="force" value="yes" required>
<span>I know that this locks us out. Save it all the same.</span></label>`
}
<div class="actions">
<button${review.refused && html` class="danger"`}>Save</button>
<a class="button second" href="${withDraft({
    require: require.networks ? 'networks' : require,
    networks: require.networks?.join(' ') ?? '',
    allow: network.allow.join(' '),
    deny: network.deny.join(' '),
    name: reply.name,
  })}">Change it</a>
<a class="button quiet" href="/policy">Back without saving</a>
</div>`,
)}`,
    { error: review.refused },
  )
}

function people(title, about, emails) {
  return (
    !empty(emails) &&
    html`<section class="card-like review">
<h2>${title}</h2>
<p>${about}</p>
<ul>${emails.map((email) => html`<li>${email}</li>`)}</ul>
</section>`
  )
}
