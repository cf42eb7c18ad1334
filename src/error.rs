//! Errors: mistakes of the *host*. A mistake of a person, such as a wrong code, is a reply and never
//! an error.
//!
//! Codes are a closed set and stable: match on [`ErrorCode`], show [`Error::message`] to an
//! engineer. A message never holds a secret, a code, a token or a phone number.

use core::fmt;

use serde::Serialize;

/// The reason why a call could not be carried out. Stable: a code is never renamed or reused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "npm", derive(tsify::Tsify))]
#[serde(rename_all = "snake_case")]
pub enum ErrorCode {
    /// An argument has the wrong type, range or form; `path` names it.
    InvalidInput,
    /// The policy is not JSON, has an unknown key or a value out of range.
    InvalidPolicy,
    /// The key ring is not JSON, has an unknown key or a malformed secret.
    InvalidKeys,
    /// The stored record is not one of ours, or was changed outside.
    InvalidRecord,
    /// The stored record was written by a newer version of this library.
    UnknownRecordVersion,
    /// A sealed value names a key that the key ring does not hold. Put the old key back.
    KeyMissing,
    /// A sealed value does not open: it belongs to another user or was changed.
    SealBroken,
    /// An `otpauth://` URI cannot be read.
    InvalidUri,
    /// The text is too long for a QR code.
    TooLong,
    /// The gate's configuration is not JSON, has an unknown key or a value out of range.
    InvalidConfig,
}

impl ErrorCode {
    /// Its name, as it is serialised.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::InvalidInput => "invalid_input",
            Self::InvalidPolicy => "invalid_policy",
            Self::InvalidKeys => "invalid_keys",
            Self::InvalidRecord => "invalid_record",
            Self::UnknownRecordVersion => "unknown_record_version",
            Self::KeyMissing => "key_missing",
            Self::SealBroken => "seal_broken",
            Self::InvalidUri => "invalid_uri",
            Self::TooLong => "too_long",
            Self::InvalidConfig => "invalid_config",
        }
    }
}

/// A coded error: `code` for programs, `path` of the offending field, `message` for people.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "npm", derive(tsify::Tsify))]
pub struct Error {
    /// The stable code.
    pub code: ErrorCode,
    /// The path of the offending field, like `network.allow[0]`; empty for the whole.
    pub path: String,
    /// A sentence for an engineer: the mistake and its remedy, lowercase, without secrets.
    pub message: String,
}

impl Error {
    /// An error at a field.
    #[must_use]
    pub fn new(code: ErrorCode, path: impl Into<String>, message: impl Into<String>) -> Self {
        Self { code, path: path.into(), message: message.into() }
    }

    /// The same error with the path from one level up: `allow[0]` in `network` is `network.allow[0]`.
    #[must_use]
    pub fn within(mut self, parent: &str) -> Self {
        self.path = match self.path.as_str() {
            "" => parent.to_owned(),
            path => format!("{parent}.{path}"),
        };
        self
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.path.is_empty() { f.write_str(&self.message) } else { write!(f, "`{}`: {}", self.path, self.message) }
    }
}

impl std::error::Error for Error {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_of_a_code_is_its_serialised_form() {
        use ErrorCode as Code;
        for code in [Code::InvalidInput, Code::InvalidPolicy, Code::InvalidKeys, Code::InvalidRecord, Code::UnknownRecordVersion] {
            assert_eq!(serde_json::to_value(code).unwrap(), code.as_str());
        }
        for code in [Code::KeyMissing, Code::SealBroken, Code::InvalidUri, Code::TooLong, Code::InvalidConfig] {
            assert_eq!(serde_json::to_value(code).unwrap(), code.as_str());
        }
    }
}
