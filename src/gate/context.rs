//! The context of a request: the facts that its answer and its log line need, kept until it is decided. A
//! request that waits for a call-out keeps no headers.

use crate::client_ip::ClientIp;
use crate::policy::Explanation;
use crate::time::UnixSeconds;

use super::admission::Admission;
use super::config::GateConfig;
use super::credentials::Credentials;
use super::request::Request;

#[derive(Debug)]
pub(super) struct Context {
    pub(super) now: UnixSeconds,
    pub(super) client: ClientIp,
    pub(super) is_browser: bool,
    pub(super) method: String,
    /// Path without query.
    pub(super) path: String,
    /// Path and query to come back to after a challenge.
    pub(super) return_target: String,
    pub(super) max_age: Option<u32>,
    pub(super) explanation: Explanation,
    /// The request let through as nobody.
    pub(super) as_nobody: Admission,
}

impl Context {
    pub(super) fn new(
        config: &GateConfig,
        request: &Request<'_>,
        credentials: &Credentials<'_>,
        max_age: Option<u32>,
        explanation: Explanation,
        now: UnixSeconds,
    ) -> Self {
        let method = request.all(":method").next().unwrap_or_default();
        Self {
            now,
            client: request.client(config.trusted_hops),
            is_browser: request.is_browser(),
            method: String::from_utf8_lossy(method).chars().take(20).collect(),
            path: credentials.path.shown(),
            return_target: credentials.path.return_target().to_owned(),
            max_age,
            explanation,
            as_nobody: Admission::as_nobody(credentials.stripping(config, request)),
        }
    }
}
