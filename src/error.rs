//! Errors: what the *host* did wrong. What a person typed wrong is a reply, never an error.
//!
//! Codes are a closed set and stable: match on [`ErrorCode`], show [`Error::message`] to an
//! engineer. A message never holds a secret, a code, a token or a phone number.

use core::fmt;

use serde::Serialize;
use serde::de::DeserializeOwned;

/// Why a call could not be carried out. Stable: a code is never renamed or reused.
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
}

/// A coded error: `code` for programs, `path` of the offending field, `message` for people.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "npm", derive(tsify::Tsify))]
pub struct Error {
    /// The stable code.
    pub code: ErrorCode,
    /// The path of the offending field, like `network.allow[0]`; empty for the whole.
    pub path: String,
    /// What is wrong and what to do, lowercase, without secrets.
    pub message: String,
}

impl Error {
    /// An error at a field.
    #[must_use]
    pub fn new(code: ErrorCode, path: impl Into<String>, message: impl Into<String>) -> Self {
        Self { code, path: path.into(), message: message.into() }
    }

    /// The same error, seen from one level up: `allow[0]` in `network` is `network.allow[0]`.
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

/// Strict JSON: an unknown key, a missing field or trailing text is an error with its path.
///
/// serde's own message can quote the offending value, which may be a secret; only the part
/// that names types and fields is kept.
pub(crate) fn from_json<T: DeserializeOwned>(text: &str, code: ErrorCode) -> Result<T, Error> {
    // serde would also take a list in the place of an object, by the order of its fields.
    if !text.trim_ascii_start().starts_with('{') {
        return Err(Error::new(code, "", "must be a JSON object"));
    }
    let mut reader = serde_json::Deserializer::from_str(text);
    let value = serde_path_to_error::deserialize(&mut reader).map_err(|error| {
        let path = error.path().to_string();
        // `?` stands for a place that has no name yet.
        let path = path.trim_end_matches('?').trim_end_matches('.').to_owned();
        Error::new(code, path, describe(error.inner(), code))
    })?;
    reader.end().map_err(|_| Error::new(code, "", "remove the text after the JSON value"))?;
    Ok(value)
}

fn describe(error: &serde_json::Error, code: ErrorCode) -> String {
    match error.classify() {
        serde_json::error::Category::Syntax | serde_json::error::Category::Eof => {
            format!("not valid JSON at line {}, column {}", error.line(), error.column())
        }
        serde_json::error::Category::Io | serde_json::error::Category::Data => {
            let text = error.to_string();
            let text = text.rsplit_once(" at line ").map_or(text.as_str(), |(head, _)| head);
            // `invalid type: string "…", expected u32` quotes the value; say only what is expected.
            // In a key ring even the name of an unknown field may be a secret in the wrong place.
            let quotes = ["invalid type", "invalid value", "unknown variant"].iter().any(|start| text.starts_with(start))
                || (code == ErrorCode::InvalidKeys && text.starts_with("unknown field"));
            match (quotes, text.split_once(", expected ")) {
                (true, Some((_, expected))) => format!("expected {expected}"),
                (true, None) => "has a value that is not allowed here".to_owned(),
                (false, Some(_) | None) => text.to_owned(),
            }
        }
    }
}
