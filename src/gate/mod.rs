//! The gate: the decision on one HTTP request, from configuration and pass alone.
//!
//! Order of the rules; the first that speaks, decides:
//!
//! 1. the policy's address rules turn the client away → refused
//! 2. the path is exempt → admitted, as nobody
//! 3. a header that says who is there comes twice → refused
//! 4. a good pass → admitted, as its user
//! 5. a code and a ticket → the code is verified against the stored record ([`Verification`])
//! 6. neither the policy nor a stricter route asks for a second factor here → admitted, as nobody
//! 7. otherwise → challenged
//!
//! Like the engine, the gate has no clock, no randomness and no network: headers and time come
//! in, a verdict goes out, and what must be fetched is a [`CallOut`] for the shell to make.
//! Whatever it does not understand, it refuses.

mod answer;
mod config;
mod cookies;
mod pass_cache;
mod paths;
mod request;
mod revocations;
mod session;
mod turns;
mod verification;

pub use answer::{Admission, Answer, Counter, Judgement, Outcome, Refusal};
pub use config::{GateConfig, Secrets};
pub use request::{Request, is_ours};
pub use verification::{CallOut, CallOutResponse, Progress, Verification};

use std::rc::Rc;

use crate::client_ip::ClientIp;
use crate::ids::{SessionId, UserId};
use crate::policy::{Channel, Decision, Enrollment, Explanation, Facts, Reason, explain};
use crate::time::UnixSeconds;
use crate::token::{Flaw, Pass};

use answer::{Context, Known};
use config::Need;
use pass_cache::{PassCache, TokenDigest};
use paths::{Limits, Path};
use request::{Credential, Once, Seen};
use revocations::Revocations;
use session::made_here;
use turns::Turns;
use verification::Attempt;

/// What the gate says to a request.
#[derive(Debug)]
pub enum Verdict {
    /// It is decided.
    Judged(Judgement),
    /// It brings a code: make the first call-out of the verification, and hold the request.
    Verify(CallOut, Box<Verification>),
}

/// A configuration, and what was learnt since: passes found good, and the revocation list.
#[derive(Debug)]
pub struct Gate {
    config: GateConfig,
    passes: PassCache,
    revocations: Revocations,
    turns: Turns,
}

impl Gate {
    /// A gate that has seen nothing yet.
    #[must_use]
    pub fn new(config: GateConfig) -> Self {
        Self { passes: PassCache::new(config.pass.cache_entries), revocations: Revocations::default(), turns: Turns::default(), config }
    }

    /// Decides one request.
    #[must_use]
    pub fn judge(&mut self, request: &Request<'_>, now: UnixSeconds) -> Verdict {
        let seen = Seen::read(&self.config, request);
        let limits = self.config.routes.limits(&seen.path);
        let explanation = self.explain(request, &seen.path);
        match self.admit(request, &seen, &limits, explanation.decision, now) {
            Ok(Some(admission)) => Verdict::Judged(admission.judgement()),
            Ok(None) => {
                let context = Context::new(&self.config, request, &seen, limits.max_age, explanation, now);
                match self.attempt(&seen, &limits, now) {
                    Ok(attempt) => Verification::start(&self.config, attempt, context),
                    Err(refusal) => Verdict::Judged(context.refuse(&self.config, refusal, None)),
                }
            }
            Err(refusal) => {
                let context = Context::new(&self.config, request, &seen, limits.max_age, explanation, now);
                Verdict::Judged(context.refuse(&self.config, refusal, None))
            }
        }
    }

    /// Whether a request goes on as it is; `None`: its code is to be verified first.
    fn admit(
        &mut self,
        request: &Request<'_>,
        seen: &Seen<'_>,
        limits: &Limits,
        decision: Decision,
        now: UnixSeconds,
    ) -> Result<Option<Admission>, Refusal> {
        if let Some(refusal) = turned_away(decision) {
            return Err(refusal);
        }
        if self.config.exempt.contain(&seen.path) {
            return Ok(Some(seen.admission(&self.config, request)));
        }
        let without = match seen.credential()? {
            Credential::Pass(token) => match self.check(token, seen.session, limits, now) {
                Ok(known) => return Ok(Some(Admission { identity: Some(known), ..seen.admission(&self.config, request) })),
                Err(Refusal::RevocationStale) => return Err(Refusal::RevocationStale),
                Err(refusal) => refusal,
            },
            Credential::None if decision == Decision::Denied(Reason::ApiClientBlocked) => Refusal::ApiClientBlocked,
            Credential::None => Refusal::NoPass,
        };
        match (seen.code(), decision) {
            (Some(_), _) => Ok(None),
            (None, Decision::Allowed) if limits.are_none() => Ok(Some(seen.admission(&self.config, request))),
            (None, Decision::Allowed | Decision::Challenge | Decision::Denied(_)) => Err(without),
        }
    }

