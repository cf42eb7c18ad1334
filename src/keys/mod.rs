//! Keys: the sealing ring for records and tickets, and the signing ring for passes.

mod document;
pub mod jwk;
mod key;
pub mod sealing;
pub mod signing;

use core::fmt;

use crate::error::{Error, ErrorCode};
use crate::json::from_json;
use crate::restore_epoch::RestoreEpoch;

pub use document::{Keys, SealingKey, SigningAlgorithm, SigningKey};
pub use jwk::{Jwk, Jwks};
pub(crate) use key::Secret32;
pub use sealing::SealingRing;
pub use signing::SigningRing;

/// Both rings: sealing keys, and the keys of passes as configured, with the restore epoch.
#[derive(Clone)]
pub struct KeyRing {
    sealing: SealingRing,
    signing: SigningRing,
    restore_epoch: RestoreEpoch,
}

impl KeyRing {
    /// Parses the JSON text of a key ring.
    ///
    /// # Errors
    /// [`ErrorCode::InvalidKeys`] with the path of the field.
    pub fn parse(json: &str) -> Result<Self, Error> {
        let keys: Keys = from_json(json, ErrorCode::InvalidKeys)?;
        if keys.v != 1 {
            return Err(Error::new(ErrorCode::InvalidKeys, "v", "the version of the key ring must be 1"));
        }
        Self::of(&keys)
    }

    pub(crate) fn of(keys: &Keys) -> Result<Self, Error> {
        let Keys { sealing, signing, restore_epoch, .. } = keys;
        Ok(Self {
            sealing: SealingRing::parse(sealing, *restore_epoch)?,
            signing: SigningRing::parse(signing)?.in_epoch(*restore_epoch),
            restore_epoch: *restore_epoch,
        })
    }

    /// The restore epoch.
    #[must_use]
    pub const fn restore_epoch(&self) -> RestoreEpoch {
        self.restore_epoch
    }

    /// The sealing keys.
    #[must_use]
    pub const fn sealing(&self) -> &SealingRing {
        &self.sealing
    }

    /// The keys of passes.
    #[must_use]
    pub const fn signing(&self) -> &SigningRing {
        &self.signing
    }
}

impl fmt::Debug for KeyRing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KeyRing").field("newest", &self.sealing.newest_kid()).finish_non_exhaustive()
    }
}
