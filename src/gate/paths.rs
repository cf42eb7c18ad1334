//! Paths: which are exempt, which are stricter, and which may be returned to.
//!
//! Proxies and services do not agree on what `/admin;x`, `/%61dmin` or `/ADMIN` mean. So a rule
//! that *opens* holds only for a plain path, letter by letter, and a rule that *closes* holds
//! for every path that might be meant: without regard to case or to what follows a word in a
//! segment, as in `/admin.json`, and for each path that is not plain.

use serde::Deserialize;

use crate::error::{Error, ErrorCode};
use crate::policy::Method;

/// The target of a request, as Envoy hands it on.
#[derive(Debug, Clone, Copy)]
pub(super) struct Path<'a> {
    /// Path and query.
    target: &'a [u8],
    /// Before the `?`, if there is but one way to read it.
    plain: Option<&'a str>,
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

    /// Path and query to come back to after a challenge; `/` where a browser or proxy could take
    /// it for a place on another site.
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

/// Segments of letters, digits and `. _ ~ @ : + , = -`, of which none is empty but the last, `.`
/// or `..`.
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

/// The path with a letter for each `%XX` that stands for one character of a segment and nothing
/// that a proxy could take for structure; other escapes stay, and are not plain.
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

/// Paths that a rule opens.
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

    /// Whether there is no path that is not one of these.
    pub(super) fn are_all(&self) -> bool {
        self.0.prefixes.iter().any(|prefix| prefix == "/")
    }

    pub(super) fn contain(&self, path: &Path<'_>) -> bool {
        path.plain.is_some_and(|path| {
            self.0.paths.iter().any(|exact| exact == path) || self.0.prefixes.iter().any(|prefix| path.starts_with(prefix.as_str()))
        })
    }
}

fn check_plain(path: &str, at: &str) -> Result<(), Error> {
    let message = "must start with / and hold letters, digits and . _ ~ @ : + , = - only, without empty or dot segments";
    if is_plain(path) { Ok(()) } else { Err(Error::new(ErrorCode::InvalidConfig, at, message)) }
}

fn check_prefix(prefix: &str, at: &str) -> Result<(), Error> {
    check_plain(prefix, at)?;
    if prefix.ends_with('/') {
        Ok(())
    } else {
        Err(Error::new(ErrorCode::InvalidConfig, at, "must end with /, or /admin would open /administrator"))
    }
}

/// A stricter rule, as written in configuration.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct RouteDocument {
    #[serde(default)]
    path: Option<String>,
    #[serde(default)]
    prefix: Option<String>,
    #[serde(default)]
    max_age: Option<u32>,
    #[serde(default)]
    methods: Option<Vec<Method>>,
}

/// Stricter rules. All that match a path hold.
#[derive(Debug, Clone)]
pub(super) struct Routes(Vec<Route>);

#[derive(Debug, Clone)]
struct Route {
    place: Place,
    limits: Limits,
}

#[derive(Debug, Clone)]
enum Place {
    Exact(String),
    Below(String),
}

/// How fresh a pass must be and by which methods.
#[derive(Debug, Clone, Default)]
pub(super) struct Limits {
    pub(super) max_age: Option<u32>,
    methods: Option<Vec<Method>>,
}

impl Limits {
    /// Whether nothing is asked of a pass, so that there need not be one.
    pub(super) const fn are_none(&self) -> bool {
        self.max_age.is_none() && self.methods.is_none()
    }

    pub(super) fn accept(&self, method: Method) -> bool {
        self.methods.as_ref().is_none_or(|methods| methods.contains(&method))
    }

    fn tighten(&mut self, other: &Self) {
        self.max_age = match (self.max_age, other.max_age) {
            (Some(one), Some(two)) => Some(one.min(two)),
            (one, two) => one.or(two),
        };
        if let Some(more) = &other.methods {
            match &mut self.methods {
                Some(methods) => methods.retain(|method| more.contains(method)),
                None => self.methods = Some(more.clone()),
            }
        }
    }
}

