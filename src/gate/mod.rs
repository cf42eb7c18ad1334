//! The gate: the decision on one HTTP request, from configuration and pass alone.
//!
//! The rules in order; the first that applies decides:
//!
//! 1. the policy's address rules turn the client away → refused
//! 2. the path is exempt → admitted, as nobody
//! 3. a CORS preflight, where the services answer these → admitted, as nobody and without credentials
//! 4. a credential or the session comes twice → refused
//! 5. a good pass → admitted, as its user
//! 6. a code and a ticket → the code is verified against the stored record ([`Verification`])
//! 7. neither the policy nor a stricter route asks for a second factor here → admitted, as nobody
//! 8. otherwise → challenged
//!
//! Like the engine, the gate has no clock, no randomness and no network: headers and time come
//! in, a verdict goes out, and a request that it needs is a [`CallOut`] for the shell to make.
//! A request that it does not understand is refused.
//!
//! Files, each using only those before it:
//! `check → accounts → cookies → exempt_paths → stricter_routes → one_guess → single_header → call_out → client_address →
//! refusal → counters → secrets → session → storage → challenge_page → revocations → config →
//! stripping → request → preflight → credentials → identity → admission → context → log_line → answer →
//! shadow_mode → judgement → learnt → pass_check → attempt → verification → mod`.

mod accounts;
mod admission;
mod answer;
mod attempt;
mod call_out;
mod challenge_page;
mod check;
mod client_address;
mod config;
mod context;
mod cookies;
mod counters;
mod credentials;
mod exempt_paths;
mod identity;
mod judgement;
mod learnt;
mod log_line;
mod one_guess;
mod pass_check;
mod preflight;
mod refusal;
mod request;
mod revocations;
mod secrets;
mod session;
mod shadow_mode;
mod single_header;
mod storage;
mod stricter_routes;
mod stripping;
mod verification;

pub use admission::Admission;
pub use answer::Answer;
pub use call_out::{CallOut, CallOutResponse};
pub use config::GateConfig;
pub use counters::Counter;
pub use judgement::Judgement;
pub use refusal::Refusal;
pub use request::Request;
pub use secrets::Secrets;
pub use shadow_mode::Outcome;
pub use stripping::is_refused_as_trailer;
pub use verification::{Verdict, Verification};

use crate::client_ip::ClientIp;
use crate::entropy::Entropy;
use crate::policy::{Channel, Decision, Enrollment, Explanation, Facts, Reason, Roles, explain};
use crate::time::UnixSeconds;

use attempt::Attempt;
use config::Proof;
use context::Context;
use credentials::Credentials;
use exempt_paths::Path;
use learnt::Learnt;
use pass_check::check_pass;
use preflight::{is_preflight, stripping_of_preflight};
use stricter_routes::Limits;

/// A configuration, and the state learnt since: good passes, the revocation list, codes being verified.
#[derive(Debug)]
pub struct Gate {
    config: GateConfig,
    learnt: Learnt,
}

impl Gate {
    /// A gate that has seen no request yet.
    #[must_use]
    pub fn new(config: GateConfig) -> Self {
        Self { learnt: Learnt::nothing(&config), config }
    }

    /// Decides one request.
    ///
    /// ```
    /// use countersign::gate::{Gate, GateConfig, Outcome, Request, Secrets, Verdict};
    /// use countersign::time::UnixSeconds;
    ///
    /// let config = r#"{
    ///     "v": 1,
    ///     "policy": { "v": 1, "name": "Acme", "origin": "https://acme.example" },
    ///     "jwks": { "keys": [{
    ///         "kty": "OKP", "crv": "Ed25519", "alg": "EdDSA", "use": "sig",
    ///         "kid": "pass-1", "x": "rJ1xczAgQh_7MPGZrFDc1t8-8kq3KPMsGAsBE0aT-Yk"
    ///     }] },
    ///     "session": { "cookie": "__Host-session", "id": "sha256" },
    ///     "challenge": { "page": "/login" },
    ///     "exempt": { "paths": ["/login"] }
    /// }"#;
    /// let mut gate = Gate::new(GateConfig::parse(config, &Secrets::default())?);
    ///
    /// let headers = [(":method", "GET"), (":path", "/reports")];
    /// let headers = headers.map(|(name, value)| (name.to_owned(), value.as_bytes().to_vec()));
    /// let source = || Some(b"192.0.2.1:4711".to_vec());
    /// let now = UnixSeconds::new(1_800_000_000).expect("before the year 9999");
    /// let Verdict::Judged(judgement) = gate.judge(&Request { headers: &headers, has_body: false, source: &source }, now) else {
    ///     panic!("there is no code to verify");
    /// };
    /// let Outcome::Answer(answer) = judgement.outcome else { panic!("there is no pass") };
    /// assert_eq!(answer.status, 401);
    /// assert!(answer.body.contains(r#""reason":"no_pass""#));
    /// # Ok::<(), countersign::error::Error>(())
    /// ```
    #[must_use]
    pub fn judge(&mut self, request: &Request<'_>, now: UnixSeconds) -> Verdict {
        let credentials = Credentials::read(&self.config, request);
        let limits = self.config.routes.limits(&credentials.path);
        let explanation = self.explain(request, &credentials.path, now);
        let step = self.first_step(request, &credentials, &limits, explanation.decision, now);
        let config = &self.config;
        let context = || Context::new(config, request, &credentials, limits.max_age, explanation, now);
        match step {
            Ok(FirstStep::Admit(admission)) => Verdict::Judged(Judgement::admitted(admission)),
            Ok(FirstStep::Verify(attempt)) => Verification::start(config, attempt, context()),
            Err(refusal) => Verdict::Judged(Judgement::refused(config, &context(), refusal, None)),
        }
    }

