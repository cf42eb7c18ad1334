//! An outcome that has not happened yet: it shows the record to store, and gives the reply and the
//! effects only to a caller who says that the record is stored.
//!
//! ```text
//!  step ──▶ Pending ── to_store() ──▶ compare-and-set ── landed ──▶ stored() ──▶ reply, effects
//!              │                            │
//!              └── dropped ◀── lost the race┘
//! ```
//!
//! A set-up message has a [`Limit`] besides, over all users, which the host counts before it stores the
//! record. Past the limit, [`Pending::over_limit`] is the outcome that takes the place of this one.
//!
//! A run in which a hash was missing gives no `Pending` but the jobs to compute: [`Progress::Hash`].

use core::fmt;

use serde::Serialize;

use crate::effect::Effect;
use crate::event::{Event, EventKind, SmsRefusal};
use crate::hashed_codes::{AllHashed, HashJob};
use crate::json::to_json;
use crate::record::Record;

use super::reply::Reply;

/// A count that the host keeps, over all users: one more of `key`, and at most `max` within `seconds`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "npm", derive(tsify::Tsify))]
pub struct Limit {
    /// The thing that is counted: a MAC in base64url, 43 characters.
    pub key: String,
    /// Length of the window in seconds.
    pub seconds: u64,
    /// Greatest count within the window.
    pub max: u32,
}

/// The reason why a limited outcome does not come about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OverLimit {
    /// The count is past the limit.
    Reached,
    /// The host could not count.
    NotCounted,
}

/// Wait after a failed count, in seconds.
const COUNT_AGAIN: u64 = 60;

/// The end of one run of a step.
#[derive(Debug)]
#[must_use = "nothing has happened until the record is stored"]
pub enum Progress {
    /// The outcome.
    Done(Box<Pending>),
    /// Hashes are missing, and there is no outcome. Compute them, and run the step again with them.
    Hash(Vec<HashJob>),
}

/// An outcome that has not happened yet. Store the record, then take the reply out.
#[must_use = "nothing has happened until the record is stored"]
pub struct Pending(Outcome);

/// The parts of an outcome.
pub(super) struct Outcome {
    pub(super) record: Record,
    pub(super) changed: bool,
    pub(super) reply: Reply,
    pub(super) effects: Vec<Effect>,
    pub(super) limit: Option<Limit>,
}

impl Pending {
    /// The outcome of a run, which must have had all its hashes.
    pub(super) const fn new(outcome: Outcome, _: AllHashed) -> Self {
        Self(outcome)
    }

    /// The record to store by compare-and-set against the version that was loaded; `None` when
    /// the step changed nothing.
    #[must_use]
    pub const fn to_store(&self) -> Option<&Record> {
        if self.0.changed { Some(&self.0.record) } else { None }
    }

    /// The limit that the host counts before it stores the record, if the outcome has one and the host keeps counts.
    #[must_use]
    pub const fn limit(&self) -> Option<&Limit> {
        self.0.limit.as_ref()
    }

    /// The outcome in place of this one where its limit does not admit it: nothing is stored, and no message is sent.
    pub fn over_limit(self, reason: OverLimit) -> Self {
        let seconds = self.0.limit.as_ref().map_or(COUNT_AGAIN, |limit| limit.seconds);
        let (reason, seconds) = match reason {
            OverLimit::Reached => (SmsRefusal::NumberBudget, seconds),
            OverLimit::NotCounted => (SmsRefusal::CountFailed, COUNT_AGAIN),
        };
        // Every outcome with a limit logs its message; the refusal is logged in its place.
        let logged = self.0.effects.into_iter().find_map(|effect| match effect {
            Effect::Log(event) => Some(Event { kind: EventKind::SmsRefused { reason }, ..event }),
            Effect::Sms(_) | Effect::EndPasses(_) | Effect::Notify(_) => None,
        });
        let retry_at = logged.as_ref().map(|event| event.at.plus(seconds));
        let effects = logged.map(Effect::Log).into_iter().collect();
        Self(Outcome { record: self.0.record, changed: false, reply: Reply::SmsRefused { reason, retry_at }, effects, limit: None })
    }

    /// The record and the effects as JSON text, `{"record":"…","effects":[…]}`, for a storage that
    /// also carries out the effects once the record is stored. The reply stays here until then.
    #[must_use]
    pub fn to_hand_over(&self) -> Option<String> {
        #[derive(Serialize)]
        struct HandOver<'a> {
            record: String,
            effects: &'a [Effect],
        }
        let record = self.to_store()?.to_text();
        Some(to_json(&HandOver { record, effects: &self.0.effects }))
    }

    /// The reply and the effects. Call it when the record is stored, or when there was none to store.
    #[must_use]
    pub fn stored(self) -> (Reply, Vec<Effect>) {
        (self.0.reply, self.0.effects)
    }
}

impl fmt::Debug for Pending {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pending").field("changed", &self.0.changed).finish_non_exhaustive()
    }
}
