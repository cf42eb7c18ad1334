//! The sealing ring: keys under which a record's secrets are encrypted and MACed.
//!
//! Keys stand newest first. Each is 32 bytes and is never used itself: every purpose has a subkey
//! by HKDF-SHA-256 (RFC 5869), so that a MAC under one purpose means nothing under another. The
//! newest key writes; every key in the ring still opens. A value names its key by `kid`, and a
//! missing key is a typed failure, never "this user has no second factor".
//!
//! Sealing is ChaCha20-Poly1305 (RFC 8439) under a fresh 96-bit nonce, with account, user and field as
//! associated data: a box moved to another account, user or field does not open.

use std::sync::OnceLock;

use chacha20poly1305::aead::{Aead, KeyInit, Payload};
use chacha20poly1305::{ChaCha20Poly1305, Key, Nonce};
use hkdf::Hkdf;
use serde::{Deserialize, Serialize};
use sha2::Sha256;
use zeroize::{Zeroize, Zeroizing};

use crate::encoding::{from_base64url, to_base64url};
use crate::entropy::Entropy;
use crate::error::{Error, ErrorCode};
use crate::ids::RecordId;
use crate::restore_epoch::RestoreEpoch;

use super::document::SealingKey;
use super::key::{Secret32, check_kid};

/// The purpose of a subkey. Each purpose has its own key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// Sealing TOTP secrets, phone numbers and the optional copy of backup codes.
    Seal,
    /// The pepper under backup and recovery codes.
    Pepper,
    /// The check tag of a recovery code.
    CheckTag,
    /// The MAC over an SMS code.
    SmsCode,
    /// The MAC over a ticket.
    Ticket,
    /// The MACs over the secret of a trusted browser.
    TrustedBrowser,
    /// Sealing set-ups, which leave us as tokens.
    Setup,
    /// Sealing new backup codes, which leave us as tokens.
    NewCodes,
    /// The MAC that stands for a phone number where the host counts messages.
    Number,
    /// Sealing sessions, which leave us as texts.
    Session,
}

impl Purpose {
    /// Whether the key is another one in each restore epoch: nothing from before a restore counts under it.
    const fn ends_with_restore(self) -> bool {
        match self {
            Self::Ticket | Self::TrustedBrowser | Self::Setup | Self::NewCodes | Self::Session => true,
            Self::Seal | Self::Pepper | Self::CheckTag | Self::SmsCode | Self::Number => false,
        }
    }

    /// Number of purposes.
    const COUNT: usize = 10;

    /// The place of its subkey.
    const fn index(self) -> usize {
        match self {
            Self::Seal => 0,
            Self::Pepper => 1,
            Self::CheckTag => 2,
            Self::SmsCode => 3,
            Self::Ticket => 4,
            Self::TrustedBrowser => 5,
            Self::Setup => 6,
            Self::NewCodes => 7,
            Self::Number => 8,
            Self::Session => 9,
        }
    }

    const fn label(self) -> &'static [u8] {
        match self {
            Self::Seal => b"countersign/v1/seal",
            Self::Pepper => b"countersign/v1/pepper",
            Self::CheckTag => b"countersign/v1/check-tag",
            Self::SmsCode => b"countersign/v1/sms-code",
            Self::Ticket => b"countersign/v1/ticket",
            Self::TrustedBrowser => b"countersign/v1/trusted-browser",
            Self::Setup => b"countersign/v1/setup",
            Self::NewCodes => b"countersign/v1/new-codes",
            Self::Number => b"countersign/v1/number",
            Self::Session => b"countersign/v1/session",
        }
    }
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
    restore_epoch: RestoreEpoch,
    /// By [`Purpose::index`], each made at its first use and kept as long as the key itself.
    subkeys: [OnceLock<Secret32>; Purpose::COUNT],
}

impl RingKey {
    fn subkey(&self, purpose: Purpose) -> &Secret32 {
        let make = || derive(&self.master, purpose, self.restore_epoch);
        self.subkeys.get(purpose.index()).map_or(&self.master, |subkey| subkey.get_or_init(make))
    }
}

