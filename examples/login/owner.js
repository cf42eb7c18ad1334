// The use cases of an account's owners: users, recovery codes and API clients. Those of the policy and of the audit log are in
// policy-changes.js and audit.js. Contexts and replies are those of login.js.

import { policy as rules } from 'countersign'
import { rolesOf } from './accounts.js'
import { auditUseCases } from './audit.js'
import { BadInput, text } from './bad-input.js'
import { policyUseCases, saveRules } from './policy-changes.js'
import { knownIp } from './policy-review.js'

const usersOnPage = 50

/** The most records of second factors that are read at once. */
const readAtOnce = 10

/** For how long the page shows a recovery code that was just made, in seconds. */
const codeShownSeconds = 600

/** `staleFactor` refuses a caller who has not shown a factor just now. */
export function ownerUseCases(parts) {
  const { accounts, sessions, outbox, secondFactor, policyFor, clock, staleFactor, entryOf, end } = parts
  return {
    /** A page of the users, and who of them is shut out, and why. */
    async users({ account, principal, session, input }) {
      forgetOldCode(session)
      const search = typeof input.q === 'string' ? input.q.trim().slice(0, 256) : ''
      const count = accounts.countUsers(account.id, search)
      const pages = Math.max(1, Math.ceil(count / usersOnPage))
      const page = Math.min(pages, /^[1-9]\d{0,8}$/.test(input.page) ? Number(input.page) : 1)
      const found = accounts.pageOfUsers(account.id, search, { limit: usersOnPage, offset: (page - 1) * usersOnPage })
      const statuses = await inParallel(found, readAtOnce, ({ id }) =>
        secondFactor.status({ user: id, account: account.id }),
      )
      const users = loginsOf(found, statuses, account).map(({ user: { id, email, role }, ...state }) => ({
        id,
        email,
        role,
        self: id === principal.id,
        ...state,
      }))
      const { enrolled: mayHelp } = await secondFactor.status({ user: principal.id, account: account.id })
      // A set-up that begins here leads back here.
      if (!mayHelp) sessions.leadTo(session, '/users')
      const isOnlyOwner = accounts.countOwners(account.id) === 1
      return { result: 'users', users, count, page, pages, search, mayHelp, isOnlyOwner, clients: statesOf(account) }
    },

    async issueRecoveryCode(context) {
      const target = targetOf(context)
      const before = await secondFactor.status({ user: target.id, account: target.account })
      return handedOut(target, before, await secondFactor.issueRecoveryCode(ownersAct(context, target)))
    },

    /** For a user whose phone or login somebody else may have: only a recovery code lets them in from then on. */
    async resetUser(context) {
      const target = targetOf(context)
      const before = await secondFactor.status({ user: target.id, account: target.account })
      const reply = await secondFactor.reset(ownersAct(context, target))
      // No session has an empty id, so this ends all of them.
      if (reply.result === 'recovery_code') sessions.endOthers({ principal: target.id, id: '' })
      return handedOut(target, before, reply)
    },

    /** The recovery code that this session made last, for ten minutes. After that, only whose it was. */
    async recoveryCode({ session }) {
      forgetOldCode(session)
      const made = session.pending.shown?.recoveryCode
      if (made === undefined) return { result: 'no_recovery_code' }
      return { result: made.code === undefined ? 'recovery_code_over' : 'recovery_code', ...made }
    },

    /**
     * Lets an API client in from the address at which it was last seen. The rule is one for API clients alone, so
     * that it shuts nobody out and needs no review.
     */
    async admitClient(context) {
      const { input } = context
      const asked = text(input, 'client')
      const stale = await staleFactor(context)
      if (stale) return stale
      // As they are now: nothing waits from here to the save, so that no other change of the rules is undone.
      const account = accounts.account(context.account.id)
      const client = statesOf(account).find(({ id }) => id === asked)
      if (client === undefined) throw new BadInput('client', 'is not in this account')
      const { id, lastIp, allowed, rule, reason } = client
      if (lastIp === undefined) throw new BadInput('client', 'was never seen, so its address is not known')
      if (!allowed && rule === undefined) return { result: 'denied', reason }
      // A thief of the client's secret may have logged in from elsewhere since the page was drawn: then the rule is another one.
      if (!allowed && text(input, 'rule') !== rule) return { result: 'denied', reason: 'address_changed' }
      if (!allowed) {
        const { require, firstFactor, network, name } = account
        const api = [...network.api, { network: rule, note: id }]
        const next = { require, firstFactor, network: { ...network, api }, name }
        await saveRules({ accounts, secondFactor, policyFor }, { ...context, account }, next)
      }
      return { result: 'client_admitted', client: id }
    },

    ...policyUseCases({ accounts, outbox, secondFactor, policyFor, staleFactor, entryOf, end, clock }),
    ...auditUseCases({ accounts, outbox }),
  }

  function targetOf({ input, account }) {
    const target = accounts.user(text(input, 'user'))
    if (target === undefined || target.account !== account.id) throw new BadInput('user', 'is not in this account')
    return target
  }

  function ownersAct({ principal, account, session, ip }, target) {
    return {
      user: target.id,
      account: account.id,
      ip,
      roles: rolesOf(target),
      by: { user: principal.id, session: session.id, pass: session.pass, role: principal.role },
    }
  }

  /** A new code, whose it is, and of the time before it: whether a code was good that it replaces, and whether the person had a factor. */
  function handedOut({ id: user, email }, { recoveryCode, enrolled }, reply) {
    const isCode = reply.result === 'recovery_code'
    return { ...reply, user, email, ...(isCode && { replaces: recoveryCode !== undefined, hadFactor: enrolled }) }
  }

  function forgetOldCode(session) {
    const isOver = ({ madeAt, expiresAt }) => clock() >= Math.min(madeAt + codeShownSeconds, expiresAt)
    const made = session.pending.shown?.recoveryCode
    if (made?.code === undefined || !isOver(made)) return
    sessions.change(session, ({ shown }) => {
      if (isOver(shown.recoveryCode)) delete shown.recoveryCode.code
    })
  }

  /** Users with their status, and whether they can log in from where they were last seen. */
  function loginsOf(users, statuses, account) {
    const time = clock()
    const review = rules.review(policyFor(account), {
      author: '',
      users: users.map((user, index) => ({
        user: user.id,
        role: user.role,
        roles: rolesOf(user),
        plan: account.plan,
        enrollment: statuses[index].enrollment,
        ...knownIp(user),
      })),
      apiClients: [],
      time,
    })
    const [blocked, needCode, setUp] = ['blockedUsers', 'needRecoveryCode', 'setUpByPassword'].map(
      (list) => new Set(review[list]),
    )
    return users.map((user, index) => {
      const status = statuses[index]
      const about = { blocked: blocked.has(user.id), needCode: needCode.has(user.id), setUp: setUp.has(user.id), time }
      return { user, status, login: loginOf(user, status, about, account) }
    })
  }

  /** Whether the rules let each API client in from where it was last seen; if not, the rule that would. */
  function statesOf(account) {
    const clients = accounts.clientsOf(account.id)
    const facts = clients.map((client) => ({ id: client.clientId, roles: rolesOf(client), ...knownIp(client) }))
    // The address of a client is known only after its first login.
    const seen = facts.filter(({ ip }) => ip !== undefined)
    const people = { author: '', users: [], apiClients: seen, time: clock() }
    const blocked = rules.review(policyFor(account), people).blockedApiClients
    return facts.map(({ id, ip }) => {
      if (ip === undefined) return { id }
      const found = blocked.find((each) => each.id === id)
      return { id, lastIp: ip, allowed: found === undefined, rule: found?.rule ?? undefined, reason: found?.reason }
    })
  }
}

