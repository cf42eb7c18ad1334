// The first page after a login: the user's name, the next thing to do, and links.

import { html } from '../html.js'
import { layout, notice } from './parts.js'

export const homePages = {
  home(reply, context) {
    const owner = reply.role === 'owner'
    return layout(
      `Welcome, ${reply.email}`,
      context,
      html`
${!reply.enrolled && reply.method === 'recovery_code' && recoveryCodeUsed(true)}
${
  !reply.enrolled &&
  reply.method === undefined &&
  reply.plan === 'pro' &&
  notice(
    'info',
    html`Your login is protected by a password only.
<a href="/security">Set up two-factor authentication</a>; it takes a minute.`,
  )
}
<p class="lead">You are ${owner ? 'an owner' : 'a member'} of ${reply.account}.</p>
<ul class="tiles">
${tile('/security', 'Security', 'Your second factor and your backup codes')}
${
  owner && [
    tile('/users', 'Users', 'Who has a second factor; recovery codes; API clients'),
    tile('/policy', 'Policy', 'Who needs a second factor, and from where'),
    tile('/audit', 'Audit', 'What happened, when and from where'),
  ]
}
</ul>`,
    )
  },
}

function tile(href, name, about) {
  return html`<li><a href="${href}"><strong>${name}</strong> <span>${about}</span></a></li>`
}

/** A warning for the home page and the Security page: without a new set-up the next login fails. */
export function recoveryCodeUsed(withLink) {
  return notice(
    'warning',
    html`<p>You logged in with a recovery code. Set up two-factor authentication now: otherwise you need another recovery code next time.</p>
${withLink && html`<p><a class="button" href="/security">Set it up</a></p>`}`,
    'alert',
  )
}
