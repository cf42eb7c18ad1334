//! What the gate reads of a request. Header values are bytes and come in any number; each is
//! read once, as bytes, and what must come once and comes twice says nothing.

use core::net::SocketAddr;

use crate::client_ip::ClientIp;
use crate::policy::Method;
use crate::token::Pass;

use super::answer::{Admission, Refusal};
use super::config::GateConfig;
use super::cookies::{names, parts, resembles, value_of};
use super::paths::Path;

/// A request as Envoy shows it.
#[derive(Clone, Copy)]
pub struct Request<'a> {
    /// All headers in order, `:method` and `:path` among them; names in lower case.
    pub headers: &'a [(String, Vec<u8>)],
    /// Gets Envoy's `source.address`: address and port, like `192.0.2.1:4711` or
    /// `[2001:db8::1]:4711`. Called only where it is needed, for it is dear.
    pub source: &'a dyn Fn() -> Option<Vec<u8>>,
}

/// A header or cookie that must come once.
#[derive(Debug, Clone, Copy, Default)]
pub(super) enum Once<'a> {
    #[default]
    Absent,
    Value(&'a [u8]),
    Repeated,
}

impl<'a> Once<'a> {
    const fn add(&mut self, value: &'a [u8]) {
        *self = match self {
            Self::Absent => Self::Value(value),
            Self::Value(_) | Self::Repeated => Self::Repeated,
        };
    }

    const fn is_repeated(self) -> bool {
        matches!(self, Self::Repeated)
    }

    /// The value as text; text that is none is the empty text, which is no token, code or id.
    pub(super) fn text(self) -> Option<&'a str> {
        match self {
            Self::Absent | Self::Repeated => None,
            Self::Value(value) => Some(core::str::from_utf8(value).unwrap_or_default()),
        }
    }
}

/// Who a request says is there.
#[derive(Debug, Clone, Copy)]
pub(super) enum Credential<'a> {
    None,
    Pass(&'a str),
}

/// A code as sent, with the ticket that it goes with.
#[derive(Debug, Clone, Copy)]
pub(super) struct SentCode<'a> {
    pub(super) method: Method,
    pub(super) code: &'a str,
    pub(super) ticket: &'a str,
}

/// A request, read for its credentials. What only a refusal needs is read when there is one.
#[derive(Debug)]
pub(super) struct Seen<'a> {
    pub(super) path: Path<'a>,
    pub(super) session: Once<'a>,
    pass: Once<'a>,
    bearer: Once<'a>,
    otp: Once<'a>,
    ticket: Once<'a>,
    /// Whether there are headers that only the gate may set.
    ours: bool,
}

impl<'a> Seen<'a> {
    pub(super) fn read(config: &GateConfig, request: &Request<'a>) -> Self {
        let mut seen = Self {
            path: Path::new(b""),
            session: Once::Absent,
            pass: Once::Absent,
            bearer: Once::Absent,
            otp: Once::Absent,
            ticket: Once::Absent,
            ours: false,
        };
        for (name, value) in request.headers {
            match name.as_str() {
                ":path" => seen.path = Path::new(value),
                "cookie" => {
                    for part in parts(value) {
                        seen.read_cookie(config, part);
                    }
                }
                "authorization" => seen.bearer.add(value),
                "x-otp" => seen.otp.add(value),
                "x-otp-ticket" => seen.ticket.add(value),
                _ => {}
            }
            seen.ours |= is_ours(name);
        }
        seen.read_bearer(config);
        seen
    }

    fn read_cookie(&mut self, config: &GateConfig, part: &'a [u8]) {
        let (pass, session) = (config.pass.cookie.as_str(), config.session.cookie());
        let rest = if let Some(value) = value_of(part, pass) {
            self.pass.add(value);
            value
        } else if let Some(value) = session.and_then(|session| value_of(part, session)) {
            self.session.add(value);
            value
        } else {
            part
        };
        for name in names(rest) {
            if resembles(name, pass) {
                self.pass = Once::Repeated;
            } else if session.is_some_and(|session| resembles(name, session)) {
                self.session = Once::Repeated;
            }
        }
    }

