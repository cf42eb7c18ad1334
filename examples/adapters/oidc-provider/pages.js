// The pages of an interaction. Each is a form that is posted to the step beside it, and works without scripts.

/** The page of a step, by its values. `at` is the path of the interaction, below which its cookie is sent. */
export const page = (values, at) => `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>Acme</title>
<style>body { font: 1rem/1.5 system-ui; max-width: 24rem; margin: 3rem auto; padding: 0 1rem } input, button { font: inherit; padding: .5rem; margin: .25rem 0 } svg { max-width: 12rem } code { overflow-wrap: anywhere }</style>
<main>
${told(values.reply)}
${(STEPS[values.step] ?? STEPS.error)(values).replaceAll('action="', `action="${at}/`)}
</main>
</html>
`

const STEPS = {
  login: ({ wrong }) => `<h1>Log in</h1>
${wrong ? '<p role="alert">The name or the password is wrong.</p>' : ''}
<form method="post" action="login">
<label>Name<br><input name="user" autocomplete="username" required></label><br>
<label>Password<br><input name="password" type="password" autocomplete="current-password" required></label><br>
<button>Log in</button>
</form>`,
  challenge: ({ methods, maySkip }) => `<h1>Second factor</h1>
${methods.map((method) => (method.method === 'sms' ? smsForm(method) : '') + codeForm(method)).join('')}
${maySkip ? button('skip', 'Go on without') : ''}${button('cancel', 'Cancel')}`,
  set_up: ({ methods, maySkip }) => `<h1>Set up a second factor</h1>
${methods.includes('totp') ? button('enroll_totp', 'Set up an authenticator app') : ''}
${methods.includes('sms') ? form('enroll_sms', '<label>Phone<br><input name="number" type="tel" placeholder="+61412345678" required></label><br><button>Set up a phone</button>') : ''}
${maySkip ? button('skip', 'Not now') : ''}${button('cancel', 'Cancel')}`,
  confirm: ({ method, qrSvg, secret, hint }) => `<h1>Confirm it</h1>
${method === 'totp' ? `${qrSvg}<p>Or type this key into the app: <code>${safe(secret)}</code></p>` : `<p>A code is on its way to ${safe(hint)}.</p>`}
${form('confirm', '<label>Code<br><input name="code" inputmode="numeric" autocomplete="one-time-code" required></label><br><button>Confirm</button>')}
${button('back', 'Back')}`,
  backup_codes: ({ codes }) => `<h1>Your backup codes</h1>
<p>Each logs you in once, without your phone. Keep them where nobody else finds them.</p>
<ol>${codes.map((code) => `<li><code>${safe(code)}</code></li>`).join('')}</ol>
${button('saved', 'I have saved them')}`,
  denied: ({ reason }) => `<h1>You cannot go on</h1>
<p>${reason === 'enrollment_required' || reason === 'recovery_code_required' ? 'A second factor is required. Ask an owner of the account for a recovery code.' : 'The rules of the account refuse it.'} <small>${safe(reason)}</small></p>
${button('cancel', 'Back to the application')}`,
  me: ({ status }) =>
    `<h1>Your second factor</h1>
<ul>${status.methods.map(({ name, method }) => `<li>${safe(name)} (${method})</li>`).join('')}</ul>
${ownForm('app', '<button>Set up an authenticator app</button>')}
${status.methods.length > 0 ? ownForm('codes', '<button>New backup codes</button>') : ''}`,
  my_app: ({ qrSvg, secret, setup }) => `<h1>Confirm it</h1>
${qrSvg}<p>Or type this key into the app: <code>${safe(secret)}</code></p>
${ownForm('confirm', `<input type="hidden" name="setup" value="${safe(setup)}"><label>Code<br><input name="code" inputmode="numeric" autocomplete="one-time-code" required></label><br><button>Confirm</button>`)}`,
  my_codes: ({ codes, set }) => `<h1>Your backup codes</h1>
<p>Each logs you in once, without your phone. Keep them where nobody else finds them.</p>
<ol>${codes.map((code) => `<li><code>${safe(code)}</code></li>`).join('')}</ol>
${ownForm('saved', `<input type="hidden" name="set" value="${safe(set)}"><button>I have saved them</button>`)}`,
  error: ({ message, result }) => `<h1>That did not work</h1><p>${safe(message ?? result)}</p>`,
}

const NAMES = {
  totp: 'Code of the app',
  sms: 'Code of the message',
  backup_code: 'Backup code',
  recovery_code: 'Recovery code',
}

const codeForm = ({ method }) =>
  form(
    'verify',
    `<input type="hidden" name="method" value="${method}"><label>${NAMES[method]}<br><input name="code" autocomplete="one-time-code" required></label><br><button>Go on</button>`,
  )
const smsForm = ({ hint }) => button('send_sms', `Send a code to ${safe(hint)}`)
const button = (action, text) => form(action, `<button>${text}</button>`)
const form = (action, fields) =>
  `<form method="post" action="second-factor"><input type="hidden" name="action" value="${action}">${fields}</form>`

const ownForm = (action, fields) => `<form method="post" action="${action}">${fields}</form>`

const told = (reply) => {
  switch (reply?.result) {
    case undefined:
    case 'enrolled':
    case 'verified':
      return ''
    case 'sms_sent':
      return `<p>A code is on its way to ${safe(reply.hint)}.</p>`
    case 'wrong':
      return '<p role="alert">This code is wrong.</p>'
    case 'already_used':
      return '<p role="alert">This code was used already. Wait for the next one.</p>'
    case 'malformed':
      return `<p role="alert">Please type ${safe(reply.expected)}.</p>`
    case 'locked':
    case 'sms_refused':
      return '<p role="alert">Too many attempts. Try again later.</p>'
    default:
      return '<p role="alert">Please try again.</p>'
  }
}

const safe = (text) => String(text).replace(/[&<>"']/g, (sign) => `&#${sign.charCodeAt(0)};`)
