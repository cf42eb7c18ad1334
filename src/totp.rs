//! TOTP (RFC 6238): the code of a moment, and the check of a typed one.
//!
//! A code is good for its 30-second step and `window` steps to either side. The step that
//! matched is returned, and the caller keeps it: from then on that step and all before it are
//! refused (RFC 6238 §5.2). Every candidate step is computed, even after a match, so that the time
//! taken tells nothing.

use core::fmt;

use data_encoding::{BASE32, BASE32_NOPAD, DecodeKind};
use serde::{Deserialize, Serialize};
use subtle::ConstantTimeEq;
use totp_rs::{Builder, Totp};
use zeroize::{Zeroize, ZeroizeOnDrop};

use crate::entropy::Entropy;
use crate::error::{Error, ErrorCode};
use crate::time::UnixSeconds;
use crate::typed_code::{Digits, group};

/// Hash under the HMAC of TOTP (RFC 6238 §1.2), the weakest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "npm", derive(tsify::Tsify))]
pub enum TotpAlgorithm {
    /// The default, and the only one that Google Authenticator honours everywhere.
    SHA1,
    /// SHA-256.
    SHA256,
    /// SHA-512.
    SHA512,
}

/// The settings that an authenticator app must know besides the secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", try_from = "RawParameters")]
pub struct TotpParameters {
    algorithm: TotpAlgorithm,
    digits: u8,
    period_seconds: u32,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct RawParameters {
    algorithm: TotpAlgorithm,
    digits: u8,
    period_seconds: u32,
}

impl TryFrom<RawParameters> for TotpParameters {
    type Error = Error;

    fn try_from(raw: RawParameters) -> Result<Self, Error> {
        Self::new(raw.algorithm, raw.digits, raw.period_seconds)
    }
}

impl TotpParameters {
    /// SHA-1, 6 digits, 30 seconds.
    pub const DEFAULT: Self = Self { algorithm: TotpAlgorithm::SHA1, digits: 6, period_seconds: 30 };

    /// Parameters: `digits` 6 to 8 (RFC 4226 §5.3), `period_seconds` 15 to 300.
    ///
    /// # Errors
    /// [`ErrorCode::InvalidInput`] when out of range.
    pub fn new(algorithm: TotpAlgorithm, digits: u8, period_seconds: u32) -> Result<Self, Error> {
        if !(6..=8).contains(&digits) {
            return Err(Error::new(ErrorCode::InvalidInput, "digits", "must be 6, 7 or 8"));
        }
        if !(15..=300).contains(&period_seconds) {
            return Err(Error::new(ErrorCode::InvalidInput, "periodSeconds", "must be 15 to 300"));
        }
        Ok(Self { algorithm, digits, period_seconds })
    }

    /// Number of digits of a code.
    #[must_use]
    pub const fn digits(self) -> u8 {
        self.digits
    }

    /// The time at which a step begins.
    pub(crate) fn start_of(self, step: u64) -> UnixSeconds {
        UnixSeconds::EPOCH.plus(step.saturating_mul(u64::from(self.period_seconds)))
    }

    /// Length of a step in seconds.
    #[must_use]
    pub const fn period_seconds(self) -> u32 {
        self.period_seconds
    }

    /// Hash under the HMAC.
    #[must_use]
    pub const fn algorithm(self) -> TotpAlgorithm {
        self.algorithm
    }

    /// The step that a time falls into (RFC 6238 §4.2, T0 = 0).
    #[must_use]
    pub fn step_at(self, time: UnixSeconds) -> u64 {
        time.seconds().checked_div(u64::from(self.period_seconds)).unwrap_or(0)
    }
}

/// The outcome of comparing a code with those of an app.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum TotpMatch {
    /// It is the code of this step, which is later than the last one used.
    Unused(u64),
    /// It is the code of the last step used, or of one before it.
    Used,
    /// It is no code of the window.
    Wrong,
}

/// The shared secret of an authenticator: 10 to 128 bytes. RFC 4226 §4 asks for 16, and we mint 20; other
/// services gave out 10, and their apps are verified all the same.
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub struct TotpSecret(Vec<u8>);

impl TotpSecret {
    /// 160 random bits, as RFC 4226 §4 recommends.
    pub(crate) fn mint(entropy: &mut Entropy) -> Self {
        Self(entropy.bytes::<20>().to_vec())
    }

