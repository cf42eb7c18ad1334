//! Secrets: random bytes, the key ring, and values sealed at rest.
//!
//! The ring holds *sealing* keys, newest first. Each is 32 bytes and is never used itself:
//! every purpose has a subkey by HKDF-SHA-256 (RFC 5869), so a MAC under one purpose means
//! nothing under another. The newest key writes; every key in the ring still opens. A value
//! names its key by `kid`, and a missing key is a typed failure, never "this user has no 2FA".
//!
//! Sealing is ChaCha20-Poly1305 (RFC 8439) under a fresh 96-bit nonce, with the user id and
//! the purpose as associated data: a box moved to another user or field does not open.

use core::fmt;

use base64ct::{Base64UrlUnpadded, Encoding as _};
use chacha20poly1305::aead::{Aead, KeyInit, Payload};
use chacha20poly1305::{ChaCha20Poly1305, Key, Nonce};
use hkdf::Hkdf;
use hmac::{Hmac, Mac};
use serde::Serialize;
use sha2::Sha256;
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

use crate::error::{Error, ErrorCode};
use crate::json::FromJson;

/// Random bytes for one step, expanded from a 32-byte seed out of the host's CSPRNG.
///
/// A seed serves one step only: a step that is tried again needs a fresh one.
#[derive(ZeroizeOnDrop)]
pub struct Entropy {
    seed: [u8; 32],
    counter: u64,
}

impl Entropy {
    /// From 32 bytes of the host's cryptographic random source.
    #[must_use]
    pub const fn new(seed: [u8; 32]) -> Self {
        Self { seed, counter: 0 }
    }

    /// The next `N` random bytes.
    pub(crate) fn bytes<const N: usize>(&mut self) -> [u8; N] {
        let mut out = [0; N];
        for chunk in out.chunks_mut(32) {
            let mut block = mac(&self.seed, &[b"countersign/entropy", &self.counter.to_be_bytes()]);
            self.counter = self.counter.wrapping_add(1);
            for (to, from) in chunk.iter_mut().zip(block.iter()) {
                *to = *from;
            }
            block.zeroize();
        }
        out
    }

    /// A uniform number below `bound` (at most 2³²), by rejection: no modulo bias.
    pub(crate) fn below(&mut self, bound: u32) -> u32 {
        let bound = u64::from(bound.max(1));
        let zone = u64::MAX.checked_rem(bound).map_or(0, |rest| u64::MAX.saturating_sub(rest));
        loop {
            let candidate = u64::from_be_bytes(self.bytes::<8>());
            if candidate < zone {
                let rest = candidate.checked_rem(bound).unwrap_or(0);
                return u32::try_from(rest).unwrap_or(0);
            }
        }
    }

    /// A random 128-bit identifier in base64url.
    pub(crate) fn id(&mut self) -> String {
        to_base64url(&self.bytes::<16>())
    }
}

impl fmt::Debug for Entropy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Entropy(…)")
    }
}

/// 32 secret bytes that are wiped when dropped and never printed.
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub(crate) struct Secret32([u8; 32]);

impl Secret32 {
    pub(crate) const fn bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Debug for Secret32 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret32(…)")
    }
}

/// What a subkey is for. Each purpose has its own key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// Sealing TOTP secrets, phone numbers and the optional copy of backup codes.
    Seal,
    /// The pepper under backup and recovery codes.
    Pepper,
    /// The MAC over an SMS code.
    SmsCode,
    /// The MAC over a ticket.
    Ticket,
    /// The MAC that stands for a session id in a set-up.
    Session,
}

impl Purpose {
    const fn label(self) -> &'static [u8] {
        match self {
            Self::Seal => b"countersign/v1/seal",
            Self::Pepper => b"countersign/v1/pepper",
            Self::SmsCode => b"countersign/v1/sms-code",
            Self::Ticket => b"countersign/v1/ticket",
            Self::Session => b"countersign/v1/session",
        }
    }
}

/// One sealing key.
#[derive(Clone, FromJson)]
#[cfg_attr(feature = "npm", derive(tsify::Tsify))]
#[serde(deny_unknown_fields)]
pub struct SealingKey {
    /// Name of the key: 1 to 32 of `A–Z a–z 0–9 . _ -`. Never give two keys one name.
    pub kid: String,
    /// 32 random bytes in base64url without padding (43 characters).
    pub secret: String,
}

/// The sealing keys, parsed. Key names are unique; there is at least one.
#[derive(Debug, Clone)]
pub struct SealingRing {
    newest: RingKey,
    older: Vec<RingKey>,
}

#[derive(Debug, Clone)]
struct RingKey {
    kid: String,
    master: Secret32,
}

impl SealingRing {
    pub(crate) fn parse(keys: &[SealingKey]) -> Result<Self, Error> {
        let mut parsed = Vec::new();
        for (index, key) in keys.iter().enumerate() {
            let at = |field: &str| format!("sealing[{index}].{field}");
            check_kid(&key.kid, &at("kid"))?;
            if parsed.iter().any(|other: &RingKey| other.kid == key.kid) {
                return Err(Error::new(ErrorCode::InvalidKeys, at("kid"), "two keys have this name; give each its own"));
            }
            parsed.push(RingKey { kid: key.kid.clone(), master: parse_secret32(&key.secret, &at("secret"))? });
        }
        let mut parsed = parsed.into_iter();
        let newest = parsed.next().ok_or_else(|| Error::new(ErrorCode::InvalidKeys, "sealing", "give at least one key"))?;
        Ok(Self { newest, older: parsed.collect() })
    }

    /// Name of the key that writes.
    pub(crate) fn newest_kid(&self) -> &str {
        &self.newest.kid
    }

