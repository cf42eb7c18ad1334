//! TOTP (RFC 6238): the code of a moment, and the check of a typed one.
//!
//! A code is good for its 30-second step and `window` steps to either side. The step that
//! matched is returned, and the caller keeps it: from then on that step and all before it are
//! refused (RFC 6238 §5.2). Every candidate step is computed, even after a match, so that the time
//! taken tells nothing.
//!
//! The steps of the last ten minutes are candidates too. They let nobody in: they tell a slow clock from a wrong code. No step
//! after the window is one, because a guesser would learn a code that is about to be right.

use core::fmt;
use core::ops::RangeInclusive;

use base32ct::{Base32Upper, Base32UpperUnpadded, Encoding};
use hmac::{Hmac, KeyInit, Mac};
use serde::{Deserialize, Serialize};
use sha1::Sha1;
use sha2::{Sha256, Sha512};
use subtle::{Choice, ConditionallySelectable, ConstantTimeEq};
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

use crate::entropy::Entropy;
use crate::error::{Error, ErrorCode};
use crate::time::UnixSeconds;
use crate::typed_code::{Digits, group};

/// The slowest clock that is told from a wrong code, in seconds.
const SLOWEST: u64 = 600;

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
        self.steps_in(time.seconds())
    }

    fn steps_in(self, seconds: u64) -> u64 {
        seconds.checked_div(u64::from(self.period_seconds)).unwrap_or(0)
    }
}

/// The outcome of comparing a code with those of an app.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum TotpMatch {
    /// It is the code of this step, which is later than the last one used.
    Unused(u64),
    /// It is the code of the last step used, or of one before it in the window.
    Used,
    /// It is the code of this step, which is earlier than the window, used or not. A clock that is slow by so many seconds shows it.
    Slow { step: u64, by_seconds: u64 },
    /// It is none of these codes.
    Wrong,
}

/// The shared secret of an authenticator: 10 to 128 bytes. RFC 4226 §4 asks for 16, and we mint 20; other
/// services gave out 10, and their apps are verified all the same.
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub struct TotpSecret(Vec<u8>);

impl TotpSecret {
    /// Length that RFC 4226 §4 recommends.
    pub(crate) const RECOMMENDED_BYTES: usize = 20;

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
        let mut plain = Zeroizing::new(String::with_capacity(text.len()));
        plain.extend(text.chars().filter(|c| !matches!(c, ' ' | '-')).map(|c| c.to_ascii_uppercase()));
        let bytes = Zeroizing::new(Base32UpperUnpadded::decode_vec(plain.trim_end_matches('=')).unwrap_or_default());
        // The one spelling of these bytes, so that no symbol is lost and no bit is left over.
        let spelt = Zeroizing::new(if plain.ends_with('=') { Base32Upper::encode_string(&bytes) } else { base32(&bytes) });
        if *spelt != *plain {
            return Err(Error::new(ErrorCode::InvalidInput, "secret", base32_mistake(&plain)));
        }
        Self::from_bytes(&bytes)
    }

    /// From base32 that another system has made, as authenticator apps read it: besides what [`from_base32`](Self::from_base32)
    /// allows, any number of symbols and of padding. Bits that fill no byte count for nothing.
    ///
    /// # Errors
    /// [`ErrorCode::InvalidInput`] when it is not base32, or not 10 to 128 bytes.
    pub fn from_foreign_base32(text: &str) -> Result<Self, Error> {
        let mut plain = Zeroizing::new(String::with_capacity(text.len()));
        plain.extend(text.chars().filter(|c| !matches!(c, ' ' | '-')).map(|c| c.to_ascii_uppercase()));
        let symbols = plain.trim_end_matches('=');
        let (mut bytes, mut buffer, mut bits) = (Zeroizing::new(Vec::with_capacity(symbols.len())), 0_u16, 0_u32);
        for symbol in symbols.bytes() {
            let value = match symbol {
                b'A'..=b'Z' => symbol.wrapping_sub(b'A'),
                b'2'..=b'7' => symbol.wrapping_sub(b'2').wrapping_add(26),
                _ => return Err(Error::new(ErrorCode::InvalidInput, "secret", "must be base32: A–Z and 2–7")),
            };
            buffer = buffer.wrapping_shl(5) | u16::from(value);
            bits = bits.wrapping_add(5);
            if bits >= 8 {
                bits = bits.wrapping_sub(8);
                bytes.extend(buffer.wrapping_shr(bits).to_be_bytes().get(1));
            }
        }
        Self::from_bytes(&bytes)
    }

    /// Base32 without padding, as `otpauth://` wants it.
    #[must_use]
    pub fn to_base32(&self) -> String {
        base32(&self.0)
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
        Digits::of(self.prf(parameters.algorithm).number_of(step, parameters.digits), parameters.digits)
    }

    /// The step that `code` belongs to, within `window` steps of `now` and later than `after`,
    /// the last step used. `None`: wrong, too old, or used already.
    #[must_use]
    pub fn verify(&self, parameters: TotpParameters, code: &Digits, now: UnixSeconds, window: u8, after: Option<u64>) -> Option<u64> {
        let (current, window) = (parameters.step_at(now), u64::from(window));
        let window = current.saturating_sub(window)..=current.saturating_add(window);
        self.last_match(parameters, code, window).filter(|step| after.is_none_or(|last| *step > last))
    }

    /// The same, with used codes and those of a slow clock told from wrong ones.
    pub(crate) fn compare(&self, parameters: TotpParameters, code: &Digits, now: UnixSeconds, window: u8, after: Option<u64>) -> TotpMatch {
        let (current, window) = (parameters.step_at(now), u64::from(window));
        let earliest = current.saturating_sub(window.max(parameters.steps_in(SLOWEST)));
        let Some(step) = self.last_match(parameters, code, earliest..=current.saturating_add(window)) else { return TotpMatch::Wrong };
        let slow_by = current.saturating_sub(step);
        if slow_by > window {
            TotpMatch::Slow { step, by_seconds: slow_by.saturating_mul(u64::from(parameters.period_seconds)) }
        } else if after.is_none_or(|last| step > last) {
            TotpMatch::Unused(step)
        } else {
            TotpMatch::Used
        }
    }

    /// The last of these steps that has this code. Neither an exit nor a branch depends on a match: each step costs the same.
    fn last_match(&self, parameters: TotpParameters, code: &Digits, steps: RangeInclusive<u64>) -> Option<u64> {
        let prf = self.prf(parameters.algorithm);
        let (mut found, mut last) = (Choice::from(0), 0);
        let typed = code.number();
        for step in steps {
            let same = prf.number_of(step, parameters.digits).ct_eq(&typed);
            last.conditional_assign(&step, same);
            found |= same;
        }
        bool::from(found).then_some(last)
    }

    fn prf(&self, algorithm: TotpAlgorithm) -> Prf {
        match algorithm {
            TotpAlgorithm::SHA1 => Prf::Sha1(keyed(&self.0)),
            TotpAlgorithm::SHA256 => Prf::Sha256(keyed(&self.0)),
            TotpAlgorithm::SHA512 => Prf::Sha512(keyed(&self.0)),
        }
    }
}

