//! The revocation list: passes and tickets that the host has ended before their time.
//!
//! `{"v":1,"sessions":["…"],"users":{"…":1800000000},"epochs":{"…":"001800000000.…"}}` names ended sessions, and users with
//! a time and with a factor epoch. Where a list of epochs stands, the latest counts, in whatever order. Users of an
//! account stand under `"accounts":{"…":{"users":{…},"epochs":{…}}}`. Which passes and tickets an entry ends, `Revoked` says.
//!
//! A list that is too old refuses every pass: otherwise an attacker who cuts the connection to the
//! storage API would keep a revoked pass.

use core::fmt;
use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;
use serde::de::{self, Deserializer, SeqAccess, Visitor};

use crate::epoch::FactorEpoch;
use crate::error::{Error, ErrorCode};
use crate::ids::{AccountId, RecordId, SessionId};
use crate::json::from_json;
use crate::revoked::Revoked;
use crate::time::UnixSeconds;

use super::call_out::CallOutResponse;
use super::check::check;
use super::refusal::Refusal;
use super::secrets::Secrets;
use super::storage::{Storage, StorageSettings, default_timeout_ms};

/// Longest list that is read, in bytes: some 90,000 sessions.
const MAX_LIST: usize = 4 * 1024 * 1024;

/// The source of the list, as configured.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct RevocationDocument {
    cluster: String,
    authority: String,
    path: String,
    #[serde(default = "default_timeout_ms")]
    timeout_ms: u32,
    #[serde(default = "default_every_seconds")]
    every_seconds: u32,
    #[serde(default = "default_max_stale_seconds")]
    max_stale_seconds: u32,
}

const fn default_every_seconds() -> u32 {
    10
}

const fn default_max_stale_seconds() -> u32 {
    60
}

/// The source of the list.
#[derive(Debug, Clone)]
pub(super) struct RevocationSource {
    pub(super) storage: Storage,
    pub(super) every_seconds: u32,
    pub(super) max_stale_seconds: u32,
}

impl RevocationSource {
    pub(super) fn parse(document: RevocationDocument, secrets: &Secrets) -> Result<Self, Error> {
        let RevocationDocument { cluster, authority, path, timeout_ms, every_seconds, max_stale_seconds } = document;
        check((1..=300).contains(&every_seconds), "revocation.everySeconds", "must be 1 to 300")?;
        let shortest = every_seconds.saturating_mul(2);
        check(
            (shortest..=3_600).contains(&max_stale_seconds),
            "revocation.maxStaleSeconds",
            "must be at least twice `everySeconds`, or one lost answer refuses every pass, and at most 3600",
        )?;
        let storage = Storage::parse(StorageSettings { at: "revocation", cluster, authority, path, timeout_ms }, secrets)?;
        Ok(Self { storage, every_seconds, max_stale_seconds })
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ListDocument {
    v: u32,
    #[serde(default)]
    sessions: BTreeSet<String>,
    #[serde(default)]
    users: BTreeMap<String, UnixSeconds>,
    #[serde(default)]
    epochs: BTreeMap<String, LatestEpoch>,
    #[serde(default)]
    accounts: BTreeMap<String, UsersDocument>,
}

/// The users of one account, or those without an account.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct UsersDocument {
    #[serde(default)]
    users: BTreeMap<String, UnixSeconds>,
    #[serde(default)]
    epochs: BTreeMap<String, LatestEpoch>,
}

/// The latest of the epochs that the list has for a user: one as text, or several in any order.
#[derive(Debug)]
struct LatestEpoch(FactorEpoch);

impl<'de> Deserialize<'de> for LatestEpoch {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Epochs;

        impl<'de> Visitor<'de> for Epochs {
            type Value = LatestEpoch;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a factor epoch or a list of them")
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<LatestEpoch, E> {
                FactorEpoch::try_from(text.to_owned()).map(LatestEpoch).map_err(E::custom)
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut epochs: A) -> Result<LatestEpoch, A::Error> {
                let mut latest = FactorEpoch::FIRST;
                while let Some(epoch) = epochs.next_element()? {
                    latest = latest.max(epoch);
                }
                Ok(LatestEpoch(latest))
            }
        }

        deserializer.deserialize_any(Epochs)
    }
}

/// The facts of a pass or ticket by which the host may have ended it.
pub(super) struct Made<'a> {
    pub(super) subject: &'a RecordId,
    /// The time of the factor, or of the ticket.
    pub(super) at: UnixSeconds,
    /// The factor epoch of a pass.
    pub(super) epoch: Option<&'a FactorEpoch>,
    pub(super) sessions: [Option<&'a SessionId>; 2],
}

/// The list as it was fetched last.
#[derive(Debug, Default)]
pub(super) struct Revocations {
    sessions: BTreeSet<String>,
    without_account: UsersDocument,
    accounts: BTreeMap<String, UsersDocument>,
    fetched_at: Option<UnixSeconds>,
}

impl Revocations {
    /// Replaces the list. False: the response holds no list, and the old list stays.
    pub(super) fn take(&mut self, response: &CallOutResponse<'_>, now: UnixSeconds) -> bool {
        let document = response.text(200, MAX_LIST).and_then(|text| from_json::<ListDocument>(text, ErrorCode::InvalidInput).ok());
        let Some(ListDocument { v: 1, sessions, users, epochs, accounts }) = document else { return false };
        *self = Self { sessions, without_account: UsersDocument { users, epochs }, accounts, fetched_at: Some(now) };
        true
    }

    /// Refuses a pass or ticket that the host has ended, or if the list is too old to tell.
    pub(super) fn check(&self, source: &RevocationSource, made: &Made<'_>, now: UnixSeconds) -> Result<(), Refusal> {
        if self.age(now).is_none_or(|age| age > u64::from(source.max_stale_seconds)) {
            Err(Refusal::RevocationStale)
        } else if self.hold(made) {
            Err(Refusal::PassRevoked)
        } else {
            Ok(())
        }
    }

    /// Seconds since the list was fetched; when the clock was set back, seconds until then. `None`
    /// before the first list.
    fn age(&self, now: UnixSeconds) -> Option<u64> {
        self.fetched_at.map(|at| now.since(at).max(at.since(now)))
    }

    fn hold(&self, made: &Made<'_>) -> bool {
        let users = match made.subject.account().map(AccountId::as_str) {
            Some(account) => self.accounts.get(account),
            None => Some(&self.without_account),
        };
        let user = made.subject.user().as_str();
        let about = Revoked {
            session: made.sessions.iter().flatten().any(|session| self.sessions.contains(session.as_str())),
            until: users.and_then(|users| users.users.get(user)).copied(),
            epoch: users.and_then(|users| users.epochs.get(user)).map(|LatestEpoch(latest)| latest.clone()),
        };
        about.ends(made.at, made.epoch)
    }
}