impl SealingRing {
    pub(crate) fn parse(keys: &[SealingKey], restore_epoch: RestoreEpoch) -> Result<Self, Error> {
        let mut parsed = Vec::new();
        for (index, key) in keys.iter().enumerate() {
            let at = |field: &str| format!("sealing[{index}].{field}");
            check_kid(&key.kid, &at("kid"))?;
            if parsed.iter().any(|other: &RingKey| other.kid == key.kid) {
                return Err(Error::new(ErrorCode::InvalidKeys, at("kid"), "two keys have this name; give each its own"));
            }
            parsed.push(RingKey {
                kid: key.kid.clone(),
                master: Secret32::parse(&key.secret, &at("secret"))?,
                restore_epoch,
                subkeys: Default::default(),
            });
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
    pub(crate) fn subkey(&self, kid: &str, purpose: Purpose) -> Result<&Secret32, Error> {
        self.find(kid).map(|key| key.subkey(purpose))
    }

    /// The subkey of one purpose under the newest key.
    pub(crate) fn newest_subkey(&self, purpose: Purpose) -> &Secret32 {
        self.newest.subkey(purpose)
    }

    /// Seals `plain` for one user and field.
    pub(crate) fn seal(&self, entropy: &mut Entropy, id: &RecordId, field: &str, plain: &[u8]) -> Result<Sealed, Error> {
        let key = self.newest_subkey(Purpose::Seal);
        let nonce = entropy.bytes::<12>();
        let sealed = encrypt(key, nonce, &associated_data(id, &[field.as_bytes()]), plain)
            .ok_or_else(|| Error::new(ErrorCode::TooLong, field, "the value is too long to seal"))?;
        Ok(Sealed { kid: self.newest.kid.clone(), nonce: to_base64url(&nonce), data: to_base64url(&sealed) })
    }

    /// Opens a value of [`seal`](Self::seal) by the key that it names.
    pub(crate) fn open(&self, id: &RecordId, field: &str, sealed: &Sealed) -> Result<Zeroizing<Vec<u8>>, Error> {
        let broken = || Error::new(ErrorCode::SealBroken, field, "the sealed value belongs to another user or was changed");
        let key = self.subkey(&sealed.kid, Purpose::Seal)?;
        let nonce = from_base64url(&sealed.nonce).and_then(|bytes| <[u8; 12]>::try_from(bytes.as_slice()).ok()).ok_or_else(broken)?;
        let data = from_base64url(&sealed.data).ok_or_else(broken)?;
        decrypt(key, nonce, &associated_data(id, &[field.as_bytes()]), &data).ok_or_else(broken)
    }

    /// Seals `plain` into a text that leaves us: `kid.nonce and box`. It opens only for this user, purpose
    /// and `binding`.
    pub(crate) fn seal_token(
        &self,
        entropy: &mut Entropy,
        purpose: Purpose,
        id: &RecordId,
        binding: &[&[u8]],
        plain: &[u8],
    ) -> Result<String, Error> {
        self.seal_bound(entropy, purpose, &associated_data(id, binding), plain)
    }

    /// Opens a text of [`seal_token`](Self::seal_token). `None` for every other text: it comes from a
    /// client, so that a key which is not in the ring is no failure of ours.
    pub(crate) fn open_token(&self, purpose: Purpose, id: &RecordId, binding: &[&[u8]], token: &str) -> Option<Zeroizing<Vec<u8>>> {
        self.open_bound(purpose, &associated_data(id, binding), token)
    }

    /// The same of nobody: the user is in `plain`, and is known once the text is open.
    pub(crate) fn seal_text(&self, entropy: &mut Entropy, purpose: Purpose, plain: &[u8]) -> Result<String, Error> {
        self.seal_bound(entropy, purpose, &[], plain)
    }

    /// Opens a text of [`seal_text`](Self::seal_text), as [`open_token`](Self::open_token).
    pub(crate) fn open_text(&self, purpose: Purpose, text: &str) -> Option<Zeroizing<Vec<u8>>> {
        self.open_bound(purpose, &[], text)
    }

    fn seal_bound(&self, entropy: &mut Entropy, purpose: Purpose, associated: &[u8], plain: &[u8]) -> Result<String, Error> {
        let nonce = entropy.bytes::<12>();
        let sealed = encrypt(self.newest_subkey(purpose), nonce, associated, plain)
            .ok_or_else(|| Error::new(ErrorCode::TooLong, "", "the value is too long to seal"))?;
        Ok(format!("{}.{}", self.newest.kid, to_base64url(&[nonce.as_slice(), &sealed].concat())))
    }

    fn open_bound(&self, purpose: Purpose, associated: &[u8], token: &str) -> Option<Zeroizing<Vec<u8>>> {
        let (kid, sealed) = token.rsplit_once('.')?;
        let key = self.subkey(kid, purpose).ok()?;
        let sealed = from_base64url(sealed)?;
        let (nonce, data) = sealed.split_first_chunk::<12>()?;
        decrypt(key, *nonce, associated, data)
    }
}

/// A sealed value as it stands in a record.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Sealed {
    kid: String,
    nonce: String,
    data: String,
}

impl Sealed {
    /// Length of the value that was sealed.
    pub(crate) const fn plain_bytes(&self) -> usize {
        const TAG: usize = 16;
        self.data.len().saturating_mul(3).wrapping_div(4).saturating_sub(TAG)
    }
}

fn derive(master: &Secret32, purpose: Purpose, restore_epoch: RestoreEpoch) -> Secret32 {
    let mut out = [0; 32];
    let mut info = purpose.label().to_vec();
    if purpose.ends_with_restore() && !restore_epoch.is_first() {
        info.extend(b"/restored/");
        info.extend(restore_epoch.to_bytes());
    }
    #[expect(clippy::expect_used, reason = "fails only past 8,160 bytes of output (RFC 5869 §2.3); 32 are asked for")]
    Hkdf::<Sha256>::new(None, master.bytes()).expand(&info, &mut out).expect("32 bytes");
    let secret = Secret32::new(out);
    out.zeroize();
    secret
}

fn encrypt(key: &Secret32, nonce: [u8; 12], aad: &[u8], plain: &[u8]) -> Option<Vec<u8>> {
    ChaCha20Poly1305::new(&Key::from(*key.bytes())).encrypt(&Nonce::from(nonce), Payload { msg: plain, aad }).ok()
}

fn decrypt(key: &Secret32, nonce: [u8; 12], aad: &[u8], data: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    ChaCha20Poly1305::new(&Key::from(*key.bytes())).decrypt(&Nonce::from(nonce), Payload { msg: data, aad }).map(Zeroizing::new).ok()
}

/// The user and the other parts, each preceded by its length, so that no two lists of parts read the same.
fn associated_data(id: &RecordId, parts: &[&[u8]]) -> Vec<u8> {
    let id = id.to_bytes();
    let mut data = Vec::new();
    for part in core::iter::once(id.as_slice()).chain(parts.iter().copied()) {
        data.extend(u64::try_from(part.len()).unwrap_or(u64::MAX).to_be_bytes());
        data.extend(part);
    }
    data
}
/// The values that open; the first error where none does. A key that is missing keeps nobody from those that other keys have
/// sealed.
pub(crate) fn openable<T>(opened: impl Iterator<Item = Result<T, Error>>) -> Result<Vec<T>, Error> {
    let (mut list, mut failed) = (Vec::new(), None);
    for one in opened {
        match one {
            Ok(value) => list.push(value),
            Err(error) => failed = failed.or(Some(error)),
        }
    }
    match failed {
        Some(error) if list.is_empty() => Err(error),
        Some(_) | None => Ok(list),
    }
}
