/**
 * The second factor as a plug-in. The host keeps storage and sends SMS; this decides.
 *
 * @packageDocumentation
 */
export { CountersignError, type ErrorCode } from './error.js'
export { createSecondFactor, type PolicySource, type SecondFactor, type SecondFactorOptions } from './second-factor.js'
export { memoryStore, type SqliteDatabase, type Store, type Stored, sqliteStore } from './stores.js'
export { backupCodes, generateKeys, type OtpAuth, otpauth, policy, qr, totp } from './tools.js'
export type {
  AttemptStatus,
  BackupCodesPolicy,
  BackupStatus,
  BlockedApiClient,
  Channel,
  Decision,
  Effect,
  Enrollment,
  Event,
  EventKind,
  Explanation,
  FactorStatus,
  Jwk,
  Jwks,
  Keys,
  Method,
  NetworkPolicy,
  Notice,
  NoticeKind,
  PassCheck,
  PolicyDocument as Policy,
  Reason,
  RecoveryCodePolicy,
  RecoveryStatus,
  Reply,
  RequirePolicy,
  Review,
  Role,
  Rule,
  SealingKey,
  ShownCode,
  SigningAlgorithm,
  SigningKey,
  SmsMessage,
  SmsPolicy,
  SmsRefusal,
  SmsTemplate,
  Status,
  TokenError,
  TotpAlgorithm,
  TotpPolicy,
  UsableMethod,
} from './wasm.js'
