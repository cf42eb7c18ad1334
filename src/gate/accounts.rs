//! The accounts whose passes and tickets count at this gate: by default those of a host without
//! accounts, else one account or any. The policy of a gate is one account's, so that a pass made under
//! a lenient account does not open a stricter one.
//!
//! With any, the service behind the gate compares the account, and the gate's policy says where all of
//! them come from and how long their passes last. Codes are not verified then: this policy may offer a
//! method that the account does not, and the pass would name the account all the same.

use serde::Deserialize;

use crate::error::Error;
use crate::ids::AccountId;

use super::check::wrong;

/// The accounts as configured: `"none"`, `"any"` or `{"one": "acme"}`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum AccountsDocument {
    #[default]
    None,
    Any,
    One(String),
}

/// The accounts that count.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Accounts {
    /// Passes that name no account.
    None,
    /// Every pass. The upstream reads the account from `x-second-factor-account`. No code is verified.
    Any,
    /// Passes of one account.
    One(AccountId),
}

impl Accounts {
    pub(super) fn parse(document: AccountsDocument) -> Result<Self, Error> {
        Ok(match document {
            AccountsDocument::None => Self::None,
            AccountsDocument::Any => Self::Any,
            AccountsDocument::One(account) => Self::One(AccountId::new(&account).map_err(|error| wrong("accounts.one", &error.message))?),
        })
    }

    /// Whether a pass or ticket of this account counts.
    pub(super) fn accept(&self, account: Option<&AccountId>) -> bool {
        match self {
            Self::None => account.is_none(),
            Self::Any => true,
            Self::One(one) => account == Some(one),
        }
    }
}
