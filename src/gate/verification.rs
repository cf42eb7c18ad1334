//! Verification at the gate: the code is checked against the record in the host's storage.
//!
//! ```text
//!  begin ── ticket and method fit ──▶ GET record ──▶ step ──▶ PUT record, If-Match ──▶ admitted
//!    │                                    ▲                     │           │
//!    └─ refused, nothing fetched          └──── lost the race ──┘           └─ anything else:
//!                                               (once)                        refused
//! ```
//!
//! The request is held meanwhile. Nothing but an explicit success with a well-formed body means
//! yes, and the reply is not taken out of the step before the write has landed.

use std::rc::Rc;

use serde::Deserialize;

use crate::encoding::percent_encode;
use crate::engine::{Env, Pending, Reply, SecondStep, verify as verify_code};
use crate::entropy::Entropy;
use crate::error::{Error, ErrorCode};
use crate::ids::{SessionId, UserId};
use crate::json::from_json;
use crate::policy::{Method, Reason};
use crate::record::Record;
use crate::secret_text::SecretText;
use crate::time::UnixSeconds;
use crate::token::{Pass, Ticket, TokenError};

use super::answer::{Context, Counter, Detail, Judgement, Known, Refusal};
use super::config::GateConfig;
use super::pass_cache::TokenDigest;
use super::paths::Limits;
use super::request::SentCode;
use super::session::made_here;
use super::turns::Turn;
use super::{Gate, Verdict};

/// Longest answer to a record's request that is read, in bytes: twice the longest record, for
/// it comes escaped.
const MAX_BODY: usize = 131_072;

/// A request for the shell to make.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CallOut {
    /// The cluster of Envoy's that it goes to.
    pub cluster: String,
    /// Headers, `:method`, `:path` and `:authority` among them.
    pub headers: Vec<(&'static str, SecretText)>,
    /// The body, JSON.
    pub body: Option<String>,
    /// Milliseconds until it is given up.
    pub timeout_ms: u32,
}

/// What came back.
#[derive(Debug, Clone, Copy)]
pub struct CallOutResponse<'a> {
    /// `:status`, if there was one.
    pub status: Option<&'a [u8]>,
    /// The body, if there was one.
    pub body: Option<&'a [u8]>,
}

impl<'a> CallOutResponse<'a> {
    /// The body as text, if the status is the one hoped for.
    pub(super) fn text(&self, status: u16, longest: usize) -> Option<&'a str> {
        let body = self.body.filter(|body| body.len() <= longest && self.has(status))?;
        core::str::from_utf8(body).ok()
    }

    /// What came, for the log: `no_answer`, or `status_503`.
    #[must_use]
    pub fn shown(&self) -> String {
        self.status.map_or_else(|| "no_answer".to_owned(), |status| format!("status_{}", String::from_utf8_lossy(status)))
    }

    fn has(&self, status: u16) -> bool {
        self.status == Some(status.to_string().as_bytes())
    }
}

/// How the verification goes on.
#[derive(Debug)]
pub enum Progress {
    /// One more call-out.
    CallOut(CallOut, Box<Verification>),
    /// It is over.
    Judged(Judgement),
}

/// Where the host's storage API is.
#[derive(Debug, Clone)]
pub(super) struct Storage {
    pub(super) cluster: String,
    pub(super) authority: String,
    pub(super) path: String,
    pub(super) timeout_ms: u32,
    pub(super) authorization: SecretText,
}

impl Storage {
    pub(super) fn get(&self, path: &str) -> CallOut {
        self.call("GET", path.to_owned(), Vec::new(), None)
    }

    fn put(&self, path: String, version: u64, body: String) -> CallOut {
        let headers = vec![("if-match", SecretText(format!("\"{version}\""))), ("content-type", SecretText("application/json".to_owned()))];
        self.call("PUT", path, headers, Some(body))
    }

