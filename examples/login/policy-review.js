// The review of a policy before it is saved: the people and API clients whom it would lock out, and those for whom it changes
// something, each with the reason.

import { policy as policies } from 'countersign'
import { rolesOf } from './accounts.js'

export function policyReviews({ accounts, secondFactor, policyFor, clock }) {
  return { reviewOf, changesOf }

  /** The users and API clients whom the next rules would lock out, and the reasons why no owner could log in. */
  async function reviewOf({ account, principal, ip }, next) {
    const users = accounts.usersOf(account.id)
    const clients = accounts.clientsOf(account.id)
    const policy = policyFor({ ...account, ...next })
    const found = await secondFactor.reviewPolicy({
      account: account.id,
      policy,
      author: { user: principal.id, ip },
      users: users.map((user) => ({
        user: user.id,
        role: user.role,
        plan: account.plan,
        roles: rolesOf(user),
        ...knownIp(user),
      })),
      apiClients: clients.map((client) => ({ id: client.clientId, roles: rolesOf(client), ...knownIp(client) })),
    })
    const emails = new Map(users.map(({ id, email }) => [id, email]))
    const emailOf = (id) => emails.get(id) ?? id
    // As a text, because it may be long and is asked for each owner.
    const rules = policies.parse(policy)
    const reasonFor = async (owner) => {
      const from = owner.id === principal.id ? { ip } : knownIp(owner)
      // Where the address is not known, one is assumed that the rules allow.
      if (from.ip === undefined) return 'enrollment_required'
      const { enrollment } = await secondFactor.status({ user: owner.id, account: account.id })
      const facts = { ...from, roles: rolesOf(owner), plan: account.plan, enrollment, time: clock() }
      return reasonOf(policies.decide(rules, facts))
    }
    const owners = users.filter(({ role }) => role === 'owner')
    return {
      ...found,
      ...(found.locksOutAuthor && { authorReason: await reasonFor(principal) }),
      ...(found.locksOutOwners && { ownerReasons: await Promise.all(owners.map(reasonFor)) }),
      needRecoveryCode: found.needRecoveryCode.map(emailOf),
      setUpByPassword: found.setUpByPassword.map(emailOf),
      blockedUsers: found.blockedUsers.map(emailOf),
    }
  }

  /**
   * The people and API clients for whom the next rules change something: how each stands `before` and `after`, and the `reason` why
   * they do not just get in. `unchanged` counts all others.
   */
  function changesOf(account, next, before, after) {
    const [was, is] = [standings(before), standings(after)]
    const people = accounts.usersOf(account.id).map((user) => {
      return { name: user.email, before: was(user.email), after: is(user.email), user }
    })
    const blocked = ({ blockedApiClients }, id) => blockedApiClients.find((each) => each.id === id)
    const clients = accounts.clientsOf(account.id).map(({ clientId }) => ({
      name: clientId,
      before: blocked(before, clientId) ? 'out' : 'in',
      after: blocked(after, clientId) ? 'out' : 'in',
      ...blocked(after, clientId),
    }))
    const changed = (all) => all.filter(({ before, after }) => before !== after)
    const unchanged = (all) => all.length - changed(all).length
    const reasonFor = reasonsUnder(account, next)
    return {
      people: changed(people).map(({ user, ...stand }) => ({ ...stand, ...reasonFor(stand.after, user) })),
      clients: changed(clients),
      unchanged: { people: unchanged(people), clients: unchanged(clients) },
    }
  }

  /** Gives why a person does not just get in: the rule about the address, or else the one that asks for a second factor. */
  function reasonsUnder(account, next) {
    const anywhere = { allow: [], api: [], deny: [] }
    // As texts, because they may be long and are asked for each person.
    const [whole, fromAnywhere] = [next.network, anywhere].map((network) =>
      policies.parse(policyFor({ ...account, ...next, network })),
    )
    return (state, user) => {
      const { ip } = knownIp(user)
      const enrollment = /** @type {const} */ ('none')
      const facts = { ip, roles: rolesOf(user), plan: account.plan, enrollment, time: clock() }
      switch (state) {
        case 'in':
          return {}
        case 'out':
          return { ip, reason: reasonOf(policies.decide(whole, facts)) }
        default: {
          const reason = policies.decide(fromAnywhere, facts).rules.find((rule) => rule.startsWith('forced_'))
          // Where the address is not known, a rule about networks may meet the person.
          const isKnown = ip !== undefined || reason === 'forced_for_everyone' || reason === 'forced_for_role'
          // Where no rule asks, the person was reset.
          return { ip, reason: isKnown ? (reason ?? 'under_any_rules') : 'forced_somewhere' }
        }
      }
    }
  }
}

/** The reason of a refusal. */
const reasonOf = ({ decision }) => (decision.outcome === 'denied' ? decision.reason : undefined)

/** Gives each person's standing under some rules: in | set_up | code | out. The address comes first, as at a login. */
function standings({ blockedUsers, needRecoveryCode, setUpByPassword }) {
  const lists = { out: blockedUsers, code: needRecoveryCode, set_up: setUpByPassword }
  const sets = Object.entries(lists).map(([state, emails]) => ({ state, emails: new Set(emails) }))
  return (email) => sets.find(({ emails }) => emails.has(email))?.state ?? 'in'
}

/** The address at which somebody was last seen, where there is one. */
export function knownIp({ last_ip: ip }) {
  return ip === null ? {} : { ip }
}
