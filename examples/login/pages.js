// The HTML rendering: one function per use-case, `(reply, context) => { body } | { redirect }`.
// Forms and links only, so every page works without JavaScript.

import { backupCodes } from 'countersign'
import { html } from './html.js'
import { sameSitePath } from './same-site.js'

const methodNames = {
  totp: 'Authenticator app',
  sms: 'SMS',
  backup_code: 'Backup code',
  recovery_code: 'Recovery code',
}

// What a person reads for each reply that is not a success.

const reasons = {
  address_denied: 'You cannot log in from this network.',
  address_not_allowed: 'You cannot log in from this network.',
  address_unknown: 'You cannot log in from this network.',
  enrolment_required:
    'This account asks for a second factor and you have not set one up. Ask an owner of the account for a recovery code, then log in again.',
  no_usable_method: 'None of your second factors can be used at the moment. Ask an owner for a recovery code.',
  method_not_offered: 'This way of logging in is not offered.',
  number_not_allowed: 'SMS is offered for Australian mobile numbers only.',
  plan: 'Your plan does not include two-factor authentication.',
  not_enrolled: 'Set up two-factor authentication first.',
  not_required: 'You have not set up a second factor yet.',
  not_kept: 'These codes cannot be shown again. You can make a new set.',
  not_for_oneself: 'You cannot make a recovery code for yourself. Another owner can.',
  owner_only: 'Only an owner of the account can do this.',
  ticket_invalid: 'This login is no longer open. Log in again.',
  ticket_expired: 'That took too long. Log in again.',
  fresh_factor_required: 'Confirm that it is you first.',
  cross_site: 'This request came from another site and was refused.',
  form_outdated: 'This page is out of date. Open it again.',
}

function sentence(reply) {
  switch (reply.result) {
    case 'wrong': {
      const tries = reply.attemptsLeft === 1 ? 'One more try' : `${reply.attemptsLeft} more tries`
      return reply.retryAt === undefined
        ? `That code is not right. ${tries} before you have to wait.`
        : `That code is not right. Try again after ${clockTime(reply.retryAt)}.`
    }
    case 'malformed':
      return `Please type ${reply.expected}.`
    case 'expired':
      return 'That code is no longer valid. Ask for a new one.'
    case 'locked':
      return reply.retryAt === undefined
        ? 'Too many wrong codes. Only a recovery code from an owner of the account helps now.'
        : `Too many wrong codes. Try again after ${clockTime(reply.retryAt)}.`
    case 'sms_refused':
      return reply.retryAt === undefined
        ? 'No SMS was sent: there were too many.'
        : `No SMS was sent: there were too many. Try again after ${clockTime(reply.retryAt)}.`
    case 'denied':
      return reasons[reply.reason] ?? 'This is not possible.'
    case 'wrong_password':
      return 'The e-mail address or the password is not right.'
    case 'throttled':
      return `Too many tries. Try again after ${clockTime(reply.retryAt)}.`
    case 'not_found':
      return 'There is no such page.'
    case 'error':
      return reply.message ? `This request could not be understood: ${reply.message}` : 'This did not work. Please try again.'
    default:
      return undefined
  }
}

// Parts

