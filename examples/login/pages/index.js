// The HTML rendering: one function per use-case, `(reply, context) => { body } | { redirect } | { file }`.
// To take pages into another product, copy one of these files with parts.js, words.js and html.js.

import { demoPages } from './demo.js'
import { homePages } from './home.js'
import { loginPages } from './login.js'
import { ownerPages } from './owner.js'
import { policyPages } from './policy.js'
import { errorPage } from './problems.js'
import { securityPages } from './security.js'

const pages = { ...loginPages, ...homePages, ...securityPages, ...ownerPages, ...policyPages, ...demoPages }

/** Use-cases whose page shows an error beside the typed text. The others get the error page. */
const showTheirErrors = new Set(['logInWithPassword', 'startSms', 'changePolicy'])

export function renderPage(act, reply, context) {
  if (reply.result === 'error' && !showTheirErrors.has(act)) return errorPage(reply, context)
  return pages[act](reply, context)
}

export { errorPage }
