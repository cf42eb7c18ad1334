//! Events: the audit trail. An event carries no secret, code, token or number.

use serde::Serialize;

use crate::ids::UserId;
use crate::policy::{Method, Reason};
use crate::time::UnixSeconds;

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
    pub kind: EventKind,
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
