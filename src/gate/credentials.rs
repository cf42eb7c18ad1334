//! The credentials of a request: the pass (in a cookie or as a bearer token), the host's session, and
//! a code with its ticket (`x-otp`, `x-otp-ticket`).
//!
//! Each is read once, as bytes. A credential that comes twice, or that another server might read
//! in another way, has no value and the request is refused.

use crate::policy::Method;
use crate::token::Pass;

use super::config::GateConfig;
use super::cookies::{names, parts, resembles, value_of};
use super::exempt_paths::Path;
use super::refusal::Refusal;
use super::request::{Request, holds};
use super::single_header::SingleHeader;
use super::stripping::{Stripping, cookies_without, is_ours};

/// The credentials of a request, and its path. Headers that only a refusal needs are not read here.
#[derive(Debug)]
pub(super) struct Credentials<'a> {
    pub(super) path: Path<'a>,
    pub(super) session: SingleHeader<'a>,
    pass: SingleHeader<'a>,
    bearer: SingleHeader<'a>,
    otp: SingleHeader<'a>,
    ticket: SingleHeader<'a>,
    /// Whether there are headers that only the gate may set.
    ours: bool,
}

/// A code as sent, with the ticket that it goes with.
#[derive(Debug, Clone, Copy)]
pub(super) struct SentCode<'a> {
    pub(super) method: Method,
    pub(super) code: &'a str,
    pub(super) ticket: &'a str,
}

impl<'a> Credentials<'a> {
    pub(super) fn read(config: &GateConfig, request: &Request<'a>) -> Self {
        let mut credentials = Self {
            path: Path::new(b""),
            session: SingleHeader::Absent,
            pass: SingleHeader::Absent,
            bearer: SingleHeader::Absent,
            otp: SingleHeader::Absent,
            ticket: SingleHeader::Absent,
            ours: false,
        };
        for (name, value) in request.headers {
            match name.as_str() {
                ":path" => credentials.path = Path::new(value),
                "cookie" => {
                    for part in parts(value) {
                        credentials.read_cookie(config, part);
                    }
                }
                "authorization" => credentials.bearer.add(value),
                "x-otp" => credentials.otp.add(value),
                "x-otp-ticket" => credentials.ticket.add(value),
                _ => {}
            }
            credentials.ours |= is_ours(name);
        }
        credentials.read_bearer(config);
        credentials
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
                self.pass = SingleHeader::Repeated;
            } else if session.is_some_and(|session| resembles(name, session)) {
                self.session = SingleHeader::Repeated;
            }
        }
    }

    /// An `authorization` of another scheme is for the upstream, and so is every one where passes do not
    /// come as bearer tokens.
    fn read_bearer(&mut self, config: &GateConfig) {
        match self.bearer {
            // Envoy has joined two headers into one.
            SingleHeader::Value(value) if config.pass.bearer && value.contains(&b',') && holds(value, b"bearer ") => {
                self.bearer = SingleHeader::Repeated;
            }
            SingleHeader::Value(value) if config.pass.bearer => {
                self.bearer = bearer(value).map_or(SingleHeader::Absent, SingleHeader::Value);
            }
            SingleHeader::Repeated if config.pass.bearer => {}
            SingleHeader::Value(_) | SingleHeader::Repeated | SingleHeader::Absent => self.bearer = SingleHeader::Absent,
        }
    }

    /// The pass, if there is one. Beside a pass in the cookie, a bearer token that does not claim to be one
    /// is the service's own.
    ///
    /// # Errors
    /// [`Refusal::DuplicateHeader`] if any credential came twice.
    pub(super) fn pass(&self) -> Result<Option<&'a str>, Refusal> {
        let repeated = [self.pass, self.session, self.bearer, self.otp, self.ticket].into_iter().any(SingleHeader::is_repeated);
        match (self.pass.text(), self.bearer.text()) {
            _ if repeated => Err(Refusal::DuplicateHeader),
            (Some(_), Some(bearer)) if Pass::claims_to_be(bearer) => Err(Refusal::DuplicateHeader),
            (Some(token), _) => Ok(Some(token)),
            (None, token) => Ok(token),
        }
    }

    /// The code in `x-otp`, if there is one: `123456` from an app, or with its method `sms 123456`.
    pub(super) fn code(&self) -> Option<Result<SentCode<'a>, Refusal>> {
        let sent = self.otp.text()?.trim_ascii();
        let named = sent.split_once(' ').and_then(|(name, code)| Some((Method::parse(name)?, code)));
        let (method, code) = named.unwrap_or((Method::Totp, sent));
        let fits = (1..=64).contains(&code.len());
        let code = SentCode { method, code, ticket: self.ticket.text().unwrap_or_default() };
        Some(if fits { Ok(code) } else { Err(Refusal::CodeMalformed) })
    }

    /// The headers to remove before the request goes on. A bearer token that does not claim to be a
    /// pass is for the upstream.
    pub(super) fn stripping(&self, config: &GateConfig, request: &Request<'_>) -> Stripping {
        let in_cookie = !matches!(self.pass, SingleHeader::Absent);
        let in_bearer = match self.bearer {
            SingleHeader::Absent => false,
            SingleHeader::Value(_) => self.bearer.text().is_some_and(Pass::claims_to_be),
            SingleHeader::Repeated => true,
        };
        Stripping {
            ours: self.ours,
            cookie: (in_cookie && !config.pass.forward).then(|| cookies_without(request.all("cookie"), &config.pass.cookie)),
            authorization: in_bearer && !config.pass.forward,
        }
    }
}

fn bearer(value: &[u8]) -> Option<&[u8]> {
    let (scheme, token) = value.split_at_checked(7)?;
    scheme.eq_ignore_ascii_case(b"bearer ").then(|| token.trim_ascii())
}
