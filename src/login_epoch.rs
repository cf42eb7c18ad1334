//! The login epoch: a random name in the record that changes when the password does, and when a user is signed out
//! everywhere.
//!
//! Tickets and set-ups carry the one in which they were made, and count in no other: someone who learned the old password
//! must not finish a login, nor a set-up, that it began. It is no time, so that a login in the second of the change counts,
//! and a clock that is set back revives nothing.

use serde::{Deserialize, Serialize};

use crate::encoding::to_base64url;
use crate::entropy::Entropy;

/// Characters of a name: 72 random bits in base64url.
const CHARS: usize = 12;

/// A login epoch, as text. The first one of a user is empty.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub(crate) struct LoginEpoch(String);

impl LoginEpoch {
    pub(crate) const FIRST: Self = Self(String::new());

    /// Another one, unlike any before.
    pub(crate) fn next(entropy: &mut Entropy) -> Self {
        Self(to_base64url(&entropy.bytes::<9>()))
    }

    pub(crate) fn is_first(&self) -> bool {
        self.0.is_empty()
    }
}

impl TryFrom<String> for LoginEpoch {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        let is_base64url = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_');
        let is_epoch = text.is_empty() || (text.len() == CHARS && text.bytes().all(is_base64url));
        if is_epoch { Ok(Self(text)) } else { Err("a login epoch is 12 characters of base64url") }
    }
}

impl From<LoginEpoch> for String {
    fn from(epoch: LoginEpoch) -> Self {
        epoch.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_login_epoch_is_read_strictly() {
        let next = LoginEpoch::next(&mut Entropy::new([1; 32]));
        for good in ["", "AZaz09-_AbCd", &String::from(next)] {
            assert_eq!(LoginEpoch::try_from(good.to_owned()).map(String::from), Ok(good.to_owned()));
        }
        for bad in ["AZaz09-_AbC", "AZaz09-_AbCdE", "AZaz09-+AbCd", "AZaz09-/AbCd", "AZaz09-_AbC=", "AZaz09-_AbC ", "AZaz09-_AbC\u{e9}"] {
            assert!(LoginEpoch::try_from(bad.to_owned()).is_err(), "{bad}");
        }
    }

    #[test]
    fn no_login_epoch_comes_a_second_time() {
        let mut entropy = Entropy::new([1; 32]);
        let epochs = [LoginEpoch::FIRST, LoginEpoch::next(&mut entropy), LoginEpoch::next(&mut entropy)];
        assert!(epochs[0].is_first() && !epochs[1].is_first());
        assert!(epochs[0] != epochs[1] && epochs[1] != epochs[2]);
    }
}
