//! Effects: what the host does once the record is stored. Events for audit, notices for the
//! user, and the SMS to send. Events and notices carry no secret, code, token or number.

use core::fmt;

use serde::Serialize;

use crate::policy::{Method, Reason};
use crate::record::UserId;
use crate::time::UnixSeconds;

/// Text that only its receiver may see: serialised as it is, never in `Debug` or a log.
#[derive(Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "npm", derive(tsify::Tsify))]
#[serde(transparent)]
pub struct SecretText(pub String);

impl fmt::Debug for SecretText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecretText(…)")
    }
}

/// What the host must do after the record is stored, in this order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "npm", derive(tsify::Tsify))]
#[serde(rename_all = "snake_case")]
pub enum Effect {
    /// Send this SMS.
    Sms(SmsMessage),
    /// Tell the user, by a channel that is not this login.
    Notify(Notice),
    /// Keep this for audit.
    Log(Event),
}

/// An SMS to send.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "npm", derive(tsify::Tsify))]
#[serde(rename_all = "camelCase")]
pub struct SmsMessage {
    /// Unique for this message: hand it to the gateway as idempotency key.
    pub id: String,
    /// The number in E.164 form.
    pub to: SecretText,
    /// The text in English: one GSM-7 segment, last line bound to the origin.
    pub body: SecretText,
    /// When the code ends, in unix seconds: do not deliver it later.
    pub expires_at: UnixSeconds,
    /// The parts, for a text in another language. Keep the last line `@host #code`.
    pub template: SmsTemplate,
}

/// The parts of an SMS.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "npm", derive(tsify::Tsify))]
pub struct SmsTemplate {
    /// The code.
    pub code: SecretText,
    /// Its life in minutes, rounded down.
    pub minutes: u32,
    /// Host of the login page.
    pub host: String,
    /// The service's name.
    pub name: String,
}

/// Something the user must hear of (NIST SP 800-63B-4 §4.6).
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "npm", derive(tsify::Tsify))]
pub struct Notice {
    /// Whom to tell.
    pub user: UserId,
    /// What happened.
    pub kind: NoticeKind,
    /// By or to which method.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub method: Option<Method>,
    /// When, in unix seconds.
    pub at: UnixSeconds,
    /// Who did it, when it was someone else.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub by: Option<UserId>,
    /// For whom it was done, when that is someone else.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub about: Option<UserId>,
}

/// Kinds of notice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "npm", derive(tsify::Tsify))]
#[serde(rename_all = "snake_case")]
pub enum NoticeKind {
    /// A factor was added.
    FactorAdded,
    /// A factor was removed.
    FactorRemoved,
    /// The phone number was changed.
    NumberChanged,
    /// New backup codes replaced the old.
    BackupCodesRenewed,
    /// Someone logged in with a backup code.
    BackupCodeUsed,
    /// An owner issued a recovery code.
    RecoveryCodeIssued,
    /// Someone logged in with a recovery code.
    RecoveryCodeUsed,
    /// Wrong codes made the account wait or stop.
    Locked,
}

/// One line of the audit trail: `{ user, at, ip?, event, … }`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Event {
    /// Whose second factor it is about.
    pub user: UserId,
    /// When, in unix seconds.
    pub at: UnixSeconds,
    /// The client's address, canonical, if known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ip: Option<String>,
    /// What happened.
    #[serde(flatten)]
    pub happened: EventKind,
}

/// What happened.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "npm", derive(tsify::Tsify))]
#[serde(tag = "event", rename_all = "snake_case", rename_all_fields = "camelCase")]
pub enum EventKind {
    /// A login needed no second factor.
    LoginAllowed,
    /// A login was challenged.
    LoginChallenged,
    /// A login was denied.
    LoginDenied {
        /// Why.
        reason: Reason,
    },
    /// An SMS was handed over for sending.
    SmsSent,
    /// An SMS was asked for and not sent.
    SmsRefused,
    /// A code was right.
    CodeAccepted {
        /// By which method.
        method: Method,
    },
    /// A code was wrong and counted.
    CodeRefused {
        /// By which method.
        method: Method,
        /// Consecutive failures, with this one.
        failures: u32,
    },
    /// An attempt came while the account waits or is stopped.
    AttemptWhileLocked {
        /// By which method.
        method: Method,
    },
    /// Someone began to set up a factor.
    EnrollmentStarted {
        /// Which.
        method: Method,
    },
    /// A factor was confirmed.
    FactorAdded {
        /// Which.
        method: Method,
    },
    /// A factor was confirmed in place of an older one of its kind.
    FactorReplaced {
        /// Which.
        method: Method,
    },
    /// A factor was removed.
    FactorRemoved {
        /// Which.
        method: Method,
    },
    /// Backup codes were made.
    BackupCodesMade,
    /// Backup codes were shown again.
    BackupCodesShown,
    /// A recovery code was issued.
    RecoveryCodeIssued {
        /// By whom.
        by: UserId,
    },
    /// A recovery code died of too many wrong tries.
    RecoveryCodeSpent,
    /// A change was turned down.
    Refused {
        /// What was asked for.
        action: Action,
        /// Why not.
        reason: Reason,
    },
}

/// A change that can be turned down.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "npm", derive(tsify::Tsify))]
#[serde(rename_all = "snake_case")]
pub enum Action {
    /// The second step of a login.
    Verify,
    /// Sending a login code.
    SendSms,
    /// Setting up an authenticator app.
    EnrollTotp,
    /// Setting up a phone.
    EnrollSms,
    /// Removing a factor.
    Remove,
    /// Making new backup codes.
    RenewBackupCodes,
    /// Showing backup codes.
    ShowBackupCodes,
    /// Issuing a recovery code.
    IssueRecoveryCode,
}
