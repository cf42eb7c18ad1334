// For owners: the audit log, searched and page by page, and its files.

import { mostExported } from '../audit.js'
import { csvOf, jsonLinesOf } from '../audit-export.js'
import { ocsfLinesOf } from '../audit-ocsf.js'
import { html } from '../html.js'
import { dayIn } from '../time-zones.js'
import { eventDetails } from './activity.js'
import { empty, field, layout, table } from './parts.js'
import { settingName, settingValue } from './policy.js'
import { moment } from './times.js'

export const auditPages = {
  audit({ events, search, older, wrong }, context) {
    const { words, told, input } = context
    const { audit } = words
    const sentence =
      told?.result === 'too_many_events' ? audit.export.tooMany(mostExported) : wrong && audit.filter[wrong.reason]
    const isSearch = Object.values(search).some((value) => value !== '')
    const zone = search.zone || undefined
    return layout(
      audit.title,
      sentence === undefined ? context : { ...context, told: { result: 'mistake', sentence } },
      html`
<p class="lead">${audit.lead}</p>
${searchForm(search, wrong, isSearch, context)}
${!wrong && !empty(events) && exports(search, audit.export)}
${!wrong && html`<h2${isSearch && html` tabindex="-1" autofocus`}>${audit.table}</h2>`}
${
  empty(events)
    ? !wrong &&
      html`<p>${isSearch || input.before !== undefined ? audit.noneFound : audit.none}${zone && html` ${daysOf(zone, context)}`}</p>`
    : table(
        audit.table,
        [audit.columns.when, audit.columns.who, audit.columns.what, audit.columns.details],
        events.map((event) => [
          moment(event.at, { ...context, zone }),
          event.user,
          words.events[event.event] ?? event.event,
          auditDetails(event, context),
        ]),
      )
}
${
  (older !== undefined || input.before !== undefined) &&
  html`<div class="actions pages" role="navigation" aria-label="${audit.pages}">
${input.before !== undefined && html`<a class="button second" href="${auditAt(search)}">${audit.newest}</a>`}
${older !== undefined && html`<a class="button second" rel="next" href="${auditAt({ ...search, before: String(older) })}">${audit.older}</a>`}
</div>`
}`,
    )
  },

  exportAudit(reply, context) {
    if (reply.result === 'too_many_events') return { redirect: auditAt(reply.search), tell: { result: reply.result } }
    const { format, events, nameOf, account } = reply
    const describe = (event) => ({
      what: context.words.events[event.event] ?? event.event,
      details: auditDetails(event, context),
    })
    return { file: files[format](events, { nameOf, describe, account }) }
  },
}

const files = {
  csv: (events, context) => ({ name: 'audit.csv', type: 'text/csv', text: csvOf(events, context) }),
  jsonl: (events) => ({ name: 'audit.jsonl', type: 'application/x-ndjson', text: jsonLinesOf(events) }),
  ocsf: (events, context) => ({
    name: 'audit-ocsf.jsonl',
    type: 'application/x-ndjson',
    text: ocsfLinesOf(events, context),
  }),
}

/** The address of a page of this search, or of one of its files. */
function auditAt(fields, path = '/audit') {
  const given = Object.entries(fields).filter(([, value]) => value !== '')
  return empty(given) ? path : `${path}?${new URLSearchParams(given)}`
}

/** The sentence about the zone of days and times. */
function daysOf(zone, { words, now }) {
  const { filter } = words.audit
  return zone === 'UTC' ? filter.daysOfUtc(dayIn(zone, now)) : filter.days(zone)
}

/** Days are those of the reader's zone, which a script tells, and of UTC without it. A search keeps its zone. */
function searchForm({ person, kind, from, to, zone, address }, wrong, isSearch, context) {
  const { words } = context
  const { filter } = words.audit
  const day = (name, value) =>
    field(name, filter[name], html`type="date" value="${value}"${wrong?.field === name && html` autofocus`}`, {
      wrong: wrong?.field === name,
    })
  const kinds = Object.entries(words.events).sort(([, a], [, b]) => a.localeCompare(b, words.locale))
  return html`<form method="get" action="/audit" role="search" class="search card-like" aria-label="${filter.label}">
${field('person', filter.person, html`type="search" value="${person}" maxlength="256" autocomplete="off" autocapitalize="none" spellcheck="false"`)}
<div class="field">
<label for="kind">${filter.kind}</label>
<select id="kind" name="kind">
<option value="">${filter.anyKind}</option>
${kinds.map(([name, label]) => html`<option value="${name}"${name === kind && html` selected`}>${label}</option>`)}
</select>
</div>
${field('address', filter.address, html`type="search" value="${address}" maxlength="256" autocomplete="off" autocapitalize="none" spellcheck="false"${wrong?.field === 'address' && html` autofocus`}`, { wrong: wrong?.field === 'address' })}
${day('from', from)}
${day('to', to)}
<input type="hidden" name="zone" value="${zone}">
<p class="hint"${zone === '' && html` data-days="${filter.days('{zone}')}"`}>${daysOf(zone || 'UTC', context)}</p>
<div class="actions"><button>${filter.button}</button>
${isSearch && html`<a class="button quiet" href="/audit">${filter.all}</a>`}</div>
</form>`
}

function exports(search, words) {
  const link = (format) =>
    html`<a class="button second" href="${auditAt({ format, ...search }, '/audit/export')}" download>${words[format]}</a>`
  return html`<section aria-labelledby="export">
<h2 id="export">${words.title}</h2>
<p>${words.lead}</p>
<div class="actions">${['csv', 'jsonl', 'ocsf'].map(link)}</div>
</section>`
}

/** The particulars of an event, in a line. */
function auditDetails(event, context) {
  const { words } = context
  const { audit } = words
  const { changes, before, fromUser, toUser, factors, event: kind } = event
  return [
    changes?.map((change) => changed(change, words)).join('; '),
    kind === 'factor_renamed' && before && audit.before(before),
    fromUser && audit.movedFrom(fromUser),
    toUser && audit.movedTo(toUser),
    factors && !empty(factors) && audit.factors(factors.map(({ name }) => audit.quoted(name)).join(', ')),
    eventDetails(event, context),
  ]
    .filter(Boolean)
    .join(', ')
}

/** A setting that changed, in the words of the Policy page: from what to what, or the entries that came and went. */
function changed({ path, from, to, added = [], removed = [], more }, words) {
  const name = settingName(path, words)
  const shown = (value) => settingValue(path, value, words)
  if (empty(added) && empty(removed)) return `${name}: ${shown(from)} → ${shown(to)}`
  const entries = [...added.map((entry) => `+ ${shown(entry)}`), ...removed.map((entry) => `− ${shown(entry)}`)]
  return [`${name}: ${entries.join(', ')}`, more !== undefined && words.audit.more(more)].filter(Boolean).join(', ')
}
