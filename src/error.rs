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
