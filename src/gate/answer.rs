//! What the gate answers: the closed set of refusals, how each looks on the wire, and what is
//! counted and logged.

use core::fmt::Write as _;
use std::rc::Rc;

use serde::Serialize;

use crate::client_ip::ClientIp;
use crate::encoding::percent_encode;
use crate::engine::Reply;
use crate::error::ErrorCode;
use crate::json::to_json;
use crate::policy::{Explanation, Reason};
use crate::secret_text::SecretText;
use crate::time::UnixSeconds;
use crate::token::{Flaw, Pass, amr};

use super::config::{GateConfig, Mode};
use super::request::{Request, Seen, is_ours};

/// Why a request does not go on. Stable: a name is never renamed or reused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// No pass came with the request.
    NoPass,
    /// Not a pass, or not one of ours; why, for the log.
    PassInvalid(Flaw),
    /// The pass has ended.
    PassExpired,
    /// The second factor is longer ago than this path asks for.
    PassTooOld,
    /// The host has ended the session or the user's passes.
    PassRevoked,
    /// The pass or ticket belongs to a session, and the request brings none.
    NoSession,
    /// The pass belongs to another session.
    OtherSession,
    /// The pass, or the code, is by a method that this path does not accept.
    MethodNotAccepted,
    /// The code is wrong. It was counted.
    WrongCode,
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
    /// What must come once came twice.
    DuplicateHeader,
    /// Not of the form of a code. It was not counted.
    CodeMalformed,
    /// Too many wrong codes. Nothing was compared.
    Locked,
    /// The storage API did not answer as it should, or the record cannot be used.
    StorageFailed,
    /// Others changed the record at the same time, twice.
    StorageConflict,
    /// The revocation list is older than allowed.
    RevocationStale,
}

/// How a refusal is answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// 401, or the challenge page: a second factor helps.
    Challenge,
    Forbidden,
    BadRequest,
    TooManyAttempts,
    Unavailable,
}

impl Refusal {
    const ALL: [Self; 24] = [
        Self::NoPass,
        Self::PassInvalid(Flaw::Malformed),
        Self::PassExpired,
        Self::PassTooOld,
        Self::PassRevoked,
        Self::NoSession,
        Self::OtherSession,
        Self::MethodNotAccepted,
        Self::WrongCode,
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

    const fn parts(self) -> (&'static str, Kind, &'static str) {
        match self {
            Self::NoPass => ("no_pass", Kind::Challenge, "confirm the second factor"),
            Self::PassInvalid(_) => ("pass_invalid", Kind::Challenge, "the pass is not one of ours; confirm the second factor again"),
            Self::PassExpired => ("pass_expired", Kind::Challenge, "the pass has ended; confirm the second factor again"),
            Self::PassTooOld => ("pass_too_old", Kind::Challenge, "this needs a second factor confirmed more recently; confirm it again"),
            Self::PassRevoked => ("pass_revoked", Kind::Challenge, "the session has ended; log in again"),
            Self::NoSession => ("no_session", Kind::Challenge, "log in first"),
            Self::OtherSession => {
                ("other_session", Kind::Challenge, "the pass belongs to another session; confirm the second factor again")
            }
            Self::MethodNotAccepted => ("method_not_accepted", Kind::Challenge, "confirm the second factor by another method"),
            Self::WrongCode => ("wrong_code", Kind::Challenge, "the code is wrong; send the next one"),
            Self::CodeExpired => ("code_expired", Kind::Challenge, "the code has ended; ask for a new one"),
            Self::NotEnrolled => ("not_enrolled", Kind::Challenge, "this method is not set up; use another"),
            Self::TicketInvalid => ("ticket_invalid", Kind::Challenge, "send the ticket of this session's login in x-otp-ticket"),
            Self::TicketExpired => ("ticket_expired", Kind::Challenge, "the ticket has ended; log in again"),
            Self::UseLoginPage => ("use_login_page", Kind::Challenge, "codes of this kind are not verified here; use the login page"),
            Self::AddressDenied => ("address_denied", Kind::Forbidden, "this address may not come in"),
            Self::AddressNotAllowed => ("address_not_allowed", Kind::Forbidden, "this address is not among those that may come in"),
            Self::AddressUnknown => ("address_unknown", Kind::Forbidden, "the client's address could not be told"),
            Self::ApiClientBlocked => {
                ("api_client_blocked", Kind::Forbidden, "an API client may come in only from an address that an allow rule names")
            }
            Self::DuplicateHeader => ("duplicate_header", Kind::BadRequest, "send each credential once"),
            Self::CodeMalformed => ("code_malformed", Kind::BadRequest, "send a code in x-otp, like `123456` or `sms 123456`"),
            Self::Locked => ("locked", Kind::TooManyAttempts, "too many wrong codes; wait"),
            Self::StorageFailed => ("storage_failed", Kind::Unavailable, "the code could not be verified now; try again"),
            Self::StorageConflict => ("storage_conflict", Kind::Unavailable, "the code could not be verified now; try again"),
            Self::RevocationStale => ("revocation_stale", Kind::Unavailable, "passes cannot be checked now; try again"),
        }
    }

    /// The stable name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        self.parts().0
    }

