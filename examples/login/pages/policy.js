// For owners: the account's rules as a form, and the people and API clients that a change would shut out.

import { html } from '../html.js'
import { dayOf, entryOf, lineOf, rulesOf } from '../network-lists.js'
import { sameSitePath } from '../same-site.js'
import { empty, form, layout, notice } from './parts.js'
import { freshFactorPage, needsFreshFactor } from './problems.js'
import { moment } from './words.js'

export const policyPages = {
  policy: (reply, context) => policyPage(draftOf(context.input, reply), reply, context),

  draftPolicy: (reply, context) => policyPage(draftOf(context.input, context.account), reply, context),

  changePolicy(reply, context) {
    if (needsFreshFactor(reply)) return freshFactorPage(context, withDraft(draftOf(context.input, context.account)))
    if (reply.result === 'policy_saved') return { redirect: '/policy?saved=yes' }
    if (reply.result === 'error') return policyPage(draftOf(context.input, context.account), reply, context)
    return reviewPage(reply, context)
  },
}

/** The names of the settings, here and on the Audit page. */
const legends = {
  require: 'Who must have a second factor',
  roles: 'People with one of these roles',
  firstFactor: 'How people who have none get their first',
  name: 'Name of this account',
}

const requirements = [
  ['optional', 'Nobody: each person decides', 'People without one log in with their password.'],
  ['everyone', 'Everyone', 'People without one are asked as chosen below.'],
  ['some', 'Some people', 'People whom one of these rules meets.'],
]

const roles = [
  ['owner', 'Owners'],
  ['member', 'Members'],
]

/** The ways to a first second factor, where one must be there. */
const firstFactors = [
  ['recovery_code', 'Only with a recovery code', 'An owner makes one for each of them, under Users.'],
  [
    'password',
    'By themselves when they log in',
    'Only people who never had one. Whoever knows such a person’s password can do it too; you are told each time.',
  ],
]

/** The lists of networks, in the order of the page. */
const lists = {
  networks: {
    title: 'People who come from these networks',
    howTo: 'how-to-some',
    hint: 'Such as a guest network.',
    place: 'In the networks that need a second factor',
  },
  outside: {
    title: 'People who come from outside these networks',
    howTo: 'how-to-some',
    hint: 'Such as everywhere but your office.',
    place: 'In the networks that need no second factor',
  },
  allow: {
    title: 'Allow only these networks',
    howTo: 'how-to',
    hint: 'Empty: from everywhere. People come only from here, and API clients too, unless the next list admits them. A network here also lets API clients in where a second factor is asked for.',
    place: 'In the allowed networks',
  },
  api: {
    title: 'API clients from these networks',
    howTo: 'how-to',
    hint: 'They need no second factor, and may come from outside the allowed networks. People are not concerned.',
    place: 'In the networks of API clients',
  },
  deny: {
    title: 'Never these networks',
    howTo: 'how-to',
    hint: 'It beats both lists above.',
    place: 'In the networks to keep out',
  },
}
const names = Object.keys(lists)

/** A list with more rules than this is shown as lines. */
const MAX_ROWS = 50

/** The values of the form: the draft in `input` if there is one, else the saved policy. */
function draftOf(input, { require, firstFactor, network, name }) {
  if (typeof input.require === 'string') {
    return {
      draft: true,
      require: input.require,
      firstFactor: typeof input.firstFactor === 'string' ? input.firstFactor : firstFactor,
      roles: [input.roles ?? []].flat().map(String),
      name: (typeof input.name === 'string' && input.name.trim()) || name,
      ...Object.fromEntries(names.map((list) => [list, rulesOf(input, list)])),
    }
  }
  return {
    draft: false,
    require: typeof require === 'string' ? require : 'some',
    firstFactor,
    roles: require.roles ?? [],
    networks: require.networks ?? [],
    outside: require.outside ?? [],
    allow: network.allow ?? [],
    api: network.api ?? [],
    deny: network.deny ?? [],
    name,
  }
}

/** The fields of a draft; each list is text, with `separator` between its lines. */
function fieldsOf({ require, firstFactor, roles, name, ...rest }, separator) {
  return [
    ['require', require],
    ['firstFactor', firstFactor],
    ...roles.map((role) => ['roles', role]),
    ...names.map((list) => [list, rest[list].map(lineOf).join(separator)]),
    ['name', name],
  ]
}

