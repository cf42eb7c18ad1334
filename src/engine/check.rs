//! The question of every request: does this session still meet the rules?
//!
//! The rules in order; the first that applies decides:
//!
//! 1. the address rules → denied
//! 2. a pass that counts → in. It counts when it is ours, in time, of this user and session, not on
//!    the host's revocation list, and meets `max_age`, `methods` and `fresh` where these are asked for
//! 3. the login decision on the user's record: no second factor is needed → in; one is needed → the
//!    second step, with the reason why no pass counts; no way to show one → denied
//!
//! Rules 1 and 2 need no record. [`check`] gives `None` where it needs one and has none: at rule 3,
//! and at rule 2 under `fresh`, because a pass is fresh only while its factor is still in the record.
//!
//! `max_age`, `methods` and `fresh` say which passes count. They force no factor on a user who needs
//! none: that is the policy's part.

use serde::{Deserialize, Deserializer, Serialize};

use crate::client_ip::ClientIp;
use crate::error::{Error, ErrorCode};
use crate::ids::{RecordId, SessionId, UserId};
use crate::json::from_json;
use crate::keys::KeyRing;
use crate::policy::{Channel, Decision, Enrollment, Facts, Method, Policy, Reason, Roles, explain};
use crate::record::Record;
use crate::revoked::Revoked;
use crate::time::UnixSeconds;
use crate::token::{KnownPasses, Pass, TokenError, amr};

use super::command::text_or_empty;
use super::context::View;
use super::{factors, restored};

/// Fields of `check`: a request of a session that is logged in.
#[derive(Clone, Deserialize)]
#[cfg_attr(feature = "npm", derive(tsify::Tsify))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Check {
    /// The logged-in session.
    pub session: SessionId,
    /// The session's pass, where it has one. A value that is no text is a pass that does not count.
    #[serde(default, deserialize_with = "pass_or_empty")]
    pub pass: Option<String>,
    /// Person or program; a person by default.
    #[serde(default = "web")]
    #[cfg_attr(feature = "npm", tsify(optional))]
    pub channel: Channel,
    /// Greatest age of the pass's factor in seconds; by default the pass counts until it ends.
    #[serde(default)]
    pub max_age: Option<u32>,
    /// The methods whose passes count; all by default.
    #[serde(default)]
    pub methods: Option<Vec<Method>>,
    /// Whether the factor must be at most `freshSeconds` old and still in the record; false by default.
    #[serde(default)]
    #[cfg_attr(feature = "npm", tsify(optional))]
    pub fresh: bool,
    /// The account's plan, where the policy names plans.
    #[serde(default)]
    pub plan: Option<String>,
    /// The part of the host's revocation list about the session and its user. A pass that it ends does not count.
    #[serde(skip)]
    pub revoked: Revoked,
}

const fn web() -> Channel {
    Channel::Web
}

/// The pass comes from the client, and a client's value is never an error: the empty text is no pass of ours.
fn pass_or_empty<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    Ok(Option::deserialize(deserializer).unwrap_or_else(|_| Some(String::new())))
}

impl Check {
    /// Reads the question from JSON text, strictly.
    ///
    /// # Errors
    /// [`ErrorCode::InvalidInput`]; its path names the field.
    pub fn parse(json: &str) -> Result<Self, Error> {
        from_json(json, ErrorCode::InvalidInput)
    }
}