    /// What the address rules say; `None` for every other reason.
    pub(super) const fn of_address(reason: Reason) -> Option<Self> {
        match reason {
            Reason::AddressDenied => Some(Self::AddressDenied),
            Reason::AddressNotAllowed => Some(Self::AddressNotAllowed),
            Reason::AddressUnknown => Some(Self::AddressUnknown),
            Reason::EnrollmentRequired
            | Reason::ApiClientBlocked
            | Reason::NoUsableMethod
            | Reason::Plan
            | Reason::MethodNotOffered
            | Reason::NumberNotAllowed
            | Reason::NotEnrolled
            | Reason::FreshFactorRequired
            | Reason::OwnerOnly
            | Reason::NotForOneself
            | Reason::NotKept
            | Reason::TicketInvalid
            | Reason::TicketExpired => None,
        }
    }

    const fn counter(self) -> Counter {
        match self.parts().1 {
            Kind::Challenge => Counter::Challenged,
            Kind::Forbidden | Kind::BadRequest | Kind::TooManyAttempts | Kind::Unavailable => Counter::Denied(self),
        }
    }
}

impl Kind {
    const fn status_and_error(self) -> (u16, &'static str) {
        match self {
            Self::Challenge => (401, "insufficient_user_authentication"),
            Self::Forbidden => (403, "forbidden"),
            Self::BadRequest => (400, "bad_request"),
            Self::TooManyAttempts => (429, "too_many_attempts"),
            Self::Unavailable => (503, "unavailable"),
        }
    }
}

/// What is counted. Each request counts once as allowed, challenged or denied.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Counter {
    /// It went on.
    Allowed,
    /// It was asked for a second factor.
    Challenged,
    /// It was turned down otherwise.
    Denied(Refusal),
    /// A code was right.
    VerifyOk,
    /// A code was wrong.
    VerifyWrong,
    /// A call-out did not answer as it should.
    CalloutError,
    /// In shadow mode: it went on, and would not have.
    ShadowWouldDeny,
}

impl Counter {
    /// All counters that there are.
    pub fn all() -> impl Iterator<Item = Self> {
        let denied = Refusal::ALL.into_iter().map(Refusal::counter).filter(|counter| *counter != Self::Challenged);
        let others = [Self::Allowed, Self::Challenged, Self::VerifyOk, Self::VerifyWrong, Self::CalloutError, Self::ShadowWouldDeny];
        others.into_iter().chain(denied)
    }

    /// Name of the statistic.
    #[must_use]
    pub fn name(self) -> String {
        let name = match self {
            Self::Allowed => "allowed",
            Self::Challenged => "challenged",
            Self::Denied(refusal) => return format!("countersign_denied_{}", refusal.name()),
            Self::VerifyOk => "verify_ok",
            Self::VerifyWrong => "verify_wrong",
            Self::CalloutError => "callout_error",
            Self::ShadowWouldDeny => "shadow_would_deny",
        };
        format!("countersign_{name}")
    }
}

/// A request that goes on, and what has to be changed on it.
#[derive(Debug, Clone, Default)]
pub struct Admission {
    /// Take out the headers that only the gate may set.
    pub(super) strip_ours: bool,
    /// The `cookie` header without the pass, where there was one; may be empty.
    pub(super) cookie: Option<Vec<u8>>,
    /// Take out `authorization`, which holds the pass.
    pub(super) strip_authorization: bool,
    /// Who is there, for the upstream.
    pub(super) identity: Option<Rc<Known>>,
    pub(super) set_cookie: Option<SecretText>,
}

