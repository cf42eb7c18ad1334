//! Notices: changes that a user must hear of by another channel than this login
//! (NIST SP 800-63B-4 §4.6). A notice carries no secret, code, token or number.

use serde::Serialize;

use crate::ids::UserId;
use crate::policy::Method;
use crate::time::UnixSeconds;

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