    /// Goes on with a held request after its call-out.
    #[must_use]
    pub fn continue_verification(
        &mut self,
        verification: Verification,
        response: &CallOutResponse<'_>,
        now: UnixSeconds,
        entropy: Entropy,
    ) -> Verdict {
        verification.answered(&self.config, &mut self.learnt, response, now, entropy)
    }

    /// Ends a held request whose call-out could not be made, or that lacks randomness to go on.
    #[must_use]
    pub fn give_up(&self, verification: &Verification) -> Judgement {
        verification.given_up(&self.config)
    }

    /// The call-out that fetches the revocation list, where one is configured.
    #[must_use]
    pub fn fetch_revocations(&self) -> Option<CallOut> {
        self.config.revocation.as_ref().map(|source| source.storage.get())
    }

    /// Replaces the revocation list by the fetched one. False: the response holds no list, and the old
    /// list stays until it is too old.
    pub fn take_revocations(&mut self, response: &CallOutResponse<'_>, now: UnixSeconds) -> bool {
        self.learnt.revocations.take(response, now)
    }

    /// Seconds between two fetches of the revocation list, where one is configured.
    #[must_use]
    pub fn revocation_seconds(&self) -> Option<u32> {
        self.config.revocation.as_ref().map(|source| source.every_seconds)
    }

    fn first_step(
        &mut self,
        request: &Request<'_>,
        credentials: &Credentials<'_>,
        limits: &Limits,
        decision: Decision,
        now: UnixSeconds,
    ) -> Result<FirstStep, Refusal> {
        let Self { config, learnt } = self;
        let as_nobody = || Admission::as_nobody(credentials.stripping(config, request));
        if let Some(refusal) = by_address_rule(decision) {
            return Err(refusal);
        }
        if config.exempt.contain(&credentials.path) {
            return Ok(FirstStep::Admit(as_nobody()));
        }
        if config.forward_preflight && is_preflight(request) {
            return Ok(FirstStep::Admit(Admission::as_nobody(stripping_of_preflight(request))));
        }
        let refusal = match credentials.pass()? {
            Some(token) => match check_pass(config, learnt, token, credentials.session, limits, now) {
                Ok(identity) => return Ok(FirstStep::Admit(as_nobody().with_identity(identity))),
                Err(Refusal::RevocationStale) => return Err(Refusal::RevocationStale),
                Err(refusal) => refusal,
            },
            None if decision == Decision::Denied(Reason::ApiClientBlocked) => Refusal::ApiClientBlocked,
            None => Refusal::NoPass,
        };
        match (credentials.code(), decision) {
            (Some(code), _) => {
                let session = config.session.id_of(credentials.session);
                Attempt::begin(config, learnt, code?, session, limits, now).map(FirstStep::Verify)
            }
            (None, Decision::Allowed) if limits.are_none() => Ok(FirstStep::Admit(as_nobody())),
            (None, Decision::Allowed | Decision::Challenge | Decision::SetUp | Decision::Denied(_)) => Err(refusal),
        }
    }

    /// The policy's decision on the client. The gate knows no record: where a pass is always needed,
    /// everyone counts as a user with a factor; where the policy decides, as one without, so that
    /// only the forced are asked.
    fn explain(&self, request: &Request<'_>, path: &Path<'_>, now: UnixSeconds) -> Explanation {
        let GateConfig { policy, api_paths, proof, trusted_hops, .. } = &self.config;
        let client = if policy.asks_for_address() { request.client(*trusted_hops) } else { ClientIp::Unknown };
        let channel = if api_paths.contain(path) { Channel::Api } else { Channel::Web };
        let enrollment = match proof {
            Proof::Always => Enrollment::Usable,
            Proof::AsPolicy => Enrollment::None,
        };
        // The gate knows no roles: where a rule asks for them, a pass is always needed.
        explain(policy, &Facts { now, client, roles: &Roles::Unknown, channel, enrollment, plan: None, recovery_code: false })
    }
}

/// The first step of a request that is not refused at once.
enum FirstStep {
    Admit(Admission),
    Verify(Attempt),
}

/// The refusal by an address rule; `None` for every other decision.
const fn by_address_rule(decision: Decision) -> Option<Refusal> {
    match decision {
        Decision::Denied(reason) => Refusal::of_address_rule(reason),
        Decision::Allowed | Decision::Challenge | Decision::SetUp => None,
    }
}