/** The address of the form with the typed values, so that they survive the second step in between. */
function withDraft(draft) {
  // No control character may be in an address, so that a line of a list ends with U+2028 here.
  const address = `/policy?${new URLSearchParams(fieldsOf(draft, '\u2028'))}`
  // A draft too long for an address, or with characters that `sameSitePath` refuses, is lost: the form shows the saved policy.
  return sameSitePath(address) === address ? address : '/policy'
}

/** The field of the form for the part of the policy that an error names. */
const fieldOf = (path = '') =>
  /^(?:require\.(networks|outside)|network\.(allow|api|deny)|(name))/.exec(path)?.slice(1).find(Boolean) ?? 'require'

function policyPage(draft, reply, context) {
  const wrong = reply.result === 'error' ? { field: fieldOf(reply.path), index: indexOf(reply.path) } : undefined
  const saved = context.input.saved === 'yes'
  const list = (name) => ruleList(name, draft[name], wrong?.field === name ? wrong : undefined, context)
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
${/* The Enter key presses the first button of a form. */ ''}<button hidden>See what this changes</button>
<fieldset class="card-like">
<legend>${legends.require}</legend>
${requirements.map(
  ([
    value,
    label,
    about,
  ]) => html`<label class="choice"><input type="radio" name="require" value="${value}"${value === draft.require && html` checked`}>
<span>${label} <span class="minor">${about}</span></span></label>`,
)}
<div class="for-some">
<fieldset class="list">
<legend>${legends.roles}</legend>
${roles.map(
  ([
    value,
    label,
  ]) => html`<label class="choice"><input type="checkbox" name="roles" value="${value}"${draft.roles.includes(value) && html` checked`}>
<span>${label}</span></label>`,
)}
</fieldset>
${howTo('how-to-some')}
${list('networks')}
${list('outside')}
</div>
</fieldset>
<fieldset class="card-like first-factor">
<legend>${legends.firstFactor}</legend>
${firstFactors.map(
  ([
    value,
    label,
    about,
  ]) => html`<label class="choice"><input type="radio" name="firstFactor" value="${value}"${value === draft.firstFactor && html` checked`}>
<span>${label} <span class="minor">${about}</span></span></label>`,
)}
</fieldset>
<fieldset class="card-like">
<legend>From where people and API clients may log in</legend>
${howTo('how-to')}
<p class="hint">You are at <code>${context.ip}</code> now.</p>
${list('allow')}
${list('api')}
${list('deny')}
</fieldset>
<fieldset class="card-like with-preview">
<legend>In people’s authenticator apps</legend>
<div>
<div class="field">
<label for="name">${legends.name}</label>
<p class="hint" id="name-hint">Shown in the app above each code, and in each SMS. It changes new set-ups only.</p>
<input id="name" name="name" value="${draft.name}" required maxlength="40" autocomplete="organization" aria-describedby="name-hint${wrong?.field === 'name' && ' problem'}"${wrong?.field === 'name' && html` aria-invalid="true" autofocus`} data-preview="#preview">
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

/** How a network is written, for the lists beside it. */
const howTo = (
  id,
) => html`<p class="hint" id="${id}">To add networks, type or paste them, one a line: a network, an address, or a range
such as 192.0.2.10 – 192.0.2.20. Text after # is a note.</p>`

/** A list of networks: a row for each rule, and a field that takes more, line by line. */
function ruleList(name, rules, wrong, { now }) {
  const { title, hint, howTo } = lists[name]
  const asLines = rules.length > MAX_ROWS
  const there = `/policy/draft#${name}`
  const isWrong = wrong && (asLines || wrong.index === undefined)
  return html`<fieldset class="list" id="${name}">
<legend>${title}</legend>
<p class="hint" id="${name}-hint">${hint}</p>
${
  !asLines &&
  !empty(rules) &&
  html`<ul class="rules">${rules.map((rule, index) => ruleRow(name, entryOf(rule), index, wrong?.index === index, now, there))}</ul>`
}
<div class="add">
<div><label for="${name}-add">${asLines ? 'Networks' : 'Add networks'}<span class="unseen">: ${title.toLowerCase()}</span></label>
<textarea id="${name}-add" name="${name}" rows="${asLines ? 12 : 1}" spellcheck="false" autocapitalize="none" aria-describedby="${name}-hint ${howTo}${isWrong && ' problem'}"${isWrong && html` aria-invalid="true" autofocus`}>
${asLines && rules.map(lineOf).join('\n')}</textarea></div>
${!asLines && html`<button class="second small" formaction="${there}" formnovalidate>Add<span class="unseen"> to: ${title.toLowerCase()}</span></button>`}
</div>
</fieldset>`
}

function ruleRow(name, { network, note, until }, index, isWrong, now, there) {
  const id = (field) => `${name}-${index}-${field}`
  const day = dayOf(until)
  const ended = Number.isSafeInteger(until) && until <= now
  // A field for a date holds no time, and no text that is no date.
  const kind = day === '' || /^\d{4}-\d\d-\d\d$/.test(day) ? 'date' : 'text'
  return html`<li${ended && html` class="ended"`}>
<div><label for="${id('network')}">Network <span class="unseen">${index + 1}</span></label>
<input id="${id('network')}" name="${name}.network" value="${network}" spellcheck="false" autocapitalize="none" autocomplete="off"${isWrong && html` aria-invalid="true" aria-describedby="problem" autofocus`}></div>
<div><label for="${id('note')}">Note <span class="unseen">on ${network}</span></label>
<input id="${id('note')}" name="${name}.note" value="${note}" maxlength="200" autocomplete="off"></div>
<div><label for="${id('until')}">Last day <span class="unseen">of ${network}, if it ends</span>${ended && html`<span class="state bad">Ended</span>`}</label>
<input id="${id('until')}" name="${name}.until" type="${kind}" value="${day}"></div>
<button class="second small" name="drop" value="${name}.${index}" formaction="${there}" formnovalidate>Remove<span class="unseen"> ${network}</span></button>
</li>`
}

const indexOf = (path = '') => {
  const [, index] = /\[(\d+)\]/.exec(path) ?? []
  return index === undefined ? undefined : Number(index)
}

/** Names the field with the mistake, and the rule in it. */
function policyProblem({ path = '', message }, draft, { field, index }) {
  const place = lists[field]?.place ?? (field === 'name' ? 'The name' : legends.require)
  const rule = index === undefined ? undefined : draft[field]?.[index]
  const what = /\.note$/.test(path) ? 'its note ' : /\.until$/.test(path) ? 'its last day ' : ''
  const said = message.replace(/^`[^`]*`:? */, '')
  return html`<div id="problem">${notice('warning', html`${place}${rule !== undefined && html`, <code>${entryOf(rule).network}</code>${what && ','}`}${rule === undefined && index === undefined && ':'} ${what}${said}. Correct it and try again.`, 'alert')}</div>`
}

// Before a change is saved

const families = { ipv4: 'IPv4', ipv6: 'IPv6' }

/** What follows from a list that names no address of a family. */
const forgotten = {
  'network.allow': (family) => `Nobody gets in over ${family}: the allowed networks hold no such address.`,
  'network.api': (family) => `API clients that come over ${family} are not admitted: their list holds no such address.`,
  'network.deny': (family) => `Everyone still gets in over ${family}: the networks to keep out hold no such address.`,
  'require.networks': (family) => `People who come over ${family} are not asked: the networks hold no such address.`,
  'require.outside': (family) => `Everyone who comes over ${family} is asked: the networks hold no such address.`,
}

function reviewPage(reply, context) {
  const { require, firstFactor, network, review } = reply
  const draft = draftOf({}, reply)
  const clean =
    !review.refused &&
    empty(review.needRecoveryCode) &&
    empty(review.setUpByPassword) &&
    empty(review.blockedUsers) &&
    empty(review.blockedApiClients) &&
    empty(review.forgottenFamilies)
  const rules = review.blockedApiClients.filter(({ rule }) => rule).map(({ id, rule }) => ({ network: rule, note: id }))
  const hidden = (values) =>
    fieldsOf(values, '\n').map(([name, value]) => html`<input type="hidden" name="${name}" value="${value}">`)
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
    !empty(network.allow) || !empty(network.deny)
      ? html`Look at the address rules: you are at <code>${context.ip}</code>.`
      : 'Set up a second factor for yourself first, under Security.'
  }</p>`
}
${review.locksOutOwners && html`<p>No owner could log in any more. Let an owner set up a second factor first, or admit their network.</p>`}
${review.noRescue && html`<p>People would need a recovery code, and no owner could make one. Let an owner set up a second factor first.</p>`}`,
    'alert',
  )
}
${
  !empty(review.forgottenFamilies) &&
  notice(
    'warning',
    review.forgottenFamilies.map(({ list, family }) => html`<p>${forgotten[list](families[family])}</p>`),
  )
}
<dl class="facts wide-facts">
<div><dt>Second factor</dt> <dd>${asked(require, context)}</dd></div>
${require !== 'optional' && html`<div><dt>First one</dt> <dd>${firstFactors.find(([value]) => value === firstFactor)[1]}</dd></div>`}
<div><dt>Allowed networks</dt> <dd>${ruleFacts(network.allow, 'everywhere', context)}</dd></div>
<div><dt>API clients from</dt> <dd>${ruleFacts(network.api, 'no network of their own', context)}</dd></div>
<div><dt>Never</dt> <dd>${ruleFacts(network.deny, 'none', context)}</dd></div>
<div><dt>Name in apps</dt> <dd>${reply.name}</dd></div>
</dl>
${clean && notice('good', 'Nobody is shut out by this.')}
${people('These people will need a recovery code', 'They have no second factor that works. Make each of them a code under Users when they want to log in.', review.needRecoveryCode)}
${people('These people will set up their first second factor when they log in', 'Their password alone is enough for that. You are told each time.', review.setUpByPassword)}
${people('These people will be shut out', 'They were last seen at an address that these rules turn away.', review.blockedUsers)}
${
  !empty(review.blockedApiClients) &&
  html`<section class="card-like review">
<h2>These API clients will be blocked</h2>
<p>A program cannot answer a challenge. A rule for its address lets it in, and concerns nobody else.</p>
<ul>${review.blockedApiClients.map(({ id, rule, reason }) => html`<li>${id}: ${remedy(rule, reason)}</li>`)}</ul>
${
  !empty(rules) &&
  form(
    context,
    '/policy',
    html`${hidden({ ...draft, api: [...draft.api, ...rules] })}
<button class="second">Admit ${rules.length === 1 ? rules[0].note : 'these clients'} and look again</button>`,
  )
}
</section>`
}
${form(
  context,
  '/policy',
  html`${hidden(draft)}
<input type="hidden" name="confirmed" value="yes">
${
  review.refused &&
  html`<label class="choice"><input type="checkbox" name="force" value="yes" required>
<span>I know that this locks us out. Save it all the same.</span></label>`
}
<div class="actions">
<button${review.refused && html` class="danger"`}>Save</button>
<a class="button second" href="${withDraft(draft)}">Change it</a>
<a class="button quiet" href="/policy">Back without saving</a>
</div>`,
)}`,
    { error: review.refused },
  )
}

