/**
 * The second factor as a plug-in. The host stores records and sends SMS; this package decides.
 *
 * @packageDocumentation
 */
export type * from './commands.js'
export { createSecondFactor } from './create-second-factor.js'
export { CountersignError, type ErrorCode, type RuleErrorCode, SmsNeverLeft } from './error.js'
export type { Hashing } from './hashing.js'
export type { Limits } from './limits.js'
export type { SecondFactorOptions } from './options.js'
export type { EntryTimes, Revoke, Revoked, RevokedQuestion, RevokedSource } from './revoked.js'
export type { SecondFactor } from './second-factor.js'
export { type ListingStore, type RecordId, recordKey, type Store, type Stored } from './store.js'
export { memoryStore } from './stores/memory.js'
export { type SqliteDatabase, sqliteStore } from './stores/sqlite.js'
export {
  type BackupSheet,
  type BackupUse,
  backupCodes,
  generateKeys,
  type OtpAuth,
  otpauth,
  type PolicyFacts,
  type PolicyPeople,
  policy,
  qr,
  type TotpCheck,
  type TotpSettings,
  totp,
} from './tools.js'
export type { UserMethods } from './user-methods.js'
export type {
  AccountId,
  Action,
  AddressFamily,
  AttemptStatus,
  BackupStatus,
  BlockedApiClient,
  BrowserCookie,
  Channel,
  CheckPassReply,
  CheckReply,
  ClientField,
  CodeKind,
  Decision,
  Effect,
  EndedPasses,
  Enrollment,
  Event,
  EventKind,
  Explanation,
  FactorEpoch,
  FactorId,
  FactorName,
  FactorStatus,
  FirstFactor,
  ForgottenFamily,
  IssuedBy,
  Issuer,
  Jwk,
  Jwks,
  Keys,
  Limit,
  Method,
  NamedFactor,
  NetworkEntry,
  NetworkRule,
  Notice,
  NoticeKind,
  OperatorId,
  Reason,
  Recipient,
  RecoveryStatus,
  Reply,
  RequirePolicy,
  RequireRules,
  RequireWord,
  Review,
  Role,
  Rule,
  SealingKey,
  SecondStepReason,
  SecretText,
  SessionId,
  Setting,
  SettingChange,
  ShownCode,
  SigningAlgorithm,
  SigningKey,
  SmsMessage,
  SmsRefusal,
  SmsTemplate,
  Status,
  TokenError,
  TotpAlgorithm,
  TrustBrowser,
  TrustedBrowserStatus,
  UnixSeconds,
  UsableFactor,
  UsableMethod,
  UserId,
} from './wasm.js'
