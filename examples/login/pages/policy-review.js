// For owners: what a draft of the policy changes, and the people and API clients that it would shut out, before it is saved.

import { html } from '../html.js'
import { entryOf } from '../network-lists.js'
import { empty, form, layout, notice } from './parts.js'
import { fieldsOf, formOf } from './policy-form.js'
import { moment } from './times.js'

/** The most people whom a list names. */
const mostNamed = 100

export function reviewPage({ require, firstFactor, network, name, base, isOutdated, review }, context) {
  const { policy } = context.words
  const words = policy.review
  const draft = formOf({ require, firstFactor, network, name, base })
  const clean =
    !review.refused &&
    empty(review.needRecoveryCode) &&
    empty(review.setUpByPassword) &&
    empty(review.blockedUsers) &&
    empty(review.blockedApiClients) &&
    empty(review.forgottenFamilies)
  const isRefused = context.told?.result === 'policy_refused'
  return layout(
    words.title,
    isRefused ? { ...context, told: { result: 'mistake', sentence: words.refused } } : context,
    html`
${isOutdated && notice('warning', words.outdated, 'alert')}
${review.setUpByPassword.includes(context.principal.email) && notice('warning', words.setsUpAuthor)}
${review.refused && notice('warning', lockOuts(review, network, context), 'alert')}
${
  !empty(review.forgottenFamilies) &&
  notice(
    'warning',
    review.forgottenFamilies.map(({ list, family }) => html`<p>${words.forgotten[list](families[family])}</p>`),
  )
}
<dl class="facts wide-facts">
<div><dt>${words.facts.secondFactor}</dt> <dd>${asked(require, context)}</dd></div>
${require !== 'optional' && html`<div><dt>${words.facts.first}</dt> <dd>${policy.firstFactor[firstFactor].label}</dd></div>`}
<div><dt>${words.facts.allow}</dt> <dd>${networksIn(network.allow, words.everywhere, context)}</dd></div>
<div><dt>${words.facts.api}</dt> <dd>${networksIn(network.api, words.noApi, context)}</dd></div>
<div><dt>${words.facts.deny}</dt> <dd>${networksIn(network.deny, words.noDeny, context)}</dd></div>
<div><dt>${words.facts.name}</dt> <dd>${name}</dd></div>
</dl>
${clean && notice('good', words.clean)}
${people(words.needCode, review.needRecoveryCode, words)}
${people(words.setUp, review.setUpByPassword, words)}
${people(words.blocked, review.blockedUsers, words)}
${!empty(review.blockedApiClients) && blockedClients(review.blockedApiClients, draft, context)}
${form(
  context,
  '/policy',
  html`${hidden(draft)}
<input type="hidden" name="confirmed" value="yes">
${
  review.refused &&
  html`<label class="choice"><input type="checkbox" name="force" value="yes" required${isRefused && html` aria-invalid="true" autofocus`}>
<span>${words.force}</span></label>`
}
<div class="actions">
<button${review.refused && html` class="danger"`}>${words.save}</button>
<a class="button second" href="/policy?draft=yes">${words.change}</a>
<button class="quiet" name="discard" value="yes" formaction="/policy/draft" formnovalidate>${words.back}</button>
</div>`,
)}`,
  )
}

const families = { ipv4: 'IPv4', ipv6: 'IPv6' }

/** The values of the draft as they are on this page: what it shows is what is saved. */
const hidden = (draft) =>
  fieldsOf(draft).map(([name, value]) => html`<input type="hidden" name="${name}" value="${value}">`)

function lockOuts({ locksOutAuthor, locksOutOwners, noRescue }, network, { ip, words }) {
  const { review } = words.policy
  const hasAddressRules = !empty(network.allow) || !empty(network.deny)
  return html`
${locksOutAuthor && html`<p>${review.locksOutAuthor} ${hasAddressRules ? review.lookAtAddresses(ip) : review.setUpFirst}</p>`}
${locksOutOwners && html`<p>${review.locksOutOwners}</p>`}
${/* Where no owner can log in, none can make a code either. */ ''}${noRescue && !locksOutOwners && html`<p>${review.noRescue}</p>`}`
}

function people({ title, about }, emails, { more }) {
  const named = emails.slice(0, mostNamed)
  return (
    !empty(emails) &&
    html`<section class="card-like review">
<h2>${title}</h2>
<p>${about}</p>
<ul>${named.map((email) => html`<li>${email}</li>`)}</ul>
${emails.length > named.length && html`<p>${more(emails.length - named.length)}</p>`}
</section>`
  )
}

/** The API clients that would be blocked, and a button that adds the rules for them to the draft. */
function blockedClients(clients, draft, context) {
  const words = context.words.policy.review.clients
  const rules = clients.filter(({ rule }) => rule).map(({ id, rule }) => ({ network: rule, note: id }))
  const remedy = ({ id, rule, reason }) => {
    if (rule) return words.byRule(id, rule)
    return reason === 'address_denied' ? words.denied(id) : words.neverSeen(id)
  }
  return html`<section class="card-like review">
<h2>${words.title}</h2>
<p>${words.about}</p>
<ul>${clients.map((client) => html`<li>${remedy(client)}</li>`)}</ul>
${
  !empty(rules) &&
  form(
    context,
    '/policy',
    html`${hidden({ ...draft, api: [...draft.api, ...rules] })}
<button class="second">${rules.length === 1 ? words.admitOne(rules[0].note) : words.admitAll}</button>`,
  )
}
</section>`
}

/** A sentence about `require`. */
function asked(require, context) {
  const { policy } = context.words
  if (typeof require === 'string') return policy.require[require].label
  const { roles, networks, outside } = require
  const words = policy.review
  const rules = [
    roles && words.withRoles(roles.map((role) => policy.roles[role] ?? role).join(words.or)),
    networks && words.from(networksIn(networks, '', context)),
    outside && words.fromOutside(networksIn(outside, '', context)),
  ].filter(Boolean)
  return rules.map((rule, index) => html`${index > 0 && words.and}${rule}`)
}

/** Networks with their notes and ends, in a line. */
function networksIn(rules, none, context) {
  const { review } = context.words.policy
  if (empty(rules)) return none
  return rules
    .map(entryOf)
    .map(
      ({ network, note, until }, index) =>
        html`${index > 0 && ', '}<code>${network}</code>${note && html` (${note})`}${
          until !== undefined && (until <= context.now ? review.ended : review.until)(moment(until, context))
        }`,
    )
}
