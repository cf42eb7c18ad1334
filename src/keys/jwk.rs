//! Public keys as a JWK set (RFC 7517, RFC 8037): the form in which they leave us and come in.

use serde::Serialize;

/// A JWK set (RFC 7517 §5).
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "npm", derive(tsify::Tsify))]
pub struct Jwks {
    /// The public keys.
    pub keys: Vec<Jwk>,
}

/// One public Ed25519 key (RFC 8037 §2).
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "npm", derive(tsify::Tsify))]
pub struct Jwk {
    /// Always `OKP`.
    pub kty: String,
    /// Always `Ed25519`.
    pub crv: String,
    /// Always `EdDSA`.
    pub alg: String,
    /// Always `sig`.
    #[serde(rename = "use")]
    pub key_use: String,
    /// Name of the key.
    pub kid: String,
    /// The public key in base64url.
    pub x: String,
}