    fn attempt(&self, seen: &Seen<'_>, limits: &Limits, now: UnixSeconds) -> Result<Attempt, Refusal> {
        let code = seen.code().ok_or(Refusal::NoPass)??;
        let attempt = Attempt::begin(&self.config, code, self.config.session.id_of(seen.session), limits, now)?;
        // A ticket outlives the log-out that ended its session.
        self.must_not_be_revoked(&attempt.user, attempt.since, &[Some(&attempt.session)], now)?;
        Ok(attempt)
    }

    /// Refuses what a user showed at a time, in these sessions, if the host has ended it.
    fn must_not_be_revoked(
        &self,
        user: &UserId,
        shown_at: UnixSeconds,
        sessions: &[Option<&SessionId>],
        now: UnixSeconds,
    ) -> Result<(), Refusal> {
        let Some(source) = &self.config.revocation else { return Ok(()) };
        if self.revocations.age(now).is_none_or(|age| age > u64::from(source.max_stale_seconds)) {
            return Err(Refusal::RevocationStale);
        }
        if self.revocations.hold(user, shown_at, sessions) { Err(Refusal::PassRevoked) } else { Ok(()) }
    }

    /// Whether a pass is good for this session and path, now. The cache spares the signature and
    /// nothing else: end, session, revocation, age and method are asked each time.
    fn check(&mut self, token: &str, session: Once<'_>, limits: &Limits, now: UnixSeconds) -> Result<Rc<Known>, Refusal> {
        let digest = TokenDigest::of(token);
        let known = match self.passes.find(digest) {
            Some(known) => known,
            None => {
                let opened = Pass::examine(&self.config.policy, &self.config.keys, token, now)
                    .map_err(|flaw| if flaw == Flaw::Expired { Refusal::PassExpired } else { Refusal::PassInvalid(flaw) });
                self.passes.keep(digest, Known::new(opened?))
            }
        };
        let pass = &known.pass;
        if now >= pass.expires_at() {
            return Err(Refusal::PassExpired);
        }
        let session = self.config.session.id_of(session);
        if self.config.session.binds() {
            let session = session.as_ref().ok_or(Refusal::NoSession)?;
            if *pass.session() != *session && *pass.session() != made_here(session) {
                return Err(Refusal::OtherSession);
            }
        }
        let sessions = [Some(pass.session()), session.as_ref()];
        self.must_not_be_revoked(pass.user(), pass.auth_time(), &sessions, now)?;
        if limits.max_age.is_some_and(|age| now.since(pass.auth_time()) > u64::from(age)) {
            return Err(Refusal::PassTooOld);
        }
        if !limits.accept(pass.method()) {
            return Err(Refusal::MethodNotAccepted);
        }
        Ok(known)
    }

    /// The call-out that fetches the revocation list, where one is configured.
    #[must_use]
    pub fn fetch_revocations(&self) -> Option<CallOut> {
        self.config.revocation.as_ref().map(|source| source.storage.get(&source.storage.path))
    }

    /// Takes the fetched revocation list in. False: it could not be read, and the old one stays
    /// until it is too old.
    pub fn take_revocations(&mut self, response: &CallOutResponse<'_>, now: UnixSeconds) -> bool {
        self.revocations.take(response, now)
    }

    /// Seconds between two fetches of the revocation list, where one is configured.
    #[must_use]
    pub fn revocation_seconds(&self) -> Option<u32> {
        self.config.revocation.as_ref().map(|source| source.every_seconds)
    }

    /// The login decision for whoever stands there. At the gate nobody's record is known. Where
    /// a pass is always needed, everyone counts as someone with a factor; where the policy
    /// decides, as someone without, so that only the forced are asked.
    fn explain(&self, request: &Request<'_>, path: &Path<'_>) -> Explanation {
        let GateConfig { policy, programs, need, trusted_hops, .. } = &self.config;
        let client = if policy.asks_for_address() { request.client(*trusted_hops) } else { ClientIp::Unknown };
        let channel = if programs.contain(path) { Channel::Api } else { Channel::Web };
        let enrollment = match need {
            Need::Always => Enrollment::Usable,
            Need::Policy => Enrollment::None,
        };
        explain(policy, &Facts { client, channel, enrollment, recovery_code: false })
    }
}

/// What the address rules say, and nothing else of the decision.
const fn turned_away(decision: Decision) -> Option<Refusal> {
    match decision {
        Decision::Denied(reason) => Refusal::of_address(reason),
        Decision::Allowed | Decision::Challenge => None,
    }
}
