//! The judgement on a request: its outcome, with the counters and the log line that go with it.

use std::rc::Rc;

use crate::secret_text::SecretText;

use super::admission::Admission;
use super::answer::Answer;
use super::config::GateConfig;
use super::context::Context;
use super::counters::Counter;
use super::identity::Identity;
use super::log_line::log_line;
use super::refusal::{Refusal, RefusalDetail};
use super::shadow_mode::Outcome;

/// A decided request.
#[derive(Debug, Clone)]
pub struct Judgement {
    /// Whether the request goes on or is answered.
    pub outcome: Outcome,
    /// The counters to increase.
    pub counters: Vec<Counter>,
    /// A line for the log: JSON, without secrets.
    pub log: Option<String>,
}

impl Judgement {
    pub(super) fn admitted(admission: Admission) -> Self {
        Self { outcome: Outcome::Admit(admission), counters: vec![Counter::Allowed], log: None }
    }

    /// The request goes on after its code was right, and the client gets the new pass.
    pub(super) fn verified(config: &GateConfig, context: &Context, token: &str, identity: Rc<Identity>) -> Self {
        let secure = if config.policy.issuer().starts_with("https:") { " Secure;" } else { "" };
        let age = identity.pass.expires_at().since(context.now);
        let cookie = format!("{}={token}; Path=/;{secure} HttpOnly; SameSite=Lax; Max-Age={age}", config.pass.cookie);
        let admission = context.as_nobody.clone().with_identity(identity).with_new_pass(SecretText(cookie));
        let mut judgement = Self::admitted(admission);
        judgement.counters.push(Counter::VerifyOk);
        judgement
    }

    pub(super) fn refused(config: &GateConfig, context: &Context, refusal: Refusal, detail: Option<&RefusalDetail>) -> Self {
        let answer = Answer::to(refusal, config, context, detail);
        let log = Some(log_line(config.mode, context, refusal, answer.status, detail));
        let mut counters = vec![Counter::of(refusal)];
        if refusal == Refusal::WrongCode {
            counters.push(Counter::VerifyWrong);
        }
        Self { outcome: Outcome::of_refusal(config.mode, answer, &context.as_nobody, &mut counters), counters, log }
    }
}
