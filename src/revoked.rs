//! Revocation: passes and tickets that the host has ended before their time. The gate and Node decide by it here.
//!
//! The host keeps a list of ended sessions, of users with a time, and of users with a factor epoch. This is the part
//! of it about one session and its user:
//!
//! - A session that is on the list has no passes and tickets any more.
//! - The user's passes, tickets and set-ups have ended that were given at the time of the user or before.
//! - The user's passes have ended that are of an epoch before the listed one, or of another epoch of the same number.
//!   Those of a later one count: the list may be older than the latest change.

use serde::Deserialize;

use crate::epoch::FactorEpoch;
use crate::error::{Error, ErrorCode};
use crate::ids::{RecordId, SessionId};
use crate::json::from_json;
use crate::keys::KeyRing;
use crate::policy::Policy;
use crate::time::UnixSeconds;
use crate::token::{LONGEST_SETUP, Pass, SetupTicket, Ticket, began_at};

/// Seconds to spare: the clock of a gate may be behind, and typing a code takes time.
const MARGIN: u64 = 120;

/// The part of a revocation list about a session and its user. The default one ends nothing.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Revoked {
    /// Whether the session is on the list.
    pub(crate) session: bool,
    /// The time of the user.
    #[serde(default)]
    pub(crate) until: Option<UnixSeconds>,
    /// The epoch of the user.
    #[serde(default)]
    pub(crate) epoch: Option<FactorEpoch>,
}

impl Revoked {
    /// Reads the part from JSON text, strictly: `{"session":true,"until":1800000000,"epoch":"001800000000.…"}`.
    ///
    /// # Errors
    /// [`ErrorCode::InvalidInput`]; its path names the field.
    pub fn parse(json: &str) -> Result<Self, Error> {
        from_json(json, ErrorCode::InvalidInput)
    }

    /// Seconds for which an entry must stay on the list: after that, everything that it ends has ended by itself.
    #[must_use]
    pub fn seconds_on_list(policy: &Policy) -> u64 {
        policy.ticket_seconds().saturating_add(policy.pass_seconds()).max(LONGEST_SETUP).saturating_add(MARGIN)
    }

    /// Whether a pass of that time and epoch has ended, or a ticket, which has no epoch.
    pub(crate) fn ends(&self, at: UnixSeconds, epoch: Option<&FactorEpoch>) -> bool {
        let is_earlier = |listed: &FactorEpoch| epoch.is_some_and(|epoch| listed.ends(epoch));
        self.session || self.until.is_some_and(|until| at <= until) || self.epoch.as_ref().is_some_and(is_earlier)
    }

    /// Whether a pass of the session has ended.
    pub(crate) fn ends_pass(&self, pass: &Pass) -> bool {
        self.ends(pass.issued_at(), Some(pass.epoch()))
    }

    /// Whether a ticket of the session has ended that was given at that time.
    #[must_use]
    pub fn ends_ticket(&self, at: UnixSeconds) -> bool {
        self.ends(at, None)
    }

    /// Whether a token has ended that the session brings: a pass, either kind of ticket, or a set-up. A token that
    /// does not open is for others to refuse.
    #[must_use]
    pub fn ends_token(&self, policy: &Policy, keys: &KeyRing, token: &str, id: &RecordId, session: &SessionId, now: UnixSeconds) -> bool {
        let sealing = keys.sealing();
        self.session
            || Pass::open(policy, keys.signing(), token, now).is_ok_and(|pass| self.ends_pass(&pass))
            || Ticket::open_for_any(sealing, token, session, now).is_ok_and(|ticket| self.ends_ticket(ticket.issued_at()))
            || SetupTicket::open(policy, sealing, token, id, session, now).is_ok_and(|ticket| self.ends_ticket(ticket.issued_at()))
            || began_at(sealing, token, id, session).is_some_and(|at| self.ends_ticket(at))
    }
}