/// The user of a request, or that user's record. A user without a record has [`Record::new`].
#[derive(Debug, Clone, Copy)]
pub enum Subject<'a> {
    /// The record is not loaded.
    User(&'a RecordId),
    /// The record is loaded.
    Record(&'a Record),
}

/// The answer to [`check`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "npm", derive(tsify::Tsify))]
#[serde(tag = "result", rename_all = "snake_case", rename_all_fields = "camelCase")]
pub enum CheckReply {
    /// The session may go on.
    In {
        /// The method of the pass. Absent: the user needs no second factor here.
        #[serde(skip_serializing_if = "Option::is_none")]
        method: Option<Method>,
        /// The time at which the factor was shown, where there is a pass, in unix seconds.
        #[serde(skip_serializing_if = "Option::is_none")]
        auth_time: Option<UnixSeconds>,
        /// The time at which the pass ends, where there is one, in unix seconds.
        #[serde(skip_serializing_if = "Option::is_none")]
        expires_at: Option<UnixSeconds>,
    },
    /// A second factor is needed first: `begin` gives the challenge, or the set-up of the first factor.
    SecondStep {
        /// The reason why no pass counts.
        reason: SecondStepReason,
    },
    /// The session may not go on, and no second factor helps.
    Denied {
        /// The rule that refuses it.
        reason: Reason,
    },
}

/// The reason why a request needs the second step.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "npm", derive(tsify::Tsify))]
#[serde(rename_all = "snake_case")]
pub enum SecondStepReason {
    /// The request has no pass.
    NoPass,
    /// The pass is no pass, or no key of the ring signed it.
    Invalid,
    /// The pass has ended.
    Expired,
    /// The pass is of another account.
    OtherAccount,
    /// The pass belongs to another user.
    OtherUser,
    /// The pass belongs to another session.
    OtherSession,
    /// The factor was shown longer ago than asked for, or is not in the record any more.
    TooOld,
    /// The method of the pass is not among those asked for.
    MethodNotAccepted,
    /// The host has ended the pass: its session or its user is on the revocation list.
    Revoked,
}

impl From<TokenError> for SecondStepReason {
    fn from(error: TokenError) -> Self {
        match error {
            TokenError::Invalid => Self::Invalid,
            TokenError::Expired => Self::Expired,
            TokenError::OtherAccount => Self::OtherAccount,
            TokenError::OtherUser => Self::OtherUser,
            TokenError::OtherSession => Self::OtherSession,
            TokenError::TooOld => Self::TooOld,
            TokenError::MethodNotAccepted => Self::MethodNotAccepted,
            TokenError::Revoked => Self::Revoked,
        }
    }
}

/// Answers the question of one request. `None`: load the record, and ask again with it.
///
/// It changes nothing and logs nothing.
///
/// ```
/// use countersign::client_ip::ClientIp;
/// use countersign::engine::{Check, CheckReply, SecondStepReason, Subject, check};
/// use countersign::error::Error;
/// use countersign::ids::{RecordId, UserId};
/// use countersign::keys::KeyRing;
/// use countersign::policy::{Policy, Reason, Roles};
/// use countersign::record::Record;
/// use countersign::time::UnixSeconds;
///
/// # fn main() -> Result<(), Error> {
/// # let keys = KeyRing::parse(include_str!("../../tests/vectors/keys.json"))?;
/// let policy = Policy::parse(r#"{"v": 1, "name": "Acme", "origin": "https://acme.example"}"#)?;
/// let question = Check::parse(r#"{"session": "s-1"}"#)?; // no pass
/// let ann = RecordId::from(UserId::new("ann")?);
/// let now = UnixSeconds::new(1_800_000_000).expect("before the year 9999");
///
/// // Without a pass the record decides.
/// assert_eq!(check(&policy, &keys, Subject::User(&ann), &question, ClientIp::Unknown, &Roles::Unknown, now)?, None);
///
/// // A user without a factor, and nothing forces one: in.
/// let record = Record::new(ann);
/// let reply = check(&policy, &keys, Subject::Record(&record), &question, ClientIp::Unknown, &Roles::Unknown, now)?;
/// assert_eq!(reply, Some(CheckReply::In { method: None, auth_time: None, expires_at: None }));
///
/// // Forced, the same user has no way in.
/// let forced = Policy::parse(r#"{"v": 1, "name": "Acme", "origin": "https://acme.example", "require": "everyone"}"#)?;
/// let reply = check(&forced, &keys, Subject::Record(&record), &question, ClientIp::Unknown, &Roles::Unknown, now)?;
/// assert_eq!(reply, Some(CheckReply::Denied { reason: Reason::EnrollmentRequired }));
/// # Ok(())
/// # }
/// ```
///
/// # Errors
/// A missing key, or a phone number in the record that does not open.
pub fn check(
    policy: &Policy,
    keys: &KeyRing,
    subject: Subject<'_>,
    question: &Check,
    client: ClientIp,
    roles: &Roles,
    now: UnixSeconds,
) -> Result<Option<CheckReply>, Error> {
    check_known(policy, keys, None, subject, question, client, roles, now)
}

/// As [`check`], with the passes that were opened before under this policy and these keys.
///
/// # Errors
/// As [`check`].
#[expect(clippy::too_many_arguments, reason = "those of `check` and the passes")]
pub fn check_known(
    policy: &Policy,
    keys: &KeyRing,
    known: Option<&KnownPasses>,
    subject: Subject<'_>,
    question: &Check,
    client: ClientIp,
    roles: &Roles,
    now: UnixSeconds,
) -> Result<Option<CheckReply>, Error> {
    let (channel, plan) = (question.channel, question.plan.as_deref());
    let facts = |enrollment, recovery_code| Facts { now, client, roles, channel, enrollment, plan, recovery_code };
    if let Some(reason) = address_rule(policy, &facts(Enrollment::None, false)) {
        return Ok(Some(CheckReply::Denied { reason }));
    }
    let (id, record) = match subject {
        Subject::User(id) => (id, None),
        Subject::Record(record) => (record.id(), Some(restored::as_it_counts(record, keys)?)),
    };
    let pass = accepted_pass(Opener { policy, keys, known, now }, id, question);
    let Some(record) = record.as_deref() else {
        return Ok(pass.ok().filter(|_| !question.fresh).map(|pass| CheckReply::of(&pass)));
    };
    let view = View { policy, keys, record, now };
    let no_pass = match pass {
        // The pass of a recovery code ends the need of one: any other is from before the reset.
        Ok(_) if record.only_a_recovery_code_lets_in() => SecondStepReason::Revoked,
        Ok(pass) if !question.fresh || view.may_change(&pass) => return Ok(Some(CheckReply::of(&pass))),
        Ok(_) => SecondStepReason::TooOld,
        Err(reason) => reason,
    };
    let enrollment = factors::enrollment(view)?;
    let recovery_code = record.live_recovery(policy, now).is_some();
    Ok(Some(match explain(policy, &facts(enrollment, recovery_code)).decision {
        Decision::Allowed => CheckReply::In { method: None, auth_time: None, expires_at: None },
        Decision::Challenge | Decision::SetUp => CheckReply::SecondStep { reason: no_pass },
        Decision::Denied(reason) => CheckReply::Denied { reason },
    }))
}

impl CheckReply {
    const fn of(pass: &Pass) -> Self {
        Self::In { method: Some(pass.method()), auth_time: Some(pass.auth_time()), expires_at: Some(pass.expires_at()) }
    }
}

/// The address rule that denies the request, if one does. Address rules look at nothing else.
fn address_rule(policy: &Policy, facts: &Facts<'_>) -> Option<Reason> {
    match explain(policy, facts).decision {
        Decision::Denied(reason) if reason.is_about_the_address() => Some(reason),
        Decision::Denied(_) | Decision::Allowed | Decision::Challenge | Decision::SetUp => None,
    }
}

/// The pass of the request, if it counts as far as can be told without a record.
fn accepted_pass(opener: Opener<'_>, id: &RecordId, question: &Check) -> Result<Pass, SecondStepReason> {
    let Opener { policy, now, .. } = opener;
    let token = question.pass.as_deref().ok_or(SecondStepReason::NoPass)?;
    let pass = opener.open(token, id, &question.session, &question.revoked)?;
    let is_fresh = pass.method() != Method::TrustedBrowser && now.since(pass.auth_time()) <= policy.fresh_seconds();
    if question.fresh && !is_fresh {
        return Err(SecondStepReason::TooOld);
    }
    Ok(restrict(pass, question.max_age, question.methods.as_deref(), now)?)
}

/// The means to open a pass.
#[derive(Clone, Copy)]
struct Opener<'a> {
    policy: &'a Policy,
    keys: &'a KeyRing,
    known: Option<&'a KnownPasses>,
    now: UnixSeconds,
}

