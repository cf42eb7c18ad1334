//! One HTTP request as Envoy shows it. Header values are bytes and come in any number.

use crate::client_ip::ClientIp;

use super::client_address::client_address;

/// A request as Envoy shows it.
#[derive(Clone, Copy)]
pub struct Request<'a> {
    /// All headers in order, `:method` and `:path` among them; names in lower case.
    pub headers: &'a [(String, Vec<u8>)],
    /// Whether a body, trailers or another protocol follow the headers.
    pub has_body: bool,
    /// Gets Envoy's `source.address`: address and port, like `192.0.2.1:4711` or
    /// `[2001:db8::1]:4711`. A call into Envoy is slow, so it is made only where the address is needed.
    pub source: &'a dyn Fn() -> Option<Vec<u8>>,
}

impl Request<'_> {
    /// The values of a header, in order.
    pub(super) fn all(&self, name: &str) -> impl DoubleEndedIterator<Item = &[u8]> {
        self.headers.iter().filter(move |(given, _)| given == name).map(|(_, value)| value.as_slice())
    }

    /// Whether a browser is opening a page, and can be sent to another one.
    pub(super) fn is_browser(&self) -> bool {
        self.all(":method").all(|method| matches!(method, b"GET" | b"HEAD"))
            && self.all("accept").any(|value| holds(value, b"text/html"))
            && self.is_navigation()
            // A client that sends a code in a header is a program, which wants an answer and no page.
            && self.all("x-otp").next().is_none()
    }

    /// Whether a browser is going to a page, as far as it says. Only one without fetch metadata leaves it to
    /// the scripts to say what they are.
    fn is_navigation(&self) -> bool {
        let mut modes = self.all("sec-fetch-mode").peekable();
        match modes.peek() {
            Some(_) => modes.all(|mode| mode == b"navigate"),
            None => self.all("x-requested-with").next().is_none(),
        }
    }

    /// The client's address.
    pub(super) fn client(&self, trusted_hops: usize) -> ClientIp {
        let forwarded_for: Vec<&[u8]> =
            self.all("x-forwarded-for").flat_map(|value| value.split(|&b| b == b',').map(<[u8]>::trim_ascii)).collect();
        client_address(trusted_hops, (self.source)().as_deref(), &forwarded_for)
    }
}

/// Whether the text holds the part, without regard to case.
pub(super) fn holds(text: &[u8], part: &[u8]) -> bool {
    text.windows(part.len()).any(|window| window.eq_ignore_ascii_case(part))
}