    /// From raw bytes.
    ///
    /// # Errors
    /// [`ErrorCode::InvalidInput`] unless there are 10 to 128.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, Error> {
        if (10..=128).contains(&bytes.len()) {
            Ok(Self(bytes.to_vec()))
        } else {
            Err(Error::new(ErrorCode::InvalidInput, "secret", "must be 10 to 128 bytes"))
        }
    }

    /// From base32 (RFC 4648 §6): any case, spaces, hyphens and padding allowed.
    ///
    /// # Errors
    /// [`ErrorCode::InvalidInput`] when it is not base32, or not 10 to 128 bytes. The message tells a wrong symbol from a
    /// length that base32 cannot have, and from bits after the last byte: a symbol is wrong or lost then.
    pub fn from_base32(text: &str) -> Result<Self, Error> {
        let mut plain: String = text.chars().filter(|c| !matches!(c, ' ' | '-')).map(|c| c.to_ascii_uppercase()).collect();
        let is_padded = plain.ends_with('=');
        let bytes = if is_padded { BASE32.decode(plain.as_bytes()) } else { BASE32_NOPAD.decode(plain.as_bytes()) };
        plain.zeroize();
        let mut bytes = bytes.map_err(|error| Error::new(ErrorCode::InvalidInput, "secret", base32_mistake(error.kind, is_padded)))?;
        let secret = Self::from_bytes(&bytes);
        bytes.zeroize();
        secret
    }

    /// Base32 without padding, as `otpauth://` wants it.
    #[must_use]
    pub fn to_base32(&self) -> String {
        BASE32_NOPAD.encode(&self.0)
    }

    /// Base32 in groups of four, to type by hand.
    #[must_use]
    pub fn grouped(&self) -> String {
        group(&self.to_base32(), ' ')
    }

    pub(crate) fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// The code of one step.
    #[must_use]
    pub fn code_at(&self, parameters: TotpParameters, step: u64) -> Digits {
        code_of(&self.totp(parameters), parameters, step)
    }

    /// The step that `code` belongs to, within `window` steps of `now` and later than `after`,
    /// the last step used. `None`: wrong, too old, or used already.
    #[must_use]
    pub fn verify(&self, parameters: TotpParameters, code: &Digits, now: UnixSeconds, window: u8, after: Option<u64>) -> Option<u64> {
        match self.compare(parameters, code, now, window, after) {
            TotpMatch::Unused(step) => Some(step),
            TotpMatch::Used | TotpMatch::Wrong => None,
        }
    }

    /// The same, with used codes told from wrong ones.
    pub(crate) fn compare(&self, parameters: TotpParameters, code: &Digits, now: UnixSeconds, window: u8, after: Option<u64>) -> TotpMatch {
        let totp = self.totp(parameters);
        let current = parameters.step_at(now);
        let mut matched = TotpMatch::Wrong;
        for step in current.saturating_sub(u64::from(window))..=current.saturating_add(u64::from(window)) {
            let candidate = code_of(&totp, parameters, step);
            let same = bool::from(candidate.as_str().as_bytes().ct_eq(code.as_str().as_bytes()));
            // No early exit: each candidate costs the same.
            if same {
                matched = if after.is_none_or(|last| step > last) { TotpMatch::Unused(step) } else { TotpMatch::Used };
            }
        }
        matched
    }

    fn totp(&self, parameters: TotpParameters) -> Totp {
        // The ranges are checked by our own types, which also admit values that totp-rs
        // calls noncompliant: nothing here can fail.
        Builder::new()
            .with_algorithm(match parameters.algorithm {
                TotpAlgorithm::SHA1 => totp_rs::Algorithm::SHA1,
                TotpAlgorithm::SHA256 => totp_rs::Algorithm::SHA256,
                TotpAlgorithm::SHA512 => totp_rs::Algorithm::SHA512,
            })
            .with_digits(parameters.digits)
            .with_step_duration(u64::from(parameters.period_seconds))
            .with_secret(self.0.clone())
            .build_noncompliant()
    }
}

impl fmt::Debug for TotpSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TotpSecret(…)")
    }
}

const fn base32_mistake(kind: DecodeKind, is_padded: bool) -> &'static str {
    match kind {
        DecodeKind::Symbol => "must be base32: A–Z and 2–7",
        DecodeKind::Length if !is_padded => "has a length that base32 cannot have: a symbol is missing, or there is one too many",
        DecodeKind::Trailing => "ends in bits that belong to no byte: the last symbol is wrong, or the text was cut",
        DecodeKind::Padding | DecodeKind::Length => "must be padded with `=` to a multiple of 8 symbols, or not at all",
    }
}

fn code_of(totp: &Totp, parameters: TotpParameters, step: u64) -> Digits {
    #[cfg(test)]
    tests::CODES.with(|count| count.set(count.get().saturating_add(1)));
    let text = totp.generate(step.saturating_mul(u64::from(parameters.period_seconds))).to_string();
    #[expect(clippy::expect_used, reason = "totp-rs prints exactly the digits it was built with")]
    Digits::parse(&text, parameters.digits).expect("digits")
}

#[cfg(test)]
mod tests {
    use core::cell::Cell;

    use super::*;

    thread_local! {
        pub(super) static CODES: Cell<u32> = const { Cell::new(0) };
    }

    #[test]
    fn t31_every_candidate_step_is_computed_whatever_matches() {
        let secret = TotpSecret::from_bytes(&[7; 20]).unwrap();
        let (parameters, now) = (TotpParameters::DEFAULT, UnixSeconds::new(1_800_000_000).unwrap());
        let current = parameters.step_at(now);
        let codes = [current - 1, current, current + 1, current + 9].map(|step| secret.code_at(parameters, step));
        for (code, expected) in codes.iter().zip([Some(current - 1), Some(current), Some(current + 1), None]) {
            CODES.set(0);
            assert_eq!(secret.verify(parameters, code, now, 1, None), expected);
            assert_eq!(CODES.get(), 3);
        }
    }
}