impl Opener<'_> {
    fn open(self, token: &str, id: &RecordId, session: &SessionId, revoked: &Revoked) -> Result<Pass, TokenError> {
        let Self { policy, keys, known, now } = self;
        let pass = match known {
            Some(known) => known.open(policy, keys.signing(), token, now),
            None => Pass::open(policy, keys.signing(), token, now),
        };
        let pass = pass?.of(id, session)?;
        if revoked.ends_pass(&pass) { Err(TokenError::Revoked) } else { Ok(pass) }
    }
}

/// Refuses a pass that is older than `max_age` seconds, or by a method that is not listed. A trusted browser meets no `max_age`.
fn restrict(pass: Pass, max_age: Option<u32>, methods: Option<&[Method]>, now: UnixSeconds) -> Result<Pass, TokenError> {
    let meets = |age: u32| pass.method() != Method::TrustedBrowser && now.since(pass.auth_time()) <= u64::from(age);
    if max_age.is_some_and(|age| !meets(age)) {
        Err(TokenError::TooOld)
    } else if methods.is_some_and(|methods| !methods.contains(&pass.method())) {
        Err(TokenError::MethodNotAccepted)
    } else {
        Ok(pass)
    }
}

/// Fields of `check_pass`: a pass alone.
#[derive(Clone, Deserialize)]
#[cfg_attr(feature = "npm", derive(tsify::Tsify))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct CheckPass {
    /// The session that brings the pass.
    pub session: SessionId,
    /// The pass. A value that is no text is no pass.
    #[serde(default, deserialize_with = "text_or_empty")]
    pub pass: String,
    /// Greatest age of its factor in seconds; by default the pass counts until it ends.
    #[serde(default)]
    pub max_age: Option<u32>,
    /// The methods whose passes count; all by default.
    #[serde(default)]
    pub methods: Option<Vec<Method>>,
    /// The part of the host's revocation list about the session and its user. A pass that it ends does not count.
    #[serde(skip)]
    pub revoked: Revoked,
}