impl Routes {
    pub(super) fn parse(documents: Vec<RouteDocument>) -> Result<Self, Error> {
        let mut routes = Vec::new();
        for (index, document) in documents.into_iter().enumerate() {
            let at = format!("routes[{index}]");
            let wrong = |message| Err(Error::new(ErrorCode::InvalidConfig, at.as_str(), message));
            let place = match (document.path, document.prefix) {
                (Some(path), None) => {
                    check_plain(&path, &format!("{at}.path"))?;
                    Place::Exact(path)
                }
                (None, Some(prefix)) => {
                    check_prefix(&prefix, &format!("{at}.prefix"))?;
                    Place::Below(prefix)
                }
                (Some(_), Some(_)) | (None, None) => return wrong("give either `path` or `prefix`"),
            };
            let limits = Limits { max_age: document.max_age, methods: document.methods };
            if limits.are_none() {
                return wrong("give `maxAge`, `methods` or both: a route without them changes nothing");
            }
            if limits.max_age.is_some_and(|age| !(10..=2_592_000).contains(&age)) {
                return Err(Error::new(ErrorCode::InvalidConfig, format!("{at}.maxAge"), "must be 10 to 2592000 seconds"));
            }
            if limits.methods.as_ref().is_some_and(Vec::is_empty) {
                return Err(Error::new(ErrorCode::InvalidConfig, format!("{at}.methods"), "name at least one method"));
            }
            routes.push(Route { place, limits });
        }
        Ok(Self(routes))
    }

    pub(super) fn limits(&self, path: &Path<'_>) -> Limits {
        let mut limits = Limits::default();
        for route in &self.0 {
            if path.plain.is_none_or(|path| route.place.may_hold(path)) {
                limits.tighten(&route.limits);
            }
        }
        limits
    }
}

impl Place {
    fn may_hold(&self, path: &str) -> bool {
        match self {
            Self::Exact(exact) => segments(path).count() == segments(exact).count() && may_begin(path, exact),
            Self::Below(prefix) => segments(path).count() >= segments(prefix).count() && may_begin(path, prefix),
        }
    }
}

fn segments(path: &str) -> impl Iterator<Item = &str> {
    path.split('/').filter(|segment| !segment.is_empty())
}

/// Whether each segment of the place might be meant by the one of the path. To some services `Pay` is
/// `pay`, and so are `pay.json`, for a format of it, `pay.` and `pay:x`.
fn may_begin(path: &str, place: &str) -> bool {
    segments(path).zip(segments(place)).all(|(given, segment)| {
        given
            .split_at_checked(segment.len())
            .is_some_and(|(start, rest)| start.eq_ignore_ascii_case(segment) && !rest.starts_with(is_of_a_word))
    })
}

/// Whether a segment that goes on with it is another word.
const fn is_of_a_word(character: char) -> bool {
    character.is_ascii_alphanumeric() || matches!(character, '-' | '_')
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json::from_json;

    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Written {
        routes: Vec<RouteDocument>,
    }

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
    fn t27_what_can_be_read_in_two_ways_opens_nothing_and_meets_every_stricter_rule() {
        let document = PathsDocument { paths: vec!["/healthz".to_owned()], prefixes: vec!["/assets/".to_owned()] };
        let exempt = Paths::parse(document, "exempt").unwrap();
        let routes = r#"[{"prefix":"/admin/","maxAge":300},{"path":"/pay","methods":["totp","sms"]},{"path":"/pay","methods":["sms","backup_code"]}]"#;
        let routes: Written = from_json(&format!("{{\"routes\":{routes}}}"), ErrorCode::InvalidConfig).unwrap();
        let routes = Routes::parse(routes.routes).unwrap();
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
        let age = |path: &str| routes.limits(&Path::new(path.as_bytes())).max_age;
        for strict in
            ["/admin/", "/admin", "/ADMIN/x", "/Admin", "/%61dmin/", "/x;/admin", "/a//b", "/..", "/admin.json", "/Admin./x", "/admin.d/x"]
        {
            assert_eq!(age(strict), Some(300), "{strict}");
        }
        for other in ["/", "/administrator", "/x/admin/", "/pay", "/admi", "/admin-x.json", "/.admin/"] {
            assert_eq!(age(other), None, "{other}");
        }
        for path in [&b"/PAY/"[..], b"/pay", b"/pay.json", b"/pay./"] {
            let pay = routes.limits(&Path::new(path));
            assert!(pay.accept(Method::Sms) && !pay.accept(Method::Totp) && !pay.accept(Method::BackupCode), "{}", path.escape_ascii());
        }
        for other in [&b"/pay/x"[..], b"/pays", b"/pay.json/x", b"/"] {
            assert!(routes.limits(&Path::new(other)).accept(Method::Totp), "{}", other.escape_ascii());
        }
    }
}
