//! A policy and a key ring, parsed once, and the steps on records under them.

use serde::Serialize;
use wasm_bindgen::prelude::*;

use crate::effect::Effect;
use crate::engine::{self, Check, CheckPass, Command, Env, IssueRecoveryCode, OverLimit, Pending, Progress, Subject};
use crate::error::{Error, ErrorCode};
use crate::hashed_codes::HashJob;
use crate::ids::{AccountId, RecordId, SessionId, UserId};
use crate::json::from_text;
use crate::keys::KeyRing;
use crate::policy::{Method, Policy};
use crate::record::Record;
use crate::revoked::Revoked;
use crate::token::{KnownPasses, open_session, seal_session};

use super::convert::{
    again, caller, entropy, finished, number, policy_of_all, record, record_id, revoked, thrown, time, to_js, to_js_at_once,
};

/// A policy and a key ring, parsed once.
#[wasm_bindgen]
pub struct Core {
    pub(super) policy: Policy,
    pub(super) keys: KeyRing,
    /// Passes that came before. Another policy or key ring is another core, and knows none of them.
    known: KnownPasses,
}

/// Room for the passes of one policy: half a megabyte.
const KNOWN_PASSES: u32 = 1_024;

#[derive(Serialize)]
#[serde(tag = "result", rename_all = "snake_case", rename_all_fields = "camelCase")]
enum TicketCheck {
    Valid { user: UserId },
    Refused { reply: engine::Reply },
}

#[derive(Serialize)]
struct Outcome {
    reply: engine::Reply,
    effects: Vec<Effect>,
}

#[wasm_bindgen]
impl Core {
    /// Parses both documents.
    #[wasm_bindgen(constructor)]
    pub fn new(policy: &str, keys: &str) -> Result<Core, JsValue> {
        let keys = keys_that_sign(keys)?;
        Ok(Self { policy: Policy::parse(policy).map_err(thrown)?, keys, known: KnownPasses::new(KNOWN_PASSES) })
    }

    /// Parses the policies of all accounts of a user; see [`Policy::of_all`].
    pub fn of_all(policies: Vec<String>, keys: &str) -> Result<Core, JsValue> {
        let policy = policy_of_all(&policies).map_err(thrown)?;
        Ok(Self { policy, keys: keys_that_sign(keys)?, known: KnownPasses::new(KNOWN_PASSES) })
    }

    /// One run of a step: its outcome, or the hash jobs that are missing, 60 bytes each. `finished` has the
    /// jobs of earlier runs, each followed by its hash; `first` is the seed of the call's first race, and
    /// `seed` that of this one. See [`engine::step_with_hashes`].
    #[wasm_bindgen(unchecked_return_type = "PendingStep | Uint8Array")]
    #[expect(clippy::too_many_arguments, reason = "an object would have to be read field by field, from JavaScript")]
    pub fn step(
        &self,
        id: &str,
        stored: Option<String>,
        command: &str,
        now: f64,
        caller: &str,
        first: &[u8],
        seed: &[u8],
        finished: &[u8],
    ) -> Result<JsValue, JsValue> {
        let record = record(record_id(id)?, stored.as_deref())?;
        let command = Command::parse(command).map_err(thrown)?;
        let (client, roles) = self::caller(caller)?;
        let env = Env { now: time("clock", now)?, client, roles, entropy: again(first, seed)? };
        let finished = self::finished(finished)?;
        ended(engine::step_with_hashes(&self.policy, &self.keys, record, command, env, &finished))
    }

    /// One run of an owner's act for another user, as [`Core::step`]: a reset, or else a recovery code. See
    /// [`engine::reset_with_hashes`] and [`engine::issue_recovery_code_with_hashes`].
    #[wasm_bindgen(unchecked_return_type = "PendingStep | Uint8Array")]
    #[expect(clippy::too_many_arguments, reason = "an object would have to be read field by field, from JavaScript")]
    pub fn owner_acts(
        &self,
        is_reset: bool,
        id: &str,
        stored: Option<String>,
        issuer: Option<String>,
        question: &str,
        now: f64,
        caller: &str,
        first: &[u8],
        seed: &[u8],
        finished: &[u8],
    ) -> Result<JsValue, JsValue> {
        let question = IssueRecoveryCode::parse(question).map_err(thrown)?;
        let id = record_id(id)?;
        let issuer = record(id.with_user(question.by.user.clone()), issuer.as_deref())?;
        let record = record(id, stored.as_deref())?;
        let (client, roles) = self::caller(caller)?;
        let env = Env { now: time("clock", now)?, client, roles, entropy: again(first, seed)? };
        let finished = self::finished(finished)?;
        let act = if is_reset { engine::reset_with_hashes } else { engine::issue_recovery_code_with_hashes };
        ended(act(&self.policy, &self.keys, record, &issuer, &question, env, &finished))
    }