impl CheckPass {
    /// Reads the question from JSON text, strictly.
    ///
    /// # Errors
    /// [`ErrorCode::InvalidInput`]; its path names the field.
    pub fn parse(json: &str) -> Result<Self, Error> {
        from_json(json, ErrorCode::InvalidInput)
    }
}

/// The answer to [`check_pass`]. Times are in unix seconds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "npm", derive(tsify::Tsify))]
#[serde(tag = "result", rename_all = "snake_case", rename_all_fields = "camelCase")]
pub enum CheckPassReply {
    /// It is ours, in time, of this user and session, not revoked, recent enough and by an accepted method.
    Valid {
        /// The user whose second factor passed.
        user: UserId,
        /// The method by which it passed.
        method: Method,
        /// The time at which it passed.
        auth_time: UnixSeconds,
        /// The time at which the pass ends.
        expires_at: UnixSeconds,
        /// The strength of the pass, as in its `acr` claim.
        acr: String,
        /// The method by RFC 8176, as in its `amr` claim.
        amr: Vec<String>,
    },
    /// It does not count here.
    Refused {
        /// The reason.
        reason: TokenError,
    },
}

/// Whether a pass counts for this user and session. It asks nothing but the pass: address rules and
/// the record are [`check`]'s part.
#[must_use]
pub fn check_pass(policy: &Policy, keys: &KeyRing, id: &RecordId, question: &CheckPass, now: UnixSeconds) -> CheckPassReply {
    check_known_pass(policy, keys, None, id, question, now)
}

/// As [`check_pass`], with the passes that were opened before under this policy and these keys.
#[must_use]
pub fn check_known_pass(
    policy: &Policy,
    keys: &KeyRing,
    known: Option<&KnownPasses>,
    id: &RecordId,
    question: &CheckPass,
    now: UnixSeconds,
) -> CheckPassReply {
    let CheckPass { session, pass, max_age, methods, revoked } = question;
    let opened = Opener { policy, keys, known, now }.open(pass, id, session, revoked);
    match opened.and_then(|pass| restrict(pass, *max_age, methods.as_deref(), now)) {
        Ok(pass) => CheckPassReply::Valid {
            user: pass.subject().user().clone(),
            method: pass.method(),
            auth_time: pass.auth_time(),
            expires_at: pass.expires_at(),
            acr: pass.acr().to_owned(),
            amr: amr(pass.method()).iter().map(|&value| value.to_owned()).collect(),
        },
        Err(reason) => CheckPassReply::Refused { reason },
    }
}
