//! The answer to a refused request: a browser that can be challenged is sent to the challenge page,
//! every other client gets JSON and, with 401, the step-up challenge of RFC 9470.

use core::fmt::Write as _;

use serde::Serialize;

use crate::engine::Reply;
use crate::json::to_json;
use crate::policy::Explanation;

use super::config::GateConfig;
use super::context::Context;
use super::refusal::{Refusal, RefusalDetail, RefusalKind};

/// An HTTP response in the upstream's place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// HTTP status.
    pub status: u16,
    /// Headers.
    pub headers: Vec<(&'static str, String)>,
    /// Body; may be empty.
    pub body: String,
}

#[derive(Serialize)]
struct Body<'a> {
    error: &'static str,
    reason: &'static str,
    message: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    reply: Option<&'a Reply>,
    #[serde(skip_serializing_if = "Option::is_none")]
    explanation: Option<&'a Explanation>,
}

impl Answer {
    pub(super) fn to(refusal: Refusal, config: &GateConfig, context: &Context, detail: Option<&RefusalDetail>) -> Self {
        let (reason, kind, message) = refusal.parts();
        let (status, error) = kind.status_and_error();
        let mut headers = vec![("cache-control", "no-store".to_owned())];
        if kind == RefusalKind::Challenge && context.is_browser {
            headers.push(("location", config.challenge.location(&context.return_target, reason, context.max_age)));
            return Self { status: 303, headers, body: String::new() };
        }
        let (reply, retry_at) = match detail {
            Some(RefusalDetail::Reply { reply, retry_at }) => (Some(reply), *retry_at),
            Some(RefusalDetail::Error(_) | RefusalDetail::Response(_)) | None => (None, None),
        };
        if kind == RefusalKind::Challenge {
            headers.push(("www-authenticate", step_up_challenge(error, message, context.max_age)));
        }
        if let Some(at) = retry_at {
            headers.push(("retry-after", at.since(context.now).to_string()));
        }
        headers.push(("content-type", "application/json".to_owned()));
        let explanation = config.debug.then_some(&context.explanation);
        Self { status, headers, body: to_json(&Body { error, reason, message, reply, explanation }) }
    }
}

/// The challenge of RFC 9470 §3.
fn step_up_challenge(error: &str, message: &str, max_age: Option<u32>) -> String {
    // Inside quotes a backtick is plain text; the messages have no quotes themselves.
    let mut challenge = format!(r#"Bearer error="{error}", error_description="{message}", acr_values="urn:countersign:acr:2fa""#);
    if let Some(age) = max_age {
        let _ = write!(challenge, ", max_age={age}");
    }
    challenge
}
