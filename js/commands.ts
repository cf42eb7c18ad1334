// The inputs and replies of `SecondFactor`. The fields of a command, of a reply and of the policy
// come from Rust, where they are checked; only the caller is added here.
import type * as wasm from './wasm.js'

/** Data as a caller may give it: a field that may be left out may also be `undefined`. */
export type Accepts<T> = T extends readonly (infer Item)[]
  ? Accepts<Item>[]
  : T extends object
    ? { [Key in keyof T]: Record<never, never> extends Pick<T, Key> ? Accepts<T[Key]> | undefined : Accepts<T[Key]> }
    : T

/** The user that a call is about, and the circumstances of the request. */
export interface Caller {
  /**
   * The user's id in your database, which never changes: 1 to 256 bytes without control characters. Never the name or
   * e-mail address that was typed: ids are compared byte by byte, and another spelling would be another user, without a factor.
   */
  user: string
  /**
   * The user's account, part of who the user is: nothing made under one account counts in another. It is
   * handed to the `policy` function, beside the user. Leave it out where there is one account, or where a user has one
   * second factor for all. A call without it is about another user than one with it. `null` is refused.
   */
  account?: string | undefined
  /**
   * The client's address as text, as proxies write it: `203.0.113.7`, `203.0.113.7:51008`, `[2001:db8::1]:443`,
   * `[2001:db8::1]`.
   * Needed where the policy has rules about addresses.
   */
  ip?: string | undefined
  /**
   * The user's roles in the account, by your own names. Needed where the policy's `require` names roles:
   * a call without them counts as one of a user who has such a role. An empty list: the user has none.
   */
  roles?: string[] | undefined
}

/** Input of `begin`. */
export interface BeginInput extends Caller, Accepts<wasm.Begin> {}
/** Input of `sendSms`; the ticket names the user. */
export interface SendSmsInput extends Omit<Caller, 'user'>, Accepts<wasm.SendSms> {}
/** Input of `verify`; the ticket names the user. */
export interface VerifyInput extends Omit<Caller, 'user'>, Accepts<wasm.SecondStep> {}
/** Input of `enrollTotp`. */
export interface EnrollTotpInput extends Caller, Accepts<wasm.EnrollTotp> {}
/** Input of `enrollSms`. */
export interface EnrollSmsInput extends Caller, Accepts<wasm.EnrollSms> {}
/** Input of `confirmTotp` and `confirmSms`. */
export interface ConfirmInput extends Caller, Accepts<wasm.Confirm> {}
/** Input of `showTotpSetup`. */
export interface ShowTotpSetupInput extends Caller, Accepts<wasm.ShowTotpSetup> {}
/** Input of `rename`. */
export interface RenameInput extends Caller, Accepts<wasm.Rename> {}
/** Input of `remove`. */
export interface RemoveInput extends Caller, Accepts<wasm.Remove> {}
/** Input of `removeTrustedBrowser`. */
export interface RemoveTrustedBrowserInput extends Caller, Accepts<wasm.RemoveTrustedBrowser> {}
/** Input of `renewBackupCodes` and `showBackupCodes`. */
export interface BackupCodesInput extends Caller, Accepts<wasm.Change> {}
/** Input of `showNewBackupCodes`. */
export interface ShowNewBackupCodesInput extends Caller, Accepts<wasm.ShowNewBackupCodes> {}
/** Input of `confirmBackupCodes`. */
export interface ConfirmBackupCodesInput extends Caller, Accepts<wasm.ConfirmBackupCodes> {}
/**
 * Input of `issueRecoveryCode`: `user` gets the code, `by` issues it. `ip` is the address of the issuer's request. `roles` are
 * those of `user`; nothing is decided by them here.
 */
export interface IssueRecoveryCodeInput extends Caller, Accepts<wasm.IssueRecoveryCode> {}
/**
 * Input of `reset`: `user` is reset, `by` does it. `ip` is the address of the owner's request. `roles` are those of `user`; nothing
 * is decided by them here.
 */
export interface ResetInput extends Caller, Accepts<wasm.IssueRecoveryCode> {}
/** Input of `check`. */
export interface CheckInput extends Caller, Accepts<wasm.Check> {}
/** Input of `checkPass`. Rules about addresses and roles do not apply to it. */
export interface CheckPassInput extends Omit<Caller, 'ip' | 'roles'>, Accepts<wasm.CheckPass> {}
/** Input of `status`. Rules about addresses and roles do not apply to it. */
export interface UserInput extends Omit<Caller, 'ip' | 'roles'> {}
/**
 * Input of `passwordChanged` and `signOutEverywhere`. `ip` is the address of the request, for the audit log. Rules about addresses
 * and roles do not apply to them.
 */
export interface SignOutInput extends Omit<Caller, 'roles'> {}

/** Input of `endSessions`. */
export interface EndSessionsInput extends Omit<Caller, 'ip' | 'roles'> {
  /** The ids of the sessions, as the other calls name them. */
  sessions: string[]
}

/** The replies with these results. */
export type ReplyOf<Result extends wasm.Reply['result']> = Extract<wasm.Reply, { result: Result }>

