// The first page after a login: the user's name, the next thing to do, and links.

import { html } from '../html.js'
import { layout, notice } from './parts.js'

export const homePages = {
  home(reply, context) {
    const { home, layout: names, security, arrival } = context.words
    const isOwner = reply.role === 'owner'
    const isRescued = !reply.enrolled && reply.method === 'recovery_code'
    const hasPasswordOnly = !reply.enrolled && !isRescued && reply.plan === 'pro'
    return layout(
      home.welcome(reply.email),
      context,
      html`
${isRescued && recoveryCodeUsed(context, true)}
${hasPasswordOnly && (reply.isAsked ? notice('warning', home.isAsked) : notice('info', home.passwordOnly))}
${reply.fewCodes !== undefined && notice('warning', html`<p>${arrival.codesLeft(reply.fewCodes)}</p><p><a href="/security?go=renew-codes">${arrival.newSet}</a></p>`)}
${reply.hasUnsavedCodes && notice('warning', html`<p>${home.unsavedCodes}</p><p><a href="/security?go=show-codes">${security.codes.title}</a></p>`)}
<p class="lead">${home.lead[isOwner ? 'owner' : 'member'](reply.account)}</p>
<ul class="tiles">
${tile('/security', names.security, home.security)}
${tile('/security/activity', security.activity, security.activityLead)}
${
  isOwner && [
    tile('/users', names.users, home.users),
    tile('/policy', names.policy, home.policy),
    tile('/audit', names.audit, home.audit),
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
export function recoveryCodeUsed({ words }, withLink) {
  const { recovery_code: used, goOn } = words.arrival
  return notice(
    'warning',
    html`<p>${used.none}</p>
${withLink && html`<p><a class="button" href="/security">${goOn.none}</a></p>`}`,
    'alert',
  )
}