    /// Lets the request go on, as nobody and without a pass. A bearer token that does not claim to be
    /// one is the upstream's.
    pub(super) fn admission(&self, config: &GateConfig, request: &Request<'_>) -> Admission {
        let in_cookie = !matches!(self.pass, Once::Absent);
        let in_bearer = match self.bearer {
            Once::Absent => false,
            Once::Value(_) => self.bearer.text().is_some_and(Pass::claims_to_be),
            Once::Repeated => true,
        };
        Admission {
            strip_ours: self.ours,
            cookie: (in_cookie && !config.pass.forward).then(|| request.cookies_without(&config.pass.cookie)),
            strip_authorization: in_bearer && !config.pass.forward,
            ..Admission::default()
        }
    }

    /// An `Authorization` of another scheme, or where passes do not come by it, is the upstream's.
    fn read_bearer(&mut self, config: &GateConfig) {
        match self.bearer {
            // Envoy has joined what came twice.
            Once::Value(value) if config.pass.bearer && value.contains(&b',') && holds(value, b"bearer ") => self.bearer = Once::Repeated,
            Once::Value(value) if config.pass.bearer => self.bearer = bearer(value).map_or(Once::Absent, Once::Value),
            Once::Repeated if config.pass.bearer => {}
            Once::Value(_) | Once::Repeated | Once::Absent => self.bearer = Once::Absent,
        }
    }

    /// The pass, if there is just one way to read which.
    pub(super) fn credential(&self) -> Result<Credential<'a>, Refusal> {
        let repeated = [self.pass, self.session, self.bearer, self.otp, self.ticket].into_iter().any(Once::is_repeated);
        match (repeated, self.pass.text(), self.bearer.text()) {
            (true, _, _) | (false, Some(_), Some(_)) => Err(Refusal::DuplicateHeader),
            (false, Some(token), None) | (false, None, Some(token)) => Ok(Credential::Pass(token)),
            (false, None, None) => Ok(Credential::None),
        }
    }

    /// The code in `x-otp`, if there is one: `123456`, or the method before it: `sms 123456`.
    pub(super) fn code(&self) -> Option<Result<SentCode<'a>, Refusal>> {
        let sent = self.otp.text()?.trim_ascii();
        let (method, code) = match sent.split_once(' ') {
            Some(("totp", code)) => (Method::Totp, code),
            Some(("sms", code)) => (Method::Sms, code),
            Some(("backup_code", code)) => (Method::BackupCode, code),
            Some(("recovery_code", code)) => (Method::RecoveryCode, code),
            Some(_) | None => (Method::Totp, sent),
        };
        let fits = (1..=64).contains(&code.len());
        let code = SentCode { method, code, ticket: self.ticket.text().unwrap_or_default() };
        Some(if fits { Ok(code) } else { Err(Refusal::CodeMalformed) })
    }
}

/// Whether only the gate may set a header, or trailer, of this name in lower case. A service behind
/// it may read any other character as `-`.
#[must_use]
pub fn is_ours(name: &str) -> bool {
    const OURS: [&str; 2] = ["x-second-factor-", "x-otp"];
    let reads_as = |(given, ours): (u8, u8)| given == ours || (ours == b'-' && !given.is_ascii_alphanumeric());
    name.as_bytes().first() == Some(&b'x')
        && OURS.iter().any(|ours| name.len() >= ours.len() && name.bytes().zip(ours.bytes()).all(reads_as))
}

fn holds(text: &[u8], part: &[u8]) -> bool {
    text.windows(part.len()).any(|window| window.eq_ignore_ascii_case(part))
}

fn bearer(value: &[u8]) -> Option<&[u8]> {
    let (scheme, token) = value.split_at_checked(7)?;
    scheme.eq_ignore_ascii_case(b"bearer ").then(|| token.trim_ascii())
}

