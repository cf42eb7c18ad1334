//! The restore epoch: a number in the key ring, which the operator raises after the database was restored from a backup.
//!
//! A restore brings back used codes, ended sessions and removed browsers. The number is never in the database that is
//! restored, so it tells: a token and a record carry the one in which they were made.
//!
//! ```text
//!  token of an earlier epoch    refused: tickets, set-ups, passes
//!  record of an earlier epoch   loses backup and recovery codes, trusted browsers and login codes; apps and phones stay
//!  record of a later epoch      an error: this process has an old key ring
//! ```
//!
//! The command `keys restored` raises it to the unix time. Then codes of apps that could be shown until that time are refused as well.

use serde::{Deserialize, Serialize};

use crate::time::UnixSeconds;

/// A restore epoch: 0 where no database was restored, or a greater number after each restore, at best its time in unix seconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "npm", derive(tsify::Tsify))]
#[serde(transparent)]
pub struct RestoreEpoch(UnixSeconds);

impl Default for RestoreEpoch {
    fn default() -> Self {
        Self::FIRST
    }
}

impl RestoreEpoch {
    /// The epoch before any restore.
    pub(crate) const FIRST: Self = Self(UnixSeconds::EPOCH);

    #[cfg_attr(target_pointer_width = "64", expect(clippy::trivially_copy_pass_by_ref, reason = "serde gives a reference"))]
    pub(crate) fn is_first(&self) -> bool {
        *self == Self::FIRST
    }

    /// The time of the restore, where the number is one.
    pub(crate) const fn time(self) -> UnixSeconds {
        self.0
    }

    /// The bytes for the derivation of keys.
    pub(crate) const fn to_bytes(self) -> [u8; 8] {
        self.0.seconds().to_be_bytes()
    }
}
