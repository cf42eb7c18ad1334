//! Secret text: codes, tokens and numbers on their way to the one who may see them.

use core::fmt;

use serde::Serialize;

/// Text that only its receiver may see: serialised as it is, never in `Debug` or a log.
#[derive(Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "npm", derive(tsify::Tsify))]
#[serde(transparent)]
pub struct SecretText(pub String);

impl fmt::Debug for SecretText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecretText(…)")
    }
}
