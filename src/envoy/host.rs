//! Calls into Envoy that the filter and its requests share.

use std::time::{Duration, UNIX_EPOCH};

use proxy_wasm::hostcalls;
use proxy_wasm::traits::Context;
use proxy_wasm::types::{Action, BufferType, LogLevel, MapType};

use crate::entropy::Entropy;
use crate::gate::{Answer, CallOut, CallOutResponse};
use crate::time::UnixSeconds;

/// Longest body of a call-out that is copied out of Envoy; the gate reads no longer one.
const MAX_BODY: usize = 4 * 1024 * 1024;

/// Answers in the upstream's place. The request stays where it is.
pub(super) fn send(answer: &Answer) -> Action {
    let headers = answer.headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let body = (!answer.body.is_empty()).then_some(answer.body.as_bytes());
    let _ = hostcalls::send_http_response(answer.status.into(), headers, body);
    Action::Pause
}

/// Refuses a request because the filter cannot do its work.
pub(super) fn refuse() -> Action {
    send(&Answer { status: 503, headers: vec![("cache-control", "no-store".to_owned())], body: String::new() })
}

/// Makes a call-out. False: Envoy does not make it.
pub(super) fn dispatch(context: &dyn Context, call_out: &CallOut) -> bool {
    let headers = call_out.headers.iter().map(|(name, value)| (*name, value.0.as_str())).collect();
    let timeout = Duration::from_millis(call_out.timeout_ms.into());
    context.dispatch_http_call(&call_out.cluster, headers, call_out.body.as_deref().map(str::as_bytes), Vec::new(), timeout).is_ok()
}

/// Reads the response to a call-out. A body that is too long is not read.
pub(super) fn with_response<T>(body_size: usize, job: impl FnOnce(&CallOutResponse<'_>) -> T) -> T {
    let headers = hostcalls::get_map_bytes(MapType::HttpCallResponseHeaders).unwrap_or_default();
    let status = headers.iter().find(|(name, _)| name == ":status").map(|(_, value)| value.as_slice());
    let body = match body_size {
        0 => Some(Vec::new()),
        1..=MAX_BODY => hostcalls::get_buffer(BufferType::HttpCallResponseBody, 0, body_size).ok().flatten(),
        _ => None,
    };
    job(&CallOutResponse { status, body: body.as_deref() })
}

/// Envoy's wall clock. Without one the time is the epoch, at which every token is from the future.
pub(super) fn now() -> UnixSeconds {
    let since = hostcalls::get_current_time().ok().and_then(|time| time.duration_since(UNIX_EPOCH).ok());
    since.and_then(|since| UnixSeconds::new(since.as_secs())).unwrap_or(UnixSeconds::EPOCH)
}

pub(super) fn entropy() -> Option<Entropy> {
    let mut seed = [0; 32];
    getrandom::fill(&mut seed).ok().map(|()| Entropy::new(seed))
}

/// Writes to Envoy's log: a line of JSON after a space, or a sentence after a colon.
pub(super) fn log(level: LogLevel, message: &str) {
    let _ = hostcalls::log(level, &format!("countersign{message}"));
}
