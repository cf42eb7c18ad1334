//! The key ring as it is written in configuration.

use core::fmt;

use serde::{Deserialize, Serialize};

use crate::restore_epoch::RestoreEpoch;

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
    /// Raised after the database was restored from a backup: `countersign keys restored` does it. 0 if it is absent.
    #[serde(default)]
    #[cfg_attr(feature = "npm", tsify(optional))]
    pub restore_epoch: RestoreEpoch,
}

impl fmt::Debug for Keys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Keys").finish_non_exhaustive()
    }
}

/// One sealing key.
#[derive(Clone, Deserialize)]
#[cfg_attr(feature = "npm", derive(tsify::Tsify))]
#[serde(deny_unknown_fields)]
pub struct SealingKey {
    /// Name of the key: 1 to 32 of `A–Z a–z 0–9 . _ -`. Never give two keys one name.
    pub kid: String,
    /// 32 random bytes in base64url without padding (43 characters).
    pub secret: String,
}

/// One key for passes.
#[derive(Clone, Deserialize)]
#[cfg_attr(feature = "npm", derive(tsify::Tsify))]
#[serde(deny_unknown_fields)]
pub struct SigningKey {
    /// Name of the key: 1 to 32 of `A–Z a–z 0–9 . _ -`.
    pub kid: String,
    /// The one algorithm that this key is used with; a token naming another is refused.
    pub alg: SigningAlgorithm,
    /// `EdDSA`: the 32-byte Ed25519 seed; `HS256`: at least 32 bytes. In base64url.
    #[serde(default)]
    pub secret: Option<String>,
    /// `EdDSA` only: the 32-byte public key, for a party that verifies and never signs.
    #[serde(default)]
    pub public: Option<String>,
}

/// Signature algorithm of a pass (RFC 7518 §3.1, RFC 8037 §3.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "npm", derive(tsify::Tsify))]
pub enum SigningAlgorithm {
    /// Ed25519; verifiers hold no secret. The default.
    EdDSA,
    /// HMAC-SHA-256; every verifier can also sign.
    HS256,
}
