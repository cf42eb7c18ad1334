// The HTML rendering. Each GET has a page: `(reply, context) => { body } | { redirect } | { file }`. Each form leads to one, by
// `after.js`, and the page tells the reply: `context.told`, with the fields that the form keeps in `context.typed`.

import { activityPages } from './activity.js'
import { auditPages } from './audit.js'
import { codesPages } from './codes.js'
import { demoPages } from './demo.js'
import { homePages } from './home.js'
import { loginPages } from './login.js'
import { ownerPages } from './owner.js'
import { policyPages } from './policy.js'
import { errorPage } from './problems.js'
import { securityPages } from './security.js'
import { setUpPages } from './set-up.js'

const pages = {
  ...loginPages,
  ...homePages,
  ...securityPages,
  ...setUpPages,
  ...codesPages,
  ...activityPages,
  ...auditPages,
  ...ownerPages,
  ...policyPages,
  ...demoPages,
}

export function renderPage(act, reply, context) {
  if (reply.result === 'error') return errorPage(reply, context)
  return pages[act](reply, context)
}

export { after, confirmAt, needsFreshFactor } from './after.js'
export { afterOutdated } from './after-owner.js'
export { errorPage }
