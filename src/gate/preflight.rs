//! Preflights: the requests by which a browser asks whether a page of another origin may make a request (CORS).
//!
//! A browser sends no credential with a preflight, so it can bring no pass, and is refused by default. Where
//! the services answer preflights themselves, `forwardPreflight` lets them through, as nobody and without
//! credentials. Everything that a service might take for more than a question is no preflight: a body, a
//! change of protocol, or a header that names another method.

use super::request::Request;
use super::stripping::{Stripping, begins_like};

/// Whether the request is a preflight and nothing else (Fetch standard, "CORS-preflight fetch").
pub(super) fn is_preflight(request: &Request<'_>) -> bool {
    has_one(request, ":method", |method| method == b"OPTIONS")
        && has_one(request, "origin", |origin| !origin.is_empty())
        && has_one(request, "access-control-request-method", |method| !method.is_empty())
        && !request.has_body
        && request.headers.iter().all(|(name, _)| !changes_the_request(name))
}

/// Removes all credentials, those of the service included.
pub(super) fn stripping_of_preflight(request: &Request<'_>) -> Stripping {
    let has = |name| request.all(name).next().is_some();
    Stripping { ours: true, cookie: has("cookie").then(Vec::new), authorization: has("authorization") }
}

fn has_one(request: &Request<'_>, name: &str, fits: impl Fn(&[u8]) -> bool) -> bool {
    let mut values = request.all(name);
    values.next().is_some_and(fits) && values.next().is_none()
}

/// Whether a service may take the request for one by another method or protocol, because of a header of this
/// name: `x-http-method-override`, `x-http-method`, `x-method-override`, `upgrade`.
fn changes_the_request(name: &str) -> bool {
    name == "upgrade" || begins_like(name, "x-http-method") || begins_like(name, "x-method-override")
}
