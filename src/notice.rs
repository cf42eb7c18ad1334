//! Notices: changes that a user, and in part the owners of the account, must hear of by another channel
//! than this login (NIST SP 800-63B-4 §4.6). A notice carries no secret, code, token or number.
//!
//! A notice has the address of the request behind it, by which people tell their own doing from somebody else's. Users see the
//! addresses of their own logins. The address of an owner who issues a code is for the owners alone.

use serde::Serialize;

use crate::client_ip::ClientIp;
use crate::factor::FactorName;
use crate::ids::{AccountId, UserId};
use crate::policy::Method;
use crate::time::UnixSeconds;

/// A change that people must hear of (NIST SP 800-63B-4 §4.6).
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "npm", derive(tsify::Tsify))]
#[serde(rename_all = "camelCase")]
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
    /// The name of the app or phone that was added, imported or removed, or that took another's place, or of the browser.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<FactorName>,
    /// The time of the change, in unix seconds.
    pub at: UnixSeconds,
    /// The owner who made the change, when it was not the user.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub by: Option<UserId>,
    /// The client's address, canonical, if known. A user is not told the address of an owner.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ip: Option<String>,
    /// Number of backup codes left, where the notice is about backup codes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub backup_codes_left: Option<usize>,
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
    /// A factor took the place of another. It comes in place of `FactorAdded` and `FactorRemoved`.
    FactorReplaced,
    /// A factor was removed.
    FactorRemoved,
    /// The operator had imported an app from another system; this login is the first one since.
    AppImported,
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
    /// The operator moved the user to another account or user id, and their apps and phones came along.
    Moved,
    /// The operator moved the user to another account or user id, and their apps and phones could not come along.
    MovedWithoutFactors,
    /// An owner reset the user: all factors are gone, and a recovery code was issued.
    Reset,
    /// Wrong codes made the user wait, or stopped them.
    Locked,
    /// A browser was trusted: it logs in without a code for some days.
    BrowserTrusted,
    /// A secret of a trusted browser was used again after it had turned. The trust has ended.
    TrustedBrowserCopied,
}

impl NoticeKind {
    /// The address of the client, for those who may see it.
    pub(crate) fn address_for(self, to: Recipient, client: ClientIp) -> Option<String> {
        let is_for_these = match to {
            Recipient::User => self.comes_from_the_users_login(),
            Recipient::Owners => true,
        };
        if is_for_these { client.to_text() } else { None }
    }

    /// Whether the request behind the notice came from a login of the user's, and not from an owner or the operator.
    const fn comes_from_the_users_login(self) -> bool {
        match self {
            Self::FactorAdded
            | Self::FirstFactorByPassword
            | Self::FactorReplaced
            | Self::FactorRemoved
            | Self::AppImported
            | Self::BackupCodesRenewed
            | Self::BackupCodeUsed
            | Self::RecoveryCodeUsed
            | Self::Locked
            | Self::BrowserTrusted
            | Self::TrustedBrowserCopied => true,
            Self::RecoveryCodeIssued
            | Self::RecoveryCodeReplaced
            | Self::RecoveryCodeWithdrawn
            | Self::Moved
            | Self::MovedWithoutFactors
            | Self::Reset => false,
        }
    }
}
