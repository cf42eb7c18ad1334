//! Calls to the host's storage API: `GET` and `PUT` of a user's record, the latter by compare-and-set
//! (`If-Match`), and the settings that say where the API is.
//!
//! A write names the session and the time of the ticket that came with the code, so that the host can refuse
//! one that it has ended since the gate fetched the revocation list.

use crate::encoding::percent_encode;
use crate::error::Error;
use crate::ids::{RecordId, SessionId};
use crate::secret_text::SecretText;
use crate::time::UnixSeconds;

use super::call_out::CallOut;
use super::check::{check, is_visible, wrong};
use super::secrets::Secrets;

/// The address of the host's storage API.
#[derive(Debug, Clone)]
pub(super) struct Storage {
    cluster: String,
    authority: String,
    path: String,
    timeout_ms: u32,
    authorization: SecretText,
}

/// The same as written in configuration, in the part `at` of it.
pub(super) struct StorageSettings {
    pub(super) at: &'static str,
    pub(super) cluster: String,
    pub(super) authority: String,
    pub(super) path: String,
    pub(super) timeout_ms: u32,
}

pub(super) const fn default_timeout_ms() -> u32 {
    1_000
}

impl Storage {
    pub(super) fn parse(settings: StorageSettings, secrets: &Secrets) -> Result<Self, Error> {
        let StorageSettings { at, cluster, authority, path, timeout_ms } = settings;
        let field = |name: &str| format!("{at}.{name}");
        check(!cluster.is_empty() && is_visible(&cluster), &field("cluster"), "must name a cluster of Envoy")?;
        check(!authority.is_empty() && is_visible(&authority), &field("authority"), "must be the host name to ask for")?;
        check(
            path.starts_with('/') && is_visible(&path) && !path.contains(['?', '#']),
            &field("path"),
            "must be a path, like /internal/second-factor",
        )?;
        check((50..=10_000).contains(&timeout_ms), &field("timeoutMs"), "must be 50 to 10000")?;
        let Some(token) = &secrets.storage_token else {
            return Err(wrong(at, "needs the storage API's token in COUNTERSIGN_STORAGE_TOKEN, passed on by host_env_keys"));
        };
        check(token.len() >= 32 && is_visible(token), at, "COUNTERSIGN_STORAGE_TOKEN must be 32 visible ASCII characters or more")?;
        let path = path.trim_end_matches('/').to_owned();
        Ok(Self { cluster, authority, path, timeout_ms, authorization: SecretText(format!("Bearer {token}")) })
    }

    /// Reads the document at the configured path.
    pub(super) fn get(&self) -> CallOut {
        self.call("GET", self.path.clone(), Vec::new(), None)
    }

    pub(super) fn get_record(&self, id: &RecordId) -> CallOut {
        self.call("GET", self.record_path(id), Vec::new(), None)
    }

    /// Writes a record if the stored one still has this version, and the ticket of that session and time still counts.
    pub(super) fn put_record(&self, id: &RecordId, version: u64, session: &SessionId, since: UnixSeconds, body: String) -> CallOut {
        let mut ticket_session = String::new();
        percent_encode(&mut ticket_session, session.as_str());
        let headers = vec![
            ("if-match", SecretText(format!("\"{version}\""))),
            ("ticket-session", SecretText(ticket_session)),
            ("ticket-at", SecretText(since.seconds().to_string())),
            ("content-type", SecretText("application/json".to_owned())),
        ];
        self.call("PUT", self.record_path(id), headers, Some(body))
    }

    fn record_path(&self, id: &RecordId) -> String {
        let mut path = self.path.clone();
        if let Some(account) = id.account() {
            path.push_str("/accounts/");
            percent_encode(&mut path, account.as_str());
        }
        path.push_str("/records/");
        percent_encode(&mut path, id.user().as_str());
        path
    }

    fn call(&self, method: &str, path: String, more: Vec<(&'static str, SecretText)>, body: Option<String>) -> CallOut {
        let mut headers = vec![
            (":method", SecretText(method.to_owned())),
            (":path", SecretText(path)),
            (":authority", SecretText(self.authority.clone())),
            ("authorization", self.authorization.clone()),
            ("accept", SecretText("application/json".to_owned())),
        ];
        headers.extend(more);
        CallOut { cluster: self.cluster.clone(), headers, body, timeout_ms: self.timeout_ms }
    }
}
