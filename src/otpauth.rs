//! The `otpauth://totp/` URI, by which an authenticator app learns its secret
//! (<https://github.com/google/google-authenticator/wiki/Key-Uri-Format>).
//!
//! A URI of another service is read as authenticator apps read it: unknown parameters are passed
//! over, the `issuer` parameter wins over the one before the label, and the algorithm has many
//! spellings. A URI that we write has one form, and [`OtpAuth::parse_strict`] reads no other.
//! HOTP, unknown algorithms, repeated parameters and names with marks of direction are refused by both.

use crate::encoding::{percent_decode, percent_encode};
use crate::error::{Error, ErrorCode};
use crate::invisible::{is_bidi_control, is_invisible};
use crate::totp::{TotpAlgorithm, TotpParameters, TotpSecret};

/// Longest issuer or label that is written, in bytes.
pub(crate) const MAX_NAME: usize = 128;

/// The content of an `otpauth://totp/…` URI.
#[derive(Debug, Clone)]
pub struct OtpAuth {
    /// The issuer of the codes: the service's name. Empty where a URI names none.
    pub issuer: String,
    /// The holder of the codes: an e-mail address or user name. Empty where a URI names none.
    pub label: String,
    /// The shared secret.
    pub secret: TotpSecret,
    /// Algorithm, digits and period.
    pub parameters: TotpParameters,
}

