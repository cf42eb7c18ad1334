// The API: the methods of a second factor.
import type {
  BackupCodesInput,
  BackupCodesReply,
  BeginInput,
  BeginReply,
  CheckInput,
  CheckPassInput,
  ConfirmBackupCodesInput,
  ConfirmBackupCodesReply,
  ConfirmInput,
  ConfirmReply,
  EndSessionsInput,
  EnrollSmsInput,
  EnrollSmsReply,
  EnrollTotpInput,
  EnrollTotpReply,
  IssueRecoveryCodeInput,
  IssueRecoveryCodeReply,
  PolicyChangedInput,
  RemoveInput,
  RemoveReply,
  RemoveTrustedBrowserInput,
  RemoveTrustedBrowserReply,
  RenameInput,
  RenameReply,
  ResetInput,
  ResetReply,
  ReviewPolicyInput,
  SendSmsInput,
  SendSmsReply,
  ShowNewBackupCodesInput,
  ShowNewBackupCodesReply,
  ShowTotpSetupInput,
  ShowTotpSetupReply,
  UserInput,
  VerifyInput,
  VerifyReply,
} from './commands.js'
import type * as wasm from './wasm.js'

/**
 * The second factor of all users of a service. A method takes one object, where it takes anything.
 *
 * A method that may wait, be it for the store, for a hash, for the `policy` function or for `sendSms`, gives a
 * promise, and its errors reject that promise. A method or function that never waits is synchronous
 * and throws: `createSecondFactor`, `jwks`, and the parts on their own.
 */