/**
 * Whether a person can log in, and what is in the way:
 *   state    in | set_up, at the next login | code, with the recovery code that is alive | out
 *   reason   why not, or why only by a recovery code
 */
function loginOf(user, status, { blocked, needCode, setUp, time }, { require }) {
  const { enrollment, attempts, recoveryCode } = status
  if (blocked) return { state: 'out', reason: 'address', ip: user.last_ip }
  const byCode = (reason, until = undefined) =>
    recoveryCode === undefined
      ? { state: 'out', reason, ...(until !== undefined && { until }) }
      : { state: 'code', reason, ...(until !== undefined && { until }), codeUntil: recoveryCode.expiresAt }
  if (enrollment === 'reset') return byCode('reset')
  if (attempts.stopped) return byCode('stopped')
  if (attempts.lockedUntil > time) return byCode('locked', attempts.lockedUntil)
  if (needCode) {
    if (enrollment === 'unusable') return byCode('no_usable_method')
    const isForSomeNetworks =
      typeof require === 'object' && !require.roles?.some((role) => rolesOf(user).includes(role))
    return byCode(isForSomeNetworks ? 'enrollment_required_somewhere' : 'enrollment_required')
  }
  return { state: setUp ? 'set_up' : 'in' }
}

/** The results of `act` for each of `items`, in their order, at most so many at a time. */
async function inParallel(items, most, act) {
  const results = new Array(items.length)
  let next = 0
  const work = async () => {
    for (let index = next++; index < items.length; index = next++) results[index] = await act(items[index])
  }
  await Promise.all(Array.from({ length: most }, work))
  return results
}
