//! Keys: the sealing ring for records, and the signing ring for passes.

pub mod jwk;
mod key;
pub mod sealing;
pub mod signing;

use core::fmt;

use serde::Deserialize;

use crate::error::{Error, ErrorCode};
use crate::json::from_json;

pub use jwk::{Jwk, Jwks};
pub use sealing::{SealingKey, SealingRing};
pub use signing::{SigningAlgorithm, SigningKey, SigningRing};

/// The key ring as written in configuration (JSON).
#[derive(Clone, Deserialize)]
#[cfg_attr(feature = "npm", derive(tsify::Tsify))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Keys {
    /// Version of this document: 1.
    pub v: u32,
    /// Sealing keys, newest first; at least one. Old ones stay until nothing needs them.
    pub sealing: Vec<SealingKey>,
    /// Keys of passes. The first signs; all of them verify. At least one.
    pub signing: Vec<SigningKey>,
}

impl fmt::Debug for Keys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Keys").finish_non_exhaustive()
    }
}

/// Both rings: sealing keys, and the keys of passes as configured.
#[derive(Clone)]
pub struct KeyRing {
    sealing: SealingRing,
    passes: SigningRing,
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
        Ok(Self { sealing: SealingRing::parse(&keys.sealing)?, passes: SigningRing::parse(&keys.signing)? })
    }

    pub(crate) const fn new(sealing: SealingRing, passes: SigningRing) -> Self {
        Self { sealing, passes }
    }

    /// The sealing keys.
    #[must_use]
    pub const fn sealing(&self) -> &SealingRing {
        &self.sealing
    }

    /// The keys of passes.
    #[must_use]
    pub const fn passes(&self) -> &SigningRing {
        &self.passes
    }
}

impl fmt::Debug for KeyRing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KeyRing").field("newest", &self.sealing.newest_kid()).finish_non_exhaustive()
    }
}