impl fmt::Debug for TotpSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TotpSecret(…)")
    }
}

fn base32(bytes: &[u8]) -> String {
    Base32UpperUnpadded::encode_string(bytes)
}

/// The reason why a text is not base32.
fn base32_mistake(plain: &str) -> &'static str {
    let symbols = plain.trim_end_matches('=');
    let is_padded = symbols.len() < plain.len();
    let has_length = !matches!(symbols.len() % 8, 1 | 3 | 6);
    if is_padded && (!has_length || plain.len() != symbols.len().next_multiple_of(8)) {
        "must be padded with `=` to a multiple of 8 symbols, or not at all"
    } else if !has_length {
        "has a length that base32 cannot have: a symbol is missing, or there is one too many"
    } else if !symbols.bytes().all(|symbol| matches!(symbol, b'A'..=b'Z' | b'2'..=b'7')) {
        "must be base32: A–Z and 2–7"
    } else {
        "ends in bits that belong to no byte: the last symbol is wrong, or the text was cut"
    }
}

/// The HMAC of an app, which has taken in the secret: once for all steps that are compared, where each would cost it again.
enum Prf {
    Sha1(Hmac<Sha1>),
    Sha256(Hmac<Sha256>),
    Sha512(Hmac<Sha512>),
}

impl Prf {
    /// The code of a step as a number (RFC 4226 §5.3).
    fn number_of(&self, step: u64, digits: u8) -> u32 {
        #[cfg(test)]
        COMPUTED.with(|count| count.set(count.get().saturating_add(1)));
        let step = step.to_be_bytes();
        match self {
            Self::Sha1(keyed) => truncated(&keyed.clone().chain_update(step).finalize().into_bytes(), digits),
            Self::Sha256(keyed) => truncated(&keyed.clone().chain_update(step).finalize().into_bytes(), digits),
            Self::Sha512(keyed) => truncated(&keyed.clone().chain_update(step).finalize().into_bytes(), digits),
        }
    }
}

#[expect(clippy::expect_used, reason = "a key of HMAC has any length")]
fn keyed<H: KeyInit>(secret: &[u8]) -> H {
    H::new_from_slice(secret).expect("a key of any length")
}

/// The dynamic truncation of an HMAC (RFC 4226 §5.3).
fn truncated(hmac: &[u8], digits: u8) -> u32 {
    let offset = hmac.last().map_or(0, |last| usize::from(last & 15));
    let four = hmac.get(offset..).and_then(|rest| rest.first_chunk::<4>()).copied().unwrap_or_default();
    let bound = 10_u32.saturating_pow(u32::from(digits));
    (u32::from_be_bytes(four) & 0x7fff_ffff).checked_rem(bound).unwrap_or(0)
}