impl Request<'_> {
    /// The values of a header, in order.
    pub(super) fn all(&self, name: &str) -> impl DoubleEndedIterator<Item = &[u8]> {
        self.headers.iter().filter(move |(given, _)| given == name).map(|(_, value)| value.as_slice())
    }

    /// The `cookie` header without the cookies that are or resemble this one; empty if none is left.
    fn cookies_without(&self, name: &str) -> Vec<u8> {
        let mut rest = Vec::new();
        let is_other =
            |part: &&[u8]| !part.is_empty() && value_of(part, name).is_none() && !names(part).any(|given| resembles(given, name));
        for part in self.all("cookie").flat_map(parts).filter(is_other) {
            if !rest.is_empty() {
                rest.extend_from_slice(b"; ");
            }
            rest.extend_from_slice(part);
        }
        rest
    }

    /// Whether a person's browser is going to a page, and can be sent to another.
    pub(super) fn is_browser(&self) -> bool {
        self.all(":method").all(|method| matches!(method, b"GET" | b"HEAD"))
            && self.all("accept").any(|value| holds(value, b"text/html"))
            && self.all("sec-fetch-mode").all(|mode| mode == b"navigate")
            // A code comes from a program, which wants an answer and no page.
            && self.all("x-otp").next().is_none()
    }

    /// The client's address.
    pub(super) fn client(&self, trusted_hops: usize) -> ClientIp {
        let forwarded_for: Vec<&[u8]> =
            self.all("x-forwarded-for").flat_map(|value| value.split(|&b| b == b',').map(<[u8]>::trim_ascii)).collect();
        client(trusted_hops, (self.source)().as_deref(), &forwarded_for)
    }
}

/// With `hops` trusted proxies in front of Envoy the client's address is the entry of
/// `x-forwarded-for` that the outermost of them wrote, counted from the right: Envoy appended its
/// own peer last. Envoy must have come to the same address by itself, else one of the two is set
/// up wrongly. What a client wrote stands further left and is never looked at.
fn client(hops: usize, source: Option<&[u8]>, forwarded_for: &[&[u8]]) -> ClientIp {
    let source = source.and_then(|bytes| core::str::from_utf8(bytes).ok()).and_then(|text| text.parse::<SocketAddr>().ok());
    let Some(source) = source.map(|address| ClientIp::Known(address.ip().to_canonical())) else { return ClientIp::Unknown };
    if hops == 0 {
        return source;
    }
    let entry = forwarded_for.iter().rev().nth(hops).and_then(|entry| core::str::from_utf8(entry).ok());
    if entry.map(ClientIp::parse) == Some(source) { source } else { ClientIp::Unknown }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn t25_the_source_address_is_a_socket_address() {
        let from = |source: &str| client(0, Some(source.as_bytes()), &[]);
        let v4 = ClientIp::parse("192.0.2.1");
        assert_eq!(from("192.0.2.1:4711"), v4);
        assert_eq!(from("[::ffff:192.0.2.1]:4711"), v4);
        assert_eq!(from("[2001:db8::1]:80"), ClientIp::parse("2001:db8::1"));
        for bad in
            ["192.0.2.1", "2001:db8::1", "[2001:db8::1]", "192.0.2.01:1", "/run/envoy.sock", "", "192.0.2.1:99999", "[fe80::1%eth0]:1"]
        {
            assert_eq!(from(bad), ClientIp::Unknown, "{bad}");
        }
        assert_eq!(client(0, None, &[]), ClientIp::Unknown);
    }

    #[test]
    fn t24_only_the_entry_of_a_trusted_hop_counts_and_envoy_must_agree() {
        let from = |hops, source: &str, list: &[&str]| {
            let list: Vec<&[u8]> = list.iter().map(|entry| entry.as_bytes()).collect();
            client(hops, Some(source.as_bytes()), &list)
        };
        let real = ClientIp::parse("203.0.113.7");
        assert_eq!(from(0, "203.0.113.7:1", &["10.0.0.1", "garbage"]), real);
        assert_eq!(from(1, "203.0.113.7:1", &["203.0.113.7", "10.0.0.2"]), real);
        assert_eq!(from(1, "203.0.113.7:1", &["10.0.0.1", "203.0.113.7", "10.0.0.2"]), real);
        assert_eq!(from(2, "203.0.113.7:1", &["203.0.113.7", "10.0.0.3", "10.0.0.2"]), real);
        for (hops, source, list) in [
            (1, "10.0.0.2:1", &["10.0.0.2"][..]),
            (1, "10.0.0.2:1", &[]),
            (1, "203.0.113.7:1", &["203.0.113.8", "10.0.0.2"]),
            (1, "10.0.0.2:1", &["garbage", "10.0.0.2"]),
            (2, "203.0.113.7:1", &["203.0.113.7", "10.0.0.2"]),
            (1, "203.0.113.7:1", &["203.0.113.7:80", "10.0.0.2"]),
        ] {
            assert_eq!(from(hops, source, list), ClientIp::Unknown, "{hops} {source} {list:?}");
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
