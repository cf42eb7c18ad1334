//! The secrets of the gate. Envoy shows the configuration of a filter to everyone who can read
//! `/config_dump`, so secrets come from the environment of Envoy and stand nowhere else.

use core::fmt;

use crate::error::Error;

/// The environment variables that the gate reads.
#[derive(Clone, Default)]
pub struct Secrets {
    /// `COUNTERSIGN_KEYS`: the key ring as JSON, as the login service has it.
    pub keys: Option<String>,
    /// `COUNTERSIGN_STORAGE_TOKEN`: the token that the storage API asks for.
    pub storage_token: Option<String>,
}

impl fmt::Debug for Secrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secrets(…)")
    }
}

/// An error in the key ring names the variable, not a field of the configuration.
pub(super) fn in_environment(error: Error) -> Error {
    error.within("COUNTERSIGN_KEYS")
}
