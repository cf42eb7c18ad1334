//! The `otpauth://totp/` URI, by which an authenticator app learns its secret
//! (<https://github.com/google/google-authenticator/wiki/Key-Uri-Format>).

use crate::encoding::{percent_decode, percent_encode};
use crate::error::{Error, ErrorCode};
use crate::totp::{TotpAlgorithm, TotpParameters, TotpSecret};

/// The content of an `otpauth://totp/…` URI.
#[derive(Debug, Clone)]
pub struct OtpAuth {
    /// The issuer of the codes: the service's name. Without a colon.
    pub issuer: String,
    /// The holder of the codes: an e-mail address or user name. Without a colon.
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
