//! Paths: plain paths, exemptions, and the path to return to after a challenge.
//!
//! Proxies and services do not agree on what `/admin;x`, `/%61dmin` or `/ADMIN` mean. So a rule that
//! *loosens* (an exemption, a path of API clients) matches exactly: only a plain path, letter by letter.
//! A rule that *tightens* matches generously; see `routes.rs`.

use serde::Deserialize;

use crate::error::Error;

use super::check::check;

/// The target of a request, as Envoy hands it on.
#[derive(Debug, Clone, Copy)]
pub(super) struct Path<'a> {
    /// Path and query.
    target: &'a [u8],
    /// The path before the `?`, if it is plain: there is only one way to read it.
    pub(super) plain: Option<&'a str>,
}

impl<'a> Path<'a> {
    pub(super) fn new(target: &'a [u8]) -> Self {
        let path = target.split(|&b| b == b'?').next().unwrap_or_default();
        Self { target, plain: core::str::from_utf8(path).ok().filter(|path| is_plain(path)) }
    }

    /// Path without query, for the log.
    pub(super) fn shown(&self) -> String {
        let path = self.target.split(|&b| b == b'?').next().unwrap_or_default();
        String::from_utf8_lossy(path).chars().take(200).collect()
    }

    /// Path and query to return to after a challenge; `/` where a browser or proxy could take them
    /// for an address on another site.
    pub(super) fn return_target(&self) -> &'a str {
        const LONGEST: usize = 1_000;
        let home = "/";
        let Ok(target) = core::str::from_utf8(self.target) else { return home };
        let (path, query) = target.split_once('?').map_or((target, ""), |(path, query)| (path, query));
        let path_fits = match self.plain {
            Some(_) => true,
            None => is_plain(&without_escapes(path)),
        };
        let query_fits = query.bytes().all(|b| b.is_ascii_graphic() && !matches!(b, b'\\' | b'#'));
        if path_fits && query_fits && target.len() <= LONGEST { target } else { home }
    }
}

/// Whether a path consists of segments of letters, digits and `. _ ~ @ : + , = -`. No segment is `.` or
/// `..`, and only the last one may be empty.
fn is_plain(path: &str) -> bool {
    let Some(rest) = path.strip_prefix('/') else { return false };
    let mut segments = rest.split('/').peekable();
    while let Some(segment) = segments.next() {
        let is_last = segments.peek().is_none();
        let fits = segment.bytes().all(|b| b.is_ascii_alphanumeric() || b"._~@:+,=-".contains(&b));
        if !fits || matches!(segment, "." | "..") || (segment.is_empty() && !is_last) {
            return false;
        }
    }
    true
}

/// The path with a letter in place of each `%XX` that stands for a character inside a segment. Escapes
/// that a proxy could take for structure stay, so that the path is not plain.
fn without_escapes(path: &str) -> String {
    let mut out = String::new();
    let mut rest = path;
    while let Some((before, after)) = rest.split_once('%') {
        out.push_str(before);
        let byte = after.get(..2).filter(|hex| hex.bytes().all(|b| b.is_ascii_hexdigit())).and_then(|hex| u8::from_str_radix(hex, 16).ok());
        let harmless = byte.is_some_and(|b| b > 0x7f || (b.is_ascii_graphic() && !b"/\\%.;?#".contains(&b)) || b == b' ');
        out.push(if harmless { 'x' } else { '%' });
        rest = if harmless { after.get(2..).unwrap_or_default() } else { after };
    }
    out.push_str(rest);
    out
}

/// Exact paths and prefixes, as written in configuration.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct PathsDocument {
    paths: Vec<String>,
    prefixes: Vec<String>,
}

/// Paths with a looser rule: those exempt, and those of API clients.
#[derive(Debug, Clone)]
pub(super) struct Paths(PathsDocument);

impl Paths {
    pub(super) fn parse(document: PathsDocument, at: &str) -> Result<Self, Error> {
        for (index, path) in document.paths.iter().enumerate() {
            check_plain(path, &format!("{at}.paths[{index}]"))?;
        }
        for (index, prefix) in document.prefixes.iter().enumerate() {
            check_prefix(prefix, &format!("{at}.prefixes[{index}]"))?;
        }
        Ok(Self(document))
    }

    /// Whether every path is one of these.
    pub(super) fn are_all(&self) -> bool {
        self.0.prefixes.iter().any(|prefix| prefix == "/")
    }

    pub(super) fn contain(&self, path: &Path<'_>) -> bool {
        path.plain.is_some_and(|path| {
            self.0.paths.iter().any(|exact| exact == path) || self.0.prefixes.iter().any(|prefix| path.starts_with(prefix.as_str()))
        })
    }
}

pub(super) fn check_plain(path: &str, at: &str) -> Result<(), Error> {
    check(is_plain(path), at, "must start with / and hold letters, digits and . _ ~ @ : + , = - only, without empty or dot segments")
}

pub(super) fn check_prefix(prefix: &str, at: &str) -> Result<(), Error> {
    check_plain(prefix, at)?;
    check(prefix.ends_with('/'), at, "must end with /, or /admin would also match /administrator")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn t35_a_return_target_is_a_path_of_this_site() {
        let target = |text: &'static str| Path::new(text.as_bytes()).return_target();
        for good in ["/", "/reports?year=2026&q=%2F", "/caf%C3%A9", "/a%20b/", "/a?next=//x"] {
            assert_eq!(target(good), good);
        }
        for bad in [
            "//x",
            "/\\x",
            "\\\\x",
            "/%2f/x",
            "/%5cx",
            "/%2Fx",
            "/%252fx",
            "/a//b",
            "/..//x",
            "/%2e%2e/x",
            "/.%2e/x",
            "javascript:alert(1)",
            "https://x/",
            "/a\tb",
            "/a%0d%0ab",
            "/a%00",
            "/a;b",
            "/a?x\\y",
            "/a?b#c",
            "*",
            "",
            "/%",
            "/%4",
            "/\u{e9}",
        ] {
            assert_eq!(target(bad), "/", "{bad}");
        }
        assert_eq!(Path::new(b"/\xff").return_target(), "/");
        assert_eq!(Path::new(format!("/{}", "a".repeat(1_000)).as_bytes()).return_target(), "/");
    }

    #[test]
    fn t27_an_exemption_holds_for_a_plain_path_only() {
        let document = PathsDocument { paths: vec!["/healthz".to_owned()], prefixes: vec!["/assets/".to_owned()] };
        let exempt = Paths::parse(document, "exempt").unwrap();
        for open in ["/healthz", "/healthz?x=/%2f", "/assets/", "/assets/a.css", "/assets/a/b"] {
            assert!(exempt.contain(&Path::new(open.as_bytes())), "{open}");
        }
        for shut in [
            "/healthz/",
            "/Healthz",
            "/healthz;x",
            "//healthz",
            "/assets",
            "/ASSETS/a",
            "/assets/../admin",
            "/assets/%2e%2e/admin",
            "/assets/..;/admin",
            "/assets//a",
            "/assets/./a",
            "/assets/a%2fb",
            "/assets\\a",
            "/assets/a\\b",
            "/%61ssets/a",
            "/x/../assets/a",
        ] {
            assert!(!exempt.contain(&Path::new(shut.as_bytes())), "{shut}");
        }
    }
}
