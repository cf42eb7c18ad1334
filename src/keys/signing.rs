//! The signing ring: keys of passes. The first key signs, all of them verify.
//!
//! Each key has one algorithm, fixed by configuration: a token that names another algorithm for
//! the key is refused (RFC 8725 §3.1). EdDSA is Ed25519 (RFC 8037); HS256 is opt-in, because every
//! verifier of it can also sign.

use core::fmt;

use ed25519_dalek::{Signature, Signer as _, SigningKey as EdSigningKey, VerifyingKey};
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use crate::encoding::{from_base64url, to_base64url};
use crate::error::{Error, ErrorCode};
use crate::restore_epoch::RestoreEpoch;

use super::document::{SigningAlgorithm, SigningKey};
use super::jwk::{Jwk, Jwks, JwksDocument};
use super::key::{Secret32, check_kid};

/// The keys of passes, parsed. Names are unique; there is at least one key.
#[derive(Clone)]
pub struct SigningRing {
    keys: Vec<RingKey>,
    /// Passes of an earlier one have ended.
    restore_epoch: RestoreEpoch,
}

#[derive(Clone)]
struct RingKey {
    kid: String,
    material: Material,
}

#[derive(Clone)]
enum Material {
    Ed25519(Box<EdSigningKey>),
    Ed25519Public(VerifyingKey),
    Hs256(Hmac<Sha256>),
}

impl fmt::Debug for SigningRing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.keys.iter().map(|key| &key.kid)).finish()
    }
}

impl SigningRing {
    pub(crate) fn parse(keys: &[SigningKey]) -> Result<Self, Error> {
        let mut parsed: Vec<RingKey> = Vec::new();
        for (index, key) in keys.iter().enumerate() {
            let at = |field: &str| format!("signing[{index}].{field}");
            check_kid(&key.kid, &at("kid"))?;
            if parsed.iter().any(|other| other.kid == key.kid) {
                return Err(Error::new(ErrorCode::InvalidKeys, at("kid"), "two keys have this name; give each its own"));
            }
            let material = match (key.alg, &key.secret, &key.public) {
                (SigningAlgorithm::EdDSA, Some(secret), None) => {
                    Material::Ed25519(Box::new(EdSigningKey::from_bytes(Secret32::parse(secret, &at("secret"))?.bytes())))
                }
                (SigningAlgorithm::EdDSA, None, Some(public)) => {
                    let bytes = Secret32::parse(public, &at("public"))?;
                    let key = VerifyingKey::from_bytes(bytes.bytes()).ok().filter(|key| !key.is_weak());
                    Material::Ed25519Public(
                        key.ok_or_else(|| Error::new(ErrorCode::InvalidKeys, at("public"), "is not a usable Ed25519 public key"))?,
                    )
                }
                (SigningAlgorithm::HS256, Some(secret), None) => {
                    let bytes = from_base64url(secret).filter(|bytes| (32..=128).contains(&bytes.len()));
                    let bytes = bytes.ok_or_else(|| {
                        Error::new(ErrorCode::InvalidKeys, at("secret"), "must be 32 to 128 bytes in base64url without padding")
                    })?;
                    Material::Hs256(
                        <Hmac<Sha256> as KeyInit>::new_from_slice(&bytes)
                            .map_err(|_| Error::new(ErrorCode::InvalidKeys, at("secret"), "cannot be a key"))?,
                    )
                }
                (SigningAlgorithm::HS256, _, Some(_)) => {
                    return Err(Error::new(ErrorCode::InvalidKeys, at("public"), "HS256 has no public key"));
                }
                (SigningAlgorithm::EdDSA, Some(_), Some(_)) => {
                    return Err(Error::new(ErrorCode::InvalidKeys, at("public"), "give the secret or the public key, not both"));
                }
                (SigningAlgorithm::EdDSA | SigningAlgorithm::HS256, None, None) => {
                    return Err(Error::new(ErrorCode::InvalidKeys, at("secret"), "is missing"));
                }
            };
            parsed.push(RingKey { kid: key.kid.clone(), material });
        }
        if parsed.is_empty() {
            Err(Error::new(ErrorCode::InvalidKeys, "signing", "give at least one key"))
        } else {
            Ok(Self { keys: parsed, restore_epoch: RestoreEpoch::FIRST })
        }
    }

    /// The public keys of a JWK set; `None` if the set is empty.
    ///
    /// # Errors
    /// [`ErrorCode::InvalidKeys`] with the path of the member.
    pub(crate) fn from_jwks(set: &JwksDocument) -> Result<Option<Self>, Error> {
        let keys = set.signing_keys()?;
        if keys.is_empty() {
            return Ok(None);
        }
        let in_set = |error: Error| Error { path: error.path.replace("signing", "keys").replace(".public", ".x"), ..error };
        Self::parse(&keys).map(|ring| Some(ring.in_epoch(set.restore_epoch))).map_err(in_set)
    }

