//! An attempt: a code with its ticket and session, checked as far as possible without the record.

use crate::engine::SecondStep;
use crate::ids::{RecordId, SessionId};
use crate::policy::Method;
use crate::secret_text::SecretText;
use crate::time::UnixSeconds;
use crate::token::{Ticket, TokenError};

use super::config::GateConfig;
use super::credentials::SentCode;
use super::learnt::Learnt;
use super::refusal::Refusal;
use super::revocations::Made;
use super::session::gate_session;
use super::stricter_routes::Limits;

/// A code whose ticket is good.
#[derive(Debug)]
pub(super) struct Attempt {
    pub(super) subject: RecordId,
    pub(super) session: SessionId,
    /// The time at which the first factor passed.
    pub(super) since: UnixSeconds,
    ticket: SecretText,
    method: Method,
    code: SecretText,
}

impl Attempt {
    pub(super) fn begin(
        config: &GateConfig,
        learnt: &Learnt,
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
        let opened = Ticket::open(&config.policy, verify.keys.sealing(), ticket, &session, now).map_err(|error| match error {
            TokenError::Expired => Refusal::TicketExpired,
            TokenError::Invalid
            | TokenError::OtherAccount
            | TokenError::OtherUser
            | TokenError::OtherSession
            | TokenError::TooOld
            | TokenError::MethodNotAccepted => Refusal::TicketInvalid,
            TokenError::Revoked => Refusal::PassRevoked,
        })?;
        if !config.accounts.accept(opened.subject().account()) {
            return Err(Refusal::TicketInvalid);
        }
        let (subject, since) = (opened.subject().clone(), opened.issued_at());
        let attempt = Self { subject, session, since, ticket: SecretText(ticket.to_owned()), method, code: SecretText(code.to_owned()) };
        attempt.check_revocation(config, learnt, now)?;
        Ok(attempt)
    }

    /// Refuses the attempt if its session or user was ended: a ticket outlives the log-out that ended
    /// its session.
    pub(super) fn check_revocation(&self, config: &GateConfig, learnt: &Learnt, now: UnixSeconds) -> Result<(), Refusal> {
        let made = Made { subject: &self.subject, at: self.since, epoch: None, sessions: [Some(&self.session), None] };
        learnt.check_revocation(config, &made, now)
    }

    pub(super) fn second_step(&self) -> SecondStep {
        SecondStep {
            ticket: self.ticket.0.clone(),
            session: self.session.clone(),
            new_session: Some(gate_session(&self.session)),
            method: self.method,
            factor: None,
            code: self.code.0.clone(),
            trust_browser: None,
        }
    }
}