export interface SecondFactor {
  /**
   * Decides a login after the first factor. It changes nothing in the record.
   *
   * @example
   * ```ts
   * import type { SecondFactor } from 'countersign'
   *
   * export async function afterPassword(secondFactor: SecondFactor, user: string, session: string, ip: string) {
   *   const reply = await secondFactor.begin({ user, session, ip })
   *   switch (reply.result) {
   *     case 'allowed':
   *       return { page: '/home' }
   *     case 'challenge':
   *       return { page: '/login/code', ticket: reply.ticket, methods: reply.methods }
   *     case 'set_up': // only where the policy says `firstFactor: 'password'`
   *       return { page: '/login/set-up', ticket: reply.ticket, methods: reply.methods }
   *     case 'denied':
   *       return { page: '/login', reason: reply.reason }
   *   }
   * }
   * ```
   */
  begin(input: BeginInput): Promise<BeginReply>
  /**
   * Sends a login code, or a new one; an older code of the same ticket ends.
   *
   * @example
   * ```ts
   * import type { SecondFactor } from 'countersign'
   *
   * export async function sendCode(secondFactor: SecondFactor, ticket: string, session: string) {
   *   const reply = await secondFactor.sendSms({ ticket, session })
   *   switch (reply.result) {
   *     case 'sms_sent':
   *       return `A code is on its way to ${reply.hint}.`
   *     case 'sms_refused':
   *       return `No code was sent: ${reply.reason}.`
   *     case 'malformed':
   *     case 'denied':
   *       return 'Please log in again.'
   *   }
   * }
   * ```
   */
  sendSms(input: SendSmsInput): Promise<SendSmsReply>
  /**
   * Takes the second step of a login. On `verified`, change the session id: hand the new one in as
   * `newSession`, or use the one in the reply.
   *
   * `ticket`, `method` and `code` may come from the client as they are: a value that is no text, or no method, is
   * answered with `malformed` and the name of the field. The same holds for the other fields of a client:
   * `factor`, `setup`, `number`, `label`, `name`, `replaces`, `browser`, `pass`, `set` and `newCodes`.
   *
   * Where the policy has `trustedBrowser`, and the challenge lists `trusted_browser` among its methods, try the browser's cookie
   * first: `method: 'trusted_browser'`, with the cookie as `code`. `expired`: forget the cookie, and ask for a code; the ticket
   * is still good. With a code by app or SMS, `trustBrowser` asks to trust the browser: ask the person first, and never on a
   * shared computer. Set `browser` of each reply that has it as the cookie from now on.
   *
   * @example
   * ```ts
   * import type { SecondFactor } from 'countersign'
   *
   * export async function secondStep(secondFactor: SecondFactor, ticket: string, session: string, code: string) {
   *   const reply = await secondFactor.verify({ ticket, session, method: 'totp', code })
   *   switch (reply.result) {
   *     case 'verified':
   *       return { user: reply.user, session: reply.session, pass: reply.pass }
   *     case 'wrong':
   *       return { message: `Wrong code, ${reply.attemptsLeft} attempts left.` }
   *     case 'already_used':
   *       return { message: 'This code was used already. Please wait for the next one.' }
   *     case 'malformed':
   *       return { message: `Please type ${reply.expected}.` }
   *     case 'locked':
   *     case 'expired':
   *     case 'denied':
   *       return { message: 'Please try again later, or log in again.' }
   *   }
   * }
   * ```
   */
  verify(input: VerifyInput): Promise<VerifyReply>
  /**
   * Begins to set up an authenticator app; the app shows `label` beside the service's name. Hand `setup` back with the
   * code: keep it in the session, or in the page.
   *
   * @example
   * ```ts
   * import type { SecondFactor } from 'countersign'
   *
   * export async function setUpApp(secondFactor: SecondFactor, user: string, session: string, pass?: string) {
   *   const reply = await secondFactor.enrollTotp({ user, session, pass, label: user })
   *   switch (reply.result) {
   *     case 'totp_started':
   *       return { picture: reply.qrSvg, typeByHand: reply.secret, setup: reply.setup }
   *     case 'malformed':
   *       return { refused: reply.field }
   *     case 'denied':
   *       return { refused: reply.reason }
   *   }
   * }
   * ```
   */
  enrollTotp(input: EnrollTotpInput): Promise<EnrollTotpReply>
  /**
   * Shows a set-up of an app that no code has confirmed yet once more, to the session that began it: for a page that is loaded
   * again. The reply is that of `enrollTotp`, with the same key and the same end. `expired`: it has ended, or was confirmed.
   *
   * @example
   * ```ts
   * import type { SecondFactor } from 'countersign'
   *
   * export async function reloaded(secondFactor: SecondFactor, user: string, session: string, setup: string) {
   *   const reply = await secondFactor.showTotpSetup({ user, session, setup })
   *   return reply.result === 'totp_started' ? { picture: reply.qrSvg, typeByHand: reply.secret } : undefined
   * }
   * ```
   */
  showTotpSetup(input: ShowTotpSetupInput): Promise<ShowTotpSetupReply>
  /**
   * Turns the app on with a code from it. A wrong code is not counted. With the first factor the reply has the backup
   * codes. The reply has the session's pass from now on.
   *
   * A set-up by the ticket of `set_up` ends a login: change the session id, as after `verify`. Hand the new one in as
   * `newSession`, or use the one in the reply.
   *
   * @example
   * ```ts
   * import type { SecondFactor } from 'countersign'
   *
   * export async function confirmApp(secondFactor: SecondFactor, user: string, session: string, setup: string, code: string) {
   *   const reply = await secondFactor.confirmTotp({ user, session, setup, code })
   *   // Keep the pass in the session.
   *   return reply.result === 'enrolled' ? { pass: reply.pass, codes: reply.backupCodes ?? [] } : undefined
   * }
   * ```
   */
  confirmTotp(input: ConfirmInput): Promise<ConfirmReply>
  /**
   * Begins to set up a phone, or sends its code again. `number` in E.164 form. Hand `setup` back with the code: each
   * message has its own.
   *
   * @example
   * ```ts
   * import type { SecondFactor } from 'countersign'
   *
   * export async function setUpPhone(secondFactor: SecondFactor, user: string, session: string, pass?: string) {
   *   const reply = await secondFactor.enrollSms({ user, session, pass, number: '+61412345678' })
   *   switch (reply.result) {
   *     case 'sms_sent':
   *       return { setup: reply.setup, sentTo: reply.hint }
   *     case 'sms_refused':
   *     case 'denied':
   *       return { refused: reply.reason }
   *     case 'malformed':
   *       return { refused: reply.field }
   *   }
   * }
   * ```
   */
  enrollSms(input: EnrollSmsInput): Promise<EnrollSmsReply>
  /**
   * Turns the phone on with the code sent to it; five wrong ones end that code. The reply has the session's
   * pass from now on.
   *
   * @example
   * ```ts
   * import type { SecondFactor } from 'countersign'
   *
   * export async function confirmPhone(secondFactor: SecondFactor, user: string, session: string, setup: string, code: string) {
   *   const reply = await secondFactor.confirmSms({ user, session, setup, code })
   *   return reply.result === 'enrolled' ? { pass: reply.pass } : undefined
   * }
   * ```
   */
  confirmSms(input: ConfirmInput): Promise<ConfirmReply>
  /**
   * Gives an app or a phone another name. It needs a pass of the session, however old its factor is, and ends no pass.
   *
   * @example
   * ```ts
   * import type { SecondFactor } from 'countersign'
   *
   * export async function rename(secondFactor: SecondFactor, user: string, session: string, pass: string, name: string) {
   *   const { methods } = await secondFactor.status({ user })
   *   return secondFactor.rename({ user, session, pass, factor: methods[0]?.id ?? '', name })
   * }
   * ```
   */
  rename(input: RenameInput): Promise<RenameReply>
  /**
   * Removes an app or a phone; with the last one that can be used, all the rest goes too. The reply has the session's
   * pass from now on. To put another one in its place without a gap, set that up with `replaces`.
   *
   * @example
   * ```ts
   * import type { SecondFactor } from 'countersign'
   *
   * export async function remove(secondFactor: SecondFactor, user: string, session: string, pass: string, factor: string) {
   *   const reply = await secondFactor.remove({ user, session, pass, factor }) // an `id` of `status`
   *   return reply.result === 'removed' ? { pass: reply.pass, left: reply.methodsLeft } : undefined
   * }
   * ```
   */
  remove(input: RemoveInput): Promise<RemoveReply>
  /**
   * Ends the trust in one browser of `status`. It needs a pass of the session, however old and by whatever method. Sessions that
   * the browser has go on: end them in your session store.
   *
   * @example
   * ```ts
   * import type { SecondFactor } from 'countersign'
   *
   * export async function endTrust(secondFactor: SecondFactor, user: string, session: string, pass: string, browser: string) {
   *   const reply = await secondFactor.removeTrustedBrowser({ user, session, pass, browser }) // an `id` of `trustedBrowsers`
   *   return reply.result === 'trusted_browser_removed'
   * }
   * ```
   */
  removeTrustedBrowser(input: RemoveTrustedBrowserInput): Promise<RemoveTrustedBrowserReply>
  /**
   * Makes new backup codes, at most five times an hour and twenty times a day; the old ones end. The reply has the session's
   * pass from now on.
   *
   * @example
   * ```ts
   * import type { SecondFactor } from 'countersign'
   *
   * export async function newCodes(secondFactor: SecondFactor, user: string, session: string, pass: string) {
   *   const reply = await secondFactor.renewBackupCodes({ user, session, pass })
   *   return reply.result === 'backup_codes' ? { pass: reply.pass, codes: reply.codes.map(({ code }) => code) } : undefined
   * }
   * ```
   */
  renewBackupCodes(input: BackupCodesInput): Promise<BackupCodesReply>
  /**
   * Shows the backup codes again, where the policy keeps a copy.
   *
   * @example
   * ```ts
   * import type { SecondFactor } from 'countersign'
   *
   * export async function unusedCodes(secondFactor: SecondFactor, user: string, session: string, pass: string) {
   *   const reply = await secondFactor.showBackupCodes({ user, session, pass })
   *   return reply.result === 'backup_codes' ? reply.codes.filter(({ used }) => !used) : []
   * }
   * ```
   */
  showBackupCodes(input: BackupCodesInput): Promise<BackupCodesReply>
  /**
   * Shows new backup codes once more, whatever the policy keeps: for a page that is loaded again. It takes `newCodes` from the
   * reply that brought the codes, in the session of that reply, for ten minutes. `expired`: that time is over, or the person
   * has saved the codes or used one, or there is a newer set.
   *
   * @example
   * ```ts
   * import type { SecondFactor } from 'countersign'
   *
   * export async function newCodes(secondFactor: SecondFactor, user: string, session: string, pass: string, newCodes: string) {
   *   const reply = await secondFactor.showNewBackupCodes({ user, session, pass, newCodes })
   *   return reply.result === 'backup_codes' ? { set: reply.set, codes: reply.codes.map(({ code }) => code) } : undefined
   * }
   * ```
   */
  showNewBackupCodes(input: ShowNewBackupCodesInput): Promise<ShowNewBackupCodesReply>
  /**
   * Notes that the person has saved the backup codes. Call it when the person says so, with the `set` that came with
   * the codes; `expired` where newer ones were made since. Until then, `status` has `backupCodes.confirmed: false`: the
   * reply with the codes may have been lost. The codes count all the same, and a login by one of them confirms the set.
   *
   * @example
   * ```ts
   * import type { SecondFactor } from 'countersign'
   *
   * export async function saved(secondFactor: SecondFactor, user: string, session: string, pass: string, set: string) {
   *   const reply = await secondFactor.confirmBackupCodes({ user, session, pass, set })
   *   return reply.result === 'confirmed'
   * }
   * ```
   */
  confirmBackupCodes(input: ConfirmBackupCodesInput): Promise<ConfirmBackupCodesReply>
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
   * Shows a user's second factor at a glance, without secrets.
   *
   * @example
   * ```ts
   * import type { SecondFactor } from 'countersign'
   *
   * export async function methodsOf(secondFactor: SecondFactor, user: string) {
   *   const { enrolled, methods } = await secondFactor.status({ user })
   *   return enrolled ? methods.map(({ method }) => method) : []
   * }
   * ```
   */
  status(input: UserInput): Promise<wasm.Status>
  /**
   * The question of every request: does the session still meet the rules?
   *
   * Address rules come first, then the pass, then the record: without a pass that counts, the user is
   * in if no second factor is needed, and else has the second step to do. With a good pass the record
   * is not loaded, unless `fresh` is asked for: a fresh pass is at most `freshSeconds` old, and its factor is
   * still in the record. A revocation list is asked about each pass, once; without one, a good pass asks nothing.
   *
   * `maxAge`, `methods` and `fresh` say which passes count. They force no factor on a user who needs
   * none; the policy's `require` does that. The reply to a change of factors brings the session's pass
   * from now on: keep it in the session, in place of the one before.
   *
   * @example
   * ```ts
   * import type { SecondFactor } from 'countersign'
   *
   * export async function guard(secondFactor: SecondFactor, user: string, session: string, pass?: string, ip?: string) {
   *   const reply = await secondFactor.check({ user, session, pass, ip })
   *   switch (reply.result) {
   *     case 'in':
   *       return { next: true }
   *     case 'second_step':
   *       return { redirect: '/login/code' }
   *     case 'denied':
   *       return { status: 403, reason: reply.reason }
   *   }
   * }
   * ```
   */
  check(input: CheckInput): Promise<wasm.CheckReply>
  /**
   * Checks a pass alone: whether it counts for this user and session. No record is loaded, and no
   * address rule is asked; {@link SecondFactor.check} does both. A revocation list is asked, where there is one.
   *
   * @example
   * ```ts
   * import type { SecondFactor } from 'countersign'
   *
   * export async function methodOf(secondFactor: SecondFactor, user: string, session: string, pass: string) {
   *   const reply = await secondFactor.checkPass({ user, session, pass, maxAge: 3_600 })
   *   return reply.result === 'valid' ? reply.method : undefined
   * }
   * ```
   */
  checkPass(input: CheckPassInput): Promise<wasm.CheckPassReply>
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
  passwordChanged(input: UserInput): Promise<void>
  /**
   * Ends everything that {@link SecondFactor.passwordChanged} ends, and the passes of all sessions of the user. `fresh` refuses them at
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
  signOutEverywhere(input: UserInput): Promise<void>
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
  /**
   * The public keys of passes as a JWK set, for other verifiers.
   *
   * @example
   * ```ts
   * import type { SecondFactor } from 'countersign'
   *
   * export function jwksJson(secondFactor: SecondFactor): string {
   *   return JSON.stringify(secondFactor.jwks())
   * }
   * ```
   */
  jwks(): wasm.Jwks
}