function remedy(rule, reason) {
  if (rule) return html`a rule for <code>${rule}</code> would admit it`
  if (reason === 'address_denied') return 'it comes from a network that is never let in'
  return 'it was never seen, so add the address it calls from to the networks of API clients'
}

/** A sentence about `require`. */
function asked(require, context) {
  if (typeof require === 'string') return requirements.find(([value]) => value === require)[1]
  const { roles, networks, outside } = require
  const rules = [
    roles && html`people with the role ${roles.join(' or ')}`,
    networks && html`people from ${ruleFacts(networks, '', context)}`,
    outside && html`people from outside ${ruleFacts(outside, '', context)}`,
  ].filter(Boolean)
  return rules.map((rule, index) => html`${index > 0 && ', and '}${rule}`)
}

/** Networks with their notes and ends, in a line. */
function ruleFacts(rules, none, { now }) {
  if (empty(rules)) return none
  return rules
    .map(entryOf)
    .map(
      ({ network, note, until }, index) =>
        html`${index > 0 && ', '}<code>${network}</code>${note && html` (${note})`}${
          until !== undefined && html` ${until <= now ? 'ended' : 'until'} ${moment(until)}`
        }`,
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

// For the Audit page

/** The name of a setting. A setting that this page does not have keeps the name in the policy. */
export function settingName(path) {
  const name = path.replace(/^(?:require|network)\./, '')
  return legends[name] ?? lists[name]?.title ?? path
}

/** The value of a setting, or an entry of a list. Without a value, \`require\` holds rules, which are settings of their own. */
export function settingValue(path, value) {
  const words = { require: requirements, 'require.roles': roles, firstFactor: firstFactors }[path] ?? []
  const wanted = value ?? (path === 'require' ? 'some' : undefined)
  const [, label] = words.find(([word]) => word === wanted) ?? []
  if (label !== undefined) return `“${label}”`
  if (wanted === undefined) return 'not set'
  return typeof wanted === 'object' && !Array.isArray(wanted) ? lineOf(wanted) : `${wanted}`
}
