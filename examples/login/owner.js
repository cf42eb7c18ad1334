// The use cases of an account's owners: users, API clients, the policy, and the audit log.
// Contexts and replies are those of login.js.

import { policy as rules } from 'countersign'
import { rolesOf } from './accounts.js'
import { BadInput, text } from './bad-input.js'
import { rulesOf } from './network-lists.js'

/** `staleFactor` refuses a caller who has not shown a factor just now. */
export function ownerUseCases({ accounts, outbox, secondFactor, policyFor, clock, staleFactor }) {
  return {
    async users({ account, principal }) {
      const users = await Promise.all(
        accounts.usersOf(account.id).map(async ({ id, email, role }) => ({
          id,
          email,
          role,
          self: id === principal.id,
          status: await secondFactor.status({ user: id, account: account.id }),
        })),
      )
      const clients = accounts
        .clientsOf(account.id)
        .map((client) => ({ id: client.clientId, ...stateOf(client, account) }))
      return { result: 'users', users, clients }
    },

    async issueRecoveryCode({ input, principal, account, session, ip }) {
      const target = accounts.user(text(input, 'user'))
      if (target === undefined || target.account !== account.id) throw new BadInput('user', 'is not in this account')
      const reply = await secondFactor.issueRecoveryCode({
        user: target.id,
        account: account.id,
        ip,
        roles: rolesOf(target),
        by: { user: principal.id, session: session.id, pass: session.pass, role: principal.role },
      })
      return { ...reply, email: target.email }
    },

    /**
     * Lets an API client in from the address at which it was last seen. The rule is one for API clients alone, so
     * that it shuts nobody out and needs no review.
     */
    async admitClient(context) {
      const { input, account } = context
      const client = accounts.clientsOf(account.id).find(({ clientId }) => clientId === text(input, 'client'))
      if (client === undefined) throw new BadInput('client', 'is not in this account')
      const stale = await staleFactor(context)
      if (stale) return stale
      const { lastIp, allowed, rule, reason } = stateOf(client, account)
      if (lastIp === undefined) throw new BadInput('client', 'was never seen, so its address is not known')
      if (!allowed && rule === undefined) return { result: 'denied', reason }
      if (!allowed) {
        const { require, firstFactor, network, name } = account
        const api = [...network.api, { network: rule, note: client.clientId }]
        await saveRules(context, { require, firstFactor, network: { ...network, api }, name })
      }
      return { result: 'client_admitted', client: client.clientId }
    },

    async policy({ account }) {
      const { require, firstFactor, network, name } = account
      return { result: 'policy', require, firstFactor, network, name }
    },

    /** The form with its rows changed. Nothing is saved. */
    async draftPolicy({ account, input }) {
      return { result: 'policy_draft', ...draftOf(input, account) }
    },

    /** Lists the users whom a change would lock out. Saves it only once the owner confirmed that list. */
    async changePolicy(context) {
      const { input, account, principal, ip } = context
      const next = draftOf(input, account)
      const stale = await staleFactor(context)
      if (stale) return stale
      const users = accounts.usersOf(account.id)
      const clients = accounts.clientsOf(account.id)
      const found = await secondFactor.reviewPolicy({
        account: account.id,
        policy: policyFor({ ...account, ...next }),
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
      const emailOf = (id) => users.find((user) => user.id === id)?.email ?? id
      const review = {
        ...found,
        needRecoveryCode: found.needRecoveryCode.map(emailOf),
        setUpByPassword: found.setUpByPassword.map(emailOf),
        blockedUsers: found.blockedUsers.map(emailOf),
      }
      const change = { ...next, review }
      if (!isYes(input.confirmed)) return { result: 'policy_preview', ...change }
      if (review.refused && !isYes(input.force)) return { result: 'policy_refused', ...change }
      await saveRules(context, next)
      return { result: 'policy_saved', ...change }
    },

    async audit({ account }) {
      const names = new Map(accounts.usersOf(account.id).map(({ id, email }) => [id, email]))
      for (const { id, clientId } of accounts.clientsOf(account.id)) names.set(id, clientId)
      const events = outbox.events([...names.keys()]).map((event) => ({
        ...event,
        user: names.get(event.user),
        ...(event.by && { by: names.get(event.by) }),
      }))
      return { result: 'audit', events }
    },
  }

  /** Saves the account's rules, and logs what changed. */
  async function saveRules({ account, principal, ip }, next) {
    accounts.saveRules(account.id, next)
    const [before, after] = [policyFor(account), policyFor({ ...account, ...next })]
    await secondFactor.policyChanged({ account: account.id, by: principal.id, ip, before, after })
  }

  /** Whether the rules let an API client in from where it was last seen; if not, the rule that would. */
  function stateOf(client, account) {
    // The address of a client is known only after its first login.
    if (client.last_ip === null) return {}
    const facts = { id: client.clientId, roles: rolesOf(client), ip: client.last_ip }
    const people = { author: '', users: [], apiClients: [facts], time: clock() }
    const [blocked] = rules.review(policyFor(account), people).blockedApiClients
    return {
      lastIp: client.last_ip,
      allowed: blocked === undefined,
      rule: blocked?.rule ?? undefined,
      reason: blocked?.reason,
    }
  }
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

function isYes(value) {
  return value === true || value === 'yes'
}

function knownIp({ last_ip: ip }) {
  return ip === null ? {} : { ip }
}
