// For owners: the account's rules as a form. policy-review.js shows what a change does before it is saved.

import { html } from '../html.js'
import { dayOf, entryOf, lineOf } from '../network-lists.js'
import { empty, form, layout, notice } from './parts.js'
import { formOf, isList, listNames } from './policy-form.js'
import { reviewPage } from './policy-review.js'

export const policyPages = {
  policy(reply, context) {
    const kept = context.session.pending.shown?.policyDraft
    const isDraft = context.input.draft === 'yes' && kept !== undefined
    return policyPage(isDraft ? kept : formOf(reply), { isDraft, hasDraft: kept !== undefined }, context)
  },

  policyReview(reply, context) {
    switch (reply.result) {
      case 'policy_preview':
        return reviewPage(reply, context)
      case 'policy_mistake':
        return { redirect: '/policy?draft=yes', tell: reply.mistake }
      // It was saved or discarded, perhaps in another tab.
      default:
        return { redirect: '/policy' }
    }
  },
}

/** A list with more rules than this is shown as lines. */
const MAX_ROWS = 50

function policyPage(draft, { isDraft, hasDraft }, context) {
  const { words, told } = context
  const { policy } = words
  const found = told?.result === 'error' && isDraft ? mistakeIn(told, draft) : undefined
  const wrong = found && { ...found, sentence: mistake(found, policy) }
  const list = (name, howTo) =>
    ruleList(name, draft[name], { wrong: wrong?.field === name ? wrong : undefined, howTo }, context)
  return layout(
    policy.title,
    wrong ? { ...context, told: { result: 'mistake', sentence: wrong.sentence } } : context,
    html`
${told?.result === 'policy_saved' && notice('good', policy.saved, 'status')}
${isDraft && !wrong && notice('info', policy.isDraft, 'status')}
${hasDraft && !isDraft && keptDraft(context)}
${form(
  context,
  '/policy',
  html`
${/* The Enter key presses the first button of a form. */ ''}<button hidden>${policy.see}</button>
<input type="hidden" name="base" value="${draft.base}">
<fieldset class="card-like">
<legend>${policy.legends.require}</legend>
${choices('require', policy.require, draft.require, wrong)}
<div class="for-some">
<fieldset class="list">
<legend>${policy.legends.roles}</legend>
${Object.entries(policy.roles).map(
  ([
    value,
    label,
  ]) => html`<label class="choice"><input type="checkbox" name="roles" value="${value}"${draft.roles.includes(value) && html` checked`}>
<span>${label}</span></label>`,
)}
</fieldset>
<p class="hint" id="how-to-some">${policy.howTo}</p>
${list('networks', 'how-to-some')}
${list('outside', 'how-to-some')}
</div>
</fieldset>
<fieldset class="card-like first-factor">
<legend>${policy.legends.firstFactor}</legend>
${choices('firstFactor', policy.firstFactor, draft.firstFactor, wrong)}
</fieldset>
<fieldset class="card-like">
<legend>${policy.network}</legend>
<p class="hint" id="how-to">${policy.howTo}</p>
<p class="hint">${policy.youAreAt(context.ip)}</p>
${list('allow', 'how-to')}
${list('api', 'how-to')}
${list('deny', 'how-to')}
</fieldset>
<fieldset class="card-like with-preview">
<legend>${policy.apps}</legend>
<div>
<div class="field">
<label for="name">${policy.legends.name}</label>
<p class="hint" id="name-hint">${policy.nameHint}</p>
<input id="name" name="name" value="${draft.name}" required maxlength="40" autocomplete="organization" aria-describedby="name-hint${wrong?.field === 'name' && ' problem'}"${wrong?.field === 'name' && html` aria-invalid="true" autofocus`} data-preview="#preview">
</div>
<p class="hint scripted">${policy.sample}</p>
</div>
<second-factor-qr id="preview" class="qr scripted" issuer="${draft.name}" label="${context.principal.email}" sample></second-factor-qr>
</fieldset>
<button>${policy.see}</button>`,
)}`,
  )
}

function keptDraft(context) {
  const { policy } = context.words
  return notice(
    'info',
    html`<p>${policy.hasDraft} <a href="/policy?draft=yes">${policy.goOn}</a></p>
${form(context, '/policy/draft', html`<button class="second small" name="discard" value="yes">${policy.discard}</button>`)}`,
  )
}

/** Radio buttons. Where the mistake is in their answer, the chosen one has the focus. */
function choices(name, options, chosen, wrong) {
  const isWrong = wrong?.field === name
  const focused = Object.hasOwn(options, chosen) ? chosen : Object.keys(options)[0]
  return Object.entries(options).map(
    ([value, { label, about }]) =>
      html`<label class="choice"><input type="radio" name="${name}" value="${value}"${value === chosen && html` checked`}${isWrong && html` aria-describedby="problem"${value === focused && html` autofocus`}`}>
<span>${label} <span class="minor">${about}</span></span></label>`,
  )
}

