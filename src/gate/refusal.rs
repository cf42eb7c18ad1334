//! The refusals: the closed set of reasons for which the gate stops a request, each with its stable
//! name, its kind of answer and its message.

use crate::engine::Reply;
use crate::error::ErrorCode;
use crate::policy::Reason;
use crate::time::UnixSeconds;
use crate::token::Flaw;

/// The reason why a request is refused. Stable: a name is never renamed or reused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// No pass came with the request.
    NoPass,
    /// The token is no pass, or not one of ours. The flaw is for the log.
    PassInvalid(Flaw),
    /// The pass has ended.
    PassExpired,
    /// The second factor is longer ago than this path asks for.
    PassTooOld,
    /// The host has ended the session or the user's passes.
    PassRevoked,
    /// The pass or ticket belongs to a session, and the request brings none.
    NoSession,
    /// The pass belongs to an account that does not count here.
    OtherAccount,
    /// The pass belongs to another session.
    OtherSession,
    /// The pass, or the code, is by a method that this path does not accept.
    MethodNotAccepted,
    /// The code is wrong. It was counted.
    WrongCode,
    /// The code is right, and was used already. It was not counted.
    CodeUsed,
    /// There is no code alive that this could answer.
    CodeExpired,
    /// The user does not have this factor.
    NotEnrolled,
    /// Not a ticket of this session.
    TicketInvalid,
    /// The ticket has ended.
    TicketExpired,
    /// Codes of this kind are not verified here.
    UseLoginPage,
    /// A deny rule holds the address.
    AddressDenied,
    /// There are allow rules and none holds the address.
    AddressNotAllowed,
    /// A rule depends on the address, and it is unknown.
    AddressUnknown,
    /// An API client from an address that no allow rule names.
    ApiClientBlocked,
    /// A header or cookie that must come once came twice.
    DuplicateHeader,
    /// Not of the form of a code. It was not counted.
    CodeMalformed,
    /// Too many wrong codes. Nothing was compared.
    Locked,
    /// The storage API did not answer as it should, or the record cannot be used.
    StorageFailed,
    /// The record was changed by others at the same time, twice.
    StorageConflict,
    /// The revocation list is older than allowed.
    RevocationStale,
}

/// The kind of answer to a refusal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum RefusalKind {
    /// 401, or a redirection to the challenge page: a second factor helps.
    Challenge,
    Forbidden,
    BadRequest,
    TooManyAttempts,
    Unavailable,
}

/// More about the refusal of a code, where there is more.
#[derive(Debug)]
pub(super) enum RefusalDetail {
    /// The engine's reply, for the client.
    Reply {
        reply: Reply,
        /// The time from which another attempt may be made.
        retry_at: Option<UnixSeconds>,
    },
    /// The error in a record or the keys, for the log.
    Error(ErrorCode),
    /// The response of the storage API, for the log.
    Response(String),
}

impl Refusal {
    pub(super) const ALL: [Self; 26] = [
        Self::NoPass,
        Self::PassInvalid(Flaw::Malformed),
        Self::PassExpired,
        Self::PassTooOld,
        Self::PassRevoked,
        Self::NoSession,
        Self::OtherAccount,
        Self::OtherSession,
        Self::MethodNotAccepted,
        Self::WrongCode,
        Self::CodeUsed,
        Self::CodeExpired,
        Self::NotEnrolled,
        Self::TicketInvalid,
        Self::TicketExpired,
        Self::UseLoginPage,
        Self::AddressDenied,
        Self::AddressNotAllowed,
        Self::AddressUnknown,
        Self::ApiClientBlocked,
        Self::DuplicateHeader,
        Self::CodeMalformed,
        Self::Locked,
        Self::StorageFailed,
        Self::StorageConflict,
        Self::RevocationStale,
    ];

    /// Name, kind of answer, message.
    pub(super) const fn parts(self) -> (&'static str, RefusalKind, &'static str) {
        use RefusalKind::{BadRequest, Challenge, Forbidden, TooManyAttempts, Unavailable};
        match self {
            Self::NoPass => ("no_pass", Challenge, "confirm the second factor"),
            Self::PassInvalid(_) => ("pass_invalid", Challenge, "the pass is not one of ours; confirm the second factor again"),
            Self::PassExpired => ("pass_expired", Challenge, "the pass has ended; confirm the second factor again"),
            Self::PassTooOld => ("pass_too_old", Challenge, "this needs a second factor confirmed more recently; confirm it again"),
            Self::PassRevoked => ("pass_revoked", Challenge, "the session has ended; log in again"),
            Self::NoSession => ("no_session", Challenge, "log in first"),
            Self::OtherAccount => ("other_account", Challenge, "the pass belongs to another account; log in to this one"),
            Self::OtherSession => ("other_session", Challenge, "the pass belongs to another session; confirm the second factor again"),
            Self::MethodNotAccepted => ("method_not_accepted", Challenge, "confirm the second factor by another method"),
            Self::WrongCode => ("wrong_code", Challenge, "the code is wrong; send the next one"),
            Self::CodeUsed => ("code_used", Challenge, "the code was used already; send the next one"),
            Self::CodeExpired => ("code_expired", Challenge, "the code has ended; ask for a new one"),
            Self::NotEnrolled => ("not_enrolled", Challenge, "this method is not set up; use another"),
            Self::TicketInvalid => ("ticket_invalid", Challenge, "send the ticket of this session's login in x-otp-ticket"),
            Self::TicketExpired => ("ticket_expired", Challenge, "the ticket has ended; log in again"),
            Self::UseLoginPage => ("use_login_page", Challenge, "codes of this kind are not verified here; use the login page"),
            Self::AddressDenied => ("address_denied", Forbidden, "this address may not come in"),
            Self::AddressNotAllowed => ("address_not_allowed", Forbidden, "this address is not among those that may come in"),
            Self::AddressUnknown => ("address_unknown", Forbidden, "the client's address could not be told"),
            Self::ApiClientBlocked => {
                ("api_client_blocked", Forbidden, "an API client may come in only from an address that an allow rule names")
            }
            Self::DuplicateHeader => ("duplicate_header", BadRequest, "send each credential once"),
            Self::CodeMalformed => ("code_malformed", BadRequest, "send a code in x-otp, like `123456` or `sms 123456`"),
            Self::Locked => ("locked", TooManyAttempts, "too many wrong codes; wait"),
            Self::StorageFailed => ("storage_failed", Unavailable, "the code could not be verified now; try again"),
            Self::StorageConflict => ("storage_conflict", Unavailable, "the code could not be verified now; try again"),
            Self::RevocationStale => ("revocation_stale", Unavailable, "passes cannot be checked now; try again"),
        }
    }

