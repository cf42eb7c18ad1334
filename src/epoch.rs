//! The factor epoch: a random name in the record that changes with every change of a user's second
//! factor, and with every rescue.
//!
//! A pass and a set-up carry the epoch in which they were made. One of an earlier epoch changes nothing
//! any more: the phone that was replaced must not take the account back. It is a name and not a count,
//! so that a record that was deleted and made again never comes back to an epoch that it had.

use serde::{Deserialize, Serialize};

use crate::encoding::to_base64url;
use crate::entropy::Entropy;

/// A factor epoch. A user who never had a factor is in the first one.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "npm", derive(tsify::Tsify))]
#[serde(transparent)]
pub struct FactorEpoch(String);

impl FactorEpoch {
    /// The epoch of a user who never had a factor.
    pub(crate) const FIRST: Self = Self(String::new());

    /// A new epoch, unlike any before.
    pub(crate) fn next(entropy: &mut Entropy) -> Self {
        Self(to_base64url(&entropy.bytes::<9>()))
    }

    pub(crate) fn is_first(&self) -> bool {
        self.0.is_empty()
    }

    /// The epoch as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}