    fn find(&self, kid: &str) -> Result<&RingKey, Error> {
        core::iter::once(&self.newest).chain(&self.older).find(|key| key.kid == kid).ok_or_else(|| {
            Error::new(ErrorCode::KeyMissing, "keys.sealing", format!("the record needs the key `{kid}`; put it back into the key ring"))
        })
    }

    /// The subkey of one purpose under the named key.
    pub(crate) fn subkey(&self, kid: &str, purpose: Purpose) -> Result<Secret32, Error> {
        self.find(kid).map(|key| derive(&key.master, purpose))
    }

    /// The subkey of one purpose under the newest key.
    pub(crate) fn newest_subkey(&self, purpose: Purpose) -> Secret32 {
        derive(&self.newest.master, purpose)
    }

    /// Seals `plain` for one user and field.
    pub(crate) fn seal(&self, entropy: &mut Entropy, user: &str, field: &str, plain: &[u8]) -> Result<Sealed, Error> {
        let key = self.newest_subkey(Purpose::Seal);
        let nonce = entropy.bytes::<12>();
        let aad = associated_data(user, field);
        let sealed = ChaCha20Poly1305::new(&Key::from(*key.bytes()))
            .encrypt(&Nonce::from(nonce), Payload { msg: plain, aad: &aad })
            .map_err(|_| Error::new(ErrorCode::TooLong, field, "the value is too long to seal"))?;
        Ok(Sealed { kid: self.newest.kid.clone(), nonce: to_base64url(&nonce), data: to_base64url(&sealed) })
    }

    /// Opens what [`seal`](Self::seal) wrote, under whichever key of the ring it names.
    pub(crate) fn open(&self, user: &str, field: &str, sealed: &Sealed) -> Result<Zeroizing<Vec<u8>>, Error> {
        let broken = || Error::new(ErrorCode::SealBroken, field, "the sealed value belongs to another user or was changed");
        let key = self.subkey(&sealed.kid, Purpose::Seal)?;
        let nonce = from_base64url(&sealed.nonce).and_then(|bytes| <[u8; 12]>::try_from(bytes.as_slice()).ok()).ok_or_else(broken)?;
        let data = from_base64url(&sealed.data).ok_or_else(broken)?;
        let aad = associated_data(user, field);
        ChaCha20Poly1305::new(&Key::from(*key.bytes()))
            .decrypt(&Nonce::from(nonce), Payload { msg: &data, aad: &aad })
            .map(Zeroizing::new)
            .map_err(|_| broken())
    }
}

/// A sealed value as it stands in a record.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, FromJson)]
#[serde(deny_unknown_fields)]
pub(crate) struct Sealed {
    kid: String,
    nonce: String,
    data: String,
}

/// HMAC-SHA-256 (RFC 2104) over parts, each preceded by its length so that no two lists of
/// parts read the same.
pub(crate) fn mac(key: &[u8; 32], parts: &[&[u8]]) -> [u8; 32] {
    let mut mac = hmac_sha256(key);
    for part in parts {
        mac.update(&u64::try_from(part.len()).unwrap_or(u64::MAX).to_be_bytes());
        mac.update(part);
    }
    mac.finalize().into_bytes().into()
}

/// HMAC-SHA-256 under a 32-byte key. A key shorter than the block is padded with zeros
/// (RFC 2104 §2): done here, the constructor cannot fail.
pub(crate) fn hmac_sha256(key: &[u8; 32]) -> Hmac<Sha256> {
    let mut block = hmac::digest::Key::<Hmac<Sha256>>::default();
    for (to, from) in block.iter_mut().zip(key) {
        *to = *from;
    }
    let mac = <Hmac<Sha256> as KeyInit>::new(&block);
    block.zeroize();
    mac
}

/// Base64url without padding (RFC 4648 §5), in constant time.
pub(crate) fn to_base64url(bytes: &[u8]) -> String {
    Base64UrlUnpadded::encode_string(bytes)
}

/// Base64url without padding, strictly and in constant time; `None` for anything else.
pub(crate) fn from_base64url(text: &str) -> Option<Zeroizing<Vec<u8>>> {
    Base64UrlUnpadded::decode_vec(text).ok().map(Zeroizing::new)
}

/// A 32-byte secret from base64url.
pub(crate) fn parse_secret32(text: &str, path: &str) -> Result<Secret32, Error> {
    from_base64url(text)
        .and_then(|bytes| <[u8; 32]>::try_from(bytes.as_slice()).ok())
        .map(Secret32)
        .ok_or_else(|| Error::new(ErrorCode::InvalidKeys, path, "must be 32 bytes in base64url without padding (43 characters)"))
}

pub(crate) fn check_kid(kid: &str, path: &str) -> Result<(), Error> {
    let fits = (1..=32).contains(&kid.len()) && kid.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-'));
    if fits { Ok(()) } else { Err(Error::new(ErrorCode::InvalidKeys, path, "must be 1 to 32 of A–Z a–z 0–9 . _ -")) }
}

fn derive(master: &Secret32, purpose: Purpose) -> Secret32 {
    let mut out = [0; 32];
    #[expect(clippy::expect_used, reason = "fails only past 8,160 bytes of output (RFC 5869 §2.3); 32 are asked for")]
    Hkdf::<Sha256>::new(None, master.bytes()).expand(purpose.label(), &mut out).expect("32 bytes");
    let secret = Secret32(out);
    out.zeroize();
    secret
}

fn associated_data(user: &str, field: &str) -> Vec<u8> {
    let length = u64::try_from(user.len()).unwrap_or(u64::MAX);
    [&length.to_be_bytes(), user.as_bytes(), field.as_bytes()].concat()
}