/** A list of networks: a row for each rule, and a field that takes more, line by line. */
function ruleList(name, rules, { wrong, howTo }, { now, words, input }) {
  const { policy } = words
  const isNew = (index) => wrong === undefined && input.added === `${name}.${index}`
  const { title, hint } = policy.lists[name]
  const asLines = rules.length > MAX_ROWS
  const isWrong = wrong && (asLines || wrong.index === undefined)
  return html`<fieldset class="list" id="${name}">
<legend>${title}</legend>
<p class="hint" id="${name}-hint">${hint}</p>
${
  !asLines &&
  !empty(rules) &&
  html`<ul class="rules">${rules.map((rule, index) => ruleRow(name, entryOf(rule), index, { wrong: wrong?.index === index ? wrong : undefined, isNew: isNew(index), now, policy }))}</ul>`
}
<div class="add">
<div><label for="${name}-add">${asLines ? policy.networks : policy.addNetworks}<span class="unseen">: ${title}</span></label>
<textarea id="${name}-add" name="${name}" rows="${asLines ? 12 : 1}" spellcheck="false" autocapitalize="none" aria-describedby="${name}-hint ${howTo}${isWrong && ' problem'}"${isWrong && html` aria-invalid="true" autofocus`}>
${asLines && rules.map(lineOf).join('\n')}</textarea>${isWrong && html`<p class="error" aria-hidden="true">${wrong.sentence}</p>`}</div>
${!asLines && html`<button class="second small" name="add" value="${name}" formaction="/policy/draft" formnovalidate>${policy.add}<span class="unseen">${policy.addTo(title)}</span></button>`}
</div>
</fieldset>`
}

function ruleRow(name, { network, note, until }, index, { wrong, isNew, now, policy: { row } }) {
  const id = (field) => `${name}-${index}-${field}`
  const day = dayOf(until)
  const ended = Number.isSafeInteger(until) && until <= now
  // A field for a date holds no time, and no text that is no date.
  const kind = day === '' || /^\d{4}-\d\d-\d\d$/.test(day) ? 'date' : 'text'
  return html`<li${ended && html` class="ended"`}>
<div><label for="${id('network')}">${row.network} <span class="unseen">${index + 1}</span></label>
<input id="${id('network')}" name="${name}.network" value="${network}" spellcheck="false" autocapitalize="none" autocomplete="off"${wrong && html` aria-invalid="true" aria-describedby="problem"`}${(wrong || isNew) && html` autofocus`}></div>
<div><label for="${id('note')}">${row.note} <span class="unseen">${row.on(network)}</span></label>
<input id="${id('note')}" name="${name}.note" value="${note}" maxlength="200" autocomplete="off"></div>
<div><label for="${id('until')}">${row.until} <span class="unseen">${row.ifItEnds(network)}</span>${ended && html`<span class="state bad">${row.ended}</span>`}</label>
<input id="${id('until')}" name="${name}.until" type="${kind}" value="${day}"></div>
<button class="second small" name="drop" value="${name}.${index}" formaction="/policy/draft" formnovalidate>${row.remove}<span class="unseen"> ${network}</span></button>
${wrong && html`<p class="error" aria-hidden="true">${wrong.sentence}</p>`}
</li>`
}

/** The field of the form, the rule in it, and the sentence for a mistake, from the path in the policy and the engine's message. */
function mistakeIn({ path = '', message }, draft) {
  const field =
    /^(?:require\.(networks|outside)|network\.(allow|api|deny)|(name|firstFactor)$)/
      .exec(path)
      ?.slice(1)
      .find(Boolean) ?? 'require'
  const [, place] = /\[(\d+)\]/.exec(path) ?? []
  const index = place === undefined ? undefined : Number(place)
  return {
    field,
    index,
    network: isList(field) && entryOf(draft[field][index] ?? '').network,
    ...reasonOf(path, message),
  }
}

function reasonOf(path, message) {
  const [, meant] = /; write (\S+)$/.exec(message) ?? []
  if (/\.note$/.test(path)) return { reason: 'note' }
  if (/\.until$/.test(path)) return { reason: 'until' }
  if (meant !== undefined) return { reason: 'networkWithMore', meant }
  if (/\[\d+\](?:\.network)?$/.test(path) && !path.startsWith('require.roles')) return { reason: 'network' }
  if (path === 'name') return { reason: 'name' }
  // The policy says so of rules that name nobody, and the form sends other mistakes only where somebody has changed it.
  return { reason: /^`require(?:\.\w+)?`: name/.test(message) ? 'noRule' : 'other' }
}

/** The sentence about a mistake: it names the field, and the rule in it. */
function mistake({ field, network, reason, meant = undefined }, policy) {
  const place = isList(field) ? policy.lists[field].place : policy.legends[field]
  const text = policy.wrong[reason]
  const said = typeof text === 'function' ? text(meant) : text
  return policy.wrongAt(place, network, said)
}

// For the Audit page

/** The name of a setting. A setting that this page does not have keeps the name in the policy. */
export function settingName(path, { policy }) {
  const name = path.replace(/^(?:require|network)\./, '')
  return policy.legends[name] ?? (listNames.includes(name) ? policy.lists[name].title : path)
}

/** The value of a setting, or an entry of a list. Without a value, `require` holds rules, which are settings of their own. */
export function settingValue(path, value, { policy, audit }) {
  const options =
    { require: policy.require, 'require.roles': policy.roles, firstFactor: policy.firstFactor }[path] ?? {}
  const wanted = value ?? (path === 'require' ? 'some' : undefined)
  const option = Object.hasOwn(options, wanted) ? options[wanted] : undefined
  if (option !== undefined) return audit.quoted(option.label ?? option)
  if (wanted === undefined) return audit.notSet
  return typeof wanted === 'object' && !Array.isArray(wanted) ? lineOf(wanted) : `${wanted}`
}
