//! TOTP (RFC 6238): the code of a moment, the `otpauth://` URI and its QR code.
//!
//! A code is good for its 30-second step and `window` steps to either side. The step that
//! matched is returned, and the caller keeps it: from then on that step and all before it are
//! refused (RFC 6238 §5.2). Every candidate step is computed, whatever matched, so that time
//! tells nothing.

use core::fmt;
use core::fmt::Write as _;
use std::borrow::Cow;

use data_encoding::{BASE32, BASE32_NOPAD};
use fast_qr::ECL;
use fast_qr::qr::QRBuilder;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use serde::Serialize;
use subtle::ConstantTimeEq;
use totp_rs::{Builder, Totp};
use zeroize::{Zeroize, ZeroizeOnDrop};

use crate::code::{Digits, group};
use crate::error::{Error, ErrorCode};
use crate::json::FromJson;
use crate::secret::Entropy;
use crate::time::UnixSeconds;

/// Hash under the HMAC of TOTP (RFC 6238 §1.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, FromJson)]
#[cfg_attr(feature = "npm", derive(tsify::Tsify))]
pub enum TotpAlgorithm {
    /// The default, and the only one that Google Authenticator honours everywhere.
    SHA1,
    /// SHA-256.
    SHA256,
    /// SHA-512.
    SHA512,
}

/// What an authenticator app must know besides the secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, FromJson)]
#[serde(rename_all = "camelCase", try_from = "RawParameters")]
pub struct TotpParameters {
    algorithm: TotpAlgorithm,
    digits: u8,
    period_seconds: u32,
}

#[derive(FromJson)]
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

