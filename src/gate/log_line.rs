//! The log line of a refusal: one line of JSON, without query, cookie, code or token.
//!
//! The log says more than the answer. The operator must tell a wrong `origin` from a missing key, and a
//! wrong storage token from a stopped service; the client must not.

use serde::Serialize;

use crate::client_ip::ClientIp;
use crate::error::ErrorCode;
use crate::json::to_json;

use super::config::Mode;
use super::context::Context;
use super::refusal::{Refusal, RefusalDetail, RefusalKind};

#[derive(Serialize)]
struct Line<'a> {
    verdict: &'static str,
    reason: &'static str,
    status: u16,
    #[serde(skip_serializing_if = "Option::is_none")]
    ip: Option<String>,
    method: &'a str,
    path: &'a str,
    mode: Mode,
    /// The flaw of the pass, or the response of the storage API.
    #[serde(skip_serializing_if = "Option::is_none")]
    detail: Option<String>,
    /// The error in a record or the keys.
    #[serde(skip_serializing_if = "Option::is_none")]
    code: Option<ErrorCode>,
}

pub(super) fn log_line(mode: Mode, context: &Context, refusal: Refusal, status: u16, detail: Option<&RefusalDetail>) -> String {
    to_json(&Line {
        verdict: if refusal.kind() == RefusalKind::Challenge { "challenged" } else { "denied" },
        reason: refusal.name(),
        status,
        ip: match context.client {
            ClientIp::Known(address) => Some(address.to_string()),
            ClientIp::Unknown => None,
        },
        method: &context.method,
        path: &context.path,
        mode,
        code: match detail {
            Some(RefusalDetail::Error(code)) => Some(*code),
            Some(RefusalDetail::Reply { .. } | RefusalDetail::Response(_)) | None => None,
        },
        detail: match (refusal, detail) {
            (Refusal::PassInvalid(flaw), _) => Some(to_json(&flaw).replace('"', "")),
            (_, Some(RefusalDetail::Response(response))) => Some(response.clone()),
            (_, Some(RefusalDetail::Reply { .. } | RefusalDetail::Error(_)) | None) => None,
        },
    })
}
