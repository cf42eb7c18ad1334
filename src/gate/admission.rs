//! An admitted request, and the changes to its headers before it reaches the upstream.

use std::rc::Rc;

use crate::secret_text::SecretText;

use super::identity::Identity;
use super::stripping::Stripping;

/// A request that goes on. Without an identity it goes on as nobody.
#[derive(Debug, Clone, Default)]
pub struct Admission {
    stripping: Stripping,
    identity: Option<Rc<Identity>>,
    set_cookie: Option<SecretText>,
}

impl Admission {
    /// The changes to these headers, in order: a name and its new value, or `None` to remove it.
    #[must_use]
    pub fn changes<'a>(&'a self, given: &'a [(String, Vec<u8>)]) -> Vec<(&'a str, Option<&'a [u8]>)> {
        let mut changes = self.stripping.changes(given);
        if let Some(identity) = &self.identity {
            changes.extend(identity.headers.iter().map(|(name, value)| (*name, Some(value.as_bytes()))));
        }
        changes
    }

    /// A new pass for the client, as `set-cookie`.
    #[must_use]
    pub const fn set_cookie(&self) -> Option<&SecretText> {
        self.set_cookie.as_ref()
    }

    pub(super) const fn as_nobody(stripping: Stripping) -> Self {
        Self { stripping, identity: None, set_cookie: None }
    }

    pub(super) fn with_identity(self, identity: Rc<Identity>) -> Self {
        Self { identity: Some(identity), ..self }
    }

    pub(super) fn with_new_pass(self, set_cookie: SecretText) -> Self {
        Self { set_cookie: Some(set_cookie), ..self }
    }
}
