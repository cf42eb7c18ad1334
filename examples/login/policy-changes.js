// The use cases of an account's policy: a draft, its review, and the change.
// Contexts and replies are those of login.js. A program sends its change as JSON in one request; a person's draft is kept in the
// session until it is saved.

import { createHash } from 'node:crypto'
import { CountersignError, policy as policies } from 'countersign'
import { BadInput, isYes, text } from './bad-input.js'
import { rulesOf } from './network-lists.js'
import { policyReviews } from './policy-review.js'

export function policyUseCases({ accounts, outbox, secondFactor, policyFor, staleFactor, entryOf, end, clock }) {
  const { reviewOf, changesOf } = policyReviews({ accounts, secondFactor, policyFor, clock })

  return {
    async policy({ account }) {
      const { require, firstFactor, network, name } = account
      return { result: 'policy', require, firstFactor, network, name, base: baseOf(account) }
    },

    /** The form with its rows changed. Nothing is saved. A mistake in the list that was added to is told at once. */
    async draftPolicy({ account, input }) {
      if (input.discard !== undefined) return { result: 'policy_draft_discarded' }
      const next = draftOf(input, account)
      const mistake = input.add === undefined ? undefined : mistakeIn(policyFor({ ...account, ...next }))
      const isAboutList = mistake?.path?.split(/[.[]/).includes(input.add)
      return isAboutList ? mistake : { result: 'policy_draft', ...next }
    },

    /** For a program: lists the users whom a change would lock out, and saves it only once the owner confirmed that list. */
    async changePolicy(context) {
      const { input, account } = context
      const next = draftOf(input, account)
      const stale = await staleFactor(context)
      if (stale) return stale
      const change = { ...next, review: await reviewOf(context, next) }
      if (!isYes(input.confirmed)) return { result: 'policy_preview', ...change }
      if (change.review.refused && !isYes(input.force)) return { result: 'policy_refused', ...change }
      // Optional for a program: `base` of the policy as it was read.
      if (![undefined, baseOf(accounts.account(account.id))].includes(input.base))
        return { result: 'policy_outdated', saved: lastSave(account) }
      await saveRules({ accounts, secondFactor, policyFor }, context, next)
      return { result: 'policy_saved', ...change }
    },

    /** For a person: checks the draft, which its review then shows. With `confirmed`, saves what that page showed. */
    async submitPolicy(context) {
      const { input, account } = context
      const next = draftOf(input, account)
      policies.parse(policyFor({ ...account, ...next }))
      const stale = await staleFactor(context)
      if (stale) return stale
      if (!isYes(input.confirmed)) return { result: 'policy_draft', ...next }
      const { refused } = await reviewOf(context, next)
      // Nothing waits from here to the save.
      if (input.base !== baseOf(accounts.account(account.id))) return { result: 'policy_outdated' }
      if (refused && !isYes(input.force)) return { result: 'policy_refused' }
      await saveRules({ accounts, secondFactor, policyFor }, context, next)
      const { session, principal, ip } = context
      const entry = await entryOf(session, principal, accounts.account(account.id), ip)
      // The new rules ask the author for more as well. The login page says so, and that they are saved.
      if (entry.state === 'out') end(context)
      return { result: 'policy_saved' }
    },

    /** The review of the kept draft, as things are now, and who is let in or shut out by it who was not before. */
    async policyReview(context) {
      const { session, account } = context
      const draft = session.pending.shown?.policyDraft
      if (draft === undefined) return { result: 'no_policy_draft' }
      try {
        const next = draftOf(draft, account)
        const base = baseOf(account)
        const outdated = draft.base === base ? undefined : (lastSave(account) ?? {})
        const [before, review] = [await reviewOf(context, account), await reviewOf(context, next)]
        return {
          result: 'policy_preview',
          ...next,
          base,
          outdated,
          review,
          changes: changesOf(account, next, before, review),
        }
      } catch (error) {
        return { result: 'policy_mistake', mistake: toldOf(error) }
      }
    },
  }

  /** Finds the owner who saved the present rules, and the time. It may be the same owner in another window. */
  function lastSave(account) {
    const [found] = outbox.findEvents({ account: account.id, kind: 'policy_changed', limit: 1 })
    if (found === undefined) return undefined
    const { user, at } = found.event
    return { by: accounts.user(user)?.email ?? user, at }
  }
}

/** Names the saved rules that a draft was made from: another owner may save others meanwhile. */
function baseOf({ require, firstFactor, network, name }) {
  const rules = JSON.stringify([require, firstFactor, network, name])
  return createHash('sha256').update(rules).digest('base64url').slice(0, 16)
}

/** Saves the account's rules, and logs the change from the rules that they replace. Those may be newer than the request. */
export async function saveRules({ accounts, secondFactor, policyFor }, { account: { id }, principal, ip }, next) {
  const account = accounts.account(id)
  accounts.saveRules(account.id, next)
  const [before, after] = [policyFor(account), policyFor({ ...account, ...next })]
  await secondFactor.policyChanged({ account: account.id, by: principal.id, ip, before, after })
}

/** The rules that an input asks for: from JSON as they are in a policy, from a form as it sends them. */
function draftOf(input, account) {
  const [allow, api, deny] = ['allow', 'api', 'deny'].map((name) => rulesOf(input, name))
  return {
    require: requirement(input),
    firstFactor: firstFactorOf(input, account),
    network: { allow, api, deny },
    name: input.name === undefined ? account.name : text(input, 'name').trim(),
  }
}

function firstFactorOf({ firstFactor = undefined }, account) {
  if (firstFactor === undefined) return account.firstFactor
  if (firstFactor === 'recovery_code' || firstFactor === 'password') return firstFactor
  throw new BadInput('firstFactor', 'is none of `recovery_code` and `password`')
}

function requirement(input) {
  const { require } = input
  if (require === 'optional' || require === 'everyone') return require
  if (typeof require === 'object' && require !== null && !Array.isArray(require)) return require
  if (require !== 'some') throw new BadInput('require', 'is none of `optional`, `everyone` and the rules of a policy')
  const [networks, outside] = ['networks', 'outside'].map((name) => rulesOf(input, name))
  const roles = [input.roles ?? []].flat()
  return {
    ...(networks.length > 0 && { networks }),
    ...(outside.length > 0 && { outside }),
    ...(roles.length > 0 && { roles }),
  }
}

/** The mistake in a policy, as a reply; nothing, where there is none. */
function mistakeIn(policy) {
  try {
    policies.parse(policy)
    return undefined
  } catch (error) {
    return toldOf(error)
  }
}

/** The reply that tells a mistake in the draft. Throws any other error on. */
function toldOf(error) {
  const isMistake = error instanceof BadInput || (error instanceof CountersignError && error.code === 'invalid_policy')
  if (!isMistake) throw error
  const { code, path, message } = error
  return { result: 'error', code, path, message }
}
