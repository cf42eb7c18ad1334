//! Ids of the host: accounts, users and sessions. They are opaque here: compared, bound and handed on, never read.
//!
//! The account is part of who someone is: the same user id in two accounts is two people, and nothing
//! made for one of them counts for the other.

use serde::{Deserialize, Serialize};

use crate::error::{Error, ErrorCode};

/// A user id: 1 to 256 bytes without control characters. Opaque to us.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
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
    /// The message alone: a document adds the path at which the id stands.
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, &'static str> {
        if is_id(&text) { Ok(Self(text)) } else { Err(MISTAKE) }
    }
}

impl From<UserId> for String {
    fn from(user: UserId) -> Self {
        user.0
    }
}

/// An account id: 1 to 256 bytes without control characters. Opaque to us.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "npm", derive(tsify::Tsify))]
#[serde(try_from = "String", into = "String")]
pub struct AccountId(String);

impl AccountId {
    /// Checks an account id.
    ///
    /// # Errors
    /// [`ErrorCode::InvalidInput`] at `account`.
    pub fn new(text: &str) -> Result<Self, Error> {
        opaque(text, "account").map(|()| Self(text.to_owned()))
    }

    /// The id as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for AccountId {
    type Error = Error;

    fn try_from(text: String) -> Result<Self, Error> {
        Self::new(&text)
    }
}

impl From<AccountId> for String {
    fn from(account: AccountId) -> Self {
        account.0
    }
}

/// The name of an operator, for audit: 1 to 256 bytes without control characters.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "npm", derive(tsify::Tsify))]
#[serde(try_from = "String", into = "String")]
pub struct OperatorId(String);

impl OperatorId {
    /// Checks a name.
    ///
    /// # Errors
    /// [`ErrorCode::InvalidInput`] at `operator`.
    pub fn new(text: &str) -> Result<Self, Error> {
        opaque(text, "operator").map(|()| Self(text.to_owned()))
    }

    /// The name as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for OperatorId {
    type Error = Error;

    fn try_from(text: String) -> Result<Self, Error> {
        Self::new(&text)
    }
}

impl From<OperatorId> for String {
    fn from(operator: OperatorId) -> Self {
        operator.0
    }
}

/// The id of a record: a user in an account. A host with one account, or whose users have one second
/// factor for all accounts, leaves the account out.
///
/// ```
/// use countersign::ids::{AccountId, RecordId, UserId};
///
/// let ann = UserId::new("ann")?;
/// let at_acme = RecordId::in_account(AccountId::new("acme")?, ann.clone());
/// assert_ne!(at_acme, RecordId::from(ann));
/// # Ok::<(), countersign::error::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RecordId {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    account: Option<AccountId>,
    user: UserId,
}

impl RecordId {
    /// The id of a user in an account.
    #[must_use]
    pub const fn in_account(account: AccountId, user: UserId) -> Self {
        Self { account: Some(account), user }
    }

    /// The id of a user in the account, where there is one.
    #[must_use]
    pub const fn new(account: Option<AccountId>, user: UserId) -> Self {
        Self { account, user }
    }

    /// The account, where there is one.
    #[must_use]
    pub const fn account(&self) -> Option<&AccountId> {
        self.account.as_ref()
    }

    /// The user.
    #[must_use]
    pub const fn user(&self) -> &UserId {
        &self.user
    }

    /// The id of another user of the same account.
    #[must_use]
    pub fn with_user(&self, user: UserId) -> Self {
        Self { account: self.account.clone(), user }
    }

    /// The id in bytes, for seals and MACs. No two ids have the same.
    pub(crate) fn to_bytes(&self) -> Vec<u8> {
        let account = self.account.as_ref().map_or("", AccountId::as_str);
        // An account is never empty, so that the length 0 stands for none.
        let length = u64::try_from(account.len()).unwrap_or(u64::MAX);
        [&length.to_be_bytes(), account.as_bytes(), self.user.as_str().as_bytes()].concat()
    }
}

impl From<UserId> for RecordId {
    fn from(user: UserId) -> Self {
        Self { account: None, user }
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
    /// The message alone: a document adds the path at which the id stands.
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, &'static str> {
        if is_id(&text) { Ok(Self(text)) } else { Err(MISTAKE) }
    }
}

impl From<SessionId> for String {
    fn from(session: SessionId) -> Self {
        session.0
    }
}

const MISTAKE: &str = "must be 1 to 256 bytes without control characters";

/// `js/input.ts` has the same rule, so that no other id reaches the store.
fn is_id(text: &str) -> bool {
    (1..=256).contains(&text.len()) && !text.chars().any(char::is_control)
}

fn opaque(text: &str, path: &str) -> Result<(), Error> {
    if is_id(text) { Ok(()) } else { Err(Error::new(ErrorCode::InvalidInput, path, MISTAKE)) }
}
