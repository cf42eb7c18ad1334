//! Passes that ended before their time, as the host lists them.
//!
//! `{"v":1,"sessions":["…"],"users":{"…":1800000000}}`: all passes and tickets of a session, and
//! those of a user whose second factor passed, or who got the ticket, at that time or before.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;

use crate::error::ErrorCode;
use crate::ids::{SessionId, UserId};
use crate::json::from_json;
use crate::time::UnixSeconds;

use super::verification::CallOutResponse;

/// Longest list that is read, in bytes: some 90,000 sessions.
const MAX_LIST: usize = 4 * 1024 * 1024;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Document {
    v: u32,
    #[serde(default)]
    sessions: BTreeSet<String>,
    #[serde(default)]
    users: BTreeMap<String, UnixSeconds>,
}

#[derive(Debug, Default)]
pub(super) struct Revocations {
    sessions: BTreeSet<String>,
    users: BTreeMap<String, UnixSeconds>,
    fetched_at: Option<UnixSeconds>,
}

impl Revocations {
    pub(super) fn take(&mut self, response: &CallOutResponse<'_>, now: UnixSeconds) -> bool {
        let document = response.text(200, MAX_LIST).and_then(|text| from_json::<Document>(text, ErrorCode::InvalidInput).ok());
        let Some(Document { v: 1, sessions, users }) = document else { return false };
        *self = Self { sessions, users, fetched_at: Some(now) };
        true
    }

    /// Seconds since the list was fetched, or, when the clock was set back, until the time at which
    /// it was; `None` before the first time.
    pub(super) fn age(&self, now: UnixSeconds) -> Option<u64> {
        self.fetched_at.map(|at| now.since(at).max(at.since(now)))
    }

    /// Whether one of the sessions is over, or all that the user showed until then.
    pub(super) fn hold(&self, user: &UserId, shown_at: UnixSeconds, sessions: &[Option<&SessionId>]) -> bool {
        sessions.iter().flatten().any(|session| self.sessions.contains(session.as_str()))
            || self.users.get(user.as_str()).is_some_and(|&until| shown_at <= until)
    }
}
