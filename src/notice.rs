//! Notices: changes that a user, and in part the owners of the account, must hear of by another channel
//! than this login (NIST SP 800-63B-4 §4.6). A notice carries no secret, code, token or number.

use serde::Serialize;

use crate::ids::{AccountId, UserId};
use crate::policy::Method;
use crate::time::UnixSeconds;

/// A change that people must hear of (NIST SP 800-63B-4 §4.6).
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "npm", derive(tsify::Tsify))]
pub struct Notice {
    /// The user's account, where the host has accounts.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub account: Option<AccountId>,
    /// The people to tell.
    pub to: Recipient,
    /// The user whose second factor it is about.
    pub user: UserId,
    /// The change.
    pub kind: NoticeKind,
    /// The method that was changed or used.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub method: Option<Method>,
    /// The time of the change, in unix seconds.
    pub at: UnixSeconds,
    /// The owner who made the change, when it was not the user.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub by: Option<UserId>,
}

/// The people whom a notice is for. The host knows their addresses.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "npm", derive(tsify::Tsify))]
#[serde(rename_all = "snake_case")]
pub enum Recipient {
    /// The user whom it is about.
    User,
    /// The owners of the user's account.
    Owners,
}

/// Kinds of notice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "npm", derive(tsify::Tsify))]
#[serde(rename_all = "snake_case")]
pub enum NoticeKind {
    /// A factor was added.
    FactorAdded,
    /// The first factor was set up at login, by the password alone. User and owners hear of it.
    FirstFactorByPassword,
    /// A factor was removed.
    FactorRemoved,
    /// The phone number was changed.
    NumberChanged,
    /// New backup codes replaced the old.
    BackupCodesRenewed,
    /// Someone logged in with a backup code.
    BackupCodeUsed,
    /// A recovery code was issued, by an owner or by the operator.
    RecoveryCodeIssued,
    /// A recovery code was replaced by another before it was used.
    RecoveryCodeReplaced,
    /// The operator withdrew a recovery code before it was used.
    RecoveryCodeWithdrawn,
    /// Someone logged in with a recovery code.
    RecoveryCodeUsed,
    /// Wrong codes made the user wait, or stopped them.
    Locked,
}
