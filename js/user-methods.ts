// The API: what owners and the host say about users. None of it is a user's own login or factor.
import type {
  EndSessionsInput,
  IssueRecoveryCodeInput,
  IssueRecoveryCodeReply,
  PolicyChangedInput,
  ResetInput,
  ResetReply,
  ReviewPolicyInput,
  SignOutInput,
} from './commands.js'
import type * as wasm from './wasm.js'

/** The methods of a second factor by which owners and the host act on users and policies. */
export interface UserMethods {
  /**
   * Issues a recovery code for `user`, by an owner who is someone else; for one user at most five times an hour and twenty
   * times a day.
   *
   * @example
   * ```ts
   * import type { SecondFactor } from 'countersign'
   *
   * export async function rescue(secondFactor: SecondFactor, user: string, owner: { id: string; session: string; pass: string }) {
   *   const by = { user: owner.id, session: owner.session, pass: owner.pass, role: 'owner' as const }
   *   const reply = await secondFactor.issueRecoveryCode({ user, by })
   *   return reply.result === 'recovery_code' ? reply.code : undefined
   * }
   * ```
   */
  issueRecoveryCode(input: IssueRecoveryCodeInput): Promise<IssueRecoveryCodeReply>
  /**
   * Resets `user`, by an owner who is someone else: for a user whose phone or login somebody else may have. In one write, all
   * apps, phones and backup codes are gone, all passes, tickets and set-ups have ended, and a recovery code is issued, as by
   * `issueRecoveryCode` and within its budget.
   *
   * Until a recovery code is used, it is the only way in, whether a second factor is forced or not: `begin` challenges for it, and
   * is `recovery_code_required` once it has ended, and for API clients always. Another code, of an owner or the operator, helps.
   *
   * A good pass from before is refused at once where the store holds a revocation list. Without one, keep what `endPasses` is
   * given on yours. End the user's sessions in your session store, their API keys and remembered devices, and change the
   * password if somebody else may know it.
   *
   * @example
   * ```ts
   * import type { SecondFactor } from 'countersign'
   *
   * export async function takeBack(secondFactor: SecondFactor, user: string, owner: { id: string; session: string; pass: string }) {
   *   const by = { user: owner.id, session: owner.session, pass: owner.pass, role: 'owner' as const }
   *   const reply = await secondFactor.reset({ user, by })
   *   return reply.result === 'recovery_code' ? reply.code : undefined // to hand over in person
   * }
   * ```
   */
  reset(input: ResetInput): Promise<ResetReply>
  /**
   * Puts sessions on the revocation list that the store holds: their passes, tickets and set-ups count no more, here at once and
   * at a gate when it next fetches the list. End the sessions in your session store as well. It needs a store
   * that holds the list (`no_revoke`); where `revoked` gives it, keep the sessions there.
   *
   * @example
   * ```ts
   * import type { SecondFactor } from 'countersign'
   *
   * // `others` are the user's sessions but for the own one, which your session store has ended.
   * export async function logOutElsewhere(secondFactor: SecondFactor, user: string, others: string[]) {
   *   await secondFactor.endSessions({ user, sessions: others })
   * }
   * ```
   */
  endSessions(input: EndSessionsInput): Promise<void>
  /**
   * Ends the logins that the old password began, once it was changed or set anew: their tickets, their codes by SMS, and
   * set-ups that no code has confirmed. Passes stay, and so does the session that changed it.
   *
   * @example
   * ```ts
   * import type { SecondFactor } from 'countersign'
   *
   * export async function changePassword(secondFactor: SecondFactor, user: string, save: () => Promise<void>) {
   *   await save()
   *   await secondFactor.passwordChanged({ user })
   * }
   * ```
   */
  passwordChanged(input: SignOutInput): Promise<void>
  /**
   * Ends everything that {@link UserMethods.passwordChanged} ends, and the passes of all sessions of the user. `fresh` refuses them at
   * once, everything else where a revocation list or `endPasses` tells so. End the sessions in your session store as well.
   *
   * @example
   * ```ts
   * import type { SecondFactor } from 'countersign'
   *
   * export async function logOutEverywhere(secondFactor: SecondFactor, user: string, endAll: (user: string) => Promise<void>) {
   *   await endAll(user)
   *   await secondFactor.signOutEverywhere({ user })
   * }
   * ```
   */
  signOutEverywhere(input: SignOutInput): Promise<void>
  /**
   * Names the users whom a policy would lock out, before it is switched on. Each policy is compiled once, and the
   * event loop is free again every 20 milliseconds. Only a policy is compiled in two parts that are not cut, of 30 to 80
   * milliseconds each for 100,000 rules. The records of users without `enrollment` are loaded.
   *
   * Where the host's `policy` function gives a list, the rules of one account do not tell what happens to a user. So
   * the review takes such a function too, and refuses a single policy (`invalid_policy`), also as the answer of a function.
   * It refuses a list where the service gives one policy. Where a function throws or gives no policy, the message names the
   * user's place, such as `users[3]`, and `cause` is the error that was thrown.
   *
   * @example
   * ```ts
   * import type { Policy, SecondFactor } from 'countersign'
   *
   * export async function mayForce(secondFactor: SecondFactor, policy: Policy) {
   *   const users = [{ user: 'ann', role: 'owner' as const }, { user: 'bob', role: 'member' as const }]
   *   const review = await secondFactor.reviewPolicy({ policy: { ...policy, require: 'everyone' }, author: { user: 'ann' }, users })
   *   return { allowed: !review.refused, warn: review.needRecoveryCode }
   * }
   * ```
   */
  reviewPolicy(input: ReviewPolicyInput): Promise<wasm.Review>
  /**
   * Tells `onEvent` of a change of policy: who made it, the settings that changed, from what to what, and a
   * digest of both. Call it once the change is saved. The event holds no secret.
   *
   * @example
   * ```ts
   * import type { Policy, SecondFactor } from 'countersign'
   *
   * export async function audit(secondFactor: SecondFactor, by: string, before: Policy, after: Policy) {
   *   const event = await secondFactor.policyChanged({ by, before, after })
   *   return event.event === 'policy_changed' ? event.changes.map(({ path }) => path) : []
   * }
   * ```
   */
  policyChanged(input: PolicyChangedInput): Promise<wasm.Event>
}
