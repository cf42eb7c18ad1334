//! Public keys as a JWK set (RFC 7517, RFC 8037): the form in which they leave us and come in.
//!
//! A set that comes in is read strictly: it holds exactly the members that [`SigningRing::jwks`]
//! writes. A private member is an error of its own, because configurations of a gate are no secret.
//!
//! [`SigningRing::jwks`]: super::SigningRing::jwks

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer, Serialize};

use crate::error::{Error, ErrorCode};

use crate::restore_epoch::RestoreEpoch;

use super::document::{SigningAlgorithm, SigningKey};

/// A JWK set (RFC 7517 §5).
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "npm", derive(tsify::Tsify))]
#[serde(rename_all = "camelCase")]
pub struct Jwks {
    /// The public keys.
    pub keys: Vec<Jwk>,
    /// The restore epoch, which a gate reads; absent in the first one. Other readers pass over it (RFC 7517 §5).
    #[serde(skip_serializing_if = "RestoreEpoch::is_first")]
    #[cfg_attr(feature = "npm", tsify(optional))]
    pub restore_epoch: RestoreEpoch,
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

/// A JWK set as written in configuration.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct JwksDocument {
    keys: Vec<BTreeMap<String, Member>>,
    #[serde(default)]
    pub(crate) restore_epoch: RestoreEpoch,
}

/// The value of a member: a text, or a value that no member of ours has.
struct Member(Option<String>);

impl<'de> Deserialize<'de> for Member {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Self(String::deserialize(deserializer).ok()))
    }
}

impl JwksDocument {
    /// The keys of the set.
    ///
    /// # Errors
    /// [`ErrorCode::InvalidKeys`] with the path of the member.
    pub(super) fn signing_keys(&self) -> Result<Vec<SigningKey>, Error> {
        self.keys.iter().enumerate().map(|(index, jwk)| signing_key(index, jwk)).collect()
    }
}

fn signing_key(index: usize, jwk: &BTreeMap<String, Member>) -> Result<SigningKey, Error> {
    const SAME_IN_ALL: [(&str, &str); 4] = [("kty", "OKP"), ("crv", "Ed25519"), ("alg", "EdDSA"), ("use", "sig")];
    // RFC 7518 §6.2.2, §6.3.2 and §6.4, RFC 8037 §2.
    const PRIVATE: [&str; 8] = ["d", "k", "p", "q", "dp", "dq", "qi", "oth"];
    let wrong = |member: &str, message: &str| Error::new(ErrorCode::InvalidKeys, format!("keys[{index}].{member}"), message);
    if let Some(private) = PRIVATE.into_iter().find(|private| jwk.contains_key(*private)) {
        return Err(wrong(private, "is private, and this text is not kept secret; give public keys only, and replace this key"));
    }
    let is_known = |name: &str| matches!(name, "kid" | "x") || SAME_IN_ALL.iter().any(|(known, _)| *known == name);
    if let Some(unknown) = jwk.keys().find(|name| !is_known(name)) {
        return Err(wrong(unknown, "unknown member, expected one of `kty`, `crv`, `alg`, `use`, `kid`, `x`"));
    }
    let text = |name: &str| match jwk.get(name) {
        Some(Member(Some(text))) => Ok(text),
        Some(Member(None)) => Err(wrong(name, "expected a string")),
        None => Err(wrong(name, "is missing")),
    };
    for (name, value) in SAME_IN_ALL {
        if text(name)? != value {
            return Err(wrong(name, &format!("must be `{value}`")));
        }
    }
    Ok(SigningKey { kid: text("kid")?.clone(), alg: SigningAlgorithm::EdDSA, secret: None, public: Some(text("x")?.clone()) })
}
