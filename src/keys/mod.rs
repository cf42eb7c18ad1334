//! Keys: the sealing ring for records and tickets, and the signing ring for passes.

mod document;
pub mod jwk;
mod key;
pub mod sealing;
pub mod signing;

use core::fmt;

use crate::error::{Error, ErrorCode};
use crate::json::from_json;

pub use document::{Keys, SealingKey, SigningAlgorithm, SigningKey};
pub use jwk::{Jwk, Jwks};
pub(crate) use key::Secret32;
pub use sealing::SealingRing;
pub use signing::SigningRing;

/// Both rings: sealing keys, and the keys of passes as configured.
#[derive(Clone)]
pub struct KeyRing {
    sealing: SealingRing,
    signing: SigningRing,
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
        Ok(Self { sealing: SealingRing::parse(&keys.sealing)?, signing: SigningRing::parse(&keys.signing)? })
    }

    pub(crate) const fn new(sealing: SealingRing, signing: SigningRing) -> Self {
        Self { sealing, signing }
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