function layout(title, context, content) {
  const isIn = context?.entry?.state === 'in'
  return {
    body: html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${title} – Acme</title>
<link rel="stylesheet" href="/style.css">
</head>
<body>
<header>
<a class="brand" href="/">Acme</a>
${isIn && html`<nav aria-label="Account">
<a href="/security">Security</a>
${context.principal.role === 'owner' && html`<a href="/users">Users</a> <a href="/policy">Policy</a> <a href="/audit">Audit</a>`}
</nav>`}
${context?.session && form(context, '/logout', html`<button class="plain">Log out</button>`)}
</header>
<main>
<h1>${title}</h1>
${content}
</main>
</body>
</html>
`,
  }
}

function form(context, action, content) {
  return html`<form method="post" action="${action}">
${context?.session && html`<input type="hidden" name="form_token" value="${context.session.formToken}">`}
${content}
</form>`
}

/** Said aloud by screen readers as soon as the page opens. */
function alert(reply) {
  const text = sentence(reply)
  return text && html`<p class="alert" role="alert">${text}</p>`
}

function codeField(label, digitsOnly = true) {
  return html`<label>${label}
<input name="code" required autofocus autocomplete="one-time-code" ${digitsOnly
    ? html`inputmode="numeric" pattern="[0-9 ]*"`
    : html`autocapitalize="characters" spellcheck="false"`}>
</label>`
}

function clockTime(seconds) {
  return `${new Date(seconds * 1000).toISOString().slice(11, 19)} UTC`
}

function moment(seconds) {
  const text = new Date(seconds * 1000).toISOString()
  return html`<time datetime="${text}">${text.slice(0, 16).replace('T', ' ')} UTC</time>`
}

function needsFreshFactor(reply) {
  return reply.result === 'denied' && reply.reason === 'fresh_factor_required'
}

function freshFactorForm(context, next) {
  return form(context, '/security/fresh-factor', html`<input type="hidden" name="next" value="${next}">
<button>Continue</button>`)
}

function freshFactorPage(context, next) {
  return layout('Confirm it is you', context, html`
<p>This needs a code from your second factor, even though you are logged in.</p>
${freshFactorForm(context, next)}`)
}

function setUpFirstPage(context) {
  return layout('A second factor is needed', context, html`
<p>The page that you opened needs a second factor, and you have not set one up.
Set one up now; then you can go on to that page.</p>
<p><a href="/security">Set up a second factor</a></p>`)
}

function loginPage(context, reply, next) {
  return layout('Log in', undefined, html`
${alert(reply)}
<form method="post" action="/login">
<input type="hidden" name="next" value="${next}">
<label>E-mail address
<input type="email" name="email" required autocomplete="username" autofocus>
</label>
<label>Password
<input type="password" name="password" required autocomplete="current-password">
</label>
<button>Log in</button>
</form>`)
}

function secondStepPage(context, reply, chosen) {
  const { methods } = context.session.challenge
  const offered = methods.map(({ method }) => method)
  const method = offered.includes(chosen) || chosen === 'recovery_code' ? chosen : offered[0]
  const hint = methods.find((each) => each.method === method)?.hint
  const others = offered.filter((each) => each !== method && each !== 'recovery_code')
  const labels = {
    totp: 'Code from your authenticator app',
    sms: 'Code from the SMS',
    backup_code: 'One of your backup codes',
    recovery_code: 'Recovery code from an owner of the account',
  }
  const switchTo = { totp: 'Use the authenticator app', sms: 'Use SMS', backup_code: 'Use backup code', recovery_code: 'Use recovery code' }
  // The last resort shows only after the last but one, or when there is nothing else.
  if (method === 'backup_code') others.push('recovery_code')
  return layout('Second step', context, html`
${alert(reply)}
${reply.result === 'sms_sent' && html`<p role="status">We sent a code to ${reply.hint}.</p>`}
${method === 'sms' && form(context, '/login/second-step/sms', html`<p>Your number: ${hint}</p>
<button class="plain">${reply.result === 'sms_sent' ? 'Send another code' : 'Send me a code'}</button>`)}
${form(context, '/login/second-step', html`<input type="hidden" name="method" value="${method}">
${codeField(labels[method], method === 'totp' || method === 'sms')}
<button>Continue</button>`)}
<ul class="choices">
${others.map((other) => html`<li><a href="/login/second-step?method=${other}">${switchTo[other]}</a></li>`)}
</ul>`)
}

function newCodesPage(context, title, codes, goOn) {
  const unused = codes.filter(({ used }) => !used).map(({ code }) => code)
  const file = backupCodes.toText({ codes: unused, name: context.account.name, user: context.principal.email })
  return layout(title, context, html`
<p>Each of these backup codes logs you in once, when you do not have your phone. Keep them like a password.
A new set makes these useless.</p>
<ol class="codes">
${codes.map(({ code, used }) => html`<li>${used ? html`<del>${code}</del> (used)` : html`<code>${code}</code>`}</li>`)}
</ol>
<p class="screen"><a download="backup-codes.txt" href="data:text/plain;charset=utf-8,${encodeURIComponent(file)}">Download as text</a>,
or print this page: only the codes are printed.</p>
${goOn ?? html`<p class="screen"><a href="/security">Back to Security</a></p>`}`)
}

function confirmTotpForm(context) {
  return form(context, '/security/totp/confirm', html`${codeField('Code that the app shows')}
<button>Turn on</button>`)
}

function confirmSmsForm(context) {
  return form(context, '/security/sms/confirm', html`${codeField('Code from the SMS')}
<button>Turn on</button>`)
}

function afterConfirm(title, retryForm) {
  return (reply, context) => {
    if (needsFreshFactor(reply)) return freshFactorPage(context, '/security')
    if (reply.result !== 'enrolled') {
      return layout(title, context, html`${alert(reply)}${retryForm(context)}<p><a href="/security">Start again</a></p>`)
    }
    if (reply.backupCodes === undefined) return { redirect: '/security' }
    const codes = reply.backupCodes.map((code) => ({ code, used: false }))
    const { next } = context.session
    const goOn = next === '/' ? undefined : html`<div class="screen">
<p>Keep the codes, then go on to the page that asked for a second factor.</p>
${freshFactorForm(context, next)}</div>`
    return newCodesPage(context, 'Two-factor authentication is on', codes, goOn)
  }
}

function afterCodes(title) {
  return (reply, context) => {
    if (needsFreshFactor(reply)) return freshFactorPage(context, '/security')
    if (reply.result !== 'backup_codes') return problemPage(reply, context)
    return newCodesPage(context, title, reply.codes)
  }
}

function problemPage(reply, context) {
  return layout('Not done', context, html`${alert(reply)}<p><a href="/security">Security</a></p>`)
}

export function errorPage(reply, context) {
  return layout(reply.result === 'not_found' ? 'Not found' : 'Not possible', context, html`${alert(reply)}<p><a href="/">Home</a></p>`)
}

// Pages

export const pages = {
  loginForm(reply, context) {
    if (reply.result === 'challenge') return { redirect: '/login/second-step' }
    if (reply.result === 'confirm_first') return freshFactorPage(context, reply.next)
    if (reply.result === 'set_up_first') return setUpFirstPage(context)
    return loginPage(context, reply, reply.next)
  },

  logInWithPassword(reply, context) {
    if (reply.result === 'challenge') return { redirect: '/login/second-step' }
    if (reply.result === 'allowed') return { redirect: reply.next }
    return loginPage(context, reply, sameSitePath(context.input.next))
  },

  secondStepForm: (reply, context) => secondStepPage(context, reply, context.input.method),

  secondStep(reply, context) {
    if (reply.result === 'verified') return { redirect: reply.next }
    if (context.cookie === null) return loginPage(context, reply, context.session.next)
    return secondStepPage(context, reply, context.input.method)
  },

  sendLoginSms(reply, context) {
    if (context.cookie === null) return loginPage(context, reply, context.session.next)
    return secondStepPage(context, reply, 'sms')
  },

  logOut: () => ({ redirect: '/login' }),

  home(reply, context) {
    return layout(`Welcome, ${reply.email}`, context, html`
${!reply.enrolled && reply.method === 'recovery_code' && html`<p class="alert" role="alert">
You logged in with a recovery code. Set up two-factor authentication now: otherwise you need another recovery code next time.
<a href="/security">Set it up</a></p>`}
${!reply.enrolled && reply.method === undefined && reply.plan === 'pro' && html`<p>
Your login is protected by a password only. <a href="/security">Set up two-factor authentication</a></p>`}
<p>You are ${reply.role === 'owner' ? 'an owner' : 'a member'} of ${reply.account}.</p>`)
  },

  security({ status }, context) {
    const totp = status.methods.find(({ method }) => method === 'totp')
    const sms = status.methods.find(({ method }) => method === 'sms')
    const removal = (method) => form(context, '/security/remove', html`<input type="hidden" name="method" value="${method}">
<button class="plain">Turn off</button>`)
    return layout('Security', context, html`
<section>
<h2>Authenticator app</h2>
${totp
    ? html`<p>On since ${moment(totp.addedAt)}.</p>${removal('totp')}`
    : html`<p>Use Google Authenticator or any app like it.</p>${form(context, '/security/totp', html`<button>Set up</button>`)}`}
</section>
<section>
<h2>SMS</h2>
${sms && html`<p>On for ${sms.hint} since ${moment(sms.addedAt)}.</p>${removal('sms')}`}
${form(context, '/security/sms', html`<label>${sms ? 'Another number' : 'Australian mobile number'}
<input name="number" type="tel" autocomplete="tel" required>
</label>
<button>Send code</button>`)}
</section>
${status.backupCodes && html`<section>
<h2>Backup codes</h2>
<p>${status.backupCodes.left} of ${status.backupCodes.total} left, made ${moment(status.backupCodes.createdAt)}.</p>
${status.backupCodes.canShow && form(context, '/security/backup-codes/show', html`<button>Show codes</button>`)}
${form(context, '/security/backup-codes/renew', html`<button class="plain">Make a new set</button>`)}
</section>`}`)
  },

  startTotp(reply, context) {
    if (needsFreshFactor(reply)) return freshFactorPage(context, '/security')
    if (reply.result !== 'totp_started') return problemPage(reply, context)
    const picture = Buffer.from(reply.qrSvg).toString('base64')
    return layout('Set up your app', context, html`
<p>Scan this with the app:</p>
<p><img class="qr" alt="QR code for the authenticator app" src="data:image/svg+xml;base64,${picture}"></p>
<p>Or type this into it: <code>${reply.secret}</code></p>
${confirmTotpForm(context)}`)
  },

  confirmTotp: afterConfirm('Set up your app', confirmTotpForm),

  startSms(reply, context) {
    if (needsFreshFactor(reply)) return freshFactorPage(context, '/security')
    if (reply.result !== 'sms_sent') return problemPage(reply, context)
    return layout('Set up SMS', context, html`
<p role="status">We sent a code to ${reply.hint}.</p>
${confirmSmsForm(context)}
${form(context, '/security/sms', html`<input type="hidden" name="number" value="${reply.number}">
<button class="plain">Send another code</button>`)}`)
  },

  confirmSms: afterConfirm('Set up SMS', confirmSmsForm),

  removeMethod(reply, context) {
    if (needsFreshFactor(reply)) return freshFactorPage(context, '/security')
    return reply.result === 'removed' ? { redirect: '/security' } : problemPage(reply, context)
  },

  showBackupCodes: afterCodes('Your backup codes'),

  renewBackupCodes: afterCodes('Your new backup codes'),

  startFreshFactor(reply, context) {
    if (reply.result === 'challenge') return { redirect: '/login/second-step' }
    if (reply.result === 'allowed') return problemPage({ result: 'denied', reason: 'not_enrolled' }, context)
    return problemPage(reply, context)
  },

  users({ users }, context) {
    return layout('Users', context, html`
<table>
<thead><tr><th scope="col">E-mail</th><th scope="col">Role</th><th scope="col">Second factor</th><th scope="col">Recovery code</th></tr></thead>
<tbody>
${users.map(({ id, email, role, self, status }) => html`<tr>
<th scope="row">${email}</th>
<td>${role}</td>
<td>${status.enrolled ? status.methods.map(({ method }) => methodNames[method]).join(', ') : 'none'}</td>
<td>${status.recoveryCode && html`<p>One is valid until ${moment(status.recoveryCode.expiresAt)}.</p>`}
${!self && form(context, '/users/recovery-code', html`<input type="hidden" name="user" value="${id}">
<button class="plain">Generate recovery code</button>`)}</td>
</tr>`)}
</tbody>
</table>`)
  },

  issueRecoveryCode(reply, context) {
    if (needsFreshFactor(reply)) return freshFactorPage(context, '/users')
    if (reply.result !== 'recovery_code') return problemPage(reply, context)
    return layout('Recovery code', context, html`
<p>For ${reply.email}, once, until ${moment(reply.expiresAt)}. It is shown only here: hand it over in person or by phone.</p>
<p><code>${reply.code}</code></p>
<p><a href="/users">Back to Users</a></p>`)
  },

  policy: (reply, context) => layout('Policy', context, policyForm(reply, context)),

  changePolicy(reply, context) {
    if (needsFreshFactor(reply)) return freshFactorPage(context, '/policy')
    if (reply.result === 'policy_saved') return { redirect: '/policy' }
    const { require, network, review } = reply
    const nothing = !review.refused && [review.needRecoveryCode, review.blockedUsers, review.blockedApiClients]
      .every((list) => list.length === 0)
    return layout('Before you save', context, html`
${nothing && html`<p>Nobody is shut out by this.</p>`}
${review.needRecoveryCode.length > 0 && html`<h2>These people will need a recovery code</h2>
<ul>${review.needRecoveryCode.map((email) => html`<li>${email}</li>`)}</ul>`}
${review.blockedUsers.length > 0 && html`<h2>These people will be shut out</h2>
<ul>${review.blockedUsers.map((email) => html`<li>${email}</li>`)}</ul>`}
${review.blockedApiClients.length > 0 && html`<h2>These API clients will be blocked</h2>
<ul>${review.blockedApiClients.map(({ id, rule }) => html`<li>${id}: ${rule
    ? html`the allow rule <code>${rule}</code> would admit it`
    : 'it was never seen, so add the address it calls from to the allow rules'}</li>`)}</ul>`}
${review.locksOutAuthor && html`<p class="alert" role="alert">You would shut yourself out.</p>`}
${review.locksOutOwners && html`<p class="alert" role="alert">No owner could log in any more.</p>`}
${form(context, '/policy', html`
<input type="hidden" name="require" value="${require.networks ? 'networks' : require}">
<input type="hidden" name="networks" value="${require.networks?.join(' ')}">
<input type="hidden" name="allow" value="${network.allow.join(' ')}">
<input type="hidden" name="deny" value="${network.deny.join(' ')}">
<input type="hidden" name="confirmed" value="yes">
${review.refused && html`<label class="choice"><input type="checkbox" name="force" value="yes" required>
I know that this locks us out. Save it all the same.</label>`}
<button>Save</button>`)}
<p><a href="/policy">Back without saving</a></p>`)
  },

  audit({ events }, context) {
    return layout('Audit', context, html`
<table>
<thead><tr><th scope="col">When</th><th scope="col">Who</th><th scope="col">What</th><th scope="col">Details</th></tr></thead>
<tbody>
${events.map(({ at, user, event, ...details }) => html`<tr>
<td>${moment(at)}</td><td>${user}</td><td>${event.replaceAll('_', ' ')}</td>
<td>${Object.entries(details).map(([name, value]) => `${name}: ${value}`).join(', ')}</td>
</tr>`)}
</tbody>
</table>`)
  },

  outbox(reply, context) {
    if (reply.result === 'not_found') return errorPage(reply, context)
    return layout('Outbox', context, html`
<p class="alert">For this demo only: stands for the phones and mail boxes of everybody. A real service sends these through its gateway.</p>
<table>
<thead><tr><th scope="col">When</th><th scope="col">To</th><th scope="col">Message</th></tr></thead>
<tbody>
${reply.messages.map(({ at, recipient, message }) => html`<tr><td>${moment(at)}</td><td>${recipient}</td><td><pre>${message}</pre></td></tr>`)}
</tbody>
</table>`)
  },
}

function policyForm({ require, network }, context) {
  const chosen = require.networks ? 'networks' : require
  const choice = (value, label) => html`<label class="choice"><input type="radio" name="require" value="${value}" ${
    value === chosen && html`checked`}> ${label}</label>`
  const ranges = (name, label, values) => html`<label>${label}
<textarea name="${name}" rows="3" spellcheck="false">${values.join('\n')}</textarea>
</label>`
  return form(context, '/policy', html`
<fieldset>
<legend>Who needs a second factor</legend>
${choice('optional', 'Whoever has set it up')}
${choice('everyone', 'Everyone')}
${choice('networks', 'Everyone who comes from these networks')}
${ranges('networks', 'Networks, one a line, such as 198.51.100.0/24', require.networks ?? [])}
</fieldset>
<fieldset>
<legend>From where people and API clients may log in</legend>
${ranges('allow', 'Allow only these networks (empty: everywhere)', network.allow)}
${ranges('deny', 'Never these networks', network.deny)}
</fieldset>
<button>See what this changes</button>`)
}
