//! Notices: changes that a user must hear of by another channel than this login
//! (NIST SP 800-63B-4 §4.6). A notice carries no secret, code, token or number.

use serde::Serialize;

use crate::ids::{AccountId, UserId};
use crate::policy::Method;
use crate::time::UnixSeconds;

/// A change that the user must hear of (NIST SP 800-63B-4 §4.6).
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "npm", derive(tsify::Tsify))]
pub struct Notice {
    /// The user's account, where the host has accounts.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub account: Option<AccountId>,
    /// The user to tell.
    pub user: UserId,
    /// The change.
    pub kind: NoticeKind,
    /// The method that was changed or used.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub method: Option<Method>,
    /// The time of the change, in unix seconds.
    pub at: UnixSeconds,
    /// The user who made the change, when it was another.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub by: Option<UserId>,
    /// The user whose second factor was changed, when it is another.
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
