//! Verification at the gate: a code is checked against the record in the host's storage.
//!
//! ```text
//!  attempt: ticket and method fit ──▶ GET record ──▶ step ──▶ PUT record, If-Match ──▶ admitted
//!    │                                    ▲            │              │
//!    │                                    └────────────┴─ lost race ──┤
//!    └─ refused, nothing fetched                         (once)       └─ anything else: refused
//!
//! The host answers the PUT with 410 where it has ended the ticket meanwhile: nothing is written then.
//! ```
//!
//! The request is held meanwhile. Only an explicit success with a well-formed body means yes, and
//! the reply is not taken out of the step before the write has landed. A user with another code that
//! waits for its write counts as a lost race.

use std::rc::Rc;

use serde::Deserialize;

use crate::engine::{Env, Pending, Reply, verify as verify_code};
use crate::entropy::Entropy;
use crate::error::{Error, ErrorCode};
use crate::json::from_json;
use crate::policy::Roles;
use crate::record::Record;
use crate::secret_text::SecretText;
use crate::time::UnixSeconds;
use crate::token::{Pass, TokenDigest};

use super::attempt::Attempt;
use super::call_out::{CallOut, CallOutResponse};
use super::config::GateConfig;
use super::context::Context;
use super::counters::Counter;
use super::identity::Identity;
use super::judgement::Judgement;
use super::learnt::Learnt;
use super::one_guess::GuessLock;
use super::refusal::{Refusal, RefusalDetail};

/// Longest response with a record that is read, in bytes: twice the longest record, because the record
/// comes escaped.
const MAX_BODY: usize = 131_072;

/// The gate's decision on a request, or the call-out that it needs first.
#[derive(Debug)]
pub enum Verdict {
    /// The request is decided.
    Judged(Judgement),
    /// The request is held: make this call-out, and hand its response to
    /// `Gate::continue_verification`.
    CallOut(CallOut, Box<Verification>),
}

/// A held request, whose code is being verified.
#[derive(Debug)]
pub struct Verification {
    attempt: Attempt,
    context: Context,
    /// One race was lost already.
    has_lost: bool,
    stage: Stage,
}

#[derive(Debug)]
enum Stage {
    Loading,
    Saving {
        pending: Box<Pending>,
        /// Held until the write is over.
        _lock: GuessLock,
    },
}

/// The storage API's response to `GET`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Stored {
    record: String,
    version: u64,
}

impl Verification {
    pub(super) fn start(config: &GateConfig, attempt: Attempt, context: Context) -> Verdict {
        Self { attempt, context, has_lost: false, stage: Stage::Loading }.load(config)
    }

    /// Goes on with the response to the last call-out.
    pub(super) fn answered(
        mut self,
        config: &GateConfig,
        learnt: &mut Learnt,
        response: &CallOutResponse<'_>,
        now: UnixSeconds,
        entropy: Entropy,
    ) -> Verdict {
        self.context.now = now;
        match core::mem::replace(&mut self.stage, Stage::Loading) {
            Stage::Loading => self.step(config, learnt, response, now, entropy),
            Stage::Saving { pending, _lock } if response.has(204) => {
                let (reply, _) = pending.stored();
                Verdict::Judged(self.replied(config, learnt, reply, now))
            }
            Stage::Saving { .. } if response.has(412) => self.lost_race(config),
            // The host knows of an end that the list does not name yet.
            Stage::Saving { .. } if response.has(410) => Verdict::Judged(self.refuse(config, Refusal::PassRevoked, None)),
            Stage::Saving { .. } => Verdict::Judged(self.storage_failed(config, &response.shown())),
        }
    }

    /// Ends it, because a call-out could not be made or there is no randomness.
    pub(super) fn given_up(&self, config: &GateConfig) -> Judgement {
        self.storage_failed(config, "not_asked")
    }

    fn load(self, config: &GateConfig) -> Verdict {
        match &config.verify {
            Some(verify) => Verdict::CallOut(verify.storage.get_record(&self.attempt.subject), Box::new(self)),
            None => Verdict::Judged(self.given_up(config)),
        }
    }

    /// Starts once more; the second lost race ends it.
    fn lost_race(mut self, config: &GateConfig) -> Verdict {
        if core::mem::replace(&mut self.has_lost, true) {
            Verdict::Judged(self.refuse(config, Refusal::StorageConflict, None))
        } else {
            self.load(config)
        }
    }

