//! Ids of the host: users and sessions. They are opaque here: compared, bound and handed on, never read.

use serde::{Deserialize, Serialize};

use crate::error::{Error, ErrorCode};

/// A user id: 1 to 256 bytes without control characters. Opaque to us.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "npm", derive(tsify::Tsify))]
#[serde(try_from = "String", into = "String")]
pub struct UserId(String);

impl UserId {
    /// Checks a user id.
    ///
    /// # Errors
    /// [`ErrorCode::InvalidInput`] at `user`.
    pub fn new(text: &str) -> Result<Self, Error> {
        opaque(text, "user").map(|()| Self(text.to_owned()))
    }

    /// The id as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for UserId {
    type Error = Error;

    fn try_from(text: String) -> Result<Self, Error> {
        Self::new(&text)
    }
}

impl From<UserId> for String {
    fn from(user: UserId) -> Self {
        user.0
    }
}

/// A host's session id: 1 to 256 bytes without control characters. Opaque to us.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "npm", derive(tsify::Tsify))]
#[serde(try_from = "String", into = "String")]
pub struct SessionId(String);

impl SessionId {
    /// Checks a session id.
    ///
    /// # Errors
    /// [`ErrorCode::InvalidInput`] at `session`.
    pub fn new(text: &str) -> Result<Self, Error> {
        opaque(text, "session").map(|()| Self(text.to_owned()))
    }

    /// The id as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for SessionId {
    type Error = Error;

    fn try_from(text: String) -> Result<Self, Error> {
        Self::new(&text)
    }
}

impl From<SessionId> for String {
    fn from(session: SessionId) -> Self {
        session.0
    }
}

fn opaque(text: &str, path: &str) -> Result<(), Error> {
    if (1..=256).contains(&text.len()) && !text.chars().any(char::is_control) {
        Ok(())
    } else {
        Err(Error::new(ErrorCode::InvalidInput, path, "must be 1 to 256 bytes without control characters"))
    }
}