    /// The stable name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        self.parts().0
    }

    pub(super) const fn kind(self) -> RefusalKind {
        self.parts().1
    }

    /// The refusal by an address rule; `None` for every other reason.
    pub(super) const fn of_address_rule(reason: Reason) -> Option<Self> {
        match reason {
            Reason::AddressDenied => Some(Self::AddressDenied),
            Reason::AddressNotAllowed => Some(Self::AddressNotAllowed),
            Reason::AddressUnknown => Some(Self::AddressUnknown),
            Reason::EnrollmentRequired
            | Reason::ApiClientBlocked
            | Reason::NoUsableMethod
            | Reason::RecoveryCodeRequired
            | Reason::MoveUnderWay
            | Reason::Plan
            | Reason::MethodNotOffered
            | Reason::NumberInvalid
            | Reason::NumberNotAllowed
            | Reason::NumberEnrolled
            | Reason::TooManyFactors
            | Reason::NotEnrolled
            | Reason::FreshFactorRequired
            | Reason::OwnerOnly
            | Reason::NotForOneself
            | Reason::TooOften
            | Reason::OperatorOnly
            | Reason::NotKept
            | Reason::TicketInvalid
            | Reason::OtherSession
            | Reason::TicketExpired => None,
        }
    }

    /// The refusal of a pass that does not open.
    pub(super) const fn of_flaw(flaw: Flaw) -> Self {
        match flaw {
            Flaw::Expired => Self::PassExpired,
            Flaw::FromBeforeRestore => Self::PassRevoked,
            Flaw::MethodNotAccepted => Self::MethodNotAccepted,
            Flaw::Malformed
            | Flaw::NotAPass
            | Flaw::UnknownKey
            | Flaw::WrongSignature
            | Flaw::OtherOrigin
            | Flaw::OtherAudience
            | Flaw::FromTheFuture => Self::PassInvalid(flaw),
        }
    }

    /// The refusal of a code that the engine denies.
    pub(super) const fn of_denied_code(reason: Reason) -> Self {
        match reason {
            Reason::AddressDenied => Self::AddressDenied,
            Reason::AddressNotAllowed => Self::AddressNotAllowed,
            Reason::AddressUnknown => Self::AddressUnknown,
            Reason::TicketExpired => Self::TicketExpired,
            Reason::TicketInvalid | Reason::OtherSession => Self::TicketInvalid,
            Reason::NotEnrolled => Self::NotEnrolled,
            Reason::MethodNotOffered => Self::MethodNotAccepted,
            // The engine does not answer `verify` with these.
            Reason::EnrollmentRequired
            | Reason::ApiClientBlocked
            | Reason::NoUsableMethod
            | Reason::RecoveryCodeRequired
            | Reason::MoveUnderWay
            | Reason::Plan
            | Reason::NumberInvalid
            | Reason::NumberNotAllowed
            | Reason::NumberEnrolled
            | Reason::TooManyFactors
            | Reason::FreshFactorRequired
            | Reason::OwnerOnly
            | Reason::NotForOneself
            | Reason::TooOften
            | Reason::OperatorOnly
            | Reason::NotKept => Self::UseLoginPage,
        }
    }
}

impl RefusalKind {
    /// HTTP status, and `error` as in RFC 9470 where the RFC has one.
    pub(super) const fn status_and_error(self) -> (u16, &'static str) {
        match self {
            Self::Challenge => (401, "insufficient_user_authentication"),
            Self::Forbidden => (403, "forbidden"),
            Self::BadRequest => (400, "bad_request"),
            Self::TooManyAttempts => (429, "too_many_attempts"),
            Self::Unavailable => (503, "unavailable"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_refusal_has_a_name_of_its_own_and_a_message_that_fits_a_quoted_string() {
        let names: std::collections::BTreeSet<_> = Refusal::ALL.iter().map(|refusal| refusal.name()).collect();
        assert_eq!(names.len(), Refusal::ALL.len());
        for refusal in Refusal::ALL {
            let (_, _, message) = refusal.parts();
            assert!(message.bytes().all(|b| (0x20..0x7f).contains(&b) && !matches!(b, b'"' | b'\\')), "{message}");
        }
    }
}