impl Admission {
    /// What has to be changed on these headers, in this order: names to set to a value, or, without
    /// one, to take out.
    #[must_use]
    pub fn changes<'a>(&'a self, given: &'a [(String, Vec<u8>)]) -> Vec<(&'a str, Option<&'a [u8]>)> {
        let mut changes = Vec::new();
        if self.strip_ours {
            changes.extend(given.iter().filter(|(name, _)| is_ours(name)).map(|(name, _)| (name.as_str(), None)));
        }
        if self.strip_authorization {
            changes.push(("authorization", None));
        }
        if let Some(rest) = &self.cookie {
            // Whoever sets one of several leaves it to Envoy what becomes of the others.
            if rest.is_empty() || given.iter().filter(|(name, _)| name == "cookie").nth(1).is_some() {
                changes.push(("cookie", None));
            }
            if !rest.is_empty() {
                changes.push(("cookie", Some(rest.as_slice())));
            }
        }
        if let Some(known) = &self.identity {
            changes.extend(known.headers.iter().map(|(name, value)| (*name, Some(value.as_bytes()))));
        }
        changes
    }

    /// A new pass for the client, as `set-cookie`.
    #[must_use]
    pub const fn set_cookie(&self) -> Option<&SecretText> {
        self.set_cookie.as_ref()
    }

    /// It is decided: the request goes on.
    pub(super) fn judgement(self) -> Judgement {
        Judgement { outcome: Outcome::Admit(self), counters: vec![Counter::Allowed], log: None }
    }
}

/// A pass found good, and what the upstream learns of it.
#[derive(Debug)]
pub(super) struct Known {
    pub(super) pass: Pass,
    headers: [(&'static str, String); 4],
}

impl Known {
    pub(super) fn new(pass: Pass) -> Self {
        let mut user = String::new();
        for character in pass.user().as_str().chars() {
            if character.is_ascii_graphic() && character != '%' {
                user.push(character);
            } else {
                percent_encode(&mut user, character.encode_utf8(&mut [0; 4]));
            }
        }
        let headers = [
            ("x-second-factor-sub", user),
            ("x-second-factor-amr", amr(pass.method()).join(",")),
            ("x-second-factor-method", pass.method().as_str().to_owned()),
            ("x-second-factor-at", pass.auth_time().seconds().to_string()),
        ];
        Self { pass, headers }
    }
}

/// An answer in the upstream's place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// HTTP status.
    pub status: u16,
    /// Headers.
    pub headers: Vec<(&'static str, String)>,
    /// Body; may be empty.
    pub body: String,
}

/// What becomes of a request.
#[derive(Debug, Clone)]
pub enum Outcome {
    /// It goes on.
    Admit(Admission),
    /// It is answered.
    Answer(Answer),
}

/// A decided request.
#[derive(Debug, Clone)]
pub struct Judgement {
    /// What becomes of it.
    pub outcome: Outcome,
    /// What to count.
    pub counters: Vec<Counter>,
    /// A line for the log: JSON, without secrets.
    pub log: Option<String>,
}

/// What is kept of a request until it is decided.
#[derive(Debug)]
pub(super) struct Context {
    pub(super) now: UnixSeconds,
    client: ClientIp,
    browser: bool,
    method: String,
    path: String,
    return_target: String,
    max_age: Option<u32>,
    explanation: Explanation,
    admission: Admission,
}

#[derive(Serialize)]
struct Body<'a> {
    error: &'static str,
    reason: &'static str,
    message: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    reply: Option<&'a Reply>,
    #[serde(skip_serializing_if = "Option::is_none")]
    explanation: Option<&'a Explanation>,
}

#[derive(Serialize)]
struct Line<'a> {
    verdict: &'static str,
    reason: &'static str,
    status: u16,
    #[serde(skip_serializing_if = "Option::is_none")]
    ip: Option<String>,
    method: &'a str,
    path: &'a str,
    mode: Mode,
    /// What is wrong with the pass, or what became of the call to the storage API.
    #[serde(skip_serializing_if = "Option::is_none")]
    detail: Option<String>,
    /// What is wrong with a record or the keys.
    #[serde(skip_serializing_if = "Option::is_none")]
    code: Option<ErrorCode>,
}

/// More about a refusal, where a code was sent.
#[derive(Debug)]
pub(super) enum Detail {
    Reply {
        reply: Reply,
        /// When another attempt may be made.
        retry_at: Option<UnixSeconds>,
    },
    Error(ErrorCode),
    /// Of the storage API.
    Response(String),
}

