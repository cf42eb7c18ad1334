//! The parts that all keys share: 32 secret bytes, and the name by which a value finds its key.

use core::fmt;

use zeroize::{Zeroize, ZeroizeOnDrop};

use crate::encoding::from_base64url;
use crate::error::{Error, ErrorCode};

/// 32 secret bytes that are wiped when dropped and never printed.
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub(crate) struct Secret32([u8; 32]);

impl Secret32 {
    pub(super) const fn new(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// Reads 32 bytes in base64url.
    pub(super) fn parse(text: &str, path: &str) -> Result<Self, Error> {
        from_base64url(text)
            .and_then(|bytes| <[u8; 32]>::try_from(bytes.as_slice()).ok())
            .map(Self)
            .ok_or_else(|| Error::new(ErrorCode::InvalidKeys, path, "must be 32 bytes in base64url without padding (43 characters)"))
    }

    pub(crate) const fn bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Debug for Secret32 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret32(…)")
    }
}

/// Checks the name of a key: 1 to 32 of `A–Z a–z 0–9 . _ -`.
pub(super) fn check_kid(kid: &str, path: &str) -> Result<(), Error> {
    let fits = (1..=32).contains(&kid.len()) && kid.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-'));
    if fits { Ok(()) } else { Err(Error::new(ErrorCode::InvalidKeys, path, "must be 1 to 32 of A–Z a–z 0–9 . _ -")) }
}
