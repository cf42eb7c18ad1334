// The API: the methods of a second factor. Those of one user's login and factors are here, those about users in a file of
// their own.
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
  EnrollSmsInput,
  EnrollSmsReply,
  EnrollTotpInput,
  EnrollTotpReply,
  RemoveInput,
  RemoveReply,
  RemoveTrustedBrowserInput,
  RemoveTrustedBrowserReply,
  RenameInput,
  RenameReply,
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
import type { UserMethods } from './user-methods.js'
import type * as wasm from './wasm.js'

/**
 * The second factor of all users of a service. A method takes one object, where it takes anything.
 *
 * A method that may wait, be it for the store, for a hash, for the `policy` function or for `sendSms`, gives a
 * promise, and its errors reject that promise. A method or function that never waits is synchronous
 * and throws: `createSecondFactor`, `jwks`, and the parts on their own.
 */
export interface SecondFactor extends UserMethods {
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
   *       if (reply.slowBySeconds !== undefined)
   *         return { message: 'This code is too old. Please type the one that the app shows now, or set the clock of your phone.' }
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
   * Gives an app or a phone another name. It needs a pass of the session, however old its factor is, but not one of a trusted
   * browser, and ends no pass.
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