    /// The same keys in a restore epoch.
    pub(crate) fn in_epoch(self, restore_epoch: RestoreEpoch) -> Self {
        Self { restore_epoch, ..self }
    }

    /// The restore epoch.
    pub(crate) const fn restore_epoch(&self) -> RestoreEpoch {
        self.restore_epoch
    }

    /// These keys and others that verify, in the later restore epoch of the two. A name may come in both if it is one key.
    pub(crate) fn with(mut self, others: Self) -> Result<Self, Error> {
        self.restore_epoch = self.restore_epoch.max(others.restore_epoch);
        for other in others.keys {
            match self.keys.iter().find(|key| key.kid == other.kid) {
                None => self.keys.push(other),
                Some(key) if key.public().is_some() && key.public() == other.public() => {}
                Some(_) => return Err(Error::new(ErrorCode::InvalidKeys, "kid", "two keys have this name; give each its own")),
            }
        }
        Ok(self)
    }

    /// Whether the first key can sign, or only verify.
    #[must_use]
    pub fn can_sign(&self) -> bool {
        self.signer().is_ok()
    }

    /// The first key, to sign with.
    ///
    /// # Errors
    /// [`ErrorCode::InvalidKeys`] where it has no secret.
    pub(crate) fn signer(&self) -> Result<Signer<'_>, Error> {
        let secret = self.keys.first().and_then(|key| match &key.material {
            Material::Ed25519(secret) => Some((key, SigningSecret::Ed25519(secret))),
            Material::Hs256(secret) => Some((key, SigningSecret::Hs256(secret))),
            Material::Ed25519Public(_) => None,
        });
        let (key, secret) = secret.ok_or_else(|| {
            Error::new(ErrorCode::InvalidKeys, "signing[0]", "the first signing key must have its secret, to sign passes")
        })?;
        Ok(Signer { kid: &key.kid, algorithm: key.algorithm(), secret })
    }

    /// Verifies a signature by the key named `kid`, if `alg` is the algorithm of that key.
    pub(crate) fn verify(&self, kid: &str, alg: &str, input: &[u8], signature: &[u8]) -> Result<(), SignatureError> {
        let key = self.keys.iter().find(|key| key.kid == kid).ok_or(SignatureError::UnknownKey)?;
        let ed25519 =
            |public: &VerifyingKey| Signature::from_slice(signature).is_ok_and(|signature| public.verify_strict(input, &signature).is_ok());
        let is_right = alg == key.algorithm()
            && match &key.material {
                Material::Ed25519(secret) => ed25519(&secret.verifying_key()),
                Material::Ed25519Public(public) => ed25519(public),
                Material::Hs256(mac) => mac.clone().chain_update(input).verify_slice(signature).is_ok(),
            };
        if is_right { Ok(()) } else { Err(SignatureError::WrongSignature) }
    }

    /// The public keys as a JWK set (RFC 7517 §5, RFC 8037 §2), for other verifiers of passes.
    /// HS256 keys are secret and not in it.
    #[must_use]
    pub fn jwks(&self) -> Jwks {
        let keys = self.keys.iter().filter_map(|key| {
            let public = key.public()?;
            Some(Jwk {
                kty: "OKP".to_owned(),
                crv: "Ed25519".to_owned(),
                alg: "EdDSA".to_owned(),
                key_use: "sig".to_owned(),
                kid: key.kid.clone(),
                x: to_base64url(public.as_bytes()),
            })
        });
        Jwks { keys: keys.collect(), restore_epoch: self.restore_epoch }
    }
}

/// The key that signs, with its secret.
pub(crate) struct Signer<'a> {
    kid: &'a str,
    algorithm: &'static str,
    secret: SigningSecret<'a>,
}

enum SigningSecret<'a> {
    Ed25519(&'a EdSigningKey),
    Hs256(&'a Hmac<Sha256>),
}

impl<'a> Signer<'a> {
    pub(crate) const fn kid(&self) -> &'a str {
        self.kid
    }

    pub(crate) const fn algorithm(&self) -> &'static str {
        self.algorithm
    }

    pub(crate) fn sign(&self, input: &[u8]) -> Vec<u8> {
        match self.secret {
            SigningSecret::Ed25519(key) => key.sign(input).to_bytes().to_vec(),
            SigningSecret::Hs256(mac) => mac.clone().chain_update(input).finalize().into_bytes().to_vec(),
        }
    }
}

/// The reason why a signature is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum SignatureError {
    /// No key of the ring has the name.
    UnknownKey,
    /// The key did not make this signature, or is used with another algorithm.
    WrongSignature,
}

impl RingKey {
    fn public(&self) -> Option<VerifyingKey> {
        match &self.material {
            Material::Ed25519(secret) => Some(secret.verifying_key()),
            Material::Ed25519Public(public) => Some(*public),
            Material::Hs256(_) => None,
        }
    }

    const fn algorithm(&self) -> &'static str {
        match self.material {
            Material::Ed25519(_) | Material::Ed25519Public(_) => "EdDSA",
            Material::Hs256(_) => "HS256",
        }
    }
}
