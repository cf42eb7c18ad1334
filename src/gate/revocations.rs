//! Passes that ended before their time, as the host lists them.
//!
//! `{"v":1,"sessions":["…"],"users":{"…":1800000000}}`: all passes of a session, and all passes
//! of a user whose second factor passed at that time or before.

use std::collections::{BTreeMap, BTreeSet};

use crate::error::ErrorCode;
use crate::json::{FromJson, from_json};
use crate::record::SessionId;
use crate::time::UnixSeconds;
use crate::token::Pass;

use super::verification::CallOutResponse;

/// Longest list that is read, in bytes: some 90,000 sessions.
const MAX_LIST: usize = 4 * 1024 * 1024;

#[derive(FromJson)]
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

    /// Seconds since the list was fetched; `None` before the first time.
    pub(super) fn age(&self, now: UnixSeconds) -> Option<u64> {
        self.fetched_at.map(|at| now.since(at))
    }

    pub(super) fn hold_session(&self, session: &SessionId) -> bool {
        self.sessions.contains(session.as_str())
    }

    pub(super) fn hold_pass(&self, pass: &Pass) -> bool {
        self.hold_session(pass.session()) || self.users.get(pass.user().as_str()).is_some_and(|&until| pass.auth_time() <= until)
    }
}