    fn call(&self, method: &str, path: String, more: Vec<(&'static str, SecretText)>, body: Option<String>) -> CallOut {
        let mut headers = vec![
            (":method", SecretText(method.to_owned())),
            (":path", SecretText(path)),
            (":authority", SecretText(self.authority.clone())),
            ("authorization", self.authorization.clone()),
            ("accept", SecretText("application/json".to_owned())),
        ];
        headers.extend(more);
        CallOut { cluster: self.cluster.clone(), headers, body, timeout_ms: self.timeout_ms }
    }

    fn record_path(&self, user: &UserId) -> String {
        let mut path = format!("{}/records/", self.path);
        percent_encode(&mut path, user.as_str());
        path
    }
}

/// A code on its way to be verified.
#[derive(Debug)]
pub struct Verification {
    attempt: Attempt,
    context: Context,
    /// Another won once already.
    lost: bool,
    stage: Stage,
}

/// What the request brought, its ticket opened.
#[derive(Debug)]
pub(super) struct Attempt {
    pub(super) user: UserId,
    pub(super) session: SessionId,
    /// When the first factor passed.
    pub(super) since: UnixSeconds,
    ticket: SecretText,
    method: Method,
    code: SecretText,
}

#[derive(Debug)]
enum Stage {
    Loading,
    /// Nobody else's guess for this user is computed meanwhile.
    Saving {
        pending: Box<Pending>,
        _turn: Turn,
    },
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Stored {
    record: String,
    version: u64,
}

impl Attempt {
    /// Looks at all that can be known without the record.
    pub(super) fn begin(
        config: &GateConfig,
        sent: SentCode<'_>,
        session: Option<SessionId>,
        limits: &Limits,
        now: UnixSeconds,
    ) -> Result<Self, Refusal> {
        let SentCode { method, code, ticket } = sent;
        let verify = config.verify.as_ref().filter(|verify| verify.methods.contains(&method)).ok_or(Refusal::UseLoginPage)?;
        if !limits.accept(method) {
            return Err(Refusal::MethodNotAccepted);
        }
        let session = session.ok_or(Refusal::NoSession)?;
        let opened = Ticket::open(&config.policy, verify.keys.sealing(), ticket, &session, now).map_err(|refusal| match refusal {
            TokenError::Expired => Refusal::TicketExpired,
            TokenError::Invalid | TokenError::OtherUser | TokenError::OtherSession | TokenError::TooOld | TokenError::MethodNotAccepted => {
                Refusal::TicketInvalid
            }
        })?;
        let (user, since) = (opened.user().clone(), opened.issued_at());
        Ok(Self { user, session, since, ticket: SecretText(ticket.to_owned()), method, code: SecretText(code.to_owned()) })
    }

    fn second_step(&self) -> SecondStep {
        SecondStep {
            ticket: self.ticket.0.clone(),
            session: self.session.clone(),
            new_session: Some(made_here(&self.session)),
            method: self.method,
            code: self.code.0.clone(),
        }
    }
}

impl Verification {
    pub(super) fn start(config: &GateConfig, attempt: Attempt, context: Context) -> Verdict {
        let verification = Self { attempt, context, lost: false, stage: Stage::Loading };
        match verification.load(config) {
            Progress::CallOut(call_out, verification) => Verdict::Verify(call_out, verification),
            Progress::Judged(judgement) => Verdict::Judged(judgement),
        }
    }

    /// Goes on with what a call-out brought.
    #[must_use]
    pub fn answered(mut self, gate: &mut Gate, response: &CallOutResponse<'_>, now: UnixSeconds, entropy: Entropy) -> Progress {
        self.context.now = now;
        match core::mem::replace(&mut self.stage, Stage::Loading) {
            Stage::Loading => self.step(gate, response, now, entropy),
            Stage::Saving { pending, _turn } if response.has(204) => {
                let (reply, _) = pending.stored();
                Progress::Judged(self.replied(gate, reply, now))
            }
            Stage::Saving { .. } if response.has(412) => self.lost_race(&gate.config),
            Stage::Saving { .. } => Progress::Judged(self.storage_failed(&gate.config, &response.shown())),
        }
    }

    /// Ends it: a call-out could not be made, or nothing can be decided without randomness.
    #[must_use]
    pub fn given_up(&self, gate: &Gate) -> Judgement {
        self.storage_failed(&gate.config, "not_asked")
    }

    fn load(self, config: &GateConfig) -> Progress {
        match &config.verify {
            Some(verify) => {
                let call_out = verify.storage.get(&verify.storage.record_path(&self.attempt.user));
                Progress::CallOut(call_out, Box::new(self))
            }
            None => Progress::Judged(self.storage_failed(config, "not_asked")),
        }
    }

    /// Once more from the start; the second time it is over.
    fn lost_race(mut self, config: &GateConfig) -> Progress {
        if core::mem::replace(&mut self.lost, true) {
            Progress::Judged(self.context.refuse(config, Refusal::StorageConflict, None))
        } else {
            self.load(config)
        }
    }