impl OtpAuth {
    /// Checks issuer and label: 1 to 128 bytes, no colon, no control character, no mark of direction.
    ///
    /// # Errors
    /// [`ErrorCode::InvalidInput`] with the field.
    pub fn new(issuer: &str, label: &str, secret: TotpSecret, parameters: TotpParameters) -> Result<Self, Error> {
        for (path, text) in [("issuer", issuer), ("label", label)] {
            if !(1..=MAX_NAME).contains(&text.len()) || text.contains(':') || !is_plain(text) {
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
        let (digits, period_seconds) = (self.parameters.digits(), self.parameters.period_seconds());
        match self.parameters.algorithm() {
            TotpAlgorithm::SHA1 => {}
            TotpAlgorithm::SHA256 => uri.push_str("&algorithm=SHA256"),
            TotpAlgorithm::SHA512 => uri.push_str("&algorithm=SHA512"),
        }
        if digits != TotpParameters::DEFAULT.digits() {
            uri.push_str(&format!("&digits={digits}"));
        }
        if period_seconds != TotpParameters::DEFAULT.period_seconds() {
            uri.push_str(&format!("&period={period_seconds}"));
        }
        uri
    }

    /// Reads a URI as authenticator apps read it.
    ///
    /// # Errors
    /// [`ErrorCode::InvalidUri`] with the parameter as path.
    pub fn parse(uri: &str) -> Result<Self, Error> {
        if uri.len() > 2_048 {
            return Err(bad("", "must be at most 2048 bytes"));
        }
        let start = "otpauth://totp/";
        let (given, rest) = uri.split_at_checked(start.len()).unwrap_or_default();
        if !given.eq_ignore_ascii_case(start) {
            return Err(bad("", "must start with otpauth://totp/"));
        }
        let (path, query) = rest.split_once('?').ok_or_else(|| bad("secret", "is missing"))?;
        let path = percent_decode(path).ok_or_else(|| bad("label", "is not valid percent-encoding"))?;
        let (prefix, label) = path.split_once(':').map_or(("", path.as_str()), |(issuer, label)| (issuer, label.trim_start()));
        let query = Query::read(query)?;
        let secret = query.secret.ok_or_else(|| bad("secret", "is missing"))?;
        let secret = TotpSecret::from_base32(&secret).map_err(|error| bad("secret", &error.message))?;
        let issuer = query.issuer.unwrap_or_else(|| prefix.to_owned());
        for (path, text) in [("issuer", issuer.as_str()), ("issuer", prefix), ("label", label)] {
            if !is_plain(text) {
                return Err(bad(path, "must have no control character and no mark of direction"));
            }
        }
        let algorithm = query.algorithm.map_or(Ok(TotpAlgorithm::SHA1), |name| algorithm(&name))?;
        let digits = u8::try_from(number(query.digits, "digits", 6)?).map_err(|_| bad("digits", "must be 6, 7 or 8"))?;
        let parameters = TotpParameters::new(algorithm, digits, number(query.period, "period", 30)?)
            .map_err(|error| bad(if error.path == "digits" { "digits" } else { "period" }, &error.message))?;
        Ok(Self { issuer, label: label.to_owned(), secret, parameters })
    }

    /// Reads a URI that [`to_uri`](Self::to_uri) wrote, and no other.
    ///
    /// # Errors
    /// [`ErrorCode::InvalidUri`] with the parameter as path.
    pub fn parse_strict(uri: &str) -> Result<Self, Error> {
        let Self { issuer, label, secret, parameters } = Self::parse(uri)?;
        let read = Self::new(&issuer, &label, secret, parameters).map_err(|error| bad(&error.path, &error.message))?;
        if read.to_uri() == uri { Ok(read) } else { Err(bad("", "is not in the form that is written here")) }
    }
}

/// A text that fits as label: it is only shown. Characters that cannot stand in a label become spaces, and a
/// text that is too long is cut.
pub(crate) fn fitting(text: &str) -> String {
    let plain: String = text.chars().map(|c| if c == ':' || c.is_control() || is_invisible(c) { ' ' } else { c }).collect();
    let mut label = String::new();
    for c in plain.trim().chars() {
        if label.len().saturating_add(c.len_utf8()) > MAX_NAME {
            break;
        }
        label.push(c);
    }
    label.trim_end().to_owned()
}

/// The parameters of a URI that mean something, each at most once.
#[derive(Default)]
struct Query {
    secret: Option<String>,
    issuer: Option<String>,
    algorithm: Option<String>,
    digits: Option<String>,
    period: Option<String>,
}

impl Query {
    fn read(text: &str) -> Result<Self, Error> {
        let mut query = Self::default();
        for pair in text.split('&') {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            let Some(name) = percent_decode(name) else { continue };
            let field = match name.to_ascii_lowercase().as_str() {
                "secret" => &mut query.secret,
                "issuer" => &mut query.issuer,
                "algorithm" => &mut query.algorithm,
                "digits" => &mut query.digits,
                "period" => &mut query.period,
                // `image`, `color`, `lock` and whatever else a service adds for one app.
                _ => continue,
            };
            // In a query, `+` is a space.
            let value = percent_decode(&value.replace('+', " ")).ok_or_else(|| bad(&name, "is not valid percent-encoding"))?;
            if field.replace(value).is_some() {
                return Err(bad(&name, "is given twice"));
            }
        }
        query.issuer.take_if(|issuer| issuer.is_empty());
        Ok(query)
    }
}

/// A hash by one of its many spellings.
pub(crate) fn algorithm(name: &str) -> Result<TotpAlgorithm, Error> {
    let plain = name.to_ascii_uppercase().replace(['-', '_'], "");
    match plain.strip_prefix("HMAC").unwrap_or(&plain) {
        "SHA1" => Ok(TotpAlgorithm::SHA1),
        "SHA256" => Ok(TotpAlgorithm::SHA256),
        "SHA512" => Ok(TotpAlgorithm::SHA512),
        _ => Err(bad("algorithm", "must be SHA1, SHA256 or SHA512")),
    }
}

fn number(text: Option<String>, path: &str, default: u32) -> Result<u32, Error> {
    let Some(text) = text else { return Ok(default) };
    let is_number = text.len() <= 3 && text.bytes().all(|b| b.is_ascii_digit());
    text.parse().ok().filter(|_| is_number).ok_or_else(|| bad(path, "must be a number"))
}

/// Whether a name shows as it is.
fn is_plain(text: &str) -> bool {
    !text.chars().any(|c| c.is_control() || is_bidi_control(c))
}

fn bad(path: &str, message: &str) -> Error {
    Error::new(ErrorCode::InvalidUri, path, message)
}