impl Context {
    pub(super) fn new(
        config: &GateConfig,
        request: &Request<'_>,
        seen: &Seen<'_>,
        max_age: Option<u32>,
        explanation: Explanation,
        now: UnixSeconds,
    ) -> Self {
        let method = request.all(":method").next().unwrap_or_default();
        Self {
            now,
            client: request.client(config.trusted_hops),
            browser: request.is_browser(),
            method: String::from_utf8_lossy(method).chars().take(20).collect(),
            path: seen.path.shown(),
            return_target: seen.path.return_target().to_owned(),
            max_age,
            explanation,
            admission: seen.admission(config, request),
        }
    }

    pub(super) const fn client(&self) -> ClientIp {
        self.client
    }

    /// Lets it go on with a new pass.
    pub(super) fn admit_verified(&self, config: &GateConfig, token: &str, known: Rc<Known>) -> Judgement {
        let secure = if config.policy.issuer().starts_with("https:") { " Secure;" } else { "" };
        let age = known.pass.expires_at().since(self.now);
        let cookie = format!("{}={token}; Path=/;{secure} HttpOnly; SameSite=Lax; Max-Age={age}", config.pass.cookie);
        let admission = Admission { identity: Some(known), set_cookie: Some(SecretText(cookie)), ..self.admission.clone() };
        let mut judgement = admission.judgement();
        judgement.counters.push(Counter::VerifyOk);
        judgement
    }

    /// Turns it down; in shadow mode it goes on all the same, as nobody.
    pub(super) fn refuse(&self, config: &GateConfig, refusal: Refusal, detail: Option<&Detail>) -> Judgement {
        let (reason, kind, _) = refusal.parts();
        let answer = self.answer(config, refusal, detail);
        let line = Line {
            verdict: if kind == Kind::Challenge { "challenged" } else { "denied" },
            reason,
            status: answer.status,
            ip: match self.client {
                ClientIp::Known(address) => Some(address.to_string()),
                ClientIp::Unknown => None,
            },
            method: &self.method,
            path: &self.path,
            mode: config.mode,
            code: match detail {
                Some(Detail::Error(code)) => Some(*code),
                Some(Detail::Reply { .. } | Detail::Response(_)) | None => None,
            },
            detail: match (refusal, detail) {
                (Refusal::PassInvalid(flaw), _) => Some(to_json(&flaw).replace('"', "")),
                (_, Some(Detail::Response(response))) => Some(response.clone()),
                (_, Some(Detail::Reply { .. } | Detail::Error(_)) | None) => None,
            },
        };
        let log = Some(to_json(&line));
        let mut counters = vec![refusal.counter()];
        if refusal == Refusal::WrongCode {
            counters.push(Counter::VerifyWrong);
        }
        match config.mode {
            Mode::Enforce => Judgement { outcome: Outcome::Answer(answer), counters, log },
            Mode::Shadow => {
                counters.push(Counter::ShadowWouldDeny);
                Judgement { outcome: Outcome::Admit(self.admission.clone()), counters, log }
            }
        }
    }

    fn answer(&self, config: &GateConfig, refusal: Refusal, detail: Option<&Detail>) -> Answer {
        let (reason, kind, message) = refusal.parts();
        let (status, error) = kind.status_and_error();
        let mut headers = vec![("cache-control", "no-store".to_owned())];
        if kind == Kind::Challenge && self.browser {
            headers.push(("location", config.challenge.location(&self.return_target)));
            return Answer { status: 303, headers, body: String::new() };
        }
        let (reply, retry_at) = match detail {
            Some(Detail::Reply { reply, retry_at }) => (Some(reply), *retry_at),
            Some(Detail::Error(_) | Detail::Response(_)) | None => (None, None),
        };
        if kind == Kind::Challenge {
            headers.push(("www-authenticate", self.step_up(error, message)));
        }
        if let Some(at) = retry_at {
            headers.push(("retry-after", at.since(self.now).to_string()));
        }
        headers.push(("content-type", "application/json".to_owned()));
        let explanation = config.debug.then_some(&self.explanation);
        Answer { status, headers, body: to_json(&Body { error, reason, message, reply, explanation }) }
    }

    /// The challenge of RFC 9470 §3.
    fn step_up(&self, error: &str, message: &str) -> String {
        // Inside quotes a backtick is plain text; the messages have no quotes themselves.
        let mut challenge = format!(r#"Bearer error="{error}", error_description="{message}", acr_values="urn:countersign:acr:2fa""#);
        if let Some(age) = self.max_age {
            let _ = write!(challenge, ", max_age={age}");
        }
        challenge
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