    fn step(mut self, config: &GateConfig, learnt: &Learnt, response: &CallOutResponse<'_>, now: UnixSeconds, entropy: Entropy) -> Verdict {
        let stored = response.text(200, MAX_BODY).and_then(|text| from_json::<Stored>(text, ErrorCode::InvalidRecord).ok());
        let (Some(Stored { record, version }), Some(verify)) = (stored, &config.verify) else {
            return Verdict::Judged(self.storage_failed(config, &response.shown()));
        };
        let Some(lock) = learnt.guesses.take(&self.attempt.subject) else { return self.lost_race(config) };
        let env = Env { now, client: self.context.client, roles: Roles::Unknown, entropy };
        let stepped = Record::parse(&self.attempt.subject, &record)
            .and_then(|record| verify_code(&config.policy, &verify.keys, record, self.attempt.second_step(), env));
        match stepped {
            Err(Error { code, .. }) => Verdict::Judged(self.refuse(config, Refusal::StorageFailed, Some(&RefusalDetail::Error(code)))),
            Ok(pending) => match pending.to_hand_over() {
                Some(body) => {
                    let Attempt { subject, session, since, .. } = &self.attempt;
                    let call_out = verify.storage.put_record(subject, version, session, *since, body);
                    self.stage = Stage::Saving { pending: Box::new(pending), _lock: lock };
                    Verdict::CallOut(call_out, Box::new(self))
                }
                // A step that writes nothing uses no code up, so it lets nobody in.
                None => {
                    let (reply, _) = pending.stored();
                    Verdict::Judged(self.not_verified(config, reply))
                }
            },
        }
    }

    fn replied(self, config: &GateConfig, learnt: &mut Learnt, reply: Reply, now: UnixSeconds) -> Judgement {
        match &reply {
            Reply::Verified { pass: SecretText(token), .. } => match self.new_pass(config, learnt, token, now) {
                Ok(identity) => Judgement::verified(config, &self.context, token, identity),
                Err(refusal) => self.refuse(config, refusal, None),
            },
            Reply::Allowed { .. }
            | Reply::Challenge { .. }
            | Reply::SetUp { .. }
            | Reply::Denied { .. }
            | Reply::SmsSent { .. }
            | Reply::SmsRefused { .. }
            | Reply::Wrong { .. }
            | Reply::Malformed { .. }
            | Reply::AlreadyUsed { .. }
            | Reply::Locked { .. }
            | Reply::Expired {}
            | Reply::TotpStarted { .. }
            | Reply::Enrolled { .. }
            | Reply::Renamed { .. }
            | Reply::Removed { .. }
            | Reply::TrustedBrowserRemoved { .. }
            | Reply::BackupCodes { .. }
            | Reply::RecoveryCode { .. }
            | Reply::Confirmed {}
            | Reply::Ended {}
            | Reply::MoveChanged {}
            | Reply::Moved { .. }
            | Reply::Withdrawn {}
            | Reply::Imported { .. }
            | Reply::Unchanged { .. }
            | Reply::Refused { .. } => self.not_verified(config, reply),
        }
    }

    fn new_pass(&self, config: &GateConfig, learnt: &mut Learnt, token: &str, now: UnixSeconds) -> Result<Rc<Identity>, Refusal> {
        let pass = Pass::examine(&config.policy, &config.keys, token, now).map_err(Refusal::PassInvalid)?;
        // The session may have ended while its code was verified.
        self.attempt.check_revocation(config, learnt, now)?;
        Ok(learnt.passes.keep(TokenDigest::of(token), Identity::new(pass)))
    }

    fn not_verified(&self, config: &GateConfig, reply: Reply) -> Judgement {
        let (refusal, retry_at) = match &reply {
            Reply::Wrong { retry_at, .. } => (Refusal::WrongCode, *retry_at),
            Reply::AlreadyUsed { retry_at } => (Refusal::CodeUsed, *retry_at),
            Reply::Locked { retry_at } => (Refusal::Locked, *retry_at),
            Reply::Malformed { .. } => (Refusal::CodeMalformed, None),
            Reply::Expired {} => (Refusal::CodeExpired, None),
            Reply::Denied { reason, .. } => (Refusal::of_denied_code(*reason), None),
            // The engine does not answer `verify` with these, or only with a write.
            Reply::Verified { .. }
            | Reply::Allowed { .. }
            | Reply::Challenge { .. }
            | Reply::SetUp { .. }
            | Reply::SmsSent { .. }
            | Reply::SmsRefused { .. }
            | Reply::TotpStarted { .. }
            | Reply::Enrolled { .. }
            | Reply::Renamed { .. }
            | Reply::Removed { .. }
            | Reply::TrustedBrowserRemoved { .. }
            | Reply::BackupCodes { .. }
            | Reply::RecoveryCode { .. }
            | Reply::Confirmed {}
            | Reply::Ended {}
            | Reply::MoveChanged {}
            | Reply::Moved { .. }
            | Reply::Withdrawn {}
            | Reply::Imported { .. }
            | Reply::Unchanged { .. }
            | Reply::Refused { .. } => return self.refuse(config, Refusal::StorageFailed, None),
        };
        self.refuse(config, refusal, Some(&RefusalDetail::Reply { reply, retry_at }))
    }

    fn storage_failed(&self, config: &GateConfig, response: &str) -> Judgement {
        let detail = RefusalDetail::Response(response.to_owned());
        let mut judgement = self.refuse(config, Refusal::StorageFailed, Some(&detail));
        judgement.counters.push(Counter::CalloutError);
        judgement
    }

    fn refuse(&self, config: &GateConfig, refusal: Refusal, detail: Option<&RefusalDetail>) -> Judgement {
        Judgement::refused(config, &self.context, refusal, detail)
    }
}
