// Where the forms of the owners lead, as after.js has it for all other forms.

import { confirmAt, needsFreshFactor } from './after.js'
import { usersAt } from './owner.js'
import { draftOfForm, isList } from './policy-form.js'

export const afterOwner = {
  issueRecoveryCode: (reply, context) => afterRecoveryCode(reply, context, 'issued'),

  resetUser: (reply, context) => afterRecoveryCode(reply, context, 'reset'),

  admitClient(reply, { input }) {
    if (needsFreshFactor(reply)) return { to: confirmAt(usersAt(input)) }
    return { to: usersAt(input), tell: reply }
  },

  draftPolicy(reply, { input, account }) {
    if (reply.result === 'policy_draft_discarded') return { to: '/policy', show: { policyDraft: undefined } }
    const [list] = String(input.drop ?? input.add).split('.')
    const show = { policyDraft: draftOfForm(input, account) }
    // The field of the list tells a mistake, and has the focus then.
    if (reply.result === 'error') return { to: '/policy?draft=yes', tell: reply, show }
    if (!isList(list)) return { to: '/policy?draft=yes', show }
    // The first new row gets the focus, which a browser does not give where the address names a part of the page.
    const before = [input[`${list}.network`] ?? []].flat().length
    return { to: `/policy?draft=yes${input.add === undefined ? `#${list}` : `&added=${list}.${before}`}`, show }
  },

  submitPolicy(reply, { input, account, cookie }) {
    if (cookie === null)
      return { to: '/login?next=%2Fpolicy', tell: { result: 'denied', reason: 'policy_saved_log_in' } }
    const show = { policyDraft: draftOfForm(input, account) }
    if (needsFreshFactor(reply)) return { to: confirmAt('/policy/review'), show }
    switch (reply.result) {
      case 'policy_saved':
        return { to: '/policy', tell: reply, show: { policyDraft: undefined } }
      case 'policy_refused':
        return { to: '/policy/review', tell: reply, show }
      case 'policy_draft':
      case 'policy_outdated':
        return { to: '/policy/review', show }
      default:
        return { to: '/policy?draft=yes', tell: reply, show }
    }
  },
}

/** Where a form of the policy leads that came from an outdated page: nothing typed is lost. */
export const afterOutdated = {
  draftPolicy: (reply, { input, account }) =>
    input.discard === undefined ? keptDraft(input, account) : { to: '/policy', tell: reply },
  submitPolicy: (reply, { input, account }) => ({ ...keptDraft(input, account), tell: reply }),
}

const keptDraft = (input, account) => ({
  to: '/policy?draft=yes',
  show: { policyDraft: draftOfForm(input, account) },
})

/** The page of the code, or that of the users at the person whom it is about. */
function afterRecoveryCode(reply, { input, now }, kind) {
  const go = kind === 'reset' ? `reset-${input.user}` : input.user
  if (needsFreshFactor(reply)) return { to: confirmAt(usersAt({ ...input, go }), { own: true }) }
  if (reply.result !== 'recovery_code') return { to: usersAt(input), tell: reply }
  const { user, email, code, expiresAt, replaces, hadFactor } = reply
  return {
    to: '/users/recovery-code',
    show: { recoveryCode: { kind, user, email, code, expiresAt, replaces, hadFactor, madeAt: now } },
  }
}
