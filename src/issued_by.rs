//! The one who issued a recovery code: it counts by other rules.

use serde::{Deserialize, Serialize};

use crate::ids::{OperatorId, UserId};

/// The issuer of a recovery code.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "npm", derive(tsify::Tsify))]
#[serde(rename_all = "snake_case")]
pub enum IssuedBy {
    /// An owner of the account.
    Owner(UserId),
    /// The operator of the host.
    Operator(OperatorId),
}

impl IssuedBy {
    /// The owner, if it was one.
    #[must_use]
    pub const fn owner(&self) -> Option<&UserId> {
        match self {
            Self::Owner(user) => Some(user),
            Self::Operator(_) => None,
        }
    }
}
