//! Refusals of tokens: in few words for the sender, in more for the operator's log.

use serde::Serialize;

/// Why a token is refused. Says nothing about what a right one would be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "npm", derive(tsify::Tsify))]
#[serde(rename_all = "snake_case")]
pub enum TokenError {
    /// Not a token of this kind, or not signed by a key of the ring.
    Invalid,
    /// Its time is over.
    Expired,
    /// Of another user.
    OtherUser,
    /// Of another session.
    OtherSession,
    /// The second factor is longer ago than asked for.
    TooOld,
    /// By a method that is not accepted here.
    MethodNotAccepted,
}

/// What is wrong with a token that is to be a pass. For the operator's log, never for who sent it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Flaw {
    /// Not of the form of a token, or not of its claims.
    Malformed,
    /// Of another kind.
    NotAPass,
    /// Signed under a name that no key here has.
    UnknownKey,
    /// Not signed by the key that it names.
    WrongSignature,
    /// Made for another `origin`.
    OtherOrigin,
    /// Made for another `audience`.
    OtherAudience,
    /// Made at a time that is yet to come: a clock is wrong.
    FromTheFuture,
    /// Its time is over.
    Expired,
}

impl From<Flaw> for TokenError {
    fn from(flaw: Flaw) -> Self {
        match flaw {
            Flaw::Expired => Self::Expired,
            Flaw::Malformed
            | Flaw::NotAPass
            | Flaw::UnknownKey
            | Flaw::WrongSignature
            | Flaw::OtherOrigin
            | Flaw::OtherAudience
            | Flaw::FromTheFuture => Self::Invalid,
        }
    }
}