#[cfg(test)]
thread_local! {
    /// Number of codes that this thread has computed.
    pub(crate) static COMPUTED: core::cell::Cell<u32> = const { core::cell::Cell::new(0) };
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_those_of_another_library() {
        for algorithm in [TotpAlgorithm::SHA1, TotpAlgorithm::SHA256, TotpAlgorithm::SHA512] {
            for digits in 6..=8 {
                let parameters = TotpParameters::new(algorithm, digits, 30).unwrap();
                let secret = TotpSecret::from_bytes(&[digits; 20]).unwrap();
                let theirs = match algorithm {
                    TotpAlgorithm::SHA1 => totp_rs::Algorithm::SHA1,
                    TotpAlgorithm::SHA256 => totp_rs::Algorithm::SHA256,
                    TotpAlgorithm::SHA512 => totp_rs::Algorithm::SHA512,
                };
                let builder = totp_rs::Builder::new().with_algorithm(theirs).with_digits(digits).with_step_duration(30);
                let theirs = builder.with_secret(vec![digits; 20]).build_noncompliant();
                for step in (0..2_000).chain([u64::from(u32::MAX), 1 << 40]) {
                    assert_eq!(secret.code_at(parameters, step).as_str(), theirs.generate(step * 30).to_string(), "step {step}");
                }
            }
        }
    }

    #[test]
    fn t31_every_candidate_step_is_computed_whatever_matches() {
        let secret = TotpSecret::from_bytes(&[7; 20]).unwrap();
        let (parameters, now) = (TotpParameters::DEFAULT, UnixSeconds::new(1_800_000_000).unwrap());
        let current = parameters.step_at(now);
        let codes = [current - 1, current, current + 1, current + 9].map(|step| secret.code_at(parameters, step));
        for (code, expected) in codes.iter().zip([Some(current - 1), Some(current), Some(current + 1), None]) {
            COMPUTED.set(0);
            assert_eq!(secret.verify(parameters, code, now, 1, None), expected);
            assert_eq!(COMPUTED.get(), 3);
        }
    }

    #[test]
    fn t31_ten_minutes_of_steps_are_computed_whatever_matches() {
        let secret = TotpSecret::from_bytes(&[7; 20]).unwrap();
        let now = UnixSeconds::new(1_800_000_000).unwrap();
        for (period, window, computed) in [(15, 0, 41), (15, 2, 43), (30, 0, 21), (30, 1, 22), (30, 2, 23), (300, 0, 3), (300, 2, 5)] {
            let parameters = TotpParameters::new(TotpAlgorithm::SHA1, 6, period).unwrap();
            for back in -45..=45_i64 {
                let code = secret.code_at(parameters, parameters.step_at(now).saturating_sub_signed(back));
                for after in [None, Some(parameters.step_at(now) - 5), Some(u64::MAX)] {
                    COMPUTED.set(0);
                    secret.compare(parameters, &code, now, window, after);
                    assert_eq!(COMPUTED.get(), computed, "{back} steps ago, {period} seconds each, window {window}");
                }
            }
        }
    }

    #[test]
    fn a_code_tells_a_slow_clock_for_ten_minutes_before_the_window_and_never_after_it() {
        let secret = TotpSecret::from_bytes(&[7; 20]).unwrap();
        let now = UnixSeconds::new(1_800_000_000).unwrap();
        for (period, window) in [(15, 0), (15, 2), (30, 0), (30, 1), (30, 2), (45, 1), (60, 1), (299, 0), (300, 0), (300, 1), (300, 2)] {
            let parameters = TotpParameters::new(TotpAlgorithm::SHA1, 8, u32::try_from(period).unwrap()).unwrap();
            let current = parameters.step_at(now);
            for back in -45..=45_i64 {
                let step = current.saturating_sub_signed(back);
                let code = secret.code_at(parameters, step);
                let told = |after| secret.compare(parameters, &code, now, window, after);
                let is_slow = back > i64::from(window) && back * period <= 600;
                let slow = TotpMatch::Slow { step, by_seconds: u64::try_from(back * period).unwrap_or(0) };
                let case = format!("{back} steps ago, {period} seconds each, window {window}");
                for after in [None, Some(step - 1)] {
                    let unused = if back.abs() <= i64::from(window) { TotpMatch::Unused(step) } else { TotpMatch::Wrong };
                    assert_eq!(told(after), if is_slow { slow } else { unused }, "{case}");
                }
                for after in [step, step + 1, u64::MAX] {
                    let used = if back.abs() <= i64::from(window) { TotpMatch::Used } else { TotpMatch::Wrong };
                    assert_eq!(told(Some(after)), if is_slow { slow } else { used }, "{case}, used");
                }
            }
        }
    }
}