    /// A message never left; see [`engine::sms_never_left`].
    pub fn sms_never_left(
        &self,
        id: &str,
        stored: Option<String>,
        message: &str,
        now: f64,
        caller: &str,
        seed: &[u8],
    ) -> Result<PendingStep, JsValue> {
        let record = record(record_id(id)?, stored.as_deref())?;
        let (client, roles) = self::caller(caller)?;
        let env = Env { now: time("clock", now)?, client, roles, entropy: entropy(seed)? };
        engine::sms_never_left(&self.policy, &self.keys, record, message, env).map(PendingStep).map_err(thrown)
    }

    /// The user whom the ticket of a command names. It may be one of another origin: the step looks at that, under
    /// the user's policy. See [`engine::ticket_user`].
    pub fn ticket_user(&self, account: Option<String>, command: &str, now: f64) -> Result<JsValue, JsValue> {
        let account = account.as_deref().map(AccountId::new).transpose().map_err(thrown)?;
        let command = Command::parse(command).map_err(thrown)?;
        Ok(to_js_at_once(&match engine::ticket_user(&self.keys, account.as_ref(), &command, time("clock", now)?) {
            Ok(user) => TicketCheck::Valid { user },
            Err(reply) => TicketCheck::Refused { reply },
        }))
    }

    /// Whether a pass counts; see [`engine::check_pass`]. `part` is that of the host's revocation list about its session and user.
    pub fn check_pass(&self, id: &str, question: &str, now: f64, part: Option<String>) -> Result<JsValue, JsValue> {
        let id = record_id(id)?;
        let question = CheckPass { revoked: revoked(part.as_deref())?, ..CheckPass::parse(question).map_err(thrown)? };
        self.judge_pass(&id, &question, now)
    }

    /// The same without a document: for the one question that most requests ask.
    #[expect(clippy::too_many_arguments, reason = "a document would cost more than the answer")]
    pub fn check_pass_of(
        &self,
        account: Option<String>,
        user: &str,
        session: &str,
        pass: String,
        max_age: Option<f64>,
        now: f64,
        part: Option<String>,
    ) -> Result<JsValue, JsValue> {
        let account = account.as_deref().map(AccountId::new).transpose().map_err(thrown)?;
        let id = RecordId::new(account, UserId::new(user).map_err(thrown)?);
        let (session, max_age) = (from_text("session", session).map_err(thrown)?, number("maxAge", max_age)?);
        self.judge_pass(&id, &CheckPass { session, pass, max_age, methods: None, revoked: revoked(part.as_deref())? }, now)
    }

    /// The question of a request, without the record; `undefined`: ask [`Core::check_record`]. See [`engine::check`].
    pub fn check(&self, id: &str, question: &str, now: f64, caller: &str, part: Option<String>) -> Result<JsValue, JsValue> {
        let id = record_id(id)?;
        self.answer(Subject::User(&id), question, now, caller, part)
    }

    /// The question of a request, with the record.
    pub fn check_record(
        &self,
        id: &str,
        stored: Option<String>,
        question: &str,
        now: f64,
        caller: &str,
        part: Option<String>,
    ) -> Result<JsValue, JsValue> {
        let record = record(record_id(id)?, stored.as_deref())?;
        self.answer(Subject::Record(&record), question, now, caller, part)
    }

    /// Whether a token is revoked; see [`Revoked::ends_token`].
    pub fn is_revoked(&self, id: &str, session: &str, token: &str, now: f64, part: &str) -> Result<bool, JsValue> {
        let (id, session) = (record_id(id)?, SessionId::new(session).map_err(thrown)?);
        Ok(revoked(Some(part))?.ends_token(&self.policy, &self.keys, token, &id, &session, time("clock", now)?))
    }

    /// Seconds for which an entry stays on the revocation list; see [`Revoked::seconds_on_list`].
    pub fn seconds_on_list(&self) -> u32 {
        Revoked::seconds_on_list(&self.policy).try_into().unwrap_or(u32::MAX)
    }

