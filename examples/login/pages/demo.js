// The outbox, for the demo only: a stand-in for everybody's phone and mail box.

import { html } from '../html.js'
import { empty, icon, layout, notice } from './parts.js'
import { errorPage } from './problems.js'
import { moment } from './words.js'

export const demoPages = {
  outbox(reply, context) {
    if (reply.result === 'not_found') return errorPage(reply, context)
    return layout(
      'Outbox',
      context,
      html`
${notice('info', 'For this demo only: it stands for the phones and mail boxes of everybody. A real service sends these through its SMS gateway and its mail server.')}
<p><a class="button second" href="/outbox">Look again</a></p>
${
  empty(reply.messages)
    ? html`<p>Nothing was sent yet.</p>`
    : html`<ul class="messages">
${reply.messages.map(
  ({ kind, at, recipient, message, subject }) => html`<li>
<p class="message-head">${icon(kind === 'sms' ? 'sms' : 'info')}<span>${kind === 'sms' ? 'SMS' : 'Mail'} to <strong>${recipient}</strong></span> <span class="minor">${moment(at)}</span></p>
${subject && html`<p><strong>${subject}</strong></p>`}
<pre>${message}</pre>
</li>`,
)}
</ul>`
}`,
    )
  },
}
