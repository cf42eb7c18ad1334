// For owners: what a draft of the policy changes, from what to what: the settings, and the people and API clients whom it shuts out
// or lets in. It comes before the draft is saved.

import { html } from '../html.js'
import { entryOf, lineOf } from '../network-lists.js'
import { empty, form, layout, notice } from './parts.js'
import { fieldsOf, formOf } from './policy-form.js'
import { moment } from './times.js'

/** The most people whom a list names. */
const mostNamed = 100

export function reviewPage({ require, firstFactor, network, name, base, outdated, review, changes }, context) {
  const words = context.words.policy.review
  const draft = formOf({ require, firstFactor, network, name, base })
  const { people, clients, unchanged } = changes
  const peopleWho = (state) => people.filter(({ after }) => after === state)
  const blocked = clients.filter(({ after }) => after === 'out')
  const isClean = !review.refused && empty(review.forgottenFamilies) && [...people, ...clients].every(isIn)
  const isRefused = context.told?.result === 'policy_refused'
  return layout(
    words.title,
    isRefused ? { ...context, told: { result: 'mistake', sentence: words.refused } } : context,
    html`
${outdated && notice('warning', html`${savedBy(outdated, context)} ${words.outdated.look}`, 'alert')}
${review.setUpByPassword.includes(context.principal.email) && notice('warning', words.setsUpAuthor)}
${review.refused && notice('warning', lockOuts(review, context), 'alert')}
${
  !empty(review.forgottenFamilies) &&
  notice(
    'warning',
    review.forgottenFamilies.map(({ list, family }) => html`<p>${words.forgotten[list](families[family])}</p>`),
  )
}
${settings({ require, firstFactor, network, name }, context)}
${isClean && notice('good', words.clean)}
${group(words.needCode, peopleWho('code'), words, (person) => whyNotIn(person, words))}
${group(words.setUp, peopleWho('set_up'), words, (person) => whyNotIn(person, words))}
${group(words.blocked, peopleWho('out'), words, (person) => whyNotIn(person, words))}
${group(words.freed, peopleWho('in'), words)}
${group(words.clients.blocked, blocked, words, (client) => whyBlocked(client, words.clients), admission(blocked, draft, context))}
${group(words.clients.freed, clients.filter(isIn), words)}
${unchanged.people + unchanged.clients > 0 && html`<p>${words.unchanged(unchanged.people, unchanged.clients)}</p>`}
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

const isIn = ({ after }) => after === 'in'

const families = { ipv4: 'IPv4', ipv6: 'IPv6' }

/** The values of the draft as they are on this page: what it shows is what is saved. */
const hidden = (draft) =>
  fieldsOf(draft).map(([name, value]) => html`<input type="hidden" name="${name}" value="${value}">`)

/** A sentence with the owner who saved the present rules, and the time. */
function savedBy({ by, at }, context) {
  const { outdated } = context.words.policy.review
  if (by === undefined) return outdated.unknown
  const time = moment(at, context)
  return by === context.principal.email ? outdated.bySelf(time) : outdated.by(by, time)
}

const isAddress = (reason) => /^address_/.test(reason)

/** The lock-outs, each with the reason that holds: an address, or a missing factor. */
function lockOuts({ locksOutAuthor, authorReason, locksOutOwners, ownerReasons = [], noRescue }, { ip, words }) {
  const { review } = words.policy
  const { address, factor, either } = review.ownersHelp
  const help = ownerReasons.every(isAddress) ? address : ownerReasons.some(isAddress) ? either : factor
  return html`
${locksOutAuthor && html`<p>${review.locksOutAuthor} ${review.authorAt[authorReason]?.(ip) ?? review.setUpFirst}</p>`}
${locksOutOwners && html`<p>${review.locksOutOwners} ${help}</p>`}
${/* Where no owner can log in, none can make a code either. */ ''}${noRescue && !locksOutOwners && html`<p>${review.noRescue}</p>`}`
}

/** The settings that change, and the number of those that stay. */
function settings(next, context) {
  const { account, words } = context
  const { review, firstFactor } = words.policy
  const { facts } = review
  const list = (name, none) => listChange(account.network[name], next.network[name], none, context)
  const all = [
    [facts.secondFactor, valueChange(asked(account.require, context), asked(next.require, context))],
    [facts.first, valueChange(firstFactor[account.firstFactor].label, firstFactor[next.firstFactor].label)],
    [facts.allow, list('allow', review.everywhere)],
    [facts.api, list('api', review.noApi)],
    [facts.deny, list('deny', review.noDeny)],
    [facts.name, valueChange(account.name, next.name)],
  ]
  const changed = all.filter(([, change]) => change)
  const rest = all.length - changed.length
  return html`<section class="card-like review">
<h2>${review.settings}</h2>
${!empty(changed) && html`<dl class="facts wide-facts">${changed.map(([name, change]) => html`<div><dt>${name}</dt> <dd>${change}</dd></div>`)}</dl>`}
${rest > 0 && html`<p>${empty(changed) ? review.noSetting : review.otherSettings(rest)}</p>`}
</section>`
}

const valueChange = (before, after) =>
  String(before) !== String(after) && html`<span class="before">${before}</span> → ${after}`

/** The entries of a list that come and go; where it was empty, or will be, from what to what. */
function listChange(before, after, none, context) {
  const { added, removed } = context.words.policy.review
  const shown = (rules) => networksIn(rules, none, context)
  const missingIn = (rules) => {
    const lines = new Set(rules.map(lineOf))
    return (rule) => !lines.has(lineOf(rule))
  }
  const [come, gone] = [after.filter(missingIn(before)), before.filter(missingIn(after))]
  if (empty(come) && empty(gone)) return false
  if (empty(before) || empty(after)) return valueChange(shown(before), shown(after))
  return html`${!empty(come) && html`<div>${added} ${shown(come)}</div>`}${!empty(gone) && html`<div>${removed} ${shown(gone)}</div>`}`
}

/** People or API clients for whom something changes: how each stands before and after, and perhaps the reason. */
function group({ title, about }, all, { states, more }, reasonFor = undefined, remedy = undefined) {
  const named = all.slice(0, mostNamed)
  const reason = (each) => reasonFor && html` <span class="minor">${reasonFor(each)}</span>`
  return (
    !empty(all) &&
    html`<section class="card-like review">
<h2>${title}</h2>
${about && html`<p>${about}</p>`}
<ul>${named.map((each) => html`<li><strong>${each.name}</strong> <span class="before">${states[each.before]}</span> → ${states[each.after]}${reason(each)}</li>`)}</ul>
${all.length > named.length && html`<p>${more(all.length - named.length)}</p>`}
${remedy}
</section>`
  )
}

function whyNotIn({ reason, ip }, { reasons }) {
  const text = reasons[reason]
  return typeof text === 'function' ? text(ip) : text
}

/** Why an API client is shut out, and the remedy where there is one. */
function whyBlocked({ rule, reason }, { reasons, byRule, addAddress }) {
  const remedy = rule ? byRule(rule) : reason !== 'address_denied' && addAddress
  return html`${reasons[reason]} ${remedy}`
}

/** A button that adds the rules for these API clients to the draft. */
function admission(clients, draft, context) {
  const { admitOne, admitAll } = context.words.policy.review.clients
  const rules = clients.filter(({ rule }) => rule).map(({ id, rule }) => ({ network: rule, note: id }))
  return (
    !empty(rules) &&
    form(
      context,
      '/policy',
      html`${hidden({ ...draft, api: [...draft.api, ...rules] })}
<button class="second">${rules.length === 1 ? admitOne(rules[0].note) : admitAll}</button>`,
    )
  )
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
