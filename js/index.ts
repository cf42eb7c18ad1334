/**
 * The second factor as a plug-in. The host keeps storage and sends SMS; this decides.
 *
 * @packageDocumentation
 */
export { CountersignError, type ErrorCode } from './error.js'
export { createSecondFactor, type PolicySource, type SecondFactor, type SecondFactorOptions } from './second-factor.js'
export { memoryStore, sqliteStore, type SqliteDatabase, type Store, type Stored } from './stores.js'
export { backupCodes, generateKeys, otpauth, policy, qr, totp, type OtpAuth } from './tools.js'
export type {
  AttemptStatus,
  BackupCodesDocument,
  BackupStatus,
  BlockedApiClient,
  Channel,
  Decision,
  Effect,
  Enrolment,
  Event,
  Explanation,
  FactorStatus,
  Happened,
  Jwk,
  Jwks,
  Keys,
  Method,
  NetworkDocument,
  Notice,
  NoticeKind,
  PassCheck,
  PolicyDocument as Policy,
  Reason,
  RecoveryCodeDocument,
  RecoveryStatus,
  Reply,
  RequireDocument,
  Review,
  Role,
  Rule,
  SealingKey,
  ShownCode,
  SigningAlgorithm,
  SigningKey,
  SmsDocument,
  SmsMessage,
  SmsRefusal,
  SmsTemplate,
  Status,
  TokenRefusal,
  TotpAlgorithm,
  TotpDocument,
  UsableMethod,
} from './wasm.js'
