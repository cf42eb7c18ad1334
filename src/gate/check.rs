//! Checks of the values in a configuration. A value that fails stops Envoy, and the error names its field.

use crate::error::{Error, ErrorCode};

pub(super) fn check(holds: bool, path: &str, message: &str) -> Result<(), Error> {
    if holds { Ok(()) } else { Err(wrong(path, message)) }
}

pub(super) fn wrong(path: &str, message: &str) -> Error {
    Error::new(ErrorCode::InvalidConfig, path, message)
}

/// Whether a text can stand in a header as it is: visible ASCII characters, no blanks.
pub(super) fn is_visible(text: &str) -> bool {
    text.bytes().all(|b| b.is_ascii_graphic())
}
