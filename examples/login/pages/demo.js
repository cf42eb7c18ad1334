// The outbox, for the demo only: a stand-in for everybody's phone and mail box.

import { html } from '../html.js'
import { empty, icon, layout, notice } from './parts.js'
import { errorPage } from './problems.js'
import { moment } from './times.js'

export const demoPages = {
  outbox(reply, context) {
    if (reply.result === 'not_found') return errorPage(reply, context)
    const { words } = context
    const { outbox } = words
    return layout(
      outbox.title,
      context,
      html`
${notice('info', outbox.lead)}
<p class="actions"><a class="button second" href="/outbox">${outbox.again}</a> <a class="button quiet" href="/">${words.layout.home}</a></p>
${
  empty(reply.messages)
    ? html`<p>${outbox.empty}</p>`
    : html`<ul class="messages">
${reply.messages.map(
  ({ kind, at, recipient, message, subject }) => html`<li>
<p class="message-head">${icon(kind === 'sms' ? 'sms' : 'info')}<span>${outbox[kind]} <strong>${recipient}</strong></span> <span class="minor">${moment(at, context)}</span></p>
${subject && html`<p><strong>${subject}</strong></p>`}
<pre>${message}</pre>
</li>`,
)}
</ul>`
}`,
    )
  },
}