/// The shared secret of an authenticator: 16 to 128 bytes (RFC 4226 §4 asks for at least 16).
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
    /// [`ErrorCode::InvalidInput`] unless there are 16 to 128.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, Error> {
        if (16..=128).contains(&bytes.len()) {
            Ok(Self(bytes.to_vec()))
        } else {
            Err(Error::new(ErrorCode::InvalidInput, "secret", "must be 16 to 128 bytes; RFC 4226 asks for at least 16"))
        }
    }

    /// From base32 (RFC 4648 §6): any case, spaces, hyphens and padding allowed.
    ///
    /// # Errors
    /// [`ErrorCode::InvalidInput`] when it is not base32, or not 16 to 128 bytes.
    pub fn from_base32(text: &str) -> Result<Self, Error> {
        let mut plain: String = text.chars().filter(|c| !matches!(c, ' ' | '-')).map(|c| c.to_ascii_uppercase()).collect();
        let unpadded = plain.trim_end_matches('=');
        let bytes = if unpadded.len() == plain.len() { BASE32_NOPAD.decode(plain.as_bytes()) } else { BASE32.decode(plain.as_bytes()) };
        plain.zeroize();
        let mut bytes = bytes.map_err(|_| Error::new(ErrorCode::InvalidInput, "secret", "must be base32: A–Z and 2–7"))?;
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
        let totp = self.totp(parameters);
        let current = parameters.step_at(now);
        let mut matched = None;
        for step in current.saturating_sub(u64::from(window))..=current.saturating_add(u64::from(window)) {
            let candidate = code_of(&totp, parameters, step);
            let same = bool::from(candidate.as_str().as_bytes().ct_eq(code.as_str().as_bytes()));
            // No early exit: each candidate costs the same.
            if same && after.is_none_or(|last| step > last) {
                matched = Some(step);
            }
        }
        matched
    }

    fn totp(&self, parameters: TotpParameters) -> Totp {
        // The ranges are checked by our own types, which also admit what totp-rs calls
        // noncompliant: nothing here can fail.
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

fn code_of(totp: &Totp, parameters: TotpParameters, step: u64) -> Digits {
    #[cfg(test)]
    tests::CODES.with(|count| count.set(count.get().saturating_add(1)));
    let text = totp.generate(step.saturating_mul(u64::from(parameters.period_seconds))).to_string();
    #[expect(clippy::expect_used, reason = "totp-rs prints exactly the digits it was built with")]
    Digits::parse(&text, parameters.digits).expect("digits")
}

/// What an `otpauth://totp/…` URI says
/// (<https://github.com/google/google-authenticator/wiki/Key-Uri-Format>).
#[derive(Debug, Clone)]
pub struct OtpAuth {
    /// Who issues the codes: the service's name. Without a colon.
    pub issuer: String,
    /// Whose they are: an e-mail address or user name. Without a colon.
    pub label: String,
    /// The shared secret.
    pub secret: TotpSecret,
    /// Algorithm, digits and period.
    pub parameters: TotpParameters,
}

impl OtpAuth {
    /// Checks issuer and label: 1 to 128 bytes, no colon, no control character.
    ///
    /// # Errors
    /// [`ErrorCode::InvalidInput`] with the field.
    pub fn new(issuer: &str, label: &str, secret: TotpSecret, parameters: TotpParameters) -> Result<Self, Error> {
        for (path, text) in [("issuer", issuer), ("label", label)] {
            let plain = (1..=128).contains(&text.len()) && !text.chars().any(|c| c == ':' || c.is_control());
            if !plain {
                return Err(Error::new(ErrorCode::InvalidInput, path, "must be 1 to 128 bytes without a colon or control characters"));
            }
        }
        Ok(Self { issuer: issuer.to_owned(), label: label.to_owned(), secret, parameters })
    }

    /// The URI. Parameters at their defaults are left out: the QR code stays small, and every
    /// app reads it.
    #[must_use]
    pub fn to_uri(&self) -> String {
        let mut uri = String::from("otpauth://totp/");
        percent_encode(&mut uri, &self.issuer);
        uri.push(':');
        percent_encode(&mut uri, &self.label);
        uri.push_str("?secret=");
        uri.push_str(&self.secret.to_base32());
        uri.push_str("&issuer=");
        percent_encode(&mut uri, &self.issuer);
        let TotpParameters { algorithm, digits, period_seconds } = self.parameters;
        match algorithm {
            TotpAlgorithm::SHA1 => {}
            TotpAlgorithm::SHA256 => uri.push_str("&algorithm=SHA256"),
            TotpAlgorithm::SHA512 => uri.push_str("&algorithm=SHA512"),
        }
        if digits != TotpParameters::DEFAULT.digits {
            uri.push_str(&format!("&digits={digits}"));
        }
        if period_seconds != TotpParameters::DEFAULT.period_seconds {
            uri.push_str(&format!("&period={period_seconds}"));
        }
        uri
    }

    /// Reads a URI strictly: one of each parameter, no unknown ones but `image`.
    ///
    /// # Errors
    /// [`ErrorCode::InvalidUri`] with the parameter as path.
    pub fn parse(uri: &str) -> Result<Self, Error> {
        let bad = |path: &str, message: &str| Error::new(ErrorCode::InvalidUri, path, message);
        if uri.len() > 2_048 {
            return Err(bad("", "must be at most 2048 bytes"));
        }
        let rest = uri.strip_prefix("otpauth://totp/").ok_or_else(|| bad("", "must start with otpauth://totp/"))?;
        let (path, query) = rest.split_once('?').ok_or_else(|| bad("secret", "is missing"))?;
        let path = percent_decode(path).ok_or_else(|| bad("label", "is not valid percent-encoding"))?;
        let (prefix, label) = match path.split_once(':') {
            Some((issuer, label)) => (Some(issuer.to_owned()), label.trim_start().to_owned()),
            None => (None, path.clone()),
        };
        let mut secret = None;
        let mut issuer = None;
        let mut algorithm = None;
        let mut digits = None;
        let mut period = None;
        for pair in query.split('&') {
            let (name, value) = pair.split_once('=').ok_or_else(|| bad("", "each parameter needs a value"))?;
            let field = match name {
                "secret" => &mut secret,
                "issuer" => &mut issuer,
                "algorithm" => &mut algorithm,
                "digits" => &mut digits,
                "period" => &mut period,
                "image" => continue,
                _ => return Err(bad("", "has an unknown parameter")),
            };
            let value = percent_decode(value).ok_or_else(|| bad(name, "is not valid percent-encoding"))?;
            if field.replace(value).is_some() {
                return Err(bad(name, "is given twice"));
            }
        }
        let secret =
            TotpSecret::from_base32(&secret.ok_or_else(|| bad("secret", "is missing"))?).map_err(|error| bad("secret", &error.message))?;
        let issuer = match (issuer, prefix) {
            (Some(issuer), Some(prefix)) if issuer != prefix => return Err(bad("issuer", "differs from the one before the label")),
            (Some(issuer), Some(_) | None) | (None, Some(issuer)) => issuer,
            (None, None) => return Err(bad("issuer", "is missing")),
        };
        let algorithm = match algorithm.as_deref() {
            None | Some("SHA1") => TotpAlgorithm::SHA1,
            Some("SHA256") => TotpAlgorithm::SHA256,
            Some("SHA512") => TotpAlgorithm::SHA512,
            Some(_) => return Err(bad("algorithm", "must be SHA1, SHA256 or SHA512")),
        };
        let number = |text: Option<String>, path: &str, default: u32| match text {
            None => Ok(default),
            Some(text) if text.len() <= 3 && text.bytes().all(|b| b.is_ascii_digit()) => {
                text.parse().map_err(|_| bad(path, "must be a number"))
            }
            Some(_) => Err(bad(path, "must be a number")),
        };
        let digits = u8::try_from(number(digits, "digits", 6)?).map_err(|_| bad("digits", "must be 6, 7 or 8"))?;
        let parameters = TotpParameters::new(algorithm, digits, number(period, "period", 30)?)
            .map_err(|error| bad(if error.path == "digits" { "digits" } else { "period" }, &error.message))?;
        Self::new(&issuer, &label, secret, parameters).map_err(|error| bad(&error.path, &error.message))
    }
}

/// A QR code as compact SVG: one path, no scripts, no links, nothing external.
///
/// # Errors
/// [`ErrorCode::TooLong`] past 2,331 bytes, what a QR code of medium correction holds.
pub fn qr_svg(text: &str) -> Result<String, Error> {
    let code = QRBuilder::new(text)
        .ecl(ECL::M)
        .build()
        .map_err(|_| Error::new(ErrorCode::TooLong, "text", "is too long for a QR code: at most 2331 bytes"))?;
    // Four modules of quiet zone on each side (ISO/IEC 18004 §9.1).
    let side = code.size.saturating_add(8);
    let mut path = String::new();
    for (y, row) in code.data.chunks(code.size.max(1)).take(code.size).enumerate() {
        // One stroke a row, through the middle of its modules: dark runs are drawn, light ones skipped.
        let mut x = 0_usize;
        let mut pen_at_start = true;
        for run in row.chunk_by(|a, b| a.value() == b.value()) {
            if run.first().is_some_and(|module| module.value()) {
                // Writing to a String cannot fail.
                let _ = match pen_at_start {
                    true => write!(path, "M{} {}.5h{}", x.saturating_add(4), y.saturating_add(4), run.len()),
                    false => write!(path, "h{}", run.len()),
                };
                pen_at_start = false;
            } else if !pen_at_start && x.saturating_add(run.len()) < code.size {
                let _ = write!(path, "m{} 0", run.len());
            }
            x = x.saturating_add(run.len());
        }
    }
    Ok(format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {side} {side}\" shape-rendering=\"crispEdges\" role=\"img\" aria-label=\"QR code\"><path fill=\"#fff\" d=\"M0 0h{side}v{side}H0z\"/><path stroke=\"#000\" d=\"{path}\"/></svg>"
    ))
}

/// Percent-encodes everything but RFC 3986's unreserved characters (§2.3).
pub(crate) fn percent_encode(out: &mut String, text: &str) {
    const ALL_BUT_UNRESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');
    out.extend(utf8_percent_encode(text, ALL_BUT_UNRESERVED));
}

/// Decodes what is encoded without a fault; the library leaves a `%` that means nothing as it is.
fn percent_decode(text: &str) -> Option<String> {
    let escaped = |rest: &str| rest.bytes().take(2).filter(u8::is_ascii_hexdigit).count() == 2;
    let sound = text.split('%').skip(1).all(escaped);
    if sound { percent_decode_str(text).decode_utf8().ok().map(Cow::into_owned) } else { None }
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