    fn step(mut self, gate: &Gate, response: &CallOutResponse<'_>, now: UnixSeconds, entropy: Entropy) -> Progress {
        let config = &gate.config;
        let stored = response.text(200, MAX_BODY).and_then(|text| from_json::<Stored>(text, ErrorCode::InvalidRecord).ok());
        let (Some(Stored { record, version }), Some(verify)) = (stored, &config.verify) else {
            return Progress::Judged(self.storage_failed(config, &response.shown()));
        };
        let Some(turn) = gate.turns.take(&self.attempt.user) else { return self.lost_race(config) };
        let env = Env { now, client: self.context.client(), entropy };
        let stepped = Record::parse(&self.attempt.user, &record)
            .and_then(|record| verify_code(&config.policy, &verify.keys, record, self.attempt.second_step(), env));
        match stepped {
            Err(Error { code, .. }) => Progress::Judged(self.context.refuse(config, Refusal::StorageFailed, Some(&Detail::Error(code)))),
            Ok(pending) => match pending.to_hand_over() {
                Some(body) => {
                    let call_out = verify.storage.put(verify.storage.record_path(&self.attempt.user), version, body);
                    self.stage = Stage::Saving { pending: Box::new(pending), _turn: turn };
                    Progress::CallOut(call_out, Box::new(self))
                }
                // Nothing was charged, so nothing was right either.
                None => {
                    let (reply, _) = pending.stored();
                    Progress::Judged(self.not_verified(config, reply))
                }
            },
        }
    }

    fn storage_failed(&self, config: &GateConfig, response: &str) -> Judgement {
        let mut judgement = self.context.refuse(config, Refusal::StorageFailed, Some(&Detail::Response(response.to_owned())));
        judgement.counters.push(Counter::CalloutError);
        judgement
    }

    fn replied(self, gate: &mut Gate, reply: Reply, now: UnixSeconds) -> Judgement {
        match &reply {
            Reply::Verified { pass: SecretText(token), .. } => match self.new_pass(gate, token, now) {
                Ok(known) => self.context.admit_verified(&gate.config, token, known),
                Err(refusal) => self.context.refuse(&gate.config, refusal, None),
            },
            Reply::Allowed { .. }
            | Reply::Challenge { .. }
            | Reply::Denied { .. }
            | Reply::SmsSent { .. }
            | Reply::SmsRefused { .. }
            | Reply::Wrong { .. }
            | Reply::Malformed { .. }
            | Reply::Locked { .. }
            | Reply::Expired {}
            | Reply::TotpStarted { .. }
            | Reply::Enrolled { .. }
            | Reply::Removed { .. }
            | Reply::BackupCodes { .. }
            | Reply::RecoveryCode { .. } => self.not_verified(&gate.config, reply),
        }
    }

    fn new_pass(&self, gate: &mut Gate, token: &str, now: UnixSeconds) -> Result<Rc<Known>, Refusal> {
        let pass = Pass::examine(&gate.config.policy, &gate.config.keys, token, now).map_err(Refusal::PassInvalid)?;
        // The session may have ended while its code was verified.
        let Attempt { user, session, since, .. } = &self.attempt;
        gate.must_not_be_revoked(user, *since, &[Some(session)], now)?;
        Ok(gate.passes.keep(TokenDigest::of(token), Known::new(pass)))
    }

    fn not_verified(&self, config: &GateConfig, reply: Reply) -> Judgement {
        let (refusal, retry_at) = match &reply {
            Reply::Wrong { retry_at, .. } => (Refusal::WrongCode, *retry_at),
            Reply::Locked { retry_at } => (Refusal::Locked, *retry_at),
            Reply::Malformed { .. } => (Refusal::CodeMalformed, None),
            Reply::Expired {} => (Refusal::CodeExpired, None),
            Reply::Denied { reason } => (denied(*reason), None),
            // No answers to `verify`, or not without a write.
            Reply::Verified { .. }
            | Reply::Allowed { .. }
            | Reply::Challenge { .. }
            | Reply::SmsSent { .. }
            | Reply::SmsRefused { .. }
            | Reply::TotpStarted { .. }
            | Reply::Enrolled { .. }
            | Reply::Removed { .. }
            | Reply::BackupCodes { .. }
            | Reply::RecoveryCode { .. } => return self.context.refuse(config, Refusal::StorageFailed, None),
        };
        self.context.refuse(config, refusal, Some(&Detail::Reply { reply, retry_at }))
    }
}

const fn denied(reason: Reason) -> Refusal {
    match reason {
        Reason::AddressDenied => Refusal::AddressDenied,
        Reason::AddressNotAllowed => Refusal::AddressNotAllowed,
        Reason::AddressUnknown => Refusal::AddressUnknown,
        Reason::TicketExpired => Refusal::TicketExpired,
        Reason::TicketInvalid => Refusal::TicketInvalid,
        Reason::NotEnrolled => Refusal::NotEnrolled,
        Reason::MethodNotOffered => Refusal::MethodNotAccepted,
        // No answers to `verify`.
        Reason::EnrollmentRequired
        | Reason::ApiClientBlocked
        | Reason::NoUsableMethod
        | Reason::Plan
        | Reason::NumberNotAllowed
        | Reason::FreshFactorRequired
        | Reason::OwnerOnly
        | Reason::NotForOneself
        | Reason::NotKept => Refusal::UseLoginPage,
    }
}
