//! Refusals of tokens: in few words for the sender, in more for the operator's log.

use serde::Serialize;

use crate::policy::Reason;

/// The reason why a token is refused. It says nothing of the form of a right one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "npm", derive(tsify::Tsify))]
#[serde(rename_all = "snake_case")]
pub enum TokenError {
    /// Not a token of this kind, or not signed by a key of the ring.
    Invalid,
    /// It has expired.
    Expired,
    /// It belongs to another account.
    OtherAccount,
    /// It belongs to another user.
    OtherUser,
    /// It belongs to another session.
    OtherSession,
    /// The second factor was shown longer ago than is accepted here.
    TooOld,
    /// Its method is not accepted here.
    MethodNotAccepted,
    /// The host has ended it: it, its session or its user is on the revocation list.
    Revoked,
}

impl TokenError {
    /// The reason in the reply to a command whose ticket is refused.
    #[must_use]
    pub const fn of_ticket(self) -> Reason {
        match self {
            Self::Expired | Self::Revoked => Reason::TicketExpired,
            Self::OtherSession => Reason::OtherSession,
            Self::Invalid | Self::OtherAccount | Self::OtherUser | Self::TooOld | Self::MethodNotAccepted => Reason::TicketInvalid,
        }
    }
}

/// The flaw of a token that was sent as a pass: for the operator's log, never for the sender.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Flaw {
    /// It does not have the form or the claims of a pass.
    Malformed,
    /// It is a token of another kind.
    NotAPass,
    /// It names a key that is not in the ring.
    UnknownKey,
    /// The key that it names did not sign it.
    WrongSignature,
    /// It was made for another `origin`.
    OtherOrigin,
    /// It was made for another `audience`.
    OtherAudience,
    /// It was made at a time in the future: a clock is wrong.
    FromTheFuture,
    /// It has expired.
    Expired,
    /// It is of another restore epoch than the keys.
    FromBeforeRestore,
    /// It is by a trusted browser, and the policy trusts none.
    MethodNotAccepted,
}

impl From<Flaw> for TokenError {
    fn from(flaw: Flaw) -> Self {
        match flaw {
            Flaw::Expired => Self::Expired,
            Flaw::FromBeforeRestore => Self::Revoked,
            Flaw::MethodNotAccepted => Self::MethodNotAccepted,
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