/** Reply of `begin`. */
export type BeginReply = ReplyOf<'allowed' | 'challenge' | 'set_up' | 'denied'>
/** Reply of `sendSms`. */
export type SendSmsReply = ReplyOf<'sms_sent' | 'sms_refused' | 'malformed' | 'denied'>
/** Reply of `verify`. */
export type VerifyReply = ReplyOf<'verified' | 'wrong' | 'malformed' | 'already_used' | 'locked' | 'expired' | 'denied'>
/** Reply of `enrollTotp`. */
export type EnrollTotpReply = ReplyOf<'totp_started' | 'malformed' | 'denied'>
/** Reply of `showTotpSetup`. */
export type ShowTotpSetupReply = ReplyOf<'totp_started' | 'expired' | 'malformed' | 'denied'>
/** Reply of `enrollSms`. */
export type EnrollSmsReply = (ReplyOf<'sms_sent'> & { setup: string }) | ReplyOf<'sms_refused' | 'malformed' | 'denied'>
/** Reply of `confirmTotp` and `confirmSms`. */
export type ConfirmReply = ReplyOf<'enrolled' | 'wrong' | 'malformed' | 'already_used' | 'expired' | 'denied'>
/** Reply of `rename`. */
export type RenameReply = ReplyOf<'renamed' | 'malformed' | 'denied'>
/** Reply of `remove`. */
export type RemoveReply = ReplyOf<'removed' | 'malformed' | 'denied'>
/** Reply of `removeTrustedBrowser`. */
export type RemoveTrustedBrowserReply = ReplyOf<'trusted_browser_removed' | 'malformed' | 'denied'>
/** Reply of `renewBackupCodes` and `showBackupCodes`. */
export type BackupCodesReply = ReplyOf<'backup_codes' | 'malformed' | 'denied'>
/** Reply of `showNewBackupCodes`. */
export type ShowNewBackupCodesReply = ReplyOf<'backup_codes' | 'expired' | 'malformed' | 'denied'>
/** Reply of `confirmBackupCodes`. */
export type ConfirmBackupCodesReply = ReplyOf<'confirmed' | 'expired' | 'malformed' | 'denied'>
/** Reply of `issueRecoveryCode`. */
export type IssueRecoveryCodeReply = ReplyOf<'recovery_code' | 'malformed' | 'denied'>
/** Reply of `reset`. */
export type ResetReply = ReplyOf<'recovery_code' | 'malformed' | 'denied'>

/** The account's rules. Every key but `v`, `name` and `origin` has a default; an unknown key is an error. */
export interface Policy extends Accepts<wasm.PolicyDocument> {}
/** The part of a policy about authenticator apps. */
export interface TotpPolicy extends Accepts<wasm.TotpPolicy> {}
/** The part of a policy about SMS. */
export interface SmsPolicy extends Accepts<wasm.SmsPolicy> {}
/** The part of a policy about addresses. */
export interface NetworkPolicy extends Accepts<wasm.NetworkPolicy> {}
/** The part of a policy about backup codes. */
export interface BackupCodesPolicy extends Accepts<wasm.BackupCodesPolicy> {}
/** The part of a policy about recovery codes. */
export interface RecoveryCodePolicy extends Accepts<wasm.RecoveryCodePolicy> {}
/** The part of a policy about trusted browsers. */
export interface TrustedBrowserPolicy extends Accepts<wasm.TrustedBrowserPolicy> {}

/** A policy, as object or as JSON text. */
export type PolicySource = Policy | string
/** The user whose policy is asked for. */
export interface PolicyQuestion {
  /** The user's account, where the call names one. */
  account?: string | undefined
  /** The user. */
  user: string
}

/**
 * The answer of a `policy` function: the policy of the account; or, for a user with one second factor for
 * many accounts, the policies of all of them. A list lets in only where each of its policies does, and under
 * it owners issue no recovery codes.
 */
export type PolicyAnswer = PolicySource | readonly PolicySource[]

/** The fixed policy, or the function that gives a user's. */
export type PolicyOption = PolicySource | ((question: PolicyQuestion) => PolicyAnswer | Promise<PolicyAnswer>)

/** A key ring, as object or as JSON text. */
export type KeySource = Accepts<wasm.Keys> | string

/** Input of `reviewPolicy`. */
export interface ReviewPolicyInput {
  /** The account whose users these are. */
  account?: string | undefined
  /**
   * The policy that is to come. Where users have one second factor for many accounts, it is given as `createSecondFactor`
   * has it, with the change in it: a function that gives all policies of a user, or a list where all users have the
   * same accounts. The function is asked for each user, and for each API client by its id. Its answer has the form that
   * the service's policy has for that user: a list, or one policy.
   */
  policy: PolicyOption | PolicyAnswer
  /** The user who makes the change, and the address of that user's request. */
  author: { user: string; ip?: string | undefined }
  /** All users of the account. */
  users: ReviewedUser[]
  /** The account's API clients. */
  apiClients?: ReviewedApiClient[] | undefined
}

/** A user whom a change of policy concerns. */
export interface ReviewedUser {
  /** User id. */
  user: string
  /** Whether the user may issue recovery codes. */
  role: wasm.Role
  /** The user's roles by your own names, where the policy's `require` names roles. */
  roles?: string[] | undefined
  /** The user's enrollment under the policy that is to come. Without it, the user's record is loaded and read. */
  enrollment?: wasm.Enrollment | undefined
  /** The plan of the user's account, where the policy that is to come names plans: without it, the user can set up nothing. */
  plan?: string | undefined
  /** The address from which the user comes, where it is known. */
  ip?: string | undefined
}

/** An API client of the account. */
export interface ReviewedApiClient {
  /** Its id. */
  id: string
  /** Its roles, where the policy's `require` names roles. */
  roles?: string[] | undefined
  /** The address from which it calls, where it is known. */
  ip?: string | undefined
}

/** Input of `policyChanged`. */
export interface PolicyChangedInput {
  /** The account whose policy it is, where the host has accounts: the event names it. */
  account?: string | undefined
  /** The user who made the change. */
  by: string
  /** The address of that user's request. */
  ip?: string | undefined
  /** The policy before. */
  before: PolicySource
  /** The policy that holds from now on. */
  after: PolicySource
}