    fn judge_pass(&self, id: &RecordId, question: &CheckPass, now: f64) -> Result<JsValue, JsValue> {
        let now = time("clock", now)?;
        Ok(to_js_at_once(&engine::check_known_pass(&self.policy, &self.keys, Some(&self.known), id, question, now)))
    }

    fn answer(&self, subject: Subject<'_>, question: &str, now: f64, caller: &str, part: Option<String>) -> Result<JsValue, JsValue> {
        let question = Check { revoked: revoked(part.as_deref())?, ..Check::parse(question).map_err(thrown)? };
        let (client, roles) = self::caller(caller)?;
        let now = time("clock", now)?;
        let reply = engine::check_known(&self.policy, &self.keys, Some(&self.known), subject, &question, client, &roles, now);
        Ok(reply.map_err(thrown)?.map_or(JsValue::UNDEFINED, |reply| to_js_at_once(&reply)))
    }

    /// A user's second factor at a glance.
    pub fn status(&self, id: &str, stored: Option<String>, now: f64) -> Result<JsValue, JsValue> {
        let record = record(record_id(id)?, stored.as_deref())?;
        to_js(&engine::status(&self.policy, &self.keys, &record, time("clock", now)?).map_err(thrown)?)
    }

    /// Seals the state of a login; see [`seal_session`].
    pub fn seal_session(&self, state: &str, now: f64, seconds: u32, seed: &[u8]) -> Result<String, JsValue> {
        seal_session(&self.keys, entropy(seed)?, state, time("clock", now)?, seconds.into()).map_err(thrown)
    }

    /// Opens it; see [`open_session`].
    pub fn open_session(&self, text: &str, now: f64) -> Result<Option<String>, JsValue> {
        Ok(open_session(&self.keys, text, time("clock", now)?).map(|state| state.0))
    }

    /// Whether the policy offers SMS.
    pub fn offers_sms(&self) -> bool {
        self.policy.offers(Method::Sms)
    }

    /// The public keys of passes.
    pub fn jwks(&self) -> Result<JsValue, JsValue> {
        to_js(&self.keys.signing().jwks())
    }
}

/// Whether a ticket is revoked that was given at that time; see [`Revoked::ends_ticket`].
#[wasm_bindgen]
pub fn is_ticket_revoked(at: f64, part: &str) -> Result<bool, JsValue> {
    Ok(revoked(Some(part))?.ends_ticket(time("at", at)?))
}

/// The outcome of a run, or the bytes of the hash jobs that are missing.
pub(super) fn ended(run: Result<Progress, Error>) -> Result<JsValue, JsValue> {
    Ok(match run.map_err(thrown)? {
        Progress::Done(pending) => PendingStep(*pending).into(),
        Progress::Hash(jobs) => jobs.iter().flat_map(HashJob::to_bytes).collect::<Vec<u8>>().into(),
    })
}

fn keys_that_sign(keys: &str) -> Result<KeyRing, JsValue> {
    let keys = KeyRing::parse(keys).map_err(thrown)?;
    if keys.signing().can_sign() {
        return Ok(keys);
    }
    Err(thrown(Error::new(ErrorCode::InvalidKeys, "signing[0]", "the first signing key must have its secret, to sign passes")))
}

/// An outcome that has not happened yet.
#[wasm_bindgen]
pub struct PendingStep(pub(super) Pending);

#[wasm_bindgen]
impl PendingStep {
    /// The record to store, if the step changed it.
    pub fn to_store(&self) -> Option<String> {
        self.0.to_store().map(Record::to_text)
    }

    /// The limit that the host counts before it stores the record.
    pub fn limit(&self) -> Result<JsValue, JsValue> {
        self.0.limit().map_or(Ok(JsValue::UNDEFINED), to_js)
    }

    /// The outcome where the limit does not admit this one.
    pub fn over_limit(self, reached: bool) -> PendingStep {
        Self(self.0.over_limit(if reached { OverLimit::Reached } else { OverLimit::NotCounted }))
    }

    /// Reply and effects, once the record landed.
    pub fn stored(self) -> Result<JsValue, JsValue> {
        let (reply, effects) = self.0.stored();
        Ok(to_js_at_once(&Outcome { reply, effects }))
    }
}
