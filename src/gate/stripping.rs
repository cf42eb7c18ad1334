//! Stripping: the headers that a request loses at the gate, so that the upstream believes none that a
//! client made up and sees no credential of the second factor.
//!
//! Removed are `x-second-factor-…` and `x-otp…` in every spelling, the cookie with the pass, and an
//! `authorization` that holds the pass. Under `pass.forward` the pass stays. Trailers lose all cookies and every
//! `authorization` as well.

use super::cookies::{names, parts, resembles, value_of};

/// Whether only the gate may set a header of this name, in lower case.
pub(super) fn is_ours(name: &str) -> bool {
    name.as_bytes().first() == Some(&b'x') && ["x-second-factor-", "x-otp"].iter().any(|ours| begins_like(name, ours))
}

/// Whether a trailer of this name, in lower case, is removed. Some services read trailers as headers, and the gate
/// reads credentials in headers alone: those in trailers might be another user's.
#[must_use]
pub fn is_refused_as_trailer(name: &str) -> bool {
    matches!(name, "cookie" | "authorization" | "proxy-authorization") || is_ours(name)
}

/// Whether a name begins with this text, as a service may read it: some take any character that is no letter or
/// digit for `-`.
pub(super) fn begins_like(name: &str, start: &str) -> bool {
    let reads_as = |(given, known): (u8, u8)| given == known || (known == b'-' && !given.is_ascii_alphanumeric());
    name.len() >= start.len() && name.bytes().zip(start.bytes()).all(reads_as)
}

/// The headers to remove from one request.
#[derive(Debug, Clone, Default)]
pub(super) struct Stripping {
    /// Remove the headers that only the gate may set.
    pub(super) ours: bool,
    /// The `cookie` header without the pass, where there was a pass; may be empty.
    pub(super) cookie: Option<Vec<u8>>,
    /// Remove `authorization`, which holds the pass.
    pub(super) authorization: bool,
}

impl Stripping {
    /// The changes to these headers, in order: a name and its new value, or `None` to remove it.
    pub(super) fn changes<'a>(&'a self, given: &'a [(String, Vec<u8>)]) -> Vec<(&'a str, Option<&'a [u8]>)> {
        let mut changes = Vec::new();
        if self.ours {
            changes.extend(given.iter().filter(|(name, _)| is_ours(name)).map(|(name, _)| (name.as_str(), None)));
        }
        if self.authorization {
            changes.push(("authorization", None));
        }
        if let Some(rest) = &self.cookie {
            // Setting a header that comes several times does not reliably replace them all.
            if rest.is_empty() || given.iter().filter(|(name, _)| name == "cookie").nth(1).is_some() {
                changes.push(("cookie", None));
            }
            if !rest.is_empty() {
                changes.push(("cookie", Some(rest.as_slice())));
            }
        }
        changes
    }
}

/// `cookie` headers as one, without the cookies that are or resemble this one; empty if none is left.
pub(super) fn cookies_without<'a>(headers: impl Iterator<Item = &'a [u8]>, name: &str) -> Vec<u8> {
    let mut rest = Vec::new();
    let is_other = |part: &&[u8]| !part.is_empty() && value_of(part, name).is_none() && !names(part).any(|given| resembles(given, name));
    for part in headers.flat_map(parts).filter(is_other) {
        if !rest.is_empty() {
            rest.extend_from_slice(b"; ");
        }
        rest.extend_from_slice(part);
    }
    rest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn t50_g10_trailers_lose_every_credential() {
        for name in ["cookie", "authorization", "proxy-authorization", "x-second-factor-sub", "x_otp"] {
            assert!(is_refused_as_trailer(name), "{name}");
        }
        for name in ["x-checksum", "grpc-status", "grpc-message", "content-md5"] {
            assert!(!is_refused_as_trailer(name), "{name}");
        }
    }

    #[test]
    fn t26_headers_of_the_gate_are_known_in_every_spelling() {
        for ours in [
            "x-second-factor-sub",
            "x_second_factor_sub",
            "x-second_factor-anything",
            "x-otp",
            "x_otp",
            "x_otp_ticket",
            "x-otp-x",
            "x.second.factor.sub",
            "x-second!factor~sub",
        ] {
            assert!(is_ours(ours), "{ours}");
        }
        for other in ["x-second-factor", "x-second", "second-factor-sub", "xx-second-factor-sub", "x"] {
            assert!(!is_ours(other), "{other}");
        }
    }
}
