// The page with the backup codes. Printed, it holds only the codes and their owner.

import { html } from '../html.js'
import { isOwnPage } from '../routes.js'
import { confirmAt, needsFreshFactor } from './after.js'
import { copyButton, form, layout, notice } from './parts.js'
import { moment } from './times.js'

export const codesPages = {
  showBackupCodes(reply, context) {
    if (needsFreshFactor(reply)) return { redirect: confirmAt('/security/backup-codes', { own: true }) }
    if (reply.result !== 'backup_codes') return codesOverPage(reply, context)
    return codesPage(context, context.words.codes.yours, reply, {})
  },

  newBackupCodes(reply, context) {
    if (reply.result !== 'backup_codes') return codesOverPage(reply, context)
    const { codes } = context.words
    switch (context.input.after) {
      case 'login':
        return codesPage(context, codes.loggedIn, reply, { first: true, next: reply.next })
      case 'set-up':
        return codesPage(context, codes.isOn, reply, { first: true, next: nextAfterSetUp(reply.next) })
      default:
        return codesPage(context, codes.fresh, reply, {})
    }
  },

  downloadBackupCodes: (reply) => ({ file: reply }),
}

function codesOverPage(reply, context) {
  const { codes, layout: words } = context.words
  return layout(
    codes.yours,
    { ...context, told: reply.result === 'expired' ? undefined : reply },
    html`
${reply.result === 'expired' && notice('warning', codes.over, 'alert')}
<p><a class="button" href="/security">${words.backToSecurity}</a></p>`,
    { narrow: true },
  )
}

/** The page that asked for a second factor, by way of the login, where it is behind the gate: it takes a pass that is shown anew. */
function nextAfterSetUp(next) {
  if (next === '/') return undefined
  return isOwnPage(next) ? next : `/login?next=${encodeURIComponent(next)}`
}

/** Where there is a `set`, nobody has said yet that these codes are saved; a button says so, and leads on to `next`. */
function codesPage(context, title, { codes, set, madeAt }, { first = false, next = '/security' }) {
  const { words } = context
  const unused = codes.filter(({ used }) => !used).map(({ code }) => code)
  const isSaved = set === undefined
  return layout(
    title,
    context,
    html`
<div class="screen">
${first && notice('good', words.codes.first, 'status')}
<p class="lead">${words.codes.lead}</p>
</div>
<section class="sheet" aria-labelledby="sheet">
<h2 id="sheet">${words.codes.sheet}</h2>
<p>${words.codes.made(context.account.name, context.principal.email, moment(madeAt, context))}</p>
<ol class="codes">
${codes.map(({ code, used }) => html`<li>${used ? html`<del>${code}</del> <span class="used">${words.codes.used}</span>` : html`<code>${code}</code>`}</li>`)}
</ol>
<p class="paper">${words.codes.paper}</p>
</section>
<div class="actions screen">
${unused.length > 0 && form(context, '/security/backup-codes/download', html`<input type="hidden" name="codes" value="${unused.join(' ')}"><button class="${!isSaved && 'second'}">${words.codes.download}</button>`)}
<button type="button" class="second scripted" data-print>${words.codes.print}</button>
${copyCodes(context)}
</div>
<p class="unscripted screen hint">${words.codes.printHint}</p>
${!isSaved && savedForm(context, set, next)}
${isSaved && html`<p class="screen"><a href="/security">${words.layout.backToSecurity}</a></p>`}`,
  )
}

const copyCodes = (context) => copyButton(context, '.codes', context.words.codes.theCodes, { small: false })

const savedForm = (context, set, next) =>
  html`<div class="actions screen">
${form(context, '/security/backup-codes/confirm', html`<input type="hidden" name="set" value="${set}"><input type="hidden" name="next" value="${next}"><button>${context.words.codes.saved}</button>`)}
</div>`
